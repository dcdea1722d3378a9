#include "admin/log_report.h"
#include "base/json.h"

#include <inttypes.h>

enum { LABEL_WIDTH = 10 };

static const char *const ending_names[] = {"ended", "unfinished", "replaced",
                                           "given up"};

static struct view text_at(const struct log_life *life, size_t at, size_t len)
{
    return len ? view_at(life->texts.data + at, len) : VIEW("");
}

static const char *result_name(int result)
{
    if (result == LOG_UNDER_WAY)
        return "under way";
    return result == LOG_CUT_OFF ? "cut off" : log_result_names[result];
}

/* -- to be read */

static void add_label(struct bytes *out, const char *label, int64_t time_us)
{
    bytes_add_format(out, "  %-*s", LABEL_WIDTH, label);
    log_add_time(out, time_us);
}

static void add_text_line(struct bytes *out, struct view text)
{
    if (!text.len)
        return;
    bytes_add_format(out, "  %-*s", LABEL_WIDTH, "");
    log_add_safe(out, text);
    bytes_add_byte(out, '\n');
}

static void add_spans(struct bytes *out, const struct log_life *life,
                      const struct log_step *step)
{
    int64_t took_us = log_span(step->time_us, step->end_us);
    int64_t age_us = log_span(life->born_us, step->end_us);

    if (took_us != LOG_NO_TIME) {
        bytes_add_text(out, ", took ");
        log_add_span(out, took_us);
    }
    if (age_us != LOG_NO_TIME) {
        bytes_add_text(out, ", ");
        log_add_span(out, age_us);
        bytes_add_text(out, " after acceptance");
    }
}

static void add_delivery(struct bytes *out, const struct log_life *life,
                         const struct log_step *step)
{
    bool over = step->result >= 0;

    add_label(out, result_name(step->result), over ? step->end_us : step->time_us);
    bytes_add_format(out, " delivery %" PRIu64 " %s ", step->number,
                     log_channel_names[step->channel]);
    log_add_safe(out, text_at(life, step->address, step->address_len));
    add_spans(out, life, step);
    bytes_add_byte(out, '\n');
    add_text_line(out, text_at(life, step->text, step->text_len));
}

static void add_step(struct bytes *out, const struct log_life *life,
                     const struct log_step *step)
{
    switch (step->kind) {
    case LOG_STEP_DELIVERY:
        add_delivery(out, life, step);
        break;
    case LOG_STEP_BOUNCE:
        add_label(out, "bounce", step->time_us);
        bytes_add_format(out, " queued with qp %" PRIu64 "\n", step->number);
        break;
    case LOG_STEP_TRIPLE:
        add_label(out, "discarded", step->time_us);
        bytes_add_text(out, " the double bounce could not be delivered\n");
        break;
    case LOG_STEP_DEED:
        add_label(out, step->word, step->time_us);
        bytes_add_text(out, " by the admin");
        log_add_safe(out, text_at(life, step->text, step->text_len));
        bytes_add_byte(out, '\n');
        break;
    }
}

static void add_ending(struct bytes *out, const struct log_life *life,
                       enum log_ending ending, int64_t end_us)
{
    int64_t whole_us = log_span(life->born_us, end_us);

    switch (ending) {
    case LOG_ENDED:
        add_label(out, "ended", end_us);
        if (whole_us != LOG_NO_TIME) {
            bytes_add_text(out, " after ");
            log_add_span(out, whole_us);
        }
        break;
    case LOG_UNFINISHED:
        bytes_add_text(out, "  still in the queue when the log ends");
        break;
    case LOG_REPLACED:
        bytes_add_text(out, "  its end is not in the log; its number came again");
        break;
    case LOG_GIVEN_UP:
        bytes_add_text(out, "  what follows was given up: too much is in the queue");
        break;
    }
    bytes_add_text(out, "\n\n");
}

static void life_text(const struct log_life *life, enum log_ending ending,
                      int64_t end_us, struct bytes *out)
{
    bytes_add_format(out, "message %" PRIu64, life->link.key);
    if (life->informed) {
        bytes_add_text(out, " from <");
        log_add_safe(out, text_at(life, 0, life->sender_len));
        bytes_add_format(out, ">, %" PRIu64 " bytes, uid %" PRIu64 ", qp %" PRIu64,
                         life->size, life->uid, life->qp);
    }
    bytes_add_byte(out, '\n');
    if (life->born) {
        add_label(out, "accepted", life->born_us);
        bytes_add_byte(out, '\n');
    } else
        bytes_add_text(out, "  its beginning is not in the log\n");
    for (size_t i = 0; i < life->count; i++)
        add_step(out, life, &life->steps[i]);
    add_ending(out, life, ending, end_us);
}

/* -- JSON */

static void json_delivery(struct bytes *out, const struct log_life *life,
                          const struct log_step *step)
{
    json_add_number(out, "delivery", step->number);
    json_add_text(out, "channel", view_of(log_channel_names[step->channel]));
    json_add_text(out, "recipient", text_at(life, step->address, step->address_len));
    json_add_text(out, "result", view_of(result_name(step->result)));
    log_json_time(out, "end", step->end_us);
    log_json_span(out, "seconds", log_span(step->time_us, step->end_us));
    log_json_span(out, "age", log_span(life->born_us, step->end_us));
}

