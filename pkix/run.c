/*
 * RUN and RUT: one number space, a check digit modulo 11 whose weights run
 * 2 to 7 from the right.
 */
#include "internal.h"

/* Ignoring what people type between the digits; false when too long. */
static bool
squeeze(struct bytes text, char *out, size_t size, size_t *len)
{
	size_t i, n = 0;

	for (i = 0; i < text.len; i++) {
		uint8_t c = text.p[i];

		if (c == '.' || c == ' ')
			continue;
		if (n == size)
			return false;
		out[n++] = c == 'k' ? 'K' : (char)c;
	}
	*len = n;
	return true;
}

static char
check_digit(const char *digits, size_t len)
{
	unsigned weight = 2, sum = 0;

	while (len-- > 0) {
		sum += (unsigned)(digits[len] - '0') * weight;
		weight = weight == 7 ? 2 : weight + 1;
	}
	sum = 11 - sum % 11;
	if (sum == 11)
		return '0';
	return sum == 10 ? 'K' : (char)('0' + sum);
}

/* Digits, dash, digit or K; body and its length come without zeros. */
static bool
split(const char *s, size_t len, const char **body, size_t *digits)
{
	size_t i;

	if (len < 3 || s[len - 2] != '-')
		return false;
	if (s[len - 1] != 'K' && (s[len - 1] < '0' || s[len - 1] > '9'))
		return false;
	for (i = 0; i + 2 < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
	}
	for (i = 0; i + 2 < len && s[i] == '0'; i++)
		;
	*body = s + i;
	*digits = len - 2 - i;
	return *digits >= 1 && *digits <= 8;
}

enum err_code
run_parse(struct bytes text, char out[RUN_TEXT], struct err *e)
{
	char squeezed[24], want[2] = "";
	const char *body;
	size_t len, digits;

	if (!squeeze(text, squeezed, sizeof(squeezed), &len) ||
	    !split(squeezed, len, &body, &digits))
		return err_at(e, ERR_INVALID, "run-form", "DS 181/2002",
		    NOWHERE,
		    "this is not a RUN or RUT; write one to eight digits, a "
		    "dash and the check digit, as in 12345678-5");
	want[0] = check_digit(body, digits);
	if (body[digits + 1] != want[0])
		return err_at(e, ERR_INVALID, "run-digit", "DS 181/2002",
		    NOWHERE,
		    "the check digit does not fit the number: it should be "
		    "%s; compare with the identity card",
		    want);
	memcpy(out, body, digits + 2);
	out[digits + 2] = '\0';
	return ERR_OK;
}
