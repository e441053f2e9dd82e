/* key_plan - which type of key each part of an installation gets. */
#include <string.h>

#include "cli.h"

/* clang-format off */
static const struct {
	const char *word;
	enum key_type type[KEY_ROLES];
} sets[] = {
	/*            root              issuer            endorser          responder         officer */
	{ "ec",      { KEY_EC_P384,      KEY_EC_P256,      KEY_EC_P256,      KEY_EC_P256,      KEY_EC_P256 } },
	{ "rsa",     { KEY_RSA_4096,     KEY_RSA_3072,     KEY_RSA_3072,     KEY_RSA_3072,     KEY_RSA_3072 } },
	{ "rsa-pss", { KEY_RSA_PSS_4096, KEY_RSA_PSS_3072, KEY_RSA_PSS_3072, KEY_RSA_PSS_3072, KEY_RSA_PSS_3072 } },
	{ "ml-dsa",  { KEY_ML_DSA_87,    KEY_ML_DSA_65,    KEY_ML_DSA_65,    KEY_ML_DSA_44,    KEY_ML_DSA_65 } },
};
/* clang-format on */

static const char *const roles[KEY_ROLES] = { "root", "issuer", "endorser",
	"responder", "officer" };

static bool
take_set(const char *word, struct key_plan *out)
{
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		if (strcmp(word, sets[i].word) != 0)
			continue;
		memcpy(out->type, sets[i].type, sizeof(out->type));
		return true;
	}
	return false;
}

static enum err_code
take_one(struct cli *c, struct bytes item, unsigned wanted,
    struct key_plan *out, struct err *e)
{
	const char *text = arena_str(c->arena, item);
	const char *equals = strchr(text, '=');
	size_t who = 0, len = equals == NULL ? 0 : (size_t)(equals - text);
	while (who < KEY_ROLES && (strlen(roles[who]) != len ||
				      memcmp(roles[who], text, len) != 0))
		who++;
	if (who == KEY_ROLES || (wanted >> who & 1) == 0)
		return err_say(e, ERR_INVALID, "cli-keys",
		    "%s is not for --keys here; write ROLE=TYPE, as in "
		    "%s=ec-p384",
		    text, (wanted & KEY_ROLE(ROOT)) != 0 ? "root" : "issuer");
	enum key_type type;
	if (!key_type_parse(bytes_str(equals + 1), &type) ||
	    !key_type_of_ca(type))
		return err_say(e, ERR_INVALID, "cli-keys-type",
		    "%s is no type of key for %s; write ec-p256, ec-p384, "
		    "rsa-3072, rsa-4096, rsa-pss-3072, rsa-pss-4096, "
		    "ml-dsa-44, ml-dsa-65 or ml-dsa-87",
		    equals + 1, roles[who]);
	out->type[who] = type;
	return ERR_OK;
}

enum err_code
key_plan_take(struct cli *c, unsigned wanted, struct key_plan *out,
    struct err *e)
{
	const char *set = c->option[OPT_ALGORITHM], *list = c->option[OPT_KEYS];
	if (!take_set(set == NULL ? "ec" : set, out)) {
		c->exit = CLI_USAGE;
		return err_say(e, ERR_INVALID, "cli-algorithm",
		    "%s is no set of keys; write ec, rsa, rsa-pss or ml-dsa",
		    set);
	}
	while (list != NULL) {
		const char *comma = strchr(list, ',');
		size_t len =
		    comma == NULL ? strlen(list) : (size_t)(comma - list);
		struct bytes item = bytes_of((const uint8_t *)list, len);
		TRY(take_one(c, item, wanted, out, e));
		list = comma == NULL ? NULL : comma + 1;
	}
	/* Before anything is made. */
	for (size_t i = 0; i < KEY_ROLES; i++) {
		if ((wanted >> i & 1) != 0)
			TRY(key_type_check(out->type[i], e));
	}
	return ERR_OK;
}
