#!/usr/bin/env python3
"""Each system call of each program fails in turn, with each error that it can give; once, or from
then on for good. The result is a temporary failure that the manual knows; nothing is lost, halved or
wedged, nobody goes round in circles, and without the fault all is delivered. The system at work is
rig.py's and tools.py's, what is owed is ledger.py's, the fault is trip's.

A call is the same as another where it stands at the same place of the same program, as trip tells
places: each error is tried there, at the first and at the last time that a scene comes to the place, in one of
the scenes that do. What each call can give is in ERRORS.

PROOF=full: all of them, KNOWN first. EVERY=1, which make coverage sets: each call with one error, and
interrupted. Otherwise KNOWN and a sample of SECONDS seconds, which SEED repeats. WHICH (programs), SCENES and
ERRORS pick, as in WHICH="qmail-send qmail-clean" ERRORS="ENOSPC EIO"; POINTS, lines such as violations name,
tries just these. WORKERS=N: so many systems at once."""
import os, sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system")]
from reqmail import *
import collections, itertools, random

need_private()
if sanitized:
    skip_all("sanitizers and trip do not go together")
import ledger
from rig import ALARMS, ENDED, RESTED, SCENES, STUCK, TRIP, pool, trip, world
from tools import TOOLS

if not os.path.exists(TRIP):
    skip_all("needs " + TRIP)

sys.stdout.reconfigure(line_buffering=True)
FULL = os.environ.get("PROOF") == "full"
EVERY = os.environ.get("EVERY")
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
END = time.monotonic() + float(os.environ.get("SECONDS", 20))
DAEMONS = ("qmail-start", "qmail-send", "qmail-clean", "qmail-lspawn", "qmail-rspawn")
MAIL = DAEMONS + ("qmail-queue", "qmail-local", "qmail-remote", "qmail-smtpd", "qmail-inject", "sendmail", "forward", "qmail-getpw")
ALONE = sorted({tool.program for tool in TOOLS.values()})
PICKED = os.environ.get("WHICH", "").split() or list(MAIL) + ALONE
PICKED_SCENES = os.environ.get("SCENES", "").split() or list(SCENES) + list(TOOLS)
PICKED_ERRORS = os.environ.get("ERRORS", "").split()
GIVEN = [p.split("|") for p in os.environ.get("POINTS", "").splitlines() if p]
WORKERS = int(os.environ.get("WORKERS", 8))  # most of the time they wait
TRIES = 2
ASKED_AGAIN = 200000  # calls, for an order that is given for 20 seconds
STAYS = 3  # how often what is put off is hastened where the fault stays
SLOW_S = 30  # what takes longer is told
TOLD = 4  # violations that are printed for a program

