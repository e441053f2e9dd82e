/* keys - what opens the key files of an installation: in shares, or another;
 * and keys that nobody will need. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <refrendo/signer.h>

#include "cli.h"
#include "status.h"

enum err_code
keys_passphrase(struct cli *c, struct buf *out, struct err *e)
{
	struct config *config = arena_get(c->arena, sizeof(*config));
	AUTO(key) log = NULL;
	struct key_asking asking = { .spanish = c->spanish };
	TRY(cli_config(c, config, e));
	TRY(passphrase_read(c->dir, &asking, out, e));
	if (uri_is_token(config->log_key))
		return ERR_OK;
	const char *name = config->log_key;
	if (strncmp(name, "file:", 5) == 0)
		name += 5;
	return key_load(name[0] == '/'
			    ? name
			    : arena_printf(c->arena, "%s/%s", c->dir, name),
	    buf_bytes(out), &log, e);
}

static enum err_code
write_shares(struct cli *c, const char *dir, size_t n,
    struct buf share[SHARES_MAX], struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		buf_putc(&share[i], '\n');
		TRY(file_write(arena_printf(c->arena, "%s/share-%zu", dir,
				   i + 1),
		    buf_bytes(&share[i]), 0600, e));
	}
	return ERR_OK;
}

/* Before anybody trusts them: the first and the last as many as are needed give
 * the passphrase back. */
static enum err_code
try_shares(const struct buf share[SHARES_MAX], size_t n, size_t k,
    struct bytes passphrase, struct err *e)
{
	for (size_t from = 0; from <= n - k; from += n > k ? n - k : 1) {
		AUTO(shares) s = NULL;
		struct buf back AUTO_BUF = BUF(PASSPHRASE_MAX);
		TRY(shares_new(&s, e));
		for (size_t i = from; i < from + k; i++)
			TRY(shares_add(s, buf_bytes(&share[i]), e));
		TRY(shares_join(s, &back, e));
		if (!bytes_eq(buf_bytes(&back), passphrase))
			return err_say(e, ERR_CRYPTO, "shares-tried",
			    "the shares do not give the passphrase back; "
			    "nothing was written");
	}
	return ERR_OK;
}

static enum err_code
split(struct cli *c, const char *dir, size_t n, size_t k,
    struct buf share[SHARES_MAX], struct err *e)
{
	struct buf passphrase AUTO_BUF = BUF(0);
	TRY(keys_passphrase(c, &passphrase, e));
	TRY(shares_split(buf_bytes(&passphrase), n, k, share, e));
	TRY(try_shares(share, n, k, buf_bytes(&passphrase), e));
	if (!place_is_new(dir))
		return err_say(e, ERR_CONFLICT, "cli-shares-place",
		    "the directory %s has files, or cannot be made; name one "
		    "that is empty or not there yet",
		    dir);
	return write_shares(c, dir, n, share, e);
}

static enum err_code
keys_split(struct cli *c, struct err *e)
{
	struct buf share[SHARES_MAX];
	const char *dir = c->option[OPT_TO];
	int64_t n = 0, k = 0;
	if (c->option[OPT_SHARES] == NULL)
		return cli_usage_missing(c, "--shares", e);
	if (c->option[OPT_THRESHOLD] == NULL)
		return cli_usage_missing(c, "--threshold", e);
	if (dir == NULL)
		return cli_usage_missing(c, "--to", e);
	TRY(take_number(c, OPT_SHARES, 2, SHARES_MAX, &n, e));
	TRY(take_number(c, OPT_THRESHOLD, 2, n, &k, e));
	for (size_t i = 0; i < SHARES_MAX; i++)
		share[i] = BUF(4096);
	enum err_code code = split(c, dir, (size_t)n, (size_t)k, share, e);
	for (size_t i = 0; i < SHARES_MAX; i++)
		buf_fini(&share[i]);
	if (code != ERR_OK)
		return code;
	if (c->json) {
		struct buf out AUTO_BUF = BUF(1024);
		struct jw w = jw_of(&out);
		jw_object(&w);
		jw_member_str(&w, "directory", bytes_str(dir));
		jw_member_int(&w, "shares", n);
		jw_member_int(&w, "threshold", k);
		jw_close(&w, '}');
		printf("%s\n", buf_text(&out));
		return ERR_OK;
	}
	printf("%s/share-1 … share-%lld\n%s\n", dir, (long long)n,
	    SAY(c,
		"Give each to another person and remove it here; then remove "
		"the file passphrase. refrendo serve asks for them.",
		"Entregue cada una a otra persona y bórrela aquí; después "
		"borre el archivo passphrase. refrendo serve las pide."));
	return ERR_OK;
}

