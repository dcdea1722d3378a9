"""scenes - what is recorded: runs of the installed system, in a tree with four users.

  alice    a maildir
  bob      an mbox
  sender   a maildir, to which bounces come
  fwd      forwards to alice

Remote recipients at far.test are taken by a server here, but for those named bad....
A message is known by a word in its subject, token-..., and whole when its body is."""
import os, re, shutil, socket, stat, subprocess, time
from collections import Counter
from reqmail import SOURCE, write, read, wait_for
from record import Recording
from drain import Sink, routes

QUEUE = ["queue/" + n for n in ("pid", "mess", "intd", "todo", "info", "local", "remote", "bounce")]
ROOTS = QUEUE + ["queue/lock/tcpto", "homes"]
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
        self.source, self.build = SOURCE, os.environ["BUILD"]  # where helpers that are not installed are run from
        self.split = len([n for n in os.listdir(tree.at("queue/mess")) if n.isdigit()])
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
        for name in os.listdir(self.tree.at("queue")):
            if name.startswith("qfix."):
                shutil.rmtree(self.tree.at("queue", name))
        write(self.tree.at("queue/lock/tcpto"), bytes(1024), 0o644, self.tree.ids(6))
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


def host_is_dead(world):
    """A host does not answer, which qmail-remote notes in lock/tcpto; another one does."""
    def put(run, token, recipient):
        if run("qmail-inject -f sender@here.test %s < %s" % (recipient, world.file("message-" + token, message(token)))):
            raise RuntimeError("qmail-inject fails")
    listener = socket.socket()
    listener.bind(("127.0.0.2", 0))
    listener.listen(0)
    full = [socket.socket() for _ in range(3)]  # connections that fill its queue: there is no room for more
    for s in full:
        s.setblocking(False)
        s.connect_ex(listener.getsockname())
    world.tree.control("timeoutconnect", "1\n")
    world.tree.control("smtproutes", routes(world.sink.port) + "dead.test:127.0.0.2:%d\n" % listener.getsockname()[1])
    try:
        with world.recording() as run:
            world.start(run)
            put(run, "token-dead", "x@dead.test")
            if not wait_for(lambda: b": deferral: " in read(world.log), 60):
                raise RuntimeError("no deferral: %r" % read(world.log))
            put(run, "token-alive", "dora@far.test")
            world.wait_ended(1)
            world.stop(run)
    finally:
        for s in full + [listener]:
            s.close()
        world.tree.control("smtproutes", routes(world.sink.port))
        world.tree.control("timeoutconnect", None)
    history = run.history()
    if not [o for o in history.operations if o.kind == "data" and o.program == "qmail-remote"]:
        raise RuntimeError("qmail-remote has noted nothing")
    return history


