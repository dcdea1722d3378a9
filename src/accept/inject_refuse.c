#include "accept/inject.h"
#include "base/die.h"
#include "base/writer.h"

#include <unistd.h>

_Noreturn void inject_refuse(const char *what, struct view text, const char *end)
{
    struct bytes line = {0};

    bytes_add_text(&line, "qmail-inject: fatal: ");
    bytes_add_text(&line, what);
    bytes_add(&line, text);
    bytes_add_text(&line, end);
    write_all(2, bytes_view(&line));
    _exit(DIE_PERM);
}

_Noreturn void inject_refuse_line(struct view line)
{
    inject_refuse("unable to parse this line:\n", line, "");
}
