/* libs: http */
/* A refusal has a sentence; what is accepted stays within the input. */
#include <stdlib.h>

#include <refrendo/http.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_reply r;
	struct err e;
	size_t used = 0;
	if (http_reply_parse(bytes_of(data, size), 1000, &r, &used, &e) !=
	    ERR_OK) {
		if (e.say[0] == '\0' || e.why[0] == '\0' || used != 0)
			abort();
		return 0;
	}
	if (used == 0)
		return 0;
	if (used > size || r.status < 200 || r.status > 599 ||
	    r.body.len > 1000 ||
	    (r.body.len > 0 && r.body.p + r.body.len != data + used))
		abort();
	return 0;
}
