/* watch - what each program that a command starts has cost.
 *
 * usage    watch FILE COMMAND [ARGUMENT ...]
 * FILE     a line for each program that ended while COMMAND ran, and one for each
 *          start of a process. The fields, with blanks between them:
 *            ran PID NAME CPU_NS FAULTS SWITCHES   an image ended, by exit or by exec
 *            started PID                           a process was made
 *          NAME has its blanks changed to '_'
 * exits    as COMMAND does, 111 if it cannot be watched
 *
 * Traced are only beginnings and ends of processes, so that what is measured hardly
 * changes. The figures are the kernel's own: CPU time from schedstat, page faults
 * from stat, context switches of both kinds from status. What a process did before an
 * exec is counted for the program that it was then; what a process does after its
 * last instruction (giving back its memory) is nobody's. */
#include "base/die.h"
#include "base/error.h"

#include "../traced.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MAX_PID = 4194304,
    ROOM = 4096,
    MAX_NAME = 64,
    EVENT_SHIFT = 16,
    NAME_ROOM = 16
};

struct cost {
    uint64_t cpu_ns, faults, switches;
};

/* By number, as many as there can be; only what is used takes memory. */
static struct process {
    struct cost before; /* used by images before the present one */
    char name[NAME_ROOM];
} processes[MAX_PID + 1];

static FILE *out;

static struct process *process_of(pid_t pid)
{
    if (pid < 0 || pid > MAX_PID)
        die_temp("there is no process %jd", (intmax_t)pid);
    return &processes[pid];
}

/* A file of /proc/PID as a string; empty if the process is gone. */
static const char *proc_read(pid_t pid, const char *file)
{
    static char text[ROOM];
    char path[MAX_NAME];
    ssize_t len = -1;

    (void)snprintf(path, sizeof path, "/proc/%jd/%s", (intmax_t)pid, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd != -1) {
        len = read(fd, text, sizeof text - 1);
        (void)close(fd);
    }
    text[len > 0 ? len : 0] = '\0';
    return text;
}

static uint64_t field_after(const char *text, const char *label)
{
    const char *found = strstr(text, label);
    return found != NULL ? strtoull(found + strlen(label), NULL, 10) : 0;
}

static struct cost cost_now(pid_t pid)
{
    struct cost cost = {0};
    uintmax_t minor = 0, major = 0;

    cost.cpu_ns = strtoull(proc_read(pid, "schedstat"), NULL, 10);
    const char *after_name = strrchr(proc_read(pid, "stat"), ')');
    if (after_name != NULL &&
        sscanf(after_name, ") %*c %*s %*s %*s %*s %*s %*s %ju %*s %ju", &minor,
               &major) == 2)
        cost.faults = minor + major;
    const char *status = proc_read(pid, "status");
    cost.switches = field_after(status, "\nvoluntary_ctxt_switches:") +
                    field_after(status, "\nnonvoluntary_ctxt_switches:");
    return cost;
}

/* The present name, for when the program is gone. */
static void note_name(pid_t pid, struct process *p)
{
    (void)snprintf(p->name, sizeof p->name, "%.*s", NAME_ROOM - 1,
                   proc_read(pid, "comm"));
    p->name[strcspn(p->name, "\n")] = '\0';
    for (char *c = p->name; *c != '\0'; c++)
        if (*c == ' ')
            *c = '_';
}

/* An image has ended: by exec, with the new name there already, or by exit. */
static void image_ended(pid_t pid, bool by_exec)
{
    struct process *p = process_of(pid);
    struct cost cost = cost_now(pid);

    if (!by_exec)
        note_name(pid, p);
    (void)fprintf(out, "ran %jd %s %ju %ju %ju\n", (intmax_t)pid,
                  p->name[0] ? p->name : "?",
                  (uintmax_t)(cost.cpu_ns - p->before.cpu_ns),
                  (uintmax_t)(cost.faults - p->before.faults),
                  (uintmax_t)(cost.switches - p->before.switches));
    p->before = cost;
    note_name(pid, p);
    if (!by_exec)
        *p = (struct process){0};
}

static void process_started(pid_t parent)
{
    unsigned long child;

    if (ptrace(PTRACE_GETEVENTMSG, parent, 0, &child) != 0)
        return;
    (void)fprintf(out, "started %lu\n", child);
}

/* Serves one stop of a process, and lets it go on. */
static void serve(pid_t pid, int status)
{
    int deliver = 0, event = status >> EVENT_SHIFT;

    switch (event) {
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
        process_started(pid);
        break;
    case PTRACE_EVENT_EXEC:
        image_ended(pid, true);
        break;
    case PTRACE_EVENT_EXIT:
        image_ended(pid, false);
        break;
    case PTRACE_EVENT_STOP: /* a new process, or one that a signal has stopped */
        if (process_of(pid)->name[0] == '\0')
            note_name(pid, process_of(pid));
        if (WSTOPSIG(status) != SIGTRAP) {
            (void)ptrace(PTRACE_LISTEN, pid, 0, 0);
            return;
        }
        break;
    default:
        deliver = WSTOPSIG(status);
    }
    (void)ptrace(PTRACE_CONT, pid, 0, deliver);
}

int main(int argc, char **argv)
{
    int status, result = DIE_TEMP;
    pid_t pid;

    die_name("watch");
    if (argc < 3)
        die_perm("usage: watch FILE COMMAND [ARGUMENT ...]");
    out = fopen(argv[1], "we");
    if (out == NULL)
        die_temp("unable to write %s: %s", argv[1], error_text(errno));
    (void)setvbuf(out, NULL, _IOLBF, 0);
    pid_t first = traced_start_or_die(
        argv + 2, PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                      PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT);
    while ((pid = waitpid(-1, &status, __WALL)) != -1 || errno == EINTR) {
        if (pid == -1)
            continue;
        if (WIFSTOPPED(status))
            serve(pid, status);
        else if (pid == first)
            result = WIFEXITED(status) ? WEXITSTATUS(status) : DIE_TEMP;
    }
    return result;
}
