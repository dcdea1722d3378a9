/* showctl - the parts of qmail-showctl.
 *
 *     showctl_files     the table of control files; all else goes by it
 *     showctl_explain   a file in words, for the listing
 *     showctl_json      the same for programs
 *     showctl_finding   what -c found, as lines or as JSON
 *     showctl_entry     is this a number, a domain, a route? one entry, no files
 *     showctl_lines     the lines of one file
 *     showctl_together  what files say together
 *     showctl_access    who owns the files and can read them, which are nobody's
 *     showctl_users     users/assign and users/cdb
 *     showctl_tree      accounts, directories, programs: by the install list
 *
 * All paths are relative to HOME, where we are. */
#ifndef ADMIN_SHOWCTL_H
#define ADMIN_SHOWCTL_H

#include "base/bytes.h"
#include "mail/control.h"

#include <sys/stat.h>

/* -- showctl_files */

enum showctl_kind {
    SHOWCTL_NUMBER,
    SHOWCTL_SIZE, /* a number that may be larger than CONTROL_MAX_NUMBER */
    SHOWCTL_LINE,
    SHOWCTL_LIST,
    SHOWCTL_MAP,
    SHOWCTL_DATABASE
};

/* What an entry, or the line, has to be. */
enum showctl_content {
    SHOWCTL_ANYTHING,
    SHOWCTL_DIGITS,
    SHOWCTL_DOMAIN,     /* a domain or a literal */
    SHOWCTL_FULL_NAME,  /* a domain with a dot */
    SHOWCTL_GREETING,   /* a domain, and more words perhaps */
    SHOWCTL_LOCAL_PART, /* without a domain */
    SHOWCTL_HOSTS,      /* a domain, or .suffix */
    SHOWCTL_HELO,       /* a word */
    SHOWCTL_ADDRESSES,  /* user@domain, @domain, @.suffix */
    SHOWCTL_ROUTE,      /* HOSTS:relay:port */
    SHOWCTL_VIRTUAL,    /* HOSTS:prepend, user@domain:prepend */
    SHOWCTL_BINDING,    /* HOSTS:address */
    SHOWCTL_POLICY,     /* HOSTS:word */
    SHOWCTL_SERVER      /* address:port */
};

/* What holds where the file is absent. */
enum showctl_default {
    SHOWCTL_LITERAL,   /* a value of its own */
    SHOWCTL_NOTHING,   /* no value, no entry */
    SHOWCTL_ME,        /* control/me, else the file's own name */
    SHOWCTL_ME_ALONE,  /* control/me, without which its readers do not work */
    SHOWCTL_ME_PERHAPS /* control/me, else nothing */
};

/* Who reads it. */
enum showctl_reader {
    SHOWCTL_INJECT = 1,
    SHOWCTL_SEND = 2,
    SHOWCTL_REMOTE = 4,
    SHOWCTL_SMTPD = 8,
    SHOWCTL_QMTPD = 16,
    SHOWCTL_RCPTCHECK = 32,
    SHOWCTL_QMQPC = 64,
    SHOWCTL_NEWMRH = 128,
    SHOWCTL_RSPAWN = 256
};

struct showctl_file {
    const char *name;
    enum showctl_kind kind;
    enum showctl_content content;
    unsigned readers; /* enum showctl_reader, added up */
    enum showctl_default by_default;
    const char *before, *after; /* the listing: around the value or each entry */
    const char *missing;        /* the literal; otherwise what the listing says in
                                   place of a value, if anything */
};

/* All control files in the order in which they are shown, ended by a NULL name. */
extern const struct showctl_file showctl_files[];

/* The row of that name, or NULL. */
const struct showctl_file *showctl_file_named(const char *name);

/* A program that reads control files, and as whom it does. */
struct showctl_program {
    enum showctl_reader reader;
    const char *name;
    const char *user, *group; /* NULL: whoever runs it */
};
extern const struct showctl_program showctl_programs[]; /* ended by a NULL name */

/* What a file of others is, such as "the TLS patch's"; NULL for an unknown name. */
const char *showctl_foreign(const char *name);

/* The control file whose name is nearly that, or NULL. */
const char *showctl_meant(const char *name);

/* -- showctl_explain */

/* Appends what is to be said of the file behind "NAME: ". me: the contents of
 * control/me, or NULL. */
void showctl_explain(struct bytes *out, const struct showctl_file *file,
                     const struct bytes *me);

/* Appends v with '?' for bytes that a terminal should not get. */
void showctl_safe(struct bytes *out, struct view v);

/* How control/morercpthosts.cdb stands to control/morercpthosts. */
enum showctl_database {
    SHOWCTL_NO_DATABASE,
    SHOWCTL_DATABASE_ALONE,
    SHOWCTL_SOURCE_ALONE,
    SHOWCTL_OUTDATED,
    SHOWCTL_CURRENT
};
enum showctl_database showctl_compare_times(const char *source, const char *database);

/* -- showctl_json */

/* Appends the members "version" and "home" and those of the build. */
void showctl_json_head(struct bytes *out);

/* Appends a member with all that is known of the file. */
void showctl_json_file(struct bytes *out, const struct showctl_file *file,
                       const struct bytes *me);

/* -- showctl_finding */

/* A place: a file relative to HOME ("" is HOME) or a path of its own, and a line,
 * counted from 1; 0: the whole file. */
struct showctl_place {
    const char *path;
    size_t line;
};

/* What is wrong and what to do. problem NULL: nothing. */
struct showctl_problem {
    const char *problem, *remedy;
};

struct showctl_findings {
    struct bytes out; /* a line each, or members of an array */
    size_t count;
    size_t unseen; /* what only root can look at */
    bool as_json;
};

/* Adds a finding. subject, what the problem is about, is quoted in front of it
 * unless it has no data. */
void showctl_find(struct showctl_findings *f, struct showctl_place where,
                  struct view subject, const char *problem, const char *remedy);

/* -- showctl_entry */

/* Judges an entry without white space at its end. */
struct showctl_problem showctl_judge(enum showctl_content content, struct view entry);

/* A domain (letters, digits, hyphens, underscores; labels of 1 to 63 bytes) or a
 * literal in brackets. */
bool showctl_is_domain(struct view v);

/* -- showctl_lines */

/* Calls each(arg, number, entry) for the lines of text that a list has entries in;
 * white space at their ends is gone, NULs are left. */
typedef void showctl_each(void *arg, size_t line, struct view entry);
void showctl_each_entry(struct view text, showctl_each *each, void *arg);

/* Checks what the file holds, line by line. text: all of it. */
void showctl_check_lines(struct showctl_findings *f, const struct showctl_file *file,
                         struct view text);

/* -- the other checks. Those that may want permission count in f->unseen what could
 * not be looked at. */

/* Accounts, directories, programs, the queue's split. */
void showctl_check_tree(struct showctl_findings *f);

/* Every file in control/: whether it is one, who owns it and can read it, its lines. */
void showctl_check_files(struct showctl_findings *f);

/* What control files say together. */
void showctl_check_together(struct showctl_findings *f);

/* users/assign and users/cdb. */
void showctl_check_users(struct showctl_findings *f);

/* Whether path is a file, whose state is then in st. It is a finding if it is
 * something else, or if others than root can change it. */
bool showctl_check_owner(struct showctl_findings *f, const char *path, struct stat *st);

/* Reads a file for a check. False where there is none that can be read; a reason
 * other than absence is a finding or counts as unseen. */
bool showctl_read(struct showctl_findings *f, const char *path, struct bytes *text);

#endif
