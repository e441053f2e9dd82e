/* subject - whose status is asked about, from files and options. */
#include <string.h>

#include "status.h"

#define TIMEOUT_S     10
#define TIMEOUT_MAX_S 300

enum err_code
take_number(struct cli *c, enum cli_option option, int64_t min, int64_t max,
    int64_t *out, struct err *e)
{
	const char *text = c->option[option];
	char range[48];
	if (text == NULL)
		return ERR_OK;
	if (dec_parse(bytes_str(text), out) && *out >= min && *out <= max)
		return ERR_OK;
	snprintf(range, sizeof(range), "%lld..%lld", (long long)min,
	    (long long)max);
	c->exit = CLI_USAGE;
	return err_say(e, ERR_INVALID, "cli-number",
	    "--%s takes a whole number, %s, and not %s",
	    cli_options[option].word, range, text);
}

enum err_code
take_timeout(struct cli *c, int64_t *ms, struct err *e)
{
	int64_t seconds = TIMEOUT_S;
	TRY(take_number(c, OPT_TIMEOUT, 1, TIMEOUT_MAX_S, &seconds, e));
	*ms = seconds * 1000;
	return ERR_OK;
}

const char *
name_text(struct cli *c, struct bytes name)
{
	char text[512];
	name_print(text, sizeof(text), name);
	return arena_printf(c->arena, "%s", text);
}

const char *
time_text(struct cli *c, int64_t t)
{
	char text[TIME_TEXT];
	time_print(text, t);
	return arena_printf(c->arena, "%s", text);
}

const char *
hex_text(struct cli *c, struct bytes b)
{
	char *text = arena_get(c->arena, HEX_LEN(b.len));
	hex_print(text, b);
	return text;
}

enum err_code
read_certificate(struct cli *c, const char *file, struct buf *der,
    struct cert *out, struct err *e)
{
	struct buf text AUTO_BUF = BUF(0);
	*der = BUF(CERT_MAX_BYTES);
	TRY(input_read(c, file, 2 * CERT_MAX_BYTES, &text, e));
	TRY(pem_or_der(buf_bytes(&text), "CERTIFICATE", der, e));
	/* What it is for is none of our business: critical extensions of
	 * others change nothing in who issued it. */
	return cert_parse_own(buf_bytes(der), out, e);
}

static enum err_code
take_serial(const char *text, struct subject *s, struct err *e)
{
	struct bytes digits = bytes_str(text);
	/* As openssl prints and takes them. */
	if (digits.len > 2 && memcmp(digits.p, "0x", 2) == 0)
		digits = bytes_of(digits.p + 2, digits.len - 2);
	while (digits.len > 2 && digits.p[0] == '0' && digits.p[1] == '0')
		digits = bytes_of(digits.p + 2, digits.len - 2);
	s->serial_len = digits.len / 2;
	if (s->serial_len > 0 && s->serial_len <= SERIAL_MAX &&
	    hex_parse(digits, s->serial, s->serial_len))
		return ERR_OK;
	return err_say(e, ERR_INVALID, "cli-serial",
	    "%s is no serial number: two hexadecimal digits for each octet, at "
	    "most 20",
	    text);
}

static enum err_code
take_cert(struct cli *c, const char *file, struct subject *s, struct err *e)
{
	TRY(read_certificate(c, file, &s->cert_der, &s->cert, e));
	if (!bytes_eq(s->cert.issuer, s->issuer.subject))
		return err_say(e, ERR_INVALID, "cli-not-issuer",
		    "the certificate was issued by %s, and --issuer is another",
		    name_text(c, s->cert.issuer));
	s->has_cert = true;
	memcpy(s->serial, s->cert.serial.p, s->cert.serial.len);
	s->serial_len = s->cert.serial.len;
	return ERR_OK;
}

enum err_code
subject_read(struct cli *c, const char *file, struct subject *out,
    struct err *e)
{
	const char *issuer = c->option[OPT_ISSUER];
	const char *serial = c->option[OPT_SERIAL];
	if (issuer == NULL)
		return cli_usage_missing(c, "--issuer", e);
	TRY(read_certificate(c, issuer, &out->issuer_der, &out->issuer, e));
	TRY(issuer_id_of(&out->issuer, &out->id, e));
	TRY(verifier_new(&out->verifier, e));
	if (file != NULL)
		return take_cert(c, file, out, e);
	return serial == NULL ? ERR_OK : take_serial(serial, out, e);
}

void
subject_fini(struct subject *s)
{
	buf_fini(&s->issuer_der);
	buf_fini(&s->cert_der);
	verifier_free(s->verifier);
	*s = (struct subject){ .has_cert = false };
}

/* --- CRLs ------------------------------------------------------------------------ */

static enum err_code
fetch_list(struct cli *c, const char *url, struct buf *out, struct err *e)
{
	struct http_response r;
	int64_t timeout_ms;
	TRY(take_timeout(c, &timeout_ms, e));
	TRY(probe_get(url, CRL_READ_MAX, timeout_ms, false, &r, e));
	*out = r.body;
	r.body = BUF(0);
	http_response_fini(&r);
	return ERR_OK;
}

enum err_code
read_list(struct cli *c, const char *name, struct buf *der, struct crl_any *out,
    struct err *e)
{
	struct buf text AUTO_BUF = BUF(0);
	*der = BUF(CRL_READ_MAX);
	if (strstr(name, "://") != NULL)
		TRY(fetch_list(c, name, &text, e));
	else
		TRY(input_read(c, name, 2 * (size_t)CRL_READ_MAX, &text, e));
	TRY(pem_or_der(buf_bytes(&text), "X509 CRL", der, e));
	return crl_any_parse(buf_bytes(der), out, e);
}

const char *
list_number(struct cli *c, struct bytes number)
{
	uint64_t n = 0;
	if (number.len == 0)
		return "-";
	if (number.len > 8)
		return arena_printf(c->arena, "0x%s", hex_text(c, number));
	for (size_t i = 0; i < number.len; i++)
		n = n << 8 | number.p[i];
	return arena_printf(c->arena, "%llu", (unsigned long long)n);
}

const char *
reason_text(struct cli *c, int reason)
{
	const char *name = crl_reason_name(reason);
	if (name != NULL)
		return name;
	if (reason < 0)
		return "unspecified";
	if (reason == CRL_REMOVE)
		return "removeFromCRL";
	return reason == 10 ? "aACompromise"
			    : arena_printf(c->arena, "%d", reason);
}
