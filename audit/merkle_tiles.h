#ifndef AUDIT_MERKLE_TILES_H
#define AUDIT_MERKLE_TILES_H

#include <refrendo/audit.h>

/* MTH(D[from:to]) of RFC 6962 2.1; from as the recursion there makes it. */
MUST_CHECK enum err_code merkle_range(uint64_t from, uint64_t to,
    const struct tile_source *tiles, uint8_t out[HASH_LEN], struct err *e);

#endif
