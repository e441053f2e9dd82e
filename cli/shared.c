/* shared - what the verbs of several nouns do. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ceremony.h"

enum err_code
run_act(struct cli *c, struct err *e)
{
	struct buf answer AUTO_BUF = ANSWER_BUF;
	TRY(engine_act(c, (enum ca_act)c->verb->act, BYTES_NONE, &answer, e));
	return print_record(c, buf_bytes(&answer), e);
}

/* The path of the verb, with operands for {}. */
static const char *
list_path(struct cli *c)
{
	struct buf path AUTO_BUF = BUF(4096);
	size_t operand = 0;
	for (const char *p = c->verb->list; *p != '\0'; p++) {
		if (p[0] == '{' && p[1] == '}' && operand < c->n_operand) {
			api_put_segment(&path,
			    bytes_str(c->operand[operand++]));
			p++;
			continue;
		}
		buf_putc(&path, (uint8_t)*p);
	}
	return arena_str(c->arena, buf_bytes(&path));
}

enum err_code
run_show(struct cli *c, struct err *e)
{
	struct buf answer AUTO_BUF = ANSWER_BUF;
	const char *path = list_path(c);
	if (c->option[OPT_BLOBS] != NULL)
		path = arena_printf(c->arena, "%s?blobs=1", path);
	TRY(engine_get(c, path, &answer, e));
	return print_record(c, buf_bytes(&answer), e);
}

static const char *
page_path(struct cli *c, const char *path, const char *after)
{
	struct buf out AUTO_BUF = BUF(4096);
	const char *limit = c->option[OPT_LIMIT];
	char mark = '?';
	buf_puts(&out, path);
	if (limit == NULL && c->option[OPT_ALL] != NULL)
		limit = "500";
	if (limit != NULL) {
		buf_putf(&out, "%climit=", mark);
		api_put_segment(&out, bytes_str(limit));
		mark = '&';
	}
	if (after != NULL) {
		buf_putf(&out, "%cafter=", mark);
		api_put_segment(&out, bytes_str(after));
		mark = '&';
	}
	if (c->option[OPT_BLOBS] != NULL)
		buf_putf(&out, "%cblobs=1", mark);
	return arena_str(c->arena, buf_bytes(&out));
}

enum err_code
read_pages(struct cli *c, json_t **out, struct err *e)
{
	const char *after = c->option[OPT_AFTER];
	const char *path = list_path(c);
	json_t *all = NULL;
	for (;;) {
		json_t *page;
		enum err_code code =
		    engine_json(c, page_path(c, path, after), &page, e);
		if (code != ERR_OK) {
			json_decref(all);
			return code;
		}
		if (all == NULL) {
			all = page;
		} else {
			json_array_extend(json_object_get(all, "items"),
			    json_object_get(page, "items"));
			json_object_del(all, "next");
			if (json_object_get(page, "next") != NULL)
				json_object_set(all, "next",
				    json_object_get(page, "next"));
			json_decref(page);
		}
		const char *next =
		    json_string_value(json_object_get(all, "next"));
		if (next == NULL || c->option[OPT_ALL] == NULL)
			break;
		after = arena_str(c->arena, bytes_str(next));
	}
	*out = all;
	return ERR_OK;
}

void
print_page(struct cli *c, json_t *page)
{
	if (c->json) {
		char *text = json_dumps(page, JSON_COMPACT);
		printf("%s\n", text);
		free(text);
	} else {
		print_rows(c, c->verb->list, json_object_get(page, "items"));
	}
	const char *next = json_string_value(json_object_get(page, "next"));
	if (next != NULL && !c->json)
		fprintf(stderr, "%s --after %s\n",
		    SAY(c, "there are more:", "hay más:"), next);
	json_decref(page);
}

enum err_code
run_list(struct cli *c, struct err *e)
{
	json_t *page;
	TRY(read_pages(c, &page, e));
	print_page(c, page);
	return ERR_OK;
}

enum err_code
run_statement(struct cli *c, struct err *e)
{
	struct buf statement AUTO_BUF = BUF(STATEMENT_MAX);
	TRY(engine_get(c, list_path(c), &statement, e));
	return print_octets(c, buf_bytes(&statement), e);
}

