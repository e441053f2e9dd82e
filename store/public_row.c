/* public_row - keys and rows of what status serves. */
#include <string.h>

#include "public_file.h"

#define ROW_VERSION 2
#define ROW_ETAG    16
#define ROW_HEAD    (1 + 8 + 8 + 1 + 1 + 8 + ROW_ETAG)

enum { FLAG_FIRST = 1, FLAG_NONCE = 2, FLAG_FILE = 4, FLAGS = 7 };

/* The code of a type is its place: append only. */
static const char *const types[] = {
	"application/ocsp-response",
	"application/pkix-crl",
	"application/pkix-cert",
	"application/pkcs7-mime",
	"application/octet-stream",
	"application/json",
	"text/plain; charset=utf-8",
	"text/html; charset=utf-8",
};

static enum err_code
bad_row(struct err *e, const char *why)
{
	(void)err_say(e, ERR_CORRUPT, "public-row",
	    "a published answer cannot be read back; rebuild the published "
	    "store from the ledger");
	return err_why(e, "%s", why);
}

enum err_code
public_row_encode(const struct public_row *row, struct buf *out, struct err *e)
{
	uint8_t hash[SHA256_LEN];
	uint8_t type = 0;

	while (type < ARRAY_LEN(types) &&
	       (row->type == NULL || strcmp(row->type, types[type]) != 0))
		type++;
	if (type == ARRAY_LEN(types))
		return err_say(e, ERR_INVALID, "public-type",
		    "%s is no media type that is published; add it to the "
		    "table of types first",
		    row->type == NULL ? "nothing" : row->type);
	if (row->this_update < 0 || row->next_update < 0 || row->refresh_at < 0)
		return err_say(e, ERR_INVALID, "public-time",
		    "a published answer has a time before 1970; the clock or "
		    "the object is wrong");
	bool is_file = row->file[0] != '\0';
	if (is_file)
		memcpy(hash, row->file_sha256, sizeof(hash));
	else
		sha256(hash, row->body);
	put_u8(out, ROW_VERSION);
	put_i64(out, row->this_update);
	put_i64(out, row->next_update);
	put_u8(out, type);
	put_u8(out, (uint8_t)((row->first ? FLAG_FIRST : 0) |
			      (row->takes_nonce ? FLAG_NONCE : 0) |
			      (is_file ? FLAG_FILE : 0)));
	put_i64(out, row->refresh_at);
	buf_put(out, hash, ROW_ETAG);
	if (is_file) {
		put_u64(out, row->file_at);
		put_u64(out, row->file_len);
		buf_puts(out, row->file);
	} else
		buf_put(out, row->body.p, row->body.len);
	return buf_end(out, e);
}

/* A name of ours: "body-" and sixteen digits. */
static bool
get_file(struct bytes in, struct public_row *out)
{
	struct reader r = reader_of(in);
	out->file_at = get_u64(&r);
	out->file_len = get_u64(&r);
	if (r.bad || in.len - 16 != PUBLIC_FILE_LEN ||
	    !public_file_is_name(bytes_of(in.p + 16, in.len - 16)))
		return false;
	memcpy(out->file, in.p + 16, PUBLIC_FILE_LEN);
	out->file[PUBLIC_FILE_LEN] = '\0';
	return true;
}

enum err_code
public_row_decode(struct bytes in, struct public_row *out, struct err *e)
{
	if (in.len < ROW_HEAD)
		return bad_row(e, "short");
	const uint8_t *p = in.p;
	int64_t this_update = (int64_t)be64_parse(p + 1);
	int64_t next_update = (int64_t)be64_parse(p + 9);
	int64_t refresh_at = (int64_t)be64_parse(p + 19);
	if (p[0] != ROW_VERSION)
		return bad_row(e, "version");
	if (p[17] >= ARRAY_LEN(types) || p[18] > FLAGS)
		return bad_row(e, "type");
	if (this_update < 0 || next_update < 0 || refresh_at < 0)
		return bad_row(e, "time");
	out->this_update = this_update;
	out->next_update = next_update;
	out->type = types[p[17]];
	out->first = (p[18] & FLAG_FIRST) != 0;
	out->takes_nonce = (p[18] & FLAG_NONCE) != 0;
	out->refresh_at = refresh_at;
	hex_print(out->etag, bytes_of(p + 27, ROW_ETAG));
	out->body = bytes_of(p + ROW_HEAD, in.len - ROW_HEAD);
	out->file[0] = '\0';
	if ((p[18] & FLAG_FILE) == 0)
		return ERR_OK;
	if (!get_file(out->body, out))
		return bad_row(e, "file");
	out->body = BYTES_NONE;
	return ERR_OK;
}

struct bytes
public_ocsp_key(uint8_t out[PUBLIC_KEY_MAX], uint16_t issuer,
    struct bytes serial)
{
	/* A serial that no certificate can have has no key, and no answer. */
	if (serial.len == 0 || serial.len > SERIAL_MAX)
		return BYTES_NONE;
	out[0] = 'o';
	out[1] = (uint8_t)(issuer >> 8);
	out[2] = (uint8_t)issuer;
	memcpy(out + 3, serial.p, serial.len);
	return bytes_of(out, 3 + serial.len);
}

struct bytes
public_file_key(uint8_t out[PUBLIC_KEY_MAX], struct bytes path)
{
	if (path.len == 0 || path.len > PUBLIC_KEY_MAX - 1)
		return BYTES_NONE;
	out[0] = 'f';
	memcpy(out + 1, path.p, path.len);
	return bytes_of(out, 1 + path.len);
}
