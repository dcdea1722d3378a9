/* Any bytes as requests to qmail-clean, whole and in pieces: each has one answer; what
 * is taken is a verb and a number, and is the request that qmail-send makes of them;
 * nothing else is. */
#include "queue/clean.h"

#include "mail/queue_dir.h"

#include "fuzz.h"
#include "must.h"
#include "played.h"

#include <inttypes.h>

/* The number at the end, zeros before it left out; 0 for none. */
static uint64_t number_of(struct view digits)
{
    uint64_t n = 0;
    if (digits.len == 0)
        return 0;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = (unsigned)(unsigned char)digits.data[i] - '0';
        if (digit > 9 || n > (UINT64_MAX - digit) / 10)
            return 0;
        n = n * 10 + digit;
    }
    return n;
}

static bool is_zero(struct view digits)
{
    for (size_t i = 0; i < digits.len; i++)
        if (digits.data[i] != '0')
            return false;
    return digits.len > 0;
}

static void check(struct view text)
{
    struct clean_request r;
    bool verb = view_starts(text, VIEW("foop/")) || view_starts(text, VIEW("todo/"));
    struct view digits = verb ? view_from(text, 5) : VIEW("");
    bool fits = text.len <= CLEAN_MAX_REQUEST;

    if (!clean_parse(text, &r)) {
        must(!fits || number_of(digits) == 0 || (ino_t)number_of(digits) == 0);
        return;
    }
    must(fits && verb && r.message == number_of(digits) &&
         (r.message || is_zero(digits)));
    const char *name = r.deed == CLEAN_MESSAGE ? "foop" : "todo";
    struct queue_path path = queue_flat_path(name, r.message);
    struct clean_request again;
    must(view_starts(text, view_of(name)));
    must(clean_parse(view_of(path.text), &again) && again.deed == r.deed &&
         again.message == r.message);
}

/* The requests in input that comes in pieces: as many as there are NULs, and whole
 * unless they are too long to be any. */
static void read_requests(struct view in, size_t step)
{
    static struct reader requests;
    static struct bytes text;

    played[0] = (struct played){.in = in, .step = step};
    reader_open(&requests, PLAYED, 0);
    while (view_has(in, '\0')) {
        struct view request = view_cut(&in, '\0');
        must(clean_next_request(&requests, &text) == READ_ITEM);
        if (request.len > CLEAN_MAX_REQUEST)
            must(text.len > CLEAN_MAX_REQUEST && text.len <= request.len);
        else
            must(view_equal(bytes_view(&text), request));
        check(bytes_view(&text));
    }
    must(clean_next_request(&requests, &text) == READ_END);
}

/* The first byte says how long the pieces are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view in = input_of(data, len);
    size_t step = take_step(&in);
    read_requests(in, 0);
    read_requests(in, step);
    return 0;
}
