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
			buf_puts(&text, arg < ERR_ARGS ? e->arg[arg++] : "");
			pattern += 2;
			continue;
		}
		buf_putc(&text, (uint8_t)*pattern++);
	}
	snprintf(out, size, "%s", buf_text(&text));
}
