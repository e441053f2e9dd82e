/*
 * journal - what the signer remembers against what the log says, for every kind
 * of signature: what was signed is in the log, what the log says was signed is
 * in the journal, and what is in one alone is named (INCIDENTS 37, 41).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <refrendo/signer.h>

#include "journal.h"

#define KNOWN_MAX (64u << 20) /* signatures of one comparison */

/* Which record is of which kind, and which entry speaks of it. */
static const struct {
	const char *record;
	enum signed_kind kind;
} records[] = {
	{ "certificate", KIND_CERTIFICATE },
	{ "appointment", KIND_CERTIFICATE },
	{ "responder", KIND_RESPONDER },
	{ "crl", KIND_CRL },
	{ "agreed", KIND_AGREED },
	{ "ceilings", KIND_CEILINGS },
	{ "end", KIND_END },
};

/* --- Lists ---------------------------------------------------------------------------- */

/* One thing that was signed: its name as people know it, and its digest. */
struct known {
	char name[84];
	uint8_t digest[HASH_LEN]; /* zero where there is none */
};
struct known_list {
	struct known *v; /* owned */
	size_t n, size;
};
/* A checkpoint that the signer signed. */
struct point {
	uint64_t size, number; /* of its record */
	uint8_t root[HASH_LEN];
};
struct lists {
	struct known_list before, after; /* journal, around the export */
	struct known_list may, must;     /* log: accounts for it; says so */
};
struct comparison {
	struct lists kind[KINDS];
	struct point *point; /* owned, sizes rising */
	size_t n_point, point_at;
	struct merkle tree;
	/* What came before the export: up to the record 'last', and of these
	 * what is older than the file says of itself (NEVER: it was just
	 * made), or stands before a checkpoint that the file covers. */
	uint64_t last, covered;
	int64_t created;
	uint64_t bad_lines;
	bool failed;
	struct journal_report *out;
};

static void
add(struct comparison *x, struct known_list *l, const char *name,
    struct bytes digest)
{
	x->failed = x->failed || l->n > KNOWN_MAX || name[0] == '\0' ||
		    (digest.len != 0 && digest.len != HASH_LEN);
	if (x->failed)
		return;
	if (l->n == l->size) {
		size_t size = l->size == 0 ? 1024 : 2 * l->size;
		struct known *v = realloc(l->v, size * sizeof(*v));
		if (v == NULL) {
			x->failed = true;
			return;
		}
		l->v = v;
		l->size = size;
	}
	struct known *k = &l->v[l->n++];
	*k = (struct known){ .name = "" };
	snprintf(k->name, sizeof(k->name), "%s", name);
	if (digest.len > 0)
		memcpy(k->digest, digest.p, HASH_LEN);
}

static int
compare(const void *a, const void *b)
{
	const struct known *x = a, *y = b;
	int order = strcmp(x->name, y->name);
	return order != 0 ? order : memcmp(x->digest, y->digest, HASH_LEN);
}

static bool
holds(const struct known_list *l, const struct known *k)
{
	return l->n > 0 &&
	       bsearch(k, l->v, l->n, sizeof(*l->v), compare) != NULL;
}

static const char *
hex_name(char out[84], struct bytes b)
{
	out[0] = '\0';
	if (b.len > 0 && b.len <= SERIAL_MAX)
		hex_print(out, b);
	return out;
}

static const char *
crl_name(char out[84], struct bytes issuer, int64_t number)
{
	snprintf(out, 84, "%.*s %lld", (int)(issuer.len < 48 ? issuer.len : 48),
	    (const char *)issuer.p, (long long)number);
	return out;
}

static const char *
text_name(char out[84], struct bytes id)
{
	snprintf(out, 84, "%.*s", (int)(id.len < 80 ? id.len : 80),
	    (const char *)id.p);
	return out;
}

static const char *
hash_name(char out[84], struct bytes hash)
{
	out[0] = '\0';
	if (hash.len == HASH_LEN)
		hex_print(out, hash);
	return out;
}

/* --- What the journal says -------------------------------------------------------------- */

static void
read_checkpoint(struct comparison *x, const struct journal_record *r)
{
	if ((x->n_point & (x->n_point - 1)) == 0) {
		size_t size = x->n_point == 0 ? 1 : 2 * x->n_point;
		struct point *p = realloc(x->point, size * sizeof(*p));
		x->failed = x->failed || p == NULL;
		if (p == NULL)
			return;
		x->point = p;
	}
	struct point *p = &x->point[x->n_point++];
	p->size = (uint64_t)r->value;
	p->number = r->number;
	memcpy(p->root, r->digest.p, HASH_LEN);
}

