/*
 * client - one request and its answer over the engine's local socket; blocks,
 * which is what a command line does anyway.
 */
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "cli.h"

/* Longer than front waits for core: front's own refusal says more. */
#define ANSWER_S    45
#define SNAPSHOT_S  3700 /* a copy of the whole ledger */
#define STATUS_S    10
#define BODY_MAX    (64u << 20)
#define REQUEST_MAX (1u << 20)

enum err_code
cli_config(struct cli *c, struct config *out, struct err *e)
{
	struct buf text AUTO_BUF = BUF(POLICY_FILE_MAX);
	struct findings f = { NULL, 0, 0 };
	if (file_read(c->dir, "etc/refrendo.yaml", POLICY_FILE_MAX, &text, e) !=
	    ERR_OK)
		return err_say(e, ERR_NOTFOUND, "cli-no-installation",
		    "%s/etc/refrendo.yaml cannot be read; name the "
		    "installation with --dir, or make one with refrendo init",
		    c->dir);
	struct policy_file file = { .name = "etc/refrendo.yaml",
		.text = buf_bytes(&text) };
	config_load(&file, out, &f);
	size_t errors = f.errors;
	findings_fini(&f);
	if (errors > 0)
		return err_say(e, ERR_INVALID, "cli-configuration",
		    "etc/refrendo.yaml has errors; see refrendo doctor");
	return ERR_OK;
}

static enum err_code
socket_path(struct cli *c, char *out, size_t size, struct err *e)
{
	struct config config;
	int n;
	if (c->option[OPT_SOCKET] != NULL) {
		n = snprintf(out, size, "%s", c->option[OPT_SOCKET]);
	} else {
		TRY(cli_config(c, &config, e));
		n = config.admin_socket[0] == '/'
			? snprintf(out, size, "%s", config.admin_socket)
			: snprintf(out, size, "%s/%s", c->dir,
			      config.admin_socket);
	}
	if (n < 0 || (size_t)n >= size)
		return err_say(e, ERR_INVALID, "cli-socket-path",
		    "the path of the socket is longer than 107 octets; choose "
		    "a shorter directory");
	return ERR_OK;
}

static enum err_code
away(const char *path, struct err *e)
{
	int number = errno;
	if (number == EACCES || number == EPERM)
		err_say(e, ERR_FORBIDDEN, "cli-socket-forbidden",
		    "this user may not open the engine's socket %s; run the "
		    "command as root",
		    path);
	else
		err_say(e, ERR_BUSY, "cli-engine-away",
		    "the engine does not answer at %s; start it with refrendo "
		    "serve",
		    path);
	return err_why(e, "%s", strerror(number));
}

static enum err_code
lost(struct err *e)
{
	int number = errno;
	err_say(e, ERR_BUSY, "cli-engine-lost",
	    "the engine went away before it answered and the act may have "
	    "happened; repeat it with the same --idempotency-key");
	return err_why(e, "%s", strerror(number));
}

static enum err_code
open_socket(struct cli *c, int seconds, int *out, struct err *e)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = seconds };
	TRY(socket_path(c, at.sun_path, sizeof(at.sun_path), e));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return away(at.sun_path, e);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) !=
		0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) !=
		0 ||
	    connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		away(at.sun_path, e);
		close(fd);
		return e->code;
	}
	*out = fd;
	return ERR_OK;
}

