/* What qmail-queue is told on descriptor 1, in pieces as long as the first byte says:
 * the records are those up to the final NUL, byte for byte, the sender ends where it
 * ends, and anything else is refused for its first mistake. */
#include "queue/queue.h"

#include "fuzz.h"

struct outcome {
    enum queue_envelope_result result;
    size_t sender_len; /* 0: it has not ended */
    struct bytes records;
};

static void in_pieces(struct view rest, size_t most, struct outcome *o)
{
    struct queue_envelope envelope = {0};
    struct view piece = {NULL, 0}, records;

    for (;;) {
        if (piece.len == 0 && rest.len == 0)
            return;
        if (piece.len == 0) {
            piece = view_before(rest, rest.len < most ? rest.len : most);
            rest = view_from(rest, piece.len);
        }
        o->result = queue_envelope_take(&envelope, &piece, &records);
        if (o->result == QUEUE_ENVELOPE_TOO_LONG || o->result == QUEUE_ENVELOPE_LETTER)
            return;
        bytes_add(&o->records, records);
        if (o->result == QUEUE_ENVELOPE_SENDER) {
            MUST(o->sender_len == 0);
            o->sender_len = o->records.len;
            o->result = QUEUE_ENVELOPE_MORE;
        }
        if (o->result == QUEUE_ENVELOPE_END)
            return;
    }
}

static void by_records(struct view all, struct outcome *o)
{
    struct view rest = all;

    for (char letter = 'F'; rest.len; letter = 'T') {
        size_t nul = view_find(rest, '\0');
        if (nul == 0 && letter == 'T') {
            o->result = QUEUE_ENVELOPE_END;
            break;
        }
        o->result = QUEUE_ENVELOPE_LETTER;
        if (rest.data[0] != letter)
            return;
        o->result = QUEUE_ENVELOPE_TOO_LONG;
        if (nul - 1 > QUEUE_MAX_ADDRESS)
            return;
        o->result = QUEUE_ENVELOPE_MORE;
        if (letter == 'F' && nul < rest.len)
            o->sender_len = nul + 1;
        rest = view_from(rest, nul < rest.len ? nul + 1 : nul);
    }
    bytes_set(&o->records, view_before(all, all.len - rest.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct outcome got = {0}, want = {0};

    if (len == 0)
        return 0;
    struct view all = view_at((const char *)data + 1, len - 1);
    in_pieces(all, 1u + data[0], &got);
    by_records(all, &want);
    MUST(got.result == want.result);
    if (got.result == QUEUE_ENVELOPE_MORE || got.result == QUEUE_ENVELOPE_END) {
        MUST(view_equal(bytes_view(&got.records), bytes_view(&want.records)));
        MUST(got.sender_len == want.sender_len);
    }
    bytes_free(&got.records);
    bytes_free(&want.records);
    return 0;
}
