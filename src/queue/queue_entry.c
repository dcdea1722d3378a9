#include "queue/queue.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/os.h"
#include "base/reader.h"
#include "base/signals.h"
#include "base/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PID_NAMES = 9,      /* names tried for the pid file */
    BLOCK_ROOM = 65536, /* what a pipe holds: one read, one write */
    FILE_MODE = 0644    /* cut by the umask that main sets */
};

/* One message a process, so both are static and only touched as far as used. */
static struct writer out;
static char block[BLOCK_ROOM];

static int create(const char *path)
{
    return fd_open(path, O_WRONLY | O_CREAT | O_EXCL, FILE_MODE);
}

/* pid/P.T.K: T tells us from an earlier process of the same number, K from one
 * of the same second. */
static bool create_pid_file(struct queue_entry *e, const struct queue_origin *origin)
{
    for (int k = 1; k <= PID_NAMES; k++) {
        snprintf(e->pid.text, sizeof e->pid.text, "pid/%jd.%" PRId64 ".%d",
                 (intmax_t)origin->pid, origin->time, k);
        e->mess_fd = create(e->pid.text);
        if (e->mess_fd != -1) {
            e->has_pid = true;
            return true;
        }
        if (errno != EEXIST)
            break;
    }
    return false;
}

enum queue_exit queue_entry_begin(struct queue_entry *e,
                                  const struct queue_origin *origin)
{
    struct stat st;

    *e = (struct queue_entry){.mess_fd = -1, .intd_fd = -1};
    /* locked before it has a name in mess/, until we end: whoever looks for files of
     * dead processes there can tell, whatever the clock says */
    if (!create_pid_file(e, origin) || !os_lock(e->mess_fd, false) ||
        fstat(e->mess_fd, &st) == -1)
        return QUEUE_PID_FILE;

    e->mess = queue_split_path("mess", st.st_ino);
    e->mess_dir = queue_split_dir("mess", st.st_ino);
    e->intd = queue_flat_path("intd", st.st_ino);
    e->todo = queue_flat_path("todo", st.st_ino);

    if (link(e->pid.text, e->mess.text) == -1)
        return QUEUE_MESS;
    e->has_mess = true;
    if (unlink(e->pid.text) == -1)
        return QUEUE_PID_FILE;
    e->has_pid = false;
    return QUEUE_OK;
}

enum queue_exit queue_entry_message(struct queue_entry *e, struct view received, int fd)
{
    ssize_t n;

    writer_open(&out, e->mess_fd, 0);
    writer_add(&out, received);
    while (!out.error && (n = read_some(fd, block, sizeof block)) != 0) {
        if (n == -1)
            return QUEUE_READ;
        writer_add(&out, view_at(block, (size_t)n));
    }
    if (!writer_flush(&out))
        return QUEUE_WRITE;
    file_sync_begin(e->mess_fd);
    return QUEUE_OK;
}

/* Copies the records to the writer, checking them, until the final NUL. What
 * may follow it is not waited for. */
static enum queue_exit copy_records(int fd)
{
    struct queue_envelope envelope = {0};
    struct view piece = {0}, records;

    while (!out.error) {
        if (!piece.len) {
            ssize_t n = read_some(fd, block, sizeof block);
            if (n <= 0)
                return QUEUE_READ;
            piece = view_at(block, (size_t)n);
        }
        switch (queue_envelope_take(&envelope, &piece, &records)) {
        case QUEUE_ENVELOPE_TOO_LONG:
            return QUEUE_ADDRESS_TOO_LONG;
        case QUEUE_ENVELOPE_LETTER:
            return QUEUE_ENVELOPE;
        case QUEUE_ENVELOPE_MORE:
            writer_add(&out, records);
            break;
        case QUEUE_ENVELOPE_SENDER:
            writer_add(&out, records);
            writer_add(&out, VIEW(QUEUE_EXTRA_RECORDS));
            break;
        case QUEUE_ENVELOPE_END:
            writer_add(&out, records);
            return QUEUE_OK;
        }
    }
    return QUEUE_WRITE;
}

enum queue_exit queue_entry_envelope(struct queue_entry *e,
                                     const struct queue_origin *origin, int fd)
{
    e->intd_fd = create(e->intd.text);
    if (e->intd_fd == -1)
        return QUEUE_INTD;
    e->has_intd = true;

    writer_open(&out, e->intd_fd, 0);
    writer_add_byte(&out, 'u');
    writer_add_number(&out, origin->uid);
    writer_add_byte(&out, '\0');
    writer_add_byte(&out, 'p');
    writer_add_number(&out, (uint64_t)origin->pid);
    writer_add_byte(&out, '\0');
    enum queue_exit code = copy_records(fd);
    if (code != QUEUE_OK)
        return code;
    if (!writer_flush(&out))
        return QUEUE_WRITE;
    file_sync_begin(e->intd_fd);
    return QUEUE_OK;
}

/* Both files have been written and their write-back has begun. */
static enum queue_exit make_stable(const struct queue_entry *e)
{
    struct sync_job jobs[] = {
        {.fd = e->intd_fd},
        {.fd = e->mess_fd},
        {.fd = -1, .dir = e->mess_dir.text},
    };
    if (sync_together(jobs, COUNT(jobs)))
        return QUEUE_OK;
    return jobs[0].synced && jobs[1].synced ? QUEUE_MESS : QUEUE_WRITE;
}

enum queue_exit queue_entry_publish(struct queue_entry *e)
{
    enum queue_exit code = make_stable(e);
    if (code != QUEUE_OK)
        return code;

    /* whatever can fail comes before the link: it cannot be taken back */
    int todo_dir = fd_open("todo", O_RDONLY | O_DIRECTORY, 0);
    if (todo_dir == -1)
        return QUEUE_TODO;
    /* no "not queued" by the timer once it may be queued */
    signals_ignore(SIGALRM);
    if (link(e->intd.text, e->todo.text) == -1)
        return QUEUE_TODO;

    /* qmail-send may have seen it: the files are no longer ours */
    e->has_mess = e->has_intd = false;
    if (!dir_sync_fd(todo_dir)) {
        unlink(e->todo.text);
        return QUEUE_TODO;
    }
    return QUEUE_OK;
}

static void empty(int fd)
{
    int emptied = ftruncate(fd, 0);
    (void)emptied; /* the name goes all the same, and usually the space with it */
}

void queue_entry_discard(struct queue_entry *e)
{
    if (e->has_intd)
        empty(e->intd_fd);
    if (e->has_mess)
        empty(e->mess_fd);

    /* an envelope without a message would block the number for ever: while it
     * is there, the message stays, for the cleanup to find both */
    if (e->has_intd && !file_remove(e->intd.text))
        return;
    if (e->has_mess)
        file_remove(e->mess.text);
    if (e->has_pid)
        file_remove(e->pid.text);
}
