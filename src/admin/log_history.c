#include "admin/log_report.h"
#include "base/heap.h"

#include <string.h>

enum { NO_STEP = 0 };

/* A delivery under way, and the step that it is. */
struct attempt {
    struct log_link link;
    uint64_t message, serial;
    size_t step;
};

void log_history_open(struct log_history *h, const struct log_selection *selection,
                      bool json, struct writer *out)
{
    *h = (struct log_history){.selection = selection, .json = json, .out = out};
    log_pool_open(&h->lives, LOG_MAX_LIVES, sizeof(struct log_life));
    log_pool_open(&h->deliveries, LOG_MAX_DELIVERIES, sizeof(struct attempt));
}

/* -- what is asked for */

static bool is_among(uint64_t n, const uint64_t *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == n)
            return true;
    return count == 0;
}

static bool matches(struct view v, const struct view *patterns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (log_match(patterns[i], v))
            return true;
    return count == 0;
}

static bool wants_number(const struct log_history *h, uint64_t message)
{
    return is_among(message, h->selection->messages, h->selection->message_count);
}

static bool wants_recipient(const struct log_history *h, struct view recipient)
{
    return matches(recipient, h->selection->recipients, h->selection->recipient_count);
}

static bool wants_info(const struct log_history *h, const struct log_event *e)
{
    return matches(e->address, h->selection->senders, h->selection->sender_count) &&
           is_among(e->qp, h->selection->qps, h->selection->qp_count);
}

/* Whether a life has what was asked for in it. Where a recipient is, each of its
 * deliveries is one. */
static bool is_asked_for(const struct log_history *h, const struct log_life *life)
{
    const struct log_selection *selection = h->selection;

    if (!life->informed && (selection->sender_count || selection->qp_count))
        return false;
    if (!selection->recipient_count)
        return true;
    for (size_t i = 0; i < life->count; i++)
        if (life->steps[i].kind == LOG_STEP_DELIVERY)
            return true;
    return false;
}

/* -- lives */

static size_t room_of(const struct log_life *life)
{
    return life->texts.room + life->room * sizeof *life->steps;
}

static void drop(struct log_history *h, struct log_life *life)
{
    h->held -= room_of(life);
    bytes_free(&life->texts);
    heap_free(life->steps);
    log_pool_remove(&h->lives, life);
}

static void print(struct log_history *h)
{
    writer_add(h->out, bytes_view(&h->text));
}

/* A life is over: it is shown if it is asked for, and forgotten. */
static void finish(struct log_history *h, struct log_life *life, enum log_ending ending,
                   int64_t time_us)
{
    if (is_asked_for(h, life)) {
        log_life_print(life, ending, time_us, h->json, &h->text);
        print(h);
        h->shown++;
    }
    drop(h, life);
}

static void give_up_oldest(struct log_history *h)
{
    finish(h, log_pool_oldest(&h->lives), LOG_GIVEN_UP, LOG_NO_TIME);
    h->given_up++;
}

static struct log_life *add_life(struct log_history *h, uint64_t number,
                                 int64_t time_us)
{
    if (log_pool_full(&h->lives))
        give_up_oldest(h);
    struct log_life *life = log_pool_add(&h->lives, number);
    life->born_us = time_us;
    life->serial = ++h->serial;
    return life;
}

/* The life of that number, also one whose beginning is not in the log. NULL where it
 * cannot be asked for. */
static struct log_life *life_of(struct log_history *h, uint64_t number)
{
    if (!wants_number(h, number))
        return NULL;
    struct log_life *life = log_pool_find(&h->lives, number);
    if (life)
        log_pool_touch(&h->lives, life);
    else if (!h->selection->sender_count && !h->selection->qp_count)
        life = add_life(h, number, LOG_NO_TIME);
    return life;
}

/* Where a text begins that was added to those of a life. */
static size_t add_text(struct log_history *h, struct log_life *life, struct view text)
{
    size_t at = life->texts.len;

    h->held -= life->texts.room;
    bytes_add(&life->texts, text);
    h->held += life->texts.room;
    return at;
}

