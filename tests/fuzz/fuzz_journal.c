/* libs: signer */
/*
 * A journal file.  The first octet chooses: as it is, or the rest is taken as
 * lengths and bodies and the hashes are put right, so that the fields are
 * reached.  Whatever reads once reads the same again without its last record.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <refrendo/signer.h>

#define MAGIC "refrendo-journal/2\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	uint64_t records;
	size_t octets;
};

static void
each(void *ctx, const struct journal_record *r)
{
	struct seen *s = ctx;
	if (r->number != ++s->records || r->kind[0] == '\0')
		abort();
	s->octets += r->issuer.len + r->serial.len + r->digest.len;
}

static void
chain(struct bytes in, struct buf *out)
{
	uint8_t hash[SHA256_LEN];
	struct reader r = reader_of(in);
	buf_puts(out, MAGIC);
	put_bytes(out, bytes_str("log.example"));
	sha256(hash, buf_bytes(out));
	while (r.p < r.end) {
		struct buf text AUTO_BUF = BUF(1u << 20);
		size_t left = (size_t)(r.end - r.p) - 1, len = get_u8(&r);
		struct bytes body = get_raw(&r, len < left ? len : left);
		buf_put(&text, hash, SHA256_LEN);
		put_bytes(&text, body);
		sha256(hash, buf_bytes(&text));
		put_bytes(out, body);
		buf_put(out, hash, SHA256_LEN);
	}
}

static enum err_code
read_back(struct bytes file, struct seen *s)
{
	char path[64];
	struct err e = { .say = "" };
	int fd = memfd_create("journal", MFD_CLOEXEC);
	if (fd < 0 || write(fd, file.p, file.len) != (ssize_t)file.len)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	*s = (struct seen){ 0, 0 };
	enum err_code code = journal_read(path, each, s, &e);
	if (code != ERR_OK && (code != ERR_CORRUPT || e.say[0] == '\0'))
		abort();
	if (s->octets > file.len)
		abort();
	close(fd);
	return code;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf file AUTO_BUF = BUF(4u << 20);
	struct seen all, less;
	if (size == 0 || size > 1u << 16)
		return 0;
	if (data[0] % 2 == 0)
		buf_put(&file, data + 1, size - 1);
	else
		chain(bytes_of(data + 1, size - 1), &file);
	if (read_back(buf_bytes(&file), &all) != ERR_OK || all.records == 0)
		return 0;
	file.len--;
	/* One octet less can only be a torn tail, or uncover an old one. */
	if (read_back(buf_bytes(&file), &less) == ERR_OK &&
	    less.records > all.records)
		abort();
	return 0;
}
