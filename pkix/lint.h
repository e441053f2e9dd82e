/*
 * What the rules of the lint share: facts about one certificate, and the
 * rules that stand in files of their own.  Each says whether it is broken.
 */
#ifndef PKIX_LINT_H
#define PKIX_LINT_H

#include "internal.h"

/* Which rules about attributes some attribute of the two names breaks. */
struct name_faults {
	bool alphabet, string_type, length, country;
};

/* What several rules need, read once. */
struct facts {
	struct bytes serial; /* content of the INTEGER, with sign octet */
	struct bytes inner_sigalg;
	uint8_t before_tag, after_tag;
	struct spki_parts key;
	bool key_known;
	struct name_faults names;
};

struct name_faults lint_names(const struct cert *c);

bool lint_name_missing(const struct cert *c, const struct facts *f);
bool lint_root_issuer(const struct cert *c, const struct facts *f);
bool lint_own_issuer(const struct cert *c, const struct facts *f);
bool lint_name_alphabet(const struct cert *c, const struct facts *f);
bool lint_name_string_type(const struct cert *c, const struct facts *f);
bool lint_name_length(const struct cert *c, const struct facts *f);
bool lint_name_country(const struct cert *c, const struct facts *f);
bool lint_key_ids(const struct cert *c, const struct facts *f);
bool lint_root_key_ids(const struct cert *c, const struct facts *f);
bool lint_critical_set(const struct cert *c, const struct facts *f);
bool lint_unknown_extension(const struct cert *c, const struct facts *f);
bool lint_san_missing(const struct cert *c, const struct facts *f);
bool lint_rut_form(const struct cert *c, const struct facts *f);
bool lint_email_form(const struct cert *c, const struct facts *f);
bool lint_url_scheme(const struct cert *c, const struct facts *f);
bool lint_policies(const struct cert *c, const struct facts *f);
bool lint_nocheck_elsewhere(const struct cert *c, const struct facts *f);
bool lint_ocsp_extensions(const struct cert *c, const struct facts *f);
bool lint_ocsp_usage(const struct cert *c, const struct facts *f);
bool lint_ocsp_life(const struct cert *c, const struct facts *f);

#endif
