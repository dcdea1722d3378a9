#!/usr/bin/python3
"""qmail-remote against servers that follow a script: what each reply, each end and each
helper for TLS makes of a delivery. qmail-tcpto and qmail-tcpok, which look at its notes."""
import resource
from reqmail import *

tree = Tree()
EHLO = "250-s.test\r\n250-PIPELINING\r\n250-STARTTLS\r\n250-SIZE 1000\r\n250 8BITMIME\r\n"
PLAIN = "250 s.test\r\n"
BYE = None  # hangs up


class Server:
    """Answers each line that begins with a word with the reply to that word, a text; "" for
    the connection. A reply that is None hangs up; a list is used up from its beginning."""

    def __init__(self, replies):
        self.replies = {"": "220 s.test\r\n", "EHLO": PLAIN, "MAIL": "250 ok\r\n", "RCPT": "250 ok\r\n", "DATA": "354 go\r\n", ".": "250 taken\r\n",
                        "QUIT": "221 bye\r\n", "HELO": PLAIN, "STARTTLS": "220 go\r\n"}
        self.replies.update(replies)
        self.seen = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _reply(self, word):
        reply = self.replies.get(word, "500 what?\r\n")
        return reply.pop(0) if isinstance(reply, list) else reply

    def _run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as lines:
                try:
                    self._talk(connection, lines)
                except OSError:
                    pass

    def _talk(self, connection, lines):
        def say(word):
            reply = self._reply(word)
            if reply is not None:
                connection.sendall(reply.encode("latin1"))
            return reply is not None
        if not say(""):
            return
        in_data = False
        for line in lines:
            self.seen.append(line.rstrip(b"\r\n"))
            if in_data:
                if line == b".\r\n":
                    in_data = False
                    if not say("."):
                        return
                continue
            word = line.split()[0].decode() if line.split() else ""
            reply = self.replies.get(word)
            if not say(word):
                return
            in_data = word == "DATA" and str(reply).startswith("354")

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def remote(*arguments, data=b"Subject: x\n\nx\n", prepare=None, file=None, program=None):
    def before():
        tree.as_user(6)()
        if prepare:
            prepare()
    with tempfile.TemporaryFile() as message:
        message.write(data)
        message.seek(0)
        run = subprocess.run([program or tree.bin("qmail-remote"), *arguments], stdin=file or message, stdout=subprocess.PIPE, cwd="/", env={"PATH": "/usr/bin:/bin"},
                             preexec_fn=before, timeout=120)
    return run.stdout.decode("latin1").split("\0")[:-1]


def case(name, replies, want, recipients=("r@far.test",), seen=None, **more):
    """The first letters and a pattern for each report."""
    server = Server(replies)
    tree.control("smtproutes", "far.test:127.0.0.1:%d\n" % server.port)
    reports = remote("far.test", more.pop("sender", "s@here.test"), *recipients, **more)
    server.close()
    ok(len(reports) == len(want) and all(re.match(w, r) for w, r in zip(want, reports)), name, "%r\n%r" % (reports, server.seen))
    if seen:
        found(seen, b"\n".join(server.seen), name + ": what the server saw")


OK_ONE = ["r", r"K127\.0\.0\.1 accepted message"]
DIED = r"ZConnected to 127\.0\.0\.1 but connection died\. \(#4\.4\.2\)\n"

# -- the replies, one after the other

