/* The only file that looks beyond POSIX, and the only one with an #ifdef that
 * is about the system. */
#define _GNU_SOURCE
#define _DEFAULT_SOURCE
#include "base/os.h"

#include <arpa/nameser.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <resolv.h>
#ifdef __linux__
#include <shadow.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include <utmpx.h>

bool os_pipe_cloexec(int ends[2])
{
    return pipe2(ends, O_CLOEXEC) == 0;
}

void os_close_from(int first)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0) == 0)
        return;
#endif
    long limit = sysconf(_SC_OPEN_MAX);
    for (int fd = first; fd < (limit > 0 ? limit : 1024); fd++)
        close(fd);
}

ssize_t os_write_now(int fd, const void *data, size_t len)
{
    return send(fd, data, len, MSG_DONTWAIT);
}

void os_start_writeback(int fd)
{
#ifdef SYNC_FILE_RANGE_WRITE
    int saved = errno;
    sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    errno = saved;
#else
    (void)fd;
#endif
}

void os_sync_everything(void)
{
    sync();
}

char *os_real_path(const char *path)
{
    return realpath(path, NULL);
}

static bool rename_after_look(int from_dir, const char *from, int to_dir,
                              const char *to)
{
    struct stat st;
    if (fstatat(to_dir, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return false;
    }
    return errno == ENOENT && renameat(from_dir, from, to_dir, to) == 0;
}

bool os_rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
#ifdef RENAME_NOREPLACE
    if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
#endif
    return rename_after_look(from_dir, from, to_dir, to);
}

bool os_may_be_open_elsewhere(int fd)
{
#ifdef F_SETLEASE
    /* a lease for writing is given to who alone has the file open */
    if (fcntl(fd, F_SETLEASE, F_WRLCK) == -1)
        return true;
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return false;
#else
    (void)fd;
    return true;
#endif
}

bool os_is_regular(int dir, const struct dirent *entry)
{
    struct stat st;
#ifdef DT_UNKNOWN
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_REG;
#endif
    return fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(st.st_mode);
}

bool os_lock(int fd, bool wait)
{
    return flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB) == 0;
}

bool os_set_groups(gid_t gid)
{
    return setgroups(1, &gid) == 0;
}

bool os_set_groups_of(const char *name, gid_t gid)
{
    return initgroups(name, gid) == 0;
}

bool os_set_gid(gid_t gid)
{
    gid_t r, e, s;
    return setresgid(gid, gid, gid) == 0 && getresgid(&r, &e, &s) == 0 && r == gid &&
           e == gid && s == gid;
}

bool os_set_uid(uid_t uid)
{
    uid_t r, e, s;
    return setresuid(uid, uid, uid) == 0 && getresuid(&r, &e, &s) == 0 && r == uid &&
           e == uid && s == uid;
}

pid_t os_spawn(int (*child)(void *arg), void *arg)
{
    pid_t pid = vfork();
    if (pid == 0)
        _exit(child(arg));
    return pid;
}

bool os_each_own_address(void (*each)(void *arg, int family, const void *address),
                         void *arg)
{
    struct ifaddrs *list;
    if (getifaddrs(&list) == -1)
        return false;
    for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
        if (!i->ifa_addr || !(i->ifa_flags & IFF_UP))
            continue;
        const void *any = i->ifa_addr;
        if (i->ifa_addr->sa_family == AF_INET) {
            const struct sockaddr_in *in = any;
            each(arg, AF_INET, &in->sin_addr);
        } else if (i->ifa_addr->sa_family == AF_INET6) {
            const struct sockaddr_in6 *in = any;
            each(arg, AF_INET6, &in->sin6_addr);
        }
    }
    freeifaddrs(list);
    return true;
}

void os_random(void *out, size_t len)
{
    enum { MOST_AT_ONCE = 256 };
    unsigned char *at = out;
    while (len) {
        size_t part = len < MOST_AT_ONCE ? len : MOST_AT_ONCE;
        if (getentropy(at, part) == -1)
            break;
        at += part;
        len -= part;
    }
    /* a kernel without a generator: better than always the same */
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t mix = (uint64_t)now.tv_nsec * 2654435761u ^ (uint64_t)getpid() << 32;
    for (; len; len--) {
        mix = mix * 6364136223846793005u + 1442695040888963407u;
        *at++ = (unsigned char)(mix >> 56);
    }
}

