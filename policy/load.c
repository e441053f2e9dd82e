/*
 * load - policy files to a set of validated policies: all errors of all
 * files, or the set.
 */
#include <stdlib.h>

#include "internal.h"

void
policy_set_free(struct policy_set *s)
{
	if (s == NULL)
		return;
	arena_free(s->arena);
	free(s);
}

/* --- Between files ------------------------------------------------------------------ */

enum progress { UNIT_READ, UNIT_OPEN, UNIT_GOOD, UNIT_BAD };

/* One file of the set. */
struct unit {
	struct load l;
	struct findings f;
	struct node *root;  /* as written; NULL: unreadable */
	struct node *whole; /* with what it inherits */
	struct bytes name;  /* empty: none that could be read */
	int64_t version;    /* 0: none */
	uint8_t hash[SHA256_LEN];
	struct said_policy *said;
	enum progress progress;
	size_t depth; /* bases above it */
};

struct loader {
	const struct policy_file *files;
	struct policy_set *set;
	struct unit *unit;
	size_t n;
	bool unread; /* some file has no name that could be read */
	const struct ceilings *ceilings;
	struct arena *arena;
};

static struct bytes
text_at(const struct node *map, const char *key)
{
	const struct node *n = node_find(map, key);

	return n != NULL && n->kind == NODE_TEXT ? n->text : BYTES_NONE;
}

static void
unit_read(struct loader *x, struct unit *u, const struct policy_file *file)
{
	u->l = (struct load){ .file = file, .arena = x->arena, .f = &u->f };
	u->root = tree_read(&u->l);
	sha256(u->hash, file->text);
	if (u->root == NULL)
		return;
	u->name = text_at(u->root, "policy");
	if (!dec_parse(text_at(u->root, "version"), &u->version))
		u->version = 0;
}

/* Two files with one name; the second is told of the first. */
static void
check_twice(struct loader *x, struct unit *u)
{
	const struct node *at = u->said->name.at;
	struct load *l = &u->l;
	struct err e;

	for (struct unit *other = x->unit; other < u; other++) {
		if (!u->said->name.ok || !bytes_eq(other->name, u->name))
			continue;
		if (u->version == other->version &&
		    memcmp(other->hash, u->hash, SHA256_LEN) != 0) {
			err_at(&e, ERR_CONFLICT, "policy-version-twice", NULL,
			    where_of(l, at),
			    "%s has the same name and version but says "
			    "something else",
			    other->l.file->name);
			report(l, at->width, &e,
			    "raise the version and delete the older file");
		} else {
			err_at(&e, ERR_CONFLICT, "policy-name-twice", NULL,
			    where_of(l, at),
			    "%s has the same name; one policy is one file",
			    other->l.file->name);
			report(l, at->width, &e, "keep the newer of the two");
		}
		return;
	}
}

/* --- Bases --------------------------------------------------------------------------- */

static void unit_load(struct loader *x, struct unit *u);

static struct unit *
unit_named(struct loader *x, struct bytes name, int64_t version)
{
	struct unit *near = NULL;

	for (size_t i = 0; i < x->n; i++) {
		struct unit *u = &x->unit[i];

		if (!bytes_eq(u->name, name))
			continue;
		if (u->version == version)
			return u;
		near = u;
	}
	return near;
}

/* A base that is not there, or not in that version. */
static void
refuse_base(struct loader *x, struct unit *u, const struct value *ref,
    const struct unit *near)
{
	const char *words[POLICIES_MAX], *word;
	const char *name = arena_str(x->arena, ref->text);
	char has[24], wants[24];
	struct err e;

	if (near != NULL) {
		snprintf(has, sizeof(has), "%lld", (long long)near->version);
		snprintf(wants, sizeof(wants), "%lld", (long long)ref->n);
		err_at(&e, ERR_CONFLICT, "policy-base-version", NULL,
		    where_of(&u->l, ref->at),
		    "the files have %s in version %s, not in version %s", name,
		    has, wants);
		report(&u->l, ref->at->width, &e,
		    "look at what changed, then write %s@%s", name, has);
		return;
	}
	if (x->unread)
		return; /* it may be in the file that cannot be read */
	for (size_t i = 0; i < x->n; i++)
		words[i] = arena_str(x->arena, x->unit[i].name);
	word = nearest_word(ref->text, words, x->n);
	err_at(&e, ERR_NOTFOUND, "policy-base-missing", NULL,
	    where_of(&u->l, ref->at), "no file has the policy %s", name);
	if (word != NULL)
		report(&u->l, ref->at->width, &e, "did you mean %s?", word);
	else
		report(&u->l, ref->at->width, &e,
		    "add its file: a base stands beside what extends it");
}

