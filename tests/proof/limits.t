#!/usr/bin/env python3
"""Everything with less than it needs: address space, descriptors, file sizes, processes from
impossible to enough, a full partition, a full inode table.

  programs   each one started by itself under the limit: it ends with a code or reply that says
             temporary, or has done its work; nothing is half there
  system     qmail-start under the limit with messages in the queue: what cannot be delivered
             waits; nobody gets a bounce for it; with the limit gone all is delivered
  full       the queue, then the mailboxes, on a file system without space or without inodes:
             mail is refused temporarily, bounces and preprocessing wait; with space again all drains

In each case processor time is measured: nothing may go round in circles. PROOF=full takes all
values; otherwise some, by SEED. At the end a program that calls a limit a permanent failure, and
one that turns round and round, must be noticed."""
import os, sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system")]
from reqmail import *
import random, resource
from collections import Counter

need_private()
if sanitized:
    skip_all("sanitizers have needs of their own")
if not shutil.which("prlimit"):
    skip_all("needs prlimit")
from scenes import World, body, mailbox, message

FULL = os.environ.get("PROOF") == "full"
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
rng = random.Random(SEED)
note("SEED=%d" % SEED)
KB, MB = 1 << 10, 1 << 20
SIZE = len(message("token-x-long"))
SWEEP = {
    "as": [0, 64 * KB, 256 * KB, 512 * KB, MB, 2 * MB, 3 * MB, 4 * MB, 5 * MB, 6 * MB, 8 * MB, 12 * MB, 16 * MB, 24 * MB, 32 * MB, 64 * MB, 256 * MB],
    "nofile": list(range(0, 21)) + [24, 32, 64],
    "fsize": [0, 1, 10, 60, 100, 200, 500, 1000, 2048, 4096, SIZE - 1, SIZE, SIZE + 100, SIZE + 400, 10 * SIZE],
    "nproc": [0, 1, 2, 3, 5, 8, 20, 100],
    "stack": [0, 4 * KB, 16 * KB, 64 * KB, 128 * KB, 256 * KB, MB],
    "data": [0, 64 * KB, 256 * KB, MB, 2 * MB, 8 * MB],
}
TICKS = os.sysconf("SC_CLK_TCK")
CPU_S = 4.0  # of one program or of one life of the system: work needs a tenth of a second
QUEUED = "queued"


# Always tried: qmail-send was killed by SIGXFSZ when it wrote to info/.
KNOWN = {"fsize": [10]}


def kinds():
    return SWEEP if FULL else sorted(set(rng.sample(sorted(SWEEP), 2)) | set(KNOWN))


def values(kind):
    return SWEEP[kind] if FULL else sorted(rng.sample(SWEEP[kind], 1))


class Wrong:
    """What went wrong in many runs, as one check."""

    def __init__(self, title):
        self.title, self.runs, self.lines, self.ends = title, 0, [], Counter()

    def add(self, where, problems, end=None):
        self.runs += 1
        self.ends[end] += 1
        self.lines += ["%s: %s" % (where, p) for p in problems]

    def report(self):
        shown = "  ".join("%s: %d" % (k, n) for k, n in sorted(self.ends.items(), key=str) if k is not None)
        note("%s, %d runs: %s" % (self.title, self.runs, shown))
        return ok(self.runs and not self.lines, self.title, "\n".join(self.lines[:20]))


# -- programs by themselves

