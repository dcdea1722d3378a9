#include "base/writer.h"

#include "base/clock.h"
#include "base/fd.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct writer w;
static char large[4 * WRITER_ROOM + 1];

/* Pieces of every size around the buffer's, before and behind others. */
static void sizes(void)
{
    static const size_t steps[] = {
        0, 1, 2, WRITER_ROOM - 1, WRITER_ROOM, WRITER_ROOM + 1, sizeof large};
    struct bytes want = {0};
    int fd = fd_open("sizes", O_RDWR | O_CREAT | O_TRUNC, 0600);

    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (char)('a' + i % 23);
    writer_open(&w, fd, 0);
    for (size_t i = 0; i < COUNT(steps); i++)
        for (size_t j = 0; j < COUNT(steps); j++) {
            writer_add(&w, view_at(large, steps[i]));
            writer_add_byte(&w, '\0');
            writer_add(&w, view_at(large, steps[j]));
            writer_add_text(&w, "text");
            writer_add_number(&w, i * 1000);
            bytes_add(&want, view_at(large, steps[i]));
            bytes_add_byte(&want, '\0');
            bytes_add(&want, view_at(large, steps[j]));
            bytes_add_text(&want, "text");
            bytes_add_number(&want, i * 1000);
        }
    writer_add_number(&w, UINT64_MAX);
    bytes_add_number(&want, UINT64_MAX);
    ok(writer_finish(&w, WRITER_SYNC | WRITER_CLOSE), "finish", NULL);
    ok(fcntl(fd, F_GETFD) == -1, "finish", "closes");
    fd = fd_open("sizes", O_RDONLY, 0);
    char *got = malloc(want.len);
    ssize_t n = got ? read(fd, got, want.len) : -1;
    ok(n == (ssize_t)want.len && memcmp(got, want.data, want.len) == 0,
       "pieces of every size", NULL);
    free(got);
    fd_close(&fd);
    bytes_free(&want);
}

static void errors(void)
{
    int full = fd_open("/dev/full", O_WRONLY, 0);
    int kept = full;

    writer_open(&w, full, 0);
    writer_add_text(&w, "x");
    ok(w.error == 0, "full disk", "not noticed before the flush");
    ok(!writer_flush(&w) && errno == ENOSPC && w.error == ENOSPC, "full disk", NULL);
    writer_add(&w, view_at(large, sizeof large));
    writer_add_byte(&w, 'x');
    ok(w.used == 0, "full disk", "then nothing is kept");
    errno = 0;
    ok(!writer_finish(&w, WRITER_SYNC | WRITER_CLOSE) && errno == ENOSPC,
       "the first error is told", NULL);
    ok(fcntl(kept, F_GETFD) == -1, "closed all the same", NULL);

    full = fd_open("/dev/full", O_WRONLY, 0);
    writer_open(&w, full, 0);
    writer_add(&w, view_at(large, sizeof large));
    ok(w.error == ENOSPC, "full disk", "with a large piece");
    fd_close(&full);
    writer_open(&w, 999, 0);
    writer_add_text(&w, "x");
    ok(!writer_finish(&w, WRITER_CLOSE) && errno == EBADF, "closed descriptor", NULL);
    ok(!write_all(999, VIEW("x")) && errno == EBADF, "closed descriptor", "write_all");
    ok(write_all(999, VIEW("")), "nothing to write", NULL);

    int ends[2];
    ok(fd_pipe(ends), "pipe", NULL);
    writer_open(&w, ends[1], 0);
    ok(!writer_finish(&w, WRITER_SYNC) && errno == EINVAL, "a pipe cannot be synced",
       NULL);
    fd_close(&ends[0]);
    writer_open(&w, ends[1], 5);
    writer_add_text(&w, "x");
    ok(!writer_flush(&w) && errno == EPIPE, "broken pipe, with a limit", NULL);
    fd_close(&ends[1]);
}

/* Somebody who does not read: the limit holds on descriptors that block, too. */
static void limits(int fds[2], const char *name)
{
    writer_open(&w, fds[1], 1);
    int64_t begun = clock_steady_ms();
    for (int i = 0; i < 100 && !w.error; i++)
        writer_add(&w, view_at(large, sizeof large));
    int64_t took = clock_steady_ms() - begun;
    ok(w.error == ETIMEDOUT, name, "result");
    ok(took >= 990 && took < 3000, name, "in time");
    fd_close(&fds[0]);
    fd_close(&fds[1]);
}

