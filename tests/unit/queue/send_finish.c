/* The end of messages: send_finish.c with the bounces, qmail-clean and the sweep. Each
 * case is a process with qmail-send's descriptors to the log and to qmail-clean. */
#include "queue/send.h"

#include "base/clock.h"
#include "base/fd.h"
#include "conf.h"
#include "mail/queue_dir.h"

#include "queue_dirs.h"
#include "tap.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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

static int far_request, far_answer; /* qmail-clean's ends */
static struct loop l;

static void place_descriptors(void)
{
    int requests[2], answers[2];

    if (!fd_pipe(requests) || !fd_pipe(answers))
        _exit(90);
    far_request = fcntl(requests[0], F_DUPFD_CLOEXEC, 30);
    far_answer = fcntl(answers[1], F_DUPFD_CLOEXEC, 30);
    int near_request = fcntl(requests[1], F_DUPFD_CLOEXEC, 30);
    int near_answer = fcntl(answers[0], F_DUPFD_CLOEXEC, 30);
    for (int i = 0; i < 2; i++)
        close(requests[i]), close(answers[i]);
    dup2(near_request, 5), dup2(near_answer, 6);
    close(near_request), close(near_answer);
    fd_nonblocking(far_request);
    int log = fd_open("log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    dup2(log, 0);
    log_open(0);
    clean_start();
}

static void turn(void)
{
    loop_begin(&l);
    loop_wake_at(&l, clock_steady_ms() + 20);
    finish_wants(&l);
    bounce_wants(&l);
    clean_wants(&l);
    sweep_wants(&l);
    if (!loop_wait(&l))
        _exit(92);
    waiting_serve();
    clean_serve(&l);
    bounce_serve(&l);
    finish_serve();
    sweep_serve();
}

/* What qmail-clean was asked, with '|' for NUL. */
static void save_requests(void)
{
    char text[4096];
    ssize_t n = read(far_request, text, sizeof text);
    for (ssize_t i = 0; i < n; i++)
        text[i] = text[i] ? text[i] : '|';
    make_file("requests", view_at(text, n > 0 ? (size_t)n : 0));
}

static void make_message(ino_t n, const char *bounce)
{
    make_file(queue_split_path("info", n).text, VIEW("Fs@x\0"));
    make_file(queue_split_path("mess", n).text, VIEW("Subject: x\n\nx\n"));
    if (bounce)
        make_file(queue_flat_path("bounce", n).text, view_of(bounce));
}

/* What is said late of a number's last owner does not end the next one, which is being
 * tried while its files are not synced. */
static void number_again(void *arg)
{
    int fds[SEND_FILES] = {fd_open("local/5/5", O_WRONLY, 0), -1,
                           fd_open("info/5/5", O_WRONLY, 0)};
    (void)arg;
    place_descriptors();
    fchmod(fds[SEND_INFO], QUEUE_UNSYNCED_MODE);
    fresh_add(5, fds, true);
    finish_add(5);
    for (int i = 0; i < 3; i++)
        turn();
    clean_flush();
    save_requests();
    if (!fresh_has(5) || fresh_is_idle())
        _exit(93);
}

/* Message 5 gets the number of its inode, as qmail-queue would have named it. */
static ino_t numbered(void)
{
    struct stat st = {0};
    stat("mess/5/5", &st);
    rename("mess/5/5", queue_split_path("mess", st.st_ino).text);
    rename("info/5/5", queue_split_path("info", st.st_ino).text);
    return st.st_ino;
}

static struct view request_of(ino_t n)
{
    static char text[64];
    snprintf(text, sizeof text, "foop/%ju|", (uintmax_t)n);
    return view_of(text);
}

static void plain(void *arg)
{
    (void)arg;
    place_descriptors();
    finish_add(5);
    for (int i = 0; i < 5; i++)
        turn();
    save_requests();
}

/* A message that has ended, in the eyes of the sweep: long unused, no info, no todo.
 * One request is enough; the number may have a new owner when a second one comes. */
static void ended_while_sweeping(void *arg)
{
    struct timespec old = {.tv_sec = time(NULL) - 200000};
    ino_t n = *(ino_t *)arg;
    utimensat(AT_FDCWD, queue_split_path("mess", n).text,
              (struct timespec[2]){old, old}, 0);
    place_descriptors();
    finish_add(n);
    for (int i = 0; i < 60; i++)
        turn();
    save_requests();
}

static void abandoned(void *arg)
{
    struct timespec old = {.tv_sec = time(NULL) - 129601};
    struct timespec young = {.tv_sec = time(NULL) - 129590};
    ino_t n = *(ino_t *)arg;
    utimensat(AT_FDCWD, queue_split_path("mess", n).text,
              (struct timespec[2]){old, old}, 0);
    /* read or written not so long ago, still known, not yet known, of a copied queue */
    utimensat(AT_FDCWD, "mess/6/6", (struct timespec[2]){young, old}, 0);
    utimensat(AT_FDCWD, "mess/7/7", (struct timespec[2]){old, young}, 0);
    utimensat(AT_FDCWD, "mess/8/8", (struct timespec[2]){old, old}, 0);
    utimensat(AT_FDCWD, "mess/9/9", (struct timespec[2]){old, old}, 0);
    utimensat(AT_FDCWD, "mess/10/10", (struct timespec[2]){old, old}, 0);
    unlink(queue_split_path("info", n).text), unlink("info/10/10");
    unlink("info/6/6"), unlink("info/7/7"), unlink("info/9/9");
    make_file("todo/9", VIEW(""));
    place_descriptors();
    for (int i = 0; i < 60; i++)
        turn();
    save_requests();
    unlink("todo/9");
}

static void bounces(void *arg)
{
    int messages = *(int *)arg;
    place_descriptors();
    for (int i = 0; i < messages; i++)
        finish_add((ino_t)(5 + i));
    finish_add(5); /* a second time, as after a failed look at it */
    int64_t end = clock_steady_ms() + 10000;
    do
        turn();
    while ((!bounce_is_idle() || clock_steady_ms() < end - 9500) &&
           clock_steady_ms() < end);
    save_requests();
}

/* The program hangs: messages without a bounce end all the same. */
static void slow_program(void *arg)
{
    (void)arg;
    place_descriptors();
    for (ino_t n = 5; n < 5 + 12; n++)
        finish_add(n);
    finish_add(30);
    for (int i = 0; i < 10; i++)
        turn();
    save_requests();
}

/* More than there was room for at first. */
static void many(void *arg)
{
    (void)arg;
    place_descriptors();
    for (ino_t n = 5; n < 5 + 100; n++)
        finish_add(n);
    for (int i = 0; i < 40; i++)
        turn();
}

static unsigned count(struct view text, const char *line)
{
    unsigned n = 0;
    while (text.len)
        n += view_is(view_cut(&text, '\n'), line);
    return n;
}

int main(void)
{
    char path[300], script[400];
    int one = 1, twelve = 12;

    scratch_queue(11);
    signal(SIGPIPE, SIG_IGN);
    if (!getcwd(path, sizeof path - 10))
        skip_rest("no directory");
    strcat(path, "/script");
    setenv("QMAILQUEUE", path, 1);
    bytes_set(&controls.bounce_host, VIEW("h"));

    make_message(5, NULL);
    same_number((uint64_t)run_apart(plain, NULL, NULL), 0, "no bounce");
    same(content_of("log"), VIEW("end msg 5\n"), "no bounce: log");
    same(content_of("requests"), VIEW("foop/5|"), "no bounce: request");
    same(content_of("info/5/5"), VIEW("(absent)"), "no bounce: info");

    same_number((uint64_t)run_apart(many, NULL, NULL), 0, "many");

    make_message(5, "");
    same_number((uint64_t)run_apart(plain, NULL, NULL), 0,
                "a note that was not written");
    same(content_of("log"), VIEW("end msg 5\n"), "a note that was not written: log");
    same(content_of("bounce/5"), VIEW("(absent)"), "a note that was not written: gone");

    make_message(5, NULL);
    make_file("local/5/5", VIEW("Ta@h\0"));
    same_number((uint64_t)run_apart(plain, NULL, NULL), 0, "not finished");
    same(content_of("log"), VIEW(""), "not finished: log");
    unlink("local/5/5");

    make_file("local/5/5", VIEW("Ta@h\0"));
    same_number((uint64_t)run_apart(number_again, NULL, NULL), 0, "number again");
    same(content_of("requests"), VIEW(""), "number again: nothing is asked for");
    same(content_of("log"), VIEW(""), "number again: log");
    unlink("local/5/5");

    ino_t number = numbered();
    same_number((uint64_t)run_apart(ended_while_sweeping, &number, NULL), 0, "swept");
    same(content_of("requests"), request_of(number), "swept: one request");
    unlink(queue_split_path("mess", number).text);

    for (ino_t n = 5; n < 11; n++)
        make_message(n, NULL);
    number = numbered();
    same_number((uint64_t)run_apart(abandoned, &number, NULL), 0, "abandoned");
    same(content_of("requests"), request_of(number), "abandoned: only what is old");
    unlink(queue_split_path("mess", number).text);
    for (ino_t n = 6; n < 11; n++)
        unlink(queue_split_path("mess", n).text),
            unlink(queue_split_path("info", n).text);

    /* bounces go to a program in HOME, which may not be there: then it is not run */
    snprintf(script, sizeof script,
             "#!/bin/sh\ncat >/dev/null; cat <&1 >%s.out; exit 0\n", path);
    make_file("script", view_of(script));
    chmod("script", 0755);
    if (access(CONF_QMAIL, X_OK) == -1)
        skip_rest("no home directory for the queue program");
    make_message(5, "<a@h>:\nno\n\n");
    same_number((uint64_t)run_apart(bounces, &one, NULL), 0, "bounce");
    ok(view_starts(content_of("log"), VIEW("bounce msg 5 qp ")) &&
           view_ends(content_of("log"), VIEW("\nend msg 5\n")) &&
           count(content_of("log"), "end msg 5") == 1,
       "bounce", "sent once, though it was asked for twice");
    same(content_of("script.out"), VIEW("F\0Ts@x\0\0"), "bounce: envelope");
    same(content_of("requests"), VIEW("foop/5|"), "bounce: request");
    for (ino_t n = 5; n < 17; n++)
        make_message(n, "<a@h>:\nno\n\n");
    same_number((uint64_t)run_apart(bounces, &twelve, NULL), 0, "many bounces");
    same_number(count(content_of("log"), "end msg 16"), 1, "many bounces: the last");
    same_number(count(content_of("log"), "end msg 5"), 1, "many bounces: the first");
    for (ino_t n = 5; n < 17; n++)
        make_message(n, "<a@h>:\nno\n\n");
    make_message(30, NULL);
    make_file("script", VIEW("#!/bin/sh\nsleep 1\n"));
    same_number((uint64_t)run_apart(slow_program, NULL, NULL), 0, "slow program");
    same(content_of("log"), VIEW("end msg 30\n"), "slow program: others end");
    return tap_done();
}
