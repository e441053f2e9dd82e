/*
 * crl_verify - may a CRL of anybody's be believed, what does it say of one
 * certificate, and how do two of them differ.
 */
#include <stdlib.h>
#include <string.h>

#include "status.h"

#define LEFT_WARN 25 /* percent of its life (INCIDENTS row 58) */

struct verify {
	struct cli *c;
	struct subject subject;
	struct report report;
	struct buf der, base_der;
	struct crl_any list, base;
	bool has_base;
	int64_t now;
};

/* --- Rows ------------------------------------------------------------------------ */

static void
row(struct verify *w, enum row_state state, const char *name, const char *rule,
    const char *text)
{
	report_row(&w->report, state, name, rule, text);
}

/* Issuer, key, scope, signature and times, by the judgement of clients. */
static void
check_belief(struct verify *w, const char *name, const struct crl_any *list)
{
	struct err e;
	if (crl_any_check(list, &w->subject.issuer, w->now, w->subject.verifier,
		&e) == ERR_OK)
		row(w, ROW_OK, name, "RFC 5280 6.3.3",
		    SAY(w->c, "signed by the issuer, and current",
			"firmada por la emisora, y vigente"));
	else
		row(w, ROW_FAIL, name,
		    e.rule != NULL ? e.rule : "RFC 5280 6.3.3",
		    sentence_text(w->c, &e));
}

static void
check_life(struct verify *w)
{
	const struct crl_any *l = &w->list;
	struct cli *c = w->c;
	int64_t life = l->next_update - l->this_update;
	if (l->next_update == 0 || life <= 0) {
		row(w, ROW_FAIL, "next-update", "RFC 5280 5.1.2.5",
		    SAY(c, "no nextUpdate", "sin nextUpdate"));
		return;
	}
	int64_t left = (l->next_update - w->now) * 100 / life;
	row(w, left < LEFT_WARN ? ROW_WARN : ROW_OK, "life-left",
	    "RFC 5280 5.1.2.5",
	    arena_printf(c->arena, "%lld %%, %s %s",
		(long long)(left < 0 ? 0 : left), SAY(c, "until", "hasta"),
		time_text(c, l->next_update)));
}

static void
check_number(struct verify *w)
{
	const struct crl_any *l = &w->list;
	row(w, l->number.len > 0 ? ROW_OK : ROW_WARN, "number",
	    "RFC 5280 5.2.3", list_number(w->c, l->number));
	row(w, l->version == 2 ? ROW_OK : ROW_WARN, "version",
	    "RFC 5280 5.1.2.1", l->version == 2 ? "2" : "1");
	if (l->url.len > 0)
		row(w, ROW_OK, "partition", "RFC 5280 5.2.5",
		    arena_str(w->c->arena, l->url));
}

static void
check_delta(struct verify *w)
{
	struct err e;
	struct cli *c = w->c;
	if (!w->has_base) {
		if (w->list.base.len > 0)
			row(w, ROW_WARN, "delta", "RFC 5280 5.2.4",
			    arena_printf(c->arena, "%s %s; %s",
				SAY(c, "amends CRL", "enmienda la CRL"),
				list_number(c, w->list.base),
				SAY(c, "give it with --base",
				    "entréguela con --base")));
		return;
	}
	check_belief(w, "base", &w->base);
	if (crl_any_amends(&w->list, &w->base, &e) == ERR_OK)
		row(w, ROW_OK, "delta", "RFC 5280 5.2.4",
		    arena_printf(c->arena, "%s %s",
			SAY(c, "amends CRL", "enmienda la CRL"),
			list_number(c, w->base.number)));
	else
		row(w, ROW_FAIL, "delta", "RFC 5280 5.2.4",
		    sentence_text(c, &e));
}

/* What is wrong in form, of whoever made it: warnings, since it was issued. */
static void
check_lint(struct verify *w)
{
	struct lint lint;
	crl_lint(w->list.der, w->now, LINT_STANDARDS, &lint);
	for (size_t i = 0; i < lint.n; i++) {
		struct err e;
		lint_say(lint.v[i], &e);
		row(w, ROW_WARN, lint.v[i]->id,
		    lint.v[i]->rule != NULL ? lint.v[i]->rule : "-",
		    sentence_text(w->c, &e));
	}
}

/* --- One certificate ------------------------------------------------------------------ */

static bool
find(const struct crl_any *list, struct bytes serial, struct crl_any_entry *out)
{
	struct bytes rest = list->entries;
	while (crl_any_next(&rest, out))
		if (bytes_eq(out->serial, serial))
			return true;
	return false;
}

