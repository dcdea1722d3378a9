#!/usr/bin/env python3
"""control/remoterecipients: deliveries that come together have one qmail-remote. Which ones,
and what each is told, with a stand-in for qmail-send and one for qmail-remote; then the
whole way, from a message with many recipients to the server that takes it."""
import collections, random

from spawner import *

if not root:
    skip_all("needs root: the programs run under their own users")

tree = Tree()
message(tree)
OTHER = "0/999999902"
write(tree.at("queue/mess", OTHER), b"Subject: y\n\n", owner=tree.ids(5))
CALLS = os.path.join(tree.scratch, "calls")
os.mkdir(CALLS)
os.chmod(CALLS, 0o777)

# Says of each recipient what its name says, then of the message what the first one's says.
TELL = r"""
echo "$*" > "$CALLS/$$"
first=$3
shift 2
for r; do
    case $r in
    no*) printf 'h%s\n\0' "$r";;
    later*) printf 's%s\n\0' "$r";;
    untold*) ;;
    *) printf 'r%s\n\0' "$r";;
    esac
done
case $first in
crash*) kill -9 $$;;
quit*) exit 3;;
busy*) exit 111;;
Z*) printf 'Zlater\n\0';;
D*) printf 'Dnever\n\0';;
open*) ;;
*) printf 'Kok\n\0';;
esac
"""


def rspawn(most, body=TELL, env=None, **more):
    """most: the content of control/remoterecipients, or None."""
    tree.control("remoterecipients", most if most is None else most + "\n")
    program = write(os.path.join(tree.scratch, "remote"), "#!/bin/sh\n" + body + "\n", mode=0o755)
    return Spawner(tree, "qmail-rspawn", ids=tree.ids(6), env=dict({"QMAILREMOTE": program, "CALLS": CALLS}, **env or {}), **more)


def calls():
    """The arguments of each qmail-remote since the last time, sorted."""
    made = []
    for name in os.listdir(CALLS):
        made.append(read(os.path.join(CALLS, name)).decode("latin1").rstrip("\n"))
        os.unlink(os.path.join(CALLS, name))
    return sorted(made)


def reports(spawner, count):
    return sorted(filter(None, [spawner.report() for _ in range(count)]))


def commands(spawner, recipients, **more):
    """Of each recipient, or tuple (recipient, sender, message), one; the slots count up."""
    return b"".join(spawner.command(slot, *r) if isinstance(r, tuple) else spawner.command(slot, r, **more) for slot, r in enumerate(recipients))


S = "s@side.test"
MISSED = b"Zqmail-remote did not tell of this recipient.\n"


def told(recipient):
    return b"K" + recipient.encode() + b"\nok\n"


# -- who has one child: the number, the recipients, the calls

FIVE = ["%s@far.test" % c for c in "abcde"]
EACH = ["far.test %s %s" % (S, r) for r in FIVE]
for most, want in ((None, EACH), ("0", EACH), ("1", EACH), ("none", EACH), ("", EACH),
                   ("2", ["far.test %s a@far.test b@far.test" % S, "far.test %s c@far.test d@far.test" % S, EACH[4]]),
                   ("5", ["far.test %s %s" % (S, " ".join(FIVE))]), ("50", ["far.test %s %s" % (S, " ".join(FIVE))]),
                   ("18446744073709551616", ["far.test %s %s" % (S, " ".join(FIVE))])):
    with rspawn(most) as spawner:
        ok(spawner.limit > 0, "remoterecipients %s: greeting" % most)
        spawner.commands.write(commands(spawner, FIVE))
        same(reports(spawner, 5), [(i, told(r)) for i, r in enumerate(FIVE)], "remoterecipients %s: each has its report" % most)
        same(calls(), sorted(want), "remoterecipients %s: qmail-remote's arguments" % most)
        same(spawner.end(), 0, "remoterecipients %s: exit" % most)

for name, make in (("unreadable", lambda path: os.chmod(write(path, "5\n"), 0)), ("a directory", os.mkdir)):
    path = tree.at("control/remoterecipients")
    tree.control("remoterecipients", None)
    make(path)
    process = subprocess.run([tree.bin("qmail-rspawn")], stdin=subprocess.DEVNULL, capture_output=True, preexec_fn=tree.as_user(6), timeout=60)
    same((process.returncode, process.stdout), (111, b""), "remoterecipients is %s: exit, nothing written" % name)
    os.rmdir(path) if os.path.isdir(path) else os.unlink(path)

