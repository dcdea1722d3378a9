/* qmail-rcptcheck - tell qmail-smtpd whether a recipient has a mailbox here.
 *
 * runs as  qmaild, as RCPTCHECK of qmail-smtpd and others; or anybody
 * reads    RECIPIENT, control/, users/cdb, the accounts, names in home directories
 * fd 2     what is the matter, if it exits 111
 * exits    0 a mailbox, or not ours to judge; 100 none; 111 no telling for now
 *
 * Looks into the password file itself, which is quick. What that cannot answer
 * qmail-rcptcheck-nss does, which asks libc and so all that nsswitch.conf names. */
#include "accept/mailbox.h"
#include "conf.h"

#include <unistd.h>

static bool file_first, in_vain;

static enum account_result ask(const char *name, bool any, struct account *a)
{
    enum account_result result =
        file_first ? account_ask_file(name, any, a) : ACCOUNT_DOWN;
    in_vain |= result == ACCOUNT_DOWN;
    return result;
}

int main(int argc, char **argv)
{
    const char *why = NULL;

    (void)argc;
    file_first = account_file_begin();
    enum mailbox answer = mailbox_answer(ask, &why);
    if (in_vain)
        execv(CONF_QMAIL "/bin/qmail-rcptcheck-nss", argv);
    mailbox_exit(answer, why);
}
