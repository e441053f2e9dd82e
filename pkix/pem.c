/*
 * PEM (RFC 7468), strict enough that one text has one meaning: the first
 * block with the label, base64 and line ends only.
 */
#include <stdio.h>

#include "internal.h"

static const uint8_t *
find(const uint8_t *p, const uint8_t *end, const char *what)
{
	return memmem(p, (size_t)(end - p), what, strlen(what));
}

static enum err_code
decode(struct bytes body, const char *label, struct buf *out, struct err *e)
{
	struct buf text AUTO_BUF = BUF(body.len + 1);
	size_t i, before = out->len;

	for (i = 0; i < body.len; i++) {
		uint8_t c = body.p[i];

		if (c != '\n' && c != '\r' && c != ' ' && c != '\t')
			buf_putc(&text, c);
	}
	TRY(buf_end(&text, e));
	if (text.len == 0 || !base64_get(out, buf_bytes(&text)) ||
	    out->failed || out->len == before)
		return err_at(e, ERR_INVALID, "pem-base64", "RFC 7468 3",
		    NOWHERE,
		    "the block %s holds no valid base64, or too much of it",
		    label);
	return ERR_OK;
}

enum err_code
pem_or_der(struct bytes input, const char *label, struct buf *out,
    struct err *e)
{
	const uint8_t *end = input.p + input.len, *start, *stop;
	char begin[80], finish[80];

	if (input.len > 0 && input.p[0] == DER_SEQUENCE) {
		buf_put(out, input.p, input.len);
		return buf_end(out, e);
	}
	snprintf(begin, sizeof(begin), "-----BEGIN %s-----", label);
	snprintf(finish, sizeof(finish), "-----END %s-----", label);
	start = input.len == 0 ? NULL : find(input.p, end, begin);
	if (start == NULL)
		return err_at(e, ERR_INVALID, "pem-missing", "RFC 7468 2",
		    NOWHERE,
		    "this is neither DER nor PEM with a block %s; give a file "
		    "in one of these forms",
		    label);
	start += strlen(begin);
	stop = find(start, end, finish);
	if (stop == NULL)
		return err_at(e, ERR_INVALID, "pem-end", "RFC 7468 2",
		    AT_BYTE(start - input.p),
		    "the block %s has no end; the file is cut off", label);
	return decode(bytes_of(start, (size_t)(stop - start)), label, out, e);
}

void
pem_put(struct buf *out, const char *label, struct bytes der)
{
	struct buf text AUTO_BUF = BUF(der.len * 2 + 8);
	size_t i, n;

	base64_put(&text, der);
	if (text.failed)
		out->failed = true;
	buf_putf(out, "-----BEGIN %s-----\n", label);
	for (i = 0; i < text.len; i += n) {
		n = text.len - i < 64 ? text.len - i : 64;
		buf_put(out, text.p + i, n);
		buf_putc(out, '\n');
	}
	buf_putf(out, "-----END %s-----\n", label);
}
