/*
 * CRLs, checkpoints and responders' certificates: nobody endorses them, so the
 * signer's own memory is all that stands against a hostile core.
 */
#include "attempts.h"

/* --- CRLs ---------------------------------------------------------------------- */

/* The next list of "uno" that would be signed. */
static struct crl_row
next_list(void)
{
	static uint64_t number;
	number++;
	return (
	    struct crl_row){ .issuer = "uno", .number = number, .life = DAY };
}

static const char *
refused(struct world *w, const struct crl_row *r, struct err *refusal)
{
	struct bytes signature;
	attempt_begins(w);
	return ask_crl(w, r, &signature, refusal);
}

static void
signed_first(struct world *w, const struct crl_row *r)
{
	struct bytes signature;
	struct err refusal = { .id = "" };
	const char *id = ask_crl(w, r, &signature, &refusal);
	if (strcmp(id, "ok") != 0)
		fail_msg("%s", refusal.say);
}

static const char *
ask_same_number(struct world *w, struct err *refusal)
{
	struct crl_row r = next_list();
	signed_first(w, &r);
	r.life = 2 * DAY;
	return refused(w, &r, refusal);
}

static const char *
ask_number_back(struct world *w, struct err *refusal)
{
	struct crl_row old = next_list(), r = next_list();
	signed_first(w, &r);
	return refused(w, &old, refusal);
}

static const char *
ask_number_back_restart(struct world *w, struct err *refusal)
{
	struct crl_row old = next_list(), r = next_list();
	signed_first(w, &r);
	world_stop(w);
	world_start(w);
	return refused(w, &old, refusal);
}

static const char *
ask_number_zero(struct world *w, struct err *refusal)
{
	/* Of the CA that has none yet: there 0 does not go back. */
	struct crl_row r = next_list();
	r.issuer = "dos";
	r.ca = 1;
	r.number = 0;
	return refused(w, &r, refusal);
}

static const char *
ask_number_endless(struct world *w, struct err *refusal)
{
	struct crl_row r = next_list();
	r.number = UINT64_MAX;
	return refused(w, &r, refusal);
}

#define CRL_ASK(name, change)                                         \
	static const char *name(struct world *w, struct err *refusal) \
	{                                                             \
		struct crl_row r = next_list();                       \
		change;                                               \
		return refused(w, &r, refusal);                       \
	}
CRL_ASK(ask_list_of_other, r.ca = 1)
CRL_ASK(ask_list_for_other, r.issuer = "dos")
CRL_ASK(ask_list_of_nobody, r.issuer = "tres")
CRL_ASK(ask_list_of_endorser, r.issuer = "endorser")
CRL_ASK(ask_list_future, r.from = 2 * MINUTE)
CRL_ASK(ask_list_over, (r.from = -2 * DAY, r.life = DAY))
CRL_ASK(ask_list_long, r.life = 11 * DAY)
CRL_ASK(ask_list_address, r.url = PUBLIC "/crl/dos/3.crl")
CRL_ASK(ask_list_host, r.url = "http://evil.example.org/crl/uno/3.crl")
CRL_ASK(ask_list_freshest, (r.url = PUBLIC "/crl/uno/3.crl",
			       r.freshest = PUBLIC "/crl/uno/4-delta.crl"))
CRL_ASK(ask_list_base, (r.number += 500, r.base = r.number - 1))

static const char *
ask_list_before(struct world *w, struct err *refusal)
{
	struct crl_row first = next_list(), r = next_list();
	signed_first(w, &first);
	r.from = -HOUR;
	return refused(w, &r, refusal);
}

/* Octets of a TBSCertList, changed before they are asked for. */
static const char *
ask_list_octets(struct world *w, struct bytes tbs, struct err *refusal)
{
	struct buf body AUTO_BUF = BUF(CRL_FRAME_MAX);
	struct signer_crl m = { bytes_str("uno"), 0, FILE_AT, tbs.len, true };
	struct bytes answer;
	attempt_begins(w);
	signer_crl_encode(&m, &body);
	give_file(w, tbs);
	return ask(w, SIGNER_CRL, &body, &answer, refusal);
}

