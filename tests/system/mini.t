#!/usr/bin/python3
"""mini-qmail: a host without a queue, as its manual page says, beside one with a queue
that takes its mail by QMQP. The null client is a tree of its own, with no more in it than
is said to be needed."""
import contextlib, resource

from reqmail import *

if not shutil.which("tcpserver"):
    skip_all("no tcpserver")
tree = Tree()
alice = tree.user("alice")
NEEDED = ["qmail-inject", "sendmail", "predate", "datemail", "mailsubj", "qmail-qmqpc"]


# -- the null client

def make_client(home):
    """Builds what is needed for that home, and puts it there."""
    build = os.path.join(tree.scratch, "build")
    made = subprocess.run([os.environ.get("MAKE", "make"), "-s", "-j2", "BUILD=" + build, "CONF_QMAIL=" + home,
                           "CONF_CC=" + os.environ.get("CONF_CC", "cc -O2"), "CONF_LD=" + os.environ.get("CONF_LD", "cc"), "CONF_LIGHT=" + os.environ.get("CONF_LIGHT", "")]
                          + [os.path.join(build, "bin", n) for n in NEEDED],
                          cwd=SOURCE, stdin=subprocess.DEVNULL, capture_output=True, timeout=900)
    if not ok(made.returncode == 0, "the null client is built", made.stderr.decode("latin1")):
        done()
    for name in NEEDED:
        write(os.path.join(home, "bin", name), read(os.path.join(build, "bin", name)), 0o755)
    os.symlink("qmail-qmqpc", os.path.join(home, "bin/qmail-queue"))


client = os.path.join(tree.scratch, "client")
make_client(client)


def control(name, content):
    path = os.path.join(client, "control", name)
    if content is not None:
        write(path, content)
    elif os.path.exists(path):
        os.unlink(path)


control("me", "null.test\n")
control("defaulthost", ME + "\n")


def send(program, *arguments, message=b"To: alice\nSubject: x\n\ny\n", env=None, **more):
    environment = {"USER": "joe", "PATH": "/usr/bin:/bin"}
    environment.update(env or {})
    return subprocess.run([os.path.join(client, "bin", program), *arguments], input=message, capture_output=True, env=environment,
                          cwd="/", preexec_fn=tree.as_user(1), timeout=120, **more)


def qmqpc(message, envelope, text_wanted=False):
    """bin/qmail-queue itself: exit code and what it writes on descriptor 6."""
    reading, writing = os.pipe()
    redirect = "6>&%d" % writing if text_wanted else "6>&-"  # not every sh knows numbers above 9
    command = ["bash", "-c", 'exec "$0" ' + redirect, os.path.join(client, "bin/qmail-queue")]
    with envelope_file(envelope) as on_1, subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=on_1, cwd="/", pass_fds=[writing], preexec_fn=tree.as_user(1)) as p:
        os.close(writing)
        try:
            p.stdin.write(message)
            p.stdin.close()
        except BrokenPipeError:
            pass
        text = b""
        while piece := os.read(reading, 1000):
            text += piece
        p.wait(60)
    os.close(reading)
    return p.returncode, text


def envelope_file(content):
    path = write(os.path.join(tree.scratch, "envelope"), content, 0o644)
    return open(path, "rb")


ENVELOPE = b"Fs@x.test\0Talice@here.test\0\0"


# -- the server

@contextlib.contextmanager
def qmqpd(rule, address="127.0.0.1", env=None):
    """qmail-qmqpd behind tcpserver and one rule: its entry for qmqpservers."""
    cdb = os.path.join(tree.scratch, "qmqp.cdb")
    subprocess.run(["tcprules", cdb, cdb + ".tmp"], input=rule.encode(), check=True)
    os.chmod(cdb, 0o644)
    uid, gid = tree.ids(1)
    become = ["-u", str(uid), "-g", str(gid)] if root else []
    environment = {"PATH": "/usr/bin:/bin"}
    environment.update(env or {})
    p = subprocess.Popen(["tcpserver", "-1", "-R", "-H", "-l", ME, "-x", cdb, *become, address, "0", tree.bin("qmail-qmqpd")],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, cwd="/")
    try:
        yield "%s:%d\n" % (address, int(p.stdout.readline()))
    finally:
        p.terminate()
        p.wait(10)
        p.stdout.close()


