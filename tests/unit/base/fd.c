#include "base/fd.h"

#include "base/clock.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

/* A bit of closed for each descriptor that is closed first. */
static void fill(void *arg)
{
    unsigned closed = *(unsigned *)arg;
    for (int fd = 0; fd <= 6; fd++)
        if (closed & 1u << fd)
            close(fd);
        else
            fcntl(0, F_DUPFD, fd);
    bool filled = closed & 128 ? fd_fill(6) : fd_fill_standard();
    int last = closed & 128 ? 6 : 2;
    for (int fd = 0; fd <= last; fd++)
        filled &= fcntl(fd, F_GETFD) != -1;
    struct stat null, st;
    filled &= stat("/dev/null", &null) == 0;
    for (int fd = 0; fd <= last; fd++)
        if (closed & 1u << fd)
            filled &= fstat(fd, &st) == 0 && st.st_rdev == null.st_rdev &&
                      (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR;
    _exit(filled ? 0 : 1);
}

static void no_descriptors(void *arg)
{
    (void)arg;
    int ends[2];
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){3, 3});
    if (fd_pipe(ends) || errno != EMFILE || fd_open("/", O_RDONLY, 0) != -1 ||
        errno != EMFILE)
        _exit(1);
    close(1);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){1, 1});
    _exit(fd_fill_standard() ? 2 : 0);
}

static void opening(void)
{
    int ends[2];

    make_file("file", VIEW("x"));
    int fd = fd_open("file", O_RDONLY, 0);
    ok(fd != -1 && fcntl(fd, F_GETFD) == FD_CLOEXEC, "open", "close-on-exec");
    ok(fd_close_on_exec(fd, false) && fcntl(fd, F_GETFD) == 0, "close-on-exec", "off");
    ok(fd_close_on_exec(fd, true) && fcntl(fd, F_GETFD) == FD_CLOEXEC, "close-on-exec",
       "on");
    int number = fd;
    errno = ENOSPC;
    fd_close(&fd);
    ok(fd == -1 && fcntl(number, F_GETFD) == -1, "close", NULL);
    errno = ENOSPC;
    fd_close(&fd);
    fd = 999;
    fd_close(&fd);
    ok(errno == ENOSPC, "close", "errno stays");
    ok(!fd_close_on_exec(999, true) && errno == EBADF, "close-on-exec", "closed");
    ok(!fd_nonblocking(999) && errno == EBADF, "non-blocking", "closed");
    ok(fd_open("absent", O_RDONLY, 0) == -1 && errno == ENOENT, "open", "absent");

    ok(mkfifo("fifo", 0600) == 0, "FIFO", NULL);
    fd = fd_open_read("fifo");
    ok(fd != -1, "FIFO", "is opened without waiting");
    fd_close(&fd);

    ok(fd_pipe(ends), "pipe", NULL);
    ok(fcntl(ends[0], F_GETFD) == FD_CLOEXEC && fcntl(ends[1], F_GETFD) == FD_CLOEXEC,
       "pipe", "close-on-exec");
    ok(fd_nonblocking(ends[1]) && (fcntl(ends[1], F_GETFL) & O_NONBLOCK), "pipe",
       "non-blocking end");
    ok(!(fcntl(ends[0], F_GETFL) & O_NONBLOCK), "pipe", "the other end blocks");
    ok(fd_blocking(ends[1]) && !(fcntl(ends[1], F_GETFL) & O_NONBLOCK), "pipe",
       "blocking again");
    fd_close(&ends[0]);
    fd_close(&ends[1]);
}

static void wake(int sig)
{
    (void)sig;
}

static void waiting(void)
{
    int ends[2];
    struct sigaction act = {.sa_handler = wake};
    struct itimerval often = {.it_value = {.tv_usec = 30000},
                              .it_interval = {.tv_usec = 30000}};

    ok(fd_pipe(ends), "pipe", NULL);
    sigaction(SIGALRM, &act, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    int64_t begun = clock_steady_ms();
    ok(!fd_wait(ends[0], POLLIN, 300) && errno == ETIMEDOUT, "wait", "limit");
    int64_t took = clock_steady_ms() - begun;
    ok(took >= 300 && took < 2000, "wait", "as long as said, through interruptions");
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {0}}, NULL);
    ok(!fd_wait(ends[0], POLLIN, 0) && errno == ETIMEDOUT, "wait", "not at all");
    ok(fd_wait(ends[1], POLLOUT, 0), "wait", "ready");
    ok(write(ends[1], "x", 1) == 1 && fd_wait(ends[0], POLLIN, -1), "wait",
       "without limit");
    ok(fd_wait(ends[0], POLLIN, INT64_MAX / 2), "wait", "with a limit of ages");
    fd_close(&ends[0]);
    ok(fd_wait(ends[1], POLLOUT, -1), "wait", "broken pipe is for write to tell");
    fd_close(&ends[1]);
    ok(fd_wait(999, POLLIN, -1), "wait", "closed is for read to tell");
}

static void hanging_up(void)
{
    int in[2], out[2];

    ok(fd_pipe(in) && fd_pipe(out), "pipes", NULL);
    ok(!fd_hung_up(in[0], out[1]), "hung up", "both ends are there");
    ok(write(in[1], "x", 1) == 1 && !fd_hung_up(in[0], out[1]), "hung up",
       "with something to read");
    fd_close(&in[1]);
    ok(!fd_hung_up(in[0], out[1]), "hung up", "the reader is still there");
    fd_close(&out[0]);
    ok(fd_hung_up(in[0], out[1]), "hung up", "both are gone, and left something");
    fd_close(&in[0]);
    fd_close(&out[1]);
    ok(fd_pipe(in) && fd_pipe(out), "pipes", NULL);
    fd_close(&out[0]);
    ok(!fd_hung_up(in[0], out[1]), "hung up", "the writer is still there");
    fd_close(&in[0]);
    ok(!fd_hung_up(999, out[1]), "hung up", "a closed descriptor of our own");
    fd_close(&in[1]);
    fd_close(&out[1]);
    int file = fd_open("file", O_RDWR, 0);
    ok(!fd_hung_up(file, file), "hung up", "not a file");
    fd_close(&file);
}

static void faults(void)
{
    fault_at("poll", 1, EINTR);
    ok(fd_wait(1, POLLOUT, 0) || fault_end(), "wait", "interrupted");
    fault_at("poll", 1, EINVAL);
    ok(!fd_wait(1, POLLOUT, 10) && errno == EINVAL, "wait", "fails");
    fault_at("fcntl", 1, EBADF);
    ok(!fd_nonblocking(0) && errno == EBADF, "flags", "not to be read");
    fault_at("fcntl", 0, EBADF); /* to it, all are closed */
    ok(!fd_fill_standard(), "fill", "what is open already");
    fault_at("open", 1, EMFILE);
    ok(!fd_fill(999) && errno == EMFILE, "fill", "no descriptor");
    fault_end();
}

int main(void)
{
    unsigned closed[] = {0, 1, 2, 4, 3, 7, 128 | 0, 128 | 64, 128 | 40, 128 | 0x7f};

    scratch();
    for (size_t i = 0; i < COUNT(closed); i++)
        same_number((uint64_t)run_apart(fill, &closed[i], NULL), 0,
                    "closed standard descriptors");
    same_number((uint64_t)run_apart(no_descriptors, NULL, NULL), 0, "none left");
    opening();
    waiting();
    hanging_up();
    faults();
    return tap_done();
}
