/* Log lines, read from a pipe that stands for standard error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <refrendo/base.h>

struct capture {
	int saved, from;
};

static struct capture
capture_begin(void)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	struct capture c = { dup(STDERR_FILENO), ends[0] };
	assert_true(c.saved >= 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	close(ends[1]);
	return c;
}

/* What was logged since; then standard error is as before. */
static void
capture_end(struct capture c, char *out, size_t size)
{
	assert_true(dup2(c.saved, STDERR_FILENO) >= 0);
	close(c.saved);
	size_t len = 0;
	ssize_t n;
	while ((n = read(c.from, out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	close(c.from);
	out[len] = '\0';
	assert_int_equal(strlen(out), len);
}

/* The line without its time, which must be one. */
static const char *
after_time(const char *line)
{
	int64_t t;
	assert_memory_equal(line, "ts=", 3);
	assert_true(time_parse(bytes_of(line + 3, 20), &t));
	assert_in_range(clock_now() - t, 0, 60);
	assert_int_equal(line[23], ' ');
	return line + 24;
}

static void
levels_and_fields(void **state)
{
	(void)state;
	char text[8192];
	log_role("core");
	struct capture c = capture_begin();
	errno = EPERM;
	log_info("cert-issued", "serial=%s policy=%s n=%d", "0a1b", "p-1", 7);
	assert_int_equal(errno, EPERM);
	capture_end(c, text, sizeof(text));
	assert_string_equal(after_time(text),
	    "level=info role=core event=cert-issued serial=0a1b "
	    "policy=p-1 n=7\n");
	c = capture_begin();
	log_warn("slow", "ms=%.1f", 1.5);
	capture_end(c, text, sizeof(text));
	assert_string_equal(after_time(text),
	    "level=warn role=core event=slow ms=1.5\n");
	c = capture_begin();
	log_role("signer 1");
	log_error("gone", "%s", "");
	capture_end(c, text, sizeof(text));
	assert_string_equal(after_time(text),
	    "level=error role=\"signer 1\" event=gone\n");
	log_role("core");
}

static void
values_are_escaped(void **state)
{
	(void)state;
	static const struct {
		const char *name, *value, *want;
	} rows[] = {
		{ "plain", "a/b:c,d;e'f", "a/b:c,d;e'f" },
		{ "empty", "", "\"\"" },
		{ "space", "a b", "\"a b\"" },
		{ "looks like a field", "a level=error", "\"a level=error\"" },
		{ "equals", "a=b", "\"a=b\"" },
		{ "quotes", "a\" b=\"c", "\"a\\\" b=\\\"c\"" },
		{ "backslash", "a\\n", "\"a\\\\n\"" },
		{ "newline", "a\nts=1", "\"a\\x0ats=1\"" },
		{ "return", "a\rb", "\"a\\x0db\"" },
		{ "tab", "a\tb", "\"a\\x09b\"" },
		{ "escape", "\x1b[2J", "\"\\x1b[2J\"" },
		{ "the separators used inside", "a\1b\2c",
		    "\"a\\x01b\\x02c\"" },
		{ "delete", "\x7f", "\"\\x7f\"" },
		{ "UTF-8", "Nu\xc3\xb1oa", "\"Nu\xc3\xb1oa\"" },
		{ "C1 control", "\xc2\x85", "\"\\xc2\\x85\"" },
		{ "not UTF-8", "a\xff\xc3", "\"a\\xff\\xc3\"" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("%s\n", rows[i].name);
		char text[8192], want[200];
		struct capture c = capture_begin();
		log_info("e", "k=%s after=%d", rows[i].value, 1);
		capture_end(c, text, sizeof(text));
		snprintf(want, sizeof(want),
		    "level=info role=core event=e k=%s after=1\n",
		    rows[i].want);
		assert_string_equal(after_time(text), want);
	}
}

/* Ends with its mark, has no open quotes and fits a pipe's atomic write. */
static void
assert_cut(const char *text, size_t least)
{
	size_t len = strlen(text), quotes = 0;
	assert_in_range(len, least, 4096);
	assert_string_equal(text + len - 9, " cut=yes\n");
	assert_ptr_equal(strchr(text, '\n'), text + len - 1);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\')
			i++;
		else
			quotes += text[i] == '"';
	}
	assert_int_equal(quotes % 2, 0);
}

static void
long_lines_are_cut(void **state)
{
	(void)state;
	static const char fills[] = { 'x', ' ', '\n', '"', '\xff' };
	for (size_t i = 0; i < ARRAY_LEN(fills); i++) {
		for (size_t len = 900; len < 9000; len += 611) {
			static char value[9001], text[20000];
			memset(value, fills[i], len);
			value[len] = '\0';
			struct capture c = capture_begin();
			log_info("e", "k=%s after=%s", value, "a b");
			capture_end(c, text, sizeof(text));
			if (len > 4096)
				assert_cut(text, fills[i] == 'x' ? 0 : 4000);
			else
				assert_int_equal(text[strlen(text) - 1], '\n');
		}
	}
}

static void
errors_are_logged_with_what_is_known(void **state)
{
	(void)state;
	char text[8192];
	struct err e;
	err_at(&e, ERR_INVALID, "csr-trailing", "RFC 2986 4.2", AT_BYTE(3),
	    "something follows");
	struct capture c = capture_begin();
	log_err("csr-refused", &e);
	capture_end(c, text, sizeof(text));
	assert_string_equal(after_time(text),
	    "level=warn role=core event=csr-refused code=invalid "
	    "id=csr-trailing rule=\"RFC 2986 4.2\" "
	    "say=\"something follows\"\n");
	errno = EIO;
	err_errno(&e, "store-sync", "stopped");
	c = capture_begin();
	log_err("stop", &e);
	capture_end(c, text, sizeof(text));
	assert_string_equal(after_time(text),
	    "level=error role=core event=stop code=io id=store-sync "
	    "say=stopped why=\"Input/output error\"\n");
	e = (struct err){ .code = ERR_BUSY };
	c = capture_begin();
	log_err("odd", &e);
	capture_end(c, text, sizeof(text));
	assert_string_equal(after_time(text),
	    "level=warn role=core event=odd code=busy id=\"\" say=\"\"\n");
}

static void
fatal_ends_the_process_with_a_line(void **state)
{
	(void)state;
	char text[8192];
	struct capture c = capture_begin();
	pid_t child = fork();
	if (child == 0) {
		struct rlimit none = { 0, 0 };
		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		fatal("state %d\nnot in the table", 7);
	}
	assert_true(child > 0);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	capture_end(c, text, sizeof(text));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_string_equal(after_time(text),
	    "level=error role=core event=fatal "
	    "say=\"state 7\\x0anot in the table\"\n");
}

static void
a_lost_line_changes_nothing(void **state)
{
	(void)state;
	int saved = dup(STDERR_FILENO);
	assert_true(saved >= 0);
	close(STDERR_FILENO);
	errno = ENOSPC;
	log_info("e", "k=%d", 1);
	int after = errno;
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	assert_int_equal(after, ENOSPC);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_and_fields),
		cmocka_unit_test(values_are_escaped),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(errors_are_logged_with_what_is_known),
		cmocka_unit_test(a_lost_line_changes_nothing),
		cmocka_unit_test(fatal_ends_the_process_with_a_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
