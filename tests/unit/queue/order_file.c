#include "queue/order.h"

#include "conf.h"

#include "queue_dirs.h"
#include "tap.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    T = 1, /* todo */
    I = 2, /* info */
    L = 4, /* local */
    R = 8, /* remote */
    B = 16 /* bouncing */
};

static const struct {
    const char *name;
    unsigned files;
    enum queue_mark mark;
    enum order_verb verb;
    enum order_result result;
    enum queue_mark after;
} cases[] = {
    {"new", T, 0, ORDER_DELETE, ORDER_NEW, 0},
    {"new, with files that mean nothing", T | I | L, 0, ORDER_HOLD, ORDER_NEW, 0},
    {"nothing", 0, 0, ORDER_HOLD, ORDER_GONE, 0},
    {"no info", L, 0, ORDER_DELETE, ORDER_GONE, 0},
    {"state", I | L, QUEUE_DELETED, ORDER_STATE, ORDER_DONE, QUEUE_DELETED},
    {"hold", I | L, 0, ORDER_HOLD, ORDER_DONE, QUEUE_HELD},
    {"hold again", I | R, QUEUE_HELD, ORDER_HOLD, ORDER_DONE, QUEUE_HELD},
    {"release", I | R, QUEUE_HELD, ORDER_RELEASE, ORDER_DONE, 0},
    {"release, not held", I | L | R, 0, ORDER_RELEASE, ORDER_NOT_HELD, 0},
    {"try", I | L, 0, ORDER_TRY, ORDER_DONE, 0},
    {"try, held", I | L, QUEUE_HELD, ORDER_TRY, ORDER_IS_HELD, QUEUE_HELD},
    {"return", I | L, 0, ORDER_RETURN, ORDER_DONE, QUEUE_RETURNED},
    {"return, held", I | L, QUEUE_HELD, ORDER_RETURN, ORDER_DONE, QUEUE_RETURNED},
    {"return again", I | L, QUEUE_RETURNED, ORDER_RETURN, ORDER_DONE, QUEUE_RETURNED},
    {"return again, nobody left", I, QUEUE_RETURNED, ORDER_RETURN, ORDER_DONE,
     QUEUE_RETURNED},
    {"hold, returning", I | L, QUEUE_RETURNED, ORDER_HOLD, ORDER_RETURNING,
     QUEUE_RETURNED},
    {"try, returning", I | L, QUEUE_RETURNED, ORDER_TRY, ORDER_RETURNING,
     QUEUE_RETURNED},
    {"try, returned", I, QUEUE_RETURNED, ORDER_TRY, ORDER_DONE, QUEUE_RETURNED},
    {"delete", I | L, 0, ORDER_DELETE, ORDER_DONE, QUEUE_DELETED},
    {"delete, held", I | L, QUEUE_HELD, ORDER_DELETE, ORDER_DONE, QUEUE_DELETED},
    {"delete, returning", I | R, QUEUE_RETURNED, ORDER_DELETE, ORDER_DONE,
     QUEUE_DELETED},
    {"delete again", I, QUEUE_DELETED, ORDER_DELETE, ORDER_DONE, QUEUE_DELETED},
    {"return, deleting", I | L, QUEUE_DELETED, ORDER_RETURN, ORDER_DELETING,
     QUEUE_DELETED},
    {"release, deleting", I | L, QUEUE_DELETED, ORDER_RELEASE, ORDER_DELETING,
     QUEUE_DELETED},
    {"hold, nobody left", I, 0, ORDER_HOLD, ORDER_ENDING, 0},
    {"return, nobody left", I, 0, ORDER_RETURN, ORDER_ENDING, 0},
    {"release, nobody left", I, QUEUE_HELD, ORDER_RELEASE, ORDER_ENDING, QUEUE_HELD},
    {"try, nobody left", I, 0, ORDER_TRY, ORDER_DONE, 0},
    {"delete, nobody left", I, 0, ORDER_DELETE, ORDER_DONE, QUEUE_DELETED},
    {"delete, bouncing", I | B, 0, ORDER_DELETE, ORDER_BOUNCING, QUEUE_DELETED},
    {"try, bouncing", I | B, 0, ORDER_TRY, ORDER_BOUNCING, 0},
    {"return, bouncing", I | B, QUEUE_RETURNED, ORDER_RETURN, ORDER_BOUNCING,
     QUEUE_RETURNED},
};

