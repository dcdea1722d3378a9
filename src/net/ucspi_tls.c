#include "net/ucspi_tls.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/number.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_TOLD = 65536, TELL_ROOM = 1024 };

/* The open descriptor whose number is in the environment, or -1. */
static int find_fd(const char *name)
{
    const char *value = getenv(name);
    uint64_t n;

    if (!value || !number_exact(view_of(value), INT_MAX, &n) || n <= STDERR_FILENO)
        return -1;
    return fd_close_on_exec((int)n, true) ? (int)n : -1;
}

void ucspi_tls_find(struct ucspi_tls *t)
{
    const char *wish = getenv("UCSPITLS");

    t->control_fd = find_fd("SSLCTLFD");
    t->read_fd = find_fd("SSLREADFD");
    t->write_fd = find_fd("SSLWRITEFD");
    t->required = wish && wish[0] == '!';
    t->offered = t->control_fd != -1 && t->read_fd != -1 && t->write_fd != -1 &&
                 !(wish && view_is(view_of(wish), "-"));
}

static bool has_value(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

bool ucspi_tls_is_active(void)
{
    return has_value("SSL_PROTOCOL") || has_value("SMTPS");
}

/* Reads what the server tells: NAME=VALUE NUL ..., ended by one more NUL. */
static bool read_told(int fd, unsigned timeout_s, struct bytes *told)
{
    int64_t end = clock_steady_ms() + (int64_t)timeout_s * 1000;
    char block[TELL_ROOM];

    while (told->len < 2 || told->data[told->len - 1] || told->data[told->len - 2]) {
        int64_t left = end - clock_steady_ms();
        if (!fd_wait(fd, POLLIN, left > 0 ? left : 0))
            return false;
        ssize_t n = read(fd, block, sizeof block);
        if (n == -1 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0 || told->len + (size_t)n > MAX_TOLD)
            return false;
        bytes_add(told, view_at(block, (size_t)n));
    }
    return true;
}

/* One variable; only names that speak of TLS are believed. */
static bool believe(struct view variable)
{
    struct bytes name = {0}, value = {0};
    bool set = true;

    if (view_has(variable, '=') &&
        (view_starts(variable, VIEW("SSL_")) || view_starts(variable, VIEW("TLS_")))) {
        bytes_set(&name, view_cut(&variable, '='));
        bytes_set(&value, variable);
        bytes_add_byte(&name, '\0');
        bytes_add_byte(&value, '\0');
        set = setenv(name.data, value.data, 1) == 0;
    }
    bytes_free(&name);
    bytes_free(&value);
    return set;
}

static bool believe_all(struct view told)
{
    while (told.len)
        if (!believe(view_cut(&told, '\0')))
            return false;
    return true;
}

static bool move_fds(struct ucspi_tls *t)
{
    if (dup2(t->read_fd, STDIN_FILENO) == -1 || dup2(t->write_fd, STDOUT_FILENO) == -1)
        return false;
    fd_close(&t->control_fd);
    fd_close(&t->read_fd);
    fd_close(&t->write_fd);
    return true;
}

bool ucspi_tls_start(struct ucspi_tls *t, struct connection *c, unsigned timeout_s)
{
    static const char *const done[] = {"SSLCTLFD", "SSLREADFD", "SSLWRITEFD",
                                       "UCSPITLS"};
    struct bytes told = {0};
    bool begun = write_all(t->control_fd, VIEW("Y")) &&
                 read_told(t->control_fd, timeout_s, &told) &&
                 believe_all(bytes_view(&told)) && move_fds(t);

    bytes_free(&told);
    if (!begun)
        return false;
    for (size_t i = 0; i < COUNT(done); i++)
        unsetenv(done[i]);
    connection_switch(c, STDIN_FILENO, STDOUT_FILENO);
    t->offered = false;
    return true;
}
