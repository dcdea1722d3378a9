#!/usr/bin/python3
"""The upgrade in place, and the way back.

A tree is written as netqmail leaves it (reference_tree.py), with mail in every state of
its queue; `make setup check` goes over it. Then every message is delivered or returned,
once for each recipient that was not done with, and nothing of the administrator's has
changed. Then our own queue, stopped with mail in every state, is read by queue_check.py.
Both with the usual split and with another one in a tree of its own."""
import collections, fcntl, math

from reqmail import *
import queue_check, reference_tree

DAY = 86400
LIFETIME = 604800
TOO_LONG = b"I'm not going to try again; this message has been in the queue too long.\n"
T, D = b"T", b"D"

usual = Tree()
recorded = os.path.join(usual.scratch, "recorded")
os.mkdir(recorded)
os.chmod(recorded, 0o1777)

# Both keep sender, recipient and the message in a file of their own, complete under its
# name, and answer by the beginning of the recipient.
KEEP = """#!/bin/sh
cd '%s' || exit 111
keep() { # SENDER RECIPIENT CHANNEL
    f=$(mktemp recorded/new.XXXXXXXX) && { printf '%%s\\0%%s\\0' "$1" "$2"; cat; } > $f && mv $f recorded/$3.${f##*.}
}
""" % usual.scratch
LOCAL = write(os.path.join(usual.scratch, "local"), KEEP + """case $RECIPIENT in
fail*|*-fail*) echo no such person; exit 100 ;;
later*) [ -e open ] || { echo not now; exit 111; } ;;
hold*) while [ -e hold.local ]; do sleep 0.1; done ;;
esac
keep "$SENDER" "$RECIPIENT" local
""", 0o755)
REMOTE = write(os.path.join(usual.scratch, "remote"), KEEP + """case $3 in
fail*) printf 'hno such host\\n\\0Dgiving up\\n\\0'; exit ;;
later*) [ -e open ] || { printf 'Znot now\\n\\0'; exit; } ;;
hold*) while [ -e hold.remote ]; do sleep 0.1; done ;;
esac
keep "$2" "$3" remote && printf 'r\\0Ktaken\\n\\0'
""", 0o755)
# For qmail-send's bounces: a queue program that takes them only when all is open.
CLOSED_QUEUE = write(os.path.join(usual.scratch, "queue"), """#!/bin/sh
[ -e %s/open ] || exit 53
exec "$HOME_BIN/qmail-queue"
""" % usual.scratch, 0o755)
REPORTS = {("local", b"fail"): b"no such person\n", ("remote", b"fail"): b"no such host\ngiving up\n",
           ("local", b"later"): b"not now\n", ("remote", b"later"): b"not now\n"}


def taken():
    """What was delivered: {(channel, sender, recipient, message): times}."""
    count = collections.Counter()
    for name in os.listdir(recorded):
        channel = name.split(".")[0]
        if channel in ("local", "remote"):
            sender, recipient, message = read(os.path.join(recorded, name)).split(b"\0", 2)
            count[channel, sender, recipient, message] += 1
    return count


def forget_taken():
    for name in os.listdir(recorded):
        os.unlink(os.path.join(recorded, name))


def flag(name, is_there):
    """The files open, hold.local and hold.remote, which the programs above look for."""
    path = os.path.join(usual.scratch, name)
    if is_there:
        write(path, "")
    elif os.path.exists(path):
        os.unlink(path)


def own_sender(sender, recipient):
    """The sender of one delivery, as envelopes(5) has it."""
    match = re.match(rb"(.*)@(.*)-@\[\]$", sender, re.S)
    if not match:
        return sender
    box, domain = recipient.rsplit(b"@", 1)
    return match[1] + box + b"=" + domain + b"@" + match[2]


# -- what is in the queue

LONG = b"l" * 1000 + b"@far.test"  # nothing is said about more than 1002
ODD = [b'"quoted part"@far.test', b"sp ace@far.test", b"a\nb@far.test", b"\xfc\xe4\xff@far.test", b"-dash@far.test", b"@far.test",
       b"a@b@far.test", b"per%cent@far.test", b"tab\tback\\slash@far.test", b"$(id)`id`'@far.test", b"ctl\x01\x7f@far.test",
       b"<a>@far.test", b"UPPER@Far.Test", b"a@[127.0.0.1]"]
ODD_LOCAL = [b'"quoted part"@here.test', b"sp ace@here.test", b"a\nb@here.test", b"\xfc\xe4\xff@here.test", b"-dash@here.test",
             b"a@b@here.test", b"../../etc/passwd@here.test", b"$(id)`id`'@here.test", b"UPPER.Dots@Here.TEST", b"l" * 990 + b"@here.test"]


