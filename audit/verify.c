#include "verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_order.h"

/* Lines, the tree, and what only the end of the export can tell. */

enum kind {
	KIND_HEADER,
	KIND_CERTIFICATE,
	KIND_POLICY,
	KIND_ENTRY,
	KIND_CRL,
	KIND_CHECKPOINT,
	KINDS
};
static const char *const kind_words[KINDS] = { "header", "certificate",
	"policy", "entry", "crl", "checkpoint" };

enum err_code
audit_new(struct bytes log_spki, struct audit **out, struct err *e)
{
	AUTO(audit) a = calloc(1, sizeof(*a));

	if (a == NULL)
		return err_nomem(e);
	a->spki = a->origin = a->loose = BUF(64u << 20);
	a->phase = -1;
	a->partial = NONE;
	a->quorum = 1;
	a->arena = arena_new();
	buf_put(&a->spki, log_spki.p, log_spki.len);
	TRY(buf_end(&a->spki, e));
	TRY(verifier_new(&a->v, e));
	*out = TAKE(a);
	return ERR_OK;
}

void
audit_free(struct audit *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->n_record; i++)
		buf_fini(&a->record[i].statement);
	for (size_t i = 0; i < a->n_appointment; i++)
		buf_fini(&a->appointment[i].statement);
	for (size_t i = 0; i < a->n_agreement; i++)
		buf_fini(&a->agreement[i].statement);
	for (size_t i = 0; i < a->n_mandate; i++)
		buf_fini(&a->mandate[i].statement);
	for (size_t i = 0; i < a->n_ca; i++) {
		buf_fini(&a->ca[i].der);
		buf_fini(&a->ca[i].crl);
		free(a->ca[i].scope);
	}
	map_fini(&a->map);
	free(a->record);
	free(a->change);
	free(a->appointment);
	free(a->agreement);
	free(a->mandate);
	free(a->policy);
	free(a->ca);
	free(a->top);
	free(a->rate);
	free(a->recent);
	buf_fini(&a->spki);
	buf_fini(&a->origin);
	buf_fini(&a->loose);
	verifier_free(a->v);
	arena_free(a->arena);
	free(a);
}

static void
add_fault(struct audit *a, struct err *f, struct err_list *faults)
{
	if (f->where.field[0] == '\0' && a->at[0] != '\0') {
		char field[40];
		snprintf(field, sizeof(field), "entry %s", a->at);
		f->where = at_field(field);
	}
	err_list_add(faults, f);
}

/* An argument of a sentence holds 63 octets: a longer one takes two. */
struct halves {
	char first[64], second[sizeof(((struct err *)0)->say)];
};

static struct halves
halves_of(const struct err *below)
{
	struct halves h;

	snprintf(h.first, sizeof(h.first), "%.63s", below->say);
	snprintf(h.second, sizeof(h.second), "%s",
	    below->say + strlen(h.first));
	return h;
}

enum err_code
fault_below(struct audit *a, const struct err *below, struct err *e)
{
	struct halves h = halves_of(below);

	(void)err_say(e, ERR_INVALID, "audit-below", "entry %s: %s%s", a->at,
	    h.first, h.second);
	return err_why(e, "%s", below->id);
}

enum err_code
detail_end(struct audit *a, struct err *e)
{
	return a->bad ? fault_below(a, &a->json_err, e) : ERR_OK;
}

/* --- Lines other than entries ------------------------------------------------ */

static enum err_code
read_header(struct audit *a, struct json_obj o, struct err *e)
{
	struct bytes origin = json_get_str(o, "origin");

	(void)json_get_int(o, "created");
	if (!a->bad &&
	    !bytes_is(json_get_str(o, "format"), "refrendo/export/v1"))
		return err_say(e, ERR_INVALID, "audit-format",
		    "this is not an export of refrendo, or of a newer one");
	buf_put(&a->origin, origin.p, origin.len);
	return ERR_OK;
}

