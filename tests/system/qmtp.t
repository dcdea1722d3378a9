#!/usr/bin/python3
"""QMTP and QMQP: servers behind tcpserver and tcprules, what clients may and may not do,
what slow ones cost, and how much memory large ones get."""
import contextlib, itertools

from reqmail import *

tree = Tree()
alice = tree.user("alice")
sink = Sink()
tree.control("smtproutes", ":127.0.0.1:%d\n" % sink.port)
tree.control("morercpthosts", "More.Test\n")
LONG = 100 << 20  # bytes of what counts as a large message
SMALL = 8 << 10   # kB that a server may take whatever it is sent


def ns(string):
    return b"%d:%s," % (len(string), string)


def qmtp(text, sender, *recipients):
    return ns(text) + ns(sender) + ns(b"".join(map(ns, recipients)))


def qmqp(text, sender, *recipients):
    return ns(ns(text) + ns(sender) + b"".join(map(ns, recipients)))


def strings(data):
    """A sequence of netstrings, taken apart."""
    found = []
    while data:
        length, rest = data.split(b":", 1)
        found.append(rest[:int(length)])
        assert rest[int(length):int(length) + 1] == b",", data
        data = rest[int(length) + 1:]
    return found


def letters(data):
    return b"".join(s[:1] for s in strings(data))


# -- servers

def rules(name, text):
    cdb = os.path.join(tree.scratch, name)
    subprocess.run(["tcprules", cdb, cdb + ".tmp"], input=text.encode(), check=True)
    os.chmod(cdb, 0o644)
    return cdb


@contextlib.contextmanager
def tcpserver(program, rules_cdb, env=None):
    """The program behind a tcpserver on a port of its own, which is given."""
    uid, gid = tree.ids(1)
    become = ["-u", str(uid), "-g", str(gid)] if root else []
    environment = {"PATH": "/usr/bin:/bin"}
    environment.update(env or {})
    p = subprocess.Popen(["tcpserver", "-1", "-R", "-H", "-l", ME, "-x", rules_cdb, *become, "127.0.0.1", "0", tree.bin(program)],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, cwd="/")
    try:
        yield int(p.stdout.readline())
    finally:
        p.terminate()
        p.wait(10)
        p.stdout.close()


def connect(port, source="127.0.0.1"):
    return socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(source, 0))


def talk(port, data, source="127.0.0.1"):
    """Sends it all, says that this is all, and returns what comes back."""
    with connect(port, source) as c:
        got = b""
        try:
            c.sendall(data)
            c.shutdown(socket.SHUT_WR)
        except OSError:  # it has gone away; what it said may be there still
            pass
        try:
            while piece := c.recv(65536):
                got += piece
        except OSError:
            pass
        return got


def run(program, data, env=None, timeout=60):
    """The program without a network: exit code and output."""
    environment = {"TCPREMOTEIP": "127.0.0.1"}
    environment.update(env or {})
    p = subprocess.run([tree.bin(program)], input=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
                       cwd="/", preexec_fn=tree.as_user(1), timeout=timeout)
    return p.returncode, p.stdout


def script(name, text):
    return write(os.path.join(tree.scratch, name), "#!/bin/sh\n" + text, 0o755)


if not shutil.which("tcpserver"):
    skip_all("no tcpserver")
if os.access(tree.bin("qmail-newmrh"), os.X_OK):
    made = subprocess.run([tree.bin("qmail-newmrh")], capture_output=True)
    same((made.returncode, made.stderr, sorted(n for n in os.listdir(tree.at("control")) if n.startswith("more"))),
         (0, b"", ["morercpthosts", "morercpthosts.cdb"]), "qmail-newmrh")

who = rules("qmtp.cdb", '127.0.0.2:allow,RELAYCLIENT=""\n127.0.0.3:allow,RELAYCLIENT="@far.test"\n'
                        '127.0.0.4:allow,DATABYTES="1000"\n127.0.0.5:deny\n:allow\n')

# -- from a client into mailboxes, by the rules for its address

