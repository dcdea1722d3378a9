#!/usr/bin/python3
"""The services of the build under svscan: rules, rblsmtpd, settings, stop and start."""
import poplib, smtplib
from reqmail import *

tree = Tree()
alice = tree.user("alice")
port = free_port()
rules = os.path.join(tree.scratch, "tcp.smtp")
sink = Sink()
tree.control("smtproutes", ":127.0.0.1:%d\n" % sink.port)


def make_rules(text):
    write(rules, text)
    subprocess.run(["tcprules", rules + ".cdb", rules + ".tmp"], input=text.encode(), check=True, timeout=20)


def client(address="127.0.0.1"):
    return smtplib.SMTP("127.0.0.1", port, timeout=30, local_hostname="client.test", source_address=(address, 0))


def rcpt(recipient, address="127.0.0.1"):
    """Code and text of the reply to a recipient."""
    with client(address) as c:
        c.helo("client.test")
        c.mail("bob@far.test")
        code, text = c.rcpt(recipient)
        return code, text.decode()


# The rules that come with it, and more of their kind.
build = os.path.join(SOURCE, os.environ["BUILD"], "service")
make_rules('127.0.0.5:allow,RBLSMTPD="-Go away."\n127.0.0.6:deny\n127.0.0.7-9:allow\n' + read(build + "/tcp.smtp").decode())
settings = {"smtp": {"LISTEN": "127.0.0.1", "PORT": port, "RULES": rules + ".cdb", "WRAP": "rblsmtpd -r rbl.invalid", "CONNECTIONS": 7},
            "send": {}, "qmtp": {"LISTEN": "127.0.0.1", "PORT": free_port(), "RULES": rules + ".cdb"}, "qmqp": {"LISTEN": "127.0.0.1", "PORT": free_port(), "RULES": tree.scratch + "/none.cdb"}}
with Services(tree, settings) as services:
    ok(services.wait_log("send", r"^@[0-9a-f]{24} status: local 0/10 remote 0/20$"), "send starts, with the time in its log")
    ok(services.wait_log("smtp", "tcpserver: status: 0/7"), "smtp listens, with its settings")
    ok(services.wait_log("qmqp", "not started: without .*none.cdb"), "qmqp without rules does not start")
    if root:
        owner = os.stat(services.top + "/smtp/log/main").st_uid
        same(owner, tree.ids(2)[0], "the log belongs to the log user")
    else:
        skip(1, "needs root")

    # -- mail

    with client() as c:
        c.sendmail("bob@far.test", ["alice@" + ME], "Subject: hello\r\n\r\nhi\r\n")
    ok(wait_for(lambda: maildir(alice), 30), "a message by smtp is delivered by send")
    ok(services.wait_log("send", "^@[0-9a-f]+ end msg "), "and logged")
    same(rcpt("nobody-here@" + ME, "127.0.0.8"), (550, "sorry, no mailbox here by that name. (#5.1.1)"), "recipients are checked")
    same(rcpt("alice-list@" + ME, "127.0.0.8")[0], 550, "and their extensions")
    same(rcpt("bob@far.test")[0], 250, "tcp.smtp: this host may relay")
    same(rcpt("bob@far.test", "127.0.0.8")[0], 553, "others may not")
    same(rcpt("alice@" + ME, "127.0.0.8")[0], 250, "but send mail to users")
    same(rcpt("alice@" + ME, "127.0.0.5"), (553, "Go away."), "rblsmtpd in front refuses by a rule")
    try:
        client("127.0.0.6")
        ok(False, "denied by a rule")
    except (smtplib.SMTPException, ConnectionError):
        ok(True, "denied by a rule")

    # -- QMTP, QMQP

    def netstring(*parts):
        data = b"".join(p if isinstance(p, bytes) else p.encode() for p in parts)
        return b"%d:%s," % (len(data), data)

    def say(port, data):
        with socket.create_connection(("127.0.0.1", port), 20) as s:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: s.recv(4096), b""))

    to = lambda *names: b"".join(netstring(n) for n in names)
    ok(services.wait_log("qmtp", "tcpserver: status: 0/40"), "qmtp listens")
    make_rules(":allow\n")
    found(rb"\A\d+:Kok .*,\d+:Dsorry, no mailbox here by that name", say(
        settings["qmtp"]["PORT"], netstring("\nSubject: by QMTP\n\nhi\n") + netstring("bob@far.test") + netstring(to("alice@" + ME, "nobody@" + ME))),
        "QMTP: a message is taken, recipients are checked")
    subprocess.run(["tcprules", tree.scratch + "/none.cdb", tree.scratch + "/none.tmp"], input=read(build + "/tcp.qmqp"), check=True, timeout=20)
    ok(services.wait_log("qmqp", "tcpserver: status: 0/40", 30), "qmqp with rules starts")
    found(rb"\A\d+:Kok ", say(settings["qmqp"]["PORT"], netstring(netstring("Subject: by QMQP\n\nhi\n"), to("bob@far.test", "bob@far.test"))),
          "QMQP: a message is taken for anybody")
    ok(wait_for(lambda: len(maildir(alice)) == 2 and len(sink.messages) == 1, 30), "both are delivered")

    # -- settings, rules, stop and start

    make_rules(':allow,RELAYCLIENT="",DATABYTES="10"\n')
    with client("127.0.0.8") as c:
        c.ehlo()
        same(c.esmtp_features.get("size"), "10", "rules count at once")
    services.set("smtp", "RCPTCHECK", "")
    services.set("smtp", "CONNECTIONS", "3")
    make_rules(":allow\n")
    services.svc("-t", "smtp")
    ok(services.wait_log("smtp", "tcpserver: status: 0/3"), "settings count after svc -t")
    same(rcpt("nobody-here@" + ME)[0], 250, "no RCPTCHECK, if the admin wants none")
    services.svc("-d", "send")
    ok(services.wait_log("send", "status: exiting"), "svc -d stops send")
    with client() as c:
        c.sendmail("bob@far.test", ["alice@" + ME], "Subject: two\r\n\r\nhi\r\n")
    services.svc("-u", "send")
    ok(wait_for(lambda: len(maildir(alice)) == 3, 30), "svc -u: what came meanwhile is delivered")
    tree.control("rcpthosts", None)
    services.svc("-t", "smtp")
    ok(services.wait_log("smtp", "not started: without .*rcpthosts"), "no open relay")
    tree.control("rcpthosts", ME + "\n")