/* The delta's word is the newer one (RFC 5280 5.2.4). */
static bool
is_listed(const struct verify *w, struct bytes serial,
    struct crl_any_entry *out)
{
	if (find(&w->list, serial, out))
		return out->reason != CRL_REMOVE;
	return w->has_base && find(&w->base, serial, out);
}

/* A list of one partition says nothing of certificates that name another. */
static bool
is_in_scope(struct verify *w)
{
	const struct crl_any *l = &w->list;
	const struct cert *cert = &w->subject.cert;
	if (!w->subject.has_cert)
		return true;
	bool names = l->url.len == 0 || cert_names_crl(cert, l->url);
	bool kind = (!l->only_users || !cert->is_ca) &&
		    (!l->only_cas || cert->is_ca) && !l->only_attributes;
	row(w, names && kind ? ROW_OK : ROW_FAIL, "scope", "RFC 5280 6.3.3",
	    names && kind
		? SAY(w->c, "covers the certificate", "cubre el certificado")
		: SAY(w->c, "covers other certificates than this one",
		      "cubre otros certificados que éste"));
	return names && kind;
}

static enum cli_exit
check_certificate(struct verify *w)
{
	struct crl_any_entry x;
	struct cli *c = w->c;
	struct bytes serial =
	    bytes_of(w->subject.serial, w->subject.serial_len);
	if (serial.len == 0 || !is_in_scope(w))
		return CLI_OK;
	/* Of a delta alone nothing follows for what it does not list. */
	if (!is_listed(w, serial, &x)) {
		bool whole = w->list.base.len == 0 || w->has_base;
		row(w, whole ? ROW_OK : ROW_WARN, "certificate",
		    "RFC 5280 6.3.3",
		    whole ? SAY(c, "not listed", "no está en la lista")
			  : SAY(c, "not in the delta; that alone says nothing",
				"no está en la delta; eso solo nada dice"));
		return CLI_OK;
	}
	row(w, ROW_WARN, "certificate", "RFC 5280 6.3.3",
	    arena_printf(c->arena, "%s %s, %s", SAY(c, "revoked", "revocado"),
		time_text(c, x.revoked_at), reason_text(c, x.reason)));
	return CLI_REVOKED;
}

static enum err_code
verify_run(struct verify *w, struct err *e)
{
	struct cli *c = w->c;
	const char *base = c->option[OPT_BASE];
	TRY(subject_read(c, c->n_operand > 1 ? c->operand[1] : NULL,
	    &w->subject, e));
	TRY(read_list(c, c->operand[0], &w->der, &w->list, e));
	w->has_base = base != NULL;
	if (w->has_base)
		TRY(read_list(c, base, &w->base_der, &w->base, e));
	check_belief(w, "list", &w->list);
	check_life(w);
	check_number(w);
	check_delta(w);
	check_lint(w);
	enum cli_exit listed = check_certificate(w);
	report_end(&w->report);
	c->exit = w->report.fail > 0 ? CLI_UNVERIFIED : listed;
	return ERR_OK;
}

enum err_code
crl_verify(struct cli *c, struct err *e)
{
	struct verify w = { .c = c, .report = { .c = c }, .now = clock_now() };
	enum err_code code = verify_run(&w, e);
	json_decref(w.report.rows);
	subject_fini(&w.subject);
	buf_fini(&w.der);
	buf_fini(&w.base_der);
	return code;
}

/* --- Two lists --------------------------------------------------------------------------- */

struct side {
	struct buf der;
	struct crl_any list;
	struct crl_any_entry *entry; /* by serial */
};

static int
by_serial(const void *a, const void *b)
{
	const struct crl_any_entry *x = a, *y = b;
	return bytes_cmp(x->serial, y->serial);
}

static enum err_code
side_read(struct cli *c, const char *name, struct side *s, struct err *e)
{
	struct bytes rest;
	size_t n = 0;
	TRY(read_list(c, name, &s->der, &s->list, e));
	s->entry = calloc(s->list.n_entry + 1, sizeof(*s->entry));
	if (s->entry == NULL)
		return err_nomem(e);
	rest = s->list.entries;
	while (n < s->list.n_entry && crl_any_next(&rest, &s->entry[n]))
		n++;
	qsort(s->entry, n, sizeof(*s->entry), by_serial);
	return ERR_OK;
}

struct diff {
	struct cli *c;
	json_t *added, *removed, *changed; /* arrays; for --json */
	size_t n[3];
};
enum { ADDED, REMOVED, CHANGED };

