/* Arguments, split at NULs, are read as by the C library's getopt() where it does not
 * put them into another order. The first byte chooses the letters. */
#include "base/option.h"

#include "fuzz.h"

#include <string.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 8, MAX_LEN = 512 };

static const char *const letters[] = {"+:aAhHnNf:", "+:frdFRD",
                                      "+:rRt:", "+:f:r:F:b:tvimxn", "+:"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static char text[MAX_LEN + 1];
    static char program[] = "/bin/program";
    char *argv[MAX_ARGUMENTS + 2] = {program};
    int argc = 1, code;
    struct options o;

    if (len == 0 || len > MAX_LEN)
        return 0;
    const char *allowed = letters[data[0] % COUNT(letters)];
    memcpy(text, data + 1, len - 1);
    text[len - 1] = '\0';
    for (size_t at = 0; at < len && argc <= MAX_ARGUMENTS; at += strlen(text + at) + 1)
        argv[argc++] = text + at;

    optind = 0;
    opterr = 0;
    options_begin(&o, argv);
    MUST(strcmp(o.program, "program") == 0);
    do {
        code = options_next(&o, allowed + 2);
        int want = getopt(argc, argv, allowed);
        if (want == '?') {
            MUST(code == OPTION_ILLEGAL && (unsigned char)o.letter == (optopt & 255));
        } else if (want == ':') {
            MUST(code == OPTION_NO_VALUE && o.letter == optopt);
        } else {
            MUST(code == (want == -1 ? OPTION_END : want));
            MUST(want == -1 || o.value == optarg);
        }
    } while (code != OPTION_END);
    MUST(o.rest == argv + optind);
    return 0;
}
