#include "base/process.h"

#include "base/fd.h"
#include "base/signals.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct process_failures exits = {21, 22, 23, 24, 25};

static int code_of(const struct process *p)
{
    int status;
    pid_t pid = process_start(p);
    if (pid == -1 || !process_wait(pid, &status))
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static char *sh(const char *script)
{
    static char room[2000];
    snprintf(room, sizeof room, "%s", script);
    return room;
}

/* A shell whose descriptor 1 is the returned text. */
static struct view output_of(struct process *p, const char *script)
{
    static char text[4096];
    char name[] = "sh", option[] = "-c";
    char *argv[] = {name, option, sh(script), NULL};
    int ends[2];
    size_t len = 0;
    ssize_t n;

    if (!fd_pipe(ends))
        return VIEW("no pipe");
    if (!p->path)
        p->path = "/bin/sh";
    p->argv = argv;
    p->fds[p->fd_count++] = (struct process_fd){ends[1], 1};
    p->failures = exits;
    pid_t pid = process_start(p);
    fd_close(&ends[1]);
    while ((n = read(ends[0], text + len, sizeof text - len)) > 0)
        len += (size_t)n;
    fd_close(&ends[0]);
    int status;
    if (pid == -1 || !process_wait(pid, &status))
        return VIEW("no process");
    return view_at(text, len);
}

static int file_with(const char *path, const char *content)
{
    make_file(path, view_of(content));
    return fd_open(path, O_RDONLY, 0);
}

/* Each of the files a, b, c holds its name; fds says what goes where. */
static void overlapping(void)
{
    static const struct {
        const char *name;
        int have[3], want[3]; /* of a, b, c */
    } cases[] = {
        {"in place", {3, 4, 5}, {3, 4, 5}},
        {"rotated", {3, 4, 5}, {4, 5, 3}},
        {"rotated the other way", {3, 4, 5}, {5, 3, 4}},
        {"swapped", {3, 4, 5}, {4, 3, 5}},
        {"down", {3, 4, 5}, {0, 3, 4}},
        {"up", {3, 4, 5}, {4, 5, 6}},
        {"far", {8, 0, 4}, {0, 8, 3}},
        {"above all that are open", {6, 7, 8}, {40, 50, 60}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct process p = {.fd_count = 3};
        char script[200] = "", part[60];
        struct bytes want = {0};
        int opened[3];
        for (int j = 0; j < 3; j++) {
            char path[] = {(char)('a' + j), 0};
            opened[j] = file_with(path, path);
        }
        int kept[] = {fcntl(opened[0], F_DUPFD_CLOEXEC, 100),
                      fcntl(opened[1], F_DUPFD_CLOEXEC, 100),
                      fcntl(opened[2], F_DUPFD_CLOEXEC, 100)};
        int saved = fcntl(0, F_DUPFD_CLOEXEC, 100);
        for (int j = 0; j < 3; j++)
            fd_close(&opened[j]);
        for (int j = 0; j < 3; j++) {
            dup2(kept[j], cases[i].have[j]);
            if (cases[i].have[j])
                fd_close_on_exec(cases[i].have[j], true);
            p.fds[j] = (struct process_fd){cases[i].have[j], cases[i].want[j]};
            snprintf(part, sizeof part, "cat /dev/fd/%d; ", cases[i].want[j]);
            strcat(script, part);
            bytes_add_byte(&want, (char)('a' + j));
        }
        same(output_of(&p, script), bytes_view(&want), cases[i].name);
        for (int j = 0; j < 3; j++) {
            close(cases[i].have[j]);
            close(kept[j]);
        }
        dup2(saved, 0);
        close(saved);
        bytes_free(&want);
    }
}

static void surroundings(void)
{
    struct process p = {.dir = "dir"};
    char variable[] = "A=b";
    char *env[] = {variable, NULL};

    mkdir("dir", 0700);
    int ours = fd_open("/dev/null", O_RDONLY, 0);
    dup2(ours, 7);
    fd_close_on_exec(7, true);
    same(output_of(&p, "basename \"$PWD\"; test -e /dev/fd/7 || echo closed"),
         VIEW("dir\nclosed\n"), "directory; no descriptor of the parent's");
    close(7);
    fd_close(&ours);
    p = (struct process){.env = env};
    same(output_of(&p, "echo \"$A-$HOME\""), VIEW("b-\n"), "environment");
    setenv("FROM_PARENT", "x", 1);
    p = (struct process){0};
    same(output_of(&p, "echo $FROM_PARENT"), VIEW("x\n"), "environment of the parent");
}

/* Caught signals have their default action, ignored ones stay ignored, blocked ones
 * stay blocked; SIGPIPE as asked. */
static void signal_states(void)
{
    struct process p = {0};
    sigset_t set, old;

    signals_catch(SIGUSR1);
    signals_ignore(SIGUSR2);
    signals_ignore(SIGPIPE);
    same(output_of(&p, "kill -USR2 $$; echo on; kill -USR1 $$; echo off"), VIEW("on\n"),
         "caught and ignored");
    p = (struct process){0};
    same(output_of(&p, "kill -PIPE $$; echo on"), VIEW("on\n"), "SIGPIPE as it is");
    p = (struct process){.default_sigpipe = true};
    same(output_of(&p, "kill -PIPE $$; echo on"), VIEW(""), "SIGPIPE by default");
    ok(!signals_taken(SIGUSR1), "the parent's handler did not run", NULL);
    raise(SIGUSR1);
    ok(signals_taken(SIGUSR1), "the parent still catches", NULL);
    sigprocmask(SIG_SETMASK, NULL, &old);
    ok(!sigismember(&old, SIGTERM), "the parent's mask is as before", NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signals_default(SIGUSR2);
    p = (struct process){0};
    same(output_of(&p, "kill -USR2 $$; echo on"), VIEW("on\n"),
         "blocked stays blocked");
    sigprocmask(SIG_SETMASK, &old, NULL);
    signals_default(SIGPIPE);
}

static void failures(void)
{
    char name[] = "true", none[] = "no-such-program-anywhere", text[] = "./text";
    char *argv[] = {name, NULL}, *no_argv[] = {none, NULL}, *text_argv[] = {text, NULL};
    struct identity nobody = {65534, 65534, NULL};
    struct process p = {.path = "/bin/true", .argv = argv, .failures = exits};

    same_number((uint64_t)code_of(&p), 0, "runs");
    p.path = NULL;
    same_number((uint64_t)code_of(&p), 0, "runs, by PATH");
    p.argv = no_argv;
    same_number((uint64_t)code_of(&p), 25, "not in PATH");
    p.path = "absent";
    same_number((uint64_t)code_of(&p), 25, "absent");
    p.path = "";
    same_number((uint64_t)code_of(&p), 25, "no name");
    p.path = ".";
    same_number((uint64_t)code_of(&p), 25, "a directory");
    make_file("text", VIEW("exit 5\n"));
    chmod("text", 0755);
    p.path = "text";
    same_number((uint64_t)code_of(&p), 25, "not executable by the kernel");
    p.path = NULL;
    p.argv = text_argv;
    same_number((uint64_t)code_of(&p), 5, "by PATH: run by the shell");
    int writing = fd_open("busy", O_WRONLY | O_CREAT, 0755);
    p.path = "busy";
    same_number((uint64_t)code_of(&p), 24, "being written: temporary");
    fd_close(&writing);

    p = (struct process){.path = "/bin/true", .argv = argv, .failures = exits};
    p.dir = "absent";
    same_number((uint64_t)code_of(&p), 22, "no directory");
    p.dir = NULL;
    p.fds[0] = (struct process_fd){999, 0};
    p.fd_count = 1;
    same_number((uint64_t)code_of(&p), 21, "closed descriptor");
    p.fd_count = 0;
    p.who = &nobody;
    if (geteuid() == 0)
        same_number((uint64_t)code_of(&p), 0, "another user");
    else
        same_number((uint64_t)code_of(&p), 23, "another user, without root");
    int status;
    ok(!process_wait(1 << 22, &status) && errno == ECHILD, "nothing to wait for", NULL);
}

static void no_process(void *arg)
{
    char name[] = "true";
    char *argv[] = {name, NULL};
    struct process p = {.path = "/bin/true", .argv = argv, .failures = exits};
    struct identity nobody = {65534, 65534, NULL};
    (void)arg;
    setrlimit(RLIMIT_NPROC, &(struct rlimit){0, 0});
    if (!identity_become(&nobody))
        _exit(1);
    _exit(process_start(&p) == -1 && errno == EAGAIN ? 0 : 2);
}

/* The limit of descriptors leaves no room for copies. */
static void no_descriptors(void *arg)
{
    char name[] = "true";
    char *argv[] = {name, NULL};
    struct process p = {.path = "/bin/true",
                        .argv = argv,
                        .failures = exits,
                        .fds = {{0, 0}, {1, 1}},
                        .fd_count = 2};
    (void)arg;
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){4, 4});
    _exit(code_of(&p) == 21 ? 0 : 1);
}

/* The exit code, and what is said of it on descriptor 2. */
static int complaint_of(struct process *p, const char *call, int error,
                        struct bytes *said)
{
    int ends[2];
    char part[300];
    bytes_clear(said);
    if (!fd_pipe(ends))
        return -1;
    int kept = fcntl(2, F_DUPFD_CLOEXEC, 10);
    dup2(ends[1], 2);
    fd_close(&ends[1]);
    fault_at(call, 1, error);
    int code = code_of(p);
    fault_end();
    dup2(kept, 2);
    close(kept);
    ssize_t n = read(ends[0], part, sizeof part);
    if (n > 0)
        bytes_add(said, view_at(part, (size_t)n));
    fd_close(&ends[0]);
    return code;
}

/* Each step in the child fails: its exit code, and its words. */
static void steps_fail(void)
{
    char name[] = "true";
    char *argv[] = {name, NULL};
    struct rlimit files = {64, 64};
    struct identity nobody = {65534, 65534, NULL};
    struct process p = {.path = "/no/such/program",
                        .argv = argv,
                        .dir = "/",
                        .files = &files,
                        .fds = {{0, 0}, {1, 7}},
                        .fd_count = 2,
                        .failures = exits,
                        .complaint = {"exec: ", "fds: ", "!\n"}};
    struct bytes said = {0};

    same_number((uint64_t)complaint_of(&p, "fcntl", EMFILE, &said), 21, "no copy");
    same(bytes_view(&said), VIEW("fds: process cannot open more files!\n"),
         "no copy: text");
    same_number((uint64_t)complaint_of(&p, "dup2", EINTR, &said), 21, "not placed");
    same_number((uint64_t)complaint_of(&p, "setrlimit", EPERM, &said), 21, "no limit");
    same(bytes_view(&said), VIEW(""), "no limit: text");
    same_number((uint64_t)complaint_of(&p, "chdir", EACCES, &said), 22, "no directory");
    same_number((uint64_t)complaint_of(&p, "nothing", 0, &said), 25, "no program");
    same(bytes_view(&said), VIEW("exec: file does not exist!\n"), "no program: text");
    p.who = &nobody;
    same_number((uint64_t)complaint_of(&p, "setgroups", EPERM, &said), 23,
                "not the user");
    fault_at("fork", 1, EAGAIN);
    ok(process_start(&p) == -1 && errno == EAGAIN && fault_end(), "no process", NULL);
    int status;
    p.who = NULL;
    p.path = "/bin/true";
    pid_t pid = process_start(&p);
    fault_at("waitpid", 1, EINTR);
    ok(process_wait(pid, &status) && fault_end() && status == 0, "wait", "interrupted");
    bytes_free(&said);
}

int main(void)
{
    scratch();
    overlapping();
    surroundings();
    signal_states();
    failures();
    steps_fail();
    same_number((uint64_t)run_apart(no_descriptors, NULL, NULL), 0, "no descriptors");
    if (geteuid() != 0)
        skip_rest("not root");
    same_number((uint64_t)run_apart(no_process, NULL, NULL), 0, "no process");
    return tap_done();
}
