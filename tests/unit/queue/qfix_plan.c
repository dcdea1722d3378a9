#include "queue/qfix.h"

#include "base/heap.h"

#include "tap.h"

#include <stdio.h>
#include <stdlib.h>

/* "NAME>INODE", with ".fix" behind the name; numbers that are blocked; and what is to
 * be done about each message, a letter each: Keep, Rename, Finish, stale (Old), Linked,
 * Stuck. Then the numbers that are blocked afterwards, in order. */
static const struct {
    const char *name, *messages, *blocked, *deeds, *after;
} cases[] = {
    {"none", "", "", "", ""},
    {"right", "5>5", "", "K", ""},
    {"wrong", "4>5", "", "R", ""},
    {"two changed round", "4>5 5>4", "", "RR", ""},
    {"a cycle of three", "1>2 2>3 3>1", "", "RRR", ""},
    {"a chain", "1>2 2>3 3>4", "", "RRR", ""},
    {"among right ones", "1>1 2>3 3>2 9>9", "", "KRRK", ""},
    {"half way", "5.fix>5 4>6", "", "FR", ""},
    {"half way in a cycle", "5.fix>5 5>4", "", "FR", ""},
    {"all half way", "5.fix>5 4.fix>4", "", "FF", ""},
    {"a copy of that", "5.fix>7 4>4", "", "OK", ""},
    {"blocked", "4>5 6>7", "4", "SR", "4"},
    {"a right one blocked", "4>4 6>7", "4", "KR", "4"},
    {"its goal is blocked", "4>5", "5", "S", "4 5"},
    {"a chain behind a blocked one", "1>2 2>3 3>4", "4", "SSS", "1 2 3 4"},
    {"a chain before a blocked one", "1>2 2>3 3>4", "1", "SRR", "1"},
    {"a cycle with a blocked one", "1>2 2>3 3>1 8>9", "2", "SSSR", "1 2 3"},
    {"half way and blocked", "5.fix>5", "5", "S", "5"},
    {"one file with two numbers", "4>5 6>5", "", "LL", "4 5 6"},
    {"one of them its own", "4>5 5>5", "", "LL", "4 5"},
    {"somebody wants one of them", "4>5 6>5 9>4", "", "LLS", "4 5 6 9"},
    {"a number twice", "4>5 4>6", "", "SS", "4"},
    {"a number twice, once right", "4>4 4>6", "", "KS", "4"},
    {"large numbers", "18446744073709551615>1 1>18446744073709551615", "", "RR", ""},
};

static struct qfix_message read_message(const char *word)
{
    struct qfix_message m = {.form = QFIX_PLAIN};
    char *rest;
    m.name = strtoull(word, &rest, 10);
    if (*rest == '.') {
        m.form = QFIX_FIX;
        rest += sizeof ".fix" - 1;
    }
    m.inode = strtoull(rest + 1, NULL, 10);
    return m;
}

/* The deed for the message of a word, wherever it has been sorted to. */
static char letter_of(const struct qfix_messages *all, const char *word)
{
    static const char letters[] = {
        [QFIX_KEEP] = 'K',  [QFIX_RENAME] = 'R', [QFIX_FINISH] = 'F',
        [QFIX_STALE] = 'O', [QFIX_LINKED] = 'L', [QFIX_STUCK] = 'S'};
    struct qfix_message want = read_message(word);
    for (size_t i = 0; i < all->count; i++)
        if (all->at[i].name == want.name && all->at[i].inode == want.inode &&
            all->at[i].form == want.form)
            return letters[all->at[i].deed];
    return '?';
}

static void add_numbers(struct bytes *out, struct qfix_numbers *set)
{
    qfix_numbers_sort(set);
    for (size_t i = 0; i < set->count; i++) {
        if (i && set->at[i] == set->at[i - 1])
            continue;
        bytes_add_text(out, out->len ? " " : "");
        bytes_add_number(out, set->at[i]);
    }
}

static void check(size_t i)
{
    struct qfix_messages all = {0};
    struct qfix_numbers blocked = {0};
    struct bytes deeds = {0}, after = {0};

    for (char **word = tap_words(cases[i].blocked); *word && **word; word++)
        qfix_numbers_add(&blocked, strtoull(*word, NULL, 10));
    for (char **word = tap_words(cases[i].messages); *word && **word; word++)
        qfix_messages_add(&all, read_message(*word));
    qfix_plan(&all, &blocked);
    for (char **word = tap_words(cases[i].messages); *word && **word; word++)
        bytes_add_byte(&deeds, letter_of(&all, *word));
    add_numbers(&after, &blocked);
    same(bytes_view(&deeds), view_of(cases[i].deeds), cases[i].name);
    same(bytes_view(&after), view_of(cases[i].after), "blocked afterwards");
    heap_free(all.at);
    qfix_numbers_clear(&blocked);
    bytes_free(&deeds);
    bytes_free(&after);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++)
        check(i);
    return tap_done();
}
