/* libs: ocsp */
/*
 * A refusal has a sentence; what is read lies within the input, and as many
 * statuses come out one by one as were counted.
 */
#include <stdlib.h>

#include <refrendo/ocsp.h>

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
	struct ocsp_response r;
	struct ocsp_status s;
	struct err e = { .say = "" };
	size_t n = 0;
	if (ocsp_response_parse(bytes_of(data, size), &r, &e) != ERR_OK) {
		if (e.say[0] == '\0')
			abort();
		return 0;
	}
	if (r.status < 0 || r.status > 6 || (r.status != 0 && r.tbs.len > 0))
		abort();
	within(r.tbs, data, size);
	within(r.certs, data, size);
	within(r.signature, data, size);
	within(r.nonce, data, size);
	if (r.status == 0 && (r.by_name.len > 0) == (r.by_key.len > 0))
		abort();
	for (struct bytes rest = r.statuses; ocsp_response_next(&rest, &s); n++)
		within(s.serial, data, size);
	if (n != r.n_status || (r.status == 0 && n == 0))
		abort();
	return 0;
}
