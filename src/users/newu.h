/* newu - the lines of users/assign (man page qmail-users) as parts of
 * qmail-newu. */
#ifndef USERS_NEWU_H
#define USERS_NEWU_H

#include "base/bytes.h"

enum newu_line {
    NEWU_RECORD, /* key and data are what goes into the database */
    NEWU_END,    /* the line that ends the file */
    NEWU_BAD
};

/* The last bytes of prefixes, each once, in the order in which they came. */
struct newu_wildcards {
    bool seen[256];
    struct bytes list;
};

/* Reads one line, without its line feed. key and data are replaced; a wildcard's
 * last byte is added to wildcards. */
enum newu_line newu_read(struct view line, struct bytes *key, struct bytes *data,
                         struct newu_wildcards *wildcards);

#endif
