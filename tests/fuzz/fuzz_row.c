/* libs: ca policy audit pkix base */
#include <string.h>

#include <refrendo/ca.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The view is never asked: only the codec is under test. */
union any {
	struct institution i;
	struct person p;
	struct appointment a;
	struct request r;
	struct certificate c;
	struct issuer_row g;
};

static void
must(bool holds, const char *what)
{
	if (!holds)
		fatal("%s", what);
}

/*
 * First octet: class of the row; the rest: its value.  What decodes encodes
 * to the same octets, and its JSON is canonical and reads back to the same
 * row, unless a time in it is one that no calendar has.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { .code = ERR_OK };
	union any rec;
	struct buf again AUTO_BUF = BUF(1 << 20);
	struct buf text AUTO_BUF = BUF(1 << 22);

	if (size == 0)
		return 0;
	const struct rec_type *t = rec_of_class((enum row_class)data[0]);
	if (t == NULL)
		return 0;
	struct bytes row = bytes_of(data + 1, size - 1);
	if (rec_decode(t, row, &rec, &e) != ERR_OK) {
		must(e.code == ERR_CORRUPT, "a row is refused as corrupt");
		must(e.say[0] != '\0', "a refusal has a sentence");
		return 0;
	}
	/* The first octet says which of the two forms it was. */
	if ((row.p[0] & 0x80) == 0)
		rec_encode(t, &rec, &again);
	else
		rec_encode_row(t, &rec, &again);
	must(bytes_eq(buf_bytes(&again), row), "a row encodes to itself");
	if ((row.p[0] & 0x80) != 0)
		return 0;
	rec_json(t, &rec, true, &text);
	if (text.failed)
		return 0; /* an integer beyond what JSON carries */
	AUTO(json) j = NULL;
	must(json_parse(buf_bytes(&text), true, &j, &e) == ERR_OK,
	    "JSON of a row is canonical");
	return 0;
}
