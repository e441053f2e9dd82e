/*
 * pack - status for whoever has no network: a file that is put together here
 * from what the CAs and the log have signed, and read anywhere.
 */
#include <string.h>
#include <time.h>

#include <refrendo/audit.h>

#include "audit.h"
#include "status.h"

#define ENTRIES_PAGE 256
#define SETTLE_MS    5000

/* --- Making one ----------------------------------------------------------------- */

struct making {
	struct cli *c;
	struct config config;
	struct buf out;
	size_t lists;
};

/* A line of an export is the entry of that list. */
static bool
is_entry_of(struct making *m, struct bytes line, const struct crl *crl,
    const char *issuer, struct entry *entry)
{
	AUTO(json) keep = NULL;
	AUTO(json) detail = NULL;
	enum entry_type type;
	uint8_t hash[SHA256_LEN];
	struct err ignored;
	int64_t at;
	bool bad = false;
	if (!export_glance(line, &type, &at) || type != ENTRY_CRL_PUBLISHED ||
	    export_entry_read(line, &keep, m->c->arena, entry, &ignored) !=
		ERR_OK ||
	    entry_parse(entry, m->c->arena, &ignored) != ERR_OK ||
	    json_parse(entry->detail, true, &detail, &ignored) != ERR_OK)
		return false;
	struct json_obj d = json_root(detail, &bad, &ignored);
	sha256(hash, crl->tbs);
	return bytes_is(json_get_str(d, "issuer"), issuer) &&
	       bytes_eq(json_get_hex(d, "tbs_sha256", m->c->arena),
		   bytes_of(hash, sizeof(hash)));
}

/* The entry among those of a page; its line is appended. */
static bool
find_in_page(struct making *m, struct bytes page, const struct crl *crl,
    const char *issuer, uint64_t *index)
{
	while (page.len > 0) {
		const uint8_t *end = memchr(page.p, '\n', page.len);
		size_t len = end == NULL ? page.len : (size_t)(end - page.p);
		struct bytes line = bytes_of(page.p, len);
		struct entry entry;
		if (is_entry_of(m, line, crl, issuer, &entry)) {
			*index = entry.index;
			buf_put(&m->out, line.p, line.len);
			buf_putc(&m->out, '\n');
			return true;
		}
		size_t used = end == NULL ? len : len + 1;
		page = bytes_of(page.p + used, page.len - used);
	}
	return false;
}

/* From the newest entry back: a list is never old. */
static enum err_code
put_entry(struct making *m, const struct crl *crl, const char *issuer,
    uint64_t *index, struct err *e)
{
	struct cli *c = m->c;
	struct buf note AUTO_BUF = BUF(CHECKPOINT_MAX);
	uint64_t size;
	TRY(engine_get(c, "/log/seal", &note, e));
	TRY(size_of_note(buf_bytes(&note), &size, e));
	while (size > 0) {
		struct buf page AUTO_BUF = ANSWER_BUF;
		uint64_t from = size > ENTRIES_PAGE ? size - ENTRIES_PAGE : 0;
		TRY(engine_get(c,
		    arena_printf(c->arena, "/log/entries?start=%llu&size=%llu",
			(unsigned long long)from, (unsigned long long)size),
		    &page, e));
		if (find_in_page(m, buf_bytes(&page), crl, issuer, index))
			return ERR_OK;
		size = from;
	}
	return err_say(e, ERR_BUSY, "pack-unsettled",
	    "the newest CRL of %s is not under a checkpoint yet; try again",
	    issuer);
}

/* A list, or a delta, with its entry and the proof of that. */
static enum err_code
put_one(struct making *m, const char *issuer, const struct crl *crl,
    struct err *e)
{
	struct cli *c = m->c;
	struct buf proof AUTO_BUF = BUF(16384);
	uint64_t index = 0;
	export_crl(&m->out, issuer, crl->der);
	TRY(put_entry(m, crl, issuer, &index, e));
	TRY(engine_get(c,
	    arena_printf(c->arena, "/log/proof?index=%llu",
		(unsigned long long)index),
	    &proof, e));
	pack_proof(&m->out, buf_bytes(&proof));
	m->lists++;
	return ERR_OK;
}

