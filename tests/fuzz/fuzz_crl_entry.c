/* libs: crl */
/*
 * An entry in the middle of a list is read as the one at its end is: the
 * reading by place, which needs octets behind it, agrees with the general one.
 */
#include <stdlib.h>
#include <string.h>

#include <refrendo/crl.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
both_ways(struct bytes der, bool is_delta)
{
	uint8_t room[2 * CRL_ENTRY_MAX] = { 0 };
	struct crl end = { .entries = der, .base = is_delta ? 1 : 0 };
	struct crl middle = { .entries = bytes_of(room, sizeof(room)),
		.base = end.base };
	struct crl_cursor a = { 0 }, b = { 0 };
	struct crl_entry x, y;
	memcpy(room, der.p, der.len);
	bool good = crl_next(&end, &a, &x);
	if (crl_next(&middle, &b, &y) != good)
		abort();
	if (good && (a.at != b.at || !bytes_eq(x.serial, y.serial) ||
			x.revoked_at != y.revoked_at || x.reason != y.reason ||
			x.invalid_since != y.invalid_since))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* As long as it says. */
	if (size < 2 || data[1] > size - 2)
		return 0;
	struct bytes der = bytes_of(data, 2u + data[1]);
	if (der.len >= CRL_ENTRY_MAX)
		return 0;
	both_ways(der, false);
	both_ways(der, true);
	return 0;
}
