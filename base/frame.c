/* frame - messages between processes: length, type, id, body. */
#include <stdio.h>

#include <refrendo/base.h>

/* What the length counts besides the body: type and id. */
#define COUNTED 10u

_Static_assert(FRAME_HEAD == 4 + COUNTED, "a head is length, type and id");

void
frame_put(struct buf *out, uint16_t type, uint64_t id, struct bytes body)
{
	if (body.len > FRAME_MAX || out->failed) {
		out->failed = true;
		return;
	}
	size_t before = out->len;
	put_u32(out, (uint32_t)(COUNTED + body.len));
	put_u16(out, type);
	put_u64(out, id);
	buf_put(out, body.p, body.len);
	/* Half a frame would make the peer read the next as its body. */
	if (out->failed)
		out->len = before;
}

static enum err_code
too_large(uint32_t len, uint32_t most, struct err *e)
{
	char found[16], allowed[16];
	snprintf(found, sizeof(found), "%u", len);
	snprintf(allowed, sizeof(allowed), "%u", most);
	return err_at(e, ERR_INVALID, "frame-too-large", NULL, AT_BYTE(0),
	    "a message has %s bytes where at most %s are allowed", found,
	    allowed);
}

/* The length and, once it is there, the type: nothing else is looked at. */
static enum err_code
check_head(struct reader r, uint32_t (*cap)(uint16_t type), uint32_t *body,
    struct err *e)
{
	uint32_t len = get_u32(&r);
	if (len < COUNTED)
		return err_at(e, ERR_INVALID, "frame-length", NULL, AT_BYTE(0),
		    "a message is shorter than its own head");
	*body = len - COUNTED;
	if (*body > FRAME_MAX)
		return too_large(*body, FRAME_MAX, e);
	uint16_t type = get_u16(&r);
	if (r.bad)
		return ERR_OK;
	uint32_t most = cap(type);
	if (most == 0) {
		char found[8];
		snprintf(found, sizeof(found), "%u", type);
		return err_at(e, ERR_INVALID, "frame-type", NULL, AT_BYTE(4),
		    "a message has type %s, which may not be sent here", found);
	}
	return *body > most ? too_large(*body, most, e) : ERR_OK;
}

enum err_code
frame_cut(struct bytes in, uint32_t (*cap)(uint16_t type), struct frame *out,
    size_t *used, struct err *e)
{
	*used = 0;
	if (in.len < 4)
		return ERR_OK;
	uint32_t len;
	struct reader r = reader_of(in);
	TRY(check_head(r, cap, &len, e));
	if (in.len - 4 < (size_t)COUNTED + len)
		return ERR_OK;
	get_u32(&r);
	out->type = get_u16(&r);
	out->id = get_u64(&r);
	out->body = get_raw(&r, len);
	*used = FRAME_HEAD + (size_t)len;
	return ERR_OK;
}
