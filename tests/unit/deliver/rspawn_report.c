#include "deliver/rspawn.h"

#include "tap.h"

#include <stdio.h>

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

static void report(int status, struct view output, size_t step, struct bytes *got)
{
    struct rspawn_output o = {0};
    bytes_clear(got);
    while (output.len) {
        size_t len = step < output.len ? step : output.len;
        rspawn_take(&o, view_before(output, len));
        output = view_from(output, len);
    }
    rspawn_report(got, status, &o);
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
    }
    test_long_texts(&got);
    bytes_free(&got);
    return tap_done();
}
