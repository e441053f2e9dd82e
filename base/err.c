/*
 * err - errors as values: a category for code, an id for machines, one
 * sentence for whoever asked, and a note for the log.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include <refrendo/base.h>

#include "utf8.h"

struct where
at_field(const char *field)
{
	struct where w = NOWHERE;
	utf8_clip(w.field, sizeof(w.field), field);
	return w;
}

/* Adds at most len octets of p and keeps text a clean string. */
static void
add(char *text, size_t size, const char *p, size_t len)
{
	size_t used = strlen(text);
	size_t n = len < size - 1 - used ? len : size - 1 - used;
	if (n < len)
		n = utf8_floor(p, n);
	memcpy(text + used, p, n);
	text[used + n] = '\0';
}

/* An argument may hold bytes of a peer: a control byte in it would reach
 * somebody's terminal, and a broken character would break the answer's JSON. */
static void
set_arg(char arg[64], const char *given)
{
	utf8_clip(arg, 64, given == NULL ? "" : given);
	utf8_clean(arg);
}

enum err_code
err_at(struct err *e, enum err_code code, const char *id, const char *rule,
    struct where where, const char *say, ...)
{
	/* where may point into e itself, hence a fresh one. */
	struct err fresh = { .code = code,
		.id = id,
		.rule = rule,
		.where = where };
	int args = 0;
	va_list ap;
	va_start(ap, say);
	for (const char *p = say; *p != '\0';) {
		if (p[0] == '%' && p[1] == 's' && args < ERR_ARGS) {
			char *arg = fresh.arg[args++];
			set_arg(arg, va_arg(ap, const char *));
			add(fresh.say, sizeof(fresh.say), arg, strlen(arg));
			p += 2;
			continue;
		}
		size_t n = 1 + strcspn(p + 1, "%");
		add(fresh.say, sizeof(fresh.say), p, n);
		p += n;
	}
	va_end(ap);
	*e = fresh;
	return code;
}

enum err_code
err_why(struct err *e, const char *fmt, ...)
{
	char text[sizeof(e->why)];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return e->code;
	if ((size_t)n >= sizeof(text))
		text[utf8_floor(text, sizeof(text) - 1)] = '\0';
	if (e->why[0] != '\0')
		add(e->why, sizeof(e->why), "; ", 2);
	add(e->why, sizeof(e->why), text, strlen(text));
	return e->code;
}

enum err_code
err_errno(struct err *e, const char *id, const char *say)
{
	int number = errno;
	char room[128];
	err_at(e, ERR_IO, id, NULL, NOWHERE, "%s", say);
	/* The sentence is ours and whole; an argument would clip it. */
	e->arg[0][0] = '\0';
	e->say[0] = '\0';
	add(e->say, sizeof(e->say), say, strlen(say));
	err_why(e, "%s", strerror_r(number, room, sizeof(room)));
	errno = number;
	return ERR_IO;
}

enum err_code
err_openssl(struct err *e, const char *id, const char *say)
{
	err_errno(e, id, say);
	e->code = ERR_CRYPTO;
	e->why[0] = '\0';
	const char *data;
	int flags;
	unsigned long n;
	while ((n = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
		char text[128];
		ERR_error_string_n(n, text, sizeof(text));
		/* The URI of a token's key may carry its PIN. */
		bool tell = (flags & ERR_TXT_STRING) != 0 && data != NULL &&
			    data[0] != '\0' && strcasestr(data, "pin") == NULL;
		err_why(e, tell ? "%s: %s" : "%s", text, tell ? data : "");
	}
	return ERR_CRYPTO;
}

enum err_code
err_nomem(struct err *e)
{
	return err_say(e, ERR_NOMEM, "nomem",
	    "there is not enough memory for this now; try again later");
}

const char *
err_code_name(enum err_code code)
{
	switch (code) {
	case ERR_OK:
		return "ok";
	case ERR_INVALID:
		return "invalid";
	case ERR_FORBIDDEN:
		return "forbidden";
	case ERR_DENIED:
		return "denied";
	case ERR_NOTFOUND:
		return "notfound";
	case ERR_CONFLICT:
		return "conflict";
	case ERR_BUSY:
		return "busy";
	case ERR_IO:
		return "io";
	case ERR_CRYPTO:
		return "crypto";
	case ERR_CORRUPT:
		return "corrupt";
	case ERR_NOMEM:
		return "nomem";
	}
	fatal("an error code of %d, which does not exist", (int)code);
}

void
err_list_fini(struct err_list *l)
{
	free(l->v);
	*l = (struct err_list){ NULL, 0, 0 };
}

/* Counts what it cannot keep: nobody may take a short list for a clean one. */
void
err_list_add(struct err_list *l, const struct err *e)
{
	l->count++;
	if (l->len == ERR_LIST_MAX)
		return;
	/* Room doubles when len is a power of two (or 0). */
	if ((l->len & (l->len - 1)) == 0) {
		size_t room = l->len == 0 ? 1 : 2 * l->len;
		struct err *v = realloc(l->v, room * sizeof(*v));
		if (v == NULL)
			return;
		l->v = v;
	}
	l->v[l->len++] = *e;
}