static enum err_code
send_all(int fd, struct bytes b, struct err *e)
{
	while (b.len > 0) {
		ssize_t n = send(fd, b.p, b.len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return lost(e);
		b.p += n;
		b.len -= (size_t)n;
	}
	return ERR_OK;
}

static enum err_code
receive(int fd, struct buf *in, struct http_reply *reply, struct err *e)
{
	size_t used = 0;
	while (used == 0) {
		uint8_t piece[65536];
		ssize_t n = recv(fd, piece, sizeof(piece), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return lost(e);
		buf_put(in, piece, (size_t)n);
		TRY(buf_end(in, e));
		TRY(http_reply_parse(buf_bytes(in), BODY_MAX, reply, &used, e));
	}
	return ERR_OK;
}

/* The other direction of http_status_of(). */
static enum err_code
code_of_status(int status)
{
	static const enum err_code codes[] = { ERR_INVALID, ERR_FORBIDDEN,
		ERR_DENIED, ERR_NOTFOUND, ERR_CONFLICT, ERR_BUSY };
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		if (http_status_of(codes[i]) == status)
			return codes[i];
	}
	return status >= 400 && status < 500 ? ERR_INVALID : ERR_IO;
}

static void
copy_text(char *out, size_t size, const json_t *value)
{
	const char *text = json_string_value(value);
	snprintf(out, size, "%s", text == NULL ? "" : text);
}

/* A problem document back into the error it was made from. */
static enum err_code
refused(struct cli *c, const struct http_reply *reply, struct err *e)
{
	json_t *root =
	    json_loadb(reply->body.len == 0 ? "" : (const char *)reply->body.p,
		reply->body.len, 0, NULL);
	const json_t *args = json_object_get(root, "args");
	*e = (struct err){ .code = code_of_status(reply->status) };
	const char *id = json_string_value(json_object_get(root, "id"));
	const char *rule = json_string_value(json_object_get(root, "rule"));
	e->id = id == NULL ? "cli-refused" : arena_str(c->arena, bytes_str(id));
	e->rule = rule == NULL ? NULL : arena_str(c->arena, bytes_str(rule));
	copy_text(e->say, sizeof(e->say), json_object_get(root, "detail"));
	copy_text(e->where.field, sizeof(e->where.field),
	    json_object_get(json_object_get(root, "where"), "field"));
	for (size_t i = 0; i < ERR_ARGS; i++)
		copy_text(e->arg[i], sizeof(e->arg[i]),
		    json_array_get(args, i));
	if (root == NULL)
		snprintf(e->say, sizeof(e->say), "HTTP %d", reply->status);
	else
		buf_put(&c->problem, reply->body.p, reply->body.len);
	json_decref(root);
	return e->code;
}

static void
put_request(enum http_method method, const char *path, struct bytes body,
    const char *key, struct buf *out)
{
	bool whole = strncmp(path, "/api/", 5) == 0;
	buf_putf(out, "%s ", http_method_name(method));
	buf_puts(out, whole ? "" : "/api/v1");
	buf_puts(out, path);
	buf_puts(out, " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
	if (key != NULL) {
		buf_puts(out, "Idempotency-Key: ");
		buf_puts(out, key);
		buf_puts(out, "\r\n");
	}
	if (body.len > 0)
		buf_puts(out, "Content-Type: application/json\r\n");
	buf_putf(out, "Content-Length: %zu\r\n\r\n", body.len);
	buf_put(out, body.p, body.len);
}

/* One request and its reply over a connection, which ends with it. */
static enum err_code
exchange(int fd, const struct buf *request, struct buf *in,
    struct http_reply *reply, struct err *e)
{
	enum err_code code = send_all(fd, buf_bytes(request), e);
	if (code == ERR_OK)
		code = receive(fd, in, reply, e);
	close(fd);
	return code;
}

enum err_code
engine_call(struct cli *c, enum http_method method, const char *path,
    struct bytes body, const char *key, struct buf *out, struct err *e)
{
	struct buf request AUTO_BUF = BUF(REQUEST_MAX);
	struct buf in AUTO_BUF = BUF(BODY_MAX + 65536);
	struct http_reply reply;
	int fd;
	put_request(method, path, body, key, &request);
	TRY(buf_end(&request, e));
	bool is_copy = method == HTTP_POST && strcmp(path, "/snapshots") == 0;
	TRY(open_socket(c, is_copy ? SNAPSHOT_S : ANSWER_S, &fd, e));
	TRY(exchange(fd, &request, &in, &reply, e));
	if (reply.status >= 300)
		return refused(c, &reply, e);
	buf_put(out, reply.body.p, reply.body.len);
	return buf_end(out, e);
}

/* --- Status, as any client sees it ------------------------------------------------ */

/* "127.0.0.1:8080" or "[::1]:8080", numeric as the configuration demands. */
static int
open_tcp(const char *address)
{
	char host[64], port[8];
	const char *colon = strrchr(address, ':');
	size_t skip = address[0] == '[' ? 1 : 0;
	struct timeval limit = { .tv_sec = STATUS_S };
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *found;
	if (colon == NULL)
		return -1;
	snprintf(port, sizeof(port), "%s", colon + 1);
	snprintf(host, sizeof(host), "%.*s",
	    (int)(colon - address - (ptrdiff_t)(2 * skip)), address + skip);
	if (getaddrinfo(host, port, &hints, &found) != 0)
		return -1;
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 &&
	    (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) !=
		    0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit,
		    sizeof(limit)) != 0 ||
		connect(fd, found->ai_addr, found->ai_addrlen) != 0)) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

enum err_code
status_get(const struct config *config, const char *path, struct buf *out,
    struct err *e)
{
	struct buf request AUTO_BUF = BUF(4096);
	struct buf in AUTO_BUF = BUF(BODY_MAX + 65536);
	struct http_reply reply;
	int fd = open_tcp(config->listen);
	if (fd < 0)
		return err_say(e, ERR_BUSY, "cli-status-away",
		    "nothing answers at %s, where status should listen",
		    config->listen);
	buf_putf(&request,
	    "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
	    path);
	TRY(exchange(fd, &request, &in, &reply, e));
	if (reply.status != 200)
		return err_say(e, ERR_NOTFOUND, "cli-status-path",
		    "status does not serve %s", path);
	buf_put(out, reply.body.p, reply.body.len);
	return buf_end(out, e);
}

