/* crl - what a CRL of anybody's says. */
#include <stdlib.h>

#include "status.h"

static void
set_text(json_t *o, const char *name, const char *value)
{
	json_object_set_new(o, name, json_string(value));
}

static void
set_url(struct cli *c, json_t *o, const char *name, struct bytes url)
{
	if (url.len > 0)
		set_text(o, name, arena_str(c->arena, url));
}

/* What the list covers, in the words of RFC 5280 5.2.5. */
static void
put_scope(struct cli *c, const struct crl_any *l, json_t *o)
{
	const struct {
		bool is;
		const char *word;
	} limits[] = {
		{ l->only_users, "onlyContainsUserCerts" },
		{ l->only_cas, "onlyContainsCACerts" },
		{ l->only_attributes, "onlyContainsAttributeCerts" },
		{ l->some_reasons, "onlySomeReasons" },
		{ l->is_indirect, "indirectCRL" },
	};
	json_t *scope = json_array();
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (limits[i].is)
			json_array_append_new(scope,
			    json_string(limits[i].word));
	set_url(c, o, "partition", l->url);
	if (json_array_size(scope) > 0)
		json_object_set(o, "scope", scope);
	json_decref(scope);
}

static json_t *
head_of(struct cli *c, const struct crl_any *l)
{
	json_t *o = json_object();
	set_text(o, "issuer", name_text(c, l->issuer));
	set_text(o, "kind",
	    l->base.len > 0  ? "delta"
	    : l->idp.len > 0 ? "partition"
			     : "full");
	if (l->number.len > 0)
		set_text(o, "number", list_number(c, l->number));
	if (l->base.len > 0)
		set_text(o, "base", list_number(c, l->base));
	set_text(o, "this_update", time_text(c, l->this_update));
	if (l->next_update != 0)
		set_text(o, "next_update", time_text(c, l->next_update));
	if (l->aki.len > 0)
		set_text(o, "key_id", hex_text(c, l->aki));
	put_scope(c, l, o);
	set_url(c, o, "freshest", l->freshest);
	json_object_set_new(o, "octets", json_integer((json_int_t)l->der.len));
	json_object_set_new(o, "revoked", json_integer((json_int_t)l->n_entry));
	return o;
}

/* --- Entries, one by one: there may be millions --------------------------------- */

static void
print_entry(struct cli *c, const struct crl_any_entry *x, const char *between)
{
	char serial[HEX_LEN(64)], at[TIME_TEXT], since[TIME_TEXT];
	hex_print(serial,
	    bytes_of(x->serial.p, x->serial.len > 64 ? 64 : x->serial.len));
	time_print(at, x->revoked_at);
	time_print(since, x->invalid_since);
	if (!c->json) {
		printf("%s  %s  %s%s%s\n", serial, at,
		    reason_text(c, x->reason),
		    x->invalid_since != 0 ? "  " : "",
		    x->invalid_since != 0 ? since : "");
		return;
	}
	printf("%s{\"reason\":\"%s\",\"revoked_at\":\"%s\"", between,
	    x->reason >= 0 ? reason_text(c, x->reason) : "", at);
	if (x->invalid_since != 0)
		printf(",\"invalid_since\":\"%s\"", since);
	printf(",\"serial\":\"%s\"}", serial);
}

static void
print_list(struct cli *c, const struct crl_any *l)
{
	json_t *head = head_of(c, l);
	struct bytes rest = l->entries;
	struct crl_any_entry x;
	const char *between = "";
	if (!c->json) {
		print_object(c, head);
		while (crl_any_next(&rest, &x))
			print_entry(c, &x, "");
		return;
	}
	char *text = json_dumps(head, JSON_COMPACT | JSON_SORT_KEYS);
	printf("{\"entries\":[");
	while (crl_any_next(&rest, &x)) {
		print_entry(c, &x, between);
		between = ",";
	}
	printf("],%s\n", text + 1);
	free(text);
	json_decref(head);
}

