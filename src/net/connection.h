/* connection - a dialogue over two descriptors, with time limits.
 *
 * For both ends of SMTP, POP3 and their like. What is written is collected, and
 * leaves when the buffer is full, at connection_flush(), and always before the
 * other side is waited for: so pipelined commands or replies share one write and
 * none is held back. Lines and blocks are read and written through in and out
 * themselves (base/reader.h, base/writer.h). Below a running dialogue the
 * descriptors can be changed for others, which is how TLS gets in. */
#ifndef NET_CONNECTION_H
#define NET_CONNECTION_H

#include "base/reader.h"
#include "base/writer.h"

struct connection {
    struct reader in;
    struct writer out;
    unsigned timeout_s; /* for each wait in either direction; 0: no limit */
    int64_t end_ms;     /* the whole dialogue's end, on the steady clock */
};

/* Why reading or writing failed. */
enum connection_trouble {
    CONNECTION_ENDED,  /* the other side has nothing more to say */
    CONNECTION_LOST,   /* an error of reading, or any of writing */
    CONNECTION_SILENT, /* nothing came within the time limit */
    CONNECTION_EXPIRED /* the end of connection_end_at() has come */
};

/* Reads in_fd and writes out_fd, which may be the same and stay the caller's.
 * c must not be moved afterwards. */
void connection_open(struct connection *c, int in_fd, int out_fd, unsigned timeout_s);

/* Another time limit from now on. */
void connection_timeout(struct connection *c, unsigned timeout_s);

/* No read begins or lasts after that time of the steady clock (by more than a
 * second); INT64_MAX, as at the beginning: no end. */
void connection_end_at(struct connection *c, int64_t steady_ms);

/* Goes on with other descriptors. Input that was read ahead from the old one is
 * forgotten, so that nothing said in clear text counts under TLS. Flush before. */
void connection_switch(struct connection *c, int in_fd, int out_fd);

/* Writes out what was collected. False, with errno set, if this or an earlier
 * write failed. */
bool connection_flush(struct connection *c);

/* Asked after a read gave READ_END or READ_FAILED. */
enum connection_trouble connection_trouble(const struct connection *c);

#endif
