#include "base/reader.h"

#include "base/clock.h"
#include "base/fd.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* Input and what reader_until(',') with a limit makes of it: items, each followed by
 * '+' READ_ITEM, '.' READ_END or '!' READ_TOO_LONG. */
static const struct {
    const char *name, *input;
    size_t max;
    const char *want;
} cases[] = {
    {"empty", "", 5, "."},
    {"one", "abc,", 5, "abc+."},
    {"no delimiter at the end", "abc,de", 5, "abc+de."},
    {"empty items", ",,", 5, "++."},
    {"as long as may be", "abcde,f,", 5, "abcde+f+."},
    {"as long as may be, at the end", "abcde", 5, "abcde."},
    {"one too long", "abcdef,g", 5, "abcde!f+g."},
    {"far too long", "abcdefghijkl,m", 5, "abcde!fghij!kl+m."},
    {"no byte may come", ",,", 0, "++."},
};

static struct reader r;

static void collect(int fd, size_t max, struct bytes *got)
{
    static const char marks[] = {[READ_ITEM] = '+',
                                 [READ_END] = '.',
                                 [READ_TOO_LONG] = '!',
                                 [READ_FAILED] = '?'};
    struct bytes item = {0};
    enum read_result result;

    bytes_clear(got);
    reader_open(&r, fd, 0);
    do {
        result = reader_until(&r, ',', max, &item);
        bytes_add(got, bytes_view(&item));
        bytes_add_byte(got, marks[result]);
    } while (result == READ_ITEM || result == READ_TOO_LONG);
    bytes_free(&item);
}

/* The input in three pieces, each of which comes in a read of its own. */
static bool in_pieces(size_t which, size_t one, size_t two, struct bytes *got)
{
    struct view input = view_of(cases[which].input);
    size_t ends[] = {0, one, two, input.len};
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == -1)
        skip_rest("no socket pair");
    for (int i = 0; i < 3; i++)
        if (ends[i + 1] > ends[i] &&
            write(pair[0], input.data + ends[i], ends[i + 1] - ends[i]) == -1)
            return false;
    close(pair[0]);
    collect(pair[1], cases[which].max, got);
    close(pair[1]);
    return view_is(bytes_view(got), cases[which].want);
}

static void every_split(void)
{
    struct bytes got = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t len = view_of(cases[i].input).len;
        bool fine = true;
        for (size_t one = 0; one <= len && fine; one++)
            for (size_t two = one; two <= len && fine; two++)
                fine = in_pieces(i, one, two, &got);
        if (fine)
            ok(true, cases[i].name, "in every split");
        else
            same(bytes_view(&got), view_of(cases[i].want), cases[i].name);
    }
    bytes_free(&got);
}

