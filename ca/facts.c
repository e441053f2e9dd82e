#include <stdio.h>

#include "inner.h"

/* What a policy judged a request by, in the log and back. */

void
facts_write(struct jw *w, const struct policy_facts *f,
    const struct issuer_urls *urls)
{
	jw_object(w);
	jw_key(w, "institution");
	jw_object(w);
	jw_member_str_opt(w, "kind",
	    bytes_str(institution_kind_name(f->institution_kind)));
	jw_member_str(w, "name", f->fact[FACT_INSTITUTION_NAME]);
	jw_member_str(w, "rut", f->fact[FACT_INSTITUTION_RUT]);
	jw_close(w, '}');
	jw_key(w, "issuer");
	jw_object(w);
	jw_member_str(w, "ca_url", urls->ca);
	jw_member_str(w, "crl_url", urls->crl);
	jw_member_int(w, "not_after", f->issuer_not_after);
	jw_member_str(w, "ocsp_url", urls->ocsp);
	jw_close(w, '}');
	jw_member_int(w, "now", f->now);
	jw_key(w, "person");
	jw_object(w);
	jw_key(w, "attributes");
	jw_object(w);
	for (size_t i = 0; i < f->n_attribute; i++) {
		char name[ATTRIBUTE_NAME_MAX + 1];
		snprintf(name, sizeof(name), "%.*s",
		    BYTES_FMT(f->attribute[i].name));
		jw_member_str(w, name, f->attribute[i].value);
	}
	jw_close(w, '}');
	jw_member_str(w, "email", f->fact[FACT_PERSON_EMAIL]);
	jw_member_str_opt(w, "kind",
	    bytes_str(person_kind_name(f->person_kind)));
	jw_member_str(w, "name", f->fact[FACT_PERSON_NAME]);
	jw_member_str(w, "office", f->fact[FACT_PERSON_OFFICE]);
	jw_member_str(w, "run", f->fact[FACT_PERSON_RUN]);
	jw_close(w, '}');
	jw_key(w, "request");
	jw_object(w);
	jw_member_int(w, "asked_s", f->asked_s);
	jw_member_int(w, "is_renewal", f->is_renewal ? 1 : 0);
	jw_member_str(w, "key", bytes_str(key_type_name(f->key)));
	jw_close(w, '}');
	jw_close(w, '}');
}

static void
read_attributes(struct json_obj o, struct policy_facts *f)
{
	const char *name;

	while (f->n_attribute < ATTRIBUTES_MAX &&
	       (name = json_name_at(o, f->n_attribute)) != NULL) {
		f->attribute[f->n_attribute++] = (struct attribute){
			.name = bytes_str(name),
			.value = json_get_str(o, name),
		};
	}
}

static enum err_code
read_kinds(struct json_obj person, struct json_obj inst, struct policy_facts *f,
    struct err *e)
{
	struct bytes word = json_opt_str(person, "kind");

	if (word.len > 0)
		TRY(person_kind_parse(word, &f->person_kind, e));
	word = json_opt_str(inst, "kind");
	if (word.len > 0)
		TRY(institution_kind_parse(word, &f->institution_kind, e));
	return ERR_OK;
}

enum err_code
facts_read(struct json_obj o, struct policy_facts *f, struct issuer_urls *urls,
    struct err *e)
{
	struct json_obj person = json_get_obj(o, "person");
	struct json_obj inst = json_get_obj(o, "institution");
	struct json_obj issuer = json_get_obj(o, "issuer");
	struct json_obj request = json_get_obj(o, "request");

	*f = (struct policy_facts){
		.fact = {
			[FACT_PERSON_RUN] = json_get_str(person, "run"),
			[FACT_PERSON_NAME] = json_get_str(person, "name"),
			[FACT_PERSON_OFFICE] = json_get_str(person, "office"),
			[FACT_PERSON_EMAIL] = json_get_str(person, "email"),
			[FACT_INSTITUTION_NAME] = json_get_str(inst, "name"),
			[FACT_INSTITUTION_RUT] = json_get_str(inst, "rut"),
		},
		.is_renewal = json_get_int(request, "is_renewal") != 0,
		.asked_s = json_get_int(request, "asked_s"),
		.now = json_get_int(o, "now"),
		.issuer_not_after = json_get_int(issuer, "not_after"),
	};
	read_attributes(json_get_obj(person, "attributes"), f);
	TRY(read_kinds(person, inst, f, e));
	if (!*o.bad && !key_type_parse(json_get_str(request, "key"), &f->key))
		return past_bad_form("facts.request.key", e);
	urls->ca = json_get_str(issuer, "ca_url");
	urls->crl = json_get_str(issuer, "crl_url");
	urls->ocsp = json_get_str(issuer, "ocsp_url");
	return ERR_OK;
}

enum err_code
explain_read(struct bytes text, struct json **keep, struct past *out,
    struct err *e)
{
	AUTO(json) j = NULL;
	struct past p = { .time = 0 };
	bool bad = false;

	TRY(json_parse(text, false, &j, e));
	struct json_obj o = json_root(j, &bad, e);
	TRY(facts_read(json_get_obj(o, "facts"), &p.facts, &p.urls, e));
	p.request = json_get_str(o, "request");
	p.policy = json_get_str(json_get_obj(o, "policy"), "name");
	p.time = p.facts.now;
	if (bad)
		return e->code;
	*out = p;
	*keep = TAKE(j);
	return ERR_OK;
}