class Old:
    """The mail of an old tree, and what is to become of it."""
    OLD, NEW = 40 * 3600, 3600  # ages of what a dead qmail-queue left, in seconds

    def __init__(self, tree):
        self.tree = tree
        self.due = collections.Counter()   # what must be delivered, as taken() has it
        self.bounces = []                  # (recipient, paragraphs, copied message, is double)
        self.stay = []                     # files that must stay as they are
        self.gone = []                     # numbers that must go
        self.waiting = {}                  # number -> {channel: birth}, which must stay and wait
        self.triple = []
        self.numbers = {}                  # name -> number

    def expect(self, name, number, sender, recipients, old=False, notes=b""):
        """recipients: (channel, address) that are not done."""
        self.numbers[name] = number
        message = self.tree.bodies[number]
        paragraphs = [p + b"\n\n" for p in notes.split(b"\n\n") if p]
        waits = False
        for channel, address in recipients:
            kind = [k for c, k in REPORTS if c == channel and (address.startswith(k) or b"-" + k in address)]
            if not kind:
                self.due[channel, own_sender(sender, address), address, message] += 1
            elif kind == [b"later"] and not old:
                self.waiting.setdefault(number, {})[channel] = address
                waits = True
            else:
                text = b"<" + address.replace(b"\n", b"_").replace(b"virt-", b"") + b">:\n" + REPORTS[channel, kind[0]]
                paragraphs.append(text + (TOO_LONG if kind == [b"later"] else b"") + b"\n")
        if not waits:
            self.gone.append(number)
        if paragraphs and not waits:
            self.bounce(number, sender, paragraphs, message)

    def bounce(self, number, sender, paragraphs, message):
        if sender == b"#@[]":
            self.triple.append(number)
            return
        sender = sender[:-4] if sender.endswith(b"-@[]") else sender
        self.bounces.append((sender or b"postmaster@here.test", paragraphs, message, not sender))

    def stored(self, name, sender, local=None, remote=None, extra=(), **more):
        """A message that is preprocessed."""
        number = self.tree.message(sender, local, remote, **more)
        undone = [("local", a) for l, a in local or [] if l == T] + [("remote", a) for l, a in remote or [] if l == T]
        old = more.get("age_s", 0) > LIFETIME
        self.expect(name, number, sender, undone, old, more.get("notes") or b"")
        return number

    def queued(self, name, sender, recipients, **more):
        """A message that is not; recipients: (as given, channel, as rewritten)."""
        number = self.tree.todo(sender, [r[0] for r in recipients], **more)
        self.expect(name, number, sender, [r[1:] for r in recipients])
        return number

    def fill(self):
        tree = self.tree
        # S1 to S3, as qmail-queue leaves them when it dies
        self.old_files = [tree.pid_file(self.OLD)]
        self.stay = [tree.pid_file(self.NEW)]
        for age, files in ((self.OLD, self.old_files), (self.NEW, self.stay)):
            number = tree.body(b"cut o", age)
            files.append(tree.at(tree.path("mess", number)))
            number = tree.body(b"cut off\n", age)
            files.append(tree.at(tree.path("mess", number)))
            tree.envelope(number, [b"u7", b"p9", b"Fs@far.test", b"Tnobody"], age)
            files.append(tree.at(tree.path("intd", number)))
            with open(files[-1], "r+b") as f:
                f.truncate(16)
            os.utime(files[-1], (reference_tree.NOW - age,) * 2)

        # S4
        self.queued("todo", b"todo@here.test", [
            (b"joe@here.test", "local", b"joe@here.test"), (b"joe@here.test", "local", b"joe@here.test"),
            (b"Ann@HERE.Test", "local", b"Ann@HERE.Test"), (b"x@far.test", "remote", b"x@far.test"),
            (b"x@far.test", "remote", b"x@far.test"), (b"Info@V.test", "local", b"virt-Info@V.test"),
            (b"u@sub.wild.test", "local", b"wild-u@sub.wild.test"), (b"u@plain.wild.test", "remote", b"u@plain.wild.test"),
            (b"noat", "local", b"noat@here.test"), (b"a%b.test@gate.test", "remote", b"a@b.test"),
            (b"fail-1@here.test", "local", b"fail-1@here.test"), (b"fail-2@far.test", "remote", b"fail-2@far.test"),
            (b"fail-3@v.test", "local", b"virt-fail-3@v.test")])
        self.queued("nobody", b"s@here.test", [])
        self.queued("null sender", b"", [(b"joe@here.test", "local", b"joe@here.test"), (b"fail-4@far.test", "remote", b"fail-4@far.test")])
        self.queued("without intd", b"a@here.test", [(b"joe@here.test", "local", b"joe@here.test")], intd=False)
        self.queued("pid first", b"b@here.test", [(b"joe@far.test", "remote", b"joe@far.test")], order=b"pu")
        self.queued("no pid, no uid", b"c@here.test", [(b"joe@far.test", "remote", b"joe@far.test")], order=b"")
        self.queued("many", b"many@here.test",
                    [(b"r%d@%s" % (i, h), c, b"r%d@%s" % (i, h)) for i in range(50) for h, c in ((b"here.test", "local"), (b"far.test", "remote"))])
        self.queued("odd", b"o'dd se\nnder\xff@here.test", [(a, "remote", a) for a in ODD] + [(a, "local", a) for a in ODD_LOCAL])
        self.queued("long", b"s" * 990 + b"@far.test", [(LONG, "remote", LONG)])
        self.queued("list", b"list-@here.test-@[]", [(b"joe@here.test", "local", b"joe@here.test"), (b"joe@far.test", "remote", b"joe@far.test"),
                                                     (b"fail-5@far.test", "remote", b"fail-5@far.test")])
        number = self.queued("half preprocessed", b"half@here.test", [(b"joe@here.test", "local", b"joe@here.test"),
                                                                     (b"joe@far.test", "remote", b"joe@far.test")])
        tree.send_file("info", number, b"Fhalf@he")
        tree.send_file("local", number, b"Tjoe@here.test\0Twrong@here.t")
        tree.send_file("remote", number, b"")
        number = self.queued("all but preprocessed", b"all@here.test", [(b"joe@here.test", "local", b"joe@here.test")])
        tree.send_file("info", number, b"Fall@here.test\0", reference_tree.NOW - 30 * DAY)
        tree.send_file("local", number, b"Djoe@here.test\0")
        tree.send_file("remote", number, b"Tdomain.gone@far.test\0")
        number = self.queued("another's notes", b"notes@here.test", [(b"joe@here.test", "local", b"joe@here.test")])
        tree.send_file("bounce", number, b"<gone@far.test>:\nof the message that had this number\n\n")

        # S5
        notes = b"<gone@far.test>:\nno such host\n\n<two@here.test>:\none\n/two\n\n"
        joe, ann, far = b"joe@here.test", b"ann@here.test", b"x@far.test"
        self.stored("local", b"d@here.test", [(T, joe), (T, ann)])
        self.stored("remote", b"e@here.test", None, [(T, far), (T, far)])
        self.stored("both", b"f@here.test", [(T, joe)], [(T, far)], content=b"")
        self.stored("some done", b"g@here.test", [(D, ann), (T, joe), (D, b"wild-x@sub.wild.test")], [(T, far), (D, b"y@far.test"), (D, far)])
        self.stored("local done", b"h@here.test", [(D, joe), (D, ann)], [(T, far)], content=b"no line end")
        self.stored("all done", b"i@here.test", [(D, joe)], [(D, far)])
        self.stored("all done, with notes", b"j@here.test", [(D, joe)], None, notes=notes)
        self.stored("ended", b"k@here.test")
        self.stored("ended, with notes", b"l@here.test", notes=notes, content=bytes(range(256)) * 300)
        self.stored("notes and more to come", b"m@here.test", [(T, b"fail-6@here.test"), (T, joe)], [(D, b"gone@far.test")], notes=notes)
        self.stored("bounced bounce", b"", None, [(T, b"fail-7@far.test")])
        self.stored("bounced bounce, ended", b"", notes=notes)
        self.stored("thrice", b"#@[]", notes=notes)
        self.stored("thrice, later", b"#@[]", [(T, b"fail-8@here.test")])
        self.stored("list, bounced", b"owner-@here.test-@[]", [(T, joe), (T, ann)], [(T, far), (T, b"fail-9@far.test")], notes=notes)
        self.stored("not a list", b"l-@[]", [(T, joe)])
        self.stored("too old", b"n@here.test", [(T, b"later-1@here.test"), (T, joe)], [(T, b"later-2@far.test"), (D, far)], age_s=LIFETIME + DAY)
        self.stored("odd, preprocessed", b'"s\n"\xfe@here.test', [(T, a) for a in ODD_LOCAL], [(T, a) for a in ODD + [LONG]])
        self.stored("hundred", b"p@here.test", [(D if i % 3 else T, b"a%d@here.test" % i) for i in range(50)],
                    [(T if i % 3 else D, b"a%d@far.test" % i) for i in range(50)])
        self.stored("record cut off", b"q@here.test", [(T, joe)], rest=b"Tann@here.te")
        self.stored("nothing in it", b"r@here.test", [], [(T, far)])
        self.stored("waits", b"t@here.test", [(T, b"later-3@here.test"), (D, joe)], [(T, b"later-4@far.test")], age_s=5000)
        self.due_later = tree.message(b"u@here.test", [(T, b"soon@here.test")], [(T, b"soon@far.test")], due_s=5 * DAY)


