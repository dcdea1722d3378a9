/* Any message, in pieces that the first byte chooses, is fields and a body by the rules
 * of header.h applied to whole lines. The same is made of what comes out. */
#include "mail/header.h"

#include "fake.h"
#include "fuzz.h"

#include "mail/netstring.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_field_line(struct view line)
{
    size_t colon = view_find(line, ':');
    struct view name = view_trim_end(view_before(line, colon), " \t");

    if (colon == line.len || name.len == 0)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] < 33 || name.data[i] > 126)
            return false;
    return true;
}

/* Fields as netstrings, and what follows. */
struct parsed {
    struct bytes fields, body;
};

/* With whole lines. */
static void parse_lines(struct view rest, struct parsed *p)
{
    struct bytes field = {0};

    while (rest.len) {
        struct view line = view_before(rest, view_find(rest, '\n'));
        bool mbox = view_starts(line, VIEW("From "));
        bool goes_on = line.len && is_blank(line.data[0]) && field.len;
        if (!goes_on && !mbox && !is_field_line(line))
            break;
        if (!goes_on) {
            if (field.len)
                netstring_add(&p->fields, bytes_view(&field));
            bytes_set(&field, mbox ? VIEW("MBOX-Line: ") : VIEW(""));
        }
        bytes_add(&field, line);
        bytes_add_byte(&field, '\n');
        view_cut(&rest, '\n');
    }
    if (field.len)
        netstring_add(&p->fields, bytes_view(&field));
    if (rest.len && rest.data[0] != '\n')
        bytes_add_byte(&p->body, '\n');
    bytes_add(&p->body, rest);
    bytes_free(&field);
}

static void parse_pieces(struct view message, unsigned most, struct parsed *p)
{
    static struct reader in;
    static struct bytes field;
    struct header header;
    struct view unread;
    enum header_result result;

    fake_begin();
    reader_open(&in, fake_input(message, most), 0);
    header_open(&header, &in);
    while ((result = header_next(&header, &field)) == HEADER_FIELD) {
        netstring_add(&p->fields, bytes_view(&field));
        MUST(header_name(bytes_view(&field)).len);
    }
    MUST(result == HEADER_END);
    bytes_add(&p->body, header_body_start(&header));
    while (reader_peek(&in, &unread) == READ_ITEM) {
        bytes_add(&p->body, unread);
        reader_skip(&in, unread.len);
    }
    header_free(&header);
    fake_end();
}

static void forget(struct parsed *p)
{
    bytes_free(&p->fields);
    bytes_free(&p->body);
}

static void compare(const struct parsed *a, const struct parsed *b)
{
    MUST(view_equal(bytes_view(&a->fields), bytes_view(&b->fields)));
    MUST(view_equal(bytes_view(&a->body), bytes_view(&b->body)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct parsed got = {0}, want = {0}, again = {0};
    struct bytes message = {0};

    if (len == 0)
        return 0;
    struct view v = view_at((const char *)data + 1, len - 1);
    parse_lines(v, &want);
    parse_pieces(v, data[0], &got);
    compare(&got, &want);
    for (struct view rest = bytes_view(&got.fields); rest.len;) {
        uint64_t size = 0;
        MUST(netstring_length(&rest, &size) == NETSTRING_LENGTH);
        bytes_add(&message, view_before(rest, (size_t)size));
        rest = view_from(rest, (size_t)size + 1);
    }
    bytes_add(&message, bytes_view(&got.body));
    parse_pieces(bytes_view(&message), 0, &again);
    compare(&got, &again);
    forget(&got);
    forget(&want);
    forget(&again);
    bytes_free(&message);
    return 0;
}
