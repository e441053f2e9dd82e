/*
 * phrases - Spanish for what stands inside a sentence or under it: the hints of
 * findings, what a value may be, the rows of health.  They come from layers
 * that have one language, and are put in here.
 */
#include <stdio.h>
#include <string.h>

#include "cli.h"

#define HOLES_MAX 3 /* %s of one phrase */

/* clang-format off */
#define PHRASE(en, es) { en, es },
static const struct {
	const char *en, *es;
} phrases[] = {
#include "phrases.def"
};
#undef PHRASE
/* clang-format on */

/* What stands for each %s; the shortest that fits. */
static bool
fits(const char *pattern, const char *text, struct bytes *hole)
{
	const char *cut = strstr(pattern, "%s");
	size_t len = cut != NULL ? (size_t)(cut - pattern) : strlen(pattern);
	if (strncmp(pattern, text, len) != 0)
		return false;
	text += len;
	if (cut == NULL)
		return *text == '\0';
	for (size_t n = 1; n <= strlen(text); n++) {
		*hole = bytes_of((const uint8_t *)text, n);
		if (fits(cut + 2, text + n, hole + 1))
			return true;
	}
	return false;
}

static void
fill(const char *es, const struct bytes *hole, unsigned depth, struct buf *out)
{
	for (const char *cut; (cut = strstr(es, "%s")) != NULL; es = cut + 2) {
		char inner[256], told[512];
		snprintf(inner, sizeof(inner), "%.*s", BYTES_FMT(*hole));
		hole++;
		buf_put(out, es, (size_t)(cut - es));
		phrase_spanish(inner, depth, told, sizeof(told));
		buf_puts(out, told);
	}
	buf_puts(out, es);
}

void
phrase_spanish(const char *english, unsigned depth, char *out, size_t size)
{
	struct buf text AUTO_BUF = BUF(1024);
	struct bytes hole[HOLES_MAX + 1];
	for (size_t i = 0; depth > 0 && i < ARRAY_LEN(phrases); i++) {
		if (!fits(phrases[i].en, english, hole))
			continue;
		fill(phrases[i].es, hole, depth - 1, &text);
		snprintf(out, size, "%s", buf_text(&text));
		return;
	}
	snprintf(out, size, "%s", english);
}

const char *
phrase(struct cli *c, const char *english)
{
	char text[512];
	if (!c->spanish)
		return english;
	phrase_spanish(english, PHRASE_DEPTH, text, sizeof(text));
	return arena_str(c->arena, bytes_str(text));
}

void
findings_show(const struct cli *c, const struct findings *findings,
    const struct policy_file *file, size_t n)
{
	struct buf out AUTO_BUF = BUF(4u << 20);
	for (size_t i = 0; i < findings->len; i++) {
		const struct finding *f = &findings->v[i];
		struct bytes text = BYTES_NONE;
		char say[1024], hint[512];
		for (size_t k = 0; k < n; k++) {
			if (strncmp(file[k].name, f->err.where.file, 63) == 0)
				text = file[k].text;
		}
		cli_sentence(&f->err, c->spanish, say, sizeof(say));
		phrase_spanish(f->hint, c->spanish ? PHRASE_DEPTH : 0, hint,
		    sizeof(hint));
		finding_print_as(&out, f, text,
		    &(struct finding_words){ SAY(c, "warning", "aviso"), say,
			hint });
	}
	fputs(buf_text(&out), stderr);
}