enum err_code
run_certificate(struct cli *c, struct err *e)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf pem AUTO_BUF = BUF(CERT_MAX_BYTES * 2);
	TRY(engine_get(c, list_path(c), &der, e));
	if (c->option[OPT_DER] != NULL)
		return print_octets(c, buf_bytes(&der), e);
	pem_put(&pem, "CERTIFICATE", buf_bytes(&der));
	TRY(buf_end(&pem, e));
	return print_octets(c, buf_bytes(&pem), e);
}

/* --- Signing a statement ------------------------------------------------------------- */

/* 40 bits of SHA-256 in base32, for eyes: "K7QD-2MXA". */
void
verification_code(struct bytes text, char out[10])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint8_t hash[SHA256_LEN];
	uint64_t bits = 0;
	size_t at = 0;
	sha256(hash, text);
	for (size_t i = 0; i < 5; i++)
		bits = bits << 8 | hash[i];
	for (int i = 7; i >= 0; i--) {
		out[at++] = alphabet[bits >> (5 * i) & 31];
		if (i == 4)
			out[at++] = '-';
	}
	out[at] = '\0';
}

enum err_code
asked_other(const char *what, struct err *e)
{
	return err_at(e, ERR_DENIED, "cli-asked-other", NULL, at_field(what),
	    "the engine gives something else to be signed than was asked for: "
	    "%s differs; it was not signed: find out why before anything is",
	    what);
}

static void
put_words(struct cli *c, const struct buf *words)
{
	fprintf(stderr, "%s\n\n  %.*s\n\n",
	    SAY(c, "By signing you certify:", "Al firmar, usted certifica:"),
	    BYTES_FMT(buf_bytes(words)));
}

/* What is signed says in Spanish what its members are; so do the words that
 * are shown. */
static enum err_code
show_text(struct cli *c, const struct buf *es, struct bytes text_es,
    const struct buf *words, struct err *e)
{
	if (!bytes_eq(buf_bytes(es), text_es))
		return asked_other("text_es", e);
	put_words(c, words);
	return ERR_OK;
}

static enum err_code
show_activation(struct cli *c, struct bytes text, struct err *e)
{
	struct activation_statement s;
	char code[10], until[TIME_TEXT], hash[HEX_LEN(HASH_LEN)];
	struct buf es AUTO_BUF = BUF(STATEMENT_MAX);
	struct buf words AUTO_BUF = BUF(STATEMENT_MAX);
	TRY(activation_parse(text, c->arena, &s, e));
	verification_code(text, code);
	time_print(until, s.expires);
	activation_in_words(&s, true, &es);
	activation_in_words(&s, c->spanish, &words);
	TRY(show_text(c, &es, s.text_es, &words, e));
	for (size_t i = 0; i < s.n; i++) {
		hex_print(hash, s.policy[i].is.sha256);
		fprintf(stderr, "  %.*s v%lld · SHA-256 %s\n",
		    BYTES_FMT(s.policy[i].is.name),
		    (long long)s.policy[i].is.version, hash);
	}
	fprintf(stderr, "  %.*s · %s %s · %s %s\n", BYTES_FMT(s.id),
	    SAY(c, "code", "código"), code,
	    SAY(c, "sign before", "firmar antes de"), until);
	return ERR_OK;
}

static enum err_code
show_ceremony(struct cli *c, struct bytes text, struct err *e)
{
	struct buf words AUTO_BUF = BUF(4 * POLICY_FILE_MAX);
	struct ceremony_statement s;
	char code[10], until[TIME_TEXT], hash[HEX_LEN(HASH_LEN)];
	TRY(ceremony_parse(text, c->arena, &s, e));
	verification_code(text, code);
	time_print(until, s.expires);
	TRY(ceremony_in_words(c, &s, &words, e));
	put_words(c, &words);
	for (size_t i = 0; i < s.n; i++) {
		hex_print(hash, s.object[i].tbs_sha256);
		fprintf(stderr, "  %s %.*s · SHA-256 %s\n",
		    ceremony_kind_name(s.object[i].kind),
		    BYTES_FMT(s.object[i].name), hash);
	}
	fprintf(stderr, "  %.*s · %s %s · %s %s\n", BYTES_FMT(s.id),
	    SAY(c, "code", "código"), code,
	    SAY(c, "sign before", "firmar antes de"), until);
	return ERR_OK;
}

/* An appointment's own; that of its statement stands in the last line. */
static void
show_term(struct cli *c, const struct statement *s)
{
	char from[TIME_TEXT], until[TIME_TEXT];
	time_print(from, s->from);
	time_print(until, s->until);
	fprintf(stderr, "  %s: %.*s\n  %s: %s %s %s\n",
	    SAY(c, "office", "cargo"), BYTES_FMT(s->holder_office),
	    SAY(c, "appointed", "nombramiento"), from, SAY(c, "to", "hasta"),
	    until);
}

