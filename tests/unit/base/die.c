#include "base/die.h"

#include "tap.h"

#include <string.h>
#include <unistd.h>

static char long_text[20000];

static void temp(void *arg)
{
    die_temp("unable to open %s: %d", (const char *)arg, 7);
}

static void perm(void *arg)
{
    die_name("qmail-test");
    die_perm("no %s", (const char *)arg);
}

static void with(void *arg)
{
    die_name("qmail-test");
    die_with(51, "%s", (const char *)arg);
}

static void raw(void *arg)
{
    die_name("qmail-test");
    die_raw(100, "usage: %s", (const char *)arg);
}

static void memory(void *arg)
{
    (void)arg;
    die_name("qmail-test");
    die_of_memory();
}

static void unnamed(void *arg)
{
    die_name("qmail-test");
    die_name(NULL);
    temp(arg);
}

static void closed(void *arg)
{
    close(2);
    temp(arg);
}

static const struct {
    const char *name;
    void (*run)(void *arg);
    int code;
    const char *want;
} cases[] = {
    {"without a name", temp, 111, "fatal: unable to open x%s: 7\n"},
    {"for good", perm, 100, "qmail-test: fatal: no x%s\n"},
    {"own code", with, 51, "qmail-test: fatal: x%s\n"},
    {"usage", raw, 100, "usage: x%s"},
    {"memory", memory, 111, "qmail-test: fatal: out of memory\n"},
    {"name taken away", unnamed, 111, "fatal: unable to open x%s: 7\n"},
    {"nobody to be told", closed, 111, ""},
};

int main(void)
{
    struct bytes out = {0};
    char argument[] = "x%s";

    for (size_t i = 0; i < COUNT(cases); i++) {
        bytes_clear(&out);
        same_number((uint64_t)run_apart(cases[i].run, argument, &out),
                    (uint64_t)cases[i].code, cases[i].name);
        same(bytes_view(&out), view_of(cases[i].want), cases[i].name);
    }
    memset(long_text, 'x', sizeof long_text - 1);
    for (int i = 0; i < 2; i++) {
        bytes_clear(&out);
        run_apart(i ? raw : with, long_text, &out);
        ok(out.len > 8000 && out.len <= 8192, "a long text", "is cut");
        ok((out.data[out.len - 1] == '\n') == (i == 0), "a long text",
           "ends as a short one");
    }
    bytes_free(&out);
    return tap_done();
}
