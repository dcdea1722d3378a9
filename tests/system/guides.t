#!/usr/bin/python3
"""The examples of the guides other than qmail-virtual(7) do what the pages say. Each that has a
name in its page is executed here, as it is printed there, and none is left out."""
from guide import *

need_private()
tree = Tree()
used = set()
PAGES = ("qmail-anatomy.7", "qmail-from-postfix.7", "qmail-from-qmail.7", "qmail-reading-log.7", "qmail-scaling.7")
BIN = os.path.join(tree.scratch, "bin")
os.mkdir(BIN)
MOVED = [(re.escape(tree.at("service")), tree.scratch + "/service"), ("/tmp/log", tree.scratch + "/log"), ("/usr/local/bin", BIN),
         ("/srv/mail", tree.scratch + "/mail")]


class Examples(Guide):
    """The examples of a page; those that are looked at count as used."""

    def __init__(self, page):
        self.page = page
        super().__init__(tree, [], page)
        for name in self:
            for there, here in MOVED:
                self[name] = re.sub(there, here, self[name])

    def __getitem__(self, name):
        used.add((self.page, name))
        return super().__getitem__(name)


guides = {page: Examples(page) for page in PAGES}
named = {(page, name) for page in PAGES for name in guides[page] if name is not None}


def script(page, name, where):
    """An example that is a program, put where it can be run."""
    return write(where, guides[page][name], 0o755)


def run(program, *arguments, env=None, **more):
    environment = {"PATH": "%s:%s:/usr/sbin:/usr/bin:/sbin:/bin" % (BIN, tree.at("bin"))}
    environment.update(env or {})
    return subprocess.run([program] + list(arguments), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, **more)


# -- the log: two messages with numbers and deliveries that are easily confused; one is put off
# and then delivered, one fails

log = """status: local 0/10 remote 0/20
new msg 1091970
info msg 1091970: bytes 75 from <s@example.org> qp 10944 uid 1002
starting delivery 1: msg 1091970 to remote ann@far.example
status: local 0/10 remote 20/20
new msg 10919701
info msg 10919701: bytes 75 from <t@example.org> qp 10945 uid 1002
starting delivery 11: msg 10919701 to local joe@here.example
delivery 1: deferral: Connected_to_192.0.2.25_but_greeting_failed./
delivery 11: failure: Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/
end msg 10919701
starting delivery 12: msg 1091970 to remote ann@far.example
delivery 12: success: 192.0.2.25_accepted_message./
end msg 1091970
"""
stamped = "".join("@40000000656500%02x00000000 %s\n" % (n, line) for n, line in enumerate(log.splitlines()))
write(tree.scratch + "/service/send/log/main/current", stamped)
smtp = "qmail-smtpd: pid 1 ip 192.0.2.1 reject mail <s@far.example> rcpt <x@here.example> helo far.example: 550 sorry, no mailbox here by that name. (#5.1.1)\n"
write(tree.scratch + "/service/smtp/log/main/current", "@4000000065650000000000 " + smtp)
guide = guides["qmail-reading-log.7"]
guide.run("all")
same(len(read(tree.scratch + "/log").splitlines()), len(log.splitlines()), "the whole log")
followed = [line.split(None, 2)[2] for line in guide.run("follow").decode().splitlines()]
same(followed, [l for l in log.splitlines() if "msg 1091970:" in l and "info" in l] +
     [l for l in log.splitlines() if re.search(r"msg 1091970\b", l) or re.match(r"delivery 12?:", l)], "one message followed")
found(r"starting delivery 1: .*\n.*starting delivery 12: ", guide.run("recipient"), "the deliveries to one recipient")
found(r"^ *1 Connected_to_N_but_greeting_failed./$", guide.run("deferrals"), "reasons of deferrals")
same(guide.run("failures").decode(), "joe@here.example Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/\n", "failures")
same(guide.run("hosts").decode(), "1 far.example\n", "hosts that make deliveries wait")
same(guide.run("full").decode(), "2 status lines, full: local 0 remote 1\n", "how often the channels were full")
found(r"^ *1 550 sorry, no mailbox", guide.run("refused"), "what is refused")

# -- the queue, before and after qmail-send has seen a message

guide = guides["qmail-anatomy.7"]
tree.control("concurrencylocal", "0\n")
same(tree.queue(b"Subject: x\n\nhello\n", "s@far.example", ["joe@" + ME]), 0, "a message is queued")
number = os.listdir(tree.at("queue/todo"))[0]


def look():
    text = "\n".join(guide[name] for name in ("find", "records", "message", "count", "lock")).replace("1091970", number)
    return subprocess.run(["/bin/sh", "-c", text], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60).stdout.decode()


