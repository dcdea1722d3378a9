"""reference_tree - a HOME as netqmail leaves it, written byte for byte, without a program
of ours.

    old = ReferenceTree(home, split, names, groups)
    old.make()
    number = old.message(b"s@a.test", [(b"T", b"joe@here.test")], [(b"D", b"x@far.test")])

Every method that makes a message returns its number; bodies[number] is what its file holds.
"""
import grp, os, pwd, struct, time

root = os.geteuid() == 0
NOW = int(time.time())

# what netqmail 1.06 installs, and what older versions left
PROGRAMS = """bouncesaying condredirect datemail elq except forward maildir2mbox maildirmake maildirwatch
    mailsubj pinq predate preline qail qbiff qmail-clean qmail-getpw qmail-inject qmail-local qmail-lspawn
    qmail-newmrh qmail-newu qmail-pop3d qmail-popup qmail-pw2u qmail-qmqpc qmail-qmqpd qmail-qmtpd qmail-qread
    qmail-qstat qmail-queue qmail-remote qmail-rspawn qmail-send qmail-showctl qmail-smtpd qmail-start
    qmail-tcpok qmail-tcpto qreceipt qsmhook sendmail splogger tcp-env""".split()
ROOT_ONLY = ("qmail-lspawn", "qmail-start", "qmail-newu", "qmail-newmrh")
NOT_READABLE = ("qmail-getpw", "qmail-local", "qmail-remote", "qmail-rspawn", "qmail-clean", "qmail-send", "splogger",
                "qmail-pw2u", "qmail-popup")
PAGES = ("cat1/forward.0", "cat1/qlist.0", "cat5/qmail-control.0", "cat7/qmail.0", "cat8/qmail-send.0", "cat8/qsmhook.0",
         "man1/forward.1", "man1/qlist.1", "man5/qmail-control.5", "man7/qmail.7", "man8/qmail-send.8", "man8/qsmhook.8")


def cdb(pairs):
    """A constant database of (key, data), as its description has it."""
    records, tables = b"", [[] for _ in range(256)]
    for key, data in pairs:
        value = 5381
        for byte in key:
            value = (value * 33 & 0xFFFFFFFF) ^ byte
        tables[value % 256].append((value, 2048 + len(records)))
        records += struct.pack("<II", len(key), len(data)) + key + data
    head, tail = b"", b""
    for table in tables:
        slots = [(0, 0)] * (2 * len(table))
        head += struct.pack("<II", 2048 + len(records) + len(tail), len(slots))
        for value, position in table:
            slot = value // 256 % len(slots)
            while slots[slot][1]:
                slot = (slot + 1) % len(slots)
            slots[slot] = (value, position)
        tail += b"".join(struct.pack("<II", *s) for s in slots)
    return head + records + tail


