/* table - every verb of every noun, in the order of the help. */
#include "cli.h"

static const struct verbs *const tables[] = { &cli_verbs_init, &cli_verbs_pack,
	&cli_verbs_system, &cli_verbs_doctor, &cli_verbs_inst,
	&cli_verbs_person, &cli_verbs_appointment, &cli_verbs_request,
	&cli_verbs_endorse, &cli_verbs_renew, &cli_verbs_mandate,
	&cli_verbs_cert, &cli_verbs_csr, &cli_verbs_policy,
	&cli_verbs_policy_text, &cli_verbs_crl, &cli_verbs_ocsp,
	&cli_verbs_metrics, &cli_verbs_publish, &cli_verbs_audit,
	&cli_verbs_journal, &cli_verbs_lint, &cli_verbs_keys,
	&cli_verbs_ceremony_engine, &cli_verbs_ca, &cli_verbs_campaign,
	&cli_verbs_ceremony };

const struct verb *
cli_verb_at(size_t i)
{
	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		if (i < tables[t]->n)
			return &tables[t]->v[i];
		i -= tables[t]->n;
	}
	return NULL;
}
