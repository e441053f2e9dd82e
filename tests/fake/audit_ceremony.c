/* Ceremonies of the root in the log that tests verify. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "audit_world.h"

static struct key *
signing_key(struct world *w)
{
	return twisted(w, CEREMONY_OTHER_KEY) ? keys.other : keys.root;
}

static void
make_ca(struct world *w, struct rite *r)
{
	struct want want = { r->cn != NULL ? r->cn : r->name, NULL, keys.other,
		r->root != NULL ? r->root : &w->root,
		r->root != NULL ? keys.holder : signing_key(w), true, false,
		T0 - DAY, T0 + 2000 * DAY, r->rut };
	struct bytes sigalg, signature;

	r->whole = BUF(CERT_MAX_BYTES);
	build_cert(w, &want, &r->whole);
	OK(signed_split(buf_bytes(&r->whole), &r->tbs, &sigalg, &signature,
	    &err));
}

static enum err_code
none_rewind(void *ctx, struct err *e)
{
	(void)ctx;
	(void)e;
	return ERR_OK;
}

static enum err_code
none_next(void *ctx, struct crl_entry *entry, bool *more, struct err *e)
{
	(void)ctx;
	(void)entry;
	(void)e;
	*more = false;
	return ERR_OK;
}

static void
make_list(struct world *w, struct rite *r, uint64_t number)
{
	struct buf tbs AUTO_BUF = BUF(8192), sig AUTO_BUF = BUF(SIG_MAX);
	struct crl_source none = { NULL, none_rewind, none_next };
	struct bytes sigalg, signature;
	struct cert root;

	OK(cert_parse(buf_bytes(r->root != NULL ? r->root : &w->root), &root,
	    &err));
	struct crl_spec spec = { .issuer = root.subject,
		.issuer_ski = root.ski,
		.issuer_type = KEY_EC_P256,
		.number = number,
		.this_update = w->now,
		.next_update = w->now + 300 * DAY };
	OK(crl_build_tbs(&spec, &none, &tbs, &err));
	OK(key_sign(r->root != NULL ? keys.holder : keys.root, buf_bytes(&tbs),
	    &sig, &err));
	r->whole = BUF(16384);
	OK(signed_assemble(buf_bytes(&tbs), key_type_sigalg(KEY_EC_P256),
	    buf_bytes(&sig), &r->whole, &err));
	OK(signed_split(buf_bytes(&r->whole), &r->tbs, &sigalg, &signature,
	    &err));
}

void
propose_rite(struct world *w, struct rite *r)
{
	struct jw j = detail_of(&w->e[w->n].detail);
	uint8_t root[HASH_LEN], log_root[HASH_LEN];

	sha256(r->hash, r->tbs);
	sha256(root, buf_bytes(twisted(w, CEREMONY_OTHER_ROOT) ? &w->issuer
			       : r->root != NULL               ? r->root
							       : &w->root));
	merkle_root(&w->tree, log_root);
	struct ceremony_statement st = { .origin = bytes_str(ORIGIN),
		.id = bytes_str(r->id),
		.root_sha256 = bytes_of(root, HASH_LEN),
		.n = 1,
		.proposed_by = bytes_str(OFFICER),
		.log_size = w->tree.size,
		.log_root = bytes_of(log_root, HASH_LEN),
		.text_es = bytes_str("Autorizo."),
		.issued = w->now,
		.expires = w->now + HOUR };
	st.object[0].kind = r->kind;
	st.object[0].name = bytes_str(r->name);
	if (r->replaces != NULL && !twisted(w, CEREMONY_NEW_KEY_UNSAID))
		st.object[0].replaces = bytes_str(r->replaces);
	st.object[0].tbs_sha256 = bytes_of(r->hash, HASH_LEN);
	if (r->kind == CEREMONY_CEILINGS) {
		st.base_sha256 = bytes_of(r->base, HASH_LEN);
		st.people = bytes_str(r->people);
	}
	r->statement = BUF(STATEMENT_MAX);
	OK(ceremony_print(&st, &r->statement, &err));
	actor(w, &j, OFFICER, "officer");
	if (r->shown.len > 0)
		jw_member_base64(&j, "possession", buf_bytes(&r->shown));
	jw_member_str(&j, "statement", buf_bytes(&r->statement));
	jw_member_base64(&j, "tbs", r->tbs);
	append(w, ENTRY_CEREMONY_PROPOSED, &j,
	    (struct entry_refs){ .request = bytes_str(r->id),
		.tbs = bytes_of(r->hash, HASH_LEN) });
}

void
sign_rite(struct world *w, struct rite *r, int who)
{
	bool second = who == 1;
	struct jw j = detail_of(&w->e[w->n].detail);
	struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct buf other AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct key *key = second ? keys.minister : keys.officer;
	struct buf *cert = second ? &w->minister : &w->officer;
	struct want want = { "Nadie", OFFICER, keys.other, NULL, keys.other,
		false, false, T0 - DAY, T0 + DAY, NULL };

	if (who == 2 || twisted(w, CEREMONY_SIGNED_BY_STRANGER)) {
		build_cert(w, &want, &other);
		key = keys.other;
		cert = &other;
	}
	OK(cms_sign(key, buf_bytes(cert), buf_bytes(&r->statement), w->now,
	    &cms, &err));
	actor(w, &j, second ? MINISTER : OFFICER, "officer");
	jw_member_base64(&j, "evidence", buf_bytes(&cms));
	jw_member_int(&j, "needed", 2);
	jw_member_str(&j, "officer",
	    bytes_str(who == 2 ? OTHER
		      : second ? MINISTER
			       : OFFICER));
	append(w, ENTRY_CEREMONY_ENDORSED, &j,
	    (struct entry_refs){ .request = bytes_str(r->id) });
}

void
complete_rite(struct world *w, struct rite *r)
{
	struct jw j = detail_of(&w->e[w->n].detail);
	uint8_t whole[HASH_LEN];

	sha256(whole, buf_bytes(&r->whole));
	actor(w, &j, OFFICER, "officer");
	jw_member_str(&j, "kind",
	    bytes_str(ceremony_kind_name(twisted(w, CEREMONY_CROSS_ISSUES)
					     ? CEREMONY_CERTIFICATE
					     : r->kind)));
	jw_member_str(&j, "name", bytes_str(r->name));
	jw_member_base64(&j, "object", buf_bytes(&r->whole));
	if (r->replaces != NULL)
		jw_member_str(&j, "replaces", bytes_str(r->replaces));
	jw_member_str(&j, "transcript", bytes_str("la raíz firmó"));
	append(w, ENTRY_CEREMONY_COMPLETED, &j,
	    (struct entry_refs){ .request = bytes_str(r->id),
		.tbs = bytes_of(r->hash, HASH_LEN),
		.object = bytes_of(whole, HASH_LEN) });
}

void
rite_fini(struct rite *r)
{
	buf_fini(&r->whole);
	buf_fini(&r->statement);
	buf_fini(&r->shown);
}

static void
hold(struct world *w, struct rite *r)
{
	propose_rite(w, r);
	sign_rite(w, r, false);
	if (!twisted(w, CEREMONY_UNSIGNED) &&
	    (r->kind != CEREMONY_KEY || !twisted(w, CEREMONY_KEY_UNSIGNED)))
		sign_rite(w, r, true);
	if (twisted(w, CEREMONY_LATE))
		w->now += 2 * HOUR;
	if (twisted(w, CEREMONY_WITHDRAWN_BEFORE))
		plain(w, ENTRY_CEREMONY_WITHDRAWN,
		    (struct entry_refs){ .request = bytes_str(r->id) });
	if (twisted(w, CEREMONY_OTHER_OBJECT)) {
		buf_fini(&r->whole);
		make_ca(w, r);
	}
	complete_rite(w, r);
	if (twisted(w, CEREMONY_TWICE))
		complete_rite(w, r);
}

void
stop_ca(struct world *w, const char *name)
{
	struct jw j = detail_of(&w->e[w->n].detail);

	actor(w, &j, OFFICER, "officer");
	jw_member_str(&j, "name", bytes_str(name));
	append(w, ENTRY_CA_STOPPED, &j, (struct entry_refs){ 0 });
}

/* The key of the CA whose list stands in the export. */
void
destroy_issuer(struct world *w)
{
	struct rite key = { .id = "CER-7",
		.name = "institucional",
		.kind = CEREMONY_KEY };
	struct bytes sigalg, signature;

	stop_ca(w, "institucional");
	key.whole = BUF(CERT_MAX_BYTES);
	buf_put(&key.whole, w->issuer.p, w->issuer.len);
	OK(signed_split(buf_bytes(&key.whole), &key.tbs, &sigalg, &signature,
	    &err));
	hold(w, &key);
	rite_fini(&key);
}

