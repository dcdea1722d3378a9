#!/usr/bin/env python3
"""The spawners under load and under children that misbehave: commands in odd pieces,
children that hang, keep their pipe open, print without end, or are killed; reports
that nobody reads; too few descriptors; a qmail-getpw that hangs."""
import random

from spawner import *

if not root:
    skip_all("needs root: the programs run under their own users")

tree = Tree(os.environ.get("TREE", "/var/qmail"))
message(tree)
REMOTE = tree.ids(6)


def script(name, body):
    return write(os.path.join(tree.scratch, name), "#!/bin/sh\n" + body + "\n", mode=0o755)


def rspawn(body, **more):
    env = {"QMAILREMOTE": script("remote", body), "SCRATCH": tree.scratch}
    env.update(more.pop("env", {}))
    return Spawner(tree, "qmail-rspawn", ids=REMOTE, env=env, **more)


# The child does what the local part of its recipient says.
ACTIONS = r"""
case "$3" in
quick-*) ;;
slow-*) sleep 0.3;;
open-*) (sleep 1) & ;;
crash-*) kill -9 $$;;
early-*) printf 'r\0Kearly\n\0'; exec >&- 2>&-; sleep 0.5; exit 0;;
flood-*) printf r; head -c 20000000 /dev/zero | tr '\0' x; printf '\0D'; head -c 20000000 /dev/zero | tr '\0' y; printf '\0'; exit 0;;
nuls-*) printf 'r\0'; head -c 3000000 /dev/zero; printf 'Dlate\0'; exit 0;;
esac
printf 'r\0K%s\n\0' "$3"
"""

# -- 1500 commands in pieces of all sizes, as many at a time as there are slots

dice = random.Random(1)
with rspawn(ACTIONS) as spawner:
    before = spawner.descriptors()
    waiting = ["%s-%d@far.test" % (dice.choice(["quick"] * 30 + ["slow", "crash", "early"]), i) for i in range(1500)]
    free, running, wrong, answered, out = list(range(min(spawner.limit, 200))), {}, [], 0, b""
    while waiting or running:
        while waiting and free and len(out) < 4096:
            slot = free.pop(dice.randrange(len(free)))
            running[slot] = waiting.pop()
            out += spawner.command(slot, running[slot])
        if out:
            step = dice.choice((1, 2, 3, 7, 50, 97, 1000))
            spawner.commands.write(out[:step])
            out = out[step:]
        report = spawner.report(0 if out else 20)
        if report is None:
            if not out:
                break
            continue
        recipient = running.pop(report[0], "nobody")
        kind = recipient.split("-")[0]
        want = {"crash": b"Zqmail-remote crashed.\n", "early": b"Kearly\n"}.get(kind, b"K%s\n" % recipient.encode())
        if report[1] != want:
            wrong.append((recipient, report))
        free.append(report[0])
        answered += 1
    same((answered, wrong), (1500, []), "1500 commands in odd pieces: each has its answer")
    same(spawner.descriptors(), before, "and no descriptor is left open")
    same(spawner.end(), 0, "exit status")

# -- children that misbehave do not hold up others, and cost no memory