static struct log_step *add_step(struct log_history *h, struct log_life *life,
                                 enum log_step_kind kind, int64_t time_us)
{
    if (life->count == life->room) {
        size_t room = life->room ? 2 * life->room : 2;
        life->steps = heap_resize(life->steps, room, sizeof *life->steps);
        h->held += (room - life->room) * sizeof *life->steps;
        life->room = room;
    }
    struct log_step *step = &life->steps[life->count++];
    *step = (struct log_step){.kind = kind,
                              .time_us = time_us,
                              .end_us = LOG_NO_TIME,
                              .result = LOG_UNDER_WAY};
    return step;
}

/* -- events */

static void begin_life(struct log_history *h, uint64_t number, int64_t time_us)
{
    struct log_life *old = log_pool_find(&h->lives, number);

    if (old)
        finish(h, old, LOG_REPLACED, LOG_NO_TIME);
    if (wants_number(h, number))
        add_life(h, number, time_us)->born = true;
}

/* The sender stands first, whatever came before. */
static void put_sender(struct log_history *h, struct log_life *life, struct view sender)
{
    struct bytes texts = {0};

    bytes_add(&texts, sender);
    bytes_add(&texts, bytes_view(&life->texts));
    h->held -= life->texts.room;
    bytes_free(&life->texts);
    life->texts = texts;
    h->held += life->texts.room;
    life->sender_len = sender.len;
    for (size_t i = 0; i < life->count; i++) {
        life->steps[i].address += sender.len;
        life->steps[i].text += sender.len;
    }
}

static void describe_life(struct log_history *h, const struct log_event *e)
{
    struct log_life *life = log_pool_find(&h->lives, e->message);

    if (!wants_number(h, e->message))
        return;
    if (!wants_info(h, e)) {
        if (life)
            drop(h, life);
        return;
    }
    if (!life)
        life = add_life(h, e->message, LOG_NO_TIME);
    if (life->informed)
        return;
    life->informed = true;
    life->size = e->size;
    life->qp = e->qp;
    life->uid = e->uid;
    put_sender(h, life, e->address);
}

static void forget_attempt(struct log_history *h, struct attempt *attempt, int result,
                           const struct log_event *e, int64_t time_us)
{
    struct log_life *life = log_pool_find(&h->lives, attempt->message);

    if (life && life->serial == attempt->serial) {
        size_t text = e ? add_text(h, life, e->text) : NO_STEP;
        struct log_step *step = &life->steps[attempt->step];
        step->result = result;
        step->end_us = time_us;
        step->text = text;
        step->text_len = e ? e->text.len : 0;
    }
    log_pool_remove(&h->deliveries, attempt);
}

static void cut_off_all(struct log_history *h)
{
    for (struct attempt *attempt; (attempt = log_pool_oldest(&h->deliveries));)
        forget_attempt(h, attempt, LOG_CUT_OFF, NULL, LOG_NO_TIME);
}

static void start_delivery(struct log_history *h, const struct log_event *e,
                           int64_t time_us)
{
    struct attempt *old = log_pool_find(&h->deliveries, e->delivery);

    if (old)
        forget_attempt(h, old, LOG_CUT_OFF, NULL, LOG_NO_TIME);
    if (!wants_recipient(h, e->address))
        return;
    struct log_life *life = life_of(h, e->message);
    if (!life)
        return;
    if (log_pool_full(&h->deliveries))
        forget_attempt(h, log_pool_oldest(&h->deliveries), LOG_CUT_OFF, NULL,
                       LOG_NO_TIME);
    size_t address = add_text(h, life, e->address);
    struct log_step *step = add_step(h, life, LOG_STEP_DELIVERY, time_us);
    step->channel = e->channel;
    step->number = e->delivery;
    step->address = address;
    step->address_len = e->address.len;

    struct attempt *attempt = log_pool_add(&h->deliveries, e->delivery);
    attempt->message = e->message;
    attempt->serial = life->serial;
    attempt->step = life->count - 1;
}

