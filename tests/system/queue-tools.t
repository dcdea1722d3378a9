#!/usr/bin/python3
"""qmail-qread and qmail-qstat: what they print of every kind of message, as text and as
JSON, of damage, and to whom."""
import json
from queue_maker import *

tree = Tree()
q = Queue(tree)


def call(name, *arguments, line=None, groups=None):
    more = {}
    if line is not None and root:
        uid, gid = tree.ids(line)
        more = {"user": uid, "group": groups if groups is not None else gid, "extra_groups": []}
    done = subprocess.run([tree.bin(name), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, cwd="/", **more)
    return done.returncode, done.stdout, done.stderr


def when(seconds):
    g = time.gmtime(seconds)
    return "%d %s GMT" % (g.tm_mday, time.strftime("%b %Y %H:%M:%S", g))


def in_order(numbers):
    """As the directories have them."""
    by_place = [n for s in range(q.split) for n in os.listdir(q.at("info", s))]
    return [n for n in by_place if int(n) in numbers]


# -- nothing there

same(call("qmail-qread"), (0, b"", b""), "qread: an empty queue")
same(call("qmail-qread", "-j"), (0, b"", b""), "qread -j: an empty queue")
same(call("qmail-qstat"), (0, b"messages in queue: 0\nmessages in queue but not yet preprocessed: 0\n", b""), "qstat: an empty queue")
same(call("qmail-qstat", "-j"), (0, b'{"messages":0,"unprocessed":0}\n', b""), "qstat -j: an empty queue")

# -- every kind

STRANGE = b'we"ird\\ \x01\xc3\xa4\xff%@h\n'
numbers = {
    q.ready(local=[b"Ta@here.test", b"Db@here.test", b"Xc@here.test", b""], remote=[b"T" + STRANGE]): (b"s@far.test", False),
    q.ready(sender=b"", bounce=b"no\n"): (b"", True),
    q.ready(sender=STRANGE, remote=[b"Dx@far.test"]): (STRANGE, False),
}
first, second, third = numbers
q.todo()
q.mess()
texts = {
    first: "\tlocal\ta@here.test\n  done\tlocal\tb@here.test\n\tremote\twe\"ird\\ ____%@h_\n",
    second: "", third: "  done\tremote\tx@far.test\n"}
want = ""
for n in in_order(numbers):
    n = int(n)
    sender, bouncing = numbers[n]
    shown = "".join(chr(c) if 32 <= c <= 126 else "_" for c in sender)
    want += "%s  #%d  %d  <%s> %s\n%s" % (when(BIRTH + 10), n, os.stat(q.path("mess", n)).st_size, shown, " bouncing" if bouncing else "", texts[n])
same(call("qmail-qread"), (0, want.encode(), b""), "qread: every kind, in the order of the directories")
same(call("qmail-qread", "whatever", "--help")[1], want.encode(), "qread: other arguments mean nothing")

code, out, err = call("qmail-qread", "-j")
objects = [json.loads(line) for line in out.splitlines()]
same((code, err, [o["number"] for o in objects]), (0, b"", [int(n) for n in in_order(numbers)]), "qread -j: one object a line")
by_number = {o["number"]: o for o in objects}
replaced = STRANGE.decode("utf-8", "replace")
same(by_number[first], {
    "number": first, "birth": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(BIRTH + 10)), "birth_seconds": BIRTH + 10,
    "size": os.stat(q.path("mess", first)).st_size, "sender": "s@far.test", "bouncing": False, "recipients": [
        {"channel": "local", "address": "a@here.test", "done": False},
        {"channel": "local", "address": "b@here.test", "done": True},
        {"channel": "remote", "address": replaced, "done": False}]}, "qread -j: all there is to say")
same((by_number[second]["bouncing"], by_number[second]["sender"], by_number[second]["recipients"]), (True, "", []), "qread -j: no recipients left")
same(by_number[third]["sender"], replaced, "qread -j: a sender that is no UTF-8")
same(call("qmail-qstat")[:2], (0, b"messages in queue: 5\nmessages in queue but not yet preprocessed: 1\n"), "qstat counts")
same(json.loads(call("qmail-qstat", "-j")[1]), {"messages": 5, "unprocessed": 1}, "qstat -j counts")

# -- damage

