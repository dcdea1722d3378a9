"""scenes - what is recorded: runs of the installed system, in a tree with four users.

  alice    a maildir
  bob      an mbox
  sender   a maildir, to which bounces come
  fwd      forwards to alice

Remote recipients at far.test are taken by a server here, but for those named bad....
A message is known by a word in its subject, token-..., and whole when its body is."""
import os, re, shutil, subprocess, time
from collections import Counter
from reqmail import write, read, wait_for
from record import Recording
from drain import Sink, routes

QUEUE = ["queue/" + n for n in ("pid", "mess", "intd", "todo", "info", "local", "remote", "bounce")]
ROOTS = QUEUE + ["homes"]
MAILBOXES = {"alice": "Maildir", "bob": "Mailbox", "sender": "Maildir"}
FORWARDED = {"fwd": "alice"}


def body(token):
    """The body of that message. Tokens that end in -long have several blocks."""
    count = 700 if token.endswith("-long") else 12
    return b"\n" + b"".join(b"%s: line %d\n" % (token.encode(), i) for i in range(count)) + b"end of %s\n" % token.encode()


def message(token):
    return b"From: sender@here.test\nTo: some@here.test\nSubject: " + token.encode() + b"\n" + body(token)


def fact(content):
    """What a message in a mailbox is: ("message", token), ("bounce", token, recipients), or None if
    it is not whole."""
    token = re.search(rb"^Subject: (token-[a-z0-9-]+)\n", content, re.M)
    if not token or not content.startswith(b"Return-Path: <") or not content.endswith(body(token.group(1).decode())):
        return None
    token = token.group(1).decode()
    if b"\nSubject: failure notice\n" in content:
        return ("bounce", token, tuple(sorted(set(r.decode() for r in re.findall(rb"^<([^>]+)>:$", content, re.M)))))
    return ("message", token)


def mbox_messages(content):
    """The messages of an mbox, each without its From_ line; what is before the first as well, if
    there is anything. NULs, where an append was cut off by a power cut, end a message."""
    parts = re.split(rb"^From [^\n]*\n|(?=\0)(?<!\0)", content, flags=re.M)
    return ([parts[0]] if parts[0].strip(b"\n") else []) + [p[:-1] if p.endswith(b"\n\n") else p for p in parts[1:]]


def mailbox(files, user):
    """Facts of a user's mailbox, counted, and what in it is broken. files: path -> content."""
    found, broken = Counter(), []
    for path, content in files.items():
        if path.startswith("homes/%s/Maildir/new/" % user) or path.startswith("homes/%s/Maildir/cur/" % user):
            messages = [content]
        elif path == "homes/%s/Mailbox" % user:
            messages = mbox_messages(content)
        else:
            continue
        for m in messages:
            what = fact(m)
            if what:
                found[what] += 1
            else:
                broken.append(path)
    return found, broken


