#include "dotqmail/verdict.h"

#include "base/die.h"
#include "base/error.h"
#include "base/process.h"
#include "base/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

enum { YES = 0, NO = 1, CANNOT_TELL = 111 };

bool verdict_or_die(char *const *argv)
{
    struct process p = {
        .argv = argv,
        .failures = {.exec_temp = CANNOT_TELL, .exec_perm = NO},
    };
    int status;

    signals_default(SIGCHLD); /* or its end would be lost */
    pid_t pid = process_start(&p);
    if (pid == -1)
        die_temp("unable to fork: %s", error_text(errno));
    if (!process_wait(pid, &status) || !WIFEXITED(status))
        die_temp("child crashed");
    if (WEXITSTATUS(status) == CANNOT_TELL)
        die_temp("temporary child error");
    return WEXITSTATUS(status) == YES;
}
