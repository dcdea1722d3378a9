#!/usr/bin/python3
"""Hostile or broken lines of users/assign and damaged users/cdb: nothing runs as root,
as another user than the line says, or with another group; and what cannot be read is
put off, never taken for "no such user"."""
import random, struct

from spawner import *

if not root:
    skip_all("needs root: deliveries run as their users")

tree = Tree()
home = os.path.join(tree.scratch, "home")
os.mkdir(home)
os.chmod(home, 0o755)
ASSIGN, CDB = tree.at("users/assign"), tree.at("users/cdb")
path = message(tree)
WHO = '|set -- $(grep -E "^(Uid|Gid|Groups):" /proc/$$/status); echo "$*"; printf "%s\\n" "$USER"\n'
for name in ("", "-x", "-pre", "-", "-pre-x", "--x"):
    write(home + "/.qmail" + name, WHO)


def ids(uid, gid):
    return "Uid: %d %d %d %d Gid: %d %d %d %d Groups: %d" % ((uid,) * 4 + (gid,) * 5)


def assign(text):
    write(ASSIGN, text)
    return subprocess.run([tree.bin("qmail-newu")], stderr=subprocess.PIPE, timeout=20).returncode


def deliver(spawner, recipient):
    spawner.send(0, recipient + "@here.test")
    report = spawner.report()
    return report and report[1].decode("latin1")


def runs_as(uid, gid, user="u"):
    return "K%s\n%s\ndid 0+0+1\n" % (ids(uid, gid), user)


ROOT = "ZNot allowed to perform deliveries as root.\n"
BUG = "ZInternal qmail-lspawn bug.\n"
CDB_TROUBLE = "ZTrouble reading users/cdb in qmail-lspawn.\n"
USAGE = "Dqmail-local: usage: qmail-local [ -nN ] user homedir local dash ext domain sender aliasempty\n"
spawner = Spawner(tree, "qmail-lspawn", "./Maildir/")

# -- ids: the line's, or none

for uid, gid, report in (
        ("60111", "60112", runs_as(60111, 60112)), ("060111", "0060112", runs_as(60111, 60112)),
        ("60111", "0", runs_as(60111, 0)), ("4294967294", "4294967294", runs_as(4294967294, 4294967294)),
        ("0", "60112", ROOT), ("00", "60112", ROOT), ("", "60112", ROOT), ("root", "60112", ROOT), ("-1", "60112", ROOT),
        ("-2", "60112", ROOT), ("+5", "60112", ROOT), (" 5", "60112", ROOT), ("\t5", "60112", ROOT), ("x5", "60112", ROOT),
        ("\xb2", "60112", ROOT), ("4294967295", "60112", BUG), ("4294967296", "60112", BUG), ("4295027407", "60112", BUG),
        ("18446744073709551616", "60112", BUG), ("18446744073709611727", "60112", BUG), ("9" * 400, "60112", BUG),
        ("5 ", "60112", BUG), ("5x", "60112", BUG), ("0x5", "60112", BUG), ("5-", "60112", BUG), ("60111", "", BUG),
        ("60111", "-1", BUG), ("60111", "root", BUG), ("60111", " 0", BUG), ("60111", "0 ", BUG), ("60111", "4294967295", BUG),
        ("60111", "4294967296", BUG), ("60111", "18446744073709551616", BUG), ("60111", "60112x", BUG)):
    same(assign("=u:u:%s:%s:%s:::\n.\n" % (uid, gid, home)), 0, "qmail-newu takes uid %.30s, gid %.30s" % (uid, gid))
    same(deliver(spawner, "u"), report, "and it means this")

# -- other fields

