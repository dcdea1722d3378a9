#include "mail/enqueue.h"

#include "base/fd.h"
#include "base/process.h"
#include "mail/queue_exit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    COPY_ROOM = 65536,
    DROP_ROOM = 1024,
    LEAST_TEXT = 3, /* a shorter text of the program's own is none */
    END_POLL_MS = 20
};

static char default_program[] = "bin/qmail-queue";

/* Starting */

static void close_all(int fds[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        fd_close(&fds[i]);
}

bool enqueue_start(struct enqueue *e, const char *home)
{
    return enqueue_start_with(e, home, 2);
}

bool enqueue_start_with(struct enqueue *e, const char *home, int error_fd)
{
    int message[2] = {-1, -1}, envelope[2] = {-1, -1}, text[2] = {-1, -1};
    char *program = getenv("QMAILQUEUE");
    char *argv[] = {program ? program : default_program, NULL};

    e->pid = -1;
    e->message_fd = e->envelope_fd = e->text_fd = -1;
    e->broken = e->withheld = false;
    e->text_len = e->used = 0;
    if (fd_pipe(message) && fd_pipe(envelope) && fd_pipe(text)) {
        struct process p = {
            .path = argv[0],
            .argv = argv,
            .dir = home,
            .fds = {{message[0], 0},
                    {envelope[0], 1},
                    {text[1], ENQUEUE_FD_TEXT},
                    {error_fd, 2}},
            .fd_count = fcntl(error_fd, F_GETFD) == -1 ? 3 : 4,
            .failures = {.fds = QUEUE_NOT_RUN,
                         .dir = QUEUE_HOME,
                         .identity = QUEUE_NOT_RUN,
                         .exec_temp = QUEUE_NOT_RUN,
                         .exec_perm = QUEUE_NOT_RUN},
        };
        e->pid = process_start(&p);
    }
    if (e->pid == -1) {
        close_all(message, 2);
        close_all(envelope, 2);
        close_all(text, 2);
        return false;
    }
    fd_close(&message[0]);
    fd_close(&envelope[0]);
    fd_close(&text[1]);
    e->message_fd = message[1];
    e->envelope_fd = envelope[1];
    e->text_fd = text[0];
    fd_nonblocking(e->message_fd);
    fd_nonblocking(e->envelope_fd);
    fd_nonblocking(e->text_fd);
    return true;
}

/* Without waiting */

size_t enqueue_write_now(struct enqueue *e, int *fd, struct view v)
{
    if (*fd == -1 || e->broken)
        return v.len;
    ssize_t n = write(*fd, v.data, v.len);
    if (n >= 0)
        return (size_t)n;
    if (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)
        return 0;
    e->broken = true;
    return v.len;
}

void enqueue_read_text(struct enqueue *e)
{
    char drop[DROP_ROOM];
    while (e->text_fd != -1) {
        ssize_t n = read(e->text_fd, drop, sizeof drop);
        if (n > 0) {
            size_t free_room = sizeof e->text - e->text_len;
            size_t keep = (size_t)n < free_room ? (size_t)n : free_room;
            memcpy(e->text + e->text_len, drop, keep);
            e->text_len += keep;
        } else if (n == 0 ||
                   (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)) {
            fd_close(&e->text_fd);
        } else if (errno != EINTR) {
            return;
        }
    }
}

/* The program's own text, up to the end of its first line, with nothing in it
 * that could end or disguise a reply. False if that is too short. */
static bool use_own_text(const struct enqueue *e, struct enqueue_answer *answer)
{
    size_t len = 0;
    while (len < e->text_len && !view_has(VIEW("\r\n\0"), e->text[len]))
        len++;
    if (len < LEAST_TEXT)
        return false;
    answer->verdict = e->text[0] == 'D' ? ENQUEUE_PERM : ENQUEUE_TEMP;
    for (size_t i = 1; i < len; i++) {
        char c = e->text[i];
        answer->text[i - 1] = c < 32 || c > 126 ? '?' : c;
    }
    answer->text[len - 1] = '\0';
    return true;
}

static void use_text(struct enqueue_answer *answer, const char *text)
{
    answer->verdict = text[0] == 'D' ? ENQUEUE_PERM : ENQUEUE_TEMP;
    snprintf(answer->text, sizeof answer->text, "%s", text + 1);
}

static void judge(const struct enqueue *e, int status, struct enqueue_answer *answer)
{
    if (!WIFEXITED(status)) {
        use_text(answer, "Zqq crashed (#4.3.0)");
        return;
    }
    int code = WEXITSTATUS(status);
    if (code == QUEUE_OK && !e->broken && !e->withheld) {
        answer->verdict = ENQUEUE_QUEUED;
        answer->text[0] = '\0';
    } else if (code == QUEUE_OK) {
        use_text(answer, "Zqq read error (#4.3.0)");
    } else if (code != QUEUE_CUSTOM || !use_own_text(e, answer)) {
        use_text(answer, queue_exit_text(code));
    }
}

static void end(struct enqueue *e, struct enqueue_answer *answer)
{
    answer->pid = e->pid;
    enqueue_read_text(e); /* what is still in the pipe */
    fd_close(&e->message_fd);
    fd_close(&e->envelope_fd);
    fd_close(&e->text_fd);
}

bool enqueue_ended(struct enqueue *e, struct enqueue_answer *answer)
{
    int status;
    pid_t got = waitpid(e->pid, &status, WNOHANG);
    if (got == 0 || (got == -1 && errno == EINTR))
        return false;
    end(e, answer);
    if (got == -1)
        use_text(answer, "Zqq waitpid surprise (#4.3.0)");
    else
        judge(e, status, answer);
    return true;
}

/* Waiting */

/* Writes all of v, reading the program's text meanwhile. */
static void write_waiting(struct enqueue *e, int *fd, struct view v)
{
    while (v.len) {
        size_t taken = enqueue_write_now(e, fd, v);
        v = view_from(v, taken);
        if (taken || !v.len)
            continue;
        /* poll(2) passes over a descriptor of -1 */
        struct pollfd wants[] = {{.fd = *fd, .events = POLLOUT},
                                 {.fd = e->text_fd, .events = POLLIN}};
        if (poll(wants, COUNT(wants), -1) > 0 && wants[1].revents)
            enqueue_read_text(e);
    }
}

static void flush(struct enqueue *e, int *fd)
{
    write_waiting(e, fd, view_at(e->buffer, e->used));
    e->used = 0;
}

static void add(struct enqueue *e, int *fd, struct view v)
{
    if (v.len > sizeof e->buffer - e->used)
        flush(e, fd);
    if (v.len >= sizeof e->buffer) {
        write_waiting(e, fd, v);
        return;
    }
    if (v.len)
        memcpy(e->buffer + e->used, v.data, v.len);
    e->used += v.len;
}

void enqueue_message(struct enqueue *e, struct view part)
{
    if (e->broken || e->withheld)
        return;
    add(e, &e->message_fd, part);
}

bool enqueue_message_from(struct enqueue *e, int fd)
{
    static char block[COPY_ROOM];

    for (;;) {
        ssize_t n = fd_read(fd, block, sizeof block);
        if (n == 0)
            return true;
        if (n == -1) {
            enqueue_withhold(e);
            return false;
        }
        enqueue_message(e, view_at(block, (size_t)n));
    }
}

static void end_message(struct enqueue *e)
{
    if (e->message_fd == -1)
        return;
    if (e->withheld)
        e->used = 0;
    flush(e, &e->message_fd);
    fd_close(&e->message_fd);
}

static void add_record(struct enqueue *e, char letter, struct view address)
{
    end_message(e);
    if (e->withheld)
        return;
    add(e, &e->envelope_fd, view_at(&letter, 1));
    add(e, &e->envelope_fd, address);
    add(e, &e->envelope_fd, view_at("", 1));
}

void enqueue_sender(struct enqueue *e, struct view sender)
{
    add_record(e, 'F', sender);
}

void enqueue_recipient(struct enqueue *e, struct view recipient)
{
    add_record(e, 'T', recipient);
}

void enqueue_withhold(struct enqueue *e)
{
    e->withheld = true;
}

void enqueue_finish(struct enqueue *e, struct enqueue_answer *answer)
{
    end_message(e);
    if (e->withheld)
        e->used = 0;
    else
        add(e, &e->envelope_fd, view_at("", 1));
    flush(e, &e->envelope_fd);
    fd_close(&e->envelope_fd);

    /* The text ends when the program does, unless it left a process behind
     * that keeps the pipe: then the program's own end counts. */
    while (e->text_fd != -1) {
        if (enqueue_ended(e, answer))
            return;
        struct pollfd want = {.fd = e->text_fd, .events = POLLIN};
        if (poll(&want, 1, END_POLL_MS) > 0)
            enqueue_read_text(e);
    }
    int status;
    if (process_wait(e->pid, &status)) {
        end(e, answer);
        judge(e, status, answer);
    } else {
        end(e, answer);
        use_text(answer, "Zqq waitpid surprise (#4.3.0)");
    }
}
