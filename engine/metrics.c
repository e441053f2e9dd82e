#include <stdio.h>
#include <string.h>

#include <refrendo/audit.h>

#include "metrics.h"

#define PREFIX        "refrendo_"
#define ALARM_PERCENT 25
#define LOOK_PERCENT  40
#define LATE_S        60   /* on top of three rounds of the checker */
#define BACKLOG_S     3600 /* an answer is due so long: signing is behind */
#define RESPONDER_S   (3 * DAY)

/* --- Metrics ---------------------------------------------------------------------- */

static void
put_head(struct buf *out, const struct counter_text *t)
{
	buf_puts(out, "# HELP " PREFIX);
	buf_puts(out, t->family);
	buf_putc(out, ' ');
	buf_puts(out, t->help);
	buf_puts(out, "\n# TYPE " PREFIX);
	buf_puts(out, t->family);
	buf_puts(out, t->kind == KIND_COUNTER ? " counter\n" : " gauge\n");
}

static void
put_value(struct buf *out, const char *family, const char *label,
    uint64_t value)
{
	buf_puts(out, PREFIX);
	buf_puts(out, family);
	if (label[0] != '\0') {
		buf_putc(out, '{');
		buf_puts(out, label);
		buf_putc(out, '}');
	}
	buf_putf(out, " %llu\n", (unsigned long long)value);
}

static const char *
ca_name(const struct config *config, size_t ca)
{
	if (ca == COUNTERS_ROOT)
		return "root";
	return ca < config->n_issuer ? config->issuer[ca].name : NULL;
}

/* What the checker has not looked at yet is not 0 %. */
static bool
is_known(const struct counters_view *v, size_t ca, enum counter_ca which)
{
	bool is_check =
	    which == CA_CHECK_CRL_LEFT || which == CA_CHECK_OCSP_LEFT;
	if (is_check)
		return counters_sum(v, COUNT_CHECKED_AT) != 0;
	return ca != COUNTERS_ROOT;
}

static void
put_cas(const struct counters_view *v, const struct config *config,
    struct buf *out)
{
	for (size_t k = 0; k < COUNTERS_CA_N; k++) {
		const struct counter_text *t = &counter_ca_table[k];
		put_head(out, t);
		for (size_t ca = 0; ca < COUNTERS_CAS; ca++) {
			const char *name = ca_name(config, ca);
			char label[POLICY_NAME_MAX + 8];
			if (name == NULL ||
			    !is_known(v, ca, (enum counter_ca)k))
				continue;
			snprintf(label, sizeof(label), "ca=\"%s\"", name);
			put_value(out, t->family, label,
			    counters_ca(v, ca, (enum counter_ca)k));
		}
	}
}

/* Processes by role: how many have come up. */
static void
put_processes(const struct counters_view *v, struct buf *out)
{
	static const struct counter_text head = { "processes", "",
		"Processes that have come up, by role.", KIND_GAUGE };
	put_head(out, &head);
	for (int r = 0; r < ROLES; r++) {
		char label[32];
		uint64_t n = 0;
		enum role role;
		uint8_t index;
		for (size_t i = 0; i < v->n; i++)
			n +=
			    counters_who(v, i, &role, &index) && (int)role == r;
		snprintf(label, sizeof(label), "role=\"%s\"",
		    role_name((enum role)r));
		put_value(out, head.family, label, n);
	}
}

void
metrics_print(const struct counters_view *v, const struct config *config,
    struct buf *out)
{
	static const struct counter_text version = { "build_info", "",
		"Always 1; the label has the version.", KIND_GAUGE };
	put_head(out, &version);
	put_value(out, version.family, "version=\"" REFRENDO_VERSION "\"", 1);
	put_processes(v, out);
	for (size_t i = 0; i < COUNTERS_N; i++) {
		const struct counter_text *t = &counter_table[i];
		if (t->help[0] != '\0')
			put_head(out, t);
		put_value(out, t->family, t->label,
		    counters_sum(v, (enum counter)i));
	}
	put_cas(v, config, out);
}

/* --- Health ------------------------------------------------------------------------ */

enum health { HEALTH_GOOD, HEALTH_LOOK, HEALTH_ALARM };
static const char *const health_words[] = { "good", "look", "alarm" };

struct health_report {
	struct jw w;
	enum health worst;
};

static void
tell(struct health_report *h, enum health state, const char *name,
    const char *detail)
{
	jw_object(&h->w);
	jw_member_str(&h->w, "detail", bytes_str(detail));
	jw_member_str(&h->w, "name", bytes_str(name));
	jw_member_str(&h->w, "state", bytes_str(health_words[state]));
	jw_close(&h->w, '}');
	if (state > h->worst)
		h->worst = state;
}

static enum health
of_percent(uint64_t left)
{
	return left < ALARM_PERCENT  ? HEALTH_ALARM
	       : left < LOOK_PERCENT ? HEALTH_LOOK
				     : HEALTH_GOOD;
}

