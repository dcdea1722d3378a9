#include "base/file.h"

#include "base/fd.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct {
    const char *name, *path;
    size_t max;
    enum file_result result;
    int error;
    struct view content;
} cases[] = {
    {"a file", "file", 100, FILE_READ, 0, VIEW_INIT("con\0tent")},
    {"as large as may be", "file", 8, FILE_READ, 0, VIEW_INIT("con\0tent")},
    {"too large", "file", 7, FILE_FAILED, EFBIG, {0}},
    {"empty", "empty", 0, FILE_READ, 0, VIEW_INIT("")},
    {"through a link", "link", 100, FILE_READ, 0, VIEW_INIT("con\0tent")},
    {"absent", "absent", 100, FILE_ABSENT, 0, {0}},
    {"absent directory", "absent/file", 100, FILE_ABSENT, 0, {0}},
    {"dangling link", "dangling", 100, FILE_FAILED, ENOENT, {0}},
    {"link to itself", "loop", 100, FILE_FAILED, ELOOP, {0}},
    {"directory", ".", 100, FILE_FAILED, EISDIR, {0}},
    {"file for a directory", "file/file", 100, FILE_FAILED, ENOTDIR, {0}},
    {"endless", "/dev/zero", 10000, FILE_FAILED, EFBIG, {0}},
};

static void reading(void)
{
    struct bytes content = {0};

    make_file("file", VIEW("con\0tent"));
    make_file("empty", VIEW(""));
    ok(symlink("file", "link") == 0 && symlink("nowhere", "dangling") == 0 &&
           symlink("loop", "loop") == 0,
       "links", NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        bytes_set(&content, VIEW("old"));
        errno = 0;
        ok(file_read(cases[i].path, cases[i].max, &content) == cases[i].result,
           cases[i].name, "result");
        if (cases[i].result == FILE_FAILED)
            same_number((uint64_t)errno, (uint64_t)cases[i].error, cases[i].name);
        if (cases[i].result == FILE_READ)
            same(bytes_view(&content), cases[i].content, cases[i].name);
    }
    int fd = fd_open("file", O_RDONLY, 0);
    ok(lseek(fd, 4, SEEK_SET) == 4, "lseek", NULL);
    ok(file_read_fd(fd, 100, &content) == FILE_READ, "from the middle", NULL);
    same(bytes_view(&content), VIEW("tent"), "from the middle");
    fd_close(&fd);
    ok(file_read_fd(999, 100, &content) == FILE_FAILED && errno == EBADF, "closed",
       NULL);
    for (size_t len = 4095; len <= 8193; len += 1366) {
        bytes_clear(&content);
        for (size_t i = 0; i < len; i++)
            bytes_add_byte(&content, (char)i);
        make_file("steps", bytes_view(&content));
        struct bytes got = {0};
        ok(file_read("steps", len, &got) == FILE_READ, "larger than a step", NULL);
        same(bytes_view(&got), bytes_view(&content), "larger than a step");
        bytes_free(&got);
    }
    bytes_free(&content);
}

static void publishing(void)
{
    struct stat a, b;
    int ends[2];

    make_file("new", VIEW("new"));
    ok(file_publish_link("new", "final", "."), "link", NULL);
    same(content_of("final"), VIEW("new"), "link: content");
    ok(stat("new", &a) == 0 && stat("final", &b) == 0 && file_same(&a, &b), "same file",
       NULL);
    ok(stat("empty", &b) == 0 && !file_same(&a, &b), "not the same file", NULL);
    make_file("newer", VIEW("newer"));
    ok(!file_publish_link("newer", "final", ".") && errno == EEXIST, "link",
       "does not replace");
    ok(file_publish_rename("newer", "final", "."), "rename", NULL);
    same(content_of("final"), VIEW("newer"), "rename: content");
    ok(!file_publish_rename("newer", "final", ".") && errno == ENOENT, "rename",
       "nothing there");
    make_file("newer", VIEW("newer"));
    ok(!file_publish_rename("newer", "final", "absent") && errno == ENOENT,
       "a directory that cannot be synced", NULL);
    ok(!dir_sync("final") && errno == ENOTDIR, "a file is no directory", NULL);
    ok(file_remove("final") && file_remove("final"), "remove", "twice");
    ok(!file_remove(".") && (errno == EISDIR || errno == EPERM || errno == EBUSY),
       "remove", "fails");

    int fd = fd_open("new", O_RDWR, 0);
    errno = ENOSPC;
    file_sync_begin(fd);
    file_sync_begin(999);
    ok(errno == ENOSPC, "sync begin", "errno stays");
    ok(file_sync(fd), "sync", NULL);
    fd_close(&fd);
    ok(!file_sync(999) && errno == EBADF, "sync", "closed");
    ok(fd_pipe(ends) && !file_sync(ends[0]) && errno == EINVAL, "sync",
       "what cannot be synced");
    ok(dir_sync_fd(ends[0]), "sync of a directory", "that needs none");
    ok(!dir_sync_fd(999), "sync of a directory", "closed");
    fd_close(&ends[0]);
    fd_close(&ends[1]);
}

/* In a process of its own: is the file locked? */
static void open_at_once(void *arg)
{
    (void)arg;
    alarm(1);
    _exit(file_open_next("next", 0640) == -1 ? 1 : 0);
}

