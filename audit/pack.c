/*
 * pack - a status pack: CRLs with the proof that the log recorded them, for
 * whoever has no network (doc/PROTOCOL.pack.md).
 */
#include <string.h>

#include <refrendo/audit.h>

#define PROOF_HEAD "c2sp.org/tlog-proof@v1\nindex "

static enum err_code
bad(struct err *e, const char *why)
{
	(void)err_say(e, ERR_CORRUPT, "pack-form",
	    "this is no whole status pack: it was cut, altered, or is another "
	    "file; fetch it again");
	return err_why(e, "%s", why);
}

/* --- Writing ------------------------------------------------------------------- */

static void
end_line(struct jw *w)
{
	jw_close(w, '}');
	buf_putc(w->out, '\n');
}

void
pack_header(struct buf *out, struct bytes origin, int64_t now)
{
	struct jw w = jw_of(out);
	jw_object(&w);
	jw_member_int(&w, "created", now);
	jw_member_str(&w, "format", bytes_str(PACK_FORMAT));
	jw_member_str(&w, "kind", bytes_str("header"));
	jw_member_str(&w, "origin", origin);
	end_line(&w);
}

void
pack_proof(struct buf *out, struct bytes tlog_proof)
{
	struct jw w = jw_of(out);
	jw_object(&w);
	jw_member_str(&w, "kind", bytes_str("proof"));
	jw_member_str(&w, "proof", tlog_proof);
	end_line(&w);
}

void
pack_end(struct buf *out, size_t lists)
{
	uint8_t hash[SHA256_LEN];
	struct jw w = jw_of(out);
	sha256(hash, buf_bytes(out));
	jw_object(&w);
	jw_member_str(&w, "kind", bytes_str("end"));
	jw_member_int(&w, "lists", (int64_t)lists);
	jw_member_hex(&w, "sha256", bytes_of(hash, sizeof(hash)));
	end_line(&w);
}

/* --- Lines ---------------------------------------------------------------------- */

struct lines {
	struct bytes rest;
	struct arena *arena;
};

static bool
next_line(struct lines *l, struct bytes *line)
{
	const uint8_t *end =
	    l->rest.len == 0 ? NULL : memchr(l->rest.p, '\n', l->rest.len);
	if (end == NULL)
		return false;
	*line = bytes_of(l->rest.p, (size_t)(end - l->rest.p));
	l->rest = bytes_of(end + 1, l->rest.len - line->len - 1);
	return true;
}

/* The next line as an object of that kind, with these members and no other. */
static enum err_code
next_object(struct lines *l, const char *kind, const char *const *members,
    struct json **keep, struct json_obj *out, bool *failed, struct err *e)
{
	struct bytes line;
	struct err ignored;
	if (!next_line(l, &line) || line.len > EXPORT_LINE_MAX ||
	    json_parse(line, true, keep, &ignored) != ERR_OK)
		return bad(e, kind);
	*out = json_root(*keep, failed, e);
	json_only(*out, members);
	if (!bytes_is(json_get_str(*out, "kind"), kind) || *failed)
		return bad(e, kind);
	return ERR_OK;
}

static enum err_code
read_header(struct lines *l, struct pack *out, struct err *e)
{
	static const char *const members[] = { "created", "format", "kind",
		"origin", NULL };
	AUTO(json) keep = NULL;
	struct json_obj o;
	bool failed = false;
	TRY(next_object(l, "header", members, &keep, &o, &failed, e));
	bool known = bytes_is(json_get_str(o, "format"), PACK_FORMAT);
	out->created = json_get_int(o, "created");
	out->origin = arena_copy(l->arena, json_get_str(o, "origin"));
	return failed || !known ? bad(e, "header") : ERR_OK;
}

static enum err_code
read_crl(struct lines *l, struct pack_list *out, struct err *e)
{
	static const char *const members[] = { "der", "issuer", "kind", NULL };
	AUTO(json) keep = NULL;
	struct json_obj o;
	struct err ignored;
	bool failed = false;
	TRY(next_object(l, "crl", members, &keep, &o, &failed, e));
	struct bytes der = json_get_base64(o, "der", l->arena);
	out->issuer = arena_copy(l->arena, json_get_str(o, "issuer"));
	if (failed || crl_parse(der, &out->crl, &ignored) != ERR_OK)
		return bad(e, "crl");
	return ERR_OK;
}

