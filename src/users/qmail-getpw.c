/* qmail-getpw - the account of the system that an address belongs to.
 *
 * runs as  qmailp, started by qmail-lspawn where users/cdb has no answer; or
 *          anybody. The local part, its argument, is what a stranger wrote
 * fd 1     the answer: USER, uid, gid, HOMEDIR, DASH, EXT, each ended by a NUL
 * exits    0 when found, 100 without argument, else a code that qmail-lspawn
 *          takes over: 115 home out of reach, 116 no alias account, 118 password
 *          database out of reach, 119 no memory
 *
 * Looks into the password file itself, which is quick. What that cannot answer
 * qmail-getpw-nss does, which asks libc and so all that nsswitch.conf names. */
#include "base/die.h"
#include "conf.h"
#include "mail/delivery.h"
#include "users/getpw.h"

#include <unistd.h>

int main(int argc, char **argv)
{
    struct account a = {0};

    if (argc < 2)
        return DIE_PERM;
    getpw_begin();
    if (account_file_begin()) {
        enum account_result result = getpw_find(argv[1], account_ask_file, &a);
        if (result != ACCOUNT_DOWN)
            return getpw_answer(result, &a);
    }
    execv(CONF_QMAIL "/bin/qmail-getpw-nss", argv);
    return LOCAL_SYSTEM;
}
