/* clock - the one place that reads the clocks. */
#include <time.h>

#include <refrendo/base.h>

static struct timespec
read_clock(clockid_t id)
{
	struct timespec now;
	if (clock_gettime(id, &now) != 0)
		fatal("the system has no clock %d", (int)id);
	return now;
}

int64_t
clock_now(void)
{
	return read_clock(CLOCK_REALTIME).tv_sec;
}

int64_t
clock_mono_ms(void)
{
	struct timespec now = read_clock(CLOCK_MONOTONIC);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
