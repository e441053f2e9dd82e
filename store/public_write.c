/* public_write - core publishes: answers, how far the log got, issuers. */
#include <stdlib.h>
#include <string.h>

#include "pack.h"

struct public_txn {
	struct public *p;
	MDB_txn *txn;
	struct packer *packer; /* NULL until an OCSP answer is written */
	struct err first;      /* the first error; commit returns it */
	bool failed;
};

static enum err_code
sound(const struct public_txn *t, struct err *e)
{
	if (!t->failed)
		return ERR_OK;
	*e = t->first;
	return e->code;
}

/* Remembers the first error of the transaction. */
static enum err_code
keep(struct public_txn *t, enum err_code rc, const struct err *e)
{
	if (rc != ERR_OK && !t->failed) {
		t->failed = true;
		t->first = *e;
	}
	return rc;
}

enum err_code
public_begin(struct public *p, struct public_txn **out, struct err *e)
{
	if (!p->write)
		return err_say(e, ERR_CONFLICT, "public-read-only",
		    "the published store was opened for reading; only core "
		    "writes it");
	TRY(env_usable(&p->env, e));
	struct public_txn *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return err_nomem(e);
	t->p = p;
	if (atomic_exchange(&p->writing, true)) {
		free(t);
		return err_say(e, ERR_CONFLICT, "public-writing",
		    "something is being published already; end that first");
	}
	enum err_code rc =
	    env_error(mdb_txn_begin(p->env.mdb, NULL, 0, &t->txn), e);
	if (rc != ERR_OK) {
		public_abort(t);
		return rc;
	}
	*out = t;
	return ERR_OK;
}

void
public_abort(struct public_txn *t)
{
	if (t == NULL)
		return;
	if (t->txn != NULL) {
		mdb_txn_abort(t->txn);
		packer_forget(t->p);
	}
	packer_free(t->packer);
	atomic_store(&t->p->writing, false);
	free(t);
}

enum err_code
public_commit(struct public_txn *t, struct err *e)
{
	struct public *p = t->p;
	enum err_code code = sound(t, e);

	if (code == ERR_OK && t->packer != NULL)
		code = packer_end(t->packer, e);
	if (code == ERR_OK) {
		MDB_txn *txn = TAKE(t->txn);
		int rc = mdb_txn_commit(txn);
		if (rc != 0)
			packer_forget(p);
		if (rc == MDB_MAP_FULL || rc == MDB_TXN_FULL)
			code = env_error(rc, e);
		else if (rc != 0) {
			p->failed = true;
			(void)err_say(e, ERR_IO, "public-commit",
			    "the published store did not take a write; it is "
			    "rebuilt when the engine starts again");
			code = err_why(e, "lmdb: %s", mdb_strerror(rc));
		} else
			code = env_cover(&p->env, e);
	}
	public_abort(t);
	return code;
}

/* --- Answers -------------------------------------------------------------- */

struct bytes
due_key(uint8_t out[DUE_KEY], const struct public_row *row, struct bytes key)
{
	be64_print(out,
	    (uint64_t)row->refresh_at | (row->first ? 0 : DUE_GOOD));
	memcpy(out + 8, key.p, key.len);
	return bytes_of(out, 8 + key.len);
}

static bool
is_ocsp(struct bytes key)
{
	return key.len > 0 && key.p[0] == 'o';
}

static enum err_code
check_key(struct bytes key, struct err *e)
{
	bool good = key.len >= 2 && key.len <= PUBLIC_KEY_MAX &&
		    (key.p[0] == 'f' || (is_ocsp(key) && key.len > KEY_HEAD &&
					    key.len <= ROW_KEY &&
					    key_issuer(key) < ISSUERS_MAX));
	if (!good)
		return err_say(e, ERR_INVALID, "public-key",
		    "this is no key of the published store; its path or serial "
		    "is empty or too long");
	return ERR_OK;
}

static enum err_code
packer_ready(struct public_txn *t, struct err *e)
{
	if (t->packer == NULL)
		t->packer = packer_new(t->p, t->txn);
	return t->packer == NULL ? err_nomem(e) : ERR_OK;
}

/* Takes the old row of the key out of the refresh index, and away if it was
 * kept whole. */
