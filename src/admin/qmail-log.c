/* qmail-log - what the log of qmail-send says: about a message, or on the whole.
 *
 * runs as  the caller, any user; trusts nothing that stands in a log
 * usage    qmail-log [-jw] [-k rows]
 *          qmail-log [-aj] [-s sender] [-r recipient] [-n number] [-q qp]
 * fd 0     the log
 * fd 1     a summary, as text, JSON (-j) or a web page (-w); or the history of the
 *          messages asked for
 * exits    0; 1 where no message is what was asked for; 100 for a wrong usage; 111
 *          when the log cannot be read or the answer not be written */
#include "admin/log_report.h"
#include "base/die.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/number.h"
#include "base/option.h"
#include "base/sandbox.h"

#include <errno.h>
#include <time.h>

#define USAGE                            \
    "usage: qmail-log [-jw] [-k rows]\n" \
    "       qmail-log [-aj] [-s sender] [-r recipient] [-n number] [-q qp]\n"

enum { DEFAULT_ROWS = 10, EXIT_NOTHING = 1 };

static struct {
    bool history, json, page;
    uint64_t rows;
    struct log_selection selection;
} asked = {.rows = DEFAULT_ROWS};

static struct log_lines lines;

static void add_pattern(struct view *list, size_t *count, const char *text)
{
    if (*count == LOG_MAX_PATTERNS)
        die_perm("more than %d patterns of a kind", LOG_MAX_PATTERNS);
    list[(*count)++] = view_of(text);
    asked.history = true;
}

static void add_number(uint64_t *list, size_t *count, const char *text)
{
    if (*count == LOG_MAX_PATTERNS)
        die_perm("more than %d numbers of a kind", LOG_MAX_PATTERNS);
    if (!number_exact(view_of(text), UINT64_MAX, &list[(*count)++]))
        die_raw(DIE_PERM, USAGE);
    asked.history = true;
}

static void take_option(int letter, const char *value)
{
    struct log_selection *s = &asked.selection;

    switch (letter) {
    case 'a':
        asked.history = true;
        break;
    case 'j':
        asked.json = true;
        break;
    case 'w':
        asked.page = true;
        break;
    case 'k':
        if (!number_exact(view_of(value), LOG_NAMES, &asked.rows))
            die_raw(DIE_PERM, USAGE);
        break;
    case 's':
        add_pattern(s->senders, &s->sender_count, value);
        break;
    case 'r':
        add_pattern(s->recipients, &s->recipient_count, value);
        break;
    case 'n':
        add_number(s->messages, &s->message_count, value);
        break;
    case 'q':
        add_number(s->qps, &s->qp_count, value);
        break;
    default:
        die_raw(DIE_PERM, USAGE);
    }
}

static void read_arguments(char **argv)
{
    struct options options;
    int letter;

    options_begin(&options, argv);
    while ((letter = options_next(&options, "ajwk:s:r:n:q:")) != OPTION_END)
        take_option(letter, options.value);
    if (*options.rest || (asked.page && (asked.json || asked.history)))
        die_raw(DIE_PERM, USAGE);
}

/* The next line's event and time; false at the end. */
static bool next_event(struct log_event *event, int64_t *time_us)
{
    static struct log_stamps stamps;
    struct view line;

    if (!log_lines_next(&lines, &line)) {
        if (lines.error)
            die_temp("unable to read: %s", error_text(lines.error));
        return false;
    }
    *time_us = log_stamp_take(&stamps, &line);
    log_event_read(line, event);
    return true;
}

static void summarize(struct writer *out)
{
    static struct log_summary summary;
    struct bytes text = {0};
    struct log_event event;
    int64_t time_us;

    log_summary_open(&summary);
    while (next_event(&event, &time_us))
        log_summary_add(&summary, &event, time_us);
    log_summary_end(&summary);
    if (asked.page)
        log_page(&summary, &lines, (size_t)asked.rows, &text);
    else if (asked.json)
        log_summary_json(&summary, &lines, (size_t)asked.rows, &text);
    else
        log_summary_text(&summary, &lines, (size_t)asked.rows, &text);
    writer_add(out, bytes_view(&text));
    bytes_free(&text);
    log_summary_free(&summary);
}

/* Whether anything was shown. */
static bool tell_history(struct writer *out)
{
    struct log_history history;
    struct log_event event;
    int64_t time_us;

    log_history_open(&history, &asked.selection, asked.json, out);
    while (!out->error && next_event(&event, &time_us))
        log_history_add(&history, &event, time_us);
    log_history_end(&history, &lines);
    log_history_free(&history);
    return history.shown + history.smtp_shown > 0;
}

int main(int argc, char **argv)
{
    static struct writer out;
    bool found = true;

    (void)argc;
    die_name("qmail-log");
    heap_on_failure(die_of_memory);
    if (!fd_fill_standard())
        return DIE_TEMP;
    read_arguments(argv);
    tzset();
    sandbox_enter(SANDBOX_FILES); /* of time zones */
    log_lines_open(&lines, 0);
    writer_open(&out, 1, 0);
    if (asked.history)
        found = tell_history(&out);
    else
        summarize(&out);
    if (!writer_finish(&out, WRITER_FLUSH))
        die_temp("unable to write: %s", error_text(errno));
    return found ? 0 : EXIT_NOTHING;
}
