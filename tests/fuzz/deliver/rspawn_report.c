/* Any bytes as the output of qmail-remote, whole and in pieces, with any way to end:
 * the report is the same, has no NUL, and says success only where the message was
 * accepted and the recipient was not refused. */
#include "deliver/rspawn.h"

#include "fuzz.h"
#include "must.h"

#include <sys/wait.h>

static void report(struct view in, size_t step, int status, struct bytes *out)
{
    struct rspawn_output output = {0};
    bytes_clear(out);
    while (in.len)
        rspawn_take(&output, take_piece(&in, step));
    rspawn_report(out, status, &output);
    rspawn_free(&output);
}

/* The letter by the strings that are whole: what is said of the message first, then
 * what is said of the recipient, which is the first byte of all. */
static char letter_of(struct view in, int status)
{
    char first = in.len ? in.data[0] : '\0';
    if (!WIFEXITED(status) || WEXITSTATUS(status) == 111 || WEXITSTATUS(status) == 127)
        return 'Z';
    if (WEXITSTATUS(status))
        return 'D';
    if (!in.len || first == 's')
        return 'Z';
    if (first == 'h')
        return 'D';
    while (view_has(in, '\0')) {
        struct view string = view_cut(&in, '\0');
        if (string.len && view_has(VIEW("KZD"), string.data[0]))
            return string.data[0];
    }
    return 'Z';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes whole = {0}, pieces = {0};
    struct view in = input_of(data, len);
    size_t step = take_step(&in);
    int status = (int)(take_number(&in) << 8 | take_number(&in) % 32);

    report(in, in.len, status, &whole);
    report(in, step, status, &pieces);
    must(view_equal(bytes_view(&whole), bytes_view(&pieces)));
    must(whole.len && whole.len <= 1 + 2 * RSPAWN_MAX_TEXT);
    must(whole.data[0] == letter_of(in, status) && !view_has(bytes_view(&whole), '\0'));
    bytes_free(&whole);
    bytes_free(&pieces);
    return 0;
}
