/* qmail-qctl - the queue in the postmaster's hand: look at messages, try, hold,
 * release, return or delete them, while qmail-send runs or not.
 *
 * runs as  qmails, which root becomes at once and for good
 * reads    queue/; gives orders to qmail-send at queue/order/socket, or carries them
 *          out itself under qmail-send's mutex when that does not run
 * fd 1     listings, the text of messages, a line for each order
 * exits    0 done, 1 not with every message or none was meant, 100 usage,
 *          111 try again */
#include "base/clock.h"
#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/identity.h"
#include "base/sandbox.h"
#include "base/signals.h"
#include "conf.h"
#include "queue/qctl.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DONE = 0, NOT_ALL = 1 };

static const char usage[] =
    "qmail-qctl: usage: qmail-qctl list|show|try|hold|release|return|delete\n"
    "    [ -anjH ] [ -s sender ] [ -r recipient ] [ -o age ] [ -y age ] [ -l size ]\n"
    "    [ -S new|waiting|active|held|bouncing|deleting ] [ number ... ]\n";

static struct {
    struct qctl_options options;
    struct qctl_message message;
    struct route_rules rules;
    bool has_rules;
    struct writer out;
    int64_t now;
    uint64_t meant; /* messages that were chosen */
    bool failed;
    bool safe; /* descriptor 1 is a terminal */
} state;

const struct route_rules *qctl_rules(void)
{
    if (!state.has_rules)
        die_temp("unable to read %s/control/locals, virtualdomains and what goes with "
                 "them; qmail-showctl tells which",
                 CONF_QMAIL);
    return &state.rules;
}

static void flush_or_die(void)
{
    if (!writer_flush(&state.out))
        die_temp("unable to write: %s", error_text(errno));
}

static void complain(ino_t number, const char *why)
{
    struct bytes line = {0};
    flush_or_die();
    bytes_add_format(&line, "qmail-qctl: message %ju %s\n", (uintmax_t)number, why);
    bool written = write_all(2, bytes_view(&line));
    (void)written;
    bytes_free(&line);
    state.failed = true;
}

static void complain_of(ino_t number, struct queue_path path)
{
    char why[200];
    snprintf(why, sizeof why, "is unclear: %s/queue/%s: %s", CONF_QMAIL, path.text,
             errno == EILSEQ ? "not what it should hold; see qmail-qfix"
                             : error_text(errno));
    complain(number, why);
}

/* Changing */

static void say_done(ino_t number, const struct order_answer *a)
{
    static const char *const deeds[ORDER_VERBS] = {
        [ORDER_TRY] = "due now",      [ORDER_HOLD] = "held",
        [ORDER_RELEASE] = "released", [ORDER_RETURN] = "returned",
        [ORDER_DELETE] = "deleted",
    };
    struct bytes line = {0};
    uint64_t running = 0;

    for (int c = 0; c < CHANNELS; c++)
        if (a->channels[c].place == ORDER_ATTEMPT)
            running += a->channels[c].deliveries;
    bytes_add_format(&line, "message %ju %s", (uintmax_t)number,
                     a->result == ORDER_ACTIVE ? "is being tried"
                                               : deeds[state.options.verb]);
    if (running && state.options.verb != ORDER_TRY)
        bytes_add_format(&line, "; %" PRIu64 " under way will end first", running);
    bytes_add_byte(&line, '\n');
    writer_add(&state.out, bytes_view(&line));
    bytes_free(&line);
    flush_or_die();
}

static void say_result(ino_t number, const struct order_answer *a, bool named)
{
    static const char *const reasons[ORDER_RESULTS] = {
        [ORDER_NEW] = "has not been preprocessed yet: try again when qmail-send has",
        [ORDER_IS_HELD] = "is held: release it first",
        [ORDER_NOT_HELD] = "is not held",
        [ORDER_RETURNING] = "is being returned: it can only be deleted",
        [ORDER_DELETING] = "is being deleted",
        [ORDER_ENDING] = "has no recipient left: it can only be tried, that is, its "
                         "bounce sent now, or deleted",
        [ORDER_BOUNCING] = "is just being returned: its bounce cannot be taken back",
        [ORDER_TROUBLE] = "stays as it is: see above, or the log of qmail-send",
    };
    switch (a->result) {
    case ORDER_DONE:
    case ORDER_ACTIVE:
        say_done(number, a);
        return;
    case ORDER_GONE:
    case ORDER_OTHER:
        if (named)
            complain(number, a->result == ORDER_GONE
                                 ? "has ended"
                                 : "has ended, and another has its number now: look at "
                                   "that before you try again");
        return;
    default:
        complain(number, reasons[a->result]);
    }
}

static void change(struct qctl_message *m, bool named)
{
    struct order o = {.verb = state.options.verb, .message = m->number};
    struct order_answer a = {.result = ORDER_NEW};

    while (a.result == ORDER_NEW) {
        if (m->is_new) {
            if (!qctl_await_preprocessing(m->number))
                break;
            if (!named)
                return; /* we shall meet it again in info/ */
            a.result = ORDER_GONE;
            if (!qctl_message_again(m))
                break;
        }
        o.birth = m->birth;
        a = qctl_order(&o);
        if (a.result == ORDER_NEW && !qctl_await_preprocessing(m->number))
            break;
    }
    say_result(m->number, &a, named);
}

/* One message */

static void treat(bool named)
{
    struct qctl_message *m = &state.message;

    state.meant++;
    if (state.options.command == QCTL_CHANGE && !state.options.dry)
        change(m, named);
    else if (state.options.command != QCTL_SHOW)
        qctl_print_line(&state.out, m, state.now, state.options.json);
    else if (!qctl_print_all(&state.out, m, state.now, state.options.header_only,
                             state.safe))
        complain_of(m->number, queue_split_path("mess", m->number));
}

