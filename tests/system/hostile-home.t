#!/usr/bin/python3
"""Homes, .qmail files and mailboxes that are not what they should be: links, FIFOs,
devices, directories, files of others, writable ones, huge ones. Each gets its report,
and no file of anybody else changes."""
import stat

from spawner import *

if not root:
    skip_all("needs root: deliveries run as their users")

tree = Tree()
base = os.path.join(tree.scratch, "homes")
os.mkdir(base)
VIC, OTHER = (60101, 60102), (60103, 60104)
path = message(tree)
entries = {}


def user(name, home):
    entries[name] = home
    text = "".join("=%s:%s:%d:%d:%s:::\n+%s-:%s:%d:%d:%s:-::\n" % (n, n, VIC[0], VIC[1], h, n, n, VIC[0], VIC[1], h)
                   for n, h in entries.items())
    write(tree.at("users/assign"), text + ".\n")
    subprocess.run([tree.bin("qmail-newu")], check=True, timeout=20)


def make_home(name, mode=0o755, owner=VIC):
    home = os.path.join(base, name)
    os.makedirs(home + "/Maildir/tmp")
    os.makedirs(home + "/Maildir/new")
    os.makedirs(home + "/Maildir/cur")
    for where in ("Maildir", "Maildir/tmp", "Maildir/new", "Maildir/cur", ""):
        os.chown(os.path.join(home, where), *owner)
    os.chmod(home, mode)
    return home


def deliver(spawner, recipient):
    spawner.send(0, recipient + "@here.test")
    return spawner.report()[1].decode("latin1")


def clean_queue():
    for name in tree.queue_files():
        if name != "mess/" + MESSAGE:
            os.unlink(tree.at("queue", name))


NO_MAILBOX = "DSorry, no mailbox here by that name. (#5.1.1)\n"
DONE = "Kdid 1+0+0\n"
spawner = Spawner(tree, "qmail-lspawn", "./Maildir/")

# -- homes

good = make_home("good")
make_home("closed", 0o700, OTHER)
write(base + "/file", "x")
os.symlink("loop", base + "/loop")
os.symlink("good", base + "/link")
os.symlink("closed", base + "/stolen")
os.mkfifo(base + "/fifo")
for name, home, report in (
        ("good", good, DONE), ("linked", base + "/link", DONE), ("dots", base + "/closed/../good", None),
        ("missing", base + "/missing", "ZUnable to switch to %s/missing: file does not exist. (#4.3.0)\n" % base),
        ("file", base + "/file", "ZUnable to switch to %s/file: not a directory. (#4.3.0)\n" % base),
        ("fifo", base + "/fifo", "ZUnable to switch to %s/fifo: not a directory. (#4.3.0)\n" % base),
        ("device", "/dev/null", "ZUnable to switch to /dev/null: not a directory. (#4.3.0)\n"),
        ("loop", base + "/loop", "ZUnable to switch to %s/loop: symbolic link loop. (#4.3.0)\n" % base),
        ("closed", base + "/closed", "ZUnable to switch to %s/closed: access denied. (#4.3.0)\n" % base),
        ("stolen", base + "/stolen", "ZUnable to switch to %s/stolen: access denied. (#4.3.0)\n" % base),
        ("long", "/" + "x" * 5000, "ZUnable to switch to " + ("/" + "x" * 5000)[:2966 - 20] + "\nError report too long, sorry.\n"),
        ("relative", "homes/good", "Dqmail-local: usage: qmail-local [ -nN ] user homedir local dash ext domain sender aliasempty\n"),
        ("empty", "", "Dqmail-local: usage: qmail-local [ -nN ] user homedir local dash ext domain sender aliasempty\n"),
        ("queue", tree.at("queue"), "ZUnable to switch to %s: access denied. (#4.3.0)\n" % tree.at("queue"))):
    user(name, home)
    report = report or "ZUnable to switch to %s: access denied. (#4.3.0)\n" % home
    same(deliver(spawner, name), report, "home: " + name)
