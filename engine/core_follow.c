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
	C_SIGN = 1,     /* ask the signer */
	C_STATUS = 2,   /* publish a status answer */
	C_CRL = 4,      /* publish a CRL of its issuer */
	C_END = 8,      /* tell the signer that an appointment ended */
	C_POLICY = 16,  /* tell the signer what officers signed, or took back */
	C_ROOT = 32,    /* publish what the root signed */
	C_CAS = 64,     /* tell the signer which CAs issue */
	C_MANDATE = 128 /* tell the signer that a mandate ended */
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

static void
follow_entry(struct core *c, const struct followed *f)
{
	unsigned what = consequences[f->type];
	struct bytes serial = bytes_of(f->serial, f->serial_len);
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
		follow_entry(c, &j->entry[i]);
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
		struct followed f = { .type = entry.type };
		f.serial_len = entry.refs.serial.len;
		if (f.serial_len > 0)
			memcpy(f.serial, entry.refs.serial.p, f.serial_len);
		/* Signatures are asked for by the rows of work instead. */
		if ((consequences[f.type] & C_STATUS) != 0)
			due_push(c, due_kind(consequences[f.type]),
			    bytes_of(f.serial, f.serial_len));
		arena_reset(c->arena);
	}
}
