/*
 * checker: a client of our own status service.  Fetches each published CRL and
 * a sample of OCSP answers over HTTP, judges them by the code of the tools, and
 * raises its state before anything goes stale (INCIDENTS rows 53, 56, 58, 59).
 * It holds no key, opens no file and connects to nothing but status.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <refrendo/crl.h>

#include "check.h"
#include "counters.h"
#include "role.h"

#define ALARM_PERCENT 25
#define LOOK_PERCENT  40
#define FETCH_MS      5000
#define CRL_READ_MAX  (256u << 20)
#define FAILURES      2 /* in a row, before what cannot be had is an alarm */
#define WORD_MS       30000 /* core says every 5 s what is published */
#define LATER_MS      1000  /* the first round after a start */

enum check_state { CHECK_GOOD, CHECK_LOOK, CHECK_ALARM };

struct ca {
	struct buf der;
	struct cert cert;
	struct issuer_id id;
};

/* A list that is served: what is remembered of it from round to round. */
struct watched {
	struct check_list list;
	bool is_published; /* core named it last */
	uint64_t number;
	int failures;
	int64_t left; /* percent of its life; NEVER: not seen yet */
};

struct checker {
	struct role_context *role;
	struct verifier *verifier;
	char base[96]; /* "http://127.0.0.1:8080" */
	struct ca ca[COUNTERS_CAS];
	int core_fd; /* -1: away */
	struct buf in;
	struct watched watched[CHECK_LISTS_MAX];
	size_t n_watched;
	struct check_sample sample[CHECK_SAMPLES_MAX];
	size_t n_sample;
	int ocsp_failures[COUNTERS_CAS];
	int64_t word_ms; /* when core spoke last; monotonic */
	enum check_state state;
	bool stopping;
};

/* --- Set-up ---------------------------------------------------------------------- */

static size_t
ca_index(uint16_t issuer)
{
	return issuer == CHECK_ROOT ? COUNTERS_ROOT : issuer;
}

static enum err_code
ca_load(struct checker *k, size_t i, const char *file, struct err *e)
{
	struct ca *ca = &k->ca[i];
	ca->der = BUF(CERT_MAX_BYTES);
	TRY(file_certificate(k->role->inst.dir, file, &ca->der, e));
	TRY(cert_parse_own(buf_bytes(&ca->der), &ca->cert, e));
	return issuer_id_of(&ca->cert, &ca->id, e);
}

/* What listens on every address is asked on this machine's own. */
static void
set_base(struct checker *k)
{
	const char *listen = k->role->inst.config.listen;
	const char *port = strrchr(listen, ':');
	if (strncmp(listen, "0.0.0.0:", 8) == 0)
		snprintf(k->base, sizeof(k->base), "http://127.0.0.1%s", port);
	else if (strncmp(listen, "[::]:", 5) == 0)
		snprintf(k->base, sizeof(k->base), "http://[::1]%s", port);
	else
		snprintf(k->base, sizeof(k->base), "http://%s", listen);
}

static enum err_code
checker_open(struct checker *k, struct err *e)
{
	const struct config *c = &k->role->inst.config;
	k->core_fd = -1;
	k->in = BUF(CHECK_CAP + 4096);
	for (size_t i = 0; i < c->n_issuer; i++)
		TRY(ca_load(k, i, c->issuer[i].certificate, e));
	TRY(ca_load(k, COUNTERS_ROOT, c->root_certificate, e));
	TRY(verifier_new(&k->verifier, e));
	set_base(k);
	return role_ready(k->role, e);
}

/* --- What core says --------------------------------------------------------------- */

static void
watch(struct checker *k, const struct check_list *list)
{
	struct watched *w = k->watched;
	size_t i = 0;
	while (i < k->n_watched && strcmp(w[i].list.path, list->path) != 0)
		i++;
	if (i == CHECK_LISTS_MAX)
		return;
	if (i == k->n_watched) {
		w[i] = (struct watched){ .list = *list, .left = NEVER };
		k->n_watched++;
	}
	w[i].is_published = true;
}

static enum err_code
take_lists(struct checker *k, struct bytes body, struct err *e)
{
	static struct check_list list[CHECK_LISTS_MAX];
	size_t n, kept = 0;
	TRY(check_lists_decode(body, list, &n, e));
	for (size_t i = 0; i < k->n_watched; i++)
		k->watched[i].is_published = false;
	for (size_t i = 0; i < n; i++)
		if (list[i].issuer == CHECK_ROOT ||
		    list[i].issuer < k->role->inst.config.n_issuer)
			watch(k, &list[i]);
	for (size_t i = 0; i < k->n_watched; i++)
		if (k->watched[i].is_published)
			k->watched[kept++] = k->watched[i];
	k->n_watched = kept;
	return ERR_OK;
}

