/* libs: signer */
/*
 * signer/cas, the file of the keys that the signer made for CAs.  The first
 * octet chooses: a file as it is; records whose hashes are put right, so that
 * their fields are reached; or the octets of one wrapped key.  What opens is
 * settled, and reads the same again; what does not, says why.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../signer/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[32];

static void
leave(void)
{
	char path[64];
	snprintf(path, sizeof(path), "%s/signer/cas", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/signer", dir);
	rmdir(path);
	rmdir(dir);
}

/* In memory where there is such a place: each input is a file. */
static const char *
place(void)
{
	char path[64];
	if (dir[0] == '\0') {
		snprintf(dir, sizeof(dir), "%s",
		    access("/dev/shm", W_OK) == 0 ? "/dev/shm/cas-XXXXXX"
						  : "/tmp/cas-XXXXXX");
		if (mkdtemp(dir) == NULL)
			abort();
		snprintf(path, sizeof(path), "%s/signer", dir);
		if (mkdir(path, 0700) != 0)
			abort();
		(void)atexit(leave);
	}
	return dir;
}

static int
open_file(int flags)
{
	char path[64];
	snprintf(path, sizeof(path), "%s/signer/cas", place());
	int fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd < 0)
		abort();
	return fd;
}

static void
write_file(struct bytes b)
{
	int fd = open_file(O_CREAT | O_WRONLY | O_TRUNC);
	if (write(fd, b.p, b.len) != (ssize_t)b.len)
		abort();
	close(fd);
}

static void
read_file(struct buf *out)
{
	struct stat st;
	int fd = open_file(O_RDONLY);
	if (fstat(fd, &st) != 0)
		abort();
	uint8_t *p = buf_room(out, (size_t)st.st_size);
	if (p == NULL || read(fd, p, (size_t)st.st_size) != st.st_size)
		abort();
	close(fd);
}

/* --- Records -------------------------------------------------------------------- */

/* Of 4 names, so that they meet again. */
static void
put_record(struct reader *r, struct buf *body, size_t *hashed)
{
	static const char *const names[] = { "a", "uno", "dos-2", "root" };
	uint8_t kind = get_u8(r), which = get_u8(r);
	struct bytes rest = get_raw(r, get_u8(r));
	if (r->bad)
		return;
	if ((kind & 0x80) != 0) {
		buf_put(body, rest.p, rest.len);
		*hashed = body->len;
		return;
	}
	put_u8(body, kind & 3);
	put_bytes(body, bytes_str(names[which & 3]));
	struct bytes second = BYTES_NONE;
	size_t half = (kind & 3) == 1 ? rest.len / 2 : rest.len;
	if (half < rest.len)
		second = bytes_of(rest.p + half, rest.len - half);
	if ((kind & 3) != 3)
		put_bytes(body, bytes_of(rest.p, half));
	*hashed = body->len;
	if ((kind & 3) == 1)
		put_bytes(body, second);
}

static void
chain(struct bytes in, struct buf *out)
{
	static const uint8_t salt_and_check[16 + SHA256_LEN] = { 7 };
	uint8_t hash[SHA256_LEN];
	struct reader r = reader_of(in);
	buf_puts(out, "refrendo-cas/2\n");
	buf_put(out, salt_and_check, sizeof(salt_and_check));
	sha256(hash, buf_bytes(out));
	buf_put(out, hash, SHA256_LEN);
	while (r.p < r.end && !r.bad) {
		struct buf body AUTO_BUF = BUF(1024), text AUTO_BUF = BUF(2048);
		size_t hashed = 0;
		put_record(&r, &body, &hashed);
		if (r.bad)
			break;
		buf_put(&text, hash, SHA256_LEN);
		buf_put(&text, body.p, hashed);
		sha256(hash, buf_bytes(&text));
		put_bytes(out, buf_bytes(&body));
		buf_put(out, hash, SHA256_LEN);
	}
}

/* --- What is opened ---------------------------------------------------------------- */

struct seen {
	size_t n;
	char name[8][POLICY_NAME_MAX];
};

static enum err_code
look(struct seen *s)
{
	struct err e = { .say = "" };
	struct cas *c = NULL;
	enum err_code code = cas_open(place(), BYTES_NONE, &c, &e);
	if (code == ERR_OK)
		code = cas_settle(c, &e);
	if (code != ERR_OK && (e.id == NULL || e.say[0] == '\0'))
		abort();
	*s = (struct seen){ .n = code == ERR_OK ? cas_count(c) : 0 };
	for (size_t i = 0; i < s->n && i < ARRAY_LEN(s->name); i++)
		snprintf(s->name[i], sizeof(s->name[i]), "%s", cas_name(c, i));
	cas_free(c);
	return code;
}

static void
open_it(struct bytes file)
{
	struct buf once AUTO_BUF = BUF(1u << 21),
			twice AUTO_BUF = BUF(1u << 21);
	struct seen first, second;
	write_file(file);
	if (look(&first) != ERR_OK)
		return;
	read_file(&once);
	if (look(&second) != ERR_OK ||
	    memcmp(&first, &second, sizeof(first)) != 0)
		abort();
	read_file(&twice);
	if (!bytes_eq(buf_bytes(&once), buf_bytes(&twice)))
		abort();
}

/* --- A wrapped key ------------------------------------------------------------------ */

static void
unwrap(struct bytes in)
{
	static const uint8_t secret[WRAP_KEY_LEN] = { 1 };
	struct buf again AUTO_BUF = BUF(WRAPPED_MAX);
	struct bytes name = bytes_str("uno");
	AUTO(key) key = NULL;
	AUTO(key) back = NULL;
	struct err e = { .say = "" };
	if (key_unwrap(in, secret, name, &key, &e) != ERR_OK) {
		if (e.say[0] == '\0')
			abort();
		return;
	}
	/* One that no fuzzer makes, but that the corpus has. */
	if (key_wrap(key, secret, name, &again, &e) != ERR_OK ||
	    key_unwrap(buf_bytes(&again), secret, name, &back, &e) != ERR_OK ||
	    !bytes_eq(key_spki(key), key_spki(back)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf file AUTO_BUF = BUF(1u << 21);
	if (size == 0)
		return 0;
	struct bytes rest = bytes_of(data + 1, size - 1);
	if (data[0] % 3 == 2) {
		unwrap(rest);
		return 0;
	}
	if (data[0] % 3 == 1)
		chain(rest, &file);
	else
		buf_put(&file, rest.p, rest.len);
	if (!file.failed)
		open_it(buf_bytes(&file));
	return 0;
}
