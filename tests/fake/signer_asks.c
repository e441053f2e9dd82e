#include <sys/mman.h>
#include <unistd.h>

#include "signer_asks.h"

/* Asks and gives the id of the refusal, or "ok". */
const char *
ask(struct world *w, uint16_t type, const struct buf *body,
    struct bytes *answer, struct err *refusal)
{
	if (world_ask(w, type, buf_bytes(body), answer, refusal) == ERR_OK)
		return "ok";
	assert_true(refusal->say[0] != '\0');
	return refusal->id;
}

/* --- CRL ------------------------------------------------------------------- */

static enum err_code
no_rewind(void *ctx, struct err *e)
{
	(void)ctx;
	(void)e;
	return ERR_OK;
}

static enum err_code
no_next(void *ctx, struct crl_entry *entry, bool *more, struct err *e)
{
	(void)ctx;
	(void)entry;
	(void)e;
	*more = false;
	return ERR_OK;
}

void
crl_tbs(struct world *w, const struct crl_row *r, struct buf *tbs)
{
	struct crl_spec spec = { .issuer = w->ca_cert[r->ca].subject,
		.issuer_ski = w->ca_cert[r->ca].ski,
		.issuer_type = KEY_EC_P256,
		.number = r->number,
		.this_update = w->now + r->from,
		.next_update = w->now + r->from + r->life,
		.url = bytes_str(r->url == NULL ? "" : r->url),
		.freshest = bytes_str(r->freshest == NULL ? "" : r->freshest),
		.base = r->base };
	struct crl_source none = { NULL, no_rewind, no_next };
	OK(crl_build_tbs(&spec, &none, tbs, e));
}

void
give_file(struct world *w, struct bytes tbs)
{
	int fd = memfd_create("crl", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, tbs.p, tbs.len, FILE_AT), tbs.len);
	w->file = fd;
}

/* One frame of it, under the id that world_ask() uses. */
void
put_piece(struct buf *in, const char *issuer, size_t from, size_t to, bool last)
{
	struct buf body AUTO_BUF = BUF(1u << 20);
	struct signer_crl m = { bytes_str(issuer), from, FILE_AT + from,
		to - from, last };
	signer_crl_encode(&m, &body);
	frame_put(in, SIGNER_CRL, 77, buf_bytes(&body));
}

const char *
ask_crl(struct world *w, const struct crl_row *r, struct bytes *signature,
    struct err *refusal)
{
	struct buf tbs AUTO_BUF = BUF(1u << 16);
	struct buf body AUTO_BUF = BUF(CRL_FRAME_MAX);
	crl_tbs(w, r, &tbs);
	struct signer_crl m = { bytes_str(r->issuer), 0, FILE_AT, tbs.len,
		true };
	signer_crl_encode(&m, &body);
	give_file(w, buf_bytes(&tbs));
	const char *id = ask(w, SIGNER_CRL, &body, signature, refusal);
	if (strcmp(id, "ok") == 0) {
		AUTO(verifier) v = NULL;
		OK(verifier_new(&v, e));
		OK(verifier_check(v, w->ca_cert[r->ca].spki,
		    key_type_sigalg(KEY_EC_P256), buf_bytes(&tbs), *signature,
		    e));
	}
	return id;
}

/* --- Checkpoints ------------------------------------------------------------ */

void
make_log(struct log *l, uint8_t from_fifth)
{
	memset(l, 0, sizeof(*l));
	for (size_t i = 0; i < LEAVES; i++) {
		uint8_t octets[2] = { (uint8_t)i, i < 5 ? 0 : from_fifth };
		merkle_leaf_hash(l->leaf[i], bytes_of(octets, 2));
		l->m[i + 1] = l->m[i];
		merkle_append(&l->m[i + 1], l->leaf[i], NULL, NULL);
	}
}

static enum err_code
get_tile(void *ctx, unsigned level, uint64_t n, struct bytes *hashes,
    struct err *e)
{
	struct log *l = ctx;
	if (level != 0 || n != 0)
		return err_say(e, ERR_CORRUPT, "tile-short", "no such tile");
	*hashes = bytes_of(l->leaf, sizeof(l->leaf));
	return ERR_OK;
}

