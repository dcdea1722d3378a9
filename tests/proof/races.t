#!/usr/bin/env python3
"""The queue changes under the tools that look at it: what they have just seen is gone when they use it, or
something stands in the way. trip has each of their calls say so, once: the queue is in the state in which it
would be, had the other one come a moment later or gone a moment before. They end by themselves and soon,
with an exit code that their pages have; what qmail-qfix leaves it finds the next time, and a message in the
queue is there as before, or kept aside.

EVERY=1: each call. Otherwise a sample of SECONDS seconds, which SEED repeats. SCENES and CALLS pick some, and POINTS="qfix:48:error=ENOENT ..."
tries just these."""
import os, sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system")]
from reqmail import *
import random
from queue_maker import Queue

need_private()
if sanitized:
    skip_all("sanitizers and trip do not go together")
TRIP = os.path.join(SOURCE, os.environ["BUILD"], "tests/proof/trip")
if not os.path.exists(TRIP):
    skip_all("needs " + TRIP)
EVERY = os.environ.get("EVERY") or os.environ.get("PROOF") == "full"
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
SECONDS = float(os.environ.get("SECONDS", 5))
POINTS = [p.split(":") for p in os.environ.get("POINTS", "").split()]
PICKED = os.environ.get("SCENES", "").split()
CALLS = os.environ.get("CALLS", "").split()
LIMIT_S = 60
IN_THE_WAY = ("EEXIST", "EXDEV", "ENOENT")
ERRORS = {
    "open": ("ENOENT", "EIO"), "openat": ("ENOENT", "ELOOP", "EIO"), "stat": ("ENOENT", "EIO"), "lstat": ("ENOENT", "EIO"), "fstat": ("EIO",),
    "newfstatat": ("ENOENT", "EIO"), "statx": ("ENOENT", "EIO"), "rename": IN_THE_WAY, "renameat": IN_THE_WAY, "renameat2": IN_THE_WAY,
    "link": IN_THE_WAY, "linkat": IN_THE_WAY, "unlink": ("ENOENT", "EIO"), "unlinkat": ("ENOENT", "EIO"), "mkdir": ("EEXIST", "EIO"),
    "mkdirat": ("EEXIST", "EIO"), "mknod": ("EEXIST",), "mknodat": ("EEXIST",), "chmod": ("ENOENT", "EIO"), "fchmod": ("EIO",),
    "fchmodat": ("ENOENT", "EIO"), "chown": ("ENOENT",), "fchown": ("EIO",), "fchownat": ("ENOENT",), "utimensat": ("ENOENT", "EIO"),
    "flock": ("EAGAIN",), "getdents64": ("EIO",), "read": ("EIO",), "pread64": ("EIO",), "write": ("EIO",), "fsync": ("EIO",),
    "ftruncate": ("EIO",), "chdir": ("ENOENT",), "fchdir": ("ENOENT",), "connect": ("ECONNREFUSED", "EAGAIN"),
}

tree = Tree()
q = Queue(tree)
calls_path = os.path.join(tree.scratch, "calls")
tree.control("me", ME + "\n")


# -- queues

def message():
    q.clear()
    return [q.ready(local=[b"Ta@here.test", b"Db@here.test"], remote=[b"Tc@far.test"], bounce=b"<b@here.test>:\nno\n\n"), q.todo()]


def numbers():
    """As a copy leaves it: other numbers, in a circle and not, some of them in the way of others; one renumbering
    was interrupted."""
    q.clear()
    a = [q.ready(local=[b"Ta@here.test"], remote=[b"Tb@far.test"]), q.ready(remote=[b"Tb@far.test"], bounce=b"<x@y>:\nno\n\n"),
         q.ready(local=[b"Tc@here.test"]), q.todo(), q.ready(local=[b"Td@here.test"]), q.ready(local=[b"Te@here.test"])]
    free = max(a) + 1000
    q.rename({a[0]: a[1], a[1]: a[0], a[2]: free, a[3]: a[2]})
    os.rename(q.path("info", a[4]), q.path("info", a[4]) + ".fix")
    os.mkdir(q.at("mess", q.split))
    os.chown(q.at("mess", q.split), q.queue_uid, q.group)
    os.rename(q.path("mess", a[5]), q.at("mess", q.split, a[5]))
    os.rename(q.path("local", a[5]), q.at("local", (a[5] + 1) % q.split, a[5]))
    return a