static enum err_code
take_frame(struct checker *k, const struct frame *f, struct err *e)
{
	k->word_ms = clock_mono_ms();
	if (f->type == CHECK_LISTS)
		return take_lists(k, f->body, e);
	return check_samples_decode(f->body, k->sample, &k->n_sample, e);
}

static void
core_gone(struct checker *k)
{
	close(k->core_fd);
	k->core_fd = -1;
	buf_reset(&k->in);
}

static void
on_core(struct checker *k)
{
	uint8_t piece[16384];
	struct err e;
	ssize_t n = recv(k->core_fd, piece, sizeof(piece), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		core_gone(k);
		return;
	}
	buf_put(&k->in, piece, (size_t)n);
	for (;;) {
		struct frame f;
		size_t used;
		enum err_code code =
		    frame_cut(buf_bytes(&k->in), check_cap, &f, &used, &e);
		if (code == ERR_OK && used == 0 && !k->in.failed)
			return;
		if (code == ERR_OK && used > 0)
			code = take_frame(k, &f, &e);
		if (code != ERR_OK || used == 0) {
			if (code != ERR_OK)
				log_err("check-frame", &e);
			core_gone(k);
			return;
		}
		buf_drop(&k->in, used);
	}
}

static void
on_control(struct checker *k)
{
	struct control_frame f;
	struct err e;
	if (control_read(CONTROL_FD, &f, &e) != ERR_OK) {
		k->stopping = true;
		return;
	}
	if (f.type == CONTROL_PEER && f.fd >= 0) {
		if (k->core_fd >= 0)
			core_gone(k);
		k->core_fd = f.fd;
	} else if (f.fd >= 0) {
		close(f.fd);
	}
	k->stopping = k->stopping || f.type == CONTROL_STOP;
	buf_fini(&f.body);
}

/* Hears what comes until then; a round is never longer than its fetches. */
static void
listen_until(struct checker *k, int64_t until_ms)
{
	while (!k->stopping) {
		int64_t left = until_ms - clock_mono_ms();
		struct pollfd p[2] = { { CONTROL_FD, POLLIN, 0 },
			{ k->core_fd, POLLIN, 0 } };
		int n = poll(p, 2, left > 0 ? (int)left : 0);
		if (n > 0 && p[0].revents != 0)
			on_control(k);
		else if (n > 0 && p[1].revents != 0)
			on_core(k);
		else if (left <= 0)
			return;
	}
}

/* --- CRLs --------------------------------------------------------------------------- */

static int64_t
life_left(int64_t from, int64_t to)
{
	int64_t now = clock_now();
	return to <= from || now >= to ? 0 : (to - now) * 100 / (to - from);
}

static enum err_code
judge_list(struct checker *k, struct watched *w, struct bytes der,
    struct err *e)
{
	struct crl_any list;
	uint64_t number = 0;
	TRY(crl_any_parse(der, &list, e));
	TRY(crl_any_check(&list, &k->ca[ca_index(w->list.issuer)].cert,
	    clock_now(), k->verifier, e));
	for (size_t i = 0; i < list.number.len && i < 8; i++)
		number = number << 8 | list.number.p[i];
	if (number < w->number)
		return err_at(e, ERR_DENIED, "check-number", "RFC 5280 5.2.3",
		    NOWHERE,
		    "a CRL with a smaller number than before is served; "
		    "somebody put an older one in its place");
	w->number = number;
	/* A delta is renewed when half of its life is left, a list before. */
	w->left = life_left(list.this_update, list.next_update);
	return ERR_OK;
}

static enum err_code
fetch_list(struct checker *k, struct watched *w, struct err *e)
{
	char url[sizeof(k->base) + CHECK_PATH_MAX];
	struct http_response r;
	snprintf(url, sizeof(url), "%s%s", k->base, w->list.path);
	TRY(probe_get(url, CRL_READ_MAX, FETCH_MS, true, &r, e));
	enum err_code code = judge_list(k, w, buf_bytes(&r.body), e);
	http_response_fini(&r);
	return code;
}

static void
check_list(struct checker *k, struct watched *w)
{
	struct err e;
	count(COUNT_CHECKS_CRL, 1);
	if (fetch_list(k, w, &e) == ERR_OK) {
		w->failures = 0;
		return;
	}
	count(COUNT_CHECKS_FAILED_CRL, 1);
	log_warn("check-failed", "path=%s id=%s say=%s why=%s", w->list.path,
	    e.id, e.say, e.why);
	if (++w->failures >= FAILURES)
		w->left = 0;
}

/* --- OCSP ----------------------------------------------------------------------------- */

