#include "queue/send.h"

#include "base/clock.h"
#include "base/fd.h"
#include "conf.h"
#include "mail/queue_dir.h"

#include "queue_dirs.h"
#include "tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool leaving;
static unsigned sleeps;
static void (*meanwhile)(void);

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
    log_flush();
    sleeps++;
    if (meanwhile)
        meanwhile();
    return !leaving;
}

static void make_at(const char *path, int64_t when)
{
    struct timespec times[2] = {{.tv_sec = (time_t)when}, {.tv_sec = (time_t)when}};
    make_file(path, VIEW("x"));
    utimensat(AT_FDCWD, path, times, 0);
}

static int64_t time_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (int64_t)st.st_mtime : -1;
}

/* What waits in the channel and is due, in order: "5 7 ". */
static struct view due(enum channel c)
{
    static struct bytes list;
    ino_t message;
    bytes_clear(&list);
    while (waiting_has_due(c) && waiting_take(c, &message))
        bytes_add_format(&list, "%ju ", (uintmax_t)message);
    return bytes_view(&list);
}

static int64_t wake_in_ms(bool can_start)
{
    static struct loop l;
    const bool both[CHANNELS] = {can_start, can_start};
    loop_begin(&l);
    waiting_wants(&l, both);
    return l.wake_ms == INT64_MAX ? -1
           : l.wake_ms == 0       ? 0
                                  : l.wake_ms - clock_steady_ms();
}

static void loading(void)
{
    int64_t now = clock_now();

    make_file("info/5/5", VIEW("F"));
    make_at("local/5/5", now - 10);
    make_file("info/6/6", VIEW("F"));
    make_at("local/6/6", now - 20);
    make_at("remote/6/6", now + 1000);
    make_file("info/7/7", VIEW("F")); /* not preprocessed */
    make_at("local/7/7", now - 30);
    make_file("todo/7", VIEW(""));
    make_at("local/8/8", now - 30);   /* no info */
    make_file("info/5/9", VIEW("F")); /* in another's directory */
    make_file("info/5/05", VIEW("F"));
    make_file("info/5/x", VIEW("F"));
    ok(waiting_load() && sleeps == 0, "load", NULL);
    ok(wake_in_ms(true) == 0, "due: wake now", NULL);
    same_number((uint64_t)wake_in_ms(false), (uint64_t)-1, "nothing can be started");
    same(due(CHANNEL_LOCAL), VIEW("6 5 "), "the earliest first");
    same(due(CHANNEL_REMOTE), VIEW(""), "not due");
    int64_t wake = wake_in_ms(true);
    ok(wake > 990000 && wake <= 1001000, "wake when it is due", NULL);
    waiting_all_due();
    same(due(CHANNEL_REMOTE), VIEW("6 "), "ALRM: due now");
}

/* What cannot be looked at is looked at again later, but not put into the schedule
 * a second time when it has been preprocessed meanwhile. */
static void unclear(void)
{
    make_file("info/8/8", VIEW("F"));
    make_at("local/8/8", clock_now());
    ok(symlink("8", "todo/8") == 0, "a link to itself", NULL);
    for (ino_t n = 5; n < 8; n++)
        unlink(queue_split_path("info", n).text);
    ok(waiting_load(), "load", NULL);
    same(due(CHANNEL_LOCAL), VIEW(""), "unclear: not yet");
    int64_t wake = wake_in_ms(false);
    ok(wake > 100000 && wake <= 123000, "unclear: again in 123 seconds", NULL);
    waiting_add(CHANNEL_LOCAL, 8, 0);
    same_number((uint64_t)wake_in_ms(false), (uint64_t)-1, "clear now: not again");
    same(due(CHANNEL_LOCAL), VIEW("8 "), "clear now: once");
    unlink("info/8/8");
}

static bool there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

/* Of messages that were delivered before their files were on the disk; what a power cut
 * has left of them may be anything. */
static void rests(void)
{
    make_file("info/4/4", VIEW(""));
    make_at("local/4/4", clock_now());
    make_file("bounce/4", VIEW("x"));
    make_file("info/9/9", VIEW("F"));
    make_at("local/9/9", clock_now());
    make_file("todo/9", VIEW("F")); /* not delivered */
    chmod("info/4/4", QUEUE_UNSYNCED_MODE);
    chmod("info/9/9", QUEUE_UNSYNCED_MODE);
    ok(waiting_load(), "load", NULL);
    same(due(CHANNEL_LOCAL), VIEW("6 5 "), "rests: nobody is tried");
    ok(!there("local/4/4") && !there("bounce/4"), "rests", "gone");
    ok(there("info/4/4"), "rests", "the message has yet to end");
    ok(there("local/9/9"), "what is in todo", "left to the scan");
    unlink("info/4/4"), unlink("info/9/9"), unlink("local/9/9"), unlink("todo/9");
    make_file("info/4/4", VIEW("F"));
    chmod("info/4/4", QUEUE_UNSYNCED_MODE);
    mkdir("bounce/4", 0700);
    make_file("bounce/4/x", VIEW("x"));
    ok(waiting_load(), "load", NULL);
    int64_t wake = wake_in_ms(false);
    ok(wake > 100000 && wake <= 123000, "rests that stay: again in 123 seconds", NULL);
    waiting_add(CHANNEL_LOCAL, 4, 0);
    same(due(CHANNEL_LOCAL), VIEW("4 6 5 "), "another's number now");
    unlink("info/4/4");
}

static void repair(void)
{
    unlink("info/3");
    mkdir("info/3", 0700);
}

static void directories(void)
{
    rmdir("info/3");
    make_file("info/3", VIEW(""));
    meanwhile = repair;
    ok(waiting_load() && sleeps == 1, "a directory that cannot be opened",
       "is awaited");
    rmdir("info/3");
    meanwhile = send_leave;
    ok(!waiting_load() && sleeps == 2, "a directory that cannot be opened", "TERM");
    leaving = false;
    mkdir("info/3", 0700);
}

static void saving(void)
{
    int64_t later = clock_now() + 5000;
    make_at("local/5/5", 1000);
    make_at("remote/6/6", 1000);
    waiting_add(CHANNEL_LOCAL, 5, later);
    waiting_add(CHANNEL_REMOTE, 6, later + 1);
    waiting_add(CHANNEL_REMOTE, 4, later + 2); /* has no file */
    waiting_save();
    log_flush();
    same_number((uint64_t)time_of("local/5/5"), (uint64_t)later, "kept");
    same_number((uint64_t)time_of("remote/6/6"), (uint64_t)later + 1, "kept");
    same(
        content_of("log"),
        VIEW("warning: unable to stat todo/8; will try again later\n"
             "alert: unable to opendir info/3, sleeping...\n"
             "alert: unable to opendir info/3, sleeping...\n"
             "warning: unable to utime remote/4/4; message will be retried too soon\n"),
        "log");
    /* times that no clock shows do not overflow */
    waiting_add(CHANNEL_LOCAL, 1, INT64_MIN);
    ok(wake_in_ms(true) == 0, "due since the beginning of time", NULL);
    same(due(CHANNEL_LOCAL), VIEW("1 "), "due since the beginning of time");
    waiting_add(CHANNEL_LOCAL, 2, INT64_MAX);
    ok(wake_in_ms(true) > 0, "due at its end", NULL);
}

int main(void)
{
    scratch_queue(10);
    log_open(fd_open("log", O_WRONLY | O_CREAT | O_APPEND, 0600));
    loading();
    rests();
    unclear();
    directories();
    saving();
    return tap_done();
}
