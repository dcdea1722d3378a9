#!/usr/bin/python3
"""Load. The installed system under svscan, with all services, is given mail by many clients at once
while daemons and workers are killed, signalled, stopped and started, control files edited, messages
held and released, and remote servers are slow, busy, dead or hang up. A ledger has every message that
was sent and what was answered; in the end every mailbox and every server is read, and

  - what was accepted has reached each recipient, or its failure the sender, or else the postmaster, whole
  - what got no clear answer is wholly there or not at all; what was refused is not there
  - nothing else is there, and nothing that is not what was sent
  - a second copy has a cause in the log, one of those of qmail-durability(7)

First comes a quiet phase, without kills: nothing may come twice. At the end the log has no line that
qmail-log does not know, the queue is sound and empty, nobody spins, leaks descriptors or leaves
zombies, and what the killed left behind is removed when it is old. Then the test of the test: a
message taken away, one altered, one doubled are noticed.

SEED=N gives the same mail and the same deeds in the same order; the instants are not the same.
PROOF=full: 10,000 messages and 500 kills and signals."""
import os, sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system")]
from reqmail import *

need_private()
import json, random
from collections import Counter

from load_chaos import Chaos, processes, state
from load_clients import Load
from load_ledger import COMPLAINTS, Log, judge
from load_mail import LIST, MAILDIRS, MBOXES, MEMBERS, ME, VIRTUAL, Found, Ledger
from load_sinks import Sinks
from queue_check import Owners, Queue

FULL = os.environ.get("PROOF") == "full"
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
QUIET = int(os.environ.get("QUIET", 1000 if FULL else 80))       # messages without kills
MESSAGES = int(os.environ.get("MESSAGES", 9500 if FULL else 300))  # with
DEEDS = int(os.environ.get("DEEDS", 520 if FULL else 40))        # kills and signals
PAUSE_S = float(os.environ.get("PAUSE", 0.7 if FULL else 0.2))   # between them, on average
MOST_QUEUED = 400                                                # clients wait while there is more
DRAIN_S = 900
DAEMONS = ("qmail-send", "qmail-lspawn", "qmail-rspawn", "qmail-clean", "tcpserver")
WORKERS = ("qmail-smtpd", "qmail-qmtpd", "qmail-queue", "qmail-local", "qmail-remote", "qmail-inject", "sendmail", "tcp-env")


class LoadServices(Services):
    """Those of the build, with logs that keep everything, and SMTP over IPv6."""

    def __init__(self, tree, services):
        port6 = services.pop("smtp6")
        super().__init__(tree, services)
        directory = os.path.join(self.top, "smtp6")
        shutil.copytree(os.path.join(self.top, "smtp"), directory)
        uid, gid = tree.ids(1)
        write(directory + "/run", "#!/bin/sh\nexec 2>&1\nexec env - PATH=/usr/bin:/bin RELAYCLIENT= /usr/bin/python3 %s/load_inet6.py %d %d %d %s -RH %s\n" % (
            os.path.dirname(os.path.abspath(__file__)), port6, uid, gid, tree.bin("tcp-env"), tree.bin("qmail-smtpd")), 0o755)
        self.names.append("smtp6")
        for name in self.names:
            path = os.path.join(self.top, name, "log/run")
            text = read(path).replace(b"multilog t ./main", b"multilog t s16000000 n1000 ./main")
            write(path, text, 0o755)

    def whole_log(self, name):
        """The lines with their stamps. What follows the last line feed of a multilog that was killed
        is left out."""
        directory = os.path.join(self.top, name, "log/main")
        lines = []
        for part in sorted(n for n in os.listdir(directory) if n.startswith("@")) + ["current"]:
            lines += read(os.path.join(directory, part)).decode("latin1").split("\n")[:-1]
        return lines


