/* libs: audit */
#include <refrendo/audit.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t spki[44] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b,
	0x65, 0x70, 0x03, 0x21, 0x00, 1 };

/* A note with any text; and paths of tiles, which print to the same. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(verifier) v = NULL;
	struct checkpoint c;
	struct err e = { .code = ERR_OK };
	int level;
	uint64_t n;
	unsigned width;

	if (verifier_new(&v, &e) != ERR_OK)
		abort();
	if (checkpoint_verify(bytes_of(data, size), bytes_str("log.example"),
		bytes_of(spki, sizeof(spki)), v, &c, &e) == ERR_OK ||
	    e.say[0] == '\0')
		abort();
	if (tile_path_parse(bytes_of(data, size), &level, &n, &width)) {
		char path[TILE_PATH_MAX];
		tile_path(path, sizeof(path), (unsigned)level, n, width);
		if (!bytes_is(bytes_of(data, size), path))
			abort();
	}
	return 0;
}
