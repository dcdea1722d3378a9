#include "queue/queue.h"

/* A record's letter, or the NUL behind the last recipient. */
static bool letter_fits(struct queue_envelope *envelope, char letter)
{
    bool sender = envelope->at == QUEUE_AT_SENDER;
    if (letter != (sender ? 'F' : 'T'))
        return false;
    envelope->at = sender ? QUEUE_IN_SENDER : QUEUE_IN_RECIPIENT;
    envelope->address_len = 0;
    return true;
}

enum queue_envelope_result queue_envelope_take(struct queue_envelope *envelope,
                                               struct view *piece, struct view *records)
{
    struct view all = *piece;
    enum queue_envelope_result result = QUEUE_ENVELOPE_MORE;

    while (piece->len && result == QUEUE_ENVELOPE_MORE) {
        if (envelope->at == QUEUE_AT_SENDER || envelope->at == QUEUE_AT_RECIPIENT) {
            char letter = piece->data[0];
            if (letter == '\0' && envelope->at == QUEUE_AT_RECIPIENT) {
                result = QUEUE_ENVELOPE_END;
                break;
            }
            if (!letter_fits(envelope, letter))
                return QUEUE_ENVELOPE_LETTER;
            *piece = view_from(*piece, 1);
            continue;
        }
        size_t end = view_find(*piece, '\0');
        envelope->address_len += end;
        if (envelope->address_len > QUEUE_MAX_ADDRESS)
            return QUEUE_ENVELOPE_TOO_LONG;
        if (end == piece->len) {
            *piece = view_from(*piece, end);
            continue;
        }
        *piece = view_from(*piece, end + 1);
        if (envelope->at == QUEUE_IN_SENDER)
            result = QUEUE_ENVELOPE_SENDER;
        envelope->at = QUEUE_AT_RECIPIENT;
    }
    *records = view_before(all, all.len - piece->len);
    return result;
}
