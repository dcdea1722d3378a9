/* rspawn - what qmail-remote printed, turned into one report, as a part of
 * qmail-rspawn.
 *
 * qmail-remote prints a string for the recipient ('r' accepted, 'h' refused, 's'
 * refused for now, then text) and one for the message ('K', 'Z', 'D', then text),
 * each ended by a NUL. */
#ifndef DELIVER_RSPAWN_H
#define DELIVER_RSPAWN_H

#include "base/bytes.h"

enum {
    RSPAWN_MAX_TEXT = 10000 /* bytes kept of each of the first two texts */
};

/* What has come so far. {0} is nothing. Bytes after the last NUL are no string. */
struct rspawn_output {
    bool any;              /* there was output */
    char first;            /* its first byte */
    char message_letter;   /* of the first string that begins with K, Z or D; 0: no
                              such string */
    unsigned strings;      /* how many are whole */
    bool in_string;        /* the next byte is not the first of a string */
    char letter;           /* the first byte of the string on its way */
    char letters[2];       /* the first bytes of the first two strings, 0 where a
                              string is empty; good once whole */
    struct bytes texts[2]; /* the rest of these strings */
};

/* Adds a piece of output. */
void rspawn_take(struct rspawn_output *o, struct view piece);

/* Appends the report for a qmail-remote that ended with status, as wait(2) tells
 * it. */
void rspawn_report(struct bytes *report, int status, const struct rspawn_output *o);

void rspawn_free(struct rspawn_output *o);

#endif
