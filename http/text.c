/* text - looking things up in a request: fields, queries, %XX. */
#include <string.h>

#include <refrendo/http.h>

static bool
same_letter(uint8_t a, uint8_t b)
{
	if (a >= 'A' && a <= 'Z')
		a |= 0x20;
	if (b >= 'A' && b <= 'Z')
		b |= 0x20;
	return a == b;
}

static bool
same_name(struct bytes a, const char *b, size_t len)
{
	if (a.len != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!same_letter(a.p[i], (uint8_t)b[i]))
			return false;
	return true;
}

bool
http_find(const struct http_request *r, const char *name, struct bytes *value)
{
	size_t len = strlen(name);
	for (size_t i = 0; i < r->n_field; i++) {
		if (same_name(r->field[i].name, name, len)) {
			*value = r->field[i].value;
			return true;
		}
	}
	return false;
}

enum err_code
http_percent_decode(struct bytes text, struct buf *out, struct err *e)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.p[i];
		if (c == '%') {
			size_t rest = text.len - i - 1;
			if (rest < 2 ||
			    !hex_parse(bytes_of(text.p + i + 1, 2), &c, 1))
				return err_at(e, ERR_INVALID, "http-percent",
				    "RFC 3986 2.1", AT_BYTE(i),
				    "a percent sign in the address stands "
				    "without its two hex digits");
			i += 2;
		}
		buf_putc(out, c);
	}
	return buf_end(out, e);
}

bool
http_query(struct bytes query, const char *name, struct bytes *value)
{
	size_t len = strlen(name);
	while (query.len > 0) {
		const uint8_t *amp = memchr(query.p, '&', query.len);
		size_t n = amp == NULL ? query.len : (size_t)(amp - query.p);
		if (n >= len && memcmp(query.p, name, len) == 0 &&
		    (n == len || query.p[len] == '=')) {
			size_t skip = n == len ? len : len + 1;
			*value = bytes_of(query.p + skip, n - skip);
			return true;
		}
		n += amp == NULL ? 0 : 1;
		query = bytes_of(query.p + n, query.len - n);
	}
	return false;
}