/* New keys of "g2", one after the other. */
static void
roll_over(struct world *w)
{
	bool twice = twisted(w, CEREMONY_NEW_KEY_TWICE);
	struct rite next[2] = {
		{ .id = "CER-8",
		    .name = "g2-g2",
		    .cn = "g2",
		    .replaces = "g2" },
		{ .id = "CER-9",
		    .name = "g2-g3",
		    .cn = "g2",
		    .replaces = twice ? "g2" : "g2-g2" },
	};

	if (twisted(w, CEREMONY_NEW_KEY_OTHER_NAME))
		next[0].cn = "otra";
	if (twisted(w, CEREMONY_NEW_KEY_OTHER_BOUNDS))
		next[0].rut = "60910000-1";
	if (twisted(w, CEREMONY_NEW_KEY_OF_NONE))
		next[0].replaces = "nadie";
	if (twisted(w, CEREMONY_NEW_KEY_BESIDE) ||
	    twisted(w, CEREMONY_NEW_KEY_ALIKE))
		next[0].replaces = NULL;
	if (twisted(w, CEREMONY_NEW_KEY_ALIKE))
		next[0].cn = "G2";
	for (size_t i = 0; i < 2; i++) {
		make_ca(w, &next[i]);
		hold(w, &next[i]);
		rite_fini(&next[i]);
	}
}

