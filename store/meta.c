/*
 * meta - LMDB trusts its two meta pages: a page size of zero divides by zero,
 * a last page far away maps the address space.  So they are judged here first.
 * The layout is that of LMDB 0.9 on 64-bit machines, data version 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "env.h"

#define META_FLAG    0x08 /* P_META */
#define META_MAGIC   0xBEEFC0DEu
#define META_VERSION 1u
#define META_READ    152
#define PAGE_LEAST   4096u
#define PAGE_MOST    32768u
/* Pages that a sound file may lack at its end, and more. */
#define TAIL_MOST (UINT64_C(1) << 24)

/* Where the fields stand from the start of the page. */
enum {
	AT_FLAGS = 10,
	AT_MAGIC = 16,
	AT_VERSION = 20,
	AT_PAGE_LEN = 40,
	AT_LAST_PAGE = 136,
	AT_TXN = 144
};

struct meta {
	uint32_t page_len;
	uint64_t last_page, txn;
};

static bool
read_meta(int fd, off_t at, struct meta *out)
{
	uint8_t p[META_READ];
	uint32_t magic, version;
	uint16_t flags;

	if (pread(fd, p, sizeof(p), at) != (ssize_t)sizeof(p))
		return false;
	memcpy(&flags, p + AT_FLAGS, sizeof(flags));
	memcpy(&magic, p + AT_MAGIC, sizeof(magic));
	memcpy(&version, p + AT_VERSION, sizeof(version));
	memcpy(&out->page_len, p + AT_PAGE_LEN, sizeof(out->page_len));
	memcpy(&out->last_page, p + AT_LAST_PAGE, sizeof(out->last_page));
	memcpy(&out->txn, p + AT_TXN, sizeof(out->txn));
	bool power = (out->page_len & (out->page_len - 1)) == 0;
	return (flags & META_FLAG) != 0 && magic == META_MAGIC &&
	       version == META_VERSION && power &&
	       out->page_len >= PAGE_LEAST && out->page_len <= PAGE_MOST;
}

static bool
sound(int fd, uint64_t size)
{
	struct meta a, b;

	if (!read_meta(fd, 0, &a) || !read_meta(fd, a.page_len, &b) ||
	    a.page_len != b.page_len)
		return false;
	uint64_t last = a.txn > b.txn ? a.last_page : b.last_page;
	return last >= 1 && last < size / a.page_len + TAIL_MOST;
}

enum err_code
meta_check(const struct env *v, struct err *e)
{
	char file[PATH_MAX];
	struct stat st;

	TRY(env_path(file, v->path, ENV_DATA, e));
	/* Before LMDB has opened it: a descriptor of ours that is closed while
	 * LMDB has the file would take LMDB's locks with it. */
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return env_damaged(e);
	if (fd < 0)
		return env_error(errno, e);
	bool good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		    sound(fd, (uint64_t)st.st_size);
	close(fd);
	return good ? ERR_OK : env_damaged(e);
}