static void alarm_in_ms(int first, int then)
{
    struct itimerval timer = {.it_value = {.tv_usec = first * 1000},
                              .it_interval = {.tv_usec = then * 1000}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void wake(int sig)
{
    (void)sig;
}

static void limits(void)
{
    int ends[2];
    struct view unread;
    struct bytes item = {0};
    struct sigaction act = {.sa_handler = wake};

    ok(fd_pipe(ends), "pipe", NULL);
    reader_open(&r, ends[0], 1);
    sigaction(SIGALRM, &act, NULL);
    alarm_in_ms(100, 100); /* interruptions neither end the wait nor prolong it */
    int64_t begun = clock_steady_ms();
    ok(write(ends[1], "abc", 3) == 3, "pipe", "written");
    ok(reader_until(&r, ',', 9, &item) == READ_FAILED, "time limit", "result");
    int64_t took = clock_steady_ms() - begun;
    ok(r.error == ETIMEDOUT && took >= 990 && took < 3000, "time limit", "in time");
    same(bytes_view(&item), VIEW("abc"), "time limit: what came before");
    ok(write(ends[1], ",", 1) == 1, "pipe", "written");
    ok(reader_peek(&r, &unread) == READ_FAILED, "the error stays", NULL);

    /* without a limit, interrupted, on a blocking and a non-blocking descriptor */
    for (int i = 0; i < 2; i++) {
        reader_open(&r, ends[0], 0);
        reader_skip(&r, 0);
        ok(reader_peek(&r, &unread) == READ_ITEM, "written byte", NULL);
        reader_skip(&r, unread.len);
        if (fork() == 0) {
            alarm_in_ms(0, 0);
            fd_wait(-1, 0, 250);
            ssize_t n = write(ends[1], "x", 1);
            _exit(n != 1);
        }
        ok(reader_peek(&r, &unread) == READ_ITEM && view_is(unread, "x"),
           i ? "non-blocking" : "blocking", "waits through interruptions");
        wait(NULL); /* for its end of the pipe to close */
        ok(write(ends[1], ",", 1) == 1, "pipe", "written");
        fd_nonblocking(ends[0]);
    }
    alarm_in_ms(0, 0);
    reader_open(&r, ends[0], 0);
    ok(reader_fill_now(&r) == READ_ITEM && reader_has(&r), "fill",
       "takes what is there");
    reader_skip(&r, 1);
    ok(reader_fill_now(&r) == READ_ITEM && !reader_has(&r), "fill", "nothing there");
    fd_close(&ends[1]);
    ok(reader_fill_now(&r) == READ_END, "fill", "end");
    ok(reader_peek(&r, &unread) == READ_END, "end stays", NULL);
    fd_close(&ends[0]);
    bytes_free(&item);
}

static int waits;

static void count_wait(void *arg)
{
    waits++;
    if (arg)
        *(int *)arg = EPIPE;
}

static void failures(void)
{
    struct view unread;
    struct bytes item = {0};
    char byte;
    int dir = fd_open(".", O_RDONLY, 0);

    reader_open(&r, dir, 0);
    ok(reader_peek(&r, &unread) == READ_FAILED && r.error == EISDIR, "directory", NULL);
    ok(read_some(dir, &byte, 1) == -1 && errno == EISDIR, "directory", "read_some");
    fd_close(&dir);
    reader_open(&r, 999, 0);
    ok(reader_until(&r, ',', 9, &item) == READ_FAILED && r.error == EBADF,
       "closed descriptor", NULL);
    reader_open(&r, 999, 1);
    ok(reader_peek(&r, &unread) == READ_FAILED && r.error == EBADF,
       "closed descriptor with a limit", NULL);
    make_file("file", VIEW("ab,c"));
    int fd = fd_open("file", O_RDONLY, 0);
    reader_open(&r, fd, 0);
    reader_on_wait(&r, count_wait, NULL);
    ok(reader_until(&r, ',', 9, &item) == READ_ITEM && reader_has(&r), "file", NULL);
    ok(reader_skip_past(&r, ',') == READ_END, "skip past", "end");
    same_number((uint64_t)waits, 2, "before_wait at each read");
    ok(lseek(fd, 0, SEEK_SET) == 0, "lseek", NULL);
    reader_rewind(&r);
    ok(reader_skip_past(&r, ',') == READ_ITEM, "rewind, skip past", NULL);
    ok(reader_peek(&r, &unread) == READ_ITEM && view_is(unread, "c"), "skip past",
       "the rest");
    reader_skip(&r, 1);
    reader_on_wait(&r, count_wait, &r.error);
    ok(reader_peek(&r, &unread) == READ_FAILED && r.error == EPIPE,
       "before_wait ends the reading", NULL);
    reader_wipe(&r);
    same(view_at(r.data, 4), VIEW("\0\0\0\0"), "wiped");
    ok(read_some(fd, &byte, 1) == 0, "read_some", "end");
    fd_close(&fd);
    bytes_free(&item);
}

/* What a reader by single bytes leaves to the next one. */
static void by_step(void)
{
    struct bytes item = {0};
    char rest[8];

    make_file("step", VIEW("one\ntwo\nrest"));
    int fd = fd_open("step", O_RDONLY, 0);
    reader_open(&r, fd, 0);
    reader_step(&r, 1);
    ok(reader_until(&r, '\n', 9, &item) == READ_ITEM, "step", "first");
    ok(reader_skip_past(&r, '\n') == READ_ITEM, "step", "second");
    ok(!reader_has(&r) && read_some(fd, rest, sizeof rest) == 4, "step",
       "nothing more");
    reader_open(&r, fd, 0);
    reader_step(&r, SIZE_MAX);
    same_number(r.step, READER_ROOM, "step, bounded");
    fd_close(&fd);
    bytes_free(&item);
}

/* Items around the edge of the buffer. */
static void large(void)
{
    struct bytes input = {0}, item = {0};
    for (size_t len = READER_ROOM - 2; len <= READER_ROOM + 2; len++) {
        bytes_clear(&input);
        for (size_t i = 0; i < len; i++)
            bytes_add_byte(&input, (char)('a' + i % 26));
        bytes_add_text(&input, ",tail,");
        make_file("large", bytes_view(&input));
        int fd = fd_open("large", O_RDONLY, 0);
        reader_open(&r, fd, 0);
        ok(reader_until(&r, ',', len, &item) == READ_ITEM && item.len == len &&
               view_equal(bytes_view(&item), view_before(bytes_view(&input), len)),
           "an item as large as the buffer", NULL);
        ok(reader_until(&r, ',', 4, &item) == READ_ITEM &&
               view_is(bytes_view(&item), "tail"),
           "an item behind it", NULL);
        fd_close(&fd);
    }
    bytes_free(&input);
    bytes_free(&item);
}

static void faults(void)
{
    struct view unread;
    char byte;
    int ends[2];

    make_file("faults", VIEW("abc"));
    int fd = fd_open("faults", O_RDONLY, 0);
    reader_open(&r, fd, 0);
    fault_at("read", 1, EINTR);
    ok(reader_peek(&r, &unread) == READ_ITEM && fault_end(), "interrupted", NULL);
    fault_at("read", 1, EINTR);
    ok(read_some(fd, &byte, 1) == 0 && fault_end(), "interrupted", "read_some");
    fd_close(&fd);
    ok(fd_pipe(ends) && fd_nonblocking(ends[0]), "pipe", NULL);
    reader_open(&r, ends[0], 0);
    fault_at("poll", 1, ENOMEM);
    ok(reader_peek(&r, &unread) == READ_FAILED && r.error == ENOMEM && fault_end(),
       "non-blocking", "poll fails");
    fault_at("poll", 1, ENOMEM);
    ok(read_some(ends[0], &byte, 1) == -1 && errno == ENOMEM && fault_end(),
       "non-blocking", "poll fails, read_some");
    ok(write(ends[1], "x", 1) == 1, "pipe", "written");
    fault_at("read", 1, EAGAIN);
    ok(read_some(ends[0], &byte, 1) == 1 && fault_end(), "non-blocking",
       "waits, read_some");
    fd_close(&ends[0]);
    fd_close(&ends[1]);
}

int main(void)
{
    scratch();
    every_split();
    limits();
    failures();
    by_step();
    large();
    faults();
    return tap_done();
}
