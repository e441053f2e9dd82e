#include <refrendo/audit.h>

/* Lines of an export; doc/PROTOCOL.ledger.md has them in prose. */

static void
end_line(struct jw *w)
{
	jw_close(w, '}');
	buf_putc(w->out, '\n');
}

void
export_header(struct buf *out, struct bytes origin, int64_t now)
{
	struct jw w = jw_of(out);
	jw_object(&w);
	jw_member_int(&w, "created", now);
	jw_member_str(&w, "format", bytes_str("refrendo/export/v1"));
	jw_member_str(&w, "kind", bytes_str("header"));
	jw_member_str(&w, "origin", origin);
	end_line(&w);
}

void
export_certificate(struct buf *out, const char *role, const char *name,
    struct bytes der)
{
	struct jw w = jw_of(out);
	jw_object(&w);
	jw_member_base64(&w, "der", der);
	jw_member_str(&w, "kind", bytes_str("certificate"));
	jw_member_str(&w, "name", bytes_str(name));
	jw_member_str(&w, "role", bytes_str(role));
	end_line(&w);
}

void
export_policy(struct buf *out, struct bytes text)
{
	struct jw w = jw_of(out);
	jw_object(&w);
	jw_member_str(&w, "kind", bytes_str("policy"));
	jw_member_base64(&w, "text", text);
	end_line(&w);
}

void
export_entry_stored(struct buf *out, const struct entry *e,
    const uint8_t hash[HASH_LEN])
{
	struct jw w = jw_of(out);
	jw_object(&w);
	if (e->detail.len > 0)
		jw_member_str(&w, "detail", e->detail);
	jw_member_hex(&w, "hash", bytes_of(hash, HASH_LEN));
	jw_member_str(&w, "kind", bytes_str("entry"));
	jw_member_str(&w, "leaf", e->leaf);
	if (e->detail.len > 0)
		jw_member_hex(&w, "salt", bytes_of(e->salt, ENTRY_SALT));
	end_line(&w);
}

void
export_entry(struct buf *out, const struct entry *e)
{
	uint8_t hash[HASH_LEN];

	merkle_leaf_hash(hash, e->leaf);
	export_entry_stored(out, e, hash);
}

void
export_crl(struct buf *out, const char *issuer, struct bytes der)
{
	struct jw w = jw_of(out);
	jw_object(&w);
	jw_member_base64(&w, "der", der);
	jw_member_str(&w, "issuer", bytes_str(issuer));
	jw_member_str(&w, "kind", bytes_str("crl"));
	end_line(&w);
}

void
export_checkpoint(struct buf *out, struct bytes note)
{
	struct jw w = jw_of(out);
	jw_object(&w);
	jw_member_str(&w, "kind", bytes_str("checkpoint"));
	jw_member_str(&w, "note", note);
	end_line(&w);
}
