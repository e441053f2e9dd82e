/* libs: api */
/*
 * A body for every act: a refusal has a sentence and a status; what is
 * accepted is a command that encodes, decodes, and comes out of the client's
 * end as the same command.
 */
#include <stdlib.h>
#include <string.h>

#include <refrendo/api.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
put_whole(struct buf *out, enum http_method method, const char *path,
    struct bytes body)
{
	buf_putf(out,
	    "%s %s HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    http_method_name(method), path, body.len);
	buf_put(out, body.p, body.len);
}

static enum err_code
route(struct bytes text, struct arena *a, struct api_call *call)
{
	struct http_request r;
	struct err e = { .code = ERR_OK };
	size_t used;
	int status = 0;
	if (http_parse(text, &http_limits_api, &r, &used, &status, &e) !=
	    ERR_OK)
		return ERR_INVALID;
	enum err_code code = api_route(&r, 0, a, call, &status, &e);
	if (code != ERR_OK &&
	    (e.say[0] == '\0' || e.id == NULL || status < 400 || status > 505))
		abort();
	return code;
}

static void
same_again(const struct command *c, struct arena *a)
{
	struct buf path AUTO_BUF = BUF(65536), body AUTO_BUF = BUF(1 << 20);
	struct buf whole AUTO_BUF = BUF(2 << 20), coded AUTO_BUF = BUF(1 << 20);
	enum http_method method;
	struct api_call again;
	struct command decoded;
	struct err e;
	api_request_of(c, &method, &path, &body);
	put_whole(&whole, method, buf_text(&path), buf_bytes(&body));
	if (route(buf_bytes(&whole), a, &again) != ERR_OK)
		abort();
	command_encode(c, &coded);
	if (command_decode(buf_bytes(&coded), &decoded, &e) != ERR_OK)
		abort();
	for (size_t f = 0; f < CF_COUNT; f++) {
		if (!bytes_eq(c->f[f], again.command.f[f]) ||
		    !bytes_eq(c->f[f], decoded.f[f]))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = { "/institutions",
		"/institutions/60910000-1:enable", "/people", "/appointments",
		"/appointments/NOM-2026-000001:confirm", "/requests",
		"/requests/SOL-2026-000001:reject", "/certificates/0a0b:revoke",
		"/snapshots" };
	AUTO(arena) a = arena_new();
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct buf whole AUTO_BUF = BUF(2 << 20),
				 path AUTO_BUF = BUF(256);
		struct api_call call;
		buf_putf(&path, "/api/v1%s", paths[i]);
		put_whole(&whole, HTTP_POST, buf_text(&path),
		    bytes_of(data, size));
		if (route(buf_bytes(&whole), a, &call) == ERR_OK &&
		    call.is_command)
			same_again(&call.command, a);
		arena_reset(a);
	}
	return 0;
}
