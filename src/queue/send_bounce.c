#include "base/clock.h"
#include "base/fd.h"
#include "base/heap.h"
#include "conf.h"
#include "mail/address.h"
#include "mail/date.h"
#include "mail/enqueue.h"
#include "mail/queue_dir.h"
#include "queue/send.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Bounces go to the queue program while everything else goes on: it may be
 * anybody's slow script. */

enum {
    BOUNCES_MAX = 10, /* under way at once */
    END_POLL_MS = 50, /* the program's text has ended, but it has not */
    COPY_ROOM = 16384,
    PIECES_PER_TURN = 32 /* so that a large message does not delay everything else */
};

/* What of the message has been handed over. Each step has bytes to write (piece)
 * before the next is entered. */
enum step { HEAD, NOTES, SEPARATOR, MESSAGE, ENVELOPE, END };

struct bounce {
    bool used;
    ino_t message;
    int64_t birth;
    enum step step;
    struct bounce_text text;
    int notes, mess; /* open files */
    struct view piece;
    struct enqueue queue;
    size_t want_out, want_text;
    bool wants_out, wants_text;
    char copy[COPY_ROOM];
};

static struct {
    struct bounce *bounces[BOUNCES_MAX]; /* NULL until needed */
    unsigned running;
} state;

/* Composing */

static void add_address(struct bytes *out, struct view local, struct view host)
{
    bytes_add(out, local);
    bytes_add_byte(out, '@');
    bytes_add(out, host);
}

static const char first_failure[] =
    "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
    "This is a permanent error; I've given up. Sorry it didn't work out.\n\n";
static const char second_failure[] =
    "I tried to deliver a bounce message to this address, but the bounce bounced!\n\n";
static const char message_follows[] =
    "--- Below this line is a copy of the message.\n\n";
static const char bounce_follows[] = "--- Below this line is the original bounce.\n\n";

bool bounce_compose(struct bounce_text *text, struct view sender, int64_t now)
{
    struct view host = bytes_view(&controls.bounce_host);
    struct bytes *head = &text->head;

    if (view_is(sender, "#@[]"))
        return false;
    if (view_ends(sender, VIEW("-@[]")))
        sender = view_before(sender, sender.len - 4);
    bool is_double = sender.len == 0;
    *text = (struct bounce_text){{0}, {0}, {0}, {0}};
    if (is_double) {
        bytes_add_text(&text->sender, "#@[]");
        add_address(&text->recipient, bytes_view(&controls.double_bounce_to),
                    bytes_view(&controls.double_bounce_host));
    } else {
        bytes_add(&text->recipient, sender);
    }

    bytes_add_text(head, "Date: ");
    date_add(head, now);
    bytes_add_text(head, "\nFrom: ");
    address_quote_local(head, bytes_view(&controls.bounce_from));
    bytes_add_byte(head, '@');
    bytes_add(head, host);
    bytes_add_text(head, "\nTo: ");
    address_quote(head, bytes_view(&text->recipient));
    bytes_add_text(
        head, "\nSubject: failure notice\n\nHi. This is the qmail-send program at ");
    bytes_add(head, host);
    bytes_add_text(head, ".\n");
    bytes_add_text(head, is_double ? second_failure : first_failure);

    bytes_add_text(&text->separator, is_double ? bounce_follows : message_follows);
    bytes_add_text(&text->separator, "Return-Path: <");
    address_quote(&text->separator, sender);
    bytes_add_text(&text->separator, ">\n");
    return true;
}

void bounce_text_free(struct bounce_text *text)
{
    bytes_free(&text->head);
    bytes_free(&text->separator);
    bytes_free(&text->sender);
    bytes_free(&text->recipient);
}

/* Beginning */

/* There is one: bounce_has_room() said so. */
static struct bounce *free_bounce(void)
{
    int i = 0;
    while (state.bounces[i] && state.bounces[i]->used)
        i++;
    if (!state.bounces[i])
        state.bounces[i] = heap_array(1, sizeof *state.bounces[i]);
    state.bounces[i]->used = false;
    return state.bounces[i];
}

/* Again at the next time of the local schedule. */
static void later(ino_t message, int64_t birth)
{
    /* by its age, so that a clock set back for a while does not put it off for
     * years: at most some days for the oldest message */
    int64_t age = (int64_t)schedule_age(birth, clock_now());
    waiting_retry_finish(message, schedule_next(CHANNEL_LOCAL, 0, age) - age);
}

void bounce_forget(ino_t message)
{
    struct queue_path path = queue_flat_path("bounce", message);
    log_flush();
    if (unlink(path.text) == -1) {
        log_line("warning: unable to unlink %s", path.text);
        waiting_retry_finish(message, SEND_RETRY_S);
        return;
    }
    finish_end(message);
}

/* Both files are opened before the queue program starts: its own file cannot get
 * the number of a message that is gone then. */
static bool open_files(struct bounce *b)
{
    b->notes = fd_open_read(queue_flat_path("bounce", b->message).text);
    b->mess = fd_open_read(queue_split_path("mess", b->message).text);
    if (b->notes != -1 && b->mess != -1)
        return true;
    log_line("warning: trouble injecting bounce message, will try later");
    return false;
}

static bool start_program(struct bounce *b)
{
    int null = fd_open("/dev/null", O_RDWR, 0);
    bool started = enqueue_start_with(&b->queue, CONF_QMAIL, null);
    fd_close(&null);
    if (!started)
        log_line("warning: unable to start qmail-queue, will try later");
    return started;
}

