/* libs: ocsp */
/*
 * The octets as an answer: what is packed unpacks to the same.  As a stored
 * shape: what decodes is safe to fill, and encodes to the same.
 */
#include <stdlib.h>
#include <string.h>

#include <refrendo/ocsp.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
judge_answer(struct bytes der)
{
	static struct ocsp_shape shape;
	struct ocsp_days days = { .slot = { { .day = 0 } } };
	uint8_t fields[OCSP_FIELDS_MAX];
	struct ocsp_answer a;
	struct err e;
	if (ocsp_answer_parse(der, &a, &e) != ERR_OK)
		return;
	const struct ocsp_single *s = &a.single[0];
	struct bytes serial = s->id.serial;
	if (!ocsp_pack(der, serial, s->this_update, s->next_update, &shape,
		fields))
		return;
	uint8_t *out = malloc(shape.len);
	ocsp_unpack(&shape, &days, serial.p, (uint32_t)s->this_update,
	    (uint32_t)s->next_update, fields, out);
	if (shape.len != der.len || memcmp(out, der.p, der.len) != 0)
		abort();
	free(out);
}

static void
judge_shape(struct bytes octets)
{
	static struct ocsp_shape shape;
	struct ocsp_days days = { .slot = { { .day = 0 } } };
	struct err e;
	if (ocsp_shape_decode(octets, &shape, &e) != ERR_OK) {
		if (e.code != ERR_CORRUPT)
			abort();
		return;
	}
	uint8_t *out = malloc(shape.len + 1u);
	uint8_t *fields = calloc(1, shape.fields_len + 1u);
	uint8_t *serial = calloc(1, shape.serial_len + 1u);
	ocsp_unpack(&shape, &days, serial, 0, UINT32_MAX, fields, out);
	free(out);
	free(fields);
	free(serial);
	struct buf again AUTO_BUF = BUF(octets.len + 1);
	ocsp_shape_encode(&shape, &again);
	if (!bytes_eq(buf_bytes(&again), octets))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	judge_answer(bytes_of(data, size));
	judge_shape(bytes_of(data, size));
	return 0;
}