/* A slow reader gets everything, whatever the descriptor. */
static void slow(int fds[2], unsigned timeout_s, const char *name)
{
    pid_t pid = fork();
    if (pid == 0) {
        char part[5000];
        size_t got = 0;
        ssize_t n;
        close(fds[1]);
        while ((n = read(fds[0], part, sizeof part)) > 0) {
            for (ssize_t i = 0; i < n; i++, got++)
                if (part[i] != large[got % sizeof large])
                    _exit(1);
            if (got % 7 == 0)
                fd_wait(-1, 0, 1);
        }
        _exit(got == 8 * sizeof large ? 0 : 2);
    }
    writer_open(&w, fds[1], timeout_s);
    for (int i = 0; i < 8; i++)
        writer_add(&w, view_at(large, sizeof large));
    ok(writer_finish(&w, WRITER_CLOSE), name, "written");
    int status;
    ok(waitpid(pid, &status, 0) == pid && status == 0, name, "read");
    close(fds[0]);
}

static void faults(void)
{
    int fd = fd_open("faults", O_RDWR | O_CREAT | O_TRUNC, 0600);
    static const int ways[] = {EINTR, EAGAIN};

    for (unsigned timeout_s = 0; timeout_s < 2; timeout_s++)
        for (size_t i = 0; i < COUNT(ways); i++) {
            writer_open(&w, fd, timeout_s);
            writer_add_text(&w, "x");
            fault_at("write", 1, ways[i]);
            ok(writer_flush(&w) && fault_end(), "write: again", strerror(ways[i]));
        }
    writer_open(&w, fd, 1);
    writer_add_text(&w, "x");
    fault_at("poll", 1, EINVAL);
    ok(!writer_flush(&w) && w.error == EINVAL, "poll fails", "with a limit");
    fd_nonblocking(fd);
    fault_at(NULL, 1, EAGAIN);
    ok(write_all(fd, VIEW("x")) && fault_end(), "non-blocking", "waits");

    writer_open(&w, fd, 0);
    while (w.used < sizeof w.data)
        writer_add_byte(&w, 'x');
    fault_at("write", 1, ENOSPC);
    writer_add_byte(&w, 'x');
    ok(fault_end() && w.error == ENOSPC && w.used == 0, "a byte too much", NULL);
    writer_open(&w, fd, 0);
    fault_at("fsync", 1, EIO);
    ok(!writer_finish(&w, WRITER_SYNC) && errno == EIO, "sync fails", NULL);
    writer_open(&w, fd, 0);
    fault_at("close", 1, EDQUOT);
    ok(!writer_finish(&w, WRITER_CLOSE) && errno == EDQUOT, "close fails", NULL);
    fault_end();
}

/* A full pipe, and poll(2) fails. */
static void cannot_wait(void)
{
    int ends[2];
    ok(fd_pipe(ends) && fd_nonblocking(ends[1]), "pipe", NULL);
    while (write(ends[1], large, sizeof large) > 0)
        ;
    fault_at("poll", 1, ENOMEM);
    ok(!write_all(ends[1], VIEW("x")) && errno == ENOMEM && fault_end(), "poll fails",
       "without a limit");
    fd_close(&ends[0]);
    fd_close(&ends[1]);
}

int main(void)
{
    int fds[2];

    scratch();
    signal(SIGPIPE, SIG_IGN);
    sizes();
    errors();
    ok(fd_pipe(fds), "pipe", NULL);
    limits(fds, "blocking pipe, limit");
    ok(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socket pair", NULL);
    limits(fds, "blocking socket, limit");
    for (int i = 0; i < 4; i++) {
        unsigned timeout_s = i & 1 ? 20 : 0;
        ok(fd_pipe(fds) && (i < 2 || fd_nonblocking(fds[1])), "pipe", NULL);
        slow(fds, timeout_s, i < 2 ? "slow pipe" : "slow non-blocking pipe");
        ok(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0 &&
               (i < 2 || fd_nonblocking(fds[1])),
           "socket pair", NULL);
        slow(fds, timeout_s, i < 2 ? "slow socket" : "slow non-blocking socket");
    }
    faults();
    cannot_wait();
    return tap_done();
}
