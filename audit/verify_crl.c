#include "verify.h"

#include <stdio.h>
#include <string.h>

/* --- crl.published ---------------------------------------------------------------- */

struct list {
	int64_t partition, base;
	uint64_t covers;
	bool names_deltas;
};

/*
 * Partitions are opened one after the other, and a delta rests on the newest
 * complete list of its scope, behind which all changes are known.  Where an
 * entry was erased, nobody can tell.
 */
static enum err_code
judge_scope(struct audit *a, struct ca *c, const struct entry *en,
    const struct list *l, struct err *e)
{
	if (a->lists_erased)
		return ERR_OK;
	/* The full list may come behind the first partition. */
	uint64_t known = c->n_scope > 0 ? c->n_scope : 1;
	if ((uint64_t)l->partition > known)
		return err_say(e, ERR_INVALID, "audit-crl-partition",
		    "entry %s: the CRL is of a partition that does not follow "
		    "those before it",
		    a->at);
	while (c->n_scope <= (uint64_t)l->partition) {
		c->scope = grow(c->scope, c->n_scope, &c->size_scope,
		    sizeof(*c->scope));
		c->scope[c->n_scope++] = (struct scope){ .number = 0 };
	}
	struct scope *s = &c->scope[l->partition];
	if (l->base == 0) {
		s->number = en->refs.number;
		s->covers = l->covers;
		if (!l->names_deltas)
			s->kept_since = 0;
		else if (s->kept_since == 0)
			s->kept_since = en->index;
		return ERR_OK;
	}
	if (!l->names_deltas && l->base == s->number && s->kept_since > 0 &&
	    s->covers > s->kept_since)
		return ERR_OK;
	return err_say(e, ERR_INVALID, "audit-crl-base",
	    "entry %s: the delta rests on another list than the newest of its "
	    "scope, or on one behind which changes were not kept",
	    a->at);
}

enum err_code
judge_crl(struct audit *a, const struct entry *en, struct json_obj d,
    struct err *e)
{
	a->lists_erased |= a->erased;
	if (a->erased)
		return ERR_OK;
	uint32_t i = ca_find(a, json_get_str(d, "issuer"));
	struct bytes hash = json_get_hex(d, "tbs_sha256", a->arena);
	int64_t covers = json_get_int(d, "covers");
	int64_t partition = json_opt_int(d, "partition", 0);
	int64_t base = json_opt_int(d, "base", 0);
	bool names_deltas = json_opt_int(d, "deltas", 0) != 0;
	TRY(detail_end(a, e));
	if (i == NONE || hash.len != HASH_LEN || covers < 0 ||
	    (uint64_t)covers > en->index || partition < 0 || base < 0 ||
	    base >= en->refs.number)
		return err_say(e, ERR_INVALID, "audit-crl-entry",
		    "entry %s: the CRL has no hash, no issuer in this log, or "
		    "covers entries after it",
		    a->at);
	struct ca *c = &a->ca[i];
	bool is_full = partition == 0 && base == 0;
	if (en->refs.number <= c->last_number ||
	    (is_full && (uint64_t)covers < c->crl_covers))
		return err_say(e, ERR_INVALID, "audit-crl-number",
		    "entry %s: the CRL is not newer than the one before",
		    a->at);
	c->last_number = en->refs.number;
	struct list list = { partition, base, (uint64_t)covers, names_deltas };
	TRY(judge_scope(a, c, en, &list, e));
	if (!is_full)
		return ERR_OK;
	c->crl_number = en->refs.number;
	c->crl_index = en->index;
	c->crl_top = (uint32_t)a->n_top;
	c->crl_covers = (uint64_t)covers;
	memcpy(c->crl_sha256, hash.p, HASH_LEN);
	return ERR_OK;
}

/* --- At the end -------------------------------------------------------------------- */

static void
add(const char *at, struct err *f, struct err_list *faults)
{
	char field[40];

	snprintf(field, sizeof(field), "entry %s", at);
	f->where = at_field(field);
	err_list_add(faults, f);
}

static void
index_text(char out[24], uint64_t index)
{
	snprintf(out, 24, "%llu", (unsigned long long)index);
}

/* What each certificate of this CA was when the CRL was built. */
static void
states_at(struct audit *a, uint32_t ca)
{
	for (uint32_t i = 0; i < a->n_change; i++) {
		const struct change *c = &a->change[i];
		struct record *r = &a->record[c->record];
		if ((r->ca == ca || r->ca == NONE) &&
		    c->index < a->ca[ca].crl_covers)
			r->listed = i + 1;
	}
}

static bool
same(const struct change *c, const struct crl_entry *l)
{
	return c->status != STATUS_GOOD &&
	       (c->erased ||
		   (c->reason == l->reason && c->effective == l->revoked_at &&
		       c->invalid_since == l->invalid_since));
}

/* Everything on the list is in the log as it stands there. */
static void
judge_listed(struct audit *a, uint32_t ca, const struct crl_entry *l,
    struct err_list *faults)
{
	uint32_t at = map_get(&a->map, MAP_SERIAL, l->serial);
	struct record *r = at == NONE ? NULL : &a->record[at];
	char serial[HEX_LEN(SERIAL_MAX)], index[24];
	struct err f;