def damage():
    """Everything else that qmail-qfix speaks about."""
    q.clear()
    n = [q.ready(local=[b"Ta@here.test"]), q.ready(local=[b"Ta@here.test"]), q.todo(), q.ready(remote=[b"Tc@far.test"]), q.todo()]
    os.unlink(q.path("mess", n[0]))
    os.unlink(q.path("info", n[1]))
    os.chown(q.path("info", n[3]), 0, 0)
    os.chmod(q.path("todo", n[2]), 0o666)
    q.put("intd", 4, b"u1\0p")
    q.put("todo", 9, b"u1\0")
    q.put("info", 23 * 4, b"x")
    q.put("remote", 23 * 5, b"no record")
    q.put("info", q.mess(), b"Fno end")
    q.put("bounce", 6, b"")
    write(q.at("mess/1/no number"), b"x", 0o600)
    write(q.at("todo/no number"), b"x", 0o600)
    write(q.at("pid/1.2.3"), b"x", 0o600)
    os.chmod(q.at("info"), 0o755)
    for name in ("lock/trigger", "lock/tcpto"):
        if os.path.lexists(q.at(name)):
            os.unlink(q.at(name))
    if os.path.isdir(q.at("remote/7")) and not os.listdir(q.at("remote/7")):
        os.rmdir(q.at("remote/7"))
    return n


def stuck():
    """What is left for a human, since it may be another's: files of one number at two wrong places, whose message
    makes no sense; and beside it what is found again under an old name, or at another place."""
    q.clear()
    n = [q.ready(local=[b"Ta@here.test"]), q.todo(), q.ready(local=[b"Tb@here.test"]), q.ready(local=[b"Tc@here.test"]),
         q.ready(local=[b"Td@here.test"]), q.ready(local=[b"Te@here.test"])]
    for number in n[:2]:
        for away in (1, 2):
            write(q.at("remote", (number + away) % q.split, number), b"Tx@far.test\0", 0o600, (q.send_uid, q.group))
    q.put("info", n[0], b"no sender")
    os.unlink(q.path("intd", n[1]))
    q.put("intd", n[1], b"u1\0no envelope")
    q.put("todo", n[1], b"u1\0no envelope")
    free = max(n) + 1000
    q.rename({n[2]: free})
    q.put("info", free, b"no sender")
    for number, place in ((n[3], (n[3] + 1) % q.split), (n[4], "."), (n[5], n[5] % q.split)):
        os.unlink(q.path("info", number))
        os.rename(q.path("local", number), q.at("local", place, str(number) + (".fix" if number == n[5] else "")))
    os.mkdir(q.at("mess/1/24"))
    return n


def order(*words):
    return lambda n: ["qmail-qctl", *words, str(n[0])]


# name: the queue, the command, its exit codes
SCENES = {
    "qfix-numbers": (numbers, lambda n: ["qmail-qfix", "-r"], (0, 1, 2, 111)),
    "qfix-damage": (damage, lambda n: ["qmail-qfix", "-r"], (0, 1, 2, 111)),
    "qfix-look": (damage, lambda n: ["qmail-qfix"], (0, 1, 2, 111)),
    "qfix-stuck": (stuck, lambda n: ["qmail-qfix", "-r"], (0, 1, 2, 111)),
    "qfix-stuck-look": (stuck, lambda n: ["qmail-qfix"], (0, 1, 2, 111)),
    "qfix-numbers-look": (numbers, lambda n: ["qmail-qfix"], (0, 1, 2, 111)),
    "qread": (message, lambda n: ["qmail-qread"], (0, 111)),
    "qstat": (message, lambda n: ["qmail-qstat"], (0, 111)),
    "qctl-list": (message, lambda n: ["qmail-qctl", "list"], (0, 1, 111)),
    "qctl-show": (message, order("show"), (0, 1, 111)),
    "qctl-json": (message, lambda n: ["qmail-qctl", "list", "-j"], (0, 1, 100, 111)),
    "qctl-new": (message, lambda n: ["qmail-qctl", "show", str(n[1])], (0, 1, 111)),
    "qctl-return": (message, order("return"), (0, 1, 111)),
    "qctl-try": (message, order("try"), (0, 1, 111)),
    "qctl-hold": (message, order("hold"), (0, 1, 111)),
    "qctl-delete": (message, order("delete"), (0, 1, 111)),
}


