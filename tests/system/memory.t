#!/usr/bin/python3
"""Mail that needs more memory than there is: each program says so in the words of its protocol, and it is a
temporary failure. A program gets the address space with which it does a small thing; then it is given a large one."""
from reqmail import *

if not shutil.which("prlimit"):
    skip_all("needs prlimit")
if sanitized:
    skip_all("sanitizers have needs of their own")
tree = Tree()
tree.control("me", ME + "\n")
tree.control("rcpthosts", ME + "\n")
ENV = {"PATH": "/usr/bin:/bin", "PROTO": "TCP", "TCPREMOTEIP": "127.0.0.1", "TCPREMOTEHOST": "client.test"}
LARGEST = 1 << 30


def limited(space, command, data):
    with tempfile.TemporaryFile() as on_0:
        on_0.write(data)
        on_0.seek(0)
        ended = subprocess.run(["prlimit", "--as=%d" % space, *command], stdin=on_0, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/",
                               timeout=120, env=ENV)
    return ended.returncode, ended.stdout


def short_of_memory(name, small, large, fine, want):
    """large is a function of the address space: what will not go into it. fine(code, output): of the small thing."""
    space = 2 << 20
    while space < LARGEST and not fine(*limited(space, *small)):
        space += space // 8
    if ok(space < LARGEST, name + ": a small thing is done", "not with %d bytes" % space):
        code, out = limited(space, *large(space))
        found(want, b"%d " % code + out, name + ": a large one is put off")


SMTP = [tree.bin("qmail-smtpd")]
BEGIN = b"EHLO x\r\nMAIL FROM:<a@far.test>\r\n"


def recipients(count):
    return b"".join(b"RCPT TO:<%s%d@here.test>\r\n" % (b"x" * 600, i) for i in range(count))


def smtp(count):
    return SMTP, BEGIN + recipients(count) + b"QUIT\r\n"


short_of_memory("qmail-smtpd", smtp(1), lambda space: smtp(space // 600), lambda code, out: code == 0 and b"\n221 " in out,
                rb"^1 (?s:.*)\n421 out of memory \(#4\.3\.0\)\r\n\Z")

home = tree.user("alice")


def local(count):
    tree.dot_qmail("alice", "".join("#%s\n" % ("x" * 999) for _ in range(count)) + "./Maildir/\n", "-x")
    return [tree.bin("qmail-local"), "-n", "--", "alice", home, "alice-x", "-", "x", ME, "a@far.test", "./Maildir/"], b"Subject: x\n\nx\n"


short_of_memory("qmail-local", local(1), lambda space: local(space // 1000), lambda code, out: code == 0, rb"^111 (?s:.*)Out of memory\. \(#4\.3\.0\)\n\Z")

sink = Sink({"RCPT": "550 " + "no " * 150})
tree.control("smtproutes", ":127.0.0.1:%d\n" % sink.port)


def remote(count):
    return [tree.bin("qmail-remote"), "far.test", "a@here.test"] + ["b%d@far.test" % i for i in range(count)], b"Subject: x\n\nx\n"


short_of_memory("qmail-remote", remote(1), lambda space: remote(min(space // 300, 6000)), lambda code, out: code == 0 and out.startswith(b"h"),
                rb"^0 (?s:.*)\0ZOut of memory\. \(#4\.3\.0\)\n\0\Z")
sink.close()


def spawned(size):
    """A delivery whose sender is so long; the answer for its slot, 0, follows the limit of deliveries."""
    return [tree.bin("qmail-rspawn")], b"\0" + b"1/1\0" + b"s" * size + b"@x\0" + b"b@far.test\0"


if root:
    short_of_memory("qmail-rspawn", spawned(1), spawned, lambda code, out: code == 0 and len(out) > 3, rb"^0 (?s:.*)Zqmail-spawn out of memory\. \(#4\.3\.0\)\n\0\Z")
else:
    skip(2, "not root")
done()
