#include "accept/rcptcheck.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define TROUBLE "451 unable to verify recipient (#4.3.0)"

static const struct {
    const char *name, *program;
    enum rcptcheck_result result;
    const char *reply;
} cases[] = {
    {"accepted", "exit 0", RCPTCHECK_ACCEPTED, ""},
    {"accepted too", "exit 112", RCPTCHECK_ACCEPTED, ""},
    {"its question", "test $SENDER,$RECIPIENT,$HELO,$USE_FD4 = s@a,r@b,h,1",
     RCPTCHECK_ACCEPTED, ""},
    {"what was there before", "test $KEPT = kept", RCPTCHECK_ACCEPTED, ""},
    {"no mailbox", "exit 100", RCPTCHECK_NO_MAILBOX,
     "550 sorry, no mailbox here by that name. (#5.1.1)"},
    {"its own words", "echo 553 go away >&4; exit 100", RCPTCHECK_NO_MAILBOX,
     "553 go away"},
    {"too much", "exit 113", RCPTCHECK_OVER_LIMIT,
     "421 you have exceeded your messaging limits (#4.3.0)"},
    {"trouble", "exit 1", RCPTCHECK_TROUBLE, TROUBLE},
    {"a signal", "kill -9 $$", RCPTCHECK_TROUBLE, TROUBLE},
};

static struct rcptcheck_reply reply;

static enum rcptcheck_result ask(const char *script)
{
    static const struct rcptcheck_question question = {
        "./program", VIEW_INIT("s@a"), VIEW_INIT("r@b"), VIEW_INIT("h"), true};
    struct bytes text = {0};

    bytes_add_text(&text, "#!/bin/sh\n");
    bytes_add_text(&text, script);
    bytes_add_byte(&text, '\n');
    make_file("program", bytes_view(&text));
    bytes_free(&text);
    chmod("program", 0755);
    reply.text[0] = '\0';
    return rcptcheck_ask(&question, &reply);
}

/* A minute goes by at each look at the clock. */
static void too_late(void)
{
    fault_clock(60000);
    ok(ask("exec sleep 600") == RCPTCHECK_TROUBLE, "too late", "result");
    fault_clock(0);
    same(view_of(reply.text), VIEW(TROUBLE), "too late: reply");
    ok(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "too late", "it is killed");
}

static void faults(void)
{
    fault_at("waitpid", 1, ECHILD);
    ok(ask("exit 0") == RCPTCHECK_TROUBLE, "somebody else has waited", "result");
    fault_end();
    same(view_of(reply.text), VIEW(TROUBLE), "somebody else has waited: reply");
    while (waitpid(-1, NULL, 0) > 0)
        ;
    fault_at("waitpid", 1, EINTR);
    ok(ask("exit 0") == RCPTCHECK_ACCEPTED, "waiting is interrupted", "result");
    fault_end();
    fault_at("pipe2", 1, EMFILE);
    ok(ask("exit 0") == RCPTCHECK_TROUBLE, "no pipe", "result");
    fault_end();
    fault_at("read", 1, EIO);
    ok(ask("exit 100") == RCPTCHECK_NO_MAILBOX, "its text cannot be read", "result");
    fault_end();
}

int main(void)
{
    scratch();
    setenv("KEPT", "kept", 1);
    setenv("SENDER", "another", 1);
    for (size_t i = 0; i < COUNT(cases); i++) {
        ok(ask(cases[i].program) == cases[i].result, cases[i].name, "result");
        same(view_of(reply.text), view_of(cases[i].reply), cases[i].name);
    }
    too_late();
    faults();
    return tap_done();
}
