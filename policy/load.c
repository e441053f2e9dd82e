/*
 * load - policy files to a set of validated policies: all errors of all
 * files, or the set.
 */
#include <stdlib.h>

#include "internal.h"

/* A policy's name and where it was said, to find it a second time. */
struct named {
	struct bytes name;
	int64_t version;
	const char *file;
	uint8_t sha256[SHA256_LEN];
};

struct loader {
	struct load l;
	struct policy_set *set;
	struct named named[POLICIES_MAX];
	size_t n_named;
	const struct ceilings *ceilings;
};

void
policy_set_free(struct policy_set *s)
{
	if (s == NULL)
		return;
	arena_free(s->arena);
	free(s);
}

/* --- What was said to what was validated -------------------------------------- */

static struct tmpl
keep_tmpl(struct arena *a, const struct tmpl *t)
{
	struct tmpl kept = *t;

	for (size_t i = 0; i < kept.n; i++)
		kept.part[i].literal = arena_copy(a, kept.part[i].literal);
	return kept;
}

static void
keep_text(char *out, size_t size, struct bytes text)
{
	size_t len = text.len < size - 1 ? text.len : size - 1;

	memcpy(out, text.p, len);
	out[len] = '\0';
}

static size_t
keep_alts(struct arena *a, struct alt_name out[SPEC_NAMES_MAX],
    const struct value *list)
{
	const struct said_alt *said = list->items;

	for (size_t i = 0; i < list->count; i++) {
		bool email = said[i].email.given;

		out[i].kind = email ? GN_EMAIL : GN_OTHER_IA5;
		out[i].other = said[i].other.oid;
		out[i].value = keep_tmpl(a,
		    email ? &said[i].email.tmpl : &said[i].ia5.tmpl);
	}
	return list->count;
}

static void
keep_names(struct arena *a, struct policy *p, const struct said_policy *s)
{
	const struct said_subject *attr = s->subject.items;
	const struct said_cert_policy *cp = s->certificate_policies.items;

	for (size_t i = 0; i < s->subject.count; i++) {
		p->subject[i].type = attr[i].type;
		p->subject[i].value = keep_tmpl(a, &attr[i].value);
	}
	p->n_subject = s->subject.count;
	p->n_san = keep_alts(a, p->san, &s->names.subject_alt);
	p->n_ian = keep_alts(a, p->ian, &s->names.issuer_alt);
	for (size_t i = 0; i < s->certificate_policies.count; i++) {
		p->certificate_policy[i].oid = cp[i].oid.oid;
		p->certificate_policy[i].cps = arena_copy(a, cp[i].cps.text);
		p->certificate_policy[i].notice =
		    arena_copy(a, cp[i].notice.text);
	}
	p->n_certificate_policy = s->certificate_policies.count;
}

static void
keep_usage(struct policy *p, const struct said_policy *s)
{
	p->modes = (uint32_t)s->keys.modes.n;
	p->keys = (uint32_t)s->keys.allowed.n;
	p->reuse = (enum key_reuse)s->keys.reuse.n;
	p->key_usage = (uint16_t)s->usage.key.n;
	/* In the order of the enum: two files that say the same are the same. */
	for (int oid = 0; oid < OID_COUNT && p->n_eku < SPEC_EKUS_MAX; oid++) {
		if (oid < 63 && (s->usage.extended.n >> oid & 1) != 0)
			p->eku[p->n_eku++] = (enum pkix_oid)oid;
	}
}

