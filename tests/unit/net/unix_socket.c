#include "net/unix_socket.h"

#include "base/fd.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_prepared(int fd)
{
    return (fcntl(fd, F_GETFD) & FD_CLOEXEC) && (fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static void conversation(void)
{
    char byte = 0;

    make_file("socket", VIEW("left behind"));
    int listener = unix_socket_listen("socket", 5);
    ok(listener != -1 && is_prepared(listener), "listen", "in place of a file");
    ok(unix_socket_accept(listener) == -1 && errno == EAGAIN, "accept", "nobody");
    int near = unix_socket_connect("socket");
    ok(near != -1 && is_prepared(near), "connect", NULL);
    fault_at("accept", 1, EINTR);
    int far = unix_socket_accept(listener);
    ok(fault_end() && far != -1 && is_prepared(far), "accept", "interrupted");
    ok(write(near, "x", 1) == 1 && fd_wait(far, POLLIN, 10000) &&
           read(far, &byte, 1) == 1 && byte == 'x',
       "a byte", NULL);
    fd_close(&near);
    fd_close(&far);
    near = unix_socket_connect("socket");
    fault_at("accept", 1, ECONNABORTED);
    far = unix_socket_accept(listener);
    ok(fault_end() && far != -1, "accept", "past one that has gone");
    fd_close(&near);
    fd_close(&far);
    fd_close(&listener);
    ok(unix_socket_connect("socket") == -1 && errno == ECONNREFUSED, "connect",
       "nobody listens");
}

static void failures(void)
{
    static const char *const calls[] = {"socket", "fcntl", "bind", "listen"};
    char path[200] = {0};

    memset(path, 'x', sizeof path - 1);
    ok(unix_socket_listen(path, 5) == -1 && errno == ENAMETOOLONG, "listen",
       "a long name");
    ok(unix_socket_connect(path) == -1 && errno == ENAMETOOLONG, "connect",
       "a long name");
    ok(unix_socket_connect("absent") == -1 && errno == ENOENT, "connect", "absent");
    mkdir("dir", 0700);
    ok(unix_socket_listen("dir", 5) == -1, "listen", "in place of a directory");
    for (size_t i = 0; i < COUNT(calls); i++) {
        fault_at(calls[i], 1, ENOBUFS);
        ok(unix_socket_listen("other", 5) == -1 && errno == ENOBUFS && fault_end(),
           "listen fails", calls[i]);
    }
    int listener = unix_socket_listen("socket", 5);
    int near = unix_socket_connect("socket");
    fault_at("fcntl", 1, EBADF);
    ok(unix_socket_accept(listener) == -1 && fault_end(), "accept fails", "fcntl");
    fd_close(&near);
    fd_close(&listener);
}

int main(void)
{
    scratch();
    conversation();
    failures();
    return tap_done();
}
