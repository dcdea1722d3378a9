"""rig - the installed system at work under trip, and started again afterwards.

    world(tree)                             # users and control files, once
    rig = Rig(tree.path, tree.scratch)      # in a process of its own: covers the tree with a copy
    run = rig.run(SCENES["mbox"], trip("qmail-local", 17, "kill-after"))
    wrong, extra = ledger.judge(SCENES["mbox"], run, ...)
    found = pool(tree, work, tasks)         # work(rig, task) of all tasks, several at once

A run is a life: mail is put in by the programs of the scene and the real system works, all of
it below trip; until the queue is empty, or everything has died, or it has to be stopped since what
went wrong is put off. Then comes a second life without trip, until the queue is empty.

Users, all with ids of their own:

  alice, sender, postmaster    a maildir         bob    an mbox
  fwd    &alice                prog   |forward bob@here.test
  deny   a program that refuses
  many   a maildir, an mbox, &dora@far.test
  virt-anything, which is anything@virt.test: a maildir

Of the recipients at far.test bad... are refused, later... put off once, others taken."""
import multiprocessing, os, pwd, re, shutil, signal, subprocess, time, zlib
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, as_completed, wait

from queue_maker import Queue
from reqmail import read, wait_for, write
from drain import LIMIT_S, Sink, Worker
from scenes import message

TRIP = os.environ.get("TRIP") or os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
                                              os.environ.get("BUILD", "build"), "tests/proof/trip")
QUEUE = ["queue/" + n for n in ("pid", "mess", "intd", "todo", "info", "local", "remote", "bounce")]
DOT_QMAIL = {
    "alice": "./Maildir/\n", "sender": "./Maildir/\n", "postmaster": "./Maildir/\n", "bob": "./Mailbox\n",
    "fwd": "&alice@here.test\n", "prog": "|forward bob@here.test\n", "deny": "|echo no; exit 100\n",
    "many": "./Maildir/\n./Mailbox\n&dora@far.test\n", "virt": None,
}
MAILDIRS = ("alice", "sender", "postmaster", "many", "virt")
MBOXES = ("bob", "many")
BOXES = [u + "/Maildir" for u in MAILDIRS] + [u + "/Mailbox" for u in MBOXES]
IDS = {name: 60200 + i for i, name in enumerate(DOT_QMAIL)}
PUT_OFF_S = 0.25  # nothing in the log for so long after a warning: it tries again in minutes
ALARMS = 40  # what has not gone after so many ALRMs is stuck
LEAVE_S = 20
LIFE_S = 120  # however much is in the log: somebody goes round in circles
PULL_S = 0.3  # nothing in the log for so long, and something in todo
RESTED, ENDED, PUT_OFF, STUCK = "rested", "ended", "put off", "stuck"


class Place:
    """What queue_maker's Queue needs of a tree."""

    def __init__(self, path):
        self.path = path

    def at(self, *parts):
        return os.path.join(self.path, *parts)

    def ids(self, line):
        entry = pwd.getpwnam(("alias", "qmaild", "qmaill", "root", "qmailp", "qmailq", "qmailr", "qmails")[line])
        return entry.pw_uid, entry.pw_gid

    def bin(self, name):
        return self.at("bin", name)


class Mail:
    """One message, by whom it is put in, and to whom it goes. by None: it is in the queue, sorted, and what
    fails has failed."""

    def __init__(self, token, recipients, by="qmail-inject", sender="sender@here.test"):
        self.token, self.recipients, self.by, self.sender = token, recipients, by, sender


class Scene:
    """running: the system is started while the mail is put in, not afterwards. together: how many
    recipients one qmail-remote may have."""

    def __init__(self, *mails, running=False, together=1):
        self.mails, self.running, self.together = mails, running, together


SCENES = {
    "maildir": Scene(Mail("token-maildir-long", ["alice@here.test"])),
    "mbox": Scene(Mail("token-mbox-long", ["bob@here.test"], "sendmail")),
    "remote": Scene(Mail("token-remote", ["dora@far.test", "later@far.test"], "qmail-smtpd")),
    "together": Scene(Mail("token-together", ["dora@far.test", "later@far.test", "bad6@far.test", "erin@far.test"], "qmail-smtpd"), together=10),
    "forward": Scene(Mail("token-forward", ["fwd@here.test", "prog@here.test"])),
    "bounce": Scene(Mail("token-bounce", ["bad1@far.test", "nobody@here.test"], "qmail-smtpd")),
    "double": Scene(Mail("token-double", ["deny@here.test"], sender="bad@far.test")),
    "many": Scene(Mail("token-many", ["many@here.test", "x@virt.test", "alice@here.test", "bob@here.test", "dora@far.test",
                                      "fwd@here.test", "bad2@far.test"], "qmail-smtpd")),
    "stream": Scene(Mail("token-s1", ["alice@here.test", "dora@far.test"], "qmail-smtpd"),
                    Mail("token-s2", ["fwd@here.test", "bob@here.test", "bad3@far.test"]), running=True),
    "waiting": Scene(Mail("token-w1", ["alice@here.test", "bob@here.test"], None), Mail("token-w2", ["dora@far.test"], None),
                     Mail("token-w3", ["fwd@here.test", "bad4@far.test"], None), Mail("token-w4", ["bad5@far.test"], None)),
}


