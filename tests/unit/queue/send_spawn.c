/* The deliveries of a message: list, commands, reports, log, marks and notes. Each
 * case is a process with qmail-send's descriptors, the spawner's part written down
 * beforehand. Tests send_spawn.c and send_job.c together, which is how they work. */
#include "queue/send.h"

#include "base/fd.h"
#include "conf.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { N = 5, OLD_S = 604800 + 100 };

#define START(id, rcpt) "starting delivery " #id ": msg 5 to local " rcpt "\n"
#define STATUS(n) "status: local " #n "/10 remote 0/20\n"
#define LONG \
    "I'm_not_going_to_try_again;_this_message_has_been_in_the_queue_too_long./\n"
#define LONG_NOTE \
    "I'm not going to try again; this message has been in the queue too long.\n"

static const struct {
    const char *name;
    struct view info, list;
    int age_s;
    struct view reports;
    struct view commands;
    const char *log;
    struct view after;  /* the list; "(absent)" */
    const char *bounce; /* NULL: none */
    const char *remove; /* a file that goes away before the reports come */
} cases[] = {
    {"success", VIEW_INIT("Fs@x\0"), VIEW_INIT("Ta@h\0"), 0, VIEW_INIT("\0Kok\n\0"),
     VIEW_INIT("\0"
               "5/5\0s@x\0a@h\0"),
     START(1, "a@h") STATUS(1) "delivery 1: success: ok/\n" STATUS(0),
     VIEW_INIT("(absent)"), NULL, NULL},
    {"deferral", VIEW_INIT("F\0"), VIEW_INIT("Ta@h\0"), 0, VIEW_INIT("\0Zlater\n\0"),
     VIEW_INIT("\0"
               "5/5\0\0a@h\0"),
     START(1, "a@h") STATUS(1) "delivery 1: deferral: later/\n" STATUS(0),
     VIEW_INIT("Ta@h\0"), NULL, NULL},
    {"failure", VIEW_INIT("Fs@x\0"), VIEW_INIT("Ta@h\0"), 0, VIEW_INIT("\0Dno 100%\0"),
     VIEW_INIT("\0"
               "5/5\0s@x\0a@h\0"),
     START(1, "a@h") STATUS(1) "delivery 1: failure: no_100_\n" STATUS(0),
     VIEW_INIT("(absent)"), "<a@h>:\nno 100%\n\n", NULL},
    {"one of each, in another order", VIEW_INIT("Fs@x\0"),
     VIEW_INIT("Ddone@h\0Ta@h\0Tb@h\0Tc@h\0"), 0,
     VIEW_INIT("\2Dno\n\0\0Kok\n\0\1Zlater\n\0"),
     VIEW_INIT("\0"
               "5/5\0s@x\0a@h\0\1"
               "5/5\0s@x\0b@h\0\2"
               "5/5\0s@x\0c@h\0"),
     START(1, "a@h") STATUS(1) START(2, "b@h") STATUS(2) START(3, "c@h")
         STATUS(3) "delivery 3: failure: no/\n" STATUS(
             2) "delivery 1: success: ok/\n" STATUS(1) "delivery 2: deferral: "
                                                       "later/\n" STATUS(0),
     VIEW_INIT("Ddone@h\0Da@h\0Tb@h\0Dc@h\0"), "<c@h>:\nno\n\n", NULL},
    {"too old: a deferral", VIEW_INIT("Fs@x\0"), VIEW_INIT("Ta@h\0"), OLD_S,
     VIEW_INIT("\0Zlater\n\0"),
     VIEW_INIT("\0"
               "5/5\0s@x\0a@h\0"),
     START(1, "a@h") STATUS(1) "delivery 1: failure: later/" LONG STATUS(0),
     VIEW_INIT("(absent)"), "<a@h>:\nlater\n" LONG_NOTE "\n", NULL},
    {"too old: without a line feed", VIEW_INIT("Fs@x\0"), VIEW_INIT("Ta@h\0"), OLD_S,
     VIEW_INIT("\0Zlater\0"),
     VIEW_INIT("\0"
               "5/5\0s@x\0a@h\0"),
     START(1, "a@h") STATUS(1) "delivery 1: failure: later" LONG STATUS(0),
     VIEW_INIT("(absent)"), "<a@h>:\nlater" LONG_NOTE "\n", NULL},
    {"too old: success", VIEW_INIT("Fs@x\0"), VIEW_INIT("Ta@h\0"), OLD_S,
     VIEW_INIT("\0Kok\0"),
     VIEW_INIT("\0"
               "5/5\0s@x\0a@h\0"),
     START(1, "a@h") STATUS(1) "delivery 1: success: ok\n" STATUS(0),
     VIEW_INIT("(absent)"), NULL, NULL},
    {"too old: mangled", VIEW_INIT("Fs@x\0"), VIEW_INIT("Ta@h\0"), OLD_S,
     VIEW_INIT("\0Xlater\0"),
     VIEW_INIT("\0"
               "5/5\0s@x\0a@h\0"),
     START(1, "a@h") STATUS(1) "delivery 1: report mangled, will defer\n" STATUS(0),
     VIEW_INIT("Ta@h\0"), NULL, NULL},
    {"mangled: empty", VIEW_INIT("Fs@x\0"), VIEW_INIT("Ta@h\0"), 0, VIEW_INIT("\0\0"),
     VIEW_INIT("\0"
               "5/5\0s@x\0a@h\0"),
     START(1, "a@h") STATUS(1) "delivery 1: report mangled, will defer\n" STATUS(0),
     VIEW_INIT("Ta@h\0"), NULL, NULL},
    {"out of range", VIEW_INIT("Fs@x\0"), VIEW_INIT("Ta@h\0"), 0,
     VIEW_INIT("\1Kok\0\12Kok\0\377\0\0Kok\0\0Kok\0"),
     VIEW_INIT("\0"
               "5/5\0s@x\0a@h\0"),
     START(1, "a@h")
         STATUS(1) "warning: internal error: delivery report out of range\n"
                   "warning: internal error: delivery report out of range\n"
                   "warning: internal error: delivery report out of range\n"
                   "delivery 1: success: ok\n" STATUS(
                       0) "warning: internal error: delivery report out of range\n",
     VIEW_INIT("(absent)"), NULL, NULL},
    {"unknown record", VIEW_INIT("Fs@x\0"), VIEW_INIT("Ta@h\0Xb@h\0Tc@h\0"), 0,
     VIEW_INIT("\0Kok\0"),
     VIEW_INIT("\0"
               "5/5\0s@x\0a@h\0"),
     START(1, "a@h") STATUS(1) "warning: unknown record type in local/5/5!\n"
                               "delivery 1: success: ok\n" STATUS(0),
     VIEW_INIT("Da@h\0Xb@h\0Tc@h\0"), NULL, NULL},
    {"empty record", VIEW_INIT("Fs@x\0"), VIEW_INIT("\0Ta@h\0"), 0, VIEW_INIT(""),
     VIEW_INIT(""), "warning: unknown record type in local/5/5!\n",
     VIEW_INIT("\0Ta@h\0"), NULL, NULL},
    {"the last record has no NUL", VIEW_INIT("Fs@x\0"), VIEW_INIT("Ta@h\0Tb@h"), 0,
     VIEW_INIT("\0Kok\0"),
     VIEW_INIT("\0"
               "5/5\0s@x\0a@h\0"),
     START(1, "a@h") STATUS(1) "delivery 1: success: ok\n" STATUS(0),
     VIEW_INIT("(absent)"), NULL, NULL},
    {"all done already", VIEW_INIT("Fs@x\0"), VIEW_INIT("Da@h\0"), 0, VIEW_INIT(""),
     VIEW_INIT(""), "", VIEW_INIT("(absent)"), NULL, NULL},
    {"info without a NUL", VIEW_INIT("Fs@x"), VIEW_INIT("Ta@h\0"), 0, VIEW_INIT(""),
     VIEW_INIT(""), "warning: trouble opening info/5/5; will try again later\n",
     VIEW_INIT("Ta@h\0"), NULL, NULL},
    {"info of another letter", VIEW_INIT("Ts@x\0"), VIEW_INIT("Ta@h\0"), 0,
     VIEW_INIT(""), VIEW_INIT(""),
     "warning: trouble opening info/5/5; will try again later\n", VIEW_INIT("Ta@h\0"),
     NULL, NULL},
    {"the list has gone", VIEW_INIT("Fs@x\0"), VIEW_INIT("Ta@h\0"), 0,
     VIEW_INIT("\0Kok\0"),
     VIEW_INIT("\0"
               "5/5\0s@x\0a@h\0"),
     START(1, "a@h") STATUS(1) "delivery 1: success: ok\n" STATUS(
         0) "warning: trouble marking local/5/5; message will be delivered twice!\n"
            "warning: unable to unlink local/5/5; will try again later\n",
     VIEW_INIT("(absent)"), NULL, "local/5/5"},
};

