/*
 * Which ceilings are in force: the signer judges that, by its own journal, and
 * says so when it is greeted; the log records it, and core decides by the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

/* Parsed anew: as they were in force, they load. */
static enum err_code
read_row(const struct ceilings_row *row, struct ceilings **out, struct err *e)
{
	struct ceilings *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return err_nomem(e);
	enum err_code code = ceilings_read(row->text, c, e);
	if (code == ERR_OK)
		*out = c;
	else
		free(c);
	return code;
}

enum err_code
core_ceilings_load(struct core *c, struct view *v, struct err *e)
{
	struct ceilings_row row;
	bool found;
	TRY(ca_ceilings(v, c->arena, &row, &found, e));
	/* Before the first start: the file, which the signer will take too. */
	if (!found)
		return ERR_OK;
	TRY(read_row(&row, &c->ceilings, e));
	c->ca.ceilings = c->vouching.ceilings = c->ceilings;
	return ERR_OK;
}

/* --- The writer ----------------------------------------------------------------------- */

/* What became in force by this job's entries is so for the next job already. */
enum err_code
core_ceilings_take(struct core *c, struct job *j, struct view *v,
    struct arena *a, bool *changed, struct err *e)
{
	struct ceilings_row row;
	bool found, perhaps = false;
	*changed = false;
	for (size_t i = 0; i < j->n_entry; i++)
		perhaps = perhaps || j->entry[i].type == ENTRY_CEILINGS_TAKEN ||
			  j->entry[i].type == ENTRY_CEREMONY_COMPLETED;
	if (!perhaps)
		return ERR_OK;
	TRY(ca_ceilings(v, a, &row, &found, e));
	if (!found || row.since < view_log_time(v))
		return ERR_OK;
	TRY(read_row(&row, &j->ceilings, e));
	c->ca.ceilings = j->ceilings;
	*changed = true;
	return ERR_OK;
}

/*
 * How they stand in the log.  The signer came to them from those of its journal;
 * where the log has others before them, its word for it would not be true there.
 */
static enum err_code
how_in_log(const struct ceilings_row *before, struct bytes text,
    enum ceilings_how told, struct arena *a, enum ceilings_how *out,
    struct err *e)
{
	struct ceilings *old, *new;
	*out = CEILINGS_KEPT;
	if (told == CEILINGS_REFOUNDED ||
	    (told == CEILINGS_FIRST && before == NULL))
		*out = told;
	if (told != CEILINGS_LESSENED || before == NULL)
		return ERR_OK;
	old = arena_get(a, sizeof(*old));
	new = arena_get(a, sizeof(*new));
	TRY(ceilings_read(before->text, old, e));
	TRY(ceilings_read(text, new, e));
	if (ceilings_grant(old, new) == NULL)
		*out = told;
	return ERR_OK;
}

/* What the signer said, unless the log says the same. */
enum err_code
core_ceilings_record(struct job *j, struct view *v, int64_t now,
    struct arena *a, struct draft *out, bool *is_news, struct err *e)
{
	struct ceilings_row row;
	struct bytes text = buf_bytes(&j->body);
	uint8_t hash[SHA256_LEN];
	enum ceilings_how how;
	bool found;
	TRY(ca_ceilings(v, a, &row, &found, e));
	sha256(hash, text);
	*is_news = !found || !bytes_eq(row.sha256, bytes_of(hash, SHA256_LEN));
	if (!*is_news)
		return ERR_OK;
	TRY(how_in_log(found ? &row : NULL, text, j->how, a, &how, e));
	return ca_decide_ceilings(v, text, how, now, a, out, e);
}

/* --- The loop ------------------------------------------------------------------------- */

static void
record(struct core *c)
{
	struct job *j = job_new(JOB_CEILINGS);
	j->how = c->told_how;
	buf_put(&j->body, c->told.p, c->told.len);
	writer_push(c, j);
}

