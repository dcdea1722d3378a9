/* A sender, and recipients with reports, any bytes all of them: the bounce has the four
 * fields and no other, a paragraph for each recipient, which begins with its address
 * in brackets and has no empty line, and then the line before the message. A reader of
 * such bounces (QSBMF) finds as many recipients as there were, and no other. */
#include "queue/send.h"

#include "fuzz.h"
#include "must.h"

struct send_controls controls;

/* Of qmail-send itself; nobody asks here. */
bool send_is_leaving(void)
{
    abort();
}

void send_leave(void)
{
    abort();
}

bool send_sleep(void)
{
    abort();
}

static void check_header(struct view *rest)
{
    static const char *const names[] = {"Date: ", "From: MAILER-DAEMON@h.test",
                                        "To: ", "Subject: failure notice"};
    for (size_t i = 0; i < COUNT(names); i++)
        must(view_starts(view_cut(rest, '\n'), view_of(names[i])));
    must(view_cut(rest, '\n').len == 0);
}

static void skip_empty_lines(struct view *rest)
{
    while (rest->len && rest->data[0] == '\n')
        *rest = view_from(*rest, 1);
}

/* The lines up to the next empty one, which is dropped. */
static struct view take_paragraph(struct view *rest)
{
    size_t end = 0;
    skip_empty_lines(rest);
    while (end + 1 < rest->len &&
           !(rest->data[end] == '\n' && rest->data[end + 1] == '\n'))
        end++;
    must(end + 1 < rest->len);
    struct view paragraph = view_before(*rest, end);
    *rest = view_from(*rest, end + 2);
    return paragraph;
}

static void check_note(struct view paragraph, struct view address)
{
    must(view_starts(paragraph, VIEW("<")));
    paragraph = view_from(paragraph, 1);
    for (size_t i = 0; i < address.len; i++)
        must(i < paragraph.len &&
             paragraph.data[i] == (address.data[i] == '\n' ? '_' : address.data[i]));
    must(view_starts(view_from(paragraph, address.len), VIEW(">:")));
}

static void check_body(struct view rest, struct view notes, bool is_double)
{
    must(view_starts(take_paragraph(&rest),
                     VIEW("Hi. This is the qmail-send program at h.test.\n")));
    while (notes.len) {
        struct view address = view_cut(&notes, '\0');
        view_cut(&notes, '\0');
        check_note(take_paragraph(&rest), address);
    }
    skip_empty_lines(&rest);
    must(view_starts(rest, is_double ? VIEW("--- Below this line is the original")
                                     : VIEW("--- Below this line is a copy")));
    take_paragraph(&rest);
    must(view_starts(view_cut(&rest, '\n'), VIEW("Return-Path: <")) && !rest.len);
}

/* The sender, then an address and a report and so on, each with its NUL. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view in = input_of(data, len), sender = view_cut(&in, '\0'), rest = in;
    struct bytes whole = {0};
    struct bounce_text text;

    if (view_has(sender, '\n'))
        return 0; /* it stands in the header as it is, and comes back to who wrote it */
    bytes_set(&controls.bounce_from, VIEW("MAILER-DAEMON"));
    bytes_set(&controls.bounce_host, VIEW("h.test"));
    bytes_set(&controls.double_bounce_to, VIEW("postmaster"));
    bytes_set(&controls.double_bounce_host, VIEW("h.test"));
    if (!bounce_compose(&text, sender, 1700000000)) {
        must(view_is(sender, "#@[]"));
        return 0;
    }
    bytes_add(&whole, bytes_view(&text.head));
    while (rest.len) {
        struct view address = view_cut(&rest, '\0');
        note_paragraph(&whole, address, view_cut(&rest, '\0'));
    }
    bytes_add(&whole, bytes_view(&text.separator));
    bool is_double = !sender.len || view_is(sender, "-@[]");
    must(view_is(bytes_view(&text.sender), is_double ? "#@[]" : ""));
    must(is_double || view_starts(sender, bytes_view(&text.recipient)));

    rest = bytes_view(&whole);
    check_header(&rest);
    check_body(rest, in, is_double);
    bounce_text_free(&text);
    bytes_free(&whole);
    bytes_free(&controls.bounce_from);
    bytes_free(&controls.bounce_host);
    bytes_free(&controls.double_bounce_to);
    bytes_free(&controls.double_bounce_host);
    return 0;
}
