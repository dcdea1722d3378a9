#include "mail/mbox.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

enum {
    COPY_ROOM = 65536,
    PIPE_LIMIT_S = 30 /* for a write to something that is not a file */
};

/* Quoting */

#define FROM VIEW("From ")

void mbox_quote(struct mbox_quoting *q, struct view block, struct writer *out)
{
    size_t at = 0, written = 0;

    if (block.len)
        q->open = block.data[block.len - 1] != '\n';
    while (at < block.len) {
        if (q->inside) {
            at += view_find(view_from(block, at), '\n') + 1;
            q->inside = at > block.len;
        } else if (block.data[at] == FROM.data[q->matched]) {
            at++;
            if (++q->matched < FROM.len)
                continue;
            /* the line is '>'s and "From ": one '>' more, before the F */
            if (q->held == 0) {
                writer_add(out, view_before(view_from(block, written),
                                            at - FROM.len - written));
                written = at - FROM.len;
            }
            writer_add_byte(out, '>');
            writer_add(out, view_before(FROM, q->held));
            q->matched = q->held = 0;
            q->inside = true;
        } else if (block.data[at] == '>' && q->matched == 0) {
            at++;
        } else {
            writer_add(out, view_before(FROM, q->held));
            q->matched = q->held = 0;
            q->inside = true; /* a line feed here ends the line at once */
        }
    }
    /* what may become a From_ line waits for the next block */
    size_t wait = q->matched - q->held;
    writer_add(out, view_before(view_from(block, written), block.len - wait - written));
    q->held = q->matched;
}

void mbox_quote_end(struct mbox_quoting *q, struct writer *out)
{
    writer_add(out, view_before(FROM, q->held));
    writer_add_text(out, q->open ? "\n\n" : "\n");
    *q = (struct mbox_quoting){0};
}

/* Locking */

static volatile sig_atomic_t time_is_over;

/* The signal may come right before the system call that it is to interrupt: so it
 * comes again. */
static void on_alarm(int sig)
{
    (void)sig;
    time_is_over = 1;
    alarm(1);
}

static void start_timer(unsigned limit_s)
{
    struct sigaction act = {.sa_handler = on_alarm};
    sigset_t alarm_alone;

    time_is_over = 0;
    if (limit_s == 0)
        return;
    sigemptyset(&act.sa_mask);
    sigaction(SIGALRM, &act, NULL);
    sigemptyset(&alarm_alone);
    sigaddset(&alarm_alone, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &alarm_alone, NULL);
    alarm(limit_s);
}

static void stop_timer(unsigned limit_s)
{
    if (limit_s)
        alarm(0);
}

/* Waits for the lock. MBOX_DONE also where there are no locks, with the reason in
 * *lock_error. */
static enum mbox_result lock(int fd, int *lock_error)
{
    while (!time_is_over) {
        *lock_error = os_lock(fd, true) ? 0 : errno;
        if (*lock_error != EINTR)
            return MBOX_DONE;
    }
    return MBOX_LOCKED;
}

/* Whether path still names the file that fd is. False with errno 0 if not, or with
 * the reason why that cannot be told. */
static bool is_named(const char *path, int fd)
{
    struct stat open_file, named_file;
    if (fstat(fd, &open_file) == -1)
        return false;
    if (stat(path, &named_file) == -1) {
        if (errno == ENOENT)
            errno = 0;
        return false;
    }
    errno = 0;
    return file_same(&open_file, &named_file);
}

static enum mbox_result open_and_lock(const char *path, int *fd, int *lock_error)
{
    for (;;) {
        *fd = fd_open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0600);
        if (*fd == -1)
            return MBOX_NOT_OPEN;
        enum mbox_result result = lock(*fd, lock_error);
        if (result == MBOX_DONE && is_named(path, *fd))
            return MBOX_DONE;
        int error = errno;
        fd_close(fd);
        if (result != MBOX_DONE)
            return result;
        if (error) {
            errno = error;
            return MBOX_NOT_OPEN;
        }
    }
}

enum mbox_result mbox_open_locked(const char *path, unsigned limit_s, int *fd,
                                  int *lock_error)
{
    start_timer(limit_s);
    enum mbox_result result = open_and_lock(path, fd, lock_error);
    int error = errno;
    stop_timer(limit_s);
    errno = error;
    return result;
}

/* Appending */

/* What the mailbox needs before a message can be put into it.
 * An empty one may be new, made by us or by somebody who died: its name is made
 * stable first, so that everything after it finds the name stable. One that ends
 * in the middle of a line was cut by a crash: the From_ line must begin a line. */
static enum mbox_result prepare(const char *path, const struct stat *st,
                                struct writer *out)
{
    char last = '\n';

    if (!S_ISREG(st->st_mode))
        return MBOX_DONE;
    if (st->st_size == 0)
        return file_sync_name(path) ? MBOX_DONE : MBOX_NOT_WRITTEN;
    int fd = fd_open_read(path);
    if (fd == -1)
        return errno == EACCES ? MBOX_DONE : MBOX_NOT_OPEN; /* ours to write only */
    bool known = pread(fd, &last, 1, st->st_size - 1) != -1;
    fd_close(&fd);
    if (!known)
        return MBOX_NOT_WRITTEN;
    if (last != '\n')
        writer_add_byte(out, '\n');
    return MBOX_DONE;
}

static enum mbox_result copy_message(int message, struct writer *out)
{
    static char block[COPY_ROOM];
    struct mbox_quoting quoting = {0};

    while (!out->error) {
        ssize_t n = fd_read(message, block, sizeof block);
        if (n == -1)
            return MBOX_UNREADABLE;
        if (n == 0) {
            mbox_quote_end(&quoting, out);
            break;
        }
        mbox_quote(&quoting, view_at(block, (size_t)n), out);
    }
    return writer_finish(out, WRITER_SYNC) ? MBOX_DONE : MBOX_NOT_WRITTEN;
}

enum mbox_result mbox_append(const char *path, struct view head, int message)
{
    static struct writer out;
    struct stat st;
    int fd, lock_error;

    enum mbox_result result = mbox_open_locked(path, MBOX_LOCK_S, &fd, &lock_error);
    if (result != MBOX_DONE)
        return result;
    if (fstat(fd, &st) == -1) {
        fd_close(&fd);
        return MBOX_NOT_OPEN;
    }
    writer_open(&out, fd, S_ISREG(st.st_mode) ? 0 : PIPE_LIMIT_S);
    result = prepare(path, &st, &out);
    if (result == MBOX_DONE) {
        writer_add(&out, head);
        result = copy_message(message, &out);
    }
    if (result == MBOX_DONE)
        return close(fd) == 0 ? MBOX_DONE : MBOX_NOT_WRITTEN;

    int error = errno;
    if (!lock_error && S_ISREG(st.st_mode) && ftruncate(fd, st.st_size) == 0)
        file_sync(fd);
    fd_close(&fd);
    errno = error;
    return result;
}
