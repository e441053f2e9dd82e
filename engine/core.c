/*
 * The main of core: opens the ledger, closes the sandbox, reconciles, and
 * then serves until it is told to stop.
 */
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core.h"

#define SECOND_MS 1000

void
core_read_only(struct core *c, const struct err *e)
{
	log_err("read-only", e);
	if (c->read_only)
		return;
	snprintf(c->read_only_why, sizeof(c->read_only_why), "%s", e->say);
	c->read_only = true;
}

/*
 * One read transaction serves a whole turn of the loop.  It ends before the
 * loop waits, so that no page is pinned, and when a commit has made it old.
 */
struct view *
core_view(struct core *c)
{
	struct err e;
	if (c->store == NULL)
		return NULL; /* said so at the start */
	if (c->view == NULL &&
	    store_begin(c->store, false, &c->view, &e) != ERR_OK) {
		c->view = NULL;
		core_read_only(c, &e);
	}
	return c->view;
}

void
core_view_end(struct core *c)
{
	view_abort(c->view);
	c->view = NULL;
}

static void
on_turn(uv_prepare_t *turn)
{
	core_view_end(turn->data);
}

/* --- Start -------------------------------------------------------------------- */

/* Once: the sandbox closes behind it. */
static enum err_code
core_load_lists(struct core *c, struct err *e)
{
	const struct config *config = &c->inst->config;
	if (config->n_compromised == 0)
		return ERR_OK;
	TRY(weak_list_new(&c->weak, e));
	for (size_t i = 0; i < config->n_compromised; i++) {
		const char *file = config->compromised[i];
		struct buf text AUTO_BUF = BUF(0);
		TRY(file_read(c->inst->dir, file, WEAK_LIST_MAX_BYTES, &text,
		    e));
		const char *slash = strrchr(file, '/');
		TRY(weak_list_add(c->weak, slash != NULL ? slash + 1 : file,
		    buf_bytes(&text), e));
	}
	log_info("weak-keys", "lists=%zu keys=%zu", config->n_compromised,
	    weak_list_count(c->weak));
	return ERR_OK;
}

/* Of each, so that officers can put it in the place of the one before. */
static enum err_code
core_load_roots(struct core *c, struct err *e)
{
	const struct config *config = &c->inst->config;
	c->root_der = BUF(CERT_MAX_BYTES);
	c->root_crl = BUF(CRL_MAX_BYTES);
	TRY(file_certificate(c->inst->dir, config->root_certificate,
	    &c->root_der, e));
	TRY(file_read(c->inst->dir, "ca/root.crl", CRL_MAX_BYTES, &c->root_crl,
	    e));
	for (size_t i = 0; i < config->n_root; i++) {
		c->later_der[i] = BUF(CERT_MAX_BYTES);
		TRY(file_certificate(c->inst->dir, config->root[i].certificate,
		    &c->later_der[i], e));
		c->later[i] = (struct ca_root){ .name = config->root[i].name,
			.der = buf_bytes(&c->later_der[i]) };
	}
	return ERR_OK;
}

static enum err_code
core_load_cas(struct core *c, struct err *e)
{
	const struct config *config = &c->inst->config;
	TRY(core_issuers_configured(c, e));
	TRY(core_issuer_load(c, &c->endorser, "endorser",
	    config->endorser_certificate, e));
	/*
	 * Whether a minister's certificate counts is judged by the log and the
	 * signer, and nobody publishes its status: it names no place for it
	 * (INCIDENTS rows 13 and 60).
	 */
	c->endorser.ca.crl_url[0] = '\0';
	c->endorser.ca.ocsp_url[0] = '\0';
	TRY(core_load_roots(c, e));
	c->policies = TAKE(c->inst->policies);
	c->ca = (struct ca){ .origin = bytes_str(config->origin),
		.policies = c->policies,
		.ceilings = &c->inst->ceilings,
		.issuers = &c->issuers,
		.endorser = &c->endorser.ca,
		.root = c->later,
		.n_root = config->n_root,
		.root_list = buf_bytes(&c->root_crl),
		.public_url = config->public_url };
	TRY(core_load_lists(c, e));
	c->ca.weak = c->weak;
	TRY(verifier_new(&c->ca.verifier, e));
	TRY(verifier_new(&c->verifier, e));
	return prover_open(c, e);
}