write(os.path.join(tree.scratch, "other"), WHO)
for line, recipient, report in (
        ("=u:-n:60111:60112:%s:::", "u", runs_as(60111, 60112, "-n")), ("=u:--:60111:60112:%s:::", "u", runs_as(60111, 60112, "--")),
        ("=u::60111:60112:%s:::", "u", runs_as(60111, 60112, "")), ("=u:root:60111:60112:%s:::", "u", runs_as(60111, 60112, "root")),
        ("=u:$(id):60111:60112:%s:::", "u", runs_as(60111, 60112, "$(id)")),
        ("=u:u:60111:60112:%s:-:x:", "u", runs_as(60111, 60112)), ("=u:u:60111:60112:%s:-:X:0:0", "u", runs_as(60111, 60112)),
        ("+u:u:60111:60112:%s:-::", "uX", runs_as(60111, 60112)), ("+U-:u:60111:60112:%s:-:pre-:", "u-X", runs_as(60111, 60112)),
        ("=u:u:60111:60112:%s:/../:other:", "u", "DSorry, no mailbox here by that name. (#5.1.1)\n"),
        ("=u:u:60111:60112:%s:-:../../x:", "u", "DSorry, no mailbox here by that name. (#5.1.1)\n"),
        ("=u:u:60111:60112::::", "u", USAGE), ("=u:u:60111:60112:relative:::", "u", USAGE), ("=u:u:60111:60112:./:::", "u", USAGE),
        ("=u:u:60111:60112:-n:::", "u", USAGE), ("=u:u:60111:60112:~:::", "u", USAGE),
        ("=u:u:60111:60112:/nonexistent:::", "u", "ZUnable to switch to /nonexistent: file does not exist. (#4.3.0)\n"),
        ("=u:u:60111:60112:/etc/passwd:::", "u", "ZUnable to switch to /etc/passwd: not a directory. (#4.3.0)\n"),
        ("=u:u:60111:60112:%s//./:::", "u", runs_as(60111, 60112)), ("=u:u:60111:60112:/%%s%%n%%9999s:::", "u",
                                                             "ZUnable to switch to /%s%n%9999s: file does not exist. (#4.3.0)\n"),
        ("+:u:60111:60112:%s:-::", "x", runs_as(60111, 60112)), ("+:root:0:0:%s:-::", "x", ROOT),
        ("=u:" + "u" * 200000 + ":60111:60112:%s:::", "u", "ZUnable to run qmail-local.\n")):
    line = line % home if "%s:" in line and "%%" not in line else line.replace("%%", "%").replace("%s//", home + "//")
    same(assign(line + "\n.\n"), 0, "qmail-newu takes %.60s" % line)
    same(deliver(spawner, recipient), report, "and it means this")
same(assign("=u:u:60111:60112:%s:::\n=u:u:0:0:%s:::\n+:a:60113:60114:%s:-::\n.\n=u:u:0:0::::\n" % (home, home, home)), 0, "repeated lines")
same(deliver(spawner, "u"), runs_as(60111, 60112), "the first one counts")
for line in ("=u:u:60111", "=u", "=u:u:60111:60112:/\0:::", "", "::::::::", ":u:0:0:/:::"):
    same(assign(line + "\n.\n"), 111, "qmail-newu refuses %r" % line)
    same(deliver(spawner, "u"), runs_as(60111, 60112), "and what was there is still there")

# -- users/cdb cut short anywhere: the right answer, or trouble

