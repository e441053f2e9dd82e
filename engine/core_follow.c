/*
 * What entries lead to, once they are committed: signatures to ask for,
 * status answers and CRLs to publish.  The same at start, from entries that
 * are read back, as in live work, from the jobs of the writer.
 */
#include <stdio.h>
#include <string.h>

#include "core.h"

enum consequence {
	C_NONE = 0,
	C_SIGN = 1,    /* ask the signer */
	C_STATUS = 2,  /* publish a status answer */
	C_CRL = 4,     /* publish a CRL of its issuer */
	C_END = 8,     /* tell the signer that an appointment ended */
	C_POLICY = 16, /* tell the signer what officers signed, or took back */
	C_ROOT = 32,   /* publish what the root signed */
	C_CAS = 64,    /* tell the signer which CAs issue */
	C_MANDATE = 128, /* tell the signer that a mandate ended */
	C_SIGNER = C_SIGN | C_END | C_POLICY | C_CAS | C_MANDATE
};

/* clang-format off */
static const unsigned consequences[ENTRY_TYPES] = {
	[ENTRY_APPOINTMENT_CONFIRMED]  = C_SIGN,
	[ENTRY_APPOINTMENT_ENDED]      = C_END,
	/* From the intent on it may exist: it has a status before a signature. */
	[ENTRY_CERTIFICATE_INTENDED]   = C_SIGN | C_STATUS,
	[ENTRY_CERTIFICATE_REVOKED]    = C_STATUS | C_CRL,
	[ENTRY_CERTIFICATE_SUSPENDED]  = C_STATUS | C_CRL,
	[ENTRY_CERTIFICATE_REINSTATED] = C_STATUS | C_CRL,
	[ENTRY_POLICY_ENDORSED]        = C_POLICY,
	[ENTRY_POLICY_ACTIVATED]       = C_POLICY,
	[ENTRY_POLICY_WITHDRAWN]       = C_POLICY,
	[ENTRY_CEREMONY_COMPLETED]     = C_ROOT | C_CAS,
	[ENTRY_CA_STOPPED]             = C_CAS,
	[ENTRY_MANDATE_ENDED]          = C_MANDATE,
	[ENTRY_MANDATE_LAPSED]         = C_MANDATE,
};
/* clang-format on */

/* What goes on a CRL, or comes off it, waits behind nothing. */
static enum due_kind
due_kind(unsigned consequence)
{
	return (consequence & C_CRL) != 0 ? DUE_CHANGED : DUE_NEW;
}

static void
status_changed(struct core *c, struct bytes serial)
{
	struct err e;
	struct cert_status status;
	struct view *v = core_view(c);
	if (v == NULL)
		return;
	if (ca_status(v, serial, &status, &e) != ERR_OK)
		core_read_only(c, &e);
	else if (status.known)
		crl_want(c, &status);
}

struct followed
followed_of(enum entry_type type, const struct entry_refs *refs)
{
	struct followed f = { .type = type, .serial_len = refs->serial.len };
	struct bytes id =
	    refs->request.len > 0 ? refs->request : refs->appointment;
	if (f.serial_len > 0)
		memcpy(f.serial, refs->serial.p, f.serial_len);
	snprintf(f.id, sizeof(f.id), "%.*s", BYTES_FMT(id));
	return f;
}

static void
tell_signer(struct core *c, const struct followed *f)
{
	unsigned what = consequences[f->type];
	if ((what & C_SIGN) != 0)
		sign_ask(c, bytes_str(f->id));
	if ((what & C_END) != 0)
		sign_end_appointment(c, bytes_str(f->id));
	if ((what & C_MANDATE) != 0)
		sign_end_mandate(c, bytes_str(f->id));
	if ((what & C_POLICY) != 0)
		sign_policy(c, bytes_str(f->id));
	if ((what & C_CAS) != 0)
		sign_ca(c, bytes_str(f->id));
}

/* An activation is told once, not for each of its policies. */
static bool
is_told(const struct followed *f, const struct followed *before)
{
	return before != NULL && f->type == ENTRY_POLICY_ACTIVATED &&
	       strcmp(f->id, before->id) == 0;
}

