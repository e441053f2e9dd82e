/* libs: ca policy audit pkix base */
#include <refrendo/ca.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds, const char *what)
{
	if (!holds)
		fatal("%s", what);
}

/*
 * A command as front sends it: what decodes encodes to the same octets; what
 * is checked keeps its check and gains nothing by a second one.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { .code = ERR_OK };
	struct command c, twice;
	struct buf again AUTO_BUF = BUF(1 << 20);
	AUTO(arena) a = arena_new();

	if (command_decode(bytes_of(data, size), &c, &e) != ERR_OK) {
		must(e.code == ERR_INVALID && e.say[0] != '\0',
		    "a refusal has a sentence");
		return 0;
	}
	command_encode(&c, &again);
	must(bytes_eq(buf_bytes(&again), bytes_of(data, size)),
	    "a command encodes to itself");
	if (command_check(&c, a, &e) != ERR_OK) {
		must(e.say[0] != '\0', "a refusal has a sentence");
		return 0;
	}
	twice = c;
	must(command_check(&twice, a, &e) == ERR_OK, "a check holds");
	for (size_t i = 0; i < CF_COUNT; i++)
		must(bytes_eq(c.f[i], twice.f[i]), "stored forms are stable");
	return 0;
}
