#!/usr/bin/env python3
"""qmail-queue killed at each of its system calls, and each of them failing: a
message is queued whole or not at all, the exit code tells which, and what stays
behind is what the format allows and qmail-clean removes."""
import pwd, resource, signal, subprocess, tempfile, time
from queue_rig import *
from reqmail import done

DAY_AND_A_HALF = 129600
ERRORS = ("ENOSPC", "EIO", "EMFILE", "ENOMEM", "EINTR")
QUEUED, NO_MEMORY, TIMEOUT, WRITE, READ, HOME, DIRECTORY, PID, MESS, INTD, TODO, NO_USER = 0, 51, 52, 53, 54, 61, 62, 63, 64, 65, 66, 111

# States that a dead qmail-queue may leave (man page queue(5)).
STATES = ([], ["pid"], ["mess", "pid"], ["mess"], ["intd", "mess"], ["intd", "mess", "todo"])


def kinds(here):
    return sorted(f.split("/")[0] for f in here)


class Where:
    """Tells what a system call is about from those before it, and so how the
    program must end when it fails."""

    def __init__(self):
        self.fds = {"0": "message input", "1": "envelope input"}
        self.dirs = 0

    def about(self, c):
        paths = c.paths()
        if c.name == "openat":
            what = {"pid": "message", "intd": "envelope", "mess": "mess directory", "todo": "todo directory",
                    "lock": "trigger"}.get(paths[0].split("/")[0], "system file")
            if not c.result.startswith("-"):
                self.fds[c.result] = what
            return "open " + what
        if c.name == "chdir":
            self.dirs += 1
            return "enter home" if self.dirs == 1 else "enter queue"
        if c.name == "link":
            return "link " + paths[1].split("/")[0]
        if c.name == "unlink":
            return "unlink " + paths[0].split("/")[0]
        what = self.fds.get(c.fd(), "")
        if c.name == "close":
            self.fds.pop(c.fd(), None)
        return (c.name + " " + what).strip()


# How it ends when that fails; None: as if nothing had happened.
CODES = {
    "enter home": HOME, "enter queue": DIRECTORY,
    "open message": PID, "newfstatat message": PID, "fstat message": PID, "flock message": PID, "unlink pid": PID, "link mess": MESS,
    "read message input": READ, "write message": WRITE,
    "open envelope": INTD, "read envelope input": READ, "write envelope": WRITE,
    "fsync message": WRITE, "open mess directory": MESS, "fsync mess directory": MESS, "fsync envelope": WRITE,
    "open todo directory": TODO, "link todo": TODO, "fsync todo directory": TODO,
    "sync_file_range message": None, "sync_file_range envelope": None, "close mess directory": None,
    "open trigger": None, "write trigger": None, "close trigger": None,
}


def is_retried(about, error):
    return error == "EINTR" and about in ("read message input", "read envelope input", "write message", "write envelope")


def wanted(about, error):
    if is_retried(about, error) or (error == "EINVAL" and about.endswith("directory")):
        return (QUEUED,)
    if about in CODES:
        return (CODES[about] or QUEUED,)
    # looking up users and setting up signals: the C library has its own mind
    return (QUEUED, NO_MEMORY, NO_USER)


def verdict(code, here, about, error):
    """What is wrong after a failed call, or None."""
    if code not in wanted(about, error):
        return "exit code %s" % code
    if incomplete():
        return incomplete()
    if code == QUEUED:
        return None if kinds(here) == ["intd", "mess", "todo"] else "exit 0 with %s" % here
    if about == "fsync todo directory":  # somebody may have seen the name
        return None if kinds(here) == ["intd", "mess"] else "left behind: %s" % here
    return "left behind: %s" % here if here else None


def inject(call, what):
    return ("-e", "inject=%s:%s:when=%d" % (call.called, what, call.nth))


def kill_at_each(calls):
    """A kill in front of a call is one behind the call before it."""
    for c in calls:
        before = set(files())
        code, _ = run(*inject(c, "signal=KILL"))
        left = sorted(set(files()) - before)
        passed = code == -signal.SIGKILL and kinds(left) in STATES and not incomplete()
        check(passed, "killed before %s" % c, "code %s" % code, left, incomplete())


def alarm_at_each(calls):
    """The timer: 52 says not queued, and nothing else may say so."""
    start = next(i for i, c in enumerate(calls) if c.name == "alarm")
    for c in calls[start + 1:]:
        code, _ = run(*inject(c, "signal=ALRM"))
        here = files()
        passed = (code == TIMEOUT and not queued() and kinds(here) in STATES) or (code == QUEUED and queued() and not incomplete())
        check(passed, "alarm at %s" % c, "code %s" % code, here, incomplete())
        remove_all()


