#include <string.h>

#include "inner.h"

#define REC_VERSION 1

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

void
rec_encode(const struct rec_type *t, const void *rec, struct buf *out)
{
	put_u8(out, REC_VERSION);
	for (size_t i = 0; i < t->n; i++) {
		const struct rec_field *f = &t->field[i];
		switch (f->kind) {
		case REC_TEXT:
		case REC_BYTES:
			put_bytes(out, *bytes_in(f, rec));
			break;
		case REC_INT:
			put_i64(out, int_in(f, rec));
			break;
		case REC_WORD:
			put_u8(out, (uint8_t)int_in(f, rec));
			break;
		}
	}
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
decode_field(const struct rec_type *t, const struct rec_field *f,
    struct reader *r, void *rec, struct err *e)
{
	switch (f->kind) {
	case REC_TEXT:
	case REC_BYTES:
		*bytes_at(f, rec) = get_bytes(r);
		if (f->kind == REC_TEXT && !is_text(*bytes_at(f, rec)))
			return err_say(e, ERR_CORRUPT, "row-text",
			    "the member %s of a stored %s is not text", f->name,
			    t->name);
		break;
	case REC_INT:
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

enum err_code
rec_decode(const struct rec_type *t, struct bytes row, void *rec, struct err *e)
{
	struct reader r = reader_of(row);

	if (get_u8(&r) != REC_VERSION)
		return err_say(e, ERR_CORRUPT, "row-version",
		    "a stored %s is of a version that this program does not "
		    "know",
		    t->name);
	if (t->size > 0)
		memset(rec, 0, t->size);
	for (size_t i = 0; i < t->n; i++)
		TRY(decode_field(t, &t->field[i], &r, rec, e));
	return reader_end(&r, e);
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
	case REC_INT:
		if (!f->is_time)
			jw_member_int(w, f->name, int_in(f, rec));
		else if (int_in(f, rec) != 0)
			write_time(w, f->name, int_in(f, rec));
		break;
	case REC_WORD:
		jw_member_str(w, f->name,
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
		else if (with_blobs && bytes_in(f, rec)->len > 0)
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
	struct bytes text = json_get_str(o, f->name);

	for (size_t i = 0; f->words[i] != NULL; i++)
		if (bytes_is(text, f->words[i]))
			return (int64_t)i;
	fault(o, f->name);
	return 0;
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
