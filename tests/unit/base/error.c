#include "base/error.h"

#include "tap.h"

#include <errno.h>

/* What each error is called, and whether it passes. */
static const struct {
    int e;
    const char *text;
    bool temporary;
} cases[] = {
    {0, "no error", false},
    {EINTR, "interrupted system call", true},
    {ENOMEM, "out of memory", true},
    {ENOENT, "file does not exist", false},
    {ETXTBSY, "text busy", true},
    {EIO, "input/output error", true},
    {EEXIST, "file already exists", false},
    {ETIMEDOUT, "timed out", true},
    {EINPROGRESS, "operation in progress", false},
    {EAGAIN, "temporary failure", true},
    {EPIPE, "broken pipe", false},
    {EPERM, "permission denied", false},
    {EACCES, "access denied", false},
    {ESRCH, "no such process", false},
    {ENXIO, "device not configured", false},
    {E2BIG, "argument list too long", false},
    {ENOEXEC, "exec format error", false},
    {EBADF, "file descriptor not open", false},
    {ECHILD, "no child processes", false},
    {EDEADLK, "operation would cause deadlock", true},
    {EFAULT, "bad address", false},
    {EBUSY, "device busy", true},
    {EXDEV, "cross-device link", false},
    {ENODEV, "device does not support operation", false},
    {ENOTDIR, "not a directory", false},
    {EISDIR, "is a directory", false},
    {EINVAL, "invalid argument", false},
    {ENFILE, "system cannot open more files", true},
    {EMFILE, "process cannot open more files", true},
    {ENOTTY, "not a tty", false},
    {EFBIG, "file too big", true},
    {ENOSPC, "out of disk space", true},
    {ESPIPE, "unseekable descriptor", false},
    {EROFS, "read-only file system", false},
    {EMLINK, "too many links", false},
    {EDOM, "input out of range", false},
    {ERANGE, "output out of range", false},
    {EALREADY, "operation already in progress", false},
    {ENOTSOCK, "not a socket", false},
    {EDESTADDRREQ, "destination address required", false},
    {EMSGSIZE, "message too long", false},
    {EPROTOTYPE, "incorrect protocol type", false},
    {ENOPROTOOPT, "protocol not available", false},
    {EPROTONOSUPPORT, "protocol not supported", false},
    {EOPNOTSUPP, "operation not supported", false},
    {EAFNOSUPPORT, "address family not supported", false},
    {EADDRINUSE, "address already used", false},
    {EADDRNOTAVAIL, "address not available", false},
    {ENETDOWN, "network down", true},
    {ENETUNREACH, "network unreachable", true},
    {ENETRESET, "network reset", true},
    {ECONNABORTED, "connection aborted", true},
    {ECONNRESET, "connection reset", true},
    {ENOBUFS, "out of buffer space", true},
    {EISCONN, "already connected", false},
    {ENOTCONN, "not connected", false},
    {ECONNREFUSED, "connection refused", true},
    {ELOOP, "symbolic link loop", false},
    {ENAMETOOLONG, "file name too long", false},
    {EHOSTUNREACH, "host unreachable", true},
    {ENOTEMPTY, "directory not empty", false},
    {EDQUOT, "disk quota exceeded", true},
    {ESTALE, "stale NFS file handle", true},
    {ENOLCK, "no locks available", true},
    {ENOSYS, "system call not available", false},
    {ENOMSG, "no message of desired type", false},
    {EBADMSG, "bad message type", false},
    {EIDRM, "identifier removed", false},
    {ENOLINK, "link severed", false},
    {EPROTO, "protocol error", false},
    {EMULTIHOP, "multihop attempted", false},
    {-1, "unknown error", false},
    {123456, "unknown error", false},
};

/* Errors that POSIX does not have, by their numbers on this kind of system. */
static const struct {
    int e;
    const char *text;
} others[] = {
#ifdef ENOTBLK
    {ENOTBLK, "not a block device"},
#endif
#ifdef ESOCKTNOSUPPORT
    {ESOCKTNOSUPPORT, "socket type not supported"},
#endif
#ifdef EPFNOSUPPORT
    {EPFNOSUPPORT, "protocol family not supported"},
#endif
#ifdef ESHUTDOWN
    {ESHUTDOWN, "socket shut down"},
#endif
#ifdef ETOOMANYREFS
    {ETOOMANYREFS, "too many references"},
#endif
#ifdef EHOSTDOWN
    {EHOSTDOWN, "host down"},
#endif
#ifdef EUSERS
    {EUSERS, "too many users"},
#endif
#ifdef EREMOTE
    {EREMOTE, "too many levels of remote in path"},
#endif
#ifdef ENOSTR
    {ENOSTR, "not a stream device"},
#endif
#ifdef ETIME
    {ETIME, "timer expired"},
#endif
#ifdef ENOSR
    {ENOSR, "out of stream resources"},
#endif
#ifdef ENONET
    {ENONET, "machine not on network"},
#endif
#ifdef EADV
    {EADV, "advertise error"},
#endif
#ifdef ESRMNT
    {ESRMNT, "srmount error"},
#endif
#ifdef ECOMM
    {ECOMM, "communication error"},
#endif
#ifdef EREMCHG
    {EREMCHG, "remote address changed"},
#endif
    {123456, "unknown error"},
};

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        same(view_of(error_text(cases[i].e)), view_of(cases[i].text), cases[i].text);
        ok(error_is_temporary(cases[i].e) == cases[i].temporary, cases[i].text,
           cases[i].temporary ? "passes" : "does not pass");
    }
    for (size_t i = 0; i < COUNT(others); i++)
        same(view_of(error_text(others[i].e)), view_of(others[i].text), others[i].text);
    return tap_done();
}