/* --- The engine again --------------------------------------------------------------- */

enum err_code
engine_get(struct cli *c, const char *path, struct buf *out, struct err *e)
{
	return engine_call(c, HTTP_GET, path, BYTES_NONE, NULL, out, e);
}

enum err_code
engine_json(struct cli *c, const char *path, json_t **out, struct err *e)
{
	struct buf body AUTO_BUF = ANSWER_BUF;
	TRY(engine_get(c, path, &body, e));
	*out = json_loadb((const char *)body.p, body.len, 0, NULL);
	if (*out == NULL)
		return err_say(e, ERR_IO, "cli-answer",
		    "the engine's answer is not JSON");
	return ERR_OK;
}

/* --- Acts ------------------------------------------------------------------------ */

/*
 * 128 random bits: nobody else's act has this key.  The time in front keeps
 * the keys of a day together in the ledger, which writes fewer pages then.
 */
static enum err_code
idempotency_key(struct cli *c, const char *given, char out[65], struct err *e)
{
	uint8_t random[16];
	if (given != NULL && strlen(given) > 64)
		return cli_usage_missing(c, "--idempotency-key (1..64)", e);
	for (const char *p = given; p != NULL && *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~')
			return cli_usage_missing(c,
			    "--idempotency-key [A-Za-z0-9._-]", e);
	}
	if (given != NULL) {
		snprintf(out, 65, "%s", given);
		return ERR_OK;
	}
	if (RAND_bytes(random, sizeof(random)) != 1)
		return err_openssl(e, "cli-random",
		    "the system gives no random octets; try again later");
	snprintf(out, 65, "%lld-", (long long)clock_now());
	hex_print(out + strlen(out), bytes_of(random, sizeof(random)));
	return ERR_OK;
}

/* A field as typed; those of octets name a file. */
static enum err_code
take_field(struct cli *c, int f, struct bytes *out, struct err *e)
{
	if (c->field[f] == NULL)
		return ERR_OK;
	if (ca_fields[f].type != CFT_OCTETS) {
		*out = bytes_str(c->field[f]);
		if (utf8_valid(*out))
			return ERR_OK;
		c->exit = CLI_USAGE;
		return err_at(e, ERR_INVALID, "cli-utf8", NULL,
		    at_field(ca_fields[f].name),
		    "the value of %s is not UTF-8; set the terminal to UTF-8",
		    ca_fields[f].name);
	}
	struct buf octets AUTO_BUF = BUF(ca_fields[f].max);
	TRY(input_read(c, c->field[f], ca_fields[f].max, &octets, e));
	*out = arena_copy(c->arena, buf_bytes(&octets));
	return ERR_OK;
}

enum err_code
engine_act(struct cli *c, enum ca_act act, struct bytes cms, struct buf *out,
    struct err *e)
{
	struct command command = { .act = act };
	for (int f = 0; f < CF_COUNT; f++)
		TRY(take_field(c, f, &command.f[f], e));
	if (cms.len > 0)
		command.f[CF_CMS] = cms;
	return engine_command(c, &command, c->option[OPT_IDEMPOTENCY_KEY], out,
	    e);
}

enum err_code
engine_command(struct cli *c, const struct command *command, const char *given,
    struct buf *out, struct err *e)
{
	struct buf path AUTO_BUF = BUF(4096), body AUTO_BUF = BUF(REQUEST_MAX);
	enum http_method method;
	char key[65];
	TRY(idempotency_key(c, given, key, e));
	api_request_of(command, &method, &path, &body);
	TRY(buf_end(&path, e));
	TRY(buf_end(&body, e));
	return engine_call(c, method, buf_text(&path), buf_bytes(&body), key,
	    out, e);
}

const char *
path_of(struct cli *c, const char *before, const char *operand,
    const char *after)
{
	struct buf b AUTO_BUF = BUF(4096);
	buf_puts(&b, before);
	api_put_segment(&b, bytes_str(operand));
	buf_puts(&b, after);
	return arena_str(c->arena, buf_bytes(&b));
}

enum err_code
engine_each(struct cli *c, const char *path,
    void (*each)(void *ctx, json_t *item), void *ctx, struct err *e)
{
	const char *at = arena_printf(c->arena, "%s?limit=500", path);
	while (at != NULL) {
		json_t *page, *item;
		size_t i;
		TRY(engine_json(c, at, &page, e));
		json_array_foreach(json_object_get(page, "items"), i, item)
		    each(ctx, item);
		const char *next =
		    json_string_value(json_object_get(page, "next"));
		at = next == NULL ? NULL
				  : arena_printf(c->arena,
					"%s?limit=500&after=%s", path, next);
		json_decref(page);
	}
	return ERR_OK;
}