static void
follow_entry(struct core *c, const struct followed *f,
    const struct followed *before)
{
	unsigned what = consequences[f->type];
	struct bytes serial = bytes_of(f->serial, f->serial_len);
	if (!is_told(f, before))
		tell_signer(c, f);
	if ((what & C_ROOT) != 0) {
		root_list_changed(c);
		/* A list may have been under way. */
		writer_push(c, job_new(JOB_LAST));
	}
	if ((what & C_STATUS) != 0)
		due_push(c, due_kind(what), serial);
	if ((what & C_CRL) != 0)
		status_changed(c, serial);
}

/* The writer has them already; the old ones end with the job. */
static void
swap_policies(struct core *c, struct job *j)
{
	struct policy_set *old = c->policies;
	if (j->policies == NULL || j->code != ERR_OK)
		return;
	c->policies = j->policies;
	j->policies = old;
	c->crl_look_ms = 0;
	log_info("policies-in-force", "n=%zu", c->policies->n);
}

void
follow_job(struct core *c, struct job *j)
{
	if (j->log_size > c->log_size)
		c->log_size = j->log_size;
	swap_policies(c, j);
	core_ceilings_swap(c, j);
	for (size_t i = 0; i < j->n_entry; i++)
		follow_entry(c, &j->entry[i], i > 0 ? &j->entry[i - 1] : NULL);
	switch (j->kind) {
	case JOB_COMMAND:
		c->acts++;
		c->refusals += j->code != ERR_OK;
		reply_job(c, j);
		break;
	case JOB_SIGNED:
		if (j->code != ERR_OK)
			log_err("signed-refused", &j->err);
		else
			reply_resolved(c, j);
		break;
	case JOB_CRL:
		crl_written(c, j);
		core_ready(c);
		break;
	case JOB_RESPONDER: {
		struct err e;
		struct core_issuer *i = core_issuer_find(c, bytes_str(j->id));
		i->responder_asked = false;
		if (j->code != ERR_OK)
			log_err("responder-refused", &j->err);
		else if (responder_take(i, buf_bytes(&j->body), &e) != ERR_OK)
			log_err("responder-unusable", &e);
		else if (publish_issuer(c, i, &e) != ERR_OK)
			log_err("responder-publish", &e);
		core_ready(c);
		break;
	}
	case JOB_LAST:
		if (j->code != ERR_OK)
			log_err("last-lists", &j->err);
		break;
	case JOB_VERIFY:
		if (j->code != ERR_OK)
			core_read_only(c, &j->err);
		else
			log_info("ledger-verified", "entries=%llu",
			    (unsigned long long)j->log_size);
		break;
	case JOB_CEILINGS:
		if (j->code != ERR_OK)
			log_err("ceilings-refused", &j->err);
		break;
	case JOB_TICK:
		c->tick_out = false;
		if (j->code != ERR_OK)
			log_err("tick-refused", &j->err);
		break;
	}
}

/* Entries that are in the ledger and not yet in public/. */
void
follow_from(struct core *c, uint64_t index, uint64_t size)
{
	struct err e;
	struct view *v = core_view(c);
	if (v == NULL)
		return;
	for (uint64_t i = index; i < size; i++) {
		struct entry entry;
		enum err_code code = view_entry(v, i, c->arena, &entry, &e);
		if (code == ERR_OK && consequences[entry.type] != C_NONE)
			code = entry_parse(&entry, c->arena, &e);
		if (code != ERR_OK) {
			core_read_only(c, &e);
			break;
		}
		struct followed f = followed_of(entry.type, &entry.refs);
		/* Signatures are asked for by the rows of work instead. */
		if ((consequences[f.type] & C_STATUS) != 0)
			due_push(c, due_kind(consequences[f.type]),
			    bytes_of(f.serial, f.serial_len));
		arena_reset(c->arena);
	}
}

/*
 * What the signer may have missed, in the order of the log, as each entry was
 * judged by those before it: new ceilings before what new officers sign, and
 * what the old ones signed before those.
 */
enum err_code
follow_missed(struct core *c, struct view *v, uint64_t signed_size,
    struct err *e)
{
	AUTO(arena) a = arena_new();
	struct followed f = { .type = ENTRY_TYPES }, before;
	for (uint64_t i = signed_size; i < view_log_size(v); i++) {
		struct entry entry;
		arena_reset(a);
		TRY(view_entry(v, i, a, &entry, e));
		if ((consequences[entry.type] & C_SIGNER) == 0)
			continue;
		TRY(entry_parse(&entry, a, e));
		before = f;
		f = followed_of(entry.type, &entry.refs);
		if (!is_told(&f, &before))
			tell_signer(c, &f);
	}
	return ERR_OK;
}
