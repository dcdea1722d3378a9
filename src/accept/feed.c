#include "accept/feed.h"

#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/process.h"
#include "base/reader.h"
#include "base/writer.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

static pid_t start_or_die(const char *name, char *const *argv, int input)
{
    struct bytes before = {0};

    bytes_add_text(&before, name);
    bytes_add_text(&before, ": fatal: unable to run ");
    bytes_add_text(&before, argv[0]);
    bytes_add_text(&before, ": ");
    struct process child = {
        .argv = argv,
        .fds = {{input, 0}},
        .fd_count = 1,
        .default_sigpipe = true,
        .failures = {DIE_TEMP, DIE_TEMP, DIE_TEMP, DIE_TEMP, DIE_TEMP},
        .complaint = {.exec = bytes_cstring(&before), .after = "\n"},
    };
    pid_t pid = process_start(&child);
    if (pid == -1)
        die_temp("unable to fork: %s", error_text(errno));
    bytes_free(&before);
    return pid;
}

/* text, then all of descriptor 0, to fd, which is closed. False where descriptor
 * 0 cannot be read; fd stays open then. */
static bool copy_input(int fd, struct view text)
{
    static struct reader in;
    static struct writer out;
    struct view unread;
    enum read_result result;

    reader_open(&in, 0, 0);
    writer_open(&out, fd, 0);
    writer_add(&out, text);
    do {
        result = reader_peek(&in, &unread);
        if (result != READ_ITEM)
            break;
        writer_add(&out, unread);
        reader_skip(&in, unread.len);
    } while (!out.error); /* the program has not closed its input */
    if (result == READ_FAILED)
        return false;
    writer_finish(&out, WRITER_FLUSH | WRITER_CLOSE);
    return true;
}

int feed_or_die(const char *name, char *const *argv, struct view text)
{
    int pipe[2];
    int status;

    if (!fd_fill_standard() || !fd_pipe(pipe))
        die_temp("unable to create pipe: %s", error_text(errno));
    pid_t pid = start_or_die(name, argv, pipe[0]);
    fd_close(&pipe[0]);
    bool whole = copy_input(pipe[1], text);
    int error = errno; /* if not whole */
    if (!whole)
        kill(pid, SIGKILL);
    if (!process_wait(pid, &status))
        die_temp("wait failed: %s", error_text(errno));
    if (!whole)
        die_temp("read error: %s", error_text(error));
    if (!WIFEXITED(status))
        die_temp("child crashed");
    return WEXITSTATUS(status);
}