for name, recipients, want in (
        ("hosts by turns", ["a@x", "a@y", "b@x", "b@y"], ["x %s a@x b@x" % S, "y %s a@y b@y" % S]),
        ("case of hosts", ["a@Far.Test", "b@fAR.tEST"], ["Far.Test %s a@Far.Test b@fAR.tEST" % S]),
        ("the last @", ["a@y@x", "b@x", "c@x@y"], ["x %s a@y@x b@x" % S, "y %s c@x@y" % S]),
        ("an address literal", ["a@[127.0.0.1]", "b@[127.0.0.1]", "c@127.0.0.1"],
         ["127.0.0.1 %s c@127.0.0.1" % S, "[127.0.0.1] %s a@[127.0.0.1] b@[127.0.0.1]" % S]),
        ("no host", ["a@", "b@"], [" %s a@ b@" % S]),
        ("twice the same", ["a@x", "a@x"], ["x %s a@x a@x" % S]),
        ("senders of their own", [("a@x", "l-a=x@h"), ("b@x", "l-b=x@h")], ["x l-a=x@h a@x", "x l-b=x@h b@x"]),
        ("case of senders", [("a@x", "S@h"), ("b@x", "s@h")], ["x S@h a@x", "x s@h b@x"]),
        ("the null sender", [("a@x", ""), ("b@x", "s@h"), ("c@x", "")], ["x  a@x c@x", "x s@h b@x"]),
        ("two messages", [("a@x", S, MESSAGE), ("b@x", S, OTHER), ("c@x", S, MESSAGE)], ["x %s a@x c@x" % S, "x %s b@x" % S])):
    with rspawn("50") as spawner:
        spawner.commands.write(commands(spawner, recipients))
        got = reports(spawner, len(recipients))
        same(got, [(i, told(r if isinstance(r, str) else r[0])) for i, r in enumerate(recipients)], name + ": reports")
        same(calls(), want, name + ": who has one child")

with rspawn("1000000") as spawner:
    many = ["r%d@far.test" % i for i in range(min(spawner.limit, 600))]
    spawner.commands.write(commands(spawner, many))
    same(reports(spawner, len(many)), [(i, told(r)) for i, r in enumerate(many)], "all slots at once: reports")
    same(calls(), ["far.test %s %s" % (S, " ".join(many))], "all have one child")
    # what is long is not put together with others: execve(2) has limits
    long = ["%s%d@far.test" % ("x" * 100000, 0), "b@far.test", "c@far.test"]
    spawner.commands.write(commands(spawner, long))
    ok(reports(spawner, 3) == [(0, told(long[0])[:10001] + b"ok\n"), (1, told(long[1])), (2, told(long[2]))], "a long recipient before others: reports")
    same([len(c.split()) for c in calls()], [4, 3], "has a child of its own")
    too_long = ["%s%d@far.test" % ("x" * 200000, 0), "b@far.test", "c@far.test"]
    spawner.commands.write(commands(spawner, too_long))
    same(reports(spawner, 3), [(0, b"ZUnable to run qmail-remote.\n"), (1, told("b@far.test")), (2, told("c@far.test"))],
         "one that execve(2) refuses takes no others along")
    calls()

# -- what each is told

