#!/usr/bin/env python3
"""Big messages pass through every program of the path without making it grow: 100 MB
of ordinary lines, and a line of 50 MB, by SMTP and by qmail-queue, to a maildir, an
mbox and another host."""
import hashlib, socket, threading, time

from reqmail import *

GROWTH_KB = 600  # over what the same program needs for a small message
LINE = b"".join(b"%04d" % (i % 10000) for i in range(17)) + b"\n"  # 69 bytes
STEP = 1 << 20


class Peaks(threading.Thread):
    """The largest resident size in kB that each of our programs has had so far."""

    def __init__(self):
        super().__init__(daemon=True)
        self.kb, self.live = {}, True
        self.start()

    def run(self):
        while self.live:
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open("/proc/%s/status" % pid) as f:
                        status = f.read()
                except OSError:
                    continue
                name = re.search(r"^Name:\s+(qmail-\S+)", status)
                size = re.search(r"^VmHWM:\s+(\d+)", status, re.M)
                if name and size:
                    self.kb[name[1]] = max(self.kb.get(name[1], 0), int(size[1]))
            time.sleep(0.004)

    def stop(self):
        self.live = False
        self.join()
        return self.kb


class HashingSink:
    """An SMTP server that keeps size and hash of what it is sent, not the bytes."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.taken = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            with connection:
                try:
                    self.serve(connection)
                except OSError:
                    pass

    def serve(self, c):
        c.sendall(b"220 sink\r\n")
        pending = b""
        while True:
            got = c.recv(65536)
            if not got:
                return
            pending += got
            while b"\r\n" in pending:
                line, pending = pending.split(b"\r\n", 1)
                if line.upper() == b"DATA":
                    c.sendall(b"354 go\r\n")
                    pending = self.message(c, pending)
                    c.sendall(b"250 taken\r\n")
                else:
                    c.sendall(b"250 ok\r\n")

    def message(self, c, tail):
        total, digest = 0, hashlib.sha256()
        while not tail.endswith(b"\r\n.\r\n"):
            cut = max(0, len(tail) - 5)
            digest.update(tail[:cut])
            total += cut
            tail = tail[cut:] + c.recv(STEP)
        digest.update(tail[:-3])
        self.taken.append((total + len(tail) - 3, digest.hexdigest()))
        return b""


def blocks(size, line):
    """About size bytes of message text in pieces, ending with a whole line."""
    if line:
        for _ in range(size // (len(line) * 10000)):
            yield line * 10000
    else:
        for _ in range(size // STEP):
            yield b"y" * STEP
        yield b"\n"


def tail_hash(path, header_lines):
    """Hash of the file without its first lines; an mbox's last empty line counts."""
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        for _ in range(header_lines):
            f.readline()
        for part in iter(lambda: f.read(STEP), b""):
            digest.update(part)
    return digest.hexdigest()


