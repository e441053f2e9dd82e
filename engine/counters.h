/*
 * counters - numbers that the roles write and front reads, for the metrics
 * and `refrendo ocsp stats`.  The parent makes one memory file with a page
 * for each process; a role maps its own page alone, so that it can neither
 * change nor read what others count, and front maps all of them for reading.
 *
 * No locks: each value has one writer, and a reader sees any recent state of
 * it.  Counters go on when a role is started again; gauges are set anew.
 * Nothing here tells clients, people or serial numbers apart.
 */
#ifndef ENGINE_COUNTERS_H
#define ENGINE_COUNTERS_H

#include <stdatomic.h>

#include <refrendo/policy.h>

#include "control.h"

enum counter_kind { KIND_COUNTER, KIND_GAUGE };

/*
 * The one table: a row is the number's place, its family with the unit, the
 * label that tells it from others of the family ("" if there is none), its
 * kind and what it says.  Rows of a family stand together.  Append freely: the
 * file lives no longer than the parent.
 *
 *  place, family, label, kind, help
 */
/* clang-format off */
#define COUNTERS(X)                                                           \
	X(COUNT_OCSP_GET, "status_requests_total", "kind=\"ocsp_get\"",       \
	    KIND_COUNTER, "Requests that status answered, by kind.")          \
	X(COUNT_OCSP_POST, "status_requests_total", "kind=\"ocsp_post\"",     \
	    KIND_COUNTER, "")                                                 \
	X(COUNT_CRL, "status_requests_total", "kind=\"crl\"",                 \
	    KIND_COUNTER, "")                                                 \
	X(COUNT_TILE, "status_requests_total", "kind=\"tile\"",               \
	    KIND_COUNTER, "")                                                 \
	X(COUNT_FILE, "status_requests_total", "kind=\"file\"",               \
	    KIND_COUNTER, "")                                                 \
	X(COUNT_OTHER, "status_requests_total", "kind=\"other\"",             \
	    KIND_COUNTER, "")                                                 \
	X(COUNT_ANSWER_MAP, "ocsp_answers_total", "source=\"published\"",     \
	    KIND_COUNTER, "OCSP answers given, by where they came from.")     \
	X(COUNT_ANSWER_UNKNOWN, "ocsp_answers_total", "source=\"unknown\"",   \
	    KIND_COUNTER, "")                                                 \
	X(COUNT_ANSWER_SIGNED, "ocsp_answers_total", "source=\"signed\"",     \
	    KIND_COUNTER, "")                                                 \
	X(COUNT_OCSP_MALFORMED, "ocsp_errors_total", "error=\"malformed\"",   \
	    KIND_COUNTER, "OCSP requests that were refused, by error.")       \
	X(COUNT_OCSP_INTERNAL, "ocsp_errors_total", "error=\"internal\"",     \
	    KIND_COUNTER, "")                                                 \
	X(COUNT_OCSP_LATER, "ocsp_errors_total", "error=\"try_later\"",       \
	    KIND_COUNTER, "")                                                 \
	X(COUNT_OCSP_UNAUTHORIZED, "ocsp_errors_total",                       \
	    "error=\"unauthorized\"", KIND_COUNTER, "")                       \
	X(COUNT_OCSP_STALE, "ocsp_stale_total", "", KIND_COUNTER,             \
	    "Published answers not given because nextUpdate had passed.")     \
	X(COUNT_NOT_MODIFIED, "status_not_modified_total", "", KIND_COUNTER,  \
	    "Requests answered 304: the client had it already.")              \
	X(COUNT_HTTP_4XX, "status_errors_total", "class=\"4xx\"",             \
	    KIND_COUNTER, "Requests answered with an HTTP error.")            \
	X(COUNT_HTTP_5XX, "status_errors_total", "class=\"5xx\"",             \
	    KIND_COUNTER, "")                                                 \
	X(COUNT_BYTES_IN, "status_received_bytes_total", "", KIND_COUNTER,    \
	    "Octets read from clients.")                                      \
	X(COUNT_BYTES_OUT, "status_sent_bytes_total", "", KIND_COUNTER,       \
	    "Octets written to clients.")                                     \
	X(COUNT_CONNS_NOW, "status_connections", "", KIND_GAUGE,              \
	    "Connections that are open.")                                     \
	X(COUNT_CONNS, "status_connections_total", "", KIND_COUNTER,          \
	    "Connections that were taken.")                                   \
	X(COUNT_CONNS_REFUSED, "status_connections_refused_total", "",        \
	    KIND_COUNTER, "Connections closed at once: too many were open.")  \
	X(COUNT_TIMEOUTS, "status_timeouts_total", "", KIND_COUNTER,          \
	    "Connections closed because the client took too long.")           \
	X(COUNT_TURN_100US, "status_turn_seconds_bucket", "le=\"0.0001\"",    \
	    KIND_COUNTER, "Requests by the time of the turn of the loop that "\
	    "answered them; each bucket holds those before it.")              \
	X(COUNT_TURN_1MS, "status_turn_seconds_bucket", "le=\"0.001\"",       \
	    KIND_COUNTER, "")                                                 \
	X(COUNT_TURN_10MS, "status_turn_seconds_bucket", "le=\"0.01\"",       \
	    KIND_COUNTER, "")                                                 \
	X(COUNT_TURN_100MS, "status_turn_seconds_bucket", "le=\"0.1\"",       \
	    KIND_COUNTER, "")                                                 \
	X(COUNT_TURN_ALL, "status_turn_seconds_bucket", "le=\"+Inf\"",        \
	    KIND_COUNTER, "")                                                 \
	X(COUNT_PUBLISHED, "published_answers_total", "", KIND_COUNTER,       \
	    "OCSP answers that core signed anew and published.")              \
	X(COUNT_ROUNDS, "published_rounds_total", "", KIND_COUNTER,           \
	    "Rounds of publication that core ended.")                         \
	X(COUNT_DUE, "published_due", "", KIND_GAUGE,                         \
	    "OCSP answers that wait to be signed.")                           \
	X(COUNT_NO_BUDGET, "ocsp_without_budget_total", "", KIND_COUNTER,    \
	    "Questions for a fresh signature that were answered without one: "\
	    "the rate of their address or of the ocsp-signer was used up.")   \
	X(COUNT_READ_ONLY, "core_read_only", "", KIND_GAUGE,                  \
	    "1 when core has stopped writing.")                               \
	X(COUNT_SIGNER_CERTIFICATES, "signer_certificates_total", "",         \
	    KIND_COUNTER, "Certificates in the signer's journal.")            \
	X(COUNT_SIGNER_REFUSED, "signer_refusals_total", "", KIND_COUNTER,    \
	    "Messages that a signer refused.")                                \
	X(COUNT_SIGNER_STOPPED, "signer_stopped_until_timestamp_seconds", "", \
	    KIND_GAUGE, "The signer signs no certificate before: it refused " \
	    "too much in an hour. 0: it never stopped.")                      \
	X(COUNT_OVERDUE, "ocsp_refresh_overdue_seconds", "", KIND_GAUGE,      \
	    "How long the published answer that is due first has been due.")  \
	X(COUNT_FIRST_END, "ocsp_first_next_update_timestamp_seconds", "",    \
	    KIND_GAUGE, "nextUpdate of the published answer that is due "     \
	    "first; 0: nothing is published.")                                \
	X(COUNT_CRLS, "crl_lists", "", KIND_GAUGE,                            \
	    "CRLs and deltas of all CAs that core keeps up.")                 \
	X(COUNT_CRLS_OVERDUE, "crl_lists_overdue", "", KIND_GAUGE,            \
	    "Those of them that have less than 25 % of their life left, or "  \
	    "cannot be made.")                                                \
	X(COUNT_CRL_FIRST_END, "crl_first_next_update_timestamp_seconds", "", \
	    KIND_GAUGE, "nextUpdate of the one that ends first; 0: none is "  \
	    "published.")                                                     \
	X(COUNT_CHECKS_CRL, "checks_total", "kind=\"crl\"", KIND_COUNTER,     \
	    "What the checker fetched from status and verified.")             \
	X(COUNT_CHECKS_OCSP, "checks_total", "kind=\"ocsp\"", KIND_COUNTER,   \
	    "")                                                               \
	X(COUNT_CHECKS_FAILED_CRL, "checks_failed_total", "kind=\"crl\"",     \
	    KIND_COUNTER, "What of it could not be had, or not be believed.") \
	X(COUNT_CHECKS_FAILED_OCSP, "checks_failed_total", "kind=\"ocsp\"",   \
	    KIND_COUNTER, "")                                                 \
	X(COUNT_CHECKED_AT, "checker_last_run_timestamp_seconds", "",         \
	    KIND_GAUGE, "When the checker ended its last round.")             \
	X(COUNT_CHECK_STATE, "checker_state", "", KIND_GAUGE,                 \
	    "0 good, 1 less than 40 % of a life is left, 2 less than 25 %, "  \
	    "or something served cannot be believed.")

