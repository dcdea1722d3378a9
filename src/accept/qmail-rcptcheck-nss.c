/* qmail-rcptcheck-nss - the same as qmail-rcptcheck, by asking libc, which asks all
 * that nsswitch.conf names: LDAP, SQL, the password file.
 *
 * runs as  qmaild, in the place of qmail-rcptcheck where that cannot tell; or anybody
 * reads, fd 2, exits  as qmail-rcptcheck */
#include "accept/mailbox.h"

int main(void)
{
    const char *why = NULL;
    enum mailbox answer = mailbox_answer(account_ask_system, &why);
    mailbox_exit(answer, why);
}