text = look()
found(r"^todo/%s:\nu\d+\np\d+\nFs@far.example\nTjoe@%s\n" % (number, re.escape(ME)), text, "the envelope in todo")
found(r"^Received: \(qmail \d+ invoked from network\)", text, "the message")
found(r"^1\n1\n\Z", text, "one message, not looked at yet, and nobody has the lock")
with tree.running():
    ok(tree.wait_log(r"^info msg %s:" % number) and wait_for(lambda: not os.listdir(tree.at("queue/todo"))), "qmail-send takes it over")
    text = look()
    found(r"^info/\d+/%s:\nFs@far.example\n" % number, text, "info")
    found(r"^local/\d+/%s:\nTjoe@%s\n" % (number, re.escape(ME)), text, "local")
    found(r"^1\n0\n\d{4}-\d\d-\d\d \d\d:\d\d %s\nqmail-send is running\n\Z" % number, text, "one message, looked at, and the lock is held")

# -- a host that was one of Postfix

tree.reset()
joe, ann = tree.account("joe"), tree.account("ann")
guides["qmail-from-postfix.7"].run("small-host", cwd=SOURCE)
with tree.running():
    replies = tree.smtp(["MAIL FROM:<s@far.example>", "RCPT TO:<x@far.example>", "RCPT TO:<info@example.com>", "RCPT TO:<Other.Name@example.com>",
                         "RCPT TO:<joe@example.org>", "DATA", "Subject: x", "", "hi", ".", "QUIT"])
    same([line[:3] for line in replies.split("\r\n")[1:-1]], ["250", "553", "250", "250", "250", "354", "250", "221"], "what comes in")
    ok(wait_for(lambda: len(maildir(joe)) == 2 and len(maildir(ann)) == 1), "and where it goes")
    tree.inject(b"To: y@far.example\n\nhi\n")
    ok(tree.wait_log(r"to remote y@far\.example$"), "the rest goes to the relay")
found(r"^250-SIZE 20000000\r$", tree.smtp(["EHLO x", "QUIT"]), "with its limit of size")
tree.stop()

# -- copies of all mail

tree.reset()
copy = script("qmail-from-qmail.7", "copy", BIN + "/copy")
for sender, recipients in (("s@far.example", "joe ann"), ("", "joe"), ("s@far.example", "")):
    result = tree.inject(b"Subject: x\n\nhi\n", "-f", sender, "-a", *recipients.split(), env={"QMAILQUEUE": copy})
    same((result.returncode, result.stderr), (0, b""), "a message from <%s> to %r" % (sender, recipients))
envelopes = sorted(read(tree.at("queue/todo", n)).split(b"\0F")[1] for n in os.listdir(tree.at("queue/todo")))
A = b"archive@here.example"
same(envelopes, sorted([b"s@far.example\0Tjoe@%s\0Tann@%s\0T%s\0" % (ME.encode(), ME.encode(), A), b"\0Tjoe@%s\0T%s\0" % (ME.encode(), A), b"s@far.example\0T%s\0" % A]), "the archive is one more recipient")
with tempfile.TemporaryFile() as cut:
    cut.write(b"Fs@far.example\0Tjoe@here.test\0")
    cut.seek(0)
    status = subprocess.run([copy], stdin=subprocess.DEVNULL, stdout=cut, env={"PATH": "/usr/bin:/bin"}, timeout=60).returncode
    same(status, 91, "an envelope that was not ended is refused")

# -- past one machine

tree.reset()
guide = guides["qmail-scaling.7"]
guide.run("front")
same((tree.smtp(["MAIL FROM:<>", "RCPT TO:<x@example.org>", "QUIT"]).split("\r\n")[2], read(tree.at("control/smtproutes"))),
     ("250 ok", b"example.org:inner.example.org\n"), "a front host takes mail for the inner one")
known = script("qmail-scaling.7", "known", BIN + "/known")
write("/etc/mail.known", "joe@example.org\nann@example.org\n")
same([run(known, env={"RECIPIENT": r}).returncode for r in ("Joe@Example.org", "bob@example.org", ".*@example.org", "x@y", "-e@example.org")], [0, 100, 100, 0, 100], "it knows the recipients")
os.unlink("/etc/mail.known")
same(run(known, env={"RECIPIENT": "joe@example.org"}).returncode, 111, "or does not know for now")

uid, gid = pwd.getpwnam("joe").pw_uid, pwd.getpwnam("joe").pw_gid
write(BIN + "/list-users", "#!/bin/sh\necho joe:%d:%d:%s\necho root:0:0:/root\n" % (uid, gid, joe), 0o755)
assign = script("qmail-scaling.7", "assign", BIN + "/make-assign")
same((run(assign).returncode, run(assign).returncode), (0, 0), "users/assign is made from a directory")
with tree.running():
    same([tree.deliver(r + "@" + ME)[1].split(":")[0] for r in ("joe", "root", "nobody-there")], ["success", "failure", "failure"], "users/cdb has its users")
    write(BIN + "/list-users", "#!/bin/sh\nexit 1\n", 0o755)
    same((run(assign).returncode, tree.deliver("joe@" + ME)[1].split(":")[0]), (1, "success"), "nothing changes when the directory is away")

