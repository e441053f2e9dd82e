/* libs: ocsp */
/*
 * A request as DER and, the same octets, as the path of a GET.  A refusal
 * has a sentence; what is accepted stays within the input and its limits.
 */
#include <stdlib.h>
#include <string.h>

#include <refrendo/ocsp.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * The quick way knows an issuer that the octets themselves name, where a plain
 * request has its hashes; whatever it takes, the walk takes too, to the same.
 */
static void
judge_quick(struct bytes der, size_t skip, size_t hash, bool big)
{
	static struct issuer_id ca;
	struct ocsp_quick quick;
	struct ocsp_request q;
	struct bytes serial;
	struct err e;
	if (der.len < skip + 2 * hash + 4)
		return;
	memcpy(big ? ca.name_sha256 : ca.name_sha1, der.p + skip + 2, hash);
	memcpy(big ? ca.key_sha256 : ca.key_sha1, der.p + skip + hash + 4,
	    hash);
	ocsp_quick_set(&quick, &ca);
	if (!ocsp_quick(&quick, der, &serial))
		return;
	if (ocsp_request_parse(der, &q, &e) != ERR_OK || q.n_id != 1 ||
	    q.has_nonce || !ocsp_id_matches(&q.id[0], &ca) ||
	    q.id[0].serial.p != serial.p || q.id[0].serial.len != serial.len)
		abort();
}

static void
judge(struct bytes der)
{
	judge_quick(der, 10 + 11, 20, false);
	judge_quick(der, 10 + 9, 20, false);
	judge_quick(der, 10 + 15, 32, true);
	judge_quick(der, 10 + 13, 32, true);
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
