/* What a QMQP server answers, in pieces as long as the first byte says and at once: the
 * same. The text has its letter, no line end, and is as long as a whole reply said. */
#include "accept/qmqpc.h"

#include "fuzz.h"

#include <string.h>

static bool read_reply(struct qmqpc_reply *reply, struct view rest, size_t most)
{
    while (rest.len && !reply->whole) {
        size_t len = rest.len < most ? rest.len : most;
        if (!qmqpc_reply_add(reply, view_before(rest, len)))
            return false;
        rest = view_from(rest, len);
    }
    return true;
}

static void look_at(const struct qmqpc_reply *r)
{
    struct view text = view_at(r->text, r->text_len);

    MUST(r->text_len <= QMQPC_MAX_TEXT);
    MUST(!view_has(text, '\r') && !view_has(text, '\n') && !view_has(text, '\0'));
    MUST(text.len == 0 || text.data[0] == r->letter);
    switch (qmqpc_reply_exit(r, true)) {
    case QUEUE_OK:
        MUST(r->letter == 'K');
        break;
    case QUEUE_CUSTOM:
        MUST((r->letter == 'Z' || r->letter == 'D') && text.len >= QMQPC_LEAST_TEXT);
        break;
    case QUEUE_SERVER_FAILED:
        MUST(!r->letter);
        break;
    case QUEUE_SERVER_TEMP:
        MUST(r->letter == 'Z');
        break;
    case QUEUE_REFUSED:
        MUST(r->letter == 'D');
        break;
    default:
        MUST(false);
    }
    MUST(qmqpc_reply_exit(r, false) != QUEUE_CUSTOM);
}

/* A reply as the protocol has it: a netstring of a letter and a text, all of it. */
static void answer(struct view text)
{
    struct qmqpc_reply reply = {0};
    struct bytes sent = {0};

    if (text.len == 0 || text.len > QMQPC_MAX_TEXT || view_has(text, '\0') ||
        view_has(text, '\r') || view_has(text, '\n') ||
        !view_has(VIEW("KZD"), text.data[0]))
        return;
    bytes_add_format(&sent, "%zu:", text.len);
    bytes_add(&sent, text);
    bytes_add_text(&sent, ",behind");
    MUST(read_reply(&reply, bytes_view(&sent), 1) && reply.whole);
    MUST(reply.letter == text.data[0]);
    MUST(reply.letter == 'K' || view_equal(view_at(reply.text, reply.text_len), text));
    bytes_free(&sent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct qmqpc_reply whole = {0}, pieces = {0};

    if (len == 0)
        return 0;
    struct view said = view_at((const char *)data + 1, len - 1);
    bool good = read_reply(&whole, said, SIZE_MAX);
    MUST(read_reply(&pieces, said, 1u + data[0]) == good);
    if (good) {
        MUST(memcmp(&whole, &pieces, sizeof whole) == 0);
        look_at(&whole);
    }
    answer(said);
    return 0;
}
