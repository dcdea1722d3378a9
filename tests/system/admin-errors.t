#!/usr/bin/python3
"""The mistakes an administrator can make on the way to a running system: each is met by a
message that names what is wrong and, where its text is free, what to do; where it is not,
qmail-showctl -c says it."""
from reqmail import *

tree = Tree()
BUILD = os.path.join(SOURCE, os.environ["BUILD"])
PATH = {"PATH": os.environ["PATH"]}


def run(command, **more):
    more.setdefault("env", {"PATH": tree.at("bin") + ":/usr/bin:/bin", "USER": "tester"})
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, cwd=more.pop("cwd", "/"), **more)


def meets(name, command, code, *patterns, **more):
    """The command ends with that code and says all of the patterns."""
    result = run(command, **more)
    text = result.stdout.decode("latin1")
    good = (result.returncode == code if code is not None else result.returncode != 0) and all(re.search(p, text, re.M) for p in patterns)
    ok(good, name, "exit %d, wanted %r\n%s\nwanted %r" % (result.returncode, code, text[-2000:], patterns))


def says(name, pattern):
    """qmail-showctl -c names it and the remedy."""
    meets(name + ": qmail-showctl -c", [tree.bin("qmail-showctl"), "-c"], 1, pattern)


HERE = re.escape(tree.path)
INJECT = [tree.bin("qmail-inject"), "-f", "a@here.test", "b@here.test"]
START = [tree.bin("qmail-start"), "./Mailbox"]

# -- conf-* files that cannot work

conf = os.path.join(tree.scratch, "conf")
for setting, words in (
        ("CONF_SPLIT=0", "conf-split lower than 1"), ("CONF_SPLIT=x", "conf-split must be a number"), ("CONF_SPLIT=", "conf-split must be a number"),
        ("CONF_SPLIT=100000", "conf-split higher than 65535"), ("CONF_SPLIT=99999999999999999999", "conf-split higher than 65535"),
        ("CONF_SPAWN=0", "conf-spawn lower than 1"), ("CONF_SPAWN=-1", "conf-spawn lower than 1"), ("CONF_SPAWN=65536", "conf-spawn higher than 65535"),
        ("CONF_SPAWN=many", "conf-spawn must be a number"), ("CONF_BREAK=", "conf-break must be one character"), ("CONF_BREAK=--", "conf-break must be one character"),
        ("CONF_BREAK=@", "conf-break must be one of"), ("CONF_BREAK=/", "conf-break must be one of"), ("CONF_BREAK=a", "conf-break must be one of"),
        ("CONF_PATRN=9", "conf-patrn must be a number in octal"), ("CONF_PATRN=7777", "conf-patrn must be at most 0777"),
        ("CONF_QMAIL=", "conf-qmail must begin with a slash"), ("CONF_QMAIL=qmail", "conf-qmail must begin with a slash"),
        ("CONF_QMAIL=/", "conf-qmail must not end in a slash"), ("CONF_QMAIL=/var/q mail", "conf-qmail may hold"),
        ("CONF_USERS=a b c", "conf-users must have eight names"), ("CONF_GROUPS=a", "conf-groups must have two names"),
        ("CONF_USERS=a b c d e f g h;i", "conf-users may hold")):
    meets("refused: " + setting, ["make", "-s", "BUILD=" + conf, setting, conf + "/conf.h"], None, "^Oops. .*" + re.escape(words), cwd=SOURCE, env=PATH)
ok(not os.path.exists(conf + "/conf.h"), "nothing was made of them")
for setting, line in (("CONF_SPLIT=023", "#define CONF_SPLIT 23"), ("CONF_BREAK=+", "#define CONF_BREAK '+'"), ("CONF_SPAWN=65535", "#define CONF_SPAWN 65535"),
                      ("CONF_BREAK=#", "#define CONF_BREAK '#'")):
    result = run(["make", "-s", "BUILD=" + conf, setting, conf + "/conf.h"], cwd=SOURCE, env=PATH)
    ok(line in read(conf + "/conf.h").decode().splitlines(), "taken: " + setting, result.stdout.decode())
meets("a compiler that is not there", ["make", "-s", "BUILD=" + conf, "CONF_CC=no-such-cc", conf + "/src/base/bytes.o"], None, "no-such-cc", cwd=SOURCE, env=PATH)

