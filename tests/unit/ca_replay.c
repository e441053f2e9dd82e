#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake/ca_world.h"

/*
 * Plays tests/replay/NAME.scenario on a clock of its own; after each, every
 * entry is applied to an empty view and all rows must be the same.
 *
 *   AT 2027-01-01            the world begins, or time goes on until then
 *   PASS 30d
 *   POPULATE                 institution, operator, holders, minister
 *   MINISTER RUN KEY NAME    appointed, confirmed, in force
 *   DO act field=value …     a command; "two words" in quotes; csr=@KEY makes
 *                            a request for that key, cms=@KEY a signature over
 *                            what request= or appointment= asks for, and
 *                            serial=@SOL-… stands for that request's serial
 *   REFUSED id sentence      what the DO before it must have been answered
 *   SIGN                     the signer answers what waits
 *   SIGN REFUSES category    or refuses it
 *   TICK n                   what is due happens: n acts
 *   CHECK kind id member=value …   a row as rec_json() prints it; @SOL-… is
 *                            the serial of that request
 *   NEXT time                when the next thing falls due, or never
 */

#define WORDS_MAX 32
struct script {
	struct world *w;
	const char *file;
	unsigned line;
	bool refused; /* the last DO was refused, and REFUSED must follow */
	char *word[WORDS_MAX];
	size_t n;
};

static void
wrong(const struct script *s, const char *what)
{
	fail_msg("%s:%u: %s", s->file, s->line, what);
}

/* Words apart by spaces; quotes keep a value together. */
static void
split(struct script *s, char *line)
{
	char *to = line;

	s->n = 0;
	for (char *p = line; *p != '\0';) {
		while (*p == ' ' || *p == '\t')
			p++;
		if (*p == '\0' || *p == '#' || *p == '\n')
			break;
		if (s->n == WORDS_MAX)
			wrong(s, "too many words");
		s->word[s->n++] = to;
		bool quoted = false;
		while (*p != '\0' && *p != '\n' && (quoted || *p != ' ')) {
			if (*p == '"')
				quoted = !quoted;
			else
				*to++ = *p;
			p++;
		}
		bool end = *p == '\0' || *p == '\n';
		*to++ = '\0';
		if (end)
			break;
		p++;
	}
}

static enum ca_field
field_of(const struct script *s, const char *word, const char **value)
{
	const char *eq = strchr(word, '=');

	if (eq == NULL)
		wrong(s, "a field has no value");
	for (unsigned i = 0; i < CF_COUNT; i++) {
		size_t len = strlen(ca_fields[i].name);
		if ((size_t)(eq - word) == len &&
		    strncmp(word, ca_fields[i].name, len) == 0) {
			*value = eq + 1;
			return (enum ca_field)i;
		}
	}
	wrong(s, "no field has this name");
	return CF_COUNT;
}

static struct bytes
value_of(struct script *s, enum ca_field f, const char *value,
    const struct command *c)
{
	struct bytes id = c->f[CF_REQUEST].len > 0      ? c->f[CF_REQUEST]
			  : c->f[CF_ACTIVATION].len > 0 ? c->f[CF_ACTIVATION]
			  : c->f[CF_CEREMONY].len > 0   ? c->f[CF_CEREMONY]
			  : c->f[CF_MANDATE].len > 0    ? c->f[CF_MANDATE]
							: c->f[CF_APPOINTMENT];

	if (value[0] != '@')
		return bytes_str(arena_str(s->w->a, bytes_str(value)));
	if (f == CF_CSR)
		return world_csr(s->w, value + 1);
	if (f == CF_CMS)
		return world_evidence(s->w, value + 1, arena_str(s->w->a, id));
	if (f == CF_FILES)
		return world_files(s->w, value + 1);
	if (f == CF_ANSWER)
		return world_answer(s->w, value + 1);
	if (f == CF_SERIAL)
		return bytes_str(world_serial(s->w, value + 1));
	wrong(s, "@ means nothing here");
	return BYTES_NONE;
}

