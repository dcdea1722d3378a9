#include "base/signals.h"

#include "base/fd.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

enum { SIGNALS_MAX = 64 };

static struct {
    volatile sig_atomic_t come[SIGNALS_MAX];
    bool caught[SIGNALS_MAX];
    volatile sig_atomic_t exit_code[SIGNALS_MAX];
    int pipe[2];
    bool open;
} state;

static void handler(int sig)
{
    int saved = errno;
    state.come[sig] = 1;
    /* a full pipe wakes the loop as well as one more byte would */
    ssize_t n = write(state.pipe[1], "", 1);
    (void)n;
    errno = saved;
}

static void action(int sig, void (*what)(int))
{
    struct sigaction act = {.sa_handler = what};
    sigemptyset(&act.sa_mask);
    sigaction(sig, &act, NULL);
}

static void unblock(int sig)
{
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, sig);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
}

bool signals_catch(int sig)
{
    if (!state.open) {
        if (!fd_pipe(state.pipe))
            return false;
        fd_nonblocking(state.pipe[0]);
        fd_nonblocking(state.pipe[1]);
        state.open = true;
    }
    state.caught[sig] = true;
    action(sig, handler);
    unblock(sig);
    return true;
}

bool signals_taken(int sig)
{
    if (!state.come[sig])
        return false;
    state.come[sig] = 0;
    return true;
}

int signals_fd(void)
{
    return state.open ? state.pipe[0] : -1;
}

void signals_clear(void)
{
    char drop[64];
    while (state.open && read(state.pipe[0], drop, sizeof drop) == sizeof drop)
        ;
}

void signals_ignore(int sig)
{
    action(sig, SIG_IGN);
}

void signals_default(int sig)
{
    action(sig, SIG_DFL);
}

static void exit_at_once(int sig)
{
    _exit(state.exit_code[sig]);
}

void signals_exit_on(int sig, int code)
{
    state.exit_code[sig] = code;
    action(sig, exit_at_once);
    unblock(sig);
}

static void do_nothing(int sig)
{
    (void)sig;
}

void signals_survive(int sig)
{
    action(sig, do_nothing);
}

void signals_forget_in_child(void)
{
    for (int sig = 1; sig < SIGNALS_MAX; sig++)
        if (state.caught[sig])
            action(sig, SIG_DFL);
}
