/*
 * listen - the sockets that the parent binds and hands to front and status.
 */
#ifndef ENGINE_LISTEN_H
#define ENGINE_LISTEN_H

#include <refrendo/base.h>

/* The admin socket, 0660; one left behind is replaced.  The caller holds the
 * lock of the installation.  ERR_INVALID "engine-socket-path"; ERR_IO. */
MUST_CHECK enum err_code listen_unix(const char *dir, const char *name,
    int *out, struct err *e);
/* Another socket at the address and port of fd, which listen_tcp() made: the
 * kernel spreads connections over all that listen.  ERR_IO "engine-bind-again". */
MUST_CHECK enum err_code listen_again(int fd, int *out, struct err *e);
/* "127.0.0.1:8080" or "[::1]:8080"; every status process has its own socket.
 * ERR_INVALID "engine-listen", "engine-address"; ERR_IO "engine-bind". */
MUST_CHECK enum err_code listen_tcp(const char *address, int *out,
    struct err *e);

#endif
