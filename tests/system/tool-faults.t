#!/usr/bin/python3
"""Programs that look at the queue and that hand mail in, with each of their system calls
failing in turn: they end in time and by themselves, and say so unless nothing is missing."""
from reqmail import *

if not shutil.which("strace"):
    skip_all("needs strace")
if sanitized:
    skip_all("a sanitizer's own system calls would fail too")
tree = Tree()
if subprocess.run(["strace", "-o", "/dev/null", "true"], stderr=subprocess.DEVNULL).returncode:
    skip_all("strace may not trace here")
ERRORS = {"openat": "EMFILE", "open": "EMFILE", "write": "ENOSPC", "pipe2": "EMFILE", "vfork": "EAGAIN", "clone": "EAGAIN", "clone3": "EAGAIN",
          "fork": "EAGAIN", "dup2": "EBADF", "fcntl": "EBADF", "chdir": "EACCES", "socket": "EMFILE", "connect": "ECONNREFUSED",
          "flock": "ENOLCK", "poll": "ENOMEM", "wait4": "ECHILD", "getdents64": "EIO", "setresuid": "EPERM", "setresgid": "EPERM",
          "setgroups": "EPERM"}
OTHERS = ("read", "pread64", "newfstatat", "fstat", "stat", "lstat", "lseek", "fsync", "fdatasync", "ftruncate", "rename", "renameat", "renameat2", "link", "linkat",
          "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "fchmod", "fchmodat", "chmod", "fchown", "fchownat", "chown", "mknod", "mknodat", "utimensat",
          "accept", "bind", "listen", "sendto", "recvfrom", "getsockname", "getpeername", "execve", "statx")
CALLS = set(ERRORS) | set(OTHERS)
MOST = int(os.environ.get("MOST", 3))  # calls of one name in one program


def run(command, data, strace=(), env=None):
    command = command() if callable(command) else command
    with tempfile.TemporaryFile() as on_0:
        on_0.write(data)
        on_0.seek(0)
        process = subprocess.run([*strace, *command], stdin=on_0, capture_output=True, cwd="/", timeout=120,
                                 env=dict({"PATH": "/usr/bin:/bin", "USER": "u"}, **env or {}))
    return process.returncode, process.stdout, process.stderr


def sweep(name, command, data=b"", prepare=lambda: None, usual=(0,), env=None, but=()):
    """Every call of the command fails, one run for each."""
    trace = os.path.join(tree.scratch, "trace")
    prepare()
    code, out, _ = run(command, data, ("strace", "-f", "-o", trace), env)
    if not ok(code in usual, name + ": undisturbed", "exit %d: %r" % (code, out)):
        return
    counts = {}
    for line in read(trace).decode("latin1").splitlines():
        match = re.match(r"\d+\s+(\w+)\(", line)
        if match and match.group(1) in CALLS and match.group(1) not in but:
            counts[match.group(1)] = counts.get(match.group(1), 0) + 1
    bad = []
    for call in sorted(counts):
        for n in range(1, min(counts[call], MOST) + 1):
            if call == "execve" and n == 1:
                continue  # the program itself
            prepare()
            inject = "inject=%s:error=%s:when=%d" % (call, ERRORS.get(call, "EIO"), n)
            try:
                got, said, complaint = run(command, data, ("strace", "-f", "-o", "/dev/null", "-e", inject), env)
            except subprocess.TimeoutExpired:
                bad.append("%s %d: does not end" % (call, n))
                continue
            if got < 0 or got >= 128:
                bad.append("%s %d: signal, %d" % (call, n, got))
    ok(not bad, "%s: each of %d calls fails" % (name, sum(counts.values())), "\n".join(bad))


def filled():
    for name in tree.queue_files():
        os.unlink(tree.at("queue", name))
    tree.queue(b"Subject: one\n\nx\n", "a@here.test", ["b@here.test", "c@far.test"])


def preprocessed():
    """A message as qmail-send has it, without one: one local and one remote recipient."""
    filled()
    number = [n for n in tree.queue_files() if n.startswith("todo/")][0].split("/")[1]
    split = [n for n in tree.queue_files() if n.startswith("mess/")][0].split("/")[1]
    ids = os.stat(tree.at("queue/info"))
    for where, content in (("info", b"Fa@here.test\0"), ("local", b"Tb@here.test\0"), ("remote", b"Tc@far.test\0Dd@far.test\0")):
        write(tree.at("queue", where, split, number), content, 0o600, (ids.st_uid, ids.st_gid))
    os.unlink(tree.at("queue/todo", number))
    os.unlink(tree.at("queue/intd", number))
    return number


class Netstrings:
    """A QMQP server."""

    def __init__(self, reply):
        self.reply = reply
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            with connection:
                try:
                    connection.settimeout(5)
                    connection.recv(65536)
                    connection.sendall(self.reply)
                except OSError:
                    pass


