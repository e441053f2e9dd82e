/* What happens in the log, from its first entry to its checkpoint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit_world.h"

/* --- Status ------------------------------------------------------------------------------- */

int64_t
change(struct world *w, enum entry_type type, struct stated *s, int reason)
{
	struct jw j = detail_of(&w->e[w->n].detail);
	int64_t at = w->now;

	actor(w, &j, HOLDER, "holder");
	jw_member_str(&j, "asked_by", bytes_str(HOLDER));
	jw_member_str(&j, "cause", bytes_str("key-compromise"));
	jw_member_int(&j, "effective", at);
	if (reason == CRL_KEY_COMPROMISE)
		jw_member_int(&j, "invalid_since", at - DAY);
	jw_member_int(&j, "notice", at - 5);
	jw_member_int(&j, "reason", reason);
	if (reason == CRL_HOLD)
		jw_member_int(&j, "until", at + 30 * DAY);
	append(w, type, &j, (struct entry_refs){ .serial = s->refs.serial });
	return at;
}

struct list {
	struct crl_entry e[3];
	size_t n, at;
};
static enum err_code
list_rewind(void *ctx, struct err *e)
{
	(void)e;
	((struct list *)ctx)->at = 0;
	return ERR_OK;
}
static enum err_code
list_next(void *ctx, struct crl_entry *out, bool *more, struct err *e)
{
	struct list *l = ctx;
	(void)e;
	*more = l->at < l->n;
	if (*more)
		*out = l->e[l->at++];
	return ERR_OK;
}

static void
publish(struct world *w, struct list *list, uint64_t number, uint64_t covers)
{
	struct crl_source source = { list, list_rewind, list_next };
	struct buf tbs AUTO_BUF = BUF(CRL_MAX_BYTES);
	struct buf signature AUTO_BUF = BUF(SIG_MAX);
	struct cert ca;
	struct key *key = twisted(w, CRL_BY_OTHER) ? keys.other : keys.issuer;
	uint8_t hash[HASH_LEN];

	OK(cert_parse(buf_bytes(&w->issuer), &ca, &err));
	struct crl_spec spec = { .issuer = ca.subject,
		.issuer_ski = ca.ski,
		.issuer_type = KEY_EC_P256,
		.number = number,
		.this_update = w->now,
		.next_update = w->now + DAY };
	OK(crl_build_tbs(&spec, &source, &tbs, &err));
	OK(key_sign(key, buf_bytes(&tbs), &signature, &err));
	buf_fini(&w->crl);
	w->crl = BUF(CRL_MAX_BYTES);
	OK(signed_assemble(buf_bytes(&tbs), key_type_sigalg(KEY_EC_P256),
	    buf_bytes(&signature), &w->crl, &err));
	sha256(hash, buf_bytes(&tbs));
	struct jw j = detail_of(&w->e[w->n].detail);
	actor(w, &j, OFFICER, "officer");
	jw_member_int(&j, "covers", (int64_t)covers);
	jw_member_str(&j, "issuer", bytes_str("institucional"));
	jw_member_hex(&j, "tbs_sha256", bytes_of(hash, HASH_LEN));
	append(w, ENTRY_CRL_PUBLISHED, &j,
	    (struct entry_refs){ .number = (int64_t)number });
}

/* What an entry alone says of a list. */
struct said {
	int64_t partition, base;
	bool deltas;
};

static void
say_list(struct world *w, int64_t number, const struct said *s)
{
	static const uint8_t hash[HASH_LEN] = { 7 };
	struct jw j = detail_of(&w->e[w->n].detail);
	actor(w, &j, OFFICER, "officer");
	if (s->base > 0)
		jw_member_int(&j, "base", s->base);
	jw_member_int(&j, "covers", (int64_t)w->n);
	if (s->deltas)
		jw_member_int(&j, "deltas", 1);
	jw_member_str(&j, "issuer", bytes_str("institucional"));
	if (s->partition > 0)
		jw_member_int(&j, "partition", s->partition);
	jw_member_hex(&j, "tbs_sha256", bytes_of(hash, HASH_LEN));
	append(w, ENTRY_CRL_PUBLISHED, &j,
	    (struct entry_refs){ .number = number });
}

