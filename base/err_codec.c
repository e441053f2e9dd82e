#include <stdio.h>

#include <refrendo/base.h>

void
err_encode(const struct err *refusal, struct buf *out)
{
	put_u8(out, (uint8_t)refusal->code);
	put_bytes(out, bytes_str(refusal->id == NULL ? "" : refusal->id));
	put_bytes(out, bytes_str(refusal->rule == NULL ? "" : refusal->rule));
	put_bytes(out, bytes_str(refusal->say));
	for (size_t i = 0; i < ERR_ARGS; i++)
		put_bytes(out, bytes_str(refusal->arg[i]));
	put_bytes(out, bytes_str(refusal->where.file));
	put_u32(out, refusal->where.line);
	put_u32(out, refusal->where.col);
	put_u64(out, refusal->where.byte);
	put_bytes(out, bytes_str(refusal->where.field));
}

static void
get_text(struct reader *r, char *out, size_t size)
{
	struct bytes text = get_bytes(r);
	if (text.len >= size || !utf8_valid(text))
		r->bad = true;
	else
		snprintf(out, size, "%.*s", BYTES_FMT(text));
}

enum err_code
err_decode(struct bytes in, struct arena *a, struct err *refusal, struct err *e)
{
	struct reader r = reader_of(in);
	struct err out = { .code = (enum err_code)get_u8(&r) };
	out.id = arena_str(a, get_bytes(&r));
	struct bytes rule = get_bytes(&r);
	out.rule = rule.len == 0 ? NULL : arena_str(a, rule);
	get_text(&r, out.say, sizeof(out.say));
	for (size_t i = 0; i < ERR_ARGS; i++)
		get_text(&r, out.arg[i], sizeof(out.arg[i]));
	get_text(&r, out.where.file, sizeof(out.where.file));
	out.where.line = get_u32(&r);
	out.where.col = get_u32(&r);
	out.where.byte = get_u64(&r);
	get_text(&r, out.where.field, sizeof(out.where.field));
	if (out.code == ERR_OK || out.code > ERR_NOMEM)
		r.bad = true;
	TRY(reader_end(&r, e));
	*refusal = out;
	return ERR_OK;
}
