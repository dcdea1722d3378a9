/* qmail-send - manage the queue: decide what is delivered, when, again, or
 * returned.
 *
 * runs as  qmails, started by qmail-start
 * fd 0     the log, written (!)
 * fd 1, 2  commands to qmail-lspawn, reports from it
 * fd 3, 4  the same for qmail-rspawn
 * fd 5, 6  requests to qmail-clean, answers from it
 * socket   queue/order/socket: orders of qmail-qctl
 * reads    control/, queue/todo; keeps queue/info, local, remote, bounce
 * signals  HUP: reread locals and virtualdomains; ALRM: everything is due now;
 *          TERM: finish what is under way and leave
 * exits    0 when it has left, 111 when it cannot begin */
#include "base/clock.h"
#include "base/die.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/os.h"
#include "base/signals.h"
#include "conf.h"
#include "mail/queue_dir.h"
#include "queue/send.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LOG_FD = 0,
    FIRST_PIPE = 1,
    LAST_PIPE = 6,
    LONGEST_SLEEP_S = 86400,
    LARGEST_SPLIT = 65535,
    LOCK_WAIT_MS = 1000,
    LOCK_PAUSE_MS = 20
};

static bool leaving;

bool send_is_leaving(void)
{
    return leaving;
}

void send_leave(void)
{
    leaving = true;
}

static void take_signals(bool new)
{
    if (new)
        signals_clear();
    if (signals_taken(SIGTERM))
        send_leave();
    if (signals_taken(SIGALRM))
        waiting_all_due();
    if (signals_taken(SIGHUP))
        controls_reread();
}

bool send_sleep(void)
{
    log_flush();
    fd_wait(signals_fd(), POLLIN, SEND_ALERT_SLEEP_S * 1000);
    signals_clear(); /* what came stays taken for the next turn */
    if (signals_taken(SIGTERM))
        send_leave();
    return !leaving;
}

static _Noreturn void cannot_start(const char *why)
{
    log_line("alert: cannot start: %s", why);
    log_flush();
    _exit(DIE_TEMP);
}

/* Everything that is ours only while we hold this; kept open until we exit. */
static void lock_or_die(void)
{
    int fd = fd_open(QUEUE_DIR_MUTEX, O_WRONLY, 0);
    if (fd == -1)
        cannot_start("unable to open mutex");
    /* qmail-qctl has it for a moment when it does our work, not expecting us */
    int64_t end = clock_steady_ms() + LOCK_WAIT_MS;
    while (!os_lock(fd, false)) {
        if (clock_steady_ms() > end)
            cannot_start("qmail-send is already running");
        fd_wait(-1, 0, LOCK_PAUSE_MS);
    }
}

/* Patched systems keep todo/ in numbered subdirectories. Their messages would be
 * passed over. */
static void refuse_split_todo(void)
{
    DIR *dir = opendir("todo");
    if (!dir)
        return; /* the first scan reports it */
    for (const struct dirent *entry; (entry = readdir(dir));) {
        struct stat st;
        ino_t number;
        if (queue_number(view_of(entry->d_name), &number) && number <= LARGEST_SPLIT &&
            stat(queue_flat_path("todo", number).text, &st) == 0 && S_ISDIR(st.st_mode))
            cannot_start("queue/todo is split into subdirectories");
    }
    closedir(dir);
}

static void catch_signals(void)
{
    signals_ignore(SIGPIPE);
    signals_survive(SIGXFSZ); /* a file too large is a failed write */
    signals_default(SIGCHLD);
    if (!signals_catch(SIGTERM) || !signals_catch(SIGALRM) || !signals_catch(SIGHUP))
        cannot_start("unable to catch signals");
}

static void begin_or_die(void)
{
    log_open(LOG_FD);
    heap_on_failure(log_out_of_memory);
    /* a partner that is not there: the end of its file, and not one of ours */
    if (!fd_fill(LAST_PIPE))
        cannot_start("unable to open /dev/null");
    for (int fd = LOG_FD; fd <= LAST_PIPE; fd++)
        fd_close_on_exec(fd, true);
    if (chdir(CONF_QMAIL) == -1)
        cannot_start("unable to switch to home directory");
    if (!controls_read())
        cannot_start("unable to read controls");
    if (chdir("queue") == -1)
        cannot_start("unable to switch to queue directory");
    umask(SEND_UMASK);
    catch_signals();
    lock_or_die();
    refuse_split_todo();
    if (!spawn_start())
        cannot_start("hath the daemon spawn no fire?");
    clean_start();
    job_start();
    todo_start();
    order_start();
}

/* Nothing that was begun is unfinished. */
static bool may_leave(void)
{
    return leaving && spawn_is_idle() && bounce_is_idle() && fresh_is_idle() &&
           clean_is_idle();
}

/* What the turn before has kept to be written. */
static void flush(void)
{
    log_flush();
    clean_flush();
    log_flush(); /* qmail-clean may be gone */
}

static void turn(struct loop *l)
{
    bool can_start[CHANNELS];

    loop_begin(l);
    loop_wake_in_s(l, LONGEST_SLEEP_S);
    size_t want_signals = loop_want(l, signals_fd(), POLLIN);
    for (int c = 0; c < CHANNELS; c++)
        can_start[c] = spawn_can_start((enum channel)c) && job_is_free((enum channel)c);
    waiting_wants(l, can_start);
    spawn_wants(l);
    todo_wants(l);
    fresh_wants(l);
    finish_wants(l);
    bounce_wants(l);
    clean_wants(l);
    sweep_wants(l);
    order_wants(l);
    if (!loop_wait(l)) {
        log_line("warning: trouble in select");
        log_flush();
        sleep(1); /* not to write the log full */
    }
    take_signals(loop_ready(l, want_signals));
    spawn_serve(l);
    waiting_serve();
    clean_serve(l);
    todo_serve(l);
    bounce_serve(l);
    finish_serve();
    fresh_serve();
    sweep_serve();
    order_serve(l);
}

int main(void)
{
    struct loop loop = {0};

    begin_or_die();
    if (waiting_load()) {
        spawn_status();
        while (flush(), !may_leave())
            turn(&loop);
        waiting_save();
    }
    log_line("status: exiting");
    log_flush();
    return 0;
}
