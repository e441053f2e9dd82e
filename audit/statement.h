/* What statements of every kind are held to. */
#ifndef AUDIT_STATEMENT_H
#define AUDIT_STATEMENT_H

#include <refrendo/audit.h>

#define ORIGIN_MAX 128
#define ID_MAX     64
#define TEXT_MAX   4096

enum err_code statement_refuse(struct err *e, const char *field);
bool statement_text(struct bytes b, size_t min, size_t max);
/* A member that is a text, in a; BYTES_NONE where there is none. */
struct bytes statement_str(struct json_obj o, const char *key, struct arena *a);
/* entry.c: may the public part of an entry name this?  A statement is about
 * nothing else: the signer keeps CAs and keys under names with a slash. */
bool ref_is_good(struct bytes b);
/* The stored form of a RUN or RUT, so that equal people are equal bytes. */
bool statement_run(struct bytes b);
bool statement_time(int64_t t);
bool statement_version(int64_t v);
void statement_put_log(struct jw *w, uint64_t size, struct bytes root);
void statement_get_log(struct json_obj root, struct arena *a, uint64_t *size,
    struct bytes *hash);
/* Does this text say that it is of that type?  It may be wrong otherwise. */
bool statement_is(struct bytes in, const char *type);
/* ERR_INVALID "statement-too-large", "json-…"; the caller frees *out. */
MUST_CHECK enum err_code statement_load(struct bytes in, struct json **out,
    struct err *e);
/* ERR_INVALID "statement-type"; a member that is missing is left to root. */
MUST_CHECK enum err_code statement_must_be(struct json_obj root,
    const char *type, const char *act, struct err *e);

#define NEED(condition, field)                             \
	do {                                               \
		if (!(condition))                          \
			return statement_refuse(e, field); \
	} while (0)

#endif
