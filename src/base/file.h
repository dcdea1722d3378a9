/* file - reading files whole, and giving them names that survive a power cut.
 *
 * The rules, which every program of the mail path follows by calling these:
 * a name appears only under its final, synced content; a name counts as there
 * when its directory has been synced; a sync that failed is never repeated on
 * the same descriptor, because the kernel may have dropped the data and would
 * report success; removal needs no sync. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/bytes.h"

#include <sys/stat.h>
#include <sys/types.h>

enum file_result {
    FILE_READ,   /* content holds it */
    FILE_ABSENT, /* there is no such file */
    FILE_FAILED  /* errno says why; EFBIG for more than max bytes */
};

/* Reads the whole file into content, which is replaced. */
enum file_result file_read(const char *path, size_t max, struct bytes *content);

/* Reads fd from where it is to its end into content, which is replaced. Not
 * FILE_ABSENT. */
enum file_result file_read_fd(int fd, size_t max, struct bytes *content);

/* After an ENOENT for path: whether there is really nothing of that name. A
 * dangling symbolic link is an admin's mistake, not an absent file. errno is
 * ENOENT afterwards. */
bool file_is_absent(const char *path);

/* Starts writing fd's data out without waiting. Where several files are synced
 * at one step, begin with this for each of them: one commit of the journal
 * then serves them all. */
void file_sync_begin(int fd);

/* Waits until fd's data is on stable storage. */
bool file_sync(int fd);

/* Makes the names in directory path stable. A file system that cannot sync
 * directories (EINVAL) needs no sync. A directory that we may write but not read
 * cannot be opened for this; then everything is synced. */
bool dir_sync(const char *path);

/* The same for an open directory. */
bool dir_sync_fd(int fd);

/* Something to be synced: the names in directory dir, or, where that is NULL, fd. */
struct sync_job {
    int fd;
    const char *dir;
    bool synced; /* the outcome */
};

/* Syncs all of them at the same time, as far as there are threads to be had: a journal
 * is committed once for them, and a disk's cache flushed once, not for one after the
 * other. True if all have been synced. */
bool sync_together(struct sync_job jobs[], size_t count);

/* Makes the name of a file stable that is there already: syncs the directory in
 * which it lies, wherever symbolic links lead. */
bool file_sync_name(const char *path);

/* Gives a synced file its final name and makes that stable. final must not
 * exist (link) or is replaced (rename); dir is final's directory.
 * False with errno set; then final is not what it should be. */
bool file_publish_link(const char *path, const char *final, const char *dir);
bool file_publish_rename(const char *path, const char *final, const char *dir);

/* Opens path, the temporary name of a file that will replace another, for writing:
 * made if need be, empty, with exactly that mode. Several processes that do this wait
 * for each other, each until the one before has ended or closed it. The descriptor,
 * or -1 with errno set. */
int file_open_next(const char *path, mode_t mode);

/* Removes a file; one that is not there counts as removed. */
bool file_remove(const char *path);

/* Whether two results of stat(2) speak of the same file. */
bool file_same(const struct stat *a, const struct stat *b);

#endif
