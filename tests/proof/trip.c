/* trip - lets one system call of one program, among all that a command starts, be the
 * last one, or fail.
 *
 * usage    trip [-rw] [-m MARK] [-t TREE] [-o FILE] [[-p PLACE] [-n NUMBER] -a ACTION]
 *               PROGRAM COMMAND [ARGUMENT ...]
 * runs as  root, so that set-uid programs stay what they are while they are traced
 * exits    as COMMAND does, 128 and the signal's number if one ended it, 111 if it
 *          cannot be traced. What COMMAND leaves running is killed; with -w its end is
 *          awaited
 *
 * A process belongs to PROGRAM from its exec of a file of that name on, and so do its
 * children until they exec something else. The calls of all these processes are
 * numbered from 1 in the order in which they begin; with -m, in each process from its
 * first call of MARK on, which leaves out what loader and C library do before main.
 *
 * FILE     a line for each numbered call, when it ends: NUMBER PID NAME(ARGUMENTS) =
 *          RESULT @ PLACE. The RESULT is "-1 ERROR", "?" for a call that does not
 *          come back, or "again" for one that a signal interrupts and the kernel
 *          repeats, by another number. Where something was done, "hit NUMBER NAME
 *          ACTION" stands in a line
 *
 * PLACE    where in its program a call stands, the same in each run: "CALL < CALL",
 *          the call and the one before it in its process or, for the first of a
 *          child, in its parent; "signal" in a handler, which is passed over behind
 *          it. A CALL is a name and files' names, those of descriptors too, numbers
 *          in them as N, and without TREE at their begin
 *
 * What is done at call NUMBER; with -p at the NUMBERth call at PLACE (the first):
 *   kill-before, kill-after   its process is killed, before the call or behind it
 *   all-before, all-after     so is everything that COMMAND has started
 *   error=ERROR               it is not executed and fails with ERROR, such as ENOSPC
 *   late=ERROR                it is executed, and fails with ERROR all the same
 *   short=LENGTH              its length is LENGTH at most: read, write, send, recv ...
 * With -r each later call with the same name is served the same way.
 *
 * strace can do each of these things to the calls of one process, but does not tell
 * programs apart, nor count across processes. */
#include "base/die.h"
#include "base/error.h"
#include "base/heap.h"
#include "base/number.h"
#include "base/option.h"

#include "../traced.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MAX_PID = 4194304,
    MAX_TEXT = 512,
    MAX_PATH = 256,
    MAX_KIND = 2 * MAX_PATH,
    PROTOCOL_FDS = 7, /* descriptors whose number says what they are for */
    PAGE = 4096,
    EVENT_SHIFT = 16,
    SYSCALL_STOP = SIGTRAP | 0x80,
    MAX_ERRNO = 4095,
    FIRST_RESTART = 512, /* ERESTARTSYS and its like, which only the kernel sees */
    LAST_RESTART = 516,
    SIGNALED = 128,
    NO_CALL = -1
};

enum action {
    NOTHING,
    KILL_BEFORE,
    KILL_AFTER,
    ALL_BEFORE,
    ALL_AFTER,
    FAIL,
    LATE,
    SHORT
};

static struct process {
    bool known;   /* its parent's event has come, or it was the first */
    bool waiting; /* it has stopped, and is not known yet */
    bool ours;    /* it belongs to the program */
    bool marked;  /* its calls are numbered */
    bool inside;  /* between the beginning and the end of a numbered call */
    bool chosen;  /* the action is for that call */
    long call;
    uint64_t number;
    char text[MAX_TEXT];
    char kind[MAX_KIND]; /* of the call, and of the one before it */
    char before[MAX_KIND];
    bool handling; /* a signal; then what came before it: */
    char handled[MAX_KIND];
} * processes[MAX_PID + 1]; /* by number; NULL where there is none */

static struct plan {
    const char *program;
    long mark;         /* NO_CALL without -m */
    uint64_t number;   /* 0: not known yet */
    const char *place; /* NULL without -p */
    uint64_t nth;      /* how many calls at the place are left */
    const char *tree;
    const char *name; /* of the action, as it was given */
    enum action action;
    int error;
    uint64_t length;
    bool repeat;
    bool wait;
} plan = {.mark = NO_CALL, .tree = ""};

static FILE *out;
static uint64_t count;
static long repeated = NO_CALL; /* the call of plan.number, once it is known */
static bool hit;

