/* Who is served next: rates, turns, giving way; time is an argument. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../engine/fair.h"

static struct fair_address
v4(uint8_t last)
{
	return (struct fair_address){
		{ [10] = 0xff, [11] = 0xff, 192, 0, 2, last }
	};
}

static struct fair_address
v6(uint8_t net, uint8_t host)
{
	return (struct fair_address){ { 0x20, 0x01, 0x0d,
	    0xb8, [7] = net, [15] = host } };
}

static struct fair *
fresh(void)
{
	static struct fair f;
	static const uint8_t key[16] = { 1, 2, 3 };
	fair_init(&f, key);
	return &f;
}

static unsigned
allowed(struct fair *f, struct fair_address who, unsigned tries, int64_t now)
{
	unsigned n = 0;
	for (unsigned i = 0; i < tries; i++)
		n += fair_allows(f, &who, now);
	return n;
}

static void
a_rate_for_each_address(void **state)
{
	(void)state;
	struct fair *f = fresh();
	/* A burst, then so many a second, and never more saved up. */
	assert_int_equal(allowed(f, v4(1), 1000, 5000), FAIR_BURST);
	assert_int_equal(allowed(f, v4(1), 1000, 6000), FAIR_RATE);
	assert_int_equal(allowed(f, v4(1), 1000, 6000), 0);
	assert_int_equal(allowed(f, v4(1), 1000, 6100), FAIR_RATE / 10);
	assert_int_equal(allowed(f, v4(1), 1000, 900000), FAIR_BURST);
	/* Of that another address knows nothing. */
	assert_int_equal(allowed(f, v4(2), 1000, 900000), FAIR_BURST);
	/* A clock that stands or goes back gives nothing away. */
	assert_int_equal(allowed(f, v4(1), 10, 900000), 0);
	assert_int_equal(allowed(f, v4(1), 10, 1), 0);
	assert_int_equal(allowed(f, v4(1), 1000, 901000), FAIR_RATE);
}

static void
ipv6_counts_by_network(void **state)
{
	(void)state;
	struct fair *f = fresh();
	unsigned n = 0;
	for (unsigned i = 0; i < 256; i++)
		n += allowed(f, v6(1, (uint8_t)i), 10, 1000);
	assert_int_equal(n, FAIR_BURST);
	assert_int_equal(allowed(f, v6(2, 0), 1000, 1000), FAIR_BURST);
	/* IPv4 addresses differ where IPv6 ones would be one network. */
	assert_int_equal(allowed(f, v4(1), 1000, 1000), FAIR_BURST);
	assert_int_equal(allowed(f, v4(2), 1000, 1000), FAIR_BURST);
}

static void
wait_in(struct fair *f, struct fair_address who, uint16_t place)
{
	assert_true(fair_allows(f, &who, 1000));
	fair_wait(f, &who, place);
}

static void
turns_by_address(void **state)
{
	(void)state;
	struct fair *f = fresh();
	assert_int_equal(fair_next(f), FAIR_NONE);
	for (uint16_t i = 0; i < 50; i++)
		wait_in(f, v4(1), i);
	assert_int_equal(fair_next(f), 0);
	/* One that comes late waits for one of those before it. */
	wait_in(f, v4(2), 60);
	wait_in(f, v4(2), 61);
	assert_int_equal(fair_next(f), 1);
	assert_int_equal(fair_next(f), 60);
	wait_in(f, v4(3), 70);
	assert_int_equal(fair_next(f), 2);
	assert_int_equal(fair_next(f), 61);
	assert_int_equal(fair_next(f), 70);
	for (uint16_t i = 3; i < 50; i++)
		assert_int_equal(fair_next(f), i);
	assert_int_equal(fair_next(f), FAIR_NONE);
	assert_int_equal(f->waiting, 0);
}

static void
the_longest_line_gives_way(void **state)
{
	(void)state;
	struct fair *f = fresh();
	for (uint16_t i = 0; i < 90; i++)
		wait_in(f, v4(1), i);
	for (uint16_t i = 90; i < 100; i++)
		wait_in(f, v4(2), i);
	struct fair_address flood = v4(1), other = v4(2), third = v4(3);
	assert_int_equal(fair_give_way(f, &third), 89);
	assert_int_equal(fair_give_way(f, &other), 88);
	/* Nobody gives way to the longest line, nor to one as long. */
	assert_int_equal(fair_give_way(f, &flood), FAIR_NONE);
	struct fair *g = fresh();
	wait_in(g, v4(1), 0);
	wait_in(g, v4(2), 1);
	assert_int_equal(fair_give_way(g, &third), FAIR_NONE);
}

static void
who_leaves_is_passed_over(void **state)
{
	(void)state;
	struct fair *f = fresh();
	for (uint16_t i = 0; i < 6; i++)
		wait_in(f, v4((uint8_t)(1 + i % 2)), i);
	fair_leave(f, 0); /* first, middle and last of a line */
	fair_leave(f, 3);
	fair_leave(f, 4);
	fair_leave(f, 200); /* does not wait */
	assert_int_equal(f->waiting, 3);
	assert_int_equal(fair_next(f), 2);
	assert_int_equal(fair_next(f), 1);
	wait_in(f, v4(1), 7);
	assert_int_equal(fair_next(f), 5);
	assert_int_equal(fair_next(f), 7);
	assert_int_equal(fair_next(f), FAIR_NONE);
}

/* However many addresses ask, nobody who waits is forgotten, memory is what it
 * was, and each place comes out once. */
static void
many_addresses(void **state)
{
	(void)state;
	struct fair *f = fresh();
	bool out[FAIR_PLACES] = { false };
	uint16_t place = 0;
	for (uint32_t i = 0; i < 100000; i++) {
		struct fair_address who = v6(0, 0);
		memcpy(who.octets + 4, &i, sizeof(i));
		if (fair_allows(f, &who, 1000 + i / 100) &&
		    place < FAIR_PLACES && i % 300 == 0)
			fair_wait(f, &who, place++);
	}
	assert_int_equal(place, FAIR_PLACES);
	for (uint16_t i = 0; i < FAIR_PLACES; i++) {
		uint16_t next = fair_next(f);
		assert_true(next < FAIR_PLACES && !out[next]);
		out[next] = true;
	}
	assert_int_equal(fair_next(f), FAIR_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rate_for_each_address),
		cmocka_unit_test(ipv6_counts_by_network),
		cmocka_unit_test(turns_by_address),
		cmocka_unit_test(the_longest_line_gives_way),
		cmocka_unit_test(who_leaves_is_passed_over),
		cmocka_unit_test(many_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