# -- users and groups that are not there

if private:
    tree.keep_accounts()
    passwd, group = (read(n).decode() for n in ("/etc/passwd", "/etc/group"))
    without = lambda text, name: "".join(l for l in text.splitlines(True) if not l.startswith(name + ":"))
    dest = os.path.join(tree.scratch, "dest")
    settings = ["%s=%s" % (name, os.environ[name]) for name in ("BUILD", "CONF_CC", "CONF_LD", "CONF_LIGHT")] + ["CONF_QMAIL=" + tree.path, "CONF_USERS=" + os.environ["CONF_USERS"], "CONF_GROUPS=" + os.environ["CONF_GROUPS"]]
    for kind, name, program in (("user", tree.names[6], "useradd"), ("group", "nofiles", "groupadd")):
        write("/etc/passwd", without(passwd, name))
        write("/etc/group", without(group, name))
        wanted = ["^fatal: unable to find %s %s$" % (kind, name)]
        # a group that owns nothing is no reason to stop
        meets("make setup without %s %s" % (kind, name), ["make", "-s", "setup", "DESTDIR=" + dest] + settings, None if kind == "user" else 0,
              *wanted[:kind == "user"], "^Accounts are missing. This makes them:\n%s .*%s$" % (program, name), cwd=SOURCE, env=PATH)
        meets("qmail-start without %s %s" % (kind, name), START, 111, *wanted)
        meets("qmail-showctl without %s %s" % (kind, name), [tree.bin("qmail-showctl")], 111, *wanted)
        says("without %s %s" % (kind, name), "^/etc/\\w+: has no %s %s, .*; %s .*%s$" % (kind, name, program, name))
        result = run(["sh", "src/admin/users.sh", "-n", tree.path, os.environ["CONF_USERS"], os.environ["CONF_GROUPS"]], cwd=SOURCE, env=PATH)
        same((result.returncode, [l.split()[0] for l in result.stdout.decode().splitlines()]), (0, [program]), "users.sh -n prints the command that is wanted")
    write("/etc/group", group)
    write("/etc/passwd", without(passwd, tree.names[6]))
    meets("instchown without a user", [BUILD + "/instchown"], 111, "^fatal: unable to find user %s$" % tree.names[6], cwd=SOURCE, env=PATH)
    meets("instcheck without a user", [BUILD + "/instcheck"], 111, "^fatal: unable to find user %s$" % tree.names[6], cwd=SOURCE, env=PATH)
    for program, lines in (("qmail-start", (2, 5, 6, 7)), ("qmail-lspawn", (4, 5)), ("qmail-rspawn", (5,)), ("qmail-queue", (0, 1, 7))):
        for line in lines:
            write("/etc/passwd", without(passwd, tree.names[line]))
            meets("%s without user %s" % (program, tree.names[line]), [tree.bin(program), "./Mailbox"], 111, "^fatal: unable to find user %s$" % tree.names[line])
    write("/etc/passwd", without(passwd, tree.names[0]))
    meets("qmail-inject without the alias user, for which its qmail-queue speaks", INJECT, 111, "^fatal: unable to find user %s$" % tree.names[0])
    write("/etc/passwd", passwd)
else:
    skip(22, "makes changes to /etc")

# -- make setup in the wrong order, and by the wrong user

nowhere = os.path.join(tree.scratch, "nowhere")
meets("config-fast before make setup", [os.path.join(SOURCE, "config-fast"), "a.test"], 111, r"^config-fast: fatal: there is no %s/control; make setup makes it$" % re.escape(nowhere),
      env=dict(PATH, CONF_QMAIL=nowhere))
meets("config before make setup", [os.path.join(SOURCE, "config")], 111, r"^config: fatal: there is no %s/control; make setup makes it$" % re.escape(nowhere),
      env=dict(PATH, CONF_QMAIL=nowhere))
