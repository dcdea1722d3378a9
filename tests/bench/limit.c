/* limit - how many small files a second this file system makes durable.
 *
 * usage    limit DIRECTORY WRITERS SECONDS
 * fd 1     the number of files, and the seconds that they took
 * exits    0 done, 111 failed
 *
 * A mail system cannot take mail faster than the file system makes names and data
 * durable. So many WRITERS each loop: create a file in DIRECTORY/new, write 4 kB, sync
 * it, link it into DIRECTORY/done, sync that directory. Nothing else is done, and
 * nothing is removed. */
#include "base/die.h"
#include "base/error.h"
#include "base/number.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE = 4096, MAX_WRITERS = 1000, MAX_SECONDS = 3600, NAME_ROOM = 64 };

static _Noreturn void die_unable(const char *deed)
{
    die_temp("unable to %s: %s", deed, error_text(errno));
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t number(const char *text, uint64_t max)
{
    uint64_t value;
    if (!number_exact(view_of(text), max, &value) || value == 0)
        die_perm("not a number from 1 to %ju: %s", (uintmax_t)max, text);
    return value;
}

static void write_one(unsigned writer, uint64_t count, int done)
{
    static const char message[MESSAGE];
    char from[NAME_ROOM], to[NAME_ROOM];

    (void)snprintf(from, sizeof from, "new/%u.%ju", writer, (uintmax_t)count);
    (void)snprintf(to, sizeof to, "done/%u.%ju", writer, (uintmax_t)count);
    int fd = open(from, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd == -1 || write(fd, message, sizeof message) != MESSAGE || fsync(fd) != 0)
        die_unable("write");
    if (link(from, to) != 0 || fsync(done) != 0)
        die_unable("link");
    (void)close(fd);
}

/* In a child: writes until the time is over, and reports how many. */
static _Noreturn void be_writer(unsigned writer, double end, int report)
{
    int done = open("done", O_RDONLY);
    uint64_t count = 0;

    if (done == -1)
        die_unable("open done");
    while (now() < end)
        write_one(writer, count++, done);
    if (write(report, &count, sizeof count) != (ssize_t)sizeof count)
        die_unable("report");
    _exit(0);
}

int main(int argc, char **argv)
{
    int report[2];
    uint64_t sum = 0, count;

    die_name("limit");
    if (argc != 4)
        die_perm("usage: limit DIRECTORY WRITERS SECONDS");
    unsigned writers = (unsigned)number(argv[2], MAX_WRITERS);
    double begun = now(), end = begun + (double)number(argv[3], MAX_SECONDS);
    if (chdir(argv[1]) != 0 || mkdir("new", 0700) != 0 || mkdir("done", 0700) != 0)
        die_unable("make the directories");
    if (pipe(report) != 0)
        die_unable("make a pipe");
    for (unsigned writer = 0; writer < writers; writer++) {
        pid_t child = fork();
        if (child == -1)
            die_unable("fork");
        if (child == 0)
            be_writer(writer, end, report[1]);
    }
    (void)close(report[1]);
    for (unsigned writer = 0; writer < writers; writer++) {
        if (read(report[0], &count, sizeof count) != (ssize_t)sizeof count)
            die_temp("a writer has failed");
        sum += count;
    }
    while (wait(NULL) > 0)
        ;
    if (printf("%ju %.6f\n", (uintmax_t)sum, now() - begun) < 0 || fflush(stdout) != 0)
        die_unable("print");
    return 0;
}
