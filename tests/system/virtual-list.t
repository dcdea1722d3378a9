#!/usr/bin/python3
"""A mailing list of a user, as qmail-virtual(7) has it, with a thousand subscribers here
and at another host, which is a second installation: every good one gets each message
once, every bad one is found by its bounce, and nothing else bounces."""
import collections, random

from guide import *

need_private()
if not shutil.which("tcpserver"):
    skip_all("no tcpserver (ucspi-tcp)")
tree = Tree()
guide = Guide(tree)
other = guide.second()
joe, sender, subs, far = (tree.account(name) for name in ("joe", "sender", "subs", "far"))
SHARE = 10 if sanitized else 1
servers = []
atexit.register(lambda: [server.kill() for server in servers])


def listen(where, port):
    """qmail-smtpd of that installation on that port, forty sessions at a time."""
    uid, gid = where.ids(1)
    servers.append(subprocess.Popen(["tcpserver", "-HRl0", "-c", "40", "-u", str(uid), "-g", str(gid), "127.0.0.1", str(port), where.bin("qmail-smtpd")],
                                    env={"PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL))

    def answers():
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return True
        except OSError:
            return False
    return wait_for(answers)


def subscribers(count, pattern):
    return [pattern % n for n in range(count // SHARE)]


def dot(home, extension, content, mode=0o644):
    entry = pwd.getpwnam(os.path.basename(home))
    write("%s/.qmail%s" % (home, extension), content, mode, (entry.pw_uid, entry.pw_gid))


# subs.test is here, far.test at the other host, which refuses refused.test
for where, name, port, peer in ((tree, "subs.test", 2501, 2502), (other, "far.test", 2502, 2501)):
    where.control("virtualdomains", "%s:%s\n" % (name, name.split(".")[0]))
    where.control("smtproutes", ":127.0.0.1:%d\n" % peer)
    where.control("concurrencylocal", "20\n")
    where.control("concurrencyremote", "20\n")
    ok(listen(where, port), "%s: SMTP is served" % name)
other.control("me", "far.test\n")
other.control("locals", "mx.far.test\n")
other.control("rcpthosts", "far.test\n")
for home in (subs, far):
    dot(home, "-good-default", "./Maildir/\n")
tree.alias("postmaster", "./Mailbox\n")
write(other.at("alias/.qmail-postmaster"), "./Mailbox\n", owner=tree.alias_ids)

good = subscribers(600, "Good-%d@subs.test") + subscribers(330, "good-%d@far.test")
bad = subscribers(25, "Gone-%d@subs.test") + subscribers(25, "gone.box-%d@far.test") + subscribers(20, "x-%d@refused.test")
members = good + bad
random.Random(1).shuffle(members)
note("%d subscribers, %d of them bad" % (len(members), len(bad)))
dot(joe, "-news", "".join("&%s\n" % m for m in members))
entry = pwd.getpwnam("joe")
write(joe + "/list-bounce", guide["list-handler"], 0o755, (entry.pw_uid, entry.pw_gid))
guide.run("list-files", "joe")


def received():
    """How often each subscriber got something, by Delivered-To."""
    count = collections.Counter()
    for home, prefix in ((subs, b"subs-"), (far, b"far-")):
        for message in maildir(home):
            delivered_to = re.match(rb"Return-Path: <.*>\nDelivered-To: (.*)\n", message).group(1)
            count[delivered_to[len(prefix):].decode() if delivered_to.startswith(prefix) else delivered_to] += 1
    return count


def bounced(name):
    return read("%s/%s.bounced" % (joe, name)).decode().split()


def quiet(name):
    same((maildir(sender), read(tree.at("alias/Mailbox")), maildir(joe)), ([], b"", []), name + ": nobody else got anything")


with tree.running(), other.running():
    started = time.monotonic()
    result = tree.inject(b"To: joe-news@here.test\nSubject: issue 1\n\nThe news.\n", "-f", "sender@here.test")
    same(result.returncode, 0, "news: posted")
    ok(wait_for(lambda: sum(received().values()) >= len(good), 90, 0.3), "news: it arrives", tree.log()[-3000:])
    ok(wait_for(lambda: len(set(bounced("news"))) >= len(bad), 60, 0.3), "news: bounces come back", "%s" % bounced("news"))
    ok(tree.wait_empty() and other.wait_empty(), "news: both queues are empty", tree.queue_files() + other.queue_files())
    note("%.1f seconds" % (time.monotonic() - started))
    same(received(), collections.Counter(good), "news: every good subscriber got it once")
    same(sorted(bounced("news")), sorted(bad), "news: every bad subscriber was found once, and nobody else")
    quiet("news")
    senders = {re.match(rb"Return-Path: <(.*)>", m).group(1).decode() for m in maildir(far)}
    same(senders, {"joe-news-owner-%s@here.test" % g.replace("@", "=") for g in good if g.endswith("far.test")}, "news: each has a sender of its own")
    failures = re.findall(r"^delivery \d+: failure: (.*)$", tree.log(), re.M)
    same(len(failures), len([b for b in bad if not b.endswith("far.test")]), "news: failures here")
    same(len(re.findall(r"^delivery \d+: failure: ", other.log(), re.M)), len([b for b in bad if b.endswith("far.test")]), "news: failures there")
    same((len(re.findall(r"^bounce msg", tree.log(), re.M)), len(re.findall(r"^bounce msg", other.log(), re.M))),
         (1, len([b for b in bad if b.endswith("far.test")])), "news: one bounce for all here, one for each there")
    same(len(re.findall(r"deferral", tree.log() + other.log())), 0, "news: nothing was put off")

    # what else may come to these addresses
    where, report = tree.deliver("joe-news-owner-x=y.test@here.test", "sender@here.test")
    same(report, "failure: This_address_is_for_bounces./", "mail that is no bounce is refused")
    ok(wait_for(lambda: len(maildir(sender)) == 1), "and returned")
    tree.deliver("joe-news-owner@here.test", "sender@here.test")
    same(len(maildir(joe)), 1, "the owner gets mail for the owner")
    dot(joe, "-news", "good-1@subs.test\n|echo subscribed a program\n", 0o755)
    where, report = tree.deliver("joe-news@here.test", "sender@here.test")
    same(report, "deferral: Uh-oh:_.qmail_has_prog_delivery_but_has_x_bit_set._(#4.7.0)/", "a program cannot subscribe")
    dot(joe, "-news", "# empty\n")
    tree.signal(signal.SIGALRM)
    ok(tree.wait_empty(), "the list is put right")

    # the list whose addresses have return in place of owner
    for home in (subs, far, joe, sender):
        for name in os.listdir(home + "/Maildir/new"):
            os.unlink(home + "/Maildir/new/" + name)
    good = ["good-%d@%s" % (n, host) for n in range(10) for host in ("subs.test", "far.test")]
    bad = ["Gone=%d@subs.test" % n for n in range(3)] + ["gone-a=b-%d@far.test" % n for n in range(3)] + ["x@refused.test"]
    write(joe + "/talk", "".join(m + "\n" for m in good + bad))
    dot(joe, "-talk", guide["return-list"])
    dot(joe, "-talk-return-default", guide["return-line"])
    same(tree.deliver("joe-talk@here.test", "sender@here.test")[0], "local joe-talk@here.test", "talk: posted")
    ok(wait_for(lambda: len(set(bounced("talk"))) >= len(bad), 30), "talk: bounces come back", "%s" % bounced("talk"))
    ok(tree.wait_empty() and other.wait_empty(), "talk: both queues are empty", tree.queue_files() + other.queue_files())
    same(received(), collections.Counter(good), "talk: every good subscriber got it once")
    same(sorted(bounced("talk")), sorted(bad), "talk: every bad subscriber was found once, also with = in the address")
    found(r"^Return-Path: <joe-talk-return-good-1=far\.test@here\.test>$", b"".join(maildir(far)), "talk: the sender")
    quiet("talk")
done()
