/* The summary of any message is printable, no longer than asked for, and the same
 * whatever pieces the message comes in, which the first byte says. */
#include "mail/summary.h"

#include "fake.h"
#include "fuzz.h"

enum { MAX = 40 };

static void summarize(struct view message, unsigned most, struct summary *s)
{
    fake_begin();
    summary_read(s, fake_input(message, most), MAX);
    fake_end();
    MUST(s->text.len <= MAX);
    for (size_t i = 0; i < s->text.len; i++)
        MUST(s->text.data[i] >= 32 && s->text.data[i] <= 126);
}

static void compare(const struct bytes *a, const struct bytes *b)
{
    MUST(view_equal(bytes_view(a), bytes_view(b)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct summary whole = {0}, pieces = {0};

    if (len == 0)
        return 0;
    struct view message = view_at((const char *)data + 1, len - 1);
    summarize(message, 0, &whole);
    summarize(message, 1u + data[0], &pieces);
    compare(&whole.text, &pieces.text);
    compare(&whole.from, &pieces.from);
    compare(&whole.return_path, &pieces.return_path);
    compare(&whole.delivered_to, &pieces.delivered_to);
    summary_free(&whole);
    summary_free(&pieces);
    return 0;
}
