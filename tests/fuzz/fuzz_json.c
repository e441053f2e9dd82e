/* libs: audit */
#include <refrendo/audit.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is canonical parses without that demand too; refusals have sentences. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const known[] = { "a", "b", NULL };
	AUTO(json) strict = NULL;
	AUTO(json) loose = NULL;
	AUTO(arena) a = arena_new();
	struct err e = { .code = ERR_OK };
	bool bad = false;

	enum err_code s = json_parse(bytes_of(data, size), true, &strict, &e);
	if (s != ERR_OK && e.say[0] == '\0')
		abort();
	enum err_code l = json_parse(bytes_of(data, size), false, &loose, &e);
	if (s == ERR_OK && l != ERR_OK)
		abort();
	if (l != ERR_OK)
		return 0;
	struct json_obj o = json_root(loose, &bad, &e);
	json_only(o, known);
	(void)json_get_hex(o, "a", a);
	(void)json_get_base64(o, "a", a);
	(void)json_get_int(o, "b");
	for (size_t i = 0; i < json_count(o, "c") && i < 10; i++)
		(void)json_at_str(json_at_obj(o, "c", i), "d", i);
	(void)json_get_obj(o, "a.b");
	if (bad && e.say[0] == '\0')
		abort();
	return 0;
}