def limited(kind, value, command, **more):
    """Runs it under the limit: exit code (negative: signal), output, seconds of processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(["prlimit", "--%s=%d" % (kind, value)] + command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           cwd=more.pop("cwd", "/"), timeout=60, env=more.pop("env", {"PATH": "/usr/bin:/bin"}), **more)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.returncode, ended.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def started(code):
    """Whether the program has got as far as its first instruction: the kernel, prlimit or the
    loader of shared libraries may have given up before."""
    return code not in (126, 127, -signal.SIGKILL, -signal.SIGSEGV, 1)


def by_queue(kind, value):
    with open(inputs["message"], "rb") as on_0, open(inputs["envelope"], "rb") as on_1:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        code = subprocess.run(["prlimit", "--%s=%d" % (kind, value), tree.bin("qmail-queue")], stdin=on_0, stdout=on_1, env={}, cwd="/",
                              stderr=subprocess.DEVNULL, timeout=60, **tree.user_of(1)).returncode
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return code, code == 0, not started(code) or code in (51, 53, 54, 61, 62, 63, 64, 65, 66, 111), used


def by_inject(kind, value):
    code, _, used = limited(kind, value, [tree.bin("qmail-inject"), "-fsender@here.test", "alice@here.test"], input=MESSAGE, **tree.user_of(1))
    return code, code == 0, not started(code) or code == 111, used


def by_sendmail(kind, value):
    code, _, used = limited(kind, value, [tree.bin("sendmail"), "-fsender@here.test", "alice@here.test"], input=MESSAGE, **tree.user_of(1))
    return code, code == 0, not started(code) or code == 111, used


SMTP_ENV = {"PROTO": "TCP", "TCPLOCALIP": "127.0.0.1", "TCPLOCALHOST": ME, "TCPREMOTEIP": "127.0.0.1", "RELAYCLIENT": "", "PATH": "/bin"}


def by_smtpd(kind, value):
    code, replies, used = limited(kind, value, [tree.bin("qmail-smtpd")], input=world.smtp_script(TOKEN, ["alice@here.test"]), env=SMTP_ENV, **tree.user_of(1))
    taken = re.search(rb"^250 ok \d+ qp ", replies, re.M)
    last = re.findall(rb"^(\d\d\d) ", replies, re.M)[-1:]
    return (last or [b"-"])[0].decode(), bool(taken), not re.search(rb"^5", replies, re.M) or bool(re.search(rb"^[45]\d\d [^\n]*\n(503|500|502)", replies, re.M)), used


def by_qmtpd(kind, value):
    def netstring(b):
        return b"%d:%s," % (len(b), b)
    package = netstring(b"\n" + MESSAGE) + netstring(b"sender@here.test") + netstring(netstring(b"alice@here.test"))
    code, replies, used = limited(kind, value, [tree.bin("qmail-qmtpd")], input=package, env=SMTP_ENV, **tree.user_of(1))
    letter = re.sub(rb"^\d+:(.).*", rb"\1", replies, flags=re.S).decode("latin1")
    return letter or "-", letter == "K", letter in ("", "Z"), used


ACCEPT = {"qmail-queue": by_queue, "qmail-inject": by_inject, "sendmail": by_sendmail, "qmail-smtpd": by_smtpd, "qmail-qmtpd": by_qmtpd}


def accepting(name):
    """Mail put in under limits. Afterwards the queue holds what was said to be taken, whole, and
    nothing else."""
    wrong = Wrong("%s under limits" % name)
    for kind in SWEEP:
        for value in values(kind):
            end, taken, temporary, used = ACCEPT[name](kind, value)
            there = tree.queue_files()
            problems = []
            if not taken and not temporary:
                problems.append("ends with %s" % end)
            if taken != (sorted(n.split("/")[0] for n in there) == ["intd", "mess", "todo"]) or (not taken and there):
                problems.append("says %s, and the queue holds %s" % (end, there))
            for n in there:
                if n.startswith("mess/") and taken and not read(tree.at("queue", n)).endswith(body(TOKEN)):
                    problems.append("the message is cut short")
                os.unlink(tree.at("queue", n))
            if used > CPU_S:
                problems.append("%.1f s of processor time" % used)
            wrong.add("%s=%d" % (kind, value), problems, end)
    return wrong


def rewriting(name, source, target, content, lookup):
    """Programs that replace a file: it is the old one or the new one, and 0 means the new one."""
    wrong = Wrong("%s under limits" % name)
    for kind in SWEEP:
        for value in values(kind):
            write(source, content.replace(b"@", b"old"))
            subprocess.run([tree.bin(name)], check=True, timeout=20)
            old = read(target)
            write(source, content.replace(b"@", b"new"))
            code, _, used = limited(kind, value, [tree.bin(name)])
            now = read(target)
            problems = []
            if code not in (0, 111) and started(code):
                problems.append("ends with %s" % code)
            if code == 0 and lookup not in now or code != 0 and now not in (old,) and lookup not in now:
                problems.append("code %s, and %s has %d bytes" % (code, target, len(now)))
            left = [n for n in os.listdir(os.path.dirname(target)) if n.endswith(".tmp") and code == 0]
            if left or used > CPU_S:
                problems.append("left %s, %.1f s of processor time" % (left, used))
            wrong.add("%s=%d" % (kind, value), problems, code)
    os.unlink(source) if name == "qmail-newmrh" else write(source, assign)
    if name == "qmail-newmrh":
        os.unlink(target)
    else:
        subprocess.run([tree.bin(name)], check=True, timeout=20)
    return wrong


def moving():
    """maildir2mbox: each message is in the maildir or in the mbox, whole, or in both."""
    wrong = Wrong("maildir2mbox under limits")
    home, ids = world.homes + "/alice", world.ids["alice"]
    for kind in SWEEP:
        for value in values(kind):
            world.reset()
            world.own("alice", "Maildir/new/1.a", b"Return-Path: <x>\n" + message("token-a-long"), 0o600)
            world.own("alice", "Maildir/new/2.b", b"Return-Path: <x>\n" + message("token-b"), 0o600)
            os.utime(home + "/Maildir/new/1.a", (1, 1))
            os.utime(home + "/Maildir/new/2.b", (1, 1))
            env = {"MAILDIR": home + "/Maildir", "MAIL": home + "/mbox", "MAILTMP": home + "/mbox.tmp"}
            code, _, used = limited(kind, value, [tree.bin("maildir2mbox")], env=env, cwd=home, user=ids, group=ids, extra_groups=[])
            kept, broken = mailbox({"homes/alice/Maildir/new/" + n: read(home + "/Maildir/new/" + n) for n in os.listdir(home + "/Maildir/new")}, "alice")
            moved, cut = mailbox({"homes/bob/Mailbox": read(home + "/mbox")}, "bob")
            problems = ["broken: %s" % b for b in broken + cut]
            for token in ("token-a-long", "token-b"):
                where = (kept[("message", token)], moved[("message", token)])
                if where != ((0, 1) if code == 0 else (1, 0)) and not (code != 0 and where == (1, 1)):
                    problems.append("code %s, %s is %s" % (code, token, where))
            if code not in (0, 111) and started(code) or used > CPU_S:
                problems.append("ends with %s after %.1f s" % (code, used))
            wrong.add("%s=%d" % (kind, value), problems, code)
            for n in os.listdir(home):
                if n.startswith("mbox"):
                    os.unlink(os.path.join(home, n))
    return wrong


def reading():
    """Programs that only look: they end, and the queue and mailbox are as they were."""
    wrong = Wrong("qmail-qread, qmail-qstat, qmail-qctl, qmail-qfix, qmail-showctl, qmail-pop3d under limits")
    world.reset()
    world.queue("token-held", ["alice@here.test", "dora@far.test"])
    world.own("alice", "Maildir/new/1.a", b"Return-Path: <x>\n" + message("token-a"), 0o600)
    os.utime(world.homes + "/alice/Maildir/new/1.a", (1, 1))
    alice = {"user": world.ids["alice"], "group": world.ids["alice"], "extra_groups": [], "cwd": world.homes + "/alice"}
    commands = [(["qmail-qread"], {}), (["qmail-qstat"], {}), (["qmail-qctl", "list"], {}), (["qmail-qctl", "hold", "-a"], {}), (["qmail-qfix"], {}),
                (["qmail-showctl"], {}), (["qmail-pop3d", "Maildir"], dict(alice, input=b"STAT\r\nRETR 1\r\nQUIT\r\n"))]
    state = lambda: {n: read(tree.at("queue", n)) for n in tree.queue_files()}
    before = state()
    for command, more in commands if FULL else rng.sample(commands, 2):
        for kind in SWEEP:
            for value in values(kind):
                code, out, used = limited(kind, value, [tree.bin(command[0])] + command[1:], **dict({"stdin": subprocess.DEVNULL} if "input" not in more else {}, **more))
                problems = [] if code in (0, 1, 100, 111) or not started(code) else ["ends with %s" % code]
                if code == 100:
                    problems.append("says permanent")
                if used > CPU_S:
                    problems.append("%.1f s of processor time" % used)
                if state() != before or len(os.listdir(world.homes + "/alice/Maildir/new") + os.listdir(world.homes + "/alice/Maildir/cur")) != 1:
                    problems.append("something has changed: %s" % tree.queue_files())
                wrong.add("%s %s=%d" % (" ".join(command), kind, value), problems, code)
    world.reset()
    return wrong


# -- the system

class Life:
    """One life of the system under a limit; its log, how it left and what processor time it took."""

    def __init__(self, prefix, quiet_s=0.5, longest_s=30):
        self.log, self.changed, self.most = b"", time.monotonic(), 0
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        out, into = os.pipe()
        environment = {"PATH": tree.at("bin") + ":/usr/local/bin:/usr/bin:/bin"}
        self.process = subprocess.Popen(prefix + [tree.bin("qmail-start"), "./Maildir/"], stdin=subprocess.DEVNULL, stdout=into, stderr=into,
                                        env=environment, cwd="/", start_new_session=True)
        os.close(into)
        reader = threading.Thread(target=self.read_log, args=(out,), daemon=True)
        reader.start()
        end = time.monotonic() + longest_s
        wait_for(lambda: self.process.poll() is not None or self.spent() > CPU_S * TICKS or
                 not [n for n in tree.queue_files() if n.startswith(("todo/", "info/"))] or
                 (time.monotonic() - self.changed > quiet_s and self.spent() == self.spent(0.3)), end - time.monotonic(), 0.02)
        self.alone = self.process.poll()
        if self.alone is None:
            self.process.terminate()
        try:
            self.process.wait(20)
            self.left = True
        except subprocess.TimeoutExpired:
            self.left = False
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self.process.wait()
        wait_for(lambda: not self.members(), 10)
        reader.join(5)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.used = max(self.most / TICKS, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

    def members(self):
        """Ticks of the processes of the session, and of those they have awaited."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            fields = read("/proc/%s/stat" % pid).rsplit(b")", 1)[-1].split()
            if len(fields) > 14 and int(fields[3]) == self.process.pid and fields[0] != b"Z":
                found.append(sum(map(int, fields[11:15])))
        return found

    def spent(self, pause_s=0.0):
        time.sleep(pause_s)
        try:
            now = sum(self.members())
        except (OSError, ProcessLookupError):
            return -1
        self.most = max(self.most, now)
        return now

    def read_log(self, fd):
        while True:
            part = os.read(fd, 65536)
            if not part:
                break
            self.log += part
            self.changed = time.monotonic()
        os.close(fd)


