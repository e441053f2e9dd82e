#include <refrendo/audit.h>

#include <string.h>

/* C2SP signed-note and tlog-checkpoint, with Ed25519 (type 01) only. */

#define NOTE_DASH    "\xe2\x80\x94 " /* em dash and space */
#define ORIGIN_MAX   128
#define NOTE_ID_LEN  4
#define ED25519_KEY  32
#define ED25519_SIG  64
#define SIGNERS_MAX  16
#define NOTE_ED25519 0x01

/* SubjectPublicKeyInfo of an Ed25519 key, up to the key (RFC 8410 4). */
static const uint8_t spki_head[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b,
	0x65, 0x70, 0x03, 0x21, 0x00 };

static enum err_code
raw_key(struct bytes spki, struct bytes *out, struct err *e)
{
	if (spki.len != sizeof(spki_head) + ED25519_KEY ||
	    memcmp(spki.p, spki_head, sizeof(spki_head)) != 0)
		return err_at(e, ERR_INVALID, "checkpoint-key", "RFC 8410 4",
		    NOWHERE, "the key of the log must be an Ed25519 key");
	*out = bytes_of(spki.p + sizeof(spki_head), ED25519_KEY);
	return ERR_OK;
}

/* A name that signed notes can carry; ours is printable ASCII. */
static enum err_code
check_origin(struct bytes origin, struct err *e)
{
	bool good = origin.len > 0 && origin.len <= ORIGIN_MAX &&
		    ascii_printable(origin);
	for (size_t i = 0; i < origin.len; i++)
		good = good && origin.p[i] != ' ' && origin.p[i] != '+';
	if (!good)
		return err_say(e, ERR_INVALID, "checkpoint-origin",
		    "the origin of the log must be 1 to 128 printable "
		    "characters without space or plus");
	return ERR_OK;
}

static enum err_code
key_id(struct bytes origin, struct bytes key, uint8_t out[NOTE_ID_LEN],
    struct err *e)
{
	struct buf b AUTO_BUF = BUF(ORIGIN_MAX + 2 + ED25519_KEY);
	uint8_t hash[HASH_LEN];

	buf_put(&b, origin.p, origin.len);
	buf_putc(&b, '\n');
	buf_putc(&b, NOTE_ED25519);
	buf_put(&b, key.p, key.len);
	TRY(buf_end(&b, e));
	sha256(hash, buf_bytes(&b));
	memcpy(out, hash, NOTE_ID_LEN);
	return ERR_OK;
}

void
checkpoint_body(struct buf *out, const struct checkpoint *c)
{
	buf_put(out, c->origin.p, c->origin.len);
	buf_putf(out, "\n%llu\n", (unsigned long long)c->size);
	base64_put(out, bytes_of(c->root, HASH_LEN));
	buf_putc(out, '\n');
}

enum err_code
checkpoint_sign(const struct checkpoint *c, struct key *log_key,
    struct buf *note, struct err *e)
{
	struct buf body AUTO_BUF = BUF(CHECKPOINT_MAX);
	struct buf signature AUTO_BUF = BUF(NOTE_ID_LEN + ED25519_SIG);
	struct bytes key = BYTES_NONE;
	uint8_t id[NOTE_ID_LEN];

	TRY(check_origin(c->origin, e));
	TRY(raw_key(key_spki(log_key), &key, e));
	TRY(key_id(c->origin, key, id, e));
	checkpoint_body(&body, c);
	TRY(buf_end(&body, e));
	buf_put(&signature, id, NOTE_ID_LEN);
	TRY(key_sign(log_key, buf_bytes(&body), &signature, e));
	TRY(buf_end(&signature, e));
	buf_put(note, body.p, body.len);
	buf_puts(note, "\n" NOTE_DASH);
	buf_put(note, c->origin.p, c->origin.len);
	buf_putc(note, ' ');
	base64_put(note, buf_bytes(&signature));
	buf_putc(note, '\n');
	return buf_end(note, e);
}

/* --- Reading ---------------------------------------------------------------- */

static enum err_code
bad_form(struct err *e)
{
	return err_at(e, ERR_INVALID, "checkpoint-form", "C2SP tlog-checkpoint",
	    NOWHERE,
	    "this is not a checkpoint: origin, size and root, a blank line "
	    "and signatures are expected, each on its line");
}

/* One line without its line feed, or false when none ends here. */
static bool
next_line(struct bytes *text, struct bytes *line)
{
	const uint8_t *end =
	    text->len == 0 ? NULL : memchr(text->p, '\n', text->len);
	if (end == NULL)
		return false;
	size_t len = (size_t)(end - text->p);
	*line = bytes_of(text->p, len);
	*text = bytes_of(end + 1, text->len - len - 1);
	return true;
}

