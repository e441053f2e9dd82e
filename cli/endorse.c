#include "cli.h"

/* clang-format off */
static const struct verb verbs[] = {
	{ "endorse", NULL, run_sign, ACT_REQUEST_ENDORSE, CF_REQUEST, "NUMBER", 1, 1,
	    OPTION(OPT_KEY) | OPTION(OPT_CERT) | OPTION(OPT_YES),
	    "endorse a request as minister of faith", "certificar una solicitud como ministra o ministro de fe",
	    "endorse SOL-2026-000001 --key ana.key --cert ana.pem", "/requests/{}/statement" },
};
/* clang-format on */

const struct verbs cli_verbs_endorse = { verbs, ARRAY_LEN(verbs) };
