#include "accept/inject.h"
#include "base/die.h"
#include "base/writer.h"
#include "mail/address.h"
#include "mail/enqueue.h"

/* Where the message goes: to the queue program, or to descriptor 1. */
struct output {
    bool print;
    bool ends_line; /* the last byte was a line feed */
    struct writer out;
    struct enqueue queue;
};

static void add(struct output *o, struct view part)
{
    if (part.len == 0)
        return;
    o->ends_line = part.data[part.len - 1] == '\n';
    if (o->print)
        writer_add(&o->out, part);
    else
        enqueue_message(&o->queue, part);
}

static void begin_or_die(struct output *o, bool print)
{
    o->print = print;
    o->ends_line = true;
    if (print)
        writer_open(&o->out, 1, 0);
    else if (!enqueue_start(&o->queue, NULL))
        die_temp("unable to run qmail-queue");
}

/* The first line under -n. A queued message gets it when it is delivered. */
static void print_return_path(struct output *o, struct view sender)
{
    struct bytes line = {0};

    bytes_add_text(&line, "Return-Path: <");
    address_quote(&line, sender);
    bytes_add_text(&line, ">\n");
    add(o, bytes_view(&line));
    bytes_free(&line);
}

/* The input to its end. False where it cannot be read. */
static bool copy_rest(struct output *o, struct reader *in)
{
    struct view unread;

    for (;;) {
        switch (reader_peek(in, &unread)) {
        case READ_ITEM:
            add(o, unread);
            reader_skip(in, unread.len);
            break;
        case READ_END:
            if (!o->ends_line)
                add(o, VIEW("\n"));
            return true;
        default:
            return false;
        }
    }
}

static void give_recipient(void *arg, struct view recipient)
{
    enqueue_recipient(arg, recipient);
}

static void finish_queueing_or_die(struct output *o, const struct inject *in,
                                   struct view sender, bool whole)
{
    struct enqueue_answer answer;

    if (!whole)
        enqueue_withhold(&o->queue);
    enqueue_sender(&o->queue, sender);
    inject_recipients(in, give_recipient, &o->queue);
    enqueue_finish(&o->queue, &answer);
    if (!whole)
        return;
    switch (answer.verdict) {
    case ENQUEUE_QUEUED:
        return;
    case ENQUEUE_PERM:
        die_perm("%s", answer.text);
    case ENQUEUE_TEMP:
        die_temp("%s", answer.text);
    }
}

void inject_send_or_die(const struct inject *in, struct view sender, struct view added,
                        const struct header *header)
{
    static struct output o; /* its buffers are too large for the stack */

    begin_or_die(&o, in->options.print);
    if (o.print)
        print_return_path(&o, sender);
    add(&o, added);
    add(&o, bytes_view(&in->message.fields));
    add(&o, header_body_start(header));
    bool whole = copy_rest(&o, header->in);

    if (!o.print)
        finish_queueing_or_die(&o, in, sender, whole);
    else if (!writer_finish(&o.out, WRITER_FLUSH))
        die_temp("write error");
    if (!whole)
        die_temp("read error");
}
