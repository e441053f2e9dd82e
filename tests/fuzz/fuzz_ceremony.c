/* libs: audit */
#include <refrendo/audit.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What parses prints to the same octets, but for line feeds at its end. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena) a = arena_new();
	struct ceremony_file f;
	struct err e = { .code = ERR_OK };
	struct bytes in = bytes_of(data, size);
	struct buf out AUTO_BUF = BUF(CEREMONY_FILE_MAX);

	if (ceremony_file_parse(in, a, &f, &e) != ERR_OK) {
		if (e.say[0] == '\0')
			abort();
		return 0;
	}
	ceremony_file_print(&f, &out);
	if (out.failed || out.len > size ||
	    !bytes_eq(buf_bytes(&out), bytes_of(data, out.len)))
		abort();
	return 0;
}