for mode, report in ((0o757, "ZUh-oh: home directory is writable. (#4.7.0)\n"), (0o1757, "ZUh-oh: home directory is writable. (#4.7.0)\n"),
                     (0o1755, "ZHome directory is sticky: user is editing his .qmail file. (#4.2.1)\n"), (0o775, DONE),
                     (0o2755, DONE), (0o500, DONE), (0o600, "ZUnable to switch to %s: access denied. (#4.3.0)\n" % good)):
    os.chmod(good, mode)
    same(deliver(spawner, "good"), report, "home: mode %o" % mode)
os.chmod(good, 0o755)

# -- what may lie in the place of .qmail-x; there is no .qmail-default

dot = good + "/.qmail-x"
ALL_MINE = "./Maildir/\n"
secret = write(base + "/secret", "&thief@far.test\n", mode=0o600)
public = write(base + "/public", ALL_MINE, mode=0o644)


def lay(where, what, argument=None):
    if os.path.lexists(where):
        os.rmdir(where) if os.path.isdir(where) and not os.path.islink(where) else os.unlink(where)
    if what == "link":
        os.symlink(argument, where)
    elif what == "directory":
        os.mkdir(where)
    elif what == "fifo":
        os.mkfifo(where)
    elif what == "device":
        os.mknod(where, stat.S_IFCHR | 0o600, os.makedev(1, argument))
    elif what == "socket":
        with socket.socket(socket.AF_UNIX) as s:
            here = os.getcwd()
            os.chdir(os.path.dirname(where))
            s.bind(os.path.basename(where))
            os.chdir(here)
    if what != "link":
        os.chown(where, *VIC)


for name, what, argument, report in (
        ("directory", "directory", None, NO_MAILBOX), ("FIFO", "fifo", None, NO_MAILBOX), ("socket", "socket", None, None),
        ("null device", "device", 3, None), ("endless device", "device", 5, None),
        ("link to a device", "link", "/dev/zero", NO_MAILBOX), ("link to nowhere", "link", "nowhere", NO_MAILBOX),
        ("link to itself", "link", ".qmail-x", NO_MAILBOX), ("link below a file", "link", "../file/x", NO_MAILBOX),
        ("link to a file of somebody else", "link", public, DONE),
        ("link to a secret file", "link", secret, "ZUnable to open .qmail-x: access denied. (#4.3.0)\n"),
        ("link to the message", "link", "/proc/self/fd/0", "Kdid 0+2+0\n"),
        ("link to itself, as a process", "link", "/proc/self/mem", "ZUnable to open .qmail-x: access denied. (#4.3.0)\n"),
        ("link to a directory of somebody else", "link", "../closed/x", "ZUnable to open .qmail-x: access denied. (#4.3.0)\n")):
    lay(dot, what, argument)
    got = deliver(spawner, "good-x")
    if name == "link to the message":  # its lines are instructions: the user's own doing, and his own mail
        found(r"\AKdid 0\+2\+0\nqp \d+\n\Z", got, name)
        clean_queue()
    elif report is None:  # a namespace may forbid devices: then they cannot be opened
        ok(got in (NO_MAILBOX, "ZUnable to open .qmail-x: access denied. (#4.3.0)\n"), ".qmail: " + name, got)
    else:
        same(got, report, ".qmail: " + name)
os.unlink(dot)
for mode, report in ((0o646, "ZUh-oh: .qmail file is writable. (#4.7.0)\n"), (0o664, DONE), (0o400, DONE),
                     (0o000, "ZUnable to open .qmail-x: access denied. (#4.3.0)\n"), (0o4644, DONE),
                     (0o744, "ZUh-oh: .qmail has file delivery but has x bit set. (#4.7.0)\n"), (0o655, DONE)):
    write(dot, ALL_MINE, mode=0o600, owner=VIC)
    os.chmod(dot, mode)
    same(deliver(spawner, "good-x"), report, ".qmail: mode %o" % mode)
for name, content, report in (
        ("program with the x bit", "|touch bad\n", "ZUh-oh: .qmail has prog delivery but has x bit set. (#4.7.0)\n"),
        ("mbox with the x bit", "./bad\n", "ZUh-oh: .qmail has file delivery but has x bit set. (#4.7.0)\n")):
    write(dot, content, mode=0o744, owner=VIC)
    same(deliver(spawner, "good-x"), report, name)


