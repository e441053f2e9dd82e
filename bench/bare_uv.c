/*
 * bench_bare_uv - a libuv server that answers whatever it reads with the same
 * octets, without looking: what status is compared with.
 *
 * usage: bench_bare_uv HEAD BODY    prints its port; octets of the answer
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static char answer[65536], room[65536];
static unsigned len;

static void
on_closed(uv_handle_t *h)
{
	free(h);
}

static void
on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *out)
{
	(void)h;
	(void)suggested;
	*out = uv_buf_init(room, sizeof(room));
}

static void
on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
	(void)b;
	uv_buf_t all = uv_buf_init(answer, len);
	/* One request each time: the client waits for its answer. */
	if (n < 0 || (n > 0 && uv_try_write(s, &all, 1) != (int)len))
		uv_close((uv_handle_t *)s, on_closed);
}

static void
on_connection(uv_stream_t *listen, int status)
{
	uv_tcp_t *c = malloc(sizeof(*c));
	if (status < 0 || c == NULL)
		abort();
	uv_tcp_init(listen->loop, c);
	if (uv_accept(listen, (uv_stream_t *)c) != 0 ||
	    uv_tcp_nodelay(c, 1) != 0 ||
	    uv_read_start((uv_stream_t *)c, on_alloc, on_read) != 0)
		uv_close((uv_handle_t *)c, on_closed);
}

int
main(int argc, char **argv)
{
	uv_tcp_t listen;
	struct sockaddr_in at, got;
	int size = sizeof(got);
	if (argc != 3) {
		fputs("usage: bench_bare_uv HEAD BODY\n", stderr);
		return 2;
	}
	unsigned head = (unsigned)strtoul(argv[1], NULL, 10);
	unsigned body = (unsigned)strtoul(argv[2], NULL, 10);
	len = (unsigned)snprintf(answer, sizeof(answer),
	    "HTTP/1.1 200 OK\r\nContent-Length: %u\r\nX-Fill: ", body);
	if (head < len + 5 || head + body > sizeof(answer))
		return 2;
	memset(answer + len, 'x', head - len - 4);
	memcpy(answer + head - 4, "\r\n\r\n", 4);
	memset(answer + head, 'b', body);
	len = head + body;
	uv_ip4_addr("127.0.0.1", 0, &at);
	uv_tcp_init(uv_default_loop(), &listen);
	if (uv_tcp_bind(&listen, (struct sockaddr *)&at, 0) != 0 ||
	    uv_listen((uv_stream_t *)&listen, 1024, on_connection) != 0 ||
	    uv_tcp_getsockname(&listen, (struct sockaddr *)&got, &size) != 0)
		return 1;
	printf("%d\n", ntohs(got.sin_port));
	fflush(stdout);
	return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
