/* What the files that read logs share. */
#ifndef CLI_AUDIT_H
#define CLI_AUDIT_H

#include <refrendo/store.h>

#include "cli.h"

/* The whole log into a file, by a temporary one. */
MUST_CHECK enum err_code export_to(struct cli *c, const char *name,
    uint64_t *entries, struct err *e);
/* The second line of a checkpoint.  ERR_IO "cli-checkpoint". */
MUST_CHECK enum err_code size_of_note(struct bytes note, uint64_t *size,
    struct err *e);
/* Lines of a file, without their line feeds. */
MUST_CHECK enum err_code each_line(const char *name,
    void (*line)(void *ctx, struct bytes line), void *ctx, struct err *e);
/* A copy that the running engine makes, or "" when no engine runs. */
MUST_CHECK enum err_code take_snapshot(struct cli *c, const char **dir,
    struct err *e);
void remove_snapshot(const char *dir); /* "": nothing to do */

/* --- A log, entry by entry ------------------------------------------------------ */

struct source {
	struct cli *c;
	struct arena *arena; /* owned: of one entry */
	void *map;           /* an export of size octets */
	size_t size;
	const char *snapshot; /* a ledger: where its copy is, or "" */
	struct store *store;
	struct view *view;
	const char *doing; /* for progress */
	bool shows;
	int percent;
};
struct source_visitor {
	void *ctx;
	/* at: where the entry stands, for source_take(). */
	bool (
	    *wants)(void *ctx, enum entry_type type, int64_t time, uint64_t at);
	/* en has leaf, salt and detail and was judged by nobody; it lives for
	 * the call, as what the reader's arena holds. */
	enum err_code (*take)(void *ctx, struct entry *en, struct err *e);
};
/*
 * source_open - the export of --export, a regular file; else the ledger at
 * --dir: a copy that the engine makes, or the ledger itself while no engine
 * runs.  source_close() in any case.
 */
MUST_CHECK enum err_code source_open(struct cli *c, struct source *r,
    struct err *e);
/* Once through, with a progress bar on a terminal. */
MUST_CHECK enum err_code source_each(struct source *r, const char *doing,
    const struct source_visitor *v, struct err *e);
/* The entries at n places that wants() was told of, in that order. */
MUST_CHECK enum err_code source_take(struct source *r, const char *doing,
    const uint64_t *at, size_t n, const struct source_visitor *v,
    struct err *e);
void source_close(struct source *r);
void source_progress(struct source *r, uint64_t done, uint64_t all);

/* --- What was judged, printed --------------------------------------------------- */

/* Policies and, of candidates, the files that they came from. */
struct named_set {
	const struct policy *policy;    /* whose rules are shown */
	const struct policy_set *set;   /* candidates, or NULL */
	const struct policy_file *file; /* that of policy i of the set */
};
/* Rules that failed: "reasons", each with where it stands. */
void put_failed(struct jw *w, struct cli *c, const struct verdicts *verdicts,
    const struct named_set *names);
void print_failed(struct cli *c, const struct verdicts *verdicts,
    const struct named_set *names);
void print_facts(struct cli *c, const struct policy_facts *f);
/* "differences": field, before, after. */
void put_changes(struct jw *w, const struct cert_change *change, size_t n);
void print_changes(const struct cert_change *change, size_t n);

/* Every line of an export, beside audit_line(): faults "cli-deep-…". */
struct deep;
struct deep *deep_new(void); /* never NULL */
void deep_free(struct deep *d);
OWNED(deep);
void deep_line(struct deep *d, struct bytes line, struct err_list *faults);
/* Certificates that were made again, and those that lack what it takes. */
uint64_t deep_rebuilt(const struct deep *d, uint64_t *not_rebuilt);

/* --since, or 90 days ago.  ERR_INVALID "cli-since". */
MUST_CHECK enum err_code take_since(struct cli *c, int64_t *since,
    struct err *e);
/*
 * usage_read - which policies are in force and when a request last named each,
 * into use, n_use and unused_s of out, which has now.  From --export; else, where
 * there is an installation, from its engine.  When that does not answer, out
 * stays as it is.
 */
MUST_CHECK enum err_code usage_read(struct cli *c, bool installed,
    struct policy_context *out, struct err *e);

/* Verbs with a file of their own. */
MUST_CHECK enum err_code audit_reproduce(struct cli *c, struct err *e);
MUST_CHECK enum err_code policy_explain(struct cli *c, struct err *e);
MUST_CHECK enum err_code policy_simulate(struct cli *c, struct err *e);
MUST_CHECK enum err_code audit_reproduce(struct cli *c, struct err *e);

#endif