/* Its own certificate, which it signed itself. */
static void
show_key(struct world *w, struct rite *r)
{
	struct key *key =
	    twisted(w, CEREMONY_CROSS_SHOWN_OTHER) ? keys.officer : keys.other;
	struct want want = { r->cn != NULL ? r->cn : r->name, NULL, key, NULL,
		key, true, false, T0 - DAY, T0 + 2000 * DAY, NULL };

	if (twisted(w, CEREMONY_CROSS_UNSHOWN))
		return;
	if (twisted(w, CEREMONY_CROSS_SHOWN_NAME))
		want.cn = "otra";
	r->shown = BUF(CERT_MAX_BYTES);
	build_cert(w, &want, &r->shown);
	if (twisted(w, CEREMONY_CROSS_SHOWN_UNSIGNED))
		r->shown.p[r->shown.len - 1] ^= 1;
}

/* Over the key of a CA that is not ours. */
static void
cross(struct world *w)
{
	struct rite r = { .id = "CER-10",
		.name = "vecina",
		.kind = CEREMONY_CROSS };

	if (twisted(w, CEREMONY_CROSS_NAMESAKE))
		r.cn = "G2";
	make_ca(w, &r);
	show_key(w, &r);
	hold(w, &r);
	rite_fini(&r);
}

/* --- Another root ------------------------------------------------------------------- */

/* Its certificate, and the key of the first by it. */
static void
make_root(struct world *w, struct buf *root, struct buf *both)
{
	struct want want = { twisted(w, ROOT_OTHER_NAME) ? "Otra" : "Raiz",
		NULL, keys.holder, NULL, keys.holder, true, false, T0 - DAY,
		T0 + 6000 * DAY, NULL };
	struct want link = { "Raiz", NULL,
		twisted(w, ROOT_LINK_OTHER) ? keys.other : keys.root, root,
		twisted(w, ROOT_LINK_UNSIGNED) ? keys.root : keys.holder, true,
		false, T0 - DAY, T0 + 3000 * DAY, NULL };
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);

	build_cert(w, &want, root);
	buf_put(both, root->p, root->len);
	build_cert(w, &link, &der);
	buf_put(both, der.p, der.len);
}

static void
hold_ca(struct world *w, const char *id, const char *name,
    const struct buf *root)
{
	struct rite r = { .id = id, .name = name, .root = root };

	make_ca(w, &r);
	hold(w, &r);
	rite_fini(&r);
}

static void
hold_list(struct world *w, const char *id, const char *name,
    const struct buf *root, uint64_t number)
{
	struct rite r = { .id = id,
		.name = name,
		.root = root,
		.kind = CEREMONY_CRL };

	make_list(w, &r, number);
	hold(w, &r);
	rite_fini(&r);
}