class World:
    """The tree of reqmail.Tree with the users, for scenes."""

    def __init__(self, tree):
        self.tree, self.path, self.scratch = tree, tree.path, tree.scratch
        self.homes = tree.at("homes")
        self.sink = Sink()
        self.server = None
        shutil.rmtree(self.homes, True)
        os.mkdir(self.homes, 0o755)
        self.ids = {name: 60100 + i for i, name in enumerate(("alice", "bob", "sender", "fwd"))}
        lines = []
        for name, uid in self.ids.items():
            home = os.path.join(self.homes, name)
            os.mkdir(home)
            if MAILBOXES.get(name) == "Maildir":
                for part in ("", "/tmp", "/new", "/cur"):
                    os.mkdir(home + "/Maildir" + part, 0o700)
            for at, _, _ in os.walk(home):
                os.chown(at, uid, uid)
            os.chmod(home, 0o755)
            lines.append("=%s:%s:%d:%d:%s:::\n" % (name, name, uid, uid, home))
        write(tree.at("users/assign"), "".join(lines) + ".\n")
        subprocess.run([tree.bin("qmail-newu")], check=True, timeout=20)
        tree.control("smtproutes", routes(self.sink.port))
        self.reset()

    def reset(self):
        """Empty queue, empty mailboxes."""
        for name in self.tree.queue_files():
            os.unlink(self.tree.at("queue", name))
        for at, _, names in os.walk(self.homes):
            for name in names:
                os.unlink(os.path.join(at, name))
        shutil.rmtree(os.path.join(self.homes, "bob/Fresh"), True)
        self.own("bob", ".qmail", b"./Mailbox\n")
        self.own("fwd", ".qmail", b"&alice@here.test\n")

    def own(self, user, name, content, mode=0o644):
        return write(os.path.join(self.homes, user, name), content, mode, (self.ids[user],) * 2)

    def file(self, name, content):
        return write(os.path.join(self.scratch, name), content)

    def queue(self, token, recipients, sender="sender@here.test"):
        if self.tree.queue(message(token), sender, recipients):
            raise RuntimeError("the message is not queued")

    def recording(self, roots=ROOTS):
        scratch = os.path.join(self.scratch, "recording")
        os.makedirs(scratch, exist_ok=True)
        return Recording(self.path, scratch, roots)

    def smtp_script(self, token, recipients):
        lines = [b"EHLO client.test", b"MAIL FROM:<sender@here.test>"] + [b"RCPT TO:<%s>" % r.encode() for r in recipients] + [b"DATA"]
        return b"\r\n".join(lines) + b"\r\n" + message(token).replace(b"\n", b"\r\n") + b".\r\nQUIT\r\n"

    def smtp(self, run, token, recipients):
        """A session of qmail-smtpd in the recording."""
        script = self.file("script", self.smtp_script(token, recipients))
        code = run("env PROTO=TCP TCPLOCALIP=127.0.0.1 TCPLOCALHOST=here.test TCPREMOTEIP=127.0.0.1 TCPREMOTEHOST=client.test RELAYCLIENT= "
                   "qmail-smtpd < %s | cat > %s" % (script, os.path.join(self.scratch, "replies")))
        if not re.search(rb"^250 ok \d+ qp \d+", read(os.path.join(self.scratch, "replies")), re.M):
            raise RuntimeError("not accepted: %d %r" % (code, read(os.path.join(self.scratch, "replies"))))

    def start(self, run):
        self.log = self.file("log", b"")
        run("qmail-start ./Maildir/ > %s 2>&1 &" % self.log)

    def wait_ended(self, count):
        """Until that many messages have ended and the queue has nothing more to do."""
        ended = wait_for(lambda: len(re.findall(rb"^end msg ", read(self.log), re.M)) >= count, 120)
        if not ended:
            raise RuntimeError("it does not end: %r" % read(self.log)[-3000:])

    def stop(self, run):
        run("kill -TERM $!; wait $!")


# -- the scenes of the queue: each returns a history

def injected(world):
    """qmail-inject puts a message of several blocks into the queue; qmail-send is not there."""
    script = world.file("message", message("token-inject-long"))
    with world.recording() as run:
        if run("qmail-inject -f sender@here.test alice@here.test < " + script):
            raise RuntimeError("qmail-inject fails")
    return run.history()


def smtp(world):
    """A message comes by SMTP; qmail-send is not there."""
    with world.recording() as run:
        world.smtp(run, "token-smtp", ["alice@here.test", "dora@far.test"])
    return run.history()


def delivered(token, recipients, messages=1):
    """A queued message is taken and delivered."""
    def scene(world):
        world.queue(token, recipients)
        with world.recording() as run:
            world.start(run)
            world.wait_ended(messages)
            world.stop(run)
        return run.history()
    return scene


def stream(world):
    """Messages come by SMTP and qmail-inject while others are delivered, forwarded and returned."""
    with world.recording() as run:
        world.start(run)
        for i in range(3):
            world.smtp(run, "token-s%d" % i, ["alice@here.test", "bob@here.test", "dora@far.test"])
            script = world.file("message%d" % i, message("token-i%d" % i))
            run("qmail-inject -f sender@here.test fwd@here.test bad%d@far.test < %s" % (i, script))
        world.wait_ended(3 + 3 * 3)
        world.stop(run)
    return run.history()


SCENES = {
    "injected": injected,
    "smtp": smtp,
    "maildir": delivered("token-maildir", ["alice@here.test"]),
    "mbox": delivered("token-mbox", ["bob@here.test"]),
    "remote": delivered("token-remote", ["dora@far.test"]),
    "bounce": delivered("token-bounce", ["bad1@far.test", "bad2@far.test"], 2),
    "forward": delivered("token-forward", ["fwd@here.test"], 2),
    "both": delivered("token-both", ["alice@here.test", "bob@here.test", "dora@far.test", "bad@far.test"], 2),
    "stream": stream,
}


# -- scenes of single programs. Each returns its history and judge(files, ended): what is wrong with files,
#    path -> content (None: a directory), when the program has ended or not

def replaced(path, old, new):
    """A file that is replaced is the old one or the new one, and the new one at the end."""
    def judge(files, ended):
        content = files.get(path)
        if ended:
            return [] if content == new else ["%s is not the new one" % path]
        return [] if content in (old, new) else ["%s is neither old nor new" % path]
    return judge


