/*
 * state - what the journal says, kept in memory.  state_apply() is the one way
 * in: at start it is given every record of the file, later each new one.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "internal.h"

enum err_code
state_init(struct state *s, struct err *e)
{
	*s = (struct state){ .hasher = hasher_new() };
	if (RAND_bytes(s->key, sizeof(s->key)) != 1)
		return err_openssl(e, "signer-random",
		    "the random source of this machine does not work; nothing "
		    "can be signed");
	return ERR_OK;
}

void
state_fini(struct state *s)
{
	hasher_free(s->hasher);
	table_fini(&s->serials);
	table_fini(&s->keys);
	table_fini(&s->institutions);
	free(s->institution);
	table_fini(&s->agreements);
	free(s->agreed);
	table_fini(&s->crls);
	free(s->crl);
	*s = (struct state){ .hasher = NULL };
}

/* Keyed, because a peer that chose its serials could otherwise make them
 * all fall into one chain. */
static uint64_t
hash_of(struct state *s, struct bytes b)
{
	uint8_t text[sizeof(s->key) + ID_LEN_MAX], hash[SHA256_LEN];
	size_t len = b.len < ID_LEN_MAX ? b.len : ID_LEN_MAX;
	memcpy(text, s->key, sizeof(s->key));
	if (len > 0)
		memcpy(text + sizeof(s->key), b.p, len);
	hasher_sha256(s->hasher, hash, bytes_of(text, sizeof(s->key) + len));
	return be64_parse(hash);
}

/* --- What officers agreed on -------------------------------------------------- */

static struct bytes
key_of(const struct agreed *a, enum agreed_by by)
{
	return by == BY_ID     ? bytes_str(a->id)
	       : by == BY_NAME ? bytes_str(a->name)
			       : bytes_of(a->sha256, SHA256_LEN);
}

struct agreed *
state_agreed(struct state *s, enum agreed_by by, struct bytes what, size_t *at)
{
	uint64_t hash = hash_of(s, what) + by;
	struct slot *slot;
	while ((slot = table_next(&s->agreements, hash, at)) != NULL) {
		struct agreed *a = &s->agreed[slot->value - 1];
		if (bytes_eq(what, key_of(a, by)))
			return a;
	}
	return NULL;
}

struct agreed *
state_agreed_id(struct state *s, struct bytes id)
{
	size_t at = SIZE_MAX;
	return state_agreed(s, BY_ID, id, &at);
}

struct agreed *
state_agreed_hash(struct state *s, enum agreed_kind kind, struct bytes sha256)
{
	size_t at = SIZE_MAX;
	struct agreed *a;
	do
		a = state_agreed(s, BY_SHA256, sha256, &at);
	while (a != NULL && a->kind != kind);
	return a;
}

static void
copy_text(char *out, size_t size, struct bytes b)
{
	size_t len = b.len < size ? b.len : size - 1;
	if (len > 0)
		memcpy(out, b.p, len);
	out[len] = '\0';
}

/* Room doubles when the count is a power of two (or 0). */
static enum err_code
more_room(void **list, size_t n, size_t each, struct err *e)
{
	if ((n & (n - 1)) != 0)
		return ERR_OK;
	void *p = realloc(*list, (n == 0 ? 1 : 2 * n) * each);
	if (p == NULL)
		return err_nomem(e);
	*list = p;
	return ERR_OK;
}

static enum err_code
add_agreed(struct state *s, const struct record *r, enum agreed_kind kind,
    struct bytes name, struct err *e)
{
	void *list = s->agreed;
	TRY(more_room(&list, s->n_agreed, sizeof(*s->agreed), e));
	s->agreed = list;
	struct agreed *a = &s->agreed[s->n_agreed++];
	*a = (struct agreed){ .kind = kind,
		.version = kind == AGREED_POLICY ? r->value : 0,
		.from = r->from,
		.until = r->until,
		.heard = r->time,
		.ended = kind == AGREED_ENDED ? r->time : NEVER };
	copy_text(a->id, sizeof(a->id), r->id);
	copy_text(a->name, sizeof(a->name), name);
	copy_text(a->run, sizeof(a->run), r->run);
	if (r->digest.len == SHA256_LEN)
		memcpy(a->sha256, r->digest.p, SHA256_LEN);
	if (r->statement.len == SHA256_LEN)
		memcpy(a->statement, r->statement.p, SHA256_LEN);
	for (unsigned by = BY_ID; by < BY_KINDS; by++)
		TRY(table_put(&s->agreements,
		    hash_of(s, key_of(a, (enum agreed_by)by)) + by, s->n_agreed,
		    e));
	return ERR_OK;
}