class World:
    def __init__(self, tree):
        self.tree, self.scratch = tree, tree.scratch
        self.sinks = Sinks(SEED, os.path.join(tree.scratch, "taken"))
        atexit.register(self.sinks.process.kill)
        self.homes = {name: tree.user(name) for name in MAILDIRS + MBOXES + [
            "s", "bad", "virt", "list", "flaky", "prog", "fwd", "source", "postmaster"]}
        for name in MBOXES:
            tree.dot_qmail(name, "./Mailbox\n")
        tree.dot_qmail("bad", "|exit 100\n")
        tree.dot_qmail("bad", "|exit 100\n", "-default")
        for name in ("s", "virt"):
            tree.dot_qmail(name, "./Maildir/\n", "-default")
        tree.dot_qmail("flaky", "|test $(($(od -An -N1 -tu1 /dev/urandom) % 3)) != 0 || exit 111\n./Maildir/\n")
        tree.dot_qmail("prog", "|f=$(date +%s.%N).$$; cat > Maildir/tmp/$f && mv Maildir/tmp/$f Maildir/new/$f\n")
        tree.dot_qmail("fwd", "&copy@ok.far.test\n")
        tree.dot_qmail("list", "".join("&%s\n" % m for m in MEMBERS), "-news")
        for extension in ("-news-owner", "-news-owner-default"):
            tree.dot_qmail("list", "./Maildir/\n", extension)
        tree.control("virtualdomains", VIRTUAL + ":virt\n")
        tree.control("rcpthosts", "%s\n%s\n" % (ME, VIRTUAL))
        tree.control("smtproutes", self.sinks.routes())
        tree.control("concurrencylocal", "100\n")
        tree.control("concurrencyremote", "100\n")
        tree.control("queuelifetime", "7000000\n")
        rules = os.path.join(tree.scratch, "tcp.smtp")
        write(rules, '127.0.0.8:allow\n127.:allow,RELAYCLIENT=""\n')
        subprocess.run(["tcprules", rules + ".cdb", rules + ".tmp"], input=read(rules), check=True, timeout=20)
        self.ports = {name: free_port() for name in ("smtp", "qmtp", "smtp6")}
        server = {"LISTEN": "127.0.0.1", "RULES": rules + ".cdb", "CONNECTIONS": 40}
        self.services = LoadServices(tree, {"send": {}, "smtp": dict(server, PORT=self.ports["smtp"]), "qmtp": dict(server, PORT=self.ports["qmtp"]),
                                            "smtp6": self.ports["smtp6"]})
        self.counted = 0, 0.0

    # -- at work

    def queued(self):
        """Messages in the queue that are not done with."""
        return sum(len(os.listdir(where)) for where in [tree.at("queue/todo")] + [
            tree.at("queue/info", part) for part in os.listdir(tree.at("queue/info"))])

    def room(self):
        count, when = self.counted
        if time.monotonic() - when > 0.3:
            self.counted = count, when = self.queued(), time.monotonic()
        return count < MOST_QUEUED

    def programs(self):
        """Whether one of .qmail runs still, perhaps without the qmail-local that has started it."""
        for pid, _ in processes("sh", "cat", "mv", "date"):
            try:
                if os.stat("/proc/%d" % pid).st_uid in [uid for uid, _, _ in tree.users.values()]:
                    return True
            except OSError:
                pass
        return False

    def drain(self):
        """Until the queue is empty and nobody at work. Whether it came to that."""
        self.sinks.say("well")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "timeout": 120}

        def empty():
            if not self.queued() and not os.listdir(tree.at("queue/bounce")) and not processes(*WORKERS) and not self.programs():
                return True
            subprocess.run([tree.bin("qmail-qctl"), "release", "-S", "held"], **quiet)
            subprocess.run([tree.bin("qmail-tcpok")], **quiet)
            subprocess.run([tree.bin("qmail-qctl"), "try", "-a"], **quiet)
            self.services.svc("-a", "send")
            return False
        return bool(wait_for(empty, DRAIN_S, 0.3))

    # -- what is there

    def found(self, ledger):
        """Every copy, and what in mboxes is not whole."""
        result, fragments = [], []
        for name, home in self.homes.items():
            if name in MBOXES:
                for content in mbox(read(home + "/Mailbox")):
                    f = ledger.read(home + "/Mailbox", content)
                    fragments.append((f.where, content)) if f.wrong else result.append(f)
            elif name != "source":
                new = home + "/Maildir/new"
                for n in os.listdir(new):
                    result.append(ledger.read(new + "/" + n, read(new + "/" + n), "prog@" + ME if name == "prog" else None))
        for recipient, content, _ in self.sinks.taken():
            if recipient.startswith("no-"):
                result.append(Found("a server", recipient, "copy", [recipient], "was refused"))
            else:
                result.append(ledger.read("a server", content, recipient))
        return result, fragments

    def log(self):
        return Log([line[26:] for line in self.services.whole_log("send")])

    def judge(self, ledger, kills):
        return judge(ledger, *self.found(ledger), self.log(), kills, SEED)


