#include "base/option.h"

#include <string.h>

static char nothing[] = "";
static char *no_arguments[] = {NULL};

void options_begin(struct options *o, char **argv)
{
    const char *slash = argv[0] ? strrchr(argv[0], '/') : NULL;

    *o = (struct options){.cluster = nothing};
    if (slash)
        o->program = slash + 1;
    else
        o->program = argv[0] ? argv[0] : "";
    o->rest = argv[0] ? argv + 1 : no_arguments;
}

/* Goes on to the next argument. False where it is not one with options. */
static bool next_cluster(struct options *o)
{
    char *argument = *o->rest;

    if (!argument || argument[0] != '-' || argument[1] == '\0')
        return false;
    o->rest++;
    if (strcmp(argument, "--") == 0)
        return false;
    o->cluster = argument + 1;
    return true;
}

int options_next(struct options *o, const char *letters)
{
    if (*o->cluster == '\0' && !next_cluster(o))
        return OPTION_END;
    o->letter = *o->cluster++;
    o->value = NULL;

    const char *found = o->letter == ':' ? NULL : strchr(letters, o->letter);
    if (!found)
        return OPTION_ILLEGAL;
    if (found[1] != ':')
        return (unsigned char)o->letter;

    if (*o->cluster)
        o->value = o->cluster;
    else if (*o->rest)
        o->value = *o->rest++;
    else
        return OPTION_NO_VALUE;
    o->cluster = nothing;
    return (unsigned char)o->letter;
}

void options_skip_cluster(struct options *o)
{
    o->cluster = nothing;
}

void options_complain(const struct options *o, int code, struct bytes *out)
{
    bytes_add_text(out, o->program);
    bytes_add_text(out, code == OPTION_ILLEGAL ? ": illegal option -- "
                                               : ": option requires an argument -- ");
    bytes_add_byte(out, o->letter);
    bytes_add_byte(out, '\n');
}
