/* libs: store */
/*
 * A row of the published store: refused with a sentence, or decoded and
 * encoded again to the same octets but for the tag, which is always that of
 * the body.
 */
#include <stdlib.h>
#include <string.h>

#include <refrendo/store.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf again AUTO_BUF = BUF(size + 64);
	struct public_row row, back;
	struct err e;

	enum err_code rc = public_row_decode(bytes_of(data, size), &row, &e);
	if (rc != ERR_OK) {
		if (rc != ERR_CORRUPT || e.say[0] == '\0')
			abort();
		return 0;
	}
	if (row.body.len > size || strlen(row.etag) != 32 ||
	    public_row_encode(&row, &again, &e) != ERR_OK || again.len != size)
		abort();
	if (memcmp(again.p, data, 27) != 0 ||
	    !bytes_eq(bytes_of(again.p + 43, size - 43), row.body))
		abort();
	if (public_row_decode(buf_bytes(&again), &back, &e) != ERR_OK ||
	    back.this_update != row.this_update ||
	    back.next_update != row.next_update || back.type != row.type)
		abort();
	return 0;
}
