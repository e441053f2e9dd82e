/* ca_show - CAs and the engine's state, as people ask for them. */
#include <stdlib.h>
#include <string.h>

#include "ceremony.h"

static bool
has(const json_t *ca, const char *member)
{
	return json_is_string(json_object_get(ca, member));
}

/* The strongest of what was done with it. */
static const char *
state_of(const json_t *ca, int64_t end, int64_t now)
{
	return has(ca, "destroyed") ? "destroyed"
	       : has(ca, "revoked") ? "revoked"
	       : end < now          ? "expired"
	       : has(ca, "stopped") ? "stopped"
				    : "valid";
}

/* What its certificate says; that itself only where blobs were asked for. */
static void
add_certificate(struct cli *c, json_t *ca, bool blobs)
{
	struct bytes der;
	struct cert cert;
	struct err ignored;
	char serial[2 * SERIAL_MAX + 1];
	if (!get_octets(c, ca, "certificate", &der) ||
	    cert_parse(der, &cert, &ignored) != ERR_OK)
		return;
	char from[TIME_TEXT], to[TIME_TEXT];
	hex_print(serial, cert.serial);
	time_print(from, cert.not_before);
	time_print(to, cert.not_after);
	json_object_set_new(ca, "serial", json_string(serial));
	json_object_set_new(ca, "not_before", json_string(from));
	json_object_set_new(ca, "not_after", json_string(to));
	json_object_set_new(ca, "state",
	    json_string(state_of(ca, cert.not_after, clock_now())));
	if (!blobs)
		json_object_del(ca, "certificate");
}

enum err_code
run_ca_ls(struct cli *c, struct err *e)
{
	json_t *page, *ca;
	size_t i;
	c->option[OPT_BLOBS] = "";
	TRY(read_pages(c, &page, e));
	json_array_foreach(json_object_get(page, "items"), i, ca)
	{
		add_certificate(c, ca, false);
	}
	print_page(c, page);
	return ERR_OK;
}

enum err_code
run_ca_show(struct cli *c, struct err *e)
{
	bool blobs = c->option[OPT_BLOBS] != NULL;
	json_t *ca;
	TRY(engine_json(c, path_of(c, "/cas/", c->operand[0], "?blobs=1"), &ca,
	    e));
	add_certificate(c, ca, blobs);
	print_object(c, ca);
	return ERR_OK;
}
