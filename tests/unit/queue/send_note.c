#include "queue/send.h"

#include "base/fd.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name;
    struct view address, report, paragraph;
} cases[] = {
    {"plain", VIEW_INIT("a@h"), VIEW_INIT("no\n"), VIEW_INIT("<a@h>:\nno\n\n")},
    {"no line feed", VIEW_INIT("a@h"), VIEW_INIT("no"), VIEW_INIT("<a@h>:\nno\n\n")},
    {"empty", VIEW_INIT("a@h"), VIEW_INIT(""), VIEW_INIT("<a@h>:\n\n")},
    {"empty line inside", VIEW_INIT("a@h"), VIEW_INIT("one\n\ntwo\n"),
     VIEW_INIT("<a@h>:\none\n/two\n\n")},
    {"empty line first", VIEW_INIT("a@h"), VIEW_INIT("\nfirst\n"),
     VIEW_INIT("<a@h>:\n/first\n\n")},
    {"line feed alone", VIEW_INIT("a@h"), VIEW_INIT("\n"), VIEW_INIT("<a@h>:\n\n\n")},
    {"empty line last", VIEW_INIT("a@h"), VIEW_INIT("one\n\n"),
     VIEW_INIT("<a@h>:\none\n\n\n")},
    {"many empty lines", VIEW_INIT("a@h"), VIEW_INIT("a\n\n\n\nb"),
     VIEW_INIT("<a@h>:\na\n///b\n\n")},
    {"line feeds alone", VIEW_INIT("a@h"), VIEW_INIT("\n\n\n"),
     VIEW_INIT("<a@h>:\n//\n\n")},
    {"line feed in the address", VIEW_INIT("a\nb\n\n@h"), VIEW_INIT("no\n"),
     VIEW_INIT("<a_b__@h>:\nno\n\n")},
    {"no address", VIEW_INIT(""), VIEW_INIT("x"), VIEW_INIT("<>:\nx\n\n")},
    {"any bytes", VIEW_INIT("\xff\0<>"), VIEW_INIT("\0\r\xff"),
     VIEW_INIT("<\xff\0<>>:\n\0\r\xff\n\n")},
};

static unsigned sleeps, leave_after;
static void (*meanwhile)(void);

/* Stand-ins for main's. */
bool send_is_leaving(void)
{
    return leave_after && sleeps >= leave_after;
}

void send_leave(void)
{
}

bool send_sleep(void)
{
    log_flush();
    sleeps++;
    if (meanwhile)
        meanwhile();
    return !send_is_leaving();
}

static void allow_descriptors(void)
{
    if (sleeps == 2)
        setrlimit(RLIMIT_NOFILE, &(struct rlimit){100, 100});
}

static void allow_size(void)
{
    if (sleeps == 2)
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
}

static void make_directory(void)
{
    mkdir("bounce", 0700);
}

#define ALERT "alert: unable to append to bounce message; HELP! sleeping...\n"

static bool write_one(void)
{
    return note_write(7, VIEW("joe-a@v.test"), VIEW("no\n"));
}

/* Trouble that passes: it sleeps, tries again, and nothing is there twice. */
static void descriptors_are_short(void *arg)
{
    (void)arg;
    meanwhile = allow_descriptors;
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){3, 100});
    _exit(write_one() && sleeps == 2 ? 0 : 1);
}

static void disk_is_full(void *arg)
{
    struct stat st;
    meanwhile = allow_size;
    signal(SIGXFSZ, SIG_IGN);
    /* room for a part of the next paragraph */
    rlim_t size = stat("bounce/7", &st) == 0 ? (rlim_t)st.st_size + 5 : 5;
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){size, RLIM_INFINITY});
    (void)arg;
    _exit(write_one() && sleeps == 2 ? 0 : 1);
}

static void directory_is_missing(void *arg)
{
    (void)arg;
    rmdir("bounce");
    meanwhile = make_directory;
    _exit(write_one() && sleeps == 1 ? 0 : 1);
}

/* Trouble that stays: TERM ends it, and the recipient stays undone. */
static void left(void *arg)
{
    (void)arg;
    leave_after = 3;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){5, RLIM_INFINITY});
    _exit(!write_one() && sleeps == 3 ? 0 : 1);
}

static void writing(void)
{
    static const struct view one = VIEW_INIT("<a@v.test>:\nno\n\n");
    struct bytes log = {0};
    struct stat st;

    umask(077);
    mkdir("bounce", 0700);
    mkdir("control", 0755);
    make_file("control/virtualdomains", VIEW("v.test:joe\n"));
    control_read_map("virtualdomains", &controls.rules.virtualdomains);
    log_open(1);
    ok(write_one(), "new file", NULL);
    same(content_of("bounce/7"), one, "new file, prefix removed");
    ok(stat("bounce/7", &st) == 0 && (st.st_mode & 07777) == 0600, "new file", "mode");
    ok(note_write(7, VIEW("b@h"), VIEW("two\n")), "second paragraph", NULL);
    same(content_of("bounce/7"), VIEW("<a@v.test>:\nno\n\n<b@h>:\ntwo\n\n"),
         "second paragraph");
    make_file("bounce/7", VIEW("<a@v.te"));
    ok(write_one(), "behind half a paragraph", NULL);
    same(content_of("bounce/7"), VIEW("<a@v.te\n\n<a@v.test>:\nno\n\n"),
         "behind half a paragraph");
    make_file("bounce/7", VIEW("<a@v.test>:\nno\n"));
    ok(write_one(), "behind all but its end", NULL);
    same(content_of("bounce/7"), VIEW("<a@v.test>:\nno\n\n<a@v.test>:\nno\n\n"),
         "behind all but its end");

    unlink("bounce/7");
    same_number((uint64_t)run_apart(descriptors_are_short, NULL, &log), 0,
                "no descriptors");
    same(bytes_view(&log), VIEW(ALERT ALERT), "no descriptors: log");
    same(content_of("bounce/7"), one, "no descriptors: then written");
    bytes_clear(&log);
    same_number((uint64_t)run_apart(disk_is_full, NULL, &log), 0, "full disk");
    same(bytes_view(&log), VIEW(ALERT ALERT), "full disk: log");
    same(content_of("bounce/7"), VIEW("<a@v.test>:\nno\n\n<a@v.test>:\nno\n\n"),
         "full disk: then written once");
    unlink("bounce/7");
    bytes_clear(&log);
    same_number((uint64_t)run_apart(directory_is_missing, NULL, &log), 0,
                "no directory");
    same(content_of("bounce/7"), one, "no directory: then written");
    unlink("bounce/7");
    same_number((uint64_t)run_apart(left, NULL, NULL), 0,
                "TERM while the disk is full");
    same(content_of("bounce/7"), VIEW(""), "TERM: nothing half-written");
    bytes_free(&log);
}

int main(void)
{
    struct bytes out = {0};
    scratch();
    for (size_t i = 0; i < COUNT(cases); i++) {
        bytes_set(&out, VIEW("before\n"));
        note_paragraph(&out, cases[i].address, cases[i].report);
        same(view_from(bytes_view(&out), 7), cases[i].paragraph, cases[i].name);
    }
    bytes_free(&out);
    writing();
    return tap_done();
}
