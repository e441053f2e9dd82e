/* What the ocsp-signer is asked by a hostile core, and by a hostile status. */
#include "attempts.h"

static const struct ocsp_row good = { .life = DAY, .state = OCSP_GOOD };

static const char *
answer_of(struct world *w, const struct ocsp_row *row, struct err *refusal)
{
	struct bytes list;
	return world_ask(w, SIGNER_OCSP, ocsp_body(w, row, attempt_responder()),
		   &list, refusal) == ERR_OK
		   ? "ok"
		   : refusal->id;
}

#define ROW(name, change)                                             \
	static const char *name(struct world *w, struct err *refusal) \
	{                                                             \
		struct ocsp_row r = good;                             \
		change;                                               \
		return answer_of(w, &r, refusal);                     \
	}
ROW(ask_of_other_ca, r.ca = 1)
ROW(ask_nobodys_key, r.key = 2)
ROW(ask_others_responder, r.key = 1)
ROW(ask_future, r.from = 2 * MINUTE)
ROW(ask_produced_future, r.produced = DAY)
ROW(ask_too_long, r.life = 11 * DAY)
ROW(ask_over, r.from = -2 * DAY)
ROW(ask_foreign_certificate, r.certificate = FOREIGN)

static struct bytes
singles_of(struct world *w, const struct bytes *answers, size_t n)
{
	return composed_tbs(w, answers, n, true, BYTES_NONE);
}

/* Two certificates in one answer of core's. */
static const char *
ask_mixed(struct world *w, struct err *refusal)
{
	struct bytes both[] = { published(w, &good, 1, attempt_responder()),
		published(w, &good, 2, attempt_responder()) };
	struct bytes tbs = singles_of(w, both, 2), list;
	return world_ask(w, SIGNER_OCSP,
		   batch_body(w, attempt_responder(), &tbs, 1), &list,
		   refusal) == ERR_OK
		   ? "ok"
		   : refusal->id;
}

static const char *
changed(struct world *w, const char *from, const char *to, size_t len,
    struct err *refusal)
{
	struct bytes tbs = usual_tbs(w, &good), list;
	uint8_t *p = writable(w, &tbs), *at = memmem(p, tbs.len, from, len);
	assert_non_null(at);
	memcpy(at, to, len);
	return world_ask(w, SIGNER_OCSP,
		   batch_body(w, attempt_responder(), &tbs, 1), &list,
		   refusal) == ERR_OK
		   ? "ok"
		   : refusal->id;
}

/* CertID with MD5: 1.3.14.3.2.26 becomes an algorithm that nobody has. */
static const char *
ask_hash_unknown(struct world *w, struct err *refusal)
{
	return changed(w, "\x06\x05\x2b\x0e\x03\x02\x1a",
	    "\x06\x05\x2b\x0e\x03\x02\x19", 7, refusal);
}

static const char *
ask_tbs_trailing(struct world *w, struct err *refusal)
{
	struct bytes tbs = usual_tbs(w, &good), list;
	(void)writable(w, &tbs);
	tbs.len++;
	return world_ask(w, SIGNER_OCSP,
		   batch_body(w, attempt_responder(), &tbs, 1), &list,
		   refusal) == ERR_OK
		   ? "ok"
		   : refusal->id;
}

static const char *
ask_a_certificate_as_answer(struct world *w, struct err *refusal)
{
	struct wish x;
	struct bytes list;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	return world_ask(w, SIGNER_OCSP,
		   batch_body(w, attempt_responder(), &x.tbs, 1), &list,
		   refusal) == ERR_OK
		   ? "ok"
		   : refusal->id;
}

/* --- The other signer's messages ------------------------------------------------ */

static const char *
ask_certificate(struct world *w, struct err *refusal)
{
	struct wish x;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	return wish_id(w, &x, refusal);
}

static const char *
ask_list(struct world *w, struct err *refusal)
{
	struct crl_row r = { .issuer = "uno", .number = 1000, .life = DAY };
	struct bytes signature;
	return ask_crl(w, &r, &signature, refusal);
}

static const char *
ask_checkpoint_here(struct world *w, struct err *refusal)
{
	struct log log;
	struct bytes note;
	make_log(&log, 0);
	return ask_checkpoint(w, &log, 0, 7, &note, refusal);
}

static const char *
ask_responder_here(struct world *w, struct err *refusal)
{
	struct cert_spec spec;
	struct bytes der;
	responder_spec(w, &spec);
	return ask_responder(w, &spec, "uno", &der, refusal);
}

static const char *
ask_before_hello(struct world *w, struct err *refusal)
{
	world_stop(w);
	world_open(w, true);
	const char *id = answer_of(w, &good, refusal);
	world_hello(w);
	return id;
}

/* --- Status ---------------------------------------------------------------------- */

static const char *
compose(struct world *w, struct bytes tbs, const struct bytes *sources,
    size_t n, struct err *refusal)
{
	struct bytes answer;
	struct bytes body =
	    compose_body(w, attempt_responder(), tbs, sources, n);
	return world_ask_as(w, ASKER_STATUS, SIGNER_COMPOSE, body, &answer,
		   refusal) == ERR_OK
		   ? "ok"
		   : refusal->id;
}

static const char *
ask_status_good(struct world *w, struct err *refusal)
{
	return compose(w, usual_tbs(w, &good), NULL, 0, refusal);
}

static const char *
ask_status_revoked(struct world *w, struct err *refusal)
{
	struct ocsp_row r = good;
	r.state = OCSP_REVOKED;
	return compose(w, usual_tbs(w, &r), NULL, 0, refusal);
}

