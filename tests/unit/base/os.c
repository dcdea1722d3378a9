#define _GNU_SOURCE
#include "base/os.h"

#include "base/fd.h"

#include "fault.h"
#include "tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmpx.h>

static int child(void *arg)
{
    return *(const int *)arg;
}

static void lock(void *arg)
{
    int fd = fd_open("lock", O_WRONLY, 0);
    (void)arg;
    _exit(os_lock(fd, false) ? 0 : errno == EWOULDBLOCK || errno == EAGAIN ? 1 : 2);
}

static void locks(void)
{
    make_file("lock", VIEW(""));
    int fd = fd_open("lock", O_WRONLY, 0);
    same_number((uint64_t)run_apart(lock, NULL, NULL), 0, "free");
    ok(os_lock(fd, true), "lock", NULL);
    same_number((uint64_t)run_apart(lock, NULL, NULL), 1, "held by another");
    fd_close(&fd);
    same_number((uint64_t)run_apart(lock, NULL, NULL), 0, "released by close");
    ok(!os_lock(999, false) && errno == EBADF, "closed", NULL);
}

static void renames(void)
{
    make_file("a", VIEW("a"));
    make_file("b", VIEW("b"));
    ok(!os_rename_new(AT_FDCWD, "a", AT_FDCWD, "b") && errno == EEXIST, "rename",
       "covers nothing");
    same(content_of("b"), VIEW("b"), "what is there stays");
    ok(symlink("nowhere", "c") == 0 && !os_rename_new(AT_FDCWD, "a", AT_FDCWD, "c") &&
           errno == EEXIST,
       "rename", "nor a link that leads nowhere");
    ok(!os_rename_new(AT_FDCWD, "absent", AT_FDCWD, "d") && errno == ENOENT, "rename",
       "absent");
    ok(os_rename_new(AT_FDCWD, "a", AT_FDCWD, "d"), "rename", "to a new name");
    same(content_of("d"), VIEW("a"), "renamed");
}

static void opens(void)
{
    make_file("open", VIEW("x"));
    int fd = fd_open("open", O_RDONLY, 0);
    int other = fd_open("open", O_WRONLY, 0);
    ok(os_may_be_open_elsewhere(fd), "open elsewhere", "it is");
    fd_close(&other);
    ok(!os_may_be_open_elsewhere(fd) || geteuid() != 0, "open elsewhere", "no more");
    fd_close(&fd);
}

static void regulars(void)
{
    unsigned count = 0, regular = 0;
    ok(mkdir("types", 0700) == 0 && mkdir("types/dir", 0700) == 0 &&
           symlink("file", "types/link") == 0,
       "types", NULL);
    make_file("types/file", VIEW(""));
    DIR *dir = opendir("types");
    for (const struct dirent *e; dir && (e = readdir(dir)); count++)
        if (os_is_regular(dirfd(dir), e)) {
            same(view_of(e->d_name), VIEW("file"), "regular");
            regular++;
        }
    ok(count == 5 && regular == 1, "regular", "one of them");
    closedir(dir);
}

static void count_loopback(void *arg, int family, const void *address)
{
    static const unsigned char v4[] = {127, 0, 0, 1};
    if (family == AF_INET && memcmp(address, v4, 4) == 0)
        ++*(int *)arg;
}

/* Where the system lacks a call, or the file system refuses it, the promise is kept
 * in another way. */
static void without(void)
{
    struct stat st;

    make_file("e", VIEW("e"));
    make_file("f", VIEW("f"));
    static const int ways[] = {ENOSYS, EINVAL};
    for (size_t i = 0; i < COUNT(ways); i++) {
        fault_at("renameat2", 1, ways[i]);
        ok(!os_rename_new(AT_FDCWD, "e", AT_FDCWD, "f") && errno == EEXIST,
           "rename without renameat2", "covers nothing");
        fault_at("renameat2", 1, ways[i]);
        ok(os_rename_new(AT_FDCWD, "e", AT_FDCWD, "g") && lstat("g", &st) == 0 &&
               lstat("e", &st) == -1,
           "rename without renameat2", "to a new name");
        rename("g", "e");
    }
    fault_at("fstatat", 1, EIO);
    ok(os_rename_new(AT_FDCWD, "e", AT_FDCWD, "g") && !fault_end(), "rename",
       "in one step");

    int fd = fd_open("f", O_RDONLY, 0);
    dup2(fd, 200);
    fault_at("close_range", 1, ENOSYS);
    os_close_from(200);
    fault_end();
    ok(fcntl(200, F_GETFD) == -1 && fcntl(fd, F_GETFD) != -1, "close from",
       "without close_range");
    fd_close(&fd);

    /* a directory that does not tell types */
    struct dirent entry = {.d_type = 0 /* DT_UNKNOWN */};
    strcpy(entry.d_name, "f");
    ok(os_is_regular(AT_FDCWD, &entry), "regular", "the file is asked");
    strcpy(entry.d_name, "types");
    ok(!os_is_regular(AT_FDCWD, &entry), "not regular", "the file is asked");
    strcpy(entry.d_name, "absent");
    ok(!os_is_regular(AT_FDCWD, &entry), "gone", NULL);

    char first[300] = {0}, second[300] = {0};
    fault_at("getentropy", 2, ENOSYS);
    os_random(first, sizeof first);
    fault_at("getentropy", 0, ENOSYS);
    os_random(second, sizeof second);
    ok(fault_end() && memcmp(first + 256, "\0\0\0\0\0\0\0", 8) != 0 &&
           memcmp(first, second, sizeof first) != 0,
       "random", "without a generator");
}

