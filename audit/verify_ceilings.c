#include "verify.h"

#include <stdio.h>
#include <string.h>

/*
 * Ceilings: officers and quorums change with the file that names them.  With
 * signatures of the officers before, or by what only takes away; all else is
 * named in the report.
 */

/* --- Who may sign, in one line ------------------------------------------------- */

struct people {
	int64_t quorum, appointment_quorum;
	struct officer_noted officer[OFFICERS_NOTED];
	size_t n;
};

/* The next word, up to a space; false at the end. */
static bool
next_word(struct bytes *rest, struct bytes *key, struct bytes *value)
{
	size_t len = 0, at = 0;

	while (len < rest->len && rest->p[len] != ' ')
		len++;
	while (at < len && rest->p[at] != '=')
		at++;
	if (at == len)
		return false;
	*key = bytes_of(rest->p, at);
	*value = bytes_of(rest->p + at + 1, len - at - 1);
	size_t skip = len < rest->len ? len + 1 : len;
	*rest = bytes_of(rest->p + skip, rest->len - skip);
	return true;
}

static bool
read_number(struct bytes *rest, const char *name, int64_t *out)
{
	struct bytes key, value;

	return next_word(rest, &key, &value) && bytes_is(key, name) &&
	       dec_parse(value, out) && *out >= 1 && *out <= OFFICERS_NOTED;
}

static bool
read_officer(struct bytes *rest, struct officer_noted *o)
{
	struct bytes run, key;

	if (!next_word(rest, &run, &key) || run.len == 0 ||
	    run.len >= RUN_TEXT || !hex_parse(key, o->key, HASH_LEN))
		return false;
	snprintf(o->run, sizeof(o->run), "%.*s", BYTES_FMT(run));
	return true;
}

static enum err_code
read_people(struct audit *a, struct bytes text, struct people *out,
    struct err *e)
{
	bool good;

	*out = (struct people){ .n = 0 };
	good =
	    read_number(&text, "quorum", &out->quorum) &&
	    read_number(&text, "appointment_quorum", &out->appointment_quorum);
	while (good && text.len > 0) {
		good = out->n < OFFICERS_NOTED &&
		       read_officer(&text, &out->officer[out->n]);
		out->n++;
	}
	if (good)
		return ERR_OK;
	return err_say(e, ERR_INVALID, "audit-ceilings-people",
	    "entry %s: the officers and quorums of the ceilings are not in "
	    "their form",
	    a->at);
}

static bool
has_officer(const struct audit *a, const struct officer_noted *o)
{
	for (size_t i = 0; i < a->n_officer; i++)
		if (strcmp(a->officer[i].run, o->run) == 0 &&
		    memcmp(a->officer[i].key, o->key, HASH_LEN) == 0)
			return true;
	return false;
}

/* Nobody new may sign, and no fewer must. */
static bool
is_less(const struct audit *a, const struct people *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (!has_officer(a, &p->officer[i]))
			return false;
	return p->quorum >= (a->policy_quorum > 0 ? a->policy_quorum : 1) &&
	       p->appointment_quorum >= a->quorum;
}

static bool
is_same(const struct audit *a, const struct people *p)
{
	return p->n == a->n_officer && is_less(a, p) &&
	       p->quorum == a->policy_quorum &&
	       p->appointment_quorum == a->quorum;
}

static void
take_people(struct audit *a, const struct people *p)
{
	if (!is_same(a, p))
		a->people++;
	a->any_people = false;
	a->policy_quorum = p->quorum;
	a->quorum = p->appointment_quorum;
	a->n_officer = p->n;
	memcpy(a->officer, p->officer, sizeof(a->officer));
}

static struct top *
next_top(struct audit *a)
{
	a->top = grow(a->top, a->n_top, &a->size_top, sizeof(*a->top));
	struct top *t = &a->top[a->n_top++];
	t->since = a->time;
	t->known = false;
	return t;
}

void
lose_ceilings(struct audit *a)
{
	a->people++;
	a->any_people = true;
	a->has_ceilings = false;
	(void)next_top(a);
}

/* The file can be read, and those who may sign by it are those named. */
static enum err_code
read_file(struct audit *a, struct bytes file, struct bytes people,
    struct ceilings *out, struct err *e)
{
	struct buf said AUTO_BUF = BUF(CEILINGS_PEOPLE_MAX);
	struct err below = { .code = ERR_OK };

