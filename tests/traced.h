/* traced - starts a command under ptrace(2). */
#ifndef TESTS_TRACED_H
#define TESTS_TRACED_H

#include <sys/types.h>

/* Starts command, which the caller traces with these PTRACE_O_ options from before its
 * exec on. Its number; ends this program where it cannot be started or traced. */
pid_t traced_start_or_die(char **command, long options);

#endif
