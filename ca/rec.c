#include <string.h>

#include "inner.h"

/* Of a version octet: blobs have rows of their own. */
#define REC_APART 0x80

/* A field of a record; every record is a plain struct of these two. */
static struct bytes *
bytes_at(const struct rec_field *f, void *rec)
{
	return (struct bytes *)(void *)((uint8_t *)rec + f->offset);
}

static const struct bytes *
bytes_in(const struct rec_field *f, const void *rec)
{
	return (const struct bytes *)(const void *)((const uint8_t *)rec +
						    f->offset);
}

static int64_t *
int_at(const struct rec_field *f, void *rec)
{
	return (int64_t *)(void *)((uint8_t *)rec + f->offset);
}

static int64_t
int_in(const struct rec_field *f, const void *rec)
{
	return *(
	    const int64_t *)(const void *)((const uint8_t *)rec + f->offset);
}

static bool
says_something(const struct rec_field *f, const void *rec)
{
	if (f->kind == REC_INT || f->kind == REC_WORD || f->kind == REC_ENTRY)
		return int_in(f, rec) != 0;
	return bytes_in(f, rec)->len > 0;
}

/* The least version that holds it all: one row for one record. */
static uint8_t
version_of(const struct rec_type *t, const void *rec)
{
	uint8_t version = 1;

	for (size_t i = 0; i < t->n; i++)
		if (t->field[i].since > version &&
		    says_something(&t->field[i], rec))
			version = t->field[i].since;
	return version;
}

static void
encode_octets(const struct rec_field *f, struct bytes b, bool apart,
    struct buf *out)
{
	if (apart && f->member != NULL) {
		put_u32(out, (uint32_t)b.len);
		return;
	}
	if (b.p == NULL && b.len > 0)
		fatal("the member %s was not loaded", f->name);
	put_bytes(out, b);
}

static void
encode(const struct rec_type *t, const void *rec, bool apart, struct buf *out)
{
	uint8_t version = version_of(t, rec);

	put_u8(out, apart ? version | REC_APART : version);
	for (size_t i = 0; i < t->n; i++) {
		const struct rec_field *f = &t->field[i];
		if (f->since > version)
			continue;
		switch (f->kind) {
		case REC_TEXT:
		case REC_BYTES:
		case REC_MAP:
			encode_octets(f, *bytes_in(f, rec), apart, out);
			break;
		case REC_INT:
		case REC_ENTRY:
			put_i64(out, int_in(f, rec));
			break;
		case REC_WORD:
			put_u8(out, (uint8_t)int_in(f, rec));
			break;
		}
	}
}

void
rec_encode(const struct rec_type *t, const void *rec, struct buf *out)
{
	encode(t, rec, false, out);
}

void
rec_encode_row(const struct rec_type *t, const void *rec, struct buf *out)
{
	encode(t, rec, t->blobs_apart, out);
}

static size_t
count_words(const char *const *words)
{
	size_t n = 0;
	while (words[n] != NULL)
		n++;
	return n;
}

/* Text that JSON can carry back and forth: UTF-8 without NUL. */
static bool
is_text(struct bytes b)
{
	return b.len == 0 ||
	       (memchr(b.p, '\0', b.len) == NULL && utf8_valid(b));
}

static enum err_code
decode_field(const struct rec_type *t, const struct rec_field *f, bool apart,
    struct reader *r, void *rec, struct err *e)
{
	switch (f->kind) {
	case REC_TEXT:
	case REC_BYTES:
		if (apart && f->member != NULL) {
			*bytes_at(f, rec) = bytes_of(NULL, get_u32(r));
			break;
		}
		*bytes_at(f, rec) = get_bytes(r);
		if (f->kind == REC_TEXT && !is_text(*bytes_at(f, rec)))
			return err_say(e, ERR_CORRUPT, "row-text",
			    "the member %s of a stored %s is not text", f->name,
			    t->name);
		break;
	case REC_MAP:
		*bytes_at(f, rec) = get_bytes(r);
		if (!attributes_canonical(*bytes_at(f, rec)))
			return err_say(e, ERR_CORRUPT, "row-map",
			    "the member %s of a stored %s is not in its form",
			    f->name, t->name);
		break;
	case REC_INT:
	case REC_ENTRY:
		*int_at(f, rec) = get_i64(r);
		break;
	case REC_WORD:
		*int_at(f, rec) = get_u8(r);
		if ((size_t)*int_at(f, rec) >= count_words(f->words))
			return err_say(e, ERR_CORRUPT, "row-word",
			    "the member %s of a stored %s has a value that is "
			    "not in its table",
			    f->name, t->name);
		break;
	}
	return ERR_OK;
}

static enum err_code
wrong_version(const struct rec_type *t, struct err *e)
{
	return err_say(e, ERR_CORRUPT, "row-version",
	    "a stored %s is of a version that this program does not know",
	    t->name);
}

enum err_code
rec_decode(const struct rec_type *t, struct bytes row, void *rec, struct err *e)
{
	struct reader r = reader_of(row);
	uint8_t octet = get_u8(&r), newest = 1;
	bool apart = (octet & REC_APART) != 0;
	uint8_t version = octet & (uint8_t)~REC_APART;

	for (size_t i = 0; i < t->n; i++)
		if (t->field[i].since > newest)
			newest = t->field[i].since;
	if (version == 0 || version > newest || (apart && !t->blobs_apart))
		return wrong_version(t, e);
	if (t->size > 0)
		memset(rec, 0, t->size);
	for (size_t i = 0; i < t->n; i++)
		if (t->field[i].since <= version)
			TRY(decode_field(t, &t->field[i], apart, &r, rec, e));
	TRY(reader_end(&r, e));
	return version_of(t, rec) == version ? ERR_OK : wrong_version(t, e);
}

