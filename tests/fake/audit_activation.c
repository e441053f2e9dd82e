/* Activations of policies in the log that tests verify. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "audit_world.h"

static const char *const names[] = { "funcionario-firma", "otra" };
static const char *const texts[] = { "policy: funcionario-firma\nversion: 8\n",
	"policy: otra\nversion: 1\n" };
static const int64_t versions[] = { 8, 1 };

/* The policy in force before has version 7. */
static int64_t
version_of(struct world *w, size_t i)
{
	return i == 0 && twisted(w, POLICY_BEHIND) ? 7 : versions[i];
}

static void
propose_policies(struct world *w, const char *id, struct buf *statement)
{
	uint8_t hash[2][HASH_LEN], root[HASH_LEN];
	struct jw j = detail_of(&w->e[w->n].detail);
	struct activation_statement st = {
		.origin = bytes_str(ORIGIN),
		.id = bytes_str(id),
		.n = 2,
		.effective = w->now + (twisted(w, POLICY_EARLY) ? 2 * HOUR : 0),
		.proposed_by = bytes_str(OFFICER),
		.log_size = w->tree.size,
		.text_es = bytes_str("Autorizo."),
		.issued = w->now,
		.expires = w->now + HOUR,
	};

	merkle_root(&w->tree, root);
	st.log_root = bytes_of(root, HASH_LEN);
	for (size_t i = 0; i < 2; i++) {
		sha256(hash[i], bytes_str(texts[i]));
		st.policy[i].is = (struct policy_name){ bytes_str(names[i]),
			bytes_of(hash[i], HASH_LEN), version_of(w, i) };
	}
	OK(activation_print(&st, statement, &err));
	actor(w, &j, OFFICER, "officer");
	jw_key(&j, "policies");
	jw_array(&j);
	for (size_t i = 0; i < 2; i++) {
		struct bytes text = bytes_str(texts[i]);
		if (twisted(w, POLICY_OTHER_BYTES))
			text.len--;
		jw_object(&j);
		jw_member_str(&j, "name", bytes_str(names[i]));
		jw_member_base64(&j, "text", text);
		jw_member_int(&j, "version", version_of(w, i));
		jw_close(&j, '}');
	}
	jw_close(&j, ']');
	jw_member_str(&j, "statement", buf_bytes(statement));
	append(w, ENTRY_POLICY_PROPOSED, &j,
	    (struct entry_refs){ .request = bytes_str(id) });
}

static void
sign_policies(struct world *w, const char *id, struct bytes text, bool second)
{
	struct jw j = detail_of(&w->e[w->n].detail);
	struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct buf other AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct key *key = second ? keys.minister : keys.officer;
	struct buf *cert = second ? &w->minister : &w->officer;
	struct want want = { "Nadie", OFFICER, keys.other, NULL, keys.other,
		false, false, T0 - DAY, T0 + DAY, NULL };

	if (twisted(w, POLICY_SIGNED_BY_STRANGER)) {
		build_cert(w, &want, &other);
		key = keys.other;
		cert = &other;
	}
	if (twisted(w, POLICY_SIGNED_OTHER_TEXT))
		text.len--;
	OK(cms_sign(key, buf_bytes(cert), text, w->now, &cms, &err));
	actor(w, &j, second ? MINISTER : OFFICER, "officer");
	jw_member_base64(&j, "evidence", buf_bytes(&cms));
	jw_member_int(&j, "needed", 2);
	jw_member_str(&j, "officer", bytes_str(second ? MINISTER : OFFICER));
	append(w, ENTRY_POLICY_ENDORSED, &j,
	    (struct entry_refs){ .request = bytes_str(id) });
}

static void
activate(struct world *w, const char *id, size_t i)
{
	struct jw j = detail_of(&w->e[w->n].detail);
	uint8_t hash[HASH_LEN];

	sha256(hash, bytes_str(texts[i]));
	actor(w, &j, MINISTER, "officer");
	jw_member_str(&j, "name", bytes_str(names[i]));
	jw_member_base64(&j, "text", bytes_str(texts[i]));
	jw_member_int(&j, "version",
	    version_of(w, i) + (twisted(w, POLICY_OTHER_VERSION) ? 1 : 0));
	append(w, ENTRY_POLICY_ACTIVATED, &j,
	    (struct entry_refs){ .policy = bytes_of(hash, HASH_LEN),
		.request =
		    twisted(w, POLICY_UNSIGNED) ? BYTES_NONE : bytes_str(id) });
}

/* Two policies, signed by both officers, in force together. */
void
activate_policies(struct world *w)
{
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct entry_refs refs = { .request = bytes_str("POL-1") };

	propose_policies(w, "POL-1", &text);
	sign_policies(w, "POL-1", buf_bytes(&text), false);
	if (twisted(w, POLICY_SIGNED_LATE))
		w->now += 2 * HOUR;
	if (!twisted(w, POLICY_TOO_FEW))
		sign_policies(w, "POL-1", buf_bytes(&text),
		    !twisted(w, POLICY_SIGNED_TWICE));
	if (twisted(w, POLICY_WITHDRAWN_BEFORE))
		plain(w, ENTRY_POLICY_WITHDRAWN, refs);
	activate(w, "POL-1", 0);
	if (!twisted(w, POLICY_IN_PART))
		activate(w, "POL-1", 1);
}

void
close_activations(struct world *w)
{
	static const struct {
		const char *id;
		enum entry_type type;
	} ends[] = {
		{ "POL-2", ENTRY_POLICY_WITHDRAWN },
		{ "POL-3", ENTRY_POLICY_LAPSED },
	};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
		propose_policies(w, ends[i].id, &text);
		plain(w, ends[i].type,
		    (struct entry_refs){ .request = bytes_str(ends[i].id) });
	}
}