/* What has changed since, if the list has a delta by now. */
static enum err_code
put_delta(struct making *m, const char *issuer, const struct crl *list,
    struct err *e)
{
	struct buf der AUTO_BUF = ANSWER_BUF;
	struct crl delta;
	if (list->freshest.len == 0)
		return ERR_OK;
	TRY(status_get(&m->config,
	    arena_printf(m->c->arena, "/crl/%s/delta.crl", issuer), &der, e));
	TRY(crl_parse(buf_bytes(&der), &delta, e));
	/* A list that came just now: its own delta follows in a second. */
	if (delta.base > list->number)
		return err_say(e, ERR_BUSY, "pack-unsettled",
		    "the newest CRL of %s is not under a checkpoint yet; try "
		    "again",
		    issuer);
	return delta.number < list->number ? ERR_OK
					   : put_one(m, issuer, &delta, e);
}

static enum err_code
put_list(struct making *m, const char *issuer, struct err *e)
{
	struct cli *c = m->c;
	struct buf der AUTO_BUF = ANSWER_BUF;
	struct crl crl;
	size_t before = m->out.len, lists = m->lists;
	TRY(status_get(&m->config,
	    arena_printf(c->arena, "/crl/%s.crl", issuer), &der, e));
	TRY(crl_parse(buf_bytes(&der), &crl, e));
	enum err_code code = put_one(m, issuer, &crl, e);
	if (code == ERR_OK)
		code = put_delta(m, issuer, &crl, e);
	if (code != ERR_OK) {
		m->out.len = before;
		m->lists = lists;
	}
	return code;
}

/* The engine may be sealing, or publishing a newer list, just now. */
static enum err_code
put_list_settled(struct making *m, const char *issuer, struct err *e)
{
	int64_t end = clock_mono_ms() + SETTLE_MS;
	for (;;) {
		enum err_code code = put_list(m, issuer, e);
		if (code == ERR_OK || clock_mono_ms() > end ||
		    (code != ERR_BUSY && code != ERR_NOTFOUND))
			return code;
		struct timespec nap = { .tv_nsec = 50000000 };
		nanosleep(&nap, NULL);
		buf_reset(&m->c->problem);
	}
}

/* What nobody could rely on is not handed out. */
static enum err_code
read_back(struct making *m, struct err *e)
{
	AUTO(verifier) v = NULL;
	struct buf pem AUTO_BUF = BUF(4096), spki AUTO_BUF = BUF(SPKI_MAX);
	struct pack *pack = arena_get(m->c->arena, sizeof(*pack));
	TRY(verifier_new(&v, e));
	TRY(file_read(m->c->dir, m->config.log_public, 4096, &pem, e));
	TRY(pem_or_der(buf_bytes(&pem), "PUBLIC KEY", &spki, e));
	return pack_read(buf_bytes(&m->out), buf_bytes(&spki), m->c->arena, v,
	    pack, e);
}

/* Of each CA of the engine, also of those that are in no configuration. */
static enum err_code
put_lists(struct making *m, struct err *e)
{
	json_t *status, *row;
	size_t i;
	enum err_code code = ERR_OK;
	TRY(engine_json(m->c, "/status", &status, e));
	json_array_foreach(json_object_get(status, "issuers"), i, row)
	{
		const char *name =
		    json_string_value(json_object_get(row, "name"));
		if (name != NULL && code == ERR_OK)
			code = put_list_settled(m, name, e);
	}
	json_decref(status);
	return code;
}

static enum err_code
make(struct making *m, struct err *e)
{
	TRY(cli_config(m->c, &m->config, e));
	pack_header(&m->out, bytes_str(m->config.origin), clock_now());
	TRY(put_lists(m, e));
	pack_end(&m->out, m->lists);
	TRY(buf_end(&m->out, e));
	TRY(read_back(m, e));
	return print_octets(m->c, buf_bytes(&m->out), e);
}

