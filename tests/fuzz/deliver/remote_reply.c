/* Any bytes as replies, whole and in pieces: the same must come out. The first byte
 * says how long the pieces are. */
#include "deliver/remote.h"

#include "fuzz.h"

#include <stdlib.h>

static size_t feed(struct remote_reply *reply, struct view in, size_t step)
{
    size_t taken = 0;
    while (taken < in.len && !reply->whole) {
        struct view rest = view_from(in, taken);
        taken += remote_reply_feed(
            reply, view_before(rest, rest.len < step ? rest.len : step));
    }
    return taken;
}

static size_t check(struct view in, size_t step)
{
    struct remote_reply whole = {0}, pieces = {0};
    struct remote_offers offers;
    size_t taken = feed(&whole, in, in.len);
    if (feed(&pieces, in, step) != taken || pieces.whole != whole.whole ||
        pieces.code != whole.code ||
        !view_equal(bytes_view(&pieces.text), bytes_view(&whole.text)))
        abort();
    if (whole.text.len > REMOTE_MAX_REPLY || view_has(bytes_view(&whole.text), '\r'))
        abort();
    if (whole.code && (whole.code < 200 || whole.code > 599))
        abort();
    remote_offers_read(&offers, bytes_view(&whole.text));
    bytes_free(&whole.text);
    bytes_free(&pieces.text);
    return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    struct view in = view_at((const char *)data + 1, len - 1);
    while (in.len)
        in = view_from(in, check(in, 1 + (size_t)data[0]));
    return 0;
}
