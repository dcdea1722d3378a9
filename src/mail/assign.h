/* assign - users/cdb: who controls an address (man page qmail-users).
 *
 * qmail-newu makes the database from users/assign, qmail-lspawn asks it for
 * each local delivery, and whoever else wants to know what a local part means
 * must ask here. The domain plays no part. Where there is no answer, the rules
 * of mail/account.h decide. */
#ifndef MAIL_ASSIGN_H
#define MAIL_ASSIGN_H

#include "base/bytes.h"

#include <sys/types.h>

enum {
    /* A wildcard entry is looked for in so many of the first bytes of a local
     * part. No address is nearly as long; a hostile one may not keep us busy. */
    ASSIGN_MAX_PREFIX = 8192
};

enum assign_result {
    ASSIGN_FOUND,
    ASSIGN_ABSENT, /* no such entry, or no such file */
    ASSIGN_FAILED, /* the file cannot be read or is damaged; errno says why */
    ASSIGN_BAD,    /* a field is missing, or an id is not a number in range */
    ASSIGN_ROOT    /* the uid is 0, or does not begin with a digit */
};

/* The six fields of an entry, C strings. */
struct assign {
    char *user;
    uid_t uid;
    gid_t gid;
    char *home; /* as it stands there; it may be relative, or missing on disk */
    char *dash;
    char *ext;
};

/* Looks local up in the database open on fd: the exact entry, then prefixes,
 * longest first. entry is replaced by the data found; for a prefix the rest of
 * local, in its own case, is appended. FOUND, ABSENT or FAILED. */
enum assign_result assign_find(int fd, struct view local, struct bytes *entry);

/* Takes an entry, or what qmail-getpw prints, apart: USER NUL uid NUL gid NUL
 * HOMEDIR NUL DASH NUL EXT. The strings of a lie in entry, which must stay as it
 * is. FOUND, BAD or ROOT. */
enum assign_result assign_parse(struct bytes *entry, struct assign *a);

/* Both of these in the file path. */
enum assign_result assign_lookup(const char *path, struct view local,
                                 struct bytes *entry, struct assign *a);

#endif
