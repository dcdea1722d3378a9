#!/usr/bin/python3
"""qmail-showctl -c finds what an administrator can get wrong, says where and what to do; -j
is the whole configuration for programs; the listing stays as it was."""
import json, stat
from reqmail import *

tree = Tree()
VERSION = read(os.path.join(SOURCE, "VERSION")).decode().split("\n")[0]


def showctl(*arguments, user=None):
    return subprocess.run([tree.bin("qmail-showctl")] + list(arguments), stdin=subprocess.DEVNULL, capture_output=True, env={}, cwd="/",
                          timeout=60, preexec_fn=tree.as_user(user) if user is not None else None)


def check():
    """Lines of -c without HOME."""
    return showctl("-c").stdout.decode().replace(tree.path + "/", "").splitlines()


def finds(name, wanted):
    """The findings begin like this, and there are no others; a rerun of -j says as many."""
    got = check()
    good = len(got) == len(wanted) and all(g.startswith(w) and "; " in g for g, w in zip(sorted(got), sorted(wanted)))
    ok(good, name, "got  %r\nwant %r" % (got, wanted))
    result = showctl("-c")
    same((result.returncode, result.stderr), (1 if wanted else 0, b""), name + ": exit status")
    found = json.loads(showctl("-cj").stdout)
    same((len(found["findings"]), found["complete"], all(f["remedy"] for f in found["findings"])), (len(wanted), True, True), name + ": as JSON")


# -- options

result = showctl("-V")
same((result.returncode, result.stdout, result.stderr), (0, b"reqmail %s\n" % VERSION.encode(), b""), "the version")
for wrong in (("-x",), ("-cx",), ("word",), ("-c", "word")):
    result = showctl(*wrong)
    same((result.returncode, result.stdout, result.stderr), (100, b"", b"qmail-showctl: usage: qmail-showctl [ -cj ] [ -V ]\n"), "usage: %r" % (wrong,))

# -- a tree as it was installed, with what config-fast writes

finds("all is well", [])

# -- one mistake at a time

def put(name, content, mode=0o644):
    return lambda: (tree.control(name, content), os.chmod(tree.at("control", name), mode))


def link(name, target):
    return lambda: os.symlink(target, tree.at("control", name))


def directory(name):
    return lambda: os.mkdir(tree.at("control", name))


def gone(name):
    return lambda: tree.control(name, None)


def older(name, than):
    then = os.stat(tree.at(than)).st_mtime - 100
    os.utime(tree.at(name), (then, then))


def assign_alone():
    os.unlink(tree.at("users/cdb"))


def outdated(source, cdb, make):
    def do():
        subprocess.run([tree.bin(make)], check=True, timeout=20)
        older(cdb, source)
    return do