NO_ROOM = ("ENOSPC", "EDQUOT")
NAMES = NO_ROOM + ("EIO", "EROFS", "ENOMEM")
DISK = ("EIO", "ENOMEM")
# What calls can give. late=: the call is made, and fails all the same, as close(2) may; short=: less is
# read or written than was asked for. Where a call creates, CREATES is added; what an absent file means is tested
# elsewhere.
ERRORS = {
    "open": DISK + ("EMFILE", "ENFILE", "EINTR"), "openat": DISK + ("EMFILE", "ENFILE", "EINTR"),
    "read": ("EIO", "EINTR", "short=1"), "pread64": ("EIO", "EINTR", "short=1"), "readv": ("EIO", "EINTR"),
    "write": NO_ROOM + ("EIO", "EINTR", "short=1"), "pwrite64": NO_ROOM + ("EIO", "EINTR"), "writev": NO_ROOM + ("EIO", "EINTR"),
    "close": ("late=EIO", "late=EINTR", "late=ENOSPC"),
    "fsync": NO_ROOM + ("EIO", "late=EIO", "EINTR"), "fdatasync": NO_ROOM + ("EIO", "late=EIO"), "sync_file_range": ("EIO", "ENOSPC"),
    "ftruncate": ("EIO", "EINTR", "EROFS"), "link": NAMES, "linkat": NAMES, "symlink": NAMES, "rename": NAMES, "renameat": NAMES,
    "unlink": ("EIO", "EROFS", "ENOMEM"), "unlinkat": ("EIO", "EROFS", "ENOMEM"), "rmdir": ("EIO", "EROFS"), "mkdir": NAMES,
    "chdir": DISK, "fchdir": ("EIO",), "stat": DISK, "lstat": DISK, "fstat": ("EIO",), "newfstatat": DISK, "statx": DISK, "access": DISK,
    "getdents64": ("EIO", "ENOMEM"), "getdents": ("EIO", "ENOMEM"), "lseek": ("EIO",),
    "utimensat": ("EIO", "EROFS"), "chmod": ("EIO", "EROFS"), "fchmod": ("EIO", "EROFS"), "chown": ("EIO", "EROFS"), "lchown": ("EIO", "EROFS"),
    "fchown": ("EIO", "EROFS"), "fchmodat": ("EIO", "EROFS"), "fchownat": ("EIO", "EROFS"),
    "fork": ("EAGAIN", "ENOMEM"), "vfork": ("EAGAIN", "ENOMEM"), "clone": ("EAGAIN", "ENOMEM"), "clone3": ("EAGAIN", "ENOMEM"),
    "execve": ("ENOMEM", "EIO", "EMFILE"), "wait4": ("EINTR",), "waitid": ("EINTR",),
    "pipe": ("EMFILE", "ENFILE"), "pipe2": ("EMFILE", "ENFILE"), "dup": ("EMFILE",), "dup2": ("EMFILE", "EINTR"), "dup3": ("EMFILE", "EINTR"),
    "poll": ("EINTR", "ENOMEM"), "ppoll": ("EINTR", "ENOMEM"), "flock": ("EINTR", "ENOLCK"),
    "socket": ("EMFILE", "ENFILE", "ENOMEM"), "connect": ("ENETUNREACH", "ETIMEDOUT", "EINTR"), "bind": ("EIO", "ENOMEM"), "listen": ("ENOMEM",),
    "accept": ("EMFILE", "ECONNABORTED", "EINTR"), "accept4": ("EMFILE", "ECONNABORTED", "EINTR"),
    "sendto": ("ENOMEM", "EINTR", "short=1"), "recvfrom": ("ECONNRESET", "EINTR", "short=1"), "sendmsg": ("ENOMEM",), "recvmsg": ("ENOMEM",),
    "setuid": ("EAGAIN",), "setgid": ("EAGAIN",), "setgroups": ("ENOMEM",), "mmap": ("ENOMEM",), "brk": ("ENOMEM",), "getrandom": ("EINTR",),
}
CREATES = NO_ROOM + ("EROFS",)
OPENED = re.compile(r'".*", (\w+)')
# Those which may stay: what goes on failing must not make anybody go round in circles.
STAY = ("ENOSPC", "EIO", "EMFILE", "ENOMEM", "EAGAIN")
# Who cannot wait at all can do nothing, and what is in a pipe of one's own can be read.
NEVER_STAYS = r"p?poll |read pipe"

# Exit codes that the pages have for trouble that passes. 127: the loader of shared libraries did not get
# what it needs. 128 and more: trip's, of a process that a signal ended; SIGSEGV is the C library's own end
# before main.
CODES = {"qmail-inject": (0, 111), "sendmail": (0, 111), "qmail-newu": (0, 111), "qmail-newmrh": (0, 111), "maildir2mbox": (0, 111),
         "qmail-qfix": (0, 2, 111), "qmail-qctl": (0, 1, 111)}
LOADER = (127,)
NO_MEMORY = b"alert: out of memory, sleeping...\n"
NO_TLS = b"cannot allocate TLS data structures"
NOT_LOADED = b": error while loading shared libraries: "


# Faults that were handled wrong once: scene, program, a pattern for the places, the action, whether it stays. They
# are always tried. A program that needs no more memory has no place for its want.
MOST_KNOWN = 6  # calls at one place
MEMORY = r"(brk|mmap) < "
KNOWN = (
    ("newmrh", "qmail-newmrh", r"(newfstatat|fstat|statx) \S*tmp < flock", "error=EIO", True),  # opened and locked for ever
    ("newu", "qmail-newu", r"(newfstatat|fstat|statx) \S*tmp < flock", "error=EIO", True),
    ("moved", "maildir2mbox", r"(newfstatat|fstatat|statx) N\.N\.here < ", "error=ENOMEM", False),  # passed over: exit 0
    ("bounce", "qmail-lspawn", r"write pipe:\[N\]1 < chdir mess", "error=ENOSPC", False),  # a report that never came
    ("bounce", "qmail-rspawn", r"write pipe:\[N\]1 < chdir mess", "error=ENOMEM", False),
    ("mbox", "qmail-send", r"open(at)? lock/trigger < ", "error=EMFILE", False),  # new mail was found after 25 minutes
    ("forward", "forward", MEMORY, "error=ENOMEM", True),  # sent on, and once more by each attempt
    ("mbox", "qmail-local", MEMORY, "error=ENOMEM", True),
    ("mbox", "qmail-lspawn", MEMORY, "error=ENOMEM", True),  # waited for memory, and did not see that qmail-send had gone
    ("remote", "qmail-rspawn", MEMORY, "error=ENOMEM", True),
)