static enum err_code
crl_show(struct cli *c, struct err *e)
{
	struct buf der AUTO_BUF = BUF(CRL_READ_MAX);
	struct crl_any list;
	TRY(read_list(c, c->operand[0], &der, &list, e));
	print_list(c, &list);
	return ERR_OK;
}

/* --- Those of the engine --------------------------------------------------------------- */

/* The root's stands in no ledger: status serves it, and it says the rest. */
static void
add_root(struct cli *c, json_t *items)
{
	struct config *config = arena_get(c->arena, sizeof(*config));
	struct buf der AUTO_BUF = BUF(CRL_MAX_BYTES);
	struct crl list;
	struct err ignored;
	if (cli_config(c, config, &ignored) != ERR_OK ||
	    status_get(config, "/crl/root.crl", &der, &ignored) != ERR_OK ||
	    crl_parse(buf_bytes(&der), &list, &ignored) != ERR_OK)
		return;
	json_array_insert_new(items, 0,
	    json_pack("{s:i, s:s, s:s, s:I, s:i, s:s}", "base", 0, "issuer",
		"root", "next_update", time_text(c, list.next_update), "number",
		(json_int_t)list.number, "partition", 0, "this_update",
		time_text(c, list.this_update)));
}

static enum err_code
crl_ls(struct cli *c, struct err *e)
{
	json_t *page;
	TRY(read_pages(c, &page, e));
	if (c->option[OPT_AFTER] == NULL)
		add_root(c, json_object_get(page, "items"));
	print_page(c, page);
	return ERR_OK;
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "crl", "ls", crl_ls, NO_ACT, NO_OPERAND, "", 0, 0,
	    OPTION(OPT_AFTER) | OPTION(OPT_LIMIT) | OPTION(OPT_ALL),
	    "list the newest CRL of the root, and of each part of each issuer", "listar la última CRL de la raíz y de cada parte de cada emisora", "crl ls", "/crls" },
	{ "crl", "show", crl_show, NO_ACT, NO_OPERAND, "FILE|URL", 1, 1, OPTION(OPT_TIMEOUT),
	    "what a CRL of any CA says", "lo que dice una CRL de cualquier autoridad",
	    "crl show http://estado.example.cl/crl/emisora.crl", NULL },
	{ "crl", "verify", crl_verify, NO_ACT, NO_OPERAND, "FILE|URL [CERT]", 1, 2,
	    OPTION(OPT_ISSUER) | OPTION(OPT_SERIAL) | OPTION(OPT_BASE) | OPTION(OPT_TIMEOUT),
	    "whether a CRL may be believed, and whether it lists a certificate: exit status 7 if not to be believed, 10 if listed",
	    "si una CRL es confiable, y si lista un certificado: estado de salida 7 si no es confiable, 10 si lo lista",
	    "crl verify emisora.crl maria.pem --issuer emisora.pem", NULL },
	{ "crl", "diff", crl_diff, NO_ACT, NO_OPERAND, "OLD NEW", 2, 2, OPTION(OPT_TIMEOUT),
	    "entries that came, went and changed from one CRL to another", "entradas que llegaron, se fueron y cambiaron de una CRL a otra",
	    "crl diff ayer.crl http://estado.example.cl/crl/emisora.crl", NULL },
	{ "crl", "build", crl_build, NO_ACT, NO_OPERAND, "[LIST]", 0, 1,
	    OPTION(OPT_CERT) | OPTION(OPT_KEY) | OPTION(OPT_FROM_CRL) | OPTION(OPT_NUMBER) |
	    OPTION(OPT_LIFE) | OPTION(OPT_OUT) | OPTION(OPT_DER),
	    "sign the CRL of a CA whose key no engine holds, such as an offline root",
	    "firmar la CRL de una autoridad cuya llave no tiene ningún motor, como una raíz fuera de línea",
	    "crl build --cert ca/root.pem --key keys/root.key --previous ca/root.crl --life 180d --der --out ca/root.crl", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_crl = { verbs, ARRAY_LEN(verbs) };