/* From here on another root signs; the first goes on with its list. */
void
change_root(struct world *w)
{
	struct buf root AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct rite r = { .id = "CER-31",
		.name = "raiz-g2",
		.kind = CEREMONY_ROOT,
		.whole = BUF(2 * CERT_MAX_BYTES) };
	struct rite late = { .id = "CER-32", .name = "tarde" };

	make_root(w, &root, &r.whole);
	r.tbs = buf_bytes(&r.whole);
	if (twisted(w, ROOT_BEFORE))
		hold_ca(w, "CER-30", "pronto", &root);
	make_ca(w, &late);
	propose_rite(w, &late);
	propose_rite(w, &r);
	sign_rite(w, &r, 0);
	if (!twisted(w, ROOT_ONE_OF_TWO))
		sign_rite(w, &r, 1);
	complete_rite(w, &r);
	/* Signed by all while the first root was in force no more. */
	if (twisted(w, ROOT_BACK)) {
		sign_rite(w, &late, 0);
		sign_rite(w, &late, 1);
		complete_rite(w, &late);
	} else {
		plain(w, ENTRY_CEREMONY_WITHDRAWN,
		    (struct entry_refs){ .request = bytes_str(late.id) });
	}
	if (twisted(w, ROOT_OLD_AGAIN))
		hold_ca(w, "CER-33", "vuelta", NULL);
	hold_ca(w, "CER-34", "nueva", &root);
	hold_list(w, "CER-35", "root", NULL, 9);
	hold_list(w, "CER-36", twisted(w, ROOT_LIST_OF_OTHER) ? "root" : r.name,
	    &root, 1);
	rite_fini(&late);
	rite_fini(&r);
}

static bool
is_about_new_keys(const struct world *w)
{
	return w->twist == NOTHING ||
	       (w->twist >= CEREMONY_NEW_KEY_OTHER_NAME &&
		   w->twist <= CEREMONY_NEW_KEY_UNSAID);
}

/* A new CA, two lists of the root, and two ceremonies that come to nothing. */
void
hold_ceremonies(struct world *w)
{
	static const struct {
		const char *id;
		enum entry_type type;
	} ends[] = {
		{ "CER-4", ENTRY_CEREMONY_WITHDRAWN },
		{ "CER-5", ENTRY_CEREMONY_LAPSED },
	};
	struct rite ca = { .id = "CER-1", .name = "g2" };
	struct rite list[2] = {
		{ .id = "CER-2", .name = "root", .kind = CEREMONY_CRL },
		{ .id = "CER-3", .name = "root", .kind = CEREMONY_CRL },
	};

	struct rite key = { .id = "CER-6",
		.name =
		    twisted(w, CEREMONY_KEY_OF_OTHER) ? "institucional" : "g2",
		.kind = CEREMONY_KEY };
	struct bytes sigalg, signature;

	make_ca(w, &ca);
	hold(w, &ca);
	if (is_about_new_keys(w))
		roll_over(w);
	if (w->twist == NOTHING || twisted(w, CEREMONY_CROSS_ISSUES) ||
	    (w->twist >= CEREMONY_CROSS_NAMESAKE &&
		w->twist <= CEREMONY_CROSS_SHOWN_UNSIGNED))
		cross(w);
	for (size_t i = 0; i < 2; i++) {
		make_list(w, &list[i],
		    twisted(w, CEREMONY_LIST_BACK) ? 2 : 2 + i);
		if (w->twist == NOTHING || twisted(w, CEREMONY_LIST_BACK))
			hold(w, &list[i]);
		rite_fini(&list[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct rite r = { .id = ends[i].id, .name = "g3" };
		make_ca(w, &r);
		propose_rite(w, &r);
		plain(w, ends[i].type,
		    (struct entry_refs){ .request = bytes_str(r.id) });
		rite_fini(&r);
	}
	stop_ca(w, twisted(w, CA_STOPPED_UNKNOWN) ? "nadie" : "g2");
	key.whole = BUF(CERT_MAX_BYTES);
	buf_put(&key.whole, ca.whole.p, ca.whole.len);
	OK(signed_split(buf_bytes(&key.whole), &key.tbs, &sigalg, &signature,
	    &err));
	if (w->twist == NOTHING || twisted(w, CEREMONY_KEY_OF_OTHER) ||
	    twisted(w, CEREMONY_KEY_UNSIGNED))
		hold(w, &key);
	rite_fini(&key);
	rite_fini(&ca);
}
