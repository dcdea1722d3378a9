/* A message is quoted in blocks whose length the first byte says. No line is a From_
 * line then, and taking one '>' away from each quoted line gives the message back,
 * whole lines and an empty line. */
#include "mail/mbox.h"

#include "fake.h"
#include "fuzz.h"

static void quote(struct view message, size_t each, struct bytes *got)
{
    static struct writer out;
    struct mbox_quoting quoting = {0};

    fake_begin();
    writer_open(&out, fake_output(got), 0);
    while (message.len) {
        size_t len = message.len < each ? message.len : each;
        mbox_quote(&quoting, view_before(message, len), &out);
        message = view_from(message, len);
    }
    mbox_quote_end(&quoting, &out);
    MUST(writer_finish(&out, WRITER_FLUSH));
    fake_end();
}

static bool is_from_line(struct view line)
{
    while (line.len && line.data[0] == '>')
        line = view_from(line, 1);
    return view_starts(line, VIEW("From "));
}

static void unquote(struct view rest, struct bytes *out)
{
    while (rest.len) {
        struct view line = view_cut(&rest, '\n');
        MUST(!view_starts(line, VIEW("From ")));
        bytes_add(out, is_from_line(line) ? view_from(line, 1) : line);
        bytes_add_byte(out, '\n');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes quoted = {0}, plain = {0}, want = {0};

    if (len == 0)
        return 0;
    struct view message = view_at((const char *)data + 1, len - 1);
    bytes_set(&want, message);
    if (message.len && message.data[message.len - 1] != '\n')
        bytes_add_byte(&want, '\n');
    bytes_add_byte(&want, '\n');

    quote(message, (size_t)data[0] + 1, &quoted);
    unquote(bytes_view(&quoted), &plain);
    MUST(view_equal(bytes_view(&plain), bytes_view(&want)));
    bytes_free(&quoted);
    bytes_free(&plain);
    bytes_free(&want);
    return 0;
}
