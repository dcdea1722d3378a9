#include "queue/clean.h"

#include "base/fd.h"
#include "mail/queue_dir.h"

#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOW = 1800000000 };

static const struct {
    const char *file;
    int64_t read_ago, changed_ago; /* seconds */
    bool gone;
} cases[] = {
    {"1.2.3", QUEUE_ABANDONED_S, QUEUE_ABANDONED_S, true},
    {"young", QUEUE_ABANDONED_S - 1, QUEUE_ABANDONED_S - 1, false},
    {"anything", 10000000, 10000000, true},
    {".hidden", 10000000, 10000000, true},
    {"read-lately", 10, 10000000, false},
    {"changed-lately", 10000000, 10, false},
    {"in-the-future", -500000, -500000, false},
};

static void make(int dir, const char *name, int64_t read_ago, int64_t changed_ago)
{
    struct timespec times[] = {{.tv_sec = NOW - read_ago},
                               {.tv_sec = NOW - changed_ago}};
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    futimens(fd, times);
    fd_close(&fd);
}

int main(void)
{
    char home[] = "/tmp/sweep.XXXXXX";
    struct stat st;

    if (!mkdtemp(home) || chdir(home) == -1)
        skip_rest("no temporary directory");
    clean_sweep(NOW);
    ok(true, "no directory", "is borne");
    mkdir("pid", 0755), mkdir("pid/directory", 0755);
    int dir = fd_open("pid", O_RDONLY | O_DIRECTORY, 0);
    for (size_t i = 0; i < COUNT(cases); i++)
        make(dir, cases[i].file, cases[i].read_ago, cases[i].changed_ago);
    clean_sweep(NOW);
    for (size_t i = 0; i < COUNT(cases); i++) {
        bool gone = fstatat(dir, cases[i].file, &st, AT_SYMLINK_NOFOLLOW) == -1;
        ok(gone == cases[i].gone, cases[i].file, cases[i].gone ? "goes" : "stays");
        unlinkat(dir, cases[i].file, 0);
    }
    clean_sweep(INT64_MAX / 2);
    ok(unlinkat(dir, "directory", AT_REMOVEDIR) == 0, "directory", "stays");
    fd_close(&dir);
    ok(rmdir("pid") == 0 && chdir("/") == 0 && rmdir(home) == 0, "nothing else", NULL);
    return tap_done();
}