/* The names of system calls by number, and of errors: made by the Makefile. */
#define CALL(name) [SYS_##name] = #name,
static const char *const calls[] = {
#include "tests/proof/calls.h"
};
#undef CALL
#define ERROR(name) {#name, name},
static const struct error_name {
    const char *name;
    int value;
} errors[] = {
#include "tests/proof/errors.h"
};
#undef ERROR

/* Which arguments are names of files, as bits. */
static const struct paths {
    const char *call;
    unsigned which;
} paths[] = {
    {"open", 1},       {"openat", 2},   {"unlink", 1},     {"unlinkat", 2},
    {"link", 3},       {"linkat", 10},  {"rename", 3},     {"renameat", 10},
    {"renameat2", 10}, {"stat", 1},     {"lstat", 1},      {"newfstatat", 2},
    {"statx", 2},      {"access", 1},   {"faccessat", 2},  {"faccessat2", 2},
    {"chmod", 1},      {"fchmodat", 2}, {"chown", 1},      {"lchown", 1},
    {"fchownat", 2},   {"mkdir", 1},    {"mkdirat", 2},    {"rmdir", 1},
    {"chdir", 1},      {"chroot", 1},   {"execve", 1},     {"utimensat", 2},
    {"symlink", 3},    {"readlink", 1}, {"readlinkat", 2}, {"truncate", 1},
    {"mknod", 1},      {"mknodat", 2},
};
/* Calls whose first argument is a descriptor. */
static const char *const of_descriptors[] = {
    "read",      "pread64",  "readv",      "write",     "pwrite64",
    "writev",    "close",    "fsync",      "fdatasync", "sync_file_range",
    "ftruncate", "fchmod",   "fchown",     "fchdir",    "fstat",
    "lseek",     "getdents", "getdents64", "utimensat", "dup",
    "dup2",      "dup3",     "flock",      "fcntl",     "ioctl",
    "connect",   "bind",     "listen",     "accept",    "accept4",
    "sendto",    "recvfrom", "sendmsg",    "recvmsg",   "setsockopt",
    "shutdown",
};
static const char *const with_length[] = {"read",   "write",    "pread64",  "pwrite64",
                                          "sendto", "recvfrom", "getrandom"};

static const char *call_name(long call)
{
    if (call < 0 || call >= (long)(sizeof calls / sizeof calls[0]) ||
        calls[call] == NULL)
        return "unknown";
    return calls[call];
}

static const char *error_name(int error)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i].value == error)
            return errors[i].name;
    return "?";
}

static struct process *process_of(pid_t pid)
{
    if (pid < 0 || pid > MAX_PID)
        die_temp("there is no process %jd", (intmax_t)pid);
    if (processes[pid] == NULL) {
        processes[pid] = heap_array(1, sizeof *processes[pid]);
        *processes[pid] = (struct process){0};
    }
    return processes[pid];
}

/* The registers of a process at the beginning or end of a call. */
struct registers {
    struct user_regs_struct user;
};

static bool registers_change(pid_t pid, struct registers *r)
{
    struct iovec v = {&r->user, sizeof r->user};
    return ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &v) == 0;
}

static bool registers_get(pid_t pid, struct registers *r)
{
    struct iovec v = {&r->user, sizeof r->user};
    return ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &v) == 0;
}

/* What can be changed in them. The only part that knows the machine. */
#if defined(__x86_64__)
static void registers_skip(pid_t pid, struct registers *r)
{
    r->user.orig_rax = (unsigned long long)NO_CALL;
    (void)registers_change(pid, r);
}
static void registers_length(pid_t pid, struct registers *r, uint64_t most,
                             unsigned nth)
{
    unsigned long long *length = nth == 1 ? &r->user.rsi : &r->user.rdx;
    if (*length > most)
        *length = most;
    (void)registers_change(pid, r);
}
static void registers_result(pid_t pid, struct registers *r, int64_t result)
{
    r->user.rax = (unsigned long long)result;
    (void)registers_change(pid, r);
}
#elif defined(__aarch64__)
static void registers_skip(pid_t pid, struct registers *r)
{
    int none = NO_CALL;
    struct iovec v = {&none, sizeof none};
    (void)r;
    (void)ptrace(PTRACE_SETREGSET, pid, (void *)NT_ARM_SYSTEM_CALL, &v);
}
static void registers_length(pid_t pid, struct registers *r, uint64_t most,
                             unsigned nth)
{
    if (r->user.regs[nth] > most)
        r->user.regs[nth] = most;
    (void)registers_change(pid, r);
}
static void registers_result(pid_t pid, struct registers *r, int64_t result)
{
    r->user.regs[0] = (unsigned long long)result;
    (void)registers_change(pid, r);
}
#else
#error "trip changes system calls on x86-64 and arm64 alone"
#endif