static enum err_code
read_body(struct bytes *note, struct checkpoint *out, struct bytes *body,
    struct err *e)
{
	struct bytes rest = *note, origin, size, root, blank;
	struct buf hash AUTO_BUF = BUF(HASH_LEN);
	int64_t n = 0;

	if (!next_line(&rest, &origin) || !next_line(&rest, &size) ||
	    !next_line(&rest, &root))
		return bad_form(e);
	*body = bytes_of(note->p, (size_t)(rest.p - note->p));
	if (!next_line(&rest, &blank) || blank.len != 0)
		return bad_form(e);
	TRY(check_origin(origin, e));
	if (!dec_parse(size, &n) || !base64_get(&hash, root) ||
	    hash.len != HASH_LEN)
		return bad_form(e);
	out->origin = origin;
	out->size = (uint64_t)n;
	memcpy(out->root, hash.p, HASH_LEN);
	*note = rest;
	return ERR_OK;
}

/* "— name base64": name and the decoded octets. */
static bool
read_signature(struct bytes line, struct bytes *name, struct buf *octets)
{
	size_t dash = strlen(NOTE_DASH);

	if (line.len < dash || memcmp(line.p, NOTE_DASH, dash) != 0)
		return false;
	struct bytes rest = bytes_of(line.p + dash, line.len - dash);
	const uint8_t *space =
	    rest.len == 0 ? NULL : memchr(rest.p, ' ', rest.len);
	if (space == NULL || space == rest.p)
		return false;
	*name = bytes_of(rest.p, (size_t)(space - rest.p));
	if (!utf8_valid(*name))
		return false;
	rest = bytes_of(space + 1, rest.len - name->len - 1);
	return base64_get(octets, rest) && octets->len > NOTE_ID_LEN;
}

enum err_code
checkpoint_verify(struct bytes note, struct bytes origin, struct bytes spki,
    struct verifier *v, struct checkpoint *out, struct err *e)
{
	struct checkpoint c = { .size = 0 };
	struct bytes key = BYTES_NONE, body, line, name;
	uint8_t id[NOTE_ID_LEN];
	bool found = false;

	TRY(raw_key(spki, &key, e));
	if (note.len > CHECKPOINT_MAX)
		return bad_form(e);
	TRY(read_body(&note, &c, &body, e));
	if (!bytes_eq(c.origin, origin))
		return err_say(e, ERR_INVALID, "checkpoint-other-log",
		    "the checkpoint is of another log");
	TRY(key_id(origin, key, id, e));
	for (int i = 0; note.len > 0; i++) {
		struct buf s AUTO_BUF = BUF(CHECKPOINT_MAX);
		if (i == SIGNERS_MAX || !next_line(&note, &line) ||
		    !read_signature(line, &name, &s))
			return bad_form(e);
		/* Signatures of witnesses are theirs to judge. */
		if (!bytes_eq(name, origin) ||
		    memcmp(s.p, id, NOTE_ID_LEN) != 0)
			continue;
		struct bytes octets =
		    bytes_of(s.p + NOTE_ID_LEN, s.len - NOTE_ID_LEN);
		if (found ||
		    verifier_check(v, spki, key_type_sigalg(KEY_ED25519), body,
			octets, e) != ERR_OK)
			return err_say(e, ERR_INVALID, "checkpoint-signature",
			    "the signature of the checkpoint is not by the "
			    "key of this log");
		found = true;
	}
	if (!found)
		return err_say(e, ERR_INVALID, "checkpoint-unsigned",
		    "the checkpoint carries no signature by the key of this "
		    "log");
	*out = c;
	return ERR_OK;
}

enum err_code
checkpoint_vkey(struct bytes origin, struct bytes spki, struct buf *out,
    struct err *e)
{
	struct bytes key = BYTES_NONE;
	uint8_t id[NOTE_ID_LEN], typed[1 + ED25519_KEY];
	char hex[HEX_LEN(NOTE_ID_LEN)];

	TRY(check_origin(origin, e));
	TRY(raw_key(spki, &key, e));
	TRY(key_id(origin, key, id, e));
	hex_print(hex, bytes_of(id, NOTE_ID_LEN));
	typed[0] = NOTE_ED25519;
	memcpy(typed + 1, key.p, ED25519_KEY);
	buf_put(out, origin.p, origin.len);
	buf_putf(out, "+%s+", hex);
	base64_put(out, bytes_of(typed, sizeof(typed)));
	return buf_end(out, e);
}
