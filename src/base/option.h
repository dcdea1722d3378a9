/* option - command line options, read the same way whatever the C library.
 *
 * Letters may be clustered. A value is the rest of its cluster or, where that is
 * empty, the next argument, which may be empty or begin with '-'. Options end at
 * the first argument that does not begin with '-', at "-" alone, which is not an
 * option, and behind "--". */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include "base/bytes.h"

enum {
    OPTION_END = -1,     /* options.rest is the first argument */
    OPTION_ILLEGAL = -2, /* the letter is not among those allowed */
    OPTION_NO_VALUE = -3 /* there is nothing behind a letter that takes a value */
};

struct options {
    const char *program; /* argv[0] behind its last slash */
    char **rest;         /* the arguments not read yet, ended by NULL */
    char *cluster;       /* the letters not read yet of the present argument */
    char letter;         /* the one that was read last */
    char *value;         /* its value, or NULL where it takes none */
};

/* argv as main() has it; argv[0] may be missing. */
void options_begin(struct options *o, char **argv);

/* The next option's letter, or one of the codes above. letters lists those
 * allowed, each followed by ':' if it takes a value. */
int options_next(struct options *o, const char *letters);

/* Passes over the letters that are left in the present argument. */
void options_skip_cluster(struct options *o);

/* Appends what to say of OPTION_ILLEGAL and OPTION_NO_VALUE:
 * "NAME: illegal option -- C\n", "NAME: option requires an argument -- C\n". */
void options_complain(const struct options *o, int code, struct bytes *out);

#endif