static const char *
entry_text(struct cli *c, const struct crl_any_entry *x)
{
	return arena_printf(c->arena, "%s %s%s%s", time_text(c, x->revoked_at),
	    reason_text(c, x->reason), x->invalid_since != 0 ? " " : "",
	    x->invalid_since != 0 ? time_text(c, x->invalid_since) : "");
}

static void
told(struct diff *d, int which, const struct crl_any_entry *old,
    const struct crl_any_entry *new)
{
	static const char marks[] = { '+', '-', '~' };
	struct cli *c = d->c;
	json_t *const list[] = { d->added, d->removed, d->changed };
	const char *serial =
	    hex_text(c, old != NULL ? old->serial : new->serial);
	const char *before = old != NULL ? entry_text(c, old) : "";
	const char *after = new != NULL ? entry_text(c, new) : "";
	d->n[which]++;
	if (c->json)
		json_array_append_new(list[which],
		    json_pack("{s:s, s:s, s:s}", "after", after, "before",
			before, "serial", serial));
	else
		printf("%c %s  %s%s%s\n", marks[which], serial, before,
		    which == CHANGED ? " -> " : "", after);
	if (d->n[which] % 1024 == 0 && !c->json)
		fflush(stdout);
}

static bool
same(const struct crl_any_entry *a, const struct crl_any_entry *b)
{
	return a->revoked_at == b->revoked_at && a->reason == b->reason &&
	       a->invalid_since == b->invalid_since;
}

static void
walk(struct diff *d, const struct side *old, const struct side *new)
{
	size_t i = 0, k = 0;
	while (i < old->list.n_entry || k < new->list.n_entry) {
		const struct crl_any_entry *a = &old->entry[i];
		const struct crl_any_entry *b = &new->entry[k];
		int order = i == old->list.n_entry   ? 1
			    : k == new->list.n_entry ? -1
						     : by_serial(a, b);
		if (order > 0)
			told(d, ADDED, NULL, b);
		else if (order < 0)
			told(d, REMOVED, a, NULL);
		else if (!same(a, b))
			told(d, CHANGED, a, b);
		i += order <= 0;
		k += order >= 0;
	}
}

static json_t *
head_of(struct cli *c, const struct crl_any *l)
{
	return json_pack("{s:s, s:s, s:s, s:I}", "next_update",
	    l->next_update != 0 ? time_text(c, l->next_update) : "", "number",
	    list_number(c, l->number), "this_update",
	    time_text(c, l->this_update), "revoked", (json_int_t)l->n_entry);
}

static void
print_heads(struct cli *c, const struct crl_any *old, const struct crl_any *new)
{
	const struct crl_any *const side[] = { old, new };
	for (int i = 0; i < 2; i++)
		printf("%s %s %s  %s %s  %zu %s\n", i == 0 ? "---" : "+++",
		    SAY(c, "number", "número"), list_number(c, side[i]->number),
		    time_text(c, side[i]->this_update),
		    side[i]->next_update != 0
			? time_text(c, side[i]->next_update)
			: "-",
		    side[i]->n_entry, SAY(c, "revoked", "revocados"));
	if (!bytes_eq(old->issuer, new->issuer))
		fprintf(stderr, "%s\n",
		    SAY(c, "the two are of different issuers",
			"las dos son de emisoras distintas"));
}

static void
diff_print(struct cli *c, const struct side *old, const struct side *new)
{
	struct diff d = { .c = c };
	if (!c->json) {
		print_heads(c, &old->list, &new->list);
		walk(&d, old, new);
		printf("%zu %s, %zu %s, %zu %s\n", d.n[ADDED],
		    SAY(c, "added", "agregadas"), d.n[REMOVED],
		    SAY(c, "removed", "quitadas"), d.n[CHANGED],
		    SAY(c, "changed", "cambiadas"));
		return;
	}
	d.added = json_array();
	d.removed = json_array();
	d.changed = json_array();
	walk(&d, old, new);
	print_object(c,
	    json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}", "added", d.added,
		"removed", d.removed, "changed", d.changed, "old",
		head_of(c, &old->list), "new", head_of(c, &new->list),
		"same_issuer", bytes_eq(old->list.issuer, new->list.issuer)));
}

enum err_code
crl_diff(struct cli *c, struct err *e)
{
	struct side old = { .entry = NULL }, new = { .entry = NULL };
	enum err_code code = side_read(c, c->operand[0], &old, e);
	if (code == ERR_OK)
		code = side_read(c, c->operand[1], &new, e);
	if (code == ERR_OK)
		diff_print(c, &old, &new);
	free(old.entry);
	free(new.entry);
	buf_fini(&old.der);
	buf_fini(&new.der);
	return code;
}