/* For good, and for what comes later too. */
static enum err_code
end_agreed(struct state *s, const struct record *r, struct err *e)
{
	size_t at = SIZE_MAX;
	struct agreed *a = state_agreed(s, BY_ID, r->id, &at);
	if (a == NULL) {
		s->n_unheard++;
		return add_agreed(s, r, AGREED_ENDED, BYTES_NONE, e);
	}
	for (; a != NULL; a = state_agreed(s, BY_ID, r->id, &at))
		a->ended = r->time < a->ended ? r->time : a->ended;
	return ERR_OK;
}

enum err_code
state_first_policies(struct state *s, const struct ceilings *c, struct err *e)
{
	for (size_t i = 0; i < s->n_agreed; i++) {
		if (s->agreed[i].id[0] == '\0')
			s->agreed[i].ended = 0; /* of the ceilings before */
	}
	for (size_t i = 0; i < c->n_policy; i++) {
		struct record r = { .digest = bytes_of(c->policy[i].sha256,
					SHA256_LEN) };
		TRY(add_agreed(s, &r, AGREED_POLICY,
		    bytes_str(c->policy[i].name), e));
	}
	return ERR_OK;
}

/* --- Certificates --------------------------------------------------------------- */

void
hour_add(struct hour *h, int64_t time)
{
	int64_t minute = time / MINUTE;
	size_t i = (size_t)((minute % MINUTES + MINUTES) % MINUTES);
	if (h->minute[i] != minute)
		h->count[i] = 0;
	h->minute[i] = minute;
	h->count[i]++;
}

int64_t
hour_sum(const struct hour *h, int64_t now)
{
	int64_t first = now / MINUTE - (MINUTES - 1), sum = 0;
	for (size_t i = 0; i < MINUTES; i++) {
		if (h->minute[i] >= first)
			sum += h->count[i];
	}
	return sum;
}

/* In a list whose elements begin with their name. */
static void *
find_named(struct state *s, const struct table *t, void *list, size_t size,
    struct bytes name)
{
	size_t at = SIZE_MAX;
	struct slot *slot;
	uint64_t hash = hash_of(s, name);
	while ((slot = table_next(t, hash, &at)) != NULL) {
		char *found = (char *)list + (slot->value - 1) * size;
		if (bytes_is(name, found))
			return found;
	}
	return NULL;
}

int64_t
state_institution_hour(struct state *s, struct bytes rut, int64_t now)
{
	const struct institution_seen *i =
	    find_named(s, &s->institutions, s->institution, sizeof(*i), rut);
	return i == NULL ? 0 : hour_sum(&i->hour, now);
}

/* There are no more of them than appointments, which officers sign. */
static enum err_code
count_institution(struct state *s, const struct record *r, struct err *e)
{
	struct institution_seen *i = find_named(s, &s->institutions,
	    s->institution, sizeof(*i), r->institution);
	if (i == NULL) {
		void *list = s->institution;
		TRY(more_room(&list, s->n_institution, sizeof(*i), e));
		s->institution = list;
		i = &s->institution[s->n_institution++];
		*i = (struct institution_seen){ .rut = "" };
		copy_text(i->rut, sizeof(i->rut), r->institution);
		TRY(table_put(&s->institutions, hash_of(s, r->institution),
		    s->n_institution, e));
	}
	hour_add(&i->hour, r->time);
	return ERR_OK;
}

static void
apply_signature(struct state *s, const struct record *r)
{
	uint64_t of = (uint64_t)r->of;
	if (r->serial.len > 0) {
		uint64_t hash = hash_of(s, r->serial);
		size_t at = SIZE_MAX;
		struct slot *slot;
		while ((slot = table_next(&s->serials, hash, &at)) != NULL) {
			if (slot->value == of)
				slot->value = r->at;
		}
		return;
	}
	for (size_t i = 0; i < s->n_crl; i++) {
		if (s->crl[i].record == of)
			s->crl[i].signature = r->at;
	}
	if (s->checkpoint_record == of)
		s->checkpoint_signature = r->at;
}

enum err_code
state_serial(struct state *s, struct journal *j, struct bytes serial,
    struct buf *scratch, struct record *record, uint64_t *signature,
    bool *found, struct err *e)
{
	uint64_t hash = hash_of(s, serial);
	size_t at = SIZE_MAX;
	struct slot *slot;
	*found = false;
	*signature = 0;
	while ((slot = table_next(&s->serials, hash, &at)) != NULL) {
		TRY(journal_get(j, slot->value, scratch, record, e));
		if (!bytes_eq(record->serial, serial))
			continue;
		*found = true;
		if (record->kind != REC_SIGNATURE)
			return ERR_OK;
		*signature = record->at;
		return journal_get(j, (uint64_t)record->of, scratch, record, e);
	}
	return ERR_OK;
}

