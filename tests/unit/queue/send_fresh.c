/* New messages: when their files are synced, when qmail-clean is asked, who is told of
 * whom. Each case is a process, in which time goes by when it is told to. */
#include "queue/send.h"

#include "base/clock.h"
#include "base/fd.h"
#include "conf.h"
#include "mail/queue_dir.h"

#include "fault.h"
#include "queue_dirs.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ASKED_MAX = 200, RETRY_MS = SEND_RETRY_S * 1000 };

static int64_t now_ms = 1000000;
static bool leaving, scanned;
static struct bytes events, logged;
static struct {
    ino_t message;
    clean_done *done;
} asked[ASKED_MAX];
static size_t asked_count;

/* Stand-ins for the other parts, which write down what they are told. */

const char *const send_trees[SEND_FILES] = {"local", "remote", "info"};

int64_t clock_steady_ms(void)
{
    return now_ms;
}

int64_t clock_now(void)
{
    return now_ms / 1000;
}

int64_t clock_now_us(void)
{
    return now_ms * 1000;
}

bool send_is_leaving(void)
{
    return leaving;
}

bool todo_is_scanned(void)
{
    return scanned;
}

void waiting_add(enum channel c, ino_t message, int64_t due)
{
    bytes_add_format(&events, "%s %ju%s", send_trees[c], (uintmax_t)message,
                     due == clock_now() ? " " : ", at another time ");
}

void finish_add(ino_t message)
{
    bytes_add_format(&events, "end %ju ", (uintmax_t)message);
}

void clean_request(const char *verb, ino_t message, unsigned detail, clean_done *done)
{
    (void)detail;
    bytes_add_format(&events, "%s %ju ", verb, (uintmax_t)message);
    if (asked_count == ASKED_MAX)
        abort();
    asked[asked_count].message = message;
    asked[asked_count++].done = done;
}

void log_line(const char *format, ...)
{
    char text[200];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    bytes_add_text(&logged, text);
    bytes_add_byte(&logged, '\n');
}

/* qmail-clean's answer to what it has been asked first. */
static void answer_nth(size_t i, bool gone)
{
    ino_t message = asked[i].message;
    clean_done *done = asked[i].done;
    asked_count--;
    memmove(&asked[i], &asked[i + 1], (asked_count - i) * sizeof asked[0]);
    done(message, 0, gone);
}

static void answer(bool gone)
{
    if (!asked_count)
        abort();
    answer_nth(0, gone);
}

/* What has happened since it was asked last. */
static void happened(const char *want, const char *name)
{
    same(bytes_view(&events), view_of(want), name);
    bytes_clear(&events);
}

static void said(const char *want, const char *name)
{
    same(bytes_view(&logged), view_of(want), name);
    bytes_clear(&logged);
}

static void turn(int64_t later_ms)
{
    now_ms += later_ms;
    fresh_serve();
}

static void turn_of_trouble(int64_t later_ms, const char *call, int nth)
{
    fault_at(call, nth, EIO);
    turn(later_ms);
    fault_end();
}

/* In how many milliseconds it is to be woken; -1: never. */
static int64_t wake_in(void)
{
    static struct loop l;
    loop_begin(&l);
    fresh_wants(&l);
    return l.wake_ms == INT64_MAX ? -1 : l.wake_ms <= now_ms ? 0 : l.wake_ms - now_ms;
}

/* The message as send_todo.c writes it: lists is made of 'l' and 'r'. */
static void add(ino_t message, const char *lists, bool single)
{
    int fds[SEND_FILES] = {-1, -1, -1};
    for (int i = 0; i < SEND_FILES; i++) {
        const char *path = queue_split_path(send_trees[i], message).text;
        if (i != SEND_INFO && !strchr(lists, send_trees[i][0]))
            continue;
        make_file(path, i == SEND_INFO ? VIEW("Fs@h\0") : VIEW("Tr@h\0"));
        fds[i] = fd_open(path, O_WRONLY, 0);
    }
    fchmod(fds[SEND_INFO], QUEUE_UNSYNCED_MODE);
    fresh_add(message, fds, single);
}

static bool is_synced(ino_t message)
{
    struct stat st = {0};
    stat(queue_split_path("info", message).text, &st);
    return (st.st_mode & 07777) == QUEUE_UNMARKED_MODE;
}

