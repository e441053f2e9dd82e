/*
 * crl_build - the CRL of a CA whose key no engine holds, an offline root above
 * all: entries from a list and from the CRL before, signed with a key named by
 * URI, and judged before it is written.  The engine makes its own by itself.
 */
#include <stdlib.h>
#include <string.h>

#include "status.h"

#define ENTRIES_MAX (1u << 20)
#define TEXT_MAX    (128u << 20)
#define LIFE_USUAL  (90 * DAY)
#define LIFE_MAX    (3650 * DAY)

struct build {
	struct cli *c;
	struct buf cert_der, previous_der, text;
	struct cert ca;
	struct crl_any previous;
	bool has_previous;
	struct crl_entry *entry;
	size_t n, at;
	struct key *key;
	struct crl_spec spec;
};

/* --- Entries ---------------------------------------------------------------------- */

static void
add(struct build *b, const struct crl_entry *x)
{
	b->entry[b->n++] = *x;
}

static enum err_code
add_previous(struct build *b, struct err *e)
{
	struct bytes rest = b->previous.entries;
	struct crl_any_entry x;
	if (b->previous.n_entry > ENTRIES_MAX)
		return err_nomem(e);
	while (crl_any_next(&rest, &x)) {
		struct crl_entry entry = { .serial = x.serial,
			.revoked_at = x.revoked_at,
			.reason = x.reason < 0 ? 0 : x.reason,
			.invalid_since = x.invalid_since };
		add(b, &entry);
	}
	return ERR_OK;
}

static struct bytes
next_word(struct bytes *line)
{
	size_t n = 0;
	while (line->len > 0 && strchr(" \t,\r", line->p[0]) != NULL)
		*line = bytes_of(line->p + 1, line->len - 1);
	while (n < line->len && strchr(" \t,\r", line->p[n]) == NULL)
		n++;
	struct bytes word = bytes_of(line->p, n);
	*line = bytes_of(line->p + n, line->len - n);
	return word;
}

static bool
take_reason(struct bytes word, int *out)
{
	for (*out = 0; *out < 10; ++*out) {
		const char *name = crl_reason_name(*out);
		if (name != NULL && bytes_is(word, name))
			return true;
	}
	return false;
}

/* "1a2b 2026-11-24 [keyCompromise [2026-11-01]]"; false: not that. */
static bool
take_line(struct build *b, struct bytes line)
{
	struct crl_entry x = { .reason = 0 };
	struct bytes serial = next_word(&line), at = next_word(&line);
	struct bytes reason = next_word(&line), since = next_word(&line);
	size_t len = serial.len / 2;
	uint8_t *room = arena_get(b->c->arena, SERIAL_MAX + 1);
	if (len == 0 || len > SERIAL_MAX || !hex_parse(serial, room, len) ||
	    !time_parse(at, &x.revoked_at) ||
	    (reason.len > 0 && !take_reason(reason, &x.reason)) ||
	    (since.len > 0 && !time_parse(since, &x.invalid_since)) ||
	    next_word(&line).len > 0)
		return false;
	while (len > 1 && room[0] == 0) {
		room++;
		len--;
	}
	x.serial = bytes_of(room, len);
	add(b, &x);
	return room[0] != 0;
}

static enum err_code
read_lines(struct build *b, struct err *e)
{
	struct bytes rest = buf_bytes(&b->text);
	char number[24];
	for (size_t n = 1; rest.len > 0; n++) {
		const uint8_t *end = memchr(rest.p, '\n', rest.len);
		size_t len = end == NULL ? rest.len : (size_t)(end - rest.p);
		struct bytes line = bytes_of(rest.p, len), words = line;
		len += end != NULL;
		rest = bytes_of(rest.p + len, rest.len - len);
		if (next_word(&words).len == 0 || line.p[0] == '#')
			continue;
		snprintf(number, sizeof(number), "%zu", n);
		if (b->n >= 2 * (size_t)ENTRIES_MAX || !take_line(b, line))
			return err_at(e, ERR_INVALID, "cli-list-line", NULL,
			    AT_LINE(n, 1),
			    "line %s of the list is not: SERIAL TIME [REASON "
			    "[SINCE]]; 1a2b 2026-11-24 keyCompromise, say",
			    number);
	}
	return ERR_OK;
}

static int
by_serial(const void *a, const void *b)
{
	const struct crl_entry *x = a, *y = b;
	return bytes_cmp(x->serial, y->serial);
}

static enum err_code
sort_entries(struct build *b, struct err *e)
{
	qsort(b->entry, b->n, sizeof(*b->entry), by_serial);
	for (size_t i = 1; i < b->n; i++) {
		if (by_serial(&b->entry[i - 1], &b->entry[i]) == 0)
			return err_say(e, ERR_INVALID, "cli-list-twice",
			    "the serial %s is twice in the list",
			    hex_text(b->c, b->entry[i].serial));
	}
	return ERR_OK;
}

static enum err_code
read_entries(struct build *b, struct err *e)
{
	struct cli *c = b->c;
	b->entry = calloc(2 * (size_t)ENTRIES_MAX + 1, sizeof(*b->entry));
	if (b->entry == NULL)
		return err_nomem(e);
	if (b->has_previous)
		TRY(add_previous(b, e));
	if (c->n_operand > 0) {
		TRY(input_read(c, c->operand[0], TEXT_MAX, &b->text, e));
		TRY(read_lines(b, e));
	}
	return sort_entries(b, e);
}

/* --- Terms ------------------------------------------------------------------------- */

static uint64_t
number_of(struct bytes n)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n.len; i++)
		v = v << 8 | n.p[i];
	return v;
}

