/* libs: pkix */
#include <refrendo/pkix.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(what)               \
	do {                     \
		if (!(what))     \
			abort(); \
	} while (0)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { .code = ERR_OK };
	char out[RUN_TEXT], again[RUN_TEXT];

	if (run_parse(bytes_of(data, size), out, &e) != ERR_OK) {
		MUST(e.code == ERR_INVALID && e.say[0] != '\0');
		return 0;
	}
	MUST(strlen(out) >= 3 && strlen(out) < sizeof(out) && out[0] != '0');
	MUST(run_parse(bytes_str(out), again, &e) == ERR_OK);
	MUST(strcmp(out, again) == 0);
	return 0;
}
