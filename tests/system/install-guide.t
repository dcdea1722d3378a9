#!/usr/bin/python3
"""INSTALL, carried out: each step as the text prints it, then what it promises.

It is done on a machine of its own, see machine.py. Two things are not what they are on
a Debian: apt-get, whose packages are looked up instead of installed, and systemctl and
telinit, which do for one service what systemd and init would.
"""
import grp, stat
from install_text import *
from machine import *

NAME = "your.full.host.name"
SYSTEMCTL = r'''#!/usr/bin/python3
import os, shlex, subprocess, sys
what = sys.argv[1]
names = [a for a in sys.argv[2:] if not a.startswith("-")]
now = "--now" in sys.argv
if what == "daemon-reload":
    sys.exit(0)
for name in names:
    path = "/etc/systemd/system/%s.service" % name
    wanted = "/etc/systemd/system/multi-user.target.wants/%s.service" % name
    pid = "/run/%s.pid" % name
    unit, env = {}, {}
    for line in open(path):
        key, equals, value = line.rstrip("\n").partition("=")
        if key == "Environment":
            env.update([value.split("=", 1)])
        elif equals:
            unit[key] = value
    def command(key):
        return [word.replace("$MAINPID", open(pid).read() if os.path.exists(pid) else "") for word in shlex.split(unit[key])]
    if what == "enable":
        os.makedirs(os.path.dirname(wanted), exist_ok=True)
        os.symlink(path, wanted)
    if what == "disable":
        os.unlink(wanted)
    if what == "start" or (what == "enable" and now):
        null = open("/dev/null", "r+b")
        child = subprocess.Popen(command("ExecStart"), env=env, cwd="/", stdin=null, stdout=null, stderr=null, start_new_session=True)
        open(pid, "w").write(str(child.pid))
    if what == "stop" or (what == "disable" and now):
        subprocess.run(command("ExecStop"), env=env, cwd="/", check=True)
        os.unlink(pid)
    if what == "reload":
        subprocess.run(command("ExecReload"), env=env, cwd="/", check=True)
'''
TELINIT = r'''#!/bin/sh
[ "$1" = q ] || exit 1
sed -n 's/^[^#:]*:2345:respawn://p' /etc/inittab | while read -r command; do
    setsid sh -c "exec $command" < /dev/null > /dev/null 2>&1 &
done
'''

on_a_machine_of_our_own()
write("/usr/sbin/sendmail", "#!/bin/sh\necho the old one\n", 0o755)
for path, text in (("/usr/bin/systemctl", SYSTEMCTL), ("/usr/sbin/telinit", TELINIT)):
    if os.path.lexists(path):  # one may be a link to the other
        os.unlink(path)
    write(path, text, 0o755)


# -- carrying out

def built(program):
    return os.path.exists(HOME + "/bin/" + program)


def can_run(line):
    """Programs that this build does not have are left out, with a word."""
    missing = [p for p in re.findall(re.escape(HOME) + r"/bin/([a-z-]+)", line) if os.path.isdir(HOME + "/bin") and not built(p)]
    missing = [p for p in missing if p != "checkpassword-auth"]
    if line == "mailq" and not built("qmail-qread"):
        missing.append("qmail-qread")
    if missing:
        skip(1, "there is no " + missing[0])
    return not missing


def carry_out(step, block):
    """The block in a shell of root's that ends at the first failure, in the directory of
    the sources. True if that went well and what was promised was printed."""
    script = ""
    for number, part in enumerate(block.parts):
        script += "echo '@@ part %d'\n" % number
        script += "".join(line + "\n" for line in part.commands if not line.startswith("apt-get ") and can_run(line))
    status, text = shell(script, SOURCES, dict(LOGIN, MAKEFLAGS="-j2"))
    where = "step %d" % step.number
    well = ok(status == 0, "%s: its commands succeed" % where, "%s\nexit %d after:\n%s" % (script, status, text[-3000:]))
    for part, printed in zip(block.parts, re.split(r"^@@ part \d+\n", text, flags=re.M)[1:]):
        lines = printed.splitlines()
        well = same(missing_promise(part.promised, lines), None, "%s: prints what it promises%s" % (where, ": " + part.promised[0] if part.promised else "")) and well
    return well


