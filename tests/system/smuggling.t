#!/usr/bin/python3
"""Smuggling: whatever looks like the end of a message to somebody else is none to
qmail-smtpd, and never leaves qmail-remote."""
from reqmail import *

# What stands around the dot, and what becomes of it in DATA.
LF, CR, TEXT = "a bare LF", "a bare CR", "text"
SEQUENCES = (
    (b"\n.\n", LF), (b"\n.\r\n", LF), (b"\r\n.\n", LF), (b"\n.\r", LF), (b"\r.\n", LF), (b"\r\r\n.\n", LF), (b"\r\n.\n\r\n", LF),
    (b"\r\n.\0\n", LF), (b"\r\n\0.\n", LF), (b"\r\n.\r\0\n", LF), (b"\r\0\n.\r\n", LF), (b"\n\r.\r\n", LF), (b"\r\n.\n.\r\n", LF),
    (b"\r.\r", CR), (b"\r.\r\n", CR), (b"\r\n.\r", CR), (b"\r\n.\r\r\n", CR), (b"\r\r\n.\r\r\n", CR), (b"\r\n\r.\r\n", CR), (b"\r\r.\r\r", CR),
    (b"\r\0.\r\n", CR), (b"\r\n.\r\0\r\n", CR), (b"\r\n.\r.\r\n", CR),
    (b"\r\n\0.\r\n", TEXT), (b"\r\n.\0\r\n", TEXT), (b"\r\n\0.\0\r\n", TEXT), (b"\r\n..\r\n", TEXT), (b"\r\n. \r\n", TEXT), (b"\r\n.\t\r\n", TEXT),
    (b"\r\n .\r\n", TEXT), (b"\r\n\x85.\x85\r\n", TEXT), (b"\r\n\xe2\x80\xa8.\r\n", TEXT), (b"\r\n\x0b.\x0b\r\n", TEXT), (b"\r\n\x8d\x8a.\r\n", TEXT))
SECOND = b"MAIL FROM:<smuggler@far.test>\r\nRCPT TO:<victim@here.test>\r\nDATA\r\nSubject: second\r\n\r\nsecond"
REPLY_LF = "451 See https://cr.yp.to/docs/smtplf.html.\r\n"
REPLY_CR = "554 bare CR in message, see RFC 5321 section 2.3.8 (#5.6.0)\r\n"

tree = Tree()


def session(pieces, env):
    """One session, given in pieces with a little time between; its exit code and replies."""
    environment = {"TCPREMOTEIP": "127.0.0.1", "TCPREMOTEHOST": "client.test", "TCPLOCALHOST": ME}
    environment.update(env)
    p = subprocess.Popen([tree.bin("qmail-smtpd")], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/",
                         bufsize=0, **tree.user_of(1))
    try:
        for piece in pieces:
            p.stdin.write(piece)
            if len(pieces) > 1:
                time.sleep(0.002)
        p.stdin.close()
    except BrokenPipeError:  # it has closed the session
        pass
    with p:
        replies = p.stdout.read().decode("latin1")
    return p.returncode, replies


def queued():
    """The messages in the queue, which is empty afterwards."""
    def settled():  # a qmail-queue that was left alone takes its files away by itself
        names = tree.queue_files()
        kinds = [name.split("/")[0] for name in names]
        whole = kinds.count("mess") == kinds.count("intd") == kinds.count("todo")
        return None if "pid" in kinds or not whole else names or [""]

    names = [name for name in wait_for(settled, every=0.002) if name]
    messages = [read(tree.at("queue", n)) for n in names if n.startswith("mess/")]
    for name in names:
        os.unlink(tree.at("queue", name))
    return messages


def stored(text):
    """What qmail-queue is given of a text without bare LF."""
    lines = [line[1:] if line.startswith(b".") and not line.startswith(b".\r") else line for line in text.split(b"\r\n")]
    return b"\n".join(lines)


# -- in

