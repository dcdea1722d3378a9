#include "traced.h"

#include "base/die.h"
#include "base/error.h"

#include <errno.h>
#include <sys/ptrace.h>
#include <unistd.h>

pid_t traced_start_or_die(char **command, long options)
{
    int go[2];
    char byte = 0;

    if (pipe(go) != 0)
        die_temp("unable to make a pipe: %s", error_text(errno));
    pid_t child = fork();
    if (child == -1)
        die_temp("unable to fork: %s", error_text(errno));
    if (child == 0) {
        (void)close(go[1]);
        if (read(go[0], &byte, 1) != 1)
            _exit(DIE_TEMP);
        (void)close(go[0]);
        execvp(command[0], command);
        die_temp("unable to run %s: %s", command[0], error_text(errno));
    }
    if (ptrace(PTRACE_SEIZE, child, 0, options) != 0)
        die_temp("unable to trace: %s", error_text(errno));
    (void)close(go[0]);
    if (write(go[1], &byte, 1) != 1)
        die_temp("unable to start: %s", error_text(errno));
    (void)close(go[1]);
    return child;
}