static void
do_act(struct script *s)
{
	struct command c = world_command(s->w, ACT_COUNT, CF_COUNT);

	for (unsigned i = 0; i < ACT_COUNT; i++)
		if (strcmp(ca_acts[i].name, s->word[1]) == 0)
			c.act = (enum ca_act)i;
	if (c.act == ACT_COUNT)
		wrong(s, "no act has this name");
	for (size_t i = 2; i < s->n; i++) {
		const char *value = NULL;
		enum ca_field f = field_of(s, s->word[i], &value);
		c.f[f] = value_of(s, f, value, &c);
	}
	s->refused = world_run(s->w, &c) != ERR_OK;
}

static void
check_refused(struct script *s)
{
	if (!s->refused)
		wrong(s, "it was not refused");
	if (strcmp(s->w->e.id, s->word[1]) != 0 ||
	    (s->n > 2 && strcmp(s->w->e.say, s->word[2]) != 0))
		fail_msg("%s:%u: refused with %s: %s", s->file, s->line,
		    s->w->e.id, s->w->e.say);
	s->refused = false;
}

static void
do_sign(struct script *s)
{
	static const enum err_code codes[] = { ERR_INVALID, ERR_FORBIDDEN,
		ERR_DENIED, ERR_CONFLICT, ERR_BUSY, ERR_IO, ERR_CRYPTO };
	struct err refusal;

	if (s->n == 1) {
		(void)world_sign(s->w, NULL);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		if (strcmp(err_code_name(codes[i]), s->word[2]) != 0)
			continue;
		(void)err_say(&refusal, codes[i], "ceiling",
		    "the signer says no");
		(void)world_sign(s->w, &refusal);
		return;
	}
	wrong(s, "no such category");
}

static struct bytes
key_of(struct script *s, const struct rec_type *t, const char *id)
{
	struct arena *a = s->w->a;
	struct bytes part = bytes_str(id);

	if (t == &rec_certificate)
		part = world_get_request(s->w, id + 1).serial;
	return ca_row_key(a, t->class, part);
}

static void
check_member(struct script *s, struct json_obj o, char *pair)
{
	char *eq = strchr(pair, '=');
	char number[24];

	if (eq == NULL)
		wrong(s, "a member has no value");
	*eq = '\0';
	bool bad = false;
	struct err e;
	struct json_obj quiet = { o.node, &bad, &e };
	char *dot = strchr(pair, '.');
	if (dot != NULL) {
		*dot = '\0';
		quiet.node =
		    json_has(o, pair) ? json_get_obj(o, pair).node : NULL;
		pair = dot + 1;
	}
	struct bytes got = json_opt_str(quiet, pair);
	if (bad) {
		bad = false;
		snprintf(number, sizeof(number), "%lld",
		    (long long)json_opt_int(quiet, pair, -1));
		got = bytes_str(number);
	}
	const char *want = eq[1] == '@' ? world_serial(s->w, eq + 2) : eq + 1;
	if (!bytes_is(got, want))
		fail_msg("%s:%u: %s is %.*s", s->file, s->line, pair,
		    BYTES_FMT(got));
}

static void
check_row(struct script *s)
{
	static const struct rec_type *const types[] = { &rec_institution,
		&rec_person, &rec_appointment, &rec_request, &rec_certificate,
		&rec_activation, &rec_in_force, &rec_consent, &rec_ceremony,
		&rec_issuer, &rec_root_list, &rec_mandate };
	const struct rec_type *t = NULL;
	union {
		struct institution i;
		struct person p;
		struct appointment a;
		struct request r;
		struct certificate c;
		struct agreement_row ac;
		struct in_force_row f;
		struct consent co;
		struct agreement_row ce;
		struct issuer_row is;
		struct root_list_row rl;
		struct mandate m;
	} rec;
	struct buf text AUTO_BUF = BUF(1 << 16);
	AUTO(json) j = NULL;
	bool found, bad = false;

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(types[i]->name, s->word[1]) == 0)
			t = types[i];
	if (t == NULL)
		wrong(s, "no such kind of row");
	world_must(s->w,
	    rec_get(s->w->v, t, key_of(s, t, s->word[2]), s->w->a, &rec, &found,
		&s->w->e),
	    s->word[2]);
	if (!found)
		wrong(s, "there is no such row");
	/* A mandate as it is shown. */
	if (t == &rec_mandate)
		world_must(s->w,
		    ca_mandate_over(s->w->v, &s->w->ca, s->w->now, s->w->a,
			&rec.m, &s->w->e),
		    s->word[2]);
	rec_json(t, &rec, false, &text);
	world_must(s->w, json_parse(buf_bytes(&text), true, &j, &s->w->e),
	    "JSON of a row");
	for (size_t i = 3; i < s->n; i++)
		check_member(s, json_root(j, &bad, &s->w->e), s->word[i]);
}

