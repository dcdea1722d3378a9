/* envelope - the records of an envelope in the queue (files todo/N, intd/N).
 *
 * Each is a letter and a value, ended by a NUL; u and p come first, then F, then
 * the T records. A queue may be older than this program and was perhaps damaged,
 * so every file is read as foreign bytes, a record at a time. */
#ifndef MAIL_ENVELOPE_H
#define MAIL_ENVELOPE_H

#include "base/bytes.h"
#include "base/reader.h"

enum envelope_letter {
    ENVELOPE_UID = 'u',      /* decimal: real user id of qmail-queue's caller */
    ENVELOPE_PID = 'p',      /* decimal: process id of qmail-queue */
    ENVELOPE_SENDER = 'F',   /* unquoted address, may be empty */
    ENVELOPE_RECIPIENT = 'T' /* unquoted address */
};

/* The longest record with its letter. qmail-queue makes none of more than
 * QUEUE_MAX_ADDRESS bytes, but others may have written this queue. */
enum { ENVELOPE_MAX_RECORD = 1048576 };

enum envelope_result {
    ENVELOPE_RECORD,
    ENVELOPE_END,       /* every record has been given */
    ENVELOPE_TRUNCATED, /* the file ends inside a record: its NUL is missing */
    ENVELOPE_UNKNOWN,   /* a record of another letter, '\0' for none at all; it is
                           given, and the next call goes on behind it */
    ENVELOPE_TOO_LONG,  /* a record of more than ENVELOPE_MAX_RECORD bytes */
    ENVELOPE_FAILED     /* read error, see r->error */
};

struct envelope_record {
    char letter;
    struct view value; /* good until room changes */
};

/* Reads the next record into room, which the caller keeps for all of them. */
enum envelope_result envelope_next(struct reader *r, struct bytes *room,
                                   struct envelope_record *record);

#endif
