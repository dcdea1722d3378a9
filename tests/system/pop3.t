#!/usr/bin/python3
"""Mail delivered, and read by POP3: tcpserver, qmail-popup, checkpassword, qmail-pop3d."""
import poplib
from reqmail import *

if not (root and private):
    skip_all("accounts with passwords need root and an /etc of their own")
tree = Tree()
if not os.path.exists(tree.bin("checkpassword")):
    skip_all("there is no crypt(3), so checkpassword is not built")
accounts = Accounts(tree)
alice = accounts.add("alice", hashed("sesame"))
port = free_port()


def connect():
    return poplib.POP3("127.0.0.1", port, timeout=20)


def login(name="alice", password="sesame"):
    c = connect()
    c.user(name)
    c.pass_(password)
    return c


def refusal(name, password):
    try:
        login(name, password)
        return None
    except poplib.error_proto as e:
        return e.args[0]


def names(part):
    return os.listdir(os.path.join(alice, "Maildir", part))


def age(seconds):
    """Lets the messages look so old: those of the present second are not shown."""
    for part in ("new", "cur"):
        for n in names(part):
            os.utime(os.path.join(alice, "Maildir", part, n), (time.time() - seconds,) * 2)


def deliver(count):
    start = len(names("new"))
    for i in range(count):
        tree.queue(b"Subject: number %d\n\n.dot\nbody\n" % (start + i), "bob@far.test", ["alice@" + ME])
        wait_for(lambda: len(names("new")) == start + i + 1)
        age(100 - start - i)


with tree.running("./Maildir/"):
    deliver(3)
same(len(names("new")), 3, "three messages are delivered to a maildir")
for i, n in enumerate(sorted(names("new"), key=lambda n: b"number 0" not in read(alice + "/Maildir/new/" + n))):
    os.utime(os.path.join(alice, "Maildir/new", n), (1000000 + i,) * 2)

with Services(tree, {"pop3": {"LISTEN": "127.0.0.1", "PORT": port}}) as services:
    ok(services.wait_log("pop3", "tcpserver: status: 0/40"), "the service listens")

    # -- who gets in

    same(refusal("alice", "Sesame"), b"-ERR authorization failed", "a wrong password")
    same(refusal("nobody-here", "sesame"), b"-ERR authorization failed", "a name that is not there")
    same(refusal("root", "x"), b"-ERR authorization failed", "root")
    found(rb"^\+OK <\d+\.\d+@%s>$" % ME.encode(), connect().getwelcome(), "greeting")
    try:
        connect().apop("alice", "sesame")
        ok(False, "APOP is refused")
    except poplib.error_proto as e:
        same(e.args[0], b"-ERR authorization failed", "APOP is refused")
    caps = connect().capa()
    ok({"USER", "TOP", "UIDL", "PIPELINING"} <= set(caps) and "STLS" not in caps, "CAPA", caps)

    # -- reading

    c = login()
    same(c.stat()[0], 3, "STAT")
    ok(c.retr(1)[1][0].startswith(b"Return-Path: <bob@far.test>"), "RETR")
    ok(b"Subject: number 0" in c.retr(1)[1] and b".dot" in c.retr(1)[1], "its text")
    same(c.top(2, 1)[1][-2:], [b".dot", b""], "TOP")
    uids = c.uidl()[1]
    same([u.split()[1].decode() for u in uids], sorted(names("new"), key=lambda n: os.stat(alice + "/Maildir/new/" + n).st_mtime), "UIDL")
    c.dele(2)
    c.sock.close()
    c.file.close()
    ok(wait_for(lambda: services.wait_log("pop3", r"tcpserver: status: 0/40$")), "the session ends with the connection")
    same((len(names("new")), len(names("cur"))), (3, 0), "without QUIT nothing changes")

    a, b = login(), login()
    a.dele(1)
    same(b.stat()[0], 3, "two sessions at a time")
    a.quit()
    ok(wait_for(lambda: (len(names("new")), len(names("cur"))) == (0, 2)), "QUIT removes and moves")
    b.dele(1)
    same(b.quit()[:3], b"+OK", "what another session has removed is removed")
    same([u.split()[1] for u in login().uidl()[1]], [u.split()[1] for u in uids[1:]], "the unique names stay")

    # -- all commands at once, before any reply

    with socket.create_connection(("127.0.0.1", port), 20) as s:
        s.sendall(b"USER alice\r\nPASS sesame\r\nSTAT\r\n" + b"RETR 1\r\n" * 3 + b"QUIT\r\n")
        answer = b"".join(iter(lambda: s.recv(65536), b""))
    same((answer.count(b"+OK"), answer.count(b"\r\n.\r\n")), (8, 3), "pipelined from the first command on")

    # -- a large message, byte for byte

    body = b"Subject: large\n\n" + b"".join(b"%s%d\n" % (b"." * (i % 3), i) for i in range(400000))
    path = write(os.path.join(alice, "Maildir/new/large"), body, 0o600, (60201, 60201))
    os.utime(path, (2000000, 2000000))
    c = login()
    text = b"\n".join(c.retr(3)[1])
    same(text == body, True, "a large message is the same (%d bytes)" % len(body))
    c.dele(3)
    c.quit()

    # -- clients of the distribution

    home = os.path.join(tree.scratch, "getmail")
    if shutil.which("getmail"):
        for part in ("", "/Mail", "/Mail/new", "/Mail/tmp", "/Mail/cur"):
            os.mkdir(home + part)
        write(home + "/getmailrc", "[retriever]\ntype = SimplePOP3Retriever\nserver = 127.0.0.1\nport = %d\nusername = alice\npassword = sesame\n"
              "[destination]\ntype = Maildir\npath = %s/Mail/\n[options]\ndelete = true\n" % (port, home), 0o600)
        user = lambda: (os.setgid(60201), os.setuid(60201))
        subprocess.run(["chown", "-R", "60201:60201", home], check=True)
        run = subprocess.run(["getmail", "--getmaildir", home], preexec_fn=user, capture_output=True, timeout=60,
                             env={"HOME": home, "PATH": "/usr/bin:/bin"})
        same((run.returncode, len(maildir(home, "Mail"))), (0, 2), "getmail fetches the messages")
        ok(wait_for(lambda: names("cur") == []), "and removes them here")
        ok(all(b"\n.dot\nbody\n" in m for m in maildir(home, "Mail")), "their text is whole")
    else:
        skip(3, "no getmail here")
    if shutil.which("mlist"):
        with tree.running("./Maildir/"):
            deliver(2)
        lines = subprocess.run("mlist '%s/Maildir' | mscan -f '%%s'" % alice, shell=True, capture_output=True, timeout=60,
                               env={"PATH": "/usr/bin:/bin", "HOME": tree.scratch}).stdout.decode()
        same(sorted(l.strip() for l in lines.splitlines()), ["number 0", "number 1"], "mblaze reads the maildir")
    else:
        skip(1, "no mblaze here")

    # -- the admin's wishes

    services.set("pop3", "UCSPITLS", "!")
    services.set("pop3", "POPDELAY", "1")
    ok(services.restart("pop3", port), "svc -t: new settings")
    same(refusal("alice", "sesame"), b"-ERR STLS first", "no password without TLS")
    services.set("pop3", "UCSPITLS", "-")
    services.restart("pop3", port)
    begin = time.monotonic()
    same((refusal("alice", "x"), time.monotonic() - begin >= 1), (b"-ERR authorization failed", True), "POPDELAY")
done()