static void count_loopback(void *arg, int family, const void *address);

static bool stop(void *arg, const char *name)
{
    *(const char **)arg = name;
    return true;
}

/* The resolver has no configuration, and never asks anybody. */
static void no_resolver(void *arg)
{
    char room[20] = {0};
    const char *tried = NULL;
    (void)arg;
    if (os_dns_send(room, (size_t)INT_MAX + 1, room, 1) != -1)
        _exit(1);
    fault_at("__res_init", 0, ENOMEM);
    if (os_dns_send(room, sizeof room, room, sizeof room) != -1)
        _exit(2);
    if (!os_dns_each_candidate("name", stop, &tried) || strcmp(tried, "name") != 0)
        _exit(3);
    _exit(0);
}

/* Notes what is tried; true at the third. */
static bool note(void *arg, const char *name)
{
    struct bytes *tried = arg;
    bytes_add_text(tried, name);
    bytes_add_byte(tried, ' ');
    return view_has(bytes_view(tried), '3');
}

static void candidates(void *arg)
{
    static const struct {
        const char *name, *want;
        bool found;
    } names[] = {
        {"host", "host.one.test host.two.test host ", false},
        {"a.b", "a.b a.b.one.test a.b.two.test ", false},
        {"a.b3", "a.b3 ", true},
        {"h3", "h3.one.test ", true},
        {"host.", "host. ", false},
        {"", ".one.test .two.test  ", false},
    };
    struct bytes tried = {0};
    (void)arg;
    setenv("LOCALDOMAIN", "one.test two.test", 1);
    setenv("RES_OPTIONS", "ndots:1", 1);
    for (size_t i = 0; i < COUNT(names); i++) {
        bytes_clear(&tried);
        bool found = os_dns_each_candidate(names[i].name, note, &tried);
        if (found != names[i].found || !view_is(bytes_view(&tried), names[i].want))
            _exit(10 + (int)i);
    }
    char name[1000] = {0}; /* too long with a domain behind it: passed over */
    memset(name, 'x', sizeof name - 1);
    bytes_clear(&tried);
    os_dns_each_candidate(name, note, &tried);
    bytes_clear(&tried);
    char longest[2000] = {0};
    memset(longest, 'x', sizeof longest - 1);
    os_dns_each_candidate(longest, note, &tried);
    _exit(tried.len == sizeof longest ? 0 : 2);
}

static void list_login(void *arg, struct view user, struct view terminal)
{
    bytes_add(arg, user);
    bytes_add_byte(arg, ' ');
    bytes_add(arg, terminal);
    bytes_add_byte(arg, '\n');
}

/* A record of logins of our own. */
static void logins(void)
{
    struct utmpx entries[3] = {{.ut_type = USER_PROCESS},
                               {.ut_type = DEAD_PROCESS},
                               {.ut_type = USER_PROCESS}};
    struct bytes got = {0};

    strcpy(entries[0].ut_user, "joe"), strcpy(entries[0].ut_line, "tty1");
    strcpy(entries[1].ut_user, "gone"), strcpy(entries[1].ut_line, "tty2");
    memset(entries[2].ut_user, 'x', sizeof entries[2].ut_user); /* no NUL */
    strcpy(entries[2].ut_line, "pts/0");
    make_file("utmp", view_at((const char *)entries, sizeof entries));
    utmpxname("utmp");
    os_each_login(list_login, &got);
    ok(view_starts(bytes_view(&got), VIEW("joe tty1\nxxx")) &&
           view_ends(bytes_view(&got), VIEW("x pts/0\n")),
       "logins", NULL);
    utmpxname("absent");
    bytes_clear(&got);
    os_each_login(list_login, &got);
    same_number(got.len, 0, "logins: no record");
    bytes_free(&got);
}

int main(void)
{
    int code = 7, status, ends[2];
    char room[64], zeros[64] = {0};

    scratch();
    pid_t pid = os_spawn(child, &code);
    ok(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 7,
       "spawn", NULL);
    locks();
    renames();
    signal(SIGIO, SIG_IGN);
    opens();
    regulars();
    ok(os_pipe_cloexec(ends) && os_write_now(ends[1], "x", 1) == -1 &&
           errno == ENOTSOCK,
       "write now: no socket", NULL);
    close(ends[0]), close(ends[1]);
    ok(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socket pair", NULL);
    ok(os_write_now(ends[1], "x", 1) == 1, "write now", NULL);
    for (int i = 0; i < 100000; i++)
        if (os_write_now(ends[1], room, sizeof room) == -1)
            break;
    ok(errno == EAGAIN || errno == EWOULDBLOCK, "write now: full", NULL);
    os_random(room, 0);
    memset(room, 0, sizeof room);
    os_random(room, sizeof room);
    ok(memcmp(room, zeros, sizeof room) != 0, "random", NULL);
    int loopback = 0;
    ok(os_each_own_address(count_loopback, &loopback), "own addresses", NULL);
    fault_at("getifaddrs", 1, EMFILE);
    ok(!os_each_own_address(count_loopback, &loopback) && errno == EMFILE,
       "own addresses", "not to be had");
    without();
    same_number((uint64_t)run_apart(no_resolver, NULL, NULL), 0, "no resolver");
    same_number((uint64_t)run_apart(candidates, NULL, NULL), 0, "candidates");
    logins();
    return tap_done();
}
