/* qmail-popup - take name and password of a POP3 client.
 *
 * runs as  root, started by a UCSPI server (tcpserver, sslserver), because the
 *          program that it runs becomes the user; it opens no file itself
 * args     host program [argument ...]: program checks the password and goes on as
 *          qmail-pop3d
 * fd 0     commands from the client, not read past the password
 * fd 1     replies to it
 * exits    1, always */
#include "base/fd.h"
#include "base/heap.h"
#include "base/number.h"
#include "base/sandbox.h"
#include "base/signals.h"
#include "mailbox/popup.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static struct popup session;

static _Noreturn void end_early(const char *reply)
{
    pop3_reply(&session.pop3, reply);
    connection_flush(&session.pop3.connection);
    _exit(1);
}

static void out_of_memory(void)
{
    end_early(POP3_NO_MEMORY);
}

static uint64_t delay_s(void)
{
    const char *text = getenv("POPDELAY");
    struct view rest = view_of(text ? text : "");
    uint64_t n;

    if (!number_take(&rest, &n))
        return 0;
    return n < POP3_TIMEOUT_S ? n : POP3_TIMEOUT_S;
}

int main(int argc, char **argv)
{
    signals_ignore(SIGPIPE);
    signals_default(SIGCHLD); /* or the end of the program would be lost */
    pop3_open(&session.pop3);
    heap_on_failure(out_of_memory);
    if (!fd_fill_standard())
        return 1;
    ucspi_tls_find(&session.tls); /* before anything is opened */
    session.tls_active = ucspi_tls_is_active();
    if (argc < 3)
        end_early("-ERR usage: popup hostname subprogram");
    session.host = argv[1];
    session.program = argv + 2;
    session.delay_s = delay_s();
    sandbox_enter(SANDBOX_FILES | SANDBOX_PROGRAMS);
    popup_serve(&session);
    return 1;
}
