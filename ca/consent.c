#include "inner.h"

/*
 * Officers' signatures over one statement, where it takes several: who signs,
 * how many are needed, and the row of each.
 */

/* What the log began with; before ceilings stood in it whoever verifies it knew
 * nothing else. */
static enum err_code
first_entry(struct deed *d, struct json **out, struct err *e)
{
	struct bytes detail;

	TRY(view_log_detail(d->v, 0, &detail, e));
	return json_parse(detail, false, out, e);
}

/* Whoever verifies a log knows the officers of its first entry, and no others. */
static enum err_code
officer_must_be_first(struct deed *d, const struct officer *o, struct err *e)
{
	struct bytes key = bytes_of(o->spki_sha256, SHA256_LEN);
	struct ceilings_row in_force;
	AUTO(json) j = NULL;
	bool bad = false, found;

	TRY(ca_ceilings(d->v, d->a, &in_force, &found, e));
	if (found)
		return ERR_OK;
	TRY(first_entry(d, &j, e));
	struct json_obj first = json_root(j, &bad, e);
	for (size_t i = 0; i < json_count(first, "officers"); i++) {
		struct json_obj one = json_at_obj(first, "officers", i);
		if (bytes_is(json_get_str(one, "run"), o->run) &&
		    bytes_eq(json_get_hex(one, "key_sha256", d->a), key))
			return ERR_OK;
	}
	if (bad)
		return e->code;
	return err_say(e, ERR_FORBIDDEN, "confirm-officer-later",
	    "the officer %s was added after the log began, and whoever "
	    "verifies it accepts signatures of its first officers alone; one "
	    "of them must sign",
	    o->run);
}

enum err_code
officer_of(struct deed *d, const struct cms *cms, struct err *e)
{
	const struct ceilings *ceilings = d->ca->ceilings;
	uint8_t hash[SHA256_LEN];

	sha256(hash, cms->signer.spki);
	for (size_t i = 0; i < ceilings->n_officer; i++) {
		const struct officer *o = &ceilings->officer[i];
		if (!bytes_eq(bytes_of(hash, SHA256_LEN),
			bytes_of(o->spki_sha256, SHA256_LEN)))
			continue;
		TRY(officer_must_be_first(d, o, e));
		d->role = ROLE_OFFICER;
		return person_signs(d, bytes_str(o->run), e);
	}
	return err_say(e, ERR_FORBIDDEN, "confirm-not-officer",
	    "the key that signed is not one of a platform officer; sign with "
	    "the key that signer.yaml names");
}

enum err_code
quorum_of(struct deed *d, bool is_appointment, int64_t *needed, struct err *e)
{
	const struct ceilings *top = d->ca->ceilings;
	int64_t now = is_appointment ? top->appointment_quorum : top->quorum;
	struct ceilings_row in_force;
	AUTO(json) j = NULL;
	bool bad = false, found;

	*needed = now;
	TRY(ca_ceilings(d->v, d->a, &in_force, &found, e));
	if (found)
		return ERR_OK;
	TRY(first_entry(d, &j, e));
	/* A log of before quorums has no such member. */
	*needed = json_opt_int(json_root(j, &bad, e),
	    is_appointment ? "quorum" : "policy_quorum", 1);
	if (bad)
		return e->code;
	if (*needed < now)
		*needed = now;
	return ERR_OK;
}

enum err_code
consent_exists(struct deed *d, struct bytes id, bool *found, struct err *e)
{
	struct consent old;

	return rec_get(d->v, &rec_consent,
	    key_of_pair(d->a, ROW_CONSENT, id, d->run), d->a, &old, found, e);
}

enum err_code
row_consent(struct applying *p, struct bytes id, const char *who,
    struct bytes *signed_by, struct err *e)
{
	struct consent old, consent = {
		.activation = id,
		.at = p->entry->time,
		.evidence = json_get_base64(p->o, "evidence", p->a),
		.officer = json_get_str(p->o, who),
		.appointment = json_opt_str(p->o, "appointment"),
	};
	struct bytes key = key_of_pair(p->a, ROW_CONSENT, id, consent.officer);
	bool found;

	TRY(rec_get(p->v, &rec_consent, key, p->a, &old, &found, e));
	if (found)
		return contradiction(p, e);
	*signed_by =
	    bytes_str(arena_printf(p->a, "%.*s%s%.*s", BYTES_FMT(*signed_by),
		signed_by->len > 0 ? " " : "", BYTES_FMT(consent.officer)));
	return row_put(p, &rec_consent, key, &consent, e);
}

enum err_code
consent_next(struct view *v, struct bytes id, struct arena *a,
    struct bytes *after, struct consent *out, bool *found, struct err *e)
{
	struct bytes prefix = key_of_pair(a, ROW_CONSENT, id, BYTES_NONE);
	struct bytes key, value;

	if (after->len == 0)
		*after = prefix;
	TRY(view_next(v, prefix, *after, &key, &value, found, e));
	if (!*found)
		return ERR_OK;
	*after = arena_copy(a, key);
	return rec_decode(&rec_consent, arena_copy(a, value), out, e);
}

/* A version of a request has its own: an edit voids what was signed before. */
struct bytes
request_consents(const struct request *r, struct arena *a)
{
	return bytes_str(arena_printf(a, "%.*s/%lld", BYTES_FMT(r->id),
	    (long long)r->version));
}

enum err_code
ca_consents(struct view *v, struct bytes id, struct arena *a,
    struct bytes *list, struct err *e)
{
	struct buf out AUTO_BUF = BUF(OFFICERS_MAX * (CMS_MAX_BYTES + 4u));
	struct consent consent;
	struct bytes after = BYTES_NONE;
	bool found;

	for (;;) {
		TRY(consent_next(v, id, a, &after, &consent, &found, e));
		if (!found)
			break;
		put_bytes(&out, consent.evidence);
	}
	TRY(buf_end(&out, e));
	*list = arena_copy(a, buf_bytes(&out));
	return ERR_OK;
}
