#include "fake.h"
#include "fuzz.h"

#include "mail/netstring.h"

#include <stdio.h>

/* What mail/enqueue.h promises, and that its callers keep to its order. */

struct fake_queue fake_queue;

void fake_queue_begin(enum enqueue_verdict verdict)
{
    fake_queue.running = fake_queue.cannot_start = false;
    fake_queue.started = 0;
    fake_queue.verdict = verdict;
    bytes_clear(&fake_queue.queued);
    bytes_clear(&fake_queue.message);
    bytes_clear(&fake_queue.envelope);
}

static struct view take_netstring(struct view *log)
{
    uint64_t len = 0;
    MUST(netstring_length(log, &len) == NETSTRING_LENGTH && len < log->len);
    struct view string = view_before(*log, (size_t)len);
    *log = view_from(*log, (size_t)len + 1);
    return string;
}

bool fake_queue_next(struct view *log, struct view *message, struct view *envelope)
{
    if (log->len == 0)
        return false;
    *message = take_netstring(log);
    *envelope = take_netstring(log);
    return true;
}

bool enqueue_start(struct enqueue *e, const char *home)
{
    (void)home;
    MUST(!fake_queue.running);
    if (fake_queue.cannot_start)
        return false;
    *e = (struct enqueue){
        .pid = FAKE_QUEUE_PID, .message_fd = -1, .envelope_fd = -1, .text_fd = -1};
    fake_queue.running = true;
    fake_queue.started++;
    bytes_clear(&fake_queue.message);
    bytes_clear(&fake_queue.envelope);
    return true;
}

void enqueue_message(struct enqueue *e, struct view part)
{
    MUST(fake_queue.running && fake_queue.envelope.len == 0);
    if (!e->withheld)
        bytes_add(&fake_queue.message, part);
}

static void add_record(const struct enqueue *e, char letter, struct view address)
{
    MUST(fake_queue.running);
    if (e->withheld)
        return;
    MUST(!view_has(address, '\0')); /* it would be a record more */
    bytes_add_byte(&fake_queue.envelope, letter);
    bytes_add(&fake_queue.envelope, address);
    bytes_add_byte(&fake_queue.envelope, '\0');
}

void enqueue_sender(struct enqueue *e, struct view sender)
{
    MUST(fake_queue.envelope.len == 0);
    add_record(e, 'F', sender);
}

void enqueue_recipient(struct enqueue *e, struct view recipient)
{
    MUST(e->withheld || fake_queue.envelope.len > 0);
    add_record(e, 'T', recipient);
}

void enqueue_withhold(struct enqueue *e)
{
    e->withheld = true;
}

void enqueue_finish(struct enqueue *e, struct enqueue_answer *answer)
{
    MUST(fake_queue.running);
    fake_queue.running = false;
    *answer = (struct enqueue_answer){.pid = e->pid, .verdict = fake_queue.verdict};
    if (e->withheld && answer->verdict == ENQUEUE_QUEUED)
        answer->verdict = ENQUEUE_TEMP;
    if (answer->verdict != ENQUEUE_QUEUED) {
        snprintf(answer->text, sizeof answer->text, FAKE_QUEUE_WHY);
        return;
    }
    MUST(fake_queue.envelope.len > 0);
    netstring_add(&fake_queue.queued, bytes_view(&fake_queue.message));
    netstring_add(&fake_queue.queued, bytes_view(&fake_queue.envelope));
}
