/* showctl - the parts of qmail-showctl. */
#ifndef ADMIN_SHOWCTL_H
#define ADMIN_SHOWCTL_H

#include "base/bytes.h"

enum showctl_kind { SHOWCTL_NUMBER, SHOWCTL_LINE, SHOWCTL_LIST, SHOWCTL_OTHER };

/* A control file and how its contents are explained. */
struct showctl_file {
    const char *name;
    enum showctl_kind kind;
    const char *before, *after; /* around the value, or around each entry */
    const char *missing; /* the default value, or the text where there is a list; for a
                            line NULL: control/me, else the file's own name */
};

/* All control files in the order in which they are shown, ended by a NULL name. Of
 * kind SHOWCTL_OTHER are those that need a look at a second file. */
extern const struct showctl_file showctl_files[];

/* Whether a program of ours reads control/NAME. */
bool showctl_is_known(const char *name);

/* Appends what is to be said of the file behind "NAME: ". Relative to HOME. me: the
 * contents of control/me, or NULL. */
void showctl_explain(struct bytes *out, const struct showctl_file *file,
                     const struct bytes *me);

/* Appends v with '?' for bytes that a terminal should not get. */
void showctl_safe(struct bytes *out, struct view v);

#endif
