/* The policies that init writes are those of etc/policies/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../cli/init.h"

static void
samples_are_those_of_etc(void **state)
{
	(void)state;
	assert_int_equal(init_n_samples, 2);
	for (size_t i = 0; i < init_n_samples; i++) {
		struct buf text AUTO_BUF = BUF(POLICY_FILE_MAX);
		struct err e;
		assert_int_equal(file_read(SOURCE_DIR "/etc/policies",
				     init_samples[i].name, POLICY_FILE_MAX,
				     &text, &e),
		    ERR_OK);
		assert_string_equal(buf_text(&text), init_samples[i].text);
		assert_non_null(strstr(init_samples[i].text, SAMPLE_URL));
		assert_non_null(
		    strstr(init_samples[i].text, "issuer: " ISSUER));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_are_those_of_etc),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
