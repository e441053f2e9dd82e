/* cas_offline - what is done to the file of the CAs' keys while no signer runs. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cas.h"

/* Whole, and not one whose tail waits for the journal. */
static enum err_code
open_whole(const char *dir, struct bytes passphrase, struct cas **out,
    struct err *e)
{
	AUTO(cas) c = NULL;
	TRY(cas_open(dir, passphrase, &c, e));
	if (c->size > c->end)
		return cas_damaged(e);
	*out = TAKE(c);
	return ERR_OK;
}

/* All that the file says of one CA. */
static enum err_code
copy(struct cas *from, const struct ca *ca, struct cas *to, struct err *e)
{
	static const uint8_t zeros[WRAPPED_MAX];
	struct buf part AUTO_BUF = BUF(CAS_BODY_MAX);
	struct bytes name = bytes_str(ca->name);
	AUTO(key) key = NULL;
	if (ca->is_wiped) {
		TRY(cas_get(from, ca->spki_at, ca->spki_len, &part, e));
		TRY(cas_append(to, CAS_KEY, name, buf_bytes(&part),
		    bytes_of(zeros, ca->wrapped_len), e));
		buf_reset(&part);
	} else {
		TRY(cas_unwrap(from, ca, &key, e));
		TRY(cas_append_key(to, name, key, e));
	}
	if (ca->certificate_len > 0) {
		TRY(cas_get(from, ca->certificate_at, ca->certificate_len,
		    &part, e));
		TRY(cas_append(to, CAS_CERTIFICATE, name, buf_bytes(&part),
		    BYTES_NONE, e));
	}
	return ca->is_wiped
		   ? cas_append(to, CAS_WIPED, name, BYTES_NONE, BYTES_NONE, e)
		   : ERR_OK;
}

enum err_code
cas_check_change(struct cas *c, const char *dir, struct err *e)
{
	char path[2 * PATH_LEN];
	snprintf(path, sizeof(path), "%s/signer/cas.new", dir);
	return c->end == 0 || access(path, F_OK) != 0 ? ERR_OK
						      : cas_derive(c, e);
}

enum err_code
signer_cas_rewrap(const char *dir, struct bytes old, struct bytes fresh,
    bool *made, struct err *e)
{
	AUTO(cas) from = NULL;
	AUTO(cas) to = NULL;
	char path[2 * PATH_LEN];
	struct err no;
	*made = false;
	snprintf(path, sizeof(path), "%s/signer/cas.new", dir);
	if (unlink(path) != 0 && errno != ENOENT)
		return cas_cannot_write(e);
	TRY(open_whole(dir, old, &from, e));
	if (from->end == 0)
		return ERR_OK;
	if (cas_derive(from, e) != ERR_OK) {
		enum err_code code = e->code;
		TRY(open_whole(dir, fresh, &to, e));
		/* A change that was interrupted, made once more. */
		return cas_derive(to, &no) == ERR_OK ? ERR_OK : code;
	}
	TRY(cas_open_named(dir, "cas.new", fresh, &to, e));
	TRY(cas_begin(to, e));
	TRY(cas_write_head(to, e));
	for (size_t i = 0; i < from->n; i++)
		TRY(copy(from, &from->ca[i], to, e));
	*made = true;
	return ERR_OK;
}

enum err_code
signer_cas_drop(const char *dir, struct bytes name, bool *before, struct err *e)
{
	AUTO(cas) c = NULL;
	TRY(open_whole(dir, BYTES_NONE, &c, e));
	struct ca *ca = cas_find(c, name);
	if (ca == NULL)
		return cas_unknown(e);
	if (ca->certificate_len > 0)
		return err_say(e, ERR_CONFLICT, "cas-not-pending",
		    "the CA %s has a certificate; officers agree that its key "
		    "is destroyed: refrendo ceremony destroy",
		    ca->name);
	*before = ca->is_wiped;
	if (!*before)
		TRY(cas_append(c, CAS_WIPED, name, BYTES_NONE, BYTES_NONE, e));
	return cas_wipe_rest(c, ca, e);
}
