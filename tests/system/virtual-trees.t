#!/usr/bin/python3
"""Several installations on one host, and a script between the programs and the queue,
as qmail-virtual(7) has them."""
from guide import *

need_private()
tree = Tree()
guide = Guide(tree, [("/usr/local/bin/", tree.scratch + "/")])
other = guide.second()
STORED = "success: did_1+0+0/"
UNKNOWN = "failure: Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/"
joe = tree.account("joe")
for name in ("One", "Two"):
    tree.make_maildir("%s/%s" % (joe, name), "joe")
alias_ids = tree.ids(0)


def both_count():
    return len(maildir(joe, "One")), len(maildir(joe, "Two"))


def as_account(account, program, *arguments, message=b"", env=None, on=tree):
    entry = pwd.getpwnam(account)
    environment = {"PATH": "/usr/bin:/bin", "USER": account}
    environment.update(env or {})
    return subprocess.run([on.bin(program)] + list(arguments), input=message, env=environment, cwd="/", capture_output=True, timeout=60,
                          user=entry.pw_uid, group=entry.pw_gid, extra_groups=[])


def todo(where):
    return sorted(read(where.at("queue", n)) for n in where.queue_files() if n.startswith("todo/"))


# -- side by side

for where, name in ((tree, "one.test"), (other, "two.test")):
    for control in ("me", "locals", "rcpthosts", "defaultdomain", "plusdomain"):
        where.control(control, name + "\n")
with tree.running("./One/"), other.running("./Two/"):
    same(tree.deliver("joe@one.test"), ("local joe@one.test", STORED), "the first delivers")
    same(other.deliver("joe@two.test"), ("local joe@two.test", STORED), "the second delivers")
    same(both_count(), (1, 1), "each as it was told")
    for where, mine, others in ((tree, "one", "two"), (other, "two", "one")):
        replies = where.smtp(["HELO client.test", "MAIL FROM:<a@b.test>", "RCPT TO:<joe@%s.test>" % mine, "RCPT TO:<joe@%s.test>" % others, "QUIT"])
        found(r"(?s)^220 %s\.test .*250 ok\r\n250 ok\r\n553 " % mine, replies, "SMTP of %s.test has its own control files" % mine)
        where.inject(b"To: joe\nSubject: own\n\n")
        ok(where.wait_log(r"to local joe@%s\.test$" % mine, count=2), "qmail-inject of %s.test too" % mine, where.log())
    busy = subprocess.run([tree.bin("qmail-start"), "./One/"], capture_output=True, timeout=20, env={"PATH": tree.at("bin")})
    found(r"^alert: cannot start: qmail-send is already running$", busy.stdout + busy.stderr, "one queue has one qmail-send")

    # users/assign of the second: user alias with another home
    tree.alias("team", "|echo first\n")
    write(other.at("alias/.qmail-team"), "|echo second\n", owner=alias_ids)
    same(other.deliver("team@two.test")[1], "success: first/did_0+0+1/", "alias has one home")
    write(other.at("users/assign"), guide["second-assign"].replace(":7790:2108:", ":%d:%d:" % alias_ids))
    subprocess.run([other.bin("qmail-newu")], check=True, timeout=20)
    same(other.deliver("team@two.test")[1], "success: second/did_0+0+1/", "unless users/assign says otherwise")
    same(tree.deliver("team@one.test")[1], "success: first/did_0+0+1/", "which is nothing to the first")
    same(other.deliver("joe@two.test")[1], UNKNOWN, "it hides the accounts")
    same(tree.deliver("joe@one.test")[1], STORED, "of the second alone")
    tree.signal(signal.SIGTERM)
    ok(tree.wait_log(r"^status: exiting$"), "the first ends")
    os.unlink(other.at("users/cdb"))
    same(other.deliver("joe@two.test")[1], STORED, "and the second goes on")

# -- one queue for two

