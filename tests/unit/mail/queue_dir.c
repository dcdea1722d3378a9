#include "mail/queue_dir.h"

#include "base/fd.h"
#include "conf.h"
#include "mail/queue_exit.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const ino_t numbers[] = {
    0, 1, CONF_SPLIT - 1, CONF_SPLIT, 1091970, UINT64_C(4294967296), UINT64_MAX};

static const struct {
    struct view name;
    bool is_number;
    ino_t number;
} names[] = {
    {VIEW_INIT("0"), true, 0},
    {VIEW_INIT("1091970"), true, 1091970},
    {VIEW_INIT("18446744073709551615"), true, UINT64_MAX},
    {VIEW_INIT("18446744073709551616"), false, 0},
    {VIEW_INIT("00"), false, 0},
    {VIEW_INIT("012"), false, 0},
    {VIEW_INIT(""), false, 0},
    {VIEW_INIT("."), false, 0},
    {VIEW_INIT("1x"), false, 0},
    {VIEW_INIT("+1"), false, 0},
    {VIEW_INIT("-1"), false, 0},
    {VIEW_INIT(" 1"), false, 0},
    {VIEW_INIT("1\n"), false, 0},
    {VIEW_INIT("1\0"), false, 0},
};

static void paths(void)
{
    char want[64];
    for (size_t i = 0; i < COUNT(numbers); i++) {
        uintmax_t n = numbers[i], s = n % CONF_SPLIT;
        snprintf(want, sizeof want, "remote/%ju/%ju", s, n);
        same(view_of(queue_split_path("remote", numbers[i]).text), view_of(want),
             "split");
        snprintf(want, sizeof want, "bounce/%ju", n);
        same(view_of(queue_flat_path("bounce", numbers[i]).text), view_of(want),
             "flat");
        snprintf(want, sizeof want, "mess/%ju", s);
        same(view_of(queue_split_dir("mess", numbers[i]).text), view_of(want),
             "directory");
    }
    for (size_t i = 0; i < COUNT(names); i++) {
        ino_t number = 0;
        bool is_number = queue_number(names[i].name, &number);
        ok(is_number == names[i].is_number && number == names[i].number, "number",
           names[i].name.data);
    }
}

static void enter_absent(void *arg)
{
    queue_enter_or_die(arg);
}

static void entering(void)
{
    char cwd[200], home[300], absent[] = "absent";

    if (!getcwd(cwd, sizeof cwd))
        skip_rest("no directory");
    snprintf(home, sizeof home, "%s/home", cwd);
    ok(queue_enter("absent") == QUEUE_HOME && errno == ENOENT, "no home", NULL);
    ok(mkdir("home", 0755) == 0, "home", NULL);
    ok(queue_enter("home") == QUEUE_DIRECTORY && errno == ENOENT, "no queue", NULL);
    ok(mkdir("queue", 0755) == 0 && chdir(cwd) == 0, "queue", NULL);
    ok(queue_enter(home) == QUEUE_OK, "entered", NULL);
    struct bytes out = {0};
    same_number((uint64_t)run_apart(enter_absent, absent, &out), 111, "or die");
    same_number(out.len, 0, "silently");
}

static void trigger(void)
{
    char byte[4];

    queue_pull_trigger(); /* no lock/ */
    ok(mkdir("lock", 0755) == 0, "lock", NULL);
    queue_pull_trigger(); /* no FIFO */
    ok(access(QUEUE_DIR_TRIGGER, F_OK) == -1, "no FIFO: none is made", NULL);
    ok(mkfifo(QUEUE_DIR_TRIGGER, 0622) == 0, "FIFO", NULL);
    queue_pull_trigger(); /* no reader: does not wait */
    int fd = fd_open_read(QUEUE_DIR_TRIGGER);
    ok(!fd_wait(fd, POLLIN, 0), "not pulled", NULL);
    queue_pull_trigger();
    ok(fd_wait(fd, POLLIN, 0), "pulled", NULL);
    ok(read(fd, byte, sizeof byte) == 1 && byte[0] == '\0', "one NUL", NULL);
    for (int i = 0; i < 70000; i++)
        queue_pull_trigger(); /* a full FIFO: does not wait */
    ok(fd_wait(fd, POLLIN, 0), "full", NULL);
    fd_close(&fd);
}

static void marks(void)
{
    static const struct {
        mode_t mode;
        enum queue_mark want;
    } modes[] = {
        {0100600, QUEUE_NO_MARK}, {0100610, QUEUE_HELD},    {0100601, QUEUE_RETURNED},
        {0100620, QUEUE_DELETED}, {0100611, QUEUE_NO_MARK}, {0100644, QUEUE_NO_MARK},
        {0104610, QUEUE_NO_MARK}, {0100000, QUEUE_NO_MARK},
    };
    for (size_t i = 0; i < COUNT(modes); i++)
        same_number(queue_mark_of(modes[i].mode), modes[i].want, "mark");
    for (size_t i = 0; i < COUNT(modes); i++)
        same_number(queue_is_unsynced(modes[i].mode), modes[i].mode == 0100611,
                    "unsynced");
}

int main(void)
{
    scratch();
    signal(SIGPIPE, SIG_IGN);
    paths();
    entering();
    trigger();
    marks();
    return tap_done();
}
