/* qread - the parts of qmail-qread: what a listing of the queue looks like. */
#ifndef QUEUE_QREAD_H
#define QUEUE_QREAD_H

#include "base/bytes.h"

#include <sys/types.h>

struct qread_message {
    ino_t number;
    int64_t birth; /* seconds since 1970 */
    uint64_t size;
    struct view sender;
    bool bouncing; /* some recipient has failed for good */
};

enum qread_form {
    QREAD_TEXT, /* for people, byte for byte as it always was */
    QREAD_JSON  /* one object a line */
};

/* Append a message: its beginning, each record of its recipients, its end. out must
 * keep at least the last byte of what was appended before. */
void qread_add_message(struct bytes *out, enum qread_form form,
                       const struct qread_message *m);

/* A record as in the files local and remote, without its NUL. Those that begin with
 * another letter than T and D are passed over. */
void qread_add_record(struct bytes *out, enum qread_form form, const char *channel,
                      struct view record);

void qread_end_message(struct bytes *out, enum qread_form form);

#endif
