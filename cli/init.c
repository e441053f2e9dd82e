/*
 * init - a new installation, whole or not at all: everything is built beside
 * its place and moved there at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/rand.h>
#include <refrendo/store.h>

#include "init.h"

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

/* Only what an earlier init left there: nobody else's directory. */
static enum err_code
clear_place(struct init *i, struct err *e)
{
	struct stat st;
	if (lstat(i->final, &st) == 0)
		return err_say(e, ERR_CONFLICT, "init-exists",
		    "%s exists already; name a directory that does not, or "
		    "move it away",
		    i->final);
	if (lstat(i->dir, &st) != 0)
		return ERR_OK;
	if (lstat(arena_printf(i->c->arena, "%s/" INIT_WAITS, i->dir), &st) ==
	    0)
		return err_say(e, ERR_CONFLICT, "init-waits",
		    "%s waits for what its root signs: bring it with refrendo "
		    "init --answer, or move the directory away",
		    i->dir);
	if (lstat(arena_printf(i->c->arena, "%s/" INIT_MARK, i->dir), &st) != 0)
		return err_say(e, ERR_CONFLICT, "init-new-exists",
		    "%s exists and is not from an unfinished init; move it "
		    "away",
		    i->dir);
	nftw(i->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return ERR_OK;
}

static enum err_code
make_place(struct init *i, struct err *e)
{
	umask(077);
	TRY(clear_place(i, e));
	if (mkdir(i->dir, 0700) != 0)
		return err_errno(e, "init-place",
		    "the directory of the installation cannot be made; its "
		    "parent must exist and be writable");
	return file_write(arena_printf(i->c->arena, "%s/" INIT_MARK, i->dir),
	    BYTES_NONE, 0600, e);
}

/* --- The ledger and its first entries -------------------------------------------------- */

static enum err_code
append(struct init *i, struct view *v, const struct draft *draft, struct err *e)
{
	uint8_t salt[ENTRY_SALT];
	if (RAND_bytes(salt, sizeof(salt)) != 1)
		return err_openssl(e, "cli-random",
		    "the system gives no random octets; try again later");
	return ca_append(v, draft, i->now, salt, e);
}

/* What everything hangs on, then the policies of the beginning. */
static enum err_code
append_all(struct init *i, struct view *v, struct err *e)
{
	struct draft draft;
	struct ca_init first = { .origin = bytes_str(i->origin),
		.log_spki = i->log_spki,
		.cert = { { "root", "root", buf_bytes(&i->root.der) },
		    { "issuer", ISSUER, buf_bytes(&i->issuer.der) },
		    { "endorser", "endorser", buf_bytes(&i->endorser.der) } },
		.n_cert = 3,
		.ceilings = &i->ceilings };
	TRY(ca_decide_init(&first, i->now, i->c->arena, &draft, e));
	TRY(append(i, v, &draft, e));
	for (size_t k = 0; k < i->policies->n; k++) {
		TRY(ca_decide_policy(&i->policies->policy[k], i->now,
		    i->c->arena, &draft, e));
		TRY(append(i, v, &draft, e));
	}
	return ERR_OK;
}

static enum err_code
first_entries(struct init *i, struct store *s, struct err *e)
{
	struct view *v;
	TRY(store_begin(s, true, &v, e));
	if (append_all(i, v, e) != ERR_OK) {
		view_abort(v);
		return e->code;
	}
	return view_commit(v, e);
}

static enum err_code
make_ledger(struct init *i, struct err *e)
{
	AUTO(store) s = NULL;
	TRY(store_open(i->dir, i->config.ledger_map_bytes, true, &s, e));
	return first_entries(i, s, e);
}

static enum err_code
sync_above(struct init *i, struct err *e)
{
	char parent[PATH_LEN];
	snprintf(parent, sizeof(parent), "%s", i->final);
	char *slash = strrchr(parent, '/');
	if (slash == NULL)
		snprintf(parent, sizeof(parent), ".");
	else
		slash[slash == parent ? 1 : 0] = '\0';
	int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return synced ? ERR_OK
		      : err_errno(e, "init-sync",
			    "the directory above the installation cannot be "
			    "synced");
}

/* The mark goes last: with it beside a whole installation nothing is lost. */
static enum err_code
move_to_place(struct init *i, struct err *e)
{
	if (rename(i->dir, i->final) != 0)
		return err_errno(e, "init-rename",
		    "the installation cannot be put in its place");
	unlink(arena_printf(i->c->arena, "%s/" INIT_MARK, i->final));
	unlink(arena_printf(i->c->arena, "%s/" INIT_WAITS, i->final));
	return sync_above(i, e);
}

/* --- What was asked for ------------------------------------------------------------------ */

/* host[:port] of the public address, as the beginning of the log's name. */
static const char *
default_origin(struct init *i)
{
	const char *host = strstr(i->public_url, "://");
	host = host == NULL ? i->public_url : host + 3;
	return arena_printf(i->c->arena, "%.*s/log", (int)strcspn(host, "/"),
	    host);
}

enum err_code
init_take_place(struct init *i, struct err *e)
{
	char dir[PATH_LEN];
	size_t len = strlen(i->c->dir);
	while (len > 1 && i->c->dir[len - 1] == '/')
		len--;
	if (len + 16 > sizeof(dir))
		return err_say(e, ERR_INVALID, "init-long",
		    "the path of the directory is too long; choose a shorter "
		    "one");
	snprintf(dir, sizeof(dir), "%.*s", (int)len, i->c->dir);
	snprintf(i->final, sizeof(i->final), "%s", dir);
	snprintf(i->dir, sizeof(i->dir), "%.240s.new", dir);
	return ERR_OK;
}

static enum err_code
take_options(struct init *i, struct err *e)
{
	const char *const *o = i->c->option;
	/* An offline root and an officer's own certificate have keys already. */
	unsigned wanted = KEY_ROLE(ISSUER) | KEY_ROLE(ENDORSER) |
			  KEY_ROLE(RESPONDER) |
			  (o[OPT_ROOT] == NULL ? KEY_ROLE(ROOT) : 0) |
			  (o[OPT_OFFICER_CERT] == NULL ? KEY_ROLE(OFFICER) : 0);
	if (o[OPT_OFFICER_RUN] == NULL)
		return cli_usage_missing(i->c, "--officer-run", e);
	if (o[OPT_OFFICER_NAME] == NULL)
		return cli_usage_missing(i->c, "--officer-name", e);
	TRY(key_plan_take(i->c, wanted, &i->keys, e));
	TRY(run_parse(bytes_str(o[OPT_OFFICER_RUN]), i->officer_run, e));
	i->officer_name = o[OPT_OFFICER_NAME];
	if (!utf8_valid(bytes_str(i->officer_name)))
		return err_at(e, ERR_INVALID, "cli-utf8", NULL,
		    at_field("officer-name"),
		    "the value of %s is not UTF-8; set the terminal to UTF-8",
		    "officer-name");
	i->listen = o[OPT_LISTEN] != NULL ? o[OPT_LISTEN] : "127.0.0.1:8080";
	i->public_url = o[OPT_PUBLIC_URL] != NULL
			    ? o[OPT_PUBLIC_URL]
			    : arena_printf(i->c->arena, "http://%s", i->listen);
	i->origin = o[OPT_ORIGIN] != NULL ? o[OPT_ORIGIN] : default_origin(i);
	TRY(init_more_officers(i, e));
	return init_take_place(i, e);
}

/* --- What people are told ------------------------------------------------------------------ */

void
init_put_fingerprint(struct cli *c, const char *what, struct bytes der)
{
	uint8_t hash[SHA256_LEN];
	sha256(hash, der);
	if (c->json)
		return;
	printf("  %-12s SHA-256 ", what);
	for (size_t k = 0; k < SHA256_LEN; k++)
		printf("%s%02X", k > 0 ? ":" : "", hash[k]);
	printf("\n");
}

const char *
init_fingerprint(struct cli *c, struct bytes der)
{
	uint8_t hash[SHA256_LEN];
	char hex[HEX_LEN(SHA256_LEN)];
	sha256(hash, der);
	hex_print(hex, bytes_of(hash, SHA256_LEN));
	return arena_str(c->arena, bytes_str(hex));
}

/* What people are told to compare. */
static void
put_fingerprints(struct init *i, struct jw *w)
{
	const struct {
		const char *name;
		struct bytes der;
	} rows[] = { { "issuer", buf_bytes(&i->issuer.der) },
		{ "ministers", buf_bytes(&i->endorser.der) },
		{ "officer", buf_bytes(&i->officer.der) },
		{ "root", buf_bytes(&i->root.der) } };
	jw_key(w, "fingerprints");
	jw_object(w);
	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		jw_member_str(w, rows[k].name,
		    bytes_str(init_fingerprint(i->c, rows[k].der)));
	jw_close(w, '}');
}

static enum err_code
tell(struct init *i, struct err *e)
{
	struct cli *c = i->c;
	struct buf vkey AUTO_BUF = BUF(1024);
	TRY(checkpoint_vkey(bytes_str(i->origin), i->log_spki, &vkey, e));
	if (c->json) {
		struct buf out AUTO_BUF = BUF(4096);
		struct jw w = jw_of(&out);
		jw_object(&w);
		jw_member_str(&w, "directory", bytes_str(i->final));
		put_fingerprints(i, &w);
		jw_member_str(&w, "log", buf_bytes(&vkey));
		jw_close(&w, '}');
		printf("%s\n", buf_text(&out));
		return ERR_OK;
	}
	printf("%s %s\n", i->final,
	    SAY(c, "was made. Fingerprints:", "fue creada. Huellas:"));
	init_put_fingerprint(c, SAY(c, "root", "raíz"),
	    buf_bytes(&i->root.der));
	init_put_fingerprint(c, SAY(c, "issuer", "emisora"),
	    buf_bytes(&i->issuer.der));
	init_put_fingerprint(c, SAY(c, "ministers", "ministros"),
	    buf_bytes(&i->endorser.der));
	init_put_fingerprint(c, SAY(c, "officer", "oficial"),
	    buf_bytes(&i->officer.der));
	printf("  %-12s %s\n\n", SAY(c, "log", "bitácora"), buf_text(&vkey));
	if (i->root.key != NULL)
		printf("%s\n", SAY(c,
				   "Move keys/root.key to a medium that is "
				   "kept offline: the "
				   "engine "
				   "never needs it.",
				   "Lleve keys/root.key a un medio fuera de "
				   "línea: el motor no la "
				   "necesita."));
	if (i->officer.key != NULL || i->is_offline)
		printf("%s\n",
		    SAY(c, "Give officer/ to the officer and delete it here.",
			"Entregue officer/ al oficial y bórrelo aquí."));
	printf("%s refrendo serve --dir %s\n", SAY(c, "Next:", "Siguiente:"),
	    i->final);
	return ERR_OK;
}

static enum err_code
build(struct init *i, struct err *e)
{
	TRY(init_directories(i, e));
	TRY(init_write_config(i, e));
	TRY(init_authorities(i, e));
	TRY(init_officer(i, e));
	TRY(init_write_keys(i, e));
	TRY(init_write_etc(i, e));
	return i->is_offline ? init_ask(i, e) : init_end(i, e);
}

void
init_forget_ledger(struct init *i)
{
	nftw(init_inside(i, "ledger"), remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

enum err_code
init_end(struct init *i, struct err *e)
{
	TRY(make_ledger(i, e));
	return move_to_place(i, e);
}

static enum err_code
run_init(struct init *i, struct err *e)
{
	struct key_asking asking = { .is_new = true, .spanish = i->c->spanish };
	if (i->c->option[OPT_ANSWER] != NULL) {
		i->now = clock_now();
		TRY(init_answered(i, e));
		return tell(i, e);
	}
	TRY(take_options(i, e));
	TRY(clear_place(i, e));
	TRY(init_offline_root(i, e));
	TRY(passphrase_read(i->final, &asking, &i->passphrase, e));
	TRY(make_place(i, e));
	i->now = clock_now();
	if (build(i, e) != ERR_OK) {
		nftw(i->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
		return e->code;
	}
	return i->is_offline ? ERR_OK : tell(i, e);
}

static enum err_code
init_verb(struct cli *c, struct err *e)
{
	struct init *i = calloc(1, sizeof(*i));
	if (i == NULL)
		return err_nomem(e);
	i->c = c;
	enum err_code code = run_init(i, e);
	init_fini(i);
	free(i);
	return code;
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "init", NULL, init_verb, NO_ACT, NO_OPERAND, "", 0, 0,
	    OPTION(OPT_ORIGIN) | OPTION(OPT_PUBLIC_URL) | OPTION(OPT_LISTEN) |
	    OPTION(OPT_ALGORITHM) | OPTION(OPT_KEYS) | OPTION(OPT_OFFICER_RUN) | OPTION(OPT_OFFICER_NAME) |
	    OPTION(OPT_OFFICER_CERT) | OPTION(OPT_OFFICERS) | OPTION(OPT_QUORUM) |
	    OPTION(OPT_ROOT) | OPTION(OPT_ANSWER),
	    "make an installation: keys, certificates, configuration, ledger",
	    "crear una instalación: llaves, certificados, configuración, bitácora",
	    "init --dir /var/lib/refrendo --public-url http://estado.example.cl --officer-run 11111111-1 --officer-name \"Olga Soto\"", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_init = { verbs, ARRAY_LEN(verbs) };
