/*
 * What bench_ocsp_fill and bench_status_client must agree on: the serial
 * number of certificate i, made like the engine's (8 octets that rise, 12
 * random ones), and its state.
 */
#ifndef BENCH_OCSP_SERIAL_H
#define BENCH_OCSP_SERIAL_H

#include <refrendo/base.h>

#define BENCH_SERIAL  20
#define BENCH_BEGAN   UINT64_C(1795514400) /* 2026-11-24 */
#define REVOKED_EVERY 50

static inline uint64_t
bench_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* A hundred certificates a second. */
static inline void
bench_serial(uint8_t out[BENCH_SERIAL], uint64_t i)
{
	uint8_t random[8];
	be64_print(out, ((BENCH_BEGAN + i / 100) << 28) + i);
	be64_print(out + 8, bench_mix(i));
	be64_print(random, bench_mix(~i));
	__builtin_memcpy(out + 16, random, 4);
}

static inline bool
bench_is_revoked(uint64_t i)
{
	return i % REVOKED_EVERY == 7;
}

#endif
