/* ocsp - the status of a certificate, asked of anybody's responder. */
#include <string.h>

#include <openssl/rand.h>

#include "status.h"

#define NONCE_USUAL 32 /* RFC 9654 2.1 */
#define NONCE_MAX   128
#define GET_URL_MAX 255 /* RFC 9919: what every cache takes */

struct asking {
	struct cli *c;
	struct subject subject;
	struct probe probe;
	struct probe_how how;
	struct probe_answer answer;
	uint8_t nonce[NONCE_MAX];
};

/* --- What was asked -------------------------------------------------------------- */

static enum err_code
take_nonce(struct asking *q, struct err *e)
{
	struct cli *c = q->c;
	int64_t len = c->option[OPT_NONCE] != NULL ? NONCE_USUAL : 0;
	TRY(take_number(c, OPT_NONCE_SIZE, 1, NONCE_MAX, &len, e));
	if (RAND_bytes(q->nonce, (int)len) != 1)
		return err_openssl(e, "cli-random",
		    "the system gives no random octets; try again later");
	q->how.nonce = bytes_of(q->nonce, (size_t)len);
	return ERR_OK;
}

static enum err_code
take_url(struct asking *q, struct err *e)
{
	struct cli *c = q->c;
	struct bytes url = q->subject.has_cert
			       ? cert_aia_url(&q->subject.cert, OID_AD_OCSP)
			       : BYTES_NONE;
	q->probe.url = c->option[OPT_URL];
	if (q->probe.url == NULL && url.len > 0)
		q->probe.url = arena_str(c->arena, url);
	if (q->probe.url == NULL)
		return cli_usage_missing(c, "--url", e);
	return ERR_OK;
}

/* By GET where caches can help: short, and the same for everybody. */
static bool
fits_get(const struct asking *q)
{
	struct buf request AUTO_BUF = BUF(OCSP_REQUEST_MAX);
	struct buf path AUTO_BUF = BUF(HTTP_URL_MAX);
	struct ocsp_question question = { .issuer = &q->subject.id,
		.serial = q->probe.serial,
		.is_sha256 = q->how.is_sha256 };
	struct err ignored;
	if (q->how.nonce.len > 0 ||
	    ocsp_request_build(&question, &request, &ignored) != ERR_OK)
		return false;
	ocsp_get_encode(buf_bytes(&request), &path);
	return strlen(q->probe.url) + path.len <= GET_URL_MAX;
}

static enum err_code
query_read(struct asking *q, struct err *e)
{
	struct cli *c = q->c;
	const char *file = c->n_operand > 0 ? c->operand[0] : NULL;
	TRY(subject_read(c, file, &q->subject, e));
	if (q->subject.serial_len == 0)
		return cli_usage_missing(c, "CERT, --serial", e);
	q->probe = (struct probe){ .issuer = &q->subject.issuer,
		.id = &q->subject.id,
		.serial = bytes_of(q->subject.serial, q->subject.serial_len),
		.verifier = q->subject.verifier };
	TRY(take_timeout(c, &q->probe.timeout_ms, e));
	TRY(take_url(q, e));
	return take_nonce(q, e);
}

/* --- Asking ------------------------------------------------------------------------ */

static void
ask(struct asking *q, bool is_sha256)
{
	struct cli *c = q->c;
	probe_fini(&q->answer);
	q->how.is_sha256 = is_sha256;
	q->how.by_get = c->option[OPT_GET] != NULL ||
			(c->option[OPT_POST] == NULL && fits_get(q));
	probe_ocsp(&q->probe, &q->how, &q->answer);
}

/* Responders that know SHA-1 alone refuse the rest, or do not know it. */
static bool
wants_sha1(const struct probe_answer *a)
{
	if (a->is_believed)
		return a->verdict.status.state == OCSP_UNKNOWN;
	return a->is_http && a->err.code != ERR_BUSY;
}

static void
ask_by_both(struct asking *q)
{
	bool only_sha1 = q->c->option[OPT_SHA1] != NULL;
	bool only_sha256 = q->c->option[OPT_SHA256] != NULL;
	ask(q, !only_sha1);
	if (only_sha1 || only_sha256 || !wants_sha1(&q->answer))
		return;
	struct probe_answer first = q->answer;
	q->answer = (struct probe_answer){ .is_http = false };
	ask(q, false);
	/* Two that do not know it say the same: the better question stays. */
	bool better = q->answer.is_believed &&
		      q->answer.verdict.status.state != OCSP_UNKNOWN;
	if (better || !first.is_believed) {
		probe_fini(&first);
		return;
	}
	probe_fini(&q->answer);
	q->answer = first;
	q->how.is_sha256 = true;
}

/* --- What came of it ------------------------------------------------------------------ */

static const char *
state_word(enum ocsp_state state)
{
	static const char *const words[] = { [OCSP_GOOD] = "good",
		[OCSP_REVOKED] = "revoked",
		[OCSP_UNKNOWN] = "unknown" };
	return words[state];
}

static void
set_text(json_t *o, const char *name, const char *value)
{
	json_object_set_new(o, name, json_string(value));
}

static void
put_status(struct asking *q, const struct ocsp_status *s, json_t *o)
{
	struct cli *c = q->c;
	if (s->state == OCSP_REVOKED) {
		set_text(o, "revoked_at", time_text(c, s->revoked_at));
		set_text(o, "reason", reason_text(c, s->reason));
	}
	set_text(o, "this_update", time_text(c, s->this_update));
	if (s->next_update != 0)
		set_text(o, "next_update", time_text(c, s->next_update));
	if (s->archive_cutoff != 0)
		set_text(o, "archive_cutoff", time_text(c, s->archive_cutoff));
}