for recipients, want in (
        (["a", "no-b", "later-c", "d"], [b"Ka@x\nok\n", b"Dno-b@x\n", b"Zlater-c@x\n", b"Kd@x\nok\n"]),
        (["Z", "no-b", "later-c", "d"], [b"ZZ@x\nlater\n", b"Dno-b@x\n", b"Zlater-c@x\nlater\n", b"Zd@x\nlater\n"]),
        (["D", "no-b", "later-c", "d"], [b"DD@x\nnever\n", b"Dno-b@x\nnever\n", b"Zlater-c@x\nnever\n", b"Dd@x\nnever\n"]),
        (["a", "b", "untold"], [b"Ka@x\nok\n", b"Kb@x\nok\n", MISSED]),
        (["untold", "untold"], [MISSED, MISSED]),
        (["Z", "untold"], [b"ZZ@x\nlater\n", b"Zlater\n"]),
        (["D", "untold"], [b"DD@x\nnever\n", b"Dnever\n"]),
        (["open", "no-b", "later-c", "untold"], [b"Zopen@x\n", b"Dno-b@x\n", b"Zlater-c@x\n", b"Z"]),
        (["crash", "no-b", "c"], [b"Zqmail-remote crashed.\n"] * 3),
        (["busy", "no-b", "c"], [b"ZUnable to run qmail-remote.\n"] * 3),
        (["quit", "no-b", "c"], [b"DUnable to run qmail-remote.\n"] * 3)):
    with rspawn("50") as spawner:
        spawner.commands.write(commands(spawner, [r + "@x" for r in recipients]))
        same(reports(spawner, len(recipients)), list(enumerate(want)), " ".join(recipients) + ": what each is told")
        same(len(calls()), 1, " ".join(recipients) + ": by one qmail-remote")

for name, body, want in (
        ("one r and no more", r"printf 'r\0'", [b"Z", b"Z", b"Z"]),
        ("one r, then K", r"printf 'r\0Kok\n\0'", [b"Kok\n", MISSED, MISSED]),
        ("more than there are recipients", r"printf 'r\0h1\n\0s2\n\0r\0hno\n\0Kok\n\0'", [b"Kok\n", b"D1\n", b"Z2\n"]),
        ("nothing", "", [b"Zqmail-remote produced no output.\n"] * 3),
        ("no end of the last string", r"printf 'r\0r\0r\0Kok'", [b"Z", b"Z", b"Z"]),
        ("much", r"for i in 1 2 3; do printf r; head -c 3000000 /dev/zero | tr '\0' x; printf '\0'; done; printf 'K\0'", [b"K" + b"x" * 10000] * 3)):
    with rspawn("50", body) as spawner:
        spawner.commands.write(commands(spawner, ["a@x", "b@x", "c@x"]))
        same(reports(spawner, 3), list(enumerate(want)), "qmail-remote prints %s" % name)

for program in (os.path.join(tree.scratch, "none"), tree.scratch):
    with rspawn("50", env={"QMAILREMOTE": program}) as spawner:
        for _ in range(2):  # the slots are free again
            spawner.commands.write(commands(spawner, ["a@x", "b@x", "c@y"]))
            same(reports(spawner, 3), [(i, b"ZUnable to run qmail-remote.\n") for i in range(3)], "a program that cannot be run")

# -- commands that cannot be carried out, between those that can

with rspawn("50") as spawner:
    before = spawner.descriptors()
    c = spawner.command
    spawner.commands.write(c(0, "a@x") + c(1, "nobody") + c(2, "b@x", message="0/x") + c(0, "twice@x") + c(spawner.limit, "c@x") +
                           c(3, "d@x") + c(4, "e@x", message="0/1") + c(5, "f@x", message="0/1") + c(6, "g@x"))
    same(reports(spawner, 9), sorted([
        (0, told("a@x")), (0, b"ZInternal error: delnum in use. (#4.3.5)\n"), (1, b"DSorry, address must include host name. (#5.1.3)\n"),
        (2, b"DInternal error: messid has nonnumerics. (#5.3.5)\n"), (spawner.limit, b"ZInternal error: delnum too big. (#4.3.5)\n"), (3, told("d@x")),
        (4, b"Zqmail-spawn unable to open message. (#4.3.0)\n"), (5, b"Zqmail-spawn unable to open message. (#4.3.0)\n"), (6, told("g@x"))]),
         "bad commands between good ones: reports")
    same(calls(), ["x %s a@x d@x g@x" % S], "the good ones have one child")
    spawner.commands.write(commands(spawner, ["a@x", "b@x"]))
    same(reports(spawner, 2), [(0, told("a@x")), (1, told("b@x"))], "the slots are free again")
    calls()
    spawner.commands.write(commands(spawner, ["a@x", "b@x", "c@x"])[:-3])
    same(reports(spawner, 2), [(0, told("a@x")), (1, told("b@x"))], "a command that is not complete is not waited for")
    spawner.commands.write(b"@x\0")
    same(spawner.report(), (2, told("c@x")), "and carried out when it is")
    same(calls(), ["x %s a@x b@x" % S, "x %s c@x" % S], "by a child of its own")
    same(spawner.descriptors(), before, "no descriptor is left open")
    spawner.commands.write(commands(spawner, ["a@x", "b@x", "c@x"])[:-1])
    spawner.commands.close()
    same((reports(spawner, 2), spawner.report(), spawner.process.wait(20)), ([(0, told("a@x")), (1, told("b@x"))], None, 0),
         "end of file: what is complete is carried out")
    calls()

