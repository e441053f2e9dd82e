/* Ceilings in the log that tests verify: files, and how they came in force. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <refrendo/policy.h>

#include "audit_world.h"

#define NOBODY \
	"0000000000000000000000000000000000000000000000000000000000000000"

/* One line of the first file and all after it, or what a twist makes of it. */
static const struct {
	const char *line;
	enum twist twist;
	const char *other;
} lines[] = {
	{ "validity_max: 1096d", TOP_VALIDITY, "validity_max: 300d" },
	{ "backdate_max: 0s", NOTHING, NULL },
	{ "keys: [ec-p256]", TOP_KEYS, "keys: [rsa-3072]" },
	{ "key_usage: [digitalSignature]", TOP_USAGE,
	    "key_usage: [nonRepudiation]" },
	{ "extended: [clientAuth]", NOTHING, NULL },
	{ "names: [other]", NOTHING, NULL },
	{ "extensions: []", NOTHING, NULL },
	{ "statement_max: 2h", TOP_STATEMENT, "statement_max: 30m" },
	{ "appointment_max: 1100d", TOP_APPOINTMENT, "appointment_max: 900d" },
	{ "crl_max: 2d", TOP_CRL, "crl_max: 1h" },
	/* By a campaign alone; and one that is over. */
	{ "campaign_per_hour: 9\nper_hour: 2\n"
	  "campaign_until: \"2099-01-01\"",
	    TOP_HOUR,
	    "campaign_per_hour: 9\nper_hour: 2\n"
	    "campaign_until: \"2026-11-01\"" },
	{ "per_hour_institution: 2\ncampaign_per_hour_institution: 9",
	    TOP_HOUR_INSTITUTION, "per_hour_institution: 2" },
	{ "endorsements: 1", TOP_ENDORSEMENTS, "endorsements: 2" },
	{ "mandate_max: 900d", TOP_MANDATE, "mandate_max: 700d" },
	{ "issuers: []", TOP_ISSUER,
	    "issuers: [{name: otra, tbs_sha256: \"" NOBODY "\"}]" },
};

/* The first n of those who sign here, and how many of them must. */
static const char *const run[] = { OFFICER, MINISTER, OTHER };

static void
key_of(int who, char hex[HEX_LEN(HASH_LEN)])
{
	const struct key *const key[] = { keys.officer, keys.minister,
		keys.other };
	uint8_t hash[HASH_LEN];

	sha256(hash, key_spki(key[who]));
	hex_print(hex, bytes_of(hash, HASH_LEN));
}

static int
appointment_quorum(const struct world *w)
{
	return twisted(w, QUORUM_OF_TWO) ? 2 : 1;
}

static void
people_of(const struct world *w, char out[512], int n, int quorum)
{
	size_t len = (size_t)snprintf(out, 512,
	    "quorum=%d appointment_quorum=%d", quorum, appointment_quorum(w));

	for (int i = 0; i < n; i++) {
		char hex[HEX_LEN(HASH_LEN)];
		key_of(i, hex);
		len += (size_t)snprintf(out + len, 512 - len, " %s=%s", run[i],
		    hex);
	}
}

/* The number-th of them: each allows less than those before, but for people. */
static void
file_of(const struct world *w, int number, int n, int quorum, struct buf *out)
{
	char hex[HEX_LEN(HASH_LEN)];
	uint8_t hash[HASH_LEN];

	*out = BUF(CEILINGS_FILE_MAX);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		buf_putf(out, "%s\n",
		    lines[i].other != NULL && (twisted(w, lines[i].twist) ||
						  (i == 0 && number == 2 &&
						      twisted(w, TOP_LESSENED)))
			? lines[i].other
			: lines[i].line);
	buf_putf(out,
	    "refusals_per_hour: %d\nquorum: %d\n"
	    "appointment_quorum: %d\nofficers:\n",
	    100 - number, quorum, appointment_quorum(w));
	for (int i = 0; i < n; i++) {
		key_of(i, hex);
		buf_putf(out,
		    "  - {run: %s, name: Oficial, key_sha256: \"%s\"}\n",
		    run[i], hex);
	}
	sha256(hash, bytes_str(policy_text(w)));
	hash[0] ^= twisted(w, TOP_POLICY) ? 1 : 0;
	hex_print(hex, bytes_of(hash, HASH_LEN));
	buf_putf(out, "policies: [{name: funcionario-firma, sha256: \"%s\"}]\n",
	    hex);
	assert_false(out->failed);
}

