/* libs: signer */
/*
 * Frames to and from a signer: what decodes, encodes to the same octets, and
 * a refusal always has a sentence.
 */
#include <stdlib.h>

#include <refrendo/signer.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same(struct bytes body, const struct buf *again)
{
	if (!bytes_eq(body, buf_bytes(again)))
		abort();
}

#define ROUND(name)                                             \
	do {                                                    \
		struct signer_##name m;                         \
		code = signer_##name##_decode(f->body, &m, &e); \
		if (code == ERR_OK) {                           \
			signer_##name##_encode(&m, &again);     \
			same(f->body, &again);                  \
		}                                               \
	} while (0)

static void
question(const struct frame *f)
{
	struct buf again AUTO_BUF = BUF(FRAME_MAX);
	struct err e = { .say = "" };
	enum err_code code = ERR_OK;
	switch ((enum signer_message)f->type) {
	case SIGNER_HELLO:
		break;
	case SIGNER_CERTIFICATE:
		ROUND(certificate);
		break;
	case SIGNER_CRL:
		ROUND(crl);
		break;
	case SIGNER_CHECKPOINT:
		ROUND(checkpoint);
		break;
	case SIGNER_RESPONDER:
		ROUND(responder);
		break;
	case SIGNER_END:
		ROUND(end);
		break;
	case SIGNER_CA_KEY:
		ROUND(ca_key);
		break;
	case SIGNER_COMPOSE:
		ROUND(compose);
		break;
	case SIGNER_OCSP:
		ROUND(ocsp);
		break;
	case SIGNER_EVIDENCE:
		ROUND(evidence);
		break;
	case SIGNER_AGREEMENT:
		ROUND(agreement);
		break;
	}
	if (code != ERR_OK && (code != ERR_INVALID || e.say[0] == '\0'))
		abort();
}

static void
answer(const struct frame *f)
{
	AUTO(arena) a = arena_new();
	struct buf again AUTO_BUF = BUF(FRAME_MAX);
	struct err e, refusal;
	struct signer_hello hello;
	if ((f->type & SIGNER_REFUSAL) != 0) {
		if (err_decode(f->body, a, &refusal, &e) != ERR_OK)
			return;
		err_encode(&refusal, &again);
		if (again.len == 0)
			abort();
	} else if (f->type == (SIGNER_HELLO | SIGNER_ANSWER) &&
		   signer_hello_decode(f->body, a, &hello, &e) == ERR_OK) {
		signer_hello_encode(&hello, &again);
		same(f->body, &again);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct frame f;
	struct err e;
	size_t used = 1;
	while (used > 0 && frame_cut(in, signer_cap, &f, &used, &e) == ERR_OK &&
	       used > 0) {
		if ((f.type & (SIGNER_ANSWER | SIGNER_REFUSAL)) == 0)
			question(&f);
		else
			answer(&f);
		in = bytes_of(in.p + used, in.len - used);
	}
	return 0;
}