static enum err_code
read_previous(struct build *b, struct err *e)
{
	const char *name = b->c->option[OPT_FROM_CRL];
	if (name == NULL)
		return ERR_OK;
	TRY(read_list(b->c, name, &b->previous_der, &b->previous, e));
	b->has_previous = true;
	if (bytes_eq(b->previous.issuer, b->ca.subject) &&
	    b->previous.number.len > 0 && b->previous.number.len < 8)
		return ERR_OK;
	return err_say(e, ERR_INVALID, "cli-list-other",
	    "the CRL of --previous is of another CA than --cert, or has no "
	    "number");
}

static enum err_code
take_life(struct cli *c, int64_t *life, struct err *e)
{
	const char *text = c->option[OPT_LIFE];
	*life = LIFE_USUAL;
	if (text == NULL || (duration_parse(bytes_str(text), life) &&
				*life >= HOUR && *life <= LIFE_MAX))
		return ERR_OK;
	c->exit = CLI_USAGE;
	return err_say(e, ERR_INVALID, "cli-life",
	    "%s is no duration from 1h to 3650d; write 180d", text);
}

static enum err_code
read_terms(struct build *b, struct err *e)
{
	struct cli *c = b->c;
	int64_t life, now = clock_now();
	int64_t number =
	    b->has_previous ? (int64_t)number_of(b->previous.number) + 1 : 1;
	TRY(take_life(c, &life, e));
	TRY(take_number(c, OPT_NUMBER, 1, INT64_MAX, &number, e));
	b->spec = (struct crl_spec){ .issuer = b->ca.subject,
		.issuer_ski = b->ca.ski,
		.issuer_type = key_type(b->key),
		.number = (uint64_t)number,
		.this_update = now,
		.next_update = now + life };
	return ERR_OK;
}

static enum err_code
read_key(struct build *b, struct err *e)
{
	struct cli *c = b->c;
	if (c->option[OPT_CERT] == NULL)
		return cli_usage_missing(c, "--cert", e);
	if (c->option[OPT_KEY] == NULL)
		return cli_usage_missing(c, "--key", e);
	TRY(read_certificate(c, c->option[OPT_CERT], &b->cert_der, &b->ca, e));
	TRY(read_previous(b, e));
	TRY(read_entries(b, e));
	TRY(input_key(c, c->option[OPT_KEY], &b->key, e));
	if (!bytes_eq(b->ca.spki, key_spki(b->key)))
		return err_say(e, ERR_INVALID, "cli-key-of-cert",
		    "the key given with --key is not that of the certificate "
		    "given with --cert");
	return read_terms(b, e);
}

/* --- Signing ------------------------------------------------------------------------- */

static enum err_code
source_rewind(void *ctx, struct err *e)
{
	struct build *b = ctx;
	(void)e;
	b->at = 0;
	return ERR_OK;
}

static enum err_code
source_next(void *ctx, struct crl_entry *entry, bool *more, struct err *e)
{
	struct build *b = ctx;
	(void)e;
	*more = b->at < b->n;
	if (*more)
		*entry = b->entry[b->at++];
	return ERR_OK;
}

/* What is about to be published is read again, as strictly as any. */
static enum err_code
judge(struct build *b, struct bytes der, struct err *e)
{
	AUTO(verifier) v = NULL;
	struct crl crl;
	uint64_t last = b->has_previous ? number_of(b->previous.number) : 0;
	TRY(verifier_new(&v, e));
	TRY(crl_parse(der, &crl, e));
	return crl_check_publish(&crl, &b->ca, last, clock_now(), v, e);
}

static enum err_code
build_run(struct build *b, struct err *e)
{
	struct crl_source source = { b, source_rewind, source_next };
	struct buf tbs AUTO_BUF = BUF(CRL_READ_MAX),
		       sig AUTO_BUF = BUF(SIG_MAX);
	struct buf der AUTO_BUF = BUF(CRL_READ_MAX);
	struct buf pem AUTO_BUF = BUF(2 * (size_t)CRL_READ_MAX);
	TRY(read_key(b, e));
	TRY(crl_build_tbs(&b->spec, &source, &tbs, e));
	TRY(key_sign(b->key, buf_bytes(&tbs), &sig, e));
	TRY(signed_assemble(buf_bytes(&tbs), key_type_sigalg(key_type(b->key)),
	    buf_bytes(&sig), &der, e));
	TRY(judge(b, buf_bytes(&der), e));
	fprintf(stderr, "%s %llu, %zu %s, %s %s\n",
	    SAY(b->c, "number", "número"), (unsigned long long)b->spec.number,
	    b->n, SAY(b->c, "revoked", "revocados"),
	    SAY(b->c, "until", "hasta"), time_text(b->c, b->spec.next_update));
	pem_put(&pem, "X509 CRL", buf_bytes(&der));
	TRY(buf_end(&pem, e));
	bool as_der = b->c->option[OPT_DER] != NULL;
	TRY(print_octets(b->c, buf_bytes(as_der ? &der : &pem), e));
	print_written(b->c,
	    json_pack("{s:I, s:I, s:s}", "number", (json_int_t)b->spec.number,
		"revoked", (json_int_t)b->n, "next_update",
		time_text(b->c, b->spec.next_update)),
	    b->c->option[OPT_OUT]);
	return ERR_OK;
}

enum err_code
crl_build(struct cli *c, struct err *e)
{
	struct build b = { .c = c };
	enum err_code code = build_run(&b, e);
	free(b.entry);
	key_free(b.key);
	buf_fini(&b.cert_der);
	buf_fini(&b.previous_der);
	buf_fini(&b.text);
	return code;
}
