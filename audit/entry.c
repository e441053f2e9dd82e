#include <refrendo/audit.h>

#include <openssl/evp.h>
#include <string.h>

#include "statement.h"

#define REF_MAX      64
#define ENTRY_NUMBER ((INT64_C(1) << 53) - 1)

/* clang-format off */
static const char *const names[ENTRY_TYPES] = {
	[ENTRY_SYSTEM_INITIALIZED]     = "system.initialized",
	[ENTRY_POLICY_ACTIVATED]       = "policy.activated",
	[ENTRY_INSTITUTION_APPLIED]    = "institution.applied",
	[ENTRY_INSTITUTION_ENABLED]    = "institution.enabled",
	[ENTRY_INSTITUTION_SUSPENDED]  = "institution.suspended",
	[ENTRY_INSTITUTION_CLOSED]     = "institution.closed",
	[ENTRY_PERSON_REGISTERED]      = "person.registered",
	[ENTRY_APPOINTMENT_PROPOSED]   = "appointment.proposed",
	[ENTRY_APPOINTMENT_CONFIRMED]  = "appointment.confirmed",
	[ENTRY_APPOINTMENT_IN_FORCE]   = "appointment.in_force",
	[ENTRY_APPOINTMENT_ENDED]      = "appointment.ended",
	[ENTRY_APPOINTMENT_WITHDRAWN]  = "appointment.withdrawn",
	[ENTRY_REQUEST_DRAFTED]        = "request.drafted",
	[ENTRY_REQUEST_SUBMITTED]      = "request.submitted",
	[ENTRY_REQUEST_RETURNED]       = "request.returned",
	[ENTRY_REQUEST_REJECTED]       = "request.rejected",
	[ENTRY_REQUEST_WITHDRAWN]      = "request.withdrawn",
	[ENTRY_REQUEST_LAPSED]         = "request.lapsed",
	[ENTRY_REQUEST_ENDORSED]       = "request.endorsed",
	[ENTRY_REQUEST_FAILED]         = "request.failed",
	[ENTRY_CERTIFICATE_INTENDED]   = "certificate.intended",
	[ENTRY_CERTIFICATE_ISSUED]     = "certificate.issued",
	[ENTRY_CERTIFICATE_REVOKED]    = "certificate.revoked",
	[ENTRY_CERTIFICATE_SUSPENDED]  = "certificate.suspended",
	[ENTRY_CERTIFICATE_REINSTATED] = "certificate.reinstated",
	[ENTRY_CERTIFICATE_PROPOSED]   = "certificate.proposed",
	[ENTRY_CERTIFICATE_REPLACED]   = "certificate.replaced",
	[ENTRY_CRL_PUBLISHED]          = "crl.published",
	[ENTRY_RESPONDER_CERTIFIED]    = "responder.certified",
	[ENTRY_ACT_REFUSED]            = "act.refused",
	[ENTRY_POLICY_PROPOSED]        = "policy.proposed",
	[ENTRY_POLICY_ENDORSED]        = "policy.endorsed",
	[ENTRY_POLICY_WITHDRAWN]       = "policy.withdrawn",
	[ENTRY_POLICY_LAPSED]          = "policy.lapsed",
	[ENTRY_CEREMONY_PROPOSED]      = "ceremony.proposed",
	[ENTRY_CEREMONY_ENDORSED]      = "ceremony.endorsed",
	[ENTRY_CEREMONY_WITHDRAWN]     = "ceremony.withdrawn",
	[ENTRY_CEREMONY_LAPSED]        = "ceremony.lapsed",
	[ENTRY_CEREMONY_COMPLETED]     = "ceremony.completed",
	[ENTRY_CA_STOPPED]             = "ca.stopped",
	[ENTRY_MANDATE_PROPOSED]       = "mandate.proposed",
	[ENTRY_MANDATE_ENDORSED]       = "mandate.endorsed",
	[ENTRY_MANDATE_ENDED]          = "mandate.ended",
	[ENTRY_MANDATE_LAPSED]         = "mandate.lapsed",
	[ENTRY_CEILINGS_TAKEN]         = "ceilings.taken",
};
/* clang-format on */

const char *
entry_type_name(enum entry_type t)
{
	if (t <= 0 || t >= ENTRY_TYPES)
		return "unknown";
	return names[t];
}

bool
entry_type_parse(struct bytes name, enum entry_type *out)
{
	for (unsigned t = 1; t < ENTRY_TYPES && name.len > 0; t++) {
		/* Most differ in their first letter. */
		if (name.p[0] == (uint8_t)names[t][0] &&
		    bytes_is(name, names[t])) {
			*out = (enum entry_type)t;
			return true;
		}
	}
	return false;
}

/*
 * SHA-256(salt || detail); in two pieces when the detail is a large one.
 * Those of an issuance have up to 6 KB.
 */