/* What the rows remember of its CRLs and its responder. */
static enum err_code
issuer_rows(struct core *c, struct core_issuer *i, struct view *v,
    struct err *e)
{
	struct responder_row responder;
	bool found;
	TRY(crl_load(c, i, v, e));
	TRY(rec_get(v, &rec_responder,
	    ca_row_key(c->arena, ROW_RESPONDER, bytes_str(i->ca.name)),
	    c->arena, &responder, &found, e));
	if (found)
		TRY(responder_take(i, responder.certificate, e));
	arena_reset(c->arena);
	return ERR_OK;
}

static enum err_code
core_load_rows(struct core *c, struct view *v, struct err *e)
{
	TRY(core_issuers_made(c, v, e));
	TRY(core_issuers_place(c, e));
	TRY(public_renew(c->reader, e));
	enum err_code code = ERR_OK;
	for (size_t n = 0; n < c->n_issuer && code == ERR_OK; n++)
		code = issuer_rows(c, c->issuer[n], v, e);
	public_release(c->reader);
	return code;
}

/* In force is what the log says; what lies in the files is compared with it. */
static enum err_code
core_load_policies(struct core *c, struct view *v, struct err *e)
{
	struct policy_set *in_force = NULL;
	TRY(core_ceilings_load(c, v, e));
	TRY(ca_policies_in_force(v, c->ca.ceilings, c->arena, &in_force, e));
	policy_set_free(c->policies);
	c->policies = in_force;
	c->ca.policies = in_force;
	return ERR_OK;
}

/*
 * The size in the checkpoint that is published.  Answers may have been
 * published for more entries than that, while the signer was away: tiles are
 * due from here on.  0, so from the beginning, when there is none.
 */
static uint64_t
published_checkpoint(struct core *c)
{
	uint8_t key[PUBLIC_KEY_MAX];
	struct public_row row;
	int64_t size;
	if (!public_get(c->reader,
		public_file_key(key, bytes_str("/checkpoint")), &row))
		return 0;
	const uint8_t *line = memchr(row.body.p, '\n', row.body.len);
	if (line == NULL)
		return 0;
	size_t rest = row.body.len - (size_t)(++line - row.body.p);
	const uint8_t *end = memchr(line, '\n', rest);
	if (end == NULL ||
	    !dec_parse(bytes_of(line, (size_t)(end - line)), &size))
		return 0;
	return (uint64_t)size;
}

static enum err_code
core_open_public(struct core *c, struct err *e)
{
	bool fresh = false;
	TRY(public_open(c->inst->dir, c->inst->config.public_map_bytes, true,
	    &fresh, &c->public, e));
	TRY(public_reader_new(c->public, &c->reader, e));
	TRY(public_renew(c->reader, e));
	c->published = public_log_index(c->reader);
	c->answered = c->tried = c->published;
	c->sealed = published_checkpoint(c);
	public_release(c->reader);
	if (fresh)
		log_info("public-fresh", "from=%d", 0);
	return ERR_OK;
}

/*
 * The ledger is read back and hashed before anything is done with it: here what
 * is not published yet and is about to be, and all of it before the writer's
 * first act (JOB_VERIFY), which a long log would keep everybody waiting for;
 * it begins when the signer is here, whose keys take the processor till then.
 */
static enum err_code
core_check_ledger(struct core *c, struct view *v, struct err *e)
{
	c->log_size = view_log_size(v);
	uint64_t least = c->published < c->sealed ? c->published : c->sealed;
	uint64_t most = c->published > c->sealed ? c->published : c->sealed;
	/* From the beginning of the bundle that it is in. */
	TRY(view_verify(v,
	    most > c->log_size ? 0 : least / TILE_WIDTH * TILE_WIDTH, e));
	if (most > c->log_size) {
		char there[24], here[24];
		snprintf(there, sizeof(there), "%llu",
		    (unsigned long long)most);
		snprintf(here, sizeof(here), "%llu",
		    (unsigned long long)c->log_size);
		return err_say(e, ERR_CORRUPT, "ledger-behind-public",
		    "%s entries were published and the ledger has %s: an old "
		    "copy was put back; restore the newest one",
		    there, here);
	}
	TRY(last_publish(c, v, e));
	TRY(core_load_rows(c, v, e));
	TRY(core_load_policies(c, v, e));
	TRY(bundle_load(c, v, e));
	return publish_files(c, v, e);
}

