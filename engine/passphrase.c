#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <refrendo/engine.h>

#define LINE_MAX_OCTETS 4096 /* a share is longer than what it is of */

/* What opens the keys, and where each of them is looked for. */
static const struct secret {
	const char *variable, *credential, *file, *question;
	size_t min;
	bool is_shared; /* it may be given in shares */
} passphrase = { "REFRENDO_PASSPHRASE_FD", "refrendo-passphrase", "passphrase",
	"Passphrase of the keys, or a share: ", 8, true },
  fresh = { "REFRENDO_NEW_PASSPHRASE_FD", "refrendo-new-passphrase",
	  "passphrase.new", "New passphrase of the keys: ", 8, false },
  pin = { "REFRENDO_PIN_FD", "refrendo-pin", "pin", "PIN of the token: ", 4,
	  false };

/* Reads the first line of fd into out. */
static enum err_code
read_line(int fd, const struct secret *which, struct buf *out, struct err *e)
{
	for (;;) {
		uint8_t c;
		ssize_t n = read(fd, &c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "passphrase-read",
			    "the passphrase cannot be read");
		if (n == 0 || c == '\n')
			break;
		buf_putc(out, c);
	}
	TRY(buf_end(out, e));
	if (out->len >= which->min)
		return ERR_OK;
	if (which == &pin)
		return err_say(e, ERR_INVALID, "pin-short",
		    "the PIN has fewer than 4 octets");
	return err_say(e, ERR_INVALID, "passphrase-short",
	    "the passphrase has fewer than 8 octets; choose a longer one");
}

/* others_may: systemd guards its credentials by a directory of its own, and
 * from version 254 on gives them as 0440 with an access list. */
