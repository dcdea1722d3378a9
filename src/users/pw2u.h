/* pw2u - accounts as lines of users/assign (man page qmail-pw2u). */
#ifndef USERS_PW2U_H
#define USERS_PW2U_H

#include "base/bytes.h"
#include "mail/control.h"

/* What to do where a home directory does not exist. One that is somebody else's
 * makes its user be skipped. */
enum pw2u_homes {
    PW2U_HOMES_SKIP,  /* skip the user */
    PW2U_HOMES_STOP,  /* stop altogether */
    PW2U_HOMES_IGNORE /* never look */
};

struct pw2u_options {
    enum pw2u_homes homes;
    bool upper_case; /* take names with capital letters */
    bool extensions; /* write lines for user-anything */
    char separator;  /* what stands between user and anything */
    struct view dash;
};

/* Reads the arguments. False with the text for descriptor 2 in complaint. */
bool pw2u_options_read(struct pw2u_options *options, char **argv,
                       struct bytes *complaint);

/* The files in users/ that say who gets which lines. */
struct pw2u_rules {
    bool include_all;
    struct control_list include, exclude, mailnames;
};

/* An account. Only uid has been looked at; the others are text as it came. */
struct pw2u_user {
    struct view name, uid_text, gid_text, home;
    uint64_t uid;
};

/* Takes a line of a password file apart, which has no line feed. False where it
 * is none, or that of root. The views lie in line. */
bool pw2u_user_read(struct view line, struct pw2u_user *user);

/* Whether the name is one that shall get mail. */
bool pw2u_user_wanted(const struct pw2u_user *user, const struct pw2u_options *options,
                      const struct pw2u_rules *rules);

enum pw2u_home { PW2U_HOME_GOOD, PW2U_HOME_SKIP, PW2U_HOME_STOP };

/* Looks at the home directory. */
enum pw2u_home pw2u_check_home(const struct pw2u_user *user, enum pw2u_homes homes);

/* Appends the lines of an accepted user. */
void pw2u_add_user(struct bytes *out, const struct pw2u_user *user,
                   const struct pw2u_options *options, const struct pw2u_rules *rules);

/* A further name of an accepted user. */
struct pw2u_subuser {
    struct view name, user, prefix;
};

/* Takes a line of users/subusers apart. False where it is none. */
bool pw2u_subuser_read(struct view line, struct pw2u_subuser *sub);

/* Appends its lines. */
void pw2u_add_subuser(struct bytes *out, const struct pw2u_subuser *sub,
                      const struct pw2u_user *user, const struct pw2u_options *options);

/* The accepted users, for the subusers that come later. {0} is empty. */
struct pw2u_accepted {
    struct bytes lines; /* name:uid:gid:home NUL */
    struct table table; /* of views into lines, made by the first search */
};

void pw2u_accepted_add(struct pw2u_accepted *a, const struct pw2u_user *user);

/* The last one of that name, ASCII case aside. None can be added afterwards. */
bool pw2u_accepted_find(struct pw2u_accepted *a, struct view name,
                        struct pw2u_user *user);

void pw2u_accepted_free(struct pw2u_accepted *a);

#endif