def dotted(name, content, report):
    write(dot, content, mode=0o600, owner=VIC)
    same(deliver(spawner, "good-x"), report, name)


dotted("program behind +list", "+list\n|touch bad\n", "ZUh-oh: .qmail has prog delivery but has x bit set. (#4.7.0)\n")
dotted("blank first line", "\n|touch bad\n", "ZUh-oh: first line of .qmail file is blank. (#4.2.1)\n")
dotted("first line of blanks", " \t \n|touch bad\n", "ZUh-oh: first line of .qmail file is blank. (#4.2.1)\n")
dotted("NULs", "\0|touch bad\n", "ZUh-oh: first line of .qmail file is blank. (#4.2.1)\n")
dotted("a NUL ends the line", "#\n|:\0;touch bad\n./Maildir/\0/../bad/\n", "Kdid 1+0+1\n")
dotted("nothing that is known", "+\n+lists\n+ list\n#\n", "Kdid 0+0+0\n")
ok(not os.path.exists(good + "/bad"), "none of these was run")

# -- what may lie in the place of a mailbox

victim = write(base + "/victim", "precious\n", mode=0o644)
box, folder = good + "/box", good + "/folder"
for name, what, argument, report in (
        ("directory", "directory", None, "ZUnable to open ./box: is a directory. (#4.2.1)\n"),
        ("FIFO without reader", "fifo", None, "ZUnable to open ./box: device not configured. (#4.2.1)\n"),
        ("socket", "socket", None, "ZUnable to open ./box: device not configured. (#4.2.1)\n"),
        ("link to itself", "link", "box", "ZUnable to open ./box: symbolic link loop. (#4.2.1)\n"),
        ("link to a missing directory", "link", "none/box", "ZUnable to open ./box: file does not exist. (#4.2.1)\n"),
        ("link to /dev/null", "link", "/dev/null", "ZUnable to write ./box: invalid argument. (#4.3.0)\n"),
        ("link to /dev/full", "link", "/dev/full", "ZUnable to write ./box: out of disk space. (#4.3.0)\n"),
        ("link to a file of somebody else", "link", victim, "ZUnable to open ./box: access denied. (#4.2.1)\n"),
        ("link into a directory of somebody else", "link", "../closed/box", "ZUnable to open ./box: access denied. (#4.2.1)\n"),
        ("link to /etc/passwd", "link", "/etc/passwd", "ZUnable to open ./box: access denied. (#4.2.1)\n"),
        ("link to users/assign", "link", tree.at("users/assign"), "ZUnable to open ./box: access denied. (#4.2.1)\n"),
        ("link into the queue", "link", path, "ZUnable to open ./box: access denied. (#4.2.1)\n"),
        ("link to the message", "link", "/proc/self/fd/0", "ZUnable to open ./box: access denied. (#4.2.1)\n"),
        ("link to a new file in an own directory", "link", "Maildir/box", DONE)):
    write(dot, "./box\n", mode=0o600, owner=VIC)
    lay(box, what, argument)
    same(deliver(spawner, "good-x"), report, "mbox: " + name)
same((os.stat(good + "/Maildir/box").st_uid, os.stat(good + "/Maildir/box").st_gid, os.stat(good + "/Maildir/box").st_mode & 0o7777),
     VIC + (0o600,), "the new file is the user's alone")
for name, what, argument, report in (
        ("file", "link", "../public", "ZUnable to chdir to maildir. (#4.2.1)\n"),
        ("FIFO", "fifo", None, "ZUnable to chdir to maildir. (#4.2.1)\n"),
        ("link to nowhere", "link", "nowhere", "ZUnable to chdir to maildir. (#4.2.1)\n"),
        ("link to itself", "link", "folder", "ZUnable to chdir to maildir. (#4.2.1)\n"),
        ("directory of somebody else", "link", "../closed", "ZUnable to chdir to maildir. (#4.2.1)\n"),
        ("empty directory", "directory", None, "ZTemporary error on maildir delivery. (#4.3.0)\n"),
        ("link to a maildir", "link", "Maildir", DONE)):
    write(dot, "./folder/\n", mode=0o600, owner=VIC)
    lay(folder, what, argument)
    same(deliver(spawner, "good-x"), report, "maildir: " + name)