real = other.at("bin/qmail-queue.real")
os.rename(other.bin("qmail-queue"), real)
try:
    guide.run("second-share")
    tree.reset()
    other.reset()
    tree.control("locals", ME + "\n")
    other.control("me", "two.test\n")
    other.control("defaultdomain", "two.test\n")
    with tree.running("./One/"):
        before = both_count()
        result = as_account("joe", "qmail-inject", message=b"To: joe@here.test\nCc: far\nSubject: shared\n\n", on=other)
        same((result.returncode, result.stderr), (0, b""), "shared queue: accepted by the second's program")
        ok(wait_for(lambda: both_count() == (before[0] + 1, before[1])), "shared queue: delivered by the first", tree.log())
        found(r"^From: joe@two\.test$", maildir(joe, "One")[-1], "shared queue: the second's control files")
        found(r"^Cc: far@two\.test$", maildir(joe, "One")[-1], "shared queue: in all fields")
        replies = other.smtp(["HELO client.test", "MAIL FROM:<a@b.test>", "RCPT TO:<joe@here.test>", "DATA", "Subject: x", "", ".", "QUIT"],
                             {"RELAYCLIENT": ""})
        found(r"^250 ok \d+ qp", replies, "shared queue: SMTP")
        ok(wait_for(lambda: both_count() == (before[0] + 2, before[1])), "shared queue: delivered too", tree.log())
        same(other.queue_files(), [], "shared queue: the second's own stays empty")
finally:
    os.rename(real, other.bin("qmail-queue"))

# -- a script that chooses the queue by the sender

wrapper = write(tree.scratch + "/queue-by-sender", guide["wrapper"], 0o755)
tree.reset()
other.reset()
for where in (tree, other):
    where.control("locals", "shared.test\n")
by_sender = {"QMAILQUEUE": wrapper}
BIG = b"Subject: long\n\n" + b"0123456789abcdef" * 4 * 20000 + b"\n"
with tree.running("./One/", by_sender), other.running("./Two/"):
    def goes(sender, want, name, send):
        """What send(sender) queues is delivered by the first (One) or the second (Two)."""
        before = both_count()
        send(sender)
        wanted = (before[0] + (want == "One"), before[1] + (want == "Two"))
        ok(wait_for(lambda: both_count() == wanted), name, "%r %r\n%s%s" % (before, both_count(), tree.log(), other.log()))

    def inject(sender):
        result = as_account("joe", "qmail-inject", "-f", sender, "joe@shared.test", message=b"Subject: x\n\n", env=by_sender)
        same((result.returncode, result.stderr), (0, b""), "qmail-inject -f %s" % sender)

    for sender, want in (("boss@example.com", "One"), ("Boss@EXAMPLE.Com", "One"), ("boss@somewhere.net", "Two"), ("x@not-example.com", "Two"),
                         ("example.com@x.net", "Two"), ("", "Two")):
        goes(sender, want, "by sender <%s>: %s" % (sender, want), inject)

    def sendmail(sender):
        as_account("joe", "sendmail", "-f" + sender, "joe@shared.test", message=BIG, env=by_sender)

    goes("a@example.com", "One", "sendmail, a message longer than any pipe", sendmail)
    found(rb"0123456789abcdef\n\Z", maildir(joe, "One")[-1], "which is whole")
    same(len(maildir(joe, "One")[-1]) > len(BIG), True, "all of it")

    def smtp(sender):
        found(r"^250 ok \d+ qp \d+\r$", tree.smtp(["HELO x", "MAIL FROM:<%s>" % sender, "RCPT TO:<joe@shared.test>", "DATA"] + BIG.decode().splitlines()
                                                 + [".", "QUIT"], dict(by_sender, RELAYCLIENT="")), "SMTP from %s" % sender)

    goes("a@example.com", "One", "SMTP: the first queue", smtp)
    goes("a@example.net", "Two", "SMTP: the second queue", smtp)
    same(maildir(joe, "Two")[-1][-len(BIG):], BIG, "SMTP: whole")

    # what deliveries of the first queue: forwards as the user, bounces as qmails
    write(joe + "/.qmail-forward", "&joe@shared.test\n")
    write(joe + "/.qmail-program", "|forward joe@shared.test\n")
    write(joe + "/.qmail-redirect", "|condredirect joe@shared.test true\n")
    for extension in ("forward", "program", "redirect"):
        goes("a@example.com", "One", "from .qmail-%s: the first queue" % extension, lambda sender: tree.deliver("joe-%s@shared.test" % extension, sender))
        goes("a@example.net", "Two", "from .qmail-%s: the second queue" % extension, lambda sender: tree.deliver("joe-%s@shared.test" % extension, sender))
    goes("joe@shared.test", "Two", "a bounce: the null sender has no domain", lambda sender: tree.deliver("nobody-here@shared.test", sender))
    qmails = tree.ids(7)[0]
    found(r"^info msg \d+: bytes \d+ from <> qp \d+ uid %d$" % qmails, other.log(), "a bounce: queued by qmails")
    found(r"^info msg \d+: bytes \d+ from <a@example\.net> qp \d+ uid %d$" % pwd.getpwnam("joe").pw_uid, other.log(), "a forward: queued by joe")
    ok(tree.wait_empty() and other.wait_empty(), "both queues are empty", tree.queue_files() + other.queue_files())

    # a message that breaks off is in no queue
    tree.smtp(["HELO x", "MAIL FROM:<a@example.com>", "RCPT TO:<joe@shared.test>", "DATA", "Subject: cut"], dict(by_sender, RELAYCLIENT=""))
    logs = len(tree.log()), len(other.log())
    goes("a@example.com", "One", "after a message that broke off", inject)
    same(tree.log()[logs[0]:].count("new msg"), 1, "which was queued by nobody")

