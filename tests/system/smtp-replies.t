#!/usr/bin/python3
"""qmail-smtpd: every reply that its environment, its control files, its programs and its
clock can make it give, and what it logs."""
import base64, resource
from reqmail import *

tree = Tree()
IPS = {"TCPREMOTEIP": "192.0.2.7", "TCPREMOTEHOST": "client.test", "TCPLOCALHOST": ME, "PATH": "/usr/bin:/bin"}
GREETING = b"220 here.test ESMTP\r\n"
BYE = b"221 here.test\r\n"
EHLO = b"250-here.test\r\n%s250-PIPELINING\r\n250-SIZE 0\r\n250 8BITMIME\r\n"


class Talk:
    """One qmail-smtpd on pipes: `said` is all it says."""

    def __init__(self, env=None, args=(), pass_fds=(), prepare=None, program=None):
        self.errors = tempfile.TemporaryFile()

        def before():
            tree.as_user(1)()
            if prepare:
                prepare()
        self.process = subprocess.Popen([program or tree.bin("qmail-smtpd"), *args], env=dict(IPS, **env or {}), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.errors, cwd="/", bufsize=0, pass_fds=pass_fds, preexec_fn=before)
        self.said = b""
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for data in iter(lambda: os.read(self.process.stdout.fileno(), 65536), b""):
            self.said += data

    def send(self, data):
        try:
            self.process.stdin.write(data)
        except BrokenPipeError:
            pass

    def until(self, text):
        return wait_for(lambda: text in self.said, 30, 0.005)

    def end(self, close=True):
        """What it said, its exit code and its log."""
        if close:
            self.process.stdin.close()
        code = self.process.wait(60)
        self.thread.join(20)
        if not close:
            self.process.stdin.close()
        self.errors.seek(0)
        return self.said, code, self.errors.read()


def session(data, env=None, args=(), close=True, **more):
    talk = Talk(env, args, **more)
    talk.send(data)
    return talk.end(close)


def replies(name, data, want, env=None, code=0, args=(), close=True, **more):
    said, exit_code, _ = session(data, env, args, close, **more)
    same((said, exit_code), (want, code), name)


# -- the small commands

replies("VRFY and HELP", b"VRFY x\r\nHELP\r\n  NOOP\r\nNOOP   \r\nQUIT\r\n",
        GREETING + b"252 send some mail, i'll try my best\r\n214 see RFC 5321; this is reqmail, and its manual is qmail-smtpd(8)\r\n"
        b"502 unimplemented (#5.5.1)\r\n250 ok\r\n" + BYE)
replies("spaces before an argument", b"MAIL   FROM:<a@b>\r\nQUIT\r\n", GREETING + b"250 ok\r\n" + BYE)
replies("a line without an end", b"x" * 100000, GREETING, code=1)
replies("a line too long", b"x" * 100000 + b"\r\nQUIT\r\n", GREETING + b"500 line too long (#5.5.2)\r\n" + BYE)

for literal in (b"1.2.3", b"1.2.3.256", b"1,2.3.4", b"1.2.3.4.5"):
    replies("an address literal that is none: %s" % literal.decode(), b"MAIL FROM:<>\r\nRCPT TO:<x@[" + literal + b"]>\r\nQUIT\r\n",
            GREETING + b"250 ok\r\n553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)\r\n" + BYE)

# -- controls

for name, files, want in (
        ("no me, no greeting", {"me": None}, b"421 unable to read controls (#4.3.0)\r\n"),
        ("a bad timeout is none", {"timeoutsmtpd": "x\n"}, GREETING + BYE),
        ("a control file that is a directory", {"badmailfrom": "/"}, b"421 unable to read controls (#4.3.0)\r\n"),
        ("a greeting, no me", {"me": None, "smtpgreeting": "here.test\n"}, GREETING + BYE)):
    for file, content in files.items():
        tree.control(file, None)
        if content == "/":
            os.mkdir(tree.at("control", file))
        else:
            tree.control(file, content)
    replies(name, b"QUIT\r\n", want, code=0 if want.endswith(BYE) else 1)
    tree.reset()
if root:
    copy = shutil.copy(tree.bin("qmail-smtpd"), tree.scratch)
    os.chmod(tree.path, 0o700)
    replies("a home that cannot be entered", b"QUIT\r\n", b"421 unable to read controls (#4.3.0)\r\n", code=1, program=copy)
    os.chmod(tree.path, 0o755)
else:
    skip(1, "not root")

# -- limits

