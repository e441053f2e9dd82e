/*
 * audit - the log leaves the installation, and is judged without it.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "journal.h"
#include <openssl/rand.h>

#define SETTLE_MS 30000 /* a CRL is under a checkpoint within this */

/* --- Export ------------------------------------------------------------------------ */

struct export
{
	struct cli *c;
	FILE *out;
	uint64_t next;    /* index of the first entry that is not there yet */
	uint64_t entries; /* to come, for progress */
	bool shows;
};

static void
progress(const struct export *x)
{
	if (x->shows)
		fprintf(stderr, "\r%llu / %llu", (unsigned long long)x->next,
		    (unsigned long long)x->entries);
}

/* A line is an entry's if it says so outside of any text: there quotes are
 * escaped. */
static uint64_t
count_entries(struct bytes lines)
{
	static const char mark[] = "\"kind\":\"entry\"";
	uint64_t n = 0;
	while (lines.len > 0) {
		const uint8_t *end = memchr(lines.p, '\n', lines.len);
		size_t len =
		    end == NULL ? lines.len : (size_t)(end - lines.p) + 1;
		if (memmem(lines.p, len, mark, sizeof(mark) - 1) != NULL)
			n++;
		lines = bytes_of(lines.p + len, lines.len - len);
	}
	return n;
}

static enum err_code
write_out(struct export *x, struct bytes b, struct err *e)
{
	if (fwrite(b.p, 1, b.len, x->out) == b.len)
		return ERR_OK;
	return err_errno(e, "cli-export-write", "the export cannot be written");
}

/* The engine asks to wait while a checkpoint is being signed. */
static enum err_code
get_settled(struct cli *c, const char *path, struct buf *out, struct err *e)
{
	int64_t end = clock_mono_ms() + SETTLE_MS;
	for (;;) {
		enum err_code code = engine_get(c, path, out, e);
		bool waits = code == ERR_BUSY && e->id != NULL &&
			     (strcmp(e->id, "closing-unsettled") == 0 ||
				 strcmp(e->id, "checkpoint-none") == 0);
		if (!waits || clock_mono_ms() > end)
			return code;
		struct timespec nap = { .tv_nsec = 50000000 };
		nanosleep(&nap, NULL);
		buf_reset(&c->problem);
	}
}

static enum err_code
entries_until(struct export *x, uint64_t size, struct err *e)
{
	x->entries = size;
	while (x->next < size) {
		struct buf lines AUTO_BUF = ANSWER_BUF;
		TRY(engine_get(x->c,
		    arena_printf(x->c->arena,
			"/log/entries?start=%llu&size=%llu",
			(unsigned long long)x->next, (unsigned long long)size),
		    &lines, e));
		uint64_t n = count_entries(buf_bytes(&lines));
		if (n == 0)
			return err_say(e, ERR_IO, "cli-export-stuck",
			    "the engine gives no more entries before the end "
			    "of the log");
		TRY(write_out(x, buf_bytes(&lines), e));
		x->next += n;
		progress(x);
	}
	return ERR_OK;
}

enum err_code
size_of_note(struct bytes note, uint64_t *size, struct err *e)
{
	const uint8_t *one =
	    note.len == 0 ? NULL : memchr(note.p, '\n', note.len);
	const uint8_t *two =
	    one == NULL
		? NULL
		: memchr(one + 1, '\n', note.len - (size_t)(one + 1 - note.p));
	int64_t n;
	if (two == NULL ||
	    !dec_parse(bytes_of(one + 1, (size_t)(two - one - 1)), &n))
		return err_say(e, ERR_IO, "cli-checkpoint",
		    "the engine's checkpoint is not in its form");
	*size = (uint64_t)n;
	return ERR_OK;
}

/* The size in the checkpoint line, the last of the closing lines. */
static enum err_code
size_of_closing(struct bytes lines, uint64_t *size, struct err *e)
{
	AUTO(json) j = NULL;
	bool bad = false;
	size_t start = lines.len;
	if (start > 0 && lines.p[start - 1] == '\n')
		start--;
	size_t end = start;
	while (start > 0 && lines.p[start - 1] != '\n')
		start--;
	TRY(json_parse(bytes_of(lines.p + start, end - start), true, &j, e));
	struct bytes note = json_get_str(json_root(j, &bad, e), "note");
	if (bad)
		return e->code;
	return size_of_note(note, size, e);
}

/*
 * Entries up to a checkpoint; then CRLs with a checkpoint that covers them,
 * which may be a later one: the entries between come first.
 */
