#!/usr/bin/env python3
"""qmail-newu: a million lines in little memory; several runs at a time; readers that
see one whole version; what it leaves behind when it fails or is killed."""
import resource, struct

from reqmail import *

tree = Tree(os.environ.get("TREE", "/var/qmail"))
if not os.access(tree.bin("qmail-newu"), os.X_OK):
    skip_all("qmail-newu may be run by root alone")
ASSIGN, CDB, TMP = (tree.at("users", n) for n in ("assign", "cdb", "cdb.tmp"))


def newu(**more):
    return subprocess.Popen([tree.bin("qmail-newu")], cwd="/", stderr=subprocess.PIPE, **more)


def lookup(key, data):
    """The format, read by its description."""
    h = 5381
    for c in key:
        h = (h * 33 & 0xffffffff) ^ c
    where, slots = struct.unpack_from("<II", data, h % 256 * 8)
    for i in range(slots):
        slot_hash, at = struct.unpack_from("<II", data, where + ((h >> 8) + i) % slots * 8)
        if at == 0:
            return None
        key_len, data_len = struct.unpack_from("<II", data, at)
        if slot_hash == h and data[at + 8:at + 8 + key_len] == key:
            return data[at + 8 + key_len:at + 8 + key_len + data_len]
    return None


# -- a million lines

COUNT = 1000000
with open(ASSIGN, "w") as f:
    for i in range(COUNT):
        f.write("%sUser.%d-:vuser:1000:1000:/home/virtual/domains/%d/%d:-::\n" % ("+=" [i % 2], i, i % 100, i))
    f.write(".\n")
started = time.monotonic()
run = newu()
_, status, usage = os.wait4(run.pid, 0)
run.returncode = status
seconds = time.monotonic() - started
same((status, run.stderr.read()), (0, b""), "a million lines: exit status")
if "sanitize" in os.environ.get("CONF_LD", ""):
    skip(2, "sanitizers cost time and memory")
else:
    ok(seconds < 60, "in a minute", "%.1f s" % seconds)
    ok(usage.ru_maxrss < 200000, "in 200 MB", "%d kB" % usage.ru_maxrss)
data = read(CDB)
for i in (0, 1, 500000, COUNT - 1):
    same(lookup(b"!user.%d-" % i + (b"\0" if i % 2 else b""), data),
         b"vuser\0001000\0001000\0/home/virtual/domains/%d/%d\0-\0" % (i % 100, i), "line %d" % i)
same(lookup(b"", data), b"-", "wildcard bytes")
same(sorted(os.listdir(tree.at("users"))), ["assign", "cdb"], "nothing else is left")


# -- several at a time, while the file changes and others read

def assign(version, lines=20000):
    fresh = ASSIGN + ".new"
    write(fresh, "".join("=u%d:v%d:1:2:/h:::\n" % (i, version) for i in range(lines)) + ".\n")
    os.rename(fresh, ASSIGN)


assign(0)
newu().wait()
runs, mixed, statuses = [], 0, []
for version in range(1, 21):
    assign(version)
    runs += [newu(), newu()]
    data = read(CDB)
    first = lookup(b"!u0\0", data)
    if first is None or lookup(b"!u19999\0", data) != first:
        mixed += 1
statuses = [(run.wait(60), run.stderr.read()) for run in runs]
same(statuses, [(0, b"")] * 40, "40 runs on each other's heels: none fails")
same(mixed, 0, "users/cdb is one whole version at any time")
found(rb"^v20\0", lookup(b"!u19999\0", read(CDB)), "the last version is installed")
same(sorted(os.listdir(tree.at("users"))), ["assign", "cdb"], "nothing else is left")

# -- killed at any time: the old version or the new one, and the next run is fine

old, odd = read(CDB), 0
for n in range(30):
    assign(100 + n, 60000)
    run = newu()
    time.sleep(n * 0.0015)
    run.kill()
    run.wait()
    data = read(CDB)
    first = lookup(b"!u0\0", data)
    odd += first is None or lookup(b"!u19999\0", data) != first
same(odd, 0, "killed at any time: users/cdb is whole")
same(newu().wait(), 0, "the next run succeeds")
found(rb"^v129\0", lookup(b"!u59999\0", read(CDB)), "and installs its version")
same(sorted(os.listdir(tree.at("users"))), ["assign", "cdb"], "nothing else is left")

# -- failures leave users/cdb alone

before = read(CDB)
for text, what in ((b"=a:u:1:2:/h::\n.\n", b"bad format in users/assign"), (b"", b"bad format in users/assign"),
                   (b"\n.\n", b"bad format in users/assign"), (b":a:u:1:2:/h:::\n.\n", b"bad format in users/assign"),
                   (b"=a:u:1:2:/h:::", b"bad format in users/assign"), (b"=a:u:1:2:/h:::\n", b"bad format in users/assign"),
                   (b"=a:u:1:2:/h\0:::\n.\n", b"bad format in users/assign"), (None, b"unable to open users/assign")):
    if text is None:
        os.unlink(ASSIGN)
    else:
        write(ASSIGN, text)
    run = newu()
    _, err = run.communicate(timeout=20)
    same((run.returncode, err, read(CDB) == before), (111, b"qmail-newu: fatal: " + what + b"\n", True), "%r" % text)


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))


assign(1)
run = newu(preexec_fn=small_files)
_, err = run.communicate(timeout=20)
same((run.returncode, err, read(CDB) == before), (111, b"qmail-newu: fatal: unable to write users/cdb.tmp\n", True), "no room to write")
write(ASSIGN, ".what follows\n=is:not:read\n")
os.umask(0o777 if root else 0o077)
same((newu().wait(), oct(os.stat(CDB).st_mode & 0o7777)), (0, "0o644"), "mode, whatever the umask")
done()