const char *
ask_checkpoint(struct world *w, struct log *l, uint64_t old, uint64_t size,
    struct bytes *note, struct err *refusal)
{
	struct signer_checkpoint m = { .size = size };
	struct tile_source tiles = { l, get_tile };
	struct buf body AUTO_BUF = BUF(8192);
	merkle_root(&l->m[size], m.root);
	if (old > 0 && old < size)
		OK(merkle_consistency(old, size, &tiles, &m.consistency, e));
	signer_checkpoint_encode(&m, &body);
	return ask(w, SIGNER_CHECKPOINT, &body, note, refusal);
}

/* --- The responder's certificate and its answers ---------------------------- */

void
responder_spec(struct world *w, struct cert_spec *spec)
{
	static const uint8_t serial[20] = { 0x11, 0x22, 0x33, 0x44 };
	const struct name_attr attrs[] = { { OID_C, bytes_str("CL"),
					       STRING_USUAL },
		{ OID_CN, bytes_str("OCSP uno"), STRING_USUAL } };
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
	OK(name_build(attrs, ARRAY_LEN(attrs), &name, e));
	*spec = (struct cert_spec){
		.serial = arena_copy(w->a, bytes_of(serial, sizeof(serial))),
		.issuer = w->ca_cert[0].subject,
		.issuer_ski = w->ca_cert[0].ski,
		.issuer_type = KEY_EC_P256,
		.subject = arena_copy(w->a, buf_bytes(&name)),
		.not_before = w->now,
		.not_after = w->now + 20 * DAY - 1,
		.spki = key_spki(w->ocsp[0]),
		.path_len = -1,
		.key_usage = KU_DIGITAL_SIGNATURE,
		.eku = { OID_EKU_OCSP },
		.n_eku = 1,
		.nocheck = true,
	};
}

const char *
ask_responder(struct world *w, const struct cert_spec *spec, const char *issuer,
    struct bytes *der, struct err *refusal)
{
	struct buf body AUTO_BUF = BUF(32768);
	struct bytes tbs;
	struct signer_responder m = { bytes_str(issuer),
		world_container(w, spec, &tbs) };
	signer_responder_encode(&m, &body);
	return ask(w, SIGNER_RESPONDER, &body, der, refusal);
}

void
spoil(struct world *w, struct cert_spec *s, enum spoil how)
{
	switch (how) {
	case OTHER_KEY:
		s->spki = key_spki(w->ocsp[1]);
		break;
	case CA_KEY:
		s->spki = key_spki(w->ca[0]);
		break;
	case TOO_LONG:
		s->not_after += DAY;
		break;
	case THIRTY_ONE:
		s->not_after += 11 * DAY;
		break;
	case FUTURE:
		s->not_before += DAY;
		break;
	case OLD:
		s->not_before -= DAY;
		s->not_after -= DAY;
		break;
	case NO_NOCHECK:
		s->nocheck = false;
		break;
	case NO_EKU:
		s->eku[0] = OID_EKU_CLIENT;
		break;
	case SECOND_EKU:
		s->eku[s->n_eku++] = OID_EKU_CLIENT;
		break;
	case CERT_SIGN:
		s->key_usage |= KU_KEY_CERT_SIGN;
		break;
	case IS_CA:
		s->is_ca = true;
		break;
	case CRLDP:
		s->crl_url = bytes_str("http://prueba.example/uno.crl");
		break;
	case WITH_SAN:
		s->n_san = 1;
		s->san[0].kind = GN_DNS;
		s->san[0].value = bytes_str("prueba.example");
		break;
	case NOTHING:
	case OTHER_CA:
		break;
	}
}

/* Certifies the responder's key, then turns the world into ocsp-signer. */
struct bytes
become_ocsp(struct world *w)
{
	struct cert_spec spec;
	struct bytes der;
	struct err refusal = { .id = "" };
	responder_spec(w, &spec);
	assert_string_equal(ask_responder(w, &spec, "uno", &der, &refusal),
	    "ok");
	world_stop(w);
	world_open(w, true);
	return der;
}

