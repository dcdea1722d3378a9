#include "net/unix_socket.h"

#include "base/fd.h"
#include "base/file.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static int prepared(int fd)
{
    if (fd != -1 && (!fd_close_on_exec(fd, true) || !fd_nonblocking(fd)))
        fd_close(&fd);
    return fd;
}

/* A socket and the address that path is. */
static int open_at(const char *path, struct sockaddr_un *address)
{
    size_t len = strlen(path);
    memset(address, 0, sizeof *address);
    if (len >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, len);
    return prepared(socket(AF_UNIX, SOCK_STREAM, 0));
}

int unix_socket_listen(const char *path, int waiting)
{
    struct sockaddr_un address;
    int fd = open_at(path, &address);
    if (fd == -1)
        return -1;
    if (!file_remove(path) ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) == -1 ||
        listen(fd, waiting) == -1)
        fd_close(&fd);
    return fd;
}

int unix_socket_accept(int listener)
{
    int fd;
    do
        fd = accept(listener, NULL, NULL);
    while (fd == -1 && (errno == EINTR || errno == ECONNABORTED));
    return prepared(fd);
}

int unix_socket_connect(const char *path)
{
    struct sockaddr_un address;
    int fd = open_at(path, &address);
    if (fd != -1 &&
        connect(fd, (const struct sockaddr *)&address, sizeof address) == -1)
        fd_close(&fd);
    return fd;
}
