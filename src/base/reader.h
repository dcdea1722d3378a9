/* reader - buffered input from a descriptor, with a time limit.
 *
 * A reader never reads ahead of what it hands out by more than its buffer, and
 * never grows: callers that want a whole item give a limit for it. */
#ifndef BASE_READER_H
#define BASE_READER_H

#include "base/bytes.h"

#include <sys/types.h>

enum { READER_ROOM = 32768 };

enum read_result {
    READ_ITEM,     /* here it is */
    READ_END,      /* end of input */
    READ_TOO_LONG, /* the item is longer than the limit */
    READ_FAILED    /* see reader.error: an errno value, ETIMEDOUT for the limit */
};

struct reader {
    int fd;
    unsigned timeout_s; /* for each wait; 0: no limit */
    int error;          /* errno of the first failure, which stays */
    bool ended;         /* end of input was seen, which stays */
    size_t step;        /* the most that is read at a time */
    size_t start, end;  /* the unread part of data */
    size_t touched;     /* so much of data has held input since the last wipe */
    void (*before_wait)(void *arg);
    void *before_wait_arg;
    char data[READER_ROOM];
};

/* Reads fd, which stays the caller's, waiting at most timeout_s seconds (0:
 * for ever) for each piece. */
void reader_open(struct reader *r, int fd, unsigned timeout_s);

/* Reads no more than so many bytes at a time from now on, at least 1. With 1 nothing
 * is read ahead at all: the rest is for the next reader of the descriptor. */
void reader_step(struct reader *r, size_t step);

/* before_wait(arg) is called whenever the buffer is empty and the descriptor is
 * about to be read: the place to flush replies. It may set r->error, which ends
 * the reading, and r->timeout_s. */
void reader_on_wait(struct reader *r, void (*before_wait)(void *arg), void *arg);

/* The unread bytes, at least one: reads if there are none. READ_ITEM, READ_END
 * or READ_FAILED. The view is good until the next call. */
enum read_result reader_peek(struct reader *r, struct view *unread);

/* Marks the first len of the bytes that reader_peek() gave as read. */
void reader_skip(struct reader *r, size_t len);

/* Reads up to the next byte of value delimiter, which is consumed and not
 * stored. item is replaced.
 * READ_ITEM      item is whole
 * READ_END       no delimiter came; item holds the rest of the input
 * READ_TOO_LONG  more than max bytes; item holds the first max, the others
 *                have not been consumed
 * READ_FAILED    item holds what came before the failure */
enum read_result reader_until(struct reader *r, char delimiter, size_t max,
                              struct bytes *item);

/* Drops what comes up to the next byte of value delimiter, and that byte.
 * READ_ITEM, READ_END or READ_FAILED. */
enum read_result reader_skip_past(struct reader *r, char delimiter);

/* Overwrites what is left in the buffer of bytes already read, which may have
 * been a password. */
void reader_wipe(struct reader *r);

/* One read(2) if the buffer is empty, without waiting: for descriptors that
 * poll(2) called readable. READ_ITEM also when nothing was there (EAGAIN). */
enum read_result reader_fill_now(struct reader *r);

/* Whether bytes are waiting in the buffer. */
bool reader_has(const struct reader *r);

/* One read(2) into the room bytes at to, without a buffer between: the number of
 * bytes, 0 at the end of input, -1 with errno set. Interruptions are borne, and
 * a descriptor that somebody made non-blocking is waited for. */
ssize_t read_some(int fd, char *to, size_t room);

/* Forgets what has been read ahead: after lseek(2). Clears the end of input. */
void reader_rewind(struct reader *r);

#endif
