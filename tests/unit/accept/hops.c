#include "accept/hops.h"

#include "tap.h"

static const struct {
    const char *name, *text;
    unsigned count;
} cases[] = {
    {"nothing", "", 0},
    {"one", "Received: x\r\n", 1},
    {"any case", "rEcEiVeD: x\r\nDELIVERED-TO: y\r\n", 2},
    {"without CR", "Received: x\nDelivered-To: y\n", 2},
    {"blanks before the colon", "Received \t : x\r\nDelivered-To\t: y\r\n", 2},
    {"longer names", "Received-SPF: x\r\nReceivedX: x\r\nDelivered-Today: x\r\n", 0},
    {"shorter names", "Receive: x\r\nDelivered: x\r\nDelivered-T: x\r\n", 0},
    {"other names", "X-Received: x\r\nSubject: Received: x\r\n", 0},
    {"no colon", "Received x\r\nReceived\r\nDelivered-To \r\n", 0},
    {"name at the end of its line", "Received\nReceived: x\n", 1},
    {"part of a name at the end of its line", "Rec\nReceived: x\n", 1},
    {"continuation", "Received: x\r\n Received: y\r\n\tReceived: z\r\n", 1},
    {"stuffed dot", ".Received: x\r\n", 0},
    {"body", "Received: x\r\n\r\nReceived: y\r\n", 1},
    {"body without CR", "Received: x\n\nReceived: y\n", 1},
    {"empty first line", "\r\nReceived: x\r\n", 0},
    {"CR is no empty line", "\rx\r\nReceived: x\r\n", 1},
    {"CR CR LF is no empty line", "\r\r\nReceived: x\r\n", 1},
    {"not ended", "Received:", 1},
    {"nearly", "Received", 0},
};

/* The result when the text comes in two blocks, for each place to cut it. */
static bool same_in_all_cuts(struct view text, unsigned count)
{
    for (size_t at = 0; at <= text.len; at++) {
        struct hops h = {0};
        hops_count(&h, view_before(text, at));
        hops_count(&h, view_from(text, at));
        if (h.count != count)
            return false;
    }
    return true;
}

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hops h = {0};
        hops_count(&h, view_of(cases[i].text));
        same_number(h.count, cases[i].count, cases[i].name);
        ok(same_in_all_cuts(view_of(cases[i].text), cases[i].count), cases[i].name,
           "cut");
    }
    return tap_done();
}