# its exit code is the answer
for queue, code, text in (("sh -c 'exit 31'", 100, b"qmail-inject: fatal: mail server permanently rejected message (#5.3.0)\n"),
                          ("sh -c 'exit 71'", 111, b"qmail-inject: fatal: mail server temporarily rejected message (#4.3.0)\n"),
                          (other.at("bin/no-such"), 100, None)):
    stand_in = write(tree.scratch + "/stand-in", re.sub(r'(?m)^"\$queue"', queue, guide["wrapper"]), 0o755)
    result = as_account("joe", "qmail-inject", "joe@shared.test", env={"QMAILQUEUE": stand_in})
    if text:
        same((result.returncode, result.stderr), (code, text), "exit code: " + queue)
    else:
        ok(result.returncode in (100, 111), "exit code: the program is missing", result)
same(todo(tree) + todo(other), [], "nothing was queued by these")

# in place of the program
try:
    guide.run("wrapper-install")
    with tree.running("./One/"), other.running("./Two/"):
        by_sender = {}
        for sender, want in (("boss@example.com", "One"), ("boss@somewhere.net", "Two")):
            goes(sender, want, "in place of qmail-queue: <%s> to %s" % (sender, want), inject)
        found(r"^Received: \(qmail \d+ invoked by uid %d\); " % pwd.getpwnam("joe").pw_uid, maildir(joe, "One")[-1], "in its place: the caller's uid")
        goes("a@example.com", "One", "in its place: SMTP", smtp)
        goes("joe@shared.test", "Two", "in its place: bounces", lambda sender: tree.queue(b"Subject: b\n\n", sender, ["nobody@shared.test"]))
        goes("a@example.com", "One", "in its place: forwards", lambda sender: tree.queue(b"Subject: f\n\n", sender, ["joe-forward@shared.test"]))
finally:
    if os.path.exists(tree.bin("qmail-queue-real")):
        os.rename(tree.bin("qmail-queue-real"), tree.bin("qmail-queue"))
made = os.stat(tree.bin("qmail-queue"))
same(oct(made.st_mode & 0o7777), "0o4711", "the program is back in its place")
done()
