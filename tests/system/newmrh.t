#!/usr/bin/python3
"""qmail-newmrh: many lines in little memory; several runs at a time; readers that see one
whole version; what it leaves behind when it fails or is killed."""
import resource, struct

from reqmail import *

tree = Tree()
if not os.access(tree.bin("qmail-newmrh"), os.X_OK):
    skip_all("qmail-newmrh may be run by root alone")
SOURCE_FILE, CDB = tree.at("control/morercpthosts"), tree.at("control/morercpthosts.cdb")


def newmrh(**more):
    return subprocess.Popen([tree.bin("qmail-newmrh")], cwd="/", stderr=subprocess.PIPE, **more)


def has(key, data):
    """The format, read by its description."""
    h = 5381
    for c in key:
        h = (h * 33 & 0xffffffff) ^ c
    where, slots = struct.unpack_from("<II", data, h % 256 * 8)
    for i in range(slots):
        slot_hash, at = struct.unpack_from("<II", data, where + ((h >> 8) + i) % slots * 8)
        if at == 0:
            return False
        key_len, data_len = struct.unpack_from("<II", data, at)
        if slot_hash == h and data_len == 0 and data[at + 8:at + 8 + key_len] == key:
            return True
    return False


def hosts(version, lines=20000):
    fresh = SOURCE_FILE + ".new"
    write(fresh, "".join("%d.V%d.test\n" % (i, version) for i in range(lines)))
    os.rename(fresh, SOURCE_FILE)


def version_of(data, last=19999):
    """The version that both its first and its last line come from."""
    for v in range(200):
        if has(b"0.v%d.test" % v, data):
            return v if has(b"%d.v%d.test" % (last, v), data) else "mixed"
    return None


# -- what a line means

write(SOURCE_FILE, b"# comment\n\nOne.Test\n  \t\r\n.two.test \t\r\nthree.test\r\n four.test\nfive.test#x\n#\n\xc4.test\nlast.test")
run = newmrh()
same((run.communicate(timeout=20)[1], run.returncode), (b"", 0), "some lines")
data = read(CDB)
for key, there in ((b"one.test", 1), (b".two.test", 1), (b"three.test", 1), (b" four.test", 1), (b"five.test#x", 1), (b"\xc4.test", 1),
                   (b"last.test", 1), (b"# comment", 0), (b"", 0), (b"#", 0), (b"One.Test", 0), (b"two.test", 0)):
    same(has(key, data), bool(there), "%r" % key)
tree.control("rcpthosts", ME + "\n")
replies = tree.smtp(["MAIL FROM:<>"] + ["RCPT TO:<x@%s>" % d for d in ("one.test", "ONE.test", "a.b.two.TEST", "two.test", "LAST.test", "x")] + ["QUIT"])
same([line[:3] for line in replies.split("\r\n")[2:-2]], ["250", "250", "250", "553", "250", "553"], "as qmail-smtpd sees them")

# -- a million lines

with open(SOURCE_FILE, "w") as f:
    for i in range(1000000):
        f.write("Host%d.example.org\n" % i)
run, started = newmrh(), time.monotonic()
_, status, usage = os.wait4(run.pid, 0)
run.returncode = status
same((status, run.stderr.read()), (0, b""), "a million lines")
if sanitized:
    skip(2, "sanitizers cost time and memory")
else:
    ok(time.monotonic() - started < 60, "in a minute")
    ok(usage.ru_maxrss < 200000, "in 200 MB", "%d kB" % usage.ru_maxrss)
data = read(CDB)
ok(has(b"host0.example.org", data) and has(b"host999999.example.org", data), "first and last")

# -- several at a time, while the file changes and others read

hosts(0)
newmrh().wait()
runs, mixed = [], 0
for version in range(1, 16):
    hosts(version)
    runs += [newmrh(), newmrh()]
    mixed += version_of(read(CDB)) in (None, "mixed")
same([(run.wait(60), run.stderr.read()) for run in runs], [(0, b"")] * 30, "30 runs on each other's heels: none fails")
same(mixed, 0, "one whole version at any time")
same(version_of(read(CDB)), 15, "the last version is installed")

# -- killed at any time

odd = 0
for n in range(20):
    hosts(100 + n, 60000)
    run = newmrh()
    time.sleep(n * 0.0015)
    run.kill()
    run.wait()
    run.stderr.close()
    v = version_of(read(CDB))
    odd += v is None or (v == "mixed" and version_of(read(CDB), 59999) == "mixed")
same(odd, 0, "killed at any time: it is whole")
same((newmrh().wait(), version_of(read(CDB), 59999)), (0, 119), "the next run is fine")
ours = lambda: sorted(n for n in os.listdir(tree.at("control")) if n.startswith("more"))
same(ours(), ["morercpthosts", "morercpthosts.cdb"], "nothing else is left")

# -- failures leave it alone

before = read(CDB)


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))


def little_memory():
    resource.setrlimit(resource.RLIMIT_AS, (10 << 20, 10 << 20))


def fails(name, text, **more):
    run = newmrh(**more)
    _, err = run.communicate(timeout=20)
    found(rb"\Aqmail-newmrh: fatal: unable to " + text + rb": [^\n]+\n\Z", err, name)
    same((run.returncode, read(CDB) == before), (111, True), name + ": the old one stays")
    ok("morercpthosts.tmp" not in ours(), name + ": nothing is left", ours())


hosts(1)
fails("no room to write", rb"write to control/morercpthosts\.tmp", preexec_fn=small_files)
if sanitized:
    skip(3, "sanitizers need memory")
else:
    write(SOURCE_FILE, "".join("host%d\n" % i for i in range(1000000)))
    fails("no memory", rb"write to control/morercpthosts\.tmp", preexec_fn=little_memory)
write(SOURCE_FILE, b"x" * (17 << 20))
fails("a line without end", rb"read control/morercpthosts")
os.unlink(SOURCE_FILE)
fails("no file", rb"read control/morercpthosts")
os.mkdir(SOURCE_FILE)
fails("a directory", rb"read control/morercpthosts")
os.rmdir(SOURCE_FILE)
hosts(1)
os.umask(0o777 if root else 0o077)
same((newmrh().wait(), oct(os.stat(CDB).st_mode & 0o7777)), (0, "0o644"), "mode, whatever the umask")
done()