class Server:
    """One that does with a connection what it is told; it counts them."""

    def __init__(self, behave, family=socket.AF_INET):
        self.listener = socket.socket(family)
        self.listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        self.listener.listen(50)
        port = self.listener.getsockname()[1]
        self.entry = "[::1]:%d\n" % port if family == socket.AF_INET6 else "127.0.0.1:%d\n" % port
        self.count, self.got = 0, []
        threading.Thread(target=self._serve, args=(behave,), daemon=True).start()

    def _serve(self, behave):
        while True:
            try:
                c, _ = self.listener.accept()
            except OSError:
                return
            self.count += 1
            with c:
                behave(self, c)

    def request(self, c):
        """Reads one request to its end."""
        data = b""
        while b":" not in data:
            data += c.recv(100)
        length, rest = data.split(b":", 1)
        while len(rest) < int(length) + 1:
            rest += c.recv(65536)
        self.got.append(rest)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def says(reply):
    def behave(server, c):
        server.request(c)
        c.sendall(reply)
    return behave


with tree.running(), qmqpd("127.0.0.1:allow\n:deny\n") as server:
    control("qmqpservers", server)
    sent = send("qmail-inject")
    same((sent.returncode, sent.stdout, sent.stderr), (0, b"", b""), "qmail-inject")
    ok(tree.wait_done(1), "delivered", tree.log())
    found(rb"\nReceived: from unknown \(127\.0\.0\.1\)\n  by here\.test with QMQP; [^\n]+\nDate: [^\n]+\n"
          rb"Message-ID: <[^\n]+@null\.test>\nFrom: joe@here\.test\nTo: alice@here\.test\nSubject: x\n\ny\n\Z", maildir(alice)[-1],
          "the message, completed by the null client and queued by the server")
    found(r"from <joe@here\.test>", tree.log(), "its sender")
    same(send("sendmail", "-f", "me@here.test", "alice@here.test", message=b"Subject: s\n\nz\n").returncode, 0, "sendmail")
    same(send("datemail", "alice@here.test", message=b"Subject: d\n\nz\n").returncode, 0, "datemail")
    same(send("mailsubj", "subj", "alice@here.test", message=b"body\n").returncode, 0, "mailsubj")
    ok(tree.wait_done(4), "all delivered", tree.log())
    large = b"Subject: large\n\n" + (b"x" * 79 + b"\n") * 262144
    same(qmqpc(large, ENVELOPE)[0], 0, "20 MB")
    ok(tree.wait_done(5), "20 MB: delivered", tree.log())
    ok(maildir(alice)[-1].endswith(large), "20 MB: all of it")
    many = [subprocess.Popen([os.path.join(client, "bin/qmail-inject")], stdin=subprocess.PIPE, stderr=subprocess.PIPE, env={"USER": "joe"},
                             cwd="/", preexec_fn=tree.as_user(1)) for _ in range(20)]
    for i, p in enumerate(many):
        p.stdin.write(b"To: alice\nSubject: number %d\n\n" % i)
    same([p.communicate(timeout=60)[1] for p in many], [b""] * 20, "twenty at a time")
    ok(tree.wait_done(25), "twenty at a time: delivered", tree.log())
    same(sorted(int(n) for m in maildir(alice) for n in re.findall(rb"^Subject: number (\d+)$", m, re.M)), list(range(20)), "each of them once")
    recipients = b"".join(b"Tnobody-%d@here.test\0" % i for i in range(20000))
    tree.alias("nobody-default", "#\n")
    tree.alias("default", "#\n")
    with Server(says(b"3:Kok,")) as s:
        control("qmqpservers", s.entry)
        same((qmqpc(b"m", b"Fs\0" + recipients + b"\0")[0], s.got[0].count(b",")), (0, 20003), "20000 recipients")
    control("qmqpservers", server)
    same((sorted(os.listdir(client)), sorted(os.listdir(client + "/bin"))), (["bin", "control"], sorted(NEEDED + ["qmail-queue"])),
         "the null client has no queue and nothing else, before and after")

# -- servers that do not take it

with qmqpd(":deny\n") as denied, Server(says(b"3:Kok,")) as good, Server(lambda s, c: None) as closing:
    control("qmqpservers", denied + good.entry)
    code, _ = qmqpc(b"x" * 1000000, ENVELOPE)
    ok(code == 74 and good.count == 0 or code == 0 and good.count == 1, "a server that denies us: never both of them", (code, good.count))
    control("qmqpservers", closing.entry + good.entry)
    before = good.count
    code, _ = qmqpc(b"x" * 1000000, ENVELOPE)
    ok(code == 74 and good.count == before or code == 0 and good.count == before + 1, "a server that closes", (code, good.count))