with rspawn(ACTIONS) as spawner:
    spawner.send(0, "quick-a@far.test")
    same(spawner.report(), (0, b"Kquick-a@far.test\n"), "a first delivery")
    small = spawner.peak_kb()
    started = time.monotonic()
    spawner.send(1, "open-b@far.test")
    spawner.send(2, "quick-c@far.test")
    same(spawner.report(), (2, b"Kquick-c@far.test\n"), "a pipe that stays open does not hold up others")
    same(spawner.report(), (1, b"Kopen-b@far.test\n"), "its report")
    ok(time.monotonic() - started > 0.9, "comes when the pipe is closed")
    for slot in range(4):
        spawner.send(slot, "flood-%d@far.test" % slot)
    spawner.send(4, "quick-d@far.test")
    same(spawner.report(), (4, b"Kquick-d@far.test\n"), "a flood of output does not hold up others")
    got = sorted(filter(None, [spawner.report() for _ in range(4)]))
    same(got, [(slot, b"D" + b"x" * 10000 + b"y" * 10000) for slot in range(4)], "160 MB of output: what is kept")
    spawner.send(0, "nuls-e@far.test")
    same(spawner.report(), (0, b"D"), "three million strings, then a message report")
    ok(spawner.peak_kb() - small < 600, "memory stays", "%d kB, then %d kB" % (small, spawner.peak_kb()))

    spawner.send(3, "slow-f@far.test")
    spawner.send(3, "quick-g@far.test")
    same(spawner.report(), (3, b"ZInternal error: delnum in use. (#4.3.5)\n"), "a slot in use")
    same(spawner.report(), (3, b"Kslow-f@far.test\n"), "keeps its delivery")
    spawner.commands.write(spawner.command(5, "slow-h@far.test") + spawner.command(6, "unfinished")[:-1])
    spawner.commands.close()
    same(spawner.report(), (5, b"Kslow-h@far.test\n"), "after end of file the running delivery is reported")
    same((spawner.report(), spawner.process.wait(10)), (None, 0), "the unfinished command is not; exit status")

# -- nobody reads the reports: deliveries are finished all the same

marks = os.path.join(tree.scratch, "marks")
os.mkdir(marks)
os.chmod(marks, 0o777)
with rspawn('sleep 0.2; : > "$SCRATCH/marks/${3%@*}"; printf "r\\0Kok\\n\\0"') as spawner:
    spawner.reports.close()
    for slot in range(10):
        spawner.send(slot, "first%d@far.test" % slot)
    wait_for(lambda: len(os.listdir(marks)) == 10)
    for slot in range(10):
        spawner.send(10 + slot, "second%d@far.test" % slot)  # whether the first slots are free yet cannot be seen
    same(spawner.end(), 0, "write error on 1: exit status")
    same(len(os.listdir(marks)), 20, "all deliveries were made")

# -- descriptors

with rspawn("sleep 0.5; printf 'r\\0K%s\\n\\0' $(ulimit -n)", limits=(40, 40)) as spawner:
    same(spawner.limit, 15, "40 descriptors: 15 deliveries are announced")
    for slot in range(15):
        spawner.send(slot, "a@far.test")
    same(sorted(filter(None, [spawner.report() for _ in range(15)])), [(slot, b"K40\n") for slot in range(15)], "and work at a time")
with rspawn("true", limits=(5, 5)) as spawner:
    same(spawner.limit, 1, "5 descriptors: at least one delivery is announced")
with rspawn("printf 'r\\0K%s\\n\\0' $(ulimit -n)", limits=(64, resource.getrlimit(resource.RLIMIT_NOFILE)[1])) as spawner:
    full = spawner.limit
    spawner.send(0, "a@far.test")
    same(spawner.report(), (0, b"K64\n"), "a limit that may be raised: children have the old one")
with Spawner(tree, "qmail-lspawn", "./Mailbox", limits=(20, 20)) as spawner:
    ok(spawner.limit in (5, full), "root raises a hard limit as well, where it may", spawner.limit)

for limit, text in ((5, b"Zqmail-spawn unable to open message. (#4.3.0)\n"), (6, b"Zqmail-spawn unable to create pipe. (#4.3.0)\n")):
    with rspawn("true", limits=(limit, limit)) as spawner:
        spawner.send(0, "a@far.test")
        same(spawner.report(), (0, text), "no descriptor beyond %d" % (limit - 1))

# -- memory

if "sanitize" in os.environ.get("CONF_LD", ""):
    skip(2, "sanitizers need address space of their own")
else:
    with rspawn(ACTIONS, memory=64 << 20) as spawner:
        spawner.commands.write(spawner.command(1, "x" * (100 << 20) + "@far.test") + spawner.command(2, "quick-a@far.test"))
        same(spawner.report(), (1, b"Zqmail-spawn out of memory. (#4.3.0)\n"), "a recipient that memory cannot hold")
        same(spawner.report(), (2, b"Kquick-a@far.test\n"), "and the next command")