/* Before the export is read. */
static void
look_record(void *ctx, const struct journal_record *r)
{
	struct comparison *x = ctx;
	x->last = r->number;
	if (strcmp(r->kind, "checkpoint") == 0)
		read_checkpoint(x, r);
}

static void
read_record(void *ctx, const struct journal_record *r)
{
	struct comparison *x = ctx;
	bool is_before = r->number <= x->last &&
			 (r->time < x->created || r->number < x->covered);
	char name[84];
	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		if (strcmp(r->kind, records[i].record) != 0)
			continue;
		enum signed_kind kind = records[i].kind;
		struct bytes digest = kind < KIND_END ? r->digest : BYTES_NONE;
		if (kind <= KIND_RESPONDER)
			hex_name(name, r->serial);
		else if (kind == KIND_CRL)
			crl_name(name, r->issuer, r->value);
		else if (kind == KIND_CEILINGS)
			hash_name(name, r->digest);
		else
			text_name(name, r->id);
		add(x, &x->kind[kind].after, name, digest);
		if (is_before)
			add(x, &x->kind[kind].before, name, digest);
	}
}

/* --- What the log says -------------------------------------------------------------------- */

/* One entry: its leaf and its detail, where that was not erased. */
struct said {
	struct comparison *x;
	struct json_obj leaf, detail;
	bool has_detail;
	struct arena *a;
};

static void
say(const struct said *s, enum signed_kind kind, bool may, bool must,
    const char *name, struct bytes digest)
{
	if (may)
		add(s->x, &s->x->kind[kind].may, name, digest);
	if (must)
		add(s->x, &s->x->kind[kind].must, name, digest);
}

static void
say_certificate(const struct said *s, bool may, bool must)
{
	char name[84];
	say(s, KIND_CERTIFICATE, may, must,
	    hex_name(name, json_get_hex(s->leaf, "serial", s->a)),
	    json_get_hex(s->leaf, "tbs", s->a));
}

static void
say_responder(const struct said *s)
{
	char name[84];
	struct cert c;
	struct err e;
	uint8_t *tbs = arena_get(s->a, HASH_LEN);
	struct bytes der = json_get_base64(s->detail, "certificate", s->a);
	if (cert_parse(der, &c, &e) != ERR_OK) {
		s->x->failed = true;
		return;
	}
	sha256(tbs, c.tbs);
	say(s, KIND_RESPONDER, true, true, hex_name(name, c.serial),
	    bytes_of(tbs, HASH_LEN));
}

static void
say_policies(const struct said *s)
{
	char name[84];
	size_t n = json_count(s->detail, "policies");
	for (size_t i = 0; i < n; i++) {
		struct json_obj p = json_at_obj(s->detail, "policies", i);
		uint8_t *hash = arena_get(s->a, HASH_LEN);
		sha256(hash, json_get_base64(p, "text", s->a));
		say(s, KIND_AGREED, true, false,
		    text_name(name, json_get_str(s->leaf, "request")),
		    bytes_of(hash, HASH_LEN));
	}
}

/* As the signer keeps it. */
static const char *
ca_name(const struct said *s, char out[84], struct bytes name)
{
	return text_name(out, bytes_str(arena_printf(s->a,
				  CEREMONY_CA_ID "%.*s", BYTES_FMT(name))));
}

static void
say_key(const struct said *s)
{
	char name[84];
	struct cert c;
	struct err e;
	uint8_t *hash = arena_get(s->a, HASH_LEN);
	struct bytes der = json_get_base64(s->detail, "object", s->a);
	if (cert_parse(der, &c, &e) != ERR_OK) {
		s->x->failed = true;
		return;
	}
	sha256(hash, c.spki);
	say(s, KIND_AGREED, true, true,
	    text_name(name, bytes_str(arena_printf(s->a, CEREMONY_KEY_ID "%.*s",
				BYTES_FMT(json_get_str(s->detail, "name"))))),
	    bytes_of(hash, HASH_LEN));
}

/* A CA, and the end of the key that it replaces. */
static void
say_ca(const struct said *s, struct bytes tbs)
{
	char name[84];
	struct bytes replaces = json_opt_str(s->detail, "replaces");
	say(s, KIND_AGREED, true, true,
	    ca_name(s, name, json_get_str(s->detail, "name")), tbs);
	if (replaces.len > 0)
		say(s, KIND_END, true, true, ca_name(s, name, replaces),
		    BYTES_NONE);
}