static void
tell_checker(struct health_report *h, const struct counters_view *v,
    const struct config *config, int64_t now)
{
	int64_t at = (int64_t)counters_sum(v, COUNT_CHECKED_AT);
	int64_t late = 3 * config->check_every_s + LATE_S;
	uint64_t state = counters_sum(v, COUNT_CHECK_STATE);
	if (at == 0)
		tell(h, HEALTH_LOOK, "checker", "has not looked yet");
	else if (now - at > late)
		tell(h, HEALTH_ALARM, "checker", "has stopped looking");
	else
		tell(h,
		    state > HEALTH_ALARM ? HEALTH_ALARM : (enum health)state,
		    "checker",
		    state == 0 ? "what is served was verified"
			       : "see the rows below and the engine's log");
}

static void
tell_ca(struct health_report *h, const struct counters_view *v, size_t ca,
    const char *name, enum counter_ca which, const char *what)
{
	uint64_t left = counters_ca(v, ca, which);
	char row[POLICY_NAME_MAX + 16], detail[64];
	snprintf(row, sizeof(row), "%s %s", what, name);
	snprintf(detail, sizeof(detail), "%llu %% of its life left",
	    (unsigned long long)left);
	tell(h, of_percent(left), row, detail);
}

/* Of all CAs: those that ceremonies brought have no row of their own. */
static void
tell_lists(struct health_report *h, const struct counters_view *v, int64_t now)
{
	int64_t end = (int64_t)counters_sum(v, COUNT_CRL_FIRST_END);
	uint64_t overdue = counters_sum(v, COUNT_CRLS_OVERDUE);
	char detail[64];
	snprintf(detail, sizeof(detail), "%llu of %llu overdue",
	    (unsigned long long)overdue,
	    (unsigned long long)counters_sum(v, COUNT_CRLS));
	tell(h,
	    end != 0 && end <= now ? HEALTH_ALARM
	    : overdue > 0          ? HEALTH_LOOK
				   : HEALTH_GOOD,
	    "lists", detail);
}

/* No list and no answer can follow: as the officers agreed. */
static bool
tell_destroyed(struct health_report *h, const struct counters_view *v,
    size_t ca, const char *name)
{
	uint64_t destroyed = counters_ca(v, ca, CA_KEY_DESTROYED);
	char row[POLICY_NAME_MAX + 16];
	snprintf(row, sizeof(row), "key %s", name);
	if (destroyed != 0)
		tell(h, destroyed == 1 ? HEALTH_ALARM : HEALTH_GOOD, row,
		    destroyed == 1
			? "was destroyed as the officers agreed, and "
			  "certificates of the CA have not ended: no CRL and "
			  "no answer follows the last ones"
			: "was destroyed as the officers agreed, and all that "
			  "it signed has ended");
	return destroyed != 0;
}

static void
tell_core(struct health_report *h, const struct counters_view *v,
    const struct config *config, int64_t now)
{
	char detail[64];
	uint64_t overdue = counters_sum(v, COUNT_OVERDUE);
	bool read_only = counters_sum(v, COUNT_READ_ONLY) != 0;
	tell(h, read_only ? HEALTH_ALARM : HEALTH_GOOD, "writing",
	    read_only ? "core has stopped writing" : "core writes");
	snprintf(detail, sizeof(detail), "%llu s behind",
	    (unsigned long long)overdue);
	tell(h, overdue > BACKLOG_S ? HEALTH_LOOK : HEALTH_GOOD, "signing",
	    detail);
	tell_lists(h, v, now);
	for (size_t i = 0; i < config->n_issuer; i++) {
		int64_t end = (int64_t)counters_ca(v, i, CA_RESPONDER_END);
		char row[POLICY_NAME_MAX + 16], text[TIME_TEXT];
		if (tell_destroyed(h, v, i, config->issuer[i].name))
			continue;
		snprintf(row, sizeof(row), "responder %s",
		    config->issuer[i].name);
		time_print(text, end);
		tell(h,
		    end <= now                ? HEALTH_ALARM
		    : end - now < RESPONDER_S ? HEALTH_LOOK
					      : HEALTH_GOOD,
		    row, end == 0 ? "has no certificate yet" : text);
	}
}

bool
health_json(const struct counters_view *v, const struct config *config,
    int64_t now, struct buf *out)
{
	struct health_report h = { .w = jw_of(out) };
	bool checked = counters_sum(v, COUNT_CHECKED_AT) != 0;
	jw_object(&h.w);
	jw_key(&h.w, "checks");
	jw_array(&h.w);
	tell_core(&h, v, config, now);
	tell_checker(&h, v, config, now);
	for (size_t ca = 0; checked && ca < COUNTERS_CAS; ca++) {
		const char *name = ca_name(config, ca);
		if (name == NULL || (ca != COUNTERS_ROOT &&
					counters_ca(v, ca, CA_KEY_DESTROYED)))
			continue;
		tell_ca(&h, v, ca, name, CA_CHECK_CRL_LEFT, "crl");
		if (ca != COUNTERS_ROOT)
			tell_ca(&h, v, ca, name, CA_CHECK_OCSP_LEFT, "ocsp");
	}
	jw_close(&h.w, ']');
	jw_member_str(&h.w, "state", bytes_str(health_words[h.worst]));
	jw_close(&h.w, '}');
	return h.worst != HEALTH_ALARM;
}
