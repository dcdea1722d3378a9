#include "accept/qmqpc.h"

/* Counts on in what may be the reply's length. */
static void skip(struct qmqpc_reply *reply, char c)
{
    reply->skipped++;
    if (byte_is_digit(c)) {
        if (!reply->counting)
            reply->number = 0;
        if (reply->number <= QMQPC_MAX_TEXT)
            reply->number = reply->number * 10 + (uint64_t)(c - '0');
        reply->counting = true;
        reply->bounded = false;
    } else {
        reply->bounded = c == ':' && reply->counting;
        reply->len = reply->number;
        reply->counting = false;
    }
}

static void keep(struct qmqpc_reply *reply, char c)
{
    if (view_has(VIEW("\r\n\0"), c)) {
        reply->whole = true;
        return;
    }
    reply->text[reply->text_len++] = c;
    reply->whole = reply->text_len == QMQPC_MAX_TEXT ||
                   (reply->bounded && reply->text_len >= reply->len);
}

bool qmqpc_reply_add(struct qmqpc_reply *reply, struct view bytes)
{
    for (size_t i = 0; i < bytes.len && !reply->whole; i++) {
        char c = bytes.data[i];
        if (!reply->letter && (c == 'K' || c == 'Z' || c == 'D'))
            reply->letter = c;
        if (reply->letter)
            keep(reply, c);
        else
            skip(reply, c);
        if (reply->letter == 'K')
            reply->whole = true;
    }
    return reply->letter || reply->skipped <= QMQPC_MAX_NOISE;
}

enum queue_exit qmqpc_reply_exit(const struct qmqpc_reply *reply, bool text_wanted)
{
    if (reply->letter == 'K')
        return QUEUE_OK;
    if (!reply->letter)
        return QUEUE_SERVER_FAILED;
    if (text_wanted && reply->text_len >= QMQPC_LEAST_TEXT)
        return QUEUE_CUSTOM;
    return reply->letter == 'Z' ? QUEUE_SERVER_TEMP : QUEUE_REFUSED;
}
