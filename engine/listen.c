#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "listen.h"

enum err_code
listen_unix(const char *dir, const char *name, int *out, struct err *e)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int n = name[0] == '/'
		    ? snprintf(at.sun_path, sizeof(at.sun_path), "%s", name)
		    : snprintf(at.sun_path, sizeof(at.sun_path), "%s/%s", dir,
			  name);
	if (n < 0 || (size_t)n >= sizeof(at.sun_path))
		return err_say(e, ERR_INVALID, "engine-socket-path",
		    "the path of the admin socket is longer than 107 octets; "
		    "choose a shorter one");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(e, "engine-socket", "no socket can be made");
	unlink(at.sun_path);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    chmod(at.sun_path, 0660) != 0) {
		close(fd);
		return err_errno(e, "engine-admin-socket",
		    "the admin socket cannot be made");
	}
	*out = fd;
	return ERR_OK;
}

static bool
bind_tcp(const struct sockaddr *at, socklen_t len, int *out)
{
	int one = 1;
	int fd = socket(at->sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) == 0 &&
	    bind(fd, at, len) == 0) {
		*out = fd;
		return true;
	}
	int why = errno;
	if (fd >= 0)
		close(fd);
	errno = why;
	return false;
}

enum err_code
listen_tcp(const char *address, int *out, struct err *e)
{
	char host[64], port[8];
	const char *colon = strrchr(address, ':');
	if (colon == NULL)
		return err_say(e, ERR_INVALID, "engine-listen",
		    "listen: %s is not address:port", address);
	snprintf(port, sizeof(port), "%s", colon + 1);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
	size_t len = strlen(host);
	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		memmove(host, host + 1, len - 2);
		host[len - 2] = '\0';
	}
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	struct addrinfo *found;
	if (getaddrinfo(host, port, &hints, &found) != 0)
		return err_say(e, ERR_INVALID, "engine-address",
		    "listen: %s is not a numeric address and port", address);
	bool done = bind_tcp(found->ai_addr, found->ai_addrlen, out);
	freeaddrinfo(found);
	if (done)
		return ERR_OK;
	err_say(e, ERR_IO, "engine-bind",
	    "the engine cannot listen on %s; is another running?", address);
	return err_why(e, "%s", strerror(errno));
}

enum err_code
listen_again(int fd, int *out, struct err *e)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);
	if (getsockname(fd, (struct sockaddr *)&at, &len) == 0 &&
	    bind_tcp((struct sockaddr *)&at, len, out))
		return ERR_OK;
	return err_errno(e, "engine-bind-again",
	    "the status processes cannot share their port");
}
