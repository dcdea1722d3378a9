#include "base/process.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/os.h"
#include "base/signals.h"
#include "base/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct start {
    const struct process *process;
    sigset_t mask; /* of the parent, for the child */
};

/* A descriptor that is among the numbers wanted could be overwritten before it
 * is copied; those above all of them are safe where they are. */
static bool is_above(const struct process *p, int fd)
{
    for (size_t i = 0; i < p->fd_count; i++)
        if (p->fds[i].want >= fd)
            return false;
    return true;
}

static bool place_fds(const struct process *p)
{
    int from[PROCESS_MAX_FDS];
    int above = 3;

    for (size_t i = 0; i < p->fd_count; i++)
        if (p->fds[i].want >= above)
            above = p->fds[i].want + 1;
    for (size_t i = 0; i < p->fd_count; i++) {
        from[i] = p->fds[i].have;
        if (!is_above(p, from[i]))
            from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, above);
        if (from[i] == -1)
            return false;
    }
    for (size_t i = 0; i < p->fd_count; i++)
        if (dup2(from[i], p->fds[i].want) == -1)
            return false;
    return true;
}

/* Memory may be the parent's: nothing but write(2). */
static void complain(const char *what, int error, const char *after)
{
    if (!what)
        return;
    write_all(2, view_of(what));
    write_all(2, view_of(error_text(error)));
    write_all(2, view_of(after));
}

int process_become(const struct process *p)
{
    const struct process_failures *exits = &p->failures;

    if (!place_fds(p)) {
        complain(p->complaint.fds, errno, p->complaint.after);
        return exits->fds;
    }
    if (p->files && setrlimit(RLIMIT_NOFILE, p->files) == -1)
        return exits->fds;
    if (p->dir && chdir(p->dir) == -1)
        return exits->dir;
    if (p->who && !identity_become(p->who))
        return exits->identity;
    if (p->default_sigpipe)
        signals_default(SIGPIPE);
    if (p->path)
        execve(p->path, p->argv, p->env ? p->env : environ);
    else
        execvp(p->argv[0], p->argv);
    int error = errno;
    complain(p->complaint.exec, error, p->complaint.after);
    return error_is_temporary(error) ? exits->exec_temp : exits->exec_perm;
}

static int child(void *arg)
{
    const struct start *start = arg;
    signals_forget_in_child();
    sigprocmask(SIG_SETMASK, &start->mask, NULL);
    return process_become(start->process);
}

/* A child that borrows our memory holds us up until it is another program. One
 * that becomes a user first could be stopped by that user meanwhile, and we with
 * it; so it gets memory of its own. */
static pid_t spawn(struct start *start)
{
    if (!start->process->who)
        return os_spawn(child, start);
    pid_t pid = fork();
    if (pid == 0)
        _exit(child(start));
    return pid;
}

pid_t process_start(const struct process *p)
{
    struct start start = {.process = p};
    sigset_t all;

    /* no handler may run in the child while it may borrow our memory */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &start.mask);
    pid_t pid = spawn(&start);
    int saved = errno;
    sigprocmask(SIG_SETMASK, &start.mask, NULL);
    errno = saved;
    return pid;
}

bool process_wait(pid_t pid, int *status)
{
    for (;;) {
        pid_t got = waitpid(pid, status, 0);
        if (got == pid)
            return true;
        if (got == -1 && errno != EINTR)
            return false;
    }
}