class ReferenceTree:
    def __init__(self, home, split, names, groups):
        self.home, self.split = home, split
        self.users = dict(zip(("alias", "daemon", "log", "owner", "passwd", "queue", "remote", "send"),
                              (pwd.getpwnam(n).pw_uid for n in names)))
        self.group, self.nofiles = (grp.getgrnam(g).gr_gid for g in groups)
        self.bodies = {}
        self.made = 0

    def at(self, *parts):
        return os.path.join(self.home, *map(str, parts))

    def _own(self, path, user, mode, group=None):
        if root:
            os.chown(path, self.users.get(user, user), self.group if group is None else group)
        os.chmod(path, mode)

    def dir(self, name, user="owner", mode=0o755, group=None):
        os.makedirs(self.at(name), exist_ok=True)
        self._own(self.at(name), user, mode, group)

    def file(self, name, content, user="owner", mode=0o644, group=None, time_s=None):
        with open(self.at(name), "wb") as f:
            f.write(content)
        self._own(self.at(name), user, mode, group)
        if time_s is not None:
            os.utime(self.at(name), (time_s, time_s))
        return self.at(name)

    def make(self, queue=None):
        """Everything but mail. queue: where the queue is instead, behind a link."""
        for name in ("", "control", "users", "bin", "boot", "doc", "man"):
            self.dir(name)
        for section in "1578":
            self.dir("man/cat" + section)
            self.dir("man/man" + section)
        self.dir("alias", "alias", 0o2755)
        for name in PROGRAMS:
            mode = 0o700 if name in ROOT_ONLY else 0o711 if name in NOT_READABLE else 0o755
            set_id = name == "qmail-queue"
            self.file("bin/" + name, b"#!/bin/sh\necho old %s; exit 99\n" % name.encode(), "queue" if set_id else "owner",
                      0o4711 if set_id else mode)
        for name in ("home", "home+df", "proc", "proc+df", "binm1", "binm2", "binm3"):
            self.file("boot/" + name, b"#!/bin/sh\nexec qmail-start ./Mailbox splogger qmail\n", mode=0o755)
        for name in PAGES:
            self.file("man/" + name, b"an old page\n")
        self.file("doc/FAQ", b"old questions\n")
        if queue:
            os.makedirs(queue)
            os.symlink(queue, self.at("queue"))
        self.make_queue()

    def make_queue(self):
        self.dir("queue", "queue", 0o750)
        for name, user, mode in (("pid", "queue", 0o700), ("intd", "queue", 0o700), ("todo", "queue", 0o750),
                                 ("bounce", "send", 0o700), ("lock", "queue", 0o750)):
            self.dir("queue/" + name, user, mode)
        for name, user, mode in (("mess", "queue", 0o750), ("info", "send", 0o700), ("local", "send", 0o700),
                                 ("remote", "send", 0o700)):
            self.dir("queue/" + name, user, mode)
            for part in range(self.split):
                self.dir("queue/%s/%d" % (name, part), user, mode)
        # one host that did not answer twice, as qmail-remote notes it
        entry = struct.pack("<4sBxxxI4x", bytes([127, 0, 0, 9]), 2, NOW)
        self.file("queue/lock/tcpto", entry.ljust(1024, b"\0"), "remote")
        self.file("queue/lock/sendmutex", b"", "send", 0o600)
        os.mkfifo(self.at("queue/lock/trigger"))
        self._own(self.at("queue/lock/trigger"), "send", 0o622)

    # -- mail

    def path(self, tree, number):
        return ("queue/%s/%d/%d" % (tree, number % self.split, number) if tree in ("mess", "info", "local", "remote")
                else "queue/%s/%d" % (tree, number))

    def pid_file(self, age_s=0):
        self.made += 1
        name = "queue/pid/%d.%d.1" % (20000 + self.made, NOW - age_s)
        return self.file(name, b"", "queue", 0o644, self.nofiles, NOW - age_s)

    def body(self, content=None, age_s=0):
        """A message file under its number: S2."""
        pid = self.pid_file()
        number = os.stat(pid).st_ino
        os.link(pid, self.at(self.path("mess", number)))
        os.unlink(pid)
        stamp = time.gmtime(NOW - age_s)
        line = "Received: (qmail %d invoked from network); %d %s -0000\n" % (
            20000 + self.made, stamp.tm_mday, time.strftime("%b %Y %H:%M:%S", stamp))
        if content is None:
            content = b"Subject: number %d\n\nbody %d\n" % (self.made, self.made)
        self.bodies[number] = line.encode() + content
        self.file(self.path("mess", number), self.bodies[number], "queue", 0o644, self.nofiles, NOW - age_s)
        return number

    def envelope(self, number, records, age_s=0):
        """intd/N, and with it S3. records: without their NULs."""
        self.file(self.path("intd", number), b"".join(r + b"\0" for r in records), "queue", 0o644, self.nofiles, NOW - age_s)

    def todo(self, sender, recipients, content=None, order=b"up", intd=True):
        """A message that is queued: S4. intd: the envelope still has its first name too."""
        number = self.body(content)
        heads = {b"u": b"u%d" % self.users["daemon"], b"p": b"p%d" % (20000 + self.made)}
        self.envelope(number, [heads[order[i:i + 1]] for i in range(len(order))] + [b"F" + sender] +
                      [b"T" + r for r in recipients])
        os.link(self.at(self.path("intd", number)), self.at(self.path("todo", number)))
        if not intd:
            os.unlink(self.at(self.path("intd", number)))
        return number

    def send_file(self, tree, number, content, time_s=None):
        self.file(self.path(tree, number), content, "send", 0o600, time_s=time_s)

    def message(self, sender, local=None, remote=None, notes=None, content=None, age_s=0, due_s=0, rest=b""):
        """A message that is preprocessed: S5. local, remote: records (letter, address), or None
        for no file; due_s: seconds from now; rest: what follows the records of local."""
        number = self.body(content, age_s)
        self.send_file("info", number, b"F" + sender + b"\0", NOW - age_s)
        for tree, records in (("local", local), ("remote", remote)):
            if records is not None:
                records = b"".join(letter + address + b"\0" for letter, address in records)
                self.send_file(tree, number, records + (rest if tree == "local" else b""), NOW + due_s)
        if notes is not None:
            self.send_file("bounce", number, notes)
        return number