class Point:
    """One fault: what trip does at the nth call at a place; stays: and at all later calls of that name."""

    def __init__(self, scene, program, nth=None, place=None, action=None, stays=False):
        self.scene, self.program, self.nth, self.place, self.action, self.stays = scene, program, nth, place, action, stays

    def __str__(self):
        return "|".join((self.scene, self.program, str(self.nth), self.place, self.action)) + ("|r" if self.stays else "")

    def arguments(self):
        return (["-r"] if self.stays else []) + trip(self.program, self.nth, self.action, place=self.place)


class Result:
    def __init__(self):
        self.calls, self.hit, self.wrong, self.extra, self.log, self.end = [], None, [], 0, "", None


def circles(calls, plain, most=2000):
    """Far more calls than without a fault."""
    return ["%d calls, %d without a fault" % (len(calls), plain)] if plain and len(calls) > 6 * plain + most else []


def refused(replies):
    """The first reply that is no success must be a temporary one."""
    bad = [r for r in re.findall(rb"^(\d)\d\d ", replies, re.M) if r in b"45"]
    return ["SMTP says %r" % replies[-400:]] if bad and bad[0] == b"5" else []


def ended(log):
    """How a system that is gone has gone."""
    last = log.splitlines()[-1:] or [b""]
    if last[0] in (b"", b"status: exiting") or b"cannot start: " in last[0] or last[0].startswith((b"fatal: ", NO_TLS)) or NOT_LOADED in last[0]:
        return []
    return ["the system has ended behind %r" % last[0]]


def try_mail(rig, point, plain):
    scene, result = SCENES[point.scene], Result()
    run = rig.run(scene, point.arguments(), again=point.action is None or point.program in DAEMONS, alarms=STAYS if point.stays else ALARMS)
    rule = RULE(point, run.hit or "") if point.action else ledger.NEVER
    result.wrong, extra = ledger.judge(scene, run, rule, redone=STAYS + 1 if point.stays else 1)
    for mail in scene.mails:
        if mail.by == "qmail-smtpd":
            result.wrong += refused(rig.replies(mail))
        elif mail.by and run.codes.get(mail.token, 111) not in CODES["qmail-inject"] + LOADER + tuple(range(128, 140)):
            result.wrong.append("%s exits %s" % (mail.by, run.codes.get(mail.token)))
        if point.action and mail.by == "qmail-smtpd" and point.program in DAEMONS + ("qmail-local", "qmail-remote") and not run.accepted.get(mail.token):
            result.wrong.append("not accepted, and nothing hindered it")
    if point.action is None and run.came_to != RESTED:
        result.wrong.append("it does not come to rest")
    # its log cannot tell why, nor we read there what is going on
    mute = point.program == "qmail-send" and "write" in (run.hit or "") and (point.stays or "log <" in point.place)
    if run.came_to == ENDED and not mute:
        result.wrong += ended(run.first_log)
    if "does not leave" in result.wrong and point.stays and run.first_log.endswith(NO_MEMORY):
        result.wrong.remove("does not leave")  # what comes of the deliveries under way must not be forgotten
    if "stuck" in result.wrong and (mute or point.stays and re.search(rb": deferral: |: report mangled", run.first_log)):
        result.wrong.remove("stuck")  # put off, again and again, as often as we ask
    elif len(run.first_log.splitlines()) > 250:
        result.wrong.append("%d lines in the log" % len(run.first_log.splitlines()))
    result.wrong += circles(run.calls, plain)
    result.extra, result.calls, result.hit, result.end = sum(extra.values()), run.calls, run.hit, run.came_to
    if result.wrong:
        result.log = "%s\naccepted: %s, codes: %s, extra: %s\n%s\n-- again\n%s\n-- calls\n%s" % (
            run.hit, run.accepted, run.codes, extra, run.first_log.decode("latin1")[-2500:], run.log.decode("latin1")[-1500:], "\n".join(run.calls[-8:]))
    return result