struct bytes
ocsp_tbs(struct world *w, const struct ocsp_row *r, struct bytes serial,
    struct bytes nonce)
{
	struct issuer_id id, own;
	struct cert like = { .subject = w->ca_cert[0].subject,
		.spki = key_spki(r->key == 2 ? w->ca[0] : w->ocsp[r->key]) };
	OK(issuer_id_of(&w->ca_cert[r->ca], &id, e));
	OK(issuer_id_of(&like, &own, e));
	struct ocsp_answer_spec spec = { .issuer = &id,
		.serial = serial,
		.responder_key_hash = bytes_of(own.key_sha1, 20),
		.state = r->state,
		.revoked_at = r->state == OCSP_REVOKED ? w->now - DAY : 0,
		.produced_at = w->now + r->produced,
		.this_update = w->now + r->from,
		.next_update = w->now + r->from + r->life,
		.nonce = nonce };
	struct buf tbs AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	OK(ocsp_tbs_build(&spec, &tbs, e));
	return arena_copy(w->a, buf_bytes(&tbs));
}

struct bytes
usual_tbs(struct world *w, const struct ocsp_row *r)
{
	static const uint8_t serial[20] = { 0x12, 0x34 };
	return ocsp_tbs(w, r, bytes_of(serial, sizeof(serial)), BYTES_NONE);
}

struct bytes
batch_body(struct world *w, struct bytes responder, const struct bytes *tbs,
    size_t n)
{
	struct buf certs AUTO_BUF = BUF(8192), list AUTO_BUF = BUF(262144);
	struct buf body AUTO_BUF = BUF(262144);
	put_bytes(&certs, responder);
	for (size_t i = 0; i < n; i++)
		put_bytes(&list, tbs[i]);
	struct signer_ocsp m = { buf_bytes(&certs), BYTES_NONE,
		buf_bytes(&list) };
	signer_ocsp_encode(&m, &body);
	assert_false(body.failed);
	return arena_copy(w->a, buf_bytes(&body));
}

struct bytes
ocsp_body(struct world *w, const struct ocsp_row *r, struct bytes responder)
{
	struct bytes tbs = usual_tbs(w, r);
	return batch_body(w,
	    r->certificate == RIGHT ? responder
				    : buf_bytes(&w->minister_der[0]),
	    &tbs, 1);
}

const char *
status_asks(struct world *w, uint16_t type, struct bytes body,
    struct bytes *answer)
{
	static struct err refusal;
	struct bytes got;
	bool ok =
	    world_ask_as(w, ASKER_STATUS, type, body, &got, &refusal) == ERR_OK;
	if (ok && answer != NULL)
		*answer = got;
	return ok ? "ok" : refusal.id;
}

struct bytes
compose_body(struct world *w, struct bytes responder, struct bytes tbs,
    const struct bytes *sources, size_t n)
{
	struct buf list AUTO_BUF = BUF(131072), body AUTO_BUF = BUF(131072);
	for (size_t i = 0; i < n; i++)
		put_bytes(&list, sources[i]);
	struct signer_compose m = { .responder = responder,
		.tbs = tbs,
		.sources = buf_bytes(&list) };
	signer_compose_encode(&m, &body);
	assert_false(body.failed);
	return arena_copy(w->a, buf_bytes(&body));
}

/* An answer that core had signed, as it is published. */
struct bytes
published(struct world *w, const struct ocsp_row *r, uint8_t number,
    struct bytes responder)
{
	uint8_t serial[20] = { 0x12, number };
	struct bytes list, signature;
	struct err refusal;
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct bytes tbs =
	    ocsp_tbs(w, r, bytes_of(serial, sizeof(serial)), BYTES_NONE);
	assert_int_equal(world_ask(w, SIGNER_OCSP,
			     batch_body(w, responder, &tbs, 1), &list,
			     &refusal),
	    ERR_OK);
	assert_true(signer_next(&list, &signature));
	assert_true(signature.len > 0);
	OK(ocsp_assemble(tbs, key_type_sigalg(KEY_EC_P256), signature,
	    responder, &der, e));
	return arena_copy(w->a, buf_bytes(&der));
}

/* The SingleResponses of answers by one hash, in one answer with a nonce. */
struct bytes
composed_tbs(struct world *w, const struct bytes *sources, size_t n,
    bool sha256, struct bytes nonce)
{
	struct buf singles AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct buf tbs AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct ocsp_answer a;
	for (size_t i = 0; i < n; i++) {
		OK(ocsp_answer_parse(sources[i], &a, e));
		buf_put(&singles, a.single[sha256].der.p,
		    a.single[sha256].der.len);
	}
	struct ocsp_composed c = { .singles = buf_bytes(&singles),
		.responder_key_hash = a.key_hash,
		.produced_at = w->now,
		.nonce = nonce };
	OK(ocsp_tbs_compose(&c, &tbs, e));
	return arena_copy(w->a, buf_bytes(&tbs));
}