/* Numbers go on behind those of the full list; what is right stands before the
 * one that is not. */
static void
more_lists(struct world *w)
{
	static const struct {
		enum twist twist;
		struct said said[6];
	} rows[] = {
		{ CRL_OF_NO_PARTITION, { { 1, 0, false }, { 3, 0, false } } },
		{ CRL_DELTA_OF_NONE, { { 1, 0, false }, { 1, 3, false } } },
		{ CRL_DELTA_OF_OLDER,
		    { { 1, 0, true }, { 1, 0, true }, { 1, 4, false },
			{ 1, 0, true }, { 1, 4, false } } },
		{ CRL_DELTA_TOO_SOON, { { 1, 0, true }, { 1, 3, false } } },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t k = 0;
		    twisted(w, rows[i].twist) && rows[i].said[k].partition > 0;
		    k++)
			say_list(w, 3 + (int64_t)k, &rows[i].said[k]);
}

/* --- The story ----------------------------------------------------------------------------- */

static void
make_cas(struct world *w)
{
	struct want root = { "Raiz", NULL, keys.root, NULL, keys.root, true,
		false, T0 - DAY, T0 + 3650 * DAY, NULL };
	struct want issuer = { "Institucional", NULL, keys.issuer, &w->root,
		keys.root, true, false, T0 - DAY, T0 + 3000 * DAY, NULL };
	struct want endorser = { "Refrendo", NULL, keys.endorser, &w->root,
		keys.root, true, false, T0 - DAY, T0 + 3000 * DAY, NULL };
	struct want officer = { "Oficial", OFFICER, keys.officer, NULL,
		keys.officer, false, false, T0 - DAY, T0 + 365 * DAY, NULL };
	struct want ocsp = { "OCSP", NULL, keys.ocsp, &w->issuer, keys.issuer,
		false, !twisted(w, RESPONDER_NOT_OCSP), T0 - DAY, T0 + 30 * DAY,
		NULL };
	w->root = w->issuer = w->endorser = w->officer = w->responder =
	    BUF(CERT_MAX_BYTES);
	build_cert(w, &root, &w->root);
	build_cert(w, &issuer, &w->issuer);
	build_cert(w, &endorser, &w->endorser);
	build_cert(w, &officer, &w->officer);
	build_cert(w, &ocsp, &w->responder);
}

static void
beginnings(struct world *w)
{
	struct entry_refs rut = { .institution = bytes_str(RUT) };
	struct stated s AUTO_STATED, t AUTO_STATED;

	initialize(w);
	policy(w);
	first_ceilings(w);
	plain(w, ENTRY_INSTITUTION_APPLIED, rut);
	plain(w, ENTRY_INSTITUTION_ENABLED, rut);
	plain(w, ENTRY_PERSON_REGISTERED, rut);
	propose(w, &s, "NOM-1");
	confirm(w, &s);
	in_force(w, &s);
	propose(w, &t, "NOM-2");
	plain(w, ENTRY_APPOINTMENT_WITHDRAWN, t.refs);
	if (twisted(w, APPOINTMENT_ENDED_BEFORE))
		plain(w, ENTRY_APPOINTMENT_ENDED, s.refs);
	struct jw j = detail_of(&w->e[w->n].detail);
	actor(w, &j, OFFICER, "officer");
	jw_member_base64(&j, "certificate", buf_bytes(&w->responder));
	jw_member_str(&j, "issuer", bytes_str("institucional"));
	append(w, ENTRY_RESPONDER_CERTIFIED, &j, (struct entry_refs){ 0 });
}