static enum err_code
core_open_ledger(struct core *c, struct err *e)
{
	struct view *v = NULL;
	enum err_code opened = store_open(c->inst->dir,
	    c->inst->config.ledger_map_bytes, false, &c->store, e);
	struct err why = *e;
	TRY(core_open_public(c, e));
	if (opened != ERR_OK) {
		*e = why;
		return opened;
	}
	TRY(store_begin(c->store, false, &v, e));
	enum err_code code = core_check_ledger(c, v, e);
	view_abort(v);
	arena_reset(c->arena);
	return code;
}

static enum err_code
core_open(struct core *c, struct err *e)
{
	char path[PATH_LEN * 2];
	snprintf(path, sizeof(path), "%s/snapshots", c->inst->dir);
	mkdir(path, 0700);
	c->arena = arena_new();
	answers_open(c);
	TRY(core_load_cas(c, e));
	/* Damage or an old copy: status is served from what was published,
	 * and nothing is written. */
	enum err_code code = core_open_ledger(c, e);
	if (code == ERR_CORRUPT) {
		core_read_only(c, e);
		return ERR_OK;
	}
	return code;
}

/* --- Readiness ----------------------------------------------------------------- */

/* What a certificate will name: its CRL, though empty, and its responder. */
static bool
is_complete(struct core *c, const struct core_issuer *i)
{
	char path[CRL_URL_MAX];
	uint8_t key[PUBLIC_KEY_MAX];
	struct public_row row;
	if (i->has_no_key)
		return true; /* its last list stands */
	crl_path(path, i->ca.name, 0, false);
	return i->responder.len > 0 &&
	       public_get(c->reader, public_file_key(key, bytes_str(path)),
		   &row);
}

/*
 * What the signer does not have, or cannot sign with, serves what it published
 * before; it issues when it is complete, and holds up no other.
 */
static bool
is_passed_over(const struct core *c, const struct core_issuer *i)
{
	bool list_fails = i->n_crl > 0 && i->crl[0].retry_at > 0;
	return i->is_made && c->signer_ready &&
	       (!i->is_held || list_fails || responder_fails(i));
}

/* One that was found complete stays so, and is not looked at again. */
static bool
all_complete(struct core *c)
{
	struct err e;
	if (public_renew(c->reader, &e) != ERR_OK)
		return false;
	for (; c->n_complete < c->n_issuer; c->n_complete++) {
		struct core_issuer *i = c->issuer[c->n_complete];
		if (is_complete(c, i))
			i->ca.is_open = true;
		else if (!is_passed_over(c, i))
			break;
	}
	public_release(c->reader);
	return c->n_complete == c->n_issuer;
}

/* Those that ceremonies brought since, and those that were passed over. */
static void
open_new(struct core *c)
{
	struct err e;
	for (size_t n = 0; n < c->n_issuer; n++) {
		struct core_issuer *i = c->issuer[n];
		if (i->ca.is_open || !i->is_held ||
		    public_renew(c->reader, &e) != ERR_OK)
			continue;
		i->ca.is_open = is_complete(c, i);
		public_release(c->reader);
		if (i->ca.is_open)
			log_info("ca-open", "ca=%s", i->ca.name);
	}
}

void
core_ready(struct core *c)
{
	struct err e;
	if (c->is_ready)
		open_new(c);
	/* Who may not write serves what there is. */
	if (c->is_ready || (!c->read_only && !all_complete(c)))
		return;
	if (role_ready(c->role, &e) != ERR_OK) {
		log_err("core-ready", &e);
		c->stopping = true; /* without a parent nobody restarts us */
	}
	c->is_ready = true;
}

/* --- Peers -------------------------------------------------------------------------- */

static enum err_code
may_write(const struct core *c, struct err *e)
{
	if (c->stopping)
		return err_say(e, ERR_BUSY, "engine-stopping",
		    "the engine is stopping; repeat the act later with the "
		    "same key");
	if (c->read_only)
		return err_say(e, ERR_BUSY, "engine-stopped-writing",
		    "the engine writes nothing now; refrendo status says why");
	if (!c->is_ready)
		return err_say(e, ERR_BUSY, "engine-starting",
		    "the engine is starting: the signer has yet to sign the "
		    "first CRLs; repeat the act with the same key");
	return ERR_OK;
}

