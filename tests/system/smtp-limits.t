#!/usr/bin/python3
"""What a client can do to qmail-smtpd with time, length, numbers: nothing without limit."""
from reqmail import *

tree = Tree()
MARGIN = 1024  # kB over what a usual session takes
IPS = {"TCPREMOTEIP": "127.0.0.1", "TCPREMOTEHOST": "client.test", "TCPLOCALHOST": ME}
BEGIN = b"EHLO client.test\r\nMAIL FROM:<a@far.test>\r\nRCPT TO:<b@here.test>\r\nDATA\r\n"


class Session:
    """qmail-smtpd on pipes. What it says is read all the time."""

    def __init__(self, env=None):
        self.process = subprocess.Popen([tree.bin("qmail-smtpd")], env=dict(IPS, **env or {}), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        cwd="/", bufsize=0, **tree.user_of(1))
        self.pid = self.process.pid
        self.said = b""
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.until(b"220 ")

    def _read(self):
        for data in iter(lambda: os.read(self.process.stdout.fileno(), 65536), b""):
            self.said += data

    def send(self, data):
        """False if it has gone."""
        try:
            while data:
                data = data[os.write(self.process.stdin.fileno(), data):]
            return True
        except BrokenPipeError:
            return False

    def repeat(self, piece, count):
        return all(self.send(piece) for _ in range(count))

    def until(self, text, seconds=20):
        return wait_for(lambda: text in self.said, seconds, 0.005)

    def peak(self):
        """The most memory it has had, in kB."""
        return int(re.search(rb"^VmHWM:\s+(\d+)", read("/proc/%d/status" % self.pid), re.M).group(1))

    def end(self):
        self.process.stdin.close()
        code = self.process.wait(20)
        self.reader.join(20)
        return code


def quiet():
    """Waits until no qmail-queue is at work."""
    wait_for(lambda: not [n for n in tree.queue_files() if n.startswith("pid/")])
    return [n for n in tree.queue_files() if n.startswith("todo/")]


# -- a usual session, to compare with

s = Session()
s.send(BEGIN + b"Subject: usual\r\n\r\n" + b"text\r\n" * 1000 + b".\r\n")
s.until(b"250 ok 1")
usual = s.peak()
s.send(b"QUIT\r\n")
same((s.end(), len(quiet())), (0, 1), "a usual session")
for name in tree.queue_files():
    os.unlink(tree.at("queue", name))


def bounded(session, name, more=0):
    if sanitized:
        skip(1, "sanitizers take memory of their own")
    else:
        peak = session.peak()
        ok(peak <= usual + MARGIN + more, name, "%d kB, usual %d kB" % (peak, usual))


# -- time

tree.control("timeoutsmtpd", "2\n")
begun = time.monotonic()
s = Session()
ok(s.until(b"451 timeout (#4.4.2)\r\n", 10), "silence: the time is over")
same(s.end(), 1, "exit 1")
taken = time.monotonic() - begun
ok(1.9 <= taken <= 4, "after 2 seconds", taken)
begun = time.monotonic()
s = Session({"SESSIONMAX": "4"})
for _ in range(60):
    time.sleep(0.2)
    if not s.send(b"N"):
        break
taken = time.monotonic() - begun
ok(3.9 <= taken <= 7, "one byte from time to time: the session is limited by SESSIONMAX", taken)
same((s.end(), s.said.splitlines()[1:]), (1, [b"421 session too long (#4.4.2)"]), "with its reply")
begun = time.monotonic()
s = Session({"SESSIONMAX": "3"})
s.send(BEGIN)
for _ in range(60):
    time.sleep(0.2)
    if not s.send(b"x\r\n"):
        break
taken = time.monotonic() - begun
ok(2.9 <= taken <= 6, "in DATA too", taken)
same((s.end(), s.said.splitlines()[-1], quiet()), (1, b"421 session too long (#4.4.2)", []), "and nothing is queued")
s = Session()
for byte in b"NOOP\r\n" * 2:
    time.sleep(0.25)
    s.send(bytes([byte]))
