"""judge - what was promised when, and whether what came out of a power cut keeps it.

A promise is made when a program exits 0 or reports, as the recording shows:

  accepted  qmail-queue exits 0: each recipient gets the message, or the sender a bounce
  answered  qmail-smtpd says 250: qmail-queue had exited 0 before
  held      qmail-local exits 0: the message is in the mailbox, whole
  taken     qmail-remote reports success: the other host has it, whatever happens here"""
import re
from collections import Counter

from scenes import FORWARDED, MAILBOXES, fact, mailbox

# How often a message may be there too many: each time that it is in the queue it may be delivered
# once more. What is forwarded, and a bounce, passes the queue twice.
AGAIN, AGAIN_IN_TWO = 1, 2


class Violation(Exception):
    pass


class Promises:
    """Those made so far while a history is played."""

    def __init__(self, disk):
        self.disk = disk
        self.due = set()     # ("box", user, fact), ("remote", recipient, token)
        self.held = set()    # (user, fact)
        self.taken = Counter()  # (recipient, token)
        self.queued = set()  # processes
        self.count = 0
        for path in disk.stable:
            if path.startswith("queue/todo/"):
                self.queued_before(path.split("/")[-1])

    def copy(self):
        """As they stand now."""
        other = object.__new__(Promises)
        other.due, other.held, other.taken = set(self.due), set(self.held), Counter(self.taken)
        return other

    def content(self, inode):
        return self.disk.files[inode].whole()[0]

    def see(self, o):
        """An operation of the history; whether it promises anything."""
        before = self.count
        if o.kind == "mark" and o.what == "exit" and o.detail == 0:
            if o.program == "qmail-queue":
                self.accepted(o)
            elif o.program == "qmail-local":
                self.delivered(o)
        elif o.kind == "mark" and o.what == "says":
            if o.program == "qmail-smtpd":
                self.answered(o)
            elif o.program == "qmail-remote":
                self.reported(o)
        return self.count > before

    def accepted(self, o):
        """What the process has put into todo/ is what it promises."""
        self.queued.add(o.pid)
        self.count += 1
        mine = self.disk.named_by.get(o.pid, {})  # qmail-send may have taken them away since
        todo = [i for p, i in mine.items() if p.startswith("queue/todo/")]
        mess = [i for p, i in mine.items() if p.startswith("queue/mess/")]
        if len(todo) != 1 or len(mess) != 1:
            raise Violation("qmail-queue exits 0 without an entry in todo/")
        self.promise(self.content(mess[0]), self.content(todo[0]))

    def queued_before(self, number):
        names = self.disk.stable
        mess = next(i for p, i in names.items() if p.startswith("queue/mess/") and p.endswith("/" + number))
        self.promise(self.content(mess), self.content(names["queue/todo/" + number]))

    def promise(self, text, envelope):
        records = envelope.split(b"\0")
        is_bounce = b"\nSubject: failure notice\n" in text
        token = re.search(rb"^Subject: (token-[a-z0-9-]+)$", text, re.M).group(1).decode()
        for record in records:
            if not record.startswith(b"T"):
                continue
            recipient = record[1:].decode()
            user, host = recipient.split("@")
            user = FORWARDED.get(user, user)
            if is_bounce:
                failed = sorted(set(r.decode() for r in re.findall(rb"^<([^>]+)>:$", text, re.M)))
                self.due.update(("bounce", f, token) for f in failed)
            elif host == "here.test":
                self.due.add(("box", user, ("message", token)))
            elif user.startswith("bad"):
                self.due.add(("bounce", recipient, token))
            else:
                self.due.add(("remote", recipient, token))

    def answered(self, o):
        found = re.match(rb"250 ok \d+ qp (\d+)", o.detail)
        if found:
            self.count += 1
            if int(found.group(1)) not in self.queued:
                raise Violation("250 before qmail-queue has ended")

    def message_of(self, o):
        """What the program reads on descriptor 0."""
        text = self.content(o.inode)
        found = fact(b"Return-Path: <\n" + text)
        if not found:
            raise Violation("%s reads a message that is not whole" % o.program)
        return found

    def delivered(self, o):
        user = next((u for u in MAILBOXES if any(a.endswith(b"homes/" + u.encode()) for a in o.path)), None)
        if user and o.inode:
            self.count += 1
            self.held.add((user, self.message_of(o)))

    def reported(self, o):
        if b"\0K" in o.detail or o.detail.startswith(b"K"):
            self.count += 1
            recipient = o.path[-1].decode()
            self.taken[(recipient, self.message_of(o)[1])] += 1


class Judge:
    """Counts what it has judged."""

    def __init__(self):
        self.judged = self.promises = self.duplicates = self.most = 0

    def before(self, state, promises, disk):
        """What must be so on the disk at once, before anything is started. A list of violations."""
        wrong = []
        files = {path: content for path, _, content, _ in state}
        for user in MAILBOXES:
            found, broken = mailbox(files, user)
            for path in broken:
                if not (path.endswith("/Mailbox") and disk.unsynced(path)):
                    wrong.append("half a message in " + path)
            for who, what in promises.held:
                if who == user and not found[what]:
                    wrong.append("%s was delivered to %s and is not there" % (what, user))
        return wrong

    def after(self, state, outcome, promises, disk):
        """The same when the system has come to rest on the state."""
        self.judged += 1
        self.promises += len(promises.due) + len(promises.held) + sum(promises.taken.values())
        wrong = []
        if not outcome.rested:
            wrong.append("no rest")
        found = {}
        files = {path: content for path, _, content, _ in state}
        bounces = Counter()
        for user in MAILBOXES:
            had, broken_before = mailbox(files, user)
            found[user], broken = mailbox(outcome.homes, user)
            if len(broken) > len(broken_before):
                wrong.append("half a message in %s afterwards" % broken[-1])
            for what, number in found[user].items():
                twice = what[0] == "bounce" or user in FORWARDED.values()
                self.repeated(wrong, number - 1, AGAIN_IN_TWO if twice else AGAIN, "%s for %s" % (what, user))
        for what, number in found["sender"].items():
            if what[0] == "bounce":
                for failed in what[2]:
                    bounces[(failed, what[1])] += number
        sent = Counter()
        for recipient, data in outcome.sink:
            what = fact(b"Return-Path: <\n" + data)
            if not what:
                wrong.append("part of a message sent to " + recipient)
            else:
                sent[(recipient, what[1])] += 1
        for key in set(sent) | set(promises.taken):
            self.repeated(wrong, sent[key] + promises.taken[key] - 1, AGAIN, "%s for %s" % (key[1], key[0]))
        for kind, who, what in promises.due:
            if kind == "box" and not found[who][what]:
                wrong.append("lost: %s for %s" % (what, who))
            elif kind == "remote" and not sent[(who, what)] + promises.taken[(who, what)]:
                wrong.append("lost: %s for %s" % (what, who))
            elif kind == "bounce" and not bounces[(who, what)]:
                wrong.append("lost: bounce of %s for %s" % (what, who))
        return wrong

    def repeated(self, wrong, times, allowed, what):
        if times > 0:
            self.duplicates += times
            self.most = max(self.most, times)
            if times > allowed:
                wrong.append("%d times too often: %s" % (times, what))