static enum err_code
rewind_entries(void *ctx, struct err *e)
{
	(void)e;
	*(int *)ctx = 0;
	return ERR_OK;
}

static enum err_code
one_of_the_future(void *ctx, struct crl_entry *entry, bool *more, struct err *e)
{
	int *n = ctx;
	(void)e;
	*more = (*n)++ == 0;
	*entry = (struct crl_entry){ bytes_str("\x01\x02"),
		clock_now() + 400 * DAY, CRL_SUPERSEDED, 0 };
	return ERR_OK;
}

static struct bytes
list_with(struct world *w, struct crl_source *entries)
{
	struct crl_spec spec = { .issuer = w->ca_cert[0].subject,
		.issuer_ski = w->ca_cert[0].ski,
		.issuer_type = KEY_EC_P256,
		.number = next_list().number,
		.this_update = w->now,
		.next_update = w->now + DAY };
	struct buf tbs AUTO_BUF = BUF(1u << 16);
	OK(crl_build_tbs(&spec, entries, &tbs, e));
	return arena_copy(w->a, buf_bytes(&tbs));
}

static const char *
ask_entry_future(struct world *w, struct err *refusal)
{
	int n = 0;
	struct crl_source source = { &n, rewind_entries, one_of_the_future };
	return ask_list_octets(w, list_with(w, &source), refusal);
}

static struct bytes
plain_list(struct world *w)
{
	struct crl_row r = next_list();
	struct buf tbs AUTO_BUF = BUF(1u << 16);
	crl_tbs(w, &r, &tbs);
	return arena_copy(w->a, buf_bytes(&tbs));
}

static const char *
ask_list_trailing(struct world *w, struct err *refusal)
{
	struct bytes tbs = plain_list(w);
	(void)writable(w, &tbs);
	tbs.len++;
	return ask_list_octets(w, tbs, refusal);
}

static const char *
ask_list_cut(struct world *w, struct err *refusal)
{
	struct bytes tbs = plain_list(w);
	tbs.len--;
	return ask_list_octets(w, tbs, refusal);
}

static const char *
ask_list_empty(struct world *w, struct err *refusal)
{
	return ask_list_octets(w, BYTES_NONE, refusal);
}

static const char *
swapped(struct world *w, const char *from, const char *to, size_t len,
    struct err *refusal)
{
	struct bytes tbs = plain_list(w);
	uint8_t *p = writable(w, &tbs), *at = memmem(p, tbs.len, from, len);
	assert_non_null(at);
	memcpy(at, to, len);
	return ask_list_octets(w, tbs, refusal);
}

static const char *
ask_list_sha384(struct world *w, struct err *refusal)
{
	return swapped(w, "\x2a\x86\x48\xce\x3d\x04\x03\x02",
	    "\x2a\x86\x48\xce\x3d\x04\x03\x03", 8, refusal);
}

static const char *
ask_list_sha1(struct world *w, struct err *refusal)
{
	return swapped(w, "\x2a\x86\x48\xce\x3d\x04\x03\x02",
	    "\x2a\x86\x48\xce\x3d\x04\x01\x02", 8, refusal);
}

static const char *
ask_list_version(struct world *w, struct err *refusal)
{
	return swapped(w, "\x02\x01\x01\x30", "\x02\x01\x00\x30", 4, refusal);
}

/* cRLNumber becomes an extension that nobody knows. */
static const char *
ask_list_no_number(struct world *w, struct err *refusal)
{
	return swapped(w, "\x06\x03\x55\x1d\x14", "\x06\x03\x55\x1d\x63", 5,
	    refusal);
}

static const char *
ask_list_length(struct world *w, struct err *refusal)
{
	struct bytes tbs = plain_list(w);
	uint8_t *p = arena_get(w->a, tbs.len + 1);
	assert_true(tbs.p[1] < 0x80);
	p[0] = tbs.p[0];
	p[1] = 0x81;
	memcpy(p + 2, tbs.p + 1, tbs.len - 1);
	return ask_list_octets(w, bytes_of(p, tbs.len + 1), refusal);
}

