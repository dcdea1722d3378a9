/* account - the rules that give a local part to an account of the system, used
 * where users/cdb has no answer (man page qmail-getpw).
 *
 * joe and joe-anything belong to account joe. Not every account is a user: it
 * must not be root and must own its home directory. What belongs to nobody
 * belongs to the alias account. */
#ifndef MAIL_ACCOUNT_H
#define MAIL_ACCOUNT_H

#include "base/bytes.h"
#include "base/passwd.h"

#include <sys/types.h>

enum {
    ACCOUNT_MAX_NAME = 31 /* bytes; longer names are never looked up */
};

enum account_result {
    ACCOUNT_FOUND,
    ACCOUNT_ABSENT, /* as an answer about one name: not a user. In the end: there
                       is no alias account */
    ACCOUNT_NFS,    /* a home directory cannot be looked at for now */
    ACCOUNT_DOWN    /* the password database cannot be asked for now */
};

struct account {
    struct bytes user, home;
    uid_t uid;
    gid_t gid;
    struct view dash, ext; /* ext is a part of the local part */
};

/* Answers whether name is an account and, unless any is set, a user. Fills in
 * user, home, uid and gid. */
typedef enum account_result account_asked(const char *name, bool any,
                                          struct account *a);

/* Finds the owner of local, whose parts are separated by the byte separator:
 * asks about all of local, then about what is before each separator from the
 * right to the left, then about alias. Names are asked in lower case. */
enum account_result account_find(struct view local, char separator, const char *alias,
                                 account_asked *ask, struct account *a);

/* The answer that an entry of the password database stands for; it may look at the
 * home. ACCOUNT_FOUND: a is filled in. */
enum account_result account_take(bool any, const struct passwd_entry *entry,
                                 struct account *a);

/* The true answers: from the password database, and a look at the home. */
enum account_result account_ask_system(const char *name, bool any, struct account *a);

/* The same from the password file alone, which is quick: account_file.c. Begin tells
 * whether the file is the first that libc would ask. ACCOUNT_DOWN: the file cannot
 * tell, and account_ask_system() is to be asked. */
bool account_file_begin(void);
enum account_result account_ask_file(const char *name, bool any, struct account *a);

#endif