def bounce_of(message):
    """(recipient in the header, paragraphs, copied message, is double) of one of qmail-send's
    bounces; None where it is none."""
    match = re.match(
        rb"Received: \(qmail \d+ invoked (?:for bounce|by uid \d+|by alias|from network)\); .*\n"
        rb"Date: .* -0000\nFrom: MAILER-DAEMON@here\.test\nTo: ([^\n]*(?:\n[^\n]+)*)\nSubject: failure notice\n\n"
        rb"Hi\. This is the qmail-send program at here\.test\.\n"
        rb"(?:I'm afraid I wasn't able to deliver your message to the following addresses\.\n"
        rb"This is a permanent error; I've given up\. Sorry it didn't work out\.\n\n"
        rb"((?:.|\n)*?)--- Below this line is a copy of the message\.\n\nReturn-Path: <(?:[^\n]|\n)*?>\n(?=Received: )|"
        rb"(I tried to deliver) a bounce message to this address, but the bounce bounced!\n\n"
        rb"((?:.|\n)*?)--- Below this line is the original bounce\.\n\nReturn-Path: <>\n)", message)
    if not match:
        return None
    notes = match[2] if match[3] is None else match[4]
    return sorted(p + b"\n\n" for p in notes.split(b"\n\n") if p), message[match.end():], match[3] is not None


# -- what the administrator has

