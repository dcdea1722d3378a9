#!/usr/bin/env python3
"""Power cuts, made: queue and mailboxes lie on a file system in an image file; at the
instant of a promise everything is stopped, the image is copied as it is, mounted elsewhere, its
journal replayed, and the system started on it. Then what was promised is there.

What a file system has written to its loop device is in the image, what it keeps in memory is not:
that is what a power cut leaves of a disk that does what it says. The journal's timers are put
off, so that nothing becomes stable by luck.

  accepted   SMTP's 250 and qmail-queue's exit 0, qmail-send not running: none of its syncs helps
  delivered  the log's success of a maildir and an mbox delivery, everything running
  returned   the log's "bounce msg": the bounce has replaced the message

At the end a qmail-queue that syncs no directories, made from a changed copy of the sources: the
message must be lost on at least one of the file systems, or this test would show nothing."""
import os, sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system")]
from reqmail import *

need_private()
if sanitized:
    skip_all("nothing here depends on the sanitizers")
from scenes import World, fact, mailbox, message

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

    def freeze(self):
        """Stops qmail-send and all that it has started."""
        if self.tree.process:
            os.killpg(self.tree.process.pid, signal.SIGSTOP)

    def cut(self):
        self.freeze()
        shutil.copyfile(self.image.path, self.after.path)
        if self.tree.process:
            os.killpg(self.tree.process.pid, signal.SIGKILL)
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

    def drained(self):
        """What is in the mailboxes when the system has been started and has nothing more to do."""
        self.tree.start()
        wait_for(lambda: not [n for n in self.tree.queue_files() if n.startswith(("todo/", "info/"))], 20)
        result = self.mailboxes()
        self.tree.stop()
        return result

    def __exit__(self, *_):
        if self.tree.process:
            os.killpg(self.tree.process.pid, signal.SIGCONT)
        self.tree.stop()
        self.unbind()
        self.after.unmount()
        self.image.unmount()


def accept(world, by_smtp, token):
    if not by_smtp:
        world.queue(token, ["alice@here.test"])
        return
    replies = tree.smtp([world.smtp_script(token, ["alice@here.test"])], {"RELAYCLIENT": ""})
    if not re.search(r"^250 ok \d+ qp ", replies, re.M):
        raise RuntimeError("not accepted: " + replies)


def accepted(world, kind, by_smtp=True, token="token-accepted"):
    """Whether the message is there after the cut."""
    with Cut(world, kind) as disk:
        accept(world, by_smtp, token)
        disk.cut()
        found, broken = disk.drained()["alice"]
        return found[("message", token)] == 1 and not broken


def delivered(world, kind):
    """What is wrong when both deliveries had been reported."""
    with Cut(world, kind) as disk:
        tree.start()
        world.queue("token-delivered", ["alice@here.test", "bob@here.test"])
        if not tree.wait_log(r": success: ", count=2):
            raise RuntimeError(tree.log())
        disk.cut()
        there = disk.mailboxes()
        after = disk.drained()
    what = ("message", "token-delivered")
    return ["%s: %s, then %s" % (u, there[u], after[u]) for u in ("alice", "bob")
            if there[u][0][what] != 1 or not 1 <= after[u][0][what] <= 2 or after[u][1]]


def returned(world, kind):
    with Cut(world, kind) as disk:
        tree.start()
        world.queue("token-returned", ["nobody@here.test"])
        if not tree.wait_log(r"^bounce msg "):
            raise RuntimeError(tree.log())
        disk.cut()
        after = disk.drained()
    bounces = [f for f in after["sender"][0] if f[0] == "bounce" and f[1] == "token-returned" and "nobody@here.test" in f[2]]
    return [] if bounces and not after["sender"][1] else ["%s" % (after["sender"],)]


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
    changed = re.sub(r"!dir_sync(_fd)?\(", r"!no_sync\1(", text)
    if changed.count("no_sync") != 2:
        raise RuntimeError("qmail-queue has other syncs of directories than this test knows")
    stubs = ("static bool no_sync(const char *path) { (void)path; return true; }\n"
             "static bool no_sync_fd(int fd) { (void)fd; return true; }\n")
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


tree = Tree()
world = World(tree)
possible = []
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
            kept = 0
            for i in range(ROUNDS):
                world.reset()
                kept += accepted(world, kind, by_smtp)
            same(kept, ROUNDS, "%s: accepted by %s, power cut, there" % (kind, "SMTP" if by_smtp else "qmail-queue"))
        for title, scene in (("delivered", delivered), ("returned", returned)):
            wrong = []
            for i in range(ROUNDS):
                world.reset()
                wrong += scene(world, kind)
            ok(not wrong, "%s: %s, power cut, there" % (kind, title), "\n".join(wrong))
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