MAIL = b"MAIL FROM:<a@far.test>\r\n"
RCPT = b"RCPT TO:<x@here.test>\r\n"
tree.control("badhelo", "bad.test\n")
replies("badhelo", b"HELO bad.test\r\n" + MAIL + RCPT + b"QUIT\r\n",
        GREETING + b"250 here.test\r\n250 ok\r\n553 sorry, your HELO host name has been denied (#5.7.1)\r\n" + BYE)
replies("NOBADHELO", b"HELO bad.test\r\n" + MAIL + RCPT + b"QUIT\r\n", GREETING + b"250 here.test\r\n250 ok\r\n250 ok\r\n" + BYE, {"NOBADHELO": ""})
tree.control("maxrcpt", "1\n")
many = b"452 sorry, too many recipients (#4.5.3)\r\n"
said, code, _ = session(MAIL + RCPT * 2 + b"QUIT\r\n")
ok(said.startswith(GREETING + b"250 ok\r\n250 ok\r\n452 ") and code == 0, "maxrcpt", said)
replies("DISABLE_MAXRCPT", MAIL + RCPT * 3 + b"QUIT\r\n", GREETING + b"250 ok\r\n" * 4 + BYE, {"DISABLE_MAXRCPT": ""})
replies("a tarpit", MAIL + RCPT * 3 + b"QUIT\r\n", GREETING + b"250 ok\r\n" * 4 + BYE, {"DISABLE_MAXRCPT": "", "TARPITCOUNT": "2", "TARPITDELAY": "1"})
replies("a tarpit without an end, in a session with one", MAIL + RCPT * 2 + b"QUIT\r\n",
        GREETING + b"250 ok\r\n250 ok\r\n421 session too long (#4.4.2)\r\n",
        {"DISABLE_MAXRCPT": "", "TARPITCOUNT": "1", "TARPITDELAY": "99999999999999", "SESSIONMAX": "1"}, 1)
tree.reset()

# -- time

tree.control("timeoutsmtpd", "1\n")
replies("silence", b"", GREETING + b"451 timeout (#4.4.2)\r\n", code=1, close=False)
replies("silence in a message", MAIL + RCPT + b"DATA\r\ntext\r\n", GREETING + b"250 ok\r\n250 ok\r\n354 go ahead\r\n451 timeout (#4.4.2)\r\n",
        code=1, close=False)
tree.control("timeoutsmtpd", None)
replies("a session's time is over", b"NOOP\r\n", GREETING + b"250 ok\r\n421 session too long (#4.4.2)\r\n", {"SESSIONMAX": "1"}, 1, close=False)

# -- the greeting is late

replies("greet delay", b"QUIT\r\n", GREETING + BYE, {"SMTPD_GREETDELAY": "1"})
replies("greet delay: not for those who relay", b"QUIT\r\n", GREETING + BYE, {"SMTPD_GREETDELAY": "9999", "RELAYCLIENT": ""})
replies("an early talker", b"HELO x\r\nQUIT\r\n", b"554 SMTP protocol violation\r\n", {"SMTPD_GREETDELAY": "20", "DROP_PRE_GREET": "1"}, 1)
replies("gone before the greeting", b"", b"", {"SMTPD_GREETDELAY": "20", "DROP_PRE_GREET": "1"}, 1)
talk = Talk({"SMTPD_GREETDELAY": "1", "DROP_PRE_GREET": "1"})
talk.until(b"220 ")
talk.send(b"QUIT\r\n")
same(talk.end()[:2], (GREETING + BYE, 0), "one who waits")
replies("the session ends before the greeting", b"", b"421 session too long (#4.4.2)\r\n",
        {"SMTPD_GREETDELAY": "30", "DROP_PRE_GREET": "1", "SESSIONMAX": "1"}, 1, close=False)


to_full_disk = lambda: os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
replies("nobody reads", b"NOOP\r\nQUIT\r\n", b"", {"SMTPD_GREETDELAY": "1"}, 1, prepare=to_full_disk)
replies("nobody reads the greeting", b"NOOP\r\nQUIT\r\n", b"", None, 1, prepare=to_full_disk)

# -- AUTH, with programs of our own