def found_in_boxes():
    files = {}
    for at, _, names in os.walk(world.homes):
        for n in names:
            path = os.path.join(at, n)
            files[os.path.relpath(path, tree.path)] = read(path)
    facts, broken = Counter(), []
    for user in ("alice", "bob", "sender"):
        here, cut = mailbox(files, user)
        facts.update({(user,) + k: v for k, v in here.items()})
        broken += cut
    for recipient, data in world.sink.taken:
        facts[(recipient, data.endswith(body("token-many")) or data.endswith(body("token-two")))] += 1
    return facts, broken


def drain(problems):
    """The system as it should be: until the queue is empty."""
    tree.start()
    end = time.monotonic() + 40
    while [n for n in tree.queue_files() if n.startswith(("todo/", "info/"))] and time.monotonic() < end:
        tree.signal(signal.SIGALRM)
        wait_for(lambda: not [n for n in tree.queue_files() if n.startswith(("todo/", "info/"))], 0.4, 0.02)
    left = [n for n in tree.queue_files() if n.startswith(("todo/", "info/", "local/", "remote/", "bounce/"))]
    if left:
        problems.append("never leaves the queue: %s\n%s" % (left, tree.log()[-1500:]))
    if re.search("^(alert|warning):", tree.log(), re.M):
        problems.append("trouble without a limit: %s" % tree.log()[-1500:])
    tree.stop()


