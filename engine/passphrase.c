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
	const char *variable, *credential, *file;
	size_t min;
	bool is_shared; /* it may be given in shares */
} passphrase = { "REFRENDO_PASSPHRASE_FD", "refrendo-passphrase", "passphrase",
	8, true },
  fresh = { "REFRENDO_NEW_PASSPHRASE_FD", "refrendo-new-passphrase",
	  "passphrase.new", 8, false },
  pin = { "REFRENDO_PIN_FD", "refrendo-pin", "pin", 4, false };

#define SAY(a, en, es) ((a)->spanish ? (es) : (en))

/* Reads the next line of fd into out; *ended: there was none. */
static enum err_code
read_octets(int fd, bool *ended, struct buf *out, struct err *e)
{
	*ended = false;
	for (;;) {
		uint8_t c;
		ssize_t n = read(fd, &c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "passphrase-read",
			    "the passphrase cannot be read");
		*ended = n == 0 && out->len == 0;
		if (n == 0 || c == '\n')
			return buf_end(out, e);
		buf_putc(out, c);
	}
}

static enum err_code
check_length(const struct secret *which, const struct buf *b, struct err *e)
{
	if (b->len >= which->min)
		return ERR_OK;
	if (which == &pin)
		return err_say(e, ERR_INVALID, "pin-short",
		    "the PIN has fewer than 4 octets");
	return err_say(e, ERR_INVALID, "passphrase-short",
	    "the passphrase has fewer than 8 octets; choose a longer one");
}

