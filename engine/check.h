/*
 * check - what core tells the checker: which lists are published, and which
 * answers to ask for.  The checker tells nothing back: it counts.
 */
#ifndef ENGINE_CHECK_H
#define ENGINE_CHECK_H

#include <refrendo/pkix.h>
#include <refrendo/policy.h>

/*  name            number  body, doc/PROTOCOL.ipc.md */
#define CHECK_LISTS       1
#define CHECK_SAMPLES     2
#define CHECK_CAP         65536

#define CHECK_ROOT        0xffff /* instead of the index of an issuer */
#define CHECK_LISTS_MAX   256
#define CHECK_PATH_MAX    128
#define CHECK_SAMPLES_MAX 8

struct check_list {
	uint16_t issuer; /* index in the configuration, or CHECK_ROOT */
	char path[CHECK_PATH_MAX]; /* "/crl/emisora.crl" */
};
struct check_sample {
	uint16_t issuer; /* the same */
	uint8_t serial_len, serial[SERIAL_MAX];
};

void check_lists_encode(const struct check_list *v, size_t n, struct buf *out);
void check_samples_encode(const struct check_sample *v, size_t n,
    struct buf *out);
/* ERR_INVALID "check-frame". */
MUST_CHECK enum err_code check_lists_decode(struct bytes in,
    struct check_list v[CHECK_LISTS_MAX], size_t *n, struct err *e);
MUST_CHECK enum err_code check_samples_decode(struct bytes in,
    struct check_sample v[CHECK_SAMPLES_MAX], size_t *n, struct err *e);
uint32_t check_cap(uint16_t type);

#endif
