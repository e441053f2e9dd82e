/*
 * store_io - the system calls through which LMDB writes, replaced for the
 * tests of store: counted, made to fail, made to kill, recorded.
 */
#ifndef TEST_FAKE_STORE_IO_H
#define TEST_FAKE_STORE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum io_call { IO_WRITE, IO_SYNC, IO_ANY };

/* The n-th call of the kind from now on (from 1) fails with this error;
 * persisted: it does its work first and fails all the same. */
void io_fail(enum io_call call, unsigned n, int error, bool persisted);
/* The n-th call from now on writes half of what it should and says so. */
void io_short(unsigned n);
/* The process is killed at the n-th call, before it does its work or after. */
void io_kill(enum io_call call, unsigned n, bool after);
void io_reset(void);
unsigned io_seen(enum io_call call); /* since the last of the above */

struct io_op {
	bool sync;    /* fdatasync or fsync; otherwise a write */
	bool durable; /* written through a descriptor with O_DSYNC */
	off_t at;
	size_t len;
	uint8_t *data;
};
/* From now on every write and sync is kept; io_reset() forgets them. */
void io_record(void);
const struct io_op *io_ops(size_t *n);

#endif
