#!/usr/bin/python3
"""queue_check - a second opinion on a queue: what queue(5) says, and nothing of ours.

    queue = Queue("/var/qmail/queue", split=23, owners=Owners.of(names, group))
    queue.findings            what is not as the format has it, as texts
    queue.messages[number]    a Message: its state, sender, recipients, due times

It reads as the other implementations of this queue read: so what it finds wrong, they
may lose, and what it takes for not done yet, they will deliver. The queue must be at
rest: qmail-send has left, and nobody runs qmail-queue.

By hand: queue_check.py QUEUE [SPLIT] lists what it finds and exits 1 if that is anything.
"""
import grp, os, pwd, re, stat, sys

SPLIT_TREES = {"mess": "queue", "info": "send", "local": "send", "remote": "send"}
FLAT = {"pid": ("queue", 0o700), "intd": ("queue", 0o700), "todo": ("queue", 0o750),
        "bounce": ("send", 0o700), "lock": ("queue", 0o750)}
LOCKS = {"sendmutex": ("send", 0o600, 0), "trigger": ("send", 0o622, None), "tcpto": ("remote", 0o644, 1024)}
OWN_LOCKS = {"tcpto6": ("remote", 0o644, 2048)}  # not the reference's, and harmless to it
NUMBER = re.compile(r"^(0|[1-9][0-9]*)$")
PID_NAME = re.compile(r"^[1-9][0-9]*\.[0-9]+\.[1-9]$")
RECEIVED = re.compile(
    rb"^Received: \(qmail [1-9]\d* invoked (by alias|from network|for bounce|by uid \d+)\); "
    rb"[1-9]\d? (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d -0000\n")
MAX_ADDRESS = 1002


class Owners:
    """Numeric ids: .queue, .send, .remote are users, .group is the queue's group."""

    def __init__(self, queue, send, remote, group):
        self.queue, self.send, self.remote, self.group = queue, send, remote, group

    @classmethod
    def of(cls, names, group):
        """names: the eight of conf-users."""
        return cls(*(pwd.getpwnam(names[i]).pw_uid for i in (5, 7, 6)), grp.getgrnam(group).gr_gid)


class Message:
    def __init__(self, number):
        self.number = number
        self.files = {}       # tree -> stat result, of the trees in which it has a file
        self.sender = None    # from info, or while it is in todo from there
        self.birth = None     # modification time of info
        self.uid = self.pid = None
        self.recipients = []  # in todo: all, as they were given
        self.records = {}     # "local", "remote" -> list of (letter, address)
        self.due = {}         # the same -> modification time
        self.notes = None     # contents of bounce/N

    @property
    def state(self):
        """As in queue(5); None where no program leaves such a set of files."""
        has = set(self.files)
        if has == {"mess"}:
            return "S2"
        if has == {"mess", "intd"}:
            return "S3"
        if {"mess", "todo"} <= has and "bounce" not in has:
            return "S4"
        if {"mess", "info"} <= has and not has & {"intd", "todo"}:
            return "S5"
        return None

    def undone(self, channel):
        """Whom the other implementation would still deliver to, in that order."""
        return [address for letter, address in self.records.get(channel, []) if letter == b"T"]

    def done(self, channel):
        return [address for letter, address in self.records.get(channel, []) if letter == b"D"]


def split_records(content):
    """The records, and what follows the last NUL."""
    *records, rest = content.split(b"\0")
    return records, rest


