#include "base/signals.h"

#include "base/fd.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static void defaults(void *arg)
{
    (void)arg;
    signals_forget_in_child();
    raise(SIGUSR1);
}

static void no_pipe(void *arg)
{
    (void)arg;
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){3, 3});
    _exit(!signals_catch(SIGUSR1) && errno == EMFILE ? 0 : 1);
}

/* Blocked, as by a parent; and nothing else is due to the signal. */
static void exits(void *arg)
{
    sigset_t all;
    (void)arg;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signals_exit_on(SIGUSR1, 3);
    signals_exit_on(SIGUSR2, 4);
    raise(SIGUSR1);
    _exit(1);
}

/* Interrupts what waits, and nothing else. */
static void survives(void *arg)
{
    struct pollfd none = {.fd = -1};
    (void)arg;
    signals_survive(SIGALRM);
    alarm(1);
    _exit(poll(&none, 1, 60000) == -1 && errno == EINTR ? 0 : 1);
}

int main(void)
{
    ok(signals_fd() == -1, "no signal is caught", NULL);
    signals_clear();
    same_number((uint64_t)run_apart(no_pipe, NULL, NULL), 0, "no pipe to be had");
    ok(signals_catch(SIGUSR1) && signals_catch(SIGUSR2), "catch", NULL);
    ok(fcntl(signals_fd(), F_GETFD) == FD_CLOEXEC, "descriptor", "close-on-exec");
    ok(!signals_taken(SIGUSR1), "none has come", NULL);
    ok(!fd_wait(signals_fd(), POLLIN, 0), "not readable", NULL);
    errno = ENOSPC;
    raise(SIGUSR1);
    ok(errno == ENOSPC, "errno stays", NULL);
    ok(fd_wait(signals_fd(), POLLIN, 0), "readable", NULL);
    signals_clear();
    ok(!fd_wait(signals_fd(), POLLIN, 0), "cleared", NULL);
    ok(!signals_taken(SIGUSR2), "the other has not come", NULL);
    ok(signals_taken(SIGUSR1) && !signals_taken(SIGUSR1), "taken", "once");
    for (int i = 0; i < 100000; i++)
        raise(SIGUSR2); /* more than the pipe holds */
    ok(signals_taken(SIGUSR2) && !signals_taken(SIGUSR2), "a flood", "is one");
    signals_clear();
    ok(!fd_wait(signals_fd(), POLLIN, 0), "a flood", "is cleared");
    same_number((uint64_t)run_apart(defaults, NULL, NULL), 256 + SIGUSR1,
                "forgotten in the child");
    same_number((uint64_t)run_apart(exits, NULL, NULL), 3, "a signal that ends it");
    signals_ignore(SIGUSR1);
    raise(SIGUSR1);
    ok(!signals_taken(SIGUSR1), "ignored", NULL);
    signals_catch(SIGUSR1);
    raise(SIGUSR1);
    ok(signals_taken(SIGUSR1), "caught again", NULL);
    same_number((uint64_t)run_apart(survives, NULL, NULL), 0, "a signal survived");
    return tap_done();
}
