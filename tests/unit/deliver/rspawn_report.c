#include "deliver/rspawn.h"

#include "tap.h"

#include <stdio.h>
#include <stdlib.h>

enum { KILLED = 9, EXIT_SHIFT = 8 }; /* statuses as wait(2) tells them */

static const struct {
    struct view output;
    const char *want;
} outputs[] = {
    {VIEW_INIT("r\0Kok\n\0"), "Kok\n"},
    {VIEW_INIT("r\0Dp\n\0"), "Dp\n"},
    {VIEW_INIT("rto a\n\0Kok\n\0"), "Kto a\nok\n"},
    {VIEW_INIT("r\0Zlater\n\0"), "Zlater\n"},
    {VIEW_INIT("hno\n\0Kok\n\0"), "Dno\n"},
    {VIEW_INIT("hno\n\0Zlater\n\0"), "Dno\n"},
    {VIEW_INIT("hno\n\0Dgiving up\n\0"), "Dno\ngiving up\n"},
    {VIEW_INIT("sbusy\n\0Kok\n\0"), "Zbusy\n"},
    {VIEW_INIT("sbusy\n\0Zlater\n\0"), "Zbusy\nlater\n"},
    {VIEW_INIT("sbusy\n\0Dgiving up\n\0"), "Zbusy\ngiving up\n"},
    {VIEW_INIT("Kdone\n\0"), "Kdone\n"},
    {VIEW_INIT("Zconnect\n\0"), "Zconnect\n"},
    {VIEW_INIT("Dbad\n\0"), "Dbad\n"},
    {VIEW_INIT("r\0K\0"), "K"},
    {VIEW_INIT("rone\n\0htwo\n\0Zwait\n\0"), "Zone\n"},
    {VIEW_INIT("rone\n\0rtwo\n\0Kok\n\0"), "Kone\n"},
    {VIEW_INIT("r\0Kone\n\0Dtwo\n\0"), "Kone\n"},
    {VIEW_INIT("?what\n\0Kok\n\0"), "Kwhat\nok\n"},
    {VIEW_INIT("sbusy\n\0"), "Zbusy\n"},
    {VIEW_INIT("hno\n\0"), "Dno\n"},
    {VIEW_INIT("rto a\n\0"), "Zto a\n"},
    {VIEW_INIT("?a\n\0?b\n\0"), "Za\n"},
    {VIEW_INIT("garbage"), "Z"},
    {VIEW_INIT("Kfine"), "Z"},
    {VIEW_INIT("Dfine"), "Z"},
    {VIEW_INIT("s"), "Z"},
    {VIEW_INIT("sxyz"), "Z"},
    {VIEW_INIT("hxyz"), "D"},
    {VIEW_INIT("\0"), "Z"},
    {VIEW_INIT("\0\0\0"), "Z"},
    {VIEW_INIT("\0Kok\n\0"), "Kok\n"},
    {VIEW_INIT("r\0\0Kok\n\0"), "K"},
    {VIEW_INIT("rto a\n\0Kcut"), "Zto a\n"},
    {VIEW_INIT("rto a\n\0Zlater\n\0Kcut"), "Zto a\nlater\n"},
    {VIEW_INIT("r\1\377\n\0K\200\t\n\0"), "K\1\377\n\200\t\n"},
    {VIEW_INIT(""), "Zqmail-remote produced no output.\n"},
};

