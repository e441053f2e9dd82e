/* render - core's answers as what an HTTP client reads. */
#include <string.h>

#include "internal.h"

#define TYPE_JSON  "application/json"
#define TYPE_TEXT  "text/plain; charset=utf-8"
#define TYPE_LINES "application/jsonl"
/* Core ends a page here, before its limit of rows. */
#define PAGE_OCTETS (1u << 20)

/* The record of a row, decoded into the arena. */
static enum err_code
decode_row(struct bytes key, struct bytes value, struct arena *a,
    const struct rec_type **type, void **rec, struct err *e)
{
	*type = rec_of_class((enum row_class)key.p[0]);
	if (*type == NULL)
		return err_say(e, ERR_CORRUPT, "api-row-class",
		    "core answered with a record of a class that is not known");
	*rec = arena_get(a, (*type)->size + 1);
	return rec_decode(*type, value, *rec, e);
}

/* Beside each list of a CA its newest number of all: no list of its own. */
static bool
is_number_of_crl(struct bytes key, const void *rec)
{
	return key.p[0] == ROW_CRL &&
	       key.len == 1 + ((const struct crl_row *)rec)->issuer.len;
}

static enum err_code
render_list(const struct api_call *call, struct reader *rows, struct arena *a,
    struct buf *body, struct err *e)
{
	struct bytes key, value, last = BYTES_NONE;
	size_t octets = (size_t)(rows->end - rows->p);
	uint64_t n = 0;
	const char *comma = "";
	buf_puts(body, "{\"items\":[");
	while (rows_get(rows, &key, &value)) {
		const struct rec_type *type;
		void *rec;
		TRY(decode_row(key, value, a, &type, &rec, e));
		n++;
		last = key;
		if (is_number_of_crl(key, rec))
			continue;
		buf_puts(body, comma);
		comma = ",";
		rec_json(type, rec, call->with_blobs, body);
		arena_reset(a);
	}
	buf_putc(body, ']');
	if (n > 0 && (n >= call->query.limit || octets >= PAGE_OCTETS)) {
		char next[HEX_LEN(ROW_KEY_MAX)];
		if (last.len > ROW_KEY_MAX)
			return err_say(e, ERR_CORRUPT, "api-row-key",
			    "core answered with a key that is too long");
		hex_print(next, bytes_of(last.p + 1, last.len - 1));
		buf_putf(body, ",\"next\":\"%s\"", next);
	}
	buf_putc(body, '}');
	return reader_end(rows, e);
}

static enum err_code
render_raw(const struct api_call *call, const struct rec_type *type,
    const void *rec, struct buf *body, struct err *e)
{
	for (size_t i = 0; i < type->n; i++) {
		const struct rec_field *f = &type->field[i];
		if (strcmp(f->name, call->raw) != 0)
			continue;
		struct bytes value =
		    *(const struct bytes *)(const void *)((const uint8_t *)rec +
							  f->offset);
		if (value.p == NULL || value.len == 0)
			return err_say(e, ERR_NOTFOUND, "api-not-yet",
			    "this %s has no %s yet; look at its state",
			    type->name, call->raw);
		buf_put(body, value.p, value.len);
		return ERR_OK;
	}
	fatal("api: %s has no member %s", type->name, call->raw);
}

static enum err_code
render_row(const struct api_call *call, struct reader *rows, struct arena *a,
    struct buf *body, struct err *e)
{
	struct bytes key, value;
	const struct rec_type *type;
	void *rec;
	if (!rows_get(rows, &key, &value))
		return err_say(e, ERR_CORRUPT, "api-row-missing",
		    "core answered without a record");
	TRY(decode_row(key, value, a, &type, &rec, e));
	if (call->raw != NULL)
		TRY(render_raw(call, type, rec, body, e));
	else
		rec_json(type, rec, call->with_blobs, body);
	return reader_end(rows, e);
}

static void
render_snapshot(struct bytes answer, struct buf *body)
{
	struct jw w = jw_of(body);
	jw_object(&w);
	jw_member_str(&w, "directory", answer);
	jw_close(&w, '}');
}

static enum err_code
render_query(const struct api_call *call, struct bytes answer, struct arena *a,
    struct buf *body, const char **type, struct err *e)
{
	struct reader r = reader_of(answer);
	switch (call->query.what) {
	case CORE_GET:
		*type = call->raw != NULL ? call->raw_type : TYPE_JSON;
		return render_row(call, &r, a, body, e);
	case CORE_LIST:
		*type = TYPE_JSON;
		return render_list(call, &r, a, body, e);
	case CORE_STATUS:
	case CORE_EXPLAIN:
		*type = TYPE_JSON;
		buf_put(body, answer.p, answer.len);
		return ERR_OK;
	case CORE_EXPORT:
		*type = TYPE_LINES;
		(void)get_u64(&r);
		buf_put(body, r.p, (size_t)(r.end - r.p));
		return ERR_OK;
	case CORE_CLOSING:
		*type = TYPE_LINES;
		buf_put(body, answer.p, answer.len);
		return ERR_OK;
	case CORE_SEAL:
	case CORE_PROOF:
		*type = TYPE_TEXT;
		buf_put(body, answer.p, answer.len);
		return ERR_OK;
	case CORE_SNAPSHOT:
		*type = TYPE_JSON;
		render_snapshot(answer, body);
		return ERR_OK;
	case CORE_COMMAND:
		break;
	}
	fatal("api: no rendering for message %d", (int)call->query.what);
}

enum err_code
api_render(const struct api_call *call, struct bytes answer, struct buf *body,
    const char **type, struct err *e)
{
	AUTO(arena) a = arena_new();
	*type = TYPE_JSON;
	if (call->is_command) {
		struct reader r = reader_of(answer);
		TRY(render_row(call, &r, a, body, e));
	} else {
		TRY(render_query(call, answer, a, body, type, e));
	}
	return buf_end(body, e);
}

void
api_problem(struct buf *out, const struct err *e, int status)
{
	size_t n = ERR_ARGS;
	while (n > 0 && e->arg[n - 1][0] == '\0')
		n--;
	http_problem(out, e, status);
	if (n == 0 || out->failed)
		return;
	/* RFC 9457 3.2: further members are ours to add. */
	out->len--;
	buf_puts(out, ",\"args\":[");
	for (size_t i = 0; i < n; i++) {
		buf_puts(out, i > 0 ? "," : "");
		json_put_string(out, bytes_str(e->arg[i]));
	}
	buf_puts(out, "]}");
}
