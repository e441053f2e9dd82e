#include <string.h>

#include "inner.h"

/* --- Keys -------------------------------------------------------------------- */

static struct bytes
key_join(struct arena *a, enum row_class class, const struct bytes *part,
    size_t n, uint8_t between)
{
	size_t len = 1 + (n > 0 ? n - 1 : 0);
	for (size_t i = 0; i < n; i++)
		len += part[i].len;
	uint8_t *p = arena_get(a, len);
	uint8_t *at = p;
	*at++ = (uint8_t)class;
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			*at++ = between;
		if (part[i].len > 0)
			memcpy(at, part[i].p, part[i].len);
		at += part[i].len;
	}
	return bytes_of(p, len);
}

struct bytes
ca_row_key(struct arena *a, enum row_class class, struct bytes part)
{
	return key_join(a, class, &part, 1, 0);
}

struct bytes
key_of_pair(struct arena *a, enum row_class class, struct bytes first,
    struct bytes second)
{
	struct bytes part[2] = { first, second };

	return key_join(a, class, part, 2, '/');
}

struct bytes
key_of_term(struct arena *a, struct bytes rut, struct bytes run,
    struct bytes appointment)
{
	struct bytes part[3] = { rut, run, appointment };

	return key_join(a, ROW_TERM, part, 3, '/');
}

struct bytes
key_of_mandated(struct arena *a, struct bytes rut, struct bytes run,
    struct bytes id)
{
	struct bytes part[3] = { rut, run, id };

	return key_join(a, ROW_MANDATED, part, 3, '/');
}

struct bytes
key_of_held(struct arena *a, struct bytes rut, struct bytes run,
    struct bytes serial)
{
	struct bytes part[3] = { rut, run, serial };

	return key_join(a, ROW_HELD, part, 3, '/');
}

struct bytes
key_of_due(struct arena *a, int64_t when, enum row_class what, struct bytes id)
{
	uint8_t *p = arena_get(a, 10 + id.len);

	p[0] = ROW_DUE;
	be64_print(p + 1, (uint64_t)when);
	p[9] = (uint8_t)what;
	if (id.len > 0)
		memcpy(p + 10, id.p, id.len);
	return bytes_of(p, 10 + id.len);
}

struct bytes
hash_in(struct arena *a, struct bytes b)
{
	uint8_t *p = arena_get(a, SHA256_LEN);

	sha256(p, b);
	return bytes_of(p, SHA256_LEN);
}

/* --- Records by key ------------------------------------------------------------ */

enum err_code
institution_get(struct view *v, struct bytes rut, struct arena *a,
    struct institution *out, struct err *e)
{
	bool found;

	TRY(rec_get(v, &rec_institution, ca_row_key(a, ROW_INSTITUTION, rut), a,
	    out, &found, e));
	if (!found)
		return err_say(e, ERR_NOTFOUND, "institution-unknown",
		    "no institution has the RUT %s; check it, or add the "
		    "institution",
		    arena_str(a, rut));
	return ERR_OK;
}

enum err_code
person_get(struct view *v, struct bytes rut, struct bytes run, struct arena *a,
    struct person *out, struct err *e)
{
	bool found;

	TRY(rec_get(v, &rec_person, key_of_pair(a, ROW_PERSON, rut, run), a,
	    out, &found, e));
	if (!found)
		return err_say(e, ERR_NOTFOUND, "person-unknown",
		    "nobody with the RUN %s is registered in the institution "
		    "%s; register the person first",
		    arena_str(a, run), arena_str(a, rut));
	return ERR_OK;
}

enum err_code
appointment_get(struct view *v, struct bytes id, struct arena *a,
    struct appointment *out, struct err *e)
{
	bool found;

	TRY(rec_get(v, &rec_appointment, ca_row_key(a, ROW_APPOINTMENT, id), a,
	    out, &found, e));
	if (!found)
		return err_say(e, ERR_NOTFOUND, "appointment-unknown",
		    "there is no appointment %s", arena_str(a, id));
	return ERR_OK;
}

enum err_code
request_get(struct view *v, struct bytes id, struct arena *a,
    struct request *out, struct err *e)
{
	bool found;

	TRY(rec_get(v, &rec_request, ca_row_key(a, ROW_REQUEST, id), a, out,
	    &found, e));
	if (!found)
		return err_say(e, ERR_NOTFOUND, "request-unknown",
		    "there is no request %s", arena_str(a, id));
	return ERR_OK;
}

enum err_code
mandate_get(struct view *v, struct bytes id, struct arena *a,
    struct mandate *out, struct err *e)
{
	bool found;

	TRY(rec_get(v, &rec_mandate, ca_row_key(a, ROW_MANDATE, id), a, out,
	    &found, e));
	if (!found)
		return err_say(e, ERR_NOTFOUND, "mandate-unknown",
		    "there is no mandate %s", arena_str(a, id));
	return ERR_OK;
}

enum err_code
issuer_get(struct view *v, struct bytes name, struct arena *a,
    struct issuer_row *out, struct err *e)
{
	bool found;

	TRY(rec_get(v, &rec_issuer, ca_row_key(a, ROW_ISSUER, name), a, out,
	    &found, e));
	if (!found)
		return err_say(e, ERR_NOTFOUND, "ca-unknown",
		    "there is no CA with the name %s", arena_str(a, name));
	return ERR_OK;
}

enum err_code
certificate_get(struct view *v, struct bytes serial, struct arena *a,
    struct certificate *out, struct err *e)
{
	char hex[HEX_LEN(SERIAL_MAX)] = "";
	bool found;

	TRY(rec_get(v, &rec_certificate, ca_row_key(a, ROW_CERTIFICATE, serial),
	    a, out, &found, e));
	if (found)
		return ERR_OK;
	if (serial.len <= SERIAL_MAX)
		hex_print(hex, serial);
	return err_say(e, ERR_NOTFOUND, "certificate-unknown",
	    "no certificate has the serial number %s", hex);
}

enum err_code
key_certified(struct view *v, const struct key_row *key, struct arena *a,
    bool *yes, struct err *e)
{
	struct request last;
	bool found;

	*yes = key->certified != 0;
	if (*yes)
		return ERR_OK;
	TRY(rec_get(v, &rec_request, ca_row_key(a, ROW_REQUEST, key->request),
	    a, &last, &found, e));
	*yes = found && last.endorsed != 0;
	return ERR_OK;
}

enum err_code
request_load(struct view *v, struct request *r, const char *name,
    struct arena *a, struct err *e)
{
	return rec_load(v, &rec_request, name, a, r, e);
}

enum err_code
certificate_load(struct view *v, struct certificate *c, struct arena *a,
    struct err *e)
{
	return rec_load(v, &rec_certificate, NULL, a, c, e);
}

enum err_code
rec_get(struct view *v, const struct rec_type *t, struct bytes key,
    struct arena *a, void *rec, bool *found, struct err *e)
{
	struct bytes row;

	TRY(view_get(v, key, &row, found, e));
	if (!*found)
		return ERR_OK;
	/* The row borrows from the view until its next write. */
	return rec_decode(t, arena_copy(a, row), rec, e);
}
