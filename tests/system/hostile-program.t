#!/usr/bin/python3
"""Programs of hostile users: they hang, fork, print without end, kill, stop, close and
use up what they can. The spawner and the deliveries of others go on."""
from spawner import *

if not root:
    skip_all("needs root: deliveries run as their users")

tree = Tree()
names = {}
for n, name in enumerate(("bad", "good")):
    names[name] = tree.user(name)
uid, gid, home = tree.users["bad"]
path = message(tree, b"Subject: x\n\n" + b"a line of the body\n" * 1000)
CONTENT = read(path)
CRASHED, AACK = b"Zqmail-local crashed.\n", b"ZAack, child crashed. (#4.3.0)\n"
DONE = b"Kdid 0+0+1\n"


def program(command, extension="x", more=""):
    tree.dot_qmail("bad", "|%s\n%s" % (command, more), "-" + extension)


def run(spawner, command, more="", seconds=20):
    program(command, more=more)
    spawner.send(0, "bad-x@" + ME)
    report = spawner.report(seconds)
    return report and report[1]


def others_go_on(spawner, name):
    before = len(maildir(names["good"]))
    spawner.send(9, "good@" + ME)
    same((spawner.report(), len(maildir(names["good"])) - before), ((9, b"Kdid 1+0+0\n"), 1), name)