ADMINS = {  # below HOME; patches' files and the like are nobody's business but theirs
    "control/me": b"here.test\n", "control/locals": b"here.test \n# a comment\n\nHOST.here.test\n",
    "control/rcpthosts": b"here.test\nv.test\n.wild.test", "control/virtualdomains": b"v.test:virt\n.wild.test:wild\nplain.wild.test:\n",
    "control/percenthack": b"gate.test\n", "control/morercpthosts": b"More.test\n.dotted.test\n",
    "control/concurrencyremote": b"20\n", "control/concurrencyincoming": b"40\n", "control/defaultdelivery": b"./Maildir/\n",
    "control/bigconcurrency": b"", "control/spfbehavior": b"3\n", "control/servercert.pem": b"no key\n", "control/rsa2048.pem": b"",
    "control/badmimetypes": b"TVqQAAMAA\n", "control/simsizelimit": b"1\n", "control/validrcptto.cdb": b"\0" * 100,
    "control/notlshosts/far.test": b"", "control/.hidden": b"x", "control/me~": b"old.test\n",
    "users/assign": b"=joe:nobody:1:1:/:-::\n.\n", "users/include": b"joe\n", "users/append": b"", "users/mailnames": b"joe:joe\n",
    "users/poppasswd": b"vp:x\n", "rc": b"#!/bin/sh\nexec env - PATH=/var/qmail/bin:$PATH qmail-start ./Mailbox splogger qmail\n",
    "supervise/qmail-send/run": b"#!/bin/sh\nexec /var/qmail/rc\n", "ssl/dhparams.pem": b"", "bin/qmail-queue.scanner": b"#!/bin/sh\n",
    "alias/.qmail-root": b"joe\n", "alias/.qmail-mailer-daemon": b"", "alias/Mailbox": b"From x\n\nkept\n\n",
}
MODES = {"control/servercert.pem": 0o640, "rc": 0o755, "supervise/qmail-send/run": 0o755, "bin/qmail-queue.scanner": 0o4755,
         "control/rsa2048.pem": 0o600, "alias/Mailbox": 0o600}


def settle_in(old, homes):
    """The administrator's files; users/cdb and morercpthosts.cdb by another writer."""
    for name, content in ADMINS.items():
        os.makedirs(os.path.dirname(old.at(name)), exist_ok=True)
        user = "alias" if name.startswith("alias") else "daemon" if name.endswith("pem") else "owner"
        old.file(name, content, user, MODES.get(name, 0o644), time_s=reference_tree.NOW - 400 * DAY)
    old.file("alias/.qmail-default", b"|" + LOCAL.encode() + b"\n", "alias")
    old.file("alias/.qmail-postmaster", b"|" + LOCAL.encode() + b"\n", "alias")
    alias = usual.alias_ids
    uid, gid, home = homes["alice"]
    catch_all = b"alias\0%d\0%d\0%s\0-\0" % (alias[0], alias[1], old.at("alias").encode())
    alice = b"alice\0%d\0%d\0%s\0" % (uid, gid, home.encode())
    old.file("users/cdb", reference_tree.cdb([(b"!alice\0", alice + b"\0"), (b"!alice-", alice + b"-\0"), (b"!", catch_all), (b"", b"-")]))
    old.file("control/morercpthosts.cdb", reference_tree.cdb([(b"more.test", b""), (b".dotted.test", b"")]))


def look(path):
    """All of a file that an upgrade could change; directories by owner and mode alone."""
    st = os.lstat(path)
    what = [st.st_mode, st.st_uid, st.st_gid]
    if os.path.islink(path):
        what.append(os.readlink(path))
    elif os.path.isfile(path):
        what += [st.st_mtime_ns, st.st_ino, read(path)]
    return what


def everything(*tops):
    """{path: look()} of all below, the queue and what is installed aside."""
    seen = {}
    for top in tops:
        for where, dirs, files in os.walk(top):
            dirs[:] = [d for d in dirs if os.path.join(where, d) not in
                       [os.path.join(top, n) for n in ("queue", "sanitizer", "service")]]
            for name in dirs + files:
                path = os.path.join(where, name)
                if not re.match(r"(bin|boot|doc|man)/", os.path.relpath(path, top)) or "qsmhook" in name or \
                        "qlist" in name or "scanner" in name or name == "FAQ":
                    seen[path] = look(path)
    return seen


def changes(before, after):
    return sorted(p for p in before.keys() | after.keys() if before.get(p) != after.get(p))


# -- the upgrade

def install(tree, settings):
    return subprocess.run([os.environ.get("MAKE", "make"), "-s", "-j2"] + settings + ["setup", "check"], cwd=SOURCE,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=900, env={"PATH": os.environ["PATH"]})


def settings(tree, build, split):
    names = {"BUILD": build, "CONF_QMAIL": tree.path, "CONF_SPLIT": split, "CONF_USERS": os.environ["CONF_USERS"],
             "CONF_GROUPS": os.environ["CONF_GROUPS"], "CONF_CC": os.environ.get("CONF_CC", "cc -O2"),
             "CONF_LD": os.environ.get("CONF_LD", "cc -s"), "CONF_LIGHT": os.environ.get("CONF_LIGHT", "")}
    return ["%s=%s" % pair for pair in names.items()]


def wipe(tree):
    """Away with everything but the reports of sanitizers."""
    for name in os.listdir(tree.path):
        path = tree.at(name)
        if name == "sanitizer":
            continue
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)


