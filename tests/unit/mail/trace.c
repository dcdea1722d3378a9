#include "mail/trace.h"

#include "tap.h"

static const struct {
    const char *name, *local, *domain, *want;
} delivered[] = {
    {"plain", "joe-x", "Host.Example", "Delivered-To: joe-x@Host.Example\n"},
    {"line feeds", "a\nb", "c\nd", "Delivered-To: a_b@c_d\n"},
    {"nothing", "", "", "Delivered-To: @\n"},
};

static const struct {
    const char *name, *sender, *want;
} paths[] = {
    {"plain", "a@b", "Return-Path: <a@b>\n"},
    {"null sender", "", "Return-Path: <>\n"},
    {"double bounce", "#@[]", "Return-Path: <#@[]>\n"},
    {"blank", "a b@h", "Return-Path: <\"a b\"@h>\n"},
    {"two at signs", "a@b@c", "Return-Path: <\"a@b\"@c>\n"},
    {"empty local part", "@x", "Return-Path: <\"\"@x>\n"},
    {"line feed in the local part", "a\nb@h", "Return-Path: <\"a\\_b\"@h>\n"},
    {"line feed in the domain", "a@b\nc", "Return-Path: <a@b_c>\n"},
    {"dots", "a..b@x", "Return-Path: <\"a..b\"@x>\n"},
};

static const struct {
    const char *name, *sender, *want;
    int64_t at;
} froms[] = {
    {"plain", "a@b", "From a@b Sat Jan 03 01:05:34 1998\n", 883789534},
    {"blanks", "a b\tc\nd@e f", "From a-b-c-d@e-f Thu Jan 01 00:00:00 1970\n", 0},
    {"null sender", "", "From MAILER-DAEMON Thu Jan 01 00:00:00 1970\n", 0},
    {"not quoted", "\"a@b", "From \"a@b Thu Jan 01 00:00:00 1970\n", 0},
    {"after 2038", "a", "From a Thu Jan 01 00:00:00 2060\n", 2840140800},
};

static const struct {
    const char *name, *line, *want; /* want NULL: no such line */
} taken[] = {
    {"sender", "Return-Path: <a@b>\n", "a@b"},
    {"no line feed", "Return-Path: <a@b>", "a@b"},
    {"quoted", "Return-Path: <\"a b>\"@c>\n", "\"a b>\"@c"},
    {"null sender", "Return-Path: <>\n", ""},
    {"another line", "Received: <a@b>\n", NULL},
    {"another case", "return-path: <a@b>\n", NULL},
    {"no bracket", "Return-Path: a@b\n", NULL},
    {"nothing behind the bracket", "Return-Path: <\n", NULL},
    {"nothing", "", NULL},
};

#define LINE "Delivered-To: a@b\n"

static const struct {
    const char *name, *message;
    enum trace_result want;
} searches[] = {
    {"first line", LINE "\n", TRACE_FOUND},
    {"a later line", "Received: x\n y\n" LINE, TRACE_FOUND},
    {"in the body", "A: b\n\n" LINE, TRACE_ABSENT},
    {"empty first line", "\n" LINE, TRACE_ABSENT},
    {"after a line of CR", "A: b\r\n\r\n" LINE, TRACE_FOUND},
    {"after junk", "junk\n\tmore\n" LINE, TRACE_FOUND},
    {"another case", "delivered-to: a@b\n\n", TRACE_ABSENT},
    {"trailing blank", "Delivered-To: a@b \n\n", TRACE_ABSENT},
    {"longer", "Delivered-To: a@bc\n\n", TRACE_ABSENT},
    {"shorter", "Delivered-To: a@\n\n", TRACE_ABSENT},
    {"in the middle of a line", "X" LINE "\n", TRACE_ABSENT},
    {"CR at its end", "Delivered-To: a@b\r\n\n", TRACE_ABSENT},
    {"no line feed", "A: b\nDelivered-To: a@b", TRACE_MORE},
    {"beginning of it, then it", "Deliv\n" LINE, TRACE_FOUND},
    {"no end of header", "A: b\n", TRACE_MORE},
    {"empty message", "", TRACE_MORE},
    {"shorter than an ended line", "D\n\n" LINE, TRACE_ABSENT},
};

static enum trace_result search(struct view message, size_t cut)
{
    struct trace_search s;
    trace_search_begin(&s, VIEW(LINE));
    enum trace_result r = trace_search_next(&s, view_before(message, cut));
    return r == TRACE_MORE ? trace_search_next(&s, view_from(message, cut)) : r;
}

static enum trace_result search_bytewise(struct view message)
{
    struct trace_search s;
    trace_search_begin(&s, VIEW(LINE));
    for (size_t i = 0; i < message.len; i++) {
        enum trace_result r =
            trace_search_next(&s, view_before(view_from(message, i), 1));
        if (r != TRACE_MORE)
            return r;
    }
    return TRACE_MORE;
}

int main(void)
{
    struct bytes got = {0};

    for (size_t i = 0; i < COUNT(delivered); i++) {
        bytes_clear(&got);
        trace_add_delivered_to(&got, view_of(delivered[i].local),
                               view_of(delivered[i].domain));
        same(bytes_view(&got), view_of(delivered[i].want), delivered[i].name);
    }
    for (size_t i = 0; i < COUNT(paths); i++) {
        bytes_clear(&got);
        trace_add_return_path(&got, view_of(paths[i].sender));
        same(bytes_view(&got), view_of(paths[i].want), paths[i].name);
    }
    for (size_t i = 0; i < COUNT(froms); i++) {
        bytes_clear(&got);
        trace_add_from(&got, view_of(froms[i].sender), froms[i].at);
        same(bytes_view(&got), view_of(froms[i].want), froms[i].name);
    }
    /* what stands before a line in the same string is not touched */
    bytes_set(&got, VIEW("a b\n"));
    trace_add_from(&got, VIEW("c d"), 0);
    trace_add_return_path(&got, VIEW(""));
    same(bytes_view(&got),
         VIEW("a b\nFrom c-d Thu Jan 01 00:00:00 1970\nReturn-Path: <>\n"), "appended");

    for (size_t i = 0; i < COUNT(taken); i++) {
        struct view sender = VIEW("");
        bool is_one = trace_take_return_path(view_of(taken[i].line), &sender);
        ok(is_one == (taken[i].want != NULL), taken[i].name, "is one");
        if (is_one && taken[i].want)
            same(sender, view_of(taken[i].want), taken[i].name);
    }
    for (size_t i = 0; i < COUNT(searches); i++) {
        struct view message = view_of(searches[i].message);
        bool right = search_bytewise(message) == searches[i].want;
        for (size_t cut = 0; cut <= message.len; cut++)
            right = right && search(message, cut) == searches[i].want;
        ok(right, "search, cut anywhere:", searches[i].name);
    }
    bytes_free(&got);
    return tap_done();
}