static void
keep(struct arena *a, struct policy *p, const struct said_policy *s)
{
	keep_text(p->name, sizeof(p->name), s->name.text);
	keep_text(p->issuer, sizeof(p->issuer), s->issuer.text);
	p->version = s->version.n;
	keep_names(a, p, s);
	keep_usage(p, s);
	p->default_s = s->validity.usual.n;
	p->max_s = s->validity.max.n;
	p->backdate_s = s->validity.backdate.n;
	p->renew_window_s = s->validity.renew_window.n;
	p->required = s->endorsement.required.n;
	p->request_ttl_s = s->endorsement.request_ttl.n;
	p->statement_ttl_s = s->endorsement.statement_ttl.n;
	p->holder_right = (enum revoke_right)s->revocation.holder.n;
	p->operator_right = (enum revoke_right)s->revocation.operator.n;
	p->suspend_max_s = s->revocation.suspend_max.n;
	p->ocsp_validity_s = s->status.ocsp.validity.n;
	p->ocsp_refresh_percent = (int)s->status.ocsp.refresh.n;
	p->crl_every_s = s->status.crl.every.n;
	p->crl_overlap_s = s->status.crl.overlap.n;
	p->crl_on_revoke = s->status.crl.on_revoke.n != 0;
}

/* --- Between files ------------------------------------------------------------------ */

static void
check_twice(struct loader *x, const struct said_policy *s,
    const uint8_t sha256_of_file[SHA256_LEN])
{
	struct load *l = &x->l;
	const struct node *at = s->name.at;
	struct err e;

	if (!s->name.ok || x->n_named == POLICIES_MAX)
		return;
	for (size_t i = 0; i < x->n_named; i++) {
		const struct named *other = &x->named[i];

		if (!bytes_eq(other->name, s->name.text))
			continue;
		if (s->version.ok && other->version == s->version.n &&
		    memcmp(other->sha256, sha256_of_file, SHA256_LEN) != 0) {
			err_at(&e, ERR_CONFLICT, "policy-version-twice", NULL,
			    where_of(l, at),
			    "%s has the same name and version but says "
			    "something else",
			    other->file);
			report(l, at->width, &e,
			    "raise the version and delete the older file");
		} else {
			err_at(&e, ERR_CONFLICT, "policy-name-twice", NULL,
			    where_of(l, at),
			    "%s has the same name; one policy is one file",
			    other->file);
			report(l, at->width, &e, "keep the newer of the two");
		}
		return;
	}
	struct named *mine = &x->named[x->n_named++];

	mine->name = arena_copy(x->set->arena, s->name.text);
	mine->version = s->version.ok ? s->version.n : 0;
	mine->file = l->file->name;
	memcpy(mine->sha256, sha256_of_file, SHA256_LEN);
}

static void
load_one(struct loader *x)
{
	struct load *l = &x->l;
	struct node *root = tree_read(l);
	struct said_policy *said = arena_get(l->arena, sizeof(*said));
	struct policy *p = &x->set->policy[x->set->n];
	uint8_t hash[SHA256_LEN];

	if (root == NULL)
		return;
	refuse_weak_hashes(l, root);
	rows_decode(l, root, &policy_table, said);
	policy_check(l, said);
	policy_check_ceilings(l, said, x->ceilings);
	sha256(hash, l->file->text);
	check_twice(x, said, hash);
	if (!load_clean(l))
		return;
	keep(x->set->arena, p, said);
	memcpy(p->sha256, hash, SHA256_LEN);
	p->text = arena_copy(x->set->arena, l->file->text);
	x->set->n++;
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
	struct loader x = { .set = set, .ceilings = ceilings };
	struct err e;

	for (size_t i = 0; i < many; i++) {
		size_t from = f->len;

		x.l = (struct load){ .file = &files[i],
			.arena = arena,
			.f = f,
			.errors_before = f->errors };
		load_one(&x);
		findings_sort(f, from);
		arena_reset(arena);
	}
	if (n > many) {
		x.l.file = &files[many];
		err_at(&e, ERR_INVALID, "policy-files", NULL,
		    where_at(&x.l, 0, 0),
		    "there are more than 64 policies, the most that are read");
		report(&x.l, 1, &e, "take some away");
	}
	if (f->errors == 0)
		*out = TAKE(set);
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