/* The string at an address of the process, quoted; or the address. */
static void put_path(pid_t pid, uint64_t address, char *to, size_t room)
{
    char memory[MAX_PATH], text[MAX_PATH];
    size_t page = PAGE - address % PAGE; /* the page behind it may not be there */
    ssize_t got = -1;

    (void)snprintf(memory, sizeof memory, "/proc/%jd/mem", (intmax_t)pid);
    int fd = open(memory, O_RDONLY | O_CLOEXEC);
    if (fd != -1) {
        got = pread(fd, text, sizeof text - 1, (off_t)address);
        if (got == -1 && page < sizeof text)
            got = pread(fd, text, page, (off_t)address);
        (void)close(fd);
    }
    if (got <= 0) {
        (void)snprintf(to, room, "0x%" PRIx64, address);
        return;
    }
    text[got] = '\0';
    for (char *c = text; *c != '\0'; c++)
        if (*c < ' ' || *c == '"' || *c > '~')
            *c = '?';
    (void)snprintf(to, room, "\"%s\"", text);
}

static unsigned paths_of(const char *name)
{
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (strcmp(paths[i].call, name) == 0)
            return paths[i].which;
    return 0;
}

/* Adds a word without the tree at its begin, and with N for each number in it. */
static void add_kind(char *kind, const char *word)
{
    size_t len = strlen(kind), tree = strlen(plan.tree);

    if (tree > 0 && strncmp(word, plan.tree, tree) == 0 && word[tree] == '/')
        word += tree + 1;
    if (len + 1 < MAX_KIND)
        kind[len++] = ' ';
    for (; *word != '\0' && len + 1 < MAX_KIND; word++) {
        bool digit = *word >= '0' && *word <= '9';
        if (!digit || kind[len - 1] != 'N')
            kind[len++] = digit ? 'N' : *word;
    }
    kind[len] = '\0';
}

/* What a descriptor is open on. Pipes and sockets that all the program's processes have
 * are told apart by their numbers. */
static void add_descriptor(pid_t pid, uint64_t fd, char *kind)
{
    static const char digits[PROTOCOL_FDS][2] = {"0", "1", "2", "3", "4", "5", "6"};
    char link[MAX_PATH], file[MAX_PATH];

    (void)snprintf(link, sizeof link, "/proc/%jd/fd/%d", (intmax_t)pid, (int)fd);
    ssize_t len = readlink(link, file, sizeof file - 1);
    file[len > 0 ? len : 0] = '\0';
    add_kind(kind, len > 0 ? file : "-");
    if (file[0] != '/' && fd < PROTOCOL_FDS && strlen(kind) + 1 < MAX_KIND)
        strcat(kind, digits[fd]);
}

/* The call, as it is part of a place. */
static void put_kind(pid_t pid, const struct __ptrace_syscall_info *info, char *kind)
{
    const char *name = call_name((long)info->entry.nr);
    unsigned named = paths_of(name);
    uint64_t flags = info->entry.args[strcmp(name, "openat") == 0 ? 2 : 1];

    (void)snprintf(kind, MAX_KIND, "%s", name);
    for (unsigned i = 0; named >> i != 0; i++) {
        char path[MAX_PATH + 3];
        if ((named >> i & 1) == 0)
            continue;
        put_path(pid, info->entry.args[i], path, sizeof path);
        size_t len = strlen(path);
        if (path[0] == '"' && len > 2) {
            path[len - 1] = '\0';
            add_kind(kind, path + 1);
        } else {
            add_descriptor(pid, info->entry.args[0], kind);
        }
    }
    if (strncmp(name, "open", strlen("open")) == 0 && (flags & O_CREAT) != 0)
        add_kind(kind, "O_CREAT");
    for (size_t i = 0; i < sizeof of_descriptors / sizeof of_descriptors[0]; i++)
        if (named == 0 && strcmp(of_descriptors[i], name) == 0)
            add_descriptor(pid, info->entry.args[0], kind);
    if (strcmp(name, "mmap") == 0 && (int)info->entry.args[4] != -1)
        add_descriptor(pid, info->entry.args[4], kind);
}

