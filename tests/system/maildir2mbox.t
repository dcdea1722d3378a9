#!/usr/bin/python3
"""maildir2mbox: what it writes; killed at each of its system calls, and each of them
failing, no message is ever lost; two at a time lose and double nothing."""
from reqmail import *

PROGRAM = os.path.join(os.environ.get("TREE", "/var/qmail"), "bin/maildir2mbox")
ERRORS = ("ENOSPC", "EIO", "EMFILE", "EINTR")
OLD = b"From x Thu Jan 01 00:00:00 1970\n\nold\n\n"
LONG = b"Return-Path: <long@r.test>\n\n" + b"From here\n" + b"x" * 200000 + b"\n>From there"
MESSAGES = {  # name: time, content, what must be in the mbox
    "new/b": (1000000000, b"Return-Path: <\"a b\"@r>\n\nFrom x\n", b"From \"a-b\"@r Sun Sep 09 01:46:40 2001\nReturn-Path: <\"a b\"@r>\n\n>From x\n\n"),
    "cur/a": (1000000000, b"no end", b"From XXX Sun Sep 09 01:46:40 2001\nno end\n\n"),
    "new/c": (1000000001, b"Return-Path: <>\n\n\n", b"From MAILER-DAEMON Sun Sep 09 01:46:41 2001\nReturn-Path: <>\n\n\n\n"),
    "cur/d": (1000000002, b"", b"From XXX Sun Sep 09 01:46:42 2001\n\n"),
    "new/e": (1000000003, LONG, b"From long@r.test Sun Sep 09 01:46:43 2001\n" + LONG.replace(b"\nFrom h", b"\n>From h").replace(b"\n>From t", b"\n>>From t") + b"\n\n"),
}
ALL = b"".join(MESSAGES[n][2] for n in ("cur/a", "new/b", "new/c", "cur/d", "new/e"))
home = tempfile.mkdtemp(prefix="m2m.", dir=os.environ.get("SCRATCH"))
os.chmod(home, 0o755)
atexit.register(shutil.rmtree, home, True)
ENVIRONMENT = {"MAIL": home + "/Mailbox", "MAILTMP": home + "/Mailbox.tmp", "MAILDIR": home + "/Maildir"}


def begin(mailbox=OLD):
    for name in os.listdir(home):
        path = os.path.join(home, name)
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    for part in ("tmp", "new", "cur"):
        os.makedirs(os.path.join(home, "Maildir", part))
    for name, (when, content, _) in MESSAGES.items():
        os.utime(write(os.path.join(home, "Maildir", name), content), (when, when))
    if mailbox is not None:
        write(home + "/Mailbox", mailbox, 0o640)


def run(*before, **env):
    done = subprocess.run([*before, PROGRAM], env={k: v for k, v in dict(ENVIRONMENT, **env).items() if v}, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60)
    return done.returncode, done.stdout, done.stderr


def left():
    return sorted(n for n in MESSAGES if os.path.exists(os.path.join(home, "Maildir", n)))


def lost(mailbox=OLD):
    """The messages that are nowhere, or not whole."""
    content = read(home + "/Mailbox")
    here = set(left())
    return [n for n, (_, whole, quoted) in MESSAGES.items()
            if quoted not in content and not (n in here and read(os.path.join(home, "Maildir", n)) == whole)] + \
        ([] if content.startswith(mailbox) else ["old mail"])


begin()
same(run(), (0, b"", b""), "moves")
same(read(home + "/Mailbox"), OLD + ALL, "all messages, oldest first, then by name")
same(left(), [], "the maildir is empty")
same(os.stat(home + "/Mailbox").st_mode & 0o7777, 0o640, "the mode of the mbox is kept")
ok(not os.path.exists(home + "/Mailbox.tmp"), "no copy stays")
begin(None)
same((run()[0], read(home + "/Mailbox")), (0, ALL), "a new mbox")
same(os.stat(home + "/Mailbox").st_mode & 0o7777, 0o600, "is for its owner alone")
begin(b"From x\n\ncut")
same((run()[0], read(home + "/Mailbox")), (0, b"From x\n\ncut\n" + ALL), "an mbox that was cut")
inode = os.stat(home + "/Mailbox").st_ino
same((run(), os.stat(home + "/Mailbox").st_ino), ((0, b"", b""), inode), "with no mail it touches nothing")
begin()
for name in ("MAIL", "MAILTMP", "MAILDIR"):
    same(run(**{name: ""}), (111, b"", b"maildir2mbox: fatal: %s not set\n" % name.encode()), "without " + name)
same(run(MAILTMP=ENVIRONMENT["MAIL"]), (111, b"", b"maildir2mbox: fatal: unable to create %s: file already exists\n" % ENVIRONMENT["MAIL"].encode()),
     "the copy must be another file")
same(run(MAILTMP="/nonexistent/x"), (111, b"", b"maildir2mbox: fatal: unable to create /nonexistent/x: file does not exist\n"),
     "the copy cannot be made")
same(lost(), [], "nothing is lost")

begin()
together = [subprocess.Popen([PROGRAM], env=ENVIRONMENT) for _ in range(6)]
codes = [p.wait(60) for p in together]
same((lost(), left()), ([], []), "six at a time: nothing is lost")
same(read(home + "/Mailbox"), OLD + ALL, "six at a time: nothing is doubled")
ok(set(codes) <= {0, 111}, "six at a time: exit codes", codes)

if not shutil.which("strace") or sanitized:
    skip(1, "faults need strace, without sanitizers")
    done()
trace = home + ".trace"
begin()
if run("strace", "-o", trace, "-s", "80")[0] != 0:
    skip(1, "strace cannot run the program here")
    done()
lines = read(trace).decode("latin1").splitlines()
os.unlink(trace)
seen, calls = {}, []
for line in lines:
    m = re.match(r"(\w+)\(", line)
    if m:
        seen[m.group(1)] = seen.get(m.group(1), 0) + 1
        calls.append((m.group(1), seen[m.group(1)], line[:90]))
start = next(i for i, c in enumerate(calls) if c[0] == "umask")
for name, nth, line in calls[start + 1:]:
    if name in ("exit_group", "brk", "mmap", "munmap", "getpid", "rt_sigaction", "rt_sigprocmask"):
        continue
    wrong = []
    for fault in ["signal=KILL"] + ["error=" + e for e in ERRORS]:
        begin()
        code, _, said = run("strace", "-o", "/dev/null", "-e", "inject=%s:%s:when=%d" % (name, fault, nth))
        if lost():
            wrong.append("%s: lost %s" % (fault, lost()))
        if fault != "signal=KILL" and (code not in (0, 111) or (code == 111 and not said)):
            wrong.append("%s: exit code %s, %r" % (fault, code, said))
        # a message that cannot be looked at waits for the next run
        if code == 0 and left() and b"will be delivered twice" not in said and not name.endswith("stat") and name != "newfstatat":
            wrong.append("%s: left %s" % (fault, left()))
        # what it left does not disturb the next one
        code, _, said = run()
        if code != 0 or left() or lost():
            wrong.append("%s: afterwards exit code %s, %r, lost %s" % (fault, code, said, lost()))
    ok(not wrong, "%s %d: %s" % (name, nth, line), "\n".join(wrong))
done()
