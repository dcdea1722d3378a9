#!/usr/bin/python3
"""Partners of qmail-send that come late: qmail-send is killed when it has written a request that its
partner has not read yet, as one that waits for a disk or a processor; another qmail-send does the
work, the message ends, and its number belongs to another message when the old partner comes to read.
Then it must not remove that one's envelope, or deliver it to the recipient of the other."""
import fcntl, termios

from reqmail import *

if not root:
    skip_all("needs root: the partners have users of their own")
tree = Tree()
alice, bob = tree.user("alice"), tree.user("bob")
sink = Sink()
tree.control("smtproutes", ":127.0.0.1:%d\n" % sink.port)
TRIES = 200  # to get a message with a certain number


def partner(name):
    """The pid of that child of qmail-send."""
    for entry in os.listdir("/proc"):
        stat = read("/proc/%s/stat" % entry).decode("latin1") if entry.isdigit() else ""
        if "(%s) " % name in stat and stat.rpartition(") ")[2].split()[1] == str(tree.process.pid):
            return int(entry)


def unread(pid):
    """Bytes that wait on its descriptor 0."""
    fd = os.open("/proc/%d/fd/0" % pid, os.O_RDONLY | os.O_NONBLOCK)
    count = fcntl.ioctl(fd, termios.FIONREAD, b"\0\0\0\0")
    os.close(fd)
    return int.from_bytes(count, "little")


def gone(pid):
    return not os.path.exists("/proc/%d" % pid) or b") Z " in read("/proc/%d/stat" % pid)


def message(subject):
    return b"Subject: %s\n\nbody\n" % subject.encode()


def late(name, recipient, arrived):
    """One of these partners. arrived(): how many messages have come for the recipient."""
    tree.start()
    old = partner(name)
    os.kill(old, signal.SIGSTOP)
    tree.queue(message("first"), "sender@here.test", [recipient])
    number = tree.wait_log(r"^info msg (\d+): ").group(1)
    ok(wait_for(lambda: unread(old)), name + ": has something to read")
    tree.process.kill()
    tree.process.wait()
    tree.process = None
    before = arrived()
    tree.start()
    ok(tree.wait_done(1) and arrived() == before + 1, name + ": another qmail-send does the work", tree.log())
    tree.stop()
    todo = tree.at("queue/todo", number)
    for i in range(TRIES):
        tree.queue(message("second %d" % i), "sender@here.test", ["bob@here.test"])
        if os.path.exists(todo):
            break
    os.kill(old, signal.SIGCONT)
    ok(wait_for(lambda: gone(old)), name + ": comes late, and goes")
    if i == TRIES - 1 and not os.path.exists(todo) and name != "qmail-clean":
        note("%s was not used again" % number)
    sent = i + 1
    same(len(os.listdir(tree.at("queue/todo"))), sent, name + ": every message is still in todo/")
    had = len(maildir(bob))
    tree.start()
    wait_for(lambda: len(maildir(bob)) >= had + sent, 20)
    same(len(maildir(bob)) - had, sent, name + ": all are delivered")
    same(arrived(), before + 1, name + ": and none to the recipient of the first")
    tree.stop()


late("qmail-clean", "alice@here.test", lambda: len(maildir(alice)))
late("qmail-lspawn", "alice@here.test", lambda: len(maildir(alice)))
late("qmail-rspawn", "carol@far.test", lambda: len(sink.messages))
done()
