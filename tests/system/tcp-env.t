#!/usr/bin/python3
"""tcp-env: IPv4 and IPv6 connections, what is none, names from DNS, ident servers."""
import contextlib, struct

from reqmail import *

tree = Tree()
NAMES = ("PROTO", "TCPLOCALIP", "TCPLOCALPORT", "TCPLOCALHOST", "TCPREMOTEIP", "TCPREMOTEPORT", "TCPREMOTEHOST", "TCPREMOTEINFO")


@contextlib.contextmanager
def connection(server, client, family=socket.AF_INET, dual=False):
    """A connection between two addresses: the server's end, both ports."""
    listener = socket.socket(socket.AF_INET6 if dual else family)
    listener.bind(("::" if dual else server, 0))
    listener.listen(1)
    port = listener.getsockname()[1]
    c = socket.socket(family)
    c.bind((client, 0))
    c.connect((server, port))
    s, _ = listener.accept()
    with listener, c, s:
        yield s, port, c.getsockname()[1]


def tcpenv(fd, *arguments, env=None, wrap=(), **more):
    environment = {"PATH": "/usr/bin:/bin"}
    environment.update(env or {})
    return subprocess.run([*wrap, tree.bin("tcp-env"), *arguments], stdin=fd, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=environment, timeout=60, **more)


def environment_of(result):
    lines = [l.split(b"=", 1) for l in result.stdout.split(b"\n") if b"=" in l]
    return {name.decode(): value.decode("latin1") for name, value in lines}


# -- addresses and ports

no_dns = lambda e: {n: e.get(n) for n in NAMES if "HOST" not in n}
cases = [("IPv4", "127.0.0.5", "127.0.0.7", socket.AF_INET, False), ("IPv4-mapped", "127.0.0.5", "127.0.0.7", socket.AF_INET, True),
         ("IPv6", "::1", "::1", socket.AF_INET6, False)]
if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6") or not read("/proc/net/if_inet6"):
    cases = cases[:1]
for name, server, client, family, dual in cases:
    with connection(server, client, family, dual) as (s, port, remote_port):
        e = environment_of(tcpenv(s, "-R", "env", env={"TCPREMOTEINFO": "old", "TCPREMOTEIP": "old", "PROTO": "UDP"}))
        same(no_dns(e), {"PROTO": "TCP", "TCPLOCALIP": server, "TCPLOCALPORT": str(port), "TCPREMOTEIP": client,
                         "TCPREMOTEPORT": str(remote_port), "TCPREMOTEINFO": None}, name)

# -- what is no connection; what is believed

a, b = socket.socketpair()
unconnected = socket.socket()
for name, fd in (("a socket of another family", a), ("no connection", unconnected), ("no socket", subprocess.DEVNULL)):
    result = tcpenv(fd, "-R", "echo", "x")
    same((result.returncode, result.stdout, result.stderr), (111, b"", b""), name)
    result = tcpenv(fd, "-R", "sh", "-c", "env | grep TCP; exit 7", env={"PROTO": "TCP", "TCPREMOTEIP": "x"})
    same((result.returncode, sorted(result.stdout.split())), (7, [b"PROTO=TCP", b"TCPREMOTEIP=x"]), name + ", but a TCP environment")
result = tcpenv(a, "-R", "sh", "-c", "kill -PIPE $$; echo alive", env={"PROTO": "TCP"}, preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN))
same((result.returncode, result.stdout), (-signal.SIGPIPE, b""), "SIGPIPE has its default action")
with connection("127.0.0.1", "127.0.0.1") as (s, _, _):
    note_fd = os.open("/dev/null", os.O_RDONLY)
    result = tcpenv(s, "-R", "sh", "-c", "ls /proc/$$/fd", pass_fds=[note_fd])
    same(sorted(result.stdout.split()), sorted([b"0", b"1", b"2", str(note_fd).encode()]), "descriptors are left alone")

# -- ident

if not root:
    skip(13, "the rest needs ports below 1024")
    done()


def ident(answer, server="127.0.0.5", client="127.0.0.7", family=socket.AF_INET, arguments=(), pause=0):
    """What becomes of that answer: TCPREMOTEINFO, the question and where it came from."""
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((client, 113))
    listener.listen(1)
    asked = []

    def serve():
        try:
            c, peer = listener.accept()
        except OSError:
            return
        with c:
            asked.append((c.recv(1000), peer[0]))
            for piece in answer:
                time.sleep(pause)
                try:
                    c.sendall(piece)
                except OSError:
                    return
    t = threading.Thread(target=serve, daemon=True)
    t.start()
    with connection(server, client, family) as (s, port, remote_port):
        started = time.monotonic()
        e = environment_of(tcpenv(s, *arguments, "env"))
        seconds = time.monotonic() - started
        good = asked == [(b"%d , %d\r\n" % (remote_port, port), server)]
    listener.close()
    t.join(5)
    return e.get("TCPREMOTEINFO"), good, seconds