def put_messages():
    world.queue("token-many", ["alice@here.test", "bob@here.test", "fwd@here.test", "dora@far.test", "nobody@here.test"])
    world.queue("token-two", ["alice@here.test"] * 5 + ["bob@here.test"] * 5 + ["dora@far.test"] * 5 + ["prog@here.test"] * 3)


def wanted():
    """user or recipient, what: how often."""
    return {("alice", "message", "token-many"): 2, ("bob", "message", "token-many"): 1, ("dora@far.test", True): 6,
            ("sender", "bounce", "token-many", ("nobody@here.test",)): 1, ("alice", "message", "token-two"): 8, ("bob", "message", "token-two"): 5}


def judge(log, problems):
    facts, broken = found_in_boxes()
    problems += ["broken: %s" % b for b in broken]
    extra = 0
    for what, count in wanted().items():
        if facts[what] < count:
            problems.append("lost: %s %d of %d" % (what, facts[what], count))
        extra += max(0, facts[what] - count)
    for what in set(facts) - set(wanted()):
        problems.append("nobody wanted this: %s" % (what,))
    return extra


def system(kind, value, wrong):
    world.reset()
    world.sink.taken.clear()
    put_messages()
    problems = []
    life = Life(["prlimit", "--%s=%d" % (kind, value)])
    failures = [l for l in life.log.decode("latin1").splitlines() if re.match(r"delivery \d+: failure: ", l) and "no_mailbox" not in l]
    problems += failures
    if not life.left:
        problems.append("does not leave")
    if life.alone is not None and life.alone < 0 and life.alone not in (-signal.SIGSEGV, -signal.SIGKILL):
        problems.append("killed by signal %d" % -life.alone)
    if kind == "fsize" and b"crashed" in life.log:
        problems.append("a program has been killed")
    if len(life.log.splitlines()) > 400:
        problems.append("%d lines in the log" % len(life.log.splitlines()))
    if life.used > CPU_S:
        problems.append("%.1f s of processor time" % life.used)
    done_ = not [n for n in tree.queue_files() if n.startswith(("todo/", "info/"))]
    drain(problems)
    extra = judge(life.log, problems)
    if extra:
        # a delivery whose report or mark is lost is made again
        killed = life.alone is not None and life.alone < 0  # as without stack: no program can help that
        if not killed and not re.search(rb"trouble marking|lost spawn|crashed|mangled|unable to unlink|trouble injecting|report_status", life.log):
            problems.append("%d twice, and nothing tells why" % extra)
    if problems:
        problems.append(life.log.decode("latin1")[-2500:])
    wrong.add("%s=%d" % (kind, value), problems, ("all delivered" if done_ else "died with %s" % life.alone if life.alone else "waits") + (", twice" if extra else ""))