def mbox(content):
    """The messages of an mbox as they were before they were put there."""
    parts = re.split(rb"^From \S+ [A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\n", content, flags=re.M)
    if parts[0]:
        parts.insert(0, b"")
    return [re.sub(rb"^>(>*From )", rb"\1", p[:-1] if p.endswith(b"\n") else p, flags=re.M) for p in parts[1:]]


def descriptors():
    """name -> how many are open, of each daemon."""
    try:
        return sorted((name, len(os.listdir("/proc/%d/fd" % pid))) for pid, name in processes(*DAEMONS))
    except OSError:  # one has just ended
        return []


def processor_time():
    """In ticks, of each daemon."""
    result = {}
    for pid, name in processes(*DAEMONS):
        fields = state(pid)
        if fields:
            result[(pid, name)] = int(fields[11]) + int(fields[12])
    return result


def busy_daemons():
    """Those that have used more than a tick in a second, and those that were not there before."""
    before = processor_time()
    time.sleep(1)
    return [who for who, ticks in processor_time().items() if ticks - before.get(who, -9) > 1]


def zombies():
    parents = dict(processes(*DAEMONS, "supervise", "svscan", "multilog"))
    result = []
    for entry in os.listdir("/proc"):
        fields = state(entry) if entry.isdigit() else []
        if fields and fields[0] == "Z" and int(fields[1]) in parents:
            result.append((entry, parents[int(fields[1])]))
    return result


def other_clients(ports):
    """smtp-source, if it is there: all or nothing, and no failure while nobody is killed."""
    unpacked = os.path.join(SOURCE, "build/unpacked")
    program = unpacked + "/usr/sbin/smtp-source"
    environment = {"LD_LIBRARY_PATH": unpacked + "/usr/lib/postfix", "PATH": "/usr/bin:/bin"}
    if not os.path.exists(program) or b"not found" in subprocess.run(["ldd", program], stdout=subprocess.PIPE, env=environment).stdout:
        skip(1, "no smtp-source that runs here")
        return
    count = 200 if FULL else 30
    run = subprocess.run([program, "-s", "10", "-m", str(count), "-l", "3000", "-f", "s-source@" + ME, "-t", "source@" + ME,
                          "127.0.0.1:%d" % ports["smtp"]], env=environment, capture_output=True, timeout=600)
    new = world.homes["source"] + "/Maildir/new"
    wait_for(lambda: len(os.listdir(new)) >= count, 120)
    same((run.returncode, len(os.listdir(new))), (0, count), "smtp-source: %d messages in 10 sessions" % count)


def report(title, judgement, load, before, seconds):
    """before: results in the log when this phase began."""
    accepted = sum(n for what, n in load.used.items() if what.endswith(" accepted"))
    results = world.log().results - before
    note("%s: %s" % (title, ", ".join("%s %d" % u for u in sorted(load.used.items()))))
    note("deliveries: %s" % ", ".join("%s %d" % r for r in sorted(results.items())))
    note("in %.0f s: %.1f messages accepted and %.1f deliveries a second" % (seconds, accepted / seconds, sum(results.values()) / seconds))
    note("judged since the start: %s" % ", ".join("%d %s" % (n, what) for what, n in sorted(judgement.kept.items())))


