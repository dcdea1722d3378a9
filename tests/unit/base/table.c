#include "base/table.h"

#include "tap.h"

#include <stdio.h>

enum { MANY = 20000 };

static char keys[MANY][16];

int main(void)
{
    struct table t = {0};
    struct view value = VIEW("untouched");

    ok(!table_find(&t, VIEW("x"), &value), "empty table", NULL);
    same(value, VIEW("untouched"), "empty table: value");
    table_add(&t, VIEW("Key"), VIEW("1"));
    table_add(&t, VIEW(""), VIEW("empty"));
    table_add(&t, VIEW("a\0b"), VIEW("nul"));
    ok(table_find(&t, VIEW("kEY"), &value), "without regard to case", NULL);
    same(value, VIEW("1"), "value");
    table_add(&t, VIEW("KEY"), VIEW("2"));
    ok(table_find(&t, VIEW("key"), &value) && view_is(value, "2") && t.count == 3,
       "replaced", NULL);
    ok(table_find(&t, VIEW(""), NULL), "the empty key", NULL);
    ok(!table_find(&t, VIEW("a\0c"), NULL) && table_find(&t, VIEW("a\0b"), NULL),
       "behind a NUL", NULL);
    ok(!table_find(&t, VIEW("ke"), NULL), "not there", NULL);
    bool fine = true;
    for (int i = 0; i < MANY; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        table_add(&t, view_of(keys[i]), view_of(keys[i] + 1));
    }
    for (int i = 0; i < MANY; i++)
        fine &= table_find(&t, view_of(keys[i]), &value) &&
                view_equal(value, view_of(keys[i] + 1));
    ok(fine && t.count == MANY + 3, "many", NULL);
    ok(!table_find(&t, VIEW("k20000"), NULL), "one more than many", NULL);
    table_free(&t);
    ok(!table_find(&t, VIEW("key"), NULL), "freed", NULL);
    table_free(&t);
    return tap_done();
}