with rspawn("50", limits=(6, 6)) as spawner:
    same(spawner.limit, 1, "few descriptors: the limit")
    spawner.send(0, "a@x")
    same(spawner.report(), (0, b"Zqmail-spawn unable to create pipe. (#4.3.0)\n"), "no descriptor for a pipe")
with rspawn("50", "sleep 0.3\n" + TELL) as spawner:
    spawner.commands.write(commands(spawner, ["a@x", "b@x", "c@y"]))
    spawner.reports.close()
    same(spawner.end(), 0, "nobody reads the reports: exit")
    same(calls(), ["x %s a@x b@x" % S, "y %s c@y" % S], "the deliveries are made")

# -- 1500 commands in pieces of all sizes: each has the answer that is its own

dice = random.Random(1)
with rspawn("7") as spawner:
    before = spawner.descriptors()
    waiting = ["%s%d@%s.test" % (dice.choice(["ok", "ok", "no", "later"]), i, dice.choice("abc")) for i in range(1500)]
    free, running, wrong, answered, out = list(range(min(spawner.limit, 100))), {}, [], 0, b""
    while waiting or running:
        while waiting and free and len(out) < 4096:
            slot = free.pop(dice.randrange(len(free)))
            running[slot] = waiting.pop()
            out += spawner.command(slot, running[slot])
        if out:
            step = dice.choice((1, 7, 97, 1000, 4000))
            spawner.commands.write(out[:step])
            out = out[step:]
        report = spawner.report(0 if out else 20)
        if report is None:
            if not out:
                break
            continue
        recipient = running.pop(report[0], "nobody")
        want = told(recipient) if recipient.startswith("ok") else (b"D%s\n" if recipient.startswith("no") else b"Z%s\n") % recipient.encode()
        if report[1] != want:
            wrong.append((recipient, report))
        free.append(report[0])
        answered += 1
    same((answered, wrong), (1500, []), "1500 commands in odd pieces: each has its answer")
    groups = [len(c.split()) - 2 for c in calls()]
    same((sum(groups), max(groups) <= 7, len(groups) < 1500), (1500, True, True), "each recipient was given once, to at most 7 at a time")
    same(spawner.descriptors(), before, "no descriptor is left open")

for name in (MESSAGE, OTHER):
    os.unlink(tree.at("queue/mess", name))

# -- the whole way

TOTAL = 200
BODY = b"Subject: to many\n\nhello\n"
alice = tree.user("alice")
tree.control("concurrencyremote", "100\n")


def sink(judge=None):
    """A server for far.test and all hosts below it."""
    server = Sink(judge=judge)
    tree.control("smtproutes", "far.test:127.0.0.1:%d\n.far.test:127.0.0.1:%d\n" % (server.port, server.port))
    return server


def results():
    """Recipient -> the results of its deliveries, in order, by the log."""
    started, ended = {}, collections.defaultdict(list)
    for line in tree.log().splitlines():
        begin = re.match(r"starting delivery (\d+): msg \d+ to remote (.*)", line)
        end = re.match(r"delivery (\d+): (\w+): ", line)
        if begin:
            started[begin.group(1)] = begin.group(2)
        elif end and end.group(1) in started:
            ended[started.pop(end.group(1))].append(end.group(2))
    same(started, {}, "each delivery in the log has a result")
    return dict(ended)


def taken(server):
    return sorted(r.decode().strip("<>") for _, recipients, _ in server.messages for r in recipients)


