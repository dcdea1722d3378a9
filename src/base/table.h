/* table - names and what belongs to them, found without regard to ASCII case. */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/bytes.h"

struct table_entry {
    struct view key, value;
    uint32_t hash;
    bool used;
};

/* {0} is a valid empty table. Keys and values are views: their owner must keep
 * the bytes for as long as the table is used. */
struct table {
    struct table_entry *entries;
    size_t count, room;
};

/* Adds an entry; one with an equal key is replaced. */
void table_add(struct table *t, struct view key, struct view value);

/* Whether key is there; *value (may be NULL) is what belongs to it. */
bool table_find(const struct table *t, struct view key, struct view *value);

void table_free(struct table *t);

/* A number that keys which are equal but for ASCII case share. */
uint32_t table_hash(struct view key);

#endif