/* Percent of its life that the answer has left; -1 when none is believed. */
static int64_t
check_sample(struct checker *k, const struct check_sample *s)
{
	const struct ca *ca = &k->ca[s->issuer];
	char url[sizeof(k->base) + 8];
	struct probe_answer a;
	int64_t left = -1;
	snprintf(url, sizeof(url), "%s/ocsp", k->base);
	const struct probe p = { .url = url,
		.issuer = &ca->cert,
		.id = &ca->id,
		.serial = bytes_of(s->serial, s->serial_len),
		.verifier = k->verifier,
		.timeout_ms = FETCH_MS,
		.numeric = true };
	const struct probe_how how = { .by_get = true, .is_sha256 = true };
	probe_ocsp(&p, &how, &a);
	count(COUNT_CHECKS_OCSP, 1);
	if (a.is_believed && a.verdict.status.state != OCSP_UNKNOWN)
		left = life_left(a.verdict.status.this_update,
		    a.verdict.status.next_update);
	else
		/* No serial number: it would tell a certificate. */
		log_warn("check-failed", "path=/ocsp id=%s why=%s",
		    a.is_believed ? "unknown" : a.err.id,
		    a.is_believed ? "" : a.err.why);
	if (left < 0)
		count(COUNT_CHECKS_FAILED_OCSP, 1);
	probe_fini(&a);
	return left;
}

/* The least of an issuer's samples; one that failed twice in a row is 0. */
static int64_t
check_samples(struct checker *k, size_t issuer)
{
	int64_t least = 100;
	bool failed = false;
	for (size_t i = 0; i < k->n_sample && !k->stopping; i++) {
		if (k->sample[i].issuer != issuer)
			continue;
		int64_t left = check_sample(k, &k->sample[i]);
		failed = failed || left < 0;
		if (left >= 0 && left < least)
			least = left;
		/* Nobody answers: the others would say the same. */
		if (left < 0)
			break;
	}
	k->ocsp_failures[issuer] = failed ? k->ocsp_failures[issuer] + 1 : 0;
	return k->ocsp_failures[issuer] >= FAILURES ? 0 : least;
}

/* --- A round ------------------------------------------------------------------------------ */

static int64_t
least_list(const struct checker *k, size_t ca)
{
	int64_t least = 100;
	for (size_t i = 0; i < k->n_watched; i++)
		if (ca_index(k->watched[i].list.issuer) == ca &&
		    k->watched[i].left < least)
			least = k->watched[i].left;
	return least;
}

static enum check_state
state_of(int64_t left)
{
	return left < ALARM_PERCENT  ? CHECK_ALARM
	       : left < LOOK_PERCENT ? CHECK_LOOK
				     : CHECK_GOOD;
}

static void
set_state(struct checker *k, enum check_state state)
{
	static const char *const words[] = { "good", "look", "alarm" };
	gauge(COUNT_CHECK_STATE, state);
	gauge(COUNT_CHECKED_AT, (uint64_t)clock_now());
	if (state == k->state)
		return;
	if (state == CHECK_ALARM)
		log_error("check-state", "state=%s", words[state]);
	else
		log_info("check-state", "state=%s", words[state]);
	k->state = state;
}

static void
check_round(struct checker *k)
{
	enum check_state worst = CHECK_GOOD;
	if (clock_mono_ms() - k->word_ms > WORD_MS) {
		log_warn("check-failed", "id=%s", "check-word");
		worst = CHECK_ALARM;
	}
	for (size_t i = 0; i < k->n_watched && !k->stopping; i++)
		check_list(k, &k->watched[i]);
	for (size_t ca = 0; ca < COUNTERS_CAS; ca++) {
		if (k->ca[ca].der.len == 0)
			continue;
		int64_t crl = least_list(k, ca);
		int64_t ocsp = check_samples(k, ca);
		gauge_ca(CA_CHECK_CRL_LEFT, ca, (uint64_t)crl);
		gauge_ca(CA_CHECK_OCSP_LEFT, ca, (uint64_t)ocsp);
		enum check_state state = state_of(crl < ocsp ? crl : ocsp);
		worst = state > worst ? state : worst;
	}
	if (!k->stopping)
		set_state(k, worst);
}

static void
checker_run(struct checker *k)
{
	int64_t every_ms = k->role->inst.config.check_every_s * 1000;
	int64_t next_ms = clock_mono_ms() + LATER_MS;
	k->word_ms = clock_mono_ms();
	/* A free port is known to nobody: then there is nothing to ask. */
	bool can = address_port(k->role->inst.config.listen) != 0;
	if (!can)
		log_warn("check-off", "listen=%s", k->role->inst.config.listen);
	while (!k->stopping) {
		listen_until(k, next_ms);
		next_ms = clock_mono_ms() + every_ms;
		if (!k->stopping && can)
			check_round(k);
	}
}

int
role_checker(struct role_context *r)
{
	static struct checker checker; /* 100 KiB: not for a stack */
	struct checker *k = &checker;
	struct err e;
	k->role = r;
	enum err_code code = checker_open(k, &e);
	if (code == ERR_OK)
		checker_run(k);
	else
		role_failed("checker-start", &e);
	for (size_t i = 0; i < COUNTERS_CAS; i++)
		buf_fini(&k->ca[i].der);
	buf_fini(&k->in);
	verifier_free(k->verifier);
	return code == ERR_OK ? 0 : 1;
}
