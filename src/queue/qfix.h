/* qfix - the parts of qmail-qfix, in the order of its work.
 *
 *   layout    directories and lock files: there, of their type, owner, size
 *   names     names that are no message's; files that are no files
 *   split     files in the wrong split directory
 *   scan      the numbers of all messages, kept in memory
 *   plan      which messages get another number
 *   renumber  does that
 *   orphans   files without their message
 *   owners    owners and modes of the messages' files
 *   contents  records
 *
 * All runs as root in directories that belong to qmailq and qmails, whom nothing here
 * trusts: no symbolic link is followed below QUEUE, a file is opened before it is
 * looked at and changed, one that has names elsewhere is not changed at all, and no
 * renaming covers what is there. Files are only ever renamed. */
#ifndef QUEUE_QFIX_H
#define QUEUE_QFIX_H

#include "base/bytes.h"
#include "mail/queue_layout.h"

#include <sys/stat.h>
#include <sys/types.h>

/* Numbers: qfix_numbers.c */

struct qfix_numbers {
    uint64_t *at;
    size_t count, room;
    bool sorted;
};

void qfix_numbers_add(struct qfix_numbers *set, uint64_t n);
void qfix_numbers_sort(struct qfix_numbers *set);
bool qfix_numbers_has(struct qfix_numbers *set, uint64_t n);
void qfix_numbers_clear(struct qfix_numbers *set);

/* Report: qfix_report.c */

enum qfix_result {
    QFIX_FIXED, /* when only checking: could be */
    QFIX_ASIDE, /* kept aside, or would be */
    QFIX_LEFT   /* for a human */
};

/* -r was given. */
extern bool qfix_repairs;

/* A finding. detail: a number behind the path, or NULL. */
void qfix_report(const char *code, const char *path, const uint64_t *detail,
                 enum qfix_result result);

/* The last line. The exit code. */
int qfix_end(uint64_t messages);

/* Names: qfix_name.c */

/* What a name in one of the directories is. A renaming in two steps leads over N.fix;
 * what bears such a name belongs to the message whose inode number is N. */
enum qfix_form { QFIX_PLAIN, QFIX_FIX, QFIX_OTHER };

enum qfix_form qfix_name_read(const char *name, uint64_t *number);

/* N or N.fix, printf-ready. */
struct qfix_name {
    char text[32];
};

struct qfix_name qfix_name(uint64_t number, enum qfix_form form);

/* Directories: qfix_dirs.c */

/* The place of a file that is not in a split directory; and of a file of that kind and
 * number when all is well. */
#define QFIX_TOP UINT64_MAX
uint64_t qfix_place(enum queue_kind kind, uint64_t number);

struct qfix_file {
    enum queue_kind kind;
    uint64_t place; /* number of the split directory, or QFIX_TOP */
    int dir;        /* the directory */
    const char *name;
    enum qfix_form form;
    uint64_t number; /* unless form is QFIX_OTHER */
};

/* KIND/PLACE/NAME to be shown: with '_' for what is not printable. Good until the next
 * call. */
const char *qfix_path(enum queue_kind kind, uint64_t place, const char *name);

/* Enters QUEUE. Exits where that cannot be done. */
void qfix_enter(const char *home);

/* Opens a directory by its path below QUEUE, "" for that itself. -1 with errno set:
 * also ELOOP and ENOTDIR for what is none. */
int qfix_open_dir(const char *path);

/* To be called once the directories of all kinds can be opened or are missing. */
void qfix_open_kinds(void);

/* Calls visit for each name of that kind, but for names directly in mess, info, local,
 * remote that are not numbers. visit may rename the file out of its directory. */
void qfix_each(enum queue_kind kind, void (*visit)(const struct qfix_file *f));

/* The numbered directories of a split kind, as the last qfix_each() of it saw them. */
struct qfix_numbers *qfix_places(enum queue_kind kind);

/* lstat(2) of a file. False: it is missing. Exits where it cannot be told. */
bool qfix_stat(enum queue_kind kind, uint64_t place, const char *name, struct stat *st);

/* Opens a file for reading, or looking at: not through a symbolic link, and without
 * waiting. -1 where it is missing or is now none. Exits where it cannot be opened. */
int qfix_open_file(enum queue_kind kind, uint64_t place, const char *name);

/* Whether a file is in its right place. */
bool qfix_is_there(enum queue_kind kind, uint64_t number, enum qfix_form form);

enum qfix_moved { QFIX_MOVED, QFIX_MISSING, QFIX_TAKEN };

/* Renames a file: QFIX_MISSING where it is not there, QFIX_TAKEN where something has
 * the new name, or that is on another file system. Exits where none of these is the
 * reason: another run goes on. */
