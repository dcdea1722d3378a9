/* qmail-qmtpd - takes mail from one QMTP client.
 *
 * runs as  qmaild, started by a UCSPI server (tcpserver, tcp-env, sslserver);
 *          trusts its environment, and nothing the client says
 * fd 0     messages from the client
 * fd 1     a reply for each of their recipients
 * starts   qmail-queue or QMAILQUEUE, once a message; RCPTCHECK
 * exits    0 when the client is gone, 100 when it breaks the protocol, 111 when
 *          memory, time or another thing runs out or the configuration is not to be
 * read
 */
#include "accept/qmtpd.h"
#include "base/die.h"
#include "base/fd.h"
#include "base/sandbox.h"
#include "base/signals.h"
#include "conf.h"

#include <signal.h>
#include <unistd.h>

int main(void)
{
    static struct qmtpd session;

    signals_ignore(SIGPIPE);
    if (!fd_fill_standard() || chdir(CONF_QMAIL) == -1)
        return DIE_TEMP;
    if (!qmtpd_controls_read(&session.policy))
        return DIE_TEMP;
    connection_open(&session.connection, 0, 1, QMTP_IDLE_S);
    sandbox_enter(SANDBOX_FILES | SANDBOX_PROGRAMS);
    return qmtpd_serve(&session);
}