/* By its certificate, which stands first. */
static void
say_root(const struct said *s)
{
	char name[84];
	uint8_t *hash = arena_get(s->a, HASH_LEN);
	struct der in = der_of(json_get_base64(s->detail, "object", s->a));
	sha256(hash, der_element(&in));
	say(s, KIND_AGREED, true, true,
	    text_name(name, json_get_str(s->leaf, "request")),
	    bytes_of(hash, HASH_LEN));
}

/* What officers agreed on, the signer may have missed. */
static void
say_ceilings(const struct said *s, bool agreed)
{
	char name[84];
	struct bytes hash = json_get_hex(s->leaf, "object", s->a);
	say(s, KIND_CEILINGS, true, !agreed, hash_name(name, hash), hash);
	if (agreed)
		say(s, KIND_AGREED, true, true,
		    text_name(name, json_get_str(s->leaf, "request")), hash);
}

static void
read_said(const struct said *s, enum entry_type type)
{
	char name[84];
	const struct json_obj leaf = s->leaf;
	switch ((int)type) {
	/* An appointment is intended when an officer has confirmed it; the
	 * proposal is the only entry that has its serial before. */
	case ENTRY_CERTIFICATE_INTENDED:
	case ENTRY_APPOINTMENT_PROPOSED:
		say_certificate(s, true, false);
		break;
	case ENTRY_CERTIFICATE_ISSUED:
	case ENTRY_APPOINTMENT_IN_FORCE:
		say_certificate(s, false, true);
		break;
	case ENTRY_RESPONDER_CERTIFIED:
		if (s->has_detail)
			say_responder(s);
		break;
	case ENTRY_CRL_PUBLISHED:
		if (s->has_detail)
			say(s, KIND_CRL, true, true,
			    crl_name(name, json_get_str(s->detail, "issuer"),
				json_get_int(leaf, "number")),
			    json_get_hex(s->detail, "tbs_sha256", s->a));
		break;
	case ENTRY_POLICY_PROPOSED:
		if (s->has_detail)
			say_policies(s);
		break;
	case ENTRY_POLICY_ACTIVATED:
		/* Those of the beginning were activated by nobody. */
		if (json_has(leaf, "request"))
			say(s, KIND_AGREED, false, true,
			    text_name(name, json_get_str(leaf, "request")),
			    json_get_hex(leaf, "policy", s->a));
		break;
	case ENTRY_CEREMONY_COMPLETED:
		if (s->has_detail && bytes_is(json_get_str(s->detail, "kind"),
					 ceremony_kind_name(CEREMONY_KEY)))
			say_key(s);
		else if (s->has_detail &&
			 bytes_is(json_get_str(s->detail, "kind"),
			     ceremony_kind_name(CEREMONY_CEILINGS)))
			say_ceilings(s, true);
		else if (s->has_detail &&
			 bytes_is(json_get_str(s->detail, "kind"),
			     ceremony_kind_name(CEREMONY_ROOT)))
			say_root(s);
		else if (json_has(leaf, "serial") && s->has_detail &&
			 !bytes_is(json_get_str(s->detail, "kind"),
			     ceremony_kind_name(CEREMONY_CROSS)))
			say_ca(s, json_get_hex(leaf, "tbs", s->a));
		break;
	case ENTRY_CEILINGS_TAKEN:
		say_ceilings(s, false);
		break;
	case ENTRY_CA_STOPPED:
		if (s->has_detail)
			say(s, KIND_END, true, false,
			    ca_name(s, name, json_get_str(s->detail, "name")),
			    BYTES_NONE);
		break;
	case ENTRY_APPOINTMENT_ENDED:
		say(s, KIND_END, true, true,
		    text_name(name, json_get_str(leaf, "appointment")),
		    BYTES_NONE);
		break;
	case ENTRY_POLICY_WITHDRAWN:
	case ENTRY_MANDATE_ENDED:
	case ENTRY_MANDATE_LAPSED:
		say(s, KIND_END, true, false,
		    text_name(name, json_get_str(leaf, "request")), BYTES_NONE);
		break;
	default:
		break;
	}
}