static void
refuse_chain(struct unit *u, const struct value *ref, bool cycle)
{
	struct err e;

	if (cycle) {
		err_at(&e, ERR_INVALID, "policy-base-cycle", NULL,
		    where_of(&u->l, ref->at),
		    "the policy extends itself, by way of %s",
		    (const char *)ref->at->text.p);
		report(&u->l, ref->at->width, &e,
		    "delete extends in one of them");
		return;
	}
	err_at(&e, ERR_INVALID, "policy-base-deep", NULL,
	    where_of(&u->l, ref->at),
	    "more than 4 policies extend each other in a row");
	report(&u->l, ref->at->width, &e, "extend one that is nearer the base");
}

#define CHAIN_MAX 4

/* The base that a file names, loaded, or NULL and it cannot be judged whole. */
static struct unit *
unit_base(struct loader *x, struct unit *u, const struct value *ref)
{
	struct unit *base = unit_named(x, ref->text, ref->n);

	if (base == NULL || base->version != ref->n) {
		refuse_base(x, u, ref, base);
		return NULL;
	}
	unit_load(x, base);
	if (base->progress == UNIT_OPEN || base->depth + 2 > CHAIN_MAX) {
		refuse_chain(u, ref, base->progress == UNIT_OPEN);
		return NULL;
	}
	return base->progress == UNIT_GOOD ? base : NULL;
}

/*
 * With those of the bases, holders.when is one condition: so the effective
 * policy says it, and that must load.
 */
static void
check_when(struct unit *u, const struct policy *base)
{
	const struct value *when = &u->said->holders.when;
	struct buf text AUTO_BUF = BUF(WHENS_MAX * 2 * EXPR_TEXT_MAX);
	struct findings ignored = { NULL, 0, 0 };
	struct policy_condition all[WHENS_MAX];
	struct err e;

	/* One that is inherited was judged there. */
	if (base->n_when == 0 || when->expr == NULL ||
	    when->at->file != u->l.file)
		return;
	memcpy(all, base->when, base->n_when * sizeof(all[0]));
	all[base->n_when].expr = when->expr;
	expr_print_all(&text, all, base->n_when + 1);
	struct policy_file one = { u->l.file->name, buf_bytes(&text) };
	if (expr_compile(&one, u->l.arena, &ignored) == NULL) {
		err_at(&e, ERR_INVALID, "policy-when-large", NULL,
		    where_of(&u->l, when->at),
		    "with what %s asks the condition is larger than one may "
		    "be: 64 facts, values and operators, 1024 octets, 16 "
		    "levels",
		    base->name);
		report(&u->l, when->at->width, &e,
		    "shorten it, or move part of it to conditions");
	}
	findings_fini(&ignored);
}

/* --- One file ------------------------------------------------------------------------- */

static const struct row *
extends_row(void)
{
	const struct row *r = policy_table.rows;

	while (r->type != T_REF)
		r++;
	return r;
}

/* Its base, and the map that is judged: its own or the composed one. */
static struct unit *
unit_compose(struct loader *x, struct unit *u)
{
	const struct node *n = node_find(u->root, "extends");
	struct value ref = { .at = n };
	struct unit *base = NULL;
	struct findings twice = { NULL, 0, 0 };

	u->whole = u->root;
	if (n == NULL)
		return NULL;
	/* Decoded here to find it; what is wrong with it is said later. */
	u->l.f = &twice;
	bool ok = scalar_decode(&u->l, n, extends_row(), &ref);
	u->l.f = &u->f;
	findings_fini(&twice);
	if (ok)
		base = unit_base(x, u, &ref);
	if (base == NULL) {
		u->l.partial = true; /* what is missing may be inherited */
		return NULL;
	}
	u->l.extends = n;
	u->depth = base->depth + 1;
	u->whole = compose(&u->l, u->root, base->whole, &policy_table);
	return base;
}

static void
unit_judge(struct loader *x, struct unit *u)
{
	struct policy *p = &x->set->policy[u - x->unit];
	const struct kept_set kept = { x->files, x->set->policy };
	struct unit *base;

	u->said = arena_get(x->arena, sizeof(*u->said));
	refuse_weak_hashes(&u->l, u->root);
	base = unit_compose(x, u);
	rows_decode(&u->l, u->whole, &policy_table, u->said);
	policy_check(&u->l, u->said);
	if (x->ceilings != NULL)
		policy_check_ceilings(&u->l, u->said, x->ceilings);
	if (base != NULL) {
		policy_check_narrow(&u->l, u->root, u->said, base->said);
		check_when(u, &x->set->policy[base - x->unit]);
	}
	check_twice(x, u);
	if (u->f.errors > 0 || u->l.partial)
		return;
	if (base != NULL)
		p->extends = &x->set->policy[base - x->unit];
	policy_keep(x->set->arena, &kept, (size_t)(u - x->unit), u->said);
	memcpy(p->sha256, u->hash, SHA256_LEN);
	u->progress = UNIT_GOOD;
}

static void
unit_load(struct loader *x, struct unit *u)
{
	if (u->progress != UNIT_READ)
		return;
	u->progress = UNIT_OPEN;
	if (u->root != NULL)
		unit_judge(x, u);
	if (u->progress == UNIT_OPEN)
		u->progress = UNIT_BAD;
	findings_sort(&u->f, 0);
}

