/* dotqmail - the .qmail files: which one is meant, and what its lines say.
 *
 * man page dot-qmail (section 5). Names are relative to the home directory,
 * which has been entered. qmail-local and whoever wants to know beforehand whether
 * it would find a mailbox ask here. */
#ifndef MAIL_DOTQMAIL_H
#define MAIL_DOTQMAIL_H

#include "base/bytes.h"

#include <sys/types.h>

/* The home directory */
enum dotqmail_home {
    DOTQMAIL_HOME_ENTERED,
    DOTQMAIL_HOME_CLOSED,   /* cannot be entered; errno is set, and home unchanged */
    DOTQMAIL_HOME_FAILED,   /* entered, but cannot be looked at; errno is set */
    DOTQMAIL_HOME_WRITABLE, /* entered, but others may write to it */
    DOTQMAIL_HOME_STICKY    /* entered, but its owner is changing the files */
};
/* Enters a home directory. Only what DOTQMAIL_HOME_ENTERED has entered is to be
 * acted on: the others have mail wait. */
enum dotqmail_home dotqmail_enter_home(const char *home);
/* The file's name */

/* The names that may hold the instructions for DASH and EXT, in the order in which
 * they are tried. {.dash = ..., .ext = ...} begins. */
struct dotqmail_names {
    struct view dash, ext;
    struct bytes name; /* the present one */
    bool begun;
    bool has_rest; /* the variable DEFAULT is set: ext from byte number rest */
    size_t rest;
    size_t next; /* how much of ext the next default name may have */
    bool ended;
};

/* Goes to the next name. False after the last. */
bool dotqmail_names_next(struct dotqmail_names *n);
void dotqmail_names_free(struct dotqmail_names *n);

enum dotqmail_result {
    DOTQMAIL_FOUND,
    DOTQMAIL_NONE,
    DOTQMAIL_WRITABLE, /* others may write to it: not to be trusted */
    DOTQMAIL_FAILED    /* one that may be there cannot be opened; errno is set */
};

struct dotqmail_file {
    int fd;            /* open for reading if DOTQMAIL_FOUND, else -1 */
    off_t size;        /* in bytes, when it was opened */
    struct bytes name; /* the last one that was tried */
    bool forward_only; /* the owner's x bit: neither files nor programs */
    bool has_rest;     /* the variable DEFAULT is set: EXT from byte number rest */
    size_t rest;
};

/* Opens the first of the names that is a regular file. A name that is missing, is
 * no regular file, or leads nowhere counts as not there; so does everything but
 * temporary trouble and a lack of rights. file is overwritten; its name is the
 * caller's to free. */
enum dotqmail_result dotqmail_find(struct view dash, struct view ext,
                                   struct dotqmail_file *file);

/* Who gets the bounces of what is forwarded. */
enum dotqmail_owner {
    DOTQMAIL_NO_OWNER,
    DOTQMAIL_OWNER,       /* the address with "-owner" */
    DOTQMAIL_LIST_OWNER,  /* the same, an own one for each recipient */
    DOTQMAIL_OWNER_FAILED /* errno is set; name is the file */
};

/* Looks for .qmail DASH EXT "-owner" and "-owner-default"; what they are does not
 * matter. name is replaced. */
enum dotqmail_owner dotqmail_find_owner(struct view dash, struct view ext,
                                        struct bytes *name);

/* The lines */

enum dotqmail_kind {
    DOTQMAIL_NOTHING,     /* a comment, a blank line, or nothing we know */
    DOTQMAIL_BLANK_FIRST, /* the first line is blank: somebody's mistake */
    DOTQMAIL_LIST,        /* "+list": from here on neither files nor programs */
    DOTQMAIL_MBOX,
    DOTQMAIL_MAILDIR,
    DOTQMAIL_PROGRAM,
    DOTQMAIL_FORWARD
};

struct dotqmail_line {
    enum dotqmail_kind kind;
    struct view text; /* file name, command or address; without NUL */
};

/* {.rest = the file's content} begins. */
struct dotqmail_lines {
    struct view rest;
    bool begun;
};

/* The next line. False at the end. Nothing at all counts as one blank line. */
bool dotqmail_lines_next(struct dotqmail_lines *lines, struct dotqmail_line *line);

#endif
