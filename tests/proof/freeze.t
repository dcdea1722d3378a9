#!/usr/bin/env python3
"""Power cuts, made: queue and mailboxes lie on a file system in an image file; at the
instant of a promise everything is stopped, the image is copied as it is, mounted elsewhere, its
journal replayed, and the system started on it. Then what was promised is there.

What a file system has written to its loop device is in the image, what it keeps in memory is not:
that is what a power cut leaves of a disk that does what it says. The journal's timers are put
off, so that nothing becomes stable by luck.

  accepted   SMTP's "250 ok", read by the client and nothing more; qmail-queue's exit 0. Each with
             qmail-send at work, stopped (it has been running but is held back), and not there
  reported   the log's line about a delivery: to a maildir, an mbox, another host, by forwarding; a
             failure; and "bounce msg", "end msg"

At the end a qmail-queue that syncs no directories, made from a changed copy of the sources: the
message must be lost on at least one of the file systems, or this test would show nothing."""
import os, sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system")]
from reqmail import *

need_private()
if sanitized:
    skip_all("nothing here depends on the sanitizers")
import ctypes, filecmp
from drain import PR_SET_CHILD_SUBREAPER
from scenes import World, mailbox

FULL = os.environ.get("PROOF") == "full"
ROUNDS = 5 if FULL else 1
# name: making it, mounting it with its timers put off, size in MB
KINDS = {
    "ext4": (["mkfs.ext4", "-q", "-F"], "commit=600", 64),
    "xfs": (["mkfs.xfs", "-q", "-f"], "defaults", 320),
    "btrfs": (["mkfs.btrfs", "-q", "-f"], "commit=300", 160),
}
PARTS = ("queue", "homes")  # what lies on the image


def run(*command):
    return subprocess.run(command, check=True, timeout=120, stdout=subprocess.PIPE).stdout.decode().strip()


class Image:
    """A file system in a file, mounted at place."""

    def __init__(self, path, kind, place):
        self.path, self.kind, self.place = path, kind, place
        self.mounted = False

    def make(self):
        with open(self.path, "wb") as f:
            f.truncate(KINDS[self.kind][2] << 20)
        run(*KINDS[self.kind][0], self.path)
        self.mount()

    def mount(self):
        os.makedirs(self.place, exist_ok=True)
        # a loop device that mount makes is free again when nothing is mounted from it, also
        # where the whole namespace is killed
        run("mount", "-t", self.kind, "-o", "loop," + KINDS[self.kind][1], self.path, self.place)
        self.mounted = True

    def unmount(self):
        if self.mounted:
            # a process that has just been killed may still have a file open
            wait_for(lambda: subprocess.run(["umount", self.place], stderr=subprocess.DEVNULL, timeout=60).returncode == 0, 20)
            self.mounted = False
        if os.path.exists(self.path):
            os.unlink(self.path)


for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda *_: sys.exit(1))


