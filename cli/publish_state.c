/*
 * publish_state - what an export holds, in the order of public/'s keys, so
 * that the next run finds what changed without opening a file.  It is a help
 * and no truth: without it files are compared.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "publish.h"

/* Then rows: u8 length, key, etag, i64 next_update, u64 number; then an empty
 * key and the count, so that a state that was cut is seen. */
#define MAGIC    "refrendo-publish-1\n"
#define ROW_TAIL (16 + 8 + 8)

struct state_in {
	FILE *f;
	bool bad;
};
struct state_out {
	FILE *f;
	uint64_t n;
};

static FILE *
open_file(int own, const char *name, int flags, const char *mode)
{
	int fd = openat(own, name, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, mode);
	if (fd >= 0 && f == NULL)
		close(fd);
	return f;
}

/* --- Reading ------------------------------------------------------------------ */

void
state_close(struct state_in *s)
{
	if (s == NULL)
		return;
	fclose(s->f);
	free(s);
}

struct state_in *
state_open(int own)
{
	char magic[sizeof(MAGIC) - 1];
	struct state_in *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->f = open_file(own, "state", O_RDONLY, "rb");
	if (s->f == NULL) {
		free(s);
		return NULL;
	}
	if (fread(magic, 1, sizeof(magic), s->f) != sizeof(magic) ||
	    memcmp(magic, MAGIC, sizeof(magic)) != 0) {
		state_close(s);
		return NULL;
	}
	return s;
}

bool
state_next(struct state_in *s, struct exported *out)
{
	uint8_t tail[ROW_TAIL];
	int len = getc(s->f);
	memset(out, 0, sizeof(*out));
	if (len == 0)
		return fread(tail, 1, 8, s->f) == 8 && getc(s->f) == EOF;
	if (len < 0 || len > PUBLIC_KEY_MAX ||
	    fread(out->key, 1, (size_t)len, s->f) != (size_t)len ||
	    fread(tail, 1, sizeof(tail), s->f) != sizeof(tail))
		return false;
	out->key_len = (uint8_t)len;
	memcpy(out->etag, tail, sizeof(out->etag));
	out->next_update = (int64_t)be64_parse(tail + 16);
	out->number = be64_parse(tail + 24);
	return true;
}

/* --- Writing ------------------------------------------------------------------ */

static enum err_code
cannot(struct err *e)
{
	return err_errno(e, "publish-state",
	    "what was exported cannot be noted down; see that the directory "
	    "has room");
}

enum err_code
state_create(int own, struct state_out **out, struct err *e)
{
	struct state_out *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_nomem(e);
	s->f = open_file(own, "state.new", O_WRONLY | O_CREAT | O_TRUNC, "wb");
	if (s->f == NULL) {
		free(s);
		return cannot(e);
	}
	fputs(MAGIC, s->f);
	*out = s;
	return ERR_OK;
}

void
state_put(struct state_out *s, const struct exported *x)
{
	uint8_t tail[ROW_TAIL];
	memcpy(tail, x->etag, sizeof(x->etag));
	be64_print(tail + 16, (uint64_t)x->next_update);
	be64_print(tail + 24, x->number);
	putc(x->key_len, s->f);
	fwrite(x->key, 1, x->key_len, s->f);
	fwrite(tail, 1, sizeof(tail), s->f);
	s->n++;
}

void
state_abandon(struct state_out *s)
{
	if (s == NULL)
		return;
	fclose(s->f);
	free(s);
}

enum err_code
state_end(struct state_out *s, struct err *e)
{
	uint8_t count[8];
	be64_print(count, s->n);
	putc(0, s->f);
	fwrite(count, 1, sizeof(count), s->f);
	bool good =
	    fflush(s->f) == 0 && !ferror(s->f) && fsync(fileno(s->f)) == 0;
	enum err_code code = good ? ERR_OK : cannot(e);
	state_abandon(s);
	return code;
}
