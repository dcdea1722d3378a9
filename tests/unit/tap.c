#include "tap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned count, failures;

void ok(bool passed, const char *name, const char *part)
{
    printf("%s %u - %s%s%s\n", passed ? "ok" : "not ok", ++count, name, part ? " " : "",
           part ? part : "");
    failures += !passed;
    fflush(stdout);
}

static void show(const char *label, struct view v)
{
    printf("# %s: \"", label);
    for (size_t i = 0; i < v.len && i < 400; i++) {
        unsigned char c = (unsigned char)v.data[i];
        if (c < 32 || c > 126 || c == '"' || c == '\\')
            printf("\\%03o", c);
        else
            putchar(c);
    }
    printf("\" (%zu bytes)\n", v.len);
}

void same(struct view got, struct view want, const char *name)
{
    bool equal = view_equal(got, want);
    ok(equal, name, NULL);
    if (!equal) {
        show("got ", got);
        show("want", want);
    }
}

void same_number(uint64_t got, uint64_t want, const char *name)
{
    ok(got == want, name, NULL);
    if (got != want)
        printf("# got %" PRIu64 ", want %" PRIu64 "\n", got, want);
}

char **tap_words(const char *text)
{
    enum { MAX_WORDS = 32 };
    static char *argv[MAX_WORDS + 1];
    static char copy[1024];
    size_t used = 0;

    if (text) {
        if (strlen(text) >= sizeof copy)
            abort();
        strcpy(copy, text);
        argv[used++] = copy;
        for (char *space = copy; (space = strchr(space, ' '));) {
            if (used == MAX_WORDS)
                abort();
            *space++ = '\0';
            argv[used++] = space;
        }
    }
    argv[used] = NULL;
    return argv;
}

void skip_rest(const char *why)
{
    printf("ok %u # SKIP %s\n", ++count, why);
    exit(tap_done());
}

int tap_done(void)
{
    printf("1..%u\n", count);
    return failures ? 1 : 0;
}
