#include "accept/qmtp.h"

#include "base/die.h"
#include "mail/netstring.h"

#include <errno.h>

void qmtp_input_open(struct qmtp_input *in, struct connection *c)
{
    *in = (struct qmtp_input){.connection = c};
}

bool qmtp_stop(struct qmtp_input *in, int exit_code)
{
    in->over = true;
    in->exit_code = exit_code;
    return false;
}

/* What a read that failed means. */
static bool stop_after_failure(struct qmtp_input *in)
{
    switch (connection_trouble(in->connection)) {
    case CONNECTION_SILENT:
    case CONNECTION_EXPIRED:
        return qmtp_stop(in, DIE_TEMP);
    case CONNECTION_LOST: /* a client who does not take our replies is silent, too */
        return qmtp_stop(in, in->connection->out.error == ETIMEDOUT ? DIE_TEMP : 0);
    case CONNECTION_ENDED:
        break;
    }
    return qmtp_stop(in, 0);
}

/* Bytes that may be read now, at least one. */
static bool peek(struct qmtp_input *in, struct view *unread)
{
    if (in->nested && in->left == 0)
        return qmtp_stop(in, DIE_PERM);
    if (reader_peek(&in->connection->in, unread) != READ_ITEM)
        return stop_after_failure(in);
    if (in->nested && in->left < unread->len)
        unread->len = (size_t)in->left;
    return true;
}

static void used(struct qmtp_input *in, size_t len)
{
    reader_skip(&in->connection->in, len);
    if (in->nested)
        in->left -= len;
}

static bool read_number(struct qmtp_input *in, uint64_t *len)
{
    enum netstring_result result = NETSTRING_MORE;
    struct view rest;

    *len = 0;
    while (result == NETSTRING_MORE) {
        if (!peek(in, &rest))
            return false;
        size_t before = rest.len;
        result = netstring_length(&rest, len);
        used(in, before - rest.len);
    }
    if (result == NETSTRING_BAD)
        return qmtp_stop(in, DIE_PERM);
    if (result == NETSTRING_TOO_LONG)
        return qmtp_stop(in, DIE_TEMP);
    return true;
}

bool qmtp_length(struct qmtp_input *in, uint64_t *len)
{
    if (!read_number(in, len))
        return false;
    if (in->nested && *len >= in->left)
        return qmtp_stop(in, DIE_PERM);
    return true;
}

bool qmtp_length_within(struct qmtp_input *in, uint64_t max, uint64_t *len)
{
    qmtp_enter(in, max);
    bool read = read_number(in, len);
    in->nested = false;
    return read;
}

bool qmtp_part(struct qmtp_input *in, uint64_t *len, struct view *part)
{
    if (!peek(in, part))
        return false;
    if (*len < part->len)
        part->len = (size_t)*len;
    *len -= part->len;
    used(in, part->len);
    return true;
}

bool qmtp_comma(struct qmtp_input *in)
{
    uint64_t one = 1;
    struct view comma;

    if (!qmtp_part(in, &one, &comma))
        return false;
    return comma.data[0] == ',' || qmtp_stop(in, DIE_PERM);
}

void qmtp_enter(struct qmtp_input *in, uint64_t len)
{
    in->nested = true;
    in->left = len;
}

bool qmtp_leave(struct qmtp_input *in)
{
    if (in->left)
        return qmtp_stop(in, DIE_PERM);
    in->nested = false;
    return qmtp_comma(in);
}

bool qmtp_address(struct qmtp_input *in, struct bytes *address, bool *fits)
{
    uint64_t len;
    struct view part;

    bytes_clear(address);
    if (!qmtp_length(in, &len))
        return false;
    *fits = len < QMTP_ADDRESS_LIMIT;
    while (len) {
        if (!qmtp_part(in, &len, &part))
            return false;
        if (*fits)
            bytes_add(address, part);
    }
    return qmtp_comma(in);
}
