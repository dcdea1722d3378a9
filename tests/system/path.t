#!/usr/bin/python3
"""The way of a message, from each entrance to each kind of delivery."""
from reqmail import *

tree = Tree()
homes = {name: tree.user(name) for name in ("alice", "bob", "carol", "dave")}
alice, bob, carol, dave = (homes[n] for n in ("alice", "bob", "carol", "dave"))
tree.dot_qmail("bob", "./Mailbox\n")
tree.dot_qmail("carol", "|cat > got; echo took it\n")
tree.dot_qmail("dave", "&alice@%s\n./Maildir/\n" % ME)
tree.dot_qmail("dave", "|echo no such list; exit 100\n", "-list")
tree.dot_qmail("dave", "|echo come back later; exit 111\n", "-later")
sink = Sink()
deaf = Sink({"RCPT": "550 no such user", "MAIL": "250 ok"})
tree.control("smtproutes", "far.test:127.0.0.1:%d\ndeaf.test:127.0.0.1:%d\n" % (sink.port, deaf.port))
tree.control("rcpthosts", ME + "\n")
tree.alias("postmaster", "./Mailbox\n")


def smtp_lines(sender, recipients, body):
    return (["EHLO client.test", "MAIL FROM:<%s>" % sender] + ["RCPT TO:<%s>" % r for r in recipients]
            + ["DATA"] + body + [".", "QUIT"])