case("taken", {}, OK_ONE)
case("greeting: 4xx", {"": "421 later\r\n"}, [r"ZConnected to 127\.0\.0\.1 but greeting failed\.\nRemote host said: 421 later\n"])
case("greeting: 5xx is no reason to give up", {"": "554 never\r\n"}, ["ZConnected to .* but greeting failed"])
case("greeting: hangs up", {"": BYE}, [DIED])
case("no end of a reply", {"": "220-x\r\n" * 200000}, [DIED])
case("EHLO is not known", {"EHLO": "500 what?\r\n"}, OK_ONE, seen="^HELO here.test$")
case("EHLO: later", {"EHLO": "421 later\r\n"}, ["ZConnected to .* but my name was rejected"])
case("HELO: never", {"EHLO": "500 what?\r\n", "HELO": "550 never\r\n"}, ["[DZ]Connected to .* but my name was rejected"])
case("EHLO: hangs up", {"EHLO": BYE}, [DIED])
case("HELO: hangs up", {"EHLO": "500 what?\r\n", "HELO": BYE}, [DIED])
for eight, body in ((b"Subject: x\n\n\xe4\n", " BODY=8BITMIME"), (b"Subject: x\n\nx\n", "")):
    case("parameters of MAIL%s" % body, {"EHLO": EHLO}, OK_ONE, data=eight, seen=r"^MAIL FROM:<s@here\.test> SIZE=%d%s$" % (len(eight), body))
case("too large", {"EHLO": EHLO}, [r"DConnected to .* but the message is larger than that host "], data=b"x" * 990 + b"\n" * 20)
end, other_end = os.pipe()
os.write(other_end, b"Subject: x\n\nx\n")
os.close(other_end)
case("a message in a pipe has no known size", {"EHLO": EHLO}, OK_ONE, file=end, seen=r"^MAIL FROM:<s@here\.test>$")
os.close(end)
case("sender: later", {"MAIL": "451 later\r\n"}, ["ZConnected to .* but sender was rejected"])
case("sender: never", {"MAIL": "550 never\r\n"}, ["DConnected to .* but sender was rejected"])
case("sender: closing", {"MAIL": "421 closing\r\n"}, ["ZConnected to .* but sender was rejected"])
case("sender: hangs up", {"MAIL": BYE}, [DIED])
case("recipients: all three ways", {"RCPT": ["250 ok\r\n", "451 later\r\n", "550 never\r\n"]},
     ["r", "s127.* does not like recipient", "h127.* does not like recipient", OK_ONE[1]], ("a@x", "b@x", "c@x"))
case("recipients, sent ahead", {"EHLO": EHLO, "RCPT": ["250 ok\r\n", "451 later\r\n", "550 never\r\n"]}, ["r", "s", "h", OK_ONE[1]], ("a@x", "b@x", "c@x"))
case("recipients: none is liked", {"RCPT": "550 never\r\n"}, ["h", r"DGiving up on 127\.0\.0\.1\.\n"])
case("a recipient with a line break", {}, [r"hSorry, that address contains a line break\. \(#5\.1\.3\)", "r", OK_ONE[1]], ("a\nb@x", "b@x"))
case("recipient: hangs up", {"RCPT": BYE}, [DIED])
case("DATA: later", {"DATA": "451 later\r\n"}, ["r", r"Z127\.0\.0\.1 failed on DATA command"])
case("DATA: never", {"DATA": "550 never\r\n"}, ["r", r"D127\.0\.0\.1 failed on DATA command"])
case("DATA: hangs up", {"DATA": BYE}, ["r", DIED])
case("message: later", {".": "451 later\r\n"}, ["r", r"Z127\.0\.0\.1 failed after I sent the message"])
case("message: never", {".": "550 never\r\n"}, ["r", r"D127\.0\.0\.1 failed after I sent the message"])
case("message: hangs up", {".": BYE}, ["r", r"ZConnected to .*(?s:.*)duplicate"])
case("hangs up while it is sent", {"DATA": ["354 go\r\n"], "x" * 10: BYE}, ["r", ".*"], data=b"x\n")
case("hangs up in the middle of much", {"DATA": ["354 go\r\n"], "x" * 10: BYE}, ["r", "[ZD].*"], data=(b"x" * 10 + b"\n") * 800000)
piped = os.pipe()
os.write(piped[1], b"Subject: x\n\nx\n")
os.close(piped[1])
case("a message out of a pipe", {}, OK_ONE, file=piped[0])
os.close(piped[0])
case("a message without a line feed at its end", {}, ["r", "[DK]"], data=b"Subject: x\n\nx")
case("a message that cannot be read", {}, ["r", "ZUnable to read message"], file=os.open("/", os.O_RDONLY))