meets("config in another directory", [os.path.join(SOURCE, "config")], 111, r"^config: fatal: there is no \./hostname; run make, then \./config", env=dict(PATH, CONF_QMAIL=tree.path))
meets("config-fast without a name", [os.path.join(SOURCE, "config-fast")], 100, "^config-fast: usage: config-fast your.full.host.name$", env=PATH)
meets("config-fast with what is no name", [os.path.join(SOURCE, "config-fast"), "joe@a.test"], 100, "^config-fast: usage: .*this is no name: joe@a.test$", env=PATH)
meets("owners before the files", [BUILD + "/instchown"], 111, "^instchown: fatal: unable to open %s%s: file does not exist$" % (re.escape(nowhere), HERE), cwd=SOURCE, env=dict(PATH, DESTDIR=nowhere))
meets("the installer in another directory", [BUILD + "/instpackage"], 111, "^instpackage: fatal: unable to read \\S+: file does not exist$", env=dict(PATH, DESTDIR=nowhere))
if root:
    meets("make setup without root", [BUILD + "/instpackage"], 111, "^instpackage: fatal: unable to chmod %s: permission denied$" % HERE, cwd=SOURCE, env=PATH, preexec_fn=lambda: os.setuid(65534))
else:
    skip(1, "all is ours")

# -- no name for the host

for name in ("me", "locals"):
    tree.control(name, None)
meets("qmail-send without me", START, 111, "^alert: cannot start: unable to read controls$")
meets("qmail-remote without me", [tree.bin("qmail-remote"), "h.test", "a", "b"], 0, r"^ZUnable to read control files. \(#4.3.0\)$")
meets("qmail-smtpd without me", [tree.bin("qmail-smtpd")], 1, r"^421 unable to read controls \(#4.3.0\)\r$")
says("without me", "^%s/control/me: is missing, .*; run ./config-fast your.full.host.name in the source folder$" % HERE)
for service, words in (("send", "no .*/control/me; ./config-fast"), ("smtp", "no .*/control/me; ./config-fast"), ("pop3", "no .*/control/me; ./config-fast")):
    fake = os.path.join(tree.scratch, "fake")  # a sleep that does not
    write(fake + "/sleep", "#!/bin/sh\n", 0o755)
    meets("service/%s without me" % service, [os.path.join(BUILD, "service", service, "run")], 1, "^not started: " + words,
          env={"PATH": fake + ":/usr/bin:/bin", "SETTINGS_READ": "1", "QMAIL_HOME": tree.path})
tree.reset()
tree.control("rcpthosts", None)
meets("service/smtp without rcpthosts", [os.path.join(BUILD, "service/smtp/run")], 1, "^not started: without .*/control/rcpthosts this would be an open relay$",
      env={"PATH": fake + ":/usr/bin:/bin", "SETTINGS_READ": "1", "QMAIL_HOME": tree.path})
tree.reset()

# -- owners and modes

if root:
    daemon = tree.as_user(1)
    os.chmod(tree.bin("qmail-queue"), 0o711)
    meets("qmail-queue without its set-id bit", INJECT, 111, r"^qmail-inject: fatal: qq trouble creating files in queue \(#4.3.0\)$", preexec_fn=daemon)
    says("qmail-queue without its set-id bit", "^%s/bin/qmail-queue: has wrong permissions; chmod 4711 it$" % HERE)
    os.chmod(tree.bin("qmail-queue"), 0o4711)
    os.chmod(tree.at("control/locals"), 0o600)
    meets("control/locals that qmail-send cannot read", START, 111, "^alert: cannot start: unable to read controls$")
    says("control/locals that qmail-send cannot read", "^%s/control/locals: cannot be read by qmail-send, which runs as %s; chmod 644 it$" % (HERE, tree.names[7]))
    os.chmod(tree.at("control/locals"), 0o644)
    os.chmod(tree.at("control/me"), 0o600)
    meets("control/me that users cannot read", INJECT, 111, "^qmail-inject: fatal: read error$", preexec_fn=daemon)
    says("control/me that users cannot read", "^%s/control/me: cannot be read by qmail-inject, which runs as anybody; chmod 644 it$" % HERE)
    os.chmod(tree.at("control/me"), 0o644)
    os.chown(tree.at("queue/lock/sendmutex"), 0, 0)
    meets("a lock that is not qmail-send's", START, 111, "^alert: cannot start: unable to open mutex$")
    says("a lock that is not qmail-send's", "^%s/queue/lock/sendmutex: has wrong owner; chown %s it$" % (HERE, tree.names[7]))
    os.chown(tree.at("queue/lock/sendmutex"), tree.ids(7)[0], tree.ids(7)[1])
    os.chmod(tree.at("queue"), 0o700)
    meets("a queue that qmail-send cannot enter", START, 111, "^alert: cannot start: unable to switch to queue directory$")
    says("a queue that qmail-send cannot enter", "^%s/queue: has wrong permissions; chmod 0750 it$" % HERE)
    subprocess.run([BUILD + "/instchown"], check=True, env=PATH, cwd=SOURCE)
