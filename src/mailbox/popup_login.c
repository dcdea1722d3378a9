#include "base/fd.h"
#include "base/process.h"
#include "base/writer.h"
#include "mailbox/popup.h"

#include <sys/wait.h>
#include <unistd.h>

enum { FD_SECRET = 3, EXIT_NOT_RUN = 111 };

static enum popup_login judge(int status)
{
    if (!WIFEXITED(status))
        return POPUP_CRASHED;
    return WEXITSTATUS(status) == 0 ? POPUP_SERVED : POPUP_REFUSED;
}

/* Puts the secret into a pipe before anybody reads there: it takes some thousand
 * bytes at once, and a program that ends early cannot be in the way. */
static bool fill_pipe(int ends[2], struct view secret)
{
    ssize_t written = -1;
    if (fd_nonblocking(ends[1]))
        written = write(ends[1], secret.data, secret.len);
    fd_close(&ends[1]);
    return written == (ssize_t)secret.len;
}

static pid_t start(char **program, int secret_fd)
{
    const struct process p = {
        .argv = program,
        .fds = {{secret_fd, FD_SECRET}},
        .fd_count = 1,
        .default_sigpipe = true,
        .failures = {EXIT_NOT_RUN, EXIT_NOT_RUN, EXIT_NOT_RUN, EXIT_NOT_RUN,
                     EXIT_NOT_RUN},
    };
    return process_start(&p);
}

enum popup_login popup_run(char **program, struct bytes *secret)
{
    int ends[2] = {-1, -1}, status;
    enum popup_login result = POPUP_NO_PIPE;

    if (fd_pipe(ends)) {
        result = POPUP_NOT_WRITTEN;
        if (fill_pipe(ends, bytes_view(secret)))
            result = POPUP_SERVED;
    }
    bytes_wipe(secret);
    if (result == POPUP_SERVED) {
        pid_t pid = start(program, ends[0]);
        fd_close(&ends[0]); /* or a program that does not read would not be noticed */
        result = POPUP_NO_FORK;
        if (pid != -1 && process_wait(pid, &status))
            result = judge(status);
    }
    fd_close(&ends[0]);
    fd_close(&ends[1]);
    return result;
}
