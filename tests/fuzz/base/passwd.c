/* Any bytes as lines of the password file and as nsswitch.conf: an entry is what a
 * split at the colons gives, and where libc must be asked is what the words say. */
#include "base/passwd.h"

#include "fuzz.h"
#include "must.h"

#include <stdio.h>
#include <string.h>

/* Whether v is how a number of at most 32 bits, but not the last one, is written. */
static bool is_id(struct view v, uint32_t n)
{
    char text[16];
    snprintf(text, sizeof text, "%u", n);
    return n != UINT32_MAX && view_is(v, text);
}

static void check_line(struct view line)
{
    struct passwd_entry entry;
    struct view fields[6], rest = line;
    uint64_t numbers[2] = {0, 0};

    for (size_t i = 0; i < COUNT(fields); i++)
        fields[i] = view_cut(&rest, ':');
    for (int i = 0; i < 2; i++)
        for (size_t at = 0; at < fields[2 + i].len && at < 10; at++)
            numbers[i] = numbers[i] * 10 + (unsigned char)fields[2 + i].data[at] - '0';
    bool good = fields[0].len && is_id(fields[2], (uint32_t)numbers[0]) &&
                is_id(fields[3], (uint32_t)numbers[1]) && fields[5].len;
    must(passwd_parse(line, &entry) == good);
    if (good)
        must(view_equal(entry.name, fields[0]) && view_equal(entry.home, fields[5]) &&
             entry.uid == numbers[0] && entry.gid == numbers[1]);
}

/* The words of the last passwd line. */
static void check_sources(struct view in)
{
    struct passwd_sources got = passwd_sources(in);
    char words[200] = "files", first[200] = "", second[200] = "";

    if (view_has(in, '\0') || view_has(in, '\v') || view_has(in, '\f'))
        return; /* scanf(3) has more white space */
    while (in.len) {
        char line[200], name[200] = "";
        struct view v = view_cut(&in, '\n');
        if (v.len >= sizeof line)
            return;
        v = view_before(v, view_find(v, '#'));
        snprintf(line, sizeof line, "%.*s", (int)v.len, v.data ? v.data : "");
        char *colon = strchr(line, ':');
        if (colon)
            *colon = '\0';
        if (sscanf(line, "%199s", name) == 1 && !strcmp(name, "passwd"))
            strcpy(words, colon ? colon + 1 : "");
    }
    sscanf(words, "%199s %199s", first, second);
    must(got.file_first == !strcmp(first, "files"));
    must(got.file_only == (got.file_first && !*second));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view in = input_of(data, len);
    check_sources(in);
    while (in.len)
        check_line(view_cut(&in, '\n'));
    return 0;
}