/* Reads the resolver's configuration once. */
static bool resolver_ready(void)
{
    static bool ready;
    if (!ready && res_init() == -1)
        return false;
    _res.options &= ~(unsigned long)RES_USE_EDNS0;
    ready = true;
    return true;
}

ssize_t os_dns_send(const void *query, size_t len, void *answer, size_t room)
{
    if (len > INT_MAX || room > INT_MAX || !resolver_ready())
        return -1;
    return res_send(query, (int)len, answer, (int)room);
}

bool os_dns_is_small(void)
{
#if defined __linux__ && !defined __GLIBC__
    return true;
#else
    return false;
#endif
}

bool os_dns_each_candidate(const char *name, bool (*each)(void *arg, const char *name),
                           void *arg)
{
    char candidate[NS_MAXDNAME];
    unsigned dots = 0;
    for (const char *c = name; *c; c++)
        dots += *c == '.';
    if (!resolver_ready() || (name[0] && name[strlen(name) - 1] == '.'))
        return each(arg, name);
    if (dots >= _res.ndots && each(arg, name))
        return true;
    for (char *const *domain = _res.dnsrch; *domain; domain++) {
        int n = snprintf(candidate, sizeof candidate, "%s.%s", name, *domain);
        if (n > 0 && (size_t)n < sizeof candidate && each(arg, candidate))
            return true;
    }
    return dots < _res.ndots && each(arg, name);
}

void os_each_login(void (*each)(void *arg, struct view user, struct view terminal),
                   void *arg)
{
    const struct utmpx *entry;

    setutxent();
    while ((entry = getutxent()) != NULL)
        if (entry->ut_type == USER_PROCESS)
            each(
                arg,
                view_at(entry->ut_user, strnlen(entry->ut_user, sizeof entry->ut_user)),
                view_at(entry->ut_line,
                        strnlen(entry->ut_line, sizeof entry->ut_line)));
    endutxent();
}

#ifdef __linux__

static struct os_shadow from_system(const struct spwd *entry)
{
    return (struct os_shadow){.hash = entry->sp_pwdp ? entry->sp_pwdp : "",
                              .changed = entry->sp_lstchg,
                              .max_days = entry->sp_max,
                              .inactive_days = entry->sp_inact,
                              .expires = entry->sp_expire};
}

enum os_shadow_result os_shadow_find(const char *name, struct os_shadow *entry)
{
    errno = 0;
    const struct spwd *found = getspnam(name);
    if (!found)
        return errno == 0 || errno == ENOENT || errno == ESRCH ? OS_SHADOW_ABSENT
                                                               : OS_SHADOW_FAILED;
    *entry = from_system(found);
    return OS_SHADOW_FOUND;
}

void os_each_shadow(bool (*each)(void *arg, const struct os_shadow *entry), void *arg)
{
    const struct spwd *found;
    bool enough = false;

    setspent();
    while (!enough && (found = getspent()) != NULL) {
        struct os_shadow entry = from_system(found);
        enough = each(arg, &entry);
    }
    endspent();
}

#else

enum os_shadow_result os_shadow_find(const char *name, struct os_shadow *entry)
{
    (void)name;
    (void)entry;
    return OS_SHADOW_ABSENT;
}

void os_each_shadow(bool (*each)(void *arg, const struct os_shadow *entry), void *arg)
{
    (void)each;
    (void)arg;
}

#endif

void os_syslog_open(const char *tag, int facility)
{
    openlog(tag, 0, facility);
}

void os_syslog(enum os_level level, const char *text)
{
    static const int priorities[] = {
        [OS_INFO] = LOG_INFO, [OS_WARNING] = LOG_WARNING, [OS_ALERT] = LOG_ALERT};
    syslog(priorities[level], "%s", text);
}
