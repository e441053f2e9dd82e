/* The path of a GET is the request that it stands for, and nothing else. */
#include "ocsp_world.h"

static void
each_form_is_read_back(void **state)
{
	struct world *w = *state;
	/* Lengths 1 to 20, with and without a sign octet. */
	for (size_t len = 1; len <= SERIAL_MAX; len++) {
		for (int first = 0x01; first <= 0xff; first += 0x7f) {
			uint8_t serial[SERIAL_MAX] = { (uint8_t)first, 2, 3 };
			struct bytes s = bytes_of(serial, len);
			for (int f = 0; f < OCSP_FORMS; f++) {
				char path[OCSP_GET_PATH];
				uint8_t der[OCSP_REQUEST_MAX];
				size_t n = sizeof(der);
				struct ocsp_request q;
				struct err e;
				OK(ocsp_get_path(&w->id, s, (enum ocsp_form)f,
				       path, &e),
				    &e);
				OK(ocsp_get_decode(bytes_str(path), der, &n,
				       &e),
				    &e);
				OK(ocsp_request_parse(bytes_of(der, n), &q, &e),
				    &e);
				assert_int_equal(q.n_id, 1);
				assert_false(q.has_nonce);
				assert_true(bytes_eq(q.id[0].serial, s));
				assert_true(ocsp_id_matches(&q.id[0], &w->id));
				assert_false(
				    ocsp_id_matches(&q.id[0], &w->other_id));
				assert_int_equal(q.id[0].is_sha256,
				    f != OCSP_FORM_SHA1);
				/* RFC 9919: what fits a GET is asked by GET. */
				assert_true(strlen(path) < OCSP_GET_PATH &&
					    OCSP_GET_PATH <= 255);
			}
		}
	}
}

static void
forms_differ(void **state)
{
	struct world *w = *state;
	char path[OCSP_FORMS][OCSP_GET_PATH];
	struct err e;
	for (int f = 0; f < OCSP_FORMS; f++)
		OK(ocsp_get_path(&w->id, bytes_of(test_serial, 16),
		       (enum ocsp_form)f, path[f], &e),
		    &e);
	assert_string_not_equal(path[0], path[1]);
	assert_string_not_equal(path[1], path[2]);
	refused("no serial",
	    ocsp_get_path(&w->id, BYTES_NONE, OCSP_FORM_SHA1, path[0], &e), &e,
	    ERR_INVALID, "ocsp-serial",
	    "a serial number is negative or longer than 20 octets; no "
	    "certificate may have it");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_form_is_read_back,
		    world_new, world_free),
		cmocka_unit_test_setup_teardown(forms_differ, world_new,
		    world_free),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