ok(s.until(b"250 ok\r\n250 ok\r\n"), "slow is not silent: each byte gives 2 seconds more")
s.send(b"MAIL FROM:<half")
ok(s.until(b"451 timeout (#4.4.2)\r\n", 10), "silence in a command")
same(s.end(), 1, "exit 1")
s = Session()
s.send(BEGIN + b"half")
ok(s.until(b"451 timeout (#4.4.2)\r\n", 10), "silence in DATA")
same((s.end(), quiet()), (1, []), "exit 1, nothing queued")

# Somebody who does not read what he is told.
p = subprocess.Popen([tree.bin("qmail-smtpd")], env=IPS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/", bufsize=0, **tree.user_of(1))


def ask_for_help():
    try:
        while os.write(p.stdin.fileno(), b"HELP\r\n" * 1000):
            pass
    except OSError:
        pass


asking = threading.Thread(target=ask_for_help, daemon=True)
asking.start()
try:
    same(p.wait(20), 1, "a client who does not read: exit 1")
except subprocess.TimeoutExpired:
    ok(False, "a client who does not read: exit 1")
    p.kill()
asking.join(20)
tree.control("timeoutsmtpd", None)

# -- length

MEGABYTE = b"x" * 1000000
s = Session()
s.repeat(MEGABYTE, 200)
s.send(b"\r\nNOOP\r\n")
ok(s.until(b"250 ok\r\n"), "a command of 200 MB: the session goes on")
same(s.said.splitlines()[1:], [b"500 line too long (#5.5.2)", b"250 ok"], "after its reply")
bounded(s, "in bounded memory")
s.send(b"MAIL FROM:<")
s.repeat(MEGABYTE, 20)
s.send(b">\r\n")
s.send(BEGIN.replace(b"DATA\r\n", b"NOOP\r\n"))
ok(s.until(b"250 ok\r\n250 ok\r\n250 ok\r\n"), "an address of 20 MB")
same(s.said.count(b"500 line too long"), 2, "is refused")
bounded(s, "in bounded memory")
s.send(b"QUIT\r\n")
same(s.end(), 0, "exit 0")

for what, piece, count in (("a line", MEGABYTE, 300), ("lines", b"y\r\n" * 100000, 150), ("dots", b"..\r\n" * 100000, 100), ("a header", b"Received: x\r\n" * 50000, 30)):
    s = Session({"DATABYTES": "1000000"})
    s.send(BEGIN)
    s.repeat(piece, count)
    s.send(b"\r\n.\r\nNOOP\r\n")
    refusal = b"554 too many hops, this message is looping (#5.4.6)" if what == "a header" else b"552 sorry, that message size exceeds my databytes limit (#5.3.4)"
    s.until(refusal, 40)
    s.until(refusal + b"\r\n250 ok\r\n")
    same(s.said.splitlines()[-2:], [refusal, b"250 ok"], "%s of %d MB with DATABYTES 1000000" % (what, len(piece) * count / 1000000))
    bounded(s, "in bounded memory")
    s.send(b"QUIT\r\n")
    same((s.end(), quiet()), (0, []), "nothing queued")

# -- numbers

RCPTS = b"".join(b"RCPT TO:<somebody-%06d@here.test>\r\n" % i for i in range(100000))
BYTES = 100000 * len("Tsomebody-000000@here.test\0") // 1024
for env, accepted in (({}, 100000), ({"MAXRCPT": "1000"}, 1000)):
    s = Session(env)
    s.send(b"MAIL FROM:<a@far.test>\r\n" + RCPTS + b"NOOP\r\nRSET\r\n")
    s.until(b"250 flushed\r\n", 40)
    lines = s.said.splitlines()[2:-2]
    same((lines.count(b"250 ok"), lines.count(b"452 max rcpt limit exceeded (#4.5.3)")), (accepted, 100000 - accepted), "100,000 recipients with %r" % env)
    # a buffer that grows has its old and its new place for a moment
    bounded(s, "in memory as for %d" % accepted, BYTES * accepted // 100000 * 3)
    before = s.peak()
    s.send(b"MAIL FROM:<a@far.test>\r\n" + RCPTS + b"RSET\r\n")
    s.until(b"flushed", 40)
    wait_for(lambda: s.said.count(b"250 flushed") == 2, 40, 0.01)
    ok(s.peak() <= before + MARGIN, "the second time takes no more", (before, s.peak()))
    s.send(b"QUIT\r\n")
    same(s.end(), 0, "exit 0")
s = Session({"BRTLIMIT": "10"})
s.send(b"MAIL FROM:<a@far.test>\r\n" + RCPTS.replace(b"here.test", b"else.test"))
same(s.end(), 1, "100,000 refused recipients with BRTLIMIT: exit 1")
lines = s.said.splitlines()[2:]
same((len(lines), lines[-1]), (11, b"421 too many invalid addresses, goodbye (#4.3.0)"), "after the tenth")
s = Session()
s.send(b"WRONG\r\n" * 100000)
same((s.end(), s.said.splitlines()[-1], s.said.count(b"502 ")), (1, b"421 too many errors (#4.7.0)", 20), "100,000 wrong commands: exit 1 after the twentieth")

# -- many at a time, under the service


def pids():
    """The processes of qmail-smtpd."""
    found_here = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink("/proc/%s/exe" % pid) == os.path.realpath(tree.bin("qmail-smtpd")):
                found_here.append(int(pid))
        except OSError:
            pass
    return found_here


port = free_port()
connections = []
with Services(tree, {"smtp": {"LISTEN": "127.0.0.1", "PORT": port, "CONNECTIONS": "210"}}) as services:
    services.wait_log("smtp", "tcpserver: status: 0/210")
    for _ in range(200):
        connections.append(socket.create_connection(("127.0.0.1", port), 20))
    same([c for c in connections if not c.recv(100).startswith(b"220 ")], [], "200 clients who say nothing: each has its greeting")
    ids = pids()
    same(len(ids), 200, "200 processes")
    last = socket.create_connection(("127.0.0.1", port), 20)
    last.recv(100)
    last.sendall(b"NOOP\r\n")
    same(last.recv(100), b"250 ok\r\n", "one more is served as well")
    if not sanitized:
        private_kb = [int(re.search(rb"^Private_Dirty:\s+(\d+)", read("/proc/%d/smaps_rollup" % pid), re.M).group(1)) for pid in ids]
        ok(max(private_kb) < 1024, "each takes less than 1 MB of its own", max(private_kb))
    else:
        skip(1, "sanitizers take memory of their own")
    status = read("/proc/%d/status" % ids[0]).decode()
    if root:
        uid, gid = tree.ids(1)
        fields = {k: v.split() for k, v in re.findall(r"^(Uid|Gid|Groups|CapEff|CapPrm):(.*)", status, re.M)}
        same((fields["Uid"], fields["Gid"]), ([str(uid)] * 4, [str(gid)] * 4), "it runs as the daemon user and cannot go back")
        ok(set(fields["Groups"]) <= {str(gid)}, "in no other group", fields["Groups"])
        same((fields["CapEff"], fields["CapPrm"]), (["0" * 16],) * 2, "without capabilities")
    else:
        skip(3, "needs root")
    fds = {int(n): os.readlink("/proc/%d/fd/%s" % (ids[0], n)) for n in os.listdir("/proc/%d/fd" % ids[0])}
    same(sorted(fds), [0, 1, 2], "it has only 0, 1 and 2 open")
    ok(fds[0] == fds[1] and fds[0].startswith("socket:") and not fds[2].startswith("socket:"), "the client, and the log", fds)
    same(os.readlink("/proc/%d/cwd" % ids[0]), os.path.realpath(tree.path), "it is in the home of the system")
    for c in connections + [last]:
        c.close()
    ok(wait_for(lambda: not pids()), "when they have gone, no process is left")
done()