static enum err_code
on_front_frame(void *ctx, struct peer *p, const struct frame *f, struct err *e)
{
	struct core *c = ctx;
	struct err refusal;
	bool whole = (f->type & CORE_WHOLE) != 0;
	struct frame plain = *f;
	plain.type &= (uint16_t)~CORE_WHOLE;
	if (plain.type != CORE_COMMAND)
		return query_answer(c, p, &plain, whole, e);
	if (may_write(c, &refusal) != ERR_OK) {
		reply_refusal(p, plain.type, f->id, &refusal);
		return ERR_OK;
	}
	struct job *j = job_new(JOB_COMMAND);
	buf_put(&j->body, f->body.p, f->body.len);
	j->front = p;
	j->frame_id = f->id;
	j->whole = whole;
	evidence_command(c, j);
	return ERR_OK;
}

static void
on_front_gone(void *ctx, struct peer *p)
{
	struct core *c = ctx;
	for (size_t i = 0; i < FRONTS_MAX; i++) {
		if (c->front[i] == p)
			c->front[i] = NULL;
	}
	reply_forget(c, p);
}

static void
front_peer(struct core *c, uint8_t index, int fd)
{
	struct err e;
	if (index >= FRONTS_MAX) {
		close(fd);
		return;
	}
	if (c->front[index] != NULL)
		peer_close(c->front[index]);
	struct peer_setup setup = { .loop = &c->loop,
		.fd = fd,
		.name = "front",
		.cap = core_cap,
		.frame = on_front_frame,
		.gone = on_front_gone,
		.ctx = c };
	if (peer_open(&setup, &c->front[index], &e) != ERR_OK)
		log_err("peer-open", &e);
}

/* --- What the parent says ------------------------------------------------------------ */

/*
 * Files only propose: what differs from what is in force is told, with the
 * command that officers bring it in force by.
 */
static void
policies_compare(struct core *c)
{
	size_t differ = 0;
	for (size_t i = 0; i < c->n_policy_file; i++) {
		const struct core_policy_file *f = &c->policy_file[i];
		if (policy_find_hash(c->policies, f->sha256) != NULL)
			continue;
		differ++;
		log_warn("policy-not-in-force", "policy=%s file=%s do=%s%s",
		    f->policy, f->file, "refrendo policy activate ", f->file);
	}
	for (size_t i = 0; i < c->policies->n; i++) {
		const char *name = c->policies->policy[i].name;
		bool has_file = false;
		for (size_t k = 0; k < c->n_policy_file; k++)
			has_file = has_file ||
				   strcmp(c->policy_file[k].policy, name) == 0;
		if (!has_file)
			log_info("policy-without-file", "policy=%s", name);
	}
	log_info("policies-compared", "files=%zu differ=%zu in_force=%zu",
	    c->n_policy_file, differ, c->policies->n);
}

static void
policy_file_add(struct core *c, struct bytes name, struct bytes text)
{
	if (c->n_policy_file == POLICIES_MAX)
		return;
	struct core_policy_file *f = &c->policy_file[c->n_policy_file++];
	snprintf(f->file, sizeof(f->file), "%.*s", BYTES_FMT(name));
	sha256(f->sha256, text);
	if (!policy_name_of(text, f->policy))
		f->policy[0] = '\0';
}

static void
policies_arrived(struct core *c, struct bytes body)
{
	struct setup s;
	struct err e;
	if (setup_decode(body, &s, &e) != ERR_OK)
		return;
	c->n_policy_file = 0;
	for (size_t i = 0; i < s.n_file; i++)
		policy_file_add(c, s.name[i], s.text[i]);
	policies_compare(c);
}

static void
core_stop_if_done(struct core *c)
{
	if (c->stopping)
		crl_abandon(c);
	if (!c->stopping || c->jobs_out > 0 || c->batches_out > 0 ||
	    c->seal.running || !crl_is_idle(c))
		return;
	/* What was acknowledged is published, if a signer is there to do it. */
	if (!TAILQ_EMPTY(&c->waiters) && c->signer_ready)
		return;
	uv_stop(&c->loop);
}

