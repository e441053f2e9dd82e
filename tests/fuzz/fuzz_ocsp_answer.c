/* libs: ocsp */
/*
 * A refusal has a sentence.  An answer that says the same by both hashes, as
 * ours do, is built again from its parts and read to the same parts.
 */
#include <stdlib.h>
#include <string.h>

#include <refrendo/ocsp.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_pair(const struct ocsp_answer *a)
{
	const struct ocsp_single *s = a->single;
	return a->n_single == 2 && !s[0].id.is_sha256 && s[1].id.is_sha256 &&
	       bytes_eq(s[0].id.serial, s[1].id.serial) &&
	       s[0].state == s[1].state && s[0].reason == s[1].reason &&
	       s[0].revoked_at == s[1].revoked_at &&
	       s[0].this_update == s[1].this_update &&
	       s[0].next_update == s[1].next_update &&
	       s[0].archive_cutoff == s[1].archive_cutoff &&
	       s[0].this_update < s[0].next_update;
}

static void
build_again(const struct ocsp_answer *a)
{
	struct buf tbs AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	const struct ocsp_single *s = a->single;
	struct issuer_id id;
	struct ocsp_answer again;
	struct err e;
	if (!is_pair(a))
		return;
	memcpy(id.name_sha1, s[0].id.name_hash.p, 20);
	memcpy(id.key_sha1, s[0].id.key_hash.p, 20);
	memcpy(id.name_sha256, s[1].id.name_hash.p, SHA256_LEN);
	memcpy(id.key_sha256, s[1].id.key_hash.p, SHA256_LEN);
	const struct ocsp_answer_spec spec = { .issuer = &id,
		.serial = s[0].id.serial,
		.responder_key_hash = a->key_hash,
		.state = s[0].state,
		.revoked_at = s[0].revoked_at,
		.reason = s[0].reason,
		.produced_at = a->produced_at,
		.this_update = s[0].this_update,
		.next_update = s[0].next_update,
		.archive_cutoff = s[0].archive_cutoff,
		.extended_revoked = a->extended_revoked,
		.nonce = a->nonce };
	if (ocsp_tbs_build(&spec, &tbs, &e) != ERR_OK ||
	    ocsp_tbs_parse(buf_bytes(&tbs), &again, &e) != ERR_OK)
		abort();
	/* Only a hash algorithm without its NULL is written otherwise. */
	if (tbs.len == a->tbs.len && !bytes_eq(buf_bytes(&tbs), a->tbs))
		abort();
	if (!is_pair(&again) || again.produced_at != a->produced_at ||
	    again.single[0].state != s[0].state ||
	    again.single[0].revoked_at != s[0].revoked_at)
		abort();
}

/* Composed again of its own SingleResponses it is the same, octet for octet:
 * what a client gets with its nonce says what the answer before it said. */
static void
compose_again(const struct ocsp_answer *a)
{
	struct buf tbs AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct buf singles AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct err e;
	for (size_t i = 0; i < a->n_single; i++)
		buf_put(&singles, a->single[i].der.p, a->single[i].der.len);
	const struct ocsp_composed c = { .singles = buf_bytes(&singles),
		.responder_key_hash = a->key_hash,
		.produced_at = a->produced_at,
		.extended_revoked = a->extended_revoked,
		.nonce = a->nonce };
	if (ocsp_tbs_compose(&c, &tbs, &e) != ERR_OK ||
	    !bytes_eq(buf_bytes(&tbs), a->tbs))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ocsp_answer a;
	struct err e = { .say = "" };
	if (ocsp_answer_parse(bytes_of(data, size), &a, &e) == ERR_OK) {
		build_again(&a);
		compose_again(&a);
	} else if (e.say[0] == '\0')
		abort();
	if (ocsp_tbs_parse(bytes_of(data, size), &a, &e) == ERR_OK) {
		build_again(&a);
		compose_again(&a);
	}
	return 0;
}
