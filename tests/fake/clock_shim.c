/*
 * Preloaded into the engine by tests of what falls due: the wall clock is
 * ahead by CLOCK_OFFSET seconds, in the role CLOCK_ROLE alone where that is
 * given.  The monotonic clock is left alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t offset;

/* "refrendo role NAME", as the parent starts it. */
static int
is_role(const char *name)
{
	char line[256] = "";
	FILE *f = fopen("/proc/self/cmdline", "r");
	size_t n = f == NULL ? 0 : fread(line, 1, sizeof(line) - 1, f);
	size_t at = 0;
	if (f != NULL)
		fclose(f);
	for (int i = 0; i < 2 && at < n; i++)
		at += strlen(line + at) + 1;
	return at < n && strcmp(line + at, name) == 0;
}

__attribute__((constructor)) static void
read_offset(void)
{
	const char *text = getenv("CLOCK_OFFSET");
	const char *role = getenv("CLOCK_ROLE");
	offset = text == NULL ? 0 : (time_t)strtoll(text, NULL, 10);
	if (role != NULL && !is_role(role))
		offset = 0;
}

int
clock_gettime(clockid_t id, struct timespec *out)
{
	long rc = syscall(SYS_clock_gettime, id, out);
	if (rc == 0 && id == CLOCK_REALTIME)
		out->tv_sec += offset;
	return (int)rc;
}

int
gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;
	(void)zone;
	int rc = clock_gettime(CLOCK_REALTIME, &now);
	out->tv_sec = now.tv_sec;
	out->tv_usec = now.tv_nsec / 1000;
	return rc;
}

time_t
time(time_t *out)
{
	struct timespec now;
	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return (time_t)-1;
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}