with tree.running(), tcpserver("qmail-qmtpd", who) as port:
    replies = talk(port, qmtp(b"\nSubject: one\n\nlf\n", b"s@far.test", b"alice@" + ME.encode()))
    found(rb"\A\d+:Kok \d+ qp \d+,\Z", replies, "accepted")
    ok(tree.wait_done(1), "delivered", tree.log())
    found(rb"\nReceived: from unknown \(127\.0\.0\.1\)\n  by here\.test with QMTP; [^\n]+\nSubject: one\n\nlf\n\Z", maildir(alice)[-1],
          "as it was sent, with our field")

    with connect(port) as c:
        c.sendall(qmtp(b"\rSubject: two\r\n\r\ncrlf\r\n", b"", b"alice@" + ME.encode(), b"x@far.test"))
        first = c.recv(1000)
        same(letters(first), b"KD", "replies come before the next message is sent")
        for byte in qmtp(b"\nSubject: three\n\nslowly\n", b"s@x.test", b"alice@HERE.test", b"x@more.test"):
            c.sendall(bytes([byte]))
        same(letters(c.recv(1000)), b"KK" if os.path.exists(tree.at("control/morercpthosts.cdb")) else b"KD",
             "a message in single bytes on the same connection")
    ok(tree.wait_done(3), "both delivered", tree.log())
    found(rb"\nSubject: two\n\ncrlf\n\Z", maildir(alice)[1], "lines that end in CR LF")

    ok(wait_for(lambda: len(sink.messages) == 1), "and so is what goes to another host")
    before = len(sink.messages)
    same(letters(talk(port, qmtp(b"\nx", b"s@x.test", b"a@far.test"), "127.0.0.1")), b"D", "no relaying for everybody")
    same(letters(talk(port, qmtp(b"\nx\n", b"s@x.test", b"a@far.test"), "127.0.0.2")), b"K", "RELAYCLIENT by tcprules")
    same(letters(talk(port, qmtp(b"\nx\n", b"s@x.test", b"b"), "127.0.0.3")), b"K", "RELAYCLIENT with a value")
    ok(wait_for(lambda: len(sink.messages) == before + 2), "both arrive")
    same(sorted(r for _, rs, _ in sink.messages[before:] for r in rs), [b"<a@far.test>", b"<b@far.test>"], "their recipients")
    same(strings(talk(port, qmtp(b"\n" + b"x" * 1001, b"s", b"x", b"y@far.test") + qmtp(b"\n" + b"x" * 1000, b"s", b"alice"), "127.0.0.4"))[:2],
         [b"Dsorry, that message size exceeds my databytes limit (#5.3.4)", b"Dsorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"],
         "DATABYTES by tcprules")
    same(talk(port, qmtp(b"\nx", b"s", b"alice"), "127.0.0.5"), b"", "denied by tcprules")

    # -- what is not QMTP

    for data in (b"GET / HTTP/1.0\r\n\r\n", b"EHLO x\r\n", b"\0" * 70000, b"0:,", b"1:x,", b"2:\nx;", b"-1:", b"1" * 100000,
                 b"2:\nx,3:s", b"2:\nx,0:,9:1:a,1:b,,,", b"2:\nx,0:,4:2:ab,,", b"2:\nx,0:,4:1:a,;", b"2:\nx,0:,99999999999:",
                 b"2:\nx,0:,5:x:abc,,", b"1:\n,1:s,4:1:a,", bytes(range(256)) * 300):
        if talk(port, data):
            ok(False, "answered %r" % data[:40])
    same(letters(talk(port, qmtp(b"\nx", b"s", b"alice") + b"junk")), b"K", "what was queued before the junk gets its reply")
    ok(tree.wait_done(7), "nothing of that is in the queue", tree.log())
    ok(wait_for(lambda: not tree.queue_files()), "and nothing is left in it", tree.queue_files())

    # -- a message in which others are hidden
    #
    # Stored lines end in LF alone, so the sequences that divide mail servers are text
    # when they leave as SMTP: each LF becomes CR LF, each dot at a line's start two.

    ends = (b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\0\n", b"\n\0")
    hidden = b"MAIL FROM:<evil@x>\r\nRCPT TO:<evil@far.test>\r\nDATA\r\nevil\r\n.\r\n"
    texts = [b"Subject: s\n\nbegin" + a + b"." + b + hidden for a, b in itertools.product(ends, ends)]
    before = len(sink.messages)
    same(letters(talk(port, b"".join(qmtp(b"\n" + t, b"s@x.test", b"x@far.test") + qmtp(b"\r" + t, b"s@x.test", b"x@far.test") for t in texts),
                      "127.0.0.2")), b"K" * len(texts) * 2, "%d messages with ends inside" % (len(texts) * 2))
    ok(wait_for(lambda: len(sink.messages) >= before + len(texts) * 2, 120), "they arrive", len(sink.messages) - before)
    ok(wait_for(lambda: not tree.queue_files()), "the queue is empty", tree.queue_files())
    same({(s, tuple(r)) for s, r, _ in sink.messages[before:]}, {(b"<s@x.test>", (b"<x@far.test>",))}, "nobody else's mail among them")
    same(len(sink.messages) - before, len(texts) * 2, "and no more of them")

# -- what is stored, byte for byte

keep = script("keep", 'cat > "$KEEP"; cat <&1 > "$KEEP.envelope"; exit 0\n')
kept = os.path.join(tree.scratch, "kept")
os.chmod(tree.scratch, 0o777)
every = bytes(range(256)) + b"\r\n.\r\n\n.\n\r.\r\n\r\r\n\0\r"
for what, text, want in (("LF", b"\n" + every, every), ("CR LF", b"\r" + every, every.replace(b"\r\n", b"\n"))):
    code, out = run("qmail-qmtpd", qmtp(text, b"s@x", b"a"), {"QMAILQUEUE": keep, "KEEP": kept})
    same((code, letters(out), read(kept).split(b"\n", 2)[2]), (0, b"K", want), "every byte, " + what)
code, out = run("qmail-qmqpd", qmqp(every, b"s@x", b"a@far.test"), {"QMAILQUEUE": keep, "KEEP": kept})
same((code, letters(out), read(kept).split(b"\n", 2)[2], read(kept + ".envelope")), (0, b"K", every, b"Fs@x\0Ta@far.test\0\0"), "every byte, QMQP")

# -- what the queue program gets

fds = script("fds", 'ls /proc/self/fd > "$KEEP"; cat > /dev/null; cat <&1 > /dev/null\n')
for program, data in (("qmail-qmtpd", qmtp(b"\nx", b"s", b"a")), ("qmail-qmqpd", qmqp(b"x", b"s", b"a"))):
    if sanitized or not os.path.isdir("/proc/self/fd"):
        skip(1, "no list of descriptors")
        continue
    run(program, data, {"QMAILQUEUE": fds, "KEEP": kept})
    same(read(kept).split(), [b"0", b"1", b"2", b"3", b"6"], program + ": descriptors 0, 1, 2, 6, and that of ls itself")

check = script("check", 'case $RECIPIENT in a) exit 0;; b) exit 100;; esac; exit 111\n')
same([s[:8] for s in strings(run("qmail-qmtpd", qmtp(b"\nx", b"s", b"a", b"b", b"c"), {"QMAILQUEUE": keep, "KEEP": kept, "RCPTCHECK": check})[1])][1:],
     [b"Dsorry, ", b"Zunable "], "RCPTCHECK")
same(read(kept + ".envelope"), b"Fs\0Ta\0\0", "RCPTCHECK: the envelope")
for code, letter in ((31, b"D"), (53, b"Z"), (11, b"D"), (111, b"Z"), (82, b"Z")):
    fail = script("fail", "cat > /dev/null; exit %d\n" % code)
    same((letters(run("qmail-qmtpd", qmtp(b"\nx", b"s", b"a", b"b"), {"QMAILQUEUE": fail})[1]),
          letters(run("qmail-qmqpd", qmqp(b"x", b"s", b"a"), {"QMAILQUEUE": fail})[1])), (letter * 2, letter), "exit code %d" % code)

# -- large messages, many recipients: memory

def memory_for(program, pieces):
    """Feeds the program; its greatest size in kB when all but the last piece are there,
    and its replies."""
    drop = script("drop", "cat > /dev/null; cat <&1 > /dev/null\n")
    p = subprocess.Popen([tree.bin(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"QMAILQUEUE": drop}, cwd="/",
                         preexec_fn=tree.as_user(1))
    for piece in pieces[:-1]:
        p.stdin.write(piece)
    p.stdin.flush()
    size = int(re.search(rb"VmHWM:\s+(\d+)", read("/proc/%d/status" % p.pid)).group(1))
    p.stdin.write(pieces[-1])
    p.stdin.close()
    reply = p.stdout.read()
    p.stdout.close()
    p.wait(60)
    return size, reply


block = b"x" * 79 + b"\n"
many = [block * 1024] * (LONG // (1024 * len(block)))
length = sum(map(len, many))
crlf = [block[:-1] + b"\r\n"] * (length // 81)
recipients = ns(b"a") * 100000
if sanitized or not os.path.exists("/proc/self/status"):
    skip(5, "no sizes to be had")
else:
    size, reply = memory_for("qmail-qmtpd", [b"%d:\n" % (length + 1), *many, b",", ns(b"s"), ns(ns(b"a"))])
    ok(size < SMALL and letters(reply) == b"K", "QMTP, 100 MB", (size, reply))
    size, reply = memory_for("qmail-qmtpd", [b"%d:\r" % (sum(map(len, crlf)) + 1), *crlf, b",", ns(b"s"), ns(ns(b"a"))])
    ok(size < SMALL and letters(reply) == b"K", "QMTP, 100 MB of CR LF", (size, reply))
    size, reply = memory_for("qmail-qmtpd", [ns(b"\nx"), b"%d:" % LONG, b"s" * LONG, b",", ns(b"%d:%s," % (LONG, b"r" * LONG) + ns(b"a"))])
    ok(size < SMALL and [s[:6] for s in strings(reply)] == [b"Dsorry", b"Dunacc"], "QMTP, addresses of 100 MB", (size, reply))
    inner = length + len(b"%d:," % length) + len(ns(b"s")) + len(recipients)
    size, reply = memory_for("qmail-qmqpd", [b"%d:%d:" % (inner, length), *many, b",", ns(b"s"), recipients, b","])
    ok(size < SMALL and letters(reply) == b"K", "QMQP, 100 MB for 100000 recipients", (size, reply))
    code, out = run("qmail-qmtpd", ns(b"\nx") + ns(b"s") + ns(recipients), {"QMAILQUEUE": keep, "KEEP": kept})
    same((code, letters(out), read(kept + ".envelope")), (0, b"K" * 100000, b"Fs\0" + b"Ta\0" * 100000 + b"\0"), "QMTP, 100000 recipients")

# -- time limits, on a clock that runs a thousand times as fast

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <sys/time.h>
#include <time.h>
enum { FASTER = 1000 };
int poll(struct pollfd *p, nfds_t n, int ms)
{
    int (*real)(struct pollfd *, nfds_t, int) = dlsym(RTLD_NEXT, "poll");
    return real(p, n, ms > 0 ? ms / FASTER + 1 : ms);
}
int clock_gettime(clockid_t clock, struct timespec *t)
{
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, t);
    if (clock == CLOCK_MONOTONIC) {
        long long ns = (t->tv_sec % 1000000 * 1000000000LL + t->tv_nsec) * FASTER;
        t->tv_sec = ns / 1000000000;
        t->tv_nsec = ns % 1000000000;
    }
    return result;
}
unsigned alarm(unsigned s)
{
    struct itimerval it = {{0, 0}, {s / FASTER, s % FASTER * (1000000 / FASTER)}};
    setitimer(ITIMER_REAL, &it, 0);
    return 0;
}
"""


def slow(program, pieces, pause, env=None):
    """Sends a piece, then waits, and so on. Exit code and seconds until the end."""
    ours, theirs = socket.socketpair()
    environment = {"LD_PRELOAD": shim}
    environment.update(env or {})
    p = subprocess.Popen([tree.bin(program)], stdin=theirs, stdout=theirs, env=environment, cwd="/", preexec_fn=tree.as_user(1))
    theirs.close()
    began = time.monotonic()
    with ours:
        for piece in pieces:
            try:
                ours.sendall(piece)
            except OSError:
                break
            if wait_for(lambda: p.poll() is not None, pause):
                break
        try:
            return p.wait(20), time.monotonic() - began
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
            return "never", time.monotonic() - began


shim = os.path.join(tree.scratch, "shim.so")
with open(os.path.join(tree.scratch, "shim.c"), "w") as f:
    f.write(SHIM)
if sanitized or b"ld-linux" not in read(tree.bin("qmail-qmtpd"))[:4096] or subprocess.run(
        ["cc", "-shared", "-fPIC", "-o", shim, shim[:-2] + "c", "-ldl"], capture_output=True).returncode:
    skip(10, "the clock cannot be hurried here")
else:
    os.chmod(shim, 0o755)
    hang = script("hang", "exec sleep 60\n")
    for program in ("qmail-qmtpd", "qmail-qmqpd"):
        code, seconds = slow(program, [b"2"], 0)
        same((code, 1.0 < seconds < 20), (111, True), program + ": 20 minutes of silence (%.1f s)" % seconds)
        code, seconds = slow(program, [b"0"] * 100, 0.3)
        same((code, 3.2 < seconds < 20), (111, True), program + ": a byte every five minutes, for an hour (%.1f s)" % seconds)
    one = qmtp(b"\nx", b"s", b"a")
    code, seconds = slow("qmail-qmtpd", [one] * 5 + [b""], 1.0, {"QMAILQUEUE": keep, "KEEP": kept})
    same((code, seconds > 4.5), (111, True), "the hour begins anew with each message (%.1f s)" % seconds)
    code, seconds = slow("qmail-qmtpd", [one], 0, {"QMAILQUEUE": hang})
    same((code, 3.2 < seconds < 5), (111, True), "a queue program that does not end, QMTP (%.1f s)" % seconds)
    code, seconds = slow("qmail-qmqpd", [qmqp(b"x", b"s", b"a")], 0, {"QMAILQUEUE": hang})
    same((code, 3.2 < seconds < 5), (111, True), "a queue program that does not end, QMQP (%.1f s)" % seconds)
    code, seconds = slow("qmail-qmtpd", [ns(b"\nx") + ns(b"s") + ns(recipients)], 0, {"QMAILQUEUE": keep, "KEEP": kept})
    same((code, seconds < 5), (111, True), "replies that nobody reads (%.1f s)" % seconds)

# -- trouble of the host

tree.control("rcpthosts", None)
os.symlink("nowhere", tree.at("control/rcpthosts"))
same(run("qmail-qmtpd", qmtp(b"\nx", b"s", b"a"), {"QMAILQUEUE": keep, "KEEP": kept}), (111, b""), "rcpthosts cannot be read")
os.unlink(tree.at("control/rcpthosts"))
same(letters(run("qmail-qmtpd", qmtp(b"\nx", b"s", b"a@far.test"), {"QMAILQUEUE": keep, "KEEP": kept})[1]), b"K", "no rcpthosts: everybody")
tree.control("rcpthosts", ME + "\n")
tree.control("morercpthosts.cdb", "damaged")
same(run("qmail-qmtpd", qmtp(b"\nx", b"s", b"a@far.test"), {"QMAILQUEUE": keep, "KEEP": kept}), (111, b""), "a damaged morercpthosts.cdb")
same(letters(run("qmail-qmtpd", qmtp(b"\nx", b"s", b"a@here.test"), {"QMAILQUEUE": keep, "KEEP": kept})[1]), b"K", "which is not asked for rcpthosts")
done()
