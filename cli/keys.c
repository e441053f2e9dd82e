/* keys - what opens the key files of an installation: in shares. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "status.h"

enum err_code
keys_passphrase(struct cli *c, struct buf *out, struct err *e)
{
	struct config *config = arena_get(c->arena, sizeof(*config));
	AUTO(key) log = NULL;
	TRY(cli_config(c, config, e));
	TRY(passphrase_read(c->dir, false, out, e));
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
	if (mkdir(dir, 0700) != 0)
		return err_say(e, ERR_CONFLICT, "cli-shares-place",
		    "the directory %s cannot be made; name one that is not "
		    "there yet",
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

/* clang-format off */
static const struct verb verbs[] = {
	{ "keys", "split", keys_split, NO_ACT, NO_OPERAND, "", 0, 0,
	    OPTION(OPT_SHARES) | OPTION(OPT_THRESHOLD) | OPTION(OPT_TO),
	    "the passphrase of the keys in shares, of which some number is enough", "la frase de paso de las llaves en partes, de las que basta un número",
	    "keys split --shares 5 --threshold 3 --to /media/partes", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_keys = { verbs, ARRAY_LEN(verbs) };
