#!/usr/bin/python3
"""The installer: what it makes, what it finds wrong, and what it leaves alone."""
import filecmp, resource, stat
from reqmail import *

BUILD = os.path.join(SOURCE, os.environ["BUILD"])
tree = Tree()
dest = os.path.join(tree.scratch, "dest/deeper")
home = dest + tree.path


def tool(name, *arguments, destdir="", cwd=SOURCE, preexec=None):
    env = {"PATH": os.environ["PATH"]}
    if destdir is not None:
        env["DESTDIR"] = destdir or dest
    program = os.path.relpath(os.path.join(BUILD, name), cwd) if cwd == SOURCE else os.path.join(BUILD, name)
    return subprocess.run([program] + list(arguments), cwd=cwd, env=env, capture_output=True, preexec_fn=preexec, timeout=120)


def silent(result, name):
    return same((result.returncode, result.stdout, result.stderr), (0, b"", b""), name)


def findings(*arguments):
    return tool("instcheck", *arguments).stderr.decode().replace(home, "HOME").replace("instcheck: warning: ", "").splitlines()


def mode(path):
    return stat.S_IMODE(os.lstat(os.path.join(home, path)).st_mode)


# -- a tree of its own, missing parents included

silent(tool("instpackage"), "instpackage makes a tree, parents and all")
silent(tool("instchown"), "instchown gives owners")
silent(tool("instcheck"), "instcheck finds nothing wrong")
silent(tool("instcheck", destdir=None), "nor in the tree of the other tests")

MODES = {
    "": 0o755, "control": 0o755, "alias": 0o2755, "queue": 0o750, "queue/pid": 0o700, "queue/intd": 0o700,
    "queue/todo": 0o750, "queue/bounce": 0o700, "queue/mess/22": 0o750, "queue/info/0": 0o700, "queue/local": 0o700,
    "queue/remote/7": 0o700, "queue/lock": 0o750, "queue/lock/tcpto": 0o644, "queue/lock/tcpto6": 0o644,
    "queue/lock/sendmutex": 0o600, "queue/lock/trigger": 0o622, "boot/home": 0o755, "bin/qmail-queue": 0o4711,
    "bin/qmail-lspawn": 0o700, "bin/qmail-start": 0o700, "bin/qmail-newu": 0o700, "bin/qmail-local": 0o711,
    "bin/qmail-send": 0o711, "bin/qmail-inject": 0o755, "bin/forward": 0o755,
}
wrong = {path: oct(mode(path)) for path, want in MODES.items() if mode(path) != want}
same(wrong, {}, "modes")
ALIAS, LOG, OWNER, QUEUE, REMOTE, SEND = 0, 2, 3, 5, 6, 7
OWNERS = {"": OWNER, "alias": ALIAS, "queue": QUEUE, "queue/todo": QUEUE, "queue/bounce": SEND, "queue/mess/3": QUEUE,
          "queue/info/3": SEND, "queue/lock/tcpto": REMOTE, "queue/lock/trigger": SEND, "bin/qmail-queue": QUEUE,
          "bin/qmail-lspawn": OWNER, "boot/home": OWNER}
wrong = {path: os.lstat(os.path.join(home, path)).st_uid for path, user in OWNERS.items()
         if os.lstat(os.path.join(home, path)).st_uid != tree.ids(user)[0]}
same(wrong, {}, "owners")
same(os.path.getsize(home + "/queue/lock/tcpto"), 1024, "size of tcpto")
same(os.path.getsize(home + "/queue/lock/tcpto6"), 2048, "size of tcpto6")
same(sorted(os.listdir(home + "/bin")), sorted(os.listdir(BUILD + "/bin")), "bin holds what was built")
same(filecmp.cmp(home + "/bin/qmail-inject", BUILD + "/bin/qmail-inject", shallow=False), True, "and unchanged")
same(os.listdir(home + "/control"), [], "control is empty")
boot = read(home + "/boot/home").decode()
found(r'PATH="%s/bin:\$PATH"' % re.escape(tree.path), boot, "boot/home knows HOME")
same([n for n in os.listdir(home + "/boot") if not n.replace("+df", "") in ("home", "proc", "binm1", "binm2", "binm3")], [],
     "boot scripts")

# -- findings