/* A piece is left out, so that what is hashed is not what was parsed. */
static const char *
ask_list_gap(struct world *w, struct err *refusal)
{
	struct bytes tbs = plain_list(w);
	struct buf in AUTO_BUF = BUF(1u << 17), out AUTO_BUF = BUF(1u << 17);
	struct frame f = { .type = 0 };
	size_t used;
	attempt_begins(w);
	give_file(w, tbs);
	put_piece(&in, "uno", 0, 40, false);
	put_piece(&in, "uno", 60, tbs.len, true);
	OK(world_batch(w, buf_bytes(&in), &out, e));
	OK(frame_cut(buf_bytes(&out), signer_cap, &f, &used, e));
	assert_int_equal(f.type, SIGNER_CRL | SIGNER_REFUSAL);
	assert_int_equal(used, out.len);
	OK(err_decode(f.body, w->a, refusal, e));
	return refusal->id;
}

/* Half of one list, the rest of another, under one id. */
static const char *
ask_list_spliced(struct world *w, struct err *refusal)
{
	struct bytes one = plain_list(w), two = plain_list(w);
	struct buf in AUTO_BUF = BUF(1u << 17), out AUTO_BUF = BUF(1u << 17);
	struct frame f = { .type = 0 };
	size_t used;
	attempt_begins(w);
	uint8_t *both = arena_get(w->a, two.len);
	memcpy(both, one.p, 40);
	memcpy(both + 40, two.p + 40, two.len - 40);
	give_file(w, bytes_of(both, two.len));
	put_piece(&in, "uno", 0, 40, false);
	put_piece(&in, "dos", 40, two.len, true);
	OK(world_batch(w, buf_bytes(&in), &out, e));
	OK(frame_cut(buf_bytes(&out), signer_cap, &f, &used, e));
	assert_int_equal(f.type, SIGNER_CRL | SIGNER_REFUSAL);
	OK(err_decode(f.body, w->a, refusal, e));
	return refusal->id;
}

/* --- Checkpoints ------------------------------------------------------------------ */

/* The log as it is, seven entries signed, and one that forks at the fifth. */
static const char *
checkpoint(struct world *w, bool is_fork, uint64_t old, uint64_t size,
    struct err *refusal)
{
	static struct log good, other;
	struct bytes note;
	make_log(&good, 0);
	make_log(&other, 9);
	assert_string_equal(ask_checkpoint(w, &good, 0, 7, &note, refusal),
	    "ok");
	attempt_begins(w);
	return ask_checkpoint(w, is_fork ? &other : &good, old, size, &note,
	    refusal);
}

static const char *
ask_fork(struct world *w, struct err *refusal)
{
	return checkpoint(w, true, 0, 7, refusal);
}

static const char *
ask_fork_restart(struct world *w, struct err *refusal)
{
	world_stop(w);
	world_start(w);
	return checkpoint(w, true, 0, 7, refusal);
}

static const char *
ask_shrink(struct world *w, struct err *refusal)
{
	return checkpoint(w, false, 0, 6, refusal);
}

static const char *
ask_empty_tree(struct world *w, struct err *refusal)
{
	return checkpoint(w, false, 0, 0, refusal);
}

static const char *
ask_rewritten(struct world *w, struct err *refusal)
{
	return checkpoint(w, true, 7, 9, refusal);
}

static const char *
ask_no_proof(struct world *w, struct err *refusal)
{
	return checkpoint(w, false, 0, 9, refusal);
}

static const char *
ask_proof_of_other(struct world *w, struct err *refusal)
{
	return checkpoint(w, false, 5, 9, refusal);
}