static struct policy_set *
set_new(size_t n)
{
	struct policy_set *s = calloc(1, sizeof(*s));

	if (s == NULL)
		fatal("no memory for policies");
	s->arena = arena_new();
	s->policy = arena_get(s->arena, (n + 1) * sizeof(*s->policy));
	return s;
}

void
policy_load(const struct policy_file *files, size_t n,
    const struct ceilings *ceilings, struct policy_set **out,
    struct findings *f)
{
	size_t many = n < POLICIES_MAX ? n : POLICIES_MAX;
	AUTO(policy_set) set = set_new(many);
	AUTO(arena) arena = arena_new();
	struct loader x = { .files = files,
		.set = set,
		.n = many,
		.ceilings = ceilings,
		.arena = arena };
	struct load all = { .arena = arena, .f = f };
	struct err e;

	x.unit = arena_get(arena, (many + 1) * sizeof(*x.unit));
	for (size_t i = 0; i < many; i++) {
		unit_read(&x, &x.unit[i], &files[i]);
		x.unread |= x.unit[i].name.len == 0;
	}
	for (size_t i = 0; i < many; i++)
		unit_load(&x, &x.unit[i]);
	for (size_t i = 0; i < many; i++)
		findings_take(f, &x.unit[i].f);
	set->n = many;
	if (n > many) {
		all.file = &files[many];
		err_at(&e, ERR_INVALID, "policy-files", NULL,
		    where_at(&all, 0, 0),
		    "there are more than 64 policies, the most that are read");
		report(&all, 1, &e, "take some away");
	}
	if (f->errors == 0)
		*out = TAKE(set);
}

/* One key of a text, decoded by its row; false when it is not there. */
static bool
key_of(struct bytes text, const char *key, enum row_type type, void *out,
    int64_t *n)
{
	AUTO(arena) arena = arena_new();
	struct findings f = { NULL, 0, 0 };
	struct policy_file file = { "", text };
	struct load l = { .file = &file, .arena = arena, .f = &f };
	const struct node *root = tree_read(&l);
	const struct node *at = root != NULL ? node_find(root, key) : NULL;
	const struct row r = { .key = key,
		.type = type,
		.min = 1,
		.max = POLICY_NAME_MAX - 1 };
	struct value v = { .at = at };
	bool found = at != NULL && scalar_decode(&l, at, &r, &v);

	findings_fini(&f);
	if (!found)
		return false;
	snprintf(out, POLICY_NAME_MAX, "%.*s", BYTES_FMT(v.text));
	*n = v.n;
	return true;
}

bool
policy_name_of(struct bytes text, char name[POLICY_NAME_MAX])
{
	int64_t ignored;

	return key_of(text, "policy", T_SLUG, name, &ignored);
}

bool
policy_base_of(struct bytes text, char name[POLICY_NAME_MAX], int64_t *version)
{
	return key_of(text, "extends", T_REF, name, version);
}

/* The value of a row in that map, where it stands there. */
static bool
said_here(struct load *l, const struct node *map, const struct table *t,
    const char *key, struct value *v)
{
	const struct row *r = t->rows;

	*v = (struct value){ .at = node_find(map, key) };
	while (strcmp(r->key, key) != 0)
		r++;
	if (v->at != NULL && scalar_decode(l, v->at, r, v))
		v->given = true;
	return v->given;
}

bool
policy_consent_of(struct bytes text, struct policy_consent *out)
{
	AUTO(arena) arena = arena_new();
	struct findings f = { NULL, 0, 0 };
	struct policy_file file = { "", text };
	struct load l = { .file = &file, .arena = arena, .f = &f };
	const struct node *root = tree_read(&l), *map = NULL;
	struct value v;

	*out = (struct policy_consent){ .renewal = -1 };
	if (root != NULL)
		map = node_find(root, "endorsement");
	if (root != NULL && said_here(&l, root, &policy_table, "extends", &v)) {
		snprintf(out->base, sizeof(out->base), "%.*s",
		    BYTES_FMT(v.text));
		out->base_version = v.n;
	}
	if (map != NULL && is_map(&l, map, &endorsement_table)) {
		if (said_here(&l, map, &endorsement_table, "required", &v))
			out->required = v.n;
		if (said_here(&l, map, &endorsement_table, "renewal", &v))
			out->renewal = v.n;
	}
	bool good = root != NULL && f.errors == 0;
	findings_fini(&f);
	return good;
}

const struct policy *
policy_find(const struct policy_set *s, struct bytes name)
{
	for (size_t i = 0; i < s->n; i++) {
		if (bytes_is(name, s->policy[i].name))
			return &s->policy[i];
	}
	return NULL;
}

const struct policy *
policy_find_hash(const struct policy_set *s, const uint8_t hash[SHA256_LEN])
{
	for (size_t i = 0; i < s->n; i++) {
		if (memcmp(s->policy[i].sha256, hash, SHA256_LEN) == 0)
			return &s->policy[i];
	}
	return NULL;
}