# -- full file systems

class Small:
    """tmpfs over a directory of the tree, with its contents; fill() leaves nothing of it."""

    def __init__(self, place, option):
        self.place, self.option = place, option

    def __enter__(self):
        copy = os.path.join(tree.scratch, "small")
        subprocess.run(["cp", "-a", self.place, copy], check=True)
        st = os.stat(self.place)
        subprocess.run(["mount", "-t", "tmpfs", "-o", self.option, "tmpfs", self.place], check=True)
        subprocess.run(["cp", "-a", copy + "/.", self.place], check=True)
        os.chown(self.place, st.st_uid, st.st_gid)
        os.chmod(self.place, st.st_mode & 0o7777)
        shutil.rmtree(copy)
        self.filler = os.path.join(self.place, "filler")
        os.mkdir(self.filler, 0o700)
        return self

    def fill(self, spare=0):
        """Takes all inodes, then all space but for spare bytes."""
        if "nr_inodes" in self.option:
            try:
                for i in range(100000):
                    open(os.path.join(self.filler, str(i)), "wb").close()
            except OSError:
                return
        with open(os.path.join(self.filler, "space"), "wb", buffering=0) as f:
            try:
                while True:
                    f.write(bytes(4096))
            except OSError:
                pass
            if spare:
                f.truncate(max(0, f.tell() - spare))

    def empty(self):
        for n in os.listdir(self.filler):
            os.unlink(os.path.join(self.filler, n))

    def __exit__(self, *_):
        tree.stop()
        wait_for(lambda: subprocess.run(["umount", self.place], stderr=subprocess.DEVNULL, timeout=60).returncode == 0, 20)