# -- POP before SMTP

if root and private and os.path.exists(tree.bin("checkpassword")):
    shutil.rmtree(os.path.join(tree.scratch, "service"))
    Accounts(tree).add("carol", hashed("sesame"))
    pop_port, seen = free_port(), tree.scratch + "/seen"
    shutil.copy(build + "/pop-seen", tree.scratch)
    write(rules, "127.0.0.1:allow\n:allow\n")
    settings = {"pop-relay": {"POP_SEEN": seen, "RULES": rules, "EVERY": 1},
                "pop3": {"LISTEN": "127.0.0.1", "PORT": pop_port, "POP_SEEN": seen, "AFTER_LOGIN": tree.scratch + "/pop-seen"},
                "smtp": {"LISTEN": "127.0.0.1", "PORT": port, "RULES": rules + ".cdb"}}
    with Services(tree, settings) as services:
        services.wait_log("pop3", "tcpserver: status: 0/40")
        services.wait_log("smtp", "tcpserver: status: 0/40")
        ok(services.wait_log("pop-relay", "may relay: $"), "pop-relay makes rules")
        same(oct(os.stat(seen).st_mode & 0o7777), "0o1733", "the notes' directory")
        same(rcpt("bob@far.test", "127.0.0.7")[0], 553, "before POP a client may not relay")
        s = socket.create_connection(("127.0.0.1", pop_port), 20, ("127.0.0.7", 0))
        s.sendall(b"USER carol\r\nPASS sesame\r\nQUIT\r\n")
        found(rb"\+OK \r\n\Z", b"".join(iter(lambda: s.recv(4096), b"")), "POP from there")
        s.close()
        ok(services.wait_log("pop-relay", r"may relay: 127\.0\.0\.7 $"), "is noted")
        same(rcpt("bob@far.test", "127.0.0.7")[0], 250, "after POP it may")
        same(rcpt("bob@far.test", "127.0.0.8")[0], 553, "others still may not")
        note_file = os.path.join(seen, os.listdir(seen)[0])
        os.utime(note_file, (time.time() - 3600,) * 2)
        ok(services.wait_log("pop-relay", "may relay: $", count=2), "some time later it is forgotten")
        same((rcpt("bob@far.test", "127.0.0.7")[0], os.listdir(seen)), (553, []), "and may not relay any more")
        target = write(tree.scratch + "/victim", "precious", 0o666)
        os.symlink(target, "%s/127.0.0.7_60201" % seen)
        run = subprocess.run([tree.scratch + "/pop-seen", "true"], env={"POP_SEEN": seen, "TCPREMOTEIP": "127.0.0.7", "PATH": "/usr/bin:/bin"},
                             preexec_fn=lambda: (os.setgid(60201), os.setuid(60201)), timeout=20, stderr=subprocess.PIPE)
        same((run.returncode, read(target)), (0, b"precious"), "a note leads nowhere else")
else:
    skip(10, "accounts with passwords need root and an /etc of their own")
done()