/*
 * Gauges of each issuing CA, in the order of the configuration; the root comes
 * last.  Printed with the label ca.
 *
 *  place, family, help
 */
#define COUNTERS_CA(X)                                                        \
	X(CA_CRL_NUMBER, "crl_number", "Number of the newest CRL.")           \
	X(CA_CRL_THIS, "crl_this_update_timestamp_seconds",                   \
	    "thisUpdate of the newest CRL.")                                  \
	X(CA_CRL_NEXT, "crl_next_update_timestamp_seconds",                   \
	    "nextUpdate of the newest CRL.")                                  \
	X(CA_RESPONDER_END, "ocsp_signer_not_after_timestamp_seconds",        \
	    "End of the delegated responder's certificate.")                  \
	X(CA_KEY_DESTROYED, "ca_key_destroyed",                               \
	    "1: it was, and certificates of the CA have not ended yet; 2: "   \
	    "all have; 0: it was not.")                                       \
	X(CA_CHECK_CRL_LEFT, "checked_crl_life_left_percent",                 \
	    "Least life that a client finds left in a CRL that is served.")   \
	X(CA_CHECK_OCSP_LEFT, "checked_ocsp_life_left_percent",               \
	    "Least life that a client finds left in the sampled answers.")
/* clang-format on */

enum counter {
#define X(place, family, label, kind, help) place,
	COUNTERS(X)
#undef X
	    COUNTERS_N
};
struct counter_text {
	const char *family, *label, *help; /* help: on the family's first row */
	enum counter_kind kind;
};
extern const struct counter_text counter_table[COUNTERS_N];

