#include "queue/qctl.h"

#include "base/fd.h"
#include "conf.h"

#include "tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NOW = 1700000000 };

#define HEAD "message: 5\nsender: <s@x>\nsize: 12\nborn: "
#define TEXT "Subject: \033[2Jx\r\n\r\nbody \xc3\xa4 \xe9\x01\n"

static const struct {
    const char *name;
    enum qctl_state state;
    struct order_channel channels[CHANNELS];
    bool header_only, safe;
    const char *want; /* from "state: " on */
} cases[] = {
    {"waits",
     QCTL_WAITING,
     {{.place = ORDER_WAITS, .due = NOW}, {ORDER_NOBODY, 0, 0}},
     true,
     false,
     "state: waiting\nlocal: due now\n  left  a@h\n  done  b@h\ntext:\n"
     "Subject: \033[2Jx\r\n\r\n"},
    {"for a terminal",
     QCTL_WAITING,
     {{ORDER_NOBODY, 0, 0}, {ORDER_NOBODY, 0, 0}},
     false,
     true,
     "state: waiting\ntext:\nSubject: ?[2Jx?\n?\nbody \xc3\xa4 ??\n"},
    {"held",
     QCTL_HELD,
     {{.place = ORDER_WAITS, .due = NOW}, {ORDER_NOBODY, 0, 0}},
     true,
     true,
     "state: held\nlocal: held\n  left  a@h\n  done  b@h\ntext:\nSubject: ?[2Jx?\n?\n"},
    {"an attempt",
     QCTL_ACTIVE,
     {{ORDER_NOBODY, 0, 0}, {.place = ORDER_ATTEMPT, .deliveries = 3}},
     true,
     true,
     "state: active\nremote: attempt under way, 3 deliveries\ntext:\nSubject: "
     "?[2Jx?\n?\n"},
    {"not looked at yet",
     QCTL_WAITING,
     {{ORDER_UNKNOWN, 0, 0}, {ORDER_NOBODY, 0, 0}},
     true,
     true,
     "state: waiting\nlocal: not known yet\n  left  a@h\n  done  b@h\ntext:\n"
     "Subject: ?[2Jx?\n?\n"},
};

const struct route_rules *qctl_rules(void)
{
    return NULL; /* nothing is routed here */
}

static struct qctl_message message = {.number = 5, .size = 12, .birth = {NOW - 90, 0}};

/* What is printed, without what comes before skip. */
static struct view printed(bool header_only, bool safe, const char *skip, bool *whole)
{
    static struct writer out;
    int fd = fd_open("out", O_WRONLY | O_CREAT | O_TRUNC, 0600);

    writer_open(&out, fd, 0);
    *whole = qctl_print_all(&out, &message, NOW, header_only, safe);
    writer_flush(&out);
    fd_close(&fd);
    struct view all = content_of("out");
    for (size_t i = 0; i < all.len; i++)
        if (view_starts(view_from(all, i), view_of(skip)))
            return view_from(all, i);
    return all;
}

int main(void)
{
    bool whole;
    char path[100];

    if (CONF_SPLIT < 10)
        skip_rest("conf-split is too small for the names here");
    scratch();
    for (size_t i = 0; i < 3; i++) {
        static const char *const trees[] = {"mess", "local", "remote"};
        mkdir(trees[i], 0700);
        snprintf(path, sizeof path, "%s/5", trees[i]);
        mkdir(path, 0700);
    }
    mkdir("todo", 0700), mkdir("bounce", 0700);
    make_file("mess/5/5", VIEW(TEXT));
    make_file("local/5/5", VIEW("Ta@h\0Db@h\0"));
    bytes_set(&message.sender, VIEW("s@x"));
    for (size_t i = 0; i < COUNT(cases); i++) {
        message.state = cases[i].state;
        message.state_answer = (struct order_answer){.result = ORDER_DONE};
        memcpy(message.state_answer.channels, cases[i].channels,
               sizeof cases[i].channels);
        same(printed(cases[i].header_only, cases[i].safe, "state: ", &whole),
             view_of(cases[i].want), cases[i].name);
        ok(whole, cases[i].name, "whole");
    }

    message.state = QCTL_NEW;
    message.is_new = true;
    make_file("todo/5", VIEW("u1\0p2\0Fs@x\0Tc@h\0"));
    same(printed(true, true, "state: ", &whole),
         VIEW("state: new\nrecipients:\n  left  c@h\ntext:\nSubject: ?[2Jx?\n?\n"),
         "new");
    unlink("todo/5");
    make_file("bounce/5", VIEW("<d@h>:\nno\n\n"));
    same(
        printed(true, true, "state: ", &whole),
        VIEW("state: new\nfailures so far:\n<d@h>:\nno\n\ntext:\nSubject: ?[2Jx?\n?\n"),
        "new, and preprocessed meanwhile");
    unlink("mess/5/5");
    printed(true, true, "state: ", &whole);
    ok(!whole, "gone meanwhile", "not whole");
    ok(view_starts(printed(true, true, HEAD, &whole), VIEW(HEAD)), "its head", NULL);
    return tap_done();
}
