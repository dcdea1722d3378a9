/* loop - what a daemon waits for, collected anew at each turn.
 *
 * The parts of a daemon say what they want with loop_want() and loop_wake_*();
 * loop_wait() sleeps until something of it is there; then each part asks
 * loop_ready() for its descriptors. Any number of descriptors, of any value.
 *
 * A daemon with thousands of descriptors that seldom change begins once, keeps
 * its wants from turn to turn and takes them back with loop_drop(). */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "base/bytes.h"

#include <poll.h>

struct loop {
    struct pollfd *wants;
    size_t count, room;
    int64_t wake_ms; /* on the steady clock; INT64_MAX: never */
};

/* Begins a turn: nothing is wanted. {0} is a valid loop. */
void loop_begin(struct loop *l);

/* Wakes when fd is ready for events (POLLIN, POLLOUT), has an error or was
 * closed. The number given back is for loop_ready(). */
size_t loop_want(struct loop *l, int fd, short events);

/* Takes back want. The last want gets its number; the number that it had until
 * now is given back (want itself, where that was the last). */
size_t loop_drop(struct loop *l, size_t want);

/* Wakes no later than: at once; at a time of the steady clock; in so many
 * seconds of any clock. */
void loop_wake_now(struct loop *l);
void loop_wake_at(struct loop *l, int64_t steady_ms);
void loop_wake_in_s(struct loop *l, int64_t seconds);

/* Sleeps. A signal ends the sleep; nothing is ready then. False with errno set
 * when waiting itself failed; nothing is ready then. */
bool loop_wait(struct loop *l);

/* Whether the descriptor of that loop_want() may be read or written, which may
 * then find an error or the end. */
bool loop_ready(const struct loop *l, size_t want);

#endif
