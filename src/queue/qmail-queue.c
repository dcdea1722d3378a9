/* qmail-queue - put one message and its envelope into the queue.
 *
 * runs as  qmailq (set-uid), started by anybody; trusts nothing it is given
 * fd 0     the message, to end of file
 * fd 1     the envelope, read (sic) when the message has ended:
 *          F sender NUL, T recipient NUL for each recipient, NUL
 * exits    0 when the message is queued and on stable storage; else it is not
 *          queued, and mail/queue_exit.h says what the code means */
#include "base/clock.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/identity.h"
#include "base/sandbox.h"
#include "base/signals.h"
#include "conf.h"
#include "queue/queue.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whatever the caller's umask: qmail-send and root's tools read our files. */
enum { QUEUE_UMASK = 033 };

static void out_of_memory(void)
{
    _exit(QUEUE_MEMORY);
}

static void timed_out(int sig)
{
    (void)sig;
    _exit(QUEUE_TIMEOUT);
}

static void bug(int sig)
{
    (void)sig;
    _exit(QUEUE_BUG);
}

static void handle(int sig, void (*handler)(int))
{
    struct sigaction act = {.sa_handler = handler};
    sigemptyset(&act.sa_mask);
    sigaction(sig, &act, NULL);
}

/* The caller chooses our signal mask, umask and limits; none may matter. */
static void unblock_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void prepare_signals(void)
{
    static const int ignored[] = {SIGPIPE, SIGVTALRM, SIGPROF, SIGQUIT,
                                  SIGINT,  SIGHUP,    SIGXCPU, SIGXFSZ};
    static const int bugs[] = {SIGILL, SIGABRT, SIGFPE, SIGBUS, SIGSEGV, SIGSYS};

    for (size_t i = 0; i < COUNT(ignored); i++)
        signals_ignore(ignored[i]);
    for (size_t i = 0; i < COUNT(bugs); i++)
        handle(bugs[i], bug);
    handle(SIGALRM, timed_out);
    alarm(QUEUE_WRITE_LIMIT_S);
}

static struct queue_users find_users_or_die(void)
{
    static const char *const names[] = {CONF_USER_ALIAS, CONF_USER_DAEMON,
                                        CONF_USER_SEND};
    uid_t uids[COUNT(names)];

    identity_users_or_die(names, uids, COUNT(names));
    return (struct queue_users){.alias = uids[0], .daemon = uids[1], .send = uids[2]};
}

static enum queue_exit queue_message(struct queue_entry *entry,
                                     const struct queue_origin *origin,
                                     struct view received)
{
    enum queue_exit code = queue_entry_begin(entry, origin);
    if (code == QUEUE_OK)
        code = queue_entry_message(entry, received, 0);
    if (code == QUEUE_OK)
        code = queue_entry_envelope(entry, origin, 1);
    if (code == QUEUE_OK)
        code = queue_entry_publish(entry);
    return code;
}

int main(void)
{
    struct queue_entry entry;
    struct bytes received = {0};

    if (!fd_fill_standard())
        return QUEUE_READ;
    heap_on_failure(out_of_memory);
    unblock_signals();
    umask(QUEUE_UMASK);
    int entered = queue_enter(CONF_QMAIL);
    if (entered != QUEUE_OK)
        return entered;

    struct queue_origin origin = {
        .pid = getpid(), .uid = getuid(), .time = clock_now()};
    struct queue_users users = find_users_or_die();
    queue_received(&received, &origin, &users);
    prepare_signals();
    sandbox_enter(SANDBOX_FILES);

    enum queue_exit code = queue_message(&entry, &origin, bytes_view(&received));
    if (code != QUEUE_OK) {
        queue_entry_discard(&entry);
        return (int)code;
    }
    queue_pull_trigger();
    return QUEUE_OK;
}