static void
detail_hash(uint8_t out[HASH_LEN], const struct entry *in)
{
	uint8_t small[8192];

	if (in->detail.len <= sizeof(small) - ENTRY_SALT) {
		memcpy(small, in->salt, ENTRY_SALT);
		memcpy(small + ENTRY_SALT, in->detail.p, in->detail.len);
		sha256(out, bytes_of(small, ENTRY_SALT + in->detail.len));
		return;
	}
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(ctx, in->salt, ENTRY_SALT) != 1 ||
	    EVP_DigestUpdate(ctx, in->detail.p, in->detail.len) != 1 ||
	    EVP_DigestFinal_ex(ctx, out, NULL) != 1)
		fatal("SHA-256 is not available");
	EVP_MD_CTX_free(ctx);
}

/* Institutions, requests and appointments: letters, digits, dot and dash. */
bool
ref_is_good(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++) {
		uint8_t c = b.p[i];
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
		if (!letter && (c < '0' || c > '9') && c != '-' && c != '.')
			return false;
	}
	return b.len <= REF_MAX;
}

static bool
good_refs(const struct entry_refs *r)
{
	return ref_is_good(r->institution) && ref_is_good(r->request) &&
	       ref_is_good(r->appointment) && r->serial.len <= SERIAL_MAX &&
	       (r->policy.len == 0 || r->policy.len == HASH_LEN) &&
	       (r->tbs.len == 0 || r->tbs.len == HASH_LEN) &&
	       (r->object.len == 0 || r->object.len == HASH_LEN) &&
	       r->number >= 0 && r->number <= ENTRY_NUMBER;
}

static void
member_hex_opt(struct jw *w, const char *key, struct bytes b)
{
	if (b.len > 0)
		jw_member_hex(w, key, b);
}

/* The one shape of a leaf. */
static void
leaf_write(const struct entry *in, struct bytes detail, struct buf *leaf)
{
	const struct entry_refs *r = &in->refs;
	struct jw w = jw_of(leaf);

	jw_object(&w);
	jw_member_str_opt(&w, "appointment", r->appointment);
	jw_member_hex(&w, "detail", detail);
	jw_member_int(&w, "index", (int64_t)in->index);
	jw_member_str_opt(&w, "institution", r->institution);
	if (r->number > 0)
		jw_member_int(&w, "number", r->number);
	member_hex_opt(&w, "object", r->object);
	member_hex_opt(&w, "policy", r->policy);
	jw_member_str_opt(&w, "request", r->request);
	member_hex_opt(&w, "serial", r->serial);
	member_hex_opt(&w, "tbs", r->tbs);
	jw_member_int(&w, "time", in->time);
	jw_member_str(&w, "type", bytes_str(entry_type_name(in->type)));
	jw_member_int(&w, "v", 1);
	jw_close(&w, '}');
}

enum err_code
entry_leaf_build(const struct entry *in, struct buf *leaf, struct err *e)
{
	uint8_t hash[HASH_LEN];

	if (in->type <= 0 || in->type >= ENTRY_TYPES ||
	    in->index > (uint64_t)ENTRY_NUMBER || in->time < 0 ||
	    in->time > ENTRY_NUMBER)
		return err_say(e, ERR_INVALID, "entry-head",
		    "the type, index or time of a new entry is not possible");
	if (!good_refs(&in->refs))
		return err_say(e, ERR_INVALID, "entry-refs",
		    "a new entry refers to something in a form that the log "
		    "does not know");
	if (in->detail.len == 0 || in->detail.len > ENTRY_DETAIL_MAX)
		return err_say(e, ERR_INVALID, "entry-detail-size",
		    "the detail of a new entry is empty or larger than 2 MiB; "
		    "send smaller documents");
	detail_hash(hash, in);
	leaf_write(in, bytes_of(hash, HASH_LEN), leaf);
	return buf_end(leaf, e);
}

/* --- Reading ---------------------------------------------------------------- */

/*
 * Leaves are read often, so they are not parsed as any JSON and written again
 * for comparison: members in ascending order, strings without escapes that
 * are never empty and numbers in one form leave only one way to write each.
 */
struct leaf_reader {
	struct reader r;
	struct bytes last; /* key */
};

static bool
next_char(struct reader *r, uint8_t c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static bool
next_string(struct reader *r, struct bytes *out)
{
	if (!next_char(r, '"'))
		return false;
	size_t left = (size_t)(r->end - r->p);
	const uint8_t *end = left == 0 ? NULL : memchr(r->p, '"', left);
	if (end == NULL)
		return false;
	*out = bytes_of(r->p, (size_t)(end - r->p));
	r->p = end + 1;
	return true;
}

/* The next member; a number comes as its digits.  False at the end. */
static bool
next_member(struct leaf_reader *l, struct bytes *key, struct bytes *value,
    bool *text)
{
	struct reader *r = &l->r;

	if (!next_char(r, l->last.p == NULL ? '{' : ','))
		return false;
	if (!next_string(r, key) || !next_char(r, ':') ||
	    (l->last.p != NULL && bytes_cmp(l->last, *key) >= 0))
		return false;
	l->last = *key;
	*text = r->p < r->end && *r->p == '"';
	if (*text)
		return next_string(r, value);
	const uint8_t *start = r->p;
	while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
		r->p++;
	*value = bytes_of(start, (size_t)(r->p - start));
	return value->len > 0;
}

static bool
hex_ref(struct bytes text, size_t max, struct arena *a, struct bytes *out)
{
	if (text.len == 0 || text.len % 2 != 0 || text.len / 2 > max)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] >= 'A' && text.p[i] <= 'F')
			return false;
	uint8_t *p = arena_get(a, max);
	*out = bytes_of(p, text.len / 2);
	return hex_parse(text, p, text.len / 2);
}

