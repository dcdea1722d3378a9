/* route - where a recipient goes: the rules of control/locals, virtualdomains,
 * percenthack and envnoathost (man pages qmail-send, qmail-control). */
#ifndef MAIL_ROUTE_H
#define MAIL_ROUTE_H

#include "mail/control.h"

enum route { ROUTE_LOCAL, ROUTE_REMOTE };

struct route_rules {
    struct bytes envnoathost; /* domain of addresses without one */
    struct control_list percenthack, locals, virtualdomains;
};

/* Reads control/locals. me (NULL: there is no control/me) stands in where that is
 * missing. False where it cannot be read, or both are missing. */
bool route_locals_read(struct control_list *locals, const struct bytes *me);

/* Reads all of the rules, which must be {0}. False where they cannot be read. */
bool route_rules_read(struct route_rules *rules, const struct bytes *me);

/* Rewrites recipient into out, which is replaced, and tells its channel. */
enum route route_recipient(const struct route_rules *rules, struct view recipient,
                           struct bytes *out);

/* The address that route_recipient() made rewritten of, as far as virtualdomains
 * had a part in it: a view into rewritten, without the prefix. */
struct view route_without_prefix(const struct route_rules *rules,
                                 struct view rewritten);

#endif
