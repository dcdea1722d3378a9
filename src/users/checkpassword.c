/* checkpassword - become the user whose name and password are given, and go on as
 * another program.
 *
 * runs as  root, started by qmail-popup, or set-uid by qmail-smtpd for AUTH
 * args     program [argument ...], run as the user
 * fd 3     name NUL password NUL timestamp NUL
 * fd 0, 1  the client's, for program
 * exits    1 refused, 2 called wrongly, 111 trouble; else as program does
 *
 * Says nothing: descriptor 2 may be the client's. */
#include "users/checkpassword.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/identity.h"

#include <stdlib.h>
#include <unistd.h>

enum { FD_CLAIM = 3, SECONDS_PER_DAY = 86400 };

static int exit_code(enum checkpassword_input result)
{
    switch (result) {
    case CHECKPASSWORD_TOO_LONG:
        return CHECKPASSWORD_REFUSED;
    case CHECKPASSWORD_UNREADABLE:
        return CHECKPASSWORD_TEMP;
    default:
        return CHECKPASSWORD_MISUSED;
    }
}

/* Finds the account that the client has proved to be its own. The password is gone
 * from memory afterwards. */
static void identify_or_exit(struct checkpassword_account *a)
{
    struct bytes input = {0};
    struct checkpassword_claim claim;
    bool right = false, found = false;

    enum checkpassword_input result = checkpassword_read(FD_CLAIM, &input, &claim);
    if (result == CHECKPASSWORD_READ) {
        found = checkpassword_find(claim.name, a);
        right =
            found && checkpassword_is_right(a, claim.password,
                                            clock_now() / SECONDS_PER_DAY, os_crypt);
    }
    bytes_wipe(&input);
    bytes_wipe(&a->hash);
    bytes_wipe(&a->other_hash);
    if (result != CHECKPASSWORD_READ)
        _exit(exit_code(result));
    if (!found)
        _exit(CHECKPASSWORD_TEMP);
    if (!right)
        _exit(CHECKPASSWORD_REFUSED);
}

static bool become(const struct checkpassword_account *a)
{
    const struct identity who = {
        .uid = a->uid, .gid = a->gid, .groups_of = a->name.data};
    return identity_become(&who) && chdir(a->home.data) == 0 &&
           setenv("USER", a->name.data, 1) == 0 &&
           setenv("HOME", a->home.data, 1) == 0 &&
           setenv("SHELL", a->shell.data, 1) == 0;
}

int main(int argc, char **argv)
{
    static struct checkpassword_account account;
    int claim = FD_CLAIM;

    if (argc < 2)
        return CHECKPASSWORD_MISUSED;
    if (!fd_fill_standard())
        return CHECKPASSWORD_TEMP;
    identify_or_exit(&account);
    fd_close(&claim);
    if (become(&account))
        execvp(argv[1], argv + 1);
    return CHECKPASSWORD_TEMP;
}
