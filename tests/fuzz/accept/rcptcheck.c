/* What the program that knows recipients wrote: its first line is a reply that SMTP
 * knows, printable and in one line, or none. */
#include "accept/rcptcheck.h"

#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct rcptcheck_reply reply = {"none"};
    struct view text = view_at((const char *)data, len), rest = text;

    if (len > RCPTCHECK_MAX_TEXT)
        return 0;
    struct view line = view_trim_end(view_cut(&rest, '\n'), "\r");
    bool want = line.len >= 4 && (line.data[0] == '4' || line.data[0] == '5') &&
                byte_is_digit(line.data[1]) && byte_is_digit(line.data[2]) &&
                line.data[3] == ' ';
    MUST(rcptcheck_own_reply(text, &reply) == want);
    if (!want) {
        MUST(strcmp(reply.text, "none") == 0);
        return 0;
    }
    MUST(strlen(reply.text) == line.len);
    for (size_t i = 0; i < line.len; i++) {
        bool printable = line.data[i] >= 32 && line.data[i] <= 126;
        MUST(reply.text[i] == (printable ? line.data[i] : '?'));
    }
    return 0;
}