CASES = [
    ("a missing program", "bin/forward", os.unlink, [".../bin/forward does not exist"]),
    ("lost set-id", "bin/qmail-queue", lambda p: os.chmod(p, 0o711), [".../bin/qmail-queue has wrong permissions"]),
    ("HOME's mode", "", lambda p: os.chmod(p, 0o700), ["HOME has wrong permissions"]),
    ("a split directory", "queue/mess/7", os.rmdir, ["HOME/queue/mess/7 does not exist"]),
    ("the trigger", "queue/lock/trigger", lambda p: (os.unlink(p), write(p, b"", 0o622), root and os.chown(p, *trigger)),
     ["HOME/queue/lock/trigger has wrong type"]),
    ("a boot script", "boot/proc", lambda p: os.chmod(p, 0o644), [".../boot/proc has wrong permissions"]),
]
entry = os.lstat(home + "/queue/lock/trigger")
trigger = entry.st_uid, entry.st_gid
for name, path, damage, want in CASES:
    damage(os.path.join(home, path))
    same(findings(), want, "finding: " + name)
    part = want if path.startswith("queue/") else []
    same(findings("queue-only"), part, "queue-only: " + name)
    if "type" in want[0]:
        found("unable to mkfifo .*trigger: file already exists", tool("instpackage").stderr, "a wrong type is not replaced")
        os.unlink(os.path.join(home, path))
    silent(tool("instpackage"), "mended by instpackage: " + name)
    silent(tool("instchown"), "and instchown")
same(findings(), [], "all mended")
if root:
    os.chown(home + "/bin/forward", 65534, 65534)
    os.chmod(home + "/bin/forward", 0o700)
    same(findings(), [".../bin/forward has wrong " + what for what in ("owner", "group", "permissions")], "all of one file, in order")
    silent(tool("instchown"), "instchown alone mends that")
    same(findings(), [], "mended")
else:
    skip(3, "giving files away needs root")
os.unlink(home + "/bin/forward")
same(tool("instcheck").returncode, 0, "instcheck exits 0 with findings")
same(tool("instcheck", "-e").returncode, 1, "and 1 with -e, as make check has it")
same(tool("instcheck", "nonsense").returncode, 100, "usage")
nowhere = os.path.join(tree.scratch, "nowhere")
result = tool("instcheck", destdir=nowhere)
same(result.returncode, 111, "no tree at all")
found("unable to switch to " + nowhere, result.stderr, "no tree at all: message")
result = tool("instchown", destdir=nowhere)
same((result.returncode, result.stderr.decode()),
     (111, "instchown: fatal: unable to open %s%s: file does not exist\n" % (nowhere, tree.path)), "no owners without a tree")

# -- what is there stays

KEEP = ("queue/mess/3/72", "queue/todo/72", "queue/info/3/72", "control/me", "users/cdb", "alias/.qmail-root", "alias/Mailbox")
for path in KEEP:
    write(os.path.join(home, path), "keep " + path)
before = {path: os.lstat(os.path.join(home, path)).st_ino for path in ("bin/qmail-inject", "queue/lock/sendmutex", "queue/lock/trigger")}
silent(tool("instpackage"), "install over it")
silent(tool("instchown"), "owners again")
same([path for path in KEEP if read(os.path.join(home, path)).decode() != "keep " + path], [], "mail and settings are untouched")
after = {path: os.lstat(os.path.join(home, path)).st_ino for path in before}
same([path for path in before if before[path] != after[path]], ["bin/qmail-inject"],
     "programs are replaced as a whole, locks and FIFO are the same files")
same([n for n in os.listdir(home + "/bin") if n.startswith(".")], [], "no temporary files are left")

# -- failures

result = tool("instpackage", cwd="/")
same(result.returncode, 111, "not the source directory")
found(r"instpackage: fatal: unable to read \S+: file does not exist\n", result.stderr, "not the source directory: message")
old = read(home + "/bin/qmail-send")
result = tool("instpackage", preexec=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                                               resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))))
same(result.returncode, 111, "a full disk")
found(r"instpackage: fatal: unable to write \.\.\./(?:doc|bin)/\S+: file too big\n", result.stderr, "a full disk: message")
same(read(home + "/bin/qmail-send") == old, True, "a full disk leaves the old programs")
same([n for n in os.listdir(home + "/bin") if n.startswith(".")], [], "a full disk: no temporary files are left")
os.rename(home + "/queue/lock/tcpto", home + "/queue/lock/away")
target = write(os.path.join(tree.scratch, "target"), "not ours", 0o640)
os.symlink(target, home + "/queue/lock/tcpto")
same((tool("instpackage").returncode, tool("instchown").returncode), (111, 111), "no link in the queue is followed")
same((read(target), stat.S_IMODE(os.stat(target).st_mode)), (b"not ours", 0o640), "what it points to is untouched")
os.unlink(home + "/queue/lock/tcpto")

# -- each thing that can be in the way

def in_the_way(path, make, names, tools, **more):
    """Something is made at path; the tools say what they cannot do. Then it is as before."""
    full = os.path.join(home, path)
    os.rename(full, full + ".away")
    make(full)
    for program, deed in tools:
        result = tool(program, **more)
        same((result.returncode, result.stderr.decode().replace(home, "HOME")), (111, "%s: fatal: %s\n" % (program, deed)), "%s: %s" % (names, program))
    shutil.rmtree(full) if os.path.isdir(full) and not os.path.islink(full) else os.path.lexists(full) and os.unlink(full)
    os.rename(full + ".away", full)