static enum err_code
show_statement(struct cli *c, struct bytes text, struct err *e)
{
	struct statement s;
	char code[10], until[TIME_TEXT], run[24];
	struct buf es AUTO_BUF = BUF(STATEMENT_MAX);
	struct buf words AUTO_BUF = BUF(STATEMENT_MAX);
	if (statement_is_activation(text))
		return show_activation(c, text, e);
	if (statement_is_ceremony(text))
		return show_ceremony(c, text, e);
	TRY(statement_parse(text, c->arena, &s, e));
	verification_code(text, code);
	time_print(until, s.expires);
	run_for_people(arena_str(c->arena, s.holder_run), run, sizeof(run));
	statement_in_words(&s, true, &es);
	statement_in_words(&s, c->spanish, &words);
	TRY(show_text(c, &es, s.text_es, &words, e));
	if (s.type == STATEMENT_APPOINTMENT)
		show_term(c, &s);
	fprintf(stderr, "  %.*s%s · %.*s · RUN %s · %s %s · %s %s\n",
	    BYTES_FMT(s.request),
	    s.type == STATEMENT_MANDATE ? ""
					: arena_printf(c->arena, " v%lld",
					      (long long)s.request_version),
	    BYTES_FMT(s.holder_name), run, SAY(c, "code", "código"), code,
	    SAY(c, "sign before", "firmar antes de"), until);
	return ERR_OK;
}

enum err_code
ask_yes(struct cli *c, const char *question, struct err *e)
{
	char line[16] = "";
	if (c->option[OPT_YES] != NULL)
		return ERR_OK;
	if (!isatty(STDIN_FILENO)) {
		c->exit = CLI_USAGE;
		return err_say(e, ERR_INVALID, "cli-no-terminal",
		    "it was not done, for there is no terminal to ask at: look "
		    "at what is shown, and add --yes");
	}
	fprintf(stderr, "%s ", question);
	if (fgets(line, sizeof(line), stdin) != NULL &&
	    (line[0] == 's' || line[0] == 'S' || line[0] == 'y' ||
		line[0] == 'Y'))
		return ERR_OK;
	return err_say(e, ERR_FORBIDDEN, "cli-not-yes",
	    "it was not done, for the answer was not yes");
}

enum err_code
ask_consent(struct cli *c, struct err *e)
{
	return ask_yes(c, SAY(c, "Sign? [y/N]", "¿Firmar? [s/N]"), e);
}

enum err_code
sign_statement(struct cli *c, struct bytes statement, struct buf *cms,
    struct err *e)
{
	AUTO(key) key = NULL;
	struct buf file AUTO_BUF = BUF(0), der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct cert cert;
	TRY(input_read(c, c->option[OPT_CERT], 2 * CERT_MAX_BYTES, &file, e));
	TRY(pem_or_der(buf_bytes(&file), "CERTIFICATE", &der, e));
	TRY(cert_parse(buf_bytes(&der), &cert, e));
	TRY(ask_consent(c, e));
	TRY(input_key(c, c->option[OPT_KEY], &key, e));
	if (!bytes_eq(cert.spki, key_spki(key)))
		return err_say(e, ERR_INVALID, "cli-key-of-cert",
		    "the key given with --key is not that of the certificate "
		    "given with --cert");
	return cms_sign(key, buf_bytes(&der), statement, clock_now(), cms, e);
}

enum err_code
sign_shown(struct cli *c, struct bytes statement, struct buf *cms,
    struct err *e)
{
	TRY(show_statement(c, statement, e));
	return sign_statement(c, statement, cms, e);
}

/*
 * What the engine holds already, if it was made with this certificate over
 * this statement: a signature is never the same twice, and an act that is
 * repeated with its key must be.
 */
