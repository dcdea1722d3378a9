/* Any strings as the arguments of a delivery: each variable of a program's environment
 * is there once and has its value, nothing inherited is lost, and each line that goes
 * in front of the message is one line. */
#include "deliver/local.h"

#include "base/heap.h"
#include "mail/trace.h"

#include "fuzz.h"
#include "must.h"

#include <string.h>

enum { ARGUMENTS = 7, OURS = 18 };

static struct bytes text[ARGUMENTS];

static const char *argument(struct view *in, size_t i)
{
    bytes_set(&text[i], view_cut(in, '\0'));
    return bytes_cstring(&text[i]);
}

static const char *find(char *const *all, const char *name, size_t *times)
{
    const char *value = NULL;
    size_t len = strlen(name);
    for (*times = 0; *all; all++)
        if (!strncmp(*all, name, len) && (*all)[len] == '=') {
            value = *all + len + 1;
            ++*times;
        }
    return value;
}

static void check_variable(char *const *all, const char *name, struct view want)
{
    size_t times;
    const char *value = find(all, name, &times);
    must(times == 1 && view_equal(view_of(value), want));
}

static struct view after_dashes(struct view v, int dashes)
{
    for (; dashes; dashes--)
        view_cut(&v, '-');
    return v;
}

static struct view before_dots(struct view v, int dots)
{
    for (; dots; dots--)
        v = view_before(v, view_find_last(v, '.'));
    return v;
}

static void check_environment(const struct local *d, const char *inherited)
{
    static const char *const exts[] = {"EXT", "EXT2", "EXT3", "EXT4"};
    static const char *const hosts[] = {"HOST", "HOST2", "HOST3", "HOST4"};
    char *entry = (char *)(uintptr_t)inherited;
    char *const old[] = {(char[]){"USER=nobody"}, (char[]){"LANG=C"}, entry, NULL};
    char **all = local_environment(d, old);
    size_t times, count = 0;

    while (all[count])
        count++;
    must(count >= OURS && count <= OURS + COUNT(old));
    for (int i = 0; i < 4; i++) {
        check_variable(all, exts[i], after_dashes(view_of(d->ext), i));
        check_variable(all, hosts[i], before_dots(view_of(d->domain), i));
    }
    check_variable(all, "USER", view_of(d->user));
    check_variable(all, "LOCAL", view_of(d->local));
    check_variable(all, "SENDER", view_of(d->sender));
    check_variable(all, "DTLINE", bytes_view(&d->delivered_to));
    check_variable(all, "RPLINE", bytes_view(&d->return_path));
    check_variable(all, "UFLINE", bytes_view(&d->from));
    if (d->default_part)
        check_variable(all, "DEFAULT", view_of(d->default_part));
    must(find(all, "LANG", &times));
    /* what our entries lie in begins with the first of them */
    for (size_t i = 0; i < count; i++)
        if (!strncmp(all[i], "USER=", 5)) {
            heap_free(all[i]);
            break;
        }
    heap_free(all);
}

static void check_line(const struct bytes *line, const char *start)
{
    must(view_starts(bytes_view(line), view_of(start)));
    must(view_find(bytes_view(line), '\n') + 1 == line->len);
}

/* The loop is found in what was made, and the sender in its line. */
static void check_lines(const struct local *d)
{
    struct trace_search search;
    struct view sender, line = bytes_view(&d->delivered_to);

    check_line(&d->delivered_to, "Delivered-To: ");
    check_line(&d->return_path, "Return-Path: <");
    check_line(&d->from, "From ");
    trace_search_begin(&search, line);
    must(trace_search_next(&search, bytes_view(&d->return_path)) == TRACE_MORE);
    must(trace_search_next(&search, line) == TRACE_FOUND);
    must(trace_take_return_path(bytes_view(&d->return_path), &sender));
    must((sender.len == 0) == (d->sender[0] == '\0'));
    struct view name = view_from(bytes_view(&d->from), 5);
    must(!view_has(view_before(name, view_find(name, ' ')), '\t') &&
         name.data[0] != ' ');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view in = input_of(data, len);
    struct local d = {.user = argument(&in, 0), .home = "/home"};
    d.local = argument(&in, 1);
    d.ext = argument(&in, 2);
    d.domain = argument(&in, 3);
    d.sender = argument(&in, 4);
    const char *part = argument(&in, 5);
    d.default_part = *part ? part : NULL;
    const char *inherited = argument(&in, 6);

    trace_add_delivered_to(&d.delivered_to, view_of(d.local), view_of(d.domain));
    trace_add_return_path(&d.return_path, view_of(d.sender));
    trace_add_from(&d.from, view_of(d.sender), 1700000000);
    check_environment(&d, inherited);
    check_lines(&d);
    bytes_free(&d.delivered_to);
    bytes_free(&d.return_path);
    bytes_free(&d.from);
    return 0;
}