static void replacing(void)
{
    struct stat st;

    make_file("next", VIEW("left behind"));
    int fd = file_open_next("next", 0604);
    ok(fd != -1 && fstat(fd, &st) == 0, "next", "opened");
    same_number(st.st_mode & 0777, 0604, "next: mode");
    same_number((uint64_t)st.st_size, 0, "next: size");
    same_number((uint64_t)run_apart(open_at_once, NULL, NULL), 256 + SIGALRM,
                "next: others wait");
    ok(file_publish_rename("next", "last", "."), "next", "renamed");
    same_number((uint64_t)run_apart(open_at_once, NULL, NULL), 0,
                "next: a new one under the name");
    fd_close(&fd);
    same_number((uint64_t)run_apart(open_at_once, NULL, NULL), 0, "next: closed");
    ok(file_open_next("absent/next", 0644) == -1 && errno == ENOENT, "next",
       "no directory");
    ok(file_open_next(".", 0644) == -1 && errno == EISDIR, "next", "a directory");
}

static void no_descriptors(void *arg)
{
    struct bytes content = {0};
    (void)arg;
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){3, 3});
    if (file_read("file", 100, &content) != FILE_FAILED || errno != EMFILE)
        _exit(1);
    if (file_read("absent", 100, &content) == FILE_READ)
        _exit(2);
    _exit(dir_sync(".") ? 3 : 0);
}

static void faults(void)
{
    struct bytes content = {0};

    fault_at("read", 1, EINTR);
    ok(file_read("file", 100, &content) == FILE_READ && fault_end(), "read",
       "interrupted");
    fault_at("read", 1, EIO);
    ok(file_read("file", 100, &content) == FILE_FAILED && errno == EIO, "read", "EIO");
    fault_at("open", 1, EACCES);
    ok(dir_sync(".") && fault_end(), "a directory that may not be read",
       "is synced with all others");
    ok(!file_sync_name("absent") && errno == ENOENT, "sync name", "absent");
    ok(file_sync_name("empty") && file_sync_name("/"), "sync name", NULL);
    for (int n = 1; n <= 2; n++) {
        static const char *const calls[] = {"open", "fsync"};
        fault_at(calls[n - 1], 1, EIO);
        ok(!file_sync_name("empty") && errno == EIO, "sync name fails", calls[n - 1]);
    }
    fault_end();
    bytes_free(&content);
}

/* Each job has its own outcome, with threads and where there can be none. */
static void together(void)
{
    enum { FILES = 60, GOOD = FILES + 1, ALL = GOOD + 2 };
    static const char *const names[] = {"with threads", "without"};
    struct sync_job jobs[ALL] = {{0}};
    sigset_t none, mask;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int i = 0; i < FILES; i++)
        jobs[i].fd = fd_open(i % 2 ? "odd" : "even", O_WRONLY | O_CREAT, 0600);
    jobs[FILES] = (struct sync_job){.fd = -1, .dir = "."};
    jobs[GOOD] = (struct sync_job){.fd = 999};
    jobs[GOOD + 1] = (struct sync_job){.fd = -1, .dir = "absent"};
    for (int without = 0; without < 2; without++) {
        unsigned wrong = 0;
        for (int i = 0; i < ALL; i++)
            jobs[i].synced = i >= GOOD;
        if (without)
            fault_at("none", 1, EIO);
        ok(!sync_together(jobs, ALL), "sync together", names[without]);
        for (int i = 0; i < ALL; i++)
            wrong += jobs[i].synced != (i < GOOD);
        same_number(wrong, 0, "sync together: outcomes");
        ok(sync_together(jobs, GOOD), "sync together, all well", names[without]);
        fault_end();
    }
    ok(sync_together(jobs, 0), "sync together", "nothing");
    sigprocmask(SIG_SETMASK, NULL, &mask);
    ok(!sigismember(&mask, SIGTERM), "sync together",
       "no signal is blocked afterwards");
    for (int i = 0; i < FILES; i++)
        fd_close(&jobs[i].fd);
}

/* Whatever fails, there is no descriptor; but an interruption is no failure, and a
 * file that somebody else renamed meanwhile is not the next one. */
static void replacing_fails(void)
{
    static const struct {
        const char *call;
        int error;
        bool opened;
    } fails[] = {
        {"open", EMFILE, false},  {"flock", EINTR, true}, {"flock", ENOLCK, false},
        {"fstat", EIO, false},    {"stat", ENOENT, true}, {"ftruncate", EIO, false},
        {"fchmod", EPERM, false},
    };
    for (size_t i = 0; i < COUNT(fails); i++) {
        fault_at(fails[i].call, 1, fails[i].error);
        int fd = file_open_next("next", 0640);
        ok(fault_end() && (fd != -1) == fails[i].opened, "next, fails", fails[i].call);
        ok(fd != -1 || errno == fails[i].error, "next, errno", fails[i].call);
        fd_close(&fd);
    }
}

int main(void)
{
    scratch();
    reading();
    publishing();
    replacing();
    same_number((uint64_t)run_apart(no_descriptors, NULL, NULL), 0, "no descriptors");
    faults();
    replacing_fails();
    together();
    return tap_done();
}