static const char *
ask_size_endless(struct world *w, struct err *refusal)
{
	struct buf body AUTO_BUF = BUF(8192);
	struct signer_checkpoint m = { .size = UINT64_MAX };
	struct bytes answer;
	signer_checkpoint_encode(&m, &body);
	return ask(w, SIGNER_CHECKPOINT, &body, &answer, refusal);
}

/* --- Responders' certificates ---------------------------------------------------------- */

#define RESPONDER_ASK(name, how, issuer)                               \
	static const char *name(struct world *w, struct err *refusal)  \
	{                                                              \
		struct cert_spec spec;                                 \
		struct bytes der;                                      \
		responder_spec(w, &spec);                              \
		spoil(w, &spec, how);                                  \
		return ask_responder(w, &spec, issuer, &der, refusal); \
	}
RESPONDER_ASK(ask_responder_key, OTHER_KEY, "uno")
RESPONDER_ASK(ask_responder_ca_key, CA_KEY, "uno")
RESPONDER_ASK(ask_responder_long, TOO_LONG, "uno")
RESPONDER_ASK(ask_responder_31_days, THIRTY_ONE, "uno")
RESPONDER_ASK(ask_responder_future, FUTURE, "uno")
RESPONDER_ASK(ask_responder_old, OLD, "uno")
RESPONDER_ASK(ask_responder_check, NO_NOCHECK, "uno")
RESPONDER_ASK(ask_responder_purpose, NO_EKU, "uno")
RESPONDER_ASK(ask_responder_purposes, SECOND_EKU, "uno")
RESPONDER_ASK(ask_responder_cert_sign, CERT_SIGN, "uno")
RESPONDER_ASK(ask_responder_is_ca, IS_CA, "uno")
RESPONDER_ASK(ask_responder_crl, CRLDP, "uno")
RESPONDER_ASK(ask_responder_san, WITH_SAN, "uno")
RESPONDER_ASK(ask_responder_other_ca, OTHER_CA, "dos")
RESPONDER_ASK(ask_responder_endorser, OTHER_CA, "endorser")

/* The serial of a holder's certificate, for a responder. */
static const char *
ask_responder_serial(struct world *w, struct err *refusal)
{
	struct wish x;
	struct cert_spec spec;
	struct bytes der;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	OK(wish_ask(w, &x, &der, e));
	attempt_begins(w);
	responder_spec(w, &spec);
	spec.serial = bytes_of(x.serial, SERIAL_MAX);
	return ask_responder(w, &spec, "uno", &der, refusal);
}