b64 = lambda text: base64.b64encode(text.encode())
PLAIN = b"AUTH PLAIN " + b64("\0joe\0secret") + b"\r\n"
checker = lambda code: ("sh", "-c", "exit %d" % code)
AUTH = {"SMTPAUTH": "", "FORCETLS": "0"}
RIGHT, TROUBLE = b"235 ok, go ahead (#2.0.0)\r\n", b"454 oops, problem with child and I can't auth (#4.3.0)\r\n"
WRONG, BAD = b"535 authentication failed (#5.7.1)\r\n", b"501 malformed auth input (#5.5.4)\r\n"
OFFER = EHLO % b"250-AUTH LOGIN PLAIN\r\n"
USER, PASSWORD = b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n"
for name, data, want, code in (
        ("right", PLAIN, RIGHT, 0), ("twice", PLAIN * 2, RIGHT + b"503 you're already authenticated (#5.5.0)\r\n", 0),
        ("PLAIN, asked for", b"AUTH PLAIN\r\n" + b64("\0joe\0secret") + b"\r\n", b"334 \r\n" + RIGHT, 0),
        ("spaces before it", b"AUTH PLAIN   " + b64("\0joe\0secret") + b"\r\n", RIGHT, 0),
        ("LOGIN", b"AUTH LOGIN\r\n" + b64("joe") + b"\r\n" + b64("secret") + b"\r\n", USER + PASSWORD + RIGHT, 0),
        ("LOGIN with the name", b"auth login " + b64("joe") + b"\r\n" + b64("secret") + b"\r\n", PASSWORD + RIGHT, 0),
        ("LOGIN, no name", b"AUTH LOGIN =\r\n", BAD, 0),
        ("LOGIN, no password", b"AUTH LOGIN " + b64("joe") + b"\r\n\r\n", PASSWORD + BAD, 0),
        ("LOGIN, not base64", b"AUTH LOGIN !\r\n", BAD, 0),
        ("LOGIN, given up", b"AUTH LOGIN\r\n*\r\n", USER + b"501 auth exchange canceled (#5.0.0)\r\n", 0),
        ("an answer too long", b"AUTH LOGIN\r\n" + b"x" * 100000 + b"\r\n", USER + b"500 line too long (#5.5.2)\r\n", 0),
        ("PLAIN, no password", b"AUTH PLAIN " + b64("\0joe\0") + b"\r\n", BAD, 0),
        ("a secret too long", b"AUTH PLAIN " + b64("\0joe\0" + "x" * 600) + b"\r\n", WRONG, 0),
        ("another mechanism", b"AUTH CRAM-MD5\r\n", b"504 auth type unimplemented (#5.5.1)\r\n", 0),
        ("in a transaction", MAIL + PLAIN, b"250 ok\r\n503 no auth during mail transaction (#5.5.0)\r\n", 0)):
    replies("AUTH: " + name, b"EHLO x\r\n" + data + b"QUIT\r\n", GREETING + OFFER + want + BYE, AUTH, code, checker(0))
replies("AUTH: gone in the dialogue", b"AUTH LOGIN\r\n", GREETING + USER, AUTH, 1, checker(0))
replies("AUTH: the checker's trouble", PLAIN + b"QUIT\r\n", GREETING + TROUBLE + BYE, AUTH, 0, checker(111))
replies("AUTH: no such program", PLAIN + b"QUIT\r\n", GREETING + TROUBLE + BYE, AUTH, 0, ("/no/such/program",))
replies("AUTH: the checker is killed", PLAIN + b"QUIT\r\n", GREETING + TROUBLE + BYE, AUTH, 0, ("sh", "-c", "kill -9 $$"))
replies("AUTH: three times wrong", PLAIN * 4 + b"QUIT\r\n", GREETING + WRONG * 2 + b"421 too many authentication failures (#4.7.0)\r\n", AUTH, 1, checker(1))
replies("AUTH: wrong, and the time is over", PLAIN + b"QUIT\r\n", GREETING + b"421 session too long (#4.4.2)\r\n", dict(AUTH, SESSIONMAX="1"), 1, checker(1))
replies("AUTH: a host name as its first argument", b"EHLO x\r\nQUIT\r\n", GREETING + OFFER + BYE, {"FORCETLS": "0"}, 0, ("here.test",) + checker(0))
replies("AUTH: not without TLS", b"EHLO x\r\n" + PLAIN + b"QUIT\r\n", GREETING + EHLO % b"" + b"538 auth not available without TLS (#5.3.3)\r\n" + BYE,
        {"SMTPAUTH": ""}, 0, checker(0))
replies("AUTH: required", MAIL + PLAIN + MAIL + b"QUIT\r\n", GREETING + b"530 Authorization required (#5.7.1)\r\n" + RIGHT + b"250 ok\r\n" + BYE,
        dict(AUTH, SMTPAUTH="!"), 0, checker(0))

