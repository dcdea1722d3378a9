/* install - what an installed tree consists of.
 *
 * One list, walked by the three programs that use it: instpackage makes the
 * entries, instchown gives them their owners, instcheck compares. The programs,
 * boot scripts, manual pages and documents are those that the build has made
 * (built.h), so nothing has to be named twice.
 *
 * HOME is conf-qmail's, with DESTDIR from the environment in front. */
#ifndef ADMIN_INSTALL_H
#define ADMIN_INSTALL_H

#include "base/bytes.h"

#include <sys/types.h>

enum install_type {
    INSTALL_DIR,  /* an existing one is kept */
    INSTALL_FILE, /* a copy of source, replaced as a whole */
    INSTALL_PAGE, /* the same, but may be missing: a formatted manual page */
    INSTALL_KEPT, /* size zero bytes, written into the file that is there */
    INSTALL_FIFO  /* an existing one is kept */
};

struct install_entry {
    enum install_type type;
    const char *path; /* below HOME; "" is HOME itself */
    mode_t mode;
    const char *owner;
    const char *source; /* INSTALL_FILE, INSTALL_PAGE: from the source directory */
    size_t size;        /* INSTALL_KEPT */
};

/* Calls each(entry) for the whole list, parents before what is in them; with
 * queue_only for queue and all below it. Everything is of group
 * CONF_GROUP_QMAIL. The strings are good for the call alone. */
void install_each(bool queue_only, void (*each)(const struct install_entry *entry));

/* Reads the only argument, the words "queue-only". Anything else prints a usage
 * line and exits 100. */
bool install_queue_only_or_die(int argc, char **argv);

/* DESTDIR and HOME. */
const char *install_home(void);

/* The full path of an entry. Good until the next call. */
const char *install_path(const struct install_entry *entry);

/* How messages name an entry: by its full path, files of boot, doc, bin and man
 * as ".../bin/NAME". The same for the directory that it is in, always by full
 * path. Good until the next call of either. */
const char *install_shown(const struct install_entry *entry);
const char *install_shown_dir(const struct install_entry *entry);

/* Opens the directory that entry is in; *name is the entry's name in it. Below
 * HOME's own entries no symbolic link is followed: those directories belong to
 * users who must not lead root elsewhere. -1 with errno set. */
int install_open_dir(const struct install_entry *entry, const char **name);

/* Opens the entry itself in that directory, without waiting and, below HOME's
 * own entries, without following a symbolic link. -1 with errno set. */
int install_open(const struct install_entry *entry, int dir, const char *name,
                 int flags);

/* What may be wrong with an entry, in the order in which it is told, and the words
 * for it that follow the entry's name. */
enum install_difference {
    INSTALL_MISSING,
    INSTALL_OWNER,
    INSTALL_GROUP,
    INSTALL_MODE,
    INSTALL_TYPE,
    INSTALL_UNSEEN /* it cannot be looked at; errno says why */
};
extern const char *const install_difference_texts[];

typedef void install_found(const struct install_entry *entry,
                           enum install_difference difference);

/* Compares what is there with the entry and calls found for each difference. A page
 * may be missing. */
void install_compare(const struct install_entry *entry, install_found *found);

#endif
