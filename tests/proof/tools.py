"""tools - scenes of the programs that work alone, or on the queue, for rig.py.

A tool's scene has
    program, others       who is killed in it, and who else may be
    runs                  whether it starts the system
    prepare(rig)          things as they are before
    command(rig)          what runs below trip, as a line for the shell
    crashed(rig, code)    what is wrong when it has ended, perhaps by a kill; code 0: by itself, and well
    again(rig)            it is run again, without trip, or the system is: what is wrong then"""
import os, subprocess, time
from collections import Counter

import ledger
from reqmail import read, write
from rig import IDS, Mail, Run, Scene
from scenes import fact, mbox_messages, message

LONG_AGO = 1700000000


def outcome(rig):
    """The system is started, everything is due; a Run."""
    run = Run()
    run.left = True
    rig.second(run)
    rig.look(run)
    return run


class Made:
    """A database is made anew: it is the old one or the new one, whole, and the new one at the end."""
    others, runs = (), False

    def __init__(self, program, source, target, old, new):
        self.program, self.source, self.target, self.texts = program, source, target, (old, new)
        self.tables = None

    def place(self, rig, name):
        return os.path.join(rig.tree, name)

    def prepare(self, rig):
        source, target = self.place(rig, self.source), self.place(rig, self.target)
        rig.together(1)
        if self.tables is None:
            self.was_there = os.path.exists(target)
            self.tables = []
            for text in self.texts:
                write(source, text)
                subprocess.run([rig.tree + "/bin/" + self.program], check=True, timeout=60)
                self.tables.append(read(target))
            self.names = sorted(os.listdir(os.path.dirname(target)))
        write(target + ".new", self.tables[0])
        os.rename(target + ".new", target)
        write(source, self.texts[1])

    def command(self, rig):
        return self.program

    def crashed(self, rig, code):
        content = read(self.place(rig, self.target))
        if content not in self.tables:
            return ["neither the old table nor the new one, but %d bytes" % len(content)]
        return ["it has exited 0, and the old table is there"] if code == 0 and content != self.tables[1] else []

    def again(self, rig):
        code = rig.command([self.program])
        wrong = self.crashed(rig, code) + (["the next one exits %d" % code] if code else [])
        names = sorted(os.listdir(os.path.dirname(self.place(rig, self.target))))
        if not self.was_there:  # other scenes would see it
            os.unlink(self.place(rig, self.source))
            os.unlink(self.place(rig, self.target))
        return wrong + (["what is there: %s" % names] if names != self.names else [])


class Users(Made):
    """users/cdb. Its old table is the one that the other scenes use, too."""

    def __init__(self):
        super().__init__("qmail-newu", "users/assign", "users/cdb", None, None)

    def prepare(self, rig):
        if self.tables is None:
            self.old = read(self.place(rig, self.source))
            self.texts = (self.old, b"".join(b"=u%d:alias:1:1:/nowhere:::\n" % i for i in range(400)) + self.old)
        super().prepare(rig)

    def again(self, rig):
        wrong = super().again(rig)
        write(self.place(rig, self.source), self.old)
        return wrong


