#include "queue/qctl.h"

#include "base/clock.h"
#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/os.h"
#include "conf.h"
#include "net/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ANSWER_MS = 60000, /* qmail-send may be busy, or loading a large queue */
    START_MS = 5000,   /* between its taking the mutex and its listening */
    PAUSE_MS = 20,
    PREPROCESSING_MS = 5000
};

static struct {
    int fd; /* connection, or -1 */
    struct bytes in;
    int64_t preprocessed_by; /* steady clock; 0: nobody has waited yet */
} state = {.fd = -1};

static void pause_ms(int64_t ms)
{
    fd_wait(-1, 0, ms);
}

/* Without qmail-send */

/* The mutex, or -1: qmail-send runs. */
static int lock_queue(void)
{
    int fd = fd_open(QUEUE_DIR_MUTEX, O_WRONLY, 0);
    if (fd == -1)
        die_temp("unable to open %s/queue/%s: %s", CONF_QMAIL, QUEUE_DIR_MUTEX,
                 error_text(errno));
    if (!os_lock(fd, false))
        fd_close(&fd);
    return fd;
}

static enum order_result complain(const char *deed, struct queue_path path)
{
    struct bytes text = {0};
    bytes_add_format(&text, "qmail-qctl: unable to %s %s/queue/%s: %s\n", deed,
                     CONF_QMAIL, path.text, error_text(errno));
    bool written = write_all(2, bytes_view(&text));
    (void)written;
    bytes_free(&text);
    return ORDER_TROUBLE;
}

/* A channel of a marked message. What fails here is done by qmail-send as soon as it
 * starts. */
static void apply(enum channel c, const struct order *o)
{
    struct queue_path path = queue_split_path(channel_name(c), o->message);

    switch (o->verb) {
    case ORDER_TRY:
    case ORDER_RELEASE: /* due now */
        if (utimensat(AT_FDCWD, path.text, NULL, 0) == -1)
            complain("set the time of", path);
        return;
    case ORDER_RETURN:
        if (!order_return_channel(c, o->message, qctl_rules()))
            complain("write notes for the recipients in", path);
        else if (!file_remove(path.text))
            complain("remove", path);
        return;
    case ORDER_DELETE:
        if (!file_remove(path.text))
            complain("remove", path);
        return;
    default:
        return;
    }
}

static void tell(struct order_answer *a, const struct order_files *f)
{
    a->mark = f->mark;
    for (int c = 0; c < CHANNELS; c++)
        a->channels[c] = (struct order_channel){
            .place = f->channels[c] ? ORDER_WAITS : ORDER_NOBODY, .due = f->times[c]};
}

/* The same that qmail-send does (send_obey.c), to the files alone. */
static struct order_answer do_it(const struct order *o)
{
    struct order_answer a = {.result = ORDER_TROUBLE};
    struct queue_path path;
    struct order_files f;
    enum queue_mark mark;

    if (!order_look(o->message, &f, &path)) {
        complain("look at", path);
        return a;
    }
    a.result = order_judge(o, &f, false, &mark);
    tell(&a, &f);
    if (a.result != ORDER_DONE || o->verb == ORDER_STATE)
        return a;
    if (o->verb == ORDER_RETURN)
        qctl_rules(); /* or it ends here */
    if (!order_mark(o->message, mark)) {
        a.result = complain("mark", queue_split_path("info", o->message));
        return a;
    }
    if (o->verb == ORDER_DELETE)
        file_remove(queue_flat_path("bounce", o->message).text);
    for (int c = 0; c < CHANNELS; c++)
        if (f.channels[c])
            apply((enum channel)c, o);
    a.mark = mark;
    return a;
}

/* With qmail-send */

/* One answer. False: the connection is lost, and perhaps the order; to give it again
 * does no harm. */
static bool read_answer(struct order_answer *a)
{
    int64_t end = clock_steady_ms() + ANSWER_MS;
    char piece[ORDER_MAX_LINE];

    bytes_clear(&state.in);
    while (!view_has(bytes_view(&state.in), '\n')) {
        int64_t left = end - clock_steady_ms();
        if (state.in.len > ORDER_MAX_LINE)
            return false;
        if (!fd_wait(state.fd, POLLIN, left > 0 ? left : 0))
            die_temp("qmail-send does not answer; its log may tell why. What was asked "
                     "last may still be done");
        ssize_t n = read(state.fd, piece, sizeof piece);
        if (n == -1 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0)
            return false;
        bytes_add(&state.in, view_at(piece, (size_t)n));
    }
    struct view rest = bytes_view(&state.in);
    return order_parse_answer(view_cut(&rest, '\n'), a) && rest.len == 0 &&
           a->result != ORDER_BAD;
}

enum asked { ANSWERED, LOST, NOBODY };

static enum asked ask(const struct order *o, struct order_answer *a)
{
    struct bytes line = {0};

    if (state.fd == -1)
        state.fd = unix_socket_connect(QUEUE_DIR_SOCKET);
    if (state.fd == -1)
        return errno == EAGAIN || errno == EWOULDBLOCK ? LOST : NOBODY;
    order_add(&line, o);
    bool answered = write_all(state.fd, bytes_view(&line)) && read_answer(a);
    bytes_free(&line);
    if (answered)
        return ANSWERED;
    fd_close(&state.fd);
    return LOST;
}

static _Noreturn void cannot_order(void)
{
    struct stat st;
    if (stat(QUEUE_DIR_ORDER, &st) == -1)
        die_temp("qmail-send runs, but there is no %s/queue/%s for orders: install "
                 "again, then restart qmail-send",
                 CONF_QMAIL, QUEUE_DIR_ORDER);
    die_temp("qmail-send runs, but takes no orders at %s/queue/%s: its log may tell "
             "why; restart it",
             CONF_QMAIL, QUEUE_DIR_SOCKET);
}

/* Nobody listens. False: somebody holds the mutex all the same. */
static bool do_it_instead(const struct order *o, struct order_answer *a)
{
    int lock = -1;
    if (o->verb != ORDER_STATE && (lock = lock_queue()) == -1)
        return false;
    *a = do_it(o);
    fd_close(&lock);
    return true;
}

struct order_answer qctl_order(const struct order *o)
{
    int64_t begun = clock_steady_ms();
    struct order_answer a;

    for (;;) {
        int64_t limit = ANSWER_MS;
        switch (ask(o, &a)) {
        case ANSWERED:
            return a;
        case LOST: /* dropped for our silence, or it has ended, or too many ask */
            break;
        case NOBODY:
            if (do_it_instead(o, &a))
                return a;
            limit = START_MS;
            break;
        }
        if (clock_steady_ms() - begun > limit)
            cannot_order();
        pause_ms(PAUSE_MS);
    }
}

bool qctl_await_preprocessing(ino_t message)
{
    struct queue_path todo = queue_flat_path("todo", message);
    struct stat st;

    if (!state.preprocessed_by)
        state.preprocessed_by = clock_steady_ms() + PREPROCESSING_MS;
    do {
        if (clock_steady_ms() > state.preprocessed_by)
            return false;
        pause_ms(PAUSE_MS);
    } while (stat(todo.text, &st) == 0);
    return true;
}
