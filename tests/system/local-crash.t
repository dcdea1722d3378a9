#!/usr/bin/python3
"""qmail-local killed at each of its system calls, and each of them failing, while it
delivers to a maildir, to an mbox and to other addresses: no part of a message is ever
to be seen as a whole one, trouble is temporary (exit code 111), and what the next
delivery adds is not spoilt by what the dead one left. Then the order in which a
delivery writes, syncs and names things."""
import collections
from reqmail import *

ERRORS = ("ENOSPC", "EIO", "EMFILE", "EINTR")
DONE, TEMPORARY, KILLED = 0, 111, -signal.SIGKILL

# Several blocks long, with lines that an mbox must quote.
MESSAGE = b"From: a\nSubject: b\n\nFrom here\n>From there\n" + b"a line of the body\n" * 9000
OLD = b"From x Thu Jan 01 00:00:00 1970\nSubject: old\n\nold\n\n"
HEAD = b"Return-Path: <s@r.test>\nDelivered-To: user@here.test\n"
QUEUE = """#!/bin/sh
# what qmail-queue gets, kept; it is whole once the envelope ends with an empty record
cat > queued.message && cat <&1 > queued.envelope
"""
ENVELOPE = b"Fs@r.test\0Ta@b.test\0\0"

Call = collections.namedtuple("Call", "pid name nth args result")


def quoted(message):
    return re.sub(rb"(?m)^(>*From )", rb">\1", message) + b"\n"


def parse(text):
    """The system calls of a trace, numbered by name within their process."""
    seen, calls = collections.Counter(), []
    for line in text.splitlines():
        m = re.match(r"(\d+ +|)(\w+)\((.*)\) += (-?\d+|\?)", line)
        # a call that another process interrupts in the trace has no result yet
        m = m or re.match(r"(\d+ +|)(\w+)\((.*)( )<unfinished", line)
        if m:
            pid, name, args, result = m.groups()
            seen[pid, name] += 1
            calls.append(Call(pid, name, seen[pid, name], args, result))
    return calls


def main_begins(calls):
    return next(i for i, c in enumerate(calls) if c.name == "umask")


def own(calls):
    return calls[main_begins(calls) + 1:]


class Scene:
    """A home directory, one way of delivery, and what is right there."""
    follow = True  # into child processes
    # these do not fail, or not in the way in which strace makes them fail
    sound = {"umask", "getpid", "alarm", "rt_sigaction", "rt_sigprocmask", "brk"}

    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="local-crash.", dir=os.environ.get("SCRATCH"))
        os.chmod(self.home, 0o755)
        self.message = write(self.home + "/message", MESSAGE)
        atexit.register(shutil.rmtree, self.home, True)
        self.clean()

    def at(self, name):
        return os.path.join(self.home, name)

    def run(self, *options):
        """One delivery: exit code, system calls, what it said."""
        trace = self.at("trace")
        follow = ["-f"] if self.follow else []
        with open(self.message, "rb") as message:
            done = subprocess.run(["strace", *follow, "-y", "-qq", "-s", "64", "-o", trace, *options, PROGRAM, "user", self.home,
                                   "user", "", "", "here.test", "s@r.test", self.instructions], stdin=message,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                                  env=dict(os.environ, QMAILQUEUE=self.at("queue")))
        self.said = done.stdout
        return done.returncode, parse(read(trace).decode("latin1"))

    def result(self, code):
        return None if code in (DONE, TEMPORARY) else "exit code %s, %r" % (code, self.said)


class Maildir(Scene):
    instructions = "./box/"

    def clean(self):
        shutil.rmtree(self.at("box"), True)
        for part in ("tmp", "new", "cur"):
            os.makedirs(self.at("box/" + part))

    def messages(self):
        return [read(self.at("box/new/" + n)) for n in os.listdir(self.at("box/new"))]

    def problem(self):
        """What nobody may ever see."""
        return None if all(m == HEAD + MESSAGE for m in self.messages()) else "part of a message in new"

    def failed(self, code, call):
        count = len(self.messages())
        if code == DONE:
            return None if count == 1 else "exit 0 with %d messages" % count
        if call.name == "wait4":  # the end of the child is not to be had
            return None
        left = os.listdir(self.at("box/tmp"))
        return "exit 111 with %d messages and %s" % (count, left) if count or left else None

    def next(self):
        before = len(self.messages())
        code, _ = self.run("-e", "trace=none")
        return code == DONE and len(self.messages()) == before + 1 and not self.problem()


class Mbox(Scene):
    instructions = "./box"
    before = OLD

    def clean(self):
        write(self.at("box"), self.before)

    def content(self):
        """The mailbox, with dates that are all the same."""
        return re.sub(rb"(?m)^(From s@r\.test) .{24}$", rb"\1 DATE", read(self.at("box")))

    whole = b"From s@r.test DATE\n" + HEAD + quoted(MESSAGE)

    def problem(self):
        return None if self.content().startswith(self.before) else "old messages are gone"

    def failed(self, code, call):
        if code == TEMPORARY and call.name == "close":  # written, but who knows
            return None
        want = self.before + (self.whole if code == DONE else b"")
        return None if self.content() == want else "exit %d with %d bytes" % (code, os.path.getsize(self.at("box")))

    def next(self):
        rest = read(self.at("box"))
        code, _ = self.run("-e", "trace=none")
        line_feed = b"\n" if rest and not rest.endswith(b"\n") else b""
        got = read(self.at("box"))
        return (code == DONE and got.startswith(rest + line_feed + b"From s@r.test ") and self.content().endswith(self.whole))


class NewMbox(Mbox):
    before = b""

    def clean(self):
        if os.path.exists(self.at("box")):
            os.unlink(self.at("box"))


