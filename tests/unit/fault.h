/* fault - system calls that fail when a test wants it.
 *
 * A test that includes this is linked with functions that stand before those of
 * libc. They do what libc's do, but the one that was asked for fails instead:
 *
 *     fault_at("fsync", 1, EIO);
 *     ok(!file_sync(fd) && errno == EIO, ...);
 *     fault_end();
 *
 * or, to have each call of an operation fail in turn:
 *
 *     for (int n = 1; fault_at(NULL, n, EIO), operation(), fault_end(); n++)
 *         ... what must hold, as call n failed */
#ifndef TESTS_FAULT_H
#define TESTS_FAULT_H

#include <stdbool.h>
#include <stdint.h>

/* From now on call number nth of the function name, NULL for any, fails with error;
 * every one where nth is 0. What is not a function of fault.c never fails. Until
 * fault_end() no thread can be made: calls come one after the other. */
void fault_at(const char *name, int nth, int error);

/* All is well again. Whether anything failed: in this process, or one that borrows
 * its memory. */
bool fault_end(void);

/* From now on each look at a clock is so many milliseconds later than it is, and than
 * the one before: time goes by without waiting. 0: no more. */
void fault_clock(int64_t step_ms);

/* The name of what failed last, "" for nothing. */
const char *fault_name(void);

#endif
