/* domain - looking up a domain in a table whose entries may be suffixes.
 *
 * A key that begins with a dot stands for all domains that end in it
 * (".example" for "a.example", not for "example"). */
#ifndef MAIL_DOMAIN_H
#define MAIL_DOMAIN_H

#include "base/table.h"

/* The domain itself, then each rest of it that begins with a dot, longest first:
 * the first that is in the table. value may be NULL. (rcpthosts) */
bool domain_find(const struct table *t, struct view domain, struct view *value);

/* The same, and last the empty key. (virtualdomains, smtproutes) */
bool domain_find_or_default(const struct table *t, struct view domain,
                            struct view *value);

#endif