same(ident([b"1 , 2 : USERID : UNIX : joe\r\n"])[:2], ("joe", True), "ident")
same(ident([b"1,2:US", b"ERID:UNIX:j", b"oe:x\r", b"\n"], pause=0.3)[:2], ("joe:x", True), "ident, in pieces")
if len(cases) > 1:
    same(ident([b"1,2:USERID:UNIX:six\r\n"], "::1", "::1", socket.AF_INET6)[:2], ("six", True), "ident over IPv6")
else:
    skip(1, "no IPv6")
with connection("127.0.0.5", "127.0.0.7") as (s, _, _):
    same(environment_of(tcpenv(s, "env")).get("TCPREMOTEINFO"), None, "ident, where nobody answers")
same(subprocess.run([tree.bin("tcp-env")], stdin=subprocess.DEVNULL, timeout=20).returncode, 111, "no program")
same(ident([b"1,2:ERROR:NO-USER\r\n"])[:2], (None, True), "ident error")
same(ident([b"1,2:USERID:UNIX:joe"])[:2], (None, True), "ident without line feed")
same(ident([b"1,2:USERID:UNIX:" + b"x" * 2000 + b"\r\n"])[0], "x" * 998, "ident, a long name")
same(ident([b" " * 100000])[0], None, "ident, a line without end")
info, asked, seconds = ident([b"1,2:USERID:UNIX:joe\r\n"], arguments=["-t1"], pause=3)
same((info, asked, 0.9 < seconds < 20), (None, True, True), "ident, too late (%.1f s)" % seconds)
info, asked, seconds = ident([b"1,2:USERID:UNIX:", b"j", b"o", b"e\n"], arguments=["-t2"], pause=1)
same((info, asked, seconds > 3), ("joe", True, True), "ident, each step in time (%.1f s)" % seconds)

# -- DNS, in a mount namespace with a resolv.conf of its own

ANSWERS = {"5.0.0.127.in-addr.arpa": ["Local.Test", "second.test"], "7.0.0.127.in-addr.arpa": [],
           "1." + "0." * 31 + "ip6.arpa": ["six.test"], "8.0.0.127.in-addr.arpa": None, "9.0.0.127.in-addr.arpa": [""]}
dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
dns.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
dns.bind(("127.0.0.53", 53))


def wire(name):
    return b"".join(bytes([len(l)]) + l.encode() for l in name.split(".") if l) + b"\0"


def answer_questions():
    while True:
        question, who = dns.recvfrom(2000)
        at, labels = 12, []
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        names = ANSWERS.get(".".join(labels), [])
        records = b"".join(b"\xc0\x0c\0\x0c\0\1\0\0\0\0" + struct.pack(">H", len(wire(n))) + wire(n) for n in names or [])
        code = 2 if names is None else 0 if names else 3
        dns.sendto(question[:2] + bytes([0x81, 0x80 | code]) + struct.pack(">HHHH", 1, len(names or []), 0, 0) + question[12:at + 5] + records, who)


threading.Thread(target=answer_questions, daemon=True).start()
conf = write(os.path.join(tree.scratch, "resolv.conf"), "nameserver 127.0.0.53\noptions timeout:1 attempts:1\n")
wrap = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', conf]
if subprocess.run(wrap + ["true"], capture_output=True).returncode:
    skip(4, "no mount namespace")
    done()
for name, server, client, family, want in (
        ("names", "127.0.0.5", "127.0.0.7", socket.AF_INET, ("local.test", None)),
        ("DNS failure", "127.0.0.5", "127.0.0.8", socket.AF_INET, ("local.test", "softdnserror")),
        ("the root as a name", "127.0.0.5", "127.0.0.9", socket.AF_INET, ("local.test", None)),
        ("IPv6 names", "::1", "::1", socket.AF_INET6, ("six.test", "six.test"))):
    if family == socket.AF_INET6 and len(cases) == 1:
        skip(1, "no IPv6")
        continue
    with connection(server, client, family) as (s, _, _):
        e = environment_of(tcpenv(s, "-R", "env", wrap=wrap, env={"TCPREMOTEHOST": "old"}))
        same((e.get("TCPLOCALHOST"), e.get("TCPREMOTEHOST")), want, name)
done()
