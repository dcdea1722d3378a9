#include "mail/envelope.h"

static bool is_known(char letter)
{
    switch (letter) {
    case ENVELOPE_UID:
    case ENVELOPE_PID:
    case ENVELOPE_SENDER:
    case ENVELOPE_RECIPIENT:
        return true;
    default:
        return false;
    }
}

enum envelope_result envelope_next(struct reader *r, struct bytes *room,
                                   struct envelope_record *record)
{
    switch (reader_until(r, '\0', ENVELOPE_MAX_RECORD, room)) {
    case READ_ITEM:
        break;
    case READ_END:
        return room->len ? ENVELOPE_TRUNCATED : ENVELOPE_END;
    case READ_TOO_LONG:
        return ENVELOPE_TOO_LONG;
    case READ_FAILED:
        return ENVELOPE_FAILED;
    }
    struct view whole = bytes_view(room);
    record->letter = whole.len ? whole.data[0] : '\0';
    record->value = view_from(whole, whole.len ? 1 : 0);
    return is_known(record->letter) ? ENVELOPE_RECORD : ENVELOPE_UNKNOWN;
}