class Busy:
    """Programs of the old system that still run: their files cannot be written to."""

    def __init__(self, tree, names):
        self.runs = {}
        for name in names:
            path = tree.bin(name)
            mode = os.stat(path).st_mode & 0o7777
            shutil.copyfile(shutil.which("sleep"), path)
            os.chmod(path, mode | 0o100)
            self.runs[path] = subprocess.Popen([path, "600"], stdin=subprocess.DEVNULL)
        wait_for(lambda: all(os.path.samefile("/proc/%d/exe" % r.pid, p) for p, r in self.runs.items()))

    def cannot_be_written(self):
        for path in self.runs:
            try:
                os.close(os.open(path, os.O_WRONLY))
                return False
            except OSError:
                pass
        return True

    def still_run(self):
        return all(r.poll() is None and os.readlink("/proc/%d/exe" % r.pid) == p + " (deleted)" for p, r in self.runs.items())

    def end(self):
        for run in self.runs.values():
            run.kill()
            run.wait()


def isqrt_next(channel, birth, now):
    root_of = math.isqrt(max(now - birth, 0))
    return birth + (root_of + (10 if channel == "local" else 20)) ** 2


def upgrade(title, tree, build, split, linked):
    """linked: queue and control lie elsewhere, behind links."""
    note(title)
    homes = {"alice": (60150 if root else os.geteuid(), 60150 if root else os.getegid(), os.path.join(tree.scratch, "home.alice"))}
    for part in ("", "/Maildir", "/Maildir/tmp", "/Maildir/new", "/Maildir/cur"):
        os.mkdir(homes["alice"][2] + part)
        root and os.chown(homes["alice"][2] + part, *homes["alice"][:2])
    write(homes["alice"][2] + "/.qmail-list", "|" + LOCAL, owner=homes["alice"][:2])
    wipe(tree)
    old = reference_tree.ReferenceTree(tree.path, split, tree.names, os.environ["CONF_GROUPS"].split())
    if linked:
        os.mkdir(os.path.join(tree.scratch, "etc"))
        os.symlink(os.path.join(tree.scratch, "etc"), tree.at("control"))
    old.make(os.path.join(tree.scratch, "spool") if linked else None)
    settle_in(old, homes)
    if linked:
        os.rename(tree.bin("qmail-smtpd"), tree.bin("qsmhook.smtpd"))
        os.symlink("qsmhook.smtpd", tree.bin("qmail-smtpd"))
    mail = Old(old)
    mail.fill()
    owners = queue_check.Owners.of(tree.names, os.environ["CONF_GROUPS"].split()[0])
    busy = Busy(tree, ["qmail-send", "qmail-remote"])
    ok(busy.cannot_be_written(), "the old programs run")
    before = everything(tree.path, homes["alice"][2], *([os.path.join(tree.scratch, "etc")] if linked else []))
    queue_before = {n: look(tree.at("queue", n)) for n in tree.queue_files()}

    result = install(tree, settings(tree, build, split))
    same((result.returncode, result.stdout.decode("latin1"), result.stderr.decode("latin1")), (0, "", ""), "make setup check")
    ok(busy.still_run(), "programs that ran go on with what they were")
    busy.end()
    same([n for n in ("qmail-send", "qmail-remote", "qmail-smtpd", "qmail-queue")
          if b"old" in read(tree.bin(n))[:40] or os.path.islink(tree.bin(n)) or not read(tree.bin(n)).startswith(b"\x7fELF")], [],
         "new programs are there")
    after = everything(tree.path, homes["alice"][2], *([os.path.join(tree.scratch, "etc")] if linked else []))
    same(changes(before, after), [], "the administrator's files are as they were")
    same({n: look(tree.at("queue", n)) for n in tree.queue_files()} == queue_before, True, "no message was touched")
    own = [f for f in queue_check.Queue(tree.at("queue"), split, owners).findings
           if not re.search(r"[/ ](%s)\b" % "|".join(str(n) for n in list(old.bodies)), f) and not re.match(r"\d", f)]
    same(own, [], "the queue's directories, owners and modes")

    with open(tree.at("queue/lock/sendmutex"), "r+") as mutex:
        fcntl.flock(mutex, fcntl.LOCK_EX)
        second = subprocess.run([tree.bin("qmail-start"), "./Maildir/"], stdin=subprocess.DEVNULL, capture_output=True,
                                env={"PATH": tree.at("bin") + ":/usr/bin:/bin"}, cwd="/", timeout=60)
        found("^alert: cannot start: qmail-send is already running$", second.stdout, "not beside an old qmail-send")

    deliver_all(tree, old, mail, homes, split, owners)
    after = everything(tree.path, homes["alice"][2], *([os.path.join(tree.scratch, "etc")] if linked else []))
    same([p for p in changes(before, after) if "/Maildir/" not in p], [], "and after all deliveries they still are")


