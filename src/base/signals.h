/* signals - signals as flags, and a descriptor that wakes a poll loop.
 *
 * A handler here sets a flag and writes a byte to a pipe, nothing else. */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

#include <stdbool.h>

/* Catches sig from now on, also where our parent left it blocked. False with errno set
 * (no pipe to be had). */
bool signals_catch(int sig);

/* Whether sig has come since this was last asked. */
bool signals_taken(int sig);

/* Readable once a caught signal has come. signals_clear() empties it; call that
 * before asking signals_taken(). */
int signals_fd(void);
void signals_clear(void);

void signals_ignore(int sig);
void signals_default(int sig);

/* When sig comes, unblocked from now on, the process ends at once with this code. */
void signals_exit_on(int sig, int code);

/* sig does nothing here any more, and has its default action in the programs we
 * start. With SIGXFSZ a file that grows too large is an error, EFBIG, and not the
 * end of the process. */
void signals_survive(int sig);

/* For a new process before exec: every caught signal gets its default action.
 * Safe where memory is shared with the parent. */
void signals_forget_in_child(void);

#endif