static enum err_code
export_all(struct export *x, struct err *e)
{
	struct buf note AUTO_BUF = BUF(CHECKPOINT_MAX);
	struct buf closing AUTO_BUF = ANSWER_BUF;
	uint64_t size;
	TRY(get_settled(x->c, "/log/seal", &note, e));
	TRY(size_of_note(buf_bytes(&note), &size, e));
	TRY(entries_until(x, size, e));
	TRY(get_settled(x->c, "/log/closing", &closing, e));
	TRY(size_of_closing(buf_bytes(&closing), &size, e));
	TRY(entries_until(x, size, e));
	if (x->next != size)
		return err_say(e, ERR_CONFLICT, "cli-export-shrank",
		    "the engine's checkpoint went back while the log was "
		    "exported; look at its state");
	TRY(write_out(x, buf_bytes(&closing), e));
	if (fflush(x->out) != 0 || fsync(fileno(x->out)) != 0)
		return err_errno(e, "cli-export-sync",
		    "the export cannot be synced");
	return ERR_OK;
}

enum err_code
export_to(struct cli *c, const char *name, uint64_t *entries, struct err *e)
{
	const char *temporary = arena_printf(c->arena, "%s.new", name);
	/* Details hold names and documents of people: the owner's alone. */
	bool shows = !c->json && isatty(STDERR_FILENO); /* sets errno */
	(void)!unlink(temporary);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct export x = { .c = c,
		.out = fd < 0 ? NULL : fdopen(fd, "wb"),
		.shows = shows };
	if (x.out == NULL)
		return err_errno(e, "cli-export-create",
		    "the file of the export cannot be created");
	enum err_code code = export_all(&x, e);
	if (fclose(x.out) != 0 && code == ERR_OK)
		code = err_errno(e, "cli-export-write",
		    "the export cannot be written");
	if (x.shows)
		fputc('\n', stderr);
	if (code == ERR_OK && rename(temporary, name) != 0)
		code = err_errno(e, "cli-export-rename",
		    "the export cannot be put in its place");
	if (code != ERR_OK)
		unlink(temporary);
	*entries = x.next;
	return code;
}

static enum err_code
audit_export(struct cli *c, struct err *e)
{
	uint64_t entries;
	struct buf out AUTO_BUF = BUF(8192);
	TRY(export_to(c, c->operand[0], &entries, e));
	struct jw w = jw_of(&out);
	jw_object(&w);
	jw_member_int(&w, "entries", (int64_t)entries);
	jw_member_str(&w, "file", bytes_str(c->operand[0]));
	jw_close(&w, '}');
	return print_record(c, buf_bytes(&out), e);
}

/* --- Verification: no engine, no installation ------------------------------------------ */

enum err_code
each_line(const char *name, void (*line)(void *ctx, struct bytes line),
    void *ctx, struct err *e)
{
	FILE *in = strcmp(name, "-") == 0 ? stdin : fopen(name, "rbe");
	char *text = NULL;
	size_t size = 0;
	ssize_t len;
	if (in == NULL)
		return err_say(e, ERR_NOTFOUND, "cli-export-missing",
		    "the export %s cannot be opened; check its name", name);
	while ((len = getline(&text, &size, in)) > 0) {
		if (text[len - 1] == '\n')
			len--;
		line(ctx, bytes_of(text, (size_t)len));
	}
	bool failed = ferror(in) != 0;
	free(text);
	if (in != stdin)
		fclose(in);
	if (failed)
		return err_errno(e, "cli-export-read",
		    "the export cannot be read");
	return ERR_OK;
}

/* Another file than an export has a fault in every line; one says it. */
static enum err_code
begins_as_export(struct cli *c, const char *name, struct err *e)
{
	FILE *in = strcmp(name, "-") == 0 ? NULL : fopen(name, "rbe");
	int first = in == NULL ? '{' : fgetc(in);
	if (in != NULL)
		fclose(in);
	if (first == '{' || first == EOF)
		return ERR_OK;
	c->exit = CLI_UNVERIFIED;
	return err_say(e, ERR_INVALID, "cli-not-export",
	    "%s is no export of a log; refrendo audit export makes one", name);
}

struct verification {
	struct audit *audit;
	struct deep *deep; /* NULL: not asked for */
	struct err_list faults;
	uint64_t lines, octets, size; /* size 0: no progress is shown */
};