MISTAKES = [
    ("a name with a typing error", put("rcpthost", "x.test\n"), ["control/rcpthost: is a file that no program reads; rename it to rcpthosts"]),
    ("a name that says nothing", put("notes", "x\n"), ["control/notes: is a file that no program reads; correct its name"]),
    ("a patch's file", put("spfbehavior", "3\n"), ["control/spfbehavior: is the SPF patch's and not used here"]),
    ("a database being made", put("morercpthosts.tmp", ""), []),
    ("no me", gone("me"), ["control/me: is missing, and most programs need it; run ./config-fast"]),
    ("an open relay", gone("rcpthosts"), ["control/rcpthosts: is missing, so everybody may send"]),
    ("no number", put("databytes", "10M\n"), ['control/databytes:1: "10M" is read as the digits']),
    ("a word for a number", put("concurrencylocal", "many\n"), ['control/concurrencylocal:1: "many" is no number']),
    ("a domain that cannot be", put("locals", ME + "\n*.test\n"), ['control/locals:2: "*.test" cannot be a domain']),
    ("a local domain out of reach", put("locals", ME + "\nlocalhost\nout.test\n"), ['control/locals:3: "out.test" is not in rcpthosts']),
    ("a virtual domain out of reach", put("virtualdomains", "out.test:joe\n"), ['control/virtualdomains:1: "out.test:joe" has a domain that is not in rcpthosts']),
    ("local and virtual", put("virtualdomains", ME + ":joe\n"), ['control/virtualdomains:1: "here.test:joe" has a domain that is in locals']),
    ("a user that is an address", put("virtualdomains", ME + "2:joe@far.test\n"),
     ['control/virtualdomains:1: "here.test2:joe@far.test" has an address', 'control/virtualdomains:1: "here.test2:joe@far.test" has a domain that is not']),
    ("a virtual domain without a user", put("virtualdomains", "a.test joe\n"), ['control/virtualdomains:1: "a.test joe" has no colon']),
    ("a route without a colon", put("smtproutes", "relay.test\n"), ['control/smtproutes:1: "relay.test" has no colon']),
    ("a route's port", put("smtproutes", "a.test:relay.test:x\n"), ['control/smtproutes:1: "a.test:relay.test:x" has a port']),
    ("two routes", put("smtproutes", "a.test:r.test\nA.test:s.test\n"), ['control/smtproutes:2: "A.test:s.test" has a key that stands']),
    ("a route that is never used", put("smtproutes", ME + ":r.test\n"), ['control/smtproutes:1: "here.test:r.test" is for a domain that is in locals']),
    ("a name for a QMQP server", put("qmqpservers", "host.test\n"), ['control/qmqpservers:1: "host.test" is no address']),
    ("an outgoing address", put("outgoingip", "a.test:eth0\n"), ['control/outgoingip:1: "a.test:eth0" has no address']),
    ("a policy", put("tlspolicy", "a.test:always\n"), ['control/tlspolicy:1: "a.test:always" has no policy']),
    ("no TLS program", put("tlsclient", "bin/nothing\n"), ['control/tlsclient:1: "bin/nothing" is no program']),
    ("spaces at an end", put("badmailfrom", "@a.test  \n"), ["control/badmailfrom:1: ends in white space"]),
    ("carriage returns", put("badmailfrom", "@a.test\r\n@b.test\r\n"), ["control/badmailfrom:%d: ends in a carriage return" % n for n in (1, 2)]),
    ("a NUL", put("badmailfrom", "@a.test\n\0\n"), ["control/badmailfrom:2: holds a NUL"]),
    ("no final newline", put("badmailfrom", "@a.test"), []),
    ("a comment behind an entry", put("rcpthosts", ME + "\na.test # new\n"), ['control/rcpthosts:2: "a.test # new" holds white space']),
    ("a bad pattern", put("badrcptto", "a.test\n"), ['control/badrcptto:1: "a.test" has no @']),
    ("a directory", directory("badhelo"), ["control/badhelo: is no file"]),
    ("a link to nowhere", link("timeoutsmtpd", "/nonexistent"), ["control/timeoutsmtpd: is a symbolic link that leads nowhere"]),
    ("a file that all may write", put("idhost", ME + "\n", 0o666), ["control/idhost: can be written by everybody; chmod 644"]),
    ("a file that its group may write", put("idhost", ME + "\n", 0o664), ["control/idhost: can be written by its group; chmod 644"]),
    ("the percent hack", put("percenthack", ME + "\n"), ["control/percenthack: lets everybody send mail"]),
    ("morercpthosts alone", put("morercpthosts", "a.test\n"), ["control/morercpthosts: has no effect without morercpthosts.cdb; run qmail-newmrh"]),
    ("its database alone and damaged", put("morercpthosts.cdb", "x"), ["control/morercpthosts.cdb: is damaged", "control/morercpthosts.cdb: counts, but morercpthosts"]),
    ("morercpthosts outdated", lambda: (put("morercpthosts", "a.test\n")(), outdated("control/morercpthosts", "control/morercpthosts.cdb", "qmail-newmrh")()),
     ["control/morercpthosts: is newer than morercpthosts.cdb"]),
    ("users/assign alone", lambda: (tree.user("a1"), assign_alone()), ["users/assign: has no effect without users/cdb; run qmail-newu"]),
    ("users/assign outdated", lambda: (tree.user("a2"), older("users/cdb", "users/assign")), ["users/assign: is newer than users/cdb"]),
    ("users/cdb damaged", lambda: (tree.user("a3"), os.truncate(tree.at("users/cdb"), os.path.getsize(tree.at("users/cdb")) - 9)), ["users/cdb: is damaged"]),
    ("users/cdb for all to write", lambda: (tree.user("a4"), os.chmod(tree.at("users/cdb"), 0o666)), ["users/cdb: can be written by everybody"]),
    ("users/assign with root", lambda: (write(tree.at("users/assign"), "=r:root:0:0:/root:::\n.\n"), subprocess.run([tree.bin("qmail-newu")], check=True)),
     ['users/cdb: "r" is for root']),
    ("a program that lost its set-id bit", lambda: os.chmod(tree.bin("qmail-queue"), 0o711), ["bin/qmail-queue: has wrong permissions; chmod 4711 it"]),
    ("a missing program", lambda: os.rename(tree.bin("qbiff"), tree.at("away")), ["bin/qbiff: does not exist; make setup"]),
    ("the directory of control files", lambda: os.chmod(tree.at("control"), 0o777), ["control: has wrong permissions; chmod 0755 it"]),
    ("the trigger", lambda: os.chmod(tree.at("queue/lock/trigger"), 0o600), ["queue/lock/trigger: has wrong permissions; chmod 0622 it"]),
    ("a queue of a larger split", lambda: os.mkdir(tree.at("queue/mess/29")), ["queue/mess/29: was made with a larger conf-split"]),
    ("a queue of a smaller split", lambda: os.rmdir(tree.at("queue/info/22")), ["queue/info/22: does not exist; make setup"]),
    ("a queue without a split", lambda: write(tree.at("queue/mess/4711"), "x"), ["queue/mess/4711: lies outside the split"]),
    ("a queue of the big-todo patch", lambda: os.mkdir(tree.at("queue/todo/0")), ["queue/todo/0: was made with the big-todo patch"]),
]
if root:
    MISTAKES += [
        ("a file that qmail-send cannot read", put("locals", ME + "\n", 0o600), ["control/locals: cannot be read by qmail-send, which runs as"]),
        ("a file that qmail-inject cannot read", put("idhost", ME + "\n", 0o640), ["control/idhost: cannot be read by qmail-inject, which runs as anybody"]),
        ("somebody else's file", lambda: (put("idhost", ME + "\n")(), os.chown(tree.at("control/idhost"), 65534, -1)), ["control/idhost: belongs to somebody else"]),
        ("a program's owner", lambda: os.chown(tree.bin("qmail-queue"), 0, -1),
         ["bin/qmail-queue: has wrong owner; chown %s it and chmod 4711" % tree.names[5], "bin/qmail-queue: has wrong permissions"]),
        ("a directory's group", lambda: os.chown(tree.at("users"), -1, 65534), ["users: has wrong group; chgrp"]),
    ]
