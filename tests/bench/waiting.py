"""waiting - a queue full of messages that wait, for what measures how that is borne."""
import os, pwd, time


def ids(name):
    entry = pwd.getpwnam(name)
    return entry.pw_uid, entry.pw_gid


def put(path, content, owner, when=None):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    os.write(fd, content)
    os.fchown(fd, *owner)
    if when is not None:
        os.utime(fd, (when, when))
    os.close(fd)


def new_message(queue, split, owner, body=b"Received: (qmail 1 by uid 0); 1 Jan 2000 00:00:00 -0000\n\nx\n"):
    """A file in mess/; its number."""
    path = os.path.join(queue, "pid/new")
    put(path, body, owner)
    number = os.stat(path).st_ino
    os.rename(path, os.path.join(queue, "mess", str(number % split), str(number)))
    return number


def wait_for_tomorrow(queue, split, qmailq, qmails, count):
    """Messages for a remote recipient, tried an hour ago, due again in a day."""
    now = int(time.time())
    for i in range(count):
        number = new_message(queue, split, qmailq)
        for name, content, when in (("info", b"Fsender%d@here.test\0" % i, now - 3600), ("remote", b"Tuser%d@far.test\0" % i, now + 86400 + i)):
            put(os.path.join(queue, name, str(number % split), str(number)), content, qmails, when)
