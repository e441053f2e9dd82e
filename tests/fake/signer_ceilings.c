/* signer_ceilings - files of ceilings, and officers who agree on another one. */
#include "signer_asks.h"

static void
put_hex(struct buf *out, const uint8_t hash[SHA256_LEN])
{
	for (size_t i = 0; i < SHA256_LEN; i++)
		buf_putf(out, "%02x", hash[i]);
}

void
world_ceilings(const struct ceilings *top, struct buf *out)
{
	buf_puts(out, "validity_max: 1096d\nbackdate_max: 1h\n"
		      "keys: [ec-p256, rsa-3072]\n"
		      "key_usage: [digitalSignature, nonRepudiation]\n"
		      "extended: [emailProtection, clientAuth]\n"
		      "names: [other, email]\nqc_statements: false\n"
		      "extensions: []\nstatement_max: 72h\n"
		      "appointment_max: 400d\nmandate_max: 366d\nocsp_max: "
		      "10d\ncrl_max: 10d\n");
	buf_putf(out,
	    "per_hour: %lld\nper_hour_institution: %lld\n"
	    "refusals_per_hour: %lld\nendorsements: %lld\n"
	    "appointment_quorum: %lld\nquorum: %lld\n",
	    (long long)top->per_hour, (long long)top->per_hour_institution,
	    (long long)top->refusals_per_hour, (long long)top->endorsements,
	    (long long)top->appointment_quorum, (long long)top->quorum);
	if (top->campaign_until != 0) {
		char until[TIME_TEXT];
		time_print(until, top->campaign_until);
		buf_putf(out,
		    "campaign_until: \"%s\"\ncampaign_per_hour: %lld\n"
		    "campaign_per_hour_institution: %lld\n",
		    until, (long long)top->campaign_per_hour,
		    (long long)top->campaign_per_hour_institution);
	}
	buf_puts(out, "officers:\n");
	for (size_t i = 0; i < top->n_officer; i++) {
		buf_putf(out,
		    "  - run: %s\n    name: Alguien\n    key_sha256: \"",
		    top->officer[i].run);
		put_hex(out, top->officer[i].spki_sha256);
		buf_puts(out, "\"\n");
	}
	buf_puts(out, "policies:\n");
	for (size_t i = 0; i < top->n_policy; i++) {
		buf_putf(out, "  - name: %s\n    sha256: \"",
		    top->policy[i].name);
		put_hex(out, top->policy[i].sha256);
		buf_puts(out, "\"\n");
	}
}

/* --- An agreement ------------------------------------------------------------------- */

static struct bytes
file_of(struct world *w, const struct ceilings *c)
{
	struct buf out AUTO_BUF = BUF(16384);
	world_ceilings(c, &out);
	return arena_copy(w->a, buf_bytes(&out));
}

static struct bytes
people_of(struct world *w, const struct ceilings *c)
{
	struct buf out AUTO_BUF = BUF(CEILINGS_PEOPLE_MAX);
	ceilings_people(c, &out);
	return arena_copy(w->a, buf_bytes(&out));
}

/* The process got its file from world_ceilings() at its start. */
struct bytes
world_file_in_force(struct world *w)
{
	if (w->ceilings_text.len > 0 || w->signer == NULL)
		return w->ceilings_text.len > 0 ? w->ceilings_text
						: file_of(w, &w->ceilings);
	world_stop(w);
	w->ceilings_text = file_of(w, &w->ceilings);
	world_start(w);
	return w->ceilings_text;
}

void
change_init(struct world *w, struct change *x, const char *id,
    struct bytes base, const struct ceilings *to)
{
	*x = (struct change){ .signers = "os", .file = file_of(w, to) };
	x->st = (struct ceremony_statement){
		.origin = bytes_str(w->config.origin),
		.id = bytes_str(id),
		.root_sha256 = world_hash(w, buf_bytes(&w->root_der)),
		.base_sha256 = world_hash(w, base),
		.people = people_of(w, to),
		.n = 1,
		.proposed_by = bytes_str("33333333-3"),
		.log_size = 5,
		.log_root = world_hash(w, bytes_str("root")),
		.text_es = bytes_str("Autorizo."),
		.issued = w->now,
		.expires = w->now + CEREMONY_LIFE_S,
	};
	x->st.object[0].kind = CEREMONY_CEILINGS;
	x->st.object[0].name = bytes_str("ceilings");
	x->st.object[0].tbs_sha256 = world_hash(w, x->file);
}

const char *
change_ask(struct world *w, struct change *x, struct err *refusal)
{
	struct bytes answer;
	return world_ask(w, SIGNER_AGREEMENT,
		   world_agreement(w, &x->st, x->file, x->signers), &answer,
		   refusal) == ERR_OK
		   ? "ok"
		   : refusal->id;
}

/* As HELLO says it; in the arena. */
struct bytes
world_told_ceilings(struct world *w)
{
	struct signer_hello *h = arena_get(w->a, sizeof(*h));
	struct bytes answer;
	struct err refusal, e;
	assert_int_equal(world_ask(w, SIGNER_HELLO, BYTES_NONE, &answer,
			     &refusal),
	    ERR_OK);
	assert_int_equal(signer_hello_decode(answer, w->a, h, &e), ERR_OK);
	w->told_how = h->ceilings_how;
	return h->ceilings;
}
