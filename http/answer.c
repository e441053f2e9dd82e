/* answer - a status, fields and a body as bytes; problem documents. */
#include <string.h>

#include <refrendo/http.h>

/* clang-format off */
static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 422, "Unprocessable Content" },
	{ 425, "Too Early" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
};
/* clang-format on */

const char *
http_reason(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}

static void
put_digits(char *out, int width, int v)
{
	while (width-- > 0) {
		out[width] = (char)('0' + v % 10);
		v /= 10;
	}
}

void
http_date(char out[HTTP_DATE], int64_t t)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct civil c;
	civil_from_time(t, &c);
	/* 1970-01-01 was a Thursday; floor division for what lay before. */
	int64_t day = t / DAY - (t % DAY < 0 ? 1 : 0);
	int64_t weekday = ((day + 4) % 7 + 7) % 7;
	memcpy(out, "Sun, 00 Jan 0000 00:00:00 GMT", HTTP_DATE);
	memcpy(out, days + 3 * weekday, 3);
	put_digits(out + 5, 2, c.day);
	memcpy(out + 8, months + 3 * (c.month - 1), 3);
	put_digits(out + 12, 4, c.year);
	put_digits(out + 17, 2, c.hour);
	put_digits(out + 20, 2, c.minute);
	put_digits(out + 23, 2, c.second);
}

/* Two digits; v is below 100. */
static void
put_two(char *out, unsigned v)
{
	out[0] = (char)('0' + v / 10);
	out[1] = (char)('0' + v % 10);
}

void
http_date_quick(struct http_days *cache, char out[HTTP_DATE - 1], int64_t t)
{
	int64_t day = t / DAY;
	size_t i = (size_t)day % HTTP_DAYS;
	if (t < 0 || cache->slot[i].day != day + 1) {
		char text[HTTP_DATE];
		http_date(text, t);
		if (t < 0) {
			memcpy(out, text, HTTP_DATE - 1);
			return;
		}
		cache->slot[i].day = day + 1;
		memcpy(cache->slot[i].text, text, sizeof(cache->slot[i].text));
	}
	unsigned second = (unsigned)(t % DAY);
	memcpy(out, cache->slot[i].text, sizeof(cache->slot[i].text));
	put_two(out + 17, second / 3600);
	out[19] = ':';
	put_two(out + 20, second / 60 % 60);
	out[22] = ':';
	put_two(out + 23, second % 60);
	memcpy(out + 25, " GMT", 4);
}

static void
put_number(struct buf *out, size_t v)
{
	char text[20];
	size_t at = sizeof(text);
	do {
		text[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	buf_put(out, text + at, sizeof(text) - at);
}

void
http_answer(struct buf *out, int status, int64_t now, bool keep_alive,
    const char *content_type, const char *extra, struct bytes body,
    bool head_only)
{
	char date[HTTP_DATE];
	/* RFC 9110 8.6, 15.4.5: these two end with their header. */
	bool bare = status == 204 || status == 304;
	http_date(date, now);
	buf_puts(out, "HTTP/1.1 ");
	put_number(out, (size_t)status);
	buf_putc(out, ' ');
	buf_puts(out, http_reason(status));
	buf_puts(out, "\r\nDate: ");
	buf_puts(out, date);
	if (!bare && content_type != NULL) {
		buf_puts(out, "\r\nContent-Type: ");
		buf_puts(out, content_type);
	}
	if (!bare) {
		buf_puts(out, "\r\nContent-Length: ");
		put_number(out, body.len);
	}
	buf_puts(out, keep_alive ? "\r\nConnection: keep-alive\r\n"
				 : "\r\nConnection: close\r\n");
	buf_puts(out, extra);
	buf_puts(out, "\r\n");
	if (!bare && !head_only)
		buf_put(out, body.p, body.len);
}

int
http_status_of(enum err_code code)
{
	switch (code) {
	case ERR_OK:
		return 200;
	case ERR_INVALID:
		return 400;
	case ERR_FORBIDDEN:
		return 403;
	case ERR_DENIED:
		return 422;
	case ERR_NOTFOUND:
		return 404;
	case ERR_CONFLICT:
		return 409;
	case ERR_BUSY:
	case ERR_NOMEM:
		return 503;
	case ERR_IO:
	case ERR_CRYPTO:
	case ERR_CORRUPT:
		return 500;
	}
	fatal("http_status_of: no such category: %d", (int)code);
}

static void
put_member(struct buf *out, const char *name, const char *value)
{
	struct bytes text = bytes_str(value);
	/* A name clipped in a field of theirs may end in half a character. */
	if (text.len == 0 || !utf8_valid(text))
		return;
	buf_putf(out, ",\"%s\":", name);
	json_put_string(out, text);
}

static void
put_where(struct buf *out, const struct where *w)
{
	const struct {
		const char *name;
		size_t value;
	} number[] = {
		{ "line", w->line },
		{ "col", w->col },
		{ "byte", w->byte },
	};
	struct buf members AUTO_BUF = BUF(4096);
	put_member(&members, "file", w->file);
	for (size_t i = 0; i < ARRAY_LEN(number); i++)
		if (number[i].value > 0)
			buf_putf(&members, ",\"%s\":%zu", number[i].name,
			    number[i].value);
	put_member(&members, "field", w->field);
	if (members.len == 0 || members.failed)
		return;
	buf_puts(out, ",\"where\":{");
	buf_put(out, members.p + 1, members.len - 1);
	buf_putc(out, '}');
}

void
http_problem(struct buf *out, const struct err *e, int status)
{
	/* RFC 9457 4.2.1: with about:blank the title is the status's own. */
	buf_puts(out, "{\"type\":\"about:blank\"");
	put_member(out, "title", http_reason(status));
	buf_putf(out, ",\"status\":%d", status);
	put_member(out, "detail", e->say);
	put_member(out, "id", e->id == NULL ? "" : e->id);
	put_member(out, "rule", e->rule == NULL ? "" : e->rule);
	put_where(out, &e->where);
	buf_putc(out, '}');
}