/* The sender of a delivery to joe@x. */
static const struct {
    const char *sender, *recipient, *want;
} senders[] = {
    {"list-@h-@[]", "joe@x", "list-joe=x@h"},
    {"a@b@h-@[]", "joe@x", "a@bjoe=x@h"},
    {"l-@-@[]", "joe@x", "l-joe=x@"},
    {"l-@[]", "joe@x", "l-@[]"},
    {"-@[]", "joe@x", "-@[]"},
    {"#@[]", "joe@x", "#@[]"},
    {"l@h", "joe@x", "l@h"},
    {"", "joe@x", ""},
    {"list-@h-@[]", "a@b@c", "list-a@b=c@h"},
    {"list-@h-@[]", "joe@", "list-joe=@h"},
    {"list-@h-@[]", "joe", "list-@h-@[]"},
};

static bool leaving;

/* Stand-ins for main's. */
bool send_is_leaving(void)
{
    return leaving;
}

void send_leave(void)
{
    leaving = true;
}

bool send_sleep(void)
{
    return !leaving;
}

static int far_command, far_report; /* the spawner's ends, of the local channel */

/* Descriptors 0 to 4 as qmail-send has them. */
static void place_descriptors(void)
{
    int pipes[4][2], high[8];

    for (int i = 0; i < 4; i++)
        if (!fd_pipe(pipes[i]))
            _exit(90);
    for (int i = 0; i < 8; i++)
        high[i] = fcntl(pipes[i / 2][i % 2], F_DUPFD_CLOEXEC, 30);
    for (int i = 0; i < 8; i++)
        close(pipes[i / 2][i % 2]);
    dup2(high[1], 1), dup2(high[2], 2); /* pipe 0: commands, pipe 1: reports */
    dup2(high[5], 3), dup2(high[6], 4);
    far_command = high[0], far_report = high[3];
    close(high[1]), close(high[2]), close(high[5]), close(high[6]);
    int log = fd_open("log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    dup2(log, 0);
    log_open(0);
    fd_nonblocking(far_command);
    if (write(far_report, "x", 1) != 1 || write(high[7], "x", 1) != 1 || !spawn_start())
        _exit(91);
    job_start();
}

static void turn(void)
{
    static struct loop l;
    loop_begin(&l);
    loop_wake_now(&l);
    spawn_wants(&l);
    if (!loop_wait(&l))
        _exit(92);
    spawn_serve(&l);
    log_flush();
}

static void save_commands(void)
{
    static char text[100000];
    size_t len = 0;
    ssize_t n;
    while ((n = read(far_command, text + len, sizeof text - len)) > 0)
        len += (size_t)n;
    make_file("commands", view_at(text, len));
}

static void make_message(struct view info, struct view list, int age_s)
{
    struct timespec born = {.tv_sec = time(NULL) - age_s};
    make_file("info/5/5", info);
    utimensat(AT_FDCWD, "info/5/5", (struct timespec[2]){born, born}, 0);
    make_file("local/5/5", list);
    unlink("bounce/5");
}

struct run {
    size_t which;
    size_t step; /* bytes of the reports that come at once */
};

static void run_case(void *arg)
{
    const struct run *run = arg;
    struct view reports = cases[run->which].reports;

    place_descriptors();
    waiting_add(CHANNEL_LOCAL, N, 0);
    turn();
    turn();
    if (cases[run->which].remove)
        unlink(cases[run->which].remove);
    while (reports.len) {
        size_t n = reports.len < run->step ? reports.len : run->step;
        if (write(far_report, reports.data, n) != (ssize_t)n)
            _exit(93);
        reports = view_from(reports, n);
        turn();
    }
    turn();
    save_commands();
    _exit(leaving ? 94 : 0);
}

static void deliveries(void)
{
    static const size_t steps[] = {1, 2, 3, 10000};
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t j = 0; j < COUNT(steps); j++) {
            const char *name = cases[i].name;
            struct run run = {i, steps[j]};
            make_message(cases[i].info, cases[i].list, cases[i].age_s);
            same_number((uint64_t)run_apart(run_case, &run, NULL), 0, name);
            same(content_of("log"), view_of(cases[i].log), name);
            same(content_of("commands"), cases[i].commands, name);
            same(content_of("local/5/5"), cases[i].after, name);
            same(content_of("bounce/5"),
                 view_of(cases[i].bounce ? cases[i].bounce : "(absent)"), name);
        }
}