static void end_lists(ino_t message)
{
    unlink(queue_split_path("local", message).text);
    unlink(queue_split_path("remote", message).text);
}

/* Messages for one recipient */

static void slow(void)
{
    same_number((uint64_t)wake_in(), (uint64_t)-1, "nothing: never to wake");
    add(5, "l", true);
    happened("local 5 ", "slow: is tried at once");
    ok(fresh_has(5) && !fresh_has(6) && !fresh_is_idle(), "slow", "known");
    same_number((uint64_t)wake_in(), 200, "slow: when to wake");
    turn(199);
    ok(!is_synced(5), "slow", "not synced before its time");
    happened("", "slow: not asked before its time");
    turn(1);
    ok(is_synced(5) && fresh_is_idle(), "slow", "synced");
    happened("todo 5 ", "slow: qmail-clean is asked");
    same_number((uint64_t)wake_in(), (uint64_t)-1, "slow: never to wake again");
    turn(RETRY_MS);
    happened("", "slow: asked once");
    answer(true);
    happened("", "slow: its channel knows already");
    ok(!fresh_has(5), "slow", "forgotten");
}

static void quick(void)
{
    add(5, "r", true);
    happened("remote 5 ", "quick: is tried at once");
    end_lists(5);
    ok(fresh_over(5), "quick", "over");
    happened("todo 5 ", "quick: qmail-clean is asked");
    ok(!is_synced(5) && fresh_is_idle(), "quick", "nothing is synced");
    ok(fresh_over(5), "quick", "over again");
    turn(1000);
    happened("", "quick: asked once");
    answer(true);
    happened("end 5 ", "quick: told when its entry is gone");
    ok(!fresh_over(5) && !fresh_over(6), "quick", "no business of ours");
}

static void bounced(void)
{
    add(5, "l", true);
    end_lists(5);
    make_file("bounce/5", VIEW("<r@h>:\nno\n\n"));
    happened("local 5 ", "bounced: is tried at once");
    ok(fresh_over(5), "bounced", "over");
    happened("", "bounced: first things first");
    same_number((uint64_t)wake_in(), 0, "bounced: to wake at once");
    turn(0);
    ok(is_synced(5), "bounced", "synced");
    happened("todo 5 ", "bounced: qmail-clean is asked");
    answer(true);
    happened("end 5 ", "bounced: told when its entry is gone");
}

static void over_late(void)
{
    add(5, "l", true);
    turn(200);
    end_lists(5);
    happened("local 5 todo 5 ", "over late: asked");
    ok(fresh_over(5), "over late", "over");
    happened("", "over late: asked once");
    answer(true);
    happened("end 5 ", "over late: told when its entry is gone");
}

/* Messages for several */

static void several(void)
{
    add(5, "lr", false);
    ok(fresh_is_idle(), "several", "nobody is tried");
    turn(99);
    happened("", "several: wait");
    turn(1);
    ok(is_synced(5), "several", "synced");
    happened("todo 5 ", "several: qmail-clean is asked");
    answer(true);
    happened("local 5 remote 5 ", "several: are tried when its entry is gone");

    add(6, "r", false);
    fresh_end_scan();
    same_number((uint64_t)wake_in(), 0, "no more comes: to wake at once");
    turn(0);
    ok(is_synced(6), "no more comes", "synced");
    happened("todo 6 ", "no more comes: qmail-clean is asked");
    answer(true);
    happened("remote 6 ", "no more comes: are tried");

    add(7, "", false);
    turn(100);
    answer(true);
    happened("todo 7 end 7 ", "nobody: ends");
}

/* One commit of the journal is for all that wait, but for what has come just now and
 * may be over in a moment. What has been asked for ends no batch. */
static void together(void)
{
    add(5, "l", true);
    turn(110);
    add(6, "lr", false);
    add(7, "l", true);
    add(8, "l", true);
    end_lists(8);
    fresh_over(8);
    turn(0);
    turn(80);
    ok(!is_synced(5) && !is_synced(6), "together", "not yet");
    turn(10);
    ok(is_synced(5) && is_synced(6), "together", "synced");
    ok(!is_synced(7) && !is_synced(8), "together", "what is new is not");
    turn(110);
    ok(is_synced(7) && !is_synced(8), "together", "but in its time");
}

/* Trouble */

