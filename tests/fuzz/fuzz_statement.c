/* libs: audit */
#include <refrendo/audit.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
activation(struct bytes in, struct arena *a)
{
	struct activation_statement s;
	struct err e = { .code = ERR_OK };
	struct buf out AUTO_BUF = BUF(STATEMENT_MAX);

	if (activation_parse(in, a, &s, &e) != ERR_OK) {
		if (e.say[0] == '\0')
			abort();
		return;
	}
	if (!statement_is_activation(in) ||
	    activation_print(&s, &out, &e) != ERR_OK ||
	    !bytes_eq(buf_bytes(&out), in))
		abort();
}

/* What parses prints to the same octets. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena) a = arena_new();
	struct statement s;
	struct err e = { .code = ERR_OK };
	struct buf out AUTO_BUF = BUF(STATEMENT_MAX);

	activation(bytes_of(data, size), a);
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
