#include "queue/send.h"

#include "tap.h"

#include <stdio.h>
#include <string.h>

static struct bytes taken;
static size_t count;

static void take(struct view address)
{
    bytes_add(&taken, address);
    bytes_add_byte(&taken, ' ');
    count++;
}

static void add_words(const char *words)
{
    struct view rest = view_of(words);
    while (rest.len)
        (void)group_add(view_cut(&rest, ' '));
}

static void orders(void)
{
    static const struct {
        const char *name, *words, *want;
    } cases[] = {
        {"nobody", "", ""},
        {"one", "a@x", "a@x "},
        {"one host", "c@x a@x b@x", "c@x a@x b@x "},
        {"by turns", "a@x a@y b@x b@y c@x", "a@x b@x c@x a@y b@y "},
        {"hosts as they came", "1@z 1@y 1@x 2@x 2@y 2@z", "1@z 2@z 1@y 2@y 1@x 2@x "},
        {"case of hosts", "a@X b@y c@x", "a@X c@x b@y "},
        {"twice the same", "a@x b@y a@x", "a@x a@x b@y "},
        {"the last @", "a@x@y b@x c@y", "a@x@y c@y b@x "},
        {"no host", "a b@x c d@", "a c d@ b@x "},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        bytes_clear(&taken);
        add_words(cases[i].words);
        group_take(take);
        same(bytes_view(&taken), view_of(cases[i].want), cases[i].name);
    }
    add_words("a@x b@y");
    group_clear();
    bytes_clear(&taken);
    group_take(take);
    same(bytes_view(&taken), VIEW(""), "cleared");
}

/* As many as are put in order at a time: each once, each host in one piece. */
static void many(void)
{
    enum { HOSTS = 317 };
    static unsigned pieces[HOSTS], last[HOSTS];
    char text[40];
    unsigned sent = 0, disorder = 0, host, number, before = HOSTS;
    bool room = true;
    for (; room; sent++) {
        snprintf(text, sizeof text, "%u@%u.test", sent, sent * 7 % HOSTS);
        room = group_add(view_of(text));
    }
    bytes_clear(&taken);
    count = 0;
    group_take(take);
    same_number(count, sent, "many: as many come out");
    bytes_add_byte(&taken, '\0');
    for (const char *at = taken.data; sscanf(at, "%u@%u.test", &number, &host) == 2;
         at = strchr(at, ' ') + 1) {
        pieces[host] += host != before;
        disorder += pieces[host] > 1 || (last[host] && number <= last[host]);
        last[host] = number;
        before = host;
    }
    same_number(disorder, 0, "many: in order");
    ok(sent > 10000, "many: so many at a time", NULL);
}

int main(void)
{
    orders();
    many();
    return tap_done();
}
