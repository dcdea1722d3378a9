#!/usr/bin/python3
"""A running system with messages in every state is stopped, its queue copied as an admin
would copy it, repaired, and started: each recipient that was not done gets the message,
once, and each failure is returned, once. Then again with another number of split
directories, with messages that have each other's numbers, and back."""
import collections
from queue_maker import *

if not root:
    skip_all("needs root: qmail-qfix refuses to run")

tree = Tree()
q = Queue(tree)
atexit.register(q.clear)
GATE = os.path.join(tree.scratch, "gate")
homes = {name: tree.user(name) for name in ("good", "other", "later", "bad", "sender")}
tree.dot_qmail("later", "|test -e %s || exit 111\n./Maildir/\n" % GATE)
tree.dot_qmail("bad", "|echo no; exit 100\n")
port = free_port()
tree.control("smtproutes", ":127.0.0.1:%d\n" % port)
tree.control("concurrencyremote", "20\n")
SENDER = "sender@" + ME
FAR = ("one@far.test", "two@far.test")


def local(*names):
    return [n + "@" + ME for n in names]


# What is sent to whom, and which of them are done before the queue is copied.
MESSAGES = {
    "local": local("later"), "local, one done": local("good", "later"), "local, two done": local("good", "other", "later"),
    "remote": [FAR[0]], "two remote": list(FAR), "both": local("later") + [FAR[0]], "both, one done": local("good", "later") + [FAR[1]],
    "bouncing": local("bad", "later"), "bouncing, both": local("good", "bad", "later") + [FAR[0]],
    "twice to one": local("later", "later"),
}
LATE = {"todo only": local("good", "later"), "todo, remote": [FAR[0], FAR[1]], "todo, bouncing": local("bad"), "todo, nobody": []}


def body(name, round):
    return ("%s, round %d" % (name, round)).encode()


def send(messages, round):
    for name, recipients in messages.items():
        code = tree.queue(b"Subject: x\n\n" + body(name, round) + b"\n", SENDER, recipients)
        if code:
            ok(False, "queued: " + name, code)


def attempts(messages):
    return sum(len(r) for r in messages.values())


def fill(round):
    """Every message has been tried once; then more come while nothing runs."""
    if os.path.exists(GATE):
        os.unlink(GATE)
    with tree.running("./Maildir/"):
        send(MESSAGES, round)
        ok(tree.wait_log(r"^delivery \d+: ", 120, attempts(MESSAGES)), "round %d: everything has been tried" % round, tree.log()[-2000:])
        tree.wait_log(r"^status: local 0/\d+ remote 0/", 60)
        # all attempts of a message have ended: its times say when it is due
        wait_for(lambda: len(os.listdir(q.at("todo"))) == 0)
    send(LATE, round)
    dead = q.mess(b"a qmail-queue has died\n"), q.mess(b"and another\n")
    for number in dead:
        os.utime(q.path("mess", number))
    q.put("intd", dead[1], b"u1\0p2\0Fcut", age=int(time.time()) - BIRTH)
    write(q.at("pid/1.2.3"), b"")
    ok(any(n.startswith("bounce/") for n in tree.queue_files()), "round %d: there are bounces to come" % round)
    ok(any(b"D" in re.findall(rb"(?:^|\0)([TD])", read(q.at(n))) for n in tree.queue_files() if n.startswith("local/")),
       "round %d: some recipients are done" % round)


def copy(*options):
    """As an admin does it, who forgets about owners and times."""
    subprocess.run(["cp", *options, q.at(), tree.at("queue.copy")], check=True, timeout=60)
    shutil.rmtree(q.at())
    os.rename(tree.at("queue.copy"), q.at())


def received(round):
    """How often each message is where: {(body, who): count}."""
    count = collections.Counter()
    for name, home in homes.items():
        for message in maildir(home):
            text = message.split(b"\n\n", 1)[1]
            if name != "sender":
                count[text.strip(), name + "@" + ME] += 1
            for line in re.findall(rb"[a-z ,]+, round \d+", text) if name == "sender" else ():
                count[line, "returned"] += 1
    for _, recipients, data in sink.messages:
        for r in recipients:
            count[data.split(b"\r\n\r\n", 1)[1].strip(), r.decode().split()[0].strip("<>").replace("TO:<", "")] += 1
    return {key: n for key, n in count.items() if key[0].endswith(b"round %d" % round)}


def wanted(round):
    want = collections.Counter()
    for name, recipients in {**MESSAGES, **LATE}.items():
        for r in recipients:
            want[body(name, round), "returned" if r.startswith("bad@") else r] += 1
    return dict(want)


def run_to_the_end(round):
    global sink
    write(GATE, b"")
    sink = Sink(port=port)
    with tree.running("./Maildir/"):
        tree.signal(signal.SIGALRM)  # all is due

        def finished():
            left = [n for n in tree.queue_files() if n.startswith(("todo/", "info/"))]
            # a message that goes from one to the other meanwhile is in both, not in none
            return not left and tree.log().rsplit("status: ", 1)[-1].startswith("local 0/10 remote 0/20\n")
        if not wait_for(finished, 120):
            note(tree.log()[-3000:])
            note(tree.queue_files())
    same(received(round), wanted(round), "round %d: each recipient that was not done got it, once" % round)
    sink.close()