/* The tree at each size whose checkpoint was signed. */
static void
check_points(struct comparison *x)
{
	for (; x->point_at < x->n_point &&
	       x->point[x->point_at].size == x->tree.size;
	    x->point_at++) {
		uint8_t root[HASH_LEN];
		char size[24];
		struct err e;
		x->covered = x->point[x->point_at].number;
		merkle_root(&x->tree, root);
		if (memcmp(root, x->point[x->point_at].root, HASH_LEN) == 0)
			continue;
		snprintf(size, sizeof(size), "%llu",
		    (unsigned long long)x->tree.size);
		err_say(&e, ERR_CORRUPT, "journal-checkpoint-other",
		    "the signer signed a checkpoint of another log with %s "
		    "entries: this one was rewritten, or that one was forged",
		    size);
		err_list_add(&x->out->faults, &e);
	}
}

static enum err_code
read_entry(struct comparison *x, struct json_obj line, struct arena *a,
    struct err *e)
{
	AUTO(json) leaf = NULL;
	AUTO(json) detail = NULL;
	bool bad = false;
	enum entry_type type;
	uint8_t hash[HASH_LEN];
	struct bytes text = json_get_str(line, "leaf");
	struct said s = { .x = x, .a = a };
	TRY(json_parse(text, true, &leaf, e));
	s.leaf = json_root(leaf, &bad, e);
	merkle_leaf_hash(hash, text);
	merkle_append(&x->tree, hash, NULL, NULL);
	check_points(x);
	s.has_detail = json_has(line, "detail");
	if (s.has_detail) {
		TRY(json_parse(json_get_str(line, "detail"), true, &detail, e));
		s.detail = json_root(detail, &bad, e);
	}
	if (entry_type_parse(json_get_str(s.leaf, "type"), &type))
		read_said(&s, type);
	return bad ? e->code : ERR_OK;
}

static void
read_line(void *ctx, struct bytes line)
{
	struct comparison *x = ctx;
	AUTO(json) j = NULL;
	AUTO(arena) a = arena_new();
	struct err e;
	bool bad = false;
	if (json_parse(line, true, &j, &e) != ERR_OK) {
		x->bad_lines++;
		return;
	}
	struct json_obj o = json_root(j, &bad, &e);
	if (x->created != NEVER && bytes_is(json_opt_str(o, "kind"), "header"))
		x->created = json_get_int(o, "created");
	if (!bytes_is(json_opt_str(o, "kind"), "entry"))
		return;
	if (read_entry(x, o, a, &e) != ERR_OK || bad)
		x->bad_lines++;
}

/* --- Both ways ------------------------------------------------------------------------------ */

/*
 * In one alone: a fault; or only named, where an engine that was killed or a
 * signer that was away leaves the same.
 */
static const struct {
	bool unlogged_is_named, unsigned_is_named;
} named[KINDS] = {
	[KIND_RESPONDER] = { true, false },
	[KIND_CRL] = { true, false },
	[KIND_AGREED] = { false, true },
	[KIND_CEILINGS] = { true, false },
	[KIND_END] = { true, false },
};

static void
tell(struct comparison *x, enum signed_kind kind, bool is_logged,
    const char *what)
{
	struct err e;
	bool is_named = is_logged ? named[kind].unsigned_is_named
				  : named[kind].unlogged_is_named;
	if (is_logged)
		(void)journal_unsigned(kind, what, &e);
	else
		(void)journal_unlogged(kind, what, &e);
	err_list_add(is_named ? &x->out->named : &x->out->faults, &e);
}

/* What is in the first and not in the second. */
static void
missing(struct comparison *x, enum signed_kind kind, bool is_logged,
    struct known_list *from, struct known_list *in)
{
	if (in->n > 0)
		qsort(in->v, in->n, sizeof(*in->v), compare);
	for (size_t i = 0; i < from->n; i++) {
		if (!holds(in, &from->v[i]))
			tell(x, kind, is_logged, from->v[i].name);
	}
}

static enum err_code
judge(struct comparison *x, struct err *e)
{
	struct journal_report *out = x->out;
	if (x->failed)
		return err_say(e, ERR_CORRUPT, "journal-compare",
		    "the journal or the export holds a signature that is not "
		    "in its form");
	if (x->bad_lines > 0)
		return err_say(e, ERR_CORRUPT, "journal-export",
		    "the export has lines that are not in their form; see "
		    "refrendo audit verify");
	for (enum signed_kind k = KIND_CERTIFICATE; k < KINDS; k++) {
		struct lists *l = &x->kind[k];
		missing(x, k, false, &l->before, &l->may);
		missing(x, k, true, &l->must, &l->after);
	}
	out->signed_ = x->kind[KIND_CERTIFICATE].before.n;
	out->issued = x->kind[KIND_CERTIFICATE].must.n;
	out->crls = x->kind[KIND_CRL].before.n;
	out->checkpoints = x->n_point;
	out->beyond = x->n_point - x->point_at;
	return ERR_OK;
}

