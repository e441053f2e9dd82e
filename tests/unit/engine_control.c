/*
 * Frames between the parent and a role: whole, in pieces, with a descriptor,
 * and from a peer that lies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../../engine/control.h"

#define OK(call)                                              \
	do {                                                  \
		if ((call) != ERR_OK) {                       \
			print_error("%s: %s\n", e.id, e.say); \
			fail();                               \
		}                                             \
	} while (0)

struct ends {
	int a, b;
};

static struct ends
ends_new(void)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			     pair),
	    0);
	return (struct ends){ pair[0], pair[1] };
}

static void
ends_free(struct ends *s)
{
	close(s->a);
	close(s->b);
}

static void
put_raw(int fd, uint32_t len, uint16_t type, uint64_t id)
{
	struct buf head AUTO_BUF = BUF(64);
	put_u32(&head, len);
	put_u16(&head, type);
	put_u64(&head, id);
	assert_int_equal(send(fd, head.p, head.len, 0), head.len);
}

static void
test_round_trip(void **state)
{
	static const enum control_message types[] = { CONTROL_SETUP,
		CONTROL_PEER, CONTROL_LISTEN, CONTROL_POLICIES, CONTROL_STOP,
		CONTROL_READY, CONTROL_FAILED };
	struct ends s = ends_new();
	struct control_frame f;
	struct err e;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		OK(control_send(s.a, types[i], bytes_str("words"), -1, &e));
		OK(control_read(s.b, &f, &e));
		assert_int_equal(f.type, types[i]);
		assert_true(bytes_is(buf_bytes(&f.body), "words"));
		assert_int_equal(f.fd, -1);
		buf_fini(&f.body);
	}
	OK(control_send(s.a, CONTROL_STOP, BYTES_NONE, -1, &e));
	OK(control_read(s.b, &f, &e));
	assert_int_equal(f.body.len, 0);
	buf_fini(&f.body);
	ends_free(&s);
}

/* Each frame keeps its own descriptor, however many wait in the socket. */
static void
test_descriptors(void **state)
{
	struct ends s = ends_new();
	struct err e;
	int pipes[3][2];
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pipe(pipes[i]), 0);
		OK(control_send(s.a, CONTROL_PEER, bytes_str("ab"),
		    i == 1 ? -1 : pipes[i][1], &e));
		close(pipes[i][1]);
	}
	for (int i = 0; i < 3; i++) {
		struct control_frame f;
		char got = 0;
		OK(control_read(s.b, &f, &e));
		buf_fini(&f.body);
		assert_int_equal(f.fd >= 0, i != 1);
		if (f.fd >= 0) {
			assert_true((fcntl(f.fd, F_GETFD) & FD_CLOEXEC) != 0);
			assert_int_equal(write(f.fd, "x", 1), 1);
			close(f.fd);
			assert_int_equal(read(pipes[i][0], &got, 1), 1);
		}
		/* The other side's end is closed: nothing was leaked. */
		assert_int_equal(read(pipes[i][0], &got, 1), 0);
		close(pipes[i][0]);
	}
	ends_free(&s);
}

struct sending {
	int fd;
	struct bytes body;
};

static void *
sender_main(void *arg)
{
	struct sending *s = arg;
	struct err e;
	return control_send(s->fd, CONTROL_POLICIES, s->body, -1, &e) == ERR_OK
		   ? s
		   : NULL;
}

/* More than the socket holds, over ends that a loop made non-blocking. */
static void
test_large_on_nonblocking(void **state)
{
	struct ends s = ends_new();
	struct buf body AUTO_BUF = BUF(CONTROL_CAP);
	size_t len = CONTROL_CAP;
	uint8_t *p = buf_room(&body, len);
	struct control_frame f;
	struct err e;
	pthread_t thread;
	void *sent;
	(void)state;
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 31 >> 3);
	assert_int_equal(fcntl(s.a, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(s.b, F_SETFL, O_NONBLOCK), 0);
	struct sending sending = { s.a, buf_bytes(&body) };
	assert_int_equal(pthread_create(&thread, NULL, sender_main, &sending),
	    0);
	OK(control_read(s.b, &f, &e));
	pthread_join(thread, &sent);
	assert_non_null(sent);
	assert_true(bytes_eq(buf_bytes(&f.body), buf_bytes(&body)));
	buf_fini(&f.body);
	ends_free(&s);
}

