#include "base/error.h"

#include "base/bytes.h"

#include <errno.h>

static const struct {
    int e;
    const char *text;
} texts[] = {
    {0, "no error"},
    {EINTR, "interrupted system call"},
    {ENOMEM, "out of memory"},
    {ENOENT, "file does not exist"},
    {ETXTBSY, "text busy"},
    {EIO, "input/output error"},
    {EEXIST, "file already exists"},
    {ETIMEDOUT, "timed out"},
    {EINPROGRESS, "operation in progress"},
    {EAGAIN, "temporary failure"},
    {EWOULDBLOCK, "input/output would block"},
    {EPIPE, "broken pipe"},
    {EPERM, "permission denied"},
    {EACCES, "access denied"},
    {ESRCH, "no such process"},
    {ENXIO, "device not configured"},
    {E2BIG, "argument list too long"},
    {ENOEXEC, "exec format error"},
    {EBADF, "file descriptor not open"},
    {ECHILD, "no child processes"},
    {EDEADLK, "operation would cause deadlock"},
    {EFAULT, "bad address"},
    {EBUSY, "device busy"},
    {EXDEV, "cross-device link"},
    {ENODEV, "device does not support operation"},
    {ENOTDIR, "not a directory"},
    {EISDIR, "is a directory"},
    {EINVAL, "invalid argument"},
    {ENFILE, "system cannot open more files"},
    {EMFILE, "process cannot open more files"},
    {ENOTTY, "not a tty"},
    {EFBIG, "file too big"},
    {ENOSPC, "out of disk space"},
    {ESPIPE, "unseekable descriptor"},
    {EROFS, "read-only file system"},
    {EMLINK, "too many links"},
    {EDOM, "input out of range"},
    {ERANGE, "output out of range"},
    {EALREADY, "operation already in progress"},
    {ENOTSOCK, "not a socket"},
    {EDESTADDRREQ, "destination address required"},
    {EMSGSIZE, "message too long"},
    {EPROTOTYPE, "incorrect protocol type"},
    {ENOPROTOOPT, "protocol not available"},
    {EPROTONOSUPPORT, "protocol not supported"},
    {EOPNOTSUPP, "operation not supported"},
    {EAFNOSUPPORT, "address family not supported"},
    {EADDRINUSE, "address already used"},
    {EADDRNOTAVAIL, "address not available"},
    {ENETDOWN, "network down"},
    {ENETUNREACH, "network unreachable"},
    {ENETRESET, "network reset"},
    {ECONNABORTED, "connection aborted"},
    {ECONNRESET, "connection reset"},
    {ENOBUFS, "out of buffer space"},
    {EISCONN, "already connected"},
    {ENOTCONN, "not connected"},
    {ECONNREFUSED, "connection refused"},
    {ELOOP, "symbolic link loop"},
    {ENAMETOOLONG, "file name too long"},
    {EHOSTUNREACH, "host unreachable"},
    {ENOTEMPTY, "directory not empty"},
    {EDQUOT, "disk quota exceeded"},
    {ESTALE, "stale NFS file handle"},
    {ENOLCK, "no locks available"},
    {ENOSYS, "system call not available"},
    {ENOMSG, "no message of desired type"},
    {EBADMSG, "bad message type"},
    {EIDRM, "identifier removed"},
    {ENOLINK, "link severed"},
    {EPROTO, "protocol error"},
    {EMULTIHOP, "multihop attempted"},
/* Not in POSIX 2008, so not everywhere. */
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
#ifdef EPROCLIM
    {EPROCLIM, "too many processes"},
#endif
#ifdef EBADRPC
    {EBADRPC, "RPC structure is bad"},
#endif
#ifdef ERPCMISMATCH
    {ERPCMISMATCH, "RPC version mismatch"},
#endif
#ifdef EPROGUNAVAIL
    {EPROGUNAVAIL, "RPC program unavailable"},
#endif
#ifdef EPROGMISMATCH
    {EPROGMISMATCH, "program version mismatch"},
#endif
#ifdef EPROCUNAVAIL
    {EPROCUNAVAIL, "bad procedure for program"},
#endif
#ifdef EFTYPE
    {EFTYPE, "bad file type"},
#endif
#ifdef EAUTH
    {EAUTH, "authentication error"},
#endif
#ifdef ENEEDAUTH
    {ENEEDAUTH, "not authenticated"},
#endif
#ifdef ERREMOTE
    {ERREMOTE, "object not local"},
#endif
};

static const int temporary[] = {
    EINTR,        ENOMEM,       ETXTBSY,      EIO,       ETIMEDOUT,    EAGAIN,
    EWOULDBLOCK,  EDEADLK,      EBUSY,        ENFILE,    EMFILE,       EFBIG,
    ENOSPC,       ENETDOWN,     ENETUNREACH,  ENETRESET, ECONNABORTED, ECONNRESET,
    ENOBUFS,      ECONNREFUSED, EHOSTUNREACH, EDQUOT,    ESTALE,       ENOLCK,
#ifdef ETOOMANYREFS
    ETOOMANYREFS,
#endif
#ifdef EHOSTDOWN
    EHOSTDOWN,
#endif
#ifdef EUSERS
    EUSERS,
#endif
};

const char *error_text(int e)
{
    for (size_t i = 0; i < COUNT(texts); i++)
        if (texts[i].e == e)
            return texts[i].text;
    return "unknown error";
}

bool error_is_temporary(int e)
{
    for (size_t i = 0; i < COUNT(temporary); i++)
        if (temporary[i] == e)
            return true;
    return false;
}