def bodies():
    """Of the messages in the queue, and of what was kept aside."""
    found = set()
    for top in ["mess"] + [n for n in os.listdir(q.at()) if n.startswith("qfix.")]:
        for at, _, names in os.walk(q.at(top)):
            found |= {read(os.path.join(at, n)) for n in names}
    return {b for b in found if b.startswith(b"Subject: ")}


def run(scene, number=None, action=None):
    """trip's calls, the point's line, and what is wrong."""
    prepare, command, codes = SCENES[scene]
    words = command(prepare())
    before, wrong = bodies(), []
    point = ["-n", str(number), "-a", action.split(",")[0]] if number else []
    if point and action.endswith(",r"):
        point.append("-r")
    try:
        code = subprocess.run([TRIP, "-o", calls_path, *point, words[0], tree.bin(words[0]), *words[1:]], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", timeout=LIMIT_S).returncode
    except subprocess.TimeoutExpired:
        return [], None, ["it does not end"]
    if code not in codes and code != 127:  # 127: a shared library was not there
        wrong.append("exits %d" % code)
    if scene != "qctl-delete" and before - bodies():
        wrong.append("gone: %r" % (before - bodies()))
    lines = read(calls_path).decode("latin1").splitlines()
    calls = [n for n in lines if not n.startswith("hit ")]
    if number and words[0] == "qmail-qfix" and not scene.endswith("look"):
        again = [q.run("-r")[0] for _ in range(2)]
        if again[1] not in (0, 2):
            wrong.append("then it exits %s" % again)
    return calls, next((n for n in lines if n.startswith("hit ")), None), wrong


def kind_of(call):
    """What a call is: its name, and what it is about."""
    text = call.split(" ", 2)[2]
    paths = [re.sub(r"\d+", "N", p) for p in re.findall(r'"([^"]*)"', text)]
    return text.split("(")[0] + " " + (" ".join(paths) or text.partition("(")[2].split(",")[0])


def points():
    """Each different call, told by its program, what it is and the two before it, for the first and
    the last time, with each error that it can give."""
    seen = set()
    for scene in PICKED or SCENES:
        calls, _, wrong = run(scene)
        ok(calls and not wrong, scene + ": undisturbed", "\n".join(wrong))
        before, numbers = ("", ""), {}
        for number, call in enumerate(calls, 1):
            kind = kind_of(call)
            numbers.setdefault((scene.split("-")[0], kind, *before), []).append(number)
            before = (before[1], kind)
        for key in numbers.keys() - seen:
            name = key[1].split()[0]
            for number in sorted({numbers[key][0], numbers[key][-1]}) if not CALLS or name in CALLS else ():
                for error in ERRORS.get(name, ()):
                    yield scene, number, "error=" + error
                    if error == "ENOENT" and "stat" in name and scene == "qread":
                        yield scene, number, "error=ENOENT,r"  # everything that it asks for from then on is gone
        seen |= numbers.keys()


# -- once each

stuck()
code, lines = q.run("-r")
same(code, 2, "what is left for a human")
found("bad-content info/", "\n".join(lines), "a message that makes no sense, and is nobody's to move")


def traced(prepare, *words):
    """qmail-qfix -r under strace: its exit code, and the calls that are told of."""
    prepare()
    trace = os.path.join(tree.scratch, "trace")
    code, _ = q.run("-r", wrapper=("strace", "-o", trace, *words))
    return code, [line for line in read(trace).decode("latin1").splitlines() if re.match(r"\w+\(", line)]


if shutil.which("strace"):
    for what, prepare, call, errors in (("the last name that is changed", numbers, "renameat2", ("ENOENT", "EEXIST")), ("what is read", damage, "read", ("EIO",))):
        count = len(traced(prepare, "-e", "trace=" + call)[1])
        codes = {traced(prepare, "-e", "inject=%s:error=%s:when=%d" % (call, error, n))[0]
                 for error in errors for n in ((count,) if call != "read" else range(1, count + 1))}
        ok(codes <= {0, 1, 2, 111, 127}, "qmail-qfix, %s: %d calls fail" % (what, count), codes)
else:
    skip(2, "needs strace")
message()
subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=750,uid=%d,gid=%d" % (q.queue_uid, q.group), "proof", q.at("mess/3")], check=True)
code, lines = q.run("-r")
subprocess.run(["umount", q.at("mess/3")], check=True)
ok(code == 2 and any(line.startswith("bad-device mess/3") for line in lines), "a part of the queue on another file system", "%d %r" % (code, lines))


def ordered(name, meanwhile, code, said):
    """An order about a message that is new; when qmail-qctl waits for its preprocessing meanwhile() happens to it."""
    number = message()[1]
    process = subprocess.Popen([tree.bin("qmail-qctl"), "hold", str(number)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/")
    wait_for(lambda: asleep(process.pid), 20)
    meanwhile(number)
    text, _ = process.communicate(timeout=60)
    ok(process.returncode == code and said in text, name, "%d %r" % (process.returncode, text))


def asleep(pid):
    with open("/proc/%d/wchan" % pid) as f:
        return "poll" in f.read() or read("/proc/%d/stat" % pid).rpartition(b") ")[2][:1] == b"S"


def preprocessed(number):
    q.put("local", number, b"Ta@here.test\0")
    q.put("info", number, b"Fs@far.test\0")
    os.unlink(q.path("intd", number))
    os.unlink(q.path("todo", number))


def ended(number):
    os.unlink(q.path("intd", number))
    os.unlink(q.path("mess", number))
    os.unlink(q.path("todo", number))


ordered("a new message is preprocessed while it is ordered", preprocessed, 0, b" held\n")
ordered("a new message ends while it is ordered", ended, 1, b" has ended\n")
number = message()[0]
tree.control("locals", None)
os.mkdir(tree.at("control/locals"))
code = subprocess.run([tree.bin("qmail-qctl"), "return", str(number)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/", timeout=60)
ok(code.returncode == 111 and b"control/locals, virtualdomains and what" in code.stderr, "an order that needs a file that cannot be read", code)
os.rmdir(tree.at("control/locals"))
q.put("local", number, b"T" + b"x" * 5000000 + b"@here.test\0")
text = subprocess.run([tree.bin("qmail-qread")], stdout=subprocess.PIPE, cwd="/", timeout=60).stdout
found(rb"^warning: trouble with #%d: " % number, text, "a recipient that is longer than any may be")
with open("/dev/full", "wb") as full:
    code = subprocess.run([tree.bin("qmail-qread"), "-j"], stdout=subprocess.DEVNULL, stderr=full, cwd="/", timeout=60).returncode
same(code, 111, "which cannot be said")

# qmail-send as it answers when another message has got the number meanwhile
number = message()[0]
listener = socket.socket(socket.AF_UNIX)
if os.path.exists(q.at("order/socket")):
    os.unlink(q.at("order/socket"))  # of a qmail-send that was killed
listener.bind(q.at("order/socket"))
listener.listen(1)
os.chmod(q.at("order/socket"), 0o666)


def answer():
    connection = listener.accept()[0]
    connection.recv(1000)
    connection.sendall(b"other - - - -\n")
    connection.close()


threading.Thread(target=answer, daemon=True).start()
code = subprocess.run([tree.bin("qmail-qctl"), "hold", str(number)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/", timeout=60)
ok(code.returncode == 1 and b" another has its number now" in code.stdout, "a number that is another's meanwhile", code)
listener.close()
os.unlink(q.at("order/socket"))
note("SEED=%d" % SEED)
chosen = [(p[0], int(p[1]), p[2]) for p in POINTS] or list(points())
if not EVERY and not POINTS:
    random.Random(SEED).shuffle(chosen)
end = time.monotonic() + SECONDS
tried, bad = {s: 0 for s in SCENES}, {s: [] for s in SCENES}
for scene, number, action in chosen:
    if not EVERY and not POINTS and time.monotonic() > end:
        break
    _, hit, wrong = run(scene, number, action)
    tried[scene] += hit is not None
    if wrong:
        bad[scene].append("POINTS=%s:%d:%s %s: %s" % (scene, number, action, hit, "; ".join(wrong)))
for scene in PICKED or SCENES:
    ok(not bad[scene], "%s: %d of %d points" % (scene, tried[scene], sum(p[0] == scene for p in chosen)), "\n".join(bad[scene][:20]))
q.clear()
done()