else:
    skip(10, "one user may do everything to its own files")

# -- HOME that is not there, and one that is full

os.rename(tree.at("queue"), tree.at("queue.away"))
meets("qmail-inject without a queue", INJECT, 111, r"^qmail-inject: fatal: qq trouble creating files in queue \(#4.3.0\)$")
meets("qmail-send without a queue", START, 111, "^alert: cannot start: unable to switch to queue directory$")
says("without a queue", "^%s/queue: does not exist; make setup in the source folder$" % HERE)
os.rename(tree.at("queue.away"), tree.at("queue"))
if private:
    empty = os.path.join(tree.scratch, "empty")
    os.mkdir(empty)
    bin_elsewhere = os.path.join(tree.scratch, "bin")
    shutil.copytree(tree.at("bin"), bin_elsewhere)
    hidden = [(empty, tree.path)]
    meets("qmail-showctl without HOME's control", mounted(hidden, [bin_elsewhere + "/qmail-showctl"]), 111, "^Oops! Unable to chdir to control.$")
    meets("qmail-showctl -c without HOME's control", mounted(hidden, [bin_elsewhere + "/qmail-showctl", "-c"]), 111,
          "^qmail-showctl: fatal: unable to switch to %s/control: file does not exist; make setup" % HERE)
    meets("qmail-upq without a queue", mounted(hidden, [BUILD + "/qmail-upq"]), 111, "^qmail-upq: fatal: unable to switch to %s/queue: file does not exist$" % HERE)

    small = os.path.join(tree.scratch, "small")
    os.mkdir(small)
    on_small = lambda size, options, script: ["/usr/bin/unshare", "--mount", "/bin/sh", "-c",
                                              "mount -t tmpfs -o size=%s,mode=755 small '%s' && { %s; }" % (size, small, script)]
    meets("make setup on a full disk", on_small("200k", "", "DESTDIR='%s' %s/instpackage" % (small, BUILD)), 111,
          r"^instpackage: fatal: unable to (write|mkdir|mkfifo) \S+: out of disk space$", cwd=SOURCE, env=PATH)
    meets("make setup on a read-only disk", on_small("200k", "", "mount -o remount,ro '%s'; DESTDIR='%s' %s/instpackage" % (small, small, BUILD)), 111,
          r"^instpackage: fatal: unable to mkdir \S+: read-only file system$", cwd=SOURCE, env=PATH)
    meets("a message on a full disk", on_small("64k", "", "cp -a '%s/queue/.' '%s' 2> /dev/null; mkdir -p '%s/queue' && mount --bind '%s' '%s/queue' && "
          "dd if=/dev/zero of='%s/filler' bs=1k 2> /dev/null; head -c 100000 /dev/zero | tr '\\\\0' x | '%s' -f a@b c@d"
          % (tree.path, small, tree.path, small, tree.path, small, tree.bin("qmail-inject"))), 111, r"^qmail-inject: fatal: qq (write error or disk full|trouble creating files in queue) \(#4.3.0\)$")
else:
    skip(6, "mounts")

# -- a queue made with another split

os.rename(tree.at("queue/mess/22"), tree.at("queue/mess/29"))
says("a queue of another split", "^%s/queue/mess/22: does not exist; make setup in the source folder$" % HERE)
says("a queue of another split", "^%s/queue/mess/29: was made with a larger conf-split, .*; stop the system and run ./qmail-upq in the source folder$" % HERE)
os.rename(tree.at("queue/mess/29"), tree.at("queue/mess/22"))
os.mkdir(tree.at("queue/todo/0"))
meets("a queue of the big-todo patch", START, 111, "^alert: cannot start: ")
says("a queue of the big-todo patch", "^%s/queue/todo/0: was made with the big-todo patch, .*; let the old system empty its queue" % HERE)
os.rmdir(tree.at("queue/todo/0"))

# -- and nothing is wrong afterwards

meets("all is well again", [tree.bin("qmail-showctl"), "-c"], 0, r"\A\Z")
done()