/* Where a message was found. */
enum found { NAMED, IN_TODO, IN_INFO };

/* Those found in todo/ that have been listed or shown. For a moment their files are in
 * info/ as well. */
static struct {
    ino_t *numbers;
    size_t count, room;
} told;

static void remember(ino_t number)
{
    if (told.count == told.room) {
        told.room = told.room * 2 + 64;
        told.numbers = heap_resize(told.numbers, told.room, sizeof *told.numbers);
    }
    told.numbers[told.count++] = number;
}

static int compare_numbers(const void *a, const void *b)
{
    const ino_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static bool is_told(ino_t number)
{
    return told.count && bsearch(&number, told.numbers, told.count,
                                 sizeof *told.numbers, compare_numbers);
}

static void visit(ino_t number, enum found found)
{
    const struct qctl_options *o = &state.options;
    struct queue_path path;
    bool named = found == NAMED, tell = o->command != QCTL_CHANGE || o->dry;
    bool ask = o->has_state || tell;

    if (found == IN_INFO && is_told(number))
        return;
    state.now = clock_now();
    switch (qctl_message_read(&state.message, number, o, &path)) {
    case QCTL_GONE:
        if (named)
            complain(number, "is not in the queue");
        return;
    case QCTL_FAILED:
        complain_of(number, path);
        return;
    case QCTL_READ:
        break;
    }
    if (found == IN_TODO && !state.message.is_new)
        return; /* we shall meet it again in info/ */
    if (!qctl_message_fits(&state.message, o, state.now) ||
        (ask && !qctl_message_ask(&state.message)) ||
        (o->has_state && state.message.state != o->state))
        return;
    if (found == IN_TODO && tell)
        remember(number);
    treat(named);
}

/* All messages */

static _Noreturn void cannot_read(const char *deed, const char *path)
{
    int error = errno;
    flush_or_die(); /* what there was before */
    die_temp("unable to %s %s/queue/%s: %s", deed, CONF_QMAIL, path, error_text(error));
}

/* Visits the messages whose files are in a directory; split: it is that part of a tree,
 * or -1. */
static void visit_directory(const char *path, int split)
{
    const struct dirent *entry;
    DIR *dir = opendir(path);

    if (!dir)
        cannot_read("open", path);
    while (errno = 0, (entry = readdir(dir))) {
        ino_t number;
        if (queue_number(view_of(entry->d_name), &number) &&
            (split == -1 || number % CONF_SPLIT == (ino_t)split))
            visit(number, split == -1 ? IN_TODO : IN_INFO);
    }
    if (errno)
        cannot_read("read", path);
    closedir(dir);
}

/* New ones first: those that are preprocessed meanwhile are met again, not missed. */
static void visit_all(void)
{
    char path[32];

    visit_directory("todo", -1);
    if (told.count)
        qsort(told.numbers, told.count, sizeof *told.numbers, compare_numbers);
    for (int split = 0; split < CONF_SPLIT; split++) {
        snprintf(path, sizeof path, "info/%d", split);
        visit_directory(path, split);
    }
}

/* Beginning */

static void become_or_die(void)
{
    uid_t uid = identity_user_or_die(CONF_USER_SEND);
    struct identity who = {.uid = uid};

    if (geteuid() == 0) {
        who.gid = identity_group_or_die(CONF_GROUP_QMAIL);
        if (!identity_become(&who))
            die_temp("unable to become %s: %s", CONF_USER_SEND, error_text(errno));
    } else if (geteuid() != uid) {
        die_perm("must be run as root or %s", CONF_USER_SEND);
    }
}

static void read_options_or_die(char **argv)
{
    const char *value;
    switch (qctl_options_read(&state.options, argv, &value)) {
    case QCTL_FINE:
        return;
    case QCTL_NOTHING_CHOSEN:
        die_raw(DIE_PERM, "qmail-qctl: which messages? Numbers, or options that choose "
                          "them, or -a for all\n");
    case QCTL_USAGE:
        if (value)
            die_raw(DIE_PERM, "qmail-qctl: %s?\n%s", value, usage);
        die_raw(DIE_PERM, "%s", usage);
    }
}

static void enter_or_die(void)
{
    struct bytes me = {0};

    if (chdir(CONF_QMAIL) == -1)
        die_temp("unable to enter %s: %s", CONF_QMAIL, error_text(errno));
    enum control_result found = control_line("me", &me);
    state.has_rules =
        found != CONTROL_FAILED &&
        route_rules_read(&state.rules, found == CONTROL_READ ? &me : NULL);
    bytes_free(&me);
    if (chdir("queue") == -1)
        die_temp("unable to enter %s/queue: %s", CONF_QMAIL, error_text(errno));
}

int main(int argc, char **argv)
{
    (void)argc;
    die_name("qmail-qctl");
    heap_on_failure(die_of_memory);
    fd_fill_standard();
    become_or_die();
    read_options_or_die(argv);
    signals_ignore(SIGPIPE); /* qmail-send may have dropped us */
    signals_survive(SIGXFSZ);
    umask(077);
    enter_or_die();
    sandbox_enter(SANDBOX_FILES);
    state.safe = isatty(1);
    writer_open(&state.out, 1, 0);
    if (*state.options.numbers) {
        ino_t number;
        for (char **n = state.options.numbers; *n; n++)
            if (queue_number(view_of(*n), &number))
                visit(number, NAMED);
    } else {
        visit_all();
    }
    flush_or_die();
    if (state.meant == 0 && qctl_is_choosy(&state.options) && !state.failed)
        die_raw(NOT_ALL, "qmail-qctl: no message fits\n");
    return state.failed ? NOT_ALL : DONE;
}
