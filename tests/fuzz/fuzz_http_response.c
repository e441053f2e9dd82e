/* libs: http */
/*
 * A response is read the same in one piece and octet by octet, and never holds
 * more than it may; a refusal has a sentence.  So do addresses and dates.
 */
#include <stdlib.h>
#include <string.h>

#include <refrendo/http.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BODY_MAX 1000

struct outcome {
	enum err_code code;
	bool done;
	int status;
	struct buf body;
};

static void
feed(const uint8_t *data, size_t size, size_t step, struct outcome *out)
{
	struct http_response r;
	struct err e = { .say = "" };
	http_response_init(&r, BODY_MAX, false);
	*out = (struct outcome){ .code = ERR_OK, .body = BUF(BODY_MAX) };
	for (size_t at = 0; at < size && !out->done && out->code == ERR_OK;
	    at += step) {
		size_t n = size - at < step ? size - at : step;
		out->code = http_response_feed(&r, bytes_of(data + at, n),
		    false, &out->done, &e);
	}
	if (out->code == ERR_OK && !out->done)
		out->code =
		    http_response_feed(&r, BYTES_NONE, true, &out->done, &e);
	if (r.body.len > BODY_MAX || r.head.len > 16384 ||
	    (out->code != ERR_OK && e.say[0] == '\0'))
		abort();
	out->status = r.status;
	if (out->done)
		buf_put(&out->body, r.body.p, r.body.len);
	http_response_fini(&r);
}

static void
read_texts(const uint8_t *data, size_t size)
{
	struct http_url u;
	struct err e;
	char text[HTTP_FIELD_TEXT];
	int64_t t;
	size_t n = size < sizeof(text) - 1 ? size : sizeof(text) - 1;
	if (http_url_parse(bytes_of(data, size), &u, &e) == ERR_OK &&
	    (u.host[0] == '\0' || u.target[0] != '/' ||
		strpbrk(u.target, " \r\n#") != NULL))
		abort();
	memcpy(text, data, n);
	text[n] = '\0';
	(void)http_max_age(text);
	(void)http_date_parse(text, &t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, pieces;
	if (size == 0)
		return 0;
	feed(data, size, size, &whole);
	feed(data, size, 1, &pieces);
	if (whole.code != pieces.code || whole.done != pieces.done ||
	    (whole.done && whole.status != pieces.status) ||
	    !bytes_eq(buf_bytes(&whole.body), buf_bytes(&pieces.body)))
		abort();
	buf_fini(&whole.body);
	buf_fini(&pieces.body);
	read_texts(data, size);
	return 0;
}