def self_test(ledger, kills):
    """A message less, one altered, one doubled: each must be noticed, and nothing else."""
    m0 = world.homes["m0"] + "/Maildir/new/"
    there = {n: ledger.read(m0 + n, read(m0 + n)).token for n in sorted(os.listdir(m0))}
    often = Counter(there.values())
    # one that is there once, directly, and whose delivery is clear
    name, token = next((n, t) for n, t in there.items() if often[t] == 1 and ledger.mails[t].outcome == "accepted"
                       and ledger.mails[t].recipients != [LIST] and not log_end.unsure.get((ledger.mails[t].sender, "m0@" + ME)))
    content = read(m0 + name)

    def notices(pattern, title):
        j = world.judge(ledger, kills)
        ok(any(re.search(pattern, w) and token in w for w in j.wrong), title, "\n".join(j.wrong))
    os.unlink(m0 + name)
    notices("^lost: ", "a message taken away is noticed")
    write(m0 + name, content.replace(b"\nend of t", b"\nEnd of t"))
    notices("not what was sent", "a message altered is noticed")
    write(m0 + name, content[:-7])
    notices("not what was sent", "half a message is noticed")
    write(m0 + name, content)
    write(m0 + name + ".again", content)
    # where lines are missing in the log, one of them might be an explanation
    j = world.judge(ledger, Counter({what: n for what, n in kills.items() if what != "multilog"}))
    ok(any("without a cause twice: copy of " + token in w for w in j.wrong), "a message too many is noticed", "\n".join(j.wrong))
    os.unlink(m0 + name + ".again")


def leftovers():
    """What the killed have left in the queue is removed when it is 36 hours old."""
    left = tree.queue_files()
    note("left: %s" % dict(Counter(n.split("/")[0] for n in left)))
    for n in left:
        os.utime(tree.at("queue", n), (time.time() - 150000,) * 2)
    world.services.svc("-t", "send")
    ok(wait_for(lambda: not tree.queue_files(), 120), "what the killed left in the queue, %d files, is removed when it is old" % len(left), "\n".join(tree.queue_files()))


