#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <refrendo/engine.h>

#define PASSPHRASE_MAX 1024
#define PASSPHRASE_MIN 8

/* Reads the first line of fd into out. */
static enum err_code
read_line(int fd, struct buf *out, struct err *e)
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
	if (out->len < PASSPHRASE_MIN)
		return err_say(e, ERR_INVALID, "passphrase-short",
		    "the passphrase has fewer than 8 octets; choose a longer "
		    "one");
	return ERR_OK;
}

/* others_may: systemd guards its credentials by a directory of its own, and
 * from version 254 on gives them as 0440 with an access list. */
static enum err_code
from_file(const char *path, bool others_may, bool *found, struct buf *out,
    struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	*found = fd >= 0;
	if (fd < 0)
		return ERR_OK;
	struct stat st;
	enum err_code code;
	if (!others_may && (fstat(fd, &st) != 0 || (st.st_mode & 077) != 0))
		code = err_say(e, ERR_FORBIDDEN, "passphrase-mode",
		    "the passphrase file can be read by others; make it 0600");
	else
		code = read_line(fd, out, e);
	close(fd);
	return code;
}

/* The descriptor's number is in the environment; the secret never is. */
static enum err_code
from_descriptor(bool *found, struct buf *out, struct err *e)
{
	const char *text = getenv("REFRENDO_PASSPHRASE_FD");
	*found = text != NULL;
	if (text == NULL)
		return ERR_OK;
	int64_t fd;
	if (!dec_parse(bytes_str(text), &fd) || fd > 1023)
		return err_say(e, ERR_INVALID, "passphrase-descriptor",
		    "REFRENDO_PASSPHRASE_FD is not the number of an open "
		    "descriptor");
	enum err_code code = read_line((int)fd, out, e);
	close((int)fd);
	unsetenv("REFRENDO_PASSPHRASE_FD");
	return code;
}

static enum err_code
prompt(int tty, const char *text, struct buf *out, struct err *e)
{
	struct termios before, quiet;
	if (tcgetattr(tty, &before) != 0)
		return err_errno(e, "passphrase-terminal",
		    "the terminal cannot be set to hide what is typed");
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(tty, TCSAFLUSH, &quiet);
	dprintf(tty, "%s", text);
	enum err_code code = read_line(tty, out, e);
	tcsetattr(tty, TCSAFLUSH, &before);
	dprintf(tty, "\n");
	return code;
}

static enum err_code
from_prompt(bool confirm, bool *found, struct buf *out, struct err *e)
{
	*found = false;
	int tty =
	    isatty(STDIN_FILENO) ? open("/dev/tty", O_RDWR | O_CLOEXEC) : -1;
	if (tty < 0)
		return ERR_OK;
	*found = true;
	enum err_code code = prompt(tty, "Passphrase of the keys: ", out, e);
	if (code == ERR_OK && confirm) {
		struct buf again AUTO_BUF = BUF(PASSPHRASE_MAX);
		code = prompt(tty, "Again: ", &again, e);
		if (code == ERR_OK &&
		    !bytes_eq(buf_bytes(out), buf_bytes(&again)))
			code = err_say(e, ERR_INVALID, "passphrase-differs",
			    "the two passphrases differ; start again");
	}
	close(tty);
	return code;
}

enum err_code
passphrase_read(const char *dir, bool confirm, struct buf *out, struct err *e)
{
	char path[PATH_LEN * 2];
	bool found = false;
	*out = BUF(PASSPHRASE_MAX);
	TRY(from_descriptor(&found, out, e));
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	if (!found && credentials != NULL) {
		snprintf(path, sizeof(path), "%.400s/refrendo-passphrase",
		    credentials);
		TRY(from_file(path, true, &found, out, e));
	}
	if (!found) {
		snprintf(path, sizeof(path), "%.400s/passphrase", dir);
		TRY(from_file(path, false, &found, out, e));
	}
	if (!found)
		TRY(from_prompt(confirm, &found, out, e));
	if (!found)
		return err_say(e, ERR_NOTFOUND, "passphrase-none",
		    "no passphrase for the keys: give it by a systemd "
		    "credential refrendo-passphrase, by "
		    "REFRENDO_PASSPHRASE_FD, or in a file passphrase (0600)");
	return ERR_OK;
}