static const char *
responder_text(struct asking *q)
{
	const struct ocsp_response *r = &q->answer.response;
	if (q->answer.is_believed && !q->answer.verdict.by_ca)
		return name_text(q->c, q->answer.verdict.responder.subject);
	if (q->answer.is_believed)
		return name_text(q->c, q->subject.issuer.subject);
	return r->by_name.len > 0 ? name_text(q->c, r->by_name)
				  : hex_text(q->c, r->by_key);
}

/* Of an answer that is not believed too: it helps to find out why. */
static void
put_answer(struct asking *q, json_t *o)
{
	static const char *const nonces[] = { [OCSP_NONCE_NONE] = "not sent",
		[OCSP_NONCE_ECHOED] = "echoed",
		[OCSP_NONCE_ABSENT] = "sent, not echoed" };
	const struct probe_answer *a = &q->answer;
	if (a->is_believed) {
		put_status(q, &a->verdict.status, o);
		set_text(o, "nonce", nonces[a->verdict.nonce]);
		set_text(o, "signed_by", a->verdict.by_ca ? "ca" : "delegate");
	}
	if (!a->is_response)
		return;
	set_text(o, "response", ocsp_status_name(a->response.status));
	if (a->response.status != 0)
		return;
	set_text(o, "produced_at", time_text(q->c, a->response.produced_at));
	set_text(o, "responder", responder_text(q));
}

static json_t *
record_of(struct asking *q)
{
	const struct probe_answer *a = &q->answer;
	json_t *o = json_object();
	set_text(o, "status",
	    a->is_believed ? state_word(a->verdict.status.state) : "none");
	set_text(o, "serial", hex_text(q->c, q->probe.serial));
	set_text(o, "issuer", name_text(q->c, q->subject.issuer.subject));
	put_answer(q, o);
	set_text(o, "url", q->probe.url);
	set_text(o, "method", q->how.by_get ? "GET" : "POST");
	set_text(o, "hash", q->how.is_sha256 ? "SHA-256" : "SHA-1");
	if (a->is_believed) {
		set_text(o, "signature", "verified");
		return o;
	}
	set_text(o, "why", sentence_text(q->c, &a->err));
	set_text(o, "error", a->err.id);
	return o;
}

static enum cli_exit
exit_of(const struct probe_answer *a)
{
	if (!a->is_believed)
		return a->err.code == ERR_BUSY ? CLI_UNAVAILABLE
					       : CLI_UNVERIFIED;
	switch (a->verdict.status.state) {
	case OCSP_GOOD:
		return CLI_OK;
	case OCSP_REVOKED:
		return CLI_REVOKED;
	case OCSP_UNKNOWN:
		return CLI_UNKNOWN;
	}
	fatal("no such status");
}

static enum err_code
run_query(struct asking *q, struct err *e)
{
	struct cli *c = q->c;
	TRY(query_read(q, e));
	ask_by_both(q);
	if (c->option[OPT_OUT] != NULL && q->answer.is_http)
		TRY(print_octets(c, buf_bytes(&q->answer.http.body), e));
	print_object(c, record_of(q));
	c->exit = exit_of(&q->answer);
	return ERR_OK;
}

static enum err_code
ocsp_query(struct cli *c, struct err *e)
{
	struct asking q = { .c = c };
	enum err_code code = run_query(&q, e);
	probe_fini(&q.answer);
	subject_fini(&q.subject);
	return code;
}

/* clang-format off */
#define ASKING (OPTION(OPT_ISSUER) | OPTION(OPT_SERIAL) | OPTION(OPT_TIMEOUT))
static const struct verb verbs[] = {
	{ "ocsp", "query", ocsp_query, NO_ACT, NO_OPERAND, "[CERT]", 0, 1,
	    ASKING | OPTION(OPT_URL) | OPTION(OPT_GET) | OPTION(OPT_POST) |
	    OPTION(OPT_NONCE) | OPTION(OPT_NONCE_SIZE) | OPTION(OPT_SHA1) |
	    OPTION(OPT_SHA256) | OPTION(OPT_OUT),
	    "the status of a certificate of any CA: exit status 0 good, 10 revoked, 11 unknown, 7 or 8 no answer to rely on",
	    "el estado de un certificado de cualquier autoridad: estado de salida 0 vigente, 10 revocado, 11 desconocido, 7 u 8 sin respuesta confiable",
	    "ocsp query maria.pem --issuer emisora.pem", NULL },
	{ "ocsp", "check", ocsp_check, NO_ACT, NO_OPERAND, "URL [CERT]", 1, 2, ASKING,
	    "how well a responder keeps the standards; exit status 6 if it fails one",
	    "qué tan bien cumple las normas un respondedor; estado de salida 6 si falla alguna",
	    "ocsp check http://estado.example.cl/ocsp --issuer emisora.pem", NULL },
	{ "ocsp", "stats", ocsp_stats, NO_ACT, NO_OPERAND, "", 0, 0, OPTION(OPT_SOCKET),
	    "what the running engine's responder does: requests, answers, errors, backlog",
	    "qué hace el respondedor del motor: consultas, respuestas, errores, atraso",
	    "ocsp stats", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_ocsp = { verbs, ARRAY_LEN(verbs) };
