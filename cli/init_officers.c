/* init_officers - platform officers beside the first, for a quorum. */
#include <string.h>

#include "init.h"

#define OFFICERS_FILE_MAX 65536
#define PATH_TOKEN_MAX    240 /* octets of a certificate's path */

/* The next word of a line, and the rest of it without spaces in front. */
static struct bytes
cut_word(struct bytes *line)
{
	size_t n = 0;
	while (n < line->len && line->p[n] != ' ' && line->p[n] != '\t')
		n++;
	struct bytes word = bytes_of(line->p, n);
	while (n < line->len && (line->p[n] == ' ' || line->p[n] == '\t'))
		n++;
	*line = bytes_of(line->p + n, line->len - n);
	return word;
}

static enum err_code
line_refused(unsigned number, struct err *e)
{
	char text[16];
	snprintf(text, sizeof(text), "%u", number);
	return err_say(e, ERR_INVALID, "cli-officers-line",
	    "line %s of the list of officers is not: RUN, file of the "
	    "officer's certificate, name",
	    text);
}

static enum err_code
key_of(struct init *i, struct bytes path, const char *run,
    uint8_t sha256_of[SHA256_LEN], struct err *e)
{
	struct buf text AUTO_BUF = BUF(0);
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct cert cert;
	enum key_type type;
	TRY(input_read(i->c, arena_str(i->c->arena, path), 2 * CERT_MAX_BYTES,
	    &text, e));
	TRY(pem_or_der(buf_bytes(&text), "CERTIFICATE", &der, e));
	TRY(cert_parse(buf_bytes(&der), &cert, e));
	TRY(spki_check(cert.spki, &type, e));
	sha256(sha256_of, cert.spki);
	/* Those of other certifiers may name their holder otherwise. */
	struct bytes said = name_find(cert.subject, OID_SERIAL_NUMBER);
	char holder[RUN_TEXT];
	struct err ignored;
	if (run_parse(said, holder, &ignored) != ERR_OK ||
	    strcmp(holder, run) == 0)
		return ERR_OK;
	return err_say(e, ERR_INVALID, "cli-officers-other",
	    "the certificate %s is that of RUN %s, and the line is for %s",
	    arena_str(i->c->arena, path), holder, run);
}

/* "22222222-2 ana.pem Ana Rojas" */
static enum err_code
take_line(struct init *i, struct bytes line, unsigned number, struct err *e)
{
	struct bytes run = cut_word(&line), path = cut_word(&line);
	if (path.len == 0 || path.len > PATH_TOKEN_MAX || line.len == 0 ||
	    line.len >= sizeof(i->more[0].name) || !utf8_valid(line))
		return line_refused(number, e);
	if (i->n_more == ARRAY_LEN(i->more))
		return err_say(e, ERR_INVALID, "cli-officers-many",
		    "there may be 16 platform officers, the first included");
	struct officer *o = &i->more[i->n_more];
	TRY(run_parse(run, o->run, e));
	memcpy(o->name, line.p, line.len);
	TRY(key_of(i, path, o->run, o->spki_sha256, e));
	i->n_more++;
	return ERR_OK;
}

static enum err_code
take_lines(struct init *i, struct bytes text, struct err *e)
{
	for (unsigned number = 1; text.len > 0; number++) {
		const uint8_t *end = memchr(text.p, '\n', text.len);
		size_t len = end == NULL ? text.len : (size_t)(end - text.p);
		struct bytes line = bytes_of(text.p, len);
		size_t used = end == NULL ? len : len + 1;
		text = bytes_of(text.p + used, text.len - used);
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		if (line.len > 0 && line.p[0] != '#')
			TRY(take_line(i, line, number, e));
	}
	return ERR_OK;
}

enum err_code
init_more_officers(struct init *i, struct err *e)
{
	struct buf text AUTO_BUF = BUF(0);
	const char *file = i->c->option[OPT_OFFICERS];
	const char *quorum = i->c->option[OPT_QUORUM];
	if (file != NULL) {
		TRY(input_read(i->c, file, OFFICERS_FILE_MAX, &text, e));
		TRY(take_lines(i, buf_bytes(&text), e));
	}
	i->quorum = 1;
	if (quorum != NULL &&
	    (!dec_parse(bytes_str(quorum), &i->quorum) || i->quorum < 1 ||
		i->quorum > (int64_t)i->n_more + 1))
		return err_say(e, ERR_INVALID, "cli-quorum",
		    "the quorum is a number from 1 to that of the officers; "
		    "name the others with --officers");
	return ERR_OK;
}