static void
take(struct world *w, const struct buf *file, const char *how, const char *said)
{
	struct jw j = detail_of(&w->e[w->n].detail);
	uint8_t hash[HASH_LEN];

	sha256(hash, twisted(w, CEILINGS_OTHER_FILE) ? bytes_str("otro")
						     : buf_bytes(file));
	actor(w, &j, "", "system");
	jw_member_base64(&j, "file", buf_bytes(file));
	jw_member_str(&j, "how", bytes_str(how));
	jw_member_str(&j, "people",
	    bytes_str(twisted(w, CEILINGS_PEOPLE) ? "quorum=0" : said));
	append(w, ENTRY_CEILINGS_TAKEN, &j,
	    (struct entry_refs){ .object = bytes_of(hash, HASH_LEN) });
}

static void
take_ceilings(struct world *w, int number, const char *how, int n, int quorum,
    const char *more)
{
	struct buf file AUTO_BUF = BUF(0);
	char people[512];

	people_of(w, people, n, quorum);
	file_of(w, number, n, quorum, &file);
	buf_puts(&file, more);
	take(w, &file, how, people);
}

static void
rite_of_file(const struct world *w, struct rite *r, const char *id, int base,
    int base_n, int number, int n)
{
	struct buf before AUTO_BUF = BUF(0);

	*r = (struct rite){ .id = id,
		.name = "ceilings",
		.kind = CEREMONY_CEILINGS };
	file_of(w, base, base_n, 2, &before);
	sha256(r->base, buf_bytes(&before));
	file_of(w, number, n, 2, &r->whole);
	r->tbs = buf_bytes(&r->whole);
	people_of(w, r->people, n, 2);
}

void
first_ceilings(struct world *w)
{
	take_ceilings(w, 1, "first", 2, 2, "");
}

/* What was intended before is issued after. */
void
lessen_ceilings(struct world *w)
{
	take_ceilings(w, 2, "lessened", 2, 2, "");
}

/* The file in whose place root begins anew. */
static void
found(struct world *w, int number)
{
	struct buf file AUTO_BUF = BUF(0);
	char more[100], hex[HEX_LEN(HASH_LEN)];
	uint8_t hash[HASH_LEN];

	file_of(w, number, 2, 2, &file);
	sha256(hash, buf_bytes(&file));
	hex_print(hex, bytes_of(hash, HASH_LEN));
	snprintf(more, sizeof(more), "refounds: \"%s\"\n", hex);
	take_ceilings(w, 5, "refounded", 3, 1, more);
}

/* What comes without the officers, behind the fourth. */
static void
take_more(struct world *w)
{
	struct buf nonsense AUTO_BUF = BUF(64);

	if (twisted(w, CEILINGS_STRANGER))
		take_ceilings(w, 5, "lessened", 3, 2, "");
	if (twisted(w, CEILINGS_FIRST_AGAIN))
		take_ceilings(w, 5, "first", 2, 2, "");
	if (twisted(w, CEILINGS_WIDER))
		take_ceilings(w, 2, "lessened", 2, 2, "");
	if (twisted(w, CEILINGS_FOUNDED))
		found(w, 4);
	if (twisted(w, CEILINGS_FOUNDED_ON_OTHER))
		found(w, 3);
	if (twisted(w, CEILINGS_SAID)) {
		struct buf file AUTO_BUF = BUF(0);
		char people[512];
		people_of(w, people, 1, 2);
		file_of(w, 5, 2, 2, &file);
		take(w, &file, "lessened", people);
	}
	if (twisted(w, CEILINGS_UNREADABLE)) {
		char people[512];
		people_of(w, people, 2, 2);
		buf_puts(&nonsense, "keys: 7\n");
		take(w, &nonsense, "lessened", people);
	}
}

/* A third officer comes, signs with the first, and goes again. */
void
hold_ceilings(struct world *w)
{
	struct rite more, late, next;

	rite_of_file(w, &more, "CER-20",
	    twisted(w, CEILINGS_OTHER_BASE) ? 7 : 1, 2, 2, 3);
	rite_of_file(w, &late, "CER-21", 1, 2, 9, 3);
	if (twisted(w, CEILINGS_SAID_AGREED))
		people_of(w, more.people, 2, 2);
	propose_rite(w, &late);
	sign_rite(w, &late, 0);
	propose_rite(w, &more);
	sign_rite(w, &more, 0);
	if (!twisted(w, CEILINGS_ONE_OF_TWO))
		sign_rite(w, &more, 1);
	complete_rite(w, &more);
	if (twisted(w, CEILINGS_SIGNED_BEFORE))
		sign_rite(w, &late, 1);
	plain(w, ENTRY_CEREMONY_WITHDRAWN,
	    (struct entry_refs){ .request = bytes_str(late.id) });
	rite_of_file(w, &next, "CER-22", 2, 3, 3, 3);
	propose_rite(w, &next);
	sign_rite(w, &next, 0);
	sign_rite(w, &next, 2);
	complete_rite(w, &next);
	take_ceilings(w, 4, "lessened", 2, twisted(w, CEILINGS_FEWER) ? 1 : 2,
	    "");
	take_more(w);
	rite_fini(&more);
	rite_fini(&late);
	rite_fini(&next);
}