SERVICES = ("send", "smtp", "submission", "pop3")


def all_up():
    return wait_for(lambda: all(is_up(name) for name in SERVICES))


def left():
    """Processes of the mail system."""
    names = quietly("ps", "-e", "-o", "comm=").stdout.decode().split()
    return sorted({n for n in names if n.startswith("qmail-") or n in ("svscan", "supervise", "multilog", "tcpserver", "readproctitle")})


def inject(recipient, text, program=HOME + "/bin/qmail-inject"):
    message = "To: %s\nSubject: %s\n\n" % (recipient, text)
    return subprocess.run([program, recipient] if "sendmail" in program else [program], input=message.encode(), env={"PATH": LOGIN["PATH"], "USER": "root"},
                          timeout=60).returncode == 0


def for_joe(text):
    """The messages in joe's maildir that have this text in them."""
    return [m for m in maildir("/home/joe") if text.encode() in m]


def comes(text, count=1):
    return wait_for(lambda: len(for_joe(text)) >= count) and len(for_joe(text)) == count


def waiting():
    """Numbers of the messages in the queue."""
    return sorted(name for _, _, files in os.walk(HOME + "/queue/mess") for name in files)


# -- what the steps promise, by how they begin; a name with "before" comes first

def packages(step):
    lines = [line.split() for line in step.blocks[0].commands() if line.startswith("apt-get install ")]
    named = [word for line in lines for word in line[2:]]
    ok(named, "step 1: packages are named")
    if not shutil.which("dpkg-query"):
        skip(2, "not a Debian")
        return
    missing = [p for p in named if b"install ok installed" not in quietly("dpkg-query", "-W", "-f", "${Status}", p).stdout]
    missing = [p for p in missing if quietly("apt-get", "-s", "install", p).returncode]
    same(missing, [], "step 1: the packages exist")

    def comes_with(command):
        """The package of a command is one of those named, or on every Debian."""
        path = shutil.which(command, path=LOGIN["PATH"])
        if path is None or command in ("systemctl", "telinit"):
            return command in ("systemctl", "telinit", "cd", "echo", "exit")
        real = [path, re.sub("^/usr", "", path), os.path.realpath(path)]
        owners = {o.strip() for p in real for l in quietly("dpkg-query", "-S", p).stdout.decode().splitlines()
                  if l.endswith(": " + p) for o in l.rpartition(":")[0].split(",")}
        fields = [quietly("dpkg-query", "-W", "-f", "${Essential} ${Priority}", o).stdout.decode() for o in owners]
        return bool({o.split(":")[0] for o in owners} & set(named)) or any("yes" in f or "required" in f for f in fields)

    words = set()
    for block in [b for s in everything for b in s.blocks if b.kind == "run"]:
        for line in re.sub(r"<< '?END'?\n.*?\nEND\n", "\n", "\n".join(block.commands()) + "\n", flags=re.S).replace("\\\n", " ").split("\n"):
            for command in re.split(r"&&|\|\||[|;]|\$\(|\bdo\b|\buntil\b|\bwhile\b", line):
                word = re.match(r"[\s(]*((?:[A-Z]+=\S+\s+)*)([a-z][a-z0-9-]*)(?=\s|$|\))", command)
                if word and word.group(2) not in ("for", "done", "if", "then", "fi", "cd", "echo", "exit", "mailq", "umask"):
                    words.add(word.group(2))
    ok(len(words) > 15, "step 1: the commands of the text are found", words)
    same(sorted(w for w in words if not comes_with(w)), [], "step 1: with these packages every command of the text is there")


def accounts():
    found = {}
    for name in USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        found[name] = (grp.getgrgid(entry.pw_gid).gr_name, entry.pw_dir, entry.pw_shell)
    return found


def users(step):
    want = {name: (group, HOME + "/alias" if name == "alias" else HOME, "/usr/sbin/nologin") for name, group in USERS.items()}
    same(accounts(), want, "step 2: the users are there")
    before = read("/etc/passwd"), read("/etc/group")
    forget(["qmailr"], [])
    printed = shell("\n".join(step.blocks[0].commands()), SOURCES)[1]
    same(printed, "useradd -g qmail -d %s -s /usr/sbin/nologin qmailr\n" % HOME, "step 2: again it makes what is missing")
    same(accounts(), want, "step 2: the users are all there again")
    same([l for l in before[0].splitlines() if b"qmailr" not in l], [l for l in read("/etc/passwd").splitlines() if b"qmailr" not in l],
         "step 2: and the others are as they were")
    same(any(os.path.exists(u) for u in (HOME, HOME + "/alias")), False, "step 2: no home was made")