with Server(lambda s, c: s.request(c)) as taker, Server(says(b"3:Kok,")) as good:
    control("qmqpservers", taker.entry + good.entry)
    same((qmqpc(b"m", ENVELOPE)[0], taker.got, good.count), (74, [b"1:m,8:s@x.test,15:alice@here.test,,"], 0),
         "a server that read it and says nothing: no other is asked")
    dead = socket.create_server(("127.0.0.1", 0))
    entry = "127.0.0.1:%d\n" % dead.getsockname()[1]
    dead.close()
    control("qmqpservers", "# no entry\nhost.test\n 127.0.0.1\n300.0.0.1\n" + entry + "127.0.0.1.5:1\n" + good.entry)
    same((qmqpc(b"m", ENVELOPE)[0], good.count), (0, 1), "the first of the list that answers")
    control("qmqpservers", good.entry + entry)
    same((qmqpc(b"m", ENVELOPE)[0], good.count), (0, 2), "the second is not needed")
    control("qmqpservers", entry)
    same(qmqpc(b"m", ENVELOPE)[0], 73, "none answers")
    result = send("qmail-inject")
    same((result.returncode, result.stderr), (111, b"qmail-inject: fatal: connection to mail server rejected (#4.4.1)\n"),
         "none answers: qmail-inject says so")
    same(qmqpc(b"m", b"Fs\0Tx\0")[0], 91, "an envelope that is cut")
    for content in (None, "", "# nothing\n", "host.test\n"):
        control("qmqpservers", content)
        same(qmqpc(b"m", ENVELOPE)[0], 55, "qmqpservers: %r" % content)
    control("qmqpservers", good.entry)
    os.rename(client + "/control/me", client + "/me")
    os.symlink("nowhere", client + "/control/me")
    same(qmqpc(b"m", ENVELOPE)[0], 55, "me cannot be read")
    os.rename(client + "/me", client + "/control/me")

for reply, code, text in ((b"12:Dnot for you,", 31, b"Dnot for you"), (b"11:Zlater on\n.,", 71, b"Zlater on"), (b"2:Dx,", 31, b""),
                          (b"400:D" + b"y" * 399 + b",", 31, b"D" + b"y" * 254), (b"Dno length", 31, b"Dno length"), (b"1:K,", 0, b"")):
    with Server(says(reply)) as s:
        control("qmqpservers", s.entry)
        same(qmqpc(b"m", ENVELOPE)[0], code, "%r" % reply[:20])
        same(qmqpc(b"m", ENVELOPE, text_wanted=True), (82 if text else code, text), "%r with descriptor 6" % reply[:20])
with Server(says(b"12:Dnot for you,")) as s:
    control("qmqpservers", s.entry)
    result = send("qmail-inject")
    same((result.returncode, result.stderr), (100, b"qmail-inject: fatal: not for you\n"), "qmail-inject shows what the server says")

try:
    with Server(says(b"3:Kok,"), socket.AF_INET6) as s:
        control("qmqpservers", s.entry)
        same((qmqpc(b"m", ENVELOPE)[0], s.count), (0, 1), "IPv6")
except OSError:
    skip(1, "no IPv6")


def little_memory():
    tree.as_user(1)()
    resource.setrlimit(resource.RLIMIT_AS, (20 << 20, 20 << 20))


if sanitized:
    skip(1, "sanitizers need memory")
else:
    p = subprocess.run([client + "/bin/qmail-queue"], input=b"x" * (40 << 20), stdout=envelope_file(ENVELOPE), preexec_fn=little_memory, timeout=60)
    same(p.returncode, 51, "no memory for the message")

# -- one program of a host with a queue

with qmqpd(":allow\n", env={"QMAILQUEUE": write(os.path.join(tree.scratch, "refuse"), "#!/bin/sh\ncat > /dev/null\nprintf 'Dno mail today (#5.0.0)' >&6\nexit 82\n", 0o755)}) as server:
    tree.control("qmqpservers", server)
    replies = tree.smtp(["MAIL FROM:<a@b>", "RCPT TO:<alice@here.test>", "DATA", "", "x", ".", "QUIT"], env={"QMAILQUEUE": "bin/qmail-qmqpc"})
    found(r"^554 no mail today \(#5\.0\.0\)\r$", replies, "qmail-smtpd passes on what the server's filter says")
    same(tree.inject(b"To: alice\n\nx\n", env={"QMAILQUEUE": "bin/qmail-qmqpc"}).returncode, 100, "and qmail-inject knows that it is final")
done()
