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
SPLIT = 23


def stat_of(pid):
    """Name and the fields behind it in /proc/PID/stat; or none when it has ended."""
    try:
        name, _, fields = read("/proc/%s/stat" % pid).decode("latin1").partition("(")[2].rpartition(") ")
    except ProcessLookupError:
        return "", ["Z", "0"]
    return name, fields.split() or ["Z", "0"]


def partner(name):
    """The pid of that child of qmail-send."""
    for entry in os.listdir("/proc"):
        if entry.isdigit() and stat_of(entry)[0] == name and stat_of(entry)[1][1] == str(tree.process.pid):
            return int(entry)


def unread(pid):
    """Bytes that wait on its descriptor 0."""
    fd = os.open("/proc/%d/fd/0" % pid, os.O_RDONLY | os.O_NONBLOCK)
    count = fcntl.ioctl(fd, termios.FIONREAD, b"\0\0\0\0")
    os.close(fd)
    return int.from_bytes(count, "little")


def gone(pid):
    return stat_of(pid)[1][0] == "Z"


def message(subject):
    return b"Subject: %s\n\nbody\n" % subject.encode()


def has_number(number, recipient):
    """A message has been queued that got this number, as the next one would on most file systems."""
    write(tree.at("queue/mess/%d/%s" % (int(number) % SPLIT, number)), message("second"), owner=tree.ids(5))
    envelope = "u0\0p1\0Fsender@here.test\0T%s\0" % recipient
    intd = write(tree.at("queue/intd", number), envelope, owner=tree.ids(5))
    os.link(intd, tree.at("queue/todo", number))


def late(name, recipient, arrived):
    """One of these partners. arrived(): how many messages have come for the recipient."""
    tree.start()
    old = wait_for(lambda: partner(name))  # which qmail-send does not wait for
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
    has_number(number, "bob@here.test")
    os.kill(old, signal.SIGCONT)
    ok(wait_for(lambda: gone(old)), name + ": comes late, and goes")
    same(os.listdir(tree.at("queue/todo")), [number], name + ": the second message is still in todo/")
    had = len(maildir(bob))
    tree.start()
    tree.wait_done(1, 20)
    same(len(maildir(bob)) - had, 1, name + ": it is delivered")
    same(arrived(), before + 1, name + ": and none to the recipient of the first")
    tree.stop()


late("qmail-clean", "alice@here.test", lambda: len(maildir(alice)))
late("qmail-lspawn", "alice@here.test", lambda: len(maildir(alice)))
late("qmail-rspawn", "carol@far.test", lambda: len(sink.messages))
done()
