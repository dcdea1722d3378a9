"""What the tests of the queue's tools share: messages put into the queue by hand, in any
state, and a look at what there is."""
import stat
from reqmail import *

KINDS = ("mess", "info", "local", "remote", "bounce", "intd", "todo")
SPLIT_KINDS = ("mess", "info", "local", "remote")
SEND_KINDS = ("info", "local", "remote", "bounce")
BIRTH = 1700000000


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


class Queue:
    """The queue of a tree that does not run."""

    def __init__(self, tree, split=23):
        self.tree = tree
        self.split = split
        self.queue_uid, self.group = tree.ids(5)
        self.send_uid, _ = tree.ids(7)
        self.count = 0

    def at(self, *parts):
        return self.tree.at("queue", *(str(p) for p in parts))

    def path(self, kind, number):
        return self.at(kind, number % self.split, number) if kind in SPLIT_KINDS else self.at(kind, number)

    def put(self, kind, number, content, age=0, mode=None):
        path = self.path(kind, number)
        owner = (self.send_uid if kind in SEND_KINDS else self.queue_uid, self.group)
        write(path, content, mode or (0o600 if kind in SEND_KINDS else 0o644), owner)
        os.utime(path, (BIRTH, BIRTH + age))
        return path

    def mess(self, body=None):
        """A message file under its number, and nothing else."""
        self.count += 1
        body = body or b"Subject: x\n\nmessage %d\n" % self.count
        first = write(self.at("pid", "maker"), body, 0o644, (self.queue_uid, self.group))
        number = os.stat(first).st_ino
        os.rename(first, self.path("mess", number))
        os.utime(self.path("mess", number), (BIRTH, BIRTH))
        return number

    def ready(self, sender=b"s@far.test", local=(), remote=(), bounce=None, **more):
        """A preprocessed message. Recipients are records: b"Ta@b", b"Da@b"."""
        number = self.mess(**more)
        self.put("info", number, b"F" + sender + b"\0", 10)
        for age, kind, records in ((20, "local", local), (30, "remote", remote)):
            if records:
                self.put(kind, number, b"".join(r + b"\0" for r in records), age)
        if bounce is not None:
            self.put("bounce", number, bounce, 40)
        return number

    def todo(self, envelope=b"u1\0p2\0Fs@far.test\0Ta@here.test\0", **more):
        number = self.mess(**more)
        self.put("intd", number, envelope, 50)
        os.link(self.path("intd", number), self.path("todo", number))
        return number

    def every_kind(self):
        """A message in each state that has a sender."""
        return [self.ready(local=[b"Ta@here.test"]), self.ready(remote=[b"Tb@far.test"]),
                self.ready(local=[b"Da@here.test", b"Tc@here.test"], remote=[b"Tb@far.test"]),
                self.ready(local=[b"Td@here.test"], bounce=b"<x@y>:\nno\n\n"), self.ready(sender=b"", bounce=b"<x@y>:\nno\n\n"),
                self.todo(), self.todo(b"u1\0p2\0F\0")]

    def files(self, number):
        return [k for k in KINDS if os.path.lexists(self.path(k, number))]

    def rename(self, changes):
        """Gives messages other numbers at once: {old: new}, any permutation."""
        there = [(kind, old) for old in changes for kind in self.files(old)]
        for kind, old in there:
            os.rename(self.path(kind, old), self.path(kind, old) + ".away")
        for kind, old in there:
            os.rename(self.path(kind, old) + ".away", self.path(kind, changes[old]))

    def whole(self):
        """What the messages are, whatever their numbers: their files with contents and
        times. A message file with a wrong name shows as such."""
        found = {}
        for where, _, names in os.walk(self.at("mess")):
            for name in names:
                path = os.path.join(where, name)
                number = os.stat(path).st_ino
                right = path == self.path("mess", number)
                found[read(path)] = {k: (read(self.path(k, number)), os.stat(self.path(k, number)).st_mtime_ns)
                                     for k in self.files(number)} if right else "wrongly called " + path
        return found

    def snapshot(self):
        """Everything about every name."""
        found = {}
        for where, directories, names in os.walk(self.at()):
            for path in [where] + [os.path.join(where, n) for n in names]:
                st = os.lstat(path)
                found[os.path.relpath(path, self.at())] = (st.st_ino, st.st_mode, st.st_uid, st.st_gid, st.st_size, st.st_mtime_ns)
        return found

    def clear(self):
        """Empty, and without directories that do not belong there."""
        for kind in KINDS + ("pid",):
            places = [str(n) for n in range(self.split)] if kind in SPLIT_KINDS else []
            for name in os.listdir(self.at(kind)):
                if name not in places:
                    remove(self.at(kind, name))
            for place in filter(lambda p: os.path.isdir(self.at(kind, p)), places):
                for name in os.listdir(self.at(kind, place)):
                    remove(self.at(kind, place, name))
        for name in os.listdir(self.at()):
            if name.startswith("qfix."):
                remove(self.at(name))

    def kept(self):
        """Names of what was kept aside."""
        folders = [n for n in os.listdir(self.at()) if n.startswith("qfix.")]
        return sorted(n for f in folders for n in os.listdir(self.at(f)))

    def run(self, *arguments, wrapper=(), **more):
        """qmail-qfix: exit code and lines."""
        done = subprocess.run([*wrapper, self.tree.bin("qmail-qfix"), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=120, **more)
        self.err = done.stderr
        return done.returncode, done.stdout.decode("latin1").splitlines()
