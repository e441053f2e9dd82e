/* past - the journal read for audits: no process that holds keys runs this. */
#include <fcntl.h>
#include <unistd.h>

#include "walk.h"

static enum err_code
read_all(struct walk *w,
    void (*each)(void *ctx, const struct journal_record *r), void *ctx,
    struct err *e)
{
	struct record r;
	bool more;
	for (uint64_t number = 1;; number++) {
		TRY(walk_next(w, &r, &more, e));
		if (!more)
			return ERR_OK;
		struct journal_record given = { .number = number,
			.time = r.time,
			.kind = record_kind_name(r.kind),
			.issuer = r.issuer,
			.serial = r.serial,
			.digest = r.digest,
			.id = r.id,
			.value = r.value };
		each(ctx, &given);
	}
}

enum err_code
journal_read(const char *path,
    void (*each)(void *ctx, const struct journal_record *r), void *ctx,
    struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, "journal-open",
		    "the signer's journal cannot be opened or created; check "
		    "the owner and mode of the signer's directory");
	struct walk w;
	enum err_code code = walk_init(&w, fd, e);
	if (code == ERR_OK)
		code = read_all(&w, each, ctx, e);
	walk_fini(&w);
	close(fd);
	return code;
}