# -- TLS, by helpers of our own

helper = os.path.join(tree.scratch, "helper")


def with_helper(script):
    write(helper, "#!/usr/bin/python3\nimport os, select, sys\n" + script, 0o755)
    tree.control("tlsclient", helper + "\n")


THROUGH = """
os.write(5, b"K TLSv1.3 C 256 %s\\n")
while True:
    ready = select.select([0, 6], [], [])[0]
    for fd, to in ((0, 7), (6, 1)):
        if fd in ready:
            data = os.read(fd, 65536)
            if not data:
                sys.exit(0)
            while data:
                data = data[os.write(to, data):]
"""
OFFERS = {"EHLO": EHLO, "RCPT": "250 ok\r\n"}
# the numbers of the helper's descriptors, as qmail-remote(8) has them
numbers = re.findall(r"HELPER_(\w+) = (\d+)", read(os.path.join(SOURCE, "src/deliver/remote_tls.c")).decode())
where = {name: int(number) for name, number in numbers}
THROUGH = THROUGH.replace("os.write(5,", "os.write(%d," % where["STATUS"]).replace("[0, 6]", "[0, %d]" % where["TCP_READ"]).replace(
    "(0, 7), (6, 1)", "(0, %d), (%d, 1)" % (where["TCP_WRITE"], where["TCP_READ"]))
says = lambda line: "os.write(%d, %r)\n" % (where["STATUS"], line.encode())
for policy, word, want in (
        (None, "verified", ["r", r"K(?s:.*)TLS: TLSv1\.3 C 256 verified"]), (None, "unverified self-signed", ["r", r"K(?s:.*)TLS: TLSv1\.3"]),
        ("verify", "verified", ["r", r"K(?s:.*)TLS: "]), ("verify", "unverified self-signed", [r"ZConnected to (?s:.*)self-signed"]),
        ("encrypt", "unverified x", ["r", "K"]), ("none", "verified", ["r", r"K(?!(?s:.*)TLS: )"])):
    with_helper(THROUGH % word)
    tree.control("tlspolicy", "far.test:%s\n" % policy if policy else None)
    case("TLS, %s, policy %s" % (word, policy), OFFERS, want)
for policy, want in ((None, OK_ONE), ("encrypt", [r"ZConnected to .* but TLS could not be started: no shared cipher\. \(#4\.7\.5\)"])):
    tree.control("tlspolicy", "far.test:%s\n" % policy if policy else None)
    with_helper(says("Z no shared cipher\n"))
    case("TLS fails, policy %s" % policy, OFFERS, want)
with_helper(says("Z " + "x" * 100000))
case("a status without an end", OFFERS, ["ZConnected to .* but TLS could not be started"])
with_helper("")
case("a helper without a status", OFFERS, [r"ZConnected to .* but TLS could not be started: the TLS helper gave no reason"])
tree.control("tlsclient", "/no/such/helper\n")
case("no helper", OFFERS, [r"ZConnected to .* but TLS could not be started: "])
case("TLS is not offered", {}, [r"ZConnected to "])
case("STARTTLS: not now", dict(OFFERS, STARTTLS="454 not now\r\n"), [r"ZConnected to "])
case("STARTTLS: hangs up", dict(OFFERS, STARTTLS=BYE), [DIED])
case("STARTTLS: something comes behind it in clear text", dict(OFFERS, STARTTLS="220 go\r\n250 ok\r\n"), [DIED])
tree.control("tlspolicy", "far.test:verfiy\n")
case("a policy that is none", {}, [r"ZUnable to read control files\. \(#4\.3\.0\)"])
tree.control("tlspolicy", None)
tree.control("tlsclient", None)

# -- how it is called, and its surroundings

