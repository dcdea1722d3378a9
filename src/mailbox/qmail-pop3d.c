/* qmail-pop3d - serve a maildir to a POP3 client that has logged in.
 *
 * runs as  the user, never root; started by qmail-popup by way of the program that
 *          checks passwords
 * args     maildir, from the working directory
 * fd 0     commands from the client
 * fd 1     replies to it
 * exits    1 as root, else 0: qmail-popup takes any other code for a refused login */
#include "base/clock.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/sandbox.h"
#include "base/signals.h"
#include "base/writer.h"
#include "mail/maildir_list.h"
#include "mailbox/pop3d.h"

#include <signal.h>
#include <unistd.h>

static struct pop3d session;

static _Noreturn void end_early(const char *reply)
{
    pop3_reply(&session.pop3, reply);
    connection_flush(&session.pop3.connection);
    _exit(0);
}

static void out_of_memory(void)
{
    end_early(POP3_NO_MEMORY);
}

int main(int argc, char **argv)
{
    int64_t now = clock_now();

    if (getuid() == 0) {
        write_all(2, VIEW("qmail-pop3d invoked as uid 0, terminating\n"));
        return 1;
    }
    signals_ignore(SIGPIPE);
    pop3_open(&session.pop3);
    heap_on_failure(out_of_memory);
    if (!fd_fill_standard())
        return 0;
    if (argc < 2 || chdir(argv[1]) == -1)
        end_early("-ERR this user has no $HOME/Maildir");
    maildir_clean_tmp(now);
    if (!pop3d_open(&session, now))
        end_early("-ERR unable to scan $HOME/Maildir");
    sandbox_enter(SANDBOX_FILES);
    pop3d_serve(&session);
    return 0;
}