static void not_synced(void)
{
    add(5, "l", true);
    add(6, "r", false);
    struct stat born = {0};
    stat("info/5/5", &born);
    bytes_clear(&events);
    turn_of_trouble(200, "fsync", 0);
    ok(view_has(bytes_view(&logged), '5') && view_has(bytes_view(&logged), '6'),
       "not synced", "logged");
    bytes_clear(&logged);
    happened("", "not synced: nothing is asked");
    ok(fresh_has(5) && !is_synced(5), "not synced",
       "one who is tried is not read again");
    ok(!fresh_has(6), "not synced", "others are");
    ok(fresh_is_idle() && !fresh_is_full(), "not synced", "idle");
    same_number((uint64_t)wake_in(), RETRY_MS, "not synced: when to wake");
    turn(RETRY_MS - 1);
    happened("", "not synced: not again before its time");
    turn_of_trouble(1, "pwrite", 0);
    said("warning: trouble writing to local/5/5\n", "not written again: logged");
    turn(RETRY_MS);
    ok(is_synced(5), "not synced", "written again, and synced");
    happened("todo 5 ", "not synced: qmail-clean is asked at last");
    same(content_of("local/5/5"), VIEW("Tr@h\0"), "not synced: list");
    same(content_of("info/5/5"), VIEW("Fs@h\0"), "not synced: info");
    struct stat now = {0};
    stat("info/5/5", &now);
    ok(now.st_mtim.tv_sec == born.st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == born.st_mtim.tv_nsec,
       "not synced", "no younger");
    said("", "not synced: nothing more to log");
}

/* What the cache has dropped is not taken from the disk for what was written: the entry
 * in todo/ is all that is left of it then. */
static void not_synced_lost(void)
{
    static const struct {
        const char *name, *path, *warning;
        struct view text;
    } lost[] = {
        {"zeros", "local/5/5", "warning: trouble reading local/5/5\n",
         VIEW_INIT("\0\0\0\0\0")},
        {"nothing", "local/5/5", "warning: trouble reading local/5/5\n", VIEW_INIT("")},
        {"no end", "local/5/5", "warning: trouble reading local/5/5\n",
         VIEW_INIT("Tr@h?")},
        {"two", "local/5/5", "warning: trouble reading local/5/5\n",
         VIEW_INIT("Tr\0T\0")},
        {"another's", "info/5/5", "warning: trouble reading info/5/5\n",
         VIEW_INIT("Tr@h\0")},
    };
    add(5, "l", true);
    turn_of_trouble(200, "fsync", 0);
    bytes_clear(&events);
    for (size_t i = 0; i < COUNT(lost); i++) {
        struct bytes before = {0};
        bytes_set(&before, content_of(lost[i].path));
        make_file(lost[i].path, lost[i].text);
        bytes_clear(&logged);
        turn(RETRY_MS);
        said(lost[i].warning, lost[i].name);
        happened("", lost[i].name);
        ok(fresh_has(5), lost[i].name, "not read again while it is tried");
        make_file(lost[i].path, bytes_view(&before));
        bytes_free(&before);
    }
    turn(RETRY_MS);
    happened("todo 5 ", "what is there again is synced");
}

static void not_synced_over(void)
{
    add(5, "l", true);
    turn_of_trouble(200, "fsync", 0);
    end_lists(5);
    bytes_clear(&events);
    ok(fresh_over(5), "trouble, then over", NULL);
    happened("todo 5 ", "trouble, then over: nothing has to be synced");
    answer(true);
    happened("end 5 ", "trouble, then over: ends");

    add(6, "l", true);
    turn_of_trouble(200, "fsync", 0);
    end_lists(6);
    make_file("bounce/6", VIEW("<r@h>:\nno\n\n"));
    bytes_clear(&events);
    ok(fresh_over(6), "trouble, then a bounce", NULL);
    happened("", "trouble, then a bounce: waits");
    bytes_clear(&logged);
    turn(RETRY_MS);
    ok(is_synced(6), "trouble, then a bounce", "info alone is written again");
    happened("todo 6 ", "trouble, then a bounce: asked");
    said("", "trouble, then a bounce: nothing to log");
    unlink("bounce/6");
}