	if (r != NULL && (r->ca == ca || r->ca == NONE)) {
		r->on_crl = true;
		if (r->listed == 0 && r->any_listing)
			return;
		if (r->listed != 0 && same(&a->change[r->listed - 1], l))
			return;
	} else {
		r = NULL;
	}
	hex_print(serial, l->serial);
	if (r != NULL && r->listed != 0) {
		index_text(index, a->change[r->listed - 1].index);
		(void)err_say(&f, ERR_INVALID, "audit-crl-differs",
		    "entry %s: the CRL says something else of %s: state, "
		    "reason or times",
		    index, serial);
	} else {
		index_text(index, a->ca[ca].crl_index);
		(void)err_say(&f, ERR_INVALID, "audit-crl-more",
		    "entry %s: the CRL lists %s, which the log had not "
		    "revoked",
		    index, serial);
	}
	add(index, &f, faults);
}

/* Everything that was revoked or suspended is on the list. */
static void
judge_unlisted(struct audit *a, uint32_t ca, int64_t this_update,
    struct err_list *faults)
{
	for (size_t i = 0; i < a->n_record; i++) {
		struct record *r = &a->record[i];
		const struct change *c =
		    r->listed == 0 ? NULL : &a->change[r->listed - 1];
		char serial[HEX_LEN(SERIAL_MAX)], index[24];
		struct err f;
		r->listed = 0;
		if (c == NULL || c->status == STATUS_GOOD || r->on_crl ||
		    r->ca != ca || r->not_after < this_update)
			continue;
		hex_print(serial, record_serial(r));
		index_text(index, c->index);
		(void)err_say(&f, ERR_INVALID, "audit-crl-lacks",
		    "entry %s: %s was revoked or suspended and is not on the "
		    "CRL",
		    index, serial);
		add(index, &f, faults);
	}
}

/* Its key was destroyed, or the entry that would say so lost its detail: no
 * list follows the last, nor must the CA be in the configuration for ever. */
static bool
has_no_next(const struct audit *a, const struct ca *c)
{
	return c->destroyed || (c->stopped && a->lost_ca);
}

/* The line is the CRL of the last crl.published, and a good one. */
static bool
judge_line(struct audit *a, struct ca *c, struct crl *crl,
    struct err_list *faults)
{
	struct bytes der = buf_bytes(&c->crl), tbs, alg, signature;
	struct err f, below = { .code = ERR_OK };
	uint8_t hash[HASH_LEN];
	char index[24], why[sizeof(below.say)];

	index_text(index, c->crl_index);
	if (signed_split(der, &tbs, &alg, &signature, &f) == ERR_OK)
		sha256(hash, tbs);
	else
		memset(hash, 0, sizeof(hash));
	if (memcmp(hash, c->crl_sha256, HASH_LEN) != 0) {
		(void)err_say(&f, ERR_INVALID, "audit-crl-line",
		    "entry %s: the export does not hold the CRL of %s that "
		    "this entry published",
		    index, c->name);
		add(index, &f, faults);
		return false;
	}
	if (crl_parse(der, crl, &below) == ERR_OK &&
	    crl_check_publish(crl, &c->cert, 0,
		has_no_next(a, c) ? crl->this_update : a->time, a->v,
		&below) == ERR_OK &&
	    crl->number == (uint64_t)c->crl_number) {
		uint32_t n = c->crl_top, before = n > 1 ? n - 1 : n;
		if (!is_life_within(a, before, n, LIFE_CRL,
			crl->next_update - crl->this_update)) {
			(void)over_ceiling(index, "crl_max", &f);
			add(index, &f, faults);
		}
		return true;
	}
	memcpy(why, below.say, sizeof(why));
	(void)err_say(&f, ERR_INVALID, "audit-crl-bad",
	    "entry %s: the CRL of %s has another number or is not good: %s",
	    index, c->name, why);
	add(index, &f, faults);
	return false;
}

static void
judge_unpublished(struct audit *a, uint32_t ca, struct err_list *faults)
{
	char index[24];
	struct err f;

	for (size_t i = 0; i < a->n_change; i++) {
		if (a->record[a->change[i].record].ca != ca)
			continue;
		index_text(index, a->change[i].index);
		(void)err_say(&f, ERR_INVALID, "audit-crl-none",
		    "entry %s: the status of a certificate changed, and its "
		    "issuer %s never published a CRL",
		    index, a->ca[ca].name);
		add(index, &f, faults);
		return;
	}
}

void
compare_crls(struct audit *a, struct err_list *faults)
{
	for (uint32_t i = 0; i < a->n_ca; i++) {
		struct ca *c = &a->ca[i];
		struct crl_cursor at = { 0 };
		struct crl_entry listed;
		struct crl crl;
		if (c->crl_number == 0) {
			judge_unpublished(a, i, faults);
			continue;
		}
		if (has_no_next(a, c) && c->crl.len == 0)
			continue;
		if (!judge_line(a, c, &crl, faults))
			continue;
		states_at(a, i);
		while (crl_next(&crl, &at, &listed))
			judge_listed(a, i, &listed, faults);
		judge_unlisted(a, i, crl.this_update, faults);
	}
}
