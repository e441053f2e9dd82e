/*
 * explain - each rule of a policy with its verdict on one request, the fact
 * that it used and the line that says so.
 */
#include <stdlib.h>
#include <string.h>

#include "audit.h"

/* --- For people ---------------------------------------------------------------------- */

static const char *
text_of(const json_t *o, const char *member)
{
	const char *text = json_string_value(json_object_get(o, member));
	return text == NULL ? "" : text;
}

/* The sentence of a rule that failed, in the language asked for. */
static const char *
sentence_of(struct cli *c, const json_t *rule)
{
	const json_t *args = json_object_get(rule, "args");
	char text[1024];
	struct err e = { .code = ERR_DENIED, .id = text_of(rule, "id") };
	snprintf(e.say, sizeof(e.say), "%s", text_of(rule, "detail"));
	for (size_t i = 0; i < ERR_ARGS; i++) {
		const char *arg = json_string_value(json_array_get(args, i));
		snprintf(e.arg[i], sizeof(e.arg[i]), "%s",
		    arg == NULL ? "" : arg);
	}
	cli_sentence(&e, c->spanish, text, sizeof(text));
	return arena_str(c->arena, bytes_str(text));
}

static void
print_rule(struct cli *c, const json_t *rule)
{
	bool passed = strcmp(text_of(rule, "verdict"), "passed") == 0;
	printf("%s %-22s %-32s %s\n", passed ? "✔" : "✘", text_of(rule, "rule"),
	    text_of(rule, "at"), text_of(rule, "fact"));
	if (!passed)
		printf("    %s [%s]\n", sentence_of(c, rule),
		    text_of(rule, "id"));
}

static void
print_people(struct cli *c, json_t *o)
{
	const json_t *rules = json_object_get(o, "rules");
	const json_t *policy = json_object_get(o, "policy");
	bool accepted = strcmp(text_of(o, "result"), "accepted") == 0;
	json_t *rule;
	size_t i;
	printf("%s, %s, %s %lld\n", text_of(o, "request"), text_of(o, "as_of"),
	    text_of(policy, "name"),
	    (long long)json_integer_value(json_object_get(policy, "version")));
	json_array_foreach(rules, i, rule) print_rule(c, rule);
	printf("%s\n", accepted ? SAY(c, "accepted", "aceptada")
				: SAY(c, "refused", "rechazada"));
}

/* --- A candidate ------------------------------------------------------------------------ */

struct candidate {
	struct cli *c;
	struct installation *in;
	struct policy_file file[POLICIES_MAX + 1];
	size_t n;
	struct policy_set *set; /* owned */
};

/* The candidate first, then the installation's files but for its namesake:
 * bases may be among them. */
static void
take_files(struct candidate *k, struct bytes text, struct bytes replaced)
{
	const struct policy_set *there = k->in->policies;
	k->file[k->n++] = (struct policy_file){
		.name = k->c->option[OPT_POLICY],
		.text = text,
	};
	for (size_t i = 0; there != NULL && i < there->n; i++)
		if (!bytes_is(replaced, there->policy[i].name) &&
		    k->n < ARRAY_LEN(k->file))
			k->file[k->n++] = k->in->file[i + 2];
}

static enum err_code
load_candidate(struct candidate *k, struct bytes replaced, struct err *e)
{
	struct buf text AUTO_BUF = BUF(0);
	struct findings findings = { NULL, 0, 0 };
	char count[24];
	enum err_code code = installation_read(k->c->dir, k->in, &findings, e);
	if (code == ERR_OK)
		code = file_read(".", k->c->option[OPT_POLICY],
		    POLICY_FILE_MAX + 1, &text, e);
	if (code == ERR_OK) {
		findings_fini(&findings);
		take_files(k, buf_bytes(&text), replaced);
		policy_load(k->file, k->n, &k->in->ceilings, &k->set,
		    &findings);
		findings_show(k->c, &findings, k->file, k->n);
	}
	snprintf(count, sizeof(count), "%zu", findings.errors);
	findings_fini(&findings);
	TRY(code);
	if (k->set != NULL)
		return ERR_OK;
	return err_say(e, ERR_INVALID, "cli-policy-errors",
	    "the files have %s mistakes; nothing takes effect until they are "
	    "mended",
	    count);
}

static enum err_code
explain_by(struct candidate *k, struct bytes answer, struct err *e)
{
	AUTO(json) keep = NULL;
	struct buf out AUTO_BUF = BUF(1u << 20);
	struct verdicts *verdicts = arena_get(k->c->arena, sizeof(*verdicts));
	struct past past;
	TRY(explain_read(answer, &keep, &past, e));
	TRY(load_candidate(k, past.policy, e));
	explain_write(&past, &k->set->policy[0], verdicts, k->c->arena, &out);
	TRY(buf_end(&out, e));
	return print_answer(k->c, buf_bytes(&out), print_people, e);
}

enum err_code
policy_explain(struct cli *c, struct err *e)
{
	static struct installation in; /* 100 KiB */
	struct buf answer AUTO_BUF = ANSWER_BUF;
	struct candidate k = { .c = c, .in = &in };
	TRY(engine_get(c, path_of(c, "/requests/", c->operand[0], "/explain"),
	    &answer, e));
	TRY(print_answer(c, buf_bytes(&answer), print_people, e));
	if (c->option[OPT_POLICY] == NULL)
		return ERR_OK;
	enum err_code code = explain_by(&k, buf_bytes(&answer), e);
	policy_set_free(k.set);
	installation_fini(&in);
	return code;
}