enum err_code
state_key(struct state *s, struct journal *j, struct bytes key,
    struct bytes holder, bool *is_other, struct err *e)
{
	struct buf scratch AUTO_BUF = BUF(2 * RECORD_MAX);
	uint64_t hash = hash_of(s, key);
	size_t at = SIZE_MAX;
	struct slot *slot;
	struct record r;
	*is_other = false;
	while ((slot = table_next(&s->keys, hash, &at)) != NULL) {
		TRY(journal_get(j, slot->value, &scratch, &r, e));
		if (bytes_eq(r.key, key) && !bytes_eq(r.holder, holder))
			*is_other = true;
	}
	return ERR_OK;
}

/* A certificate of a person: by its serial, by its key, and by its hour. */
static enum err_code
add_certificate(struct state *s, const struct record *r, struct err *e)
{
	s->certificates++;
	hour_add(&s->hour, r->time);
	if (r->institution.len > 0)
		TRY(count_institution(s, r, e));
	/* The first of a key tells whose it is: all later ones are the same
	 * person's, and a search stays short however often it is renewed. */
	size_t at = SIZE_MAX;
	uint64_t hash = r->key.len > 0 ? hash_of(s, r->key) : 0;
	if (r->key.len > 0 && table_next(&s->keys, hash, &at) == NULL)
		TRY(table_put(&s->keys, hash, r->at, e));
	return table_put(&s->serials, hash_of(s, r->serial), r->at, e);
}

/* --- CRLs and checkpoints ------------------------------------------------------------ */

struct crl_seen *
state_crl(struct state *s, struct bytes issuer)
{
	return find_named(s, &s->crls, s->crl, sizeof(*s->crl), issuer);
}

static enum err_code
apply_crl(struct state *s, const struct record *r, struct err *e)
{
	struct crl_seen *crl = state_crl(s, r->issuer);
	if (crl == NULL) {
		void *list = s->crl;
		TRY(more_room(&list, s->n_crl, sizeof(*crl), e));
		s->crl = list;
		crl = &s->crl[s->n_crl++];
		TRY(table_put(&s->crls, hash_of(s, r->issuer), s->n_crl, e));
	}
	*crl = (struct crl_seen){ .number = r->value,
		.this_update = r->this_update,
		.record = r->at };
	copy_text(crl->issuer, sizeof(crl->issuer), r->issuer);
	memcpy(crl->tbs_sha256, r->digest.p, SHA256_LEN);
	return ERR_OK;
}

static void
apply_checkpoint(struct state *s, const struct record *r)
{
	s->checkpoint_size = (uint64_t)r->value;
	memcpy(s->checkpoint_root, r->digest.p, HASH_LEN);
	s->checkpoint_record = r->at;
	s->checkpoint_signature = 0;
}

enum err_code
state_apply(struct state *s, const struct record *r, struct err *e)
{
	struct agreed *a;
	if (r->time > s->last_time)
		s->last_time = r->time;
	switch (r->kind) {
	case REC_APPOINTMENT:
		TRY(add_agreed(s, r, AGREED_MINISTER, r->institution, e));
		return add_certificate(s, r, e);
	case REC_RENEWAL: /* counted from the first on */
		if (state_agreed_id(s, r->id) == NULL)
			TRY(add_agreed(s, r, AGREED_MANDATE, BYTES_NONE, e));
		a = state_agreed_id(s, r->id);
		/* The key that the next renewal begins with, and since when. */
		if (a->version++ > 0 &&
		    memcmp(a->sha256, r->key.p, SHA256_LEN) != 0)
			a->from = (int64_t)r->at;
		memcpy(a->sha256, r->key.p, SHA256_LEN);
		return add_certificate(s, r, e);
	case REC_CERTIFICATE:
		return add_certificate(s, r, e);
	case REC_RESPONDER:
		return table_put(&s->serials, hash_of(s, r->serial), r->at, e);
	case REC_CRL:
		return apply_crl(s, r, e);
	case REC_CHECKPOINT:
		apply_checkpoint(s, r);
		return ERR_OK;
	case REC_SIGNATURE:
		apply_signature(s, r);
		return ERR_OK;
	case REC_AGREED:
		if (r->agreed == AGREED_CEILINGS)
			copy_text(s->ceilings_due, sizeof(s->ceilings_due),
			    r->id);
		return add_agreed(s, r, (enum agreed_kind)r->agreed, r->name,
		    e);
	case REC_END:
		return end_agreed(s, r, e);
	case REC_STOP:
		s->stopped_until = r->value;
		return ERR_OK;
	case REC_CEILINGS:
		s->ceilings_due[0] = '\0';
		return ERR_OK;
	case REC_CA_KEY:
	case REC_MARK:
	case REC_KINDS:
		break;
	}
	return ERR_OK;
}
