/*
 * judged - verdicts, facts and differences between certificates, as
 * reproduce, explain and simulate show them.
 */
#include <string.h>

#include "audit.h"

static void
print_pair(const char *name, const char *value)
{
	printf("  %-22s %s\n", name, value);
}

void
print_facts(struct cli *c, const struct policy_facts *f)
{
	char text[TIME_TEXT];
	for (int i = 0; i < FACT_COUNT; i++)
		if (f->fact[i].len > 0)
			print_pair(policy_fact_name((enum policy_fact)i),
			    arena_str(c->arena, f->fact[i]));
	if (f->person_kind != PERSON_UNSTATED)
		print_pair("person.kind", person_kind_name(f->person_kind));
	if (f->institution_kind != INSTITUTION_UNSTATED)
		print_pair("institution.kind",
		    institution_kind_name(f->institution_kind));
	for (size_t i = 0; i < f->n_attribute; i++)
		print_pair(arena_printf(c->arena, "person.attribute.%.*s",
			       BYTES_FMT(f->attribute[i].name)),
		    arena_str(c->arena, f->attribute[i].value));
	print_pair("request.key", key_type_name(f->key));
	if (f->asked_s > 0) {
		bool days = f->asked_s % DAY == 0;
		print_pair("request.validity",
		    arena_printf(c->arena, "%lld%c",
			(long long)(days ? f->asked_s / DAY : f->asked_s),
			days ? 'd' : 's'));
	}
	print_pair("request.is_renewal", f->is_renewal ? "true" : "false");
	time_print(text, f->now);
	print_pair("now", text);
	time_print(text, f->issuer_not_after);
	print_pair("issuer.not_after", text);
}

void
put_changes(struct jw *w, const struct cert_change *change, size_t n)
{
	jw_key(w, "differences");
	jw_array(w);
	for (size_t i = 0; i < n; i++) {
		jw_object(w);
		jw_member_str(w, "after", bytes_str(change[i].after));
		jw_member_str(w, "before", bytes_str(change[i].before));
		jw_member_str(w, "field", bytes_str(change[i].field));
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

void
print_changes(const struct cert_change *change, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("    %s: %s -> %s\n", change[i].field,
		    change[i].before[0] != '\0' ? change[i].before : "-",
		    change[i].after[0] != '\0' ? change[i].after : "-");
}

/*
 * Where the rule stands: "funcionario.yaml:14" of a file that was given,
 * "funcionario-firma@7:14" of a policy of the log.
 */
static const char *
place_of(struct cli *c, const struct verdict *v, const struct named_set *names)
{
	const struct policy *p = v->at.of != NULL ? v->at.of : names->policy;
	const char *file = NULL;
	for (size_t i = 0; names->set != NULL && i < names->set->n; i++)
		if (p == &names->set->policy[i])
			file = names->file[i].name;
	if (file == NULL)
		file = arena_printf(c->arena, "%s@%lld", p->name,
		    (long long)p->version);
	return v->at.line == 0 ? file
			       : arena_printf(c->arena, "%s:%u", file,
				     (unsigned)v->at.line);
}

void
put_failed(struct jw *w, struct cli *c, const struct verdicts *verdicts,
    const struct named_set *names)
{
	jw_key(w, "reasons");
	jw_array(w);
	for (size_t i = 0; i < verdicts->len; i++) {
		const struct verdict *v = &verdicts->v[i];
		char text[1024];
		if (v->passed)
			continue;
		cli_sentence(&v->err, c->spanish, text, sizeof(text));
		jw_object(w);
		jw_member_str(w, "at", bytes_str(place_of(c, v, names)));
		jw_member_str(w, "detail", bytes_str(text));
		jw_member_str(w, "fact", bytes_str(v->fact));
		jw_member_str(w, "id", bytes_str(v->err.id));
		jw_member_str(w, "rule", bytes_str(v->rule));
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

void
print_failed(struct cli *c, const struct verdicts *verdicts,
    const struct named_set *names)
{
	for (size_t i = 0; i < verdicts->len; i++) {
		const struct verdict *v = &verdicts->v[i];
		char text[1024];
		if (v->passed)
			continue;
		cli_sentence(&v->err, c->spanish, text, sizeof(text));
		printf("    %s: %s: %s [%s]\n", place_of(c, v, names), v->rule,
		    text, v->err.id);
	}
}