FORCED = dict(AUTH, FORCEAUTHMAILFROM="1")
replies("AUTH: the sender must be the user", PLAIN + MAIL + b"MAIL FROM:<JOE>\r\nQUIT\r\n",
        GREETING + RIGHT + b"503 from and auth not the same (#5.5.1)\r\n250 ok\r\n" + BYE, FORCED, 0, checker(0))

# -- TLS, with the server played here

control, theirs = socket.socketpair()
control.settimeout(20)
inward, outward = os.pipe(), os.pipe()
talk = Talk({"SSLCTLFD": str(theirs.fileno()), "SSLREADFD": str(inward[0]), "SSLWRITEFD": str(outward[1]), "UCSPITLS": "!"},
            pass_fds=(theirs.fileno(), inward[0], outward[1]))
theirs.close()
os.close(inward[0])
os.close(outward[1])
talk.send(b"EHLO x\r\n" + MAIL + b"STARTTLS\r\nQUIT\r\n")
same(control.recv(1), b"Y", "TLS is asked for")
control.sendall(b"SSL_PROTOCOL=TLSv1.3\0\0")
os.write(inward[1], b"STARTTLS\r\n" + MAIL + b"QUIT\r\n")
os.close(inward[1])
with os.fdopen(outward[0], "rb") as f:
    secret = f.read()
said, code, _ = talk.end()
same(said, GREETING + EHLO % b"250-STARTTLS\r\n" + b"530 must issue a STARTTLS command first (#5.7.0)\r\n220 ready for tls\r\n", "before TLS")
same((secret.replace(BYE, b"") != secret, code), (True, 0), "with TLS, what was sent before it is forgotten")
found(r"250 ok", secret, "with TLS: MAIL")

control, theirs = socket.socketpair()
control.settimeout(20)
ends = os.pipe()
talk = Talk({"SSLCTLFD": str(theirs.fileno()), "SSLREADFD": str(ends[0]), "SSLWRITEFD": str(ends[1])}, pass_fds=(theirs.fileno(), *ends))
theirs.close()
talk.send(b"STARTTLS\r\n")
control.recv(1)
control.close()
same(talk.end(False)[:2], (GREETING + b"220 ready for tls\r\n", 1), "the TLS server goes away")
for fd in ends:
    os.close(fd)
replies("STARTTLS that is not offered", b"STARTTLS\r\nQUIT\r\n", GREETING + b"502 unimplemented (#5.5.1)\r\n" + BYE)

# -- the log

LOG = {"SMTPD_LOG": ""}
_, _, log = session(b"HELO x y<>\r\n" + MAIL + b"RCPT TO:<u@far.test>\r\nQUIT\r\n", LOG)
found(r"^qmail-smtpd: pid \d+ ip 192\.0\.2\.7 \S+ mail <a@far\.test> rcpt <u@far\.test> helo x\?y\?\?: 553 ", log, "a refused recipient")
tree.control("badmailfrom", "a@far.test\n")
tree.control("databytes", "10\n")
_, _, log = session(b"MAIL FROM:<a@far.test> SIZE=11\r\n" + b"DATA\r\n" + b"AUTH PLAIN x\r\n" + b"MAIL FROM:<" + b"y" * 800 + b"@far.test> SIZE=99\r\nQUIT\r\n", LOG)
found(r"mail <a@far\.test> rcpt <> helo .*: 552 ", log, "a refused sender")
found(r": 503 MAIL first", log, "DATA out of order")
ok(all(len(line) < 2000 for line in log.splitlines()), "lines have an end", log)
_, _, log = session(MAIL.replace(b"a@", b"b@") + RCPT + b"DATA\r\n" + b"x" * 100 + b"\r\n.\r\nQUIT\r\n", dict(LOG, TCPREMOTEIP=""))
found(r"ip \S* \S+ mail <b@far\.test> rcpt <x@here\.test> helo : 552 ", log, "a message too large")
_, _, log = session(b"HELO " + b"h" * 900 + b"\r\nMAIL FROM:<" + b"y" * 400 + b"@" + b"z" * 400 + b">\r\nRCPT TO:<" + b"w" * 800 + b"@far.test>\r\nQUIT\r\n", LOG)
ok(log.endswith(b"\n") and len(log) < 2000, "a long line is cut", log)
tree.reset()

# -- qmail-queue cannot be started

replies("no process for qmail-queue", MAIL + RCPT + b"DATA\r\nQUIT\r\n",
        GREETING + b"250 ok\r\n250 ok\r\n451 qqt failure (#4.3.0)\r\n" + BYE,
        prepare=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8)))
done()