def repaired(name, code=0, orphans=()):
    check = q.run()
    done = q.run("-r")
    same((check[0], done[0]), (2 if code else 1, code), name + ": repaired")
    same(sorted(line for line in done[1][:-1] if not line.endswith(": fixed")), sorted(orphans), name + ": what is kept aside")
    same(q.run()[0], 0, name + ": a second look")
    for kept in q.kept():
        note("kept: " + kept)


def all_right():
    """Every message file bears its number, and the files of qmail-send are its."""
    bad = [n for n in tree.queue_files() if n.startswith("mess/") and os.stat(q.at(n)).st_ino != int(n.split("/")[2])]
    bad += [n for n in tree.queue_files() if n.startswith(("info/", "local/", "remote/", "bounce/")) and os.stat(q.at(n)).st_uid != q.send_uid]
    return bad


def remains(round):
    """What the dead have left is still there, and would be found by the cleanup."""
    left = [n for n in tree.queue_files() if not n.startswith("pid/")]
    same(sorted(n.split("/")[0] for n in left), ["intd", "mess", "mess"], "round %d: the remains of dead processes stay for the cleanup" % round)
    same([n for n in left if n.startswith("intd")], ["intd/%s" % n.split("/")[2] for n in left
                                                     if n.startswith("mess") and read(q.at(n)) == b"and another\n"], "with their envelope")
    for n in tree.queue_files():
        os.unlink(q.at(n))


# -- a copy

fill(1)
copy("-r")
repaired("cp -r")
same(all_right(), [], "numbers and owners")
run_to_the_end(1)
remains(1)

# -- a copy that keeps times and owners, with an envelope too many

fill(2)
stray = 4000000001
q.put("intd", stray, b"u1\0p2\0F\0")
times = sorted(os.stat(q.at(n)).st_mtime_ns for n in tree.queue_files() if n.startswith(("info/", "local/", "remote/")))
copy("-a")
repaired("cp -a", 2, ["orphan intd/%d: kept aside" % stray])
same(sorted(os.stat(q.at(n)).st_mtime_ns for n in tree.queue_files() if n.startswith(("info/", "local/", "remote/"))), times,
     "birth and due times are those of before")
shutil.rmtree(next(q.at(n) for n in os.listdir(q.at()) if n.startswith("qfix.")))
run_to_the_end(2)
remains(2)

# -- everybody has somebody else's number

fill(3)
numbers = sorted(int(n.split("/")[2]) for n in tree.queue_files() if n.startswith("mess/"))
loops = {}
rest = numbers
for size in (2, 3):  # then a chain with all others
    loop, rest = rest[:size], rest[size:]
    loops.update(zip(loop, loop[1:] + loop[:1]))
loops.update(zip(rest, rest[1:] + [4000000000]))
q.rename(loops)
repaired("a permutation")
same(all_right(), [], "numbers and owners")
run_to_the_end(3)
remains(3)

# -- another split

PROGRAMS = ["qmail-queue", "qmail-send", "qmail-clean", "qmail-qfix"]


def other_split(split):
    """Programs with another conf-split in place of the installed ones."""
    build = os.path.join(tree.scratch, "split")
    names = ("USERS", "GROUPS", "CC", "LD", "LIGHT")
    settings = ["CONF_%s=%s" % (n, os.environ["CONF_" + n]) for n in names if "CONF_" + n in os.environ]
    subprocess.run([os.environ.get("MAKE", "make"), "-s", "BUILD=" + build, "CONF_SPLIT=%d" % split, "CONF_QMAIL=" + tree.path] + settings +
                   [build + "/bin/" + p for p in PROGRAMS], cwd=SOURCE, check=True, stdout=subprocess.DEVNULL, timeout=500)
    for p in PROGRAMS:
        st = os.stat(tree.bin(p))
        shutil.copy(tree.bin(p), os.path.join(tree.scratch, p + ".old"))
        replace(p, build + "/bin/" + p, st)
    atexit.register(first_split)


def replace(program, source, st):
    fresh = tree.bin(program) + ".new"
    shutil.copyfile(source, fresh)
    os.chown(fresh, st.st_uid, st.st_gid)
    os.chmod(fresh, st.st_mode & 0o7777)
    os.rename(fresh, tree.bin(program))


def first_split():
    for p in PROGRAMS:
        old = os.path.join(tree.scratch, p + ".old")
        if os.path.exists(old):
            replace(p, old, os.stat(tree.bin(p)))
            os.unlink(old)
    q.split = 23


fill(4)
other_split(7)
q.split = 7
repaired("a smaller split")
same(sorted(os.listdir(q.at("remote")), key=int), [str(s) for s in range(7)], "and no directory too many")
same(all_right(), [], "numbers and owners")
run_to_the_end(4)
remains(4)
fill(5)
first_split()
copy("-r")
repaired("back to the larger split, and a copy at once")
same(sorted(os.listdir(q.at("remote")), key=int), [str(s) for s in range(23)], "and all directories")
run_to_the_end(5)
remains(5)
done()
