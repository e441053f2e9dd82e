/* libs: audit */
#include <refrendo/audit.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Sizes and hashes from outside; nothing may lead to a root of zeros. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t zero[HASH_LEN];
	struct proof p = { .n = 0 };
	struct err e = { .code = ERR_OK };
	struct reader r = reader_of(bytes_of(data, size));
	uint64_t small = get_u64(&r), great = get_u64(&r);

	p.n = get_u8(&r);
	if (r.bad)
		return 0;
	for (size_t i = 0; i < p.n && i < PROOF_MAX; i++) {
		struct bytes h = get_raw(&r, HASH_LEN);
		if (h.len == HASH_LEN)
			memcpy(p.hash[i], h.p, HASH_LEN);
	}
	/* One leaf is its own root, so a tree of one is left out. */
	if (great != 1 &&
	    merkle_check_inclusion(&p, small, great, zero, zero, &e) == ERR_OK)
		abort();
	if (small != great && merkle_check_consistency(&p, small, great, zero,
				  zero, &e) == ERR_OK)
		abort();
	if (great != 1 && small != great && e.say[0] == '\0')
		abort();
	return 0;
}