/* Loose lines are compared with the log at the end. */
static void
read_loose(struct audit *a, struct json_obj o, enum map_kind kind,
    const char *member)
{
	struct bytes text = json_get_base64(o, member, a->arena);
	uint8_t row[1 + HASH_LEN];

	row[0] = (uint8_t)kind;
	sha256(row + 1, text);
	buf_put(&a->loose, row, sizeof(row));
}

static enum err_code
read_crl(struct audit *a, struct json_obj o, struct err *e)
{
	struct bytes name = json_get_str(o, "issuer");
	struct bytes der = json_get_base64(o, "der", a->arena);

	if (a->bad)
		return ERR_OK;
	uint32_t i = ca_find(a, name);
	if (i == NONE || a->ca[i].crl.len > 0)
		return err_say(e, ERR_INVALID, "audit-crl-issuer",
		    "the export holds a CRL of %s, which is no CA of this log "
		    "or has another one already",
		    arena_str(a->arena, name));
	a->ca[i].crl = BUF(CRL_MAX_BYTES);
	buf_put(&a->ca[i].crl, der.p, der.len);
	a->report.crls++;
	return buf_end(&a->ca[i].crl, e);
}

static enum err_code
read_checkpoint(struct audit *a, struct json_obj o, struct err *e)
{
	struct bytes note = json_get_str(o, "note");

	if (a->bad)
		return ERR_OK;
	TRY(checkpoint_verify(note, buf_bytes(&a->origin), buf_bytes(&a->spki),
	    a->v, &a->note, e));
	a->note.origin = buf_bytes(&a->origin);
	a->has_note = true;
	return ERR_OK;
}

/* --- Entries ----------------------------------------------------------------- */

/* The frontier before this entry, for statements that name a root. */
static void
remember(struct audit *a)
{
	if (a->recent == NULL)
		a->recent = calloc(RECENT, sizeof(*a->recent));
	if (a->recent == NULL)
		fatal("no memory for the verifier");
	struct merkle *m = &a->recent[a->tree.size % RECENT];
	size_t n = (size_t)__builtin_popcountll(a->tree.size);

	m->size = a->tree.size;
	memcpy(m->peak, a->tree.peak, n * HASH_LEN);
}

static enum err_code
add_leaf(struct audit *a, struct bytes leaf, struct bytes stored, struct err *e)
{
	uint8_t hash[HASH_LEN];

	remember(a);
	merkle_leaf_hash(hash, leaf);
	merkle_append(&a->tree, hash, NULL, NULL);
	if (stored.len != HASH_LEN) {
		a->gap = true;
		return ERR_OK;
	}
	merkle_append(&a->stored, stored.p, NULL, NULL);
	if (!bytes_eq(bytes_of(hash, HASH_LEN), stored))
		return err_say(e, ERR_CORRUPT, "audit-leaf-changed",
		    "entry %s: it is not the one whose hash the log keeps: it "
		    "was changed",
		    a->at);
	return ERR_OK;
}

/* Judges position and time, and goes on from where the entry says it is. */
static enum err_code
judge_place(struct audit *a, const struct entry *en, struct err *e)
{
	char other[24];
	uint64_t want = a->next;
	int64_t last = a->time;

	snprintf(other, sizeof(other), "%llu", (unsigned long long)en->index);
	a->next = en->index + 1;
	a->time = en->time;
	if (en->index != want) {
		a->gap = true;
		return err_say(e, ERR_INVALID, "audit-missing",
		    "entry %s: it is missing; entry %s stands in its place",
		    a->at, other);
	}
	if (en->time < last)
		return err_say(e, ERR_INVALID, "audit-time",
		    "entry %s: it is older than the entry before it", a->at);
	return ERR_OK;
}

