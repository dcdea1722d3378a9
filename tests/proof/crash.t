#!/usr/bin/env python3
"""Every program of the mail path is killed before and behind each of its system calls, and so is
everything at once; then the system is started again. What was accepted has come, whole, and
comes too often only where the documentation says that it may (ledger.py). The scenes are in
rig.py and tools.py.

  kill-before, kill-after   one process of the program
  all-after                 all processes there are; all-before is the all-after of the call before

Before that, programs that lose, halve or double mail are put in their places, which must be noticed;
and kills that must leave a duplicate behind are seen to do so.

SEED repeats a sample. SCENES, WHICH (programs) and ACTIONS pick; POINTS="mbox:qmail-local:48:kill-after ..."
tries just these. SECONDS is how long a sample takes; with PROOF=full it is all of them."""
import os, sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system")]
from reqmail import *
import collections, random

need_private()
if sanitized:
    skip_all("sanitizers and trip do not go together")
import ledger
from rig import RESTED, SCENES, TRIP, pool, trip, world
from tools import TOOLS

if not os.path.exists(TRIP):
    skip_all("needs " + TRIP)

FULL = os.environ.get("PROOF") == "full"
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
BEGIN = time.monotonic()
END = BEGIN + float(os.environ.get("SECONDS", 30))
ACTIONS = os.environ.get("ACTIONS", "").split() or ["kill-before", "kill-after", "all-after"]
DAEMONS = ("qmail-start", "qmail-send", "qmail-clean", "qmail-lspawn", "qmail-rspawn")
MAIL = DAEMONS + ("qmail-queue", "qmail-local", "qmail-remote", "qmail-smtpd", "qmail-inject", "sendmail", "forward", "qmail-getpw")
PUTS_IN = ("qmail-queue", "qmail-smtpd", "qmail-inject", "sendmail")
# what qmail-start does before it is qmail-send depends on nothing
ONLY_IN = {"qmail-start": ("maildir",)}
ALONE = sorted({tool.program for tool in TOOLS.values()})
PICKED_SCENES = os.environ.get("SCENES", "").split() or list(SCENES) + list(TOOLS)
GIVEN = [p.split(":") for p in os.environ.get("POINTS", "").split()]
EVERYWHERE = not GIVEN and "SCENES" not in os.environ # so every program has points
PICKED = os.environ.get("WHICH", "").split() or list(MAIL) + ALONE
# Others see nothing of what a program does between two calls of these. So what kill-before leaves at
# one of the other calls is what kill-after leaves at the one before it; and when everything dies at once
# it does not matter which of the calls between them it was.
CHANGES = "rename|mkdir|rmdir|link|unlink|symlink|mknod|chmod|fchmod|chown|fchown|lchown|ftruncate|truncate|utime|write|pwrite|exit"
SEEN = CHANGES + r"|read\(|close|fsync|fork|vfork|clone|exec|wait|kill|flock|connect|send|recv|shutdown"
OPENED = re.compile(r'open(?:at\([^,]*, |\()".*", (\w+)')
# qmail-qfix makes thousands of calls, most of which only look: there it is the same with kill-before
LOOKS, SOME = ("qmail-qfix",), 50
TOLD = 4  # violations that are printed


class Point:
    """One run: a scene, the program, the number of the call, what is done there (None: nothing)."""

    def __init__(self, scene, program, number=None, action=None):
        self.scene, self.program, self.number, self.action = scene, program, number, action

    def __str__(self):
        return ":".join(map(str, (self.scene, self.program, self.number, self.action)))


class Result:
    """calls: the numbers of those at which the program may be killed; hit: trip's line on the point; wrong; extra: how much came too
    often; log: what a violation is told with."""

    def __init__(self):
        self.calls, self.hit, self.wrong, self.extra, self.log = [], None, [], 0, ""


def seen(call, names):
    """Whether other processes may see something of it, by one of these names."""
    call = call.split(" ", 2)[2]
    opened = OPENED.match(call)
    return bool(re.match(names, call) or opened and int(opened.group(1), 0) & (os.O_CREAT | os.O_TRUNC))


def numbers(calls, names=SEEN):
    """(number, whether others see it) of each."""
    return [(n, seen(call, names)) for n, call in enumerate(calls, 1)]