static bool
hash_ref(struct bytes text, struct arena *a, struct bytes *out)
{
	return hex_ref(text, HASH_LEN, a, out) && out->len == HASH_LEN;
}

static bool
word_ref(struct bytes text, struct arena *a, struct bytes *out)
{
	*out = arena_copy(a, text);
	return text.len > 0 && ref_is_good(text);
}

/* The members that are texts, by what their value is. */
static bool
take_text(struct entry *en, struct arena *a, struct bytes key,
    struct bytes value, struct bytes *detail)
{
	struct entry_refs *r = &en->refs;

	if (bytes_is(key, "detail"))
		return hash_ref(value, a, detail);
	if (bytes_is(key, "type"))
		return entry_type_parse(value, &en->type);
	if (bytes_is(key, "request"))
		return word_ref(value, a, &r->request);
	if (bytes_is(key, "institution"))
		return word_ref(value, a, &r->institution);
	if (bytes_is(key, "appointment"))
		return word_ref(value, a, &r->appointment);
	if (bytes_is(key, "serial"))
		return hex_ref(value, SERIAL_MAX, a, &r->serial);
	if (bytes_is(key, "tbs"))
		return hash_ref(value, a, &r->tbs);
	if (bytes_is(key, "policy"))
		return hash_ref(value, a, &r->policy);
	if (bytes_is(key, "object"))
		return hash_ref(value, a, &r->object);
	return false;
}

static bool
take_number(struct entry *en, struct bytes key, struct bytes value,
    int64_t *index, int64_t *v)
{
	if (bytes_is(key, "index"))
		return dec_parse(value, index);
	if (bytes_is(key, "time"))
		return dec_parse(value, &en->time);
	if (bytes_is(key, "number"))
		return dec_parse(value, &en->refs.number) &&
		       en->refs.number > 0;
	return bytes_is(key, "v") && dec_parse(value, v) && *v == 1;
}

static bool
read_leaf(struct entry *en, struct arena *a, struct bytes *detail)
{
	struct leaf_reader l = { reader_of(en->leaf), BYTES_NONE };
	struct bytes key, value;
	int64_t index = -1, v = 0;
	bool text = false;

	en->time = -1;
	while (next_member(&l, &key, &value, &text))
		if (!(text ? take_text(en, a, key, value, detail)
			   : take_number(en, key, value, &index, &v)))
			return false;
	if (!next_char(&l.r, '}') || l.r.p != l.r.end)
		return false;
	if (detail->len == 0 || index < 0 || index > ENTRY_NUMBER ||
	    en->time < 0 || en->time > ENTRY_NUMBER || en->type == 0 || v != 1)
		return false;
	en->index = (uint64_t)index;
	return good_refs(&en->refs);
}

/* The leaf of en; *detail is the hash that it names. */
static enum err_code
parse_leaf(struct entry *en, struct arena *a, struct bytes *detail,
    struct err *e)
{
	if (en->leaf.len > ENTRY_LEAF_MAX || en->detail.len > ENTRY_DETAIL_MAX)
		return err_say(e, ERR_CORRUPT, "entry-too-large",
		    "an entry of the log is larger than entries can be");
	if (!read_leaf(en, a, detail))
		return err_say(e, ERR_CORRUPT, "entry-leaf",
		    "the public part of an entry of the log is not in the form "
		    "that the log writes");
	return ERR_OK;
}

/* What stands in leaf, salt and detail; the rest is to be found out. */
static struct entry
unread(const struct entry *e_)
{
	struct entry en = { .leaf = e_->leaf, .detail = e_->detail };

	memcpy(en.salt, e_->salt, ENTRY_SALT);
	return en;
}

enum err_code
entry_parse_leaf(struct entry *e_, struct arena *a, struct err *e)
{
	struct entry en = unread(e_);
	struct bytes detail = BYTES_NONE;

	TRY(parse_leaf(&en, a, &detail, e));
	*e_ = en;
	return ERR_OK;
}

enum err_code
entry_parse(struct entry *e_, struct arena *a, struct err *e)
{
	struct entry en = unread(e_);
	struct bytes detail = BYTES_NONE;
	uint8_t hash[HASH_LEN];

	TRY(parse_leaf(&en, a, &detail, e));
	if (en.detail.len > 0) {
		detail_hash(hash, &en);
		if (!bytes_eq(bytes_of(hash, HASH_LEN), detail))
			return err_say(e, ERR_CORRUPT, "entry-detail",
			    "the detail of an entry is not the one whose hash "
			    "is in the log");
	}
	*e_ = en;
	return ERR_OK;
}