def send(recipients, sender="alice@" + ME):
    same(tree.queue(BODY, sender, recipients), 0, "a message to %d recipients is queued" % len(recipients))


def all_taken(server, recipients, connections, name):
    with tree.running():
        send(recipients)
        ok(tree.wait_empty(), name + ": the queue is empty in the end", tree.log())
        same(results(), {r: ["success"] for r in recipients}, name + ": each has its success")
    same(taken(server), sorted(recipients), name + ": the server has each once")
    same({(s, d.replace(b"\r\n", b"\n")[-len(BODY):]) for s, _, d in server.messages}, {(b"<alice@%s>" % ME.encode(), BODY)}, name + ": sender and message")
    ok(connections(server.connections), name + ": connections", "%d" % server.connections)
    server.close()


ONE = ["r%d@far.test" % i for i in range(TOTAL)]
TWENTY = ["r%d@d%d.far.test" % (i, i // 10) for i in range(TOTAL)]
TURNS = ["r%d@d%d.far.test" % (i, i % 20) for i in range(TOTAL)]
tree.control("remoterecipients", "50\n")
all_taken(sink(), ONE, lambda n: n == 4, "200 at one host")
all_taken(sink(), TWENTY, lambda n: n == 20, "200 at 20 hosts")
all_taken(sink(), TURNS, lambda n: n == 20, "200 at 20 hosts by turns")
tree.control("remoterecipients", None)
all_taken(sink(), ONE[:40], lambda n: n == 40, "without remoterecipients")
tree.control("remoterecipients", "50\n")

# a list's members have senders of their own
server = sink()
with tree.running():
    send(ONE[:20], "alice-@%s-@[]" % ME)
    ok(tree.wait_empty(), "senders of their own: the queue is empty in the end", tree.log())
same(sorted((s, r) for s, r, _ in server.messages),
     sorted((b"<alice-r%d=far.test@%s>" % (i, ME.encode()), [b"<r%d@far.test>" % i]) for i in range(20)), "senders of their own: one recipient each")
server.close()

# some are refused for good, some for now
well = threading.Event()


def judge(recipient):
    number = int(re.match(rb"<r(\d+)@", recipient).group(1))
    return "550 never" if number % 10 == 3 else "451 not now" if number % 10 == 7 and not well.is_set() else None


server = sink(judge)
NEVER, LATER = [r for i, r in enumerate(ONE) if i % 10 == 3], [r for i, r in enumerate(ONE) if i % 10 == 7]
GOOD = sorted(set(ONE) - set(NEVER) - set(LATER))
with tree.running():
    send(ONE)
    ok(tree.wait_log(r"^delivery \d+: ", count=TOTAL), "some refused: all have a first result", tree.log())
    ok(wait_for(lambda: re.search(r"^status: .*remote 0/", tree.log().splitlines()[-1])), "nothing runs")
    first = {r: ["failure"] if r in NEVER else ["deferral"] if r in LATER else ["success"] for r in ONE}
    same(results(), first, "some refused: the result of each")
    same(taken(server), GOOD, "some refused: the server has the others once")
    ok(server.connections <= 12, "some refused: connections", "%d" % server.connections)
    records = b"".join(read(tree.at("queue", name)) for name in tree.queue_files() if name.startswith("remote/")).split(b"\0")
    same(sorted(r[1:].decode() for r in records if r.startswith(b"T")), sorted(LATER), "who was put off remains in the queue, nobody else")
    well.set()
    before = server.connections
    tree.signal(signal.SIGALRM)
    ok(tree.wait_empty(), "the queue is empty in the end", tree.log())
    same(results(), {r: first[r] + (["success"] if r in LATER else []) for r in ONE}, "who was put off is tried again, nobody else")
    same((taken(server), server.connections - before), (sorted(GOOD + LATER), 1), "and taken over one connection")
    bounces = maildir(alice)
    same(len(bounces), 1, "one bounce")
    same(sorted(re.findall(rb"^<(r\d+@far\.test)>:$", b"".join(bounces), re.M)), sorted(r.encode() for r in NEVER), "it names those that were refused, once each")
    same(b"".join(bounces).count(b"550 never"), len(NEVER), "with what the server said")
server.close()
done()