static void describe(pid_t pid, const struct __ptrace_syscall_info *info, char *to)
{
    enum { SHOWN = 4, SMALL = 65536 };
    const char *name = call_name((long)info->entry.nr);
    unsigned named = paths_of(name);
    size_t used;

    used = (size_t)snprintf(to, MAX_TEXT, "%s(", name);
    for (unsigned i = 0; i < SHOWN && used < MAX_TEXT; i++) {
        uint64_t v = info->entry.args[i];
        char arg[MAX_PATH + 3];
        if (named >> i & 1)
            put_path(pid, v, arg, sizeof arg);
        else if ((int64_t)v >= -SMALL && (int64_t)v <= SMALL)
            (void)snprintf(arg, sizeof arg, "%" PRId64, (int64_t)v);
        else if (v == UINT32_MAX || (uint32_t)v == (uint32_t)-100) /* AT_FDCWD */
            (void)snprintf(arg, sizeof arg, "%" PRId32, (int32_t)v);
        else
            (void)snprintf(arg, sizeof arg, "0x%" PRIx64, v);
        used += (size_t)snprintf(to + used, MAX_TEXT - used, "%s%s", i > 0 ? ", " : "",
                                 arg);
    }
    if (used < MAX_TEXT)
        (void)snprintf(to + used, MAX_TEXT - used, ")");
}

static void put_call(pid_t pid, const char *result)
{
    const struct process *p = process_of(pid);
    (void)fprintf(out, "%" PRIu64 " %jd %s = %s @ %s < %s\n", p->number, (intmax_t)pid,
                  p->text, result, p->kind, p->before);
}

static _Noreturn void end_all(void)
{
    for (pid_t pid = 1; pid <= MAX_PID; pid++)
        if (processes[pid] != NULL)
            (void)kill(pid, SIGKILL);
    (void)fclose(out);
    _exit(SIGNALED + SIGKILL);
}

static void put_hit(long call)
{
    hit = true;
    (void)fprintf(out, "hit %" PRIu64 " %s %s\n", plan.number, call_name(call),
                  plan.name);
}

/* What is to be done before a call. */
static void act_before(pid_t pid, struct process *p)
{
    struct registers r;

    if (!registers_get(pid, &r))
        return;
    switch (plan.action) {
    case KILL_BEFORE:
    case ALL_BEFORE:
        registers_skip(pid, &r);
        put_call(pid, "?");
        p->inside = false;
        put_hit(p->call);
        if (plan.action == ALL_BEFORE)
            end_all();
        (void)kill(pid, SIGKILL);
        break;
    case FAIL:
        registers_skip(pid, &r);
        break;
    case SHORT:
        for (size_t i = 0; i < sizeof with_length / sizeof with_length[0]; i++)
            if (strcmp(with_length[i], call_name(p->call)) == 0)
                registers_length(pid, &r, plan.length,
                                 p->call == SYS_getrandom ? 1 : 2);
        break;
    default:
        break;
    }
}

static void act_after(pid_t pid, struct process *p, char *result, size_t room)
{
    struct registers r;

    if ((plan.action == FAIL || plan.action == LATE) && registers_get(pid, &r)) {
        registers_result(pid, &r, -plan.error);
        (void)snprintf(result, room, "-1 %s", error_name(plan.error));
    }
    put_call(pid, result);
    put_hit(p->call);
    if (plan.action == ALL_AFTER)
        end_all();
    if (plan.action == KILL_AFTER)
        (void)kill(pid, SIGKILL);
}

static bool is_at_place(const struct process *p)
{
    size_t len = strlen(p->kind);
    return strncmp(plan.place, p->kind, len) == 0 &&
           strncmp(plan.place + len, " < ", strlen(" < ")) == 0 &&
           strcmp(plan.place + len + strlen(" < "), p->before) == 0;
}