tree = Tree()
note("SEED=%d" % SEED)
world = World(tree)
ledger = Ledger()
load = Load(ledger, SEED, tree, world.ports)
with world.services as services:
    for name in ("smtp", "qmtp"):
        services.wait_log(name, "tcpserver: status: 0/40", 60)
    ok(services.wait_log("send", "status: local 0/100 remote 0/100$", 60), "the services are up", services.log("send"))
    wait_for(lambda: len(descriptors()) == 6, 60)
    at_first = descriptors()

    # -- quiet

    begin = time.monotonic()
    load.run(lambda: len(ledger.mails) >= QUIET, world.room)
    ok(world.drain(), "quiet: the queue is empty in the end", "\n".join(tree.queue_files()))
    seconds = time.monotonic() - begin
    judgement = world.judge(ledger, Counter())
    report("quiet", judgement, load, Counter(), seconds)
    ok(not judgement.wrong, "quiet: all is there, and nothing else", "\n".join(judgement.wrong[:50]))
    same(sum(judgement.duplicates.values()), 0, "quiet: nothing twice")
    strange = [m.answer for m in ledger.mails.values() if m.outcome == "unclear"]
    ok(not strange, "quiet: every answer is clear", "\n".join(strange))
    same(world.log().complaints, [], "quiet: qmail-send has nothing to complain about")
    other_clients(world.ports)
    ok(wait_for(lambda: not tree.queue_files(), 60), "quiet: no file is left in the queue", "\n".join(tree.queue_files()))
    wait_for(lambda: descriptors() == at_first, 60)
    same(descriptors(), at_first, "quiet: as many descriptors as before")

    # -- chaos

    world.sinks.say("rough")
    chaos = Chaos(SEED, world)
    load.used.clear()
    before = world.log().results
    begin = time.monotonic()
    chaos.start(PAUSE_S)

    def sent():
        return len(ledger.mails) - QUIET

    def in_step():
        """Both are to end at about the same time."""
        return sent() / MESSAGES < 0.1 + chaos.count() / DEEDS and world.room()
    load.run(lambda: sent() >= MESSAGES and chaos.count() >= DEEDS, in_step)
    chaos.stop()
    seconds = time.monotonic() - begin
    note("done: " + ", ".join("%s %d" % d for d in sorted(chaos.done.items())))
    note("looked meanwhile: " + ", ".join("%s %d" % d for d in sorted(chaos.looks.items())))
    kills = Counter({what[5:]: n for what, n in chaos.done.items() if what.startswith("kill ")})
    kills["qmail-send"] += sum(n for what, n in kills.items() if what.startswith(("at start", "with late")))
    ok(world.drain(), "the queue is empty in the end", "\n".join(tree.queue_files()))
    note("drained in %.0f s" % (time.monotonic() - begin - seconds))
    log_end = world.log()
    judgement = world.judge(ledger, kills)
    report("chaos", judgement, load, before, seconds)
    note("%d kills and signals, %d of them kills" % (chaos.count(), sum(n for what, n in chaos.done.items() if what.startswith("kill"))))
    note("twice: %d; %s" % (sum(judgement.duplicates.values()), ", ".join("%s: %d" % d for d in judgement.duplicates.most_common()) or "-"))
    note("explanations that there would have been: %s" % dict(sum((Counter(c) for c in log_end.unsure.values()), Counter())))
    note("cut off in mboxes: %d" % judgement.fragments)
    ok(not judgement.wrong, "everything accepted is there, or returned; whole; nothing else; nothing twice without a cause",
       "\n".join(judgement.wrong[:50]))
    ok(not chaos.trouble, "qmail-qread, qmail-qstat, qmail-qctl and qmail-newu work meanwhile", "\n".join(chaos.trouble[:20]))

    # -- what is left

    note("complaints: %s" % dict(Counter(re.sub(r"\d+", "N", c) for c in log_end.complaints)))
    strange = [c for c in log_end.complaints if not COMPLAINTS.match(c)]
    ok(not strange, "qmail-send complains of nothing but what was done to it", "\n".join(strange[:20]))
    whole = write(os.path.join(tree.scratch, "log"), "\n".join(services.whole_log("send")) + "\n")
    with open(whole, "rb") as f:
        summary = subprocess.run([tree.bin("qmail-log"), "-j"], stdin=f, stdout=subprocess.PIPE, timeout=300).stdout
    figures = json.loads(summary)["log"]
    ok(figures["lines"] > 0 and figures["unknown"] <= kills["multilog"], "qmail-log knows every line of the log", figures)
    note("log: %s lines, %s not known, kills of multilog: %d, deliveries missing: %d" % (
        figures["lines"], figures["unknown"], kills["multilog"], log_end.missing))
    wait_for(lambda: descriptors() == at_first, 60)
    same(descriptors(), at_first, "as many descriptors as at first")
    ok(wait_for(lambda: not busy_daemons(), 30), "nobody uses processor time when there is nothing to do", busy_daemons())
    ok(wait_for(lambda: not zombies(), 30), "no zombies", zombies())
    self_test(ledger, kills)
    findings = Queue(tree.at("queue"), 23, Owners.of(tree.names, os.environ.get("CONF_GROUPS", "qmail nofiles").split()[0])).findings
    ok(not findings, "the queue is sound in the eyes of others", "\n".join(findings))
    run = subprocess.run([tree.bin("qmail-qfix")], capture_output=True, timeout=120)
    ok(run.returncode == 0, "and of qmail-qfix", run.stdout + run.stderr)
    leftovers()
world.sinks.end()
done()