def descendants():
    """All processes that come from this one; those whose parent has ended do, too."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            words = read("/proc/%s/stat" % name).rpartition(b")")[2].split()
            if words and words[0] != b"Z":
                parents[int(name)] = int(words[1])
    found = {os.getpid()}
    while True:
        more = {p for p, parent in parents.items() if parent in found} - found
        if not more:
            return found - {os.getpid()}
        found |= more


def freeze():
    """Stops everything that this test has started, until nothing new appears. Those that are stopped."""
    stopped = set()
    while True:
        new = descendants() - stopped
        if not new:
            return stopped
        for pid in new:
            try:
                os.kill(pid, signal.SIGSTOP)
                stopped.add(pid)
            except ProcessLookupError:
                pass


class Cut:
    """The tree with queue and homes on an image; cut() is the power cut, after which they are what
    the copy holds."""

    def __init__(self, world, kind):
        self.world, self.tree, self.kind = world, world.tree, kind
        self.work = os.path.join(world.scratch, "images")
        os.makedirs(self.work, exist_ok=True)
        self.image = Image(self.work + "/disk", kind, self.work + "/mounted")
        self.after = Image(self.work + "/copy", kind, self.work + "/again")

    def __enter__(self):
        self.image.make()
        for part in PARTS:
            run("cp", "-a", self.tree.at(part), self.image.place)
        run("sync", "-f", self.image.place)
        self.bind(self.image.place)
        return self

    def bind(self, place):
        for part in PARTS:
            run("mount", "--bind", os.path.join(place, part), self.tree.at(part))

    def unbind(self):
        for part in PARTS:
            subprocess.run(["umount", self.tree.at(part)], stderr=subprocess.DEVNULL, timeout=60)

    def hold_back(self):
        """Stops qmail-send alone: what it would sync remains undone."""
        for pid in descendants():
            if read("/proc/%d/comm" % pid) == b"qmail-send\n":
                os.kill(pid, signal.SIGSTOP)

    def copy(self):
        """The image as it is at one instant: what the kernel is just writing may come between the
        beginning of a copy and its end, so two must be the same."""
        other = self.after.path + ".2"
        shutil.copyfile(self.image.path, self.after.path)
        for _ in range(50):
            shutil.copyfile(self.image.path, other)
            same_content = filecmp.cmp(self.after.path, other, False)
            os.rename(other, self.after.path)
            if same_content:
                return
        raise RuntimeError("the image never stands still")

    def cut(self):
        stopped = freeze()
        self.copy()
        for pid in stopped:
            os.kill(pid, signal.SIGKILL)
        if self.tree.process:
            self.tree.process.wait()
            self.tree.process = None
            wait_for(self.unused, 30)
        self.unbind()
        # two file systems of one identity do not go together; and btrfs remembers devices
        self.image.unmount()
        if self.kind == "btrfs":
            subprocess.run(["btrfs", "device", "scan", "--forget"], stderr=subprocess.DEVNULL, timeout=60)
        self.after.mount()
        self.bind(self.after.place)

    def unused(self):
        """Whether the last of the killed is gone: the mutex is free."""
        import fcntl
        with open(self.tree.at("queue/lock/sendmutex"), "w") as f:
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except OSError:
                return False

    def mailboxes(self):
        files = {}
        for at, _, names in os.walk(self.tree.at("homes")):
            for name in names:
                path = os.path.join(at, name)
                files[os.path.relpath(path, self.tree.path)] = read(path)
        return {user: mailbox(files, user) for user in ("alice", "bob", "sender")}

    def waiting(self):
        """Messages in the queue. A name without its message leads nowhere."""
        names = self.tree.queue_files()
        there = {n.split("/")[-1] for n in names if n.startswith("mess/")}
        return [n for n in names if n.startswith(("todo/", "info/")) and n.split("/")[-1] in there]

    def drained(self):
        """What is in the mailboxes when the system has been started and has nothing more to do."""
        self.tree.start()
        wait_for(lambda: not self.waiting(), 20)
        result = self.mailboxes()
        self.tree.stop()
        return result

    def __exit__(self, *_):
        for pid in descendants():
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass
        self.tree.stop()
        self.unbind()
        self.after.unmount()
        self.image.unmount()


def accept(world, by_smtp, token):
    """Returns at the instant of the promise: qmail-smtpd has said 250 and waits, or qmail-queue has exited 0."""
    if not by_smtp:
        world.queue(token, ["alice@here.test"])
        return
    script = world.smtp_script(token, ["alice@here.test"])
    environment = dict(os.environ, PROTO="TCP", TCPLOCALIP="127.0.0.1", TCPLOCALHOST="here.test", TCPREMOTEIP="127.0.0.1",
                       TCPREMOTEHOST="client.test", RELAYCLIENT="")
    smtpd = subprocess.Popen([tree.bin("qmail-smtpd")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
                             preexec_fn=tree.as_user(1), start_new_session=True)
    smtpd.stdin.write(script[:-len(b"QUIT\r\n")])
    smtpd.stdin.flush()
    replies = b""
    while not re.search(rb"^250 ok \d+ qp \d+", replies, re.M):
        more = os.read(smtpd.stdout.fileno(), 65536)
        if not more:
            raise RuntimeError("not accepted: %r" % replies)
        replies += more
    sessions.append(smtpd)  # ended with everything else


def accepted(world, kind, by_smtp=True, send="absent", token="token-accepted"):
    """Whether the message is there after the cut. send: "absent", "stopped" or "running"."""
    with Cut(world, kind) as disk:
        if send != "absent":
            tree.start()
        if send == "stopped":
            disk.hold_back()
        accept(world, by_smtp, token)
        disk.cut()
        for session in sessions:
            session.kill()
            session.communicate()
        sessions.clear()
        found, broken = disk.drained()["alice"]
        # where qmail-send was at work a delivery may be made once more
        return 1 <= found[("message", token)] <= (2 if send == "running" else 1) and not broken


# what is sent, the line of the log at which the power is cut, what must be there: at once, and in the end
REPORTS = {
    "to a maildir": ("alice", r"^delivery \d+: success: ", ["alice"]),
    "to an mbox": ("bob", r"^delivery \d+: success: ", ["bob"]),
    "forwarded": ("fwd", r"^delivery \d+: success: ", []),
    "to another host": ("far", r"^delivery \d+: success: ", []),
    "failed": ("nobody", r"^delivery \d+: failure: ", []),
    "bounced": ("nobody", r"^bounce msg ", []),
    "ended": ("alice", r"^end msg ", ["alice"]),
}


def reported(world, kind, name):
    """What is wrong after a cut at that line."""
    who, line, at_once = REPORTS[name]
    token = "token-reported"
    with Cut(world, kind) as disk:
        del world.sink.taken[:]
        tree.start()
        world.queue(token, ["dora@far.test" if who == "far" else who + "@here.test"])
        if not wait_for(lambda: re.search(line, tree.log(), re.M), 60, 0.0005):
            raise RuntimeError(tree.log())
        disk.cut()
        there = disk.mailboxes()
        after = disk.drained()
    what, wrong = ("message", token), []
    if who == "far":
        copies = [r for r, _ in world.sink.taken]
        return [] if 1 <= len(copies) <= 2 else ["taken %d times" % len(copies)]
    if who == "nobody":
        bounces = [n for f, n in after["sender"][0].items() if f[0] == "bounce" and f[1] == token and "nobody@here.test" in f[2]]
        return [] if 1 <= sum(bounces) <= 4 and not after["sender"][1] else ["%s" % (after["sender"],)]
    user = "alice" if who == "fwd" else who
    if at_once and (there[user][0][what] != 1):
        wrong.append("%s at once: %s" % (user, there[user]))
    if not 1 <= after[user][0][what] <= (4 if who == "fwd" else 2) or after[user][1]:
        wrong.append("%s in the end: %s" % (user, after[user]))
    return wrong


def without_directory_syncs():
    """A qmail-queue that takes the syncs of directories for granted; its path."""
    copy = os.path.join(tree.scratch, "doctored")
    os.mkdir(copy)
    for name in os.listdir(SOURCE):
        if name not in (".git", "build"):
            run("cp", "-a", os.path.join(SOURCE, name), copy)
    run("cp", "-a", os.path.join(SOURCE, os.environ["BUILD"]), copy + "/build")
    path = copy + "/src/queue/queue_entry.c"
    text = read(path).decode()
    changed = text.replace("!dir_sync_fd(", "!no_sync_fd(").replace("        {.fd = -1, .dir = e->mess_dir.text},\n", "")
    if (text.count("dir_sync"), text.count(".dir ="), changed.count("no_sync_fd"), changed.count(".dir =")) != (1, 1, 1, 0):
        raise RuntimeError("qmail-queue has other syncs of directories than this test knows")
    stubs = "static bool no_sync_fd(int fd) { (void)fd; return true; }\n"
    write(path, changed.replace("static int create(", stubs + "static int create(", 1))
    conf = ["%s=%s" % (n, os.environ[n]) for n in ("CONF_QMAIL", "CONF_USERS", "CONF_GROUPS", "CONF_CC", "CONF_LD") if os.environ.get(n)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    subprocess.run(["make", "-s", "-C", copy, "BUILD=build"] + conf + ["build/bin/qmail-queue"], check=True, timeout=300,
                   stdout=subprocess.DEVNULL, env=environment)
    return copy + "/build/bin/qmail-queue"


def replace_queue(program):
    """Puts a qmail-queue in place; the way back."""
    place, old = tree.bin("qmail-queue"), os.stat(tree.bin("qmail-queue"))
    saved = os.path.join(tree.scratch, "qmail-queue")
    shutil.copyfile(place, saved)

    def put(source):
        shutil.copyfile(source, place + ".new")
        os.chown(place + ".new", old.st_uid, old.st_gid)
        os.chmod(place + ".new", old.st_mode & 0o7777)
        os.rename(place + ".new", place)
    put(program)
    return lambda: put(saved)


# those whose parent has ended stay below this process, so that they are stopped with it
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
tree = Tree()
world = World(tree)
possible, sessions = [], []
for kind in KINDS:
    world.reset()
    try:
        if not shutil.which(KINDS[kind][0][0]):
            raise RuntimeError("no " + KINDS[kind][0][0])
        with Cut(world, kind):
            possible.append(kind)
    except (RuntimeError, subprocess.CalledProcessError, OSError) as e:
        skip(1, "%s on a loop device: %s" % (kind, e))
if not possible:
    done()
try:
    for kind in possible:
        for by_smtp in (True, False):
            for send in ("absent", "stopped", "running") if FULL else ("stopped" if by_smtp else "absent",):
                kept = 0
                for i in range(ROUNDS):
                    world.reset()
                    kept += accepted(world, kind, by_smtp, send)
                same(kept, ROUNDS, "%s: accepted by %s, qmail-send %s, power cut, there" % (kind, "SMTP" if by_smtp else "qmail-queue", send))
        for name in REPORTS if FULL else ("to a maildir", "bounced"):
            wrong = []
            for i in range(ROUNDS):
                world.reset()
                wrong += reported(world, kind, name)
            ok(not wrong, "%s: %s, power cut, there" % (kind, name), "\n".join(wrong))
    back = replace_queue(without_directory_syncs())
    try:
        lost = []
        for kind in possible:
            world.reset()
            if not accepted(world, kind, False):
                lost.append(kind)
    finally:
        back()
    note("lost without syncs of directories on: %s" % " ".join(lost))
    ok(lost, "a qmail-queue that does not sync directories loses mail")
finally:
    world.reset()
    shutil.rmtree(world.homes, True)
done()
