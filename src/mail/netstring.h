/* netstring - strings with their length in front, "5:hello,": QMTP and QMQP.
 *
 * A server reads the number, then the string itself in blocks, and then the comma. So
 * it is only the number that is parsed here: from pieces of any size, with no memory
 * but its value. */
#ifndef MAIL_NETSTRING_H
#define MAIL_NETSTRING_H

#include "base/bytes.h"

/* A number beyond this may not go on. The largest is therefore ten times as much, and
 * 9; leading zeros are borne. */
enum { NETSTRING_MAX = 200000000 };

enum netstring_result {
    NETSTRING_MORE,    /* the number is not over; rest is used up */
    NETSTRING_LENGTH,  /* the colon has come */
    NETSTRING_BAD,     /* a byte that is neither digit nor colon */
    NETSTRING_TOO_LONG /* any byte but the colon behind a number over NETSTRING_MAX */
};

/* Reads on in the number of a netstring from *rest, which is moved behind what has
 * been used. *len is 0 to begin with, which is also what a colon alone means. */
enum netstring_result netstring_length(struct view *rest, uint64_t *len);

/* How many bytes a string of len bytes takes as a netstring. */
uint64_t netstring_size(uint64_t len);

/* Appends what stands before a string of len bytes, and a whole netstring. */
void netstring_add_length(struct bytes *out, uint64_t len);
void netstring_add(struct bytes *out, struct view string);

#endif
