/*
 * log - one event, one line, one write.
 *
 * ts=2026-11-24T10:00:00Z level=info role=core event=cert-issued serial=…
 *
 * A value that holds anything but plain characters is quoted and escaped, so
 * that nothing in it can look like another value or another line.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <refrendo/base.h>

#include "utf8.h"

/* What a pipe takes whole (PIPE_BUF on Linux). */
#define LINE_MAX_LEN 4096
/* Kept free for what ends a line that was cut. */
#define LINE_END "\" cut=yes\n"

struct line {
	char text[LINE_MAX_LEN];
	size_t len;
	bool cut;
};

/*
 * The C library already has a place for the program's name in messages;
 * role must be a string that lives as long as the process.
 */
void
log_role(const char *role)
{
	program_invocation_short_name = (char *)(uintptr_t)role;
}

static void
add(struct line *l, const char *p, size_t len)
{
	if (l->cut || len > sizeof(l->text) - sizeof(LINE_END) - l->len) {
		l->cut = true;
		return;
	}
	memcpy(l->text + l->len, p, len);
	l->len += len;
}

static bool
is_plain(struct bytes value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.p[i] <= ' ' || value.p[i] > '~' ||
		    strchr("\"\\=", value.p[i]) != NULL)
			return false;
	return value.len > 0;
}

static void
add_escaped(struct line *l, struct bytes value)
{
	for (size_t i = 0; i < value.len;) {
		const uint8_t *p = value.p + i;
		size_t n = utf8_char(p, value.len - i);
		bool control = p[0] < 0x20 || p[0] == 0x7f ||
			       (p[0] == 0xc2 && n == 2 && p[1] < 0xa0);
		char text[12];
		if (n == 0 || (control && n == 1))
			snprintf(text, sizeof(text), "\\x%02x", p[0]);
		else if (control)
			snprintf(text, sizeof(text), "\\x%02x\\x%02x", p[0],
			    p[1]);
		else
			snprintf(text, sizeof(text), "%s%.*s",
			    p[0] == '"' || p[0] == '\\' ? "\\" : "", (int)n,
			    (const char *)p);
		add(l, text, strlen(text));
		i += n == 0 ? 1 : n;
	}
}

static void
add_value(struct line *l, struct bytes value)
{
	if (is_plain(value)) {
		add(l, (const char *)value.p, value.len);
		return;
	}
	add(l, "\"", 1);
	add_escaped(l, value);
	/* LINE_END closes the quotes of a value that was cut. */
	if (!l->cut)
		add(l, "\"", 1);
}

static void
add_pair(struct line *l, const char *key, const char *value)
{
	if (l->len > 0)
		add(l, " ", 1);
	add(l, key, strlen(key));
	add(l, "=", 1);
	add_value(l, bytes_str(value));
}

/* One "key=value", where the key is ours and the value may be anybody's. */
static void
add_field(struct line *l, struct bytes field)
{
	if (field.len == 0)
		return;
	const uint8_t *equals = memchr(field.p, '=', field.len);
	size_t key = equals == NULL ? 0 : (size_t)(equals - field.p) + 1;
	add(l, " ", 1);
	add(l, (const char *)field.p, key);
	add_value(l, bytes_of(field.p + key, field.len - key));
}

static void add_fields(struct line *l, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static int print(char *out, size_t size, const char *fmt, char separator,
    va_list ap) __attribute__((format(printf, 3, 0)));

/* Prints with another octet for the spaces of the format itself. */
static int
print(char *out, size_t size, const char *fmt, char separator, va_list ap)
{
	char marked[256];
	if (strlen(fmt) >= sizeof(marked))
		fatal("the format of a log line is too long: %.40s", fmt);
	size_t i = 0;
	for (; fmt[i] != '\0'; i++)
		marked[i] = fmt[i] == ' ' ? separator : fmt[i];
	marked[i] = '\0';
	va_list again;
	va_copy(again, ap);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	int n = vsnprintf(out, size, marked, again);
#pragma GCC diagnostic pop
	va_end(again);
	return n;
}

/*
 * Printed twice, with two different separators, the texts differ exactly
 * where the format had a space: no octet of a value can pass for one.
 */
static void
add_fields(struct line *l, const char *fmt, va_list ap)
{
	char one[LINE_MAX_LEN], two[LINE_MAX_LEN];
	int n = print(one, sizeof(one), fmt, '\1', ap);
	if (n < 0 || print(two, sizeof(two), fmt, '\2', ap) != n)
		return;
	bool cut = (size_t)n >= sizeof(one);
	size_t len = cut ? sizeof(one) - 1 : (size_t)n;
	size_t start = 0;
	for (size_t i = 0; i <= len; i++) {
		if (i < len && one[i] == two[i])
			continue;
		add_field(l, bytes_of(one + start, i - start));
		start = i + 1;
	}
	l->cut = l->cut || cut;
}

static void
begin(struct line *l, const char *level, const char *event)
{
	char now[TIME_TEXT];
	time_print(now, clock_now());
	l->len = 0;
	l->cut = false;
	add_pair(l, "ts", now);
	add_pair(l, "level", level);
	add_pair(l, "role", program_invocation_short_name);
	add_pair(l, "event", event);
}

/* A log line may be lost, and nobody is left to tell. */
static void
end(struct line *l)
{
	int before = errno;
	bool open = false;
	for (size_t i = 0; i < l->len; i++) {
		if (l->text[i] == '\\')
			i++;
		else if (l->text[i] == '"')
			open = !open;
	}
	const char *tail = !l->cut ? "\n" : open ? LINE_END : &LINE_END[1];
	memcpy(l->text + l->len, tail, strlen(tail));
	l->len += strlen(tail);
	while (write(STDERR_FILENO, l->text, l->len) < 0 && errno == EINTR)
		;
	errno = before;
}

void
log_info(const char *event, const char *fmt, ...)
{
	struct line l;
	begin(&l, "info", event);
	va_list ap;
	va_start(ap, fmt);
	add_fields(&l, fmt, ap);
	va_end(ap);
	end(&l);
}

void
log_warn(const char *event, const char *fmt, ...)
{
	struct line l;
	begin(&l, "warn", event);
	va_list ap;
	va_start(ap, fmt);
	add_fields(&l, fmt, ap);
	va_end(ap);
	end(&l);
}

void
log_error(const char *event, const char *fmt, ...)
{
	struct line l;
	begin(&l, "error", event);
	va_list ap;
	va_start(ap, fmt);
	add_fields(&l, fmt, ap);
	va_end(ap);
	end(&l);
}

/* A peer's mistake is worth a look; a failure of ours wakes somebody. */
static const char *
level_of(enum err_code code)
{
	return code == ERR_IO || code == ERR_CRYPTO || code == ERR_CORRUPT ||
		       code == ERR_NOMEM
		   ? "error"
		   : "warn";
}

void
log_err(const char *event, const struct err *e)
{
	struct line l;
	begin(&l, level_of(e->code), event);
	add_pair(&l, "code", err_code_name(e->code));
	add_pair(&l, "id", e->id == NULL ? "" : e->id);
	if (e->rule != NULL)
		add_pair(&l, "rule", e->rule);
	add_pair(&l, "say", e->say);
	if (e->why[0] != '\0')
		add_pair(&l, "why", e->why);
	end(&l);
}

void
fatal(const char *fmt, ...)
{
	char say[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(say, sizeof(say), fmt, ap);
	va_end(ap);
	struct line l;
	begin(&l, "error", "fatal");
	add_pair(&l, "say", say);
	end(&l);
	abort();
}
