#!/usr/bin/python3
"""qmail-qfix: each finding, what is done about it and what is left alone; messages with
each other's numbers, in any permutation; interruptions and failures at each system call
that changes something, each followed by a run that completes the work; users of the
queue who want root to reach something else. qfix-restore.t has a whole running system."""
import fcntl, itertools
from queue_maker import *

if not root:
    skip_all("needs root: qmail-qfix refuses to run")

tree = Tree()
q = Queue(tree)
SOUND = ["qmail-qfix: 0 messages, 0 problems"]
atexit.register(q.clear)


def last(lines):
    return lines[-1] if lines else None


def finding(name, lines, repaired, codes, what="fixed"):
    """What is there now has these findings, -r does this about them; with codes
    (check, repair, check again)."""
    before = q.snapshot()
    code, out = q.run()
    same((code, sorted(out[:-1])), (codes[0], sorted(lines)), name + ": found")
    same(q.snapshot(), before, name + ": looking changes nothing")
    code, out = q.run("-r")
    repaired = repaired or ["%s: %s" % (line, what) for line in lines]
    same((code, sorted(out[:-1])), (codes[1], sorted(repaired)), name + ": repaired")
    counted = sum(line.endswith(": fixed") for line in repaired)
    found(r" messages, %d problems, %d fixed$" % (len(repaired), counted), last(out), name + ": counted")
    same(q.run()[0], codes[2], name + ": a second look")


FIXED, ASIDE, LEFT = (1, 0, 0), (2, 2, 0), (2, 2, 2)

# -- nothing to do

same(q.run(), (0, SOUND), "an empty queue is sound")
q.every_kind()
q.mess()
q.put("intd", q.mess(), b"u1\0p2\0Fcut")
write(q.at("pid/1.2.3"), b"", 0o600, (0, 0))
write(q.at("notes of an admin"), b"")
before = q.snapshot()
same(q.run(), (0, ["qmail-qfix: 9 messages, 0 problems"]), "every state is sound")
same(q.run("-r"), (0, ["qmail-qfix: 9 messages, 0 problems, 0 fixed"]), "also with -r")
same(q.snapshot(), before, "which has changed nothing")
os.unlink(q.at("notes of an admin"))

# -- how it is called

for arguments in (["-z"], ["-r", "-r"], ["-r", "x"], [""], ["-rr"], ["--"]):
    same((q.run(*arguments), q.err), ((100, []), b"qmail-qfix: usage: qmail-qfix [ -r ]\n"), "usage: %r" % arguments)
