#include "deliver/local.h"

#include "base/die.h"
#include "base/error.h"
#include "base/process.h"
#include "base/writer.h"
#include "conf.h"
#include "mail/enqueue.h"
#include "mail/maildir.h"
#include "mail/mbox.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void local_rewind_or_die(void)
{
    if (lseek(0, 0, SEEK_SET) == -1)
        die_raw(LOCAL_TEMP, "Unable to rewind message. (#4.3.0)\n");
}

static _Noreturn void die_of_fork(void)
{
    die_raw(LOCAL_TEMP, "Unable to fork: %s. (#4.3.0)\n", error_text(errno));
}

static _Noreturn void die_of_crash(void)
{
    die_raw(LOCAL_TEMP, "Aack, child crashed. (#4.3.0)\n");
}

void local_to_mbox_or_die(const struct local *d, const char *path)
{
    struct bytes head = {0};

    local_rewind_or_die();
    bytes_add(&head, bytes_view(&d->from));
    bytes_add(&head, bytes_view(&d->return_path));
    bytes_add(&head, bytes_view(&d->delivered_to));
    switch (mbox_append(path, bytes_view(&head), 0)) {
    case MBOX_DONE:
        break;
    case MBOX_NOT_OPEN:
        die_raw(LOCAL_TEMP, "Unable to open %s: %s. (#4.2.1)\n", path,
                error_text(errno));
    case MBOX_LOCKED:
        die_raw(LOCAL_TEMP, "File has been locked for %d seconds straight. (#4.3.0)\n",
                MBOX_LOCK_S);
    case MBOX_UNREADABLE:
        die_raw(LOCAL_TEMP, "Unable to read message: %s. (#4.3.0)\n",
                error_text(errno));
    case MBOX_NOT_WRITTEN:
        die_raw(LOCAL_TEMP, "Unable to write %s: %s. (#4.3.0)\n", path,
                error_text(errno));
    }
    bytes_free(&head);
}

#define TIMED_OUT "Timeout on maildir delivery. (#4.3.0)\n"

/* By a signal handler. */
static void die_of_timeout(void)
{
    write_all(2, VIEW(TIMED_OUT));
    _exit(LOCAL_TEMP);
}

void local_to_maildir_or_die(const struct local *d, const char *path)
{
    struct bytes head = {0};

    local_rewind_or_die();
    bytes_add(&head, bytes_view(&d->return_path));
    bytes_add(&head, bytes_view(&d->delivered_to));
    switch (maildir_deliver(path, bytes_view(&head), 0, die_of_timeout)) {
    case MAILDIR_DONE:
        break;
    case MAILDIR_NO_DIRECTORY:
        die_raw(LOCAL_TEMP, "Unable to chdir to maildir. (#4.2.1)\n");
    case MAILDIR_TIMEOUT:
        die_raw(LOCAL_TEMP, TIMED_OUT);
    case MAILDIR_UNREADABLE:
        die_raw(LOCAL_TEMP, "Unable to read message. (#4.3.0)\n");
    case MAILDIR_TROUBLE:
        die_raw(LOCAL_TEMP, "Temporary error on maildir delivery. (#4.3.0)\n");
    case MAILDIR_CRASHED:
        die_of_crash();
    case MAILDIR_NO_PROCESS:
        die_of_fork();
    }
    bytes_free(&head);
}

/* What a program says by its exit code, beside 0 and 99. */
static bool is_permanent(int code)
{
    static const int permanent[] = {100, 64, 65, 70, 76, 77, 78, 112};
    for (size_t i = 0; i < COUNT(permanent); i++)
        if (code == permanent[i])
            return true;
    return false;
}

bool local_to_program_or_die(const char *command)
{
    enum { DONE = 0, DONE_AND_NO_MORE = 99 };
    static char shell[] = "/bin/sh", option[] = "-c";
    struct bytes copy = {0}; /* exec wants arguments that it may write to */
    int status;

    local_rewind_or_die();
    bytes_add(&copy, view_at(command, strlen(command) + 1));
    char *argv[] = {shell, option, copy.data, NULL};
    struct process p = {
        .path = shell,
        .argv = argv,
        .default_sigpipe = true,
        .failures = {.exec_temp = LOCAL_TEMP, .exec_perm = LOCAL_TEMP},
        .complaint = {.exec = "Unable to run /bin/sh: ", .after = ". (#4.3.0)\n"},
    };
    pid_t pid = process_start(&p);
    if (pid == -1)
        die_of_fork();
    bytes_free(&copy);
    if (!process_wait(pid, &status) || !WIFEXITED(status))
        die_of_crash();
    int code = WEXITSTATUS(status);
    if (code != DONE && code != DONE_AND_NO_MORE)
        _exit(is_permanent(code) ? LOCAL_PERM : LOCAL_TEMP); /* it has said why */
    return code == DONE;
}

static _Noreturn void die_of_forward(int code, const char *why)
{
    die_raw(code, "Unable to forward message: %s.\n", why);
}

void local_forward_or_die(const struct local *d, struct local_done *done)
{
    static struct enqueue queue;
    struct enqueue_answer answer;
    struct view rest = bytes_view(&done->recipients);

    local_rewind_or_die();
    if (!enqueue_start(&queue, CONF_QMAIL))
        die_of_fork();
    enqueue_message(&queue, bytes_view(&d->delivered_to));
    bool whole = enqueue_message_from(&queue, 0);
    enqueue_sender(&queue, bytes_view(&d->new_sender));
    while (rest.len)
        enqueue_recipient(&queue, view_cut(&rest, '\0'));
    enqueue_finish(&queue, &answer);
    if (!whole)
        die_of_forward(LOCAL_TEMP, "qq read error (#4.3.0)");
    if (answer.verdict != ENQUEUE_QUEUED)
        die_of_forward(answer.verdict == ENQUEUE_PERM ? LOCAL_PERM : LOCAL_TEMP,
                       answer.text);
    done->queued_by = answer.pid;
}