def a_file(path):
    write(path, "not ours")


in_the_way("queue/mess/7", a_file, "a file for a directory", [("instpackage", "unable to mkdir HOME/queue/mess/7: not a directory")])
in_the_way("man/cat5", lambda p: os.symlink("/tmp", p), "a link for a directory", [("instpackage", "unable to mkdir HOME/man/cat5: not a directory"), ("instchown", "unable to open HOME/man/cat5: symbolic link loop")])
in_the_way("queue/lock/trigger", a_file, "a file for the FIFO", [("instpackage", "unable to mkfifo HOME/queue/lock/trigger: file already exists")])
in_the_way("queue/lock/tcpto", os.mkdir, "a directory for a lock file", [("instpackage", "unable to write HOME/queue/lock/tcpto: is a directory")])
in_the_way("queue/lock/sendmutex", lambda p: os.symlink(target, p), "a link for a lock file",
           [("instpackage", "unable to write HOME/queue/lock/sendmutex: symbolic link loop"), ("instchown", "unable to open HOME/queue/lock/sendmutex: symbolic link loop")])
in_the_way("bin/forward", os.mkdir, "a directory for a program", [("instpackage", "unable to write .../bin/forward: is a directory")])
in_the_way("bin/forward", lambda p: None, "nothing for a program", [("instchown", "unable to open .../bin/forward: file does not exist")])
in_the_way("bin", lambda p: None, "no directory of programs", [("instchown", "unable to open HOME/bin: file does not exist")])
in_the_way("boot", a_file, "a file for the directory of boot scripts", [("instpackage", "unable to mkdir HOME/boot: not a directory")])
for path, make, words in (("bin", lambda p: None, "file does not exist"), ("boot", a_file, "not a directory")):
    os.rename(os.path.join(home, path), os.path.join(home, "away"))
    make(os.path.join(home, path))
    result = tool("instcheck")
    ok(result.returncode == 111 and result.stderr.decode().endswith("instcheck: fatal: unable to switch to %s/%s: %s\n" % (home, path, words)), "instcheck: no directory " + path, result.stderr)
    if os.path.exists(os.path.join(home, path)):
        os.unlink(os.path.join(home, path))
    os.rename(os.path.join(home, "away"), os.path.join(home, path))
same(read(target), b"not ours", "what links point to is untouched")
parent = write(os.path.join(tree.scratch, "plain"), "x")
result = tool("instpackage", destdir=parent)
same((result.returncode, result.stderr.decode()), (111, "instpackage: fatal: unable to mkdir %s/%s: not a directory\n" % (parent, tree.path.split("/")[1])), "a file above HOME")
if root:
    as_nobody = dict(preexec=lambda: os.setuid(65534))
    for program, deed in (("instpackage", "unable to chmod HOME: permission denied"), ("instcheck", "unable to switch to HOME/queue: access denied")):
        result = tool(program, **as_nobody)
        same((result.returncode, result.stderr.decode().replace(home, "HOME")), (111, "%s: fatal: %s\n" % (program, deed)), "not root: " + program)
    os.chown(home + "/control", 65534, -1)
    result = tool("instchown", **as_nobody)
    ok(result.returncode == 111 and result.stderr.decode().replace(home, "HOME") == "instchown: fatal: unable to open HOME/queue/pid: access denied\n"
       or b"unable to chown" in result.stderr, "not root: instchown", result.stderr.decode())
else:
    skip(3, "all is ours")
silent(tool("instpackage"), "all as before")
silent(tool("instchown"), "and owners")
same(findings(), [], "nothing is wrong")

# -- formatted pages that are missing or empty

copy = os.path.join(tree.scratch, "copy")
build = os.path.relpath(BUILD, SOURCE)
for part in ("bin", "boot", "man"):
    shutil.copytree(os.path.join(BUILD, part), os.path.join(copy, build, part))
if os.path.isdir(os.path.join(SOURCE, "doc")):
    shutil.copytree(os.path.join(SOURCE, "doc"), os.path.join(copy, "doc"))