static enum err_code
find_evidence(struct cli *c, struct bytes statement, struct buf *cms,
    struct err *e)
{
	const char *path = list_path(c);
	size_t len = strlen(path) - strlen("/statement");
	json_t *record;
	/* One signature of several: the engine says who has signed. */
	if (statement_is_activation(statement) ||
	    statement_is_ceremony(statement) ||
	    c->verb->act == ACT_MANDATE_ENDORSE)
		return ERR_OK;
	TRY(engine_json(c,
	    arena_printf(c->arena, "%.*s?blobs=1", (int)len, path), &record,
	    e));
	const char *text =
	    json_string_value(json_object_get(record, "evidence"));
	if (text != NULL && !base64_get(cms, bytes_str(text)))
		buf_reset(cms);
	json_decref(record);
	struct buf file AUTO_BUF = BUF(0), der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
	AUTO(verifier) v = NULL;
	struct cms parsed;
	struct err ignored;
	TRY(input_read(c, c->option[OPT_CERT], 2 * CERT_MAX_BYTES, &file, e));
	TRY(pem_or_der(buf_bytes(&file), "CERTIFICATE", &der, e));
	TRY(verifier_new(&v, e));
	if (cms->len > 0 &&
	    (cms_parse(buf_bytes(cms), &scratch, &parsed, &ignored) != ERR_OK ||
		!bytes_eq(parsed.signer.der, buf_bytes(&der)) ||
		cms_verify(&parsed, statement, v, &ignored) != ERR_OK))
		buf_reset(cms);
	return ERR_OK;
}

/* Core says which statement is to be signed: of the kind that the verb is for,
 * and of the number that was asked for? */
static enum err_code
check_asked(struct cli *c, struct bytes text, struct err *e)
{
	static const struct {
		enum ca_act act;
		enum statement_type type;
	} kinds[] = { { ACT_REQUEST_ENDORSE, STATEMENT_ENDORSEMENT },
		{ ACT_APPOINTMENT_CONFIRM, STATEMENT_APPOINTMENT },
		{ ACT_MANDATE_ENDORSE, STATEMENT_MANDATE } };
	struct ceremony_statement ceremony;
	struct activation_statement activation;
	struct statement s;
	struct bytes number;
	if (c->verb->act == ACT_CEREMONY_ENDORSE) {
		TRY(ceremony_parse(text, c->arena, &ceremony, e));
		number = ceremony.id;
	} else if (c->verb->act == ACT_POLICY_ENDORSE) {
		TRY(activation_parse(text, c->arena, &activation, e));
		number = activation.id;
	} else {
		TRY(statement_parse(text, c->arena, &s, e));
		number = s.request;
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
			if ((int)kinds[i].act == c->verb->act &&
			    kinds[i].type != s.type)
				return asked_other("kind", e);
		}
	}
	return bytes_is(number, c->operand[0]) ? ERR_OK
					       : asked_other("number", e);
}

/* The last signature was taken, and nothing came of it: the engine says why. */
static enum err_code
stands(struct cli *c, struct bytes answer, struct err *e)
{
	json_t *record =
	    json_loadb((const char *)answer.p, answer.len, 0, NULL);
	const char *state = json_string_value(json_object_get(record, "state"));
	const char *why = json_string_value(json_object_get(record, "reason"));
	bool withdrawn = state != NULL && strcmp(state, "withdrawn") == 0;
	why = arena_str(c->arena, bytes_str(why == NULL ? "" : why));
	json_decref(record);
	if (!withdrawn)
		return ERR_OK;
	return err_say(e, ERR_CONFLICT, "cli-withdrawn",
	    "%s was signed, and is withdrawn: %s; propose it anew",
	    c->operand[0], why);
}

enum err_code
run_sign(struct cli *c, struct err *e)
{
	struct buf statement AUTO_BUF = BUF(STATEMENT_MAX);
	struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct buf answer AUTO_BUF = ANSWER_BUF;
	bool given = c->field[CF_CMS] != NULL;
	if (given == (c->option[OPT_KEY] != NULL))
		return cli_usage_missing(c, "--cms, or --key and --cert,", e);
	if (!given && c->option[OPT_CERT] == NULL)
		return cli_usage_missing(c, "--cert", e);
	TRY(engine_get(c, list_path(c), &statement, e));
	TRY(check_asked(c, buf_bytes(&statement), e));
	TRY(show_statement(c, buf_bytes(&statement), e));
	if (!given)
		TRY(find_evidence(c, buf_bytes(&statement), &cms, e));
	if (!given && cms.len == 0)
		TRY(sign_statement(c, buf_bytes(&statement), &cms, e));
	TRY(engine_act(c, (enum ca_act)c->verb->act, buf_bytes(&cms), &answer,
	    e));
	TRY(print_record(c, buf_bytes(&answer), e));
	return stands(c, buf_bytes(&answer), e);
}