class Moved:
    """maildir2mbox: each message is in the mbox or the maildir, in both only where it had no time to remove
    it from the maildir."""
    program, others, runs = "maildir2mbox", (), False
    tokens = ["token-one", "token-two-long", "token-three"]

    def own(self, rig, name, text):
        path = os.path.join(rig.homes, "alice", name)
        return write(path, text, 0o600, (IDS["alice"],) * 2)

    @staticmethod
    def text(token):
        return b"Return-Path: <sender@here.test>\n" + message(token)

    def prepare(self, rig):
        rig.clear()
        self.own(rig, "Mailbox", b"From sender@here.test Sat Nov 21 12:00:00 2026\n" + self.text("token-old") + b"\n")
        for i, token in enumerate(self.tokens):
            os.utime(self.own(rig, "Maildir/new/%d.1.here" % (LONG_AGO + i), self.text(token)), (LONG_AGO + i,) * 2)

    def command(self, rig):
        home = os.path.join(rig.homes, "alice")
        return ("cd %s && exec setpriv --reuid %d --regid %d --clear-groups env MAIL=%s/Mailbox MAILTMP=%s/Mailbox.tmp MAILDIR=%s/Maildir"
                " maildir2mbox 2> %s" % (home, IDS["alice"], IDS["alice"], home, home, home, rig.at("errors")))

    @staticmethod
    def told(rig):
        """Whether it has said that a message stays in the maildir though it is in the mbox."""
        return b"will be delivered twice; unable to unlink" in read(rig.at("errors"))

    def crashed(self, rig, code):
        home, wrong = os.path.join(rig.homes, "alice"), []
        new = home + "/Maildir/new"
        in_maildir = [read(os.path.join(new, n)) for n in os.listdir(new)]
        in_mbox = mbox_messages(read(home + "/Mailbox"))
        there = Counter()
        for what in map(fact, in_maildir + in_mbox):
            if what:
                there[what[1]] += 1
            else:
                wrong.append("half a message")
        for token in self.tokens + ["token-old"]:
            most = 1 if token == "token-old" or code == 0 and not self.told(rig) else 2
            if not 1 <= there[token] <= most:
                wrong.append("%s is there %d times" % (token, there[token]))
        self.doubles = sum(there.values()) - len(there)
        if code == 0 and in_maildir and not self.told(rig):
            wrong.append("the maildir is not empty")
        return wrong

    def again(self, rig):
        home = os.path.join(rig.homes, "alice")
        code = rig.command(["/bin/sh", "-c", self.command(rig)])
        wrong = self.crashed(rig, None) + (["the next one exits %d" % code] if code else [])
        if os.path.exists(home + "/Mailbox.tmp") or os.listdir(home + "/Maildir/new"):
            wrong.append("something is left")
        for name in ("Mailbox", "Mailbox.tmp"):
            if os.path.exists(os.path.join(home, name)):
                os.unlink(os.path.join(home, name))
        return wrong


class Repaired:
    """qmail-qfix -r on a queue that was copied: numbers, split directories, owners are wrong. It is run
    again, and then the system: every message goes where it should."""
    program, others, runs = "qmail-qfix", (), False
    scene = Scene(Mail("token-q1", ["alice@here.test", "bob@here.test"]), Mail("token-q2", ["dora@far.test"]),
                  Mail("token-q3", ["fwd@here.test", "bad1@far.test"]), Mail("token-q4", ["alice@here.test"]),
                  Mail("token-q5", ["bob@here.test", "dora@far.test"]))
    sender = b"sender@here.test"

    def prepare(self, rig):
        rig.clear()
        q = rig.queue()
        q.clear()
        put = lambda n, **more: q.ready(self.sender, body=message("token-q%d" % n), **more)
        a = [put(1, local=[b"Talice@here.test", b"Tbob@here.test"]), put(2, remote=[b"Tdora@far.test"]),
             put(3, local=[b"Tfwd@here.test"], remote=[b"Dbad1@far.test"], bounce=b"<bad1@far.test>:\nno\n\n"),
             put(4, local=[b"Talice@here.test"]),
             q.todo(b"u1\0p2\0F" + self.sender + b"\0Tbob@here.test\0Tdora@far.test\0", body=message("token-q5"))]
        free = max(a) + 1000
        q.rename({a[0]: a[1], a[1]: a[0], a[2]: free, a[4]: a[2]})
        os.rename(q.path("local", a[3]), q.at("local", (a[3] + 1) % q.split, a[3]))
        os.chown(q.path("info", a[3]), 0, 0)
        os.chmod(q.at("intd"), 0o755)
        os.mkdir(q.at("mess", q.split))
        os.chown(q.at("mess", q.split), q.queue_uid, q.group)

    def command(self, rig):
        return "qmail-qfix -r"

    def crashed(self, rig, code):
        return []

    def again(self, rig):
        q = rig.queue()
        for _ in range(2):
            code, lines = q.run("-r")
        wrong = [] if code == 0 else ["the repair exits %d: %s" % (code, lines)]
        wrong += ["kept aside: " + n for n in q.kept()]
        run = outcome(rig)
        run.accepted = {m.token: True for m in self.scene.mails}
        wrong += ledger.judge(self.scene, run)[0]
        q.clear()
        return wrong