def deliver_all(tree, old, mail, homes, split, owners):
    flag("open", False)
    forget_taken()
    for path in mail.old_files:  # reading them, above, was a use of them
        os.utime(path, (reference_tree.NOW - mail.OLD,) * 2)
    started = int(time.time())
    tree.start(env={"QMAILREMOTE": REMOTE})
    left = lambda: [n for n in mail.gone if os.path.exists(tree.at(old.path("mess", n)))]
    wait_for(lambda: not left(), 240)
    same(sorted(k for k, n in mail.numbers.items() if n in left()), [], "all messages have left the queue")
    wait_for(lambda: not [f for f in mail.old_files if os.path.exists(f)])
    same([f for f in mail.old_files if os.path.exists(f)], [], "what had been left behind is removed")
    same([f for f in mail.stay if not os.path.exists(f)], [], "but not before its time")
    # bounces are mail themselves
    wait_for(lambda: not [n for n in tree.queue_files() if n.startswith(("info/", "todo/")) and int(n.split("/")[-1]) not in
                          list(mail.waiting) + [mail.due_later]], 120)
    ended = int(time.time()) + 1

    delivered = taken()
    bounces = [(k[1], k[2]) + b for k, b in ((k, bounce_of(k[3])) for k in delivered) if b]
    mails = collections.Counter({k: n for k, n in delivered.items() if not bounce_of(k[3])})
    lacking, too_many = mail.due - mails, mails - mail.due
    show = lambda count: "\n".join("%dx %s %r %r" % (n, k[0], k[1][:80], k[2][:80]) for k, n in count.items())
    ok(not lacking, "every recipient has got the message", show(lacking))
    ok(not too_many, "once, and nobody else", show(too_many))
    want = sorted((b"#@[]" if double else b"", recipient, sorted(notes), message, double)
                  for recipient, notes, message, double in mail.bounces if recipient.endswith(b"here.test"))
    ok(sorted(bounces) == want, "bounces: to whom, for whom, with what",
       "\n".join("lacking %r" % (w,) for w in want if w not in bounces)[:3000] + "\n" +
       "\n".join("instead %r" % (b,) for b in bounces if b not in want)[:3000])
    same(sorted(int(n) for n in re.findall(r"^triple bounce: discarding bounce/(\d+)$", tree.log(), re.M)), sorted(mail.triple),
         "bounces of double bounces are thrown away")
    same(re.findall(r"^(?:warning|alert).*", tree.log(), re.M), [], "no trouble in the log")

    ok(tree.queue(b"Subject: new\n\nnew\n", "s@here.test", ["alice@here.test", "alice-list@here.test", "new@far.test"]) == 0 and
       wait_for(lambda: len(maildir(homes["alice"][2])) == 1 and sum(taken().values()) == sum(delivered.values()) + 2),
       "new mail, by the old users/cdb", tree.log()[-1500:])
    replies = tree.smtp(["MAIL FROM:<x@y.test>", "RCPT TO:<u@MORE.test>", "RCPT TO:<u@a.dotted.test>", "RCPT TO:<u@less.test>", "QUIT"])
    same(re.findall(r"^(\d+)", replies, re.M), ["220", "250", "250", "250", "553", "221"], "rcpthosts, and the old morercpthosts.cdb")
    same(tree.stop(), True, "it stops")
    found(r"^status: exiting\n\Z", tree.log(), "cleanly")

    queue = queue_check.Queue(tree.at("queue"), split, owners)
    same(queue.findings, [], "what is left is as the old system knows it")
    waits = {n: m for n, m in queue.messages.items() if m.state == "S5"}
    same(sorted(waits), sorted(list(mail.waiting) + [mail.due_later]), "what waits")
    for number, channels in mail.waiting.items():
        m = waits.get(number)
        for channel, address in channels.items():
            same(m and m.undone(channel), [address], "it waits for one, " + channel)
            times = {isqrt_next(channel, reference_tree.NOW - 5000, t) for t in range(started, ended + 1)}
            ok(m and m.due[channel] in times, "and is due at its next time, " + channel, (m and m.due, times))
        same(m and m.birth, reference_tree.NOW - 5000, "and as old as it was")
    soon = waits.get(mail.due_later)
    same(soon and soon.due, dict.fromkeys(("local", "remote"), reference_tree.NOW + 5 * DAY), "what is due in five days is so still")

    flag("open", True)
    forget_taken()
    tree.start(env={"QMAILREMOTE": REMOTE})
    tree.signal(signal.SIGALRM)
    wait_for(lambda: sum(taken().values()) == 4 and not [n for n in tree.queue_files() if n.startswith("info/")])
    same(sorted((k[0], k[2]) for k in taken().elements()),
         [("local", b"later-3@here.test"), ("local", b"soon@here.test"), ("remote", b"later-4@far.test"), ("remote", b"soon@far.test")],
         "and then comes")
    tree.stop()
    same(re.findall(r"^(?:warning|alert).*", tree.log(), re.M), [], "no trouble in this log")


# -- a tree whose todo is split

def big_todo(tree, build, split):
    tree.stop()
    for part in range(split):
        for name in ("todo", "intd"):
            os.mkdir(tree.at("queue", name, str(part)))
    kept = write(tree.at("queue/todo", "5", "100055"), b"u1\0p2\0Fa@b\0Tc@d\0")
    result = install(tree, settings(tree, build, split))
    same((result.returncode, result.stderr), (0, b""), "big todo: it is installed")
    run = subprocess.run([tree.bin("qmail-start"), "./Maildir/"], stdin=subprocess.DEVNULL, capture_output=True,
                         env={"PATH": tree.at("bin") + ":/usr/bin:/bin"}, cwd="/", timeout=60)
    same((run.returncode, run.stdout), (111, b"alert: cannot start: queue/todo is split into subdirectories\n"), "big todo: it does not start")
    same(read(kept), b"u1\0p2\0Fa@b\0Tc@d\0", "big todo: the mail is still there")
    for part in range(split):
        for name in ("todo", "intd"):
            shutil.rmtree(tree.at("queue", name, str(part)))
    same(tree.start(), True, "once that is gone it starts")
    tree.stop()


# -- the way back