static void run_sender(void *arg)
{
    (void)arg;
    place_descriptors();
    waiting_add(CHANNEL_LOCAL, N, 0);
    turn();
    save_commands();
}

static void sender_of_a_delivery(void)
{
    struct bytes info = {0}, list = {0}, want = {0};
    for (size_t i = 0; i < COUNT(senders); i++) {
        bytes_clear(&info), bytes_clear(&list), bytes_clear(&want);
        bytes_add_byte(&info, 'F');
        bytes_add_text(&info, senders[i].sender);
        bytes_add_byte(&info, '\0');
        bytes_add_byte(&list, 'T');
        bytes_add_text(&list, senders[i].recipient);
        bytes_add_byte(&list, '\0');
        bytes_add(&want, VIEW("\0"
                              "5/5\0"));
        bytes_add_text(&want, senders[i].want);
        bytes_add_byte(&want, '\0');
        bytes_add(&want, view_from(bytes_view(&list), 1));
        make_message(bytes_view(&info), bytes_view(&list), 0);
        same_number((uint64_t)run_apart(run_sender, NULL, NULL), 0, "sender");
        same(content_of("commands"), bytes_view(&want), senders[i].sender);
    }
    bytes_free(&info), bytes_free(&list), bytes_free(&want);
}

/* A report of 12000 bytes keeps its letter and 9998 others. */
static void run_long_report(void *arg)
{
    static char text[12000];
    (void)arg;
    place_descriptors();
    waiting_add(CHANNEL_LOCAL, N, 0);
    turn();
    memset(text, 'x', sizeof text);
    text[0] = '\0', text[1] = 'K', text[sizeof text - 1] = '\0';
    if (write(far_report, text, sizeof text) != (ssize_t)sizeof text)
        _exit(93);
    turn();
    turn();
}

