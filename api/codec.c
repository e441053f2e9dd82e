/* codec - messages between front and core, both ends. */
#include <string.h>

#include <refrendo/api.h>

#define REFUSAL_MAX 4096

uint32_t
core_cap(uint16_t type)
{
	bool is_answer = (type & (CORE_ANSWER | CORE_REFUSAL)) != 0;
	uint16_t what = type & (uint16_t)~(CORE_ANSWER | CORE_REFUSAL);
	if (!is_answer && (what & CORE_WHOLE) != 0) {
		what &= (uint16_t)~CORE_WHOLE;
		if (what != CORE_COMMAND && what != CORE_GET &&
		    what != CORE_LIST)
			return 0;
	}
	switch (what) {
#define X(name, number, cap)                                                \
	case name:                                                          \
		if ((type & CORE_REFUSAL) != 0)                             \
			return (type & CORE_ANSWER) != 0 ? 0 : REFUSAL_MAX; \
		return (type & CORE_ANSWER) != 0 ? CORE_ANSWER_MAX : (cap);
		CORE_MESSAGES(X)
#undef X
	default:
		return 0;
	}
}

void
query_encode(const struct query *q, struct buf *out)
{
	switch (q->what) {
	case CORE_GET:
		put_u8(out, (uint8_t)q->class);
		put_bytes(out, q->key);
		break;
	case CORE_LIST:
		put_u8(out, (uint8_t)q->class);
		put_bytes(out, q->key);
		put_bytes(out, q->after);
		put_u64(out, q->limit);
		break;
	case CORE_EXPORT:
		put_u64(out, q->index);
		put_u64(out, q->limit);
		break;
	case CORE_CLOSING:
		put_u64(out, q->limit);
		break;
	case CORE_PROOF:
		put_u64(out, q->index);
		break;
	case CORE_SNAPSHOT:
	case CORE_EXPLAIN:
		put_bytes(out, q->key);
		break;
	case CORE_STATUS:
	case CORE_SEAL:
	case CORE_COMMAND:
		break;
	}
}

static void
get_fields(enum core_message what, struct reader *r, struct query *q)
{
	switch (what) {
	case CORE_GET:
		q->class = (enum row_class)get_u8(r);
		q->key = get_bytes(r);
		break;
	case CORE_LIST:
		q->class = (enum row_class)get_u8(r);
		q->key = get_bytes(r);
		q->after = get_bytes(r);
		q->limit = get_u64(r);
		break;
	case CORE_EXPORT:
		q->index = get_u64(r);
		q->limit = get_u64(r);
		break;
	case CORE_CLOSING:
		q->limit = get_u64(r);
		break;
	case CORE_PROOF:
		q->index = get_u64(r);
		break;
	case CORE_SNAPSHOT:
	case CORE_EXPLAIN:
		q->key = get_bytes(r);
		break;
	case CORE_STATUS:
	case CORE_SEAL:
		break;
	case CORE_COMMAND:
		r->bad = true;
		break;
	}
}

enum err_code
query_decode(enum core_message what, struct bytes in, struct query *out,
    struct err *e)
{
	struct query q = { .what = what };
	struct reader r = reader_of(in);
	struct err ignored;
	bool is_rows = what == CORE_GET || what == CORE_LIST;
	get_fields(what, &r, &q);
	if (reader_end(&r, &ignored) != ERR_OK ||
	    core_cap((uint16_t)what) == 0 ||
	    (is_rows && rec_of_class(q.class) == NULL) ||
	    q.key.len >= ROW_KEY_MAX || q.after.len >= ROW_KEY_MAX)
		return err_say(e, ERR_INVALID, "query-form",
		    "the query is not in the form that queries have");
	*out = q;
	return ERR_OK;
}

/* The class is the first octet of the key. */
void
rows_put(struct buf *out, struct bytes key, struct bytes value)
{
	put_bytes(out, key);
	put_bytes(out, value);
}

bool
rows_get(struct reader *r, struct bytes *key, struct bytes *value)
{
	if (r->bad || r->p == r->end)
		return false;
	*key = get_bytes(r);
	*value = get_bytes(r);
	if (key->len == 0)
		r->bad = true;
	return !r->bad;
}
