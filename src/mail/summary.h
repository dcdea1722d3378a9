/* summary - what a message is about, in a few bytes that a terminal may be given. */
#ifndef MAIL_SUMMARY_H
#define MAIL_SUMMARY_H

#include "base/bytes.h"

/* {0} is valid. Fields are without their name and the white space around; absent
 * ones are empty. Nothing but text has been made printable. */
struct summary {
    struct bytes return_path, delivered_to; /* of the first such fields */
    struct bytes from;                      /* the first From field, with its name */
    struct bytes text; /* every Subject and the body, printable, each other byte '/' */
};

/* Reads the message from fd; text gets at most max bytes. s is replaced. What cannot
 * be read is left out. */
void summary_read(struct summary *s, int fd, size_t max);

void summary_free(struct summary *s);

/* Appends v; a byte that is not printable, and could command a terminal, becomes
 * other. */
void summary_add_printable(struct bytes *out, struct view v, char other);

#endif