class Forward(Scene):
    instructions = "&a@b.test"
    follow = False  # the queue program is not what is tested
    # a pipe whose end stays open would be waited for
    sound = Scene.sound | {"close"}

    def clean(self):
        write(self.at("queue"), QUEUE.replace("queued", self.at("queued")), 0o755)
        for name in ("message", "envelope"):
            write(self.at("queued." + name), b"")

    def queued(self):
        return read(self.at("queued.envelope")) == ENVELOPE

    def problem(self):
        got = read(self.at("queued.message"))
        want = HEAD[HEAD.index(b"Delivered"):] + MESSAGE
        return None if not self.queued() or got == want else "part of a message is queued"

    def failed(self, code, call):
        if call.name == "wait4":
            return None
        return None if self.queued() == (code == DONE) else "exit %d, queued: %s" % (code, self.queued())

    def next(self):
        self.clean()
        code, _ = self.run("-e", "trace=none")
        return code == DONE and self.queued() and not self.problem()


def points(scene):
    """Each system call of a delivery that a fault can be put into, once."""
    scene.clean()
    code, calls = scene.run()
    same((code, scene.problem()), (DONE, None), scene.__class__.__name__ + ": undisturbed")
    # A child's calls are numbered anew: where the loader has used a number, a fault
    # would hit the loader.
    taken = {(c.name, c.nth) for c in calls[:main_begins(calls)]}
    chosen = {}
    for c in own(calls):
        if c.name != "exit_group" and (c.name, c.nth) not in taken:
            chosen.setdefault((c.name, c.nth), c)
    return list(chosen.values())


def check(scene):
    title = scene.__class__.__name__
    calls = points(scene)
    for c in calls:
        wrong = []
        scene.clean()
        # a kill in front of a call is one behind the call before it
        code, _ = scene.run("-e", "inject=%s:signal=KILL:when=%d" % (c.name, c.nth))
        problem = scene.problem()
        if code != KILLED:  # the child was hit alone
            problem = problem or scene.result(code)
        if not problem and not scene.next():
            problem = "the next delivery went wrong: %r" % scene.said
        if problem:
            wrong.append("killed: " + problem)
        for error in ERRORS:
            if c.name in scene.sound:
                break
            scene.clean()
            code, _ = scene.run("-e", "inject=%s:error=%s:when=%d" % (c.name, error, c.nth))
            problem = scene.result(code) or scene.problem() or scene.failed(code, c)
            if problem:
                wrong.append("%s: %s" % (error, problem))
        ok(not wrong, "%s: %s %d (%s)" % (title, c.name, c.nth, c.args[:70]), "\n".join(wrong))


# -- the order of things

def order(scene, *options):
    """The deeds of a delivery that matter for what a power cut leaves."""
    scene.clean()
    code, calls = scene.run(*options)
    deeds = []
    for c in own(calls):
        path = re.search(r"<([^>]*)>", c.args)
        path = path.group(1).replace(scene.home, "HOME") if path else ""
        path = re.sub(r"(tmp|new)/.*", r"\1/NAME", path)
        if c.name in ("fsync", "fdatasync", "ftruncate"):
            deed = "%s %s" % (c.name, path)
        elif c.name == "write" and path.startswith("HOME"):
            deed = "write " + path
        elif c.name == "write" and c.args.startswith("1<"):
            deed = "report"
        elif c.name in ("link", "linkat", "rename"):
            deed = "link new/NAME"
        elif c.name in ("unlink", "unlinkat"):
            deed = "unlink " + ("new/NAME" if "/new/" in c.args else "tmp/NAME")
        else:
            continue
        if not deeds or deeds[-1] != deed:
            deeds.append(deed)
    return code, deeds


def check_order():
    box = Maildir()
    written = ["write HOME/box/tmp/NAME", "fsync HOME/box/tmp/NAME"]
    same(order(box), (DONE, written + ["link new/NAME", "fsync HOME/box/new", "unlink tmp/NAME", "report"]),
         "maildir: data synced, named, name synced, reported")
    same(order(box, "-e", "inject=fsync:error=EIO:when=1"), (TEMPORARY, written + ["unlink tmp/NAME"]),
         "maildir: data that cannot be synced gets no name")
    same(order(box, "-e", "inject=fsync:error=EIO:when=2"),
         (TEMPORARY, written + ["link new/NAME", "fsync HOME/box/new", "unlink new/NAME", "unlink tmp/NAME"]),
         "maildir: a name that cannot be synced is taken back")
    appended = ["write HOME/box", "fsync HOME/box"]
    undone = ["ftruncate HOME/box", "fsync HOME/box"]
    same(order(Mbox()), (DONE, appended + ["report"]), "mbox: appended, synced, reported")
    same(order(NewMbox()), (DONE, ["fsync HOME"] + appended + ["report"]), "mbox: a new one's name is synced first")
    same(order(Mbox(), "-e", "inject=fsync:error=EIO:when=1"), (TEMPORARY, appended + undone), "mbox: cut back, and that synced")
    same(order(Mbox(), "-e", "inject=write:error=ENOSPC:when=2"), (TEMPORARY, ["write HOME/box"] + undone),
         "mbox: a part of a message is cut off")


if not root:
    skip_all("needs root")
if sanitized:
    skip_all("a sanitizer's own system calls would fail too")
if not shutil.which("strace"):
    skip_all("needs strace")
if sanitized:
    skip_all("sanitizers and strace do not go together")
PROGRAM = os.path.join(os.environ.get("TREE", "/var/qmail"), "bin/qmail-local")
if not os.access(PROGRAM, os.X_OK):
    skip_all("there is no " + PROGRAM)
for kind in (Maildir, Mbox, NewMbox, Forward):
    check(kind())
check_order()
done()
