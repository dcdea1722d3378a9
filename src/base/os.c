/* The only file that looks beyond POSIX, and the only one with an #ifdef that
 * is about the system. */
#define _GNU_SOURCE
#define _DEFAULT_SOURCE
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

bool os_pipe_cloexec(int ends[2])
{
    return pipe2(ends, O_CLOEXEC) == 0;
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
    pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */
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