# -- the message file

with rspawn("cat <&0 >/dev/null; printf 'r\\0Kok\\n\\0'") as spawner:
    for path, text in (("0/1", b"Zqmail-spawn unable to open message. (#4.3.0)\n"),
                       ("0/999999902", b"ZSorry, message has wrong type. (#4.3.5)\n"),
                       ("0/999999903", b"ZSorry, message has wrong type. (#4.3.5)\n"),
                       ("0/999999904", b"ZSorry, message has wrong owner. (#4.3.5)\n")):
        full_path = tree.at("queue/mess", path)
        if path.endswith("2"):
            os.mkdir(full_path, 0o755)
        if path.endswith("3"):
            os.mkfifo(full_path, 0o644)
        if path.endswith("4"):
            write(full_path, b"x", owner=REMOTE)
        spawner.send(0, "a@b", message=path)
        same(spawner.report(), (0, text), "message file " + path)
        if os.path.isdir(full_path):
            os.rmdir(full_path)
        elif os.path.exists(full_path):
            os.unlink(full_path)

# -- the tables of hosts that time out are forgotten at the start

for table, size in (("tcpto", 1024), ("tcpto6", 2048)):
    write(tree.at("queue/lock", table), b"x" * size, owner=REMOTE)
with rspawn("true") as spawner:
    same((read(tree.at("queue/lock/tcpto")), read(tree.at("queue/lock/tcpto6"))), (b"\0" * 1024, b"\0" * 2048), "tcpto and tcpto6 are cleared")

# -- qmail-lspawn: a qmail-getpw that hangs, prints without end, or complains


@contextlib.contextmanager
def replaced(name, body):
    """bin/NAME is that shell script for the time being."""
    path, away = tree.bin(name), tree.bin(name) + ".away"
    os.rename(path, away)
    write(path, "#!/bin/sh\n" + body + "\n", mode=0o755)
    try:
        yield
    finally:
        os.rename(away, path)


GETPW = r"""
case "$1" in
hang) sleep 1;;
flood) exec yes "$0";;
noise) head -c 3000000 /dev/zero >&2; exit 100;;
said) echo "no such thing" >&2; echo ignored; exit 100;;
crash) kill -9 $$;;
short) printf 'a\000100\000100\000/\000'; exit 0;;
gid) printf 'a\000100\000x\000/\000-\000e\000'; exit 0;;
root) printf 'a\0000\000100\000/\000-\000e\000'; exit 0;;
wide-*) while [ ! -e %s/go ]; do sleep 0.5; done;;
warn) echo "by the way" >&2;;
esac
printf 'a\00060199\00060198\000/home/a\000-\000%%s\000' "$1"
""" % tree.scratch
LOCAL = 'echo "$*"; [ "$5" != wait ] || sleep 0.5; echo "$(id -u) $(id -g) $(id -G) $(readlink /proc/$$/cwd)"; head -c 2 >&2'
SHOWN = "K-- a /home/a %s - %s h s@side.test ./Mailbox\n60199 60198 60198 " + tree.path + "\nSu"


def shown(slot, local):
    return slot, (SHOWN % (local, local)).encode()


with contextlib.suppress(FileNotFoundError):
    os.unlink(tree.at("users/cdb"))