/* The spawner goes away: at the report end, or at the command end. */
static void run_lost(void *arg)
{
    bool at_command = *(bool *)arg;
    place_descriptors();
    waiting_add(CHANNEL_LOCAL, N, 0);
    if (!at_command)
        turn();
    close(at_command ? far_command : far_report);
    turn();
    turn();
    _exit(leaving && spawn_is_idle() && !spawn_can_start(CHANNEL_LOCAL) &&
                  !spawn_can_start(CHANNEL_REMOTE)
              ? 0
              : 1);
}

/* A spawner that reads nothing: the commands of the turn stay partly written, nothing
 * else is started in its channel, and nobody waits. */
static void run_stuck(void *arg)
{
    static char drop[1 << 20];
    (void)arg;
    place_descriptors();
    waiting_add(CHANNEL_LOCAL, N, 0);
    turn();
    turn();
    turn();
    if (spawn_can_start(CHANNEL_LOCAL) || !spawn_can_start(CHANNEL_REMOTE) ||
        spawn_is_idle())
        _exit(1);
    leaving = true; /* what was accepted is still written */
    ssize_t n, all = 0;
    for (int i = 0; i < 20; i++) {
        while ((n = read(far_command, drop, sizeof drop)) > 0)
            all += n;
        turn();
    }
    if (all != 1 + 4 + 4 + 200000 + 1 + 1 + 4 + 4 + 4)
        _exit(2);
    if (write(far_report, "\0Kok\0\1Kok\0", 10) != 10)
        _exit(3);
    turn();
    _exit(spawn_is_idle() ? 0 : 4);
}

