/* os - the one place for what POSIX does not have.
 *
 * Where a system lacks one of these, the function still keeps its promise as
 * far as it says here; nothing else in src/ asks which system it is on. */
#ifndef BASE_OS_H
#define BASE_OS_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A pipe whose ends are closed on exec. */
bool os_pipe_cloexec(int ends[2]);

/* Closes every descriptor from first on. Where the system has no call for that,
 * those below the limit of open files. */
void os_close_from(int first);

/* write(2) to a socket without waiting, whether it blocks or not: EAGAIN where it
 * would wait, ENOTSOCK for what is no socket. */
ssize_t os_write_now(int fd, const void *data, size_t len);

/* Starts writing fd's data to disk without waiting for it. Says nothing about
 * when it is there: fsync(2) does. May do nothing. */
void os_start_writeback(int fd);

/* Writes everything to disk and waits for it, where the system's sync(2) does. */
void os_sync_everything(void);

/* Where path leads once every symbolic link is followed, in memory for
 * heap_free(); NULL with errno set. */
char *os_real_path(const char *path);

/* renameat(2), but what is there already stays, and the name that would cover it
 * fails with EEXIST. Where the system or file system cannot do both in one step, a
 * name made by another process between a look and the renaming is replaced. */
bool os_rename_new(int from_dir, const char *from, int to_dir, const char *to);

/* Whether any process but through fd has the file open, as far as this system tells:
 * where it does not, true. Root alone gets an answer, and has SIGIO ignored. */
bool os_may_be_open_elsewhere(int fd);

/* Whether a name that readdir() gave for directory dir is a regular file. Only asks
 * the file where the directory does not say. False if it is gone. */
struct dirent;
bool os_is_regular(int dir, const struct dirent *entry);

/* flock(2), exclusive. With wait false it fails with EWOULDBLOCK or EAGAIN
 * where another holds the lock. */
bool os_lock(int fd, bool wait);

/* Sets the supplementary groups: to gid alone, or to gid and the groups that
 * the group file gives user name. */
bool os_set_groups(gid_t gid);
bool os_set_groups_of(const char *name, gid_t gid);

/* Sets real, effective and saved ids, so that there is no way back. */
bool os_set_gid(gid_t gid);
bool os_set_uid(uid_t uid);

/* Runs child(arg) in a new process, which ends with what that returns; child
 * may borrow its parent's memory (vfork), so it may only prepare descriptors,
 * ids and signals and then exec. The process id, or -1. */
pid_t os_spawn(int (*child)(void *arg), void *arg);

/* Calls each(arg, family, address) for every address of this host's interfaces
 * that are up; address points at 4 (AF_INET) or 16 (AF_INET6) bytes in network
 * order. False with errno set when the list is not to be had. */
bool os_each_own_address(void (*each)(void *arg, int family, const void *address),
                         void *arg);

/* Fills out with bytes that nobody can guess. */
void os_random(void *out, size_t len);

/* Sends a DNS query to the name servers of the system's resolver, which keeps the
 * time limits and repeats over TCP what does not fit a datagram. The length of the
 * answer, or -1 where no server gave one in time. EDNS is left to the query. */
ssize_t os_dns_send(const void *query, size_t len, void *answer, size_t room);

/* Whether this libc's resolver does less than that: it gives up early, leaves cut what
 * does not fit a datagram, and believes the quickest of several servers. */
bool os_dns_is_small(void);

/* The names to try for name by the resolver's search list: calls each(arg,
 * candidate) with every candidate in turn until it returns true. Whether it did. */
bool os_dns_each_candidate(const char *name, bool (*each)(void *arg, const char *name),
                           void *arg);

/* Calls each(arg, user, terminal) for every login that the system has on record;
 * terminal is a name below /dev. A system that keeps no record has no logins. */
void os_each_login(void (*each)(void *arg, struct view user, struct view terminal),
                   void *arg);

/* What the shadow file says of an account (shadow(5)). Times are days since 1970 or
 * numbers of days; -1: nothing is said. */
struct os_shadow {
    const char *hash; /* as crypt(3) makes it, or something that nothing hashes to */
    int64_t changed, max_days, inactive_days, expires;
};

enum os_shadow_result {
    OS_SHADOW_FOUND,
    OS_SHADOW_ABSENT, /* no entry, or a system without such a file */
    OS_SHADOW_FAILED  /* errno is set */
};

/* The entry of name. The hash is good until the next call of either. */
enum os_shadow_result os_shadow_find(const char *name, struct os_shadow *entry);

/* Calls each(arg, entry) for every entry until it returns true. */
void os_each_shadow(bool (*each)(void *arg, const struct os_shadow *entry), void *arg);

/* crypt(3): the hash of password in the way that setting says, which may be a hash;
 * NULL where it says nothing sensible. Good until the next call. Not in os.c but in
 * os_crypt.c: who calls it is linked with libcrypt. */
const char *os_crypt(const char *password, const char *setting);

/* One line to the system log (syslog(3)). */
void os_syslog_open(const char *tag, int facility);
enum os_level { OS_INFO, OS_WARNING, OS_ALERT };
void os_syslog(enum os_level level, const char *text);

#endif
