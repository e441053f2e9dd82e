/*
 * store_work - what the tests of store write: a directory of their own, made
 * up entries, and a small ca_apply that turns them into rows.
 */
#ifndef TEST_FAKE_STORE_WORK_H
#define TEST_FAKE_STORE_WORK_H

#include <refrendo/store.h>

#define WORK_MAP (INT64_C(64) << 20)

/* A new directory; work_dir_remove() takes it and all in it away. */
void work_dir(char out[64]);
void work_dir_remove(const char *dir);
void work_copy(const char *from, const char *to); /* one file */
void work_path(char *out, size_t size, const char *dir, const char *name);

/* Puts entry number view_log_size(v) into the log and applies it. */
MUST_CHECK enum err_code work_append(struct view *v, struct err *e);
/* One commit of n entries. */
MUST_CHECK enum err_code work_commit(struct store *s, unsigned n,
    struct err *e);
/* The entries that work_append() makes are known: compares those in [0, size)
 * with what is stored.  False when one differs or does not read. */
bool work_entries_good(struct view *v, uint64_t size);
/* Everything that can be read: entries, tiles, rows and head.  False when
 * something refuses to be read. */
bool work_digest(struct store *s, uint8_t out[SHA256_LEN]);
/* A number in [0, n) from a state that the test owns. */
uint32_t work_random(uint64_t *state, uint32_t n);

#endif
