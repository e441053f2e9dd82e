/*
 * statement_in_words - what ministers and officers sign, as a sentence in Spanish
 * and the same in English, each from the members of the statement.  Core writes
 * the Spanish one into it; whoever shows a statement writes both anew.
 */
#include <refrendo/audit.h>

static void
say(struct buf *out, bool spanish, const char *es, const char *en)
{
	buf_puts(out, spanish ? es : en);
}

static void
say_holder(const struct statement *s, bool spanish, struct buf *out)
{
	buf_putf(out, "%.*s, RUN %.*s", BYTES_FMT(s->holder_name),
	    BYTES_FMT(s->holder_run));
	if (s->type == STATEMENT_APPOINTMENT)
		return;
	say(out, spanish, ", ejerce como ", ", holds the office of ");
	buf_putf(out, "%.*s%s%.*s", BYTES_FMT(s->holder_office),
	    spanish ? " en " : " at ", BYTES_FMT(s->institution_name));
}

static void
endorsement_text(const struct statement *s, bool spanish, struct buf *out)
{
	say(out, spanish, "Certifico que ", "I certify that ");
	say_holder(s, spanish, out);
	say(out, spanish,
	    ", y que es titular de la clave pública de la solicitud ",
	    ", and holds the public key of the request ");
	buf_putf(out, "%.*s.", BYTES_FMT(s->request));
}

static void
appointment_text(const struct statement *s, bool spanish, struct buf *out)
{
	say(out, spanish, "Habilito a ", "I appoint ");
	say_holder(s, spanish, out);
	say(out, spanish, ", como ministro/a de fe", ", as minister of faith");
	if (s->deputy)
		say(out, spanish, " subrogante", ", deputy,");
	say(out, spanish, " de ", " of ");
	buf_putf(out, "%.*s", BYTES_FMT(s->institution_name));
	say(out, spanish, " según el acto ", " by the act ");
	buf_putf(out, "%.*s", BYTES_FMT(s->act_number));
	say(out, spanish, " de fecha ", " dated ");
	buf_putf(out, "%.*s", BYTES_FMT(s->act_date));
	say(out, spanish, ", con la clave pública de este nombramiento.",
	    ", with the public key of this appointment.");
}

static void
say_life(int64_t life_s, bool spanish, struct buf *out)
{
	bool days = life_s % DAY == 0;

	buf_putf(out, "%lld ", (long long)(life_s / (days ? DAY : HOUR)));
	if (days)
		say(out, spanish, "días", "days");
	else
		say(out, spanish, "horas", "hours");
}

static void
mandate_text(const struct statement *s, bool spanish, struct buf *out)
{
	char until[TIME_TEXT];

	time_print(until, s->until);
	say(out, spanish, "Certifico que ", "I certify that ");
	say_holder(s, spanish, out);
	say(out, spanish, ", y autorizo que hasta el ",
	    ", and allow that until ");
	buf_puts(out, until);
	say(out, spanish,
	    " su certificado se renueve sin una nueva certificación hasta ",
	    " his or her certificate is renewed without a new endorsement up "
	    "to ");
	buf_putf(out, "%lld", (long long)s->renewals);
	say(out, spanish, " veces, por ", " times, for ");
	say_life(s->life_s, spanish, out);
	say(out, spanish, " cada vez, ", " each time, ");
	if (s->rekey_sha256.len > 0)
		say(out, spanish,
		    "con la misma llave o con otra que la anterior haya "
		    "firmado, ",
		    "with the same key or another that the one before has "
		    "signed, ");
	say(out, spanish,
	    "mientras yo sea ministro/a de fe y no cambien sus datos, su cargo "
	    "ni la política ",
	    "while I am minister of faith and neither the data nor the office "
	    "changes, nor the policy ");
	buf_putf(out, "%.*s.", BYTES_FMT(s->policy));
}

void
statement_in_words(const struct statement *s, bool spanish, struct buf *out)
{
	switch (s->type) {
	case STATEMENT_ENDORSEMENT:
		endorsement_text(s, spanish, out);
		break;
	case STATEMENT_APPOINTMENT:
		appointment_text(s, spanish, out);
		break;
	case STATEMENT_MANDATE:
		mandate_text(s, spanish, out);
		break;
	case STATEMENT_TYPES:
		break;
	}
}

void
activation_in_words(const struct activation_statement *s, bool spanish,
    struct buf *out)
{
	char when[TIME_TEXT];

	time_print(when, s->effective);
	say(out, spanish, "Autorizo que rijan desde el ", "I allow that from ");
	buf_puts(out, when);
	say(out, spanish,
	    " estas políticas de certificación, con los resúmenes que aquí "
	    "constan: ",
	    " on these certificate policies are in force, with the hashes that "
	    "stand here: ");
	for (size_t i = 0; i < s->n; i++)
		buf_putf(out, "%s%.*s v%lld", i > 0 ? ", " : "",
		    BYTES_FMT(s->policy[i].is.name),
		    (long long)s->policy[i].is.version);
	buf_putc(out, '.');
}
