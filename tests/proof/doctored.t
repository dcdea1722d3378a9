#!/usr/bin/env python3
"""Every sync in the code is needed, or known to be spare: in a copy of the sources one call after the
other that syncs is turned into one that only says it has; the programs are built, recorded at
work, and the replay of the recording must find what is lost.

A call that is neither noticed nor in SPARE fails the test, and so does one of SPARE that is not there.
This takes some minutes: with PROOF=full only. SITES="FILE:LINE..." picks calls."""
import os, sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system")]
from reqmail import *
import random

if os.environ.get("PROOF") != "full":
    skip_all("some minutes long: make proof")
need_private()
if sanitized:
    skip_all("sanitizers and strace do not go together")
if not shutil.which("strace") or not shutil.which("prlimit"):
    skip_all("needs strace and prlimit")
from drain import Drains, cover
from replay import played
from scenes import PROGRAMS, ROOTS, World

# file: the program that is built with the change, the scenes that must show it
FILES = {
    "queue/queue_entry.c": ("qmail-queue", ["injected"]),
    "queue/send_fresh.c": ("qmail-send", ["two"]),
    "queue/order_file.c": ("qmail-qctl", ["held"]),
    "queue/order_note.c": ("qmail-qctl", ["returned", "returned-again"]),
    "queue/qfix_dirs.c": ("qmail-qfix", ["kept-aside", "renumbered"]),
    "queue/qfix_layout.c": ("qmail-qfix", ["missing"]),
    "admin/qmail-upq.c": ("qmail-upq", ["resplit"]),
    "admin/instpackage.c": ("instpackage", ["upgraded", "installed"]),
    "mail/maildir.c": ("qmail-local", ["maildir"]),
    "mail/mbox.c": ("qmail-local", ["mbox", "cut-back"]),
    "mailbox/maildir2mbox.c": ("maildir2mbox", ["moved"]),
    "mailbox/maildirmake.c": ("maildirmake", ["maildirmake"]),
    "users/qmail-newu.c": ("qmail-newu", ["newu"]),
    "admin/qmail-newmrh.c": ("qmail-newmrh", ["newmrh"]),
}
HELPERS = ("instpackage", "qmail-upq")  # which stay in the build folder
# Calls whose loss loses no mail, each with the reason: (file, how the call begins).
SPARE = {
    ("mailbox/maildirmake.c", "dir_sync(parts[i])"): "an empty directory is there with its name",
    ("admin/qmail-upq.c", "dir_sync(tree)"): "a renaming is one change, and the directory that it leads to is synced too",
    ("queue/qfix_dirs.c", "dir_sync_fd(state.aside)"): "a renaming is one change, and the directory that it leads from is synced too",
    ("queue/qfix_layout.c", "file_sync(fd)"): "zeros in a file of queue/lock, which another run makes again",
    ("queue/qfix_layout.c", "file_sync(out)"): "the same",
}
CALL = re.compile(r"\b(file_sync|dir_sync|dir_sync_fd|file_sync_name)(?=\()|\bfile_publish_(?:rename|link)(?=\()|\bWRITER_SYNC\b")
STUBS = """
#include <stdio.h>
#define no_file_sync(fd) ((fd) >= -1)
#define no_dir_sync(path) ((path)[0] != 0)
#define no_dir_sync_fd(fd) ((fd) >= -1)
#define no_file_sync_name(path) ((path)[0] != 0)
#define no_file_publish_rename(path, final, dir) (rename(path, final) == 0)
#define no_file_publish_link(path, final, dir) (link(path, final) == 0)
#define no_WRITER_SYNC 0
"""


def sites():
    """(file, line, beginning, end) of every call in the sources."""
    found = []
    for at, _, names in os.walk(os.path.join(SOURCE, "src")):
        for name in sorted(names):
            path = os.path.relpath(os.path.join(at, name), os.path.join(SOURCE, "src"))
            if not name.endswith(".c") or path in ("base/file.c", "base/writer.c"):
                continue  # where they are made
            text = read(os.path.join(SOURCE, "src", path)).decode()
            found += [(path, text.count("\n", 0, m.start()) + 1, m.start(), m.end()) for m in CALL.finditer(text)]
    return sorted(found)


tree = Tree()
cover(tree.path, os.path.join(tree.scratch, "cover"))
world = World(tree)
copy = os.path.join(tree.scratch, "doctored")
os.mkdir(copy)
for name in os.listdir(SOURCE):
    if name not in (".git", "build"):
        subprocess.run(["cp", "-a", os.path.join(SOURCE, name), copy], check=True)
subprocess.run(["cp", "-a", os.path.join(SOURCE, os.environ["BUILD"]), copy + "/build"], check=True)
conf = ["%s=%s" % (n, os.environ[n]) for n in ("CONF_QMAIL", "CONF_USERS", "CONF_GROUPS", "CONF_CC", "CONF_LD") if os.environ.get(n)]
environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}


def build(program):
    subprocess.run(["make", "-s", "-C", copy, "BUILD=build"] + conf + ["build/" + ("" if program in HELPERS else "bin/") + program], check=True, timeout=300,
                   stdout=subprocess.DEVNULL, env=environment)
    if program in HELPERS:
        return  # it is run from there
    place = tree.bin(program)
    old = os.stat(place)
    shutil.copyfile(os.path.join(copy, "build/bin", program), place + ".new")
    os.chown(place + ".new", old.st_uid, old.st_gid)
    os.chmod(place + ".new", old.st_mode & 0o7777)
    os.rename(place + ".new", place)


def shown(scenes):
    """What the replay of these scenes finds wrong first."""
    for name in scenes:
        world.reset()
        replay, history = played(name, world, drains)
        wrong = replay.check(history, rng, 200 if name in PROGRAMS else 1, first=True).wrong
        if wrong:
            return wrong[0].split("\n")[0]
    return None


world.source, world.build = copy, "build"
note("SEED=%s" % os.environ.get("SEED", "1"))
rng = random.Random(int(os.environ.get("SEED", "1")))
picked, met = os.environ.get("SITES", "").split(), set()
world.reset()
drains = Drains(tree.path, tree.scratch, ROOTS)  # these run the sound programs
drains.pool.submit(int).result()
try:
    for path, line, begin, end in sites():
        if picked and "%s:%d" % (path, line) not in picked:
            continue
        whole = read(os.path.join(SOURCE, "src", path)).decode()
        name = "%s:%d %s" % (path, line, whole[begin:end])
        if path not in FILES:
            ok(False, "known to this test: " + name)
            continue
        spare = next((why for (p, call), why in SPARE.items() if p == path and whole.startswith(call, begin)), None)
        if spare:
            met.update(k for k in SPARE if k[0] == path and whole.startswith(k[1], begin))
            note("%s is spare: %s" % (name, spare))
            continue
        program, scenes = FILES[path]
        changed = whole[:begin] + "no_" + whole[begin:]
        last = [m.end() for m in re.finditer(r"^#include .*\n", changed, re.M)][-1]
        write(os.path.join(copy, "src", path), changed[:last] + STUBS + changed[last:])
        build(program)
        what = shown(scenes)
        ok(what, "noticed: no " + name, "nothing goes wrong without it")
        note(what)
        write(os.path.join(copy, "src", path), whole)
        build(program)
    if not picked:
        same(sorted(set(SPARE) - met), [], "every call that is said to be spare is there")
finally:
    drains.close()
done()
