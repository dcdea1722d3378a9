/* clock - the time of day, and time that only goes forward. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Seconds since 1970, by the wall clock, which an admin may set. For dates and
 * for what is kept on disk. */
int64_t clock_now(void);

/* The same in microseconds, for log lines. */
int64_t clock_now_us(void);

/* Milliseconds on a clock that nobody can set. For intervals and time limits. */
int64_t clock_steady_ms(void);

#endif