/* A directory serves all in it. */
static void directory_not_synced(void)
{
    add(5, "l", true);
    add(5 + CONF_SPLIT, "l", true);
    add(6, "r", true);
    bytes_clear(&events);
    turn_of_trouble(200, "fsync", 2); /* behind a file of the first: local/S */
    ok(!is_synced(5) == !is_synced(5 + CONF_SPLIT) && asked_count > 0 &&
           view_ends(bytes_view(&logged), VIEW("\n")) &&
           view_starts(bytes_view(&logged),
                       VIEW("warning: trouble fsyncing local/5\n")),
       "directory", "trouble of all in it");
    ok(!is_synced(5) && is_synced(6), "directory", "and of no other");
    happened("todo 6 ", "directory: what was asked");
    turn(RETRY_MS);
    ok(is_synced(5) && is_synced(5 + CONF_SPLIT), "directory", "again");
    same_number(asked_count, 3, "directory: all are asked for");
}

static void refused(void)
{
    add(5, "l", true);
    add(6, "l", false);
    turn(200);
    while (asked_count)
        answer(false);
    bytes_clear(&events);
    ok(fresh_has(5), "refused", "one who was tried is not read again");
    ok(!fresh_has(6), "refused", "others are");
    same_number((uint64_t)wake_in(), RETRY_MS, "refused: when to wake");
    end_lists(5);
    ok(fresh_over(5), "refused", "over");
    turn(RETRY_MS - 1);
    happened("", "refused: not asked again before its time");
    turn(1);
    happened("todo 5 ", "refused: asked again");
    answer(false);
    turn(RETRY_MS);
    answer(true);
    happened("todo 5 end 5 ", "refused twice: ends at last");
    ok(!fresh_has(5), "refused twice", "forgotten");
}

/* Scans, limits, TERM */

static void scanning(void)
{
    scanned = true;
    add(5, "l", true);
    add(6, "l", false);
    turn(200);
    bytes_clear(&events);
    bool first = asked[0].message == 5;
    answer_nth(first ? 0 : 1, true);
    answer(false);
    happened("", "while scanning: one is known, the other is not");
    ok(fresh_has(5) && fresh_has(6), "while scanning", "neither is read again");
    ok(!fresh_over(5), "while scanning", "it may end");
    same_number((uint64_t)wake_in(), (uint64_t)-1, "while scanning: never to wake");
    fresh_end_scan();
    ok(!fresh_has(5) && !fresh_has(6), "scanned", "a later one may read them");
}

static void full(void)
{
    ino_t n = 1;
    fresh_start();
    for (; !fresh_is_full() && n < 1000; n++)
        add(n, n % 2 ? "lr" : "l", n % 2 == 0);
    same_number(n - 1, 64, "full");
    turn(0);
    ok(!fresh_is_full() && asked_count == 64, "full", "all are synced at once");
    struct rlimit limit = {.rlim_cur = 110, .rlim_max = 1024};
    setrlimit(RLIMIT_NOFILE, &limit);
    fresh_start();
    for (n = 101; !fresh_is_full() && n < 1000; n++)
        add(n, "lr", false);
    same_number(n - 101, 3, "few descriptors");
    turn(0);
    limit.rlim_cur = 50;
    setrlimit(RLIMIT_NOFILE, &limit);
    fresh_start();
    add(201, "lr", false);
    ok(fresh_is_full(), "fewer descriptors", "one at a time");
}

static void going(void)
{
    add(5, "l", true);
    add(6, "l", false);
    bytes_clear(&events);
    leaving = true;
    same_number((uint64_t)wake_in(), 0, "leaving: at once");
    turn(0);
    ok(is_synced(5) && !is_synced(6), "leaving", "what has been tried is synced");
    happened("todo 5 ", "leaving: asked");
    ok(fresh_is_idle(), "leaving", "idle");
    turn(200);
    happened("", "leaving: the rest stays in todo");
    same_number((uint64_t)wake_in(), (uint64_t)-1, "leaving: never to wake");
}

static void going_in_trouble(void)
{
    add(5, "l", true);
    bytes_clear(&events);
    leaving = true;
    turn_of_trouble(0, "fsync", 0);
    ok(fresh_is_idle(), "leaving, in trouble", "idle");
    turn(RETRY_MS);
    happened("", "leaving, in trouble: not again");
    add(6, "l", true);
    turn(0);
    answer(false);
    bytes_clear(&events);
    turn(RETRY_MS);
    happened("", "leaving, refused: not again");
}

/* The table, against one with a place for each number */

enum { NUMBERS = 3000 };
static const int no_files[SEND_FILES] = {-1, -1, -1};