class Queued:
    """A message of ours."""

    def __init__(self, tree, sender, recipients, number=None):
        self.sender, self.number = sender, number
        self.recipients = {"local": [], "remote": []}
        for r in recipients:
            self.recipients["remote" if r.endswith("@far.test") else "local"].append(r.encode("latin1"))

    def done(self):
        return [r for some in self.recipients.values() for r in some if r.startswith((b"ok", b"fail"))]


def queue_bytes(tree, sender, recipients):
    """tree.queue() for any bytes."""
    envelope = b"F" + sender.encode("latin1") + b"\0" + b"".join(b"T" + r.encode("latin1") + b"\0" for r in recipients) + b"\0"
    with tempfile.TemporaryFile() as on_0, tempfile.TemporaryFile() as on_1:
        on_0.write(b"Subject: x\n\n" + sender.encode("latin1") + b"\n")
        on_1.write(envelope)
        on_0.seek(0)
        on_1.seek(0)
        return subprocess.run([tree.bin("qmail-queue")], stdin=on_0, stdout=on_1, env={}, cwd="/", timeout=60, **tree.user_of(1)).returncode


def queue_and_wait(tree, sender, recipients):
    """Queues a message with the system running; a Queued with its number."""
    count = len(re.findall("^info msg", tree.log(), re.M))
    if queue_bytes(tree, sender, recipients):
        return ok(False, "queued", sender)
    tree.wait_log(r"^info msg (\d+): ", count=count + 1)
    number = re.findall(r"^info msg (\d+): ", tree.log(), re.M)[count]
    return Queued(tree, sender, recipients, int(number))


def killed(tree, with_envelope):
    """qmail-queue killed while it waits for the rest of a message, or of an envelope."""
    before = set(tree.queue_files())
    message, envelope = os.pipe(), os.pipe()
    run = subprocess.Popen([tree.bin("qmail-queue")], stdin=message[0], stdout=envelope[0], env={}, cwd="/", **tree.user_of(1))
    for fd in (message[0], envelope[0]):
        os.close(fd)
    os.write(message[1], b"Subject: cut o")
    os.write(envelope[1], b"Fme@here.test\0Tyou@he")
    if with_envelope:
        os.close(message[1])
    tree_name = "intd/" if with_envelope else "mess/"
    new = wait_for(lambda: [n for n in tree.queue_files() if n not in before and n.startswith(tree_name)])
    run.kill()
    run.wait()
    os.close(envelope[1])
    with_envelope or os.close(message[1])
    return new and int(new[0].split("/")[-1])


def way_back(title, tree, split):
    note(title)
    owners = queue_check.Owners.of(tree.names, os.environ["CONF_GROUPS"].split()[0])
    tree.reset()
    flag("open", False)
    flag("hold.local", True)
    flag("hold.remote", True)
    forget_taken()
    tree.control("virtualdomains", "v.test:virt\n")
    tree.control("concurrencylocal", "2\n")
    tree.control("concurrencyremote", "2\n")
    write(tree.at("users/cdb"), reference_tree.cdb(
        [(b"!", b"alias\0%d\0%d\0%s\0-\0" % (usual.alias_ids + (tree.at("alias").encode(),))), (b"", b"")]))
    tree.alias("default", "|" + LOCAL + "\n")
    env = {"QMAILREMOTE": REMOTE, "QMAILQUEUE": CLOSED_QUEUE, "HOME_BIN": tree.at("bin")}
    started = int(time.time())
    tree.start(env=env)

    odd = [a.decode("latin1").replace("@here.test", "@HERE.test") for a in ODD_LOCAL if len(a) < 900]
    odd += [a.decode("latin1") for a in ODD if a.endswith(b"@far.test")]
    mixed = ["ok1@here.test", "later1@here.test", "ok2@here.test", "ok3@far.test", "later2@far.test", "ok4@far.test", "later3@far.test"]
    failing = ["fail1@here.test", "fail2@far.test"]
    messages = [queue_and_wait(tree, *m) for m in (
        ("one@here.test", ["later@here.test"]), ("two@here.test", ["later@far.test"]), ("three@here.test", mixed),
        ("four@here.test", mixed + failing), ("", mixed + failing), ("#@[]", mixed + failing), ("list-@here.test-@[]", mixed + failing),
        ("five@here.test", ["ok@here.test", "later@far.test"]), ("six@here.test", ["later@here.test", "ok@far.test"]),
        ("se\nv en\xff@here.test", ["later" + o for o in odd] + odd), ("e" * 1000, ["later" + "x" * 980 + "@far.test", "later" + "y" * 980 + "@here.test"]),
        ("hundred@here.test", [f % i for i in range(25) for f in ("ok%d@here.test", "later%d@here.test", "ok%d@far.test", "later%d@far.test")]),
        ("ended@here.test", ["ok@here.test"] + failing), ("", failing), ("list2-@here.test-@[]", failing),
    )]
    total = sum(len(r) for m in messages for r in m.recipients.values())
    tree.wait_log(r"^delivery \d+: ", 240, total)
    same(len(re.findall(r"^delivery \d+: ", tree.log(), re.M)), total, "every recipient had an attempt")
    ended = int(time.time()) + 1
    held = queue_and_wait(tree, "held@here.test", ["hold%d@%s.test" % (i, h) for i in range(6) for h in ("here", "far")])
    for channel in ("local", "remote"):
        tree.wait_log(r"^starting delivery \d+: msg %d to %s " % (held.number, channel), count=2)
    tree.signal(signal.SIGTERM)
    flag("hold.remote", False)
    tree.wait_log("^status: .* exitasap$")
    cut = {killed(tree, False): "S2", killed(tree, True): "S3"}
    for sender, recipients in (("late@here.test", ["a@here.test", "b c@far.test", "noat"]), ("", ["x@far.test"]), ("nobody@here.test", [])):
        same(queue_bytes(tree, sender, recipients), 0, "queued while qmail-send leaves")
    flag("hold.local", False)
    ok(tree.wait_log(r"^status: exiting$"), "it leaves", tree.log()[-1000:])
    tree.stop()
    same(re.findall(r"^(?:warning|alert): (?!trouble injecting).*", tree.log(), re.M), [], "no trouble in the log")

    queue = queue_check.Queue(tree.at("queue"), split, owners)
    same(queue.findings, [], "every file is as the old system knows it")
    same({n: queue.messages[n].state for n in cut if n in queue.messages}, cut, "what qmail-queue was killed at")
    fresh = [m for m in queue.messages.values() if m.state == "S4"]
    same(sorted((m.sender, m.recipients, m.uid) for m in fresh),
         [(b"", [b"x@far.test"], tree.ids(1)[0]), (b"late@here.test", [b"a@here.test", b"b c@far.test", b"noat"], tree.ids(1)[0]),
          (b"nobody@here.test", [], tree.ids(1)[0])], "what is queued")
    compare(queue, messages, started, ended)
    part_done(queue, held, taken())
    same(len(queue.messages), len(cut) + len(fresh) + len(messages) + 1, "no other message")

    # and our own system reads it as the checker does
    will = collections.Counter((c, a) for m in queue.messages.values() for c in ("local", "remote") for a in m.undone(c))
    will.update({("local", b"a@here.test"): 1, ("remote", b"b c@far.test"): 1, ("local", b"noat@here.test"): 1, ("remote", b"x@far.test"): 1})
    forget_taken()
    flag("open", True)
    tree.start(env=env)
    remains = lambda: [n for n in tree.queue_files() if not n.startswith("pid/") and int(n.split("/")[-1]) not in cut]

    def drained():
        tree.signal(signal.SIGALRM)
        return not remains()
    wait_for(drained, 240, 0.5)
    same(remains(), [], "all of it goes")
    got = collections.Counter((k[0], k[2]) for k in taken().elements() if not bounce_of(k[3]))
    ok(got == will, "once to each", "lacking %r\ntoo many %r" % (will - got, got - will))
    tree.stop()


