/* ceremony_root - which root is meant, among those of refrendo.yaml. */
#include <string.h>
#include <unistd.h>

#include "ceremony.h"

static enum err_code
take(struct cli *c, const char *file, const char *name, struct bytes sha256_of,
    struct root_here *out, struct err *e)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	uint8_t hash[SHA256_LEN];
	TRY(file_certificate(c->dir, file, &der, e));
	sha256(hash, buf_bytes(&der));
	if (!bytes_eq(bytes_of(hash, SHA256_LEN), sha256_of))
		return ERR_OK;
	out->der = arena_copy(c->arena, buf_bytes(&der));
	out->name = arena_printf(c->arena, "%s", name);
	out->key = arena_printf(c->arena, "%s/keys/%s.key", c->dir, name);
	out->has_key = access(out->key, F_OK) == 0;
	return ERR_OK;
}

enum err_code
root_here_find(struct cli *c, struct bytes sha256_of, struct root_here *out,
    struct err *e)
{
	struct config *config = arena_get(c->arena, sizeof(*config));
	*out = (struct root_here){ .has_key = false };
	TRY(cli_config(c, config, e));
	TRY(take(c, config->root_certificate, FIRST_ROOT, sha256_of, out, e));
	for (size_t i = 0; i < config->n_root && out->der.len == 0; i++)
		TRY(take(c, config->root[i].certificate, config->root[i].name,
		    sha256_of, out, e));
	if (out->der.len > 0)
		return ERR_OK;
	return err_say(e, ERR_CONFLICT, "cli-root-unknown",
	    "refrendo.yaml has no root with the certificate that the ceremony "
	    "names; add it below roots:");
}