#define ASK(f) .base = ASKED, .ask = f
/* clang-format off */
static const struct attempt rows[] = {
	{ "another CRL with the number of the last", ASK(ask_same_number), .id = "signer-crl-number-used" },
	{ "CRL number going back", ASK(ask_number_back), .id = "signer-crl-number" },
	{ "CRL number going back after a restart", ASK(ask_number_back_restart), .id = "signer-crl-number" },
	{ "CRL number 0", ASK(ask_number_zero), .id = "signer-crl-number-range" },
	{ "CRL number after which none can come", ASK(ask_number_endless), .id = "signer-crl-number-range" },
	{ "CRL of another CA", ASK(ask_list_of_other), .id = "signer-crl-issuer" },
	{ "CRL asked of another CA", ASK(ask_list_for_other), .id = "signer-crl-issuer" },
	{ "CRL of a CA that is not here", ASK(ask_list_of_nobody), .id = "signer-issuer" },
	{ "CRL of the ministers' CA", ASK(ask_list_of_endorser), .id = "signer-issuer" },
	{ "CRL of the future", ASK(ask_list_future), .id = "signer-crl-future" },
	{ "CRL that is over", ASK(ask_list_over), .id = "signer-crl-over" },
	{ "CRL for too long", ASK(ask_list_long), .id = "signer-crl-life" },
	{ "CRL that begins before the last", ASK(ask_list_before), .id = "signer-crl-back" },
	{ "CRL with the address of another CA", ASK(ask_list_address), .id = "signer-crl-address" },
	{ "CRL at another host", ASK(ask_list_host), .id = "signer-crl-address" },
	{ "CRL with the deltas of another partition", ASK(ask_list_freshest), .id = "signer-crl-address" },
	{ "delta on a base that never was", ASK(ask_list_base), .id = "signer-crl-base" },
	{ "CRL with an entry of the future", ASK(ask_entry_future), .id = "signer-crl-entry-future" },
	{ "CRL with an octet behind it", ASK(ask_list_trailing), .id = "crl-form" },
	{ "CRL cut short", ASK(ask_list_cut), .id = "crl-form" },
	{ "CRL of no octets", ASK(ask_list_empty), .id = "crl-form" },
	{ "CRL with SHA-384", ASK(ask_list_sha384), .id = "signer-crl-algorithm" },
	{ "CRL with SHA-1", ASK(ask_list_sha1), .id = "signer-crl-algorithm" },
	{ "CRL of version 1", ASK(ask_list_version), .id = "crl-form" },
	{ "CRL without a number", ASK(ask_list_no_number), .id = "crl-extensions" },
	{ "CRL with a longer length than it needs", ASK(ask_list_length), .id = "crl-form" },
	{ "CRL with a piece left out", ASK(ask_list_gap), .id = "signer-crl-offset" },
	{ "CRL whose second half is another CA's", ASK(ask_list_spliced), .id = "signer-crl-piece-issuer" },
	{ "two trees of one size", ASK(ask_fork), .id = "checkpoint-fork" },
	{ "two trees of one size, after a restart", ASK(ask_fork_restart), .id = "checkpoint-fork" },
	{ "a tree that shrinks", ASK(ask_shrink), .id = "checkpoint-shrinks" },
	{ "a tree of no entries", ASK(ask_empty_tree), .id = "checkpoint-size" },
	{ "a larger tree, rewritten", ASK(ask_rewritten), .id = "checkpoint-proof" },
	{ "a larger tree without a proof", ASK(ask_no_proof), .id = "checkpoint-proof" },
	{ "a proof from another size", ASK(ask_proof_of_other), .id = "checkpoint-proof" },
	{ "a tree that no log can have", ASK(ask_size_endless), .id = "checkpoint-size" },
	{ "responder with the key of another CA's", ASK(ask_responder_key), .id = "signer-responder-key" },
	{ "responder with the key of the CA", ASK(ask_responder_ca_key), .id = "signer-responder-key" },
	{ "responder for longer than configured", ASK(ask_responder_long), .id = "signer-responder-life" },
	{ "responder for longer than 30 days", ASK(ask_responder_31_days), .id = "lint-ocsp-life" },
	{ "responder from tomorrow on", ASK(ask_responder_future), .id = "signer-responder-not-now" },
	{ "responder since yesterday", ASK(ask_responder_old), .id = "signer-responder-not-now" },
	{ "responder without nocheck", ASK(ask_responder_check), .id = "lint-ocsp-extensions" },
	{ "responder with another purpose", ASK(ask_responder_purpose), .id = "lint-eku-ocsp" },
	{ "responder with a second purpose", ASK(ask_responder_purposes), .id = "lint-eku-ocsp" },
	{ "responder with keyCertSign", ASK(ask_responder_cert_sign), .id = "lint-key-usage-end" },
	{ "responder that is a CA", ASK(ask_responder_is_ca), .id = "lint-is-ca" },
	{ "responder with a CRL", ASK(ask_responder_crl), .id = "lint-ocsp-extensions" },
	{ "responder with a host name", ASK(ask_responder_san), .id = "lint-ocsp-extensions" },
	{ "responder asked of another CA", ASK(ask_responder_other_ca), .id = "signer-issuer-name" },
	{ "responder of the ministers' CA", ASK(ask_responder_endorser), .id = "signer-issuer" },
	{ "responder with a serial that is taken", ASK(ask_responder_serial), .id = "signer-serial-used" },
};
/* clang-format on */

const struct attempt *
list_attempts(size_t *n)
{
	*n = ARRAY_LEN(rows);
	return rows;
}