static enum err_code
from_file(const char *dir, const char *name, const struct secret *which,
    bool others_may, bool *found, struct buf *out, struct err *e)
{
	char path[PATH_LEN * 2];
	snprintf(path, sizeof(path), "%.400s/%s", dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	*found = fd >= 0;
	if (fd < 0)
		return ERR_OK;
	struct stat st;
	enum err_code code;
	if (!others_may && (fstat(fd, &st) != 0 || (st.st_mode & 077) != 0))
		code = err_say(e, ERR_FORBIDDEN, "passphrase-mode",
		    "the file %s can be read by others; make it 0600", name);
	else
		code = read_line(fd, which, out, e);
	close(fd);
	return code;
}

/* --- In shares --------------------------------------------------------------------- */

/* The next share from where the first came; empty: there is none. */
typedef enum err_code (*next_fn)(int fd, const struct secret *which,
    size_t missing, struct buf *out, struct err *e);

/* out: the first share, then what all of them are of. */
static enum err_code
join(const struct secret *which, next_fn next, int fd, struct buf *out,
    struct err *e)
{
	AUTO(shares) s = NULL;
	TRY(shares_new(&s, e));
	TRY(shares_add(s, buf_bytes(out), e));
	while (shares_missing(s) > 0) {
		buf_reset(out);
		TRY(next(fd, which, shares_missing(s), out, e));
		if (out->len == 0)
			break;
		TRY(shares_add(s, buf_bytes(out), e));
	}
	buf_reset(out);
	return shares_join(s, out, e);
}

static enum err_code
next_line(int fd, const struct secret *which, size_t missing, struct buf *out,
    struct err *e)
{
	(void)missing;
	struct err ended;
	/* What is too short to be a share is the end of them. */
	if (read_line(fd, which, out, &ended) != ERR_OK)
		buf_reset(out);
	(void)e;
	return ERR_OK;
}

/* The descriptor's number is in the environment; the secret never is. */
static enum err_code
from_descriptor(const struct secret *which, bool *found, struct buf *out,
    struct err *e)
{
	const char *text = getenv(which->variable);
	*found = text != NULL;
	if (text == NULL)
		return ERR_OK;
	int64_t fd;
	if (!dec_parse(bytes_str(text), &fd) || fd > 1023)
		return err_say(e, ERR_INVALID, "passphrase-descriptor",
		    "%s is not the number of an open descriptor",
		    which->variable);
	enum err_code code = read_line((int)fd, which, out, e);
	if (code == ERR_OK && which->is_shared && share_is(buf_bytes(out)))
		code = join(which, next_line, (int)fd, out, e);
	close((int)fd);
	unsetenv(which->variable);
	return code;
}

static enum err_code
prompt(int tty, const struct secret *which, const char *text, struct buf *out,
    struct err *e)
{
	struct termios before, quiet;
	if (tcgetattr(tty, &before) != 0)
		return err_errno(e, "passphrase-terminal",
		    "the terminal cannot be set to hide what is typed");
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(tty, TCSAFLUSH, &quiet);
	dprintf(tty, "%s", text);
	enum err_code code = read_line(tty, which, out, e);
	tcsetattr(tty, TCSAFLUSH, &before);
	dprintf(tty, "\n");
	return code;
}

static enum err_code
next_asked(int tty, const struct secret *which, size_t missing, struct buf *out,
    struct err *e)
{
	char question[48];
	snprintf(question, sizeof(question),
	    "Another share (%zu missing): ", missing);
	return prompt(tty, which, question, out, e);
}

/* Credentials refrendo-share-1 to -16, as many as are needed of them. */
static enum err_code
from_credentials(const char *dir, const struct secret *which, bool *found,
    struct buf *out, struct err *e)
{
	AUTO(shares) s = NULL;
	TRY(shares_new(&s, e));
	for (int i = 1; i <= SHARES_MAX && shares_missing(s) > 0; i++) {
		char name[32];
		bool here;
		snprintf(name, sizeof(name), "refrendo-share-%d", i);
		buf_reset(out);
		TRY(from_file(dir, name, which, true, &here, out, e));
		if (!here)
			continue;
		*found = true;
		TRY(shares_add(s, buf_bytes(out), e));
	}
	buf_reset(out);
	return *found ? shares_join(s, out, e) : ERR_OK;
}

static enum err_code
from_prompt(const struct secret *which, bool confirm, bool *found,
    struct buf *out, struct err *e)
{
	*found = false;
	int tty =
	    isatty(STDIN_FILENO) ? open("/dev/tty", O_RDWR | O_CLOEXEC) : -1;
	if (tty < 0)
		return ERR_OK;
	*found = true;
	enum err_code code = prompt(tty, which, which->question, out, e);
	if (code == ERR_OK && which->is_shared && !confirm &&
	    share_is(buf_bytes(out)))
		code = join(which, next_asked, tty, out, e);
	if (code == ERR_OK && confirm) {
		struct buf again AUTO_BUF = BUF(LINE_MAX_OCTETS);
		code = prompt(tty, which, "Again: ", &again, e);
		if (code == ERR_OK &&
		    !bytes_eq(buf_bytes(out), buf_bytes(&again)))
			code = err_say(e, ERR_INVALID, "passphrase-differs",
			    "the two passphrases differ; start again");
	}
	close(tty);
	return code;
}

static enum err_code
secret_read(const char *dir, const struct secret *which, bool confirm,
    bool *found, struct buf *out, struct err *e)
{
	*out = BUF(LINE_MAX_OCTETS);
	TRY(from_descriptor(which, found, out, e));
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	if (!*found && credentials != NULL)
		TRY(from_file(credentials, which->credential, which, true,
		    found, out, e));
	if (!*found && credentials != NULL && which->is_shared)
		TRY(from_credentials(credentials, which, found, out, e));
	if (!*found)
		TRY(from_file(dir, which->file, which, false, found, out, e));
	if (!*found)
		TRY(from_prompt(which, confirm, found, out, e));
	return ERR_OK;
}

enum err_code
passphrase_read(const char *dir, bool confirm, struct buf *out, struct err *e)
{
	bool found = false;
	TRY(secret_read(dir, &passphrase, confirm, &found, out, e));
	if (!found)
		return err_say(e, ERR_NOTFOUND, "passphrase-none",
		    "no passphrase for the keys: give it by a systemd "
		    "credential refrendo-passphrase, by "
		    "REFRENDO_PASSPHRASE_FD, or in a file passphrase (0600)");
	return ERR_OK;
}

enum err_code
passphrase_new_read(const char *dir, struct buf *out, struct err *e)
{
	bool found = false;
	TRY(secret_read(dir, &fresh, true, &found, out, e));
	if (!found)
		return err_say(e, ERR_NOTFOUND, "passphrase-new-none",
		    "no new passphrase for the keys: give it by "
		    "REFRENDO_NEW_PASSPHRASE_FD, or in a file passphrase.new "
		    "(0600)");
	return ERR_OK;
}

enum err_code
pin_read(const char *dir, struct buf *out, struct err *e)
{
	bool found = false;
	TRY(secret_read(dir, &pin, false, &found, out, e));
	if (!found)
		return err_say(e, ERR_NOTFOUND, "pin-none",
		    "no PIN for the token that has the keys: give it by a "
		    "systemd credential refrendo-pin, by REFRENDO_PIN_FD, or "
		    "in a file pin (0600)");
	return ERR_OK;
}