def wake():
    try:
        fd = os.open(tree.at("queue/lock/trigger"), os.O_WRONLY | os.O_NONBLOCK)
        os.write(fd, b"\0")
        os.close(fd)
    except OSError:
        pass


def nothing_taken(title):
    before = sorted(tree.queue_files())
    ends = {name: ACCEPT[name]("core", 0) for name in ACCEPT}
    ok(not any(e[1] for e in ends.values()) and all(e[2] for e in ends.values()) and sorted(tree.queue_files()) == before,
       "%s: everybody who brings mail is told to come again" % title, (ends, before, tree.queue_files()))
    note("%s: %s" % (title, {n: e[0] for n, e in ends.items()}))


def full_queue(option, title):
    world.reset()
    world.sink.taken.clear()
    with Small(tree.at("queue"), option) as disk:
        disk.fill()
        nothing_taken(title)
        disk.empty()
        put_messages()
        disk.fill()
        begun = resource.getrusage(resource.RUSAGE_CHILDREN)
        started_ = tree.start()
        ok(started_ and tree.wait_log(r"^warning: (unable to create|trouble writing to) (info|local|remote)/"),
           "%s: preprocessing waits" % title, tree.log())
        nothing_taken("%s, with qmail-send" % title)
        wake()
        lines = len(tree.log().splitlines())
        ok(lines < 200 and tree.process.poll() is None, "%s: and qmail-send is there, quietly" % title, tree.log()[-2000:])
        disk.empty()
        wake()
        problems = []
        ok(tree.wait_log(r"^end msg ", 40, 4) and tree.wait_empty(), "%s: with space again all drains" % title, tree.log()[-3000:])
        tree.stop()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - begun.ru_utime - begun.ru_stime
        judge("", problems)
        ok(not problems and used < 4 * CPU_S, "%s: each once, %.1f s of processor time" % (title, used), "\n".join(problems))


def full_notes():
    """The queue fills when the deliveries are about to be reported: the notes of failures have no
    place, then the bounce."""
    world.reset()
    world.sink.taken.clear()
    with Small(tree.at("queue"), "size=400k") as disk:
        gate = world.own("prog", "gate", b"")
        os.unlink(gate)
        world.own("prog", ".qmail", b"|while test ! -e gate; do sleep 0.05; done; echo no; exit 100\n")
        world.queue("token-many", ["prog@here.test"])
        tree.start()
        tree.wait_log(r"^starting delivery 1:")
        disk.fill()
        write(gate, b"")
        ok(tree.wait_log(r"^alert: unable to append to bounce message; HELP! sleeping\.\.\."), "no space for a note: an alert", tree.log())
        disk.empty()
        ok(tree.wait_log(r"^bounce msg ", 40) and tree.wait_empty(), "with space again the note is written, and returned", tree.log())
        tree.stop()
        facts, broken = found_in_boxes()
        same((facts, broken), (Counter({("sender", "bounce", "token-many", ("prog@here.test",)): 1}), []), "once, and whole")
        # the bounce itself
        os.unlink(gate)
        world.reset()
        world.own("prog", ".qmail", b"|while test ! -e gate; do sleep 0.05; done; echo no; exit 100\n")
        world.queue("token-two-long", ["prog@here.test"])
        tree.start()
        tree.wait_log(r"^starting delivery 1:")
        disk.fill(8192)
        write(gate, b"")
        ok(tree.wait_log(r"^warning: trouble injecting bounce message, will try later"), "no space for the bounce: it waits", tree.log())
        disk.empty()
        tree.stop()
        tree.start()
        ok(tree.wait_log(r"^bounce msg ", 40) and tree.wait_empty(), "with space again it goes out", tree.log())
        tree.stop()
        facts, broken = found_in_boxes()
        same((facts, broken), (Counter({("sender", "bounce", "token-two-long", ("prog@here.test",)): 1}), []), "once, and whole")
    world.reset()
    world.own("prog", ".qmail", PROG)