static void
judge_detail(struct audit *a, const struct entry *en, struct err_list *faults)
{
	AUTO(json) detail = NULL;
	struct err f = { .code = ERR_OK };
	struct json_obj d = { NULL, &a->bad, &a->json_err };

	a->bad = false;
	a->erased = en->detail.len == 0;
	if (!a->erased) {
		struct err below = { .code = ERR_OK };
		if (json_parse(en->detail, true, &detail, &below) != ERR_OK) {
			(void)fault_below(a, &below, &f);
			add_fault(a, &f, faults);
			return;
		}
		d = json_root(detail, &a->bad, &a->json_err);
	}
	if (judge_entry(a, en, d, &f) != ERR_OK)
		add_fault(a, &f, faults);
}

static void
read_entry(struct audit *a, struct json_obj o, struct err_list *faults)
{
	struct entry en = { .leaf = json_get_str(o, "leaf"),
		.detail = json_opt_str(o, "detail") };
	struct bytes stored = json_get_hex(o, "hash", a->arena);
	struct bytes salt = BYTES_NONE;
	struct err f = { .code = ERR_OK }, below = { .code = ERR_OK };

	if (en.detail.len > 0)
		salt = json_get_hex(o, "salt", a->arena);
	else
		a->report.erased++;
	if (salt.len == ENTRY_SALT)
		memcpy(en.salt, salt.p, ENTRY_SALT);
	snprintf(a->at, sizeof(a->at), "%llu", (unsigned long long)a->next);
	a->report.entries++;
	if (add_leaf(a, en.leaf, stored, &f) != ERR_OK)
		add_fault(a, &f, faults);
	if (entry_parse(&en, a->arena, &below) != ERR_OK) {
		(void)fault_below(a, &below, &f);
		add_fault(a, &f, faults);
		/* Its public part alone may still be good to go on with. */
		en.detail = BYTES_NONE;
		if (entry_parse(&en, a->arena, &below) != ERR_OK) {
			a->next++;
			return;
		}
	}
	if (judge_place(a, &en, &f) != ERR_OK)
		add_fault(a, &f, faults);
	snprintf(a->at, sizeof(a->at), "%llu", (unsigned long long)en.index);
	judge_detail(a, &en, faults);
}

/* --- Lines --------------------------------------------------------------------- */

static enum err_code
judge_order(struct audit *a, enum kind kind, struct err *e)
{
	/* Certificates and policies may be mixed. */
	int rank = kind == KIND_POLICY ? KIND_CERTIFICATE : (int)kind;
	bool once = kind == KIND_HEADER || kind == KIND_CHECKPOINT;

	if (rank < a->phase || (once && rank == a->phase) ||
	    (a->phase == -1 && kind != KIND_HEADER))
		return err_say(e, ERR_INVALID, "audit-order",
		    "a line of the export stands where lines of its kind (%s) "
		    "cannot stand",
		    kind_words[kind]);
	a->phase = rank;
	return ERR_OK;
}

static enum err_code
read_line(struct audit *a, struct json_obj o, struct err_list *faults,
    struct err *e)
{
	struct bytes word = json_get_str(o, "kind");
	int kind = 0;

	while (kind < KINDS && !bytes_is(word, kind_words[kind]))
		kind++;
	if (kind == KINDS)
		return err_say(e, ERR_INVALID, "audit-kind",
		    "a line of the export is of no known kind");
	TRY(judge_order(a, (enum kind)kind, e));
	switch ((enum kind)kind) {
	case KIND_HEADER:
		return read_header(a, o, e);
	case KIND_CERTIFICATE:
		read_loose(a, o, MAP_OBJECT, "der");
		return ERR_OK;
	case KIND_POLICY:
		read_loose(a, o, MAP_POLICY, "text");
		return ERR_OK;
	case KIND_ENTRY:
		read_entry(a, o, faults);
		/* The members of the line itself are hash, leaf and salt. */
		return ERR_OK;
	case KIND_CRL:
		return read_crl(a, o, e);
	case KIND_CHECKPOINT:
		return read_checkpoint(a, o, e);
	case KINDS:
		break;
	}
	return ERR_OK;
}