static void
verify_line(void *ctx, struct bytes line)
{
	struct verification *v = ctx;
	audit_line(v->audit, line, &v->faults);
	if (v->deep != NULL)
		deep_line(v->deep, line, &v->faults);
	v->octets += line.len + 1;
	if (v->size > 0 && (++v->lines % 1024 == 0 || v->octets >= v->size))
		fprintf(stderr, "\r%llu %%%s",
		    (unsigned long long)(v->octets * 100 / v->size),
		    v->octets >= v->size ? "\n" : "");
}

/* Of a file of known length, on a terminal. */
static uint64_t
size_to_show(const struct cli *c, const char *name)
{
	struct stat st;
	if (c->json || !isatty(STDERR_FILENO) || stat(name, &st) != 0 ||
	    !S_ISREG(st.st_mode))
		return 0;
	return (uint64_t)st.st_size;
}

static void
put_faults(struct jw *w, const struct cli *c, const char *key,
    const struct err_list *faults)
{
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < faults->len; i++) {
		char text[1024];
		const struct err *f = &faults->v[i];
		cli_sentence(f, c->spanish, text, sizeof(text));
		jw_object(w);
		jw_member_str(w, "detail", bytes_str(text));
		jw_member_str(w, "id", bytes_str(f->id));
		if (f->rule != NULL)
			jw_member_str(w, "rule", bytes_str(f->rule));
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

static void
report_json(const struct cli *c, const struct audit_report *r,
    const struct deep *deep, const struct err_list *faults,
    const struct err_list *named)
{
	uint64_t not_rebuilt = 0;
	struct buf out AUTO_BUF = BUF(1u << 20);
	struct jw w = jw_of(&out);
	jw_object(&w);
	jw_member_int(&w, "appointments", (int64_t)r->appointments);
	jw_member_int(&w, "certificates", (int64_t)r->certificates);
	jw_member_int(&w, "checkpoint_size", r->checkpoint_size);
	jw_member_int(&w, "crls", (int64_t)r->crls);
	jw_member_int(&w, "endorsements", (int64_t)r->endorsements);
	jw_member_int(&w, "entries", (int64_t)r->entries);
	jw_member_int(&w, "erased", (int64_t)r->erased);
	put_faults(&w, c, "faults", faults);
	if (c->option[OPT_JOURNAL] != NULL || named->count > 0)
		put_faults(&w, c, "named", named);
	if (deep != NULL) {
		(void)deep_rebuilt(deep, &not_rebuilt);
		jw_member_int(&w, "not_rebuilt", (int64_t)not_rebuilt);
	}
	jw_member_int(&w, "policies", (int64_t)r->policies);
	if (deep != NULL)
		jw_member_int(&w, "rebuilt",
		    (int64_t)deep_rebuilt(deep, &not_rebuilt));
	jw_member_int(&w, "revocations", (int64_t)r->revocations);
	jw_member_hex(&w, "root", bytes_of(r->root, HASH_LEN));
	jw_member_str(&w, "verdict",
	    bytes_str(faults->count == 0 ? "intact" : "broken"));
	jw_close(&w, '}');
	printf("%s\n", buf_text(&out));
}

static void
report_people(const struct cli *c, const struct audit_report *r,
    const struct deep *deep, const struct err_list *faults,
    const struct err_list *named)
{
	uint64_t not_rebuilt = 0,
		 rebuilt = deep == NULL ? 0 : deep_rebuilt(deep, &not_rebuilt);
	char root[HEX_LEN(HASH_LEN)];
	hex_print(root, bytes_of(r->root, HASH_LEN));
	const struct {
		const char *en, *es;
		uint64_t n;
	} lines[] = {
		{ "entries", "entradas", r->entries },
		{ "endorsements", "certificaciones", r->endorsements },
		{ "appointments", "nombramientos", r->appointments },
		{ "certificates", "certificados", r->certificates },
		{ "status changes", "cambios de estado", r->revocations },
		{ "policies", "políticas", r->policies },
		{ "CRLs", "CRL", r->crls },
		{ "erased details", "detalles borrados", r->erased },
		{ "rebuilt", "reconstruidos", rebuilt },
		{ "not rebuilt", "no reconstruidos", not_rebuilt },
	};
	size_t n = ARRAY_LEN(lines) - (deep == NULL ? 2 : 0);
	for (size_t i = 0; i < n; i++)
		printf("%-18s %llu\n", SAY(c, lines[i].en, lines[i].es),
		    (unsigned long long)lines[i].n);
	printf("%-18s %s\n", SAY(c, "root", "raíz"), root);
	for (size_t i = 0; i < faults->len; i++) {
		char text[1024];
		cli_sentence(&faults->v[i], c->spanish, text, sizeof(text));
		printf("✘ %s [%s]\n", text, faults->v[i].id);
	}
	for (size_t i = 0; i < named->len; i++) {
		char text[1024];
		cli_sentence(&named->v[i], c->spanish, text, sizeof(text));
		printf("• %s [%s]\n", text, named->v[i].id);
	}
	printf("%s\n", faults->count == 0
			   ? SAY(c, "VERDICT: INTACT", "VEREDICTO: ÍNTEGRA")
			   : SAY(c, "VERDICT: BROKEN", "VEREDICTO: ALTERADA"));
}

/* Root may begin anew without the officers; nobody may overlook it. */
static void
name_ceilings(struct cli *c, const struct audit_report *r,
    struct err_list *named)
{
	struct err e;
	if (r->unsigned_ceilings == 0)
		return;
	(void)err_say(&e, ERR_CORRUPT, "audit-ceilings-founded",
	    "%s times ceilings gave more, or came back, without the officers' "
	    "signatures, last by entry %s: ask who put them there",
	    arena_printf(c->arena, "%llu",
		(unsigned long long)r->unsigned_ceilings),
	    arena_printf(c->arena, "%llu", (unsigned long long)r->unsigned_at));
	err_list_add(named, &e);
}

/* What details that were erased take along is said. */
static void
name_unproven(struct cli *c, const struct audit_report *r,
    struct err_list *named)
{
	struct err e;
	if (r->unproven == 0)
		return;
	(void)err_say(&e, ERR_CORRUPT, "audit-unproven",
	    "of %s renewals under mandates nobody can say any more whether "
	    "each has the key of before or proves a new one, last of entry "
	    "%s: details were erased",
	    arena_printf(c->arena, "%llu", (unsigned long long)r->unproven),
	    arena_printf(c->arena, "%llu", (unsigned long long)r->unproven_at));
	err_list_add(named, &e);
}

static enum err_code
audit_verify(struct cli *c, struct err *e)
{
	AUTO(audit) audit = NULL;
	struct buf pem AUTO_BUF = BUF(0), spki AUTO_BUF = BUF(SPKI_MAX);
	struct audit_report report = { .entries = 0 };
	if (c->option[OPT_LOG_KEY] == NULL)
		return cli_usage_missing(c, "--log-key", e);
	TRY(input_read(c, c->option[OPT_LOG_KEY], 4096, &pem, e));
	TRY(pem_or_der(buf_bytes(&pem), "PUBLIC KEY", &spki, e));
	TRY(audit_new(buf_bytes(&spki), &audit, e));
	TRY(begins_as_export(c, c->operand[0], e));
	AUTO(deep) deep = c->option[OPT_DEEP] != NULL ? deep_new() : NULL;
	struct verification v = { .audit = audit,
		.deep = deep,
		.size = size_to_show(c, c->operand[0]) };
	struct journal_report journal = { .issued = 0 };
	enum err_code code = each_line(c->operand[0], verify_line, &v, e);
	if (code == ERR_OK && c->option[OPT_JOURNAL] != NULL)
		code = journal_compare(c, c->option[OPT_JOURNAL], c->operand[0],
		    &journal, e);
	if (code == ERR_OK) {
		audit_finish(audit, &report, &v.faults);
		name_ceilings(c, &report, &journal.named);
		name_unproven(c, &report, &journal.named);
		for (size_t i = 0; i < journal.faults.len; i++)
			err_list_add(&v.faults, &journal.faults.v[i]);
		if (c->json)
			report_json(c, &report, deep, &v.faults,
			    &journal.named);
		else
			report_people(c, &report, deep, &v.faults,
			    &journal.named);
		c->exit = v.faults.count == 0 ? CLI_OK : CLI_UNVERIFIED;
	}
	err_list_fini(&journal.faults);
	err_list_fini(&journal.named);
	err_list_fini(&v.faults);
	return code;
}

/* --- Replay -------------------------------------------------------------------------------- */

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

enum err_code
take_snapshot(struct cli *c, const char **dir, struct err *e)
{
	struct buf answer AUTO_BUF = BUF(65536), body AUTO_BUF = BUF(256);
	uint8_t random[8];
	char hex[HEX_LEN(sizeof(random))];
	if (RAND_bytes(random, sizeof(random)) != 1)
		return err_openssl(e, "cli-random",
		    "the system gives no random octets; try again later");
	hex_print(hex, bytes_of(random, sizeof(random)));
	buf_putf(&body, "{\"name\":\"replay-%s\"}", hex);
	enum err_code code = engine_call(c, HTTP_POST, "/snapshots",
	    buf_bytes(&body), NULL, &answer, e);
	*dir = "";
	if (code == ERR_BUSY && strcmp(e->id, "cli-engine-away") == 0)
		return ERR_OK;
	TRY(code);
	json_t *root = json_loadb((const char *)answer.p, answer.len, 0, NULL);
	const char *text =
	    json_string_value(json_object_get(root, "directory"));
	if (text != NULL)
		*dir = arena_str(c->arena, bytes_str(text));
	json_decref(root);
	return text != NULL ? ERR_OK
			    : err_say(e, ERR_IO, "cli-answer",
				  "the engine's answer is not JSON");
}

void
remove_snapshot(const char *dir)
{
	if (dir[0] != '\0')
		nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
replay_progress(void *ctx, uint64_t done, uint64_t all)
{
	const struct cli *c = ctx;
	if (!c->json && isatty(STDERR_FILENO))
		fprintf(stderr, "\r%llu / %llu%s", (unsigned long long)done,
		    (unsigned long long)all, done == all ? "\n" : "");
}

static enum err_code
replay(struct cli *c, const char *dir, int64_t map, uint64_t *entries,
    struct err *e)
{
	AUTO(store) s = NULL;
	TRY(store_open(dir, map, false, &s, e));
	return store_replay(s,
	    arena_printf(c->arena, "%s/replay-%d", dir, (int)getpid()),
	    replay_progress, c, entries, e);
}

static enum err_code
audit_replay(struct cli *c, struct err *e)
{
	struct config config;
	const char *snapshot;
	uint64_t entries = 0;
	TRY(cli_config(c, &config, e));
	TRY(take_snapshot(c, &snapshot, e));
	enum err_code code = replay(c, snapshot[0] != '\0' ? snapshot : c->dir,
	    config.ledger_map_bytes, &entries, e);
	remove_snapshot(snapshot);
	TRY(code);
	if (c->json)
		printf("{\"entries\":%llu,\"verdict\":\"equal\"}\n",
		    (unsigned long long)entries);
	else
		printf("%llu %s\n", (unsigned long long)entries,
		    SAY(c, "entries replayed: every row is equal",
			"entradas reproducidas: cada fila es igual"));
	return ERR_OK;
}

static enum err_code
audit_prove(struct cli *c, struct err *e)
{
	struct buf proof AUTO_BUF = BUF(65536);
	TRY(engine_get(c, path_of(c, "/log/proof?index=", c->operand[0], ""),
	    &proof, e));
	return print_octets(c, buf_bytes(&proof), e);
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "audit", "export", audit_export, NO_ACT, NO_OPERAND, "FILE", 1, 1, OPTION(OPT_SOCKET),
	    "the whole log with CRLs and checkpoint in one file", "toda la bitácora con CRL y sello en un archivo",
	    "audit export bitacora.jsonl", NULL },
	{ "audit", "verify", audit_verify, NO_ACT, NO_OPERAND, "FILE", 1, 1, OPTION(OPT_LOG_KEY) | OPTION(OPT_DEEP) | OPTION(OPT_JOURNAL),
	    "judge an export, trusting only the log's public key", "juzgar una exportación, confiando sólo en la llave pública",
	    "audit verify bitacora.jsonl --log-key log.pem", NULL },
	{ "audit", "reproduce", audit_reproduce, NO_ACT, NO_OPERAND, "SERIAL", 1, 1, OPTION(OPT_EXPORT) | OPTION(OPT_OUT) | OPTION(OPT_SOCKET),
	    "rebuild a certificate from what the log keeps, and compare", "reconstruir un certificado con lo que guarda la bitácora, y comparar",
	    "audit reproduce 6a1b…c3 --export bitacora.jsonl", NULL },
	{ "audit", "replay", audit_replay, NO_ACT, NO_OPERAND, "", 0, 0, OPTION(OPT_SOCKET),
	    "rebuild the state from the log and compare", "reconstruir el estado desde la bitácora y comparar",
	    "audit replay", NULL },
	{ "audit", "prove", audit_prove, NO_ACT, NO_OPERAND, "INDEX", 1, 1, OPTION(OPT_OUT) | OPTION(OPT_SOCKET),
	    "a C2SP tlog-proof that an entry is in the log", "una prueba C2SP de que una entrada está en la bitácora",
	    "audit prove 42 --out 42.tlog-proof", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_audit = { verbs, ARRAY_LEN(verbs) };
