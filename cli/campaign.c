/*
 * campaign - what is left to do before a CA ends: each certificate that it
 * signed and that no other one replaces yet, and how far each institution is.
 */
#include <stdio.h>
#include <string.h>

#include <refrendo/pkix.h>

#include "cli.h"

struct campaign {
	const char *ca;
	json_t *items;        /* certificates that nothing replaces */
	json_t *institutions; /* RUT -> { institution, replaced, waiting } */
	int64_t replaced;
};

static const char *
text_of(const json_t *record, const char *member)
{
	const char *text = json_string_value(json_object_get(record, member));
	return text == NULL ? "" : text;
}

static void
count_one(json_t *row, const char *member)
{
	int64_t n = json_integer_value(json_object_get(row, member));
	json_object_set_new(row, member, json_integer(n + 1));
}

static json_t *
institution_row(struct campaign *m, const char *rut)
{
	json_t *row = json_object_get(m->institutions, rut);
	if (row != NULL)
		return row;
	row = json_pack("{s:s, s:i, s:i}", "institution", rut, "replaced", 0,
	    "waiting", 0);
	json_object_set_new(m->institutions, rut, row);
	return row;
}

/* Valid ones and suspended ones, which may be reinstated. */
static bool
is_alive(const json_t *cert, const char *ca)
{
	const char *state = text_of(cert, "state");
	return strcmp(text_of(cert, "issuer"), ca) == 0 &&
	       (strcmp(state, "valid") == 0 || strcmp(state, "suspended") == 0);
}

static void
campaign_each(void *ctx, json_t *cert)
{
	static const char *const members[] = { "serial", "institution",
		"holder_run", "policy", "state", "not_after" };
	struct campaign *m = ctx;
	if (!is_alive(cert, m->ca))
		return;
	json_t *row = institution_row(m, text_of(cert, "institution"));
	if (json_object_get(cert, "replaced_by") != NULL) {
		count_one(row, "replaced");
		m->replaced++;
		return;
	}
	count_one(row, "waiting");
	json_t *item = json_object();
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		json_object_set(item, members[i],
		    json_object_get(cert, members[i]));
	json_array_append_new(m->items, item);
}

/* The CA's record with its end, which stands in its certificate alone. */
static enum err_code
read_ca(struct cli *c, json_t **out, struct err *e)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct cert cert;
	char end[TIME_TEXT];
	TRY(engine_get(c, path_of(c, "/cas/", c->operand[0], "/certificate"),
	    &der, e));
	TRY(cert_parse(buf_bytes(&der), &cert, e));
	TRY(engine_json(c, path_of(c, "/cas/", c->operand[0], ""), out, e));
	time_print(end, cert.not_after);
	json_object_set_new(*out, "not_after", json_string(end));
	return ERR_OK;
}

static void
print_campaign(struct cli *c, const json_t *ca, const struct campaign *m,
    json_t *institutions)
{
	int64_t waiting = (int64_t)json_array_size(m->items);
	printf(SAY(c,
		   "the CA %s ends on %s; %lld of its certificates are "
		   "replaced, %lld wait\n",
		   "la CA %s termina el %s; %lld de sus certificados están "
		   "reemplazados, %lld esperan\n"),
	    text_of(ca, "name"), text_of(ca, "not_after"),
	    (long long)m->replaced, (long long)waiting);
	if (waiting == 0)
		return;
	if (json_object_get(ca, "replaced_by") != NULL)
		printf(SAY(c,
			   "%s has its name and signs what is new; any of them "
			   "can be renewed today: refrendo renew SERIAL --as "
			   "OPERATOR\n",
			   "%s tiene su nombre y firma lo nuevo; todos se "
			   "pueden renovar hoy: refrendo renew SERIE --as "
			   "OPERADORA\n"),
		    text_of(ca, "replaced_by"));
	else if (json_object_get(ca, "stopped") == NULL &&
		 json_object_get(ca, "revoked") == NULL)
		printf(SAY(c,
			   "it still issues: activate policies that name its "
			   "successor, then: refrendo ca stop %s\n",
			   "todavía emite: active políticas que indiquen a su "
			   "sucesora, luego: refrendo ca stop %s\n"),
		    text_of(ca, "name"));
	else
		printf("%s\n",
		    SAY(c,
			"any of them can be renewed today: refrendo renew "
			"SERIAL --as OPERATOR",
			"todos se pueden renovar hoy: refrendo renew SERIE "
			"--as OPERADORA"));
	putchar('\n');
	print_rows(c, "/cas/campaign", institutions);
	putchar('\n');
	print_rows(c, "/certificates", m->items);
}

static enum err_code
run_campaign(struct cli *c, struct err *e)
{
	struct campaign m = { .ca = c->operand[0] };
	json_t *ca = NULL, *row;
	const char *rut;
	TRY(read_ca(c, &ca, e));
	m.items = json_array();
	m.institutions = json_object();
	json_t *institutions = json_array();
	enum err_code code =
	    engine_each(c, "/certificates", campaign_each, &m, e);
	json_object_foreach(m.institutions, rut, row)
	    json_array_append(institutions, row);
	if (code == ERR_OK && c->json)
		print_object(c,
		    json_pack("{s:O, s:O, s:O, s:I}", "ca", ca, "institutions",
			institutions, "items", m.items, "replaced",
			(json_int_t)m.replaced));
	else if (code == ERR_OK)
		print_campaign(c, ca, &m, institutions);
	json_decref(institutions);
	json_decref(m.institutions);
	json_decref(m.items);
	json_decref(ca);
	return code;
}

/* --- A key that is about to be destroyed --------------------------------------------- */

struct alive {
	const char *ca;
	long long n;
	/* Texts of times sort as times. */
	char now[TIME_TEXT], last[TIME_TEXT];
};

static void
alive_each(void *ctx, json_t *cert)
{
	struct alive *a = ctx;
	const char *end = text_of(cert, "not_after");
	if (!is_alive(cert, a->ca) || strcmp(end, a->now) < 0)
		return;
	a->n++;
	if (strcmp(end, a->last) > 0)
		snprintf(a->last, sizeof(a->last), "%s", end);
}

enum err_code
campaign_warn(struct cli *c, const char *ca, struct err *e)
{
	struct alive a = { .ca = ca };
	time_print(a.now, clock_now());
	TRY(engine_each(c, "/certificates", alive_each, &a, e));
	if (a.n > 0)
		fprintf(stderr,
		    SAY(c,
			"certificates of %s that have not ended: %lld, the "
			"last until %s; without its key nobody sees that one "
			"of them is revoked\n",
			"certificados de %s que no han vencido: %lld, el "
			"último hasta %s; sin su llave nadie ve que alguno de "
			"ellos se revoque\n"),
		    ca, a.n, a.last);
	return ERR_OK;
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "ca", "campaign", run_campaign, NO_ACT, NO_OPERAND, "NAME", 1, 1, 0,
	    "what must be renewed under another CA before this one ends",
	    "lo que se debe renovar con otra CA antes de que ésta termine",
	    "ca campaign emisora", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_campaign = { verbs, ARRAY_LEN(verbs) };