/*
 * What was signed before the export is in it; what it says was signed is in the
 * journal as it is afterwards.  So a busy engine is no fault.
 */
static enum err_code
compare_files(struct cli *c, struct comparison *x, const char *journal,
    const char *export, struct err *e)
{
	const char *temporary = arena_printf(c->arena, "%s/journal-%d.export",
	    c->dir, (int)getpid());
	uint64_t entries;
	if (access(journal, F_OK) != 0)
		return err_say(e, ERR_NOTFOUND, "cli-journal-missing",
		    "there is no journal %s; check its name", journal);
	TRY(journal_read(journal, look_record, x, e));
	x->created = export == NULL ? NEVER : 0;
	if (export == NULL)
		TRY(export_to(c, temporary, &entries, e));
	enum err_code code =
	    each_line(export == NULL ? temporary : export, read_line, x, e);
	if (code == ERR_OK)
		code = journal_read(journal, read_record, x, e);
	if (export == NULL)
		unlink(temporary);
	TRY(code);
	return judge(x, e);
}

enum err_code
journal_compare(struct cli *c, const char *journal, const char *export,
    struct journal_report *out, struct err *e)
{
	struct comparison x = { .out = out };
	if (journal == NULL)
		journal = arena_printf(c->arena, "%s/signer/journal", c->dir);
	enum err_code code = compare_files(c, &x, journal, export, e);
	for (enum signed_kind k = KIND_CERTIFICATE; k < KINDS; k++) {
		free(x.kind[k].before.v);
		free(x.kind[k].after.v);
		free(x.kind[k].may.v);
		free(x.kind[k].must.v);
	}
	free(x.point);
	return code;
}

/* --- By itself --------------------------------------------------------------------------------- */

static void
show(struct cli *c, const char *mark, const struct err_list *list)
{
	for (size_t i = 0; i < list->len; i++) {
		char text[1024];
		cli_sentence(&list->v[i], c->spanish, text, sizeof(text));
		fprintf(stderr, "%s %s [%s]\n", mark, text, list->v[i].id);
	}
}

static void
report(struct cli *c, const struct journal_report *r)
{
	show(c, "✘", &r->faults);
	show(c, "•", &r->named);
	if (c->json)
		printf("{\"beyond\":%zu,\"checkpoints\":%zu,\"crls\":%zu,"
		       "\"faults\":%zu,\"issued\":%zu,\"named\":%zu,"
		       "\"signed\":%zu}\n",
		    r->beyond, r->checkpoints, r->crls, r->faults.count,
		    r->issued, r->named.count, r->signed_);
	else
		printf("%zu %s, %zu %s, %zu CRL, %zu %s; %zu %s, %zu %s\n",
		    r->signed_, SAY(c, "signed", "firmados"), r->issued,
		    SAY(c, "issued", "emitidos"), r->crls, r->checkpoints,
		    SAY(c, "checkpoints", "sellos"), r->faults.count,
		    SAY(c, "faults", "faltas"), r->named.count,
		    SAY(c, "named", "nombrados"));
	c->exit = r->faults.count == 0 ? CLI_OK : CLI_UNVERIFIED;
}

static enum err_code
audit_journal(struct cli *c, struct err *e)
{
	struct journal_report r = { .issued = 0 };
	enum err_code code =
	    journal_compare(c, c->n_operand > 0 ? c->operand[0] : NULL,
		c->option[OPT_EXPORT], &r, e);
	if (code == ERR_OK)
		report(c, &r);
	err_list_fini(&r.faults);
	err_list_fini(&r.named);
	return code;
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "audit", "journal", audit_journal, NO_ACT, NO_OPERAND, "[JOURNAL]", 0, 1,
	    OPTION(OPT_EXPORT) | OPTION(OPT_SOCKET),
	    "compare the signer's journal with the log", "comparar el diario del firmador con la bitácora",
	    "audit journal --export bitacora.jsonl", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_journal = { verbs, ARRAY_LEN(verbs) };