/* Its newest delta stands behind the list that it amends (RFC 5280 5.2.4). */
static bool
amends(const struct pack_list *delta, const struct pack_list *list)
{
	const struct crl *d = &delta->crl, *c = &list->crl;
	return c->base == 0 && bytes_eq(delta->issuer, list->issuer) &&
	       bytes_eq(d->issuer, c->issuer) && bytes_eq(d->aki, c->aki) &&
	       bytes_eq(d->url, c->url) && d->base <= c->number &&
	       c->number < d->number;
}

/* --- What the log says of it ------------------------------------------------------- */

/* "c2sp.org/tlog-proof@v1", "index N", hashes in base64, "", a checkpoint. */
static enum err_code
read_tlog_proof(struct bytes text, struct proof *p, uint64_t *index,
    struct bytes *note, struct err *e)
{
	struct lines l = { .rest = text };
	struct bytes line;
	int64_t n;
	size_t head = strlen(PROOF_HEAD);
	if (text.len < head || memcmp(text.p, PROOF_HEAD, head) != 0)
		return bad(e, "proof head");
	l.rest = bytes_of(text.p + head, text.len - head);
	if (!next_line(&l, &line) || !dec_parse(line, &n))
		return bad(e, "proof index");
	*index = (uint64_t)n;
	p->n = 0;
	while (next_line(&l, &line) && line.len > 0) {
		struct buf hash AUTO_BUF = BUF(HASH_LEN);
		if (p->n == PROOF_MAX || !base64_get(&hash, line) ||
		    hash.len != HASH_LEN)
			return bad(e, "proof hash");
		memcpy(p->hash[p->n++], hash.p, HASH_LEN);
	}
	*note = l.rest;
	return ERR_OK;
}

static enum err_code
check_proof(struct lines *l, const struct pack *pack, struct bytes log_spki,
    struct verifier *v, struct pack_list *out, const struct entry *entry,
    struct err *e)
{
	static const char *const members[] = { "kind", "proof", NULL };
	AUTO(json) keep = NULL;
	struct json_obj o;
	struct proof proof;
	struct checkpoint cp;
	struct bytes note;
	uint64_t index;
	uint8_t hash[HASH_LEN];
	bool failed = false;
	TRY(next_object(l, "proof", members, &keep, &o, &failed, e));
	struct bytes text = json_get_str(o, "proof");
	if (failed)
		return bad(e, "proof");
	TRY(read_tlog_proof(text, &proof, &index, &note, e));
	TRY(checkpoint_verify(note, pack->origin, log_spki, v, &cp, e));
	merkle_leaf_hash(hash, entry->leaf);
	if (index != entry->index)
		return bad(e, "proof of another entry");
	TRY(merkle_check_inclusion(&proof, index, cp.size, hash, cp.root, e));
	out->index = index;
	out->log_size = cp.size;
	return ERR_OK;
}

/* The entry speaks of this very list. */
static enum err_code
check_entry(const struct entry *entry, struct pack_list *out, struct arena *a,
    struct err *e)
{
	AUTO(json) keep = NULL;
	struct err ignored;
	bool failed = false;
	uint8_t hash[SHA256_LEN];
	if (entry->type != ENTRY_CRL_PUBLISHED ||
	    json_parse(entry->detail, true, &keep, &ignored) != ERR_OK)
		return bad(e, "entry");
	struct json_obj d = json_root(keep, &failed, &ignored);
	struct bytes issuer = json_get_str(d, "issuer");
	struct bytes tbs = json_get_hex(d, "tbs_sha256", a);
	int64_t covers = json_get_int(d, "covers");
	sha256(hash, out->crl.tbs);
	if (failed || !bytes_eq(issuer, out->issuer) ||
	    !bytes_eq(tbs, bytes_of(hash, sizeof(hash))) || covers < 0 ||
	    (uint64_t)covers > entry->index ||
	    (uint64_t)entry->refs.number != out->crl.number)
		return bad(e, "entry of another list");
	out->covers = (uint64_t)covers;
	return ERR_OK;
}

static enum err_code
read_list(struct lines *l, struct pack *pack, struct bytes log_spki,
    struct verifier *v, struct err *e)
{
	struct pack_list *out = &pack->list[pack->n];
	AUTO(json) keep = NULL;
	struct entry entry = { .index = 0 };
	struct bytes line;
	struct err ignored;
	TRY(read_crl(l, out, e));
	if (out->crl.base > 0 && (pack->n == 0 || !amends(out, out - 1)))
		return bad(e, "delta of another list");
	if (!next_line(l, &line) ||
	    export_entry_read(line, &keep, l->arena, &entry, &ignored) !=
		ERR_OK ||
	    entry_parse(&entry, l->arena, &ignored) != ERR_OK)
		return bad(e, "entry line");
	TRY(check_entry(&entry, out, l->arena, e));
	TRY(check_proof(l, pack, log_spki, v, out, &entry, e));
	pack->n++;
	return ERR_OK;
}

