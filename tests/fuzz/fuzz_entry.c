/* libs: audit */
#include <refrendo/audit.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t log_spki[44] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b,
	0x65, 0x70, 0x03, 0x21, 0x00, 1 };

/* A leaf that is accepted is what the writer writes. */
static void
leaf(struct bytes in)
{
	AUTO(arena) a = arena_new();
	struct entry en = { .leaf = in };
	struct err e = { .code = ERR_OK };
	enum entry_type type;
	int64_t time;
	bool glanced = entry_glance(in, &type, &time);

	if (entry_parse(&en, a, &e) != ERR_OK) {
		if (e.code != ERR_CORRUPT || e.say[0] == '\0')
			abort();
		return;
	}
	/* The glance at its end says what the whole of it says. */
	if (!glanced || type != en.type || time != en.time)
		abort();
	struct buf again AUTO_BUF = BUF(ENTRY_LEAF_MAX);
	en.detail = bytes_str("{}");
	/* All but the 64 digits of the hash, which lie after the first. */
	if (entry_leaf_build(&en, &again, &e) != ERR_OK || again.len != in.len)
		abort();
	const char *mine = buf_text(&again), *at = strstr(mine, "\"detail\":");
	size_t hash = (size_t)(at - mine) + 10;
	if (memcmp(mine, in.p, hash) != 0 ||
	    memcmp(mine + hash + 64, in.p + hash + 64, in.len - hash - 64) != 0)
		abort();
}

/* What reads as a line of an entry with a good leaf was glanced at rightly. */
static void
line(struct bytes in)
{
	AUTO(arena) a = arena_new();
	AUTO(json) keep = NULL;
	struct entry en;
	struct err e = { .code = ERR_OK };
	enum entry_type type;
	int64_t time;
	bool glanced = export_glance(in, &type, &time);

	if (export_entry_read(in, &keep, a, &en, &e) != ERR_OK) {
		if (e.say[0] == '\0')
			abort();
		return;
	}
	if (entry_parse_leaf(&en, a, &e) == ERR_OK && glanced &&
	    (type != en.type || time != en.time))
		abort();
}

/* The whole input as the lines of an export. */
static void
lines(struct bytes in)
{
	AUTO(audit) audit = NULL;
	struct err_list faults = { .len = 0 };
	struct audit_report report;
	struct err e;

	if (audit_new(bytes_of(log_spki, sizeof(log_spki)), &audit, &e) !=
	    ERR_OK)
		abort();
	while (in.len > 0) {
		const uint8_t *end = memchr(in.p, '\n', in.len);
		size_t len = end == NULL ? in.len : (size_t)(end - in.p);
		line(bytes_of(in.p, len));
		audit_line(audit, bytes_of(in.p, len), &faults);
		len += end != NULL;
		in = bytes_of(in.p + len, in.len - len);
	}
	audit_finish(audit, &report, &faults);
	/* No key that a fuzzer has signs a checkpoint. */
	if (faults.count == 0)
		abort();
	for (size_t i = 0; i < faults.len; i++)
		if (faults.v[i].say[0] == '\0')
			abort();
	err_list_fini(&faults);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	leaf(bytes_of(data, size));
	lines(bytes_of(data, size));
	return 0;
}
