/*
 * A view of ca.h in memory, with the same functions as store/: rows in a
 * sorted array, entries with their tree, and a switch that makes call N fail.
 */
#ifndef FAKE_CA_VIEW_H
#define FAKE_CA_VIEW_H

#include <refrendo/ca.h>

struct view *fake_view_new(void);
void fake_view_free(struct view *v);
/* What a transaction works on: committed by keeping it, aborted by freeing. */
struct view *fake_view_copy(const struct view *v);
/* Call n from now (1: the next) fails with ERR_IO "fake-view"; 0: none. */
void fake_view_fail(struct view *v, unsigned n);
unsigned fake_view_calls(const struct view *v); /* since fake_view_fail() */
bool fake_view_failed(const struct view *v);    /* did the switch strike? */

size_t fake_view_entries(const struct view *v);
const struct entry *fake_view_entry(const struct view *v, size_t i);
size_t fake_view_rows(const struct view *v);
/* All rows byte for byte; what differs is printed. */
bool fake_view_same(const struct view *a, const struct view *b);
/* The effect of every entry on an empty view: is it these rows? */
bool fake_view_replays(const struct view *v);
/* A row put past apply: what a damaged store would hold. */
void fake_view_force(struct view *v, struct bytes key, struct bytes value);

#endif