/* Of several recipients: what is printed, and the report of each. */
enum { MOST = 4 };
static const struct {
    struct view output;
    const char *want[MOST]; /* as many as there are recipients */
} together[] = {
    {VIEW_INIT("r\0r\0Kok\n\0"), {"Kok\n", "Kok\n"}},
    {VIEW_INIT("rto a\n\0rto b\n\0Kok\n\0"), {"Kto a\nok\n", "Kto b\nok\n"}},
    {VIEW_INIT("r\0hno\n\0sbusy\n\0Kok\n\0"), {"Kok\n", "Dno\n", "Zbusy\n"}},
    {VIEW_INIT("sbusy\n\0hno\n\0r\0Kok\n\0"), {"Zbusy\n", "Dno\n", "Kok\n"}},
    {VIEW_INIT("r\0hno\n\0sbusy\n\0Zlater\n\0"),
     {"Zlater\n", "Dno\n", "Zbusy\nlater\n"}},
    {VIEW_INIT("r\0hno\n\0sbusy\n\0Dbad\n\0"),
     {"Dbad\n", "Dno\nbad\n", "Zbusy\nbad\n"}},
    {VIEW_INIT("hone\n\0htwo\n\0Dgiving up\n\0"),
     {"Done\ngiving up\n", "Dtwo\ngiving up\n"}},
    /* the message's alone */
    {VIEW_INIT("Zconnect\n\0"), {"Zconnect\n", "Zconnect\n", "Zconnect\n"}},
    {VIEW_INIT("Dsender\n\0"), {"Dsender\n", "Dsender\n"}},
    {VIEW_INIT("Kok\n\0"),
     {"Zqmail-remote did not tell of this recipient.\n",
      "Zqmail-remote did not tell of this recipient.\n"}},
    /* too few */
    {VIEW_INIT("r\0Kok\n\0"),
     {"Kok\n", "Zqmail-remote did not tell of this recipient.\n"}},
    {VIEW_INIT("hno\n\0Kok\n\0"),
     {"Dno\n", "Zqmail-remote did not tell of this recipient.\n"}},
    {VIEW_INIT("rto a\n\0hno\n\0Zlater\n\0"), {"Zto a\nlater\n", "Dno\n", "Zlater\n"}},
    {VIEW_INIT("r\0hno\n\0Dbad\n\0"), {"Dbad\n", "Dno\nbad\n", "Dbad\n"}},
    {VIEW_INIT("r\0"), {"Z", "Z"}},
    {VIEW_INIT("rto a\n\0hno\n\0"), {"Zto a\n", "Dno\n", "Z"}},
    /* too many */
    {VIEW_INIT("r\0r\0hno\n\0sbusy\n\0Kok\n\0"), {"Kok\n", "Kok\n"}},
    {VIEW_INIT("r\0r\0Kone\n\0Ztwo\n\0Dthree\n\0"), {"Kone\n", "Kone\n"}},
    /* in another order, with strings between that say nothing */
    {VIEW_INIT("Kok\n\0r\0hno\n\0"), {"Kok\n", "Dno\n"}},
    {VIEW_INIT("r\0Kok\n\0r\0"), {"Kok\n", "Kok\n"}},
    {VIEW_INIT("\0r\0\0?x\n\0hno\n\0\0Kok\n\0"), {"Kok\n", "Dno\n"}},
    {VIEW_INIT("\0\0\0"), {"Z", "Z"}},
    {VIEW_INIT("?a\n\0?b\n\0"), {"Z", "Z"}},
    /* a string without its end is none */
    {VIEW_INIT("r\0r"), {"Z", "Z"}},
    {VIEW_INIT("r\0r\0Kok\n"), {"Z", "Z"}},
    {VIEW_INIT("r\0hno\n"), {"Z", "Z"}},
    {VIEW_INIT("hno\n"), {"Z", "Z"}},
    {VIEW_INIT("garbage"), {"Z", "Z"}},
    {VIEW_INIT("r\0Kok\n\0hno"),
     {"Kok\n", "Zqmail-remote did not tell of this recipient.\n"}},
    {VIEW_INIT("r\0sbusy\n\0Zlater\n\0Kcut"), {"Zlater\n", "Zbusy\nlater\n"}},
    {VIEW_INIT(""),
     {"Zqmail-remote produced no output.\n", "Zqmail-remote produced no output.\n"}},
    {VIEW_INIT("r\0r\0r\0r\0K\0"), {"K", "K", "K", "K"}},
};

static const struct {
    const char *name;
    int status;
    const char *want;
} ends[] = {
    {"killed", KILLED, "Zqmail-remote crashed.\n"},
    {"exit 111", 111 << EXIT_SHIFT, "ZUnable to run qmail-remote.\n"},
    {"exit 127, not loaded", 127 << EXIT_SHIFT, "ZUnable to run qmail-remote.\n"},
    {"exit 1", 1 << EXIT_SHIFT, "DUnable to run qmail-remote.\n"},
    {"exit 100", 100 << EXIT_SHIFT, "DUnable to run qmail-remote.\n"},
};

static void take(struct rspawn_output *o, struct view output, size_t step)
{
    while (output.len) {
        size_t len = step < output.len ? step : output.len;
        rspawn_take(o, view_before(output, len));
        output = view_from(output, len);
    }
}

static void report(int status, struct view output, size_t step, struct bytes *got)
{
    struct rspawn_output o = {0};
    bytes_clear(got);
    take(&o, output, step);
    rspawn_report(got, status, &o, 0);
    rspawn_free(&o);
}

static size_t recipients_of(size_t row)
{
    size_t n = 0;
    while (n < MOST && together[row].want[n])
        n++;
    return n;
}