with tree.running():
    # -- in by SMTP, into a maildir
    replies = tree.smtp(smtp_lines("out@side.test", ["alice@" + ME], ["Subject: first", "", "..dots", "end"]))
    found(r"^250 ok \d+ qp \d+\r$", replies, "smtp: accepted")
    ok(tree.wait_done(1), "smtp: done with", tree.log())
    messages = maildir(alice)
    same(len(messages), 1, "maildir: one message")
    message = messages[0] if messages else b""
    ok(message.startswith(b"Return-Path: <out@side.test>\nDelivered-To: alice@" + ME.encode() + b"\nReceived: "),
       "maildir: trace fields", message)
    ok(message.endswith(b"Subject: first\n\n.dots\nend\n"), "maildir: the body", message)
    found(r"^delivery 1: success: did_1\+0\+0/$", tree.log(), "maildir: log")
    same(tree.queue_files(), [], "nothing is left in the queue")
    replies = tree.smtp(smtp_lines("a@b.test", ["x@elsewhere.test"], []))
    found(r"^553 .*rcpthosts", replies, "smtp: no relaying")

    # -- in by qmail-inject, into an mbox
    result = tree.inject(b"To: bob\nSubject: second\n\nFrom here on\n", "-f", "sender@" + ME)
    same((result.returncode, result.stderr), (0, b""), "inject: accepted")
    ok(tree.wait_done(2), "inject: done with", tree.log())
    mbox = read(bob + "/Mailbox")
    found(r"\AFrom sender@here\.test \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\n", mbox, "mbox: From_ line")
    found(r"^>From here on\n\n\Z", mbox, "mbox: quoting and the empty line")
    found(r"^To: bob@here\.test$", mbox, "inject: the address was completed")
    found(r"^Message-I[dD]: <.*@here\.test>$", mbox, "inject: Message-ID")
    found(r"^Date: .* [-+]0000$", mbox, "inject: Date")

    # -- a program, a forward with a copy, several recipients
    same(tree.queue(b"Subject: third\n\nto a program\n", "s@x.test", ["carol@" + ME]), 0, "program: accepted")
    ok(tree.wait_done(3), "program: done with", tree.log())
    found(r"\nto a program\n\Z", read(carol + "/got"), "program: it read the message")
    found(r"^delivery \d+: success: took_it/did_0\+0\+1/$", tree.log(), "program: its output is in the log")
    same(tree.queue(b"Subject: fourth\n\nforwarded\n", "s@x.test", ["dave@" + ME]), 0, "forward: accepted")
    ok(tree.wait_done(5), "forward: both messages are done with", tree.log())
    same((len(maildir(dave)), len(maildir(alice))), (1, 2), "forward: the copy and the forwarded one")
    forwarded = maildir(alice)[-1]
    found(r"^Delivered-To: alice@here\.test\n(.*\n)*Delivered-To: dave@here\.test\n", forwarded, "forward: the way it went")
    same(tree.queue(b"Subject: fifth\n\nx\n", "s@x.test", ["alice@" + ME, "bob@" + ME, "carol@" + ME]), 0, "three recipients")
    ok(tree.wait_done(6), "three recipients: done with", tree.log())
    same(len(maildir(alice)), 3, "three recipients: one of them")

    # -- out by SMTP
    same(tree.queue(b"Subject: out\n\n.dot\n", "alice@" + ME, ["someone@far.test"]), 0, "remote: accepted")
    ok(tree.wait_done(7), "remote: done with", tree.log())
    same(len(sink.messages), 1, "remote: arrived")
    sender, recipients, data = sink.messages[0] if sink.messages else (b"", [], b"")
    same((sender, recipients), (b"<alice@here.test>", [b"<someone@far.test>"]), "remote: envelope")
    ok(data.endswith(b"Subject: out\r\n\r\n.dot\r\n"), "remote: the dot came through", data)
    found(r"^delivery \d+: success: 127\.0\.0\.1_accepted_message\./Remote_host_said:_250_taken/$", tree.log(), "remote: log")

    # -- bounces
    same(tree.queue(b"Subject: lost\n\nbody of it\n", "alice@" + ME, ["dave-list@" + ME, "nobody-here@" + ME]), 0, "bounce: accepted")
    ok(tree.wait_done(9), "bounce: message and bounce are done with", tree.log())
    bounce = maildir(alice)[-1]
    ok(bounce.startswith(b"Return-Path: <>\n"), "bounce: null sender", bounce[:200])
    found(r"^From: MAILER-DAEMON@here\.test$", bounce, "bounce: From")
    found(r"^<dave-list@here\.test>:\nno such list$", bounce, "bounce: the program's words")
    found(r"^<nobody-here@here\.test>:\nSorry, no mailbox here by that name\. \(#5\.1\.1\)$", bounce, "bounce: no such user")
    found(r"^Subject: lost\n\nbody of it$", bounce, "bounce: the message itself")
    found(r"^bounce msg \d+ qp \d+$", tree.log(), "bounce: log")
    same(tree.queue(b"Subject: r\n\nx\n", "alice@" + ME, ["a@deaf.test"]), 0, "remote refusal: accepted")
    ok(tree.wait_done(11), "remote refusal: bounced", tree.log())
    found(r"^<a@deaf\.test>:\n127\.0\.0\.1 does not like recipient\.\nRemote host said: 550 no such user$", maildir(alice)[-1],
          "remote refusal: the host's words")

    # -- a double bounce goes to the postmaster
    same(tree.queue(b"Subject: twice\n\nx\n", "gone@" + ME, ["nobody-here@" + ME]), 0, "double bounce: accepted")
    ok(tree.wait_done(14), "double bounce: three messages", tree.log())
    postmaster = read(tree.at("alias/Mailbox"))
    found(r"^Return-Path: <#@\[\]>$", postmaster, "double bounce: its sender")
    found(r"^<nobody-here@here\.test>:$", postmaster, "double bounce: what it is about")
    same(tree.queue_files(), [], "double bounce: nothing is left")

    # -- ALRM: what waits is tried at once
    same(tree.queue(b"Subject: later\n\nx\n", "alice@" + ME, ["dave-later@" + ME]), 0, "deferral: accepted")
    ok(tree.wait_log(r"deferral: come_back_later/"), "deferral: log", tree.log())
    time.sleep(0.3)
    ok(len(tree.queue_files()) >= 3, "deferral: it waits", tree.queue_files())
    tree.dot_qmail("dave", "./Maildir/\n", "-later")
    tree.signal(signal.SIGALRM)
    ok(tree.wait_done(15), "ALRM: delivered", tree.log())
    same(len(maildir(dave)), 2, "ALRM: once")

    # -- HUP: locals and virtualdomains are read again
    same(tree.queue(b"Subject: v\n\nx\n", "alice@" + ME, ["x@late.test"]), 0, "HUP: before")
    ok(tree.wait_log(r"^starting delivery \d+: msg \d+ to remote x@late\.test$"), "HUP: remote so far", tree.log())
    tree.control("virtualdomains", "late.test:alice-v\n")
    tree.control("locals", ME + "\nsecond.test\n")
    tree.dot_qmail("alice", "./Maildir/\n", "-v-default")
    tree.signal(signal.SIGHUP)
    time.sleep(0.3)
    before = len(maildir(alice))
    same(tree.queue(b"Subject: v\n\nvirtual\n", "s@x.test", ["x@late.test", "bob@second.test"]), 0, "HUP: after")
    ok(wait_for(lambda: len(maildir(alice)) == before + 1), "HUP: the virtual domain counts", tree.log())
    found(r"^Delivered-To: alice-v-x@late\.test$", maildir(alice)[-1], "HUP: its recipient")
    ok(tree.wait_log(r"to local bob@second\.test$"), "HUP: the new local name counts", tree.log())

# -- TERM, and a restart that goes on where the other stopped

same(re.findall(r"^status: exiting$", tree.log(), re.M), ["status: exiting"], "TERM: exiting")
left = tree.queue_files()
note("left in the queue: %s" % " ".join(left))
same(tree.queue(b"Subject: while stopped\n\nx\n", "s@x.test", ["bob@" + ME]), 0, "taken while stopped")
tree.dot_qmail("dave", "|sleep 3; echo slept\n", "-slow")
with tree.running():
    ok(tree.wait_done(1), "delivered after the start", tree.log())
    found("Subject: while stopped", read(bob + "/Mailbox"), "into the mbox")
    tree.queue(b"Subject: slow\n\nx\n", "s@x.test", ["dave-slow@" + ME])
    ok(tree.wait_log(r"to local dave-slow@"), "a slow delivery has begun", tree.log())
    process = tree.process
    tree.signal(signal.SIGTERM)
    same(wait_for(lambda: process.poll() is not None, 20), True, "TERM: it ends")
    found(r"^delivery \d+: success: slept/did_0\+0\+1/$(.*\n)*^end msg.*\n(.*\n)*^status: exiting$", tree.log(), "TERM: but waits for deliveries")
done()
