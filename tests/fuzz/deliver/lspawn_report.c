/* Any bytes as the output of qmail-local, whole and in pieces, with any way to end:
 * the report is the same, has its letter by the exit code alone but where the loader
 * has said that it could not load qmail-local, no NUL and a limit. */
#include "deliver/lspawn.h"

#include "mail/delivery.h"

#include "fuzz.h"
#include "must.h"

#include <sys/wait.h>

/* What the loader says, some of it behind the name of a program, before it exits 127.
 */
static bool is_of_loader(struct view in)
{
    if (in.len > LSPAWN_MAX_TEXT)
        in = view_before(in, LSPAWN_MAX_TEXT);
    if (view_starts(in, VIEW("cannot allocate TLS data structures for ")) ||
        view_starts(in, VIEW("Fatal glibc error: ")))
        return true;
    while (in.len && in.data[0] != ':')
        in = view_from(in, 1);
    return view_starts(in, VIEW(": error while loading shared libraries: "));
}

static char letter_of(struct view in, int status)
{
    static const int temporary[] = {71,  74,  75,  111, 112, 113, 115,
                                    116, 117, 118, 119, 120, 121};
    if (!WIFEXITED(status))
        return 'Z';
    for (size_t i = 0; i < COUNT(temporary); i++)
        if (WEXITSTATUS(status) == temporary[i])
            return 'Z';
    if (WEXITSTATUS(status) == 127 && is_of_loader(in))
        return 'Z';
    return WEXITSTATUS(status) == 0 ? 'K' : 'D';
}

static void report(struct view in, size_t step, int status, struct bytes *out)
{
    struct lspawn_text text = {0};
    bytes_clear(out);
    while (in.len)
        lspawn_take(&text, take_piece(&in, step));
    must(text.kept.len <= LSPAWN_MAX_TEXT);
    lspawn_report(out, status, &text);
    bytes_free(&text.kept);
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
    must(whole.len && whole.len <= LSPAWN_MAX_TEXT + 1 &&
         whole.len <= DELIVERY_MAX_REPORT);
    must(whole.data[0] == letter_of(in, status) && !view_has(bytes_view(&whole), '\0'));
    bytes_free(&whole);
    bytes_free(&pieces);
    return 0;
}
