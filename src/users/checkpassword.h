/* checkpassword - whether a name and a password are those of an account, shared by
 * its parts.
 *
 * A stranger shall not learn from the time that an answer takes which names there
 * are: for each question the same files are asked and one password is hashed,
 * whatever is known of the name.
 *
 * checkpassword_input.c    what the client has said
 * checkpassword_account.c  what the system knows of the name
 * checkpassword_judge.c    whether both agree */
#ifndef USERS_CHECKPASSWORD_H
#define USERS_CHECKPASSWORD_H

#include "base/bytes.h"
#include "base/os.h"

#include <sys/types.h>

enum checkpassword_exit {
    CHECKPASSWORD_REFUSED = 1,
    CHECKPASSWORD_MISUSED = 2,
    CHECKPASSWORD_TEMP = 111
};

enum { CHECKPASSWORD_MAX_INPUT = 512 };

/* Two strings that lie in the input. */
struct checkpassword_claim {
    const char *name, *password;
};

enum checkpassword_input {
    CHECKPASSWORD_READ,
    CHECKPASSWORD_TOO_LONG,
    CHECKPASSWORD_NOTHING, /* no descriptor, or not enough strings */
    CHECKPASSWORD_UNREADABLE
};

/* Reads fd to its end into input, and finds the strings: name NUL password NUL
 * timestamp NUL, then anything. */
enum checkpassword_input checkpassword_read(int fd, struct bytes *input,
                                            struct checkpassword_claim *claim);

struct checkpassword_account {
    bool known;
    bool is_root;
    struct bytes name, home, shell;
    struct bytes hash; /* ended by a NUL */
    struct os_shadow aging;
    uid_t uid;
    gid_t gid;
    struct bytes other_hash; /* of some account, ended by a NUL: how passwords are
                                hashed here */
};

/* Asks the password and the shadow file. False where they cannot be asked for
 * now. */
bool checkpassword_find(const char *name, struct checkpassword_account *a);

/* crypt(3), as os_crypt() is. */
typedef const char *checkpassword_hasher(const char *password, const char *setting);

/* Whether password is the account's, which is neither locked nor expired on day
 * today since 1970, and not root's. hash succeeds once, whatever the answer, and is
 * called more often only where hashes in the shadow file are damaged. */
bool checkpassword_is_right(const struct checkpassword_account *a, const char *password,
                            int64_t today, checkpassword_hasher *hash);

/* Whether a hash may be one that crypt(3) has made: not "*", "!", "x" or the like. */
bool checkpassword_is_hash(const char *hash);

#endif
