/* rspawn - what qmail-remote printed, turned into reports, as a part of qmail-rspawn.
 *
 * qmail-remote prints a string for each recipient ('r' accepted, 'h' refused, 's'
 * refused for now, then text) and one for the message ('K', 'Z', 'D', then text),
 * each ended by a NUL. */
#ifndef DELIVER_RSPAWN_H
#define DELIVER_RSPAWN_H

#include "base/bytes.h"

enum {
    RSPAWN_MAX_TEXT = 10000 /* bytes kept of a text */
};

/* What qmail-remote said of one of several recipients. */
struct rspawn_fate {
    char letter; /* 'r', 'h' or 's' */
    struct bytes text;
};

/* What has come so far. {0} is nothing, of one recipient. Bytes after the last NUL are
 * no string. */
struct rspawn_output {
    bool any;                  /* there was output */
    char first;                /* its first byte */
    char message_letter;       /* of the first string that begins with K, Z or D; 0: no
                                  such string */
    unsigned strings;          /* how many are whole */
    bool in_string;            /* the next byte is not the first of a string */
    char letter;               /* the first byte of the string on its way */
    char letters[2];           /* the first bytes of the first two strings, 0 where a
                                  string is empty; good once whole */
    struct bytes texts[2];     /* the rest of these strings; of several recipients: the
                                  first is the message's */
    struct rspawn_fate *fates; /* of several recipients, in their order; NULL: there is
                                  one */
    size_t recipients, told;   /* how many there are, and how many fates are whole */
};

/* Says, before there is output, that there are several recipients. False: there is no
 * memory for that. */
bool rspawn_expect(struct rspawn_output *o, size_t recipients);

/* Adds a piece of output. */
void rspawn_take(struct rspawn_output *o, struct view piece);

/* Appends the report of a recipient, the first being number 0, for a qmail-remote that
 * ended with status, as wait(2) tells it. */
void rspawn_report(struct bytes *report, int status, const struct rspawn_output *o,
                   size_t number);

void rspawn_free(struct rspawn_output *o);

#endif
