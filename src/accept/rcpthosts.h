/* rcpthosts - the domains this host takes mail for (man page qmail-control).
 *
 * control/rcpthosts is the list, control/morercpthosts.cdb a database with more
 * of the same. Without control/rcpthosts every domain is taken. */
#ifndef ACCEPT_RCPTHOSTS_H
#define ACCEPT_RCPTHOSTS_H

#include "mail/control.h"

struct rcpthosts {
    bool all; /* there is no list: every domain */
    struct control_list list;
    int more_fd; /* control/morercpthosts.cdb, or -1 */
};

enum rcpthosts_result {
    RCPTHOSTS_ALLOWED,
    RCPTHOSTS_REFUSED,
    RCPTHOSTS_FAILED /* the database cannot be read; errno says why */
};

/* Reads the list and opens the database, from HOME. False with errno set where
 * one of them is there but not to be had. */
bool rcpthosts_open(struct rcpthosts *r);

/* Whether mail for the envelope recipient may come in: its domain, or a suffix
 * of it that begins with a dot, is in the list or the database. An address
 * without '@' is this host's own business and always allowed. */
enum rcpthosts_result rcpthosts_check(const struct rcpthosts *r, struct view recipient);

#endif