with replaced("qmail-getpw", GETPW), replaced("qmail-local", LOCAL), Spawner(tree, "qmail-lspawn", "./Mailbox") as spawner:
    before = spawner.descriptors()
    spawner.send(0, "hang@h")
    spawner.send(1, "Joe@h")
    same(spawner.report(), shown(1, "Joe"), "a qmail-getpw that hangs does not hold up others")
    same(spawner.report(), shown(0, "hang"), "and is waited for")
    for slot, (local, text) in enumerate((
            ("noise", b"D"), ("said", b"Dno such thing\n"), ("crash", b"ZTemporary failure in qmail-lspawn.\n"),
            ("short", b"ZInternal qmail-lspawn bug.\n"), ("gid", b"ZInternal qmail-lspawn bug.\n"),
            ("root", b"ZNot allowed to perform deliveries as root.\n"), ("warn", b"Kby the way\n" + shown(0, "warn")[1][1:]))):
        spawner.send(slot, local + "@h")
        same(spawner.report(), (slot, text), "qmail-getpw: " + local)
    small = spawner.peak_kb()
    spawner.send(0, "flood@h")
    same(spawner.report(2), None, "a qmail-getpw that prints without end")
    ok(spawner.peak_kb() - small < 600, "costs no memory", "%d kB, then %d kB" % (small, spawner.peak_kb()))
    flood = subprocess.run(["ps", "-o", "pid=", "--ppid", str(spawner.process.pid)], capture_output=True, text=True).stdout.split()
    for pid in flood:
        os.kill(int(pid), signal.SIGKILL)
    same(spawner.report(), (0, b"ZTemporary failure in qmail-lspawn.\n"), "until it is ended")
    spawner.send(3, "a@b@h", sender="")
    same(spawner.report(), (3, shown(3, "a@b")[1].replace(b"s@side.test", b"")), "an @ in the local part, the null sender")
    spawner.send(4, "@h")
    same(spawner.report(), (4, b"K"), "an empty local part")

    # users/cdb: hostile ones do not stop the spawner
    write(tree.at("users/cdb"), b"\xff" * 100000)
    spawner.send(0, "joe@h")
    same(spawner.report(), (0, b"ZTrouble reading users/cdb in qmail-lspawn.\n"), "a damaged users/cdb")
    full_table = b"\0\x08\0\0" + (2 ** 28).to_bytes(4, "little")
    with open(tree.at("users/cdb"), "wb") as f:
        f.write(full_table * 256)
        f.write(b"\1\1\1\1\1\0\0\0" * 300000)
        f.truncate(2 ** 31)
    started = time.monotonic()
    spawner.send(0, "joe@h")
    same(spawner.report(), (0, b"ZTrouble reading users/cdb in qmail-lspawn.\n"), "a users/cdb without an empty slot")
    ok(time.monotonic() - started < 30, "takes no time")
    os.unlink(tree.at("users/cdb"))
    os.mkfifo(tree.at("users/cdb"))
    spawner.send(0, "joe@h")
    same(spawner.report(), (0, b"ZTrouble reading users/cdb in qmail-lspawn.\n"), "a FIFO in the place of users/cdb")
    os.unlink(tree.at("users/cdb"))
    spawner.send(0, "joe@h")
    same(spawner.report(), shown(0, "joe"), "without users/cdb")

    # as many as there are slots, each in two steps; with a conf-spawn of 600 and
    # more this takes descriptors beyond those of select(2)
    count = min(spawner.limit, 600)
    for slot in range(count):
        spawner.send(slot, "wide-%d@h" % slot)
    wide = wait_for(lambda: spawner.descriptors() >= before + 2 * count, 10)
    ok(wide, "%d at a time" % count, "%d descriptors" % spawner.descriptors())
    write(os.path.join(tree.scratch, "go"), "")
    got = sorted(filter(None, [spawner.report() for _ in range(count)]))
    same(got, [shown(slot, "wide-%d" % slot) for slot in range(count)], "all with their own user")
    same(spawner.descriptors(), before, "and no descriptor is left open")
    same(spawner.end(), 0, "exit status")

with replaced("qmail-getpw", "exit 100"), Spawner(tree, "qmail-lspawn", "./Mailbox") as spawner:
    os.chmod(tree.bin("qmail-getpw"), 0)
    spawner.send(0, "a@h")
    same(spawner.report(), (0, b"ZUnable to run qmail-getpw.\n"), "a qmail-getpw that cannot be run")

os.unlink(tree.at("queue/mess", MESSAGE))
done()