tree.control("me", ME + "\n")
SHOW = [["qmail-qread"], ["qmail-qstat"], ["qmail-qctl", "list"], ["qmail-tcpto"], ["qmail-tcpok"]]
preprocessed()
for command in SHOW:
    if os.path.exists(tree.bin(command[0])):
        sweep(" ".join(command), [tree.bin(command[0])] + command[1:], usual=range(112))
for words in (["show"], ["hold"], ["delete"]):
    number = []

    def one():
        number[:] = [preprocessed()]
    one()
    # the number changes with each message: the sender names it
    sweep("qmail-qctl " + words[0], [tree.bin("qmail-qctl"), *words, "-s", "a@here.test"], prepare=one, usual=range(112))
    sweep("qmail-qctl %s, by its number" % words[0], lambda: [tree.bin("qmail-qctl"), *words, number[0]], prepare=one, usual=range(112))


def damaged():
    """A queue with every kind of thing that qmail-qfix mends."""
    number = preprocessed()
    split = [n for n in tree.queue_files() if n.startswith("mess/")][0].split("/")[1]
    other = str((int(split) + 1) % 23)
    write(tree.at("queue/mess", other, "1"), b"lost\n", 0o644)
    write(tree.at("queue/info", split, "1"), b"Fx\0", 0o644)
    write(tree.at("queue/bounce/3"), b"x", 0o644)
    write(tree.at("queue/todo/5"), b"u1\0", 0o666)
    write(tree.at("queue/mess", split, "no number"), b"x", 0o600)
    os.chmod(tree.at("queue/local", split, number), 0o644)
    os.chmod(tree.at("queue/info"), 0o755)
    if os.path.exists(tree.at("queue/lock/trigger")):
        os.unlink(tree.at("queue/lock/trigger"))


if root:
    for options in ([], ["-r"]):
        sweep("qmail-qfix %s" % " ".join(options), [tree.bin("qmail-qfix"), *options], prepare=damaged, usual=range(112))
else:
    skip(2, "not root")
subprocess.run([tree.bin("qmail-qfix"), "-r"], capture_output=True, timeout=60)
for name in tree.queue_files():
    os.unlink(tree.at("queue", name))
MESSAGE = b"To: b@far.test\nSubject: x\n\nx\n"
for command, data in ((["qmail-inject"], MESSAGE), (["qmail-inject", "-n"], MESSAGE), (["mailsubj", "s", "b@far.test"], b"x\n"),
                      (["sendmail", "-t"], MESSAGE), (["predate", tree.bin("qmail-inject")], MESSAGE), (["datemail", "-t"], MESSAGE)):
    sweep(" ".join(command[:1] + command[1:2]), [tree.bin(command[0])] + command[1:], data)
SMTP = b"HELO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<b@here.test>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n"
sweep("qmail-smtpd", [tree.bin("qmail-smtpd")], SMTP)
netstring = lambda b: b"%d:%s," % (len(b), b)
sweep("qmail-qmtpd", [tree.bin("qmail-qmtpd")], netstring(b"\nx\n") + netstring(b"a@b") + netstring(netstring(b"b@here.test")), usual=range(112))
sweep("qmail-qmqpd", [tree.bin("qmail-qmqpd")], netstring(netstring(b"x\n") + netstring(b"a@b") + netstring(b"b@here.test")), usual=range(112))
sweep("qmail-rcptcheck", [tree.bin("qmail-rcptcheck")], usual=range(112), env={"RECIPIENT": "b@here.test", "SENDER": "a@b"})
qmqp = Netstrings(b"15:Dgo away (#5.7),")
tree.control("qmqpservers", "127.0.0.1:%d\n" % qmqp.port)
relayed = ["sh", "-c", 'exec "$0" 1< "$1" 6> /dev/null', tree.bin("qmail-qmqpc"), write(os.path.join(tree.scratch, "relayed"), b"Fa@b\0Tb@here.test\0\0")]
sweep("qmail-qmqpc", relayed, b"x\n", usual=(0, 31, 71, 82, 88), but=("fcntl",))
tree.control("qmqpservers", "127.0.0.1:%d\n" % Netstrings(b"no netstring" * 10000).port)
same(run(relayed, b"x\n")[0], 74, "qmail-qmqpc: a server that makes no sense")
tree.control("qmqpservers", None)
# a libc that cannot look at the first descriptors of a set-id program, or open what it puts into
# their place, kills it
for name in ("qmail-queue", "qmail-clean"):
    sweep(name + ", without the descriptors that it should have", ["sh", "-c", 'exec "$0" 2>&-', tree.bin(name)], usual=range(112), but=("fcntl", "poll", "open"))
