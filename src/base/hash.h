/* hash - a hash whose values nobody outside can foresee.
 *
 * For tables whose keys strangers choose: who does not know the key cannot make names
 * that collide. SipHash-2-4 (Aumasson and Bernstein, 2012). */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/bytes.h"

struct hash_key {
    uint64_t low, high;
};

/* A key that nobody can guess. */
struct hash_key hash_key_random(void);

uint64_t hash_of(struct hash_key key, struct view v);

#endif