static void call_begins(pid_t pid, const struct __ptrace_syscall_info *info)
{
    struct process *p = process_of(pid);

    p->call = (long)info->entry.nr;
    p->marked = p->marked || p->call == plan.mark;
    if (!p->marked)
        return;
    p->number = ++count;
    p->inside = true;
    describe(pid, info, p->text);
    memcpy(p->before, p->kind, sizeof p->before);
    put_kind(pid, info, p->kind);
    if (plan.nth > 0 && is_at_place(p) && --plan.nth == 0)
        plan.number = p->number;
    if (p->number == plan.number)
        repeated = p->call;
    p->chosen = plan.action != NOTHING && (p->number == plan.number ||
                                           (plan.repeat && hit && p->call == repeated));
    if (p->chosen)
        act_before(pid, p);
    if (p->inside && (p->call == SYS_exit || p->call == SYS_exit_group)) {
        put_call(pid, "?"); /* there is no end of it */
        p->inside = false;
        if (p->chosen)
            put_hit(p->call);
        if (p->chosen && plan.action == ALL_AFTER)
            end_all();
    }
}

static void call_ends(pid_t pid, const struct __ptrace_syscall_info *info)
{
    struct process *p = process_of(pid);
    char result[MAX_PATH];
    int64_t value = info->exit.rval;

    if (!p->inside)
        return;
    p->inside = false;
    if (value <= -FIRST_RESTART && value >= -LAST_RESTART)
        (void)snprintf(result, sizeof result, "again");
    else if (value < 0 && value >= -MAX_ERRNO)
        (void)snprintf(result, sizeof result, "-1 %s", error_name((int)-value));
    else
        (void)snprintf(result, sizeof result, "%" PRId64, value);
    if (p->chosen)
        act_after(pid, p, result, sizeof result);
    else
        put_call(pid, result);
    if (strcmp(result, "again") == 0)
        memcpy(p->kind, p->before, sizeof p->kind);
    if (p->call == SYS_rt_sigreturn && p->handling) {
        p->handling = false;
        memcpy(p->kind, p->handled, sizeof p->kind);
    }
}

/* Lets a stopped process go on; only the program's own processes stop at calls. */
static void go_on(pid_t pid, int signal)
{
    const struct process *p = process_of(pid);
    (void)ptrace(p->ours ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0, signal);
}

static void call_stop(pid_t pid)
{
    struct __ptrace_syscall_info info;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0)
        return;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
        call_begins(pid, &info);
    else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
        call_ends(pid, &info);
}

static bool is_caught(pid_t pid, int signal)
{
    char path[MAX_PATH], line[MAX_PATH];
    uint64_t caught = 0;

    (void)snprintf(path, sizeof path, "/proc/%jd/status", (intmax_t)pid);
    FILE *status = fopen(path, "re");
    if (status == NULL)
        return false;
    while (fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "SigCgt: %" SCNx64, &caught) == 1)
            break;
    (void)fclose(status);
    return (caught >> (signal - 1) & 1) != 0;
}

static void signal_comes(pid_t pid, int signal)
{
    struct process *p = process_of(pid);

    if (!p->marked || p->handling || !is_caught(pid, signal))
        return;
    p->handling = true;
    memcpy(p->handled, p->kind, sizeof p->handled);
    (void)snprintf(p->kind, sizeof p->kind, "signal");
}

/* The process runs another file now; the call of exec has ended well. */
static void exec_done(pid_t pid)
{
    struct process *p = process_of(pid);
    char link[MAX_PATH], file[PAGE];

    if (p->inside) {
        struct __ptrace_syscall_info info = {.exit = {.rval = 0}};
        call_ends(pid, &info);
    }
    (void)snprintf(link, sizeof link, "/proc/%jd/exe", (intmax_t)pid);
    ssize_t len = readlink(link, file, sizeof file - 1);
    file[len > 0 ? len : 0] = '\0';
    char *gone = strstr(file, " (deleted)");
    if (gone != NULL)
        *gone = '\0';
    const char *slash = strrchr(file, '/');
    p->ours = strcmp(slash != NULL ? slash + 1 : file, plan.program) == 0;
    p->marked = p->ours && plan.mark == NO_CALL;
    p->handling = false;
    (void)snprintf(p->kind, sizeof p->kind, "execve");
}

static void child_made(pid_t parent)
{
    unsigned long message;

    if (ptrace(PTRACE_GETEVENTMSG, parent, 0, &message) != 0)
        return;
    pid_t child = (pid_t)message;
    struct process *p = process_of(child);
    p->known = true;
    p->ours = process_of(parent)->ours;
    p->marked = process_of(parent)->marked;
    memcpy(p->kind, process_of(parent)->kind, sizeof p->kind);
    if (p->waiting) {
        p->waiting = false;
        go_on(child, 0);
    }
}