static void *
dribble_main(void *arg)
{
	static const uint8_t frame[] = { 0, 0, 0, 14, 0, CONTROL_READY, 0, 0, 0,
		0, 0, 0, 0, 0, 'h', 'o', 'l', 'a' };
	for (size_t i = 0; i < sizeof(frame); i++) {
		if (send(*(int *)arg, &frame[i], 1, 0) != 1)
			return NULL;
	}
	return arg;
}

static void
test_octet_by_octet(void **state)
{
	struct ends s = ends_new();
	struct control_frame f;
	struct err e;
	pthread_t thread;
	void *sent;
	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, dribble_main, &s.a), 0);
	OK(control_read(s.b, &f, &e));
	pthread_join(thread, &sent);
	assert_non_null(sent);
	assert_int_equal(f.type, CONTROL_READY);
	assert_true(bytes_is(buf_bytes(&f.body), "hola"));
	buf_fini(&f.body);
	ends_free(&s);
}

struct interrupting {
	pthread_t reader;
	int fd;
};

static void
on_interrupt(int number)
{
	(void)number;
}

/* The head of a frame, then signals to who waits for the rest, then that. */
static void *
interrupt_main(void *arg)
{
	struct interrupting *x = arg;
	const struct timespec between = { 0, 1000000 };
	put_raw(x->fd, 14, CONTROL_READY, 0);
	for (int i = 0; i < 50; i++) {
		nanosleep(&between, NULL);
		pthread_kill(x->reader, SIGUSR1);
	}
	return send(x->fd, "hola", 4, 0) == 4 ? x : NULL;
}

/* A child that ends while a frame of another one is read. */
static void
test_interrupted(void **state)
{
	const struct sigaction act = { .sa_handler = on_interrupt };
	struct sigaction before;
	struct ends s = ends_new();
	struct control_frame f;
	struct err e;
	pthread_t thread;
	void *sent;
	(void)state;
	assert_int_equal(sigaction(SIGUSR1, &act, &before), 0);
	assert_int_equal(fcntl(s.b, F_SETFL, O_NONBLOCK), 0);
	struct interrupting x = { pthread_self(), s.a };
	assert_int_equal(pthread_create(&thread, NULL, interrupt_main, &x), 0);
	OK(control_read(s.b, &f, &e));
	pthread_join(thread, &sent);
	assert_non_null(sent);
	assert_true(bytes_is(buf_bytes(&f.body), "hola"));
	assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
	buf_fini(&f.body);
	ends_free(&s);
}

/* A peer that lies about length or type gets an error, not our memory. */
static void
test_lies(void **state)
{
	static const struct {
		const char *name;
		uint32_t len;
		uint16_t type;
		const char *id, *say;
	} rows[] = {
		{ "shorter than a header", 0, CONTROL_STOP, "frame-length",
		    "a message is shorter than its own head" },
		{ "one octet short", 9, CONTROL_STOP, "frame-length",
		    "a message is shorter than its own head" },
		{ "over the cap", FRAME_HEAD - 4 + CONTROL_CAP + 1,
		    CONTROL_SETUP, "frame-too-large", "are allowed" },
		{ "four gigabytes", UINT32_MAX, CONTROL_SETUP,
		    "frame-too-large", "are allowed" },
		{ "type 0", 10, 0, "frame-type", "which may not be sent here" },
		{ "a type beyond the table", 10, CONTROL_FAILED + 1,
		    "frame-type", "which may not be sent here" },
		{ "a type of another protocol", 10, 0x4001, "frame-type",
		    "which may not be sent here" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ends s = ends_new();
		struct control_frame f = { .fd = 77 };
		struct err e;
		put_raw(s.a, rows[i].len, rows[i].type, 0);
		enum err_code code = control_read(s.b, &f, &e);
		if (code != ERR_INVALID || strcmp(e.id, rows[i].id) != 0 ||
		    strstr(e.say, rows[i].say) == NULL || f.fd != 77) {
			print_error("%s: %s %s: %s\n", rows[i].name,
			    err_code_name(code), e.id, e.say);
			fail();
		}
		ends_free(&s);
	}
}

/* The other side ends before, within or after the header. */
static void
test_gone(void **state)
{
	static const size_t cuts[] = { 0, 1, FRAME_HEAD - 1, FRAME_HEAD,
		FRAME_HEAD + 3 };
	static const uint8_t frame[] = { 0, 0, 0, 14, 0, CONTROL_READY, 0, 0, 0,
		0, 0, 0, 0, 0, 'h', 'o', 'l', 'a' };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		struct ends s = ends_new();
		struct control_frame f;
		struct err e;
		assert_int_equal(send(s.a, frame, cuts[i], 0), cuts[i]);
		shutdown(s.a, SHUT_WR);
		assert_int_equal(control_read(s.b, &f, &e), ERR_IO);
		assert_string_equal(e.id, "control-lost");
		assert_string_equal(e.say,
		    "the connection between the parent and a role is gone");
		ends_free(&s);
	}
}

