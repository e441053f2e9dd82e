/*
 * simulate - what the requests of a log would have come to under other
 * policies.  Reads only; what it finds is for people who are about to
 * activate a policy.
 */
#include <stdlib.h>
#include <string.h>

#include "audit.h"

#define SINCE_USUAL "90d"
#define SHOWN_USUAL 50

/* --- Serial numbers that were issued ---------------------------------------------- */

/* The first 16 octets tell them apart: eight count, the others are random. */
struct serials {
	uint8_t (*v)[16]; /* owned */
	size_t n, size;
};

static int
by_octets(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static void
serials_add(struct serials *s, struct bytes serial)
{
	if (serial.len < 16)
		return;
	if (s->n == s->size) {
		s->size = s->size == 0 ? 1024 : 2 * s->size;
		s->v = realloc(s->v, s->size * sizeof(*s->v));
		if (s->v == NULL)
			fatal("no memory for serial numbers");
	}
	memcpy(s->v[s->n++], serial.p, 16);
}

static bool
serials_has(const struct serials *s, struct bytes serial)
{
	return serial.len >= 16 && s->n > 0 &&
	       bsearch(serial.p, s->v, s->n, sizeof(*s->v), by_octets) != NULL;
}

/* --- The simulation ------------------------------------------------------------------ */

struct simulation {
	struct cli *c;
	struct source source;
	struct history *history;     /* owned */
	struct policy_set *policies; /* owned: the candidates */
	struct policy_file file[FILES_MAX * 2];
	struct buf text[FILES_MAX]; /* owned: of the operands */
	size_t n_file;
	struct serials issued;
	uint64_t *at; /* owned: of the requests */
	size_t n_at, size_at;
	int64_t since;
	uint64_t shown, limit;
	/* Counts of what was found. */
	uint64_t requests, untouched, same, differ, refused, refused_issued,
	    accepted, still_refused, not_judged;
	struct past_result result;
	struct cert_change change[CERT_CHANGES_MAX];
};

/* Where the requests stand is noted on the way. */
static void
note_request(struct simulation *s, uint64_t at)
{
	if (s->n_at == s->size_at) {
		s->size_at = s->size_at == 0 ? 1024 : 2 * s->size_at;
		s->at = realloc(s->at, s->size_at * sizeof(*s->at));
		if (s->at == NULL)
			fatal("no memory for requests");
	}
	s->at[s->n_at++] = at;
}

static bool
first_wants(void *ctx, enum entry_type type, int64_t time, uint64_t at)
{
	struct simulation *s = ctx;
	if (time >= s->since &&
	    (type == ENTRY_REQUEST_SUBMITTED || type == ENTRY_ACT_REFUSED))
		note_request(s, at);
	return type == ENTRY_SYSTEM_INITIALIZED ||
	       type == ENTRY_CEREMONY_COMPLETED ||
	       type == ENTRY_POLICY_ACTIVATED ||
	       (type == ENTRY_CERTIFICATE_ISSUED && time >= s->since);
}

static enum err_code
first_take(void *ctx, struct entry *en, struct err *e)
{
	struct simulation *s = ctx;
	TRY(entry_parse_leaf(en, s->source.arena, e));
	if (en->type == ENTRY_CERTIFICATE_ISSUED)
		serials_add(&s->issued, en->refs.serial);
	return history_take(s->history, en, e);
}

/* --- One that would come to something else --------------------------------------------- */

static const char *
found_word(enum past_verdict v, bool issued)
{
	switch (v) {
	case PAST_REFUSED:
		return issued ? "issued-now-refused" : "submitted-now-refused";
	case PAST_ACCEPTED:
		return "refused-now-accepted";
	case PAST_DIFFERS:
		return "differs";
	case PAST_SAME:
	case PAST_STILL_REFUSED:
		break;
	}
	fatal("simulate: nothing to tell");
}

static const char *
found_text(struct cli *c, enum past_verdict v, bool issued)
{
	if (v == PAST_ACCEPTED)
		return SAY(c, "refused before, accepted now",
		    "antes rechazada, ahora aceptada");
	if (v == PAST_DIFFERS)
		return SAY(c, "the certificate would differ",
		    "el certificado sería distinto");
	return issued ? SAY(c, "issued before, refused now",
			    "antes emitida, ahora rechazada")
		      : SAY(c, "submitted before, refused now",
			    "antes ingresada, ahora rechazada");
}

static void
show_json(struct simulation *s, const struct past *p, bool issued, size_t n,
    const struct named_set *names)
{
	struct buf out AUTO_BUF = BUF(1u << 20);
	struct jw w = jw_of(&out);
	char when[TIME_TEXT];
	time_print(when, p->time);
	jw_object(&w);
	if (s->result.verdict == PAST_DIFFERS)
		put_changes(&w, s->change, n);
	jw_member_int(&w, "entry", (int64_t)p->index);
	jw_member_str(&w, "found",
	    bytes_str(found_word(s->result.verdict, issued)));
	jw_member_str(&w, "institution", p->institution);
	jw_member_str(&w, "policy", p->policy);
	if (s->result.verdict == PAST_REFUSED)
		put_failed(&w, s->c, &s->result.verdicts, names);
	jw_member_str_opt(&w, "request", p->request);
	if (p->serial.len > 0)
		jw_member_hex(&w, "serial", p->serial);
	jw_member_str(&w, "time", bytes_str(when));
	if (p->refused)
		jw_member_str(&w, "was", p->say);
	jw_close(&w, '}');
	printf("%s\n", buf_text(&out));
}

static void
show_people(struct simulation *s, const struct past *p, bool issued, size_t n,
    const struct named_set *names)
{
	struct cli *c = s->c;
	char when[TIME_TEXT], run[24];
	time_print(when, p->time);
	run_for_people(arena_str(c->arena, p->holder_run), run, sizeof(run));
	printf("%.*s  %.10s  %s  %.*s  %s\n",
	    BYTES_FMT(p->request.len > 0 ? p->request : bytes_str("-")), when,
	    run, BYTES_FMT(p->policy),
	    found_text(c, s->result.verdict, issued));
	if (s->result.verdict == PAST_REFUSED)
		print_failed(c, &s->result.verdicts, names);
	else if (s->result.verdict == PAST_DIFFERS)
		print_changes(s->change, n);
	else
		printf("    %s: %.*s [%.*s]\n", SAY(c, "was", "era"),
		    BYTES_FMT(p->say), BYTES_FMT(p->error));
}

static enum err_code
show(struct simulation *s, const struct past *p, bool issued,
    const struct policy *policy, struct err *e)
{
	struct named_set names = { policy, s->policies, s->file };
	struct cert before, after;
	size_t n = 0;
	if (s->shown == s->limit)
		return ERR_OK;
	s->shown++;
	if (s->result.verdict == PAST_DIFFERS) {
		TRY(cert_parse_own(s->result.before, &before, e));
		TRY(cert_parse_own(s->result.after, &after, e));
		n = cert_diff(&before, &after, s->change);
	}
	/* The bar is on the same terminal. */
	if (s->source.shows && !s->c->json)
		fputs("\r\033[K", stderr);
	if (s->c->json)
		show_json(s, p, issued, n, &names);
	else
		show_people(s, p, issued, n, &names);
	return ERR_OK;
}

static enum err_code
judge(struct simulation *s, const struct past *p, struct err *e)
{
	const struct policy *policy = policy_find(s->policies, p->policy);
	bool issued = false;
	if (policy == NULL) {
		s->untouched++;
		return ERR_OK;
	}
	TRY(past_judge(s->history, p, policy, s->source.arena, &s->result, e));
	switch (s->result.verdict) {
	case PAST_SAME:
		s->same++;
		return ERR_OK;
	case PAST_STILL_REFUSED:
		s->still_refused++;
		return ERR_OK;
	case PAST_DIFFERS:
		s->differ++;
		break;
	case PAST_ACCEPTED:
		s->accepted++;
		break;
	case PAST_REFUSED:
		issued = serials_has(&s->issued, p->serial);
		s->refused += !issued;
		s->refused_issued += issued;
		break;
	}
	return show(s, p, issued, policy, e);
}

static enum err_code
second_take(void *ctx, struct entry *en, struct err *e)
{
	struct simulation *s = ctx;
	AUTO(json) keep = NULL;
	struct past past;
	TRY(entry_parse_leaf(en, s->source.arena, e));
	enum err_code code = past_read(en, &keep, s->source.arena, &past, e);
	if (code == ERR_NOTFOUND) {
		s->not_judged += en->type == ENTRY_REQUEST_SUBMITTED;
		return ERR_OK;
	}
	TRY(code);
	s->requests++;
	return judge(s, &past, e);
}

/* --- The candidates ---------------------------------------------------------------------- */

/* Bases that no operand is: as the log had them, by name and version. */
static void
add_bases(struct simulation *s)
{
	char name[POLICY_NAME_MAX];
	int64_t version;
	for (size_t i = 0; i < s->n_file; i++) {
		if (!policy_base_of(s->file[i].text, name, &version))
			continue;
		struct bytes text =
		    history_base(s->history, bytes_str(name), version);
		bool there = text.len == 0 || s->n_file == ARRAY_LEN(s->file);
		for (size_t k = 0; k < s->n_file; k++)
			there = there || bytes_eq(s->file[k].text, text);
		if (there)
			continue;
		s->file[s->n_file++] = (struct policy_file){
			.name = arena_printf(s->c->arena, "%s@%lld", name,
			    (long long)version),
			.text = text,
		};
	}
}

static enum err_code
read_ceilings(struct simulation *s, struct ceilings *out,
    struct findings *findings, struct err *e)
{
	struct buf text AUTO_BUF = BUF(0);
	struct policy_file file = { .name = s->c->option[OPT_CEILINGS] };
	struct config config;
	const char *dir = ".";
	if (file.name == NULL) {
		TRY(cli_config(s->c, &config, e));
		dir = s->c->dir;
		file.name =
		    arena_str(s->c->arena, bytes_str(config.signer_yaml));
	}
	TRY(file_read(dir, file.name, POLICY_FILE_MAX + 1, &text, e));
	file.text = buf_bytes(&text);
	ceilings_load(&file, out, findings);
	findings_show(s->c, findings, &file, 1);
	return ERR_OK;
}

static enum err_code
read_candidates(struct simulation *s, struct findings *findings, struct err *e)
{
	struct ceilings ceilings;
	TRY(read_ceilings(s, &ceilings, findings, e));
	for (size_t i = 0; i < s->c->n_operand; i++) {
		s->text[i] = BUF(0);
		TRY(file_read(".", s->c->operand[i], POLICY_FILE_MAX + 1,
		    &s->text[i], e));
		s->file[s->n_file++] = (struct policy_file){
			.name = s->c->operand[i],
			.text = buf_bytes(&s->text[i]),
		};
	}
	if (findings->errors > 0)
		return ERR_OK;
	add_bases(s);
	policy_load(s->file, s->n_file, &ceilings, &s->policies, findings);
	findings_show(s->c, findings, s->file, s->n_file);
	return ERR_OK;
}

static enum err_code
load_candidates(struct simulation *s, struct err *e)
{
	struct findings findings = { NULL, 0, 0 };
	enum err_code code = read_candidates(s, &findings, e);
	char count[24];
	snprintf(count, sizeof(count), "%zu", findings.errors);
	findings_fini(&findings);
	if (code == ERR_OK && s->policies == NULL)
		return err_say(e, ERR_INVALID, "cli-policy-errors",
		    "the files have %s mistakes; nothing takes effect until "
		    "they are mended",
		    count);
	return code;
}

/* --- All of it ------------------------------------------------------------------------------ */

struct count {
	const char *member, *en, *es;
	size_t offset; /* of an uint64_t of the simulation */
};
/* clang-format off */
#define AT(member) offsetof(struct simulation, member)
/* For people in this order; in JSON by name. */
static const struct count counts[] = {
	{ "requests",          "requests of the time", "solicitudes del período", AT(requests) },
	{ "same",              "the same certificate", "el mismo certificado", AT(same) },
	{ "differ",            "certificates that would differ", "certificados que serían distintos", AT(differ) },
	{ "issued_refused",    "issued before, refused now", "antes emitidas, ahora rechazadas", AT(refused_issued) },
	{ "submitted_refused", "submitted before, refused now", "antes ingresadas, ahora rechazadas", AT(refused) },
	{ "accepted",          "refused before, accepted now", "antes rechazadas, ahora aceptadas", AT(accepted) },
	{ "still_refused",     "refused before and now", "rechazadas antes y ahora", AT(still_refused) },
	{ "untouched",         "of policies that no file replaces", "de políticas que ningún archivo reemplaza", AT(untouched) },
	{ "not_judged",        "without what is needed to judge them", "sin lo necesario para juzgarlas", AT(not_judged) },
};
/* clang-format on */

static uint64_t
count_of(const struct simulation *s, const struct count *k)
{
	uint64_t n;
	memcpy(&n, (const uint8_t *)s + k->offset, sizeof(n));
	return n;
}

/* The member that comes after this one; NULL after the last. */
static const struct count *
next_by_name(const char *after)
{
	const struct count *next = NULL;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		if (strcmp(counts[i].member, after) > 0 &&
		    (next == NULL ||
			strcmp(counts[i].member, next->member) < 0))
			next = &counts[i];
	return next;
}

static void
summary(struct simulation *s)
{
	struct buf out AUTO_BUF = BUF(4096);
	struct jw w = jw_of(&out);
	char since[TIME_TEXT];
	time_print(since, s->since);
	if (!s->c->json) {
		printf("%s %s\n", SAY(s->c, "since", "desde"), since);
		for (size_t i = 0; i < ARRAY_LEN(counts); i++)
			printf("%10llu  %s\n",
			    (unsigned long long)count_of(s, &counts[i]),
			    SAY(s->c, counts[i].en, counts[i].es));
		return;
	}
	jw_object(&w);
	jw_key(&w, "counts");
	jw_object(&w);
	for (const struct count *k = next_by_name(""); k != NULL;
	    k = next_by_name(k->member))
		jw_member_int(&w, k->member, (int64_t)count_of(s, k));
	jw_close(&w, '}');
	jw_member_str(&w, "since", bytes_str(since));
	jw_close(&w, '}');
	printf("%s\n", buf_text(&out));
}

enum err_code
take_since(struct cli *c, int64_t *since, struct err *e)
{
	const char *text = c->option[OPT_SINCE];
	int64_t length;
	if (text == NULL)
		text = SINCE_USUAL;
	if (duration_parse(bytes_str(text), &length)) {
		*since = clock_now() - length;
		return ERR_OK;
	}
	if (time_parse(bytes_str(text), since))
		return ERR_OK;
	c->exit = CLI_USAGE;
	return err_say(e, ERR_INVALID, "cli-since",
	    "%s is no length of time and no date; write 90d or 2026-11-24",
	    text);
}

static enum err_code
take_limit(struct simulation *s, struct err *e)
{
	const char *text = s->c->option[OPT_LIMIT];
	int64_t limit;
	s->limit = s->c->json ? UINT64_MAX : SHOWN_USUAL;
	if (text == NULL)
		return ERR_OK;
	if (!dec_parse(bytes_str(text), &limit)) {
		s->c->exit = CLI_USAGE;
		return err_say(e, ERR_INVALID, "cli-limit",
		    "%s is no number of rows; write 50", text);
	}
	s->limit = (uint64_t)limit;
	return ERR_OK;
}

static enum err_code
simulate(struct simulation *s, struct err *e)
{
	struct source_visitor first = { s, first_wants, first_take };
	struct source_visitor second = { s, NULL, second_take };
	TRY(take_since(s->c, &s->since, e));
	TRY(take_limit(s, e));
	TRY(source_open(s->c, &s->source, e));
	TRY(source_each(&s->source, SAY(s->c, "reading", "leyendo"), &first,
	    e));
	TRY(load_candidates(s, e));
	if (s->issued.n > 0)
		qsort(s->issued.v, s->issued.n, sizeof(*s->issued.v),
		    by_octets);
	TRY(source_take(&s->source, SAY(s->c, "judging", "juzgando"), s->at,
	    s->n_at, &second, e));
	summary(s);
	return ERR_OK;
}

enum err_code
policy_simulate(struct cli *c, struct err *e)
{
	static struct simulation s; /* 50 KiB */
	s = (struct simulation){ .c = c, .history = history_new() };
	enum err_code code = simulate(&s, e);
	source_close(&s.source);
	for (size_t i = 0; i < c->n_operand; i++)
		buf_fini(&s.text[i]);
	policy_set_free(s.policies);
	history_free(s.history);
	free(s.issued.v);
	free(s.at);
	return code;
}