static const char *
ask_status_one_of_two(struct world *w, struct err *refusal)
{
	struct bytes both[] = { published(w, &good, 1, attempt_responder()),
		published(w, &good, 2, attempt_responder()) };
	return compose(w, singles_of(w, both, 2), both, 1, refusal);
}

/* "good" under the signature of "revoked". */
static const char *
ask_status_forged(struct world *w, struct err *refusal)
{
	struct ocsp_row r = good;
	struct ocsp_answer a;
	struct buf forged AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	uint8_t serial[20] = { 0x12, 1 };
	r.state = OCSP_REVOKED;
	struct bytes revoked = published(w, &r, 1, attempt_responder());
	OK(ocsp_answer_parse(revoked, &a, e));
	struct bytes tbs =
	    ocsp_tbs(w, &good, bytes_of(serial, sizeof(serial)), BYTES_NONE);
	OK(ocsp_assemble(tbs, a.sigalg, a.signature, attempt_responder(),
	    &forged, e));
	struct bytes lie = buf_bytes(&forged);
	return compose(w, singles_of(w, &lie, 1), &lie, 1, refusal);
}

/* An answer that was good once, when its time is over. */
static const char *
ask_status_old(struct world *w, struct err *refusal)
{
	struct ocsp_row r = good;
	r.life = HOUR;
	struct bytes once = published(w, &r, 3, attempt_responder());
	world_forward(w, 2 * HOUR);
	struct bytes tbs = singles_of(w, &once, 1);
	return compose(w, tbs, &once, 1, refusal);
}

static const char *
as_status(struct world *w, uint16_t type, struct bytes body,
    struct err *refusal)
{
	struct bytes answer;
	return world_ask_as(w, ASKER_STATUS, type, body, &answer, refusal) ==
		       ERR_OK
		   ? "ok"
		   : refusal->id;
}

static const char *
ask_status_hello(struct world *w, struct err *refusal)
{
	return as_status(w, SIGNER_HELLO, BYTES_NONE, refusal);
}

static const char *
ask_status_batch(struct world *w, struct err *refusal)
{
	return as_status(w, SIGNER_OCSP,
	    ocsp_body(w, &good, attempt_responder()), refusal);
}

/* A responder's certificate of one's own making, for a key of one's own. */
static const char *
ask_status_own_responder(struct world *w, struct err *refusal)
{
	struct bytes answer;
	struct ocsp_row r = good;
	r.state = OCSP_UNKNOWN;
	return world_ask_as(w, ASKER_STATUS, SIGNER_COMPOSE,
		   compose_body(w, buf_bytes(&w->stranger_der),
		       usual_tbs(w, &r), NULL, 0),
		   &answer, refusal) == ERR_OK
		   ? "ok"
		   : refusal->id;
}

#define ASK(f) .base = ASKED, .ask = f
/* clang-format off */
static const struct attempt rows[] = {
	{ "before the greeting, of the ocsp-signer", ASK(ask_before_hello), .id = "signer-hello-first" },
	{ "answer about another CA's certificate", ASK(ask_of_other_ca), .id = "signer-ocsp-issuer" },
	{ "answer by nobody's key", ASK(ask_nobodys_key), .id = "signer-ocsp-key" },
	{ "answer for another CA's responder", ASK(ask_others_responder), .id = "signer-ocsp-certificate-time" },
	{ "answer that begins in the future", ASK(ask_future), .id = "signer-ocsp-future" },
	{ "answer produced in the future", ASK(ask_produced_future), .id = "signer-ocsp-produced" },
	{ "nextUpdate too late", ASK(ask_too_long), .id = "signer-ocsp-life" },
	{ "answer that is over", ASK(ask_over), .id = "signer-ocsp-over" },
	{ "certificate of somebody else beside it", ASK(ask_foreign_certificate), .id = "signer-ocsp-certificate" },
	{ "two certificates in one answer", ASK(ask_mixed), .id = "signer-ocsp-mixed" },
	{ "CertID by a hash that nobody knows", ASK(ask_hash_unknown), .id = "ocsp-hash" },
	{ "an octet behind the answer", ASK(ask_tbs_trailing), .id = "der-trailing" },
	{ "a certificate instead of an answer", ASK(ask_a_certificate_as_answer), .id = "ocsp-answer-form" },
	{ "a certificate of the ocsp-signer", ASK(ask_certificate), .id = "signer-role" },
	{ "a CRL of the ocsp-signer", ASK(ask_list), .id = "signer-role" },
	{ "a checkpoint of the ocsp-signer", ASK(ask_checkpoint_here), .id = "signer-role" },
	{ "a responder's certificate of the ocsp-signer", ASK(ask_responder_here), .id = "signer-role" },
	{ "status: \"good\" out of nothing", ASK(ask_status_good), .id = "signer-status-state" },
	{ "status: \"revoked\" out of nothing", ASK(ask_status_revoked), .id = "signer-status-state" },
	{ "status: one of two answers covered", ASK(ask_status_one_of_two), .id = "signer-status-state" },
	{ "status: a forged source", ASK(ask_status_forged), .id = "signature-wrong" },
	{ "status: an answer whose time is over", ASK(ask_status_old), .id = "signer-ocsp-over" },
	{ "status: a greeting", ASK(ask_status_hello), .id = "signer-status-message" },
	{ "status: core's message", ASK(ask_status_batch), .id = "signer-status-message" },
	{ "status: a responder of its own", ASK(ask_status_own_responder), .id = "signer-ocsp-certificate" },
};
/* clang-format on */

const struct attempt *
ocsp_attempts(size_t *n)
{
	*n = ARRAY_LEN(rows);
	return rows;
}