def try_mail(rig, point):
    scene, result = SCENES[point.scene], Result()
    whole = point.action is None or point.action.startswith("all-") or point.program in DAEMONS
    run = rig.run(scene, trip(point.program, point.number, point.action), again=whole)
    cut = 2 if (point.action or "").startswith("all-") else int(point.action is not None and point.program == "qmail-local")
    rule = ledger.again(point.program, point.action) if point.action else ledger.NEVER
    result.wrong, extra = ledger.judge(scene, run, rule, cut)
    if point.action is None and run.came_to != RESTED:
        result.wrong.append("it does not come to rest")
    unhindered = point.program not in PUTS_IN and not (point.action or "").startswith("all-")
    if unhindered and len(run.accepted) < len(scene.mails):
        result.wrong.append("not accepted, and nothing hindered it")
    result.extra = sum(extra.values())
    result.calls, result.hit = numbers(run.calls), run.hit
    if result.wrong:
        result.log = "%s\naccepted: %s, extra: %s\n%s\n-- again\n%s\n-- calls\n%s" % (
            run.hit, run.accepted, extra, run.first_log.decode("latin1")[-2500:], run.log.decode("latin1")[-1500:], "\n".join(run.calls[-5:]))
    return result


def try_tool(rig, point):
    tool, result = TOOLS[point.scene], Result()
    tool.killed_program = None if point.action is None else "all" if point.action.startswith("all-") else point.program
    tool.prepare(rig)
    code, calls, result.hit = rig.alone(trip(point.program, point.number, point.action), tool.command(rig), tool.runs)
    result.wrong = tool.crashed(rig, code) + tool.again(rig)
    result.extra = getattr(tool, "doubles", 0)
    result.calls = numbers(calls, CHANGES if point.program in LOOKS else SEEN)
    if point.action is None and code != 0:
        result.wrong.append("it exits %d" % code)
    if result.wrong:
        result.log = "%s\nexit %s\n%s\n-- calls\n%s" % (result.hit, code, rig.log().decode("latin1")[-2500:], "\n".join(calls[-5:]))
    return result


# name: the scene, the program, what is there in its place (NAME.real is the program), and what that has
# to be called
BROKEN = {
    "a message that is not delivered": ("mbox", "qmail-local", "cat > /dev/null; echo did 1+0+0", "lost: ('box', 'bob/Mailbox'"),
    "one of which half is delivered": ("mbox", "qmail-local", "{ echo From x; head -c 300; } >> \"$3/Mailbox\"; echo did 1+0+0", "not whole: "),
    "one that is delivered twice": ("maildir", "qmail-local", '"$0.real" "$@"; "$0.real" "$@"', "too often: ('box', 'alice/Maildir'"),
    "one that is not forwarded": ("forward", "forward", "cat > /dev/null", "lost: ('box', 'bob/Mailbox'"),
    "one that is not sent": ("remote", "qmail-remote", r"cat > /dev/null; printf 'r\0Kyes\0'", "lost: ('sent', 'dora@far.test'"),
    "one that is not queued": ("bounce", "qmail-queue", "cat > /dev/null", "lost: ('bounce', 'sender/Maildir', 'bad1@far.test'"),
    "a table that is written in place": ("newu", "qmail-newu", "echo part > /var/qmail/users/cdb", "neither the old table nor the new one"),
    "a maildir that is emptied into nothing": ("moved", "maildir2mbox", "rm -f Maildir/new/*", "token-one is there 0 times"),
}


def try_broken(rig, name):
    """What is said about it, as a text."""
    scene, program, script, _ = BROKEN[name]
    path = os.path.join(rig.tree, "bin", program)
    if scene in TOOLS:
        TOOLS[scene].prepare(rig)  # it remembers what the true program makes
    os.rename(path, path + ".real")
    write(path, "#!/bin/sh\n" + script.replace("/var/qmail", rig.tree) + "\n", 0o755)
    try:
        result = work(rig, Point(scene, None))
    finally:
        os.rename(path + ".real", path)
    if scene in TOOLS:
        TOOLS[scene].again(rig)  # which puts things in order
    return "\n".join(result.wrong)


def try_known(rig):
    """Killed when the message is in the mbox, and before it has said so: a duplicate, and nothing else."""
    run = rig.run(SCENES["mbox"], trip("qmail-local"))
    says = [n for n, call in enumerate(run.calls, 1) if " write(1," in call]
    run = rig.run(SCENES["mbox"], trip("qmail-local", says[-1], "kill-before"), again=False)
    return ledger.judge(SCENES["mbox"], run)


