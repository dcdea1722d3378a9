/* Any bytes are lines of a .qmail file: each line's text lies within the file, holds
 * neither NUL nor line feed, and there are as many lines as the file has. */
#include "mail/dotqmail.h"

#include "fuzz.h"

#include <stdlib.h>

static size_t count_lines(struct view content)
{
    size_t count = 0;
    do {
        view_cut(&content, '\n');
        count++;
    } while (content.len);
    return count;
}

static bool is_within(struct view part, struct view whole)
{
    return part.len == 0 ||
           (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view content = view_at((const char *)data, len);
    struct dotqmail_lines lines = {.rest = content};
    struct dotqmail_line line;
    size_t count = 0;

    while (dotqmail_lines_next(&lines, &line)) {
        count++;
        if (!is_within(line.text, content) || view_has(line.text, '\0') ||
            view_has(line.text, '\n'))
            abort();
        if (line.kind == DOTQMAIL_BLANK_FIRST && count != 1)
            abort();
    }
    if (count != count_lines(content))
        abort();
    return 0;
}
