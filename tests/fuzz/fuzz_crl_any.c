/* libs: crl */
/*
 * A refusal has a sentence; as many entries come out one by one as were
 * counted; what our own reader takes, this one takes too, to the same.
 */
#include <stdlib.h>

#include <refrendo/crl.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
within(struct bytes part, const uint8_t *data, size_t size)
{
	if (part.len > 0 && (part.p < data || part.p + part.len > data + size))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct crl_any c;
	struct crl_any_entry x;
	struct crl ours;
	struct err e = { .say = "" }, ignored;
	size_t n = 0;
	bool strict =
	    crl_parse(bytes_of(data, size), &ours, &ignored) == ERR_OK;
	if (crl_any_parse(bytes_of(data, size), &c, &e) != ERR_OK) {
		if (e.say[0] == '\0' || strict)
			abort();
		return 0;
	}
	within(c.tbs, data, size);
	within(c.url, data, size);
	within(c.freshest, data, size);
	for (struct bytes rest = c.entries; crl_any_next(&rest, &x); n++) {
		within(x.serial, data, size);
		if (x.serial.len == 0)
			abort();
	}
	if (n != c.n_entry)
		abort();
	if (strict &&
	    (!bytes_eq(ours.url, c.url) || ours.this_update != c.this_update ||
		ours.next_update != c.next_update ||
		!bytes_eq(ours.aki, c.aki) ||
		(ours.base != 0) != (c.base.len > 0) ||
		!bytes_eq(ours.freshest, c.freshest)))
		abort();
	return 0;
}