BEGIN = b"EHLO client.test\r\nMAIL FROM:<a@far.test>\r\nRCPT TO:<b@here.test>\r\nDATA\r\n"
FIRST = b"Subject: first\r\n\r\nfirst"
for sequence, kind in SEQUENCES:
    for where, first in (("", FIRST), (" at the start", b"")):
        whole = (BEGIN + first + sequence + SECOND + b"\r\n.\r\nQUIT\r\n",)
        slowly = [BEGIN + first] + [sequence[i:i + 1] for i in range(len(sequence))] + [SECOND + b"\r\n.\r\nQUIT\r\n"]
        for env in ({}, {"ALLOW_BARECR": "1"}):
            taken = kind == TEXT or kind == CR and env
            # As the very first bytes, CR LF has no line before it; a dot and CR LF there is not smuggled, but the end.
            for how, pieces in (("", whole), (", byte by byte", slowly)):
                code, replies = session(pieces, env)
                messages = queued()
                if kind == LF:
                    want = (1, REPLY_LF, 0)
                    got = (code, replies.split("354 go ahead\r\n")[-1], len(messages))
                else:
                    want = (0, "250 ok" if taken else REPLY_CR, "221 " + ME + "\r\n", 1 if taken else 0)
                    after = replies.split("354 go ahead\r\n")[-1].splitlines(True)
                    got = (code, "250 ok" if after[0].startswith("250 ok ") else after[0], after[-1], len(messages))
                    if taken and messages and not messages[0].endswith(stored(first + sequence + SECOND) + b"\n"):
                        got = messages[0]
                same(got, want, "in: %r%s is %s%s%s" % (sequence, where, kind, ", ALLOW_BARECR" if env else "", how))

# A dot that is right in its place ends the message; what follows is a command.
replies = session((BEGIN + FIRST + b"\r\n.\r\n" + SECOND + b"\r\n.\r\nQUIT\r\n",), {})[1]
same((replies.count("354 "), len(queued())), (2, 2), "in: two messages that are two")

# -- out


class Wire:
    """An SMTP server that keeps the bytes: sessions is a list of all that came after DATA."""

    def __init__(self):
        self.sessions = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            connection.settimeout(30)
            connection.sendall(b"220 wire.test\r\n")
            data = b""
            while not data.upper().startswith(b"DATA"):
                data = connection.recv(65536)
                if not data:
                    return
                connection.sendall(b"354 go\r\n" if data.upper().startswith(b"DATA") else b"250 ok\r\n")
            data = b"\r\n" + data.partition(b"\n")[2]
            ended = False
            while True:
                more = connection.recv(65536)
                data += more
                if not ended and b"\r\n.\r\n" in data:
                    ended = True
                    connection.sendall(b"250 taken\r\n")
                if not more:
                    break
            self.sessions.append(data[2:])


wire = Wire()
tree.control("smtproutes", ":127.0.0.1:%d\n" % wire.port)
messages = {}
for number, (sequence, _) in enumerate(SEQUENCES):
    second = SECOND + sequence + b"QUIT\r\n"
    messages[b"Subject: out %d a\n" % number] = b"\nfirst" + sequence + second + b"\n"
    messages[b"Subject: out %d b\n" % number] = b"\n" + sequence + second.replace(b"\r\n", b"\n") + sequence  # at both ends
with tree.running("./Maildir/"):
    for subject, text in messages.items():
        tree.queue(subject + text, "a@far.test", ["b@far.test"])
    ok(tree.wait_done(len(messages), 30), "all are sent")
same(len(wire.sessions), len(messages), "each in one session")
for subject, text in messages.items():
    name = "out: %s: " % subject.decode().strip().replace("Subject: out ", "")
    name += repr(SEQUENCES[int(subject.split()[2])][0])
    sent = [s for s in wire.sessions if subject.replace(b"\n", b"\r\n") in s]
    if not same(len(sent), 1, name + " arrives once"):
        continue
    body, end, rest = (b"\r\n" + sent[0]).partition(b"\r\n.\r\n")
    same((end, rest), (b"\r\n.\r\n", b"QUIT\r\n"), name + " has one end")
    same(re.findall(rb"\r(?!\n)|(?<!\r)\n", body), [], name + " goes without bare CR or LF")
    lines = re.split(rb"\r\n|\r|\n", subject + text)
    if lines[-1] == b"":
        del lines[-1]
    want = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)
    same(body[body.index(subject.strip()):], want, name + " is complete")
done()
