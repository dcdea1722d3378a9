#include "queue/qctl.h"

#include "conf.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct order_answer answer;

/* In place of qctl_order.c. */

struct order_answer qctl_order(const struct order *o)
{
    ok(o->verb == ORDER_STATE && o->message == 5, "its state is asked for", NULL);
    return answer;
}

bool qctl_await_preprocessing(ino_t message)
{
    return message != 5;
}

const struct route_rules *qctl_rules(void)
{
    return NULL; /* no recipient is matched */
}

static const struct {
    const char *name;
    struct order_answer answer;
    bool there;
    enum qctl_state state;
} cases[] = {
    {"gone", {.result = ORDER_GONE}, false, 0},
    {"another's number", {.result = ORDER_OTHER}, false, 0},
    {"trouble", {.result = ORDER_TROUBLE}, true, QCTL_WAITING},
    {"nobody is left", {.result = ORDER_DONE}, true, QCTL_BOUNCING},
    {"waiting", {.channels = {{.place = ORDER_WAITS}}}, true, QCTL_WAITING},
    {"an attempt",
     {.channels = {{.place = ORDER_WAITS}, {.place = ORDER_ATTEMPT}}},
     true,
     QCTL_ACTIVE},
    {"held",
     {.mark = QUEUE_HELD, .channels = {{.place = ORDER_WAITS}}},
     true,
     QCTL_HELD},
    {"being returned",
     {.mark = QUEUE_RETURNED, .channels = {{.place = ORDER_WAITS}}},
     true,
     QCTL_BOUNCING},
    {"being deleted",
     {.mark = QUEUE_DELETED, .channels = {{.place = ORDER_ATTEMPT}}},
     true,
     QCTL_DELETING},
};

static void make_tree(const char *name)
{
    char path[100];
    mkdir(name, 0700);
    snprintf(path, sizeof path, "%s/5", name);
    mkdir(path, 0700);
}

int main(void)
{
    static const struct qctl_options all = {.all = true};
    struct qctl_message m = {0};
    struct queue_path path;

    if (CONF_SPLIT < 10)
        skip_rest("conf-split is too small for the names here");
    scratch();
    make_tree("info"), make_tree("mess"), make_tree("local"), make_tree("remote");
    mkdir("todo", 0700);
    ok(qctl_message_read(&m, 5, &all, &path) == QCTL_GONE, "no message", NULL);
    make_file("mess/5/5", VIEW("x\n"));
    make_file("todo/5", VIEW("u1\0p2\0Fs@x\0Tc@h\0"));
    ok(qctl_message_read(&m, 5, &all, &path) == QCTL_READ && m.is_new, "new", NULL);
    ok(qctl_message_ask(&m) && m.state == QCTL_NEW, "new", "nobody is asked");

    ok(!qctl_message_again(&m), "no longer new, and gone", NULL);
    m.is_new = true;
    make_file("info/5/5", VIEW("Fs@x\0"));
    ok(qctl_message_again(&m) && !m.is_new, "preprocessed meanwhile", NULL);
    struct timespec later[2] = {{.tv_sec = 5}, {.tv_sec = 5}};
    utimensat(AT_FDCWD, "mess/5/5", later, 0);
    m.is_new = true;
    ok(!qctl_message_again(&m), "its number is another's meanwhile", NULL);

    unlink("todo/5");
    chmod("info/5/5", QUEUE_UNSYNCED_MODE);
    ok(qctl_message_read(&m, 5, &all, &path) == QCTL_GONE, "delivered, never synced",
       NULL);
    chmod("info/5/5", QUEUE_UNMARKED_MODE);
    make_file("local/5/5", VIEW("Tc@h\0"));
    ok(qctl_message_read(&m, 5, &all, &path) == QCTL_READ && !m.is_new, "preprocessed",
       NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        answer = cases[i].answer;
        ok(qctl_message_ask(&m) == cases[i].there, cases[i].name, "there");
        if (cases[i].there)
            ok(m.state == cases[i].state, cases[i].name, "state");
    }
    fault_at("fstat", 1, EIO);
    ok(qctl_message_read(&m, 5, &all, &path) != QCTL_READ, "a file that cannot be read",
       NULL);
    fault_end();
    return tap_done();
}