/* --- Policies --------------------------------------------------------------- */

void
plan_init(struct world *w, struct plan *p, const char *id, const char *text)
{
	memset(p, 0, sizeof(*p));
	sha256(p->hash, bytes_str(text));
	p->signers = "os";
	p->st = (struct activation_statement){
		.origin = bytes_str(w->config.origin),
		.id = bytes_str(id),
		.n = 1,
		.effective = w->now,
		.proposed_by = bytes_str("33333333-3"),
		.log_size = 5,
		.log_root = world_hash(w, bytes_str("root")),
		.text_es = bytes_str("Autorizo."),
		.issued = w->now,
		.expires = w->now + DAY,
	};
	p->st.policy[0].is =
	    (struct policy_name){ bytes_str("funcionario-firma"),
		    bytes_of(p->hash, SHA256_LEN), 2 };
}

static void
add_evidence(struct world *w, struct plan *p, char who, struct buf *list)
{
	struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct key *key = who == 's'   ? w->second
			  : who == 'z' ? w->stranger
			  : who == 'm' ? w->minister[0]
				       : w->officer;
	struct buf *der = who == 's'   ? &w->second_der
			  : who == 'z' ? &w->stranger_der
			  : who == 'm' ? &w->minister_der[0]
				       : &w->officer_der;
	struct bytes text = p->statement;

	if (who == 'x')
		text.len--;
	OK(cms_sign(key, buf_bytes(der), text, w->now, &cms, e));
	put_bytes(list, buf_bytes(&cms));
}

enum err_code
plan_ask(struct world *w, struct plan *p, struct err *refusal)
{
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct buf body AUTO_BUF = BUF(1u << 20);
	struct buf list AUTO_BUF = BUF(1u << 20);
	struct signer_agreement m = { .statement = BYTES_NONE };
	struct bytes answer;

	OK(activation_print(&p->st, &text, e));
	p->statement = arena_copy(w->a, buf_bytes(&text));
	m.statement = p->statement;
	for (const char *s = p->signers; *s != '\0'; s++)
		add_evidence(w, p, *s, &list);
	m.evidence = buf_bytes(&list);
	signer_agreement_encode(&m, &body);
	return world_ask(w, SIGNER_AGREEMENT, buf_bytes(&body), &answer,
	    refusal);
}

enum err_code
end_ask(struct world *w, const char *id, int64_t at, struct err *refusal)
{
	struct buf body AUTO_BUF = BUF(1024);
	struct signer_end m = { bytes_str(id), at };
	struct bytes answer;

	signer_end_encode(&m, &body);
	return world_ask(w, SIGNER_END, buf_bytes(&body), &answer, refusal);
}

/* Two officers, both of whom must sign. */
struct world *
two_officers(void)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	world_init(w);
	struct officer *o = &w->ceilings.officer[w->ceilings.n_officer++];
	snprintf(o->run, sizeof(o->run), "44444444-4");
	sha256(o->spki_sha256, key_spki(w->second));
	w->ceilings.quorum = 2;
	snprintf(w->config.root_certificate, PATH_LEN, "root.pem");
	world_start(w);
	world_appoint(w);
	return w;
}

/* A certificate under the policy of these bytes, in its statement's words. */
const char *
certificate_under(struct world *w, const char *text, int64_t issued)
{
	static struct err refusal;
	struct wish x;
	struct bytes answer;

	wish_holder(w, &x, 0);
	x.st.policy_sha256 = world_hash(w, bytes_str(text));
	/* "policy 3" is version 3 of it, "policy" the first. */
	x.st.policy_version = strlen(text) > 7 ? text[7] - '0' : 1;
	x.st.issued = issued;
	x.spec.not_before = issued;
	wish_build(w, &x, NULL, NULL, NULL);
	return wish_ask(w, &x, &answer, &refusal) == ERR_OK ? "ok" : refusal.id;
}