def build(step):
    check = subprocess.run(["./instcheck"], cwd=SOURCES, capture_output=True, timeout=60)
    same((check.returncode, check.stdout + check.stderr), (0, b""), "step 3: instcheck is silent")
    entry = os.stat(HOME + "/bin/qmail-queue")
    same((pwd.getpwuid(entry.st_uid).pw_name, oct(stat.S_IMODE(entry.st_mode))), ("qmailq", "0o4711"), "step 3: qmail-queue has its owner and mode")
    ok(os.path.getsize(HOME + "/man/cat5/qmail-control.0") > 1000, "step 3: manual pages are formatted")
    for name in ("FAQ.md", "UPGRADE.md", "INSTALL.md"):
        ok(os.path.exists(HOME + "/doc/" + name), "step 3: %s, which the text names, is installed" % name)


def name(step):
    files = {n: read(HOME + "/control/" + n).decode() for n in os.listdir(HOME + "/control")}
    same(files, {"me": NAME + "\n", "locals": NAME + "\n", "rcpthosts": NAME + "\n", "defaultdomain": "full.host.name\n", "plusdomain": "host.name\n"},
         "step 4: the control files")


def somebody(step):
    home = os.stat("/home/joe/Maildir/new")
    same((pwd.getpwuid(home.st_uid).pw_name, oct(stat.S_IMODE(home.st_mode))), ("joe", "0o700"), "step 5: joe has a maildir")
    aliases = {n: (read(HOME + "/alias/" + n), oct(stat.S_IMODE(os.stat(HOME + "/alias/" + n).st_mode))) for n in os.listdir(HOME + "/alias")}
    same(aliases, {".qmail-" + n: (b"&joe\n", "0o644") for n in ("postmaster", "mailer-daemon", "root")}, "step 5: the aliases")


def another(step):
    links = {n: os.path.realpath("/usr/" + n) for n in ("sbin/sendmail", "lib/sendmail", "bin/mailq", "bin/newaliases")}
    same(links, {n: HOME + "/bin/sendmail" for n in links}, "step 6: the links")
    same(quietly("/usr/sbin/sendmail.old").stdout, b"the old one\n", "step 6: the old sendmail is kept")


def services(step):
    same(sorted(os.listdir(HOME + "/service")), sorted(SERVICES + ("stop",)), "step 7: the services are in place")
    same(oct(stat.S_IMODE(os.stat(service("smtp")).st_mode)), "0o1755", "step 7: with their logs")
    found("rule 127.|allow", quietly("tcprulescheck", "/etc/tcp.smtp.cdb", "127.0.0.1").stdout, "step 7: the rules are compiled")


def start(step):
    if shutil.which("systemd-analyze"):
        verified = quietly("systemd-analyze", "verify", "--man=no", "/etc/systemd/system/reqmail.service")
        same((verified.returncode, [l for l in verified.stdout.decode().splitlines() if "reqmail" in l]), (0, []), "step 8: systemd understands the unit")
    else:
        skip(1, "no systemd-analyze")
    ok(os.path.exists("/etc/systemd/system/multi-user.target.wants/reqmail.service"), "step 8: enabled at boot")
    ok(all_up(), "step 8: everything is up", [quietly("svstat", service(n)).stdout for n in SERVICES] + [log(n) for n in SERVICES])
    reloaded = quietly("systemctl", "reload", "reqmail")
    same((reloaded.returncode, reloaded.stdout), (0, b""), "step 8: systemctl reload")
    same(quietly("systemctl", "stop", "reqmail").returncode, 0, "step 8: systemctl stop")
    ok(wait_for(lambda: not left(), 30), "step 8: nothing is left after that", left())
    found(r"status: exiting\n\Z", log(), "step 8: qmail-send has ended in order, and the log is complete")
    for name in SERVICES:
        os.unlink(service(name) + "/log/main/current")
    # the other way
    carry_out(step, step.of_kind("instead")[0])
    ok(all_up(), "step 8: by svscanboot everything is up, too")
    pid = quietly("pgrep", "-x", "svscan").stdout.decode().strip()
    same(quietly(HOME + "/service/stop", pid).returncode, 0, "step 8: stop ends what svscanboot has started")
    ok(wait_for(lambda: not left(), 30), "step 8: nothing is left after that either", left())
    shutil.rmtree("/etc/service")
    os.unlink("/etc/inittab")
    for name in SERVICES:
        os.unlink(service(name) + "/log/main/current")
    quietly("systemctl", "start", "reqmail")
    ok(all_up(), "step 8: up again")
    found(r"\A@[0-9a-f]{24} status: local 0/10 remote 0/20\n", log(), "step 8: the log begins as it should")


