/*
 * ocsp_pack() and ocsp_unpack(): what is unpacked is what was packed, answers
 * of one kind share a shape, and a shape that was tampered with is refused.
 */
#include "ocsp_world.h"

static struct bytes
serial_no(uint8_t room[SERIAL_MAX], uint8_t n)
{
	memcpy(room, test_serial, SERIAL_MAX);
	room[19] = n;
	return bytes_of(room, SERIAL_MAX);
}

static void
answer_for(struct world *w, struct ocsp_answer_spec *spec, struct buf *out)
{
	buf_reset(out);
	answer(w, spec, out);
}

static bool
pack(const struct ocsp_answer_spec *spec, const struct buf *der,
    struct ocsp_shape *shape, uint8_t *fields)
{
	return ocsp_pack(buf_bytes(der), spec->serial, spec->this_update,
	    spec->next_update, shape, fields);
}

static void
same_again(const char *row, const struct ocsp_answer_spec *spec,
    const struct buf *der, const struct ocsp_shape *shape,
    const uint8_t *fields)
{
	struct ocsp_days days = { .slot = { { .day = 0 } } };
	uint8_t out[OCSP_ANSWER_MAX];
	/* By an empty cache and by a full one. */
	for (int i = 0; i < 2; i++) {
		memset(out, 0xee, sizeof(out));
		ocsp_unpack(shape, &days, spec->serial.p,
		    (uint32_t)spec->this_update, (uint32_t)spec->next_update,
		    fields, out);
		ROW(bytes_eq(bytes_of(out, shape->len), buf_bytes(der)), row);
		ROW(shape->len == sizeof(out) || out[shape->len] == 0xee, row);
	}
}

static void
test_round(void **state)
{
	struct world *w = *state;
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	static const uint8_t high[4] = { 0xf0, 1, 2, 3 }, one[1] = { 7 };
	struct ocsp_answer_spec rows[6];
	static const char *const names[] = { "good", "revoked", "no reason",
		"sign octet", "one octet", "times alike" };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		rows[i] = usual(w);
	rows[1].state = rows[2].state = OCSP_REVOKED;
	rows[1].revoked_at = rows[2].revoked_at = w->now - DAY;
	rows[1].reason = 4;
	rows[3].serial = bytes_of(high, 4);
	rows[4].serial = bytes_of(one, 1);
	rows[5].this_update = rows[5].produced_at = w->now;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static struct ocsp_shape shape;
		uint8_t fields[OCSP_FIELDS_MAX];
		answer_for(w, &rows[i], &der);
		ROW(pack(&rows[i], &der, &shape, fields), names[i]);
		same_again(names[i], &rows[i], &der, &shape, fields);
		ROW(shape.fields_len < 100, names[i]);
	}
}

/* Other serial, times and signature: one shape but for the length of the
 * signature. */
static void
test_shared(void **state)
{
	struct world *w = *state;
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	static struct ocsp_shape shape;
	struct buf seen[8];
	size_t n = 0;
	for (uint8_t i = 0; i < 40; i++) {
		uint8_t fields[OCSP_FIELDS_MAX], room[SERIAL_MAX];
		struct ocsp_answer_spec spec = usual(w);
		struct buf octets = BUF(OCSP_ANSWER_MAX + 128);
		spec.serial = serial_no(room, i);
		spec.produced_at -= i * 1000;
		spec.this_update -= i * 1000;
		spec.next_update -= i * 999;
		answer_for(w, &spec, &der);
		assert_true(pack(&spec, &der, &shape, fields));
		same_again("shared", &spec, &der, &shape, fields);
		ocsp_shape_encode(&shape, &octets);
		size_t k = 0;
		while (
		    k < n && !bytes_eq(buf_bytes(&seen[k]), buf_bytes(&octets)))
			k++;
		assert_true(k < ARRAY_LEN(seen));
		if (k == n)
			seen[n++] = octets;
		else
			buf_fini(&octets);
	}
	assert_in_range(n, 1, 4);
	while (n > 0)
		buf_fini(&seen[--n]);
}

static void
test_not_packed(void **state)
{
	struct world *w = *state;
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	static struct ocsp_shape shape;
	uint8_t fields[OCSP_FIELDS_MAX], room[SERIAL_MAX];
	struct ocsp_answer_spec spec = usual(w), other = usual(w);
	answer_for(w, &spec, &der);
	other.serial = serial_no(room, 0xff);
	assert_false(pack(&other, &der, &shape, fields));
	other = spec;
	other.next_update = (int64_t)UINT32_MAX + 1;
	assert_false(pack(&other, &der, &shape, fields));
	other.next_update = -1;
	assert_false(pack(&other, &der, &shape, fields));
	der.len--;
	assert_false(pack(&spec, &der, &shape, fields));
	assert_false(ocsp_pack(ocsp_error_answer(OCSP_TRY_LATER), spec.serial,
	    0, 0, &shape, fields));
}

/* Each octet of a stored shape changed: refused, or safe to fill. */
static void
test_tampered(void **state)
{
	struct world *w = *state;
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct buf octets AUTO_BUF = BUF(OCSP_ANSWER_MAX + 128);
	static struct ocsp_shape shape, got;
	struct ocsp_days days = { .slot = { { .day = 0 } } };
	uint8_t fields[OCSP_FIELDS_MAX], *out = malloc(OCSP_ANSWER_MAX);
	struct ocsp_answer_spec spec = usual(w);
	struct err e;
	size_t refused = 0;
	answer_for(w, &spec, &der);
	assert_true(pack(&spec, &der, &shape, fields));
	ocsp_shape_encode(&shape, &octets);
	OK(ocsp_shape_decode(buf_bytes(&octets), &got, &e), &e);
	for (size_t i = 0; i < 64; i++) {
		for (int x = 1; x < 256; x <<= 1) {
			octets.p[i] ^= (uint8_t)x;
			if (ocsp_shape_decode(buf_bytes(&octets), &got, &e) ==
			    ERR_OK)
				ocsp_unpack(&got, &days, spec.serial.p, 1, 2,
				    fields, out);
			else {
				assert_int_equal(e.code, ERR_CORRUPT);
				refused++;
			}
			octets.p[i] ^= (uint8_t)x;
		}
	}
	assert_true(refused > 60);
	octets.len--;
	assert_int_equal(ocsp_shape_decode(buf_bytes(&octets), &got, &e),
	    ERR_CORRUPT);
	free(out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_not_packed),
		cmocka_unit_test(test_tampered),
	};
	return cmocka_run_group_tests(tests, world_new, world_free);
}
