/*
 * journal - what the signer remembers against what the log says: every
 * certificate that was signed was intended before, and every one that was
 * issued was signed by this signer (INCIDENTS 37, 41).
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <refrendo/signer.h>

#include "audit.h"

#define KNOWN_MAX (64u << 20) /* certificates of one comparison */

/* One serial and the to-be-signed part it stands for. */
struct known {
	uint8_t serial[SERIAL_MAX];
	size_t len;
	uint8_t tbs[HASH_LEN];
};
struct known_list {
	struct known *v; /* owned */
	size_t n, size;
	bool failed;
};
struct comparison {
	struct known_list intended, issued, signed_by_us;
	uint64_t bad_lines;
	struct err_list faults;
};

static void
add(struct known_list *l, struct bytes serial, struct bytes tbs)
{
	if (serial.len > SERIAL_MAX || tbs.len != HASH_LEN || l->n > KNOWN_MAX)
		l->failed = true;
	if (l->failed)
		return;
	if (l->n == l->size) {
		size_t size = l->size == 0 ? 1024 : 2 * l->size;
		struct known *v = realloc(l->v, size * sizeof(*v));
		if (v == NULL) {
			l->failed = true;
			return;
		}
		l->v = v;
		l->size = size;
	}
	struct known *k = &l->v[l->n++];
	*k = (struct known){ .len = serial.len };
	memcpy(k->serial, serial.p, serial.len);
	memcpy(k->tbs, tbs.p, HASH_LEN);
}

static int
compare(const void *a, const void *b)
{
	const struct known *x = a, *y = b;
	int order =
	    bytes_cmp(bytes_of(x->serial, x->len), bytes_of(y->serial, y->len));
	return order != 0 ? order : memcmp(x->tbs, y->tbs, HASH_LEN);
}

static void
sort(struct known_list *l)
{
	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), compare);
}

static bool
holds(const struct known_list *l, const struct known *k)
{
	return l->n > 0 &&
	       bsearch(k, l->v, l->n, sizeof(*l->v), compare) != NULL;
}

/* --- What the log says -------------------------------------------------------------- */

static enum err_code
read_leaf(struct comparison *x, struct bytes leaf, struct arena *a,
    struct err *e)
{
	AUTO(json) j = NULL;
	bool bad = false;
	enum entry_type type;
	TRY(json_parse(leaf, true, &j, e));
	struct json_obj o = json_root(j, &bad, e);
	if (!entry_type_parse(json_get_str(o, "type"), &type))
		return ERR_OK;
	/* An appointment is intended when an officer has confirmed it; the
	 * proposal is the only entry that has its serial before. */
	bool intends = type == ENTRY_CERTIFICATE_INTENDED ||
		       type == ENTRY_APPOINTMENT_PROPOSED;
	bool issues = type == ENTRY_CERTIFICATE_ISSUED ||
		      type == ENTRY_APPOINTMENT_IN_FORCE;
	if (intends || issues)
		add(issues ? &x->issued : &x->intended,
		    json_get_hex(o, "serial", a), json_get_hex(o, "tbs", a));
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
	if (!bytes_is(json_opt_str(o, "kind"), "entry"))
		return;
	if (read_leaf(x, json_get_str(o, "leaf"), a, &e) != ERR_OK)
		x->bad_lines++;
}

static void
read_record(void *ctx, const struct journal_record *r)
{
	struct comparison *x = ctx;
	if (strcmp(r->kind, "certificate") == 0 ||
	    strcmp(r->kind, "appointment") == 0)
		add(&x->signed_by_us, r->serial, r->digest);
}

/* --- Both ways ------------------------------------------------------------------------ */

static void
fault(struct comparison *x, const struct known *k, bool is_signed)
{
	char serial[HEX_LEN(SERIAL_MAX)];
	struct err e;
	hex_print(serial, bytes_of(k->serial, k->len));
	if (is_signed)
		err_say(&e, ERR_CORRUPT, "journal-not-intended",
		    "the signer signed a certificate %s that the log never "
		    "intended",
		    serial);
	else
		err_say(&e, ERR_CORRUPT, "journal-not-signed",
		    "the log says that a certificate %s was issued which the "
		    "signer never signed",
		    serial);
	err_list_add(&x->faults, &e);
}

static void
judge(struct comparison *x)
{
	sort(&x->intended);
	sort(&x->signed_by_us);
	for (size_t i = 0; i < x->signed_by_us.n; i++) {
		if (!holds(&x->intended, &x->signed_by_us.v[i]))
			fault(x, &x->signed_by_us.v[i], true);
	}
	for (size_t i = 0; i < x->issued.n; i++) {
		if (!holds(&x->signed_by_us, &x->issued.v[i]))
			fault(x, &x->issued.v[i], false);
	}
}

static enum err_code
report(struct cli *c, const struct comparison *x, struct err *e)
{
	bool clean = x->faults.count == 0;
	if (x->intended.failed || x->issued.failed || x->signed_by_us.failed)
		return err_say(e, ERR_CORRUPT, "journal-compare",
		    "the journal or the export holds a certificate that is "
		    "not in its form");
	if (x->bad_lines > 0)
		return err_say(e, ERR_CORRUPT, "journal-export",
		    "the export has lines that are not in their form; see "
		    "refrendo audit verify");
	for (size_t i = 0; i < x->faults.len; i++) {
		char text[1024];
		cli_sentence(&x->faults.v[i], c->spanish, text, sizeof(text));
		fprintf(stderr, "✘ %s [%s]\n", text, x->faults.v[i].id);
	}
	if (c->json)
		printf("{\"faults\":%zu,\"issued\":%zu,\"signed\":%zu}\n",
		    x->faults.count, x->issued.n, x->signed_by_us.n);
	else
		printf("%zu %s, %zu %s, %zu %s\n", x->signed_by_us.n,
		    SAY(c, "signed", "firmados"), x->issued.n,
		    SAY(c, "issued", "emitidos"), x->faults.count,
		    SAY(c, "faults", "faltas"));
	c->exit = clean ? CLI_OK : CLI_UNVERIFIED;
	return ERR_OK;
}

/* The journal is read first: what is signed later is in the export too. */
static enum err_code
compare_files(struct cli *c, struct comparison *x, struct err *e)
{
	const char *journal =
	    c->n_operand > 0
		? c->operand[0]
		: arena_printf(c->arena, "%s/signer/journal", c->dir);
	const char *export = c->option[OPT_EXPORT];
	const char *temporary = arena_printf(c->arena, "%s/journal-%d.export",
	    c->dir, (int)getpid());
	uint64_t entries;
	TRY(journal_read(journal, read_record, x, e));
	if (export == NULL)
		TRY(export_to(c, temporary, &entries, e));
	enum err_code code =
	    each_line(export == NULL ? temporary : export, read_line, x, e);
	if (export == NULL)
		unlink(temporary);
	return code;
}

static enum err_code
audit_journal(struct cli *c, struct err *e)
{
	struct comparison x = { .bad_lines = 0 };
	enum err_code code = compare_files(c, &x, e);
	if (code == ERR_OK) {
		judge(&x);
		code = report(c, &x, e);
	}
	free(x.intended.v);
	free(x.issued.v);
	free(x.signed_by_us.v);
	err_list_fini(&x.faults);
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
