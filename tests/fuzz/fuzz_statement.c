/* libs: audit */
#include <refrendo/audit.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What parses prints to the same octets. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena) a = arena_new();
	struct statement s;
	struct err e = { .code = ERR_OK };
	struct buf out AUTO_BUF = BUF(STATEMENT_MAX);

	if (statement_parse(bytes_of(data, size), a, &s, &e) != ERR_OK) {
		if (e.say[0] == '\0')
			abort();
		return 0;
	}
	if (statement_print(&s, &out, &e) != ERR_OK ||
	    !bytes_eq(buf_bytes(&out), bytes_of(data, size)))
		abort();
	return 0;
}