same(remote("far.test", "s@here.test"), ["DI (qmail-remote) was invoked improperly. (#5.3.5)\n"], "no recipient")
found("line break", remote("far.test", "s\n@here.test", "r@far.test")[0], "a sender with a line break")
closed = socket.create_server(("127.0.0.1", 0))
port = closed.getsockname()[1]
closed.close()
tree.control("smtproutes", "far.test:127.0.0.1:%d\n" % port)
found("^Z", remote("far.test", "s@here.test", "r@far.test")[0], "nobody listens")
tree.control("smtproutes", None)
found("^D", remote("[127.0.0.1]", "s@here.test", "r@far.test")[0], "its own address")
tree.control("outgoingip", "192.0.2.1\n")
tree.control("smtproutes", "far.test:127.0.0.1:%d\n" % port)
found("^Z", remote("far.test", "s@here.test", "r@far.test")[0], "an outgoing address that is not ours")
tree.control("outgoingip", None)
tree.control("smtproutes", "far.test:127.0.0.1:x\n")
found("^Z", remote("far.test", "s@here.test", "r@far.test")[0], "a route that is none")
tree.control("smtproutes", None)
for name in ("me", "smtproutes", "timeoutremote"):
    tree.control(name, None)
    os.mkdir(tree.at("control", name))
    same(remote("far.test", "s@here.test", "r@far.test"), ["ZUnable to read control files. (#4.3.0)\n"], "control/%s is a directory" % name)
    os.rmdir(tree.at("control", name))
    tree.control("me", ME + "\n")
if root:
    copy = shutil.copy(tree.bin("qmail-remote"), tree.scratch)
    os.chmod(tree.path, 0o700)
    same(remote("far.test", "s@here.test", "r@far.test", program=copy), ["ZUnable to switch to home directory. (#4.3.0)\n"], "no home")
    os.chmod(tree.path, 0o755)
else:
    skip(1, "not root")

# -- the table of timeouts

def table(program="qmail-tcpto"):
    run = subprocess.run([tree.bin(program)], capture_output=True, cwd="/", timeout=60, **tree.user_of(6))
    return run.returncode, run.stdout.decode(), run.stderr.decode()


def note(name, address, count, when, room):
    data = address + bytes([count]) + b"\0" * (7 if len(address) == 16 else 3) + int(when).to_bytes(4, "little")
    data = data.ljust(room, b"\0")
    with open(tree.at("queue/lock", name), "r+b") as f:
        f.write(data)


same(table("qmail-tcpok"), (0, "", ""), "qmail-tcpok")
same(table(), (0, "", ""), "an empty table")
note("tcpto", bytes((192, 0, 2, 1)), 3, time.time() - 100, 16)
found(r"^192\.0\.2\.1 timed out 1\d\d seconds ago; # recent timeouts: 3\n\Z", table()[1], "a note of one address")
note("tcpto", bytes((192, 0, 2, 1)), 3, time.time() + 100, 16)
found(r"^192\.0\.2\.1 timed out 0 seconds ago; ", table()[1], "a note of a time to come")

# a server that does not answer: its queue of connections is full
full = socket.socket()
full.bind(("127.0.0.1", 0))
full.listen(0)
waiting = [socket.socket() for _ in range(4)]
for s in waiting:
    s.setblocking(False)
    s.connect_ex(full.getsockname())
tree.control("smtproutes", "far.test:127.0.0.1:%d\n" % full.getsockname()[1])
tree.control("timeoutconnect", "1\n")
ABSENT = ["ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n"]
same(remote("far.test", "s@here.test", "r@far.test"), ABSENT, "no answer")
found(r"^127\.0\.0\.1 timed out \d+ seconds ago; # recent timeouts: 1$", table()[1], "no answer: noted")
for s in waiting + [full]:
    s.close()
tree.control("timeoutconnect", None)
server = Server({})
tree.control("smtproutes", "far.test:127.0.0.1:%d\n" % server.port)
note("tcpto", bytes((127, 0, 0, 1)), 3, time.time() - 10, 16)
same((remote("far.test", "s@here.test", "r@far.test"), server.seen), (ABSENT, []), "several timeouts of late: nobody asks")
server.close()
subprocess.run([tree.bin("qmail-tcpok")], timeout=20)
tcpto, tcpto6 = (tree.at("queue/lock", n) for n in ("tcpto", "tcpto6"))
if os.path.exists(tcpto6):
    os.rename(tcpto6, tcpto6 + ".away")
