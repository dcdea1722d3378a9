/* qmail-remote - take one message to one host by SMTP.
 *
 * runs as  qmailr, started by qmail-rspawn for each delivery
 * args     HOST SENDER RECIPIENT ...
 * fd 0     the message, not read before the host asks for it
 * fd 1     a report for each recipient that was offered, then one for the message
 * trusts   the arguments to be addresses and no more; nothing the host or DNS says
 * exits    0 always: what happened is in the reports
 *
 * Made with a small libc, it starts quickly, and has a resolver that does not go to
 * great lengths. Where there are several servers to be asked, and where DNS does not
 * answer, or not at once, or with more than fits a datagram, it becomes
 * qmail-remote-dns. */
#include "base/os.h"
#include "conf.h"
#include "deliver/remote.h"

int main(int argc, char **argv)
{
    remote_run(argc, argv,
               os_dns_is_small() ? CONF_QMAIL "/bin/qmail-remote-dns" : NULL);
}
