#include "deliver/spawn.h"

#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COMMANDS = 12 };

struct command {
    const char *message, *sender, *recipient;
};

/* Commands that come together; who has one child: a group is the recipients' numbers,
 * groups are in the order in which they begin. */
static const struct {
    const char *name;
    uint64_t most;
    struct command commands[MOST_COMMANDS];
    const char *want;
} cases[] = {
    {"one", 10, {{"0/1", "s", "a@x"}}, "0"},
    {"one host",
     10,
     {{"0/1", "s", "a@x"}, {"0/1", "s", "b@x"}, {"0/1", "s", "c@x"}},
     "0,1,2"},
    {"none may", 0, {{"0/1", "s", "a@x"}, {"0/1", "s", "b@x"}}, "0 1"},
    {"one may", 1, {{"0/1", "s", "a@x"}, {"0/1", "s", "b@x"}}, "0 1"},
    {"two may",
     2,
     {{"0/1", "s", "a@x"},
      {"0/1", "s", "b@x"},
      {"0/1", "s", "c@x"},
      {"0/1", "s", "d@x"},
      {"0/1", "s", "e@x"}},
     "0,1 2,3 4"},
    {"all may", UINT64_MAX, {{"0/1", "s", "a@x"}, {"0/1", "s", "b@x"}}, "0,1"},
    {"two hosts by turns",
     2,
     {{"0/1", "s", "a@x"},
      {"0/1", "s", "a@y"},
      {"0/1", "s", "b@x"},
      {"0/1", "s", "b@y"},
      {"0/1", "s", "c@x"},
      {"0/1", "s", "c@y"}},
     "0,2 1,3 4 5"},
    {"another message",
     10,
     {{"0/1", "s", "a@x"}, {"0/2", "s", "b@x"}, {"0/1", "s", "c@x"}},
     "0,2 1"},
    {"another sender",
     10,
     {{"0/1", "s", "a@x"}, {"0/1", "S", "b@x"}, {"0/1", "s", "c@x"}},
     "0,2 1"},
    {"the null sender",
     10,
     {{"0/1", "", "a@x"}, {"0/1", "s", "b@x"}, {"0/1", "", "c@x"}},
     "0,2 1"},
    {"senders of their own",
     10,
     {{"0/1", "l-a=x@h", "a@x"}, {"0/1", "l-b=x@h", "b@x"}},
     "0 1"},
    {"case", 10, {{"0/1", "s", "a@Far.Test"}, {"0/1", "s", "b@fAR.tEST"}}, "0,1"},
    {"not ASCII", 10, {{"0/1", "s", "a@\xc4"}, {"0/1", "s", "b@\xe4"}}, "0 1"},
    {"a host that is longer", 10, {{"0/1", "s", "a@x"}, {"0/1", "s", "b@x.y"}}, "0 1"},
    {"the last at sign",
     10,
     {{"0/1", "s", "a@y@x"}, {"0/1", "s", "b@x"}, {"0/1", "s", "a@x@y"}},
     "0,1 2"},
    {"no host",
     10,
     {{"0/1", "s", "a@"}, {"0/1", "s", "b@"}, {"0/1", "s", "@"}},
     "0,1,2"},
    {"the same twice", 10, {{"0/1", "s", "a@x"}, {"0/1", "s", "a@x"}}, "0,1"},
};

/* A delivery as spawn_loop.c makes it, as far as it matters. */
static struct spawn_delivery *new_delivery(unsigned slot, struct command c)
{
    struct spawn_delivery *d = calloc(1, sizeof *d);
    if (!d)
        abort();
    d->slot = slot;
    bytes_add(&d->strings, view_at(c.message, strlen(c.message) + 1));
    bytes_add(&d->strings, view_at(c.sender, strlen(c.sender) + 1));
    bytes_add(&d->strings, view_at(c.recipient, strlen(c.recipient) + 1));
    spawn_split_strings(&d->strings, &d->message, &d->sender, &d->recipient);
    return d;
}

/* Appends the groups to shown and frees them. */
static void show(struct spawn_delivery *first, struct bytes *shown)
{
    while (first) {
        struct spawn_delivery *later = first->later;
        size_t others = 0;
        if (shown->len)
            bytes_add_byte(shown, ' ');
        for (struct spawn_delivery *d = first, *next; d; d = next) {
            char number[16];
            snprintf(number, sizeof number, d == first ? "%u" : ",%u", d->slot);
            bytes_add_text(shown, number);
            next = d->others;
            others += d != first;
            if (!next)
                same_number(others, first->others_count, "how many others");
            bytes_free(&d->strings);
            if (d != first)
                free(d);
        }
        free(first);
        first = later;
    }
}

/* Strings of so many bytes each, of one host: how many of 8 have one child. */
static void test_length(size_t len, const char *want)
{
    struct spawn_gathering g = {0};
    struct bytes shown = {0};
    char *recipient = calloc(1, len);
    if (!recipient)
        abort();
    memset(recipient, 'a', len - sizeof "0/1" - sizeof "s" - sizeof "@x");
    memcpy(recipient + strlen(recipient) - 1, "a@x", sizeof "a@x");
    for (unsigned i = 0; i < 8; i++) {
        struct spawn_delivery *d =
            new_delivery(i, (struct command){"0/1", "s", recipient});
        spawn_gather(&g, d, 100);
    }
    show(spawn_gathered(&g), &shown);
    same(bytes_view(&shown), view_of(want), "bytes");
    bytes_free(&shown);
    free(recipient);
}

int main(void)
{
    struct spawn_gathering g = {0};
    struct bytes shown = {0};

    ok(!spawn_gathered(&g), "nothing is gathered", NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        bytes_clear(&shown);
        for (unsigned n = 0; n < MOST_COMMANDS && cases[i].commands[n].message; n++)
            spawn_gather(&g, new_delivery(n, cases[i].commands[n]), cases[i].most);
        show(spawn_gathered(&g), &shown);
        same(bytes_view(&shown), view_of(cases[i].want), cases[i].name);
        ok(!spawn_gathered(&g), cases[i].name, "are no more gathered");
    }
    test_length(SPAWN_MAX_TOGETHER / 8, "0,1,2,3,4,5,6,7");
    test_length(SPAWN_MAX_TOGETHER / 4, "0,1,2,3 4,5,6,7");
    test_length(SPAWN_MAX_TOGETHER / 2 + 1, "0 1 2 3 4 5 6 7");
    test_length(SPAWN_MAX_TOGETHER * 3, "0 1 2 3 4 5 6 7");
    bytes_free(&shown);
    return tap_done();
}