def smtp(tree, recipients, parts):
    """Sends through qmail-smtpd in pieces; its replies."""
    environment = {"PROTO": "TCP", "TCPREMOTEIP": "127.0.0.1", "TCPLOCALIP": "127.0.0.1", "RELAYCLIENT": ""}
    p = subprocess.Popen([tree.bin("qmail-smtpd")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/",
                         env=environment, preexec_fn=tree.as_user(1))
    p.stdin.write(b"EHLO big.test\r\nMAIL FROM:<>\r\n")
    for r in recipients:
        p.stdin.write(b"RCPT TO:<%s>\r\n" % r.encode())
    p.stdin.write(b"DATA\r\n")
    for part in parts:
        p.stdin.write(part.replace(b"\n", b"\r\n"))
    p.stdin.write(b".\r\nQUIT\r\n")
    p.stdin.close()
    replies = p.stdout.read().decode()
    p.wait(60)
    return replies


def queue(tree, recipients, parts):
    """Sends through qmail-queue in pieces; its exit code."""
    read_end, write_end = os.pipe()
    os.write(write_end, b"F\0" + b"".join(b"T%s\0" % r.encode() for r in recipients) + b"\0")
    os.close(write_end)
    p = subprocess.Popen([tree.bin("qmail-queue")], stdin=subprocess.PIPE, stdout=read_end, cwd="/", env={},
                         preexec_fn=tree.as_user(1))
    os.close(read_end)
    for part in parts:
        p.stdin.write(part)
    p.stdin.close()
    return p.wait(60)


tree = Tree()
sink = HashingSink()
tree.control("smtproutes", "sink.test:127.0.0.1:%d\n" % sink.port)
in_maildir, in_mbox = tree.user("inmaildir"), tree.user("inmbox")
tree.dot_qmail("inmbox", "./Mailbox\n")
local = ["inmaildir@" + ME, "inmbox@" + ME]
everybody = local + ["u@sink.test"]
sanitized = os.path.isdir(tree.at("sanitizer"))
PROGRAMS = ["qmail-smtpd", "qmail-queue", "qmail-send", "qmail-lspawn", "qmail-local", "qmail-rspawn", "qmail-remote"]
RUNS = [("100 MB of lines", 100 << 20, LINE), ("a line of 50 MB", 50 << 20, None)]

with tree.running("./Maildir/", env={"PATH": tree.at("bin") + ":/usr/bin:/bin"}):
    peaks = Peaks()
    ended = 0
    # some live for a moment only, and must be seen at the end of it
    while ended < 60 or (ended < 300 and not all(p in peaks.kb for p in PROGRAMS)):
        replies = smtp(tree, everybody, [b"small\n"])
        ended += 1
        tree.wait_done(ended)
    found(r"^250 ok \d+ qp", replies, "a small message")
    small = peaks.stop()
    same(sorted(p for p in PROGRAMS if p in small), sorted(PROGRAMS), "each program was watched")
    for name, size, line in RUNS:
        for what in os.listdir(os.path.join(in_maildir, "Maildir/new")):
            os.unlink(os.path.join(in_maildir, "Maildir/new", what))
        if os.path.exists(os.path.join(in_mbox, "Mailbox")):
            os.unlink(os.path.join(in_mbox, "Mailbox"))
        sink.taken.clear()
        text = hashlib.sha256()
        for part in blocks(size, line):
            text.update(part)
        peaks = Peaks()
        found(r"^250 ok \d+ qp", smtp(tree, everybody, blocks(size, line)), name + ": accepted by SMTP")
        ended += 1
        ok(tree.wait_log(r"^end msg ", 120, ended), name + ": delivered", tree.log())
        large = peaks.stop()
        new = os.path.join(in_maildir, "Maildir/new")
        got = [tail_hash(os.path.join(new, n), 5) for n in os.listdir(new)]
        same(got, [text.hexdigest()], name + ": whole in the maildir")
        text.update(b"\n")
        same(tail_hash(os.path.join(in_mbox, "Mailbox"), 6), text.hexdigest(), name + ": whole in the mbox")
        same(len(sink.taken), 1, name + ": taken by the other host")
        ok(sink.taken and sink.taken[0][0] > size, name + ": whole there", sink.taken)
        for program in sorted(small):
            grown = large.get(program, 0) - small[program]
            if sanitized:
                skip(1, "sizes mean nothing under sanitizers")
            else:
                ok(grown < GROWTH_KB, "%s: %s grew by less than %d kB" % (name, program, GROWTH_KB),
                   "%d kB, from %d kB" % (grown, small[program]))
    peaks = Peaks()
    same(queue(tree, local, [b"y" * STEP] * 50), 0, "50 MB without any newline by qmail-queue")
    ended += 1
    ok(tree.wait_log(r"^end msg ", 120, ended), "delivered", tree.log())
    large = peaks.stop()
    for program in sorted(small):
        if program in large and not sanitized:
            ok(large[program] - small[program] < GROWTH_KB, "no newline: %s did not grow" % program,
               "%d kB, from %d kB" % (large[program], small[program]))
done()