/* --- Another passphrase ------------------------------------------------------------ */

#define KEY_FILES_MAX 256

struct change {
	struct cli *c;
	struct buf old, fresh;
	const char *path[KEY_FILES_MAX], *staged[KEY_FILES_MAX];
	size_t n, n_staged;
	bool has_cas;
};

static enum err_code
add_path(struct change *x, const char *path, struct err *e)
{
	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->path[i], path) == 0)
			return ERR_OK;
	if (x->n == KEY_FILES_MAX)
		return err_say(e, ERR_BUSY, "cli-keys-many",
		    "there are more than %s key files", "256");
	x->path[x->n++] = path;
	return ERR_OK;
}

static enum err_code
add_uri(struct change *x, const char *uri, struct err *e)
{
	if (uri_is_token(uri))
		return ERR_OK;
	uri += strncmp(uri, "file:", 5) == 0 ? 5 : 0;
	return add_path(x,
	    uri[0] == '/' ? uri
			  : arena_printf(x->c->arena, "%s/%s", x->c->dir, uri),
	    e);
}

/* Those of the configuration, and all others that lie beside them. */
static enum err_code
find_files(struct change *x, struct err *e)
{
	struct config *config = arena_get(x->c->arena, sizeof(*config));
	TRY(cli_config(x->c, config, e));
	TRY(add_uri(x, config->log_key, e));
	TRY(add_uri(x, config->endorser_key, e));
	for (size_t i = 0; i < config->n_issuer; i++) {
		TRY(add_uri(x, config->issuer[i].key, e));
		TRY(add_uri(x, config->issuer[i].ocsp_key, e));
	}
	DIR *d = opendir(arena_printf(x->c->arena, "%s/keys", x->c->dir));
	enum err_code code = ERR_OK;
	for (struct dirent *f = d == NULL ? NULL : readdir(d);
	    f != NULL && code == ERR_OK; f = readdir(d)) {
		size_t len = strlen(f->d_name);
		if (len > 4 && strcmp(f->d_name + len - 4, ".key") == 0)
			code = add_path(x,
			    arena_printf(x->c->arena, "%s/keys/%s", x->c->dir,
				f->d_name),
			    e);
	}
	if (d != NULL)
		closedir(d);
	return code;
}

/* One that opens by the new one already is of a change that was interrupted. */
static enum err_code
stage(struct change *x, const char *path, struct err *e)
{
	AUTO(key) key = NULL;
	struct buf pem AUTO_BUF = BUF(1u << 16);
	const char *to = arena_printf(x->c->arena, "%s.fresh", path);
	struct err no;
	enum err_code code = key_load(path, buf_bytes(&x->old), &key, e);
	if (code != ERR_OK)
		return key_load(path, buf_bytes(&x->fresh), &key, &no) == ERR_OK
			   ? ERR_OK
			   : code;
	TRY(key_print(key, buf_bytes(&x->fresh), &pem, e));
	TRY(file_write(to, buf_bytes(&pem), 0600, e));
	x->path[x->n_staged] = path;
	x->staged[x->n_staged++] = to;
	return ERR_OK;
}

/* All is on disk beside what it replaces, or nothing was changed. */
static enum err_code
stage_all(struct change *x, struct err *e)
{
	enum err_code code = ERR_OK;
	for (size_t i = 0; code == ERR_OK && i < x->n; i++)
		code = stage(x, x->path[i], e);
	if (code == ERR_OK)
		code = signer_cas_rewrap(x->c->dir, buf_bytes(&x->old),
		    buf_bytes(&x->fresh), &x->has_cas, e);
	for (size_t i = 0; code != ERR_OK && i < x->n_staged; i++)
		unlink(x->staged[i]);
	return code;
}

static enum err_code
settle_all(struct change *x, struct err *e)
{
	const char *dir = x->c->dir;
	for (size_t i = 0; i < x->n_staged; i++)
		TRY(file_settle(x->staged[i], x->path[i], e));
	/* The last: as long as cas.new lies there, a start tries cas at once. */
	return !x->has_cas
		   ? ERR_OK
		   : file_settle(arena_printf(x->c->arena, "%s/signer/cas.new",
				     dir),
			 arena_printf(x->c->arena, "%s/signer/cas", dir), e);
}