static void end_table_scan(bool known[], bool gone[])
{
    scanned = false;
    fresh_end_scan();
    for (ino_t n = 0; n < NUMBERS; n++) {
        known[n] &= !gone[n];
        gone[n] = false;
    }
    fresh_serve();
}

static void table(void)
{
    static bool known[NUMBERS], gone[NUMBERS];
    unsigned wrong = 0;
    fresh_start();
    srand(1);
    for (int i = 0; i < 60000; i++) {
        ino_t n = (ino_t)rand() % NUMBERS;
        int what = rand() % 8;
        if (what < 4 && !known[n] && asked_count < ASKED_MAX / 2) {
            fresh_add(n, no_files, false);
            known[n] = true;
            if (fresh_is_full())
                fresh_serve();
        } else if (what < 7 && asked_count) {
            size_t at = (size_t)rand() % asked_count;
            ino_t message = asked[at].message;
            known[message] = gone[message] = scanned;
            answer_nth(at, rand() % 4);
        } else if (rand() % 40 == 0) {
            scanned = !scanned;
            if (!scanned)
                end_table_scan(known, gone);
        }
        if (i % 100 == 0)
            for (n = 0; n < NUMBERS; n++)
                wrong += fresh_has(n) != known[n];
    }
    same_number(wrong, 0, "table");
    bytes_clear(&events);
}

/* The fourth message before came less than a second ago. */
static void stream(void)
{
    enum { MESSAGES = 12 };
    static const struct {
        const char *what;
        int64_t gap_ms;
        unsigned stream; /* of the twelve messages */
    } cases[] = {
        {"all at once", 0, 8},
        {"one in 249 ms", 249, 8},
        {"one in 250 ms", 250, 0},
        {"one in a minute", 60000, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned n = 0;
        now_ms += 1000;
        for (int m = 0; m < MESSAGES; m++) {
            n += fresh_comes_in_stream();
            now_ms += cases[i].gap_ms;
        }
        same_number(n, cases[i].stream, cases[i].what);
    }
}

/* Four come at once: whether the next is one of a stream. */
static bool streams(void)
{
    for (int i = 0; i < 4; i++)
        fresh_comes_in_stream();
    return fresh_comes_in_stream();
}

/* Whose entries in todo/ stay would all be delivered again by the next qmail-send. */
static void entries_stay(void)
{
    enum { MOST = 128 };
    ok(streams(), "entries", "none");
    add(5, "l", true);
    turn(200);
    ok(streams(), "entries", "one is being removed");
    answer(false);
    ok(!streams(), "entries", "one cannot be removed");
    turn(RETRY_MS);
    ok(streams(), "entries", "it is tried again");
    answer(true);

    add(6, "l", true);
    turn_of_trouble(200, "fsync", 0);
    ok(!streams(), "entries", "one cannot be synced");
    turn(RETRY_MS);
    ok(streams(), "entries", "it can");
    answer(true);

    for (ino_t n = 1; n < MOST; n++) {
        fresh_add(n, no_files, true);
        if (fresh_is_full())
            fresh_serve();
    }
    ok(streams(), "entries", "few");
    fresh_add(MOST, no_files, true);
    ok(!streams(), "entries", "many");
    turn(200);
    ok(!streams(), "entries", "they are being removed");
    scanned = true;
    while (asked_count)
        answer(true);
    ok(fresh_has(MOST) && streams(), "entries", "they are gone");
}

/* Everything is forgotten by the next case: nothing is left of this one. */
static void play(void (*one)(void))
{
    fresh_start();
    one();
    leaving = scanned = false;
    for (int i = 0; i < 4; i++) { /* whatever it has left ends */
        turn(RETRY_MS);
        while (asked_count)
            answer(true);
    }
    fresh_end_scan();
    turn(0);
    bytes_clear(&events);
    bytes_clear(&logged);
    unlink("bounce/5");
}

int main(void)
{
    static void (*const cases[])(void) = {
        stream,
        slow,
        quick,
        bounced,
        over_late,
        several,
        together,
        not_synced,
        not_synced_lost,
        not_synced_over,
        directory_not_synced,
        refused,
        scanning,
        going,
        going_in_trouble,
        table,
        full,
        entries_stay,
    };
    scratch_queue(10);
    for (size_t i = 0; i < COUNT(cases); i++)
        play(cases[i]);
    return tap_done();
}
