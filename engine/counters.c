/* counters - the page of each process, the table of what is counted. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "counters.h"

const struct counter_text counter_table[COUNTERS_N] = {
#define X(place, family, label, kind, help) \
	[place] = { family, label, help, kind },
	COUNTERS(X)
#undef X
};

const struct counter_text counter_ca_table[COUNTERS_CA_N] = {
#define X(place, family, help) [place] = { family, "", help, KIND_GAUGE },
	COUNTERS_CA(X)
#undef X
};

static struct counter_page nowhere;
struct counter_page *counters = &nowhere;

enum err_code
counters_make(size_t n, int *fd, struct err *e)
{
	int got =
	    memfd_create("refrendo-counters", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	/* Nobody can make it shorter under those who have it mapped. */
	if (got >= 0 && ftruncate(got, (off_t)(n * COUNTERS_PAGE)) == 0 &&
	    fcntl(got, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
		*fd = got;
		return ERR_OK;
	}
	(void)err_errno(e, "counters-file",
	    "no memory file can be made for the counters");
	if (got >= 0)
		close(got);
	return e->code;
}

static enum err_code
not_mapped(struct err *e)
{
	return err_errno(e, "counters-map", "the counters cannot be mapped");
}

enum err_code
counters_own(int fd, size_t slot, enum role role, uint8_t index, struct err *e)
{
	struct counter_page *p =
	    mmap(NULL, COUNTERS_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		(off_t)(slot * COUNTERS_PAGE));
	if (p == MAP_FAILED)
		return not_mapped(e);
	counters = p;
	atomic_store(&p->role, (uint32_t)role + 1);
	atomic_store(&p->index, index);
	for (size_t i = 0; i < COUNTERS_N; i++)
		if (counter_table[i].kind == KIND_GAUGE)
			gauge((enum counter)i, 0);
	for (size_t ca = 0; ca < COUNTERS_CAS; ca++)
		for (size_t i = 0; i < COUNTERS_CA_N; i++)
			gauge_ca((enum counter_ca)i, ca, 0);
	return ERR_OK;
}

enum err_code
counters_all(int fd, struct counters_view *out, struct err *e)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return not_mapped(e);
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return not_mapped(e);
	*out = (struct counters_view){ .page = p,
		.n = (size_t)st.st_size / COUNTERS_PAGE };
	return ERR_OK;
}

void
counters_close(struct counters_view *v)
{
	if (v->page != NULL)
		munmap((void *)(uintptr_t)v->page, v->n * COUNTERS_PAGE);
	*v = (struct counters_view){ .page = NULL };
}

bool
counters_who(const struct counters_view *v, size_t i, enum role *role,
    uint8_t *index)
{
	if (i >= v->n)
		return false;
	uint32_t r = atomic_load(&v->page[i].role);
	uint32_t k = atomic_load(&v->page[i].index);
	if (r == 0 || r > ROLES || k > UINT8_MAX)
		return false;
	*role = (enum role)(r - 1);
	*index = (uint8_t)k;
	return true;
}

uint64_t
counters_get(const struct counters_view *v, size_t i, enum counter which)
{
	return i < v->n ? atomic_load_explicit(&v->page[i].value[which],
			      memory_order_relaxed)
			: 0;
}

uint64_t
counters_ca(const struct counters_view *v, size_t ca, enum counter_ca which)
{
	size_t at = COUNTERS_N + ca * COUNTERS_CA_N + (size_t)which;
	uint64_t most = 0;
	for (size_t i = 0; i < v->n; i++) {
		uint64_t value = counters_get(v, i, (enum counter)at);
		most = value > most ? value : most;
	}
	return most;
}

uint64_t
counters_sum(const struct counters_view *v, enum counter which)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < v->n; i++)
		sum += counters_get(v, i, which);
	return sum;
}