static enum err_code
read_line(int fd, const struct secret *which, struct buf *out, struct err *e)
{
	bool ended;
	TRY(read_octets(fd, &ended, out, e));
	return check_length(which, out, e);
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
typedef enum err_code (*next_fn)(int fd, const struct key_asking *a,
    size_t missing, struct buf *out, struct err *e);

/* out: the first share, then what all of them are of. */
static enum err_code
join(const struct key_asking *a, next_fn next, int fd, struct buf *out,
    struct err *e)
{
	AUTO(shares) s = NULL;
	TRY(shares_new(&s, e));
	TRY(shares_add(s, buf_bytes(out), e));
	while (shares_missing(s) > 0) {
		buf_reset(out);
		TRY(next(fd, a, shares_missing(s), out, e));
		if (out->len == 0)
			break;
		TRY(shares_add(s, buf_bytes(out), e));
	}
	buf_reset(out);
	return shares_join(s, out, e);
}

static enum err_code
next_line(int fd, const struct key_asking *a, size_t missing, struct buf *out,
    struct err *e)
{
	(void)a;
	(void)missing;
	struct err ended;
	/* What is too short to be a share is the end of them. */
	if (read_line(fd, &passphrase, out, &ended) != ERR_OK)
		buf_reset(out);
	(void)e;
	return ERR_OK;
}

/*
 * The descriptor's number is in the environment; the secret never is.  Each
 * secret that is asked for takes the next line, or the next shares: nothing but
 * the number is kept, and no program that is started gets the descriptor.
 */
static enum err_code
from_descriptor(const struct secret *which, const struct key_asking *a,
    bool *found, struct buf *out, struct err *e)
{
	const char *text = getenv(which->variable);
	int64_t fd;
	bool ended;
	if (text == NULL)
		return ERR_OK;
	if (!dec_parse(bytes_str(text), &fd) || fd > 1023)
		return err_say(e, ERR_INVALID, "passphrase-descriptor",
		    "%s is not the number of an open descriptor",
		    which->variable);
	(void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
	TRY(read_octets((int)fd, &ended, out, e));
	*found = !ended;
	if (ended)
		return ERR_OK;
	TRY(check_length(which, out, e));
	return which->is_shared && share_is(buf_bytes(out))
		   ? join(a, next_line, (int)fd, out, e)
		   : ERR_OK;
}

void
passphrase_end(void)
{
	const struct secret *const all[] = { &passphrase, &fresh, &pin };
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		const char *text = getenv(all[i]->variable);
		int64_t fd;
		if (text != NULL && dec_parse(bytes_str(text), &fd) &&
		    fd <= 1023)
			close((int)fd);
		unsetenv(all[i]->variable);
	}
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
next_asked(int tty, const struct key_asking *a, size_t missing, struct buf *out,
    struct err *e)
{
	char question[48];
	snprintf(question, sizeof(question),
	    SAY(a,
		"Another share (%zu missing): ", "Otra parte (faltan %zu): "),
	    missing);
	return prompt(tty, &passphrase, question, out, e);
}

static void
put_question(const struct secret *which, const struct key_asking *a,
    struct buf *out)
{
	if (which == &pin)
		buf_puts(out, SAY(a, "PIN of the token: ", "PIN del token: "));
	else if (which == &fresh)
		buf_puts(out, SAY(a, "New passphrase of the keys: ",
				  "Nueva frase de paso de las llaves: "));
	else if (a->key != NULL)
		buf_putf(out,
		    a->is_new ? SAY(a, "Passphrase for the new key %s: ",
				    "Frase de paso para la llave nueva %s: ")
			      : SAY(a, "Passphrase of the key %s: ",
				    "Frase de paso de la llave %s: "),
		    a->key);
	else if (a->is_new)
		buf_puts(out, SAY(a, "Passphrase for the new keys: ",
				  "Frase de paso para las llaves nuevas: "));
	else
		buf_puts(out,
		    SAY(a, "Passphrase of the keys, or a share: ",
			"Frase de paso de las llaves, o una parte: "));
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
ask(int tty, const struct secret *which, const struct key_asking *a,
    struct buf *out, struct err *e)
{
	struct buf question AUTO_BUF = BUF(4096);
	struct buf again AUTO_BUF = BUF(LINE_MAX_OCTETS);
	put_question(which, a, &question);
	TRY(prompt(tty, which, buf_text(&question), out, e));
	if (which->is_shared && !a->is_new && share_is(buf_bytes(out)))
		return join(a, next_asked, tty, out, e);
	if (!a->is_new)
		return ERR_OK;
	TRY(prompt(tty, which, SAY(a, "Again: ", "Otra vez: "), &again, e));
	if (bytes_eq(buf_bytes(out), buf_bytes(&again)))
		return ERR_OK;
	return err_say(e, ERR_INVALID, "passphrase-differs",
	    "the two passphrases differ; start again");
}

static enum err_code
from_prompt(const struct secret *which, const struct key_asking *a, bool *found,
    struct buf *out, struct err *e)
{
	int tty =
	    isatty(STDIN_FILENO) ? open("/dev/tty", O_RDWR | O_CLOEXEC) : -1;
	if (tty < 0)
		return ERR_OK;
	*found = true;
	enum err_code code = ask(tty, which, a, out, e);
	close(tty);
	return code;
}

static enum err_code
secret_read(const char *dir, const struct secret *which,
    const struct key_asking *a, bool *found, struct buf *out, struct err *e)
{
	*out = BUF(LINE_MAX_OCTETS);
	TRY(from_descriptor(which, a, found, out, e));
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	if (!*found && credentials != NULL)
		TRY(from_file(credentials, which->credential, which, true,
		    found, out, e));
	if (!*found && credentials != NULL && which->is_shared)
		TRY(from_credentials(credentials, which, found, out, e));
	if (!*found)
		TRY(from_file(dir, which->file, which, false, found, out, e));
	if (!*found)
		TRY(from_prompt(which, a, found, out, e));
	return ERR_OK;
}

enum err_code
passphrase_read(const char *dir, const struct key_asking *a, struct buf *out,
    struct err *e)
{
	bool found = false;
	TRY(secret_read(dir, &passphrase, a, &found, out, e));
	if (found)
		return ERR_OK;
	if (a->key != NULL)
		return err_say(e, ERR_FORBIDDEN, "passphrase-none-key",
		    "no passphrase for the key %s: type it at a terminal, or "
		    "give REFRENDO_PASSPHRASE_FD a line for each key in the "
		    "order in which they are asked for",
		    a->key);
	return err_say(e, ERR_FORBIDDEN, "passphrase-none",
	    "no passphrase for the keys: give it by a systemd "
	    "credential refrendo-passphrase, by "
	    "REFRENDO_PASSPHRASE_FD, or in a file passphrase (0600)");
}

enum err_code
passphrase_new_read(const char *dir, bool spanish, struct buf *out,
    struct err *e)
{
	struct key_asking a = { .is_new = true, .spanish = spanish };
	bool found = false;
	TRY(secret_read(dir, &fresh, &a, &found, out, e));
	if (!found)
		return err_say(e, ERR_FORBIDDEN, "passphrase-new-none",
		    "no new passphrase for the keys: give it by "
		    "REFRENDO_NEW_PASSPHRASE_FD, or in a file passphrase.new "
		    "(0600)");
	return ERR_OK;
}

enum err_code
pin_read(const char *dir, bool spanish, struct buf *out, struct err *e)
{
	struct key_asking a = { .spanish = spanish };
	bool found = false;
	TRY(secret_read(dir, &pin, &a, &found, out, e));
	if (!found)
		return err_say(e, ERR_FORBIDDEN, "pin-none",
		    "no PIN for the token that has the keys: give it by a "
		    "systemd credential refrendo-pin, by REFRENDO_PIN_FD, or "
		    "in a file pin (0600)");
	return ERR_OK;
}