static void
on_control(uv_poll_t *poll, int status, int events)
{
	struct core *c = poll->data;
	struct control_frame f;
	struct err e;
	(void)events;
	if (status < 0 || control_read(CONTROL_FD, &f, &e) != ERR_OK) {
		uv_poll_stop(poll);
		c->stopping = true; /* without a parent nobody restarts us */
		return;
	}
	switch (f.type) {
	case CONTROL_PEER:
		if (f.body.len != 2 || f.fd < 0)
			break;
		if (f.body.p[0] == ROLE_FRONT)
			front_peer(c, f.body.p[1], f.fd);
		else if (f.body.p[0] == ROLE_CHECKER)
			check_peer(c, f.fd);
		else
			sign_peer(c, (enum role)f.body.p[0], f.fd);
		f.fd = -1;
		break;
	case CONTROL_POLICIES:
		policies_arrived(c, buf_bytes(&f.body));
		break;
	case CONTROL_STOP:
		c->stopping = true;
		break;
	case CONTROL_SETUP:
	case CONTROL_LISTEN:
	case CONTROL_READY:
	case CONTROL_FAILED:
		log_warn("control-unexpected", "type=%d", f.type);
		break;
	}
	if (f.fd >= 0)
		close(f.fd);
	buf_fini(&f.body);
}

/* --- The clock -------------------------------------------------------------------------- */

static void
tick_if_due(struct core *c)
{
	struct err e;
	int64_t when;
	struct view *v = core_view(c);
	if (v == NULL)
		return;
	if (ca_next_due(v, &when, &e) != ERR_OK)
		core_read_only(c, &e);
	else if (when <= clock_now() && !c->read_only) {
		c->tick_out = true;
		writer_push(c, job_new(JOB_TICK));
	}
}

static void
on_second(uv_timer_t *timer)
{
	struct core *c = timer->data;
	writer_wake(c);
	/* Under load there are always jobs: what is due waits for none. */
	if (!c->stopping && !c->tick_out)
		tick_if_due(c);
	sign_responder_check(c);
	evidence_late(c);
	create_late(c);
	answers_second(c);
	publish_pump(c);
	crl_pump(c);
	reply_pump(c);
	check_second(c);
	core_ready(c);
	arena_reset(c->arena);
	core_stop_if_done(c);
}

/* --- Main ---------------------------------------------------------------------------------- */

static void
core_close(struct core *c)
{
	public_reader_free(c->reader);
	public_close(c->public);
	store_close(c->store);
	answers_close(c);
	for (size_t i = 0; i < c->n_issuer; i++)
		core_issuer_free(c->issuer[i]);
	verifier_free(c->ca.verifier);
	verifier_free(c->verifier);
	prover_close(c);
	OPENSSL_cleanse(&c->randomness, sizeof(c->randomness));
	policy_set_free(c->policies);
	free(c->ceilings);
	buf_fini(&c->told);
	weak_list_free(c->weak);
	arena_free(c->arena);
}

static void
core_run(struct core *c)
{
	uv_poll_t control;
	control_watch(&c->loop, &control, CONTROL_FD, on_control);
	control.data = c;
	uv_timer_init(&c->loop, &c->second);
	c->second.data = c;
	crl_open(c);
	publish_open(c);
	writer_start(c);
	prover_start(c);
	if (!c->read_only) {
		writer_push_later(c, job_new(JOB_VERIFY));
		writer_push_later(c, job_new(JOB_LAST));
		follow_from(c, c->published, c->log_size);
	}
	for (size_t i = 2; i < c->inst->n_file; i++)
		policy_file_add(c, bytes_str(c->inst->name[i]),
		    c->inst->file[i].text);
	policies_compare(c);
	core_ready(c);
	uv_prepare_init(&c->loop, &c->turn);
	c->turn.data = c;
	uv_prepare_start(&c->turn, on_turn);
	uv_timer_start(&c->second, on_second, SECOND_MS, SECOND_MS);
	uv_run(&c->loop, UV_RUN_DEFAULT);
	prover_stop(c);
	writer_stop(c);
	core_view_end(c);
}

int
role_core(struct role_context *r)
{
	static struct core core; /* too large for a stack */
	struct core *c = &core;
	struct err e;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	c->role = r;
	c->inst = &r->inst;
	TAILQ_INIT(&c->waiters);
	TAILQ_INIT(&c->asking);
	TAILQ_INIT(&c->creating);
	TAILQ_INIT(&c->asks);
	uv_loop_init(&c->loop);
	if (core_open(c, &e) != ERR_OK || role_confine(r, &e) != ERR_OK) {
		role_failed("core-start", &e);
		return 1;
	}
	core_run(c);
	core_close(c);
	log_info("core-stopped", "entries=%llu",
	    (unsigned long long)c->log_size);
	return 0;
}