/* An order that could not be carried out at once, and has left its mark. */
static void run_marked(void *arg)
{
    (void)arg;
    place_descriptors();
    waiting_add(CHANNEL_LOCAL, N, 0);
    for (int i = 0; i < 4; i++)
        turn();
    save_commands();
}

static void others(void)
{
    make_message(VIEW("Fs@x\0"), VIEW("Ta@h\0"), 0);
    chmod("info/5/5", 0600 | QUEUE_HELD);
    same_number((uint64_t)run_apart(run_marked, NULL, NULL), 0, "held meanwhile");
    same(content_of("commands"), VIEW(""), "held meanwhile: no delivery");
    same(content_of("local/5/5"), VIEW("Ta@h\0"), "held meanwhile: it stays");
    chmod("info/5/5", 0600 | QUEUE_DELETED);
    same_number((uint64_t)run_apart(run_marked, NULL, NULL), 0, "deleted meanwhile");
    same(content_of("commands"), VIEW(""), "deleted meanwhile: no delivery");
    same(content_of("local/5/5"), VIEW("(absent)"), "deleted meanwhile: gone");
    chmod("info/5/5", 0600);
    make_message(VIEW("Fs@x\0"), VIEW("Ta@h\0"), 0);
    same_number((uint64_t)run_apart(run_long_report, NULL, NULL), 0, "long report");
    same_number(content_of("log").len,
                strlen(START(1, "a@h") STATUS(1) "delivery 1: success: \n" STATUS(0)) +
                    9998,
                "long report: cut");
    for (int i = 0; i < 2; i++) {
        bool at_command = i;
        make_message(VIEW("Fs@x\0"), VIEW("Ta@h\0"), 0);
        same_number((uint64_t)run_apart(run_lost, &at_command, NULL), 0,
                    "lost spawner");
        ok(view_ends(content_of("log"),
                     VIEW("alert: oh no! lost spawn connection! dying...\n")),
           "lost spawner", "log");
        same(content_of("local/5/5"), VIEW("Ta@h\0"), "lost spawner: not done");
    }
    struct bytes list = {0};
    bytes_add_byte(&list, 'T');
    for (int i = 0; i < 200000; i++)
        bytes_add_byte(&list, 'x');
    bytes_add(&list, VIEW("\0Tb@h\0"));
    make_message(VIEW("Fs@x\0"), bytes_view(&list), 0);
    same_number((uint64_t)run_apart(run_stuck, NULL, NULL), 0, "stuck spawner");
    bytes_free(&list);
}

int main(void)
{
    static const char *const directories[] = {"info",   "info/5",   "local",  "local/5",
                                              "remote", "remote/5", "bounce", "todo"};
    if (CONF_SPLIT <= N)
        skip_rest("conf-split is too small for the names here");
    scratch();
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < COUNT(directories); i++)
        mkdir(directories[i], 0700);
    deliveries();
    sender_of_a_delivery();
    others();
    return tap_done();
}
