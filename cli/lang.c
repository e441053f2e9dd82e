/*
 * lang - Spanish sentences of every error, collected from the es.def beside
 * the code that raises them.
 */
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* clang-format off */
#define ES(id, text) { id, text },
static const struct {
	const char *id, *text;
} rows[] = {
#include "../base/es.def"
#include "../pkix/es.def"
#include "../http/es.def"
#include "../crl/es.def"
#include "../ocsp/es.def"
#include "../policy/es.def"
#include "../audit/es.def"
#include "../ca/es.def"
#include "../store/es.def"
#include "../signer/es.def"
#include "../net/es.def"
#include "../api/es.def"
#include "../engine/es.def"
#include "es.def"
};
#undef ES
/* clang-format on */

const char *
cli_spanish(const char *id)
{
	for (size_t i = 0; id != NULL && i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].id, id) == 0)
			return rows[i].text;
	}
	return NULL;
}

/* An argument of ours: a state, acts, a role; or what a value may be. */
static void
put_argument(const struct err *e, size_t arg, struct buf *out)
{
	const char *text = arg < ERR_ARGS ? e->arg[arg] : "";
	char told[512];
	snprintf(told, sizeof(told), "%s", text);
	if (strncmp(e->id, "state-", 6) == 0) {
		if (arg == 0)
			text = state_in_spanish(e->id + 6, text);
		else
			acts_in_spanish(text, told, sizeof(told));
	} else if (strcmp(e->id, "institution-not-enabled") == 0) {
		text = state_in_spanish("institution", text);
	} else if (strcmp(e->id, "row-missing") == 0 && arg == 0) {
		acts_in_spanish(text, told, sizeof(told));
	} else if (strcmp(e->id, "role-missing") == 0 && arg == 1) {
		acts_in_spanish(text, told, sizeof(told));
	} else {
		phrase_spanish(text, PHRASE_DEPTH, told, sizeof(told));
	}
	buf_puts(out, text == e->arg[arg] ? told : text);
}

/* The fault of a line or a detail: its sentence stands there in two halves,
 * and its id as the reason.  One with arguments of its own stays as it is. */
static const char *
sentence_below(const struct err *e)
{
	const char *es = strcmp(e->id, "audit-line") == 0 ||
				 strcmp(e->id, "audit-below") == 0
			     ? cli_spanish(e->why)
			     : NULL;
	return es != NULL && strstr(es, "%s") == NULL ? es : NULL;
}

/* Sentences have nothing but %s, in the order of the arguments. */
void
cli_sentence(const struct err *e, bool spanish, char *out, size_t size)
{
	struct buf text AUTO_BUF = BUF(1024);
	const char *pattern = spanish ? cli_spanish(e->id) : NULL;
	size_t arg = 0;
	if (pattern == NULL) {
		snprintf(out, size, "%s", e->say);
		return;
	}
	while (*pattern != '\0') {
		if (pattern[0] == '%' && pattern[1] == 's') {
			const char *below = arg > 0 ? sentence_below(e) : NULL;
			if (below == NULL)
				put_argument(e, arg, &text);
			else if (arg == 1)
				buf_puts(&text, below);
			arg++;
			pattern += 2;
			continue;
		}
		buf_putc(&text, (uint8_t)*pattern++);
	}
	snprintf(out, size, "%s", buf_text(&text));
}