static void
test_send_to_nobody(void **state)
{
	struct ends s = ends_new();
	struct err e;
	(void)state;
	close(s.b);
	assert_int_equal(control_send(s.a, CONTROL_STOP, BYTES_NONE, -1, &e),
	    ERR_IO);
	assert_string_equal(e.id, "control-lost");
	close(s.a);
}

/* --- CONTROL_SETUP ----------------------------------------------------------- */

static struct setup
usual_setup(void)
{
	return (struct setup){ .role = ROLE_CORE,
		.index = 3,
		.dir = bytes_str("/srv/ca"),
		.passphrase = bytes_str("frase"),
		.pin = bytes_str("4711"),
		.name = { bytes_str("etc/refrendo.yaml"),
		    bytes_str("etc/policies/uno.yaml") },
		.text = { bytes_str("origin: x\n"), bytes_str("") },
		.n_file = 2 };
}

static void
test_setup(void **state)
{
	struct buf b AUTO_BUF = BUF(65536);
	struct setup s = usual_setup(), got;
	struct err e;
	(void)state;
	setup_encode(&s, &b);
	OK(setup_decode(buf_bytes(&b), &got, &e));
	assert_int_equal(got.role, s.role);
	assert_int_equal(got.index, s.index);
	assert_true(bytes_eq(got.dir, s.dir));
	assert_true(bytes_eq(got.passphrase, s.passphrase));
	assert_true(bytes_eq(got.pin, s.pin));
	assert_int_equal(got.n_file, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_true(bytes_eq(got.name[i], s.name[i]));
		assert_true(bytes_eq(got.text[i], s.text[i]));
	}
	/* Cut anywhere, or one octet longer: never taken. */
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(setup_decode(bytes_of(b.p, len), &got, &e),
		    ERR_CORRUPT);
	buf_putc(&b, 0);
	assert_int_equal(setup_decode(buf_bytes(&b), &got, &e), ERR_CORRUPT);
}

static void
test_setup_lies(void **state)
{
	struct setup s = usual_setup(), got;
	struct err e;
	(void)state;
	s.role = ROLES;
	struct buf role AUTO_BUF = BUF(65536);
	setup_encode(&s, &role);
	assert_int_equal(setup_decode(buf_bytes(&role), &got, &e), ERR_INVALID);
	assert_string_equal(e.id, "control-setup");

	struct buf many AUTO_BUF = BUF(65536);
	put_u8(&many, ROLE_CORE);
	put_u8(&many, 0);
	put_u8(&many, 0);
	for (int i = 0; i < 3; i++)
		put_bytes(&many, BYTES_NONE);
	put_u16(&many, ARRAY_LEN(s.name) + 1);
	for (size_t i = 0; i < 2 * (ARRAY_LEN(s.name) + 1); i++)
		put_bytes(&many, BYTES_NONE);
	assert_int_equal(setup_decode(buf_bytes(&many), &got, &e), ERR_INVALID);
	assert_string_equal(e.id, "control-setup");
	assert_string_equal(e.say,
	    "the set-up that the parent sent names no role");
}

static void
test_roles(void **state)
{
	static const char *const bad[] = { "", "Core", "core ", "parent",
		"signers", "ocsp_signer" };
	enum role got;
	(void)state;
	for (int r = 0; r < ROLES; r++) {
		assert_true(role_parse(role_name((enum role)r), &got));
		assert_int_equal(got, r);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(role_parse(bad[i], &got));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_large_on_nonblocking),
		cmocka_unit_test(test_octet_by_octet),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_send_to_nobody),
		cmocka_unit_test(test_setup),
		cmocka_unit_test(test_setup_lies),
		cmocka_unit_test(test_roles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
