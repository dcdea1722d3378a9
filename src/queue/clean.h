/* clean - the parts of qmail-clean: what is asked, what is old. */
#ifndef QUEUE_CLEAN_H
#define QUEUE_CLEAN_H

#include "base/bytes.h"
#include "base/reader.h"

#include <sys/types.h>

enum {
    CLEAN_MAX_REQUEST = 99,       /* bytes, without the NUL */
    CLEAN_REQUESTS_PER_SWEEP = 31 /* then the pid files are looked at again */
};

/* clean_request */

struct clean_request {
    enum clean_deed {
        CLEAN_MESSAGE, /* "foop/N": the message is done with */
        CLEAN_TODO     /* "todo/N": its envelope has been preprocessed */
    } deed;
    ino_t message;
};

enum clean_letter {
    CLEAN_DONE = '+',   /* what was to go is not there (any more) */
    CLEAN_FAILED = '!', /* try again later */
    CLEAN_NO_REQUEST = 'x'
};

/* Reads up to the NUL of the next request. READ_ITEM, READ_END or READ_FAILED: one that
 * is too long is read to its end, so that it gets one answer; its beginning alone, all
 * that is kept, is too long to be taken for a request. */
enum read_result clean_next_request(struct reader *requests, struct bytes *text);

/* Takes a request apart. Numbers may have leading zeros. */
bool clean_parse(struct view text, struct clean_request *request);

/* Does what text asks for; the directory is the queue. */
enum clean_letter clean_answer(struct view text);

/* clean_sweep */

/* Removes the files in pid/ that nobody can be writing any more at the time now:
 * last read and last changed QUEUE_ABANDONED_S before it, or longer ago. */
void clean_sweep(int64_t now);

#endif
