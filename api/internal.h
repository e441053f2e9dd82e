/*
 * What the files of api/ share: the table of routes and what a path matched.
 */
#ifndef API_INTERNAL_H
#define API_INTERNAL_H

#include <refrendo/api.h>

#define API_PREFIX   "/api/v1"
#define API_VARS     2
#define PAGE_DEFAULT 100 /* rows, when a list is asked for without limit */

/* Parameters of the query, one bit each. */
enum api_param {
	PARAM_AFTER,
	PARAM_LIMIT,
	PARAM_BLOBS,
	PARAM_START,
	PARAM_SIZE,
	PARAM_INDEX,
	PARAM_COUNT
};
struct param_def {
	const char *name;
	const char *help;
};
extern const struct param_def api_params[PARAM_COUNT];

struct route {
	enum http_method method;
	const char *path; /* below API_PREFIX; {name}: one variable */
	bool is_act;
	enum ca_act act;           /* is_act */
	enum core_message what;    /* otherwise */
	enum row_class class;      /* CORE_GET, CORE_LIST */
	unsigned params, required; /* bit i: enum api_param i */
	const char *raw, *raw_type;
	const char *help; /* NULL: that of the act */
};
extern const struct route api_routes[];
extern const size_t api_n_routes;

/* A variable of a path, as it stands there: not decoded. */
struct path_var {
	struct bytes name, value;
};
struct path_match {
	struct path_var var[API_VARS];
	size_t n;
};
/* Whether path, without API_PREFIX, is an instance of the pattern. */
bool path_matches(const char *pattern, struct bytes path, struct path_match *m);
/* Whether the pattern has a variable of this name. */
bool path_has(const char *pattern, const char *name);

/* Members of the body into the fields of a command. */
MUST_CHECK enum err_code body_decode(const struct route *route,
    struct bytes body, struct arena *a, struct command *c, struct err *e);
/* "name" of POST /snapshots. */
MUST_CHECK enum err_code body_snapshot(struct bytes body, struct arena *a,
    struct bytes *name, struct err *e);
/* A JSON pointer to a member. */
struct where at_member(const char *name);

#endif
