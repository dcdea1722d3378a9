/* hops - how often a message has been handed on already.
 *
 * Counts the fields Received and Delivered-To in the header of a message that
 * comes in blocks, split anywhere. A message that has too many goes in circles. */
#ifndef ACCEPT_HOPS_H
#define ACCEPT_HOPS_H

#include "base/bytes.h"

enum { HOPS_TOO_MANY = 100 };

enum hops_place {
    HOPS_LINE_START,
    HOPS_NAME,    /* what has been read of the line begins one of the names */
    HOPS_BLANK,   /* a name and blanks have been read */
    HOPS_OTHER,   /* in the rest of a line */
    HOPS_LONE_CR, /* a CR at the start of a line */
    HOPS_BODY     /* the header is over */
};

/* {0} is the state before a message. */
struct hops {
    enum hops_place place;
    unsigned count;
    size_t name, matched; /* HOPS_NAME: which name, and how many bytes of it */
};

/* Reads the next bytes of the message. Lines end in LF; a CR before it is not
 * looked at. */
void hops_count(struct hops *h, struct view more);

#endif