/* --- JSON, for people and for the details of entries -------------------------- */

static void
write_time(struct jw *w, const char *key, int64_t t)
{
	char text[TIME_TEXT];

	time_print(text, t);
	jw_member_str(w, key, bytes_str(text));
}

static void
write_blob(struct jw *w, const struct rec_field *f, struct bytes b)
{
	if (f->kind == REC_TEXT)
		jw_member_str(w, f->name, b);
	else
		jw_member_base64(w, f->name, b);
}

static void
write_map(struct jw *w, const struct rec_field *f, struct bytes lines)
{
	if (lines.len == 0)
		return;
	jw_key(w, f->name);
	attributes_write(w, lines);
}

static void
write_field(struct jw *w, const struct rec_field *f, const void *rec)
{
	switch (f->kind) {
	case REC_TEXT:
		jw_member_str_opt(w, f->name, *bytes_in(f, rec));
		break;
	case REC_BYTES:
		if (bytes_in(f, rec)->len > 0)
			jw_member_hex(w, f->name, *bytes_in(f, rec));
		break;
	case REC_MAP:
		write_map(w, f, *bytes_in(f, rec));
		break;
	case REC_ENTRY:
		if (int_in(f, rec) != 0)
			jw_member_int(w, f->name, int_in(f, rec));
		break;
	case REC_INT:
		if (!f->is_time)
			jw_member_int(w, f->name, int_in(f, rec));
		else if (int_in(f, rec) != 0)
			write_time(w, f->name, int_in(f, rec));
		break;
	case REC_WORD:
		jw_member_str_opt(w, f->name,
		    bytes_str(f->words[(size_t)int_in(f, rec)]));
		break;
	}
}

void
rec_write(struct jw *w, const struct rec_type *t, const void *rec,
    bool with_blobs)
{
	jw_object(w);
	for (size_t i = 0; i < t->n; i++) {
		const struct rec_field *f = &t->field[i];
		if (!f->is_private_blob)
			write_field(w, f, rec);
		else if (with_blobs && bytes_in(f, rec)->p != NULL &&
			 bytes_in(f, rec)->len > 0)
			write_blob(w, f, *bytes_in(f, rec));
	}
	jw_close(w, '}');
}

void
rec_json(const struct rec_type *t, const void *rec, bool with_blobs,
    struct buf *out)
{
	struct jw w = jw_of(out);

	rec_write(&w, t, rec, with_blobs);
}

/* A value that is not in its form, told as a fault of the document. */
static void
fault(struct json_obj o, const char *key)
{
	if (o.bad == NULL || *o.bad)
		return;
	*o.bad = true;
	(void)err_at(o.err, ERR_INVALID, "row-member", NULL, at_field(key),
	    "the member %s of a record is not in its form", key);
}

static int64_t
read_time(struct json_obj o, const char *key)
{
	struct bytes text = json_opt_str(o, key);
	int64_t t = 0;

	if (text.len == 0)
		return 0;
	if (bytes_is(text, "never"))
		return NEVER;
	if (!time_parse(text, &t))
		fault(o, key);
	return t;
}

static int64_t
read_word(struct json_obj o, const struct rec_field *f)
{
	/* Entries of before a word existed mean its first value. */
	struct bytes text = f->since > 1 && !json_has(o, f->name)
				? bytes_str(f->words[0])
				: json_get_str(o, f->name);

	for (size_t i = 0; f->words[i] != NULL; i++)
		if (bytes_is(text, f->words[i]))
			return (int64_t)i;
	fault(o, f->name);
	return 0;
}

/* An object of texts, with its members in order, as lines. */
static struct bytes
read_map(struct json_obj o, const char *key, struct arena *a)
{
	struct buf lines AUTO_BUF = BUF(ATTRIBUTES_TEXT_MAX);
	const char *name;

	if (!json_has(o, key))
		return BYTES_NONE;
	struct json_obj map = json_get_obj(o, key);
	for (size_t i = 0;
	    !lines.failed && (name = json_name_at(map, i)) != NULL; i++) {
		struct bytes value = json_get_str(map, name);
		buf_puts(&lines, i > 0 ? "\n" : "");
		buf_puts(&lines, name);
		buf_putc(&lines, '=');
		buf_put(&lines, value.p, value.len);
	}
	if (lines.failed || !attributes_canonical(buf_bytes(&lines)))
		fault(o, key);
	return arena_copy(a, buf_bytes(&lines));
}

void
rec_read(const struct rec_type *t, struct json_obj o, struct arena *a,
    void *rec)
{
	memset(rec, 0, t->size);
	for (size_t i = 0; i < t->n; i++) {
		const struct rec_field *f = &t->field[i];
		switch (f->kind) {
		case REC_TEXT:
			*bytes_at(f, rec) =
			    arena_copy(a, json_opt_str(o, f->name));
			break;
		case REC_BYTES:
			if (!json_has(o, f->name))
				break;
			*bytes_at(f, rec) = f->is_private_blob
						? json_get_base64(o, f->name, a)
						: json_get_hex(o, f->name, a);
			break;
		case REC_MAP:
			*bytes_at(f, rec) = read_map(o, f->name, a);
			break;
		case REC_ENTRY:
			*int_at(f, rec) = json_opt_int(o, f->name, 0);
			break;
		case REC_INT:
			*int_at(f, rec) = f->is_time
					      ? read_time(o, f->name)
					      : json_opt_int(o, f->name, 0);
			break;
		case REC_WORD:
			*int_at(f, rec) = read_word(o, f);
			break;
		}
	}
}