def compare(queue, messages, started, ended):
    wrong = []
    for want in messages:
        m = queue.messages.get(want.number)
        if not m or m.sender != want.sender.encode("latin1") or not started <= m.birth <= ended:
            wrong.append("%s: %r" % (want.sender, m and (m.sender, m.birth)))
            continue
        failed = []
        for channel, all_of in want.recipients.items():
            later = [r for r in all_of if r.startswith(b"later")]
            failed += [r for r in all_of if r.startswith(b"fail")]
            if m.undone(channel) != later:
                wrong.append("%s: undone in %s: %r" % (want.sender, channel, m.undone(channel)))
            if later and [a for _, a in m.records[channel]] != all_of:
                wrong.append("%s: records in %s: %r" % (want.sender, channel, m.records[channel]))
            times = [isqrt_next(channel, m.birth, t) for t in range(m.birth, ended + 1)]
            if later and m.due[channel] not in times:
                wrong.append("%s: due in %s at %d, not %r" % (want.sender, channel, m.due[channel], times))
        noted = re.findall(rb"^<(.*)>:\nno such (?:person\n|host\ngiving up\n)\n", m.notes or b"", re.M)
        if sorted(noted) != sorted(failed):
            wrong.append("%s: notes %r" % (want.sender, m.notes))
    same(wrong, [], "senders, recipients, marks, notes and times")


def part_done(queue, held, delivered):
    """Its list was being read: two of each channel are done, the others are not."""
    m = queue.messages[held.number]
    for channel, all_of in held.recipients.items():
        done = [k[2] for k in delivered.elements() if k[0] == channel and k[2] in all_of]
        same((sorted(m.done(channel)), m.undone(channel)), (sorted(done), [r for r in all_of if r not in done]), "a list cut short, " + channel)
        same(len(done), 2, "those under way were awaited, " + channel)


def restore():
    """For the tests that come after."""
    usual.stop()
    wipe(usual)
    for program in ("instpackage", "instchown"):
        subprocess.run([os.path.join(SOURCE, os.environ["BUILD"], program)], cwd=SOURCE, check=True, timeout=60)


atexit.register(restore)
upgrade("over a tree with split 23", usual, os.environ["BUILD"], 23, False)
big_todo(usual, os.environ["BUILD"], 23)
way_back("back, with split 23", usual, 23)

home = os.path.join(usual.scratch, "other")
for name in ("control", "users", "alias"):
    os.makedirs(os.path.join(home, name))
other = Tree(home)
if sanitized:
    os.symlink(usual.at("sanitizer"), os.path.join(home, "sanitizer"))
upgrade("over a tree with split 7, some of it behind links", other, os.path.join(usual.scratch, "build"), 7, True)
way_back("back, with split 7", other, 7)
done()
