/* A message and an envelope, cut where the first byte says, make a QMQP request that
 * says the same: one netstring of netstrings, or the exit code of qmail-queue for such
 * an envelope. */
#include "accept/qmqpc.h"

#include "fake.h"
#include "fuzz.h"

#include "mail/netstring.h"

static struct view take(struct view *rest)
{
    uint64_t len = 0;
    MUST(netstring_length(rest, &len) == NETSTRING_LENGTH && len < rest->len);
    struct view string = view_before(*rest, (size_t)len);
    MUST(rest->data[len] == ',');
    *rest = view_from(*rest, (size_t)len + 1);
    return string;
}

/* The records that the final NUL ends, and whether it is there. */
static bool is_envelope(struct view envelope, struct view *records)
{
    char letter = 'F';

    *records = envelope;
    for (struct view rest = envelope; rest.len; letter = 'T') {
        size_t nul = view_find(rest, '\0');
        if (nul == 0 && letter == 'T') {
            *records = view_before(envelope, envelope.len - rest.len);
            return true;
        }
        if (nul == 0 || nul == rest.len || rest.data[0] != letter)
            return false;
        rest = view_from(rest, nul + 1);
    }
    return false;
}

static void look_at(const struct qmqpc_request *r, struct view message,
                    struct view records)
{
    struct bytes all = {0};
    bytes_add(&all, bytes_view(&r->head));
    bytes_add(&all, bytes_view(&r->message));
    bytes_add(&all, bytes_view(&r->tail));

    struct view rest = bytes_view(&all);
    struct view inside = take(&rest);
    MUST(rest.len == 0);
    MUST(view_equal(take(&inside), message));
    while (records.len)
        MUST(view_equal(take(&inside), view_from(view_cut(&records, '\0'), 1)));
    MUST(inside.len == 0);
    bytes_free(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct qmqpc_request r = {{0}, {0}, {0}};
    struct view envelope, records;

    if (len == 0)
        return 0;
    struct view message = view_at((const char *)data + 1, len - 1);
    size_t cut = data[0] < message.len ? data[0] : message.len;
    envelope = view_from(message, cut);
    message = view_before(message, cut);

    fake_begin();
    enum queue_exit code = qmqpc_request_read(&r, fake_input(message, 1u + data[0] % 7),
                                              fake_input(envelope, 1u + data[0] % 5));
    fake_end();
    MUST((code == QUEUE_OK) == is_envelope(envelope, &records));
    if (code == QUEUE_OK)
        look_at(&r, message, records);
    else
        MUST(code == QUEUE_ENVELOPE || code == QUEUE_ADDRESS_TOO_LONG);
    bytes_free(&r.head);
    bytes_free(&r.message);
    bytes_free(&r.tail);
    return 0;
}
