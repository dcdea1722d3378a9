#!/usr/bin/env python3
"""A clock that jumps by years, both ways, while the system works and while it is stopped. The
programs are linked with turned.c, so that for them, files' times included, it is whenever HOME/clock
says; steady time goes on as it does.

  forward    what waits gets its last attempt and goes back to its sender; what is just being
             written is not taken for what a dead process has left
  back       nobody waits longer for it, whether the system runs, is stopped by TERM, or killed;
             and a message that was born in a time to come grows old from now on
  any time   before 1970, beyond 2038, 2106 and 9999: accepted, delivered here and elsewhere,
             returned, listed, read by POP3, dates as they should be

At the end a qmail-queue without its lock: the message that it writes while the clock is set forward
must be lost, or this test would show nothing."""
import os, sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system")]
from reqmail import *
import calendar

need_private()
if sanitized:
    skip_all("the programs of this test are linked in another way")
DAY, YEAR = 86400, 31556952
TOO_LONG = b"I'm not going to try again; this message has been in the queue too long.\n"
FULL = os.environ.get("PROOF") == "full"
BUILT = os.path.join(SOURCE, os.environ["BUILD"], "tests/proof/turned")
COARSE = 5  # CLOCK_REALTIME_COARSE: what the kernel gives to files


class Clock:
    """The time of day of the programs."""

    def __init__(self, path):
        self.path, self.lines, self.offset = path, [], 0
        self.reset()

    def reset(self):
        self.lines, self.offset = [], 0
        write(self.path, "")

    def turn(self, seconds):
        self.offset += seconds
        instant = time.time_ns()
        wait_for(lambda: time.clock_gettime_ns(COARSE) > instant, 5, 0.001)  # so are all files' times from now on
        self.lines.append("%d %d\n" % (instant, self.offset))
        write(self.path + ".new", "".join(self.lines))
        os.rename(self.path + ".new", self.path)

    def set(self, year):
        cycles = max(0, (year - 9600) // 400)  # of 400 years: Python's calendar ends with 9999
        noon = calendar.timegm((year - cycles * 400, 3, 1, 12, 0, 0)) + cycles * 146097 * DAY
        self.turn(noon - int(self.now()))

    def now(self):
        return time.time() + self.offset


def install(programs):
    """Puts programs in place of those of the tree, by name; owner and mode stay."""
    for name, path in programs.items():
        place = tree.bin(name)
        old = os.stat(place)
        shutil.copyfile(path, place + ".new")
        os.chown(place + ".new", old.st_uid, old.st_gid)
        os.chmod(place + ".new", old.st_mode & 0o7777)
        os.rename(place + ".new", place)


def fresh():
    """Stopped, nothing in the queue and the mailboxes, the time of day as it is."""
    tree.stop()
    clock.reset()
    for name in tree.queue_files():
        os.unlink(tree.at("queue", name))
    for home in homes.values():
        for at, _, names in os.walk(home):
            for name in names:
                if name != ".qmail":
                    os.unlink(os.path.join(at, name))
    sink.refuse.clear()
    sink.messages.clear()


def wake():
    """Pulls the trigger, as any new message does."""
    fd = os.open(tree.at("queue/lock/trigger"), os.O_WRONLY | os.O_NONBLOCK)
    os.write(fd, b"\0")
    os.close(fd)


def attempts():
    return len(re.findall(r"^delivery \d+: ", tree.log(), re.M))


def wait_attempts(count):
    """Turned clocks wake nobody by themselves; what wakes qmail-send is ordinary traffic."""
    def there():
        wake()
        return attempts() >= count
    return bool(wait_for(there, 20, 0.2))


def queue_deferred(local=True, remote=True):
    """A message, put off in both channels."""
    sink.refuse["RCPT"] = "451 not now"
    recipients = ["later@here.test"] * local + ["dora@far.test"] * remote
    status = tree.queue(b"Subject: old\n\nbody\n", "sender@here.test", recipients)
    tree.wait_log(r"^delivery \d+: deferral: ", count=len(recipients))
    return status


def let_pass():
    sink.refuse.clear()
    write(homes["later"] + "/go", "")


def trouble():
    """Lines of the log that tell of anything but work."""
    return [l for l in tree.log().splitlines() if re.match(r"alert:|warning:", l)]


def spent(process):
    """Seconds of processor time of everything in the system's session."""
    ticks = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        fields = read("/proc/%s/stat" % pid).rsplit(b")", 1)[-1].split()
        if len(fields) > 14 and int(fields[3]) == process.pid:
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


# -- forward

def forward(years):
    fresh()
    with tree.running():
        queue_deferred()
        clock.turn(years * YEAR)
        same(tree.queue(b"Subject: new\n\nbody\n", "sender@here.test", ["alice@here.test"]), 0, "%d years on: a message is accepted" % years)
        ok(tree.wait_log(r": failure: ", count=2) and tree.wait_log(r"^bounce msg ") and tree.wait_empty(),
           "what waits is tried a last time and goes back", tree.log())
        returned = b"".join(maildir(homes["sender"]))
        ok(returned.count(TOO_LONG) == 2 and b"<later@here.test>:\n" in returned and b"<dora@far.test>:\n" in returned,
           "and the bounce says why", returned)
        same(len(maildir(homes["alice"])), 1, "the new one is delivered")
        same(trouble(), [], "and nothing is wrong")


def arriving(years, lock=True, at="envelope"):
    """A message is on its way in while the clock is set forward and the system started again.
    Whether it is delivered, if it is accepted: (exit code, messages)."""
    fresh()
    command = [tree.bin("qmail-queue")]
    if not lock:
        command = ["strace", "-q", "-o", "/dev/null", "-u", tree.names[1], "-e", "inject=flock:retval=0"] + command
    message, more = os.pipe()
    envelope, last = os.pipe()
    process = subprocess.Popen(command, stdin=message, stdout=envelope, env={"PATH": os.environ["PATH"]}, cwd="/",
                               **({} if not lock else tree.user_of(1)))
    os.close(message)
    os.close(envelope)
    os.write(more, b"Subject: slow\n\nbody\n")
    wait_for(lambda: [n for n in tree.queue_files() if n.startswith("mess/")])
    if at == "envelope":
        os.close(more)
        os.write(last, b"Fsender@here.test\0")
        wait_for(lambda: [n for n in tree.queue_files() if n.startswith("intd/")])
    clock.turn(int(years * YEAR))
    with tree.running():
        # its scan of mess/ goes on until then: this message comes through behind it
        tree.queue(b"Subject: other\n\n", "sender@here.test", ["bob@here.test"])
        tree.wait_done(1)
        left = wait_for(lambda: None if all(process.poll() is None for _ in range(3)) and lock is False and
                        [n for n in tree.queue_files() if n.startswith("mess/")] else [True], 3 if not lock else 0)
        if at != "envelope":
            os.write(more, b"the rest\n")
            os.close(more)
            os.write(last, b"Fsender@here.test\0")
        os.write(last, b"Talice@here.test\0\0")
        os.close(last)
        process.wait(20)
        wait_for(lambda: maildir(homes["alice"]), 20 if lock else 2)
        return process.returncode, len(maildir(homes["alice"]))


def abandoned():
    """What a killed qmail-queue has left goes all the same."""
    fresh()
    message, more = os.pipe()
    process = subprocess.Popen([tree.bin("qmail-queue")], stdin=message, stdout=subprocess.DEVNULL, env={}, cwd="/", **tree.user_of(1))
    os.close(message)
    wait_for(lambda: [n for n in tree.queue_files() if n.startswith("mess/")])
    process.kill()
    process.wait()
    os.close(more)
    clock.turn(2 * DAY)
    with tree.running():
        ok(tree.wait_empty(), "what a dead qmail-queue has left is removed", tree.queue_files())


# -- back

def back(years):
    fresh()
    with tree.running():
        queue_deferred()
        clock.turn(-years * YEAR)
        for i, seconds in enumerate((50, 0)):  # a message is a turn of the loop, seen from outside
            tree.inject(b"To: alice@here.test\n\n")
            tree.wait_done(i + 1)
            clock.turn(seconds)
        same(attempts(), 4, "%d years back: no attempt before its time" % years)
        clock.turn(51)
        ok(wait_attempts(5), "the local one after its 100 seconds", tree.log())
        clock.turn(300)
        ok(wait_attempts(7), "the remote one after its 400", tree.log())
        clock.turn(500)
        ok(wait_attempts(8), "and so on", tree.log())
        clock.turn(8 * DAY)
        ok(tree.wait_log(r"^bounce msg ") if wait_attempts(10) else None, "until it has been in the queue too long, from the jump on", tree.log())
        ok(wait_for(lambda: TOO_LONG in b"".join(maildir(homes["sender"]))), "of which its sender is told")
        same(trouble(), [], "nothing is wrong")


def back_stopped(killed):
    fresh()
    how = "killed" if killed else "stopped"
    tree.start()
    queue_deferred()
    if killed:
        os.killpg(tree.process.pid, signal.SIGKILL)
        tree.process.wait()
        tree.process = None
    else:
        tree.stop()
    clock.turn(-5 * YEAR)
    let_pass()
    with tree.running():
        ok(tree.wait_log(r": success: ", 30, 2) and tree.wait_empty(), "5 years back while %s: tried at once" % how, tree.log())
    same(len(sink.messages), 1, "delivered once")


def postponed():
    """An admin's touch is obeyed: the last change of the file is not to come."""
    fresh()
    tree.start()
    queue_deferred(remote=False)
    tree.stop()
    for name in tree.queue_files():
        if name.startswith("local/"):
            os.utime(tree.at("queue", name), ns=(1, (int(clock.now()) + 3 * DAY) * 10**9 + 1))
    let_pass()
    with tree.running():
        tree.inject(b"To: alice@here.test\n\n")
        tree.wait_done(1)
        same(attempts(), 1, "a due time that an admin has set is kept")


def read_back():
    fresh()
    clock.turn(5 * YEAR)
    with tree.running():
        tree.queue(b"Subject: early\n\nbody\n", "sender@here.test", ["alice@here.test"])
        tree.wait_done(1)
    clock.turn(-5 * YEAR)
    uid, gid, home = tree.users["alice"]
    ended = subprocess.run([tree.bin("qmail-pop3d"), "Maildir"], input=b"STAT\r\nQUIT\r\n", cwd=home, env={}, timeout=20,
                           stdout=subprocess.PIPE, user=uid, group=gid, extra_groups=[])
    found(rb"^\+OK 1 \d+\r\n", ended.stdout, "a message from a time to come can be read")


# -- any time

def any_time(year):
    fresh()
    clock.set(year)
    begun = time.monotonic()
    with tree.running():
        replies = tree.smtp(["HELO x", "MAIL FROM:<sender@here.test>", "RCPT TO:<alice@here.test>", "RCPT TO:<bob@here.test>",
                             "RCPT TO:<dora@far.test>", "RCPT TO:<nobody@here.test>", "DATA", "Subject: x", "", "body", ".", "QUIT"],
                            {"RELAYCLIENT": ""})
        found(r"^250 ok -?\d+ qp ", replies, "%d: accepted by SMTP" % year)
        tree.inject(b"To: alice@here.test\n\n")
        done_ = tree.wait_done(3) and tree.wait_empty()
        ok(done_ and not trouble(), "%d: delivered here and elsewhere, and returned" % year, tree.log())
        here, there, back_ = maildir(homes["alice"]), sink.messages, maildir(homes["sender"])
        ok(len(here) == 2 and len(there) == 1 and len(back_) == 1, "%d: once each" % year, (here, there, back_))
        dates = re.findall(rb"^(?:Received: .*;|\s+by .*;|Date:|  .*;) (\d+) (\w+) (-?\d+) ", b"\n".join(here + back_), re.M)
        ok(len(dates) >= 6 and {d[2] for d in dates} == {b"%d" % year} and {d[1] for d in dates} == {b"Mar"},
           "%d: all dates are of that year" % year, (dates, here))
        # put off, listed with its date, and put off for so long that it goes back
        queue_deferred()
        listing = subprocess.run([tree.bin("qmail-qread")], stdout=subprocess.PIPE, timeout=20).stdout.decode()
        found(r"^\s*-?\d+ \w+ %d \d\d:\d\d:\d\d GMT  #\d+ " % year, listing, "%d: listed" % year)
        used = spent(tree.process)
        ok(used < max(5, time.monotonic() - begun), "%d: processor time is used for work" % year, used)
    mbox = read(homes["bob"] + "/Mailbox")
    found(rb"^From sender@here\.test \w{3} Mar (?:01| 1) \d\d:\d\d:\d\d %d$" % year, mbox, "%d: the mbox has its From_ line" % year)


tree = Tree()
clock = Clock(tree.at("clock"))
homes = {name: tree.user(name) for name in ("alice", "bob", "sender", "later")}
tree.dot_qmail("bob", "./Mailbox\n")
tree.dot_qmail("later", "|test -e go || { echo not now; exit 111; }\n./Maildir/\n")
sink = Sink()
tree.control("smtproutes", ":127.0.0.1:%d\n" % sink.port)
sound = os.path.join(tree.scratch, "sound")
os.mkdir(sound)
names = os.listdir(BUILT)
for name in names:
    shutil.copy(tree.bin(name), sound)
install({n: os.path.join(BUILT, n) for n in names})
try:
    forward(10)
    for at in ("message", "envelope"):
        same(arriving(10, at=at), (0, 1), "10 years on while the %s comes in: accepted and delivered" % at)
    abandoned()
    back(5)
    back_stopped(True)
    back_stopped(False)
    postponed()
    read_back()
    for year in (1960, 1969, 2039, 2107, 2500, 9999, 10000, 20000) if FULL else (1960, 2107, 10000):
        any_time(year)
    if shutil.which("strace"):
        ok(arriving(10, lock=False, at="message") == (0, 0), "a qmail-queue without its lock loses mail: this would be noticed")
    else:
        skip(1, "needs strace")
finally:
    fresh()
    install({n: os.path.join(sound, n) for n in names})
    os.unlink(clock.path)
done()