static enum err_code
status_pack(struct cli *c, struct err *e)
{
	struct making m = { .c = c, .out = BUF(PACK_MAX) };
	if (c->option[OPT_OUT] == NULL)
		return cli_usage_missing(c, "--out", e);
	enum err_code code = make(&m, e);
	struct buf out AUTO_BUF = BUF(4096);
	if (code == ERR_OK) {
		struct jw w = jw_of(&out);
		jw_object(&w);
		jw_member_str(&w, "file", bytes_str(c->option[OPT_OUT]));
		jw_member_int(&w, "lists", (int64_t)m.lists);
		jw_member_int(&w, "octets", (int64_t)m.out.len);
		jw_close(&w, '}');
		code = strcmp(c->option[OPT_OUT], "-") == 0
			   ? ERR_OK
			   : print_record(c, buf_bytes(&out), e);
	}
	buf_fini(&m.out);
	return code;
}

/* --- Reading one ------------------------------------------------------------------ */

struct checking {
	struct cli *c;
	struct pack *pack;
	int64_t now, age_max; /* age_max 0: until the list ends */
	struct buf out;
	struct jw w;
};

static const struct {
	enum cli_exit exit;
	const char *word, *en, *es;
} states[] = {
	[PACK_GOOD] = { CLI_OK, "good", "good", "vigente" },
	[PACK_REVOKED] = { CLI_REVOKED, "revoked", "revoked", "revocado" },
	[PACK_HELD] = { CLI_REVOKED, "held", "suspended", "suspendido" },
	[PACK_UNKNOWN] = { CLI_UNKNOWN, "unknown", "unknown", "desconocido" },
};

static void
tell_json(struct checking *k, const char *file, const struct subject *s,
    const struct pack_answer *a)
{
	struct jw *w = &k->w;
	const struct pack_list *l = a->newest;
	jw_object(w);
	if (l != NULL)
		jw_member_str(w, "as_of",
		    bytes_str(time_text(k->c, l->crl.this_update)));
	jw_member_str(w, "file", bytes_str(file));
	if (l != NULL) {
		jw_member_int(w, "log_size", (int64_t)l->log_size);
		jw_member_int(w, "number", (int64_t)l->crl.number);
	}
	if (a->revoked_at != 0) {
		jw_member_str(w, "reason",
		    bytes_str(crl_reason_name(a->reason)));
		jw_member_str(w, "revoked_at",
		    bytes_str(time_text(k->c, a->revoked_at)));
	}
	jw_member_hex(w, "serial", s->cert.serial);
	jw_member_str(w, "status", bytes_str(states[a->state].word));
	if (l != NULL)
		jw_member_str(w, "until",
		    bytes_str(time_text(k->c, a->list->crl.next_update)));
	jw_close(w, '}');
}

static void
tell_people(struct checking *k, const char *file, const struct pack_answer *a)
{
	struct cli *c = k->c;
	printf("%s: %s", file,
	    SAY(c, states[a->state].en, states[a->state].es));
	if (a->revoked_at != 0)
		printf(SAY(c, " since %s (%s)", " desde %s (%s)"),
		    time_text(c, a->revoked_at), crl_reason_name(a->reason));
	if (a->list != NULL)
		printf(SAY(c, ", as of %s, until %s", ", al %s, hasta %s"),
		    time_text(c, a->newest->crl.this_update),
		    time_text(c, a->list->crl.next_update));
	putchar('\n');
}

static enum err_code
check_age(const struct checking *k, const struct pack_answer *a, struct err *e)
{
	if (k->age_max == 0 || a->newest == NULL ||
	    k->now - a->newest->crl.this_update <= k->age_max)
		return ERR_OK;
	return err_say(e, ERR_CORRUPT, "pack-old",
	    "the pack is of %s, older than %s; fetch a newer one",
	    time_text(k->c, a->newest->crl.this_update),
	    k->c->option[OPT_MAX_AGE]);
}

/* Revoked counts more than unknown, and that more than good. */
static enum err_code
check_one(struct checking *k, const char *file, struct err *e)
{
	struct subject s;
	struct pack_answer a;
	enum err_code code = subject_read(k->c, file, &s, e);
	if (code == ERR_OK)
		code = pack_status(k->pack, &s.cert, &s.issuer, k->now,
		    s.verifier, &a, e);
	if (code == ERR_OK)
		code = check_age(k, &a, e);
	if (code == ERR_OK) {
		enum cli_exit now = states[a.state].exit;
		if (k->c->exit != CLI_REVOKED && now != CLI_OK)
			k->c->exit = now;
		if (k->c->json)
			tell_json(k, file, &s, &a);
		else
			tell_people(k, file, &a);
	}
	subject_fini(&s);
	return code;
}

