#include <string.h>

#include "inner.h"

/* Entries of the engine itself: policies, CRLs, responders, the first one. */

enum err_code
ca_decide_policy(const struct policy *p, int64_t now, struct arena *a,
    struct draft *out, struct err *e)
{
	struct decision one = { .n = 0 };
	struct deed d = { .now = now, .a = a, .out = &one };

	TRY(draft_activated(&d, p, BYTES_NONE, e));
	*out = one.draft[0];
	return ERR_OK;
}

struct bytes
ca_crl_key(struct arena *a, struct bytes issuer, int64_t partition,
    bool is_delta)
{
	uint8_t *p = arena_get(a, issuer.len + 10);

	memcpy(p, issuer.p, issuer.len);
	p[issuer.len] = 0;
	be64_print(p + issuer.len + 1, (uint64_t)partition);
	p[issuer.len + 9] = is_delta ? 1 : 0;
	return ca_row_key(a, ROW_CRL, bytes_of(p, issuer.len + 10));
}

enum err_code
ca_decide_crl(struct view *v, const struct crl_published *crl, int64_t now,
    struct arena *a, struct draft *out, struct err *e)
{
	struct decision one = { .n = 0 };
	struct deed d = { .v = v, .now = now, .a = a, .out = &one };
	struct crl_row old;
	struct pen pen AUTO_PEN = { .draft = NULL };
	bool found;

	if (crl->number <= 0 || crl->base < 0 || crl->base >= crl->number ||
	    crl->partition < 0 || crl->sha256.len != SHA256_LEN ||
	    crl->periodic > crl->this_update ||
	    (crl->base > 0 && (crl->names_deltas || crl->periodic > 0)))
		return err_say(e, ERR_INVALID, "crl-entry-form",
		    "the CRL to be recorded has no number or hash, or rests on "
		    "one that is not before it");
	TRY(rec_get(v, &rec_crl, ca_row_key(a, ROW_CRL, crl->issuer), a, &old,
	    &found, e));
	if (found && crl->number <= old.number)
		return err_at(e, ERR_CONFLICT, "crl-number-behind",
		    "RFC 5280 5.2.3", NOWHERE,
		    "the number of a CRL must be greater than %s, the one "
		    "published last",
		    arena_printf(a, "%lld", (long long)old.number));
	if (crl->base > 0) {
		TRY(ca_complete(v, crl->issuer, crl->partition, a, &old, e));
		if (crl->base != old.number || !ca_takes_deltas(&old))
			return err_at(e, ERR_CONFLICT, "crl-entry-base",
			    "RFC 5280 5.2.4", NOWHERE,
			    "a delta rests on the complete CRL of its scope "
			    "that was published last, and on none that names "
			    "no deltas");
	}
	pen_begin(&pen, &d, ENTRY_CRL_PUBLISHED);
	pen.draft->refs.number = crl->number;
	pen.draft->refs.object = crl->sha256;
	if (crl->base > 0)
		jw_member_int(&pen.w, "base", crl->base);
	jw_member_int(&pen.w, "covers", (int64_t)crl->covers);
	if (crl->names_deltas)
		jw_member_int(&pen.w, "deltas", 1);
	jw_member_str(&pen.w, "issuer", crl->issuer);
	jw_member_int(&pen.w, "next_update", crl->next_update);
	if (crl->partition > 0)
		jw_member_int(&pen.w, "partition", crl->partition);
	if (crl->periodic > 0)
		jw_member_int(&pen.w, "periodic", crl->periodic);
	jw_member_hex(&pen.w, "tbs_sha256", crl->sha256);
	jw_member_int(&pen.w, "this_update", crl->this_update);
	TRY(pen_end(&pen, a, e));
	*out = one.draft[0];
	return ERR_OK;
}

enum err_code
ca_decide_responder(struct view *v, struct bytes issuer, struct bytes der,
    int64_t now, struct arena *a, struct draft *out, struct err *e)
{
	struct decision one = { .n = 0 };
	struct deed d = { .v = v, .now = now, .a = a, .out = &one };
	struct pen pen AUTO_PEN = { .draft = NULL };
	struct cert cert;

	TRY(cert_parse(der, &cert, e));
	pen_begin(&pen, &d, ENTRY_RESPONDER_CERTIFIED);
	pen.draft->refs.object = hash_in(a, der);
	jw_member_base64(&pen.w, "certificate", der);
	jw_member_str(&pen.w, "issuer", issuer);
	TRY(pen_end(&pen, a, e));
	*out = one.draft[0];
	return ERR_OK;
}

static void
put_certificates(struct jw *w, const struct ca_init *init)
{
	jw_key(w, "certificates");
	jw_array(w);
	for (size_t i = 0; i < init->n_cert; i++) {
		jw_object(w);
		jw_member_base64(w, "der", init->cert[i].der);
		jw_member_str(w, "name", bytes_str(init->cert[i].name));
		jw_member_str(w, "role", bytes_str(init->cert[i].role));
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

static void
put_officers(struct jw *w, const struct ceilings *c)
{
	jw_key(w, "officers");
	jw_array(w);
	for (size_t i = 0; i < c->n_officer; i++) {
		const struct officer *o = &c->officer[i];
		jw_object(w);
		jw_member_hex(w, "key_sha256",
		    bytes_of(o->spki_sha256, SHA256_LEN));
		jw_member_str(w, "name", bytes_str(o->name));
		jw_member_str(w, "run", bytes_str(o->run));
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

enum err_code
ca_decide_init(const struct ca_init *init, int64_t now, struct arena *a,
    struct draft *out, struct err *e)
{
	struct decision one = { .n = 0 };
	struct deed d = { .now = now, .a = a, .out = &one };
	struct pen pen AUTO_PEN = { .draft = NULL };

	pen_begin(&pen, &d, ENTRY_SYSTEM_INITIALIZED);
	put_certificates(&pen.w, init);
	jw_member_base64(&pen.w, "log_key", init->log_spki);
	put_officers(&pen.w, init->ceilings);
	jw_member_str(&pen.w, "origin", init->origin);
	jw_member_int(&pen.w, "policy_quorum", init->ceilings->quorum);
	if (init->ceilings->appointment_quorum > 1)
		jw_member_int(&pen.w, "quorum",
		    init->ceilings->appointment_quorum);
	TRY(pen_end(&pen, a, e));
	*out = one.draft[0];
	return ERR_OK;
}