class Queue:
    def __init__(self, path, split=23, owners=None):
        self.path, self.split, self.owners = path, split, owners
        self.findings = []
        self.messages = {}
        self._layout()
        for tree in ("mess", "info", "local", "remote"):
            for part in range(split):
                self._files(tree, "%s/%d" % (tree, part), part)
        for tree in ("intd", "todo", "bounce"):
            self._files(tree, tree, None)
        self._pids()
        for message in self.messages.values():
            self._message(message)

    def find(self, text, *values):
        self.findings.append(text % values)

    def read(self, name):
        with open(os.path.join(self.path, name), "rb") as f:
            return f.read()

    def names(self, directory):
        try:
            return sorted(os.listdir(os.path.join(self.path, directory)))
        except OSError as e:
            self.find("%s: %s", directory, e.strerror)
            return []

    # -- names, owners, modes

    def _entry(self, name, owner, mode, kind, group=True):
        """Looks at one name; its stat result, or None if it is missing. group: whether it
        must be that of the queue."""
        try:
            st = os.lstat(os.path.join(self.path, name))
        except FileNotFoundError:
            self.find("%s is missing", name)
            return None
        if not kind(st.st_mode):
            self.find("%s has the wrong type", name)
        if stat.S_IMODE(st.st_mode) != mode:
            self.find("%s has mode %o, not %o", name, stat.S_IMODE(st.st_mode), mode)
        if self.owners:
            if st.st_uid != getattr(self.owners, owner):
                self.find("%s belongs to user %d, not to %d", name, st.st_uid, getattr(self.owners, owner))
            if group and st.st_gid != self.owners.group:
                self.find("%s belongs to group %d, not to %d", name, st.st_gid, self.owners.group)
        return st

    def _layout(self):
        self._entry(".", "queue", 0o750, stat.S_ISDIR)
        for tree, owner in SPLIT_TREES.items():
            mode = 0o750 if tree == "mess" else 0o700
            self._entry(tree, owner, mode, stat.S_ISDIR)
            for part in range(self.split):
                self._entry("%s/%d" % (tree, part), owner, mode, stat.S_ISDIR)
            for name in self.names(tree):
                if not NUMBER.match(name) or int(name) >= self.split:
                    self.find("%s/%s does not belong there", tree, name)
        for directory, (owner, mode) in FLAT.items():
            self._entry(directory, owner, mode, stat.S_ISDIR)
        for name, (owner, mode, size) in {**LOCKS, **OWN_LOCKS}.items():
            if name in OWN_LOCKS and not os.path.lexists(os.path.join(self.path, "lock", name)):
                continue
            st = self._entry("lock/" + name, owner, mode, stat.S_ISFIFO if name == "trigger" else stat.S_ISREG)
            if st and size is not None and st.st_size != size:
                self.find("lock/%s has %d bytes, not %d", name, st.st_size, size)
        for name in self.names("lock"):
            if name not in LOCKS and name not in OWN_LOCKS:
                self.find("lock/%s does not belong there", name)

    def _files(self, tree, directory, part):
        callers = tree in ("mess", "intd", "todo")  # of the group of who queued it
        for name in self.names(directory):
            path = "%s/%s" % (directory, name)
            if not NUMBER.match(name):
                self.find("%s does not belong there", path)
                continue
            number = int(name)
            if part is not None and number % self.split != part:
                self.find("%s is in the wrong directory: %d modulo %d is %d", path, number, self.split, number % self.split)
                continue
            st = self._entry(path, "queue" if callers else "send", 0o644 if callers else 0o600, stat.S_ISREG, not callers)
            if st and stat.S_ISREG(st.st_mode):
                self.messages.setdefault(number, Message(number)).files[tree] = st

    def _pids(self):
        for name in self.names("pid"):
            if not PID_NAME.match(name):
                self.find("pid/%s does not belong there", name)
            self._entry("pid/" + name, "queue", 0o644, stat.S_ISREG, False)

    # -- contents

    def _path(self, tree, number):
        return "%s/%d/%d" % (tree, number % self.split, number) if tree in SPLIT_TREES else "%s/%d" % (tree, number)

    def _message(self, m):
        if m.state is None:
            self.find("%d: no state has just %s", m.number, " ".join(sorted(m.files)))
        if "mess" in m.files and m.files["mess"].st_ino != m.number:
            self.find("%s is inode %d", self._path("mess", m.number), m.files["mess"].st_ino)
        if m.state == "S4" or m.state == "S5":
            if not RECEIVED.match(self.read(self._path("mess", m.number))):
                self.find("%s does not begin with qmail-queue's line", self._path("mess", m.number))
        if m.state == "S4":
            self._envelope(m)
        if m.state == "S5":
            self._info(m)
            for channel in ("local", "remote"):
                if channel in m.files:
                    self._recipients(m, channel)
            if "bounce" in m.files:
                self._notes(m)

    def _address(self, path, address, most=MAX_ADDRESS):
        if len(address) > most:
            self.find("%s: an address of %d bytes", path, len(address))

    def _envelope(self, m):
        path = self._path("todo", m.number)
        if "intd" in m.files and m.files["intd"].st_ino != m.files["todo"].st_ino:
            self.find("%s and intd/%d are two files", path, m.number)
        records, rest = split_records(self.read(path))
        if rest:
            self.find("%s: ends without a NUL", path)
        letters = b"".join(r[:1] or b"?" for r in records)
        if not re.match(rb"^upFT*$", letters):
            return self.find("%s: records %r", path, letters)
        for record in records[:2]:
            if not NUMBER.match(record[1:].decode("latin1")):
                self.find("%s: no number: %r", path, record)
        m.uid, m.pid = int(records[0][1:]), int(records[1][1:])
        m.sender = records[2][1:]
        m.recipients = [r[1:] for r in records[3:]]
        for address in [m.sender] + m.recipients:
            self._address(path, address)

    def _info(self, m):
        path = self._path("info", m.number)
        content = self.read(path)
        if content[:1] != b"F" or content.find(b"\0") != len(content) - 1:
            return self.find("%s: no sender, just a sender: %r", path, content[:100])
        m.sender = content[1:-1]
        m.birth = int(m.files["info"].st_mtime)
        self._address(path, m.sender)

    def _recipients(self, m, channel):
        path = self._path(channel, m.number)
        records, rest = split_records(self.read(path))
        if rest:
            self.find("%s: ends without a NUL", path)
        if not records:
            self.find("%s: no recipient", path)
        m.records[channel] = [(r[:1], r[1:]) for r in records]
        for letter, address in m.records[channel]:
            if letter not in (b"T", b"D"):
                self.find("%s: record %r", path, letter + address[:100])
            if b"@" not in address:
                self.find("%s: an address without a host: %r", path, address[:100])
            # virtualdomains may put something before it
            self._address(path, address, MAX_ADDRESS + 1000)
        m.due[channel] = int(m.files[channel].st_mtime)

    def _notes(self, m):
        path = self._path("bounce", m.number)
        m.notes = self.read(path)
        if not m.notes:
            return self.find("%s is empty", path)
        if b"\0" in m.notes or not m.notes.endswith(b"\n\n"):
            self.find("%s: does not end with an empty line, or holds a NUL", path)
        for paragraph in m.notes[:-2].split(b"\n\n"):
            if not re.match(rb"^\n?<[^\n]*>:(\n|$)", paragraph):
                self.find("%s: a paragraph begins with %r", path, paragraph[:60])


if __name__ == "__main__":
    checked = Queue(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 23)
    for text in checked.findings:
        print(text)
    sys.exit(1 if checked.findings else 0)
