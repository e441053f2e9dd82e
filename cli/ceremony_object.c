/* ceremony_object - what a ceremony is about: the file, and what differs. */
#include <string.h>

#include "ceremony.h"

#define LINES_MAX 2048 /* of one file of ceilings; more are not compared */

struct lines {
	struct bytes v[LINES_MAX];
	size_t n;
};

static bool
lines_of(struct bytes text, struct lines *out)
{
	out->n = 0;
	while (text.len > 0 && out->n < LINES_MAX) {
		const uint8_t *end = memchr(text.p, '\n', text.len);
		size_t len = end == NULL ? text.len : (size_t)(end - text.p);
		size_t used = end == NULL ? len : len + 1;
		out->v[out->n++] = bytes_of(text.p, len);
		text = bytes_of(text.p + used, text.len - used);
	}
	return text.len == 0;
}

/* What a terminal might act on is shown as ?. */
static void
put_line(struct buf *out, char sign, struct bytes line)
{
	buf_putf(out, "\n  %c ", sign);
	for (size_t i = 0; i < line.len; i++)
		buf_putc(out,
		    line.p[i] < 0x20 || line.p[i] == 0x7f ? '?' : line.p[i]);
}

/*
 * Lines of a that b lacks, and of b that a lacks, in their order: the longest
 * common sequence stays unsaid.  common[i][j]: its length from there on.
 */
static void
put_changes(struct cli *c, const struct lines *a, const struct lines *b,
    struct buf *out)
{
	size_t i, j, width = b->n + 1;
	uint16_t *common =
	    arena_get(c->arena, (a->n + 1) * width * sizeof(*common));
	memset(common, 0, (a->n + 1) * width * sizeof(*common));
	for (i = a->n; i-- > 0;) {
		for (j = b->n; j-- > 0;) {
			uint16_t *at = &common[i * width + j];
			if (bytes_eq(a->v[i], b->v[j]))
				*at = (uint16_t)(at[width + 1] + 1);
			else
				*at = at[width] > at[1] ? at[width] : at[1];
		}
	}
	for (i = j = 0; i < a->n || j < b->n;) {
		const uint16_t *at = &common[i * width + j];
		if (i < a->n && j < b->n && bytes_eq(a->v[i], b->v[j])) {
			i++;
			j++;
		} else if (i < a->n && (j == b->n || at[width] >= at[1])) {
			put_line(out, '-', a->v[i++]);
		} else {
			put_line(out, '+', b->v[j++]);
		}
	}
}

/* Only against the file that the statement says is replaced. */
void
ceilings_changes(struct cli *c, const struct ceremony_statement *s,
    struct bytes file, struct buf *out)
{
	struct config *config = arena_get(c->arena, sizeof(*config));
	struct lines *a = arena_get(c->arena, sizeof(*a));
	struct lines *b = arena_get(c->arena, sizeof(*b));
	struct buf now AUTO_BUF = BUF(CEILINGS_FILE_MAX);
	uint8_t hash[SHA256_LEN];
	struct err ignored;
	bool known = cli_config(c, config, &ignored) == ERR_OK &&
		     file_read(c->dir, config->signer_yaml, CEILINGS_FILE_MAX,
			 &now, &ignored) == ERR_OK;
	sha256(hash, buf_bytes(&now));
	buf_puts(out, "\n\n  ");
	if (!known || !bytes_eq(bytes_of(hash, SHA256_LEN), s->base_sha256) ||
	    !lines_of(buf_bytes(&now), a) || !lines_of(file, b)) {
		buf_puts(out,
		    SAY(c,
			"the file that it replaces is not here; see the new "
			"one: refrendo ceremony get ",
			"el archivo que reemplaza no está aquí; vea el nuevo: "
			"refrendo ceremony get "));
		buf_putf(out, "%.*s", BYTES_FMT(s->id));
		return;
	}
	buf_puts(out, SAY(c, "against the file in force:",
			  "frente al archivo en vigor:"));
	put_changes(c, a, b, out);
}

enum err_code
run_ceremony_get(struct cli *c, struct err *e)
{
	struct bytes object;
	json_t *record;
	TRY(engine_json(c,
	    path_of(c, "/ceremonies/", c->operand[0], "?blobs=1"), &record, e));
	bool has = get_octets(c, record, "tbs", &object);
	json_decref(record);
	if (!has)
		return err_say(e, ERR_IO, "cli-answer",
		    "the engine's answer is not JSON");
	TRY(print_octets(c, object, e));
	print_written(c, NULL, c->option[OPT_OUT]);
	return ERR_OK;
}