BUILD = os.path.join(SOURCE, os.environ["BUILD"])


def mend():
    """The tree as it was installed; what a mistake left in the queue goes."""
    for path in ("queue/mess/29", "queue/todo/0"):
        if os.path.isdir(tree.at(path)):
            os.rmdir(tree.at(path))
    if os.path.exists(tree.at("away")):
        os.rename(tree.at("away"), tree.bin("qbiff"))
    for path in ("queue/mess/4711",):
        if os.path.exists(tree.at(path)):
            os.unlink(tree.at(path))
    if not os.path.isdir(tree.at("queue/info/22")):
        os.mkdir(tree.at("queue/info/22"))
    subprocess.run([os.path.join(BUILD, "instchown")], check=True, timeout=60, env={"PATH": os.environ["PATH"]})
    tree.reset()


for name, make, wanted in MISTAKES:
    make()
    finds(name, wanted)
    mend()
finds("all mended", [])
put("locals", ME.encode() + b"\n\033[31mred\377\n")()
found(rb'"\?\[31mred\?" cannot be', showctl("-c").stdout, "a terminal gets no odd bytes")
mend()

# -- by somebody else

if root:
    result = showctl("-c", user=1)
    same((result.returncode, result.stdout, result.stderr), (0, b"", b"qmail-showctl: warning: not everything could be looked at; root can\n"),
         "not root: what may be seen is well")
    same(json.loads(showctl("-cj", user=1).stdout)["complete"], False, "not root: JSON says so")
    put("notes", "x\n")()
    same(showctl("-c", user=1).returncode, 1, "not root: findings")
    tree.control("notes", None)
else:
    skip(3, "the tree has one user")

# -- accounts that are not there

if private:
    tree.keep_accounts()
    for name, content in (("/etc/passwd", tree.names[6]), ("/etc/group", "nofiles")):
        lines = read(name).decode().splitlines(True)
        write(name, "".join(l for l in lines if not l.startswith(content + ":")))
    got = check()
    found("^/etc/group: has no group nofiles, which conf-groups names; groupadd nofiles$", "\n".join(got), "no group")
    found("^/etc/passwd: has no user qmailr, whom conf-users names; useradd -g qmail ", "\n".join(got), "no user")
    result = showctl()
    same((result.returncode, result.stdout, result.stderr), (111, b"", b"fatal: unable to find user qmailr\n"), "the listing without a user")
    for name, content in tree.accounts.items():
        write(name, content)