static void serve(pid_t pid, int status)
{
    struct process *p = process_of(pid);
    int deliver = 0;

    switch (status >> EVENT_SHIFT) {
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
        child_made(pid);
        break;
    case PTRACE_EVENT_EXEC:
        exec_done(pid);
        break;
    case PTRACE_EVENT_STOP: /* a new process, or one that a signal has stopped */
        if (WSTOPSIG(status) != SIGTRAP) {
            (void)ptrace(PTRACE_LISTEN, pid, 0, 0);
            return;
        }
        if (!p->known) {
            p->waiting = true;
            return;
        }
        break;
    default:
        if (WSTOPSIG(status) == SYSCALL_STOP)
            call_stop(pid);
        else
            signal_comes(pid, deliver = WSTOPSIG(status));
    }
    go_on(pid, deliver);
}

static pid_t start(char **command)
{
    pid_t child = traced_start_or_die(
        command, PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                     PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    process_of(child)->known = true;
    return child;
}

static int error_value(const char *name)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (strcmp(errors[i].name, name) == 0)
            return errors[i].value;
    die_perm("no such error: %s", name);
}

static uint64_t number_of(const char *text)
{
    uint64_t n;
    if (!number_exact(view_of(text), UINT64_MAX, &n))
        die_perm("not a number: %s", text);
    return n;
}

static void read_action(char *text)
{
    static const struct {
        const char *name;
        enum action action;
    } words[] = {{"kill-before", KILL_BEFORE},
                 {"kill-after", KILL_AFTER},
                 {"all-before", ALL_BEFORE},
                 {"all-after", ALL_AFTER}};

    plan.name = text;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(text, words[i].name) == 0)
            plan.action = words[i].action;
    if (strncmp(text, "error=", strlen("error=")) == 0) {
        plan.action = FAIL;
        plan.error = error_value(text + strlen("error="));
    } else if (strncmp(text, "late=", strlen("late=")) == 0) {
        plan.action = LATE;
        plan.error = error_value(text + strlen("late="));
    } else if (strncmp(text, "short=", strlen("short=")) == 0) {
        plan.action = SHORT;
        plan.length = number_of(text + strlen("short="));
    }
    if (plan.action == NOTHING)
        die_perm("no such action: %s", text);
}

static long call_number(const char *name)
{
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (calls[i] != NULL && strcmp(calls[i], name) == 0)
            return (long)i;
    die_perm("no such system call: %s", name);
}

/* Reads the options; the command that is left. */
static char **read_arguments(char **argv)
{
    struct options o;
    const char *file = "/dev/null";
    int code;

    options_begin(&o, argv);
    while ((code = options_next(&o, "rwm:t:o:p:n:a:")) >= 0)
        switch (code) {
        case 'r':
            plan.repeat = true;
            break;
        case 'w':
            plan.wait = true;
            break;
        case 'm':
            plan.mark = call_number(o.value);
            break;
        case 't':
            plan.tree = o.value;
            break;
        case 'o':
            file = o.value;
            break;
        case 'p':
            plan.place = o.value;
            break;
        case 'n':
            plan.number = number_of(o.value);
            break;
        default:
            read_action(o.value);
        }
    if (code != OPTION_END || o.rest[0] == NULL || o.rest[1] == NULL)
        die_perm(
            "usage: trip [-rw] [-m MARK] [-t TREE] [-o FILE] [[-p PLACE] [-n NUMBER] "
            "-a ACTION] PROGRAM COMMAND [ARGUMENT ...]");
    plan.program = o.rest[0];
    if (plan.place != NULL) {
        plan.nth = plan.number > 0 ? plan.number : 1;
        plan.number = 0;
    }
    out = fopen(file, "we");
    if (out == NULL)
        die_temp("unable to write %s: %s", file, error_text(errno));
    (void)setvbuf(out, NULL, _IOLBF, 0);
    return o.rest + 1;
}

int main(int argc, char **argv)
{
    int status, code = DIE_TEMP;
    pid_t pid;

    (void)argc;
    die_name("trip");
    pid_t first = start(read_arguments(argv));
    while ((pid = waitpid(-1, &status, __WALL)) != -1 || errno == EINTR) {
        if (pid == -1)
            continue;
        if (WIFSTOPPED(status)) {
            serve(pid, status);
            continue;
        }
        heap_free(process_of(pid));
        processes[pid] = NULL;
        if (pid == first) {
            code =
                WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALED + WTERMSIG(status);
            if (!plan.wait)
                break;
        }
    }
    return code;
}