pages = sorted(n for n in os.listdir(os.path.join(copy, build, "man/cat8")))
if len(pages) > 2:
    old = read(os.path.join(home, "man/cat8", pages[1]))
    os.unlink(os.path.join(copy, build, "man/cat8", pages[0]))
    write(os.path.join(copy, build, "man/cat8", pages[1]), "")
    write(os.path.join(copy, build, "man/cat8", pages[2]), "a new page\n")
    os.unlink(os.path.join(home, "man/cat8", pages[0]))
    silent(tool("instpackage", cwd=copy), "a missing page and an empty one are passed over")
    same((os.path.exists(os.path.join(home, "man/cat8", pages[0])), read(os.path.join(home, "man/cat8", pages[1])) == old, read(os.path.join(home, "man/cat8", pages[2]))),
         (False, True, b"a new page\n"), "what was there stays; what is new is taken")
    silent(tool("instchown"), "owners without that page")
    same(findings(), [], "and a missing page is no finding")
else:
    skip(4, "no formatted pages here")
os.unlink(os.path.join(copy, build, "man/man8", "qmail-send.8"))
result = tool("instpackage", cwd=copy)
same((result.returncode, result.stderr.decode()), (111, "instpackage: fatal: unable to read %s/man/man8/qmail-send.8: file does not exist\n" % build), "a page's source has to be there")
silent(tool("instpackage"), "back to what was built")

# -- parts of a tree, and a packager without root

dest = os.path.join(tree.scratch, "part")
home = dest + tree.path
silent(tool("instpackage", "queue-only"), "a queue alone")
same(os.listdir(home), ["queue"], "nothing but the queue")
if root:
    dest = os.path.join(tree.scratch, "packager")
    os.mkdir(dest)
    os.chown(dest, 65534, 65534)
    home = dest + tree.path
    silent(tool("instpackage", preexec=lambda: (os.setgroups([]), os.setgid(65534), os.setuid(65534))), "package without root")
    same({path: oct(mode(path)) for path, want in MODES.items() if mode(path) != want}, {}, "package: modes")
    silent(tool("instchown"), "owners by root later")
    silent(tool("instcheck"), "package: all well")
else:
    skip(4, "the change of owners needs root")

# -- over a running system

alice = tree.user("alice")
with tree.running():
    silent(tool("instpackage", destdir=None), "install over a running system")
    silent(tool("instchown", destdir=None), "owners of a running system")
    same(tree.queue(b"Subject: x\n\nstill here\n", "a@b.test", ["alice@" + ME]), 0, "mail is taken")
    ok(tree.wait_done(1), "and delivered", tree.log())
    second = subprocess.run([tree.bin("qmail-start"), "./Mailbox"], stdin=subprocess.DEVNULL, capture_output=True,
                            env={"PATH": tree.at("bin") + ":/bin"}, timeout=60)
    found("cannot start: qmail-send is already running", second.stdout, "the lock still keeps a second one out")
same(len(maildir(alice)), 1, "one message")
silent(tool("instcheck", destdir=None), "and the tree is as it should be")

# -- configuration of the build

for setting, words in (("CONF_SPAWN=0", "conf-spawn lower than 1"), ("CONF_SPAWN=70000", "conf-spawn higher than 65535"),
                       ("CONF_SPLIT=x", "conf-split must be a number"), ("CONF_QMAIL=var", "conf-qmail must begin with a slash"),
                       ("CONF_USERS=a b", "conf-users must have eight names")):
    target = os.path.join(tree.scratch, "conf")
    result = subprocess.run(["make", "-s", "BUILD=" + target, setting, target + "/conf.h"], cwd=SOURCE, capture_output=True,
                            env={"PATH": os.environ["PATH"]}, timeout=120)
    ok(result.returncode != 0 and words in result.stderr.decode(), "refused: " + setting, result.stderr.decode())
    same(os.path.exists(target + "/conf.h"), False, "no conf.h: " + setting)

# -- config-fast

def config_fast(*arguments):
    return subprocess.run(["./config-fast"] + list(arguments), cwd=SOURCE, capture_output=True, timeout=20,
                          env={"PATH": os.environ["PATH"], "CONF_QMAIL": tree.path})


tree.reset()
for name in os.listdir(tree.at("control")):
    os.unlink(tree.at("control", name))
for name, domain, plus in (("mail.dept.example.test", "dept.example.test", "example.test"), ("example.test", "example.test", "example.test"),
                           ("single", "single", "single")):
    result = config_fast(name)
    same((result.returncode, result.stderr), (0, b""), "config-fast " + name)
    found("^Putting %s into control/plusdomain" % plus, result.stdout, "says what it does")
    same((read(tree.at("control/me")), read(tree.at("control/defaultdomain")), read(tree.at("control/plusdomain"))),
         tuple((v + "\n").encode() for v in (name, domain, plus)), "values of " + name)
config_fast("single")
same(read(tree.at("control/locals")), b"mail.dept.example.test\nexample.test\nsingle\n", "each name once in locals")
result = config_fast()
same((result.returncode, result.stderr), (100, b"config-fast: usage: config-fast your.full.host.name\n"), "config-fast: usage")
done()
