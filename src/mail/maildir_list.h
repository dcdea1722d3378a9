/* maildir_list - the messages of a maildir, for those who read it.
 *
 * Names are relative to the maildir, which the caller has entered. */
#ifndef MAIL_MAILDIR_LIST_H
#define MAIL_MAILDIR_LIST_H

#include "base/bytes.h"

#include <sys/types.h>

struct maildir_entry {
    const char *path; /* "new/NAME" or "cur/NAME" */
    int64_t mtime;    /* when it was delivered */
    off_t size;
};

/* {0} is a valid empty list. */
struct maildir_list {
    struct maildir_entry *entries; /* oldest first, then by NAME */
    size_t count, room;
    struct bytes names; /* what the paths point into */
};

enum maildir_scan {
    MAILDIR_SCANNED,
    MAILDIR_NO_NEW, /* new/ cannot be opened; errno is set */
    MAILDIR_NO_CUR,
    MAILDIR_UNSCANNED /* one of them cannot be read; errno is set */
};

/* Fills list, which must be empty, with the regular files of new/ and cur/ whose
 * names do not begin with a dot and that were last written before second now; and those
 * that came while the clock was ahead by more than an hour, and was set back since. */
enum maildir_scan maildir_list_read(struct maildir_list *list, int64_t now);

void maildir_list_free(struct maildir_list *list);

/* Removes what dead deliveries have left: files of tmp/ that nobody has accessed for
 * MAILDIR_ABANDONED_S seconds, names with a dot in front aside. What cannot be
 * removed stays. */
void maildir_clean_tmp(int64_t now);

#endif
