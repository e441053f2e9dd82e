/* libs: api */
/*
 * A query from front, and an answer from core, from any bytes: what decodes
 * encodes to the same bytes; rendering ends with a body or a sentence.  The
 * first octet chooses the message.
 */
#include <stdlib.h>

#include <refrendo/api.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
judge_query(enum core_message what, struct bytes in)
{
	struct buf again AUTO_BUF = BUF(1 << 20);
	struct query q;
	struct err e;
	if (query_decode(what, in, &q, &e) != ERR_OK) {
		if (e.say[0] == '\0' || e.code != ERR_INVALID)
			abort();
		return;
	}
	query_encode(&q, &again);
	if (!bytes_eq(buf_bytes(&again), in))
		abort();
}

static void
judge_answer(enum core_message what, struct bytes in, const char *raw)
{
	struct api_call call = { .is_command = what == CORE_COMMAND,
		.query = { .what = what, .limit = 2 },
		.with_blobs = true,
		.raw = raw,
		.raw_type = "x/y" };
	struct buf body AUTO_BUF = BUF(4 << 20);
	const char *type = NULL;
	struct err e = { .code = ERR_OK };
	if (api_render(&call, in, &body, &type, &e) == ERR_OK) {
		if (type == NULL || body.failed)
			abort();
	} else if (e.say[0] == '\0' || e.id == NULL) {
		abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	enum core_message what = (enum core_message)(data[0] % 9 + 1);
	struct bytes in = bytes_of(data + 1, size - 1);
	judge_query(what, in);
	judge_answer(what, in, NULL);
	return 0;
}