def processes():
    """Those that run as the bad user."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat("/proc/" + pid).st_uid == uid and "Z" not in open("/proc/%s/stat" % pid).read().rsplit(")", 1)[1].split()[0]:
                found.append(int(pid))
        except OSError:
            pass
    return found


def end_all():
    for pid in processes():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not processes())


with Spawner(tree, "qmail-lspawn", "./Maildir/") as spawner:
    others_go_on(spawner, "a delivery")
    small, before = spawner.peak_kb(), spawner.descriptors()

    # -- descriptors
    same(run(spawner, "exec <&- >&- 2>&-; sleep 0.3"), DONE, "all descriptors closed")
    same(run(spawner, "exec <&- >&- 2>&-; exit 100"), b"D", "and a failure")
    same(run(spawner, "exec 3<&0 4>&1 5>&2 6>&1 <&- >&- 2>&-; echo late >&4"), b"Klate\ndid 0+0+1\n", "moved and closed")
    same(run(spawner, "(sleep 0.6; echo child) & echo parent"), b"Kparent\ndid 0+0+1\nchild\n", "a background child delays the report")
    program("sleep 100 & exit 0")
    spawner.send(1, "bad-x@" + ME)
    others_go_on(spawner, "a child that keeps the pipe does not hold up others")
    same(spawner.report(0.5), None, "its report waits")
    end_all()
    same(spawner.report(), (1, DONE), "until the child is gone")
    program("exec sleep 1000")
    spawner.send(1, "bad-x@" + ME)
    others_go_on(spawner, "nor does a program that runs for ever")
    end_all()
    got = spawner.report()
    ok(got in ((1, CRASHED), (1, AACK)), "until it is ended", got)

    # -- output
    same(run(spawner, "head -c 200000000 /dev/zero | tr '\\0' y", seconds=60), b"K" + b"y" * 2966 + b"\nError report too long, sorry.\n",
         "200 MB of output: what is kept")
    same(run(spawner, "head -c 50000000 /dev/zero >&2; exit 111", seconds=60), b"Z", "50 MB of NULs")
    same(run(spawner, "head -c 3000 /dev/zero | tr '\\0' y; exit 100"), b"D" + b"y" * 3000, "3000 bytes are whole")
    ok(sanitized or spawner.peak_kb() - small < 300, "the spawner's memory stays", "%d kB, then %d kB" % (small, spawner.peak_kb()))
    for text, report in (("Dno\\n", b"KDno\ndid 0+0+1\n"), ("\\000Zx\\n", b"K"), ("did 9+9+9\\nqp 1\\n", b"Kdid 9+9+9\nqp 1\ndid 0+0+1\n"),
                         ("x\\000\\001K\\000", b"Kx")):
        same(run(spawner, "printf '%s'" % text), report, "output %s is text alone" % text)

    # -- the message
    tree.dot_qmail("bad", "|head -c 5 >/dev/null\n|cat >copy1\n|cat >/dev/null; tail -c 1 <&0\n|cat >copy2\n./Maildir/\n./box\n", "-x")
    spawner.send(0, "bad-x@" + ME)
    same(spawner.report(), (0, b"Kdid 2+0+4\n"), "programs that move the message's offset")
    same([read(home + "/copy1") == CONTENT, read(home + "/copy2") == CONTENT, maildir(home)[-1].endswith(CONTENT),
          read(home + "/box").endswith(CONTENT + b"\n")], [True] * 4, "others have all of it")
    for attack in ("echo x >>/proc/self/fd/0", "echo x >&0", ": >%s" % path, "rm -f %s; exit 1" % path, "chmod 666 /proc/self/fd/0",
                   "ln %s mine" % path, "cat %s >mine && echo read" % tree.at("queue/lock/sendmutex"), "ls %s" % tree.at("queue"),
                   "echo x >%s" % tree.at("control/me"), "ln -s /etc/passwd %s" % tree.at("users/x"), "exec %s x" % tree.bin("qmail-lspawn"),
                   "exec %s" % tree.bin("qmail-start"), "exec %s" % tree.bin("qmail-newu")):
        got = run(spawner, "(%s) 2>/dev/null" % attack)
        same((got[:1], read(path) == CONTENT, os.stat(path).st_mode & 0o7777), (b"Z" if got[:1] == b"Z" else b"D", True, 0o644),
             "refused: " + attack.replace(tree.path, "HOME"))
    ok(not os.path.exists(home + "/mine") or os.stat(home + "/mine").st_size == 0, "nothing was taken")

    # -- signals
    same(run(spawner, "kill -9 $PPID"), CRASHED, "a program that kills qmail-local")
    same(run(spawner, "kill -TERM 0"), CRASHED, "its process group")
    same(run(spawner, "kill -9 -1"), CRASHED, "all processes")
    same(run(spawner, "kill -9 $$"), AACK, "itself")
    for name in ("HUP", "INT", "QUIT", "ALRM", "USR1", "PIPE", "CHLD", "ABRT") + (() if sanitized else ("SEGV",)):
        got = run(spawner, "kill -%s $PPID; sleep 0.1" % name)
        same(got, DONE if name in ("PIPE", "CHLD") else CRASHED, "SIG%s for qmail-local" % name)
    end_all()
    others_go_on(spawner, "others do not notice")
    program("kill -STOP $PPID; touch stopped")
    spawner.send(1, "bad-x@" + ME)
    wait_for(lambda: os.path.exists(home + "/stopped"))
    others_go_on(spawner, "a stopped qmail-local does not hold up others")
    for pid in processes():
        os.kill(pid, signal.SIGCONT)
    same(spawner.report(), (1, DONE), "it goes on when it is let")
    spawner.send(2, "good-x@" + ME)
    same(spawner.report(), (2, b"DSorry, no mailbox here by that name. (#5.1.1)\n"), "no such file of the other")
    tree.dot_qmail("good", "|sleep 1; echo slept\n", "-slow")
    spawner.send(3, "good-slow@" + ME)
    time.sleep(0.3)
    same(run(spawner, "kill -9 0; kill -9 -1"), CRASHED, "all it can reach")
    same(spawner.report(), (3, b"Kslept\ndid 0+0+1\n"), "is not what others run")

    # -- limits that a program sets are its own
    same(run(spawner, "ulimit -n 3; ulimit -f 0; ulimit -v 100000; umask 0; cd /; exit 0", more="./Maildir/\n"), b"Kdid 1+0+1\n", "limits of one line do not matter to the next")
    same(os.stat(home + "/Maildir/new/" + sorted(os.listdir(home + "/Maildir/new"))[-1]).st_mode & 0o7777, 0o600, "nor does its umask")

    # -- privileges cannot come back
    helper = 'python3 -c "import os; os.%s" 2>/dev/null'
    for call in ("setuid(0)", "setgid(0)", "setgroups([0])", "setresuid(0,0,0)", "setgid(%d)" % tree.ids(5)[1], "setuid(%d)" % tree.ids(5)[0],
                 "chroot('/')", "kill(%d,9)" % spawner.process.pid, "kill(%d,9)" % os.getpid(),
                 "open('/proc/%d/mem',2)" % spawner.process.pid, "listdir('/proc/%d/fd')" % spawner.process.pid):
        same(run(spawner, helper % call), b"Z", "not permitted: " + re.sub(r"\d{3,}", "N", call))
    others_go_on(spawner, "at the end")
    same(wait_for(lambda: spawner.descriptors() == before), True, "no descriptor is left open")
    same(spawner.end(), 0, "exit status")

# -- no processes left for this user: put off; others are not held up


def few_processes():
    resource.setrlimit(resource.RLIMIT_NPROC, (30, 30))


with Spawner(tree, "qmail-lspawn", "./Maildir/", prepare=few_processes) as spawner:
    same(run(spawner, "i=0; while [ $i -lt 100 ]; do sleep 30 >&- 2>&- <&- & i=$((i+1)); done 2>/dev/null"), b"Z", "a program that wants more is put off")
    end_all()
    with contextlib.ExitStack() as all_of_them:
        for _ in range(31):
            all_of_them.enter_context(subprocess.Popen(["sleep", "30"], user=uid, group=gid, extra_groups=[]))
        same(run(spawner, "true"), b"ZUnable to run qmail-local.\n", "a user without processes left: his mail is put off")
        others_go_on(spawner, "others are not held up")
        end_all()
    same(run(spawner, "true"), DONE, "and delivered later")
    end_all()
    same(spawner.end(), 0, "exit status")
os.unlink(path)
done()
