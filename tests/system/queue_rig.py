"""What the tests of qmail-queue share: a look into the queue, and runs of it under
strace."""
import fcntl, os, re, shutil, subprocess, tempfile
from reqmail import Tree, ok, skip_all

TREE = os.environ.get("TREE", "/var/qmail")
QUEUE = os.path.join(TREE, "queue")
TREES = ("pid", "mess", "intd", "todo")

MESSAGE = b"Subject: test\n\n" + bytes(range(256)) * 800  # several blocks
SENDER = b"sender@a.example"
RECIPIENTS = [b"recipient-%d@b.example" % i for i in range(1500)]  # several writes
ENVELOPE = b"F" + SENDER + b"\0" + b"".join(b"T" + r + b"\0" for r in RECIPIENTS) + b"\0"


def check(passed, name, *why):
    ok(passed, name, "\n".join(str(w) for w in why))


def files():
    """Everything below pid, mess, intd, todo, as relative paths."""
    found = []
    for tree in TREES:
        for at, _, names in os.walk(os.path.join(QUEUE, tree)):
            found += [os.path.relpath(os.path.join(at, n), QUEUE) for n in names]
    return sorted(found)


def remove_all():
    for f in files():
        os.unlink(os.path.join(QUEUE, f))


def slurp(path):
    with open(os.path.join(QUEUE, path), "rb") as f:
        return f.read()


def number(path):
    return path.split("/")[-1]


def incomplete():
    """Why a name in todo/ is not a whole message, for the first such; or None."""
    here = files()
    for todo in (f for f in here if f.startswith("todo/")):
        n = number(todo)
        mess = [f for f in here if f.startswith("mess/") and number(f) == n]
        if not mess:
            return todo + " has no message"
        head, rest = slurp(mess[0]).split(b"\n", 1)
        if not re.match(rb"Received: \(qmail \d+ invoked .*\); \d.* -0000$", head):
            return "%s begins with %r" % (mess[0], head)
        if rest != MESSAGE:
            return mess[0] + " is not the message"
        uid, pid, records = slurp(todo).split(b"\0", 2)
        if not re.match(rb"u\d+$", uid) or not re.match(rb"p\d+$", pid):
            return "%s begins with %r %r" % (todo, uid, pid)
        if records != ENVELOPE[:-1]:
            return todo + " is not the envelope"
    return None


def queued():
    return any(f.startswith("todo/") for f in files())


class Call:
    """A system call of a trace: its name, the same whatever libc made of it; the name
    that strace knows and which one of that it was; its arguments as strace shows them,
    its result."""
    LINE = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\) += (-?\d+|\?)(.*)$")
    SAME = {"open": "openat", "stat": "newfstatat", "lstat": "newfstatat", "linkat": "link", "unlinkat": "unlink", "setitimer": "alarm"}

    def __init__(self, called, nth, args, result):
        self.name, self.called = self.SAME.get(called, called), called
        self.nth, self.args, self.result = nth, args, result

    def __str__(self):
        return "%s(%s)" % (self.name, self.args if len(self.args) < 60 else self.args[:57] + "...")

    def fd(self):
        return self.args.split(",")[0]

    def paths(self):
        return re.findall(r'"([^"]*)"', self.args)


def parse(text):
    """Each call where it ends."""
    seen, calls, begun = {}, [], {}
    for line in text.splitlines():
        m = re.match(r"(\d+ +)(.*?)(?: <unfinished \.\.\.>)?$", line)
        if m and line.endswith(" <unfinished ...>"):
            begun[m.group(1)] = m.group(2)
            continue
        m = re.match(r"(\d+ +)<\.\.\. \w+ resumed>(.*)$", line)
        if m:
            line = m.group(1) + begun.pop(m.group(1), "") + m.group(2)
        m = Call.LINE.match(line)
        if m:
            name = m.group(1)
            seen[name] = seen.get(name, 0) + 1
            calls.append(Call(name, seen[name], m.group(2), m.group(3)))
    return calls


def own_calls(calls):
    """Without what the loader and the C library do before main."""
    start = [i for i, c in enumerate(calls) if c.name == "umask"]
    return calls[start[-1]:]


NO_THREADS = ("-e", "inject=clone,clone3:error=EAGAIN")  # so one call comes after the other


def run(*options, before=None):
    """Runs qmail-queue under strace: exit code (negative: signal) and calls."""
    if "-f" not in options:
        options = NO_THREADS + options
    with tempfile.TemporaryDirectory() as scratch:
        paths = [os.path.join(scratch, n) for n in ("message", "envelope", "trace")]
        for path, content in zip(paths, (MESSAGE, ENVELOPE)):
            with open(path, "wb") as f:
                f.write(content)
        with open(paths[0], "rb") as message, open(paths[1], "rb") as envelope:
            ended = subprocess.run(["strace", "-s", "200", "-o", paths[2], *options, os.path.join(TREE, "bin/qmail-queue")],
                                  stdin=message, stdout=envelope, stderr=subprocess.PIPE, timeout=30, preexec_fn=before)
        with open(paths[2]) as f:
            return ended.returncode, parse(f.read())


def begin():
    """Makes sure that this can run here, and that nobody else uses the queue."""
    if os.geteuid() not in (0, os.stat(QUEUE).st_uid):
        skip_all("needs root, or a tree of one's own")
    if os.path.isdir(os.path.join(TREE, "sanitizer")):
        skip_all("the sanitizers' system calls are between qmail-queue's")
    if not shutil.which("strace"):
        skip_all("needs strace")
    if not os.access(os.path.join(TREE, "bin/qmail-queue"), os.X_OK):
        skip_all("no qmail-queue in " + TREE)
    if "TREE" in os.environ:
        Tree()  # made for tests: what others left there goes
    mutex = open(os.path.join(QUEUE, "lock/sendmutex"), "w")
    try:
        fcntl.flock(mutex, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        skip_all("qmail-send is running")
    if files():
        skip_all("the queue is not empty")
    # with a reader, pulling the trigger is a write like others
    trigger = os.open(os.path.join(QUEUE, "lock/trigger"), os.O_RDONLY | os.O_NONBLOCK)
    code, calls = run()
    if code != 0 or not calls:
        remove_all()
        skip_all("strace cannot run qmail-queue here")
    return mutex, trigger, calls
