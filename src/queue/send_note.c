#include "queue/send.h"

/* However long it takes: a recipient may not be marked before the note is stable. */
bool note_write(ino_t message, struct view recipient, struct view report)
{
    struct bytes paragraph = {0};
    bool written;

    note_paragraph(&paragraph, route_without_prefix(&controls.rules, recipient),
                   report);
    while (!(written = note_append(message, bytes_view(&paragraph)))) {
        log_line("alert: unable to append to bounce message; HELP! sleeping...");
        if (!send_sleep())
            break;
    }
    bytes_free(&paragraph);
    return written;
}
