/* One control file of any bytes, read in every way there is: as a line, a line or me, a
 * number, a size, a list, a map. The first byte says whether the file is there. */
#include "mail/control.h"

#include "fake.h"
#include "fuzz.h"

/* The first line, by the rules of control.h. */
static struct view first_line(struct view content)
{
    size_t lf = view_find(content, '\n');
    struct view line = view_before(content, lf);
    if (lf < content.len && view_ends(line, VIEW("\r")))
        line.len--;
    return view_trim_end(line, " \t");
}

static void line_and_numbers(struct view content, bool there)
{
    struct bytes value = {0};
    struct view line = first_line(content), rest = line;
    uint64_t size = 7, number = 7;

    MUST(control_line("x", &value) == (there ? CONTROL_READ : CONTROL_ABSENT));
    MUST(!there || view_equal(bytes_view(&value), line));
    MUST(control_line_or_me("x", NULL, &value) == CONTROL_READ);
    MUST(view_equal(bytes_view(&value), there ? line : VIEW("me.test")));
    bool digits = there && line.len && byte_is_digit(line.data[0]);
    MUST(control_size("x", &size) == (digits ? CONTROL_READ : CONTROL_ABSENT));
    MUST(control_number("x", &number) == (digits ? CONTROL_READ : CONTROL_ABSENT));
    if (!digits) {
        MUST(size == 7 && number == 7);
    } else {
        uint64_t want = 0;
        for (; rest.len && byte_is_digit(rest.data[0]) && want <= CONTROL_MAX_NUMBER;
             rest = view_from(rest, 1))
            want = want * 10 + (uint64_t)(rest.data[0] - '0');
        MUST(number == (want > CONTROL_MAX_NUMBER ? CONTROL_MAX_NUMBER : want));
        MUST(want > CONTROL_MAX_NUMBER ? size > CONTROL_MAX_NUMBER : size == want);
    }
    bytes_free(&value);
}

/* The next entry there should be. False at the end. */
static bool next_entry(struct view *content, struct view *line, struct view *entry)
{
    for (;;) {
        while (line->len) {
            *entry = view_cut(line, '\0');
            if (entry->len)
                return true;
        }
        if (content->len == 0)
            return false;
        *line = first_line(*content);
        view_cut(content, '\n');
        if (line->len && line->data[0] == '#')
            line->len = 0;
    }
}

static void list_and_map(struct view content, bool there)
{
    struct control_list list = {0}, map = {0};
    struct view line = VIEW(""), want, got, value;

    MUST(control_read_list("x", &list) == (there ? CONTROL_READ : CONTROL_ABSENT));
    MUST(control_read_map("x", &map) == (there ? CONTROL_READ : CONTROL_ABSENT));
    struct view rest = bytes_view(&list.entries);
    while (there && next_entry(&content, &line, &want)) {
        MUST(control_list_next(&rest, &got) && view_equal(got, want));
        MUST(control_list_has(&list, want));
        if (!view_has(want, ':'))
            continue;
        struct view key = view_cut(&want, ':');
        MUST(table_find(&map.table, key, &value));
    }
    MUST(!control_list_next(&rest, &got));
    control_list_free(&list);
    control_list_free(&map);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    struct view content = view_at((const char *)data + 1, len - 1);
    bool there = data[0] & 1;

    fake_begin();
    if (there)
        fake_file("control/x", content);
    fake_file("control/me", VIEW("me.test \t\nx"));
    line_and_numbers(content, there);
    list_and_map(content, there);
    fake_end();
    return 0;
}