def answers(address, port):
    try:
        socket.create_connection((address, port), 20).close()
        return True
    except OSError:
        return False


def look(step):
    same([(port, answers("127.0.0.1", port), answers("127.0.0.2", port)) for port in (25, 587, 110)],
         [(25, True, True), (587, True, False), (110, True, False)], "step 7: what asks for passwords in clear text listens on 127.0.0.1 alone")


def try_it(step):
    ok(comes("Subject: by SMTP"), "step 10: by SMTP to postmaster, which is joe", log())
    ok(comes("Subject: by submission"), "step 10: by submission", log("submission"))
    ok(comes("Hi. This is the qmail-send program"), "step 10: the bounce", log())
    ok(wait_for(lambda: len(maildir("/home/joe")) == 4), "step 10: and the first, and no others", len(maildir("/home/joe")))
    found(rb"with ESMTPA;", b"".join(for_joe("by submission")), "step 10: by submission: with joe's password")
    ok(inject("root", "for root", "/usr/sbin/sendmail") and comes("Subject: for root"), "step 6: sendmail sends; mail for root goes to joe", log())
    for name in os.listdir("/home/joe/Maildir/new"):  # the text knows of four messages
        if b"for root" in read("/home/joe/Maildir/new/" + name):
            os.unlink("/home/joe/Maildir/new/" + name)


def what_the_log(step):
    same(len(re.findall(r" success: did_", log())), 7, "step 11: what was logged")  # five messages; two by way of an alias


def every_day_before(step):
    write(HOME + "/control/smtproutes", "far.test:127.0.0.1:%d\n" % nobody_listens)
    inject("ann@far.test", "patience")
    wait_for(lambda: "deferral:" in log())
    with open(HOME + "/control/locals", "a") as f:
        f.write("extra.test\n")


def every_day(step):
    ok(all_up(), "step 12: everything is up")
    ok(wait_for(lambda: len(re.findall("deferral:", log())) >= 2), "step 12: the queue was tried again", log())
    ok(wait_for(lambda: "status: exiting\n" in log()), "step 12: deliveries were restarted")
    ok(inject("joe@extra.test", "locals") and comes("Subject: locals"), "step 12: locals was read again", log())
    wait_for(lambda: len(waiting()) == 1)


def backup(step):
    listed = quietly("tar", "-tf", "/var/backups/queue.tar").stdout.decode()
    number = waiting()
    ok(len(number) == 1 and re.search(r"^queue/mess/\d+/%s$" % number[0], listed, re.M), "step 13: the message that waits is in the backup", (number, listed[-500:]))
    same([oct(os.stat("/var/backups/" + n).st_mode & 0o777) for n in ("queue.tar", "qmail.tar")], ["0o600"] * 2, "step 13: nobody else reads it")
    found(r"^control/me$", quietly("tar", "-tf", "/var/backups/qmail.tar").stdout, "step 13: and so are the settings")
    ok(all_up(), "step 13: everything is up again")


def restore(step):
    found("sendmutex", "\n".join(os.listdir(HOME + "/queue/lock")), "step 14: the queue is there")
    ok(all_up(), "step 14: everything is up again", log())
    same(len(waiting()), 1, "step 14: the message that waits is there")
    before = len(re.findall("deferral:", log()))
    quietly("svc", "-a", service("send"))
    ok(wait_for(lambda: len(re.findall("deferral:", log())) > before), "step 14: and is tried", log())
    ok(inject("joe", "restored") and comes("Subject: restored"), "step 14: new mail is delivered", log())