def RULE(point, hit):
    """What has been done and cannot be told is done again, as after a kill; where no telling succeeds, by each attempt."""
    once = ledger.again(point.program, "kill-after")
    return (lambda passes: (STAYS + 1) * passes if once(passes) else 0) if point.stays and "write" in hit else once


def try_tool(rig, point, plain):
    tool, result = TOOLS[point.scene], Result()
    tool.killed_program = point.program if point.action else None
    write(rig.log_path, b"")
    tool.prepare(rig)
    try:
        code, result.calls, result.hit = rig.alone(point.arguments(), tool.command(rig), tool.runs)
    except subprocess.TimeoutExpired:
        code, (result.calls, result.hit) = 128, rig.calls()
        if not (point.stays and rig.log().endswith(NO_MEMORY)):
            result.wrong.append("it does not end")
    result.end = rig.codes().get("end", code) if "qctl" in point.scene else code
    result.wrong += tool.crashed(rig, code) + tool.again(rig)
    if result.end not in CODES[tool.program] + LOADER and result.end < 128:
        result.wrong.append("%s exits %s" % (tool.program, result.end))
    result.wrong += circles(result.calls, plain, ASKED_AGAIN if tool.runs else 2000)
    result.extra = getattr(tool, "doubles", 0)
    if result.wrong:
        result.log = "%s\nexit %s\n%s\n-- calls\n%s" % (result.hit, result.end, rig.log().decode("latin1")[-2500:], "\n".join(result.calls[-8:]))
    return result


# A program in whose place there is another, NAME.real, with the scene and what has to be said about it.
BROKEN = {
    "a temporary failure that is called a permanent one": ("maildir", "qmail-local", '"$0.real" "$@"; test $? = 111 && exit 100; exit $?',
                                                           "error=ENOSPC", "link", "came to the wrong place"),
    "a message that is dropped when there is no room": ("maildir", "qmail-local", '"$0.real" "$@"; test $? = 111 && exit 0; exit $?',
                                                        "error=ENOSPC", "link", "lost: "),
}


def try_broken(rig, name):
    scene, program, script, action, call, _ = BROKEN[name]
    path = os.path.join(rig.tree, "bin", program)
    os.rename(path, path + ".real")
    write(path, "#!/bin/sh\n" + script + "\n", 0o755)
    try:
        calls = work(rig, (Point(scene, program + ".real"), 0)).calls
        place = next(place_of(c) for c in calls if name_of(c).startswith(call))
        return "\n".join(work(rig, (Point(scene, program + ".real", 1, place, action), 0)).wrong)
    finally:
        os.rename(path + ".real", path)


def work(rig, task):
    if isinstance(task, str):
        return try_broken(rig, task)
    point, plain = task
    began = time.monotonic()
    for _ in range(TRIES):
        result = (try_mail if point.scene in SCENES else try_tool)(rig, point, plain)
        if result.hit or not point.action:
            break
        point.nth = 1  # processes take turns in another order each time: it has come there less often
    result.seconds = time.monotonic() - began
    return result


# -- which calls there are

def name_of(call):
    return call.split(" ", 2)[2].split("(")[0]


def place_of(call):
    return call.rsplit(" @ ", 1)[1]


def errors_of(call):
    name = name_of(call)
    errors = ERRORS.get(name, ())
    if name in ("open", "openat"):
        flags = OPENED.search(call)
        if flags and int(flags.group(1), 0) & os.O_CREAT:
            errors = errors + CREATES
    return [e for e in errors if not PICKED_ERRORS or e.split("=")[-1] in PICKED_ERRORS]


def pairs():
    for scene in PICKED_SCENES:
        for program in MAIL if scene in SCENES else (TOOLS[scene].program,) + TOOLS[scene].others:
            if program in PICKED and (program != "qmail-start" or scene == "maildir"):
                yield Point(scene, program)


def known_pairs():
    """Those of KNOWN which pairs() does not have."""
    if FULL or "SCENES" in os.environ or "WHICH" in os.environ:
        return
    for pair in sorted({known[:2] for known in KNOWN} - {(p.scene, p.program) for p in pairs()}):
        yield Point(*pair)


def places(plain):
    """(program, place) -> [(scene, the calls there)]."""
    found_ = collections.defaultdict(dict)
    for (scene, program), calls in plain.items():
        for call in calls:
            found_[program, place_of(call)].setdefault(scene, []).append(call)
    return {key: list(scenes.items()) for key, scenes in found_.items()}