/* Requests that end otherwise than in a certificate. */
static void
dead_ends(struct world *w)
{
	static const struct {
		const char *id;
		enum entry_type type;
	} ends[] = {
		{ "SOL-11", ENTRY_REQUEST_REJECTED },
		{ "SOL-12", ENTRY_REQUEST_WITHDRAWN },
		{ "SOL-13", ENTRY_REQUEST_LAPSED },
	};
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct stated s AUTO_STATED;
		submit(w, &s, ends[i].id);
		plain(w, ends[i].type, s.refs);
	}
	struct stated s AUTO_STATED;
	submit(w, &s, "SOL-14");
	endorse(w, &s, &s);
	intend(w, &s);
	plain(w, ENTRY_REQUEST_FAILED, s.refs);
}

static void
two_certificates(struct world *w, struct stated *one, struct stated *two)
{
	struct stated old AUTO_STATED;
	struct entry_refs refs = { .request = bytes_str("SOL-1"),
		.institution = bytes_str(RUT) };

	plain(w, ENTRY_REQUEST_DRAFTED, refs);
	submit(w, &old, "SOL-1");
	plain(w, ENTRY_REQUEST_RETURNED, refs);
	submit(w, one, "SOL-1");
	endorse(w, one, twisted(w, OLD_ENDORSEMENT) ? &old : one);
	if (twisted(w, ENDORSED_TWICE_BY_ONE))
		endorse(w, one, one);
	intend(w, one);
	issue(w, one);
	if (twisted(w, ISSUED_TWICE))
		issue(w, one);
	submit(w, two, "SOL-2");
	if (twisted(w, CA_STOPPED_ISSUES))
		stop_ca(w, "institucional");
	endorse(w, two, two);
	intend(w, two);
	issue(w, two);
	plain(w, ENTRY_CERTIFICATE_REPLACED,
	    (struct entry_refs){ .serial = two->refs.serial });
	renew_by_mandate(w, two);
}

/* The last, for serials rise in a list. */
static void
list_late(const struct world *w, struct list *list)
{
	if (w->late_len > 0)
		list->e[list->n++] =
		    (struct crl_entry){ bytes_of(w->late, w->late_len),
			    w->late_at, CRL_SUPERSEDED, 0 };
}

static void
status(struct world *w, struct stated *one, struct stated *two)
{
	struct list list = { .n = 0 };
	struct entry_refs refs = { .serial = one->refs.serial };

	list_late(w, &list);
	if (!twisted(w, CRL_NONE))
		publish(w, &list, 1, w->n);
	list.n = 0;
	plain(w, ENTRY_CERTIFICATE_PROPOSED, refs);
	int64_t at =
	    change(w, ENTRY_CERTIFICATE_REVOKED, one, CRL_KEY_COMPROMISE);
	if (twisted(w, REVOKED_TWICE))
		(void)change(w, ENTRY_CERTIFICATE_REVOKED, one, CRL_CESSATION);
	(void)change(w, ENTRY_CERTIFICATE_SUSPENDED, two,
	    twisted(w, SUSPENDED_WRONG_REASON) ? CRL_CESSATION : CRL_HOLD);
	plain(w, ENTRY_CERTIFICATE_REINSTATED,
	    (struct entry_refs){ .serial = two->refs.serial });
	int64_t held = change(w, ENTRY_CERTIFICATE_SUSPENDED, two, CRL_HOLD);
	list.e[list.n++] = (struct crl_entry){ one->refs.serial,
		twisted(w, CRL_TIME) ? at + 1 : at,
		twisted(w, CRL_REASON) ? CRL_CESSATION : CRL_KEY_COMPROMISE,
		at - DAY };
	if (twisted(w, CRL_LACKS))
		list.n = 0;
	if (!twisted(w, SERIAL_TWICE))
		list.e[list.n++] =
		    (struct crl_entry){ two->refs.serial, held, CRL_HOLD, 0 };
	if (twisted(w, CRL_MORE)) {
		static const uint8_t unknown[18] = { 0x7f, 1 };
		list.e[list.n++] =
		    (struct crl_entry){ bytes_of(unknown, sizeof(unknown)), at,
			    CRL_CESSATION, 0 };
	}
	list_late(w, &list);
	uint64_t covers = w->n;
	/* What happens while the CRL is being signed is not on it. */
	plain(w, ENTRY_CERTIFICATE_REINSTATED,
	    (struct entry_refs){ .serial = two->refs.serial });
	if (twisted(w, CRL_OLD_STATE))
		covers = w->n;
	if (!twisted(w, CRL_NONE))
		publish(w, &list, twisted(w, CRL_NUMBER) ? 1 : 2, covers);
	more_lists(w);
}