	if (ceilings_read(file, out, &below) != ERR_OK) {
		(void)err_say(e, ERR_INVALID, "audit-ceilings-unreadable",
		    "entry %s: the file of the ceilings cannot be read, so "
		    "nobody can say what they allow",
		    a->at);
		return err_why(e, "%s: %s", below.id, below.say);
	}
	ceilings_people(out, &said);
	TRY(buf_end(&said, e));
	if (bytes_eq(people, buf_bytes(&said)))
		return ERR_OK;
	return err_say(e, ERR_INVALID, "audit-ceilings-said",
	    "entry %s: the officers and quorums that it names are not those "
	    "of the file of the ceilings",
	    a->at);
}

/* The last that the log knows; NULL where their detail was erased. */
static const struct ceilings *
in_force(const struct audit *a)
{
	return a->n_top == 0 || !a->top[a->n_top - 1].known
		   ? NULL
		   : &a->top[a->n_top - 1].is;
}

/* In the place of those before, whatever is to be said against it. */
static void
take_file(struct audit *a, const struct ceilings *c)
{
	struct top *t = next_top(a);

	t->known = true;
	t->is = *c;
}

/* --- With the officers --------------------------------------------------------- */

enum err_code
take_agreed_ceilings(struct audit *a, const struct ceremony_statement *s,
    struct bytes file, struct err *e)
{
	struct ceilings *c = arena_get(a->arena, sizeof(*c));
	struct people p;

	TRY(read_people(a, s->people, &p, e));
	TRY(read_file(a, file, s->people, c, e));
	if (a->has_ceilings &&
	    !bytes_eq(s->base_sha256, bytes_of(a->ceilings, HASH_LEN)))
		return err_say(e, ERR_INVALID, "audit-ceilings-base",
		    "entry %s: the officers agreed to replace other ceilings "
		    "than those in force",
		    a->at);
	take_people(a, &p);
	take_file(a, c);
	a->has_ceilings = true;
	memcpy(a->ceilings, s->object[0].tbs_sha256.p, HASH_LEN);
	return ERR_OK;
}

/* --- Without them -------------------------------------------------------------- */

enum err_code
judge_ceilings_taken(struct audit *a, const struct entry *en, struct json_obj d,
    struct err *e)
{
	struct ceilings *c = arena_get(a->arena, sizeof(*c));
	uint8_t hash[HASH_LEN];
	struct people p;

	if (a->erased) {
		lose_ceilings(a);
		return ERR_OK;
	}
	struct bytes file = json_get_base64(d, "file", a->arena);
	enum ceilings_how how = ceilings_how_parse(json_get_str(d, "how"));
	struct bytes text = json_get_str(d, "people");
	TRY(detail_end(a, e));
	TRY(read_people(a, text, &p, e));
	sha256(hash, file);
	if (!bytes_eq(en->refs.object, bytes_of(hash, HASH_LEN)))
		return err_say(e, ERR_INVALID, "audit-ceilings-file",
		    "entry %s: the ceilings are not the file whose hash the "
		    "entry names",
		    a->at);
	TRY(read_file(a, file, text, c, e));
	const struct ceilings *old = in_force(a);
	bool gives = (!a->any_people && !is_less(a, &p)) ||
		     (old != NULL && ceilings_grant(old, c) != NULL);
	if (how == CEILINGS_REFOUNDED && a->has_ceilings &&
	    (!c->has_refounds ||
		memcmp(c->refounds, a->ceilings, HASH_LEN) != 0))
		return err_say(e, ERR_INVALID, "audit-ceilings-refounds",
		    "entry %s: the file in whose place root is said to have "
		    "begun anew is not the one that was in force",
		    a->at);
	if (how == CEILINGS_HOWS || how == CEILINGS_AGREED ||
	    (how == CEILINGS_FIRST && a->has_ceilings) ||
	    (how == CEILINGS_LESSENED && gives))
		return err_say(e, ERR_INVALID, "audit-ceilings-unsigned",
		    "entry %s: the ceilings give more than those before them, "
		    "and the officers did not sign them",
		    a->at);
	if (gives || how == CEILINGS_REFOUNDED || how == CEILINGS_KEPT) {
		a->report.unsigned_ceilings++;
		a->report.unsigned_at = en->index;
	}
	take_people(a, &p);
	take_file(a, c);
	a->has_ceilings = true;
	memcpy(a->ceilings, hash, HASH_LEN);
	return ERR_OK;
}