class Ordered:
    """qmail-qctl gives an order about a message that waits, to qmail-send (runs) or to the queue's files. What
    was confirmed has happened; else it has, or not, but wholly."""
    HELD = 0o610
    token = "token-order"
    recipients = ["alice@here.test", "bob@here.test", "dora@far.test"]

    def __init__(self, verb, runs):
        self.verb, self.runs = verb, runs
        self.program, self.others = "qmail-qctl", ("qmail-send",) if runs and verb in ("return", "delete") else ()

    def prepare(self, rig):
        rig.clear()
        q = rig.queue()
        number = q.ready(b"sender@here.test", local=[b"Talice@here.test", b"Tbob@here.test"], remote=[b"Tdora@far.test"],
                         body=message(self.token))
        tomorrow = time.time() + 86400
        for kind in ("local", "remote"):
            os.utime(q.path(kind, number), (tomorrow, tomorrow))
        os.utime(q.path("info", number), (time.time(),) * 2)
        if self.verb == "release":
            os.chmod(q.path("info", number), self.HELD)
        self.number, self.info = number, q.path("info", number)
        for name in ("log", "pid", "codes", "confirmed"):
            write(rig.at(name), b"")

    def command(self, rig):
        order = "qmail-qctl %s %d; echo end $? >> %s" % (self.verb, self.number, rig.at("codes"))
        if not self.runs:
            return order
        return ("sh -c 'echo $$ > %s; exec qmail-start ./Maildir/' > %s 2>&1 & "
                "until grep -q ^status: %s || test $((i += 1)) -gt 60; do sleep 0.01; done; %s"
                % (rig.at("pid"), rig.log_path, rig.log_path, order))

    def crashed(self, rig, code):
        """Here also: the rest of the first life."""
        self.confirmed = rig.codes().get("end") == 0
        held = os.path.exists(self.info) and os.stat(self.info).st_mode & 0o777 == self.HELD
        if self.confirmed and self.verb in ("hold", "release") and held != (self.verb == "hold"):
            return ["confirmed, but held: %s" % held]
        return []

    def again(self, rig):
        wrong = []
        if os.path.exists(self.info) and os.stat(self.info).st_mode & 0o777 == self.HELD:
            code = rig.command(["qmail-qctl", "release", str(self.number)])
            wrong += ["release exits %d" % code] if code else []
        run = outcome(rig)
        have, broken = ledger.found(run)
        wrong += ["not whole: " + p for p in broken]
        delivered = {k: n for k, n in have.items() if k[0] != "bounce"}
        returned = {k[2] for k in have if k[0] == "bounce"}
        if delivered and sorted(delivered) != sorted(ledger.due(Mail(self.token, self.recipients))):
            wrong.append("delivered: %s" % delivered)
        if returned and returned != set(self.recipients):
            wrong.append("returned: %s" % returned)
        most = 1 if self.killed_program == "qmail-qctl" else 2
        if any(n > (most if k[0] != "bounce" else 2) for k, n in have.items()):
            wrong.append("too often: %s" % have)
        if self.verb in ("try", "hold", "release") and (returned or not delivered):
            wrong.append("lost, or returned")
        elif self.verb == "return" and (bool(delivered) == bool(returned) or self.confirmed and delivered):
            wrong.append("confirmed: %s, and then %s" % (self.confirmed, have))
        elif self.verb == "delete" and (returned or self.confirmed and delivered):
            wrong.append("confirmed: %s, and then %s" % (self.confirmed, have))
        if not run.rested:
            wrong.append("no rest")
        return wrong + ["left in the queue: " + n for n in run.leftovers if n.split("/")[0] in ("todo", "info", "local", "remote", "bounce")]


TOOLS = {
    "newu": Users(),
    "newmrh": Made("qmail-newmrh", "control/morercpthosts", "control/morercpthosts.cdb", b"a.test\n",
                   b"".join(b"host%d.test\n" % i for i in range(400))),
    "moved": Moved(),
    "qfix": Repaired(),
}
for verb in ("try", "hold", "release", "return", "delete"):
    TOOLS["qctl-" + verb] = Ordered(verb, False)
    TOOLS["qctl-%s-running" % verb] = Ordered(verb, True)
