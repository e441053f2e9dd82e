/* libs: ocsp */
/*
 * A request as DER and, the same octets, as the path of a GET.  A refusal
 * has a sentence; what is accepted stays within the input and its limits.
 */
#include <stdlib.h>

#include <refrendo/ocsp.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
judge(struct bytes der)
{
	struct ocsp_request q;
	struct err e = { .say = "" };
	enum err_code code = ocsp_request_parse(der, &q, &e);
	if (code != ERR_OK) {
		if ((code != ERR_INVALID && code != ERR_NOTFOUND) ||
		    e.say[0] == '\0')
			abort();
		return;
	}
	if (q.n_id == 0 || q.n_id > OCSP_IDS_MAX || q.nonce.len > 128 ||
	    q.has_nonce != (q.nonce.len > 0))
		abort();
	for (size_t i = 0; i < q.n_id; i++) {
		struct bytes s = q.id[i].serial;
		if (s.len == 0 || s.len > SERIAL_MAX || s.p < der.p ||
		    s.p + s.len > der.p + der.len)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t out[OCSP_GET_MAX];
	size_t len = sizeof(out);
	struct err e = { .say = "" };
	judge(bytes_of(data, size));
	if (ocsp_get_decode(bytes_of(data, size), out, &len, &e) == ERR_OK)
		judge(bytes_of(out, len));
	else if (e.say[0] == '\0')
		abort();
	return 0;
}
