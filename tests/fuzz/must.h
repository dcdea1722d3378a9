/* must - what a fuzz target says of its subject, and how it takes its input apart. */
#ifndef TESTS_FUZZ_MUST_H
#define TESTS_FUZZ_MUST_H

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define must(promise) must_be(promise, #promise, __FILE__, __LINE__)

static inline void must_be(bool kept, const char *promise, const char *file, int line)
{
    if (kept)
        return;
    fprintf(stderr, "%s:%d: broken: %s\n", file, line, promise);
    abort();
}

static inline struct view input_of(const uint8_t *data, size_t len)
{
    return view_at((const char *)data, len);
}

/* The next byte as a number, 0 behind the end. */
static inline unsigned take_number(struct view *in)
{
    if (in->len == 0)
        return 0;
    unsigned char n = (unsigned char)in->data[0];
    *in = view_from(*in, 1);
    return n;
}

/* The next piece, at most so many bytes. */
static inline struct view take_piece(struct view *in, size_t most)
{
    struct view piece = view_before(*in, most < in->len ? most : in->len);
    *in = view_from(*in, piece.len);
    return piece;
}

/* How long the pieces are in which the rest is to be given: few bytes, but a long input
 * is not given in more than some dozen. */
static inline size_t take_step(struct view *in)
{
    unsigned n = take_number(in);
    return 1 + n % 32 + in->len / 64;
}

/* A file without a name, in memory where that is to be had. */
static inline int nameless_file(void)
{
    char memory[] = "/dev/shm/fuzz.XXXXXX", disk[] = "/tmp/fuzz.XXXXXX";
    int fd = mkstemp(memory);
    if (fd != -1)
        unlink(memory);
    else if ((fd = mkstemp(disk)) != -1)
        unlink(disk);
    must(fd != -1);
    return fd;
}

static inline bool is_printable_text(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if (v.data[i] < ' ' || v.data[i] > '~')
            return false;
    return true;
}

#endif