static bool
is_at_end(const struct lines *l)
{
	static const char start[] = "{\"kind\":\"end\",";
	return l->rest.len > sizeof(start) &&
	       memcmp(l->rest.p, start, sizeof(start) - 1) == 0;
}

/* So that nothing in it can change unseen, signed or not. */
static enum err_code
read_end(struct lines *l, struct bytes before, size_t n, struct err *e)
{
	static const char *const members[] = { "kind", "lists", "sha256",
		NULL };
	AUTO(json) keep = NULL;
	struct json_obj o;
	bool failed = false;
	uint8_t hash[SHA256_LEN];
	TRY(next_object(l, "end", members, &keep, &o, &failed, e));
	int64_t lists = json_get_int(o, "lists");
	struct bytes want = json_get_hex(o, "sha256", l->arena);
	sha256(hash, before);
	if (failed || lists != (int64_t)n || l->rest.len > 0 ||
	    !bytes_eq(want, bytes_of(hash, sizeof(hash))))
		return bad(e, "end");
	return ERR_OK;
}

enum err_code
pack_read(struct bytes text, struct bytes log_spki, struct arena *a,
    struct verifier *v, struct pack *out, struct err *e)
{
	struct lines l = { text, a };
	out->n = 0;
	TRY(read_header(&l, out, e));
	while (!is_at_end(&l)) {
		if (out->n == PACK_LISTS_MAX)
			return bad(e, "too many lists");
		TRY(read_list(&l, out, log_spki, v, e));
	}
	return read_end(&l, bytes_of(text.p, text.len - l.rest.len), out->n, e);
}

/* --- What it says of a certificate ---------------------------------------------- */

static bool
is_for(const struct crl *crl, const struct cert *cert,
    const struct cert *issuer)
{
	return crl->base == 0 && bytes_eq(crl->issuer, issuer->subject) &&
	       bytes_eq(crl->aki, issuer->ski) &&
	       (crl->url.len == 0 || cert_names_crl(cert, crl->url));
}

/*
 * A delta has ended long before its list: it stays true of its time, and the
 * pack is of use for as long as the list.
 */
static enum err_code
check_delta(const struct crl *delta, const struct cert *issuer, int64_t now,
    struct verifier *v, struct err *e)
{
	bool has_ended = now >= delta->next_update;
	return crl_check_publish(delta, issuer, 0,
	    has_ended ? delta->this_update : now, v, e);
}

/* The delta's word is the newer one. */
static bool
find_newest(const struct pack_answer *a, struct bytes serial,
    struct crl_entry *entry)
{
	if (a->newest != a->list && crl_find(&a->newest->crl, serial, entry))
		return entry->reason != CRL_REMOVE;
	return crl_find(&a->list->crl, serial, entry);
}

enum err_code
pack_status(const struct pack *p, const struct cert *cert,
    const struct cert *issuer, int64_t now, struct verifier *v,
    struct pack_answer *out, struct err *e)
{
	struct crl_entry entry;
	size_t i = 0;
	*out = (struct pack_answer){ .state = PACK_UNKNOWN };
	while (i < p->n && !is_for(&p->list[i].crl, cert, issuer))
		i++;
	if (i == p->n)
		return ERR_OK;
	const struct crl *crl = &p->list[i].crl;
	out->list = &p->list[i];
	TRY(crl_check_publish(crl, issuer, 0, now, v, e));
	out->newest = out->list;
	if (i + 1 < p->n && p->list[i + 1].crl.base > 0) {
		out->newest = &p->list[i + 1];
		TRY(check_delta(&out->newest->crl, issuer, now, v, e));
	}
	/* What it was too early, or too late, to know. */
	int64_t as_of = out->newest->crl.this_update;
	if (cert->not_before > as_of || cert->not_after < as_of)
		return ERR_OK;
	out->state = PACK_GOOD;
	if (!find_newest(out, cert->serial, &entry))
		return ERR_OK;
	out->state = entry.reason == CRL_HOLD ? PACK_HELD : PACK_REVOKED;
	out->revoked_at = entry.revoked_at;
	out->reason = entry.reason;
	return ERR_OK;
}
