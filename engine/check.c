/* check - both ends of the messages to the checker. */
#include <string.h>

#include "check.h"

static enum err_code
malformed(struct err *e)
{
	return err_say(e, ERR_INVALID, "check-frame",
	    "core told the checker something that it does not understand");
}

uint32_t
check_cap(uint16_t type)
{
	return type == CHECK_LISTS || type == CHECK_SAMPLES ? CHECK_CAP : 0;
}

void
check_lists_encode(const struct check_list *v, size_t n, struct buf *out)
{
	put_u16(out, (uint16_t)n);
	for (size_t i = 0; i < n; i++) {
		put_u16(out, v[i].issuer);
		put_bytes(out, bytes_str(v[i].path));
	}
}

enum err_code
check_lists_decode(struct bytes in, struct check_list v[CHECK_LISTS_MAX],
    size_t *n, struct err *e)
{
	struct reader r = reader_of(in);
	*n = get_u16(&r);
	if (*n > CHECK_LISTS_MAX)
		return malformed(e);
	for (size_t i = 0; i < *n; i++) {
		v[i].issuer = get_u16(&r);
		struct bytes path = get_bytes(&r);
		if (path.len == 0 || path.len >= CHECK_PATH_MAX ||
		    path.p[0] != '/' || !ascii_printable(path))
			return malformed(e);
		memcpy(v[i].path, path.p, path.len);
		v[i].path[path.len] = '\0';
	}
	return reader_end(&r, e);
}

void
check_samples_encode(const struct check_sample *v, size_t n, struct buf *out)
{
	put_u8(out, (uint8_t)n);
	for (size_t i = 0; i < n; i++) {
		put_u16(out, v[i].issuer);
		put_bytes(out, bytes_of(v[i].serial, v[i].serial_len));
	}
}

enum err_code
check_samples_decode(struct bytes in, struct check_sample v[CHECK_SAMPLES_MAX],
    size_t *n, struct err *e)
{
	struct reader r = reader_of(in);
	*n = get_u8(&r);
	if (*n > CHECK_SAMPLES_MAX)
		return malformed(e);
	for (size_t i = 0; i < *n; i++) {
		v[i].issuer = get_u16(&r);
		struct bytes serial = get_bytes(&r);
		if (serial.len == 0 || serial.len > SERIAL_MAX)
			return malformed(e);
		memcpy(v[i].serial, serial.p, serial.len);
		v[i].serial_len = (uint8_t)serial.len;
	}
	return reader_end(&r, e);
}