/* The file of etc/ was read at the start; nothing but the signer takes it. */
static void
compare_file(struct core *c, struct bytes in_force)
{
	struct bytes file = c->inst->file[1].text;
	struct ceilings *now = calloc(1, sizeof(*now));
	struct err e;
	if (bytes_eq(file, in_force) || now == NULL ||
	    ceilings_read(in_force, now, &e) != ERR_OK) {
		free(now);
		return;
	}
	const char *gives = ceilings_grant(now, &c->inst->ceilings);
	log_warn("ceilings-not-in-force", "file=%s gives=%s do=%s%s",
	    c->inst->name[1], gives == NULL ? "" : gives,
	    "refrendo ceremony ceilings ", c->inst->name[1]);
	free(now);
}

void
core_ceilings_told(struct core *c, struct view *v)
{
	struct ceilings_row row;
	uint8_t hash[SHA256_LEN];
	struct err e;
	bool found;
	struct bytes text = c->hello.ceilings;
	buf_reset(&c->told);
	if (text.len == 0)
		return;
	compare_file(c, text);
	sha256(hash, text);
	struct bytes told = bytes_of(hash, SHA256_LEN);
	if (ca_ceilings(v, c->arena, &row, &found, &e) != ERR_OK) {
		core_read_only(c, &e);
		return;
	}
	if (found && bytes_eq(row.sha256, told)) {
		if (c->greeted_again)
			log_info("ceilings-taken", "by=%s", "signer");
		return;
	}
	c->told.max = CEILINGS_FILE_MAX;
	buf_put(&c->told, text.p, text.len);
	c->told_how = c->hello.ceilings_how;
	/* What the officers agreed on is told again next: it may take it, and
	 * says so when it is greeted again. */
	if (found && row.how == CEILINGS_AGREED && !c->greeted_again)
		return;
	record(c);
}

void
core_ceilings_answer(struct core *c, const struct frame *f)
{
	struct err refusal, e;
	if (c->told.len == 0)
		return;
	/* Taken, or known long ago: behind all of them it says which. */
	if ((f->type & SIGNER_REFUSAL) == 0) {
		if (!c->greeted_again)
			peer_send(c->signer, SIGNER_HELLO, 0, BYTES_NONE);
		else
			buf_reset(&c->told); /* it has others since */
		c->greeted_again = true;
		return;
	}
	/* It goes on with those that it told of: the log follows. */
	if (err_decode(f->body, c->arena, &refusal, &e) == ERR_OK &&
	    refusal.code != ERR_BUSY)
		record(c);
}

void
core_ceilings_swap(struct core *c, struct job *j)
{
	struct ceilings *old = c->ceilings;
	if (j->ceilings == NULL || j->code != ERR_OK)
		return;
	c->ceilings = j->ceilings;
	c->vouching.ceilings = c->ceilings;
	j->ceilings = old;
	log_info("ceilings-recorded", "officers=%zu quorum=%lld",
	    c->ceilings->n_officer, (long long)c->ceilings->quorum);
}

void
core_ceilings_json(struct core *c, struct jw *w)
{
	struct view *v = core_view(c);
	struct bytes file = c->inst->file[1].text;
	struct ceilings_row row = { .since = 0 };
	struct err e;
	bool found = false;
	if (v != NULL && ca_ceilings(v, c->arena, &row, &found, &e) != ERR_OK)
		log_err("ceilings-row", &e);
	if (!found || c->ceilings == NULL)
		return;
	const char *gives = ceilings_grant(c->ceilings, &c->inst->ceilings);
	bool differs = !bytes_eq(file, row.text);
	jw_key(w, "ceilings");
	jw_object(w);
	jw_member_int(w, "file_differs", differs ? 1 : 0);
	jw_member_str_opt(w, "file_gives",
	    bytes_str(differs && gives != NULL ? gives : ""));
	jw_member_str(w, "how",
	    bytes_str(ceilings_how_name((enum ceilings_how)row.how)));
	jw_member_int(w, "officers", (int64_t)c->ceilings->n_officer);
	jw_member_int(w, "quorum", c->ceilings->quorum);
	jw_member_hex(w, "sha256", row.sha256);
	jw_member_int(w, "since", row.since);
	jw_close(w, '}');
}
