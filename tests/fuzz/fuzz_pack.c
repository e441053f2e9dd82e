/* libs: audit */
#include <refrendo/audit.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of the log whose pack is in the corpus. */
static const uint8_t spki[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65,
	0x70, 0x03, 0x21, 0x00, 0xf4, 0x21, 0xd9, 0x07, 0x9f, 0xd9, 0xd8, 0xa4,
	0x1a, 0x2b, 0xab, 0x4e, 0xed, 0x7f, 0x26, 0x7f, 0x21, 0x88, 0xe2, 0xd5,
	0x50, 0x8b, 0x85, 0xcb, 0xa9, 0xa2, 0xbc, 0xd2, 0x64, 0x99, 0x10,
	0x14 };

/* A pack from anybody: refused with a sentence, or whole and in its limits. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pack pack;
	AUTO(verifier) v = NULL;
	AUTO(arena) a = arena_new();
	struct err e = { .code = ERR_OK };

	if (verifier_new(&v, &e) != ERR_OK)
		abort();
	if (pack_read(bytes_of(data, size), bytes_of(spki, sizeof(spki)), a, v,
		&pack, &e) != ERR_OK) {
		if (e.say[0] == '\0')
			abort();
		return 0;
	}
	if (pack.n > PACK_LISTS_MAX || size > PACK_MAX)
		abort();
	for (size_t i = 0; i < pack.n; i++) {
		const struct pack_list *l = &pack.list[i];
		struct crl_cursor at = { 0 };
		struct crl_entry entry;
		while (crl_next(&l->crl, &at, &entry)) {
			if (entry.serial.len == 0)
				abort();
		}
		if (l->covers > l->index || l->index >= l->log_size)
			abort();
	}
	return 0;
}