def clean_up():
    """The remains, once old, go by way of qmail-clean; queued messages stay."""
    here = files()
    old = time.time() - DAY_AND_A_HALF - 60
    kept = {number(f) for f in here if f.startswith("todo/")}
    for f in here:
        os.utime(os.path.join(QUEUE, f), (old, old))
    remains = [number(f) for f in here if f.startswith("mess/") and number(f) not in kept]
    requests = b"".join(b"foop/" + n.encode() + b"\0" for n in remains)
    user = pwd.getpwuid(os.stat(os.path.join(QUEUE, "mess")).st_uid)

    def become():
        if os.geteuid() == 0:
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
    ended = subprocess.run([os.path.join(TREE, "bin/qmail-clean")], input=requests, stdout=subprocess.PIPE, timeout=30, preexec_fn=become)
    check(ended.returncode == 0 and ended.stdout == b"+" * len(remains), "qmail-clean removes what the dead left", ended)
    left = files()
    check(all(number(f) in kept for f in left) and len(left) == 3 * len(kept) and not incomplete(), "and nothing else", left)
    remove_all()


def fail_each(calls):
    where = Where()
    for c in calls:
        about = where.about(c)
        if c.name in ("umask", "exit_group", "getpid", "getuid", "alarm", "brk"):
            continue  # these cannot fail, or tell it in another way
        errors = ERRORS + (("EINVAL",) if about.startswith("fsync") and about.endswith("directory") else ())
        wrong = []
        for error in errors:
            code, _ = run(*inject(c, "error=" + error))
            problem = verdict(code, files(), about, error)
            if problem:
                wrong.append("%s: %s" % (error, problem))
            remove_all()
        check(not wrong, "failing: %s (%s)" % (about, c), *wrong)


def two_failures(calls):
    """The way out is blocked as well."""
    def nth(name, about):
        where = Where()
        return next(c for c in calls if where.about(c) == about and c.name == name)
    sync = inject(nth("fsync", "fsync envelope"), "error=EIO")
    unlinks = sum(c.name == "unlink" for c in calls)

    def unlink_fails(n):
        return ("-e", "inject=unlink:error=EIO:when=%d" % (unlinks + n))
    for name, options, code, left in (
            ("the envelope cannot be removed", sync + unlink_fails(1), WRITE, ["intd", "mess"]),
            ("the message cannot be removed", sync + unlink_fails(2), WRITE, ["mess"]),
            ("files cannot be emptied", sync + ("-e", "inject=ftruncate:error=EIO"), WRITE, []),
            ("the pid file stays for good", ("-e", "inject=unlink:error=EIO:when=1+2"), PID, ["pid"]),
            ("todo cannot be removed", inject(nth("fsync", "fsync todo directory"), "error=EIO") + unlink_fails(1), TODO, ["intd", "mess", "todo"])):
        got, _ = run(*options)
        here = files()
        sizes = [os.path.getsize(os.path.join(QUEUE, f)) for f in here]
        passed = got == code and kinds(here) == left and not incomplete()
        check(passed, "twice: " + name, "code %s" % got, here)
        if code == WRITE and here:
            check(not any(sizes), "twice: %s, but holds no disk space" % name, sizes)
        remove_all()


def size_limits():
    """A real short write, then a real EFBIG."""
    for limit in (0, 1, 50, 20000, len(MESSAGE), len(MESSAGE) + 40):
        def before():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        code = run_plainly(before)
        check(code == WRITE and files() == [], "files of at most %d bytes" % limit, code, files())
        remove_all()


def closed_descriptors():
    """No file of the queue gets the number of a standard descriptor."""
    for closed, code in (((1,), READ), ((0, 1), READ), ((0, 1, 2), READ), ((2,), QUEUED)):
        def before():
            for fd in closed:
                os.close(fd)
        got = run_plainly(before)
        left = ["intd", "mess", "todo"] if code == QUEUED else []
        check(got == code and kinds(files()) == left and not incomplete(), "closed: %s" % (closed,), got, files(), incomplete())
        remove_all()
    # some C libraries give set-uid programs a descriptor 0 that cannot be read
    got = run_plainly(lambda: os.close(0))
    mess = [slurp(f) for f in files() if f.startswith("mess/")]
    passed = (got == READ and files() == []) or (got == QUEUED and len(mess) == 1 and mess[0].count(b"\n") == 1)
    check(passed, "closed: 0 is an empty message, or none", got, files())
    remove_all()


def run_plainly(before):
    """Without strace, whose trace would be limited too."""
    with tempfile.TemporaryFile() as message, tempfile.TemporaryFile() as envelope:
        for f, content in ((message, MESSAGE), (envelope, ENVELOPE)):
            f.write(content)
            f.seek(0)
        return subprocess.run([os.path.join(TREE, "bin/qmail-queue")], stdin=message, stdout=envelope, timeout=30, preexec_fn=before).returncode


mutex, trigger, calls = begin()
check(kinds(files()) == ["intd", "mess", "todo"] and not incomplete(), "the message is queued whole", files(), incomplete())
remove_all()
calls = own_calls(calls)
kill_at_each(calls)
clean_up()
alarm_at_each(calls)
fail_each(calls)
two_failures(calls)
size_limits()
closed_descriptors()
done()
