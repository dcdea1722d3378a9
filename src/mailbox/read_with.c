#include "mailbox/read_with.h"

#include "base/die.h"
#include "base/error.h"
#include "base/process.h"
#include "base/signals.h"
#include "conf.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* maildir2mbox says itself why it fails. */
static void move_mail_or_die(void)
{
    static char program[] = CONF_QMAIL "/bin/maildir2mbox";
    char *argv[] = {program, NULL};
    struct process move = {
        .path = program,
        .argv = argv,
        .failures = {.exec_temp = DIE_TEMP, .exec_perm = DIE_TEMP},
        .complaint = {.exec = "unable to run " CONF_QMAIL "/bin/maildir2mbox: ",
                      .after = "\n"},
    };
    int status;

    signals_default(SIGCHLD); /* or its end would be lost */
    pid_t pid = process_start(&move);
    if (pid == -1)
        die_temp("unable to fork: %s", error_text(errno));
    if (!process_wait(pid, &status) || !WIFEXITED(status))
        die_temp("maildir2mbox crashed");
    if (WEXITSTATUS(status) != 0)
        _exit(WEXITSTATUS(status));
}

_Noreturn void read_with_or_die(char *reader, char **argv)
{
    char *alone[] = {reader, NULL};

    move_mail_or_die();
    if (argv[0])
        argv[0] = reader;
    else
        argv = alone;
    execvp(reader, argv);
    die_temp("unable to run %s: %s", reader, error_text(errno));
}
