#include "inner.h"

/* Which ceilings are in force before the signer, and since when. */

enum err_code
ca_ceilings(struct view *v, struct arena *a, struct ceilings_row *out,
    bool *found, struct err *e)
{
	*out = (struct ceilings_row){ .since = 0 };
	return rec_get(v, &rec_ceilings,
	    ca_row_key(a, ROW_CEILINGS, bytes_str(CEILINGS_ROW)), a, out, found,
	    e);
}

enum err_code
ca_decide_ceilings(struct view *v, struct bytes text, enum ceilings_how how,
    int64_t now, struct arena *a, struct draft *out, struct err *e)
{
	struct buf people AUTO_BUF = BUF(CEILINGS_PEOPLE_MAX);
	struct ceilings *to = arena_get(a, sizeof(*to));
	struct decision one = { .n = 0 };
	struct deed d = { .v = v, .now = now, .a = a, .out = &one };
	struct pen pen AUTO_PEN = { .draft = NULL };

	TRY(ceilings_read(text, to, e));
	ceilings_people(to, &people);
	TRY(buf_end(&people, e));
	pen_begin(&pen, &d, ENTRY_CEILINGS_TAKEN);
	pen.draft->refs.object = hash_in(a, text);
	jw_member_base64(&pen.w, "file", text);
	jw_member_str(&pen.w, "how", bytes_str(ceilings_how_name(how)));
	jw_member_str(&pen.w, "people", buf_bytes(&people));
	TRY(pen_end(&pen, a, e));
	*out = one.draft[0];
	return ERR_OK;
}

/* Officers and quorums that stay the same stay since they were so. */
enum err_code
ceilings_put(struct applying *p, struct ceilings_row *row, struct err *e)
{
	struct ceilings_row old;
	bool found;

	TRY(ca_ceilings(p->v, p->a, &old, &found, e));
	row->since = p->entry->time;
	row->base = old.sha256;
	row->people_since = !found ? 0
			    : bytes_eq(old.people, row->people)
				? old.people_since
				: p->entry->time;
	return row_put(p, &rec_ceilings,
	    ca_row_key(p->a, ROW_CEILINGS, bytes_str(CEILINGS_ROW)), row, e);
}

enum err_code
apply_ceilings_taken(struct applying *p, struct err *e)
{
	struct ceilings_row row = {
		.how = ceilings_how_parse(json_get_str(p->o, "how")),
		.people = json_get_str(p->o, "people"),
		.text = json_get_base64(p->o, "file", p->a),
	};
	uint8_t hash[SHA256_LEN];

	sha256(hash, row.text);
	row.sha256 = bytes_of(hash, SHA256_LEN);
	if (row.how == CEILINGS_HOWS || row.how == CEILINGS_AGREED ||
	    !bytes_eq(p->entry->refs.object, row.sha256))
		return contradiction(p, e);
	return ceilings_put(p, &row, e);
}

enum err_code
officers_still(struct deed *d, struct bytes id, int64_t proposed, struct err *e)
{
	struct ceilings_row now;
	bool found;

	TRY(ca_ceilings(d->v, d->a, &now, &found, e));
	/* In the very second it may have been before or after. */
	if (!found || proposed > now.people_since)
		return ERR_OK;
	return err_say(e, ERR_CONFLICT, "agreement-other-officers",
	    "other officers or quorums are in force since %s was proposed; "
	    "withdraw it and propose it anew",
	    arena_str(d->a, id));
}
