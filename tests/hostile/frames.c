/*
 * Messages that are none, in the wrong order, or to the wrong signer.  What is
 * malformed closes the peer that sent it.
 */
#include "attempts.h"

static const char *
sends(struct world *w, struct bytes frames, struct err *refusal)
{
	struct buf out AUTO_BUF = BUF(1u << 20);
	struct frame f = { .type = 0 };
	size_t used;
	if (world_batch(w, frames, &out, refusal) != ERR_OK)
		return refusal->id;
	OK(frame_cut(buf_bytes(&out), signer_cap, &f, &used, e));
	if ((f.type & SIGNER_REFUSAL) == 0)
		return "ok";
	OK(err_decode(f.body, w->a, refusal, e));
	return refusal->id;
}

static const char *
sends_frame(struct world *w, uint16_t type, struct bytes body,
    struct err *refusal)
{
	struct buf in AUTO_BUF = BUF(1u << 20);
	frame_put(&in, type, 2, body);
	return sends(w, buf_bytes(&in), refusal);
}

#define FRAME(name, type, octets, len)                                       \
	static const char *name(struct world *w, struct err *refusal)        \
	{                                                                    \
		return sends_frame(w, type, bytes_of(octets, len), refusal); \
	}
FRAME(ask_hello_body, SIGNER_HELLO, "x", 1)
FRAME(ask_cut, SIGNER_CERTIFICATE, "\0\0\0\5ab", 6)
FRAME(ask_rest, SIGNER_CERTIFICATE, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0z", 17)
FRAME(ask_long_proof, SIGNER_CHECKPOINT,
    "\0\0\0\0\0\0\0\1"
    "01234567890123456789012345678901\377",
    41)
FRAME(ask_answer, SIGNER_CRL | SIGNER_ANSWER, "", 0)
FRAME(ask_refusal, SIGNER_CRL | SIGNER_REFUSAL, "", 0)
FRAME(ask_no_type, 99, "", 0)
FRAME(ask_type_zero, 0, "", 0)
FRAME(ask_last_of_two, SIGNER_CRL, "\0\0\0\3uno\0\0\0\0\0\0\0\0\2\0\0\0\0", 20)

/* A length beyond the cap of its type: refused before memory is taken. */
static const char *
ask_oversized(struct world *w, struct err *refusal)
{
	static const uint8_t head[14] = { 0x7f, 0xff, 0xff, 0xff, 0, 2 };
	return sends(w, bytes_of(head, sizeof(head)), refusal);
}

/* One octet more than the type may have, and all of them there. */
static const char *
ask_over_the_cap(struct world *w, struct err *refusal)
{
	struct buf in AUTO_BUF = BUF(1u << 20);
	struct bytes body = bytes_of(arena_get(w->a, 1025), 1025);
	frame_put(&in, SIGNER_END, 2, body);
	return sends(w, buf_bytes(&in), refusal);
}

static const char *
ask_shorter_than_a_head(struct world *w, struct err *refusal)
{
	static const uint8_t head[14] = { 0, 0, 0, 9, 0, 2 };
	return sends(w, bytes_of(head, sizeof(head)), refusal);
}

/* More officers than there can be. */
static const char *
ask_too_many_officers(struct world *w, struct err *refusal)
{
	struct buf body AUTO_BUF = BUF(1024), list AUTO_BUF = BUF(1024);
	put_bytes(&body, bytes_str("x"));
	for (size_t i = 0; i <= OFFICERS_MAX; i++)
		put_bytes(&list, bytes_str("y"));
	put_bytes(&body, buf_bytes(&list));
	put_bytes(&body, BYTES_NONE);
	return sends_frame(w, SIGNER_AGREEMENT, buf_bytes(&body), refusal);
}

/* --- In the wrong order, to the wrong one ------------------------------------------ */

static const char *
ask_ungreeted(struct world *w, struct err *refusal)
{
	struct wish x;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	world_stop(w);
	world_open(w, false);
	const char *id = wish_id(w, &x, refusal);
	world_hello(w);
	return id;
}

static const char *
ask_ocsp_with_ca_key(struct world *w, struct err *refusal)
{
	struct ocsp_row row = { .life = DAY, .state = OCSP_GOOD };
	struct bytes answer;
	return world_ask(w, SIGNER_OCSP, ocsp_body(w, &row, BYTES_NONE),
		   &answer, refusal) == ERR_OK
		   ? "ok"
		   : refusal->id;
}

/* As an OCSP answer, but signed by the CA's own key by another name. */
static const char *
ask_compose_with_ca_key(struct world *w, struct err *refusal)
{
	struct ocsp_row row = { .key = 2, .life = DAY, .state = OCSP_GOOD };
	struct bytes answer;
	return world_ask(w, SIGNER_COMPOSE,
		   compose_body(w, buf_bytes(&w->ca_der[0]), usual_tbs(w, &row),
		       NULL, 0),
		   &answer, refusal) == ERR_OK
		   ? "ok"
		   : refusal->id;
}

#define ASK(f) .base = ASKED, .ask = f
/* clang-format off */
static const struct attempt rows[] = {
	{ "greeting with a body", ASK(ask_hello_body), .id = "signer-message" },
	{ "message cut short", ASK(ask_cut), .id = "signer-message" },
	{ "message with something left over", ASK(ask_rest), .id = "signer-message" },
	{ "proof of 255 hashes that are not there", ASK(ask_long_proof), .id = "signer-message" },
	{ "an answer that nobody asked for", ASK(ask_answer), .id = "frame-type" },
	{ "a refusal", ASK(ask_refusal), .id = "frame-type" },
	{ "unknown type", ASK(ask_no_type), .id = "frame-type" },
	{ "type 0", ASK(ask_type_zero), .id = "frame-type" },
	{ "a flag that is neither 0 nor 1", ASK(ask_last_of_two), .id = "signer-message" },
	{ "a length of 2 GiB", ASK(ask_oversized), .id = "frame-too-large" },
	{ "an octet over the cap of its type", ASK(ask_over_the_cap), .id = "frame-too-large" },
	{ "a length below that of the head", ASK(ask_shorter_than_a_head), .id = "frame-length" },
	{ "signatures of 17 officers", ASK(ask_too_many_officers), .id = "signer-message" },
	{ "before the greeting", ASK(ask_ungreeted), .id = "signer-hello-first" },
	{ "an OCSP answer with a CA key", ASK(ask_ocsp_with_ca_key), .id = "signer-role" },
	{ "a composed OCSP answer with a CA key", ASK(ask_compose_with_ca_key), .id = "signer-role" },
};
/* clang-format on */

const struct attempt *
frame_attempts(size_t *n)
{
	*n = ARRAY_LEN(rows);
	return rows;
}