else:
    skip(3, "makes changes to /etc")

# -- trouble

os.rename(tree.at("control"), tree.at("elsewhere"))
result = showctl("-c")
same((result.returncode, result.stdout), (111, b""), "no directory")
found(r"qmail-showctl: fatal: unable to switch to \S+/control: file does not exist; make setup", result.stderr, "no directory: message")
same(showctl("-j").returncode, 111, "no directory, as JSON")
os.rename(tree.at("elsewhere"), tree.at("control"))
with open("/dev/full", "wb") as full:
    for options in ([], ["-c"], ["-j"], ["-V"]):
        if options == ["-c"]:
            put("notes", "x\n")()
        same(subprocess.run([tree.bin("qmail-showctl")] + options, stdout=full, timeout=60).returncode, 111, "a full disk: %r" % options)
tree.control("notes", None)

# -- JSON of everything

for name, content in (("badmailfrom", "@a.test\n\xff@b.test\n".encode("latin1")), ("concurrencylocal", "33\n"), ("queuelifetime", "ten\n"), ("bouncehost", "b.test\n"), ("remoterecipients", "50\n"),
                      ("databytes", "9999999999\n"), ("percenthack", ""), ("virtualdomains", "v.test:joe\n"), ("spfrules", "x\n")):
    tree.control(name, content)
os.mkdir(tree.at("control/smtproutes"))
whole = json.loads(showctl("-j").stdout)
same((whole["version"], whole["home"], whole["break"], whole["split"], whole["spawn"], whole["unknown"]), (VERSION, tree.path, "-", 23, 120, ["spfrules"]), "JSON: the head")
same(whole["users"]["send"], {"name": tree.names[7], "uid": tree.ids(7)[0]}, "JSON: a user")
listed = [n.split(":")[0] for n in showctl().stdout.decode("latin1").split("\n\n")[1:]]
same(list(whole["control"]), [n for n in listed if n != "spfrules"], "JSON: every file of the listing, in its order")
for name, want in (
        ("badmailfrom", {"kind": "list", "readers": ["qmail-smtpd"], "set": True, "value": ["@a.test", "\ufffd@b.test"]}),
        ("badrcptto", {"kind": "list", "readers": ["qmail-smtpd"], "set": False, "value": None}),
        ("concurrencylocal", {"kind": "number", "readers": ["qmail-send"], "set": True, "value": 33}),
        ("concurrencyremote", {"kind": "number", "readers": ["qmail-send"], "set": False, "value": 20}),
        ("remoterecipients", {"kind": "number", "readers": ["qmail-send", "qmail-rspawn"], "set": True, "value": 50}),
        ("queuelifetime", {"kind": "number", "readers": ["qmail-send"], "set": False, "value": 604800}),
        ("databytes", {"kind": "number", "readers": ["qmail-smtpd", "qmail-qmtpd"], "set": True, "value": 9999999999}),
        ("bouncehost", {"kind": "line", "readers": ["qmail-send"], "set": True, "value": "b.test"}),
        ("bouncefrom", {"kind": "line", "readers": ["qmail-send"], "set": False, "value": "MAILER-DAEMON"}),
        ("helohost", {"kind": "line", "readers": ["qmail-remote"], "set": False, "value": ME}),
        ("percenthack", {"kind": "list", "readers": ["qmail-send", "qmail-rcptcheck"], "set": True, "value": []}),
        ("virtualdomains", {"kind": "map", "readers": ["qmail-send", "qmail-rcptcheck"], "set": True, "value": ["v.test:joe"]}),
        ("smtproutes", {"kind": "map", "readers": ["qmail-remote"], "set": True, "error": "is a directory"}),
        ("tlsclient", {"kind": "line", "readers": ["qmail-remote"], "set": False, "value": None}),
        ("morercpthosts.cdb", {"kind": "cdb", "readers": ["qmail-smtpd", "qmail-qmtpd"], "set": False, "state": "absent"})):
    same(whole["control"][name], want, "JSON: " + name)
os.rmdir(tree.at("control/smtproutes"))
for name in ("me", "locals", "idhost"):
    tree.control(name, None)
whole = json.loads(showctl("-j").stdout)["control"]
same([whole[n]["value"] for n in ("me", "locals", "helohost", "localiphost", "idhost")], [None, None, None, None, "idhost"], "JSON: without me")
done()