good = read(CDB)
wrong, answers = [], set()
for length in sorted(set(list(range(0, len(good), max(1, len(good) // 150))) + list(range(len(good) - 40, len(good))))):
    with open(CDB, "wb") as f:
        f.write(good[:length])
    got = deliver(spawner, "u")
    answers.add(got)
    if got not in (CDB_TROUBLE, runs_as(60111, 60112)):
        wrong.append((length, got))
same(wrong, [], "cut short at any length")
ok(CDB_TROUBLE in answers, "which is mostly trouble", answers)

# -- every number of it replaced by hostile ones

numbers = list(range(0, 2048, 4)) + list(range(2048, len(good) - 3, 3))
dice, wrong = random.Random(7), []
allowed = (CDB_TROUBLE, runs_as(60111, 60112), BUG, ROOT, runs_as(60113, 60114, "a"), USAGE)
table = [at for at in range(0, 2048, 8) if struct.unpack_from("<I", good, at + 4)[0]]
places = [at for at in numbers if at in table or at - 4 in table or at >= 2048]
for value in (0xffffffff, 0x7fffffff, 0x80000000, len(good), len(good) - 1, 2048, 1, 0):
    for at in dice.sample(places, min(30, len(places))):
        bad = bytearray(good)
        struct.pack_into("<I", bad, at, value)
        with open(CDB, "wb") as f:
            f.write(bad)
        got = deliver(spawner, "u")
        if got not in allowed and not (got or "").startswith(("ZUnable to switch to ", "DSorry, no mailbox")):
            wrong.append((at, value, got))
same(wrong, [], "240 hostile numbers in it: nothing else runs")
small = spawner.peak_kb()
for key_len, data_len in ((2, 0xffffffff), (2, 0x7fffffff), (0xffffffff, 1), (2, 1 << 20)):
    bad = bytearray(good)
    at = good.index(b"!u\0") - 8
    struct.pack_into("<II", bad, at, 3 if key_len == 2 else key_len, data_len)
    write(CDB, bytes(bad))
    got = deliver(spawner, "u")
    want = (CDB_TROUBLE,) if key_len == 2 else (ROOT, runs_as(60113, 60114, "a"), "DSorry, no mailbox here by that name. (#5.1.1)\n")
    ok(got in want, "lengths %d, %d" % (key_len, data_len), got)
ok(sanitized or spawner.peak_kb() - small < 2000, "cost no memory", "%d kB, then %d kB" % (small, spawner.peak_kb()))
for what in ("directory", "loop", "nowhere", "empty"):
    os.unlink(CDB)
    if what == "directory":
        os.mkdir(CDB)
    elif what == "empty":
        write(CDB, b"")
    else:
        os.symlink("cdb" if what == "loop" else "missing", CDB)
    same(deliver(spawner, "u"), CDB_TROUBLE, "users/cdb: " + what)
    if what == "directory":
        os.rmdir(CDB)
        write(CDB, b"")

# -- replaced at any time: one version or the other, never a mixture

os.unlink(CDB)
versions = ["".join("=u%d:v%d:%d:%d:%s:::\n" % (i, v, 60120 + v, 60130 + v, home) for i in range(3000)) + ".\n" for v in (0, 1)]
assign(versions[0])
stop = threading.Event()


def replace():
    turn = 0
    while not stop.is_set():
        turn += 1
        assign(versions[turn % 2])


changer = threading.Thread(target=replace)
changer.start()
allowed, seen, wrong = {runs_as(60120 + v, 60130 + v, "v%d" % v) for v in (0, 1)}, set(), []
for i in range(150):
    got = deliver(spawner, "u%d" % (i * 17 % 3000))
    seen.add(got)
    if got not in allowed:
        wrong.append(got)
stop.set()
changer.join()
same(wrong, [], "150 deliveries while users/cdb is replaced again and again")
note("versions seen: %d" % len(seen))

# -- addresses against a large set of wildcards cost little

assign("+a-:u:60111:60112:%s:-::\n+----:a:60113:60114:%s:-::\n+:a:60113:60114:relative:-::\n.\n" % (home, home))
for local, report in (("x" + "-" * 100000, USAGE), ("-" * 1000, "DSorry, no mailbox here by that name. (#5.1.1)\n"),
                      ("x" * 100000, USAGE), ("a-" * 500, "DSorry, no mailbox here by that name. (#5.1.1)\n")):
    started = time.monotonic()
    same(deliver(spawner, local), report, "a local part of %d bytes, %.5s..." % (len(local), local))
    ok(time.monotonic() - started < 30, "takes little time", "%.1f s" % (time.monotonic() - started))
same(spawner.end(), 0, "exit status")
spawner.__exit__()
os.unlink(path)
done()