static enum err_code
open_pack(struct checking *k, struct buf *text, struct verifier *v,
    struct err *e)
{
	struct cli *c = k->c;
	struct buf pem AUTO_BUF = BUF(0), spki AUTO_BUF = BUF(SPKI_MAX);
	const char *const needed[] = { "--pack", "--log-key", "--issuer" };
	const enum cli_option option[] = { OPT_PACK, OPT_LOG_KEY, OPT_ISSUER };
	for (size_t i = 0; i < ARRAY_LEN(option); i++) {
		if (c->option[option[i]] == NULL)
			return cli_usage_missing(c, needed[i], e);
	}
	if (c->option[OPT_MAX_AGE] != NULL &&
	    !duration_parse(bytes_str(c->option[OPT_MAX_AGE]), &k->age_max)) {
		c->exit = CLI_USAGE;
		return err_say(e, ERR_INVALID, "pack-age",
		    "%s is no duration; write 12h or 2d",
		    c->option[OPT_MAX_AGE]);
	}
	TRY(input_read(c, c->option[OPT_LOG_KEY], 4096, &pem, e));
	TRY(pem_or_der(buf_bytes(&pem), "PUBLIC KEY", &spki, e));
	TRY(input_read(c, c->option[OPT_PACK], PACK_MAX, text, e));
	TRY(pack_read(buf_bytes(text), buf_bytes(&spki), c->arena, v, k->pack,
	    e));
	if (c->option[OPT_ORIGIN] == NULL ||
	    bytes_is(k->pack->origin, c->option[OPT_ORIGIN]))
		return ERR_OK;
	return err_say(e, ERR_CORRUPT, "pack-origin",
	    "the pack is of the log %s, and not of the one asked for",
	    arena_str(c->arena, k->pack->origin));
}

static enum err_code
check_all(struct checking *k, struct err *e)
{
	struct cli *c = k->c;
	k->w = jw_of(&k->out);
	jw_array(&k->w);
	for (size_t i = 0; i < c->n_operand; i++)
		TRY(check_one(k, c->operand[i], e));
	jw_close(&k->w, ']');
	TRY(buf_end(&k->out, e));
	if (c->json)
		printf("%s\n", buf_text(&k->out));
	return ERR_OK;
}

static enum err_code
status_check(struct cli *c, struct err *e)
{
	AUTO(verifier) v = NULL;
	struct buf text AUTO_BUF = BUF(PACK_MAX);
	struct checking k = { .c = c,
		.pack = arena_get(c->arena, sizeof(*k.pack)),
		.now = clock_now(),
		.out = BUF(1u << 20) };
	enum err_code code = verifier_new(&v, e);
	if (code == ERR_OK)
		code = open_pack(&k, &text, v, e);
	if (code == ERR_OK)
		code = check_all(&k, e);
	buf_fini(&k.out);
	/* A pack that does not hold says nothing about a certificate. */
	if (code != ERR_OK && c->exit != CLI_USAGE)
		c->exit = code == ERR_NOTFOUND ? CLI_NOTFOUND : CLI_UNVERIFIED;
	return code;
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "status", "pack", status_pack, NO_ACT, NO_OPERAND, "", 0, 0,
	    OPTION(OPT_OUT) | OPTION(OPT_SOCKET),
	    "the status of every certificate in one file, for whoever has no network",
	    "el estado de todos los certificados en un archivo, para quien no tiene red",
	    "status pack --out estado.pack", NULL },
	{ "status", "check", status_check, NO_ACT, NO_OPERAND, "CERT…", 1, FILES_MAX,
	    OPTION(OPT_PACK) | OPTION(OPT_LOG_KEY) | OPTION(OPT_ISSUER) | OPTION(OPT_ORIGIN) | OPTION(OPT_MAX_AGE),
	    "the status of certificates by such a file: exit status 0 good, 10 revoked or suspended, 11 unknown, 7 no pack to rely on",
	    "el estado de certificados según ese archivo: estado de salida 0 vigente, 10 revocado o suspendido, 11 desconocido, 7 paquete no confiable",
	    "status check --pack estado.pack --log-key log.pub --issuer emisora.pem maria.pem", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_pack = { verbs, ARRAY_LEN(verbs) };
