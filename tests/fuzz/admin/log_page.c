/* Whatever a log holds, its summary is made in every form, and the page has no markup
 * but ours; its history comes to an end too, and says no less with a pattern. */
#include "admin/log_report.h"

#include "fuzz.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static struct log_lines no_lines;
static int nowhere = -1;

static void each_line(struct view rest, struct log_summary *s, struct log_history *h)
{
    struct log_stamps stamps = {0};

    while (rest.len) {
        struct log_event event = {0};
        struct view line = view_cut(&rest, '\n');
        int64_t us = log_stamp_take(&stamps, &line);
        log_event_read(line, &event);
        if (s)
            log_summary_add(s, &event, us);
        else
            log_history_add(h, &event, us);
    }
}

/* Every '<' begins an element of ours, and no control byte is left. */
static void check_page(struct view page)
{
    for (size_t i = 0; i < page.len; i++) {
        unsigned char c = (unsigned char)page.data[i];
        if (c < 32 && c != '\n')
            abort();
        if (c != '<')
            continue;
        struct view rest = view_from(page, i + 1);
        if (view_starts_case(rest, VIEW("script")) ||
            view_starts_case(rest, VIEW("a ")) || view_starts_case(rest, VIEW("img")) ||
            !rest.len || rest.data[0] == ' ')
            abort();
    }
}

static void summarize(struct view log)
{
    static struct log_summary s;
    struct bytes out = {0};

    log_summary_open(&s);
    each_line(log, &s, NULL);
    log_summary_end(&s);
    log_summary_text(&s, &no_lines, 5, &out);
    bytes_clear(&out);
    log_summary_json(&s, &no_lines, 5, &out);
    bytes_clear(&out);
    log_page(&s, &no_lines, 5, &out);
    check_page(bytes_view(&out));
    bytes_free(&out);
    log_summary_free(&s);
}

static uint64_t tell(struct view log, const struct log_selection *selection, bool json)
{
    static struct writer out;
    struct log_history h;

    writer_open(&out, nowhere, 0);
    log_history_open(&h, selection, json, &out);
    each_line(log, NULL, &h);
    log_history_end(&h, &no_lines);
    if (h.held != 0)
        abort();
    log_history_free(&h);
    writer_finish(&out, WRITER_FLUSH);
    return h.shown;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct log_selection all;
    static const struct log_selection some = {.recipients = {VIEW_INIT("*a*")},
                                              .recipient_count = 1};
    struct view log = view_at((const char *)data, len);

    if (nowhere < 0)
        nowhere = open("/dev/null", O_WRONLY);
    summarize(log);
    if (tell(log, &some, true) > tell(log, &all, false))
        abort();
    return 0;
}