static void
check_next(struct script *s)
{
	int64_t when;
	char text[TIME_TEXT];

	world_must(s->w, ca_next_due(s->w->v, &when, &s->w->e), "next");
	time_print(text, when);
	if (strcmp(text, s->word[1]) != 0)
		fail_msg("%s:%u: next is %s", s->file, s->line, text);
}

static void
pass(struct script *s)
{
	int64_t span;

	if (!duration_parse(bytes_str(s->word[1]), &span))
		wrong(s, "no duration");
	s->w->now += span;
}

static void
at(struct script *s)
{
	if (s->w == NULL)
		s->w = world_new(s->word[1]);
	else if (!time_parse(bytes_str(s->word[1]), &s->w->now))
		wrong(s, "no time");
}

static void
tick(struct script *s)
{
	size_t n = world_tick(s->w);

	if (n != strtoul(s->word[1], NULL, 10))
		fail_msg("%s:%u: %zu things were due", s->file, s->line, n);
}

static void
step(struct script *s)
{
	const char *verb = s->word[0];

	if (strcmp(verb, "AT") == 0)
		at(s);
	else if (strcmp(verb, "REFUSED") == 0)
		check_refused(s);
	else if (s->refused)
		fail_msg("%s:%u: before this: %s [%s]", s->file, s->line,
		    s->w->e.say, s->w->e.id);
	else if (strcmp(verb, "PASS") == 0)
		pass(s);
	else if (strcmp(verb, "QUORUM") == 0)
		s->w->ceilings.quorum = s->w->ceilings.appointment_quorum =
		    s->word[1][0] - '0';
	else if (strcmp(verb, "POPULATE") == 0)
		world_populate(s->w);
	else if (strcmp(verb, "MINISTER") == 0)
		(void)world_minister(s->w, RUT_A, s->word[1], s->word[3],
		    s->word[2]);
	else if (strcmp(verb, "DO") == 0)
		do_act(s);
	else if (strcmp(verb, "SIGN") == 0)
		do_sign(s);
	else if (strcmp(verb, "TICK") == 0)
		tick(s);
	else if (strcmp(verb, "CHECK") == 0)
		check_row(s);
	else if (strcmp(verb, "NEXT") == 0)
		check_next(s);
	else
		wrong(s, "no such verb");
}

static void
play(const char *name)
{
	char path[512], line[1024];
	struct script s = { .file = name };

	snprintf(path, sizeof(path), "%s/tests/replay/%s", SOURCE_DIR, name);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		s.line++;
		split(&s, line);
		if (s.n > 0)
			step(&s);
	}
	fclose(f);
	if (s.refused)
		wrong(&s, "the last act was refused");
	assert_non_null(s.w);
	if (!fake_view_replays(s.w->v))
		wrong(&s, "replay differs from the live rows");
	world_free(s.w);
}

static void
scenarios(void **state)
{
	(void)state;
	struct dirent **list;
	int n = scandir(SOURCE_DIR "/tests/replay", &list, NULL, alphasort);
	size_t played = 0;

	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		const char *dot = strrchr(list[i]->d_name, '.');
		if (dot != NULL && strcmp(dot, ".scenario") == 0) {
			print_message("%s\n", list[i]->d_name);
			play(list[i]->d_name);
			played++;
		}
		free(list[i]);
	}
	free(list);
	assert_true(played >= 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scenarios),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
