/* writer - buffered output to a descriptor, with a time limit.
 *
 * Writes need no check one by one: the first error stays, later writes do
 * nothing, and writer_finish() tells. */
#ifndef BASE_WRITER_H
#define BASE_WRITER_H

#include "base/bytes.h"

enum { WRITER_ROOM = 16384 };

enum writer_end {
    WRITER_FLUSH = 0, /* write what is in the buffer */
    WRITER_SYNC = 1,  /* and fsync */
    WRITER_CLOSE = 2  /* and close */
};

struct writer {
    int fd;
    unsigned timeout_s; /* for each wait; 0: no limit */
    int error;          /* errno of the first failure, which stays */
    size_t used;
    char data[WRITER_ROOM];
};

/* Writes to fd, which stays the caller's, waiting at most timeout_s seconds (0:
 * for ever) before each piece that it takes, also where the descriptor blocks. */
void writer_open(struct writer *w, int fd, unsigned timeout_s);

/* Appends. Large pieces are passed on without being copied. */
void writer_add(struct writer *w, struct view v);
void writer_add_text(struct writer *w, const char *text);
void writer_add_byte(struct writer *w, char byte);
void writer_add_number(struct writer *w, uint64_t n);

/* Writes out the buffer. False, with errno set, if this or anything before
 * failed. */
bool writer_flush(struct writer *w);

/* The same, then what how says, a union of enum writer_end. The descriptor is
 * closed even after a failure. False, with errno set to the first error. */
bool writer_finish(struct writer *w, unsigned how);

/* Writes all of v to fd, waiting where it must. False with errno set. */
bool write_all(int fd, struct view v);

#endif
