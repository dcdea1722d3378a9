/* Any bytes as a message, whole and in blocks: the same must come out; on the wire no
 * CR or LF stands alone, and no line but the last is a dot. The first byte says how
 * long the blocks are. */
#include "deliver/remote.h"

#include "fuzz.h"

#include <stdlib.h>

static bool send(struct view message, size_t step, struct bytes *wire)
{
    struct remote_blast blast = {0};
    while (message.len) {
        size_t len = message.len < step ? message.len : step;
        remote_blast_feed(&blast, view_before(message, len), wire);
        message = view_from(message, len);
    }
    return remote_blast_end(&blast, wire);
}

static void check_wire(struct view wire, bool ended)
{
    while (wire.len) {
        size_t end = view_find(wire, '\n');
        struct view line = view_before(wire, end);
        wire = view_from(wire, end < wire.len ? end + 1 : end);
        if (end == line.len && wire.len == 0 && !ended && !view_ends(line, VIEW("\r")))
            return; /* the partial line */
        if (!view_ends(line, VIEW("\r")) || view_find(line, '\r') != line.len - 1)
            abort();
        if (view_is(line, ".\r") && wire.len)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes whole = {0}, blocks = {0};
    if (len == 0)
        return 0;
    struct view message = view_at((const char *)data + 1, len - 1);
    bool ended = send(message, message.len, &whole);
    if (send(message, 1 + (size_t)data[0], &blocks) != ended ||
        !view_equal(bytes_view(&whole), bytes_view(&blocks)))
        abort();
    check_wire(bytes_view(&whole), ended);
    bytes_free(&whole);
    bytes_free(&blocks);
    return 0;
}