static void end_delivery(struct log_history *h, const struct log_event *e,
                         int64_t time_us)
{
    struct attempt *attempt = log_pool_find(&h->deliveries, e->delivery);
    if (attempt)
        forget_attempt(h, attempt, (int)e->result, e, time_us);
}

static void add_deed(struct log_history *h, const struct log_event *e,
                     enum log_step_kind kind, int64_t time_us)
{
    struct log_life *life = life_of(h, e->message);
    if (!life)
        return;
    bool has_text = kind == LOG_STEP_DEED;
    size_t text = has_text ? add_text(h, life, e->text) : NO_STEP;
    struct log_step *step = add_step(h, life, kind, time_us);
    step->text = text;
    step->text_len = has_text ? e->text.len : 0;
    step->word = has_text ? e->word : NULL;
    step->number = kind == LOG_STEP_BOUNCE ? e->qp : 0;
}

static void end_life(struct log_history *h, uint64_t number, int64_t time_us)
{
    struct log_life *life = life_of(h, number);
    if (life)
        finish(h, life, LOG_ENDED, time_us);
}

/* What qmail-smtpd decided about a mail has no message number: sender and recipient
 * are asked about, and of one that was taken qp. */
static void show_smtp(struct log_history *h, const struct log_event *e, int64_t time_us)
{
    const struct log_selection *selection = h->selection;
    bool taken = e->kind == LOG_SMTP_TAKEN;

    if (selection->message_count || (selection->qp_count && !taken) ||
        !is_among(e->qp, selection->qps, selection->qp_count) ||
        !matches(e->address, selection->senders, selection->sender_count) ||
        !wants_recipient(h, e->recipient))
        return;
    log_smtp_print(e, time_us, h->json, &h->text);
    print(h);
    h->smtp_shown++;
}

void log_history_add(struct log_history *h, const struct log_event *e, int64_t time_us)
{
    h->lines++;
    switch (e->kind) {
    case LOG_NEW:
        begin_life(h, e->message, time_us);
        break;
    case LOG_INFO:
        describe_life(h, e);
        break;
    case LOG_START:
        start_delivery(h, e, time_us);
        break;
    case LOG_RESULT:
        end_delivery(h, e, time_us);
        break;
    case LOG_STATUS:
        if (e->running[LOG_LOCAL] == 0 && e->running[LOG_REMOTE] == 0)
            cut_off_all(h);
        break;
    case LOG_EXITING:
        cut_off_all(h);
        break;
    case LOG_BOUNCE:
        add_deed(h, e, LOG_STEP_BOUNCE, time_us);
        break;
    case LOG_TRIPLE:
        add_deed(h, e, LOG_STEP_TRIPLE, time_us);
        break;
    case LOG_DEED:
        add_deed(h, e, LOG_STEP_DEED, time_us);
        break;
    case LOG_END:
        end_life(h, e->message, time_us);
        break;
    case LOG_SMTP_TAKEN:
    case LOG_SMTP_REFUSED:
        show_smtp(h, e, time_us);
        break;
    case LOG_UNKNOWN:
        h->unknown++;
        break;
    case LOG_ALERT:
    case LOG_WARNING:
        break;
    }
    while (h->held > LOG_HISTORY_ROOM)
        give_up_oldest(h);
}

void log_history_end(struct log_history *h, const struct log_lines *lines)
{
    for (struct log_life *life; (life = log_pool_oldest(&h->lives));)
        finish(h, life, LOG_UNFINISHED, LOG_NO_TIME);
    log_history_last(h, lines, &h->text);
    print(h);
}

void log_history_free(struct log_history *h)
{
    for (struct log_life *life; (life = log_pool_oldest(&h->lives));)
        drop(h, life);
    log_pool_free(&h->lives);
    log_pool_free(&h->deliveries);
    bytes_free(&h->text);
}