static void release(struct bounce *b)
{
    fd_close(&b->notes);
    fd_close(&b->mess);
    bounce_text_free(&b->text);
    b->used = false;
}

bool bounce_has_room(void)
{
    return state.running < BOUNCES_MAX;
}

bool bounce_is_running(ino_t message)
{
    for (int i = 0; i < BOUNCES_MAX && state.running; i++)
        if (state.bounces[i] && state.bounces[i]->used &&
            state.bounces[i]->message == message)
            return true;
    return false;
}

void bounce_begin(ino_t message, struct view sender, int64_t birth)
{
    struct bounce *b = free_bounce();
    if (!bounce_compose(&b->text, sender, clock_now())) {
        log_line("triple bounce: discarding %s",
                 queue_flat_path("bounce", message).text);
        bounce_forget(message);
        return;
    }
    b->used = true;
    b->message = message;
    b->birth = birth;
    b->step = HEAD;
    b->piece = bytes_view(&b->text.head);
    b->wants_out = b->wants_text = false;
    if (open_files(b) && start_program(b)) {
        state.running++;
    } else {
        later(message, birth);
        release(b);
    }
}

/* Going on */

/* A piece of a file to hand over. False: the file has ended, or cannot be read:
 * then the envelope is withheld. */
static bool read_piece(struct bounce *b, int fd)
{
    ssize_t n;
    do
        n = read(fd, b->copy, sizeof b->copy);
    while (n == -1 && errno == EINTR);
    if (n == -1)
        enqueue_withhold(&b->queue);
    b->piece = view_at(b->copy, n > 0 ? (size_t)n : 0);
    return n > 0;
}

static void make_envelope(struct bounce *b)
{
    struct bytes *out = &b->text.head; /* which has been written */
    bytes_clear(out);
    if (!b->queue.withheld) {
        bytes_add_byte(out, 'F');
        bytes_add(out, bytes_view(&b->text.sender));
        bytes_add(out, VIEW("\0T"));
        bytes_add(out, bytes_view(&b->text.recipient));
        bytes_add(out, VIEW("\0\0"));
    }
    b->piece = bytes_view(out);
}

/* The piece has been written: the next one, of this step or another. */
static void advance(struct bounce *b)
{
    switch (b->step) {
    case HEAD:
        b->step = NOTES;
        return;
    case NOTES:
        if (read_piece(b, b->notes))
            return;
        b->step = SEPARATOR;
        b->piece = bytes_view(&b->text.separator);
        return;
    case SEPARATOR:
        b->step = MESSAGE;
        return;
    case MESSAGE:
        if (read_piece(b, b->mess))
            return;
        fd_close(&b->queue.message_fd);
        b->step = ENVELOPE;
        make_envelope(b);
        return;
    case ENVELOPE:
        fd_close(&b->queue.envelope_fd);
        b->step = END;
        return;
    case END:
        return;
    }
}

static void hand_over(struct bounce *b)
{
    for (int i = 0; i < PIECES_PER_TURN && b->step != END; i++) {
        if (b->piece.len == 0) {
            advance(b);
            continue;
        }
        int *fd = b->step == ENVELOPE ? &b->queue.envelope_fd : &b->queue.message_fd;
        size_t written = enqueue_write_now(&b->queue, fd, b->piece);
        if (written == 0)
            return;
        b->piece = view_from(b->piece, written);
    }
}

static void end(struct bounce *b, const struct enqueue_answer *answer)
{
    ino_t message = b->message;
    int64_t birth = b->birth;
    release(b);
    state.running--;
    if (answer->verdict == ENQUEUE_QUEUED) {
        log_line("bounce msg %ju qp %ld", (uintmax_t)message, (long)answer->pid);
        bounce_forget(message);
    } else {
        log_line("warning: trouble injecting bounce message, will try later");
        later(message, birth);
    }
}

bool bounce_is_idle(void)
{
    return state.running == 0;
}

void bounce_wants(struct loop *l)
{
    for (int i = 0; i < BOUNCES_MAX && state.running; i++) {
        struct bounce *b = state.bounces[i];
        if (!b || !b->used)
            continue;
        int fd = b->step == ENVELOPE ? b->queue.envelope_fd : b->queue.message_fd;
        b->wants_out = b->step != END;
        b->wants_text = b->queue.text_fd != -1;
        if (b->wants_out)
            b->want_out = loop_want(l, fd, POLLOUT);
        if (b->wants_text)
            b->want_text = loop_want(l, b->queue.text_fd, POLLIN);
        /* a process that it left behind may keep the text open; else the end of
         * the text is its own end, or a moment before */
        if (b->step == END)
            loop_wake_at(l, clock_steady_ms() + (b->wants_text ? 1000 : END_POLL_MS));
    }
}

void bounce_serve(const struct loop *l)
{
    struct enqueue_answer answer;

    for (int i = 0; i < BOUNCES_MAX && state.running; i++) {
        struct bounce *b = state.bounces[i];
        if (!b || !b->used)
            continue;
        if (b->wants_text && loop_ready(l, b->want_text))
            enqueue_read_text(&b->queue);
        if (b->step != END)
            hand_over(b);
        if (b->step == END && enqueue_ended(&b->queue, &answer))
            end(b, &answer);
    }
}