for part, what, argument in (("tmp", "link", "/etc"), ("tmp", "fifo", None), ("tmp", "link", "tmp"), ("new", "link", "/etc"),
                             ("new", "fifo", None), ("new", "link", base + "/closed/Maildir/new")):
    lay(folder, "directory")
    for n in ("tmp", "new"):
        lay(os.path.join(folder, n), *(("link", "../Maildir/" + n) if n != part else (what, argument)))
    same(deliver(spawner, "good-x"), "ZTemporary error on maildir delivery. (#4.3.0)\n", "maildir: %s is %s %s" % (part, what, argument or ""))
    same(os.listdir(good + "/Maildir/tmp"), [], "nothing is left in tmp")
    for n in ("tmp", "new"):
        os.unlink(os.path.join(folder, n))
same((read(victim), read(public), os.listdir(base + "/closed/Maildir/new")), (b"precious\n", ALL_MINE.encode(), []), "what is not his is as it was")
same(spawner.end(), 0, "exit status")
spawner.__exit__()

# -- sizes

with Spawner(tree, "qmail-lspawn", "./Maildir/") as spawner:
    deliver(spawner, "good")
    small = spawner.peak_kb()
    count = 100000
    addresses = ["%s-%d@far.test" % ("x" * 84, i) for i in range(count)]
    write(dot, "".join("&" + a + "\n" for a in addresses), mode=0o600, owner=VIC)
    note("a .qmail file of %d bytes" % os.stat(dot).st_size)
    spawner.send(0, "good-x@here.test", sender="s@side.test")
    found(r"\AKdid 0\+100000\+0\nqp \d+\n\Z", spawner.report(60)[1].decode(), "100,000 forwards")
    todo = [n for n in tree.queue_files() if n.startswith("todo/")]
    same(len(todo), 1, "are one message")
    envelope = read(tree.at("queue", todo[0])).split(b"\0") if todo else []
    same((envelope[0], envelope[2], len(envelope)), (b"u%d" % VIC[0], b"Fs@side.test", count + 4), "its envelope")
    ok(envelope[3:-1] == [b"T" + a.encode() for a in addresses], "and all recipients in order")
    clean_queue()

    long = "x" * (1 << 20)
    dotted("10 MB of comments", ("#" + "c" * 98 + "\n") * 100000 + "./Maildir/\n", DONE)
    dotted("a comment of 1 MB", "#" + long + "\n./Maildir/", DONE)
    dotted("a program of 1 MB", "|:;" + long + "\n", "ZUnable to run /bin/sh: argument list too long. (#4.3.0)\n")
    dotted("a file name of 1 MB", "./" + long, "ZUnable to open ./%s\nError report too long, sorry.\n" % long[:2966 - 17])
    dotted("a maildir name of 1 MB", "./" + long + "/", "ZUnable to chdir to maildir. (#4.2.1)\n")
    dotted("an address of 1 MB", "&" + long, "DUnable to forward message: envelope address too long for qq (#5.1.3).\n")
    dotted("blanks of 1 MB", "./Maildir/" + " " * (1 << 20) + "\n", DONE)
    dotted("100,000 empty lines", "#" + "\n" * 100000 + "./Maildir/\n", DONE)
    with open(dot, "wb") as f:
        f.truncate(3 << 30)
    same(deliver(spawner, "good-x"), "ZUnable to open .qmail-x: file too big. (#4.3.0)\n", "a sparse file of 3 GB")
    same([n for n in tree.queue_files() if n != "mess/" + MESSAGE], [], "nothing is left in the queue")
    ok(sanitized or spawner.peak_kb() - small < 600, "the spawner's memory stays", "%d kB, then %d kB" % (small, spawner.peak_kb()))
os.unlink(path)
done()
