/* passwd - the password file, read without the system's name service (passwd(5)).
 *
 * For programs that are started for every message: asking libc takes longer than
 * all the rest that they do. Who is not in the file may still be known to LDAP or
 * the like; only libc can tell. */
#ifndef BASE_PASSWD_H
#define BASE_PASSWD_H

#include "base/bytes.h"

#include <sys/types.h>

struct passwd_entry {
    struct view name, home;
    uid_t uid;
    gid_t gid;
};

/* A line without its line feed. False where it is no whole entry. */
bool passwd_parse(struct view line, struct passwd_entry *entry);

/* Calls each(arg, entry) for the entries of the password file, in order, until it
 * returns true. False where the file could not be read up to there. */
bool passwd_scan(bool (*each)(void *arg, const struct passwd_entry *entry), void *arg);

/* Which sources the system asks for accounts, by the text of nsswitch.conf(5), empty
 * where there is none: whether the file is asked first, and whether nothing else is. */
struct passwd_sources {
    bool file_first, file_only;
};
struct passwd_sources passwd_sources(struct view nsswitch);

#endif