uid, gid = tree.ids(7)
copy = os.path.join(tree.scratch, "qmail-qfix")
shutil.copy(tree.bin("qmail-qfix"), copy)
os.chmod(copy, 0o755)
ended = subprocess.run([copy, "-r"], user=uid, group=gid, extra_groups=[], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
same((ended.returncode, ended.stdout, ended.stderr), (111, b"", b"qmail-qfix: fatal: must be run as root\n"), "for root alone")
with open(q.at("lock/sendmutex"), "w") as mutex:
    fcntl.flock(mutex, fcntl.LOCK_EX)
    same((q.run("-r"), q.err), ((111, []), b"qmail-qfix: fatal: qmail-send is running\n"), "not beside qmail-send")
    same(q.run()[0], 0, "but it may look")
q.clear()

# -- directories and locks

os.rmdir(q.at("info/3"))
os.unlink(q.at("lock/tcpto"))
os.unlink(q.at("lock/trigger"))
os.rmdir(q.at("bounce"))
finding("missing", ["missing bounce", "missing info/3", "missing lock/tcpto", "missing lock/trigger"], None, FIXED)
shutil.rmtree(q.at("lock"))
shutil.rmtree(q.at("mess"))
everything = ["lock", "lock/sendmutex", "lock/tcpto", "lock/trigger", "mess"] + ["mess/%d" % s for s in range(23)]
finding("missing trees", ["missing " + name for name in everything], None, FIXED)
tcpto6 = write(q.at("lock/tcpto6"), bytes(2048), 0o644, tree.ids(6)[:1] + (q.group,))  # as it was installed
os.unlink(tcpto6)
same(q.run()[0], 0, "queues of others have no tcpto6")
write(tcpto6, bytes(10), 0o644, tree.ids(6)[:1] + (q.group,))
write(q.at("lock/tcpto"), b"x" * 2000)
write(q.at("lock/sendmutex"), b"x", 0o600)
finding("size", ["bad-size lock/tcpto", "bad-size lock/tcpto6", "bad-size lock/sendmutex"], None, FIXED)
same(read(q.at("lock/tcpto")), b"x" * 1024, "cut, not emptied")
for name in ("", "pid", "mess", "mess/7", "remote", "lock", "lock/trigger", "lock/tcpto"):
    os.chown(q.at(name), 0, 0)
    os.chmod(q.at(name), 0o770)
at = [name or "." for name in ("", "pid", "mess", "mess/7", "remote", "lock", "lock/trigger", "lock/tcpto")]
finding("owners of directories", ["bad-%s %s" % (w, n) for n in at for w in ("owner", "group", "mode")], None, FIXED)
same(subprocess.run([os.path.join(SOURCE, os.environ.get("BUILD", "build"), "instcheck"), "queue-only"], stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT, timeout=60).stdout, b"", "the installer agrees")

# -- names

n = q.ready(local=[b"Ta@here.test"])
for name in ("mess/3/x y\n", "mess/3/007", "mess/3/-1", "mess/3/x.fix", "info/4/core", "todo/.nfs1", "bounce/18446744073709551616", "mess/4/x y\n"):
    write(q.at(name), name)
os.mkdir(q.at("intd/directory"))
os.mkdir(q.at("bounce/lost+found"))
write(q.at("mess/README"), b"")
names = ["mess/3/x_y_", "mess/3/007", "mess/3/-1", "mess/3/x.fix", "info/4/core", "todo/.nfs1", "bounce/18446744073709551616", "mess/4/x_y_",
         "intd/directory"]
finding("name", ["bad-name " + name for name in names], None, ASIDE, "kept aside")
same(q.kept(), sorted(["mess-x y\n", "mess-007", "mess--1", "mess-x.fix", "info-core", "todo-.nfs1", "bounce-18446744073709551616",
                       "mess-x y\n.2", "intd-directory"]), "all of them are there")
folder = next(q.at(f) for f in os.listdir(q.at()) if f.startswith("qfix."))
same(oct(os.stat(folder).st_mode), "0o40700", "for root alone")
found(r"/qfix\.\d+\.\d+$", folder, "with time and process in its name")
q.clear()

# -- split

n = [q.ready(local=[b"Ta@here.test"], remote=[b"Tb@far.test"]) for _ in range(4)]
before = q.whole()
os.rename(q.path("mess", n[0]), q.at("mess", (n[0] + 1) % 23, n[0]))
os.rename(q.path("info", n[1]), q.at("info", n[1]))
os.mkdir(q.at("local/23"))
os.rename(q.path("local", n[2]), q.at("local/23", n[2]))
os.mkdir(q.at("remote/1000000"))
finding("split", ["bad-split mess/%d/%d" % ((n[0] + 1) % 23, n[0]), "bad-split info/%d" % n[1], "bad-split local/23/%d" % n[2],
                  "extra local/23", "extra remote/1000000"], None, FIXED)
same(q.whole(), before, "split: all is where it was")
subprocess.run(["cp", "-p", q.path("info", n[0]), q.at("info", (n[0] + 1) % 23, n[0])], check=True)
finding("split: taken", ["bad-split info/%d/%d" % ((n[0] + 1) % 23, n[0])], None, LEFT, "not fixed")
os.unlink(q.at("info", (n[0] + 1) % 23, n[0]))
for s in (1, 2):
    subprocess.run(["cp", "-p", q.path("info", n[0]), q.at("info", (n[0] + s) % 23, n[0])], check=True)
os.unlink(q.path("info", n[0]))
finding("split: which of them", ["bad-split info/%d/%d" % ((n[0] + s) % 23, n[0]) for s in (1, 2)], None, LEFT, "not fixed")
q.clear()
os.mkdir(q.at("info/99"))
write(q.at("info/99/x"), b"")
os.mkdir(q.at("info/77"))
os.mkdir(q.at("info/77/12"))
finding("extra directories with something in them", ["bad-name info/99/x", "extra info/99", "bad-type info/77/12", "extra info/77"],
        ["bad-name info/99/x: kept aside", "extra info/99: fixed", "bad-type info/77/12: not fixed", "extra info/77: not fixed"], LEFT)
q.clear()

# -- numbers: any permutation

everyone = lambda: q.every_kind() + [q.mess(), q.ready(local=[b"Tz@here.test"])]
free = 4000000000
shapes = {
    "one": lambda a: {a[0]: free}, "all, apart": lambda a: {n: free + i for i, n in enumerate(a)},
    "two changed round": lambda a: {a[0]: a[5], a[5]: a[0]},
    "a cycle of three": lambda a: {a[0]: a[2], a[2]: a[6], a[6]: a[0]},
    "a chain": lambda a: {a[0]: a[1], a[1]: a[2], a[2]: a[3], a[3]: free},
    "all in one cycle": lambda a: dict(zip(a, a[1:] + a[:1])),
    "two cycles and a chain": lambda a: {a[0]: a[1], a[1]: a[0], a[2]: a[3], a[3]: a[4], a[4]: a[2], a[5]: a[6], a[6]: free},
    "backwards": lambda a: dict(zip(a, reversed(a))),
    "same split directory": lambda a: {n: (free // 23 + i) * 23 + n % 23 for i, n in enumerate(a[:2])},
}
for name, shape in shapes.items():
    a = everyone()
    before = q.whole()
    changes = {old: new for old, new in shape(a).items() if old != new}
    q.rename(changes)
    lines = ["bad-inode mess/%d/%d %d" % (new % 23, new, old) for old, new in changes.items()]
    finding("numbers, " + name, lines, None, FIXED)
    same(q.whole(), before, "numbers, %s: every file is with its message, times and all" % name)
    q.clear()

# envelopes whose links a copy has lost
a = q.todo()
os.unlink(q.path("intd", a))
q.put("intd", a, read(q.path("todo", a)))
q.rename({a: free})
same((q.run("-r")[0], q.files(a), q.run()[0]), (0, ["mess", "intd", "todo"], 0), "intd and todo may be two files")
q.clear()

# what cannot be done is not begun, nor what depends on it
a = [q.ready(local=[b"Ta@here.test"]) for _ in range(4)]
q.rename({a[0]: a[1], a[1]: a[2], a[2]: free, a[3]: free + 1})
os.mkdir(q.path("bounce", a[2]))  # where the second message is now
lines = ["bad-type bounce/%d" % a[2]] + ["bad-inode mess/%d/%d %d" % (new % 23, new, old) for old, new in
                                         ((a[0], a[1]), (a[1], a[2]), (a[2], free), (a[3], free + 1))]
finding("numbers that do not become free", lines,
        [line + (": fixed" if line.endswith((" %d" % a[0], " %d" % a[3])) else ": not fixed") for line in lines], LEFT)
same([q.files(n) for n in (a[0], a[2], free, a[3])], [["mess", "info", "local"], ["mess", "info", "local", "bounce"], ["mess", "info", "local"],
                                                      ["mess", "info", "local"]], "nothing was taken from them")
q.clear()

# -- links

a, b = q.ready(local=[b"Ta@here.test"]), q.ready(local=[b"Tb@here.test"])
os.unlink(q.path("mess", b))
os.link(q.path("mess", a), q.path("mess", b))
finding("one message file with two numbers", ["bad-links mess/%d/%d" % (n % 23, n) for n in (a, b)], None, LEFT, "not fixed")
q.clear()

# -- orphans

n = q.every_kind()
os.unlink(q.path("mess", n[0])), os.unlink(q.path("mess", n[5]))
os.unlink(q.path("info", n[2]))
finding("orphans", ["orphan info/%d/%d" % (n[0] % 23, n[0]), "orphan local/%d/%d" % (n[0] % 23, n[0]), "orphan intd/%d" % n[5], "orphan todo/%d" % n[5]] +
        ["orphan %s/%d/%d" % (k, n[2] % 23, n[2]) for k in ("mess", "local", "remote")], None, ASIDE, "kept aside")
same(q.kept(), sorted(["info-%d" % n[0], "local-%d" % n[0], "intd-%d" % n[5], "todo-%d" % n[5]] + ["%s-%d" % (k, n[2]) for k in ("mess", "local", "remote")]),
     "orphans: all of them are there")
q.clear()

# somebody writes a message whose number an old bounce has
n = q.mess()
q.put("bounce", n, b"old\n")
with open(q.path("mess", n), "ab"):
    os.utime(q.path("mess", n))
    same(q.run("-r"), (2, ["orphan bounce/%d: kept aside" % n, "qmail-qfix: 1 messages, 1 problems, 0 fixed"]), "a message that is being written stays")
same(q.files(n), ["mess"], "the old bounce does not")
q.clear()

# -- owners

n = [q.ready(local=[b"Ta@here.test"], remote=[b"Tb@here.test"], bounce=b"no\n"), q.todo()]
leftover = q.mess()
lines = []
for number in n + [leftover]:
    for kind in q.files(number):
        os.chown(q.path(kind, number), 0, 0)
        os.chmod(q.path(kind, number), 0o600 if kind in ("mess", "todo", "intd") else 0o666)
        if number != leftover and kind != "intd":
            lines += ["bad-%s %s" % (w, os.path.relpath(q.path(kind, number), q.at())) for w in ("owner", "group", "mode")
                      if w != "group" or kind in SEND_KINDS]
before = q.whole()
finding("owners", lines, None, FIXED)
same(q.whole(), before, "owners: times stay")
q.clear()

# -- contents

for name, make, aside in (
        ("todo, another letter", lambda: q.todo(b"u1\0p2\0Fa\0Xb\0"), ["mess", "intd", "todo"]),
        ("todo, no sender", lambda: q.todo(b"u1\0p2\0Tb@here.test\0"), ["mess", "intd", "todo"]),
        ("todo, no NUL at its end", lambda: q.todo(b"u1\0p2\0Fa\0Tb@here.te"), ["mess", "intd", "todo"]),
        ("todo, an empty record", lambda: q.todo(b"u1\0p2\0Fa\0\0"), ["mess", "intd", "todo"]),
        ("todo, empty", lambda: q.todo(b""), ["mess", "intd", "todo"])):
    number = make()
    code, out = q.run()
    same((code, sorted(out[:-1])), (2, sorted(["bad-content todo/%d" % number, "orphan intd/%d" % number, "orphan mess/%d/%d" % (number % 23, number)])), name)
    same((q.run("-r")[0], q.kept(), q.run()[0]), (2, sorted("%s-%d" % (k, number) for k in aside), 0), name + ": kept aside with its message")
    q.clear()
for name, info in (("info, two records", b"Fa\0Fb\0"), ("info, another letter", b"Ta\0"), ("info, no NUL", b"Fa"), ("info, empty", b"")):
    number = q.ready(local=[b"Ta@here.test"])
    q.put("info", number, info)
    same((q.run()[0], q.run("-r")[0], q.kept(), q.run()[0]), (2, 2, sorted("%s-%d" % (k, number) for k in ("mess", "info", "local")), 0), name)
    q.clear()
# delivered before its files had to be on the disk
number = q.ready(local=[b"Ta@here.test"])
q.put("info", number, b""), q.put("local", number, b"")
os.chmod(q.path("info", number), 0o611)
same(q.run()[0], 0, "rests of a delivered message may hold anything")
q.clear()
for name, records in (("another letter", b"Ta@b\0Xa@b\0"), ("no NUL at the end", b"Ta@b\0Ta@"), ("an empty record", b"Ta\0\0Tb\0"), ("empty", b"")):
    number = q.ready(local=[b"Ta@here.test"], remote=[b"Ta@far.test"])
    q.put("local", number, records)
    finding("local, " + name, ["bad-content local/%d/%d" % (number % 23, number)], None, LEFT, "not fixed")
    q.clear()
number = q.todo()
for kind in ("info", "local", "remote"):
    q.put(kind, number, b"anything")
same(q.run()[0], 0, "beside todo nothing else matters")
os.unlink(q.path("intd", number))
q.put("intd", number, b"damaged")
finding("intd of its own, damaged", ["bad-content intd/%d" % number], None, ASIDE, "kept aside")
same(q.files(number), ["mess", "info", "local", "remote", "todo"], "todo is enough")
q.clear()
q.put("intd", q.mess(), b"not whole y")
same(q.run()[0], 0, "an envelope that is being written is no finding")
q.clear()

# -- what was half done

def resumed(name, prepare, lines=None, code=1):
    a = [q.ready(local=[b"Ta@here.test"], remote=[b"Tb@far.test"]) for _ in range(3)]
    before = q.whole()
    prepare(a)
    if lines is not None:
        same(sorted(q.run()[1][:-1]), sorted(lines(a)), name + ": found")
    same((q.run()[0], q.run("-r")[0], q.run()[0]), (code, 0, 0), name + ": completed")
    same(q.whole(), before, name + ": nothing is lost")
    q.clear()


def move(kind, old, new):
    os.rename(q.at(kind, old), q.at(kind, new))


resumed("some files of the first message", lambda a: (
    q.rename({a[0]: a[1], a[1]: a[0]}), move("info", "%d/%d" % (a[1] % 23, a[1]), "%d/%d.fix" % (a[1] % 23, a[0])),
    move("local", "%d/%d" % (a[1] % 23, a[1]), "%d/%d.fix" % (a[1] % 23, a[0]))),
    lambda a: ["bad-inode mess/%d/%d %d" % (new % 23, new, old) for old, new in ((a[0], a[1]), (a[1], a[0]))])
resumed("the message file is where it belongs", lambda a: [
    move(k, "%d/%d" % (a[0] % 23, a[0]), "7/%d.fix" % a[0]) for k in ("info", "remote")],
    lambda a: ["bad-inode %s/7/%d.fix %d" % (k, a[0], a[0]) for k in ("info", "remote")])
resumed("only the message file is on its way", lambda a: move("mess", "%d/%d" % (a[0] % 23, a[0]), "5/%d.fix" % a[0]),
        lambda a: ["bad-inode mess/5/%d.fix %d" % (a[0], a[0])])
number = q.ready(local=[b"Ta@here.test"])
q.put("info", number, b"Fother\0")
os.rename(q.path("info", number), q.path("info", number) + ".fix")
q.put("info", number, b"Fs@far.test\0")
finding("two files for one", ["bad-inode info/%d/%d.fix %d" % (number % 23, number, number)], None, LEFT, "not fixed")
q.clear()
number = q.mess()
q.put("local", number, b"Ta\0")
os.rename(q.path("local", number), q.path("local", number + 1) + ".fix")
name = os.path.relpath(q.path("local", number + 1), q.at()) + ".fix"
finding("on its way to a message that is gone", ["orphan " + name], None, ASIDE, "kept aside")
q.clear()
# a backup made in the middle of a repair: nobody gets the recipients of another message
a, b = q.ready(local=[b"Ta@here.test"]), q.ready()
for kind in ("mess", "info", "local"):
    os.rename(q.path(kind, a), q.path(kind, b) + ".fix")
same((q.run()[0], q.run("-r")[0], q.run()[0]), (2, 2, 0), "a copy of a half repaired queue")
same((q.files(b), q.kept()), (["mess", "info"], sorted("%s-%d.fix" % (k, b) for k in ("mess", "info", "local"))), "its unfinished messages are kept aside")
q.clear()

# -- interruptions

CHANGES = ("renameat2", "renameat", "rename", "mkdirat", "mkdir", "mknodat", "fchown", "fchmod", "ftruncate", "unlinkat", "rmdir")


def scenario():
    """Damage of all sorts that -r repairs without a rest."""
    q.clear()
    a = [q.ready(local=[b"Ta@here.test"], remote=[b"Tb@far.test"], bounce=b"no\n"), q.todo(), q.ready(local=[b"Da@here.test", b"Tb@here.test"]),
         q.ready(remote=[b"Tz@far.test"]), q.ready(sender=b"", bounce=b"x")]
    whole = q.whole()
    q.rename({a[0]: a[1], a[1]: a[0], a[2]: a[3], a[3]: free})
    os.rename(q.path("info", a[4]), q.at("info", a[4]))
    os.mkdir(q.at("mess/23"))
    os.rename(q.path("mess", a[4]), q.at("mess/23", a[4]))
    os.chown(q.path("local", a[0] if q.files(a[0]) == ["mess", "info", "local"] else a[3]), 0, 0)
    os.chmod(q.path("bounce", a[4]), 0o666)
    os.rmdir(next(d for d in (q.at("remote/%d" % i) for i in range(23)) if not os.listdir(d)))
    os.chmod(q.at("todo"), 0o777)
    return whole


def traced(*options):
    trace = os.path.join(tree.scratch, "trace")
    return q.run("-r", wrapper=["strace", "-qq", "-o", trace, "-e", "trace=" + ",".join(("?" + c for c in CHANGES)) + ",fsync", *options])


def interruptions():
    scenario()
    code, out = traced()
    if code == 1 or not os.path.exists(os.path.join(tree.scratch, "trace")):
        return skip(1, "strace cannot run it here")
    same(code, 0, "all of the damage can be repaired")
    calls = re.findall(r"^(\w+)\((.*)", read(os.path.join(tree.scratch, "trace")).decode(), re.M)
    seen, points = {}, []
    for name, arguments in calls:
        seen[name] = seen.get(name, 0) + 1
        if name != "fsync" or seen[name] in (1, 5, 20):
            points.append((name, seen[name], arguments[:60]))
    ok(len(points) > 40, "there is something to interrupt", points)
    for i, (name, nth, arguments) in enumerate(points):
        wrong = []
        for how in ("signal=KILL", ("error=EIO", "error=ENOSPC")[i % 2]):
            whole = scenario()
            code, out = traced("-e", "inject=%s:%s:when=%d" % (name, how, nth))
            if how == "signal=KILL" and code >= 0:
                wrong.append("it was not killed: %d" % code)
            if how != "signal=KILL" and code not in (111, 2, 0):
                wrong.append("exit %d" % code)
            if how != "signal=KILL" and code == 0 and name != "unlinkat":
                wrong.append("a failure that nobody is told of")
            again = q.run("-r")
            if again[0] != 0 or q.run()[0] != 0:
                wrong.append("%s: the second run: %r" % (how, again))
            if q.whole() != whole:
                wrong.append("%s: %r is not %r" % (how, q.whole(), whole))
        ok(not wrong, "stopped at %s %d (%s)" % (name, nth, arguments), "\n".join(wrong))


if sanitized or not shutil.which("strace"):
    skip(1, "needs strace, which does not go with sanitizers")
else:
    interruptions()
q.clear()
q.run("-r")

# -- those whom the queue belongs to

victim = write(tree.at("victim"), b"secret", 0o600, (0, 0))  # where the queue can link to it
outside = tree.at("outside")
os.mkdir(outside, 0o700)
atexit.register(remove, victim)
atexit.register(remove, outside)


def untouched(name, codes):
    before = {p: os.lstat(p)[:6] + (read(p) if os.path.isfile(p) else sorted(os.listdir(p)),) for p in (victim, outside)}
    same((q.run()[0], q.run("-r")[0]), codes, name + ": exit codes")
    same({p: os.lstat(p)[:6] + (read(p) if os.path.isfile(p) else sorted(os.listdir(p)),) for p in (victim, outside)}, before, name + ": nothing outside is touched")


n = q.ready(local=[b"Ta@here.test"])
os.unlink(q.path("local", n))
os.symlink(victim, q.path("local", n))
untouched("a link in place of a file", (2, 2))
q.clear()
n = q.ready(local=[b"Ta@here.test"])
os.unlink(q.path("local", n))
os.link(victim, q.path("local", n))
untouched("a second name of a file of root's", (2, 2))
same(os.stat(victim).st_uid, 0, "which stays root's")
q.clear()
for name in ("info", "mess/5", "lock"):
    os.rename(q.at(name), q.at("away"))
    os.symlink(outside, q.at(name))
    write(outside + "/12", b"Fa\0")
    code, out = q.run()
    found(r"^bad-type %s$" % name, "\n".join(out), name + " is a link: found")
    untouched("a link in place of " + name, (2, 111 if name == "lock" else 2))
    os.unlink(q.at(name))
    os.rename(q.at("away"), q.at(name))
    os.unlink(outside + "/12")
for name in ("lock/tcpto", "lock/trigger"):
    os.rename(q.at(name), q.at("away"))
    os.symlink(victim, q.at(name))
    untouched("a link in place of " + name, (2, 2))
    os.unlink(q.at(name))
    if name == "lock/tcpto":
        os.link(victim, q.at(name))
        untouched("a second name in place of " + name, (2, 2))
        os.unlink(q.at(name))
    os.rename(q.at("away"), q.at(name))
os.rename(q.at("lock/sendmutex"), q.at("away"))
os.symlink(victim, q.at("lock/sendmutex"))
untouched("a link in place of the mutex", (2, 111))
os.unlink(q.at("lock/sendmutex"))
os.rename(q.at("away"), q.at("lock/sendmutex"))
n = q.ready(local=[b"Ta@here.test"])
os.unlink(q.path("info", n))
os.mkfifo(q.path("info", n))
untouched("a FIFO in place of a file", (2, 2))
q.clear()
same(q.run(), (0, SOUND), "and all is well again")
done()