/* A row in pieces: each has its own report. */
static void test_together(size_t row, size_t step)
{
    struct rspawn_output o = {0};
    struct bytes got = {0};
    if (!rspawn_expect(&o, recipients_of(row)))
        abort();
    take(&o, together[row].output, step);
    for (size_t i = 0; i < recipients_of(row); i++) {
        char name[64];
        snprintf(name, sizeof name, "together %zu in pieces of %zu, recipient %zu", row,
                 step, i);
        bytes_clear(&got);
        rspawn_report(&got, 0, &o, i);
        same(bytes_view(&got), view_of(together[row].want[i]), name);
    }
    bytes_free(&got);
    rspawn_free(&o);
}

/* Whatever was told: the way it ended counts for each. */
static void test_ends_together(int status, const char *want, const char *name)
{
    struct rspawn_output o = {0};
    struct bytes got = {0};
    if (!rspawn_expect(&o, 3))
        abort();
    rspawn_take(&o, VIEW("r\0hno\n\0sbusy\n\0Kok\n\0"));
    for (size_t i = 0; i < 3; i++) {
        bytes_clear(&got);
        rspawn_report(&got, status, &o, i);
        same(bytes_view(&got), view_of(want), name);
    }
    bytes_free(&got);
    rspawn_free(&o);
}

/* Two texts that are far too long: what is kept, and that the letters count. */
static void test_long_texts(struct bytes *got)
{
    struct bytes output = {0}, want = {0};
    bytes_add_byte(&output, 'r');
    for (int i = 0; i < 3 * RSPAWN_MAX_TEXT; i++)
        bytes_add_byte(&output, 'a');
    bytes_add(&output, VIEW("\0D"));
    for (int i = 0; i < 3 * RSPAWN_MAX_TEXT; i++)
        bytes_add_byte(&output, 'b');
    bytes_add_byte(&output, '\0');

    bytes_add_byte(&want, 'D');
    for (int i = 0; i < RSPAWN_MAX_TEXT; i++)
        bytes_add_byte(&want, 'a');
    for (int i = 0; i < RSPAWN_MAX_TEXT; i++)
        bytes_add_byte(&want, 'b');
    report(0, bytes_view(&output), 4096, got);
    same(bytes_view(got), bytes_view(&want), "long texts");
    bytes_free(&output);
    bytes_free(&want);
}

static void add_long(struct bytes *b, char letter, char filling, size_t len)
{
    bytes_add_byte(b, letter);
    for (size_t i = 0; i < len; i++)
        bytes_add_byte(b, filling);
}

/* Texts of two recipients and of the message that are far too long. */
static void test_long_texts_together(void)
{
    struct rspawn_output o = {0};
    struct bytes output = {0}, want = {0}, got = {0};
    if (!rspawn_expect(&o, 2))
        abort();
    add_long(&output, 'r', 'a', 3 * RSPAWN_MAX_TEXT);
    add_long(&output, '\0', '\0', 0);
    add_long(&output, 's', 'b', 3 * RSPAWN_MAX_TEXT);
    add_long(&output, '\0', '\0', 0);
    add_long(&output, 'D', 'c', 3 * RSPAWN_MAX_TEXT);
    add_long(&output, '\0', '\0', 0);
    take(&o, bytes_view(&output), 4096);
    for (size_t i = 0; i < 2; i++) {
        bytes_clear(&got);
        bytes_clear(&want);
        add_long(&want, i ? 'Z' : 'D', i ? 'b' : 'a', RSPAWN_MAX_TEXT);
        for (size_t c = 0; c < RSPAWN_MAX_TEXT; c++)
            bytes_add_byte(&want, 'c');
        rspawn_report(&got, 0, &o, i);
        same(bytes_view(&got), bytes_view(&want), "long texts of several recipients");
    }
    rspawn_free(&o);
    bytes_free(&output);
    bytes_free(&want);
    bytes_free(&got);
}

int main(void)
{
    static const size_t steps[] = {1, 2, 3, 4, 1000};
    struct bytes got = {0};
    for (size_t i = 0; i < COUNT(outputs); i++) {
        for (size_t s = 0; s < COUNT(steps); s++) {
            char name[64];
            snprintf(name, sizeof name, "output %zu in pieces of %zu", i, steps[s]);
            report(0, outputs[i].output, steps[s], &got);
            same(bytes_view(&got), view_of(outputs[i].want), name);
        }
    }
    for (size_t i = 0; i < COUNT(ends); i++) {
        report(ends[i].status, VIEW("r\0Kok\n\0"), 1000, &got);
        same(bytes_view(&got), view_of(ends[i].want), ends[i].name);
        test_ends_together(ends[i].status, ends[i].want, ends[i].name);
    }
    for (size_t i = 0; i < COUNT(together); i++)
        for (size_t s = 0; s < COUNT(steps); s++)
            test_together(i, steps[s]);
    test_long_texts(&got);
    test_long_texts_together();
    bytes_free(&got);
    return tap_done();
}