def made_anew(world, source, target, program, old, new):
    """A database is made from its source twice, the second time recorded."""
    path, roots = world.tree.at(target), [os.path.dirname(target)]
    saved = read(world.tree.at(source))
    write(world.tree.at(source), old)
    subprocess.run([world.tree.bin(program)], check=True, timeout=60)
    before = read(path)
    write(world.tree.at(source), new)
    with world.recording(roots) as run:
        if run(program):
            raise RuntimeError(program + " fails")
    after = read(path)
    if saved:
        write(world.tree.at(source), saved)
        subprocess.run([world.tree.bin(program)], check=True, timeout=60)
    return run.history(), replaced(target, before, after)


def newu(world):
    old = read(world.tree.at("users/assign"))
    more = b"".join(b"=u%d:alias:1:1:/nowhere:::\n" % i for i in range(400))
    return made_anew(world, "users/assign", "users/cdb", "qmail-newu", old, more + old)


def newmrh(world):
    return made_anew(world, "control/morercpthosts", "control/morercpthosts.cdb", "qmail-newmrh", b"a.test\n",
                     b"".join(b"host%d.test\n" % i for i in range(400)))


def moved(world):
    """maildir2mbox moves messages to an mbox that has some."""
    home = os.path.join(world.homes, "alice")
    def message_file(token):
        return b"Return-Path: <sender@here.test>\n" + message(token)
    world.own("alice", "Mailbox", b"From sender@here.test Sat Nov 21 12:00:00 2026\n" + message_file("token-old") + b"\n", 0o600)
    tokens = ["token-one", "token-two-long", "token-three"]
    for i, token in enumerate(tokens):
        path = world.own("alice", "Maildir/new/%d.1.here" % (1700000000 + i), message_file(token))
        os.utime(path, (1700000000, 1700000000 + i))
    with world.recording(["homes"]) as run:
        if run("cd %s && env MAIL=%s/Mailbox MAILTMP=%s/Mailbox.tmp MAILDIR=%s/Maildir maildir2mbox"
               % (home, home, home, home)):
            raise RuntimeError("maildir2mbox fails")

    def judge(files, ended):
        wrong = []
        mbox = mbox_messages(files.get("homes/alice/Mailbox") or b"")
        maildir = [c for p, c in files.items() if p.startswith("homes/alice/Maildir/new/")]
        for where, messages in (("mbox", mbox), ("maildir", maildir)):
            wrong += ["half a message in the " + where for m in messages if not fact(m)]
        found = Counter(fact(m) for m in mbox + maildir)
        for token in tokens + ["token-old"]:
            if not 1 <= found[("message", token)] <= 2:
                wrong.append("%s is there %d times" % (token, found[("message", token)]))
        if ended and len(mbox) != 1 + len(tokens):
            wrong.append("%d messages in the mbox" % len(mbox))
        return wrong
    return run.history(), judge


def cut_back(world):
    """An append to an mbox fails in the middle, the file being as large as it may be: when that is
    reported the mailbox is as it was."""
    old = b"From sender@here.test Sat Nov 21 12:00:00 2026\nReturn-Path: <sender@here.test>\n" + message("token-old") + b"\n"
    world.own("bob", "Mailbox", old, 0o600)
    home = os.path.join(world.homes, "bob")
    script = world.file("message", message("token-new-long"))
    with world.recording(["homes"]) as run:
        code = run("prlimit --fsize=4096:4096 qmail-local bob %s bob '' '' here.test sender@here.test ./Mailbox < %s" % (home, script))
        if code != 111:
            raise RuntimeError("qmail-local exits %d" % code)

    def judge(files, ended):
        content = files.get("homes/bob/Mailbox", b"")
        if ended and content != old:
            return ["the mailbox is not as it was"]
        return [] if content.startswith(old) else ["what was in the mailbox is gone"]
    return run.history(), judge


def maildir_made(world):
    home = os.path.join(world.homes, "bob")
    with world.recording(["homes"]) as run:
        if run("cd %s && maildirmake Fresh" % home):
            raise RuntimeError("maildirmake fails")

    def judge(files, ended):
        parts = ["homes/bob/Fresh"] + ["homes/bob/Fresh/" + n for n in ("tmp", "new", "cur")]
        return ["%s is not there" % p for p in parts if ended and p not in files]
    return run.history(), judge


# name: the scene, the program that ends it, its exit code
PROGRAMS = {
    "newu": (newu, "qmail-newu", 0),
    "newmrh": (newmrh, "qmail-newmrh", 0),
    "moved": (moved, "maildir2mbox", 0),
    "cut-back": (cut_back, "qmail-local", 111),
    "maildirmake": (maildir_made, "maildirmake", 0),
}
