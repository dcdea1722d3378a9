#include "accept/tcpenv.h"

#include "base/number.h"
#include "base/option.h"

static unsigned read_limit(const char *value)
{
    struct view rest = view_of(value);
    uint64_t n = 0;

    number_take(&rest, &n);
    return n > TCPENV_MAX_LIMIT_S ? TCPENV_MAX_LIMIT_S : (unsigned)n;
}

struct tcpenv_options tcpenv_options_read(char **argv)
{
    struct tcpenv_options read = {.ask_ident = true, .limit_s = TCPENV_DEFAULT_LIMIT_S};
    struct options o;
    int option;

    options_begin(&o, argv);
    while ((option = options_next(&o, "rRt:")) != OPTION_END)
        switch (option) {
        case 'r':
            read.ask_ident = true;
            break;
        case 'R':
            read.ask_ident = false;
            break;
        case 't':
            read.limit_s = read_limit(o.value);
            break;
        default:
            break;
        }
    read.program = o.rest;
    return read;
}
