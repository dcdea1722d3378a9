/* identity - users and groups by name, and becoming one of them for good. */
#ifndef BASE_IDENTITY_H
#define BASE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct identity {
    uid_t uid;
    gid_t gid;
    const char *groups_of; /* also the groups of this user in the group file;
                              NULL: gid is the only group */
};

/* The id of a user or a group. False where there is no such name. */
bool identity_user(const char *name, uid_t *uid);
bool identity_group(const char *name, gid_t *gid);

/* The id of a user or a group. A name that is not there, or cannot be looked
 * up, prints "fatal: unable to find user NAME" (group NAME) on descriptor 2 and
 * exits 111. */
uid_t identity_user_or_die(const char *name);
gid_t identity_group_or_die(const char *name);

/* The same for several users at once, quickly: one look at the password file, and the
 * system is only asked for those that are not there. A name that is in the file has
 * the id it has there, whatever else the system knows (nsswitch.conf(5)). */
void identity_users_or_die(const char *const names[], uid_t uids[], size_t count);

/* Becomes who, irrevocably: groups, gid, uid, each verified. Without root this
 * works only where there is nothing to change: a tree whose users are all the
 * one who runs it. False with errno set; the process may be half way and must
 * exit. Usable between vfork and exec unless groups_of is set. */
bool identity_become(const struct identity *who);

#endif