static enum err_code
change(struct change *x, struct err *e)
{
	struct key_asking asking = { .spanish = x->c->spanish };
	TRY(engine_lock(x->c->dir, e));
	TRY(passphrase_read(x->c->dir, &asking, &x->old, e));
	TRY(passphrase_new_read(x->c->dir, x->c->spanish, &x->fresh, e));
	if (bytes_eq(buf_bytes(&x->old), buf_bytes(&x->fresh)))
		return err_say(e, ERR_INVALID, "cli-passphrase-same",
		    "the new passphrase is the one of now; nothing was "
		    "changed");
	TRY(find_files(x, e));
	TRY(stage_all(x, e));
	return settle_all(x, e);
}

static enum err_code
keys_passphrase_verb(struct cli *c, struct err *e)
{
	struct change x = { .c = c, .old = BUF(0), .fresh = BUF(0) };
	enum err_code code = change(&x, e);
	buf_fini(&x.old);
	buf_fini(&x.fresh);
	if (code != ERR_OK)
		return code;
	if (c->json) {
		printf("{\"cas\":%d,\"files\":%zu}\n", x.has_cas, x.n_staged);
		return ERR_OK;
	}
	if (x.n_staged == 0 && !x.has_cas) {
		printf("%s\n",
		    SAY(c,
			"All keys were under this passphrase already; nothing "
			"was changed.",
			"Todas las llaves estaban ya bajo esta frase; no se "
			"cambió nada."));
		return ERR_OK;
	}
	printf(SAY(c, "%zu key files%s are under the new passphrase.\n",
		   "%zu archivos de llaves%s están bajo la nueva frase.\n"),
	    x.n_staged,
	    x.has_cas ? SAY(c, " and signer/cas", " y signer/cas") : "");
	printf("%s\n",
	    SAY(c,
		"Give it to the engine where it takes its own from. Backups, "
		"shares and the officers' keys are as they were: back up, and "
		"split again.",
		"Entréguela al motor donde este toma la suya. Respaldos, "
		"partes "
		"y llaves de los oficiales siguen como estaban: respalde, y "
		"divida de nuevo."));
	return ERR_OK;
}

/* --- A key that gets no certificate ------------------------------------------------ */

static enum err_code
keys_drop(struct cli *c, struct err *e)
{
	const char *name = c->operand[0];
	bool before;
	TRY(engine_lock(c->dir, e));
	TRY(ask_yes(c,
	    arena_printf(c->arena,
		SAY(c, "Destroy the key of %s for ever? [y/N]",
		    "¿Destruir para siempre la llave de %s? [s/N]"),
		name),
	    e));
	TRY(signer_cas_drop(c->dir, bytes_str(name), &before, e));
	if (c->json)
		printf("{\"before\":%d,\"name\":\"%s\"}\n", before, name);
	else if (before)
		printf("%s\n", SAY(c, "The key was destroyed already.",
				   "La llave ya estaba destruida."));
	else
		printf("%s\n",
		    SAY(c,
			"The key is destroyed. A CA needs another name now; "
			"withdraw the ceremony of this one.",
			"La llave está destruida. Una CA necesita ahora otro "
			"nombre; retire la ceremonia de esta."));
	return ERR_OK;
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "keys", "drop", keys_drop, NO_ACT, NO_OPERAND, "NAME", 1, 1, OPTION(OPT_YES),
	    "destroy the key made for a CA that never got its certificate; no engine may run", "destruye la llave hecha para una CA que nunca obtuvo su certificado; ningún motor debe estar en marcha",
	    "keys drop universidad", NULL },
	{ "keys", "passphrase", keys_passphrase_verb, NO_ACT, NO_OPERAND, "", 0, 0, 0,
	    "another passphrase for all keys of the engine, signer/cas included; no engine may run", "otra frase de paso para todas las llaves del motor, también signer/cas; ningún motor debe estar en marcha",
	    "keys passphrase", NULL },
	{ "keys", "split", keys_split, NO_ACT, NO_OPERAND, "", 0, 0,
	    OPTION(OPT_SHARES) | OPTION(OPT_THRESHOLD) | OPTION(OPT_TO),
	    "the passphrase of the keys in shares, of which some number is enough", "la frase de paso de las llaves en partes, de las que basta un número",
	    "keys split --shares 5 --threshold 3 --to /media/partes", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_keys = { verbs, ARRAY_LEN(verbs) };