static void judging(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned has = cases[i].files;
        enum queue_mark mark = QUEUE_NO_MARK;
        struct order o = {.verb = cases[i].verb, .message = 5, .birth = {7, 8}};
        struct order_files f = {.todo = has & T,
                                .info = has & I,
                                .channels = {has & L, has & R},
                                .birth = {7, 8},
                                .mark = cases[i].mark};
        ok(order_judge(&o, &f, has & B, &mark) == cases[i].result, cases[i].name,
           "result");
        if (cases[i].result == ORDER_DONE)
            same_number(mark, cases[i].after, cases[i].name);
        o.birth.tv_nsec = 9;
        if (f.info && !f.todo)
            ok(order_judge(&o, &f, has & B, &mark) == ORDER_OTHER, cases[i].name,
               "another's birth");
    }
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static void marking(void)
{
    struct order_files f;
    struct queue_path path;

    ok(!order_mark(5, QUEUE_HELD) && errno == ENOENT, "mark", "nothing there");
    make_file("info/5/5", VIEW("Fs@x\0"));
    chmod("info/5/5", 0600);
    make_file("local/5/5", VIEW("Ta@h\0"));
    ok(order_look(5, &f, &path), "look", NULL);
    struct timespec birth = f.birth;
    ok(f.info && f.channels[CHANNEL_LOCAL] && !f.channels[CHANNEL_REMOTE] && !f.todo &&
           !f.bounce && f.mark == 0,
       "look", "what is there");
    ok(order_mark(5, QUEUE_HELD) && mode_of("info/5/5") == 0610, "held", NULL);
    ok(order_mark(5, QUEUE_HELD) && mode_of("info/5/5") == 0610, "held again", NULL);
    ok(order_mark(5, QUEUE_RETURNED) && mode_of("info/5/5") == 0601, "returned", NULL);
    ok(order_look(5, &f, &path) && f.mark == QUEUE_RETURNED &&
           f.birth.tv_sec == birth.tv_sec && f.birth.tv_nsec == birth.tv_nsec,
       "look", "marked, and born when it was");
    ok(order_mark(5, QUEUE_DELETED) && mode_of("info/5/5") == 0620, "deleted", NULL);
    ok(order_mark(5, 0) && mode_of("info/5/5") == 0600, "no mark", NULL);
    chmod("info/5/5", QUEUE_UNSYNCED_MODE);
    ok(order_look(5, &f, &path) && !f.info, "look", "delivered, and never synced");
    make_file("todo/5", VIEW("Fs@x\0"));
    ok(order_look(5, &f, &path) && f.info && f.mark == 0, "look", "not synced yet");
    unlink("todo/5");
    ok(symlink("8", "todo/8") == 0 && !order_look(8, &f, &path), "look", "unclear");
    same(view_of(path.text), VIEW("todo/8"), "look: at what");
}

static void returning(void)
{
    static const struct route_rules rules = {.envnoathost = {0}};
#define NOTE(address)                                                         \
    "<" address ">:\nThe postmaster of this host has returned this message. " \
    "(#5.3.0)\n\n"

    make_file("bounce/5", VIEW("<x@h>:\nno\n\n"));
    make_file("local/5/5", VIEW("Ta@h\0Db@h\0Tc\nd@h\0"));
    for (int i = 0; i < 2; i++) {
        ok(order_return_channel(CHANNEL_LOCAL, 5, &rules), "return", NULL);
        same(content_of("bounce/5"), VIEW("<x@h>:\nno\n\n" NOTE("a@h") NOTE("c_d@h")),
             i ? "return again: nothing twice" : "return: notes");
    }
    ok(order_return_channel(CHANNEL_REMOTE, 5, &rules), "return", "no such channel");
    make_file("remote/5/5", VIEW("De@h\0"));
    ok(order_return_channel(CHANNEL_REMOTE, 5, &rules), "return", "nobody left");
    same(content_of("bounce/5"), VIEW("<x@h>:\nno\n\n" NOTE("a@h") NOTE("c_d@h")),
         "return: nobody left");
    make_file("remote/5/5", VIEW("Te@h\0Xf@h\0"));
    ok(!order_return_channel(CHANNEL_REMOTE, 5, &rules) && errno == EILSEQ, "return",
       "damaged list");
    same(content_of("bounce/5"), VIEW("<x@h>:\nno\n\n" NOTE("a@h") NOTE("c_d@h")),
         "return: damaged list");
    unlink("bounce/5");
    make_file("remote/5/5", VIEW("Te@h\0"));
    ok(order_return_channel(CHANNEL_REMOTE, 5, &rules), "return", "no notes yet");
    same(content_of("bounce/5"), VIEW(NOTE("e@h")), "return: no notes yet");
    ok(!note_is_there(6, VIEW("x")) && !note_is_there(5, VIEW("x")) &&
           note_is_there(5, VIEW("\n\n")),
       "notes that are there", NULL);
}

int main(void)
{
    scratch_queue(10);
    judging();
    marking();
    returning();
    return tap_done();
}
