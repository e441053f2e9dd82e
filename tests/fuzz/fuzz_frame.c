/* libs: base */
/*
 * A stream of frames: what cuts puts back to the same octets, what is refused
 * has a sentence, and the typed getters stay inside a body.
 */
#include <stdlib.h>

#include <refrendo/base.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t
cap(uint16_t type)
{
	return type == 0 ? 0 : type < 8 ? 64 : FRAME_MAX;
}

static void
require(bool fact)
{
	if (!fact)
		abort();
}

/* Reads the body by a plan that its own type and octets give. */
static void
read_body(struct frame f)
{
	struct reader r = reader_of(f.body);
	struct buf again AUTO_BUF = BUF(FRAME_MAX + 16u);
	while (!r.bad && r.p != r.end) {
		struct bytes all = bytes_of(r.p, (size_t)(r.end - r.p));
		size_t before = again.len;
		switch ((all.p[0] ^ f.type) % 6) {
		case 0:
			put_u8(&again, get_u8(&r));
			break;
		case 1:
			put_u16(&again, get_u16(&r));
			break;
		case 2:
			put_u32(&again, get_u32(&r));
			break;
		case 3:
			put_u64(&again, get_u64(&r));
			break;
		case 4:
			put_i64(&again, get_i64(&r));
			break;
		default:
			put_bytes(&again, get_bytes(&r));
		}
		if (!r.bad)
			require(bytes_eq(bytes_of(again.p + before,
					     again.len - before),
			    bytes_of(all.p, again.len - before)));
	}
	struct err e = { .code = ERR_OK };
	enum err_code code = reader_end(&r, &e);
	require((code == ERR_CORRUPT) == r.bad);
	require(code == ERR_OK || e.say[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	while (in.len > 0) {
		struct frame f;
		size_t used;
		struct err e = { .code = ERR_OK };
		enum err_code code = frame_cut(in, cap, &f, &used, &e);
		require(used <= in.len);
		require(code == ERR_OK || (used == 0 && e.say[0] != '\0'));
		if (used == 0)
			break;
		require(f.body.len <= cap(f.type));
		struct buf out AUTO_BUF = BUF(used);
		frame_put(&out, f.type, f.id, f.body);
		require(bytes_eq(buf_bytes(&out), bytes_of(in.p, used)));
		read_body(f);
		in = bytes_of(in.p + used, in.len - used);
	}
	return 0;
}