static void json_step(struct bytes *out, const struct log_life *life,
                      const struct log_step *step)
{
    json_add_comma(out);
    bytes_add_byte(out, '{');
    log_json_time(out, "time", step->time_us);
    switch (step->kind) {
    case LOG_STEP_DELIVERY:
        json_add_text(out, "event", VIEW("delivery"));
        json_delivery(out, life, step);
        break;
    case LOG_STEP_BOUNCE:
        json_add_text(out, "event", VIEW("bounce"));
        json_add_number(out, "qp", step->number);
        break;
    case LOG_STEP_TRIPLE:
        json_add_text(out, "event", VIEW("triple bounce"));
        break;
    case LOG_STEP_DEED:
        json_add_text(out, "event", view_of(step->word));
        break;
    }
    if (step->text_len)
        json_add_text(out, "text", text_at(life, step->text, step->text_len));
    bytes_add_byte(out, '}');
}

static void life_json(const struct log_life *life, enum log_ending ending,
                      int64_t end_us, struct bytes *out)
{
    bytes_add_byte(out, '{');
    json_add_text(out, "type", VIEW("message"));
    json_add_number(out, "message", life->link.key);
    log_json_time(out, "accepted", life->born ? life->born_us : LOG_NO_TIME);
    if (life->informed) {
        json_add_text(out, "sender", text_at(life, 0, life->sender_len));
        json_add_number(out, "bytes", life->size);
        json_add_number(out, "qp", life->qp);
        json_add_number(out, "uid", life->uid);
    }
    json_add_name(out, "steps");
    bytes_add_byte(out, '[');
    for (size_t i = 0; i < life->count; i++)
        json_step(out, life, &life->steps[i]);
    bytes_add_byte(out, ']');
    json_add_text(out, "state", view_of(ending_names[ending]));
    log_json_time(out, "ended", end_us);
    log_json_span(out, "delay", log_span(life->born_us, end_us));
    bytes_add_text(out, "}\n");
}

void log_life_print(const struct log_life *life, enum log_ending ending, int64_t end_us,
                    bool json, struct bytes *out)
{
    bytes_clear(out);
    if (json)
        life_json(life, ending, end_us, out);
    else
        life_text(life, ending, end_us, out);
}

static void smtp_text(const struct log_event *e, int64_t time_us, struct bytes *out)
{
    bytes_add_text(out, e->kind == LOG_SMTP_TAKEN ? "smtp accepted" : "smtp refused");
    bytes_add_text(out, " from <");
    log_add_safe(out, e->address);
    bytes_add_text(out, "> to <");
    log_add_safe(out, e->recipient);
    bytes_add_text(out, ">\n");
    add_label(out, "client", time_us);
    bytes_add_byte(out, ' ');
    log_add_safe(out, e->ip);
    bytes_add_text(out, ", helo ");
    log_add_safe(out, e->helo);
    bytes_add_byte(out, '\n');
    add_text_line(out, e->text);
    bytes_add_byte(out, '\n');
}

static void smtp_json(const struct log_event *e, int64_t time_us, struct bytes *out)
{
    bool taken = e->kind == LOG_SMTP_TAKEN;

    bytes_add_byte(out, '{');
    json_add_text(out, "type", VIEW("smtp"));
    log_json_time(out, "time", time_us);
    json_add_text(out, "event", taken ? VIEW("accept") : VIEW("reject"));
    json_add_text(out, "ip", e->ip);
    json_add_text(out, "sender", e->address);
    json_add_text(out, "recipient", e->recipient);
    json_add_text(out, "helo", e->helo);
    json_add_text(out, "reply", e->text);
    if (taken && e->qp)
        json_add_number(out, "qp", e->qp);
    bytes_add_text(out, "}\n");
}

void log_smtp_print(const struct log_event *event, int64_t time_us, bool json,
                    struct bytes *out)
{
    bytes_clear(out);
    if (json)
        smtp_json(event, time_us, out);
    else
        smtp_text(event, time_us, out);
}

static void last_text(const struct log_history *h, const struct log_lines *lines,
                      struct bytes *out)
{
    bytes_add_format(out, "%" PRIu64 " messages", h->shown);
    if (h->smtp_shown)
        bytes_add_format(out, " and %" PRIu64 " decisions of qmail-smtpd",
                         h->smtp_shown);
    bytes_add_format(out, "; %" PRIu64 " lines", h->lines);
    if (h->unknown)
        bytes_add_format(out, ", %" PRIu64 " not understood", h->unknown);
    if (h->given_up)
        bytes_add_format(out, "; %" PRIu64 " messages were given up for lack of room",
                         h->given_up);
    if (lines->broken)
        bytes_add_text(out, "; the last line is incomplete");
    bytes_add_byte(out, '\n');
}

static void last_json(const struct log_history *h, const struct log_lines *lines,
                      struct bytes *out)
{
    bytes_add_byte(out, '{');
    json_add_text(out, "type", VIEW("end"));
    json_add_number(out, "messages", h->shown);
    json_add_number(out, "smtp", h->smtp_shown);
    json_add_number(out, "lines", h->lines);
    json_add_number(out, "unknown", h->unknown);
    json_add_number(out, "given_up", h->given_up);
    json_add_number(out, "cut", lines->cut);
    json_add_bool(out, "broken_end", lines->broken);
    bytes_add_text(out, "}\n");
}

void log_history_last(const struct log_history *h, const struct log_lines *lines,
                      struct bytes *out)
{
    bytes_clear(out);
    if (h->json)
        last_json(h, lines, out);
    else
        last_text(h, lines, out);
}