sweep("qmail-queue", ["sh", "-c", 'exec "$0" 1< "$1"', tree.bin("qmail-queue"), write(os.path.join(tree.scratch, "envelope"), b"Fa@b\0Tb@here.test\0\0")], b"x\n",
      usual=range(112), but=("fcntl", "poll"))
got, _, complaint = run([tree.bin("qmail-rcptcheck")], b"", env={"SENDER": "a@b"})
ok(got == 111 and b"RECIPIENT is not set" in complaint, "qmail-rcptcheck without a recipient", "%d %r" % (got, complaint))

# -- deliveries

home = tree.user("alice")
local = lambda: [tree.bin("qmail-local"), "--", "alice", home, "alice-x", "-", "x", ME, "a@far.test", "./Maildir/"]
reader = os.path.join(tree.scratch, "mbox")


def dot_qmail(lines, owner=False):
    def prepare():
        for name in (".qmail-x", ".qmail-x-owner", ".qmail-x-owner-default"):
            if os.path.exists(os.path.join(home, name)):
                os.unlink(os.path.join(home, name))
        if lines is not None:
            tree.dot_qmail("alice", lines, "-x")
            if owner:
                tree.dot_qmail("alice", "./Maildir/\n", "-x-owner")
                tree.dot_qmail("alice", "./Maildir/\n", "-x-owner-default")
    return prepare


for name, lines, owner in (("maildir", home + "/Maildir/\n", False), ("mbox", reader + "\n", False), ("program", "|cat\n", False),
                           ("forward, with an owner", "&b@far.test\n&c@far.test\n", True), ("all", "# x\n|true\n./Maildir/\n%s\n&b@far.test\n" % reader, False)):
    sweep("qmail-local, " + name, local, MESSAGE, dot_qmail(lines, owner), range(112))
dot_qmail("./Maildir/\n")()
for name, words, code, said in (
        ("an option it does not know", ["-z"], 100, b"qmail-local: usage: "), ("few arguments", ["alice"], 100, b"qmail-local: usage: "),
        ("its own mail again", local()[1:], 100, b"This message is looping: it already has my Delivered-To line. (#5.4.6)")):
    got, out, complaint = run([tree.bin("qmail-local"), *words], b"Delivered-To: alice-x@here.test\n\nx\n")
    ok(got == code and said in out + complaint, "qmail-local: " + name, "%d %r %r" % (got, out, complaint))
dot_qmail("&b@far.test\n", True)()
words = local()[1:]
words[-2] = "#@[]"
got, out, _ = run([tree.bin("qmail-local"), "-n", *words[1:]], MESSAGE)
ok(got == 0 and b"b@far.test" in out, "qmail-local -n, a sender that is no list's", out)
got, out, _ = run([tree.bin("qmail-local"), *words], MESSAGE, ("strace", "-f", "-o", "/dev/null", "-e", "inject=lseek:error=ESPIPE"))
ok(got == 111, "qmail-local: a message that cannot be rewound", "%d %r" % (got, out))

sink = Sink()
tree.control("smtproutes", "far.test:127.0.0.1:%d\n" % sink.port)
tcpto = tree.at("queue/lock/tcpto")
listed = lambda: open(tcpto, "r+b").write(bytes((127, 0, 0, 1, 1, 0, 0, 0)) + int(time.time() - 9999).to_bytes(4, "little") + b"\0" * 4)
sweep("qmail-remote", [tree.bin("qmail-remote"), "far.test", "a@here.test", "b@far.test"], MESSAGE, listed)
sink.close()
tree.control("smtproutes", None)
sweep("qmail-remote, to ourselves", [tree.bin("qmail-remote"), "[127.0.0.1]", "a@here.test", "b@[127.0.0.1]"], MESSAGE)
subprocess.run([tree.bin("qmail-tcpok")], timeout=20)
for name, program in (("qmail-lspawn", []),):
    same(subprocess.run([tree.bin(name), *program], stdin=subprocess.DEVNULL, capture_output=True, timeout=20).returncode, 100, name + " without its argument")
if root:
    for name, program in (("qmail-lspawn", ["./Maildir/"]), ("qmail-rspawn", [])):
        sweep(name, [tree.bin(name), *program], b"\0" + b"1/1\0a@b\0c@d\0", usual=range(112))
        sweep(name + ", without the descriptors that it should have", ["sh", "-c", 'exec "$0" "$@" 2>&-', tree.bin(name), *program], usual=range(112))
with tempfile.TemporaryFile() as f:
    f.write(bytes((250,)) + b"1\0a@b\0c@d\0" + bytes((0,)) + b"mess/1/no number\0a@b\0c@d\0")
    f.seek(0)
    spawned = subprocess.run([tree.bin("qmail-lspawn"), "./Maildir/"], stdin=f, capture_output=True, timeout=20, cwd=tree.at("queue/mess"))
found(b"ZInternal error: delnum too big", spawned.stdout, "qmail-lspawn: a delivery number over its limit")
done()
