#include "queue/send.h"

#include "base/clock.h"
#include "base/file.h"

/* What is known of the message after the order. Whoever is left in a channel is in an
 * attempt or waits; else the file could not be looked at when we started. */
static void tell(struct order_answer *a, ino_t message, const struct order_files *f)
{
    a->bouncing = bounce_is_running(message);
    for (int i = 0; i < CHANNELS; i++) {
        enum channel c = (enum channel)i;
        struct order_channel *to = &a->channels[i];
        const struct job *j = job_find(c, message);
        if (!f->channels[i])
            to->place = ORDER_NOBODY;
        else if (j)
            *to = (struct order_channel){.place = ORDER_ATTEMPT,
                                         .deliveries = job_running(j)};
        else if (waiting_find(c, message, &to->due) != WAITING_NOT)
            to->place = ORDER_WAITS;
        else
            to->place = ORDER_UNKNOWN;
    }
}

static bool is_unknown(const struct order_answer *a)
{
    return a->channels[CHANNEL_LOCAL].place == ORDER_UNKNOWN ||
           a->channels[CHANNEL_REMOTE].place == ORDER_UNKNOWN;
}

/* The message has been marked: what that means where it is. */
static void apply(ino_t message, const struct order_files *f, enum queue_mark mark)
{
    for (int i = 0; i < CHANNELS; i++) {
        enum channel c = (enum channel)i;
        struct job *j = job_find(c, message);
        if (!f->channels[i])
            continue;
        waiting_forget(c, message);
        if (j)
            job_mark(j, mark);
        else if (mark)
            job_apply(c, message, mark);
        else
            waiting_now(c, message);
    }
}

static void try_now(ino_t message, const struct order_files *f)
{
    int64_t due;
    for (int i = 0; i < CHANNELS; i++) /* what is due keeps its place */
        if (f->channels[i] &&
            waiting_find((enum channel)i, message, &due) == WAITING_DUE &&
            due > clock_now())
            waiting_now((enum channel)i, message);
}

static bool is_in_attempt(const struct order_answer *a)
{
    bool somewhere = false;
    for (int i = 0; i < CHANNELS; i++) {
        if (a->channels[i].place == ORDER_WAITS)
            return false;
        somewhere |= a->channels[i].place == ORDER_ATTEMPT;
    }
    return somewhere;
}

static void carry_out(const struct order *o, const struct order_files *f,
                      enum queue_mark mark)
{
    static const char *const lines[ORDER_VERBS] = {
        [ORDER_TRY] = "try",          [ORDER_HOLD] = "held",
        [ORDER_RELEASE] = "released", [ORDER_RETURN] = "return",
        [ORDER_DELETE] = "delete",
    };
    bool somebody = f->channels[CHANNEL_LOCAL] || f->channels[CHANNEL_REMOTE];

    log_line("%s msg %ju", lines[o->verb], (uintmax_t)o->message);
    log_flush();
    /* the end of the message looks at the mark again; but should an older qmail-send
     * take over, there is nothing to send */
    if (o->verb == ORDER_DELETE)
        (void)file_remove(queue_flat_path("bounce", o->message).text);
    if (!somebody)
        waiting_finish_now(o->message);
    else if (o->verb == ORDER_TRY)
        try_now(o->message, f);
    else
        apply(o->message, f, mark);
}

static enum order_result trouble(const char *deed, struct queue_path path)
{
    log_line("warning: unable to %s %s; order refused", deed, path.text);
    return ORDER_TROUBLE;
}

static enum order_result judge(const struct order *o, struct order_files *f,
                               enum queue_mark *mark)
{
    struct queue_path path;

    if (!order_look(o->message, f, &path))
        return trouble("stat", path);
    enum order_result result = order_judge(o, f, bounce_is_running(o->message), mark);
    /* qmail-clean may have removed todo/N, or be about to remove mess/S/N */
    if (result != ORDER_NEW && clean_is_asked(o->message))
        return f->info ? ORDER_NEW : ORDER_GONE;
    return result;
}

struct order_answer obey(const struct order *o)
{
    struct order_answer a = {.result = ORDER_DONE};
    struct order_files f;
    enum queue_mark mark = QUEUE_NO_MARK;

    a.result = judge(o, &f, &mark);
    if (a.result == ORDER_NEW || a.result == ORDER_GONE || a.result == ORDER_OTHER ||
        a.result == ORDER_TROUBLE)
        return a;
    tell(&a, o->message, &f);
    a.mark = f.mark;
    if (a.result != ORDER_DONE || o->verb == ORDER_STATE)
        return a;
    if (o->verb == ORDER_TRY && is_in_attempt(&a)) {
        a.result = ORDER_ACTIVE;
        return a;
    }
    if (is_unknown(&a) || !order_mark(o->message, mark)) {
        a.result = trouble(is_unknown(&a) ? "use" : "mark",
                           queue_split_path("info", o->message));
        return a;
    }
    carry_out(o, &f, mark);
    a.mark = mark;
    for (int i = 0; i < CHANNELS; i++) /* what ends is no more */
        f.channels[i] = f.channels[i] && (job_find((enum channel)i, o->message) ||
                                          mark == QUEUE_HELD || !mark);
    tell(&a, o->message, &f);
    return a;
}