def full_homes(option, title):
    world.reset()
    world.sink.taken.clear()
    put_messages()
    with Small(world.homes, option) as disk:
        world.own("bob", "Mailbox", b"From x Mon Jan  1 00:00:00 2024\n" + b"Return-Path: <x>\n" + message("token-before"), 0o600)
        before = read(world.homes + "/bob/Mailbox")
        disk.fill(2048 if "size" in option else 0)
        life = Life([])
        failures = re.findall(rb"^delivery \d+: failure: (?!Sorry,_no_mailbox).*", life.log, re.M)
        ok(life.left and not failures, "%s: what does not fit is put off" % title, (failures, life.log[-2000:]))
        now = read(world.homes + "/bob/Mailbox")
        facts, broken = found_in_boxes()
        ok(now.startswith(before) and not broken and life.used < CPU_S, "%s: no mailbox holds half a message" % title, (broken, life.used))
        disk.empty()
        problems = []
        drain(problems)
        facts, broken = found_in_boxes()
        facts.pop(("bob", "message", "token-before"), None)
        problems += broken + ["%s: %d of %d" % (k, facts[k], n) for k, n in wanted().items() if facts[k] != n]
        ok(not problems, "%s: with space again all drains, each once" % title, "\n".join(problems))


# -- the test of the test

def doctored(name, script):
    """The system with a program that does the wrong thing under a limit."""
    place, kept = tree.bin(name), os.path.join(tree.scratch, name)
    old = os.stat(place)
    shutil.move(place, kept)
    write(place, script % kept, old.st_mode & 0o7777)
    os.chown(place, old.st_uid, old.st_gid)
    os.chmod(place, 0o755)
    wrong = Wrong(name)
    system("fsize", 100, wrong)
    shutil.move(kept, place)
    return wrong.lines


TOKEN = "token-x-long"
MESSAGE = message(TOKEN)
PROG = b"|cat > /dev/null\n./Maildir/\n"
tree = Tree()
world = World(tree)
home = world.homes + "/prog"
os.mkdir(home, 0o755)
os.chown(home, 60110, 60110)
world.ids["prog"] = 60110
assign = read(tree.at("users/assign"))[:-2] + b"=prog:prog:60110:60110:%s:::\n.\n" % home.encode()
write(tree.at("users/assign"), assign)
subprocess.run([tree.bin("qmail-newu")], check=True, timeout=20)
PROG = b"|cat > /dev/null\n&alice@here.test\n"
world.own("prog", ".qmail", PROG)
plain_reset = world.reset


def reset():
    plain_reset()
    world.own("prog", ".qmail", PROG)


world.reset = reset
inputs = {"message": world.file("message", MESSAGE), "envelope": world.file("envelope", b"Fsender@here.test\0Talice@here.test\0\0")}
for name in inputs.values():
    os.chmod(name, 0o644)
try:
    for name in ACCEPT:
        accepting(name).report()
    rewriting("qmail-newmrh", tree.at("control/morercpthosts"), tree.at("control/morercpthosts.cdb"),
              b"".join(b"h%d.@.test\n" % i for i in range(300)), b"h299.new.test").report()
    rewriting("qmail-newu", tree.at("users/assign"), tree.at("users/cdb"),
              b"".join(b"=u%d:alice:60100:60100:/@:::\n" % i for i in range(300)) + b".\n", b"/new").report()
    moving().report()
    reading().report()
    for kind in kinds():
        wrong = Wrong("the system under limits: " + kind)
        for value in sorted(set(values(kind)) | set(KNOWN.get(kind, ()))):
            system(kind, value, wrong)
        wrong.report()
    parts = [lambda: full_queue("size=400k", "a full partition"), lambda: full_queue("size=4m,nr_inodes=200", "a full inode table"), full_notes,
             lambda: full_homes("size=128k", "full homes"), lambda: full_homes("size=4m,nr_inodes=40", "homes without inodes")]
    for part in parts if FULL else rng.sample(parts, 1):
        part()
    ok(doctored("qmail-local", "#!/bin/sh\n%s \"$@\"\ncase $? in 111) echo no; exit 100;; esac\n"), "noticed: a limit that is called a permanent failure")
    ok(doctored("qmail-rspawn", "#!/bin/sh\nwhile :; do :; done &\nexec %s\n"), "noticed: a program that goes round in circles")
finally:
    tree.stop()
    plain_reset()
    shutil.rmtree(world.homes, True)
done()
