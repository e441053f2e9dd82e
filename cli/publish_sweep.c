/*
 * publish_sweep - answers that have ended and that no state knows of: after
 * one was lost, and with --full, the files themselves are asked.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "publish.h"

#define DEPTH_MAX 1 /* ocsp/XY/NAME */

static bool
has_ended(int dir, const char *name, int64_t now)
{
	uint8_t room[OCSP_ANSWER_MAX];
	struct ocsp_answer a;
	struct err ignored;
	int fd =
	    openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, room, sizeof(room));
	close(fd);
	/* What is no answer is none of ours: it is left alone. */
	return n > 0 &&
	       ocsp_answer_parse(bytes_of(room, (size_t)n), &a, &ignored) ==
		   ERR_OK &&
	       a.single[0].next_update <= now;
}

/* The caller's descriptor is taken. */
static uint64_t
sweep(int dir, int64_t now, int depth)
{
	DIR *d = fdopendir(dir);
	const struct dirent *entry;
	uint64_t removed = 0;
	if (d == NULL) {
		close(dir);
		return 0;
	}
	while ((entry = readdir(d)) != NULL && !publish_stopped()) {
		struct stat st;
		if (entry->d_name[0] == '.' ||
		    fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
			int below = openat(dir, entry->d_name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (below >= 0)
				removed += sweep(below, now, depth + 1);
		} else if (S_ISREG(st.st_mode) &&
			   has_ended(dir, entry->d_name, now)) {
			removed += unlinkat(dir, entry->d_name, 0) == 0;
		}
	}
	closedir(d);
	return removed;
}

void
publish_sweep(struct publish *p)
{
	int dir = openat(sink_root(p->sink), "ocsp",
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir >= 0)
		p->removed += sweep(dir, p->now, 0);
}