def upgrade(step):
    check = subprocess.run(["./instcheck"], cwd=SOURCES, capture_output=True, timeout=60)
    same(check.stderr, b"", "step 15: instcheck is silent")
    ok(all_up(), "step 15: everything is up again", log())
    ok(inject("joe", "upgraded") and comes("Subject: upgraded"), "step 15: new mail is delivered", log())
    wait_for(lambda: len(waiting()) == 1)
    same(len(waiting()), 1, "step 15: the message that waits is there")


def going_back(step):
    ok(all_up(), "step 16: everything is up again", log())
    ok(inject("joe", "gone back") and comes("Subject: gone back"), "step 16: new mail is delivered", log())
    sink = Sink(port=nobody_listens)
    quietly("svc", "-a", service("send"))
    ok(wait_for(lambda: sink.messages), "step 16: the message that waited through all of this goes out", log())
    ok(wait_for(lambda: not waiting()), "step 16: the queue is empty", log())
    same([m[1] for m in sink.messages], [[b"<ann@far.test>"]], "step 16: it went out once")
    sink.close()


def packaging(step):
    root = SOURCES + "/build/root" + HOME
    same(sorted(os.listdir(root + "/bin")), sorted(n for n in os.listdir(SOURCES + "/build/bin")), "step 17: the programs are in the package's tree")
    same(oct(stat.S_IMODE(os.stat(root + "/bin/qmail-queue").st_mode)), "0o4711", "step 17: with their modes")


def removing(step):
    ok(wait_for(lambda: not left(), 30), "step 18: nothing runs any more", left())
    paths = [HOME, "/etc/tcp.smtp", "/etc/tcp.smtp.cdb", "/etc/systemd/system/reqmail.service",
             "/etc/systemd/system/multi-user.target.wants/reqmail.service", "/usr/lib/sendmail", "/usr/bin/mailq", "/usr/bin/newaliases"]
    same([p for p in paths if os.path.lexists(p)], [], "step 18: no file is left")
    same(accounts(), {}, "step 18: no user is left")
    same(quietly("/usr/sbin/sendmail").stdout, b"the old one\n", "step 18: the old sendmail is back")


PROMISES = [
    ("Packages:", packages, None), ("Users", users, None), ("Build", build, None), ("The name", name, None),
    ("Somebody", somebody, None), ("Another MTA", another, None), ("Services", services, None), ("Start", start, None), ("Look", look, None),
    ("Try it", try_it, None), ("What the log", what_the_log, None), ("Every day", every_day, every_day_before), ("Backup", backup, None),
    ("Restore", restore, None), ("Upgrade", upgrade, None), ("Going back", going_back, None), ("Packages are", packaging, None),
    ("Removing", removing, None),
]
everything, lost = steps()
if sanitized:
    subprocess.run(["umount", HOME + "/sanitizer"], check=True)  # what is built here is built as the text says
    shutil.rmtree(HOME)
same(lost, [], "every command belongs to a step")
same([s.number for s in everything], list(range(1, len(everything) + 1)), "the steps are numbered")
same([s.title[:20] for s, p in zip(everything, PROMISES) if not s.title.startswith(p[0])], [], "the steps are those whose promises are known here")
same(len(everything), len(PROMISES), "none is left out")
nobody_listens = free_port()
for step, (_, check, before) in zip(everything, PROMISES):
    if any("qmail-qfix" in line for b in step.blocks for line in b.commands()) and not built("qmail-qfix"):
        skip(1, "step %d: there is no qmail-qfix" % step.number)
        continue
    if before:
        before(step)
    well = [carry_out(step, block) for block in step.of_kind("run")]
    if not all(well):
        note("step %d does not do what it says: %s" % (step.number, step.title))
    if check:
        check(step)
    for block in step.of_kind("own"):
        words = re.findall(re.escape(HOME) + r"/bin/([a-z-]+)", "\n".join(block.commands()))
        same([w for w in words if os.path.isdir(HOME) and not built(w)], [], "step %d: what is on your own names programs that are there" % step.number)
done()
