/* The server that speaks TLS is played here: its answer lies in the control socket
 * before it is asked. Each case runs in a child, whose descriptors 0 and 1 change. */
#include "net/ucspi_tls.h"

#include "base/fd.h"
#include "base/process.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    const char *name;
    struct view told;
    bool begins;
    const char *variable, *value; /* NULL: must be unset afterwards */
} cases[] = {
    {"two variables", {"SSL_A=1\0TLS_B=x=y\0\0", 19}, true, "TLS_B", "x=y"},
    {"nothing told", {"\0\0", 2}, true, "SSL_A", NULL},
    {"empty value", {"SSL_A=\0\0", 8}, true, "SSL_A", ""},
    {"others are not believed", {"LD_X=1\0SSL_A=1\0\0", 16}, true, "LD_X", NULL},
    {"no value", {"SSL_A\0\0", 7}, true, "SSL_A", NULL},
    {"not ended", {"SSL_A=1\0", 8}, false, NULL, NULL},
    {"end of file", {"", 0}, false, NULL, NULL},
};

static void number(const char *name, int fd)
{
    char text[16];
    snprintf(text, sizeof text, "%d", fd);
    setenv(name, text, 1);
}

static struct connection c;

/* In the child: 0 when all is as it should be, else a number that says what not. */
static int begin(size_t i, int net, int control, int in, int out)
{
    struct ucspi_tls t;
    struct view unread;

    number("SSLCTLFD", control);
    number("SSLREADFD", in);
    number("SSLWRITEFD", out);
    ucspi_tls_find(&t);
    if (!t.offered || t.required)
        return 1;
    connection_open(&c, net, net, 5);
    if (reader_peek(&c.in, &unread) != READ_ITEM)
        return 2;
    if (ucspi_tls_start(&t, &c, 1) != cases[i].begins)
        return 3;
    if (!cases[i].begins)
        return 0;
    const char *value = getenv(cases[i].variable);
    if (cases[i].value ? !value || strcmp(value, cases[i].value) != 0 : value != NULL)
        return 4;
    if (getenv("SSLCTLFD") || getenv("SSLREADFD") || getenv("SSLWRITEFD"))
        return 5;
    if (reader_peek(&c.in, &unread) != READ_ITEM || !view_is(unread, "secret"))
        return 6;
    writer_add_text(&c.out, "reply");
    return connection_flush(&c) ? 0 : 7;
}

static void test_case(size_t i)
{
    int net[2], control[2], in[2], out[2], status = -1;
    char got[16];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, net) == -1 ||
        socketpair(AF_UNIX, SOCK_STREAM, 0, control) == -1 || !fd_pipe(in) ||
        !fd_pipe(out))
        skip_rest("no sockets");
    bool ready = write_all(net[0], VIEW("STARTTLS\nclear")) &&
                 write_all(in[1], VIEW("secret")) &&
                 write_all(control[0], cases[i].told);
    shutdown(control[0], SHUT_WR);
    ok(ready, cases[i].name, "ready");
    pid_t pid = fork();
    if (pid == 0)
        _exit(begin(i, net[1], control[1], in[0], out[1]));
    ok(process_wait(pid, &status) && WIFEXITED(status), cases[i].name, "child");
    same_number((uint64_t)WEXITSTATUS(status), 0, cases[i].name);
    ok(read(control[0], got, sizeof got) == 1 && got[0] == 'Y', cases[i].name, "asked");
    if (cases[i].begins) {
        ssize_t n = read(out[0], got, sizeof got);
        same(view_at(got, n > 0 ? (size_t)n : 0), VIEW("reply"), cases[i].name);
    }
    for (size_t k = 0; k < 2; k++) {
        close(net[k]);
        close(control[k]);
        close(in[k]);
        close(out[k]);
    }
}

static const struct {
    const char *name, *control, *wish;
    bool offered, required;
} finds[] = {
    {"all there", "", NULL, true, false},
    {"empty wish", "", "", true, false},
    {"forbidden", "", "-", false, false},
    {"required", "", "!", true, true},
    {"no number", "x", NULL, false, false},
    {"number and more", "3x", NULL, false, false},
    {"not open", "9999", NULL, false, false},
    {"negative", "-1", NULL, false, false},
    {"a standard descriptor", "1", NULL, false, false},
    {"beyond int", "4294967299", NULL, false, false},
    {"required but not there", "x", "!x", false, true},
};

static void test_find(void)
{
    struct ucspi_tls t;
    int fds[2];

    if (!fd_pipe(fds))
        skip_rest("no pipe");
    for (size_t i = 0; i < COUNT(finds); i++) {
        fd_close_on_exec(fds[0], false);
        number("SSLCTLFD", fds[0]);
        number("SSLREADFD", fds[0]);
        number("SSLWRITEFD", fds[1]);
        if (*finds[i].control)
            setenv("SSLCTLFD", finds[i].control, 1);
        unsetenv("UCSPITLS");
        if (finds[i].wish)
            setenv("UCSPITLS", finds[i].wish, 1);
        ucspi_tls_find(&t);
        ok(t.offered == finds[i].offered, finds[i].name, "offered");
        ok(t.required == finds[i].required, finds[i].name, "required");
        ok(fcntl(fds[0], F_GETFD) & FD_CLOEXEC, finds[i].name, "close-on-exec");
    }
    unsetenv("SSLCTLFD");
    ucspi_tls_find(&t);
    ok(!t.offered, "unset", NULL);
    unsetenv("UCSPITLS");
    close(fds[0]);
    close(fds[1]);
}

static void test_active(void)
{
    unsetenv("SSL_PROTOCOL");
    unsetenv("SMTPS");
    ok(!ucspi_tls_is_active(), "active", "unset");
    setenv("SMTPS", "", 1);
    ok(!ucspi_tls_is_active(), "active", "empty");
    setenv("SMTPS", "1", 1);
    ok(ucspi_tls_is_active(), "active", "SMTPS");
    unsetenv("SMTPS");
    setenv("SSL_PROTOCOL", "TLSv1.3", 1);
    ok(ucspi_tls_is_active(), "active", "SSL_PROTOCOL");
    unsetenv("SSL_PROTOCOL");
}

/* What can fail between the wish and the start. */
static void fails_at(void *arg)
{
    static const struct {
        const char *call;
        int nth, error;
        bool begins;
    } fails[] = {
        {"write", 1, EPIPE, false}, {"read", 1, EINTR, true},
        {"read", 1, EIO, false},    {"setenv", 1, ENOMEM, false},
        {"dup2", 1, EBADF, false},  {"dup2", 2, EBADF, false},
        {"poll", 1, EINVAL, false},
    };
    (void)arg;
    for (int i = 0; i < (int)COUNT(fails); i++) {
        struct ucspi_tls t = {.offered = true};
        int control[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, control) == -1 ||
            !write_all(control[0], VIEW("SSL_A=1\0\0")))
            _exit(1);
        t.control_fd = control[1];
        t.read_fd = fd_open("/dev/null", O_RDONLY, 0);
        t.write_fd = fd_open("/dev/null", O_WRONLY, 0);
        connection_open(&c, 0, 1, 5);
        fault_at(fails[i].call, fails[i].nth, fails[i].error);
        bool begun = ucspi_tls_start(&t, &c, 5);
        if (!fault_end() || begun != fails[i].begins)
            _exit(10 + i);
    }
    _exit(0);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    test_find();
    test_active();
    for (size_t i = 0; i < COUNT(cases); i++)
        test_case(i);
    same_number((uint64_t)run_apart(fails_at, NULL, NULL), 0, "a step fails");
    return tap_done();
}
