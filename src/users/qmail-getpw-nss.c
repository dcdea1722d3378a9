/* qmail-getpw-nss - the same as qmail-getpw, by asking libc, which asks all that
 * nsswitch.conf names: LDAP, SQL, the password file.
 *
 * runs as  qmailp, in the place of qmail-getpw where that cannot tell; or anybody
 * fd 1, exits  as qmail-getpw */
#include "base/die.h"
#include "users/getpw.h"

int main(int argc, char **argv)
{
    struct account a = {0};

    if (argc < 2)
        return DIE_PERM;
    getpw_begin();
    return getpw_answer(getpw_find(argv[1], account_ask_system, &a), &a);
}
