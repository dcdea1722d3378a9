/* qmail-smtpd - takes mail from one SMTP client.
 *
 * runs as  qmaild, started by a UCSPI server (tcpserver, tcp-env, sslserver);
 *          trusts its environment, and nothing the client says
 * args     [checkprogram [argument ...]], who knows the passwords of AUTH
 * fd 0     commands and mail from the client
 * fd 1     replies to it
 * fd 2     log lines if SMTPD_LOG is set, else nothing
 * starts   qmail-queue or QMAILQUEUE, once a message; RCPTCHECK; checkprogram
 * exits    0 after QUIT, 1 in every other case */
#include "accept/smtpd.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/sandbox.h"
#include "base/signals.h"
#include "conf.h"

#include <signal.h>
#include <unistd.h>

static struct smtpd session;

static _Noreturn void end_early(const char *reply)
{
    smtpd_end(&session, reply);
    connection_flush(&session.connection);
    _exit(1);
}

static void out_of_memory(void)
{
    session.logged = false; /* a log line would need memory */
    end_early("421 out of memory (#4.3.0)");
}

int main(int argc, char **argv)
{
    signals_ignore(SIGPIPE);
    connection_open(&session.connection, 0, 1, SMTPD_DEFAULT_TIMEOUT_S);
    heap_on_failure(out_of_memory);
    if (!fd_fill_standard())
        return 1;
    smtpd_tls_begin(&session); /* before anything is opened */
    smtpd_auth_begin(&session, argc ? argv + 1 : argv);
    if (chdir(CONF_QMAIL) == -1 || !smtpd_controls_read(&session.policy))
        end_early("421 unable to read controls (#4.3.0)");
    connection_timeout(&session.connection, session.policy.timeout_s);
    sandbox_enter(SANDBOX_FILES | SANDBOX_PROGRAMS);
    return smtpd_serve(&session);
}
