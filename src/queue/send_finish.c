#include "base/heap.h"
#include "mail/queue_dir.h"
#include "queue/send.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PER_TURN = 16 };

/* Message numbers, first in, first out. {0} is empty. */
struct ring {
    ino_t *messages;
    size_t first, count, room;
};

/* Messages with nobody left, in the order in which they got there. */
static struct {
    struct ring ready;
    struct ring blocked; /* must wait for the end of another's bounce */
    struct bytes sender; /* of the message whose bounce begins */
} state;

static void ring_add(struct ring *r, ino_t message)
{
    if (r->count == r->room) {
        size_t room = r->room ? r->room * 2 : 64;
        ino_t *messages = heap_array(room, sizeof *messages);
        for (size_t i = 0; i < r->count; i++)
            messages[i] = r->messages[(r->first + i) % r->room];
        heap_free(r->messages);
        *r = (struct ring){.messages = messages, .count = r->count, .room = room};
    }
    r->messages[(r->first + r->count++) % r->room] = message;
}

static ino_t ring_take(struct ring *r)
{
    ino_t message = r->messages[r->first];
    r->first = (r->first + 1) % r->room;
    r->count--;
    return message;
}

void finish_add(ino_t message)
{
    ring_add(&state.ready, message);
}

/* What cannot be told is looked at again later. */
static enum presence look(ino_t message, const char *path, struct stat *st)
{
    enum presence found = file_look(path, st);
    if (found == UNKNOWN)
        waiting_retry_finish(message, SEND_RETRY_S);
    return found;
}

/* Whether the message is what it seems to be. A word that comes late may be that of one
 * who had the number before. */
static bool nobody_is_left(ino_t message)
{
    struct stat st;
    for (int c = 0; c < CHANNELS; c++) {
        const char *tree = channel_name((enum channel)c);
        if (look(message, queue_split_path(tree, message).text, &st) != MISSING)
            return false;
    }
    return true;
}

static bool is_preprocessed(ino_t message, struct stat *info)
{
    struct stat st;
    return look(message, queue_flat_path("todo", message).text, &st) == MISSING &&
           look(message, queue_split_path("info", message).text, info) == PRESENT;
}

/* What has been said to end. */
static void remove_info(ino_t message)
{
    struct queue_path info = queue_split_path("info", message);
    if (unlink(info.text) == -1) {
        log_line("warning: unable to unlink %s; will try again later", info.text);
        waiting_retry_finish(message, SEND_RETRY_S);
        return;
    }
    clean_request("foop", message, 0, NULL);
}

void finish_end(ino_t message)
{
    log_line("end msg %ju", (uintmax_t)message);
    log_flush();
    remove_info(message);
}

static void bounce(ino_t message)
{
    struct stat st;

    if (send_is_leaving() || bounce_is_running(message))
        return; /* the next start finds it; it is being taken care of */
    if (!bounce_has_room()) {
        ring_add(&state.blocked, message);
    } else if (info_read(message, &state.sender, &st)) {
        bounce_begin(message, bytes_view(&state.sender), st.st_mtime);
    } else {
        log_line("warning: trouble injecting bounce message, will try later");
        waiting_retry_finish(message, SEND_RETRY_S);
    }
}

/* Whether nothing is left of the message but its end. */
static bool finish(ino_t message)
{
    struct queue_path path = queue_flat_path("bounce", message);
    struct stat st, info;

    if (!nobody_is_left(message) || fresh_over(message) ||
        !is_preprocessed(message, &info))
        return false;
    if (stat(path.text, &st) == 0) {
        if (st.st_size > 0 && queue_mark_of(info.st_mode) != QUEUE_DELETED)
            bounce(message);
        else
            bounce_forget(message); /* the first note was never written */
    } else if (errno == ENOENT) {
        return true;
    } else {
        log_line("warning: unable to stat %s", path.text);
        waiting_retry_finish(message, SEND_RETRY_S);
    }
    return false;
}

/* A message that a bounce kept waiting, now that there is room, or the next. */
static struct ring *next_ring(void)
{
    if (state.blocked.count && bounce_has_room())
        return &state.blocked;
    return state.ready.count ? &state.ready : NULL;
}

void finish_wants(struct loop *l)
{
    if (next_ring())
        loop_wake_now(l);
}

static bool has(const ino_t *messages, size_t count, ino_t message)
{
    for (size_t i = 0; i < count; i++)
        if (messages[i] == message)
            return true;
    return false;
}

void finish_serve(void)
{
    ino_t ended[PER_TURN];
    size_t count = 0;
    struct ring *ring;

    for (int i = 0; i < PER_TURN && (ring = next_ring()); i++) {
        ino_t message = ring_take(ring);
        if (has(ended, count, message) || !finish(message))
            continue;
        log_line("end msg %ju", (uintmax_t)message);
        ended[count++] = message;
    }
    if (count)
        log_flush();
    for (size_t i = 0; i < count; i++)
        remove_info(ended[i]);
}
