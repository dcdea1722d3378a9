#!/usr/bin/env python3
"""Power cuts, replayed: the real system is recorded at work; for each instant of the
recording, what a power cut then may leave on the disk is made, the system started on it,
and what came out compared with what had been promised. Then the same with one sync left out of
the recording, each in turn: that must be noticed.

SEED repeats a sample, SCENES="NAME..." picks scenes. MOST is how many states a step may have
before they are sampled, BUDGET on how many of a scene's states the system is started; with
PROOF=full both are larger."""
import os, sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system")]
from reqmail import *
import random

need_private()
if sanitized:
    skip_all("sanitizers and strace do not go together")
for program in ("strace", "prlimit"):
    if not shutil.which(program):
        skip_all("needs " + program)
import disk
from drain import Drains, cover
from replay import played
from scenes import PROGRAMS, REPAIRS, ROOTS, SCENES, World

FULL = os.environ.get("PROOF") == "full"
if FULL:
    disk.MANY = 8
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
MOST = int(os.environ.get("MOST", 400 if FULL else 20))
BUDGET = int(os.environ.get("BUDGET", 3000 if FULL else 30))
PICKED = os.environ.get("SCENES", "").split() or list(SCENES) + list(PROGRAMS) + list(REPAIRS)
# An empty directory is there with its name; that this needs no sync of its own is what the three
# file systems do, but nowhere promised: so maildirmake makes it all the same.
SPARE = {("maildirmake", "homes/bob/Fresh/" + n) for n in ("tmp", "new", "cur")}
SMALL = ("injected", "smtp", "maildir", "mbox", "remote", "two")  # of these make proof takes all states
# doctored.t leaves out syncs of these, by call
BY_CALL = ("upgraded", "installed", "kept-aside", "resplit", "returned-running", "stream")
TOLD = 3  # violations that are printed


def tell(name, tally):
    ok(not tally.wrong, "%s: %s" % (name, tally), "\n".join(tally.wrong[:TOLD]) + "\n%d violations" % len(tally.wrong))


def kind_of(path):
    """What a file is, by its place."""
    parts = path.split("/")
    return re.sub(r"\d+", "N", parts[1] if parts[0] in ("queue", "homes") else "/".join(parts[:-1]))


def class_of(sync):
    """Which sync of the program it is: numbers and names of messages do not matter."""
    return sync.program, re.sub(r"\d+", "N", sync.directory or "file"), sync.directory is None and kind.get(sync.inode)


tree = Tree()
cover(tree.path, os.path.join(tree.scratch, "cover"))
world = World(tree)
note("SEED=%d" % SEED)
rng = random.Random(SEED)
drains = None
caught = {}
try:
    for name in PICKED:
        world.reset()
        drains = drains or Drains(tree.path, tree.scratch, ROOTS)
        replay, history = played(name, world, drains)
        most = 5 * MOST if name in SMALL else MOST if name in REPAIRS else max(MOST, 2000) if name in PROGRAMS else min(MOST, 20) if name == "stream" else MOST
        tell(name, replay.check(history, rng, most, BUDGET // 10 if name in REPAIRS else BUDGET))
        kind = {inode: kind_of(path) for path, (inode, _, _) in history.files.items()}
        kind.update({o.inode: kind_of(o.path) for o in history.operations if o.kind == "name" and o.inode})
        for sync in history.syncs():
            if name in BY_CALL or (not FULL and name in REPAIRS) or (not FULL and caught.get(class_of(sync))):
                continue
            result = replay.catches(history, sync)
            caught[class_of(sync)] = caught.get(class_of(sync)) or result
finally:
    if drains:
        drains.close()
for what, result in sorted(caught.items(), key=str):
    if what[:2] in SPARE:
        note("no promise needs the sync by %s of %s" % what[:2])
        continue
    ok(result, "noticed: no sync by %s of %s" % (what[0], what[1] if what[2] is False else "%s in %s" % (what[1], what[2])), "nothing goes wrong without it")
    note(result)
done()
