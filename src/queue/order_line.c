#include "queue/order.h"

#include "base/number.h"

#include <inttypes.h>

static const char *const verbs[ORDER_VERBS] = {
    [ORDER_STATE] = "state",     [ORDER_TRY] = "try",       [ORDER_HOLD] = "hold",
    [ORDER_RELEASE] = "release", [ORDER_RETURN] = "return", [ORDER_DELETE] = "delete",
};

static const char *const results[ORDER_RESULTS] = {
    [ORDER_DONE] = "done",         [ORDER_NEW] = "new",
    [ORDER_GONE] = "gone",         [ORDER_OTHER] = "other",
    [ORDER_IS_HELD] = "held",      [ORDER_NOT_HELD] = "not-held",
    [ORDER_ACTIVE] = "active",     [ORDER_RETURNING] = "returning",
    [ORDER_DELETING] = "deleting", [ORDER_ENDING] = "ending",
    [ORDER_BOUNCING] = "bouncing", [ORDER_TROUBLE] = "trouble",
    [ORDER_BAD] = "bad-request",
};

static const struct {
    char letter;
    enum queue_mark mark;
} marks[] = {{'-', QUEUE_NO_MARK},
             {'h', QUEUE_HELD},
             {'r', QUEUE_RETURNED},
             {'d', QUEUE_DELETED}};

enum { NANOSECONDS = 1000000000 };

/* Which of the names v is, or count. */
static size_t find_name(const char *const *names, size_t count, struct view v)
{
    size_t i = 0;
    while (i < count && !view_is(v, names[i]))
        i++;
    return i;
}

bool order_verb_of(struct view name, enum order_verb *verb)
{
    size_t i = find_name(verbs, ORDER_VERBS, name);
    if (i == ORDER_VERBS)
        return false;
    *verb = (enum order_verb)i;
    return true;
}

/* A number that may be negative, as a whole. */
static bool read_signed(struct view v, int64_t *n)
{
    bool negative = v.len && v.data[0] == '-';
    uint64_t size;
    if (negative)
        v = view_from(v, 1);
    if (!number_exact(v, (uint64_t)INT64_MAX + negative, &size) ||
        (negative && size == 0))
        return false;
    *n = negative ? -(int64_t)(size - 1) - 1 : (int64_t)size;
    return true;
}

void order_add(struct bytes *out, const struct order *o)
{
    bytes_add_format(out, "%s %ju %" PRId64 ".%ld\n", verbs[o->verb],
                     (uintmax_t)o->message, (int64_t)o->birth.tv_sec, o->birth.tv_nsec);
}

static bool read_birth(struct view v, struct timespec *birth)
{
    int64_t seconds;
    uint64_t nanoseconds;
    struct view whole = view_cut(&v, '.');
    if (!read_signed(whole, &seconds) ||
        !number_exact(v, NANOSECONDS - 1, &nanoseconds))
        return false;
    birth->tv_sec = (time_t)seconds;
    birth->tv_nsec = (long)nanoseconds;
    return birth->tv_sec == seconds;
}

bool order_parse(struct view line, struct order *o)
{
    return order_verb_of(view_cut(&line, ' '), &o->verb) &&
           queue_number(view_cut(&line, ' '), &o->message) &&
           read_birth(line, &o->birth);
}

static void add_channel(struct bytes *out, const struct order_channel *c)
{
    switch (c->place) {
    case ORDER_NOBODY:
        bytes_add_text(out, " -");
        return;
    case ORDER_WAITS:
        bytes_add_format(out, " w%" PRId64, c->due);
        return;
    case ORDER_ATTEMPT:
        bytes_add_format(out, " a%" PRIu64, c->deliveries);
        return;
    case ORDER_UNKNOWN:
        bytes_add_text(out, " ?");
        return;
    }
}

void order_add_answer(struct bytes *out, const struct order_answer *a)
{
    bytes_add_text(out, results[a->result]);
    bytes_add_byte(out, ' ');
    for (size_t i = 0; i < COUNT(marks); i++)
        if (a->mark == marks[i].mark)
            bytes_add_byte(out, marks[i].letter);
    for (int c = 0; c < CHANNELS; c++)
        add_channel(out, &a->channels[c]);
    bytes_add_text(out, a->bouncing ? " b\n" : " -\n");
}

static bool read_mark(struct view v, enum queue_mark *mark)
{
    for (size_t i = 0; i < COUNT(marks); i++)
        if (v.len == 1 && v.data[0] == marks[i].letter) {
            *mark = marks[i].mark;
            return true;
        }
    return false;
}

static bool read_channel(struct view v, struct order_channel *c)
{
    *c = (struct order_channel){.place = ORDER_NOBODY};
    if (view_is(v, "-"))
        return true;
    if (view_is(v, "?")) {
        c->place = ORDER_UNKNOWN;
        return true;
    }
    if (view_starts(v, VIEW("w"))) {
        c->place = ORDER_WAITS;
        return read_signed(view_from(v, 1), &c->due);
    }
    c->place = ORDER_ATTEMPT;
    return view_starts(v, VIEW("a")) &&
           number_exact(view_from(v, 1), UINT64_MAX, &c->deliveries);
}

bool order_parse_answer(struct view line, struct order_answer *a)
{
    size_t result = find_name(results, ORDER_RESULTS, view_cut(&line, ' '));
    if (result == ORDER_RESULTS)
        return false;
    a->result = (enum order_result)result;
    if (!read_mark(view_cut(&line, ' '), &a->mark))
        return false;
    for (int c = 0; c < CHANNELS; c++)
        if (!read_channel(view_cut(&line, ' '), &a->channels[c]))
            return false;
    a->bouncing = view_is(line, "b");
    return a->bouncing || view_is(line, "-");
}
