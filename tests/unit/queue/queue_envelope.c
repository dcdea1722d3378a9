#include "queue/queue.h"

#include "tap.h"

#define VIEW_INIT(literal)           \
    {                                \
        literal, sizeof(literal) - 1 \
    }
#define SENDER_ENDS "|"

/* The records that are taken, with a mark where the sender's ends. */
static const struct {
    const char *name;
    struct view envelope, want;
    enum queue_envelope_result result;
    size_t left; /* bytes that are not looked at */
} cases[] = {
    {"plain", VIEW_INIT("Fa@b\0Tc@d\0Te@f\0\0"),
     VIEW_INIT("Fa@b\0" SENDER_ENDS "Tc@d\0Te@f\0"), QUEUE_ENVELOPE_END, 1},
    {"null sender", VIEW_INIT("F\0Ta\0\0"), VIEW_INIT("F\0" SENDER_ENDS "Ta\0"),
     QUEUE_ENVELOPE_END, 1},
    {"no recipient", VIEW_INIT("Fa\0\0"), VIEW_INIT("Fa\0" SENDER_ENDS),
     QUEUE_ENVELOPE_END, 1},
    {"empty recipient", VIEW_INIT("Fa\0T\0\0"), VIEW_INIT("Fa\0" SENDER_ENDS "T\0"),
     QUEUE_ENVELOPE_END, 1},
    {"more behind the end", VIEW_INIT("Fa\0Tb\0\0Tc\0"),
     VIEW_INIT("Fa\0" SENDER_ENDS "Tb\0"), QUEUE_ENVELOPE_END, 4},
    {"letters inside addresses", VIEW_INIT("FTF\0TFT\0\0"),
     VIEW_INIT("FTF\0" SENDER_ENDS "TFT\0"), QUEUE_ENVELOPE_END, 1},
    {"nothing", VIEW_INIT(""), VIEW_INIT(""), QUEUE_ENVELOPE_MORE, 0},
    {"sender not at its end", VIEW_INIT("Fa"), VIEW_INIT("Fa"), QUEUE_ENVELOPE_MORE, 0},
    {"sender alone", VIEW_INIT("Fa\0"), VIEW_INIT("Fa\0" SENDER_ENDS),
     QUEUE_ENVELOPE_MORE, 0},
    {"no final NUL", VIEW_INIT("Fa\0Tb\0"), VIEW_INIT("Fa\0" SENDER_ENDS "Tb\0"),
     QUEUE_ENVELOPE_MORE, 0},
    {"no sender", VIEW_INIT("Tb\0\0"), VIEW_INIT(""), QUEUE_ENVELOPE_LETTER, 4},
    {"end before the sender", VIEW_INIT("\0"), VIEW_INIT(""), QUEUE_ENVELOPE_LETTER, 1},
    {"two senders", VIEW_INIT("Fa\0Fb\0\0"), VIEW_INIT("Fa\0" SENDER_ENDS),
     QUEUE_ENVELOPE_LETTER, 4},
    {"lower case", VIEW_INIT("fa\0\0"), VIEW_INIT(""), QUEUE_ENVELOPE_LETTER, 4},
};

/* Gives the envelope in pieces of at most step bytes. */
static enum queue_envelope_result take_all(struct view in, size_t step,
                                           struct bytes *taken, size_t *left)
{
    struct queue_envelope envelope = {0};
    enum queue_envelope_result result = QUEUE_ENVELOPE_MORE;

    bytes_clear(taken);
    while (in.len) {
        struct view piece = view_before(in, in.len < step ? in.len : step), records;
        size_t given = piece.len;
        result = queue_envelope_take(&envelope, &piece, &records);
        in = view_from(in, given - piece.len);
        if (result == QUEUE_ENVELOPE_TOO_LONG || result == QUEUE_ENVELOPE_LETTER)
            break;
        bytes_add(taken, records);
        if (result == QUEUE_ENVELOPE_END)
            break;
        if (result == QUEUE_ENVELOPE_SENDER) {
            bytes_add_text(taken, SENDER_ENDS);
            result = QUEUE_ENVELOPE_MORE;
        }
    }
    *left = in.len;
    return result;
}

/* A sender or a recipient of so many bytes; the result must come with the last
 * of them where it is one too many, without a NUL. */
static void address(const char *before, size_t len, const char *name,
                    enum queue_envelope_result want)
{
    static const size_t steps[] = {1, 7, 1000, 70000};
    struct bytes in = {0}, taken = {0};
    bytes_add(&in, before[1] ? VIEW("F\0T") : VIEW("F"));
    while (len--)
        bytes_add_byte(&in, 'a');
    for (size_t i = 0; i < COUNT(steps); i++) {
        size_t left;
        ok(take_all(bytes_view(&in), steps[i], &taken, &left) == want, name, NULL);
    }
    bytes_free(&in);
    bytes_free(&taken);
}

int main(void)
{
    struct bytes taken = {0};
    size_t left;

    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t step = 1; step <= cases[i].envelope.len + 1; step++) {
            enum queue_envelope_result result =
                take_all(cases[i].envelope, step, &taken, &left);
            ok(result == cases[i].result, cases[i].name, "result");
            if (result == QUEUE_ENVELOPE_LETTER)
                continue;
            same(bytes_view(&taken), cases[i].want, cases[i].name);
            same_number(left, cases[i].left, cases[i].name);
        }
    address("F", QUEUE_MAX_ADDRESS, "longest sender", QUEUE_ENVELOPE_MORE);
    address("F", QUEUE_MAX_ADDRESS + 1, "longer sender", QUEUE_ENVELOPE_TOO_LONG);
    address("FT", QUEUE_MAX_ADDRESS, "longest recipient", QUEUE_ENVELOPE_MORE);
    address("FT", QUEUE_MAX_ADDRESS + 1, "longer recipient", QUEUE_ENVELOPE_TOO_LONG);
    bytes_free(&taken);
    return tap_done();
}