same(table()[0], 0, "no table for IPv6 is none")
same(table("qmail-tcpok"), (0, "", ""), "qmail-tcpok without a table for IPv6")
same(table()[1], "", "qmail-tcpok has forgotten")
if os.path.exists(tcpto6 + ".away"):
    os.rename(tcpto6 + ".away", tcpto6)
os.rename(tcpto, tcpto + ".away")
code, out, _ = table()
same((code, out.startswith("fatal: unable to open tcpto: ")), (111, True), "qmail-tcpto without a table")
code, _, error = table("qmail-tcpok")
same((code, error), (111, "qmail-tcpok: fatal: unable to write %s: file does not exist\n" % tcpto), "qmail-tcpok without a table")
os.mkdir(tcpto)
same(table()[0], 111, "a directory for a table")
os.rmdir(tcpto)
os.rename(tcpto + ".away", tcpto)
os.rename(tree.at("queue/lock"), tree.at("queue/locks"))
same((table()[0], table("qmail-tcpok")[0]), (111, 111), "no queue/lock")
os.rename(tree.at("queue/locks"), tree.at("queue/lock"))

# -- DNS that contradicts itself: what the first server says counts, and mail is not sent
# back for what one said who does not know

ABSENT_NAME, KNOWS_NOTHING, KNOWS = (b"\x81\x83", b""), (b"\x80\0", b""), (b"\x81\x80", None)
RECORDS = {("inside.test", 15): b"\0\5\2mx\6inside\4test\0", ("mx.inside.test", 1): bytes((127, 0, 0, 9))}


class Names:
    """A name server at port 53 of the address. answers are used up before RECORDS count."""

    def __init__(self, address, answers=(), pause=0):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        self.answers, self.pause = list(answers), pause
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            question, who = self.socket.recvfrom(2000)
            at, labels = 12, []
            while question[at]:
                labels.append(question[at + 1:at + 1 + question[at]].decode())
                at += 1 + question[at]
            name, kind = ".".join(labels), question[at + 1:at + 3]
            flags, data = self.answers.pop(0) if self.answers else KNOWS
            data = RECORDS.get((name, kind[1]), b"") if data is None else data
            record = b"\xc0\x0c" + kind + b"\0\1\0\0\0\0\0" + bytes([len(data)]) + data if data else b""
            time.sleep(self.pause)
            self.socket.sendto(question[:2] + flags + b"\0\1\0" + bytes([bool(data)]) + b"\0\0\0\0" + question[12:at + 5] + record, who)


def remote_by(*servers):
    conf = write(os.path.join(tree.scratch, "resolv.conf"), "".join("nameserver %s\n" % s for s in servers))
    run = subprocess.run(mounted([(conf, "/etc/resolv.conf")], [tree.bin("qmail-remote"), "inside.test", "s@here.test", "r@inside.test"]),
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=120)
    return run.stdout.decode("latin1").split("\0")[:-1]


if private:
    tree.control("smtproutes", None)
    Names("127.0.0.11", pause=0.2)
    Names("127.0.0.12", [ABSENT_NAME] * 20)
    Names("127.0.0.13", [KNOWS_NOTHING] * 20)
    Names("127.0.0.14", [KNOWS_NOTHING])
    same(remote_by("127.0.0.11"), ABSENT, "one server")
    same(remote_by("127.0.0.11", "127.0.0.12"), ABSENT, "the first of two servers counts, not the quicker one")
    same(remote_by("127.0.0.11", "127.0.0.13"), ABSENT, "and not one that does not know")
    same(remote_by("127.0.0.14"), ABSENT, "one server, which does not know at first")
    found(r"^DSorry, I couldn't find any host named inside\.test\.", "".join(remote_by("127.0.0.12")), "no such name")
else:
    skip(5, "no namespaces")
done()