static void
line_fault(struct audit *a, const struct err *below, struct err_list *faults)
{
	struct err f;
	struct halves h = halves_of(below);
	char number[24];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)a->line);
	(void)err_say(&f, ERR_INVALID, "audit-line",
	    "line %s of the export: %s%s", number, h.first, h.second);
	(void)err_why(&f, "%s", below->id);
	f.where.line = (uint32_t)a->line;
	err_list_add(faults, &f);
}

void
audit_line(struct audit *a, struct bytes line, struct err_list *faults)
{
	AUTO(json) j = NULL;
	struct err f = { .code = ERR_OK }, member = { .code = ERR_OK };
	bool bad = false;

	a->line++;
	a->at[0] = '\0';
	arena_reset(a->arena);
	if (json_parse_max(line, EXPORT_LINE_MAX, true, &j, &f) != ERR_OK) {
		a->gap = true;
		line_fault(a, &f, faults);
		return;
	}
	a->bad = false;
	struct json_obj o = json_root(j, &bad, &member);
	/* Lines that are no entries share the flag that their readers ask. */
	if (!bytes_is(json_opt_str(o, "kind"), "entry"))
		o.bad = &a->bad;
	if (read_line(a, o, faults, &f) != ERR_OK)
		line_fault(a, &f, faults);
	else if (*o.bad)
		line_fault(a, &member, faults);
}

/* --- The end --------------------------------------------------------------------- */

static void
finish_tree(struct audit *a, struct err_list *faults)
{
	uint8_t stored[HASH_LEN];
	char have[24], want[24];
	struct err f;

	merkle_root(&a->tree, a->report.root);
	merkle_root(&a->stored, stored);
	if (!a->has_note) {
		(void)err_say(&f, ERR_INVALID, "audit-no-checkpoint",
		    "the export ends without a good checkpoint: nothing in it "
		    "is proven");
		err_list_add(faults, &f);
		return;
	}
	a->report.checkpoint_size = (int64_t)a->note.size;
	snprintf(have, sizeof(have), "%llu", (unsigned long long)a->next);
	snprintf(want, sizeof(want), "%llu", (unsigned long long)a->note.size);
	if (a->note.size > a->next) {
		(void)err_say(&f, ERR_INVALID, "audit-cut",
		    "entry %s: it and all after it are missing: the "
		    "checkpoint covers %s entries",
		    have, want);
		err_list_add(faults, &f);
	} else if (a->note.size < a->next) {
		(void)err_say(&f, ERR_INVALID, "audit-uncovered",
		    "entry %s: it and all after it stand outside the "
		    "checkpoint",
		    want);
		err_list_add(faults, &f);
	} else if (memcmp(a->report.root, a->note.root, HASH_LEN) != 0 &&
		   (a->gap || memcmp(stored, a->note.root, HASH_LEN) != 0)) {
		(void)err_say(&f, ERR_INVALID, "audit-fork",
		    "the entries are not those that the checkpoint covers: the "
		    "log was forked or rewritten");
		err_list_add(faults, &f);
	}
}

static void
finish_loose(struct audit *a, struct err_list *faults)
{
	struct reader r = reader_of(buf_bytes(&a->loose));

	while (r.p < r.end) {
		enum map_kind kind = (enum map_kind)get_u8(&r);
		struct bytes hash = get_raw(&r, HASH_LEN);
		struct err f;
		if (map_get(&a->map, kind, hash) != NONE)
			continue;
		(void)err_say(&f, ERR_INVALID, "audit-loose",
		    "the export holds a %s that no entry of the log names",
		    kind == MAP_POLICY ? "policy" : "certificate");
		err_list_add(faults, &f);
	}
}

void
audit_finish(struct audit *a, struct audit_report *report,
    struct err_list *faults)
{
	a->at[0] = '\0';
	finish_tree(a, faults);
	finish_loose(a, faults);
	compare_crls(a, faults);
	*report = a->report;
}
