/*
 * demo - the whole story on data it makes itself.  demo.c tells it, demo_run.c
 * starts programs, shows their command lines and looks at what they say.
 */
#ifndef CLI_DEMO_H
#define CLI_DEMO_H

#include <sys/types.h>

#include <refrendo/base.h>

#define DEMO_ARGS 48

struct demo {
	char work[160]; /* directory of the demo */
	char ca[176];   /* the installation, WORK/ca */
	char self[256]; /* this program */
	int port;
	pid_t engine;   /* 0: not running */
	int passphrase; /* descriptor for the next program; 0: none */
	bool spanish;
	int steps, failed;
	struct buf out; /* what the last program printed, both streams */
	int status;     /* its exit status */
};

/* One step, in plain words. */
void demo_step(struct demo *d, const char *es, const char *en);
/*
 * demo_run - shows the command the way a person would type it, runs it, and
 * counts a failure unless its exit status is want and its output holds text
 * (NULL: anything).  Arguments end with NULL; "refrendo" is this program.
 */
bool demo_run(struct demo *d, int want, const char *text, ...);
/* The same without showing: what only the demo needs. */
bool demo_quietly(struct demo *d, const char *const *argv);
/* The string member of the JSON that the last command printed; "" if none. */
void demo_member(const struct demo *d, const char *name, char *out,
    size_t size);
/* A file of the demo's directory, where it runs; lives until the demo ends. */
const char *demo_path(struct demo *d, const char *name);
void demo_check(struct demo *d, bool held, const char *es, const char *en);
/* Gives the passphrase to the next program, by a descriptor. */
void demo_passphrase(struct demo *d);

bool demo_start_engine(struct demo *d);
void demo_stop_engine(struct demo *d);
bool demo_begin(struct demo *d);
void demo_end(struct demo *d, bool keep);

#endif
