/* libs: http */
/*
 * A refusal has a status and a sentence; what is accepted stays within the
 * input, and is accepted the same when nothing follows it.
 */
#include <stdlib.h>

#include <refrendo/http.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
inside(struct bytes part, const uint8_t *data, size_t size)
{
	if (part.len > 0 && (part.p < data || part.p + part.len > data + size))
		abort();
}

static bool
same(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || a.p == b.p);
}

/* With a memo, whatever it holds by now, all is as without. */
static void
judge_memo(struct http_memo *m, const struct http_limits *limits,
    struct bytes in)
{
	struct http_request q, with;
	struct err e, e_with;
	size_t used = 0, used_with = 0;
	int status = 0, status_with = 0;
	enum err_code code = http_parse(in, limits, &q, &used, &status, &e);
	enum err_code code_with = http_parse_memo(m, in, limits, &with,
	    &used_with, &status_with, &e_with);
	if (code != code_with || used != used_with || status != status_with ||
	    (code != ERR_OK && e.id != e_with.id))
		abort();
	if (code != ERR_OK || used == 0)
		return;
	if (q.method != with.method || q.minor != with.minor ||
	    q.keep_alive != with.keep_alive || q.n_field != with.n_field ||
	    !same(q.path, with.path) || !same(q.query, with.query) ||
	    !same(q.host, with.host) || !same(q.body, with.body))
		abort();
	for (size_t i = 0; i < q.n_field; i++)
		if (!same(q.field[i].name, with.field[i].name) ||
		    !same(q.field[i].value, with.field[i].value))
			abort();
}

static void
judge(const struct http_limits *limits, const uint8_t *data, size_t size)
{
	struct http_request q, again;
	struct err e;
	size_t used = 0, used_again = 0;
	int status = 0;
	if (http_parse(bytes_of(data, size), limits, &q, &used, &status, &e) !=
	    ERR_OK) {
		if (status < 400 || status > 505 || e.say[0] == '\0' ||
		    e.id == NULL || used != 0)
			abort();
		return;
	}
	if (used == 0)
		return;
	if (q.n_field > limits->field_max || q.body.len > limits->body_max ||
	    q.path.len == 0 || q.path.p[0] != '/')
		abort();
	inside(q.query, data, size);
	inside(q.host, data, size);
	inside(q.body, data, size);
	for (size_t i = 0; i < q.n_field; i++) {
		inside(q.field[i].name, data, size);
		inside(q.field[i].value, data, size);
	}
	if (http_parse(bytes_of(data, used), limits, &again, &used_again,
		&status, &e) != ERR_OK ||
	    used_again != used || again.n_field != q.n_field)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	judge(&http_limits_api, data, size);
	judge(&http_limits_status, data, size);
	static struct http_memo *memo;
	if (memo == NULL)
		memo = http_memo_new();
	for (int times = 0; times < 3; times++)
		judge_memo(memo, &http_limits_status, bytes_of(data, size));
	return 0;
}