subprocess.run(["useradd", "-M", "vmail"], check=True, timeout=20)
getpw = script("qmail-scaling.7", "getpw", BIN + "/getpw")
os.makedirs(tree.scratch + "/mail/joe")
vmail, alias = pwd.getpwnam("vmail"), pwd.getpwnam("alias")
same(run(getpw, "Joe").stdout.decode().split("\0"), ["joe", str(vmail.pw_uid), str(vmail.pw_gid), tree.scratch + "/mail/joe", "", "", ""], "a mailbox without an account")
for odd in ("nobody", "../joe", "joe/x", ".", ""):
    same(run(getpw, odd).stdout.decode().split("\0"), ["alias", str(alias.pw_uid), str(alias.pw_gid), tree.at("alias"), "-", odd, ""], "%r is for alias" % odd)
shutil.rmtree(tree.scratch + "/mail")
same(run(getpw, "joe").returncode, 111, "mailboxes that are away")

auth = script("qmail-scaling.7", "auth", BIN + "/auth")
write(BIN + "/is-password", "#!/bin/sh\nread -r n; read -r p; [ \"$n\" != later ] || exit 111; [ \"$n:$p\" = 'joe:a \\b' ]\n", 0o755)


def ask(strings):
    reading, writing = os.pipe()
    os.write(writing, strings)
    os.close(writing)
    try:
        return subprocess.run(["/bin/sh", "-c", "exec 3<&%d; exec \"$0\" sh -c 'exit 9'" % reading, auth], pass_fds=[reading], env={"PATH": "/usr/bin:/bin"},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60).returncode
    finally:
        os.close(reading)


same([ask(s) for s in (b"joe\0a \\b\0\0", b"joe\0wrong\0\0", b"later\0x\0\0", b"joe\nx\0a \\b\0\0", b"")], [9, 1, 111, 1, 2], "a program that asks for passwords")

store = script("qmail-scaling.7", "store-of", BIN + "/store-of")
write("/etc/mail.hosts", "joe store2.example.org\nann store3.example.org\n")
same([run(store, n).stdout for n in ("Joe", "bob", "j\\oe", "")], [b"store2.example.org\n"] + [b"store1.example.org\n"] * 3, "the host that has a mailbox")
tree.reset()
tree.alias("default", guide["table"])
with tree.running(env={"PATH": BIN + ":" + tree.at("bin") + ":/usr/bin:/bin"}):
    tree.deliver("ann@" + ME)  # an account of its own: not by the table
    tree.deliver("Joe-x@" + ME)
    tree.deliver("ghost@" + ME)
    ok(tree.wait_log(r"to remote ghost@store1\.example\.org$"), "mail is sent to that host")


# -- LMTP

class Lmtp(Sink):
    """LMTP is SMTP with another greeting here: one recipient, so one reply to the message."""


lmtp = script("qmail-scaling.7", "lmtp", BIN + "/lmtp-deliver")
lines = {"SENDER": "s@far.example", "RPLINE": "Return-Path: <s@far.example>\n", "DTLINE": "Delivered-To: alias-lmtp-joe@example.org\n"}


def deliver(sink, message=b"Subject: x\n\n.dot\nlast", **more):
    return run(lmtp, "127.0.0.1:%d" % sink.port, "joe@example.org", env=dict(lines, **more), input=message)


sink = Lmtp()
same(deliver(sink).returncode, 0, "a message is given to an LMTP server")
same(sink.messages[0][1:], ([b"<joe@example.org>"], b"Return-Path: <s@far.example>\r\nDelivered-To: alias-lmtp-joe@example.org\r\nSubject: x\r\n\r\n.dot\r\nlast\r\n"), "as it is")
found(rb"\A<s@far.example>", sink.messages[0][0], "with its sender")
same(deliver(sink, SENDER="").returncode, 0, "a bounce, too")
for refuse, want in (({"RCPT": "550 no such user"}, 100), ({"RCPT": "450 later"}, 111), ({"END": "552 full"}, 100), ({"END": "452 full"}, 111), ({"MAIL": "554 no"}, 100)):
    refusing = Lmtp(refuse)
    result = deliver(refusing)
    same((result.returncode, result.stdout), (want, (list(refuse.values())[0] + "\n").encode()), "%r" % refuse)
    refusing.close()
same(deliver(refusing).returncode, 111, "nobody listens")
found("lmtp.example.org:24", guide["lmtp-setup"], "the set-up names a server")
tree.reset()
guide["lmtp-setup"] = guide["lmtp-setup"].replace("lmtp.example.org:24", "127.0.0.1:%d" % sink.port).replace("pkill -HUP -u qmails qmail-send\n", "")
guide.run("lmtp-setup")
with tree.running(env={"PATH": BIN + ":" + tree.at("bin") + ":/usr/bin:/bin"}):
    same(tree.deliver("Joe.S@example.org"), ("local alias-lmtp-Joe.S@example.org", "success: did_0+0+1/"), "a domain that is delivered by LMTP")
same(sink.messages[-1][1], [b"<Joe.S@example.org>"], "with its own recipients")

same(sorted(named - used), [], "every example that has a name was used")
done()
