/*
 * deep - beside the verification of an export: every request that was
 * submitted is judged once more by the bytes of its policy, and its TBS made
 * again.
 */
#include <stdlib.h>
#include <string.h>

#include "audit.h"

struct deep {
	struct history *history; /* owned */
	struct arena *arena;     /* owned: of one line */
	uint64_t rebuilt, not_rebuilt;
	struct past_result result;
	struct cert_change change[CERT_CHANGES_MAX];
};

struct deep *
deep_new(void)
{
	struct deep *d = calloc(1, sizeof(*d));
	if (d == NULL)
		fatal("no memory for a verification");
	d->history = history_new();
	d->arena = arena_new();
	return d;
}

void
deep_free(struct deep *d)
{
	if (d == NULL)
		return;
	history_free(d->history);
	arena_free(d->arena);
	free(d);
}

uint64_t
deep_rebuilt(const struct deep *d, uint64_t *not_rebuilt)
{
	*not_rebuilt = d->not_rebuilt;
	return d->rebuilt;
}

/* --- Faults ------------------------------------------------------------------------ */

static const char *
entry_text(struct deep *d, uint64_t index)
{
	return arena_printf(d->arena, "%llu", (unsigned long long)index);
}

static const char *
serial_text(struct deep *d, struct bytes serial)
{
	char *hex = arena_get(d->arena, HEX_LEN(serial.len));
	hex_print(hex, serial);
	return hex;
}

static enum err_code
differs(struct deep *d, const struct past *p, struct err *e)
{
	struct cert before, after;
	TRY(cert_parse_own(d->result.before, &before, e));
	TRY(cert_parse_own(d->result.after, &after, e));
	size_t n = cert_diff(&before, &after, d->change);
	(void)err_say(e, ERR_CORRUPT, "cli-deep-differs",
	    "entry %s: the certificate %s is not what its policy makes of what "
	    "it was judged by: %s differs",
	    entry_text(d, p->index), serial_text(d, p->serial),
	    n > 0 ? d->change[0].field : "tbsCertificate");
	for (size_t i = 0; i < n; i++)
		(void)err_why(e, "%s: %s -> %s", d->change[i].field,
		    d->change[i].before, d->change[i].after);
	return e->code;
}

static enum err_code
refused(struct deep *d, const struct past *p, struct err *e)
{
	const char *say = "";
	for (size_t i = d->result.verdicts.len; i-- > 0;)
		if (!d->result.verdicts.v[i].passed)
			say = d->result.verdicts.v[i].err.say;
	(void)err_say(e, ERR_CORRUPT, "cli-deep-refused",
	    "entry %s: the certificate %s exists although its policy refuses "
	    "it: %s",
	    entry_text(d, p->index), serial_text(d, p->serial), say);
	return err_why(e, "%s", say);
}

/* A sentence of a lower layer behind the entry's number. */
static enum err_code
below(struct deep *d, uint64_t index, struct err *e)
{
	struct err lower = *e;
	(void)err_say(e, ERR_INVALID, "cli-deep-below",
	    "entry %s: it cannot be judged again: %s", entry_text(d, index),
	    lower.say);
	return err_why(e, "%s: %s", lower.id, lower.say);
}

/* --- Entries ------------------------------------------------------------------------- */

static enum err_code
rebuild(struct deep *d, const struct past *p, struct err *e)
{
	const struct policy *policy;
	enum err_code code =
	    history_policy(d->history, p->policy_sha256, &policy, e);
	if (code == ERR_OK)
		code =
		    past_judge(d->history, p, policy, d->arena, &d->result, e);
	if (code != ERR_OK)
		return below(d, p->index, e);
	d->rebuilt++;
	if (d->result.verdict == PAST_SAME)
		return ERR_OK;
	return d->result.verdict == PAST_DIFFERS ? differs(d, p, e)
						 : refused(d, p, e);
}

static enum err_code
take(struct deep *d, struct entry *en, struct err *e)
{
	AUTO(json) keep = NULL;
	struct past past;
	/* What is no entry of this log is told by the verifier. */
	if (entry_parse(en, d->arena, e) != ERR_OK)
		return ERR_OK;
	if (en->type != ENTRY_REQUEST_SUBMITTED)
		return history_take(d->history, en, e) == ERR_OK
			   ? ERR_OK
			   : below(d, en->index, e);
	enum err_code code = past_read(en, &keep, d->arena, &past, e);
	if (code == ERR_NOTFOUND) {
		d->not_rebuilt++;
		return ERR_OK;
	}
	return code == ERR_OK ? rebuild(d, &past, e) : below(d, en->index, e);
}

void
deep_line(struct deep *d, struct bytes line, struct err_list *faults)
{
	AUTO(json) keep = NULL;
	enum entry_type type;
	int64_t time;
	struct entry en;
	struct err e = { .code = ERR_OK };
	if (!export_glance(line, &type, &time) ||
	    (type != ENTRY_REQUEST_SUBMITTED &&
		type != ENTRY_SYSTEM_INITIALIZED &&
		type != ENTRY_CEREMONY_COMPLETED &&
		type != ENTRY_POLICY_ACTIVATED))
		return;
	if (export_entry_read(line, &keep, d->arena, &en, &e) == ERR_OK &&
	    take(d, &en, &e) != ERR_OK)
		err_list_add(faults, &e);
	arena_reset(d->arena);
}
