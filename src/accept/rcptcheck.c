#include "accept/rcptcheck.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/number.h"
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* How the program ends; everything else is trouble. */
enum {
    EXIT_ACCEPTED = 0,
    EXIT_NO_MAILBOX = 100,
    EXIT_TROUBLE = 111,
    EXIT_ACCEPTED_TOO = 112,
    EXIT_OVER_LIMIT = 113
};

enum { FD_TEXT = 4, LIMIT_MS = 60000, POLL_MS = 20 };

static const char *const replies[] = {
    [RCPTCHECK_NO_MAILBOX] = "550 sorry, no mailbox here by that name. (#5.1.1)",
    [RCPTCHECK_OVER_LIMIT] = "421 you have exceeded your messaging limits (#4.3.0)",
    [RCPTCHECK_TROUBLE] = "451 unable to verify recipient (#4.3.0)",
};

/* What the program gets in its environment. All of it is made in one string, as
 * NAME=VALUE NUL, so that pointers into it are taken when it has stopped growing. */

static void add_variable(struct bytes *text, const char *name, struct view value)
{
    bytes_add_text(text, name);
    bytes_add(text, value);
    bytes_add_byte(text, '\0');
}

static const char *const names[] = {
    "SENDER=", "RECIPIENT=", "HELO=", "USE_FD4=", "RCPTHOSTS="};

static bool is_ours(const char *variable)
{
    for (size_t i = 0; i < COUNT(names); i++)
        if (view_starts(view_of(variable), view_of(names[i])))
            return true;
    return false;
}

/* Ours, then all others of our own environment. Release with heap_free(). */
static char **make_environment(struct bytes *text)
{
    size_t count = 0, inherited = 0;

    while (environ[inherited])
        inherited++;
    char **list = heap_array(inherited + COUNT(names) + 1, sizeof *list);
    for (size_t at = 0; at < text->len; at += strlen(text->data + at) + 1)
        list[count++] = text->data + at;
    for (size_t i = 0; i < inherited; i++)
        if (!is_ours(environ[i]))
            list[count++] = environ[i];
    list[count] = NULL;
    return list;
}

static pid_t start(const struct rcptcheck_question *q, int text_fd, int null_fd)
{
    struct bytes text = {0}, path = {0};

    add_variable(&text, names[0], q->sender);
    add_variable(&text, names[1], q->recipient);
    add_variable(&text, names[2], q->helo);
    add_variable(&text, names[3], VIEW("1"));
    add_variable(&text, names[4], VIEW("1"));
    bytes_add(&path, view_at(q->program, strlen(q->program) + 1));

    char **list = make_environment(&text);
    char *argv[] = {path.data, NULL};
    int output = q->quiet ? null_fd : 2;
    struct process p = {
        .path = q->program,
        .argv = argv,
        .env = list,
        .fds = {{null_fd, 0}, {output, 1}, {output, 2}, {text_fd, FD_TEXT}},
        .fd_count = 4,
        .default_sigpipe = true,
        .failures = {EXIT_TROUBLE, EXIT_TROUBLE, EXIT_TROUBLE, EXIT_TROUBLE,
                     EXIT_TROUBLE},
    };
    pid_t pid = process_start(&p);
    heap_free(list);
    bytes_free(&text);
    bytes_free(&path);
    return pid;
}

/* Reads what is there of the text and keeps its beginning; closes *fd at its end. */
static void read_text(int *fd, struct bytes *text)
{
    char block[512];

    while (*fd != -1) {
        ssize_t n = read(*fd, block, sizeof block);
        if (n > 0) {
            size_t room = RCPTCHECK_MAX_TEXT - text->len;
            bytes_add(text, view_at(block, (size_t)n < room ? (size_t)n : room));
        } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
            fd_close(fd);
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

/* Until there is text, or, behind its end, until a child dies; at most so long. */
static void rest(int fd, const sigset_t *death, int ms)
{
    if (fd == -1) {
        struct timespec most = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
        sigtimedwait(death, NULL, &most);
    } else {
        struct pollfd want = {.fd = fd, .events = POLLIN};
        poll(&want, 1, ms);
    }
}

/* Waits for the program, reading meanwhile so that it never waits for us. A process
 * that it left behind with the pipe is not waited for. death is blocked. */
static bool wait_for_end(pid_t pid, const sigset_t *death, int *fd, struct bytes *text,
                         int *status)
{
    int64_t end = clock_steady_ms() + LIMIT_MS;

    /* who keeps the pipe hides its end; so look again soon at first, then less often */
    for (int pause_ms = 1;; pause_ms = pause_ms < POLL_MS ? pause_ms * 2 : POLL_MS) {
        pid_t got = waitpid(pid, status, WNOHANG);
        if (got == -1 && errno != EINTR)
            return false;
        read_text(fd, text);
        if (got == pid)
            return true;
        if (clock_steady_ms() >= end) {
            kill(pid, SIGKILL);
            return process_wait(pid, status);
        }
        rest(*fd, death, pause_ms);
    }
}

bool rcptcheck_own_reply(struct view text, struct rcptcheck_reply *reply)
{
    enum { CODE = 3, LEAST = 400, LARGEST = 599 };
    struct view line = text, rest;
    uint64_t code;

    line = view_before(line, view_find(line, '\n'));
    line = view_trim_end(line, "\r");
    rest = line;
    if (!number_take(&rest, &code) || line.len - rest.len != CODE)
        return false;
    if (code < LEAST || code > LARGEST || rest.len == 0 || rest.data[0] != ' ')
        return false;
    for (size_t i = 0; i < line.len; i++) {
        char c = line.data[i];
        reply->text[i] = c < 32 || c > 126 ? '?' : c;
    }
    reply->text[line.len] = '\0';
    return true;
}

static enum rcptcheck_result judge(int status)
{
    switch (WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_TROUBLE) {
    case EXIT_ACCEPTED:
    case EXIT_ACCEPTED_TOO:
        return RCPTCHECK_ACCEPTED;
    case EXIT_NO_MAILBOX:
        return RCPTCHECK_NO_MAILBOX;
    case EXIT_OVER_LIMIT:
        return RCPTCHECK_OVER_LIMIT;
    default:
        return RCPTCHECK_TROUBLE;
    }
}

enum rcptcheck_result rcptcheck_ask(const struct rcptcheck_question *q,
                                    struct rcptcheck_reply *reply)
{
    int null_fd = fd_open("/dev/null", O_RDWR, 0);
    int ends[2] = {-1, -1};
    struct bytes text = {0};
    enum rcptcheck_result result = RCPTCHECK_TROUBLE;
    bool own = false;
    int status;
    pid_t pid = -1;
    sigset_t death, before;

    if (null_fd != -1 && fd_pipe(ends) && fd_nonblocking(ends[0]))
        pid = start(q, ends[1], null_fd);
    fd_close(&ends[1]);
    fd_close(&null_fd);
    sigemptyset(&death);
    sigaddset(&death, SIGCHLD);
    sigprocmask(SIG_BLOCK, &death, &before); /* the program does not inherit that */
    if (pid != -1 && wait_for_end(pid, &death, &ends[0], &text, &status)) {
        result = judge(status);
        own = WIFEXITED(status) && result != RCPTCHECK_ACCEPTED &&
              rcptcheck_own_reply(bytes_view(&text), reply);
    }
    if (!own && result != RCPTCHECK_ACCEPTED)
        snprintf(reply->text, sizeof reply->text, "%s", replies[result]);
    sigprocmask(SIG_SETMASK, &before, NULL);
    fd_close(&ends[0]);
    bytes_free(&text);
    return result;
}
