#include "accept/qmqpc.h"

#include "mail/netstring.h"

enum { READ_STEP = 65536 };

/* All of it: its length has to be sent first. */
static bool read_message(int fd, struct bytes *message)
{
    for (;;) {
        bytes_reserve(message, READ_STEP);
        ssize_t n =
            read_some(fd, message->data + message->len, message->room - message->len);
        if (n <= 0)
            return n == 0;
        message->len += (size_t)n;
    }
}

/* Reads a record of the envelope, whose letter it must have. QUEUE_OK also at the
 * end of the envelope, with *ended. */
static enum queue_exit read_record(struct reader *envelope, char letter,
                                   struct bytes *record, bool *ended)
{
    switch (reader_until(envelope, '\0', QMQPC_MAX_ADDRESS, record)) {
    case READ_ITEM:
        break;
    case READ_TOO_LONG:
        return QUEUE_ADDRESS_TOO_LONG;
    case READ_END:
        return QUEUE_ENVELOPE;
    case READ_FAILED:
        return QUEUE_READ;
    }
    *ended = record->len == 0;
    return *ended || record->data[0] == letter ? QUEUE_OK : QUEUE_ENVELOPE;
}

/* Sender and recipients, as netstrings. */
static enum queue_exit read_envelope(struct reader *envelope, struct bytes *out)
{
    struct bytes record = {0};
    bool ended = false;
    enum queue_exit code = read_record(envelope, 'F', &record, &ended);

    if (code == QUEUE_OK && ended)
        code = QUEUE_ENVELOPE; /* not even a sender */
    while (code == QUEUE_OK && !ended) {
        netstring_add(out, view_from(bytes_view(&record), 1));
        code = read_record(envelope, 'T', &record, &ended);
    }
    bytes_free(&record);
    return code;
}

enum queue_exit qmqpc_request_read(struct qmqpc_request *r, int message_fd,
                                   int envelope_fd)
{
    static struct reader envelope;
    enum queue_exit code;

    if (!read_message(message_fd, &r->message))
        return QUEUE_READ;
    bytes_set(&r->tail, VIEW(","));
    reader_open(&envelope, envelope_fd, 0);
    code = read_envelope(&envelope, &r->tail);
    if (code != QUEUE_OK)
        return code;
    netstring_add_length(&r->head, netstring_size(r->message.len) + r->tail.len - 1);
    netstring_add_length(&r->head, r->message.len);
    bytes_add_byte(&r->tail, ',');
    return QUEUE_OK;
}