def world(tree):
    """What all scenes need. The tree is stopped."""
    homes = tree.at("homes")
    shutil.rmtree(homes, True)
    os.mkdir(homes, 0o755)
    lines = []
    for name, text in DOT_QMAIL.items():
        home = os.path.join(homes, name)
        os.mkdir(home, 0o755)
        if name in MAILDIRS:
            for part in ("", "/tmp", "/new", "/cur"):
                os.mkdir(home + "/Maildir" + part, 0o700)
        write(home + ("/.qmail" if text else "/.qmail-default"), text or "./Maildir/\n")
        for at, _, files in os.walk(home):
            for path in [at] + [os.path.join(at, f) for f in files]:
                os.chown(path, IDS[name], IDS[name])
        lines.append("=%s:%s:%d:%d:%s:::\n" % (name, name, IDS[name], IDS[name], home))
    lines.append("+virt-:virt:%d:%d:%s:-::\n" % (IDS["virt"], IDS["virt"], os.path.join(homes, "virt")))
    write(tree.at("users/assign"), "".join(lines) + ".\n")
    subprocess.run([tree.bin("qmail-newu")], check=True, timeout=20)
    tree.control("virtualdomains", "virt.test:virt\n")
    tree.control("rcpthosts", "here.test\nvirt.test\n")


def trip(program, number=None, action=None, mark=None, place=None):
    """The arguments of trip, but for -o and -t; program None: no trip at all."""
    if program is None:
        return []
    point = (["-n", str(number)] if number else []) + (["-p", place] if place else []) + (["-a", action] if action else [])
    return point + (["-m", mark] if mark else []) + [program]


class Run:
    """What a run has come to: the first life's log, what was said to those who put mail in (token ->
    True, or nothing), what it came to and whether it left when told; then how things are at the end.
    calls: trip's lines; hit: the last of them, when the point was reached."""

    def __init__(self):
        self.accepted, self.log, self.first_log = {}, b"", b""
        self.codes = {}
        self.came_to, self.rested, self.left = None, False, False
        self.calls, self.hit = [], None
        self.files, self.sent, self.leftovers = {}, [], []
        self.seconds = 0