enum qfix_moved qfix_move(enum queue_kind kind, uint64_t from, const char *old,
                          uint64_t to, const char *name);

/* Keeps a file aside and reports that as a finding; says nothing where it is not there
 * any more. */
void qfix_aside(const char *code, enum queue_kind kind, uint64_t place,
                const char *name);

/* Removes an empty split directory. */
bool qfix_remove_dir(enum queue_kind kind, uint64_t place);

/* Makes all renamings so far stable. */
void qfix_sync(void);

/* Layout: qfix_layout.c */

/* Takes the mutex where there is one; exits if another has it. */
void qfix_lock(void);

/* False: there is no sense in going on, because files cannot be found or told apart. */
bool qfix_layout(void);

struct qfix_wanted {
    const char *owner, *group; /* group NULL: any */
    mode_t mode;
};
bool qfix_owner_is_right(const struct stat *st, const struct qfix_wanted *want);

/* Compares a file or directory opened on fd, known as path; reports, and repairs
 * unless it has more names than links. */
void qfix_owner(int fd, const char *path, const struct qfix_wanted *want,
                nlink_t links);

/* Names and split directories: qfix_names.c, qfix_split.c */

void qfix_names(void);
void qfix_split(void);

/* Removes what is beyond CONF_SPLIT; after the split and the numbers. */
void qfix_extra(void);

/* Numbers of messages that are left alone, with all their files, because it cannot be
 * told what belongs to them. */
extern struct qfix_numbers qfix_blocked;

/* Plan: qfix_plan.c, without side effects */

enum qfix_deed {
    QFIX_KEEP,   /* has its right number */
    QFIX_RENAME, /* plain and wrong */
    QFIX_FINISH, /* on its way: N.fix, and N is right */
    QFIX_STALE,  /* N.fix, and N is wrong: a copy made while a repair was under way */
    QFIX_LINKED, /* has two numbers */
    QFIX_STUCK   /* wrong, but cannot be changed */
};

struct qfix_message {
    uint64_t name, inode, place;
    enum qfix_form form;
    enum qfix_deed deed;
};

struct qfix_messages {
    struct qfix_message *at; /* after qfix_plan() ordered by inode */
    size_t count, room;
};

void qfix_messages_add(struct qfix_messages *m, struct qfix_message message);

/* Decides about all of them. Those in blocked stay as they are, and so does each that
 * would need a number which therefore does not become free, and so on; their numbers
 * are added to blocked. */
void qfix_plan(struct qfix_messages *m, struct qfix_numbers *blocked);

/* After qfix_plan(): the message of that inode number, or NULL. */
struct qfix_message *qfix_find(const struct qfix_messages *m, uint64_t inode);

/* Scan: qfix_scan.c */

struct qfix_state {
    struct qfix_messages messages;
    struct qfix_numbers plain[QUEUE_KINDS], fix[QUEUE_KINDS];
    bool stale; /* this is a copy of a half repaired queue: see QFIX_STALE */
};

extern struct qfix_state qfix;

/* Reads the names of all files and the inode numbers of the messages, and plans. */
void qfix_scan(void);

/* Whether that message has a file of that kind, wherever it may be. */
bool qfix_has(const struct qfix_message *m, enum queue_kind kind);

/* Where that file is, and what it is called. False: it is not there any more. */
bool qfix_locate(const struct qfix_message *m, enum queue_kind kind, uint64_t *place,
                 struct qfix_name *name);

/* Whether there is a file of that kind and number now, or was at the last scan: what a
 * qmail-queue makes meanwhile must not look as if it were missing. */
bool qfix_is_known(enum queue_kind kind, uint64_t number);

/* Renumber: qfix_renumber.c */

/* True: files have been renamed, and what qfix_scan() found is out of date. */
bool qfix_renumber(void);

/* Orphans: qfix_orphans.c */

/* Files whose message is not there. */
void qfix_without_message(void);

/* Recipients and failures of messages that have no sender. */
void qfix_without_sender(void);

/* Keeps a whole message aside: the file of kind cause under code, the others as
 * orphans. */
void qfix_aside_message(const struct qfix_message *m, const char *code,
                        enum queue_kind cause);

/* Owners, contents: qfix_owners.c, qfix_contents.c */

void qfix_owners(void);
void qfix_contents(void);

/* What the records of a file are: qfix_records.c */

enum qfix_records {
    QFIX_SOUND,
    QFIX_BAD,       /* a letter that does not belong there, or no NUL at the end */
    QFIX_UNREADABLE /* errno is set */
};

/* Reads fd to its end. letters: those that may begin a record. *senders is the number
 * of records that begin with F, *records that of all. */
enum qfix_records qfix_records(int fd, const char *letters, uint64_t *senders,
                               uint64_t *records);

#endif