static enum err_code
forget_due(struct public_txn *t, struct bytes key, struct err *e)
{
	uint8_t room[DUE_KEY];
	struct public_row old;
	MDB_val k = val_of(key), d;

	bool packed;
	int rc;

	TRY(packer_get(t->packer, key, &old, &packed, e));
	if (!packed) {
		rc = mdb_get(t->txn, t->p->answers, &k, &d);
		if (rc == MDB_NOTFOUND)
			return ERR_OK;
		TRY(env_error(rc, e));
		TRY(public_row_decode(bytes_of_val(d), &old, e));
		rc = mdb_del(t->txn, t->p->answers, &k, NULL);
		TRY(env_error(rc, e));
	}
	k = val_of(due_key(room, &old, key));
	rc = mdb_del(t->txn, t->p->due, &k, NULL);
	return rc == MDB_NOTFOUND ? ERR_OK : env_error(rc, e);
}

static enum err_code
put_due(struct public_txn *t, struct bytes key, const struct public_row *row,
    struct err *e)
{
	uint8_t room[DUE_KEY];
	MDB_val k = val_of(due_key(room, row, key));
	MDB_val d = val_of(BYTES_NONE);
	return env_error(mdb_put(t->txn, t->p->due, &k, &d, 0), e);
}

static enum err_code
put_row(struct public_txn *t, struct bytes key, const struct public_row *row,
    struct err *e)
{
	struct buf b AUTO_BUF = BUF(128 + row->body.len);
	MDB_val k = val_of(key), d;

	TRY(check_key(key, e));
	TRY(public_row_encode(row, &b, e));
	if (is_ocsp(key)) {
		bool packed;
		TRY(packer_ready(t, e));
		TRY(forget_due(t, key, e));
		TRY(put_due(t, key, row, e));
		TRY(packer_put(t->packer, key, row, &packed, e));
		if (packed)
			return ERR_OK;
	}
	d = val_of(buf_bytes(&b));
	return env_error(mdb_put(t->txn, t->p->answers, &k, &d, 0), e);
}

enum err_code
public_put(struct public_txn *t, struct bytes key, const struct public_row *row,
    struct err *e)
{
	TRY(sound(t, e));
	return keep(t, put_row(t, key, row, e), e);
}

static enum err_code
del_row(struct public_txn *t, struct bytes key, struct err *e)
{
	MDB_val k = val_of(key);

	TRY(check_key(key, e));
	if (is_ocsp(key)) {
		TRY(packer_ready(t, e));
		TRY(forget_due(t, key, e));
		return packer_del(t->packer, key, e);
	}
	int rc = mdb_del(t->txn, t->p->answers, &k, NULL);
	return rc == MDB_NOTFOUND ? ERR_OK : env_error(rc, e);
}

enum err_code
public_del(struct public_txn *t, struct bytes key, struct err *e)
{
	TRY(sound(t, e));
	return keep(t, del_row(t, key, e), e);
}

/* --- Meta ----------------------------------------------------------------- */

static enum err_code
put_log_index(struct public_txn *t, uint64_t log_index, struct err *e)
{
	struct public_state state;
	TRY(public_state_get(t->p, t->txn, &state, e));
	state.log_index = log_index;
	return public_state_put(t->p, t->txn, &state, e);
}

enum err_code
public_put_meta(struct public_txn *t, uint64_t log_index, struct err *e)
{
	TRY(sound(t, e));
	return keep(t, put_log_index(t, log_index, e), e);
}

static enum err_code
put_issuer(struct public_txn *t, uint16_t index, const struct public_issuer *is,
    struct err *e)
{
	struct buf b AUTO_BUF = BUF(ISSUER_ROW);
	const uint8_t key[3] = { 'i', (uint8_t)(index >> 8), (uint8_t)index };
	const struct issuer_id *id = &is->id;

	put_u8(&b, 2);
	buf_put(&b, id->name_sha1, sizeof(id->name_sha1));
	buf_put(&b, id->key_sha1, sizeof(id->key_sha1));
	buf_put(&b, id->name_sha256, sizeof(id->name_sha256));
	buf_put(&b, id->key_sha256, sizeof(id->key_sha256));
	put_bytes(&b, bytes_str(is->name));
	TRY(buf_end(&b, e));
	MDB_val k = val_of(bytes_of(key, sizeof(key)));
	MDB_val d = val_of(buf_bytes(&b)), old;
	/* Of a thousand hardly one is new: no page is copied for the others. */
	if (mdb_get(t->txn, t->p->meta, &k, &old) == 0 &&
	    bytes_eq(bytes_of_val(old), buf_bytes(&b)))
		return ERR_OK;
	return env_error(mdb_put(t->txn, t->p->meta, &k, &d, 0), e);
}

enum err_code
public_put_issuer(struct public_txn *t, uint16_t index,
    const struct public_issuer *is, struct err *e)
{
	TRY(sound(t, e));
	return keep(t, put_issuer(t, index, is, e), e);
}
