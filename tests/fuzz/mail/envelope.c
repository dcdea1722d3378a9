/* An envelope of the queue, in pieces that the first byte chooses: its records are what
 * stands between NULs, each with its letter, and a cut one is told from an end. */
#include "mail/envelope.h"

#include "fake.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct reader in;
    struct bytes room = {0};
    struct envelope_record record;
    enum envelope_result result;

    if (len == 0)
        return 0;
    struct view rest = view_at((const char *)data + 1, len - 1);
    fake_begin();
    reader_open(&in, fake_input(rest, data[0]), 0);
    while ((result = envelope_next(&in, &room, &record)) == ENVELOPE_RECORD ||
           result == ENVELOPE_UNKNOWN) {
        MUST(view_has(rest, '\0'));
        struct view want = view_cut(&rest, '\0');
        char letter = want.len ? want.data[0] : '\0';
        MUST(record.letter == letter);
        MUST(view_equal(record.value, view_from(want, want.len ? 1 : 0)));
        MUST((result == ENVELOPE_RECORD) == (letter && view_has(VIEW("upFT"), letter)));
    }
    MUST(!view_has(rest, '\0'));
    MUST(result == (rest.len ? ENVELOPE_TRUNCATED : ENVELOPE_END));
    bytes_free(&room);
    fake_end();
    return 0;
}