q.clear()
n = q.ready(local=[b"Ta@here.test"])
os.unlink(q.path("mess", n))
same(call("qmail-qread"), (0, b"warning: trouble with #%d: file does not exist\n" % n, b""), "qread: no message file")
same(call("qmail-qread", "-j"), (0, b"", b"warning: trouble with #%d: file does not exist\n" % n), "qread -j: the warning is on descriptor 2")
for content, what in ((b"Fs@far.test", "without its NUL"), (b"", "empty"), (b"Xs@far.test\0", "of another letter"), (b"\0", "one NUL")):
    q.clear()
    n = q.ready(local=[b"Ta@here.test"])
    q.put("info", n, content)
    same(call("qmail-qread"), (0, b"warning: trouble with #%d: bad message type\n" % n, b""), "qread: info file " + what)
q.clear()
n = q.ready(local=[b"Ta@here.test"])
with open(q.path("local", n), "ab") as f:
    f.write(b"Tcut@here.te")
found(r"> \n\tlocal\ta@here.test\n\Z", call("qmail-qread")[1], "qread: a record without its NUL is left out")
q.clear()
n = q.ready()
os.mkdir(q.path("local", n))
same(call("qmail-qread")[0::2], (111, b""), "qread: a directory instead of a file")
found(r"> \nfatal: out of memory\n\Z", call("qmail-qread")[1], "qread: and what is said of it")
q.clear()
n = q.ready()
os.rename(q.at("info", 1), q.at("info", "away"))
code, out, err = call("qmail-qread")
same((code, out.splitlines()[-1:], err), (111, [b"fatal: unable to opendir info/1: file does not exist"], b""), "qread: a directory is missing")
os.rename(q.at("info", "away"), q.at("info", 1))
q.clear()

# many recipients: more than one write
n = q.ready(local=[b"Tuser-%d@here.test" % i for i in range(20000)])
same(call("qmail-qread")[1].count(b"\n\tlocal\tuser-"), 20000, "qread: a long list")
same(len(json.loads(call("qmail-qread", "-j")[1])["recipients"]), 20000, "qread -j: a long list")
with open("/dev/full", "wb") as full:
    for name in ("qmail-qread", "qmail-qstat"):
        ended = subprocess.run([tree.bin(name)], stdout=full, stderr=subprocess.DEVNULL, timeout=60)
        same(ended.returncode, 111, name + ": nobody takes the output")
q.clear()

# -- who may

if root:
    n = q.ready(remote=[b"Ta@far.test"])
    found(r"\A.*#%d .*\n\tremote\ta@far.test\n\Z" % n, call("qmail-qread", line=7)[1], "qread as qmails")
    same(call("qmail-qread", line=1, groups=60400), (111, b"fatal: unable to chdir: access denied\n", b""), "qread as a stranger")
    same(call("qmail-qread", "-j", line=1, groups=60400), (111, b"", b"fatal: unable to chdir: access denied\n"), "qread -j as a stranger")
    found(r"\Afatal: unable to opendir info/0: access denied\n\Z", call("qmail-qread", line=6, groups=q.group)[1], "qread with group qmail alone")
    same(call("qmail-qstat", line=6)[:2], (0, b"messages in queue: 1\nmessages in queue but not yet preprocessed: 0\n"), "qstat with group qmail")
    code, out, err = call("qmail-qstat", line=1, groups=60400)
    same((code, out), (111, b""), "qstat as a stranger: no numbers")
    found(r"\Aqmail-qstat: fatal: unable to enter \S+/queue: access denied\n\Z", err, "and why")
    # a link to what others may not read
    os.unlink(q.path("info", n))
    os.symlink("/etc/shadow", q.path("info", n))
    same(call("qmail-qread")[1], b"warning: trouble with #%d: symbolic link loop\n" % n, "qread follows no link")
    q.clear()
else:
    skip(8, "needs root")
os.rename(q.at("todo"), q.at("todo.away"))
code, out, err = call("qmail-qstat")
same((code, out), (111, b""), "qstat: a directory is missing")
os.rename(q.at("todo.away"), q.at("todo"))

# -- while mail comes and goes

home = tree.user("alice")
with tree.running("./Maildir/"):
    for i in range(30):
        tree.queue(b"Subject: x\n\nbody\n", "s@far.test", ["alice@" + ME])
        code, out, err = call("qmail-qread", "-j")
        good = code == 0 and all(json.loads(line) for line in out.splitlines())
        if not good or call("qmail-qstat")[0] != 0:
            ok(False, "a busy queue", (code, out, err))
            break
    else:
        ok(True, "a busy queue can be listed")
    tree.wait_done(30)
done()