class Rig(Worker):
    def __init__(self, tree, scratch):
        super().__init__(tree, scratch, QUEUE + ["homes/%s/Maildir" % u for u in MAILDIRS])
        self.mboxes = [os.path.join(self.homes, u, "Mailbox") for u in MBOXES]
        self.scratch = os.path.join(tree, "scratch")
        os.mkdir(self.scratch, 0o755)
        self.log_path = os.path.join(self.scratch, "log")
        self.environment = {"PATH": tree + "/bin:/usr/bin:/bin", "LC_ALL": "C"}
        self.scripts = {}

    def clear(self):
        super().clear()
        for path in self.mboxes:
            if os.path.exists(path):
                os.unlink(path)
        del self.sink.taken[:]
        self.sink.put_off.clear()

    def at(self, name):
        return os.path.join(self.scratch, name)

    # -- the scene as a shell script

    def queue(self):
        return Queue(Place(self.tree), self.split)

    def sort_in(self, mail):
        """Puts it into the queue, as qmail-send has sorted it and as the first attempts have left it."""
        queue, failed = self.queue(), [r for r in mail.recipients if r.startswith("bad")]
        records = {"local": [], "remote": []}
        for r in mail.recipients:
            records["remote" if r.endswith("@far.test") else "local"].append(("D" if r in failed else "T").encode() + r.encode())
        number = queue.ready(mail.sender.encode(), body=message(mail.token), **records,
                             bounce="".join("<%s>:\nno\n\n" % r for r in failed).encode() or None)
        for kind in queue.files(number):
            os.utime(queue.path(kind, number))

    def source(self, mail):
        """The file that is read; behind it .replies, for those of qmail-smtpd. Its name is the same in all scenes,
        but for numbers."""
        return self.at("mail.%d" % zlib.crc32(mail.token.encode()))

    def replies(self, mail):
        return read(self.source(mail) + ".replies")

    def put_in(self, mail):
        """The command that puts it in, its exit code appended to codes."""
        source = self.source(mail)
        recipients = " ".join(mail.recipients)
        as_user = "setpriv --reuid %d --regid %d --clear-groups " % ((IDS["sender"],) * 2)
        if mail.by == "qmail-smtpd":
            lines = [b"EHLO client.test", b"MAIL FROM:<%s>" % mail.sender.encode()]
            lines += [b"RCPT TO:<%s>" % r.encode() for r in mail.recipients] + [b"DATA"]
            write(source, b"\r\n".join(lines) + b"\r\n" + message(mail.token).replace(b"\n", b"\r\n") + b".\r\nQUIT\r\n")
            command = ("env PROTO=TCP TCPLOCALIP=127.0.0.1 TCPLOCALHOST=here.test TCPREMOTEIP=127.0.0.1 TCPREMOTEHOST=client.test"
                       " RELAYCLIENT= setpriv --reuid qmaild --regid nofiles --clear-groups qmail-smtpd < %s > %s.replies") % (source, source)
        elif mail.by == "sendmail":
            write(source, message(mail.token))
            command = as_user + "sendmail -f %s %s < %s" % (mail.sender, recipients, source)
        else:
            write(source, message(mail.token))
            command = as_user + "qmail-inject -f %s %s < %s" % (mail.sender, recipients, source)
        return "%s 2>> %s; echo %s $? >> %s\n" % (command, self.at("errors"), mail.token, self.at("codes"))

    def script(self, scene):
        if scene not in self.scripts:
            put_in = "".join(self.put_in(m) for m in scene.mails if m.by) + "echo end 0 >> %s\n" % self.at("codes")
            start = "exec qmail-start ./Maildir/ > %s 2>&1\n" % self.log_path
            text = "echo $$ > %s\n" % self.at("pid") + ("{ %s} &\n" % put_in if scene.running else put_in) + start
            self.scripts[scene] = write(self.at("script.%d" % len(self.scripts)), text)
        return self.scripts[scene]

    def codes(self):
        lines = [line.split() for line in read(self.at("codes")).decode().splitlines()]
        return {line[0]: int(line[1]) for line in lines if len(line) == 2}

    def accepted(self, mail):
        if mail.by == "qmail-smtpd":
            return bool(re.search(rb"^250 ok \d+ qp \d+", self.replies(mail), re.M))
        return mail.by is None or self.codes().get(mail.token) == 0

    # -- lives

    def launch(self, arguments):
        return subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                env=self.environment, cwd="/", start_new_session=True)

    def under_trip(self, arguments, command):
        return ([TRIP, "-w", "-t", self.tree, "-o", self.at("calls")] + arguments if arguments else []) + command

    def settle(self, process, pid, ready, put_off_s, most=ALARMS):
        """Until nothing is left to be done: RESTED. Or everything has ENDED, what is left is PUT_OFF after
        trouble, or nothing happens any more: STUCK. Deferred deliveries are hastened by ALRM; and a message whose
        qmail-queue had no time to pull the trigger, by pulling it as the next one's would."""
        alarms, answered, log, since, pulled = 0, 0, b"", time.monotonic(), False
        end = since + LIFE_S
        while time.monotonic() < end and time.monotonic() < since + (put_off_s if b"warning: " in log else LIMIT_S):
            before, log = log, self.log()
            if log != before:
                since, pulled = time.monotonic(), False
            if not pulled and time.monotonic() > since + PULL_S and self.left("todo"):
                pulled = True
                self.pull()
            if (log.startswith(b"status:") or b"\nstatus:" in log) and ready():
                if not self.at_work():
                    # the one that has ended has left no other behind, a bounce
                    if not self.at_work() and self.log() == log and log.rsplit(b"status: ", 1)[1].startswith(b"local 0/"):
                        return RESTED
                deferred = len(re.findall(rb": deferral: |: report mangled", log))
                if log.count(b"starting delivery") == log.count(b"\ndelivery ") and deferred > answered:
                    if alarms == most:
                        return STUCK
                    alarms, answered = alarms + 1, deferred
                    self.send(pid(), signal.SIGALRM)
            if process.poll() is not None:
                return ENDED
            if log.count(b"sleeping...\n") > 1:
                return PUT_OFF  # it will be the same again
            time.sleep(0.004)
        return PUT_OFF if time.monotonic() < end and b"warning: " in log else STUCK

    def pull(self):
        try:
            fd = os.open(self.tree + "/queue/lock/trigger", os.O_WRONLY | os.O_NONBLOCK)
            os.write(fd, b"\0")
            os.close(fd)
        except OSError:
            pass  # nobody reads it

    @staticmethod
    def send(pid, number):
        try:
            if pid:
                os.kill(pid, number)
        except ProcessLookupError:
            pass

    def leave(self, process, pid):
        """TERM for qmail-send. Whether all ends by itself."""
        try:
            self.send(pid, signal.SIGTERM)
            process.wait(LEAVE_S)
            return True
        except subprocess.TimeoutExpired:
            return False

    def pid(self):
        return int(read(self.at("pid")) or 0)

    def together(self, most):
        """How many recipients may share a qmail-remote."""
        path = self.tree + "/control/remoterecipients"
        if most > 1:
            write(path, "%d\n" % most)
        elif os.path.exists(path):
            os.unlink(path)

    def first(self, scene, arguments, run, alarms):
        """The life below trip."""
        for name in ("log", "pid", "codes", "calls", "errors"):
            write(self.at(name), b"")
        self.together(scene.together)
        for mail in scene.mails:
            if mail.by == "qmail-smtpd":
                write(self.source(mail) + ".replies", b"")
        process = self.launch(self.under_trip(arguments, ["/bin/sh", self.script(scene)]))
        try:
            run.came_to = self.settle(process, self.pid, lambda: "end" in self.codes(), PUT_OFF_S, alarms)
            run.left = process.poll() is not None or self.leave(process, self.pid())
        finally:
            self.end(process)
        run.first_log, run.codes = self.log(), self.codes()
        run.accepted = {m.token: True for m in scene.mails if self.accepted(m)}
        run.calls, run.hit = self.calls()

    def second(self, run):
        """The life after it, in which what waits is due at once."""
        write(self.log_path, b"")
        with open(self.log_path, "ab") as log:
            process = subprocess.Popen([self.tree + "/bin/qmail-start", "./Maildir/"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       env=self.environment, cwd="/", start_new_session=True)
        try:
            wait_for(lambda: b"status:" in self.log(), LIMIT_S, 0.004)
            process.send_signal(signal.SIGALRM)
            run.rested = self.settle(process, lambda: process.pid, lambda: True, 1.5) == RESTED
        finally:
            self.end(process)
        run.log = self.log()

    def command(self, arguments):
        """Its exit code."""
        return subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env=self.environment, timeout=60).returncode

    def alone(self, arguments, command, runs=False):
        """A line for the shell below trip: exit code, trip's calls, its line on the point. runs: it starts the
        system, with its process id in pid, which is told to leave when there is an end in codes."""
        write(self.at("calls"), b"")
        write(self.at("pid"), b"")
        process = self.launch(self.under_trip(arguments, ["/bin/sh", "-c", command]))
        try:
            if runs:
                wait_for(lambda: process.poll() is not None or "end" in self.codes(), LIMIT_S, 0.004)
                self.leave(process, self.pid())
            process.wait(60)
        finally:
            self.end(process)
        return process.returncode, *self.calls()

    def calls(self):
        """What trip has written: the calls in the order of their numbers, and the line on the point."""
        lines = [n for n in read(self.at("calls")).decode("latin1").splitlines(True) if n.endswith("\n")]
        calls = sorted((n.strip() for n in lines if n[0].isdigit()), key=lambda n: int(n.split(" ", 1)[0]))
        return calls, next((n.strip() for n in lines if n.startswith("hit ")), None)

    def run(self, scene, arguments=(), again=True, prepare=None, alarms=ALARMS):
        """arguments: of trip(). again=False: no second life where the first came to rest. prepare: called
        when queue and mailboxes are empty. alarms: how often what is put off is hastened in the first."""
        begin = time.monotonic()
        run = Run()
        self.clear()
        for mail in scene.mails:
            if mail.by is None:
                self.sort_in(mail)
        if prepare:
            prepare(self)
        self.script(scene)
        self.first(scene, list(arguments), run, alarms)
        if again or run.came_to != RESTED:
            self.second(run)
        else:
            run.rested = True
        self.look(run)
        run.seconds = time.monotonic() - begin
        return run

    def look(self, run):
        """How things are."""
        run.leftovers, run.sent = sorted(self.left()), list(self.sink.taken)
        run.files = {}
        for box in BOXES:
            path = os.path.join(self.homes, box)
            for name in [path] if box.endswith("Mailbox") else [os.path.join(path, part, n) for part in ("new", "cur")
                                                               for n in os.listdir(os.path.join(path, part))]:
                if os.path.exists(name):
                    run.files[os.path.relpath(name, self.tree)] = read(name)


_rig = None


def _begin(tree, scratch):
    global _rig
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _rig = Rig(tree, scratch)


def _do(work, task):
    return work(_rig, task)


def pool(tree, work, tasks, workers=2):
    """work(rig, task) for each task, in workers with a rig each: yields (task, result) as they end. work is
    a function of a module. tasks may go on for as long as results are taken."""
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(workers, context, _begin, (tree.path, tree.scratch)) as executor:
        waiting = {}
        try:
            for task in tasks:
                waiting[executor.submit(_do, work, task)] = task
                while len(waiting) > 2 * workers:
                    for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                        yield waiting.pop(future), future.result()
            for future in as_completed(list(waiting)):
                yield waiting[future], future.result()
        finally:
            executor.shutdown(cancel_futures=True)
