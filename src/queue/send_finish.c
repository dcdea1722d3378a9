#include "base/fd.h"
#include "base/heap.h"
#include "base/reader.h"
#include "mail/queue_dir.h"
#include "queue/send.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PER_TURN = 16 };

/* Messages with nobody left, in the order in which they got there. */
static struct {
    ino_t *messages; /* a ring */
    size_t first, count, room;
    bool blocked; /* the first one must wait for a bounce to end */
    struct reader reader;
    struct bytes info;
} state;

void finish_add(ino_t message)
{
    if (state.count == state.room) {
        size_t room = state.room ? state.room * 2 : 64;
        ino_t *messages = heap_array(room, sizeof *messages);
        for (size_t i = 0; i < state.count; i++)
            messages[i] = state.messages[(state.first + i) % state.room];
        heap_free(state.messages);
        state.messages = messages;
        state.room = room;
        state.first = 0;
    }
    state.messages[(state.first + state.count++) % state.room] = message;
}

enum presence { PRESENT, MISSING, UNKNOWN };

static enum presence look(ino_t message, const char *path, struct stat *st)
{
    if (stat(path, st) == 0)
        return PRESENT;
    if (errno == ENOENT)
        return MISSING;
    log_line("warning: unable to stat %s; will try again later", path);
    waiting_retry_finish(message, SEND_RETRY_S);
    return UNKNOWN;
}

/* Whether the message is what it seems to be: preprocessed, and nobody is left. */
static bool is_finished(ino_t message, int64_t *birth)
{
    struct stat st;
    for (int c = 0; c < CHANNELS; c++) {
        const char *tree = channel_name((enum channel)c);
        if (look(message, queue_split_path(tree, message).text, &st) != MISSING)
            return false;
    }
    if (look(message, queue_flat_path("todo", message).text, &st) != MISSING ||
        look(message, queue_split_path("info", message).text, &st) != PRESENT)
        return false;
    *birth = st.st_mtime;
    return true;
}

static bool read_sender(ino_t message)
{
    int fd = fd_open_read(queue_split_path("info", message).text);
    if (fd == -1)
        return false;
    reader_open(&state.reader, fd, 0);
    bool read =
        reader_until(&state.reader, '\0', SEND_MAX_RECORD, &state.info) == READ_ITEM &&
        state.info.len && state.info.data[0] == 'F';
    fd_close(&fd);
    return read;
}

void finish_end(ino_t message)
{
    struct queue_path info = queue_split_path("info", message);
    log_line("end msg %ju", (uintmax_t)message);
    if (unlink(info.text) == -1) {
        log_line("warning: unable to unlink %s; will try again later", info.text);
        waiting_retry_finish(message, SEND_RETRY_S);
        return;
    }
    clean_request("foop", message, 0, NULL);
}

/* False: it must wait. */
static bool finish(ino_t message)
{
    struct queue_path bounce = queue_flat_path("bounce", message);
    struct stat st;
    int64_t birth;

    if (!is_finished(message, &birth))
        return true;
    if (stat(bounce.text, &st) == -1) {
        if (errno == ENOENT) {
            finish_end(message);
            return true;
        }
        log_line("warning: unable to stat %s", bounce.text);
    } else if (read_sender(message)) {
        return bounce_begin(message, view_from(bytes_view(&state.info), 1), birth);
    } else {
        log_line("warning: trouble injecting bounce message, will try later");
    }
    waiting_retry_finish(message, SEND_RETRY_S);
    return true;
}

void finish_wants(struct loop *l)
{
    if (state.count && !state.blocked)
        loop_wake_now(l);
}

void finish_serve(void)
{
    state.blocked = false;
    for (int i = 0; i < PER_TURN && state.count; i++) {
        if (!finish(state.messages[state.first])) {
            state.blocked = true;
            return;
        }
        state.first = (state.first + 1) % state.room;
        state.count--;
    }
}
