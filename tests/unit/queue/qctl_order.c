#include "queue/qctl.h"

#include "base/fd.h"
#include "base/os.h"
#include "conf.h"
#include "net/unix_socket.h"

#include "fault.h"
#include "queue_dirs.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGE = 5, TEMP = 111 };

#define LONG \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define GOOD "done h - - -\n"

static const struct route_rules rules = {.envnoathost = {0}};
static struct order order = {.verb = ORDER_STATE, .message = MESSAGE};

const struct route_rules *qctl_rules(void)
{
    return &rules;
}

/* A qmail-send that gives these answers, one in each connection, the last for good. */
static pid_t serve(const char *const *answers)
{
    int listener = unix_socket_listen(QUEUE_DIR_SOCKET, 10);
    if (listener == -1)
        skip_rest("cannot listen");
    pid_t pid = fork();
    if (pid != 0) {
        fd_close(&listener);
        return pid;
    }
    for (const char *const *answer = answers;; answer += answer[1] != NULL) {
        char c = 0;
        int fd = -1;
        while (fd == -1) {
            fd_wait(listener, 1, 60000);
            fd = unix_socket_accept(listener);
        }
        fd_blocking(fd);
        while (read(fd, &c, 1) == 1 && c != '\n')
            ;
        ssize_t n = write(fd, *answer, strlen(*answer));
        while (n > 0 && strcmp(*answer, " ") == 0 && read(fd, &c, 1) > 0)
            ; /* silence, more or less */
        fd_close(&fd);
    }
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    unlink(QUEUE_DIR_SOCKET);
}

static void give(void *arg)
{
    const char *name = arg;
    if (name)
        fault_at(name, order.verb == ORDER_DELETE ? 0 : 1, EIO);
    struct order_answer a = qctl_order(&order);
    fault_end();
    printf("%d\n", (int)a.result);
    fflush(stdout);
}

static void late(void *arg)
{
    fault_clock(20000);
    give(arg);
}

/* Giving the order ends so, and says so. */
static void ends(void (*run)(void *), const char *fault, int code, const char *said,
                 const char *name)
{
    char fault_text[20];
    struct bytes out = {0};
    snprintf(fault_text, sizeof fault_text, "%s", fault ? fault : "");
    int got = run_apart(run, fault ? fault_text : NULL, &out);
    same_number((uint64_t)got, (uint64_t)code, name);
    bytes_add_byte(&out, '\0');
    ok(strstr(out.data, said) != NULL, name, "says so");
    bytes_free(&out);
}

static void running(void)
{
    static const struct {
        const char *name, *answers[4], *fault;
        int error;
    } cases[] = {
        {"an answer", {GOOD}, NULL, 0},
        {"nonsense, then an answer", {"nonsense\n", GOOD}, NULL, 0},
        {"no request, then an answer", {"bad - - - -\n", GOOD}, NULL, 0},
        {"two lines, then an answer", {GOOD GOOD, GOOD}, NULL, 0},
        {"too long a line, then an answer", {LONG LONG LONG, GOOD}, NULL, 0},
        {"nothing, then an answer", {"", GOOD}, NULL, 0},
        {"an answer in pieces, and an end", {"done h", GOOD}, NULL, 0},
        {"waiting is interrupted", {GOOD}, "poll", EINTR},
        {"reading is interrupted", {GOOD}, "read", EINTR},
        {"there is nothing yet", {GOOD}, "read", EAGAIN},
        {"reading fails", {GOOD, GOOD}, "read", EIO},
        {"too many ask", {GOOD}, "connect", EAGAIN},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        pid_t pid = serve(cases[i].answers);
        fault_at(cases[i].fault ? cases[i].fault : "none", 1, cases[i].error);
        struct order_answer a = qctl_order(&order);
        ok(fault_end() == (cases[i].fault != NULL), cases[i].name, "fault");
        ok(a.result == ORDER_DONE && a.mark == QUEUE_HELD, cases[i].name, "answer");
        /* each case with a connection of its own: this one's partner goes */
        end(pid);
    }
}

static void mute(void)
{
    static const char *const nonsense[] = {"nonsense\n", NULL}, *const silent[] = {
                                                                    " ", NULL};

    pid_t pid = serve(silent);
    ends(late, NULL, TEMP, "qmail-send does not answer", "silence");
    end(pid);
    pid = serve(nonsense);
    ends(late, NULL, TEMP, "but takes no orders at", "nonsense for good");
    end(pid);
}

/* Nobody listens. */
static void instead(void)
{
    struct order_files f;
    struct queue_path path;

    make_file("info/5/5", VIEW("Fs@x\0"));
    make_file("local/5/5", VIEW("Ta@h\0"));
    if (!order_look(MESSAGE, &f, &path))
        skip_rest("no queue");
    order.birth = f.birth;
    order.verb = ORDER_TRY;
    ends(give, "open", TEMP, "unable to open " CONF_QMAIL "/queue/lock/sendmutex",
         "no mutex");
    ends(give, "stat", 0, "unable to look at " CONF_QMAIL "/queue/", "no look");
    ends(give, "utimensat", 0,
         "unable to set the time of " CONF_QMAIL "/queue/local/5/5", "no time");
    order.verb = ORDER_HOLD;
    ends(give, "fchmod", 0, "unable to mark " CONF_QMAIL "/queue/info/5/5", "no mark");
    order.verb = ORDER_RETURN;
    ends(give, "pread", 0, "0\n", "returned, nothing to compare with");
    make_file("local/5/5", VIEW("Tb@h\0"));
    ends(give, "unlink", 0, "unable to remove " CONF_QMAIL "/queue/local/5/5",
         "returned, and its list stays");
    ends(give, "openat", 0, "0\n", "returned, openat");
    make_file("local/5/5", VIEW("Xb@h\0"));
    ends(give, NULL, 0, "unable to write notes for the recipients in " CONF_QMAIL,
         "no notes");
    order.verb = ORDER_DELETE;
    ends(give, "unlink", 0, "unable to remove " CONF_QMAIL "/queue/local/5/5",
         "deleted, and its list stays");
    ends(give, NULL, 0, "0\n", "deleted");

    int lock = fd_open(QUEUE_DIR_MUTEX, O_WRONLY, 0);
    ok(os_lock(lock, false), "somebody holds the mutex", NULL);
    ends(late, NULL, TEMP, "but takes no orders at", "and listens to nobody");
    rename(QUEUE_DIR_ORDER, "away");
    ends(late, NULL, TEMP, "for orders: install again", "no directory for orders");
    rename("away", QUEUE_DIR_ORDER);
    fd_close(&lock);
}

static void awaiting(void)
{
    make_file("todo/5", VIEW("u1\0"));
    fault_at("none", 1, 0); /* nobody waits long */
    fault_clock(2000);
    ok(!qctl_await_preprocessing(MESSAGE), "a message that stays in todo", NULL);
    fault_clock(0);
    fault_end();
    unlink("todo/5");
}

int main(void)
{
    scratch_queue(10);
    mkdir("lock", 0700), mkdir("order", 0700);
    make_file(QUEUE_DIR_MUTEX, VIEW(""));
    signal(SIGPIPE, SIG_IGN);
    running();
    mute();
    instead();
    awaiting();
    return tap_done();
}
