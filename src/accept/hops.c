#include "accept/hops.h"

/* No two begin with the same letter, so the first byte of a line decides. */
static const struct view names[] = {
    {"received", sizeof "received" - 1},
    {"delivered-to", sizeof "delivered-to" - 1},
};

/* At the start of a line. */
static enum hops_place begin_line(struct hops *h, char c)
{
    if (c == '\n')
        return HOPS_BODY;
    if (c == '\r')
        return HOPS_LONE_CR;
    for (size_t i = 0; i < COUNT(names); i++)
        if (byte_lower(c) == names[i].data[0]) {
            h->name = i;
            h->matched = 1;
            return HOPS_NAME;
        }
    return HOPS_OTHER;
}

/* Behind a whole name and perhaps blanks. */
static enum hops_place end_name(struct hops *h, char c)
{
    if (c == ' ' || c == '\t')
        return HOPS_BLANK;
    if (c == ':')
        h->count++;
    return HOPS_OTHER;
}

static enum hops_place step(struct hops *h, char c)
{
    switch (h->place) {
    case HOPS_LINE_START:
        return begin_line(h, c);
    case HOPS_LONE_CR:
        return c == '\n' ? HOPS_BODY : HOPS_OTHER;
    case HOPS_NAME:
        if (h->matched == names[h->name].len)
            return end_name(h, c);
        return byte_lower(c) == names[h->name].data[h->matched++] ? HOPS_NAME
                                                                  : HOPS_OTHER;
    case HOPS_BLANK:
        return end_name(h, c);
    case HOPS_OTHER:
    case HOPS_BODY:
        break;
    }
    return h->place;
}

void hops_count(struct hops *h, struct view more)
{
    while (more.len && h->place != HOPS_BODY) {
        if (h->place == HOPS_OTHER) {
            size_t end = view_find(more, '\n');
            if (end == more.len)
                return;
            more = view_from(more, end + 1);
            h->place = HOPS_LINE_START;
            continue;
        }
        char c = more.data[0];
        h->place = step(h, c);
        /* a name may be cut short by the end of its line */
        if (c == '\n' && h->place != HOPS_BODY)
            h->place = HOPS_LINE_START;
        more = view_from(more, 1);
    }
}