void
world_init(struct world *w, enum twist twist)
{
	struct entry_refs rut = { .institution = bytes_str(RUT) };
	struct stated one AUTO_STATED, two AUTO_STATED;

	memset(w, 0, sizeof(*w));
	w->twist = twist;
	w->now = T0;
	make_cas(w);
	beginnings(w);
	two_certificates(w, &one, &two);
	dead_ends(w);
	activate_policies(w);
	if (twisted(w, POLICY_REPLACED)) {
		struct stated late AUTO_STATED;
		submit(w, &late, "SOL-15");
	}
	close_activations(w);
	hold_ceremonies(w);
	if (w->twist == NOTHING ||
	    (w->twist >= CEILINGS_OTHER_FILE && w->twist <= CEILINGS_FOUNDED))
		hold_ceilings(w);
	if (w->twist == NOTHING ||
	    (w->twist >= ROOT_BEFORE && w->twist <= ROOT_LIST_OF_OTHER))
		change_root(w);
	status(w, &one, &two);
	plain(w, ENTRY_ACT_REFUSED, (struct entry_refs){ 0 });
	plain(w, ENTRY_APPOINTMENT_ENDED,
	    (struct entry_refs){ .appointment = bytes_str("NOM-1") });
	plain(w, ENTRY_INSTITUTION_SUSPENDED, rut);
	plain(w, ENTRY_INSTITUTION_CLOSED, rut);
	if (twisted(w, LIST_OVER_KEY_GONE))
		destroy_issuer(w);
	if (twisted(w, LIST_OVER) || twisted(w, LIST_OVER_KEY_GONE)) {
		w->now += 2 * DAY;
		plain(w, ENTRY_ACT_REFUSED, (struct entry_refs){ 0 });
	}
	struct checkpoint c = { .origin = bytes_str(ORIGIN),
		.size = w->tree.size };
	merkle_root(&w->tree, c.root);
	w->note = BUF(CHECKPOINT_MAX);
	OK(checkpoint_sign(&c, keys.log, &w->note, &err));
}

void
world_fini(struct world *w)
{
	for (size_t i = 0; i < w->n; i++) {
		buf_fini(&w->e[i].leaf);
		buf_fini(&w->e[i].detail);
	}
	struct buf *bufs[] = { &w->root, &w->issuer, &w->endorser, &w->officer,
		&w->minister, &w->responder, &w->crl, &w->note };
	for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
		buf_fini(bufs[i]);
}

/* --- Keys --- */

int
setup(void **state_)
{
	(void)state_;
	struct key **all[] = { &keys.root, &keys.issuer, &keys.endorser,
		&keys.officer, &keys.minister, &keys.holder, &keys.ocsp,
		&keys.other };
	OK(key_generate(KEY_ED25519, &keys.log, &err));
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		OK(key_generate(KEY_EC_P256, all[i], &err));
	return 0;
}

int
teardown(void **state_)
{
	(void)state_;
	struct key *all[] = { keys.root, keys.issuer, keys.endorser, keys.log,
		keys.officer, keys.minister, keys.holder, keys.ocsp,
		keys.other };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		key_free(all[i]);
	return 0;
}
