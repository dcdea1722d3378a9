#include "accept/inject.h"
#include "base/option.h"

bool inject_options_read(struct inject_options *options, char **argv,
                         struct bytes *complaint)
{
    struct options reading;
    int code;

    *options = (struct inject_options){0};
    options_begin(&reading, argv);
    while ((code = options_next(&reading, "aAhHnNf:")) != OPTION_END) {
        switch (code) {
        case 'a':
            options->recipients = INJECT_ARGUMENTS;
            break;
        case 'A':
            options->recipients = INJECT_BY_ARGUMENTS;
            break;
        case 'h':
            options->recipients = INJECT_HEADER;
            break;
        case 'H':
            options->recipients = INJECT_BOTH;
            break;
        case 'n':
            options->print = true;
            break;
        case 'N':
            options->print = false;
            break;
        case 'f':
            options->sender = reading.value;
            break;
        default:
            options_complain(&reading, code, complaint);
            return false;
        }
    }
    options->arguments = reading.rest;
    if (options->recipients == INJECT_BY_ARGUMENTS)
        options->recipients = *reading.rest ? INJECT_ARGUMENTS : INJECT_HEADER;
    return true;
}

bool inject_uses_arguments(const struct inject_options *options)
{
    return options->recipients != INJECT_HEADER;
}

bool inject_uses_header(const struct inject_options *options)
{
    return options->recipients != INJECT_ARGUMENTS;
}
