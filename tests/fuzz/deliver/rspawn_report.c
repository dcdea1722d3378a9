/* Any bytes as the output of qmail-remote, whole and in pieces, with any way to end, of
 * one recipient and of several: the reports are the same, have no NUL, and say success
 * only where the message was accepted and the recipient was not refused; of several
 * recipients, only where this one was told to be accepted. */
#include "deliver/rspawn.h"

#include "fuzz.h"
#include "must.h"

#include <sys/wait.h>

enum { MOST_RECIPIENTS = 7 };

/* The reports of all recipients. */
struct reports {
    struct bytes text[MOST_RECIPIENTS];
    size_t count;
};

static void make_reports(struct view in, size_t step, int status, struct reports *all)
{
    struct rspawn_output output = {0};
    if (all->count > 1)
        must(rspawn_expect(&output, all->count));
    while (in.len)
        rspawn_take(&output, take_piece(&in, step));
    for (size_t i = 0; i < all->count; i++)
        rspawn_report(&all->text[i], status, &output, i);
    rspawn_free(&output);
}

/* The letter that the way it ended gives to each recipient, or 0. */
static char letter_of_end(size_t len, int status)
{
    if (!WIFEXITED(status) || WEXITSTATUS(status) == 111 || WEXITSTATUS(status) == 127)
        return 'Z';
    if (WEXITSTATUS(status))
        return 'D';
    return len ? '\0' : 'Z';
}

/* The first byte of the string of that number among those that begin with one of these
 * letters and are whole, or 0. */
static char letter_among(struct view in, const char *letters, size_t number)
{
    while (view_has(in, '\0')) {
        struct view string = view_cut(&in, '\0');
        if (string.len && view_has(view_of(letters), string.data[0]) && number-- == 0)
            return string.data[0];
    }
    return '\0';
}

/* By the strings: what is said of the recipient, then what is said of the message. Of
 * the only recipient the first byte of all tells, of others the string of their number.
 */
static char letter_of(struct view in, int status, size_t number, size_t count)
{
    char end = letter_of_end(in.len, status);
    if (end)
        return end;
    char fate = count == 1 ? in.data[0] : letter_among(in, "rhs", number);
    char message = letter_among(in, "KZD", 0);
    if (fate == 's' || fate == 'h')
        return fate == 's' ? 'Z' : 'D';
    if (!message || (count > 1 && !fate && message == 'K'))
        return 'Z';
    return message;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view in = input_of(data, len);
    size_t step = take_step(&in);
    int status = (int)(take_number(&in) << 8 | take_number(&in) % 32);
    size_t count = 1;

    /* the input of one recipient is the whole rest, of several what follows a number */
    for (int several = 0; several < 2; several++) {
        if (several)
            count = 2 + take_number(&in) % (MOST_RECIPIENTS - 1);
        struct reports whole = {.count = count}, pieces = {.count = count};
        make_reports(in, in.len, status, &whole);
        make_reports(in, step, status, &pieces);
        for (size_t i = 0; i < count; i++) {
            struct view report = bytes_view(&whole.text[i]);
            must(view_equal(report, bytes_view(&pieces.text[i])));
            must(report.len && report.len <= 1 + 2 * RSPAWN_MAX_TEXT);
            must(report.data[0] == letter_of(in, status, i, count));
            must(!view_has(report, '\0'));
            bytes_free(&whole.text[i]);
            bytes_free(&pieces.text[i]);
        }
    }
    return 0;
}