def all_points(plain, rng):
    """Each place of a program with each of its errors: (Point, calls without a fault); and the number of places."""
    points, there = [], places(plain)
    for (program, place), scenes in there.items():
        for error in errors_of(scenes[0][1][0]):
            if EVERY and error not in (errors_of(scenes[0][1][0])[0], "EINTR"):
                continue
            action = error if "=" in error else "error=" + error

            def add(scene, nth, stays=False):
                points.append((Point(scene, program, nth, place, action, stays), len(plain[scene, program])))
            scene, calls = rng.choice(scenes)
            for nth in sorted({1, len(calls)}):
                add(scene, nth)
            if not EVERY and error in STAY and not re.match(NEVER_STAYS, place):
                scene, calls = rng.choice(scenes)
                add(scene, rng.choice((1, len(calls))), True)
    return points, len(there)


def known_points(plain):
    """KNOWN, as far as their scenes are picked."""
    for scene, program, pattern, action, stays in KNOWN:
        if (scene, program) in plain:
            calls = plain[scene, program]
            at = collections.Counter(place_of(c) for c in calls if re.match(pattern, place_of(c)))
            ok(at or pattern == MEMORY, "%s, scene %s, has the call %s" % (program, scene, pattern), "\n".join(calls))
            for place, times in at.items():
                for nth in range(1, min(times, MOST_KNOWN) + 1):
                    yield Point(scene, program, nth, place, action, stays), len(calls)


def sampled(points, rng):
    by_program = collections.defaultdict(list)
    for task in points:
        by_program[task[0].program].append(task)
    rounds = 0
    while rounds < 1 or time.monotonic() < END:
        rounds += 1
        for program in sorted(by_program):
            yield rng.choice(by_program[program])


class Tally:
    def __init__(self):
        self.points = self.extra = self.seconds = 0
        self.wrong, self.missed, self.ends = [], [], collections.Counter()

    def __str__(self):
        return "%d points%s in %d s; %d duplicates; %s" % (self.points, ", %d more were not reached" % len(self.missed) if self.missed else "", self.seconds, self.extra,
                                                   ", ".join("%s: %d" % e for e in sorted(self.ends.items(), key=str)))


def run_all(tree, points):
    tallies = collections.defaultdict(Tally)
    for count, ((point, _), result) in enumerate(pool(tree, work, points, WORKERS), 1):
        if count % 500 == 0:
            note("%d done" % count)
        tally = tallies[point.program]
        tally.points += result.hit is not None
        tally.missed += [str(point)] if result.hit is None else []
        tally.extra += result.extra
        tally.ends[result.end] += 1
        tally.seconds += result.seconds
        if result.seconds > SLOW_S:
            note("%.1f s, %s: %s" % (result.seconds, result.end, point))
        if result.wrong:
            tally.wrong.append(str(point))
            if len(tally.wrong) <= TOLD:
                note("POINTS='%s'\n%s\n%s" % (point, "\n".join(result.wrong), result.log))
    return tallies


tree = Tree()
world(tree)
note("SEED=%d" % SEED)
rng = random.Random(SEED)
if not FULL and not EVERY and "SCENES" not in os.environ and "WHICH" not in os.environ:
    PICKED_SCENES = rng.sample(sorted(SCENES), 2) + rng.sample(sorted(TOOLS), 3)
if GIVEN:
    tallies = run_all(tree, [(Point(p[0], p[1], int(p[2]), p[3], p[4], len(p) > 5), 0) for p in GIVEN])
else:
    plain = {}
    for (point, _), result in pool(tree, work, [(p, 0) for p in itertools.chain(pairs(), known_pairs())], WORKERS):
        if result.calls:
            plain[point.scene, point.program] = result.calls
        if result.wrong:
            ok(False, "%s in scene %s, without a fault" % (point.program, point.scene), "\n".join(result.wrong) + "\n" + result.log)
    points, count = all_points(plain, rng)
    note("%d places, %d points" % (count, len(points)))
    if FULL or EVERY:
        rng.shuffle(points)
    for name, said in pool(tree, work, BROKEN):
        found(re.escape(BROKEN[name][-1]), said, "noticed: " + name)
    tallies = run_all(tree, itertools.chain(known_points(plain), points if FULL or EVERY else sampled(points, rng)))
for program in sorted(tallies):
    tally = tallies[program]
    for point in tally.missed:
        note("not reached: " + point)
    ok((tally.points or not FULL) and not tally.wrong, "%s: %s" % (program, tally), "violations:\n" + "\n".join(tally.wrong[:60]))
done()