SCENES = {
    "injected": injected,
    "smtp": smtp,
    "maildir": delivered("token-maildir", ["alice@here.test"]),
    "mbox": delivered("token-mbox", ["bob@here.test"]),
    "remote": delivered("token-remote", ["dora@far.test"]),
    "two": delivered("token-two", ["alice@here.test", "dora@far.test"]),  # with one recipient nothing need be synced
    "bounce": delivered("token-bounce", ["bad1@far.test", "bad2@far.test"], 2),
    "forward": delivered("token-forward", ["fwd@here.test"], 2),
    "both": delivered("token-both", ["alice@here.test", "bob@here.test", "dora@far.test", "bad@far.test"], 2),
    "dead": host_is_dead,
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


# -- orders about messages

NOTE = b"<dora@far.test>:\nThe postmaster of this host has returned this message. (#5.3.0)\n\n"
HELD, RETURNED, DELETED = 0o610, 0o601, 0o620


def waiting(world, recipients=(b"dora@far.test",), token="token-waits"):
    """A message that is not due before tomorrow; its number."""
    queue, send = world.tree.ids(5), world.tree.ids(7)
    text = message(token)
    body = write(world.tree.at("queue/pid/new"), text, 0o644, queue)
    number = os.stat(body).st_ino
    split = "%d/%d" % (number % world.split, number)
    os.rename(body, world.tree.at("queue/mess", split))
    write(world.tree.at("queue/info", split), b"Fsender@here.test\0", 0o600, send)
    path = write(world.tree.at("queue/remote", split), b"".join(b"T" + r + b"\0" for r in recipients), 0o600, send)
    os.utime(path, (time.time() + 86400,) * 2)
    return number, split


def ordered(verb, running=False, before=None):
    """An order is given; when that is confirmed it has been carried out, or is written down."""
    def scene(world):
        number, split = waiting(world)
        with world.recording() as run:
            if running:
                world.start(run)
                if not wait_for(lambda: b"status: " in read(world.log), 60):
                    raise RuntimeError("it does not start")
            if before:
                before(world, run, number)
            code = run("qmail-qctl %s %d > /dev/null" % (verb, number))
            if running:
                wait_for(lambda: verb != "return" or b"\nend msg" in read(world.log), 60)
                world.stop(run)
            if code:
                raise RuntimeError("qmail-qctl exits %d" % code)

        def judge(files, ended):
            mode, note = files.modes.get("queue/info/" + split), files.get("queue/bounce/%d" % number, b"")
            there = "queue/remote/" + split in files
            over = mode is None or "queue/mess/" + split not in files
            if verb == "hold":
                return ["it is not held: %o" % mode] if ended and mode != HELD else []
            if verb == "delete":
                return ["it is as it was"] if ended and not over and mode != DELETED else []
            if over:
                return []  # qmail-send has gone on
            if any(c and b"\nSubject: failure notice\n" in c and b"\n" + NOTE[:-1] in c for c in files.values()):
                return []  # the bounce is in the queue, or has come
            wrong = [] if there or note.endswith(NOTE) else ["it has no recipient, and is not returned"]
            return wrong + (["it is as it was"] if ended and mode != RETURNED and not (note.endswith(NOTE) or not there) else [])
        return run.history(), judge
    return scene


def noted(world, run, number):
    """The same order has been given before, by somebody who was killed before he synced."""
    note = world.file("note", NOTE)
    bounce = world.tree.at("queue/bounce/%d" % number)
    run("cat %s > %s; chown %d:%d %s; chmod 600 %s" % (note, bounce, *world.tree.ids(7), bounce, bounce))


# -- repairs of the queue

class Returns:
    """Judges what comes of a queue with these messages: token -> (who gets it, who is returned)."""

    def __init__(self, due, codes):
        self.due, self.codes = due, codes

    def __call__(self, outcome):
        wrong = [] if outcome.rested else ["no rest"]
        wrong += ["the repair exits %d: %s" % r for r in outcome.repaired if r[0] not in self.codes]
        sender, _ = mailbox(outcome.homes, "sender")
        for token, (boxes, remotes, failed) in self.due.items():
            counts = {u: mailbox(outcome.homes, u)[0][("message", token)] for u in boxes}
            for r in remotes:
                counts[r] = sum(who == r and b"Subject: %s\n" % token.encode() in data for who, data in outcome.sink)
            counts.update({f: sum(n for w, n in sender.items() if w[0] == "bounce" and w[1] == token and f in w[2]) for f in failed})
            wrong += ["%s for %s: %d times" % (token, who, n) for who, n in counts.items() if not 1 <= n <= 2]
        return wrong


def damaged(world):
    """A queue with messages in every state. Their numbers, what is due, and a function that renames them at will."""
    from queue_maker import Queue
    q = Queue(world.tree, world.split)
    due = {"token-a": (["alice"], [], []), "token-b": ([], ["dora@far.test"], []), "token-c": (["alice"], ["dora@far.test"], []),
           "token-d": (["bob"], [], ["no@far.test"]), "token-e": (["alice"], [], [])}
    body = lambda token: message("token-" + token)
    a = q.ready(sender=b"sender@here.test", local=[b"Talice@here.test"], body=body("a"))
    b = q.ready(sender=b"sender@here.test", remote=[b"Tdora@far.test"], body=body("b"))
    c = q.ready(sender=b"sender@here.test", local=[b"Talice@here.test", b"Dbob@here.test"], remote=[b"Tdora@far.test"], body=body("c"))
    d = q.ready(sender=b"sender@here.test", local=[b"Tbob@here.test"], bounce=b"<no@far.test>:\nNo.\n\n", body=body("d"))
    e = q.todo(b"u1\0p2\0Fsender@here.test\0Talice@here.test\0", body=body("e"))
    numbers = {body(t): n for t, n in zip("abcde", (a, b, c, d, e))}
    return q, due, numbers, (a, b, c, d, e)


def renumbered(world):
    """qmail-qfix gives messages of a restored queue their right numbers: two have each other's, three others'
    that are nobody's."""
    q, due, numbers, (a, b, c, d, e) = damaged(world)
    spare = max(a, b, c, d, e) + 1000
    q.rename({a: b, b: a, c: spare, d: spare + 1, e: spare + 2})
    with world.recording() as run:
        if run("qmail-qfix -r > /dev/null"):
            raise RuntimeError("qmail-qfix finds what it cannot repair")
    return run.history(), numbers, Returns(due, (0,)), ["TREE/bin/qmail-qfix", "-r"]


def resplit(world):
    """qmail-upq moves a queue with another split: files lie where that has them."""
    q, due, numbers, all_ = damaged(world)
    for number in all_:
        for kind in ("mess", "info", "local", "remote"):
            old = q.path(kind, number)
            if os.path.exists(old):
                os.rename(old, q.at(kind, (number + 1) % world.split, number))
    program = os.path.join(world.source, world.build, "qmail-upq")
    with world.recording() as run:
        if run(program):
            raise RuntimeError("qmail-upq fails")
    return run.history(), numbers, Returns(due, (0,)), [program]


def kept_aside(world):
    """qmail-qfix keeps a message aside whose envelope is damaged: it may be in one place or the other."""
    q = damaged(world)[0]
    number = q.todo(b"u1\0p2\0Xwhat\0", body=message("token-damaged"))
    with world.recording(["queue"]) as run:
        if run("qmail-qfix -r > /dev/null") != 2:
            raise RuntimeError("qmail-qfix does not find it")

    def judge(files, ended):
        every = list(files.values())
        wrong = ["its %s is gone" % what for what, text in (("message", message("token-damaged")), ("envelope", b"u1\0p2\0Xwhat\0")) if text not in every]
        alone = "queue/mess/%d/%d" % (number % world.split, number) in files and "queue/todo/%d" % number not in files
        return wrong + (["its message is alone in the queue"] if alone else [])
    return run.history(), judge


def missing(world):
    """qmail-qfix makes a directory that is missing: mail comes into it."""
    os.rmdir(world.tree.at("queue/mess/5"))
    with world.recording(["queue/mess"]) as run:
        if run("qmail-qfix -r > /dev/null"):
            raise RuntimeError("qmail-qfix fails")

    def judge(files, ended):
        return ["mess/5 is not there"] if ended and "queue/mess/5" not in files else []
    return run.history(), judge


# name: the scene, the program that ends it, its exit code; each returns its history, the inode of each message
# file by its content, the judge, and how the repair is run again (TREE is the tree)
REPAIRS = {
    "renumbered": (renumbered, "qmail-qfix", 0),
    "resplit": (resplit, "qmail-upq", 0),
}


# -- installing

def installed(world, roots, environment, before, arguments=""):
    """instpackage, and what it has made: path -> (content, mode)."""
    with world.recording(roots) as run:
        if run("cd %s && env %s %s/instpackage %s" % (world.source, environment, world.build, arguments)):
            raise RuntimeError("instpackage fails")
    made = {}
    for root in roots:
        for at, directories, names in os.walk(world.tree.at(root)):
            for name in directories + names:
                path = os.path.join(at, name)
                st = os.lstat(path)
                content = read(path) if stat.S_ISREG(st.st_mode) else None if stat.S_ISDIR(st.st_mode) else b""
                made[os.path.relpath(path, world.path)] = (content, st.st_mode & 0o7777)

    def judge(files, ended):
        wrong = []
        for path, (content, mode) in made.items():
            there = path in files
            if ended and not there:
                wrong.append(path + " is not there")
            elif ended and (files[path], files.modes[path]) != (content, mode) and not path.endswith("/trigger"):
                wrong.append("%s is not the new one: mode %o" % (path, files.modes[path]))
            elif not ended and before.get(path) and not there:
                wrong.append(path + " is gone")
            elif not ended and there and "/lock/" not in path and files[path] not in (content, before.get(path)):
                wrong.append(path + " is neither old nor new")
        return wrong
    return run.history(), judge


def upgraded(world):
    """instpackage puts programs in the place of others."""
    roots, before = ["bin", "boot"], {}
    saved = {}
    for root in roots:
        for name in os.listdir(world.tree.at(root)):
            path = world.tree.at(root, name)
            saved[path] = (read(path), os.stat(path))
            content = b"an older %s\n" % name.encode()
            before[os.path.join(root, name)] = content
            os.unlink(path)
            write(path, content, 0o755)
    try:
        return installed(world, roots, "", before)
    finally:
        for path, (content, st) in saved.items():
            os.unlink(path)
            write(path, content)
            os.chown(path, st.st_uid, st.st_gid)
            os.chmod(path, st.st_mode & 0o7777)


def new_tree(world):
    """instpackage makes a queue where there is none: when it has ended, that cannot vanish with mail in it."""
    shutil.rmtree(world.tree.at("fresh"), True)
    os.mkdir(world.tree.at("fresh"))
    try:
        return installed(world, ["fresh"], "DESTDIR=" + world.tree.at("fresh"), {}, "queue-only")
    finally:
        shutil.rmtree(world.tree.at("fresh"))


# name: the scene, the program that ends it, its exit code
PROGRAMS = {
    "held": (ordered("hold"), "qmail-qctl", 0),
    "held-running": (ordered("hold", True), "qmail-qctl", 0),
    "returned": (ordered("return"), "qmail-qctl", 0),
    "returned-running": (ordered("return", True), "qmail-qctl", 0),
    "returned-again": (ordered("return", before=noted), "qmail-qctl", 0),
    "deleted": (ordered("delete"), "qmail-qctl", 0),
    "kept-aside": (kept_aside, "qmail-qfix", 2),
    "missing": (missing, "qmail-qfix", 0),
    "upgraded": (upgraded, "instpackage", 0),
    "installed": (new_tree, "instpackage", 0),
    "newu": (newu, "qmail-newu", 0),
    "newmrh": (newmrh, "qmail-newmrh", 0),
    "moved": (moved, "maildir2mbox", 0),
    "cut-back": (cut_back, "qmail-local", 111),
    "maildirmake": (maildir_made, "maildirmake", 0),
}