enum counter_ca {
#define X(place, family, help) place,
	COUNTERS_CA(X)
#undef X
	    COUNTERS_CA_N
};
extern const struct counter_text counter_ca_table[COUNTERS_CA_N];
#define COUNTERS_CAS  (CONFIG_ISSUERS_MAX + 1) /* and the root */
#define COUNTERS_ROOT CONFIG_ISSUERS_MAX

#define COUNTERS_PAGE 4096
struct counter_page {
	_Atomic uint32_t role, index; /* role + 1; 0: no process has it yet */
	_Atomic uint64_t value[COUNTERS_PAGE / 8 - 1];
};
_Static_assert(sizeof(struct counter_page) == COUNTERS_PAGE, "one page");
_Static_assert(COUNTERS_N + COUNTERS_CAS * COUNTERS_CA_N <
		   COUNTERS_PAGE / 8 - 1,
    "the tables fit a page");

/* This process's own page; one of no file until counters_own() was called. */
extern struct counter_page *counters;

static inline void
count(enum counter which, uint64_t more)
{
	/* One writer: no locked instruction is needed. */
	uint64_t v =
	    atomic_load_explicit(&counters->value[which], memory_order_relaxed);
	atomic_store_explicit(&counters->value[which], v + more,
	    memory_order_relaxed);
}

static inline void
gauge(enum counter which, uint64_t value)
{
	atomic_store_explicit(&counters->value[which], value,
	    memory_order_relaxed);
}

static inline void
gauge_ca(enum counter_ca which, size_t ca, uint64_t value)
{
	if (ca < COUNTERS_CAS)
		atomic_store_explicit(&counters->value[COUNTERS_N +
						       ca * COUNTERS_CA_N +
						       (size_t)which],
		    value, memory_order_relaxed);
}

/* The parent: a sealed memory file of n pages.  ERR_IO "counters-file". */
MUST_CHECK enum err_code counters_make(size_t n, int *fd, struct err *e);
/* A role: maps page number slot; fd stays the caller's.  Gauges become 0.
 * ERR_IO "counters-map". */
MUST_CHECK enum err_code counters_own(int fd, size_t slot, enum role role,
    uint8_t index, struct err *e);

/* Front: all pages, for reading; fd stays the caller's.
 * ERR_IO "counters-map". */
struct counters_view {
	const struct counter_page *page;
	size_t n;
};
MUST_CHECK enum err_code counters_all(int fd, struct counters_view *out,
    struct err *e);
void counters_close(struct counters_view *v);
/* Role and index that write page i; false if nobody does, or it is damaged. */
bool counters_who(const struct counters_view *v, size_t i, enum role *role,
    uint8_t *index);
uint64_t counters_get(const struct counters_view *v, size_t i,
    enum counter which);
/* The greatest that any process set. */
uint64_t counters_ca(const struct counters_view *v, size_t ca,
    enum counter_ca which);
/* Over all processes. */
uint64_t counters_sum(const struct counters_view *v, enum counter which);

#endif