def work(rig, point):
    if point is None:
        return try_known(rig)
    if isinstance(point, str):
        return try_broken(rig, point)
    return (try_mail if point.scene in SCENES else try_tool)(rig, point)


def pairs():
    """Which programs may take part in which scenes."""
    for scene in PICKED_SCENES:
        programs = MAIL if scene in SCENES else (TOOLS[scene].program,) + TOOLS[scene].others
        for program in programs:
            if program in PICKED and scene in ONLY_IN.get(program, (scene,)):
                yield Point(scene, program)


def actions(point, number, visible):
    """Those that may find something. A tool dies alone in any case, but for the one that talks to the system."""
    alone = point.scene in TOOLS and not TOOLS[point.scene].runs
    for action in ACTIONS:
        if action.startswith("all-") and (alone or not visible):
            continue
        if not visible and (action == "kill-after" or point.program in LOOKS and number % SOME):
            continue
        yield Point(point.scene, point.program, number, action)


def all_points(counts, rng):
    """In any order: what goes wrong at many points shows early."""
    points = [p for point, calls in counts.items() for call in calls for p in actions(point, *call)]
    note("%d points" % len(points))
    rng.shuffle(points)
    return points


def sampled(counts, rng):
    """Each program in turn, until the time is over, but twice at least."""
    by_program = collections.defaultdict(list)
    for point in counts:
        by_program[point.program].append(point)
    rounds = 0
    while rounds < 2 or time.monotonic() < END:
        rounds += 1
        for program in sorted(by_program):
            point = rng.choice(by_program[program])
            yield rng.choice([p for call in counts[point] for p in actions(point, *call)])


class Tally:
    def __init__(self):
        self.points = self.missed = self.alone = self.all = 0
        self.wrong = []

    def __str__(self):
        return "%d points%s; duplicates: %d by a process's end, %d by the end of all" % (
            self.points, ", %d more were not reached" % self.missed if self.missed else "", self.alone, self.all)


def noticed(tree):
    """What is broken is noticed."""
    for name, said in pool(tree, work, BROKEN):
        found(re.escape(BROKEN[name][3]), said, "noticed: " + name)
    for _, (wrong, extra) in pool(tree, work, [None]):
        key = ("box", "bob/Mailbox", "token-mbox-long")
        same((wrong, extra), (["too often: %s, 2 instead of 1" % (key,)], {key: 1}), "noticed: a duplicate that has to be")


def untouched(tree):
    """All scenes, once for each program, and nobody is killed: point -> the calls of the program."""
    calls = {}
    for point, result in pool(tree, work, pairs()):
        if result.calls:
            calls[point] = result.calls
        if result.wrong:
            ok(False, "%s in scene %s, untouched" % (point.program, point.scene), "\n".join(result.wrong) + "\n" + result.log)
    return calls


def kill(tree, points):
    """All points: program -> Tally."""
    tallies = collections.defaultdict(Tally)
    for count, (point, result) in enumerate(pool(tree, work, points), 1):
        if count % 1000 == 0:
            note("%d done after %d s" % (count, time.monotonic() - BEGIN))
        tally = tallies[point.program]
        tally.points += result.hit is not None
        tally.missed += result.hit is None
        if point.action.startswith("all-"):
            tally.all += result.extra
        else:
            tally.alone += result.extra
        if result.wrong:
            tally.wrong.append(str(point))
            if len(tally.wrong) <= TOLD:
                note("POINTS=%s\n%s\n%s" % (point, "\n".join(result.wrong), result.log))
    return tallies


tree = Tree()
world(tree)
note("SEED=%d" % SEED)
rng = random.Random(SEED)
if GIVEN:
    tallies = kill(tree, [Point(s, p, int(n), a) for s, p, n, a in GIVEN])
else:
    noticed(tree)
    calls = untouched(tree)
    tallies = kill(tree, all_points(calls, rng) if FULL else sampled(calls, rng))
for program in PICKED if EVERYWHERE else sorted(tallies):
    tally = tallies[program]
    ok(tally.points and not tally.wrong, "%s: %s" % (program, tally), "violations: " + " ".join(tally.wrong[:40]))
done()
