#include <string.h>

#include "inner.h"

/*
 * Attributes of a person: lines of name=value with a line feed between them,
 * sorted by name, none twice.
 */

bool
attribute_next(struct bytes *rest, struct attribute *out)
{
	if (rest->len == 0)
		return false;
	const uint8_t *end = memchr(rest->p, '\n', rest->len);
	size_t len = end == NULL ? rest->len : (size_t)(end - rest->p);
	const uint8_t *eq = len == 0 ? NULL : memchr(rest->p, '=', len);
	size_t n = eq == NULL ? len : (size_t)(eq - rest->p);
	size_t begin = eq == NULL ? len : n + 1;

	out->name = bytes_of(rest->p, n);
	out->value = bytes_of(rest->p + begin, len - begin);
	len += end == NULL ? 0 : 1;
	*rest = bytes_of(rest->p + len, rest->len - len);
	return true;
}

bool
attributes_canonical(struct bytes lines)
{
	struct bytes last = BYTES_NONE, rest = lines;
	struct attribute at;
	struct err no;
	size_t n = 0;

	/* Nothing stands behind a feed at the end. */
	if (lines.len > 0 && lines.p[lines.len - 1] == '\n')
		return false;
	while (attribute_next(&rest, &at)) {
		if (++n > ATTRIBUTES_MAX ||
		    attribute_check(&at, &no) != ERR_OK ||
		    bytes_cmp(last, at.name) >= 0)
			return false;
		last = at.name;
	}
	return true;
}

/* Into its place among the n that are sorted already. */
static enum err_code
place(struct attribute *all, size_t n, const struct attribute *at,
    struct arena *a, struct err *e)
{
	size_t i = n;

	while (i > 0 && bytes_cmp(all[i - 1].name, at->name) > 0) {
		all[i] = all[i - 1];
		i--;
	}
	if (i > 0 && bytes_eq(all[i - 1].name, at->name))
		return err_at(e, ERR_INVALID, "attribute-twice", NULL,
		    at_field(ca_fields[CF_ATTRIBUTE].name),
		    "the attribute %s is given twice; give it once",
		    arena_str(a, at->name));
	all[i] = *at;
	return ERR_OK;
}

static struct bytes
join(const struct attribute *all, size_t n, struct arena *a)
{
	struct buf b AUTO_BUF = BUF(ATTRIBUTES_TEXT_MAX);

	for (size_t i = 0; i < n; i++) {
		buf_puts(&b, i > 0 ? "\n" : "");
		buf_put(&b, all[i].name.p, all[i].name.len);
		buf_putc(&b, '=');
		buf_put(&b, all[i].value.p, all[i].value.len);
	}
	return arena_copy(a, buf_bytes(&b));
}

enum err_code
attributes_check(struct bytes *lines, struct arena *a, struct err *e)
{
	struct attribute all[ATTRIBUTES_MAX], at;
	struct bytes rest = *lines;
	size_t n = 0;

	while (attribute_next(&rest, &at)) {
		/* Without a value it is to be taken away. */
		struct attribute judged = { at.name,
			at.value.len > 0 ? at.value : bytes_str("-") };
		enum err_code code = attribute_check(&judged, e);
		if (code != ERR_OK) {
			e->where = at_field(ca_fields[CF_ATTRIBUTE].name);
			return code;
		}
		if (n == ATTRIBUTES_MAX)
			return err_at(e, ERR_INVALID, "attribute-many", NULL,
			    at_field(ca_fields[CF_ATTRIBUTE].name),
			    "a person has at most 16 attributes; leave some "
			    "out");
		TRY(place(all, n++, &at, a, e));
	}
	*lines = join(all, n, a);
	return ERR_OK;
}

struct bytes
attributes_given(struct bytes lines, struct arena *a)
{
	struct attribute all[ATTRIBUTES_MAX + 1];
	size_t n = 0;

	while (attribute_next(&lines, &all[n]))
		n += all[n].value.len > 0;
	return n == 0 ? BYTES_NONE : join(all, n, a);
}

size_t
attributes_list(struct bytes lines, struct attribute out[ATTRIBUTES_MAX])
{
	struct attribute at;
	size_t n = 0;

	while (n < ATTRIBUTES_MAX && attribute_next(&lines, &at))
		out[n++] = at;
	return n;
}

void
attributes_write(struct jw *w, struct bytes lines)
{
	struct attribute at;

	jw_object(w);
	while (attribute_next(&lines, &at)) {
		char key[ATTRIBUTE_NAME_MAX + 1];
		memcpy(key, at.name.p, at.name.len);
		key[at.name.len] = '\0';
		jw_member_str(w, key, at.value);
	}
	jw_close(w, '}');
}
