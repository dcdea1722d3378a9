/* qmail-qmqpd - takes one message, for any recipients, from a trusted QMQP client.
 *
 * runs as  qmaild, started by a UCSPI server (tcpserver, tcp-env), which must let in
 *          nobody but hosts whose mail we relay; trusts its environment
 * fd 0     the message and its envelope
 * fd 1     one reply
 * starts   qmail-queue or QMAILQUEUE
 * exits    0 when it has replied or the client is gone, 100 when it breaks the
 *          protocol, 111 when memory, time or another thing runs out */
#include "accept/qmqpd.h"
#include "base/die.h"
#include "base/fd.h"
#include "base/sandbox.h"
#include "base/signals.h"
#include "conf.h"
#include "mail/control.h"

#include <signal.h>
#include <unistd.h>

int main(void)
{
    static struct qmqpd session;

    signals_ignore(SIGPIPE);
    if (!fd_fill_standard() || chdir(CONF_QMAIL) == -1)
        return DIE_TEMP;
    control_environment("DATABYTES", &session.max_bytes);
    connection_open(&session.connection, 0, 1, QMTP_IDLE_S);
    sandbox_enter(SANDBOX_FILES | SANDBOX_PROGRAMS);
    return qmqpd_serve(&session);
}
