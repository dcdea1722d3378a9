#include "accept/smtpd.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/signals.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

static struct smtpd s;

static void begin(int in, int out)
{
    s = (struct smtpd){0};
    connection_open(&s.connection, in, out, 10);
    smtpd_reply(&s, "250 ok");
}

int main(void)
{
    char text[20];
    int ends[2];

    signals_ignore(SIGPIPE);
    if (!fd_pipe(ends))
        skip_rest("no pipe");
    begin(-1, ends[1]);
    fault_clock(10000);
    smtpd_pause(&s, 5);
    ok(!s.over, "a pause", "goes on");
    same(view_at(text, (size_t)read(ends[0], text, sizeof text)), VIEW("250 ok\r\n"),
         "what was to be said is said before");

    begin(-1, ends[1]);
    connection_end_at(&s.connection, clock_steady_ms());
    smtpd_pause(&s, 5);
    fault_clock(0);
    ok(s.over && s.exit_code == 1, "a pause until the session's end", NULL);

    fd_close(&ends[0]);
    begin(-1, ends[1]);
    smtpd_pause(&s, 600);
    ok(s.over && s.exit_code == 1, "a pause for a client that has gone",
       "ends at once");
    return tap_done();
}
