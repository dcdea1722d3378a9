#!/usr/bin/python3
"""qmail-send killed at, and betrayed by, each of its system calls.

Stand-ins for the spawners and qmail-clean drive it over its descriptors through a
scenario: one message with a local recipient that works, one that is put off and a
remote one that fails; one that fails for good; and their bounces. Then

  kill    the same again, killed when it enters a system call, each in turn
  fault   the same again, one system call failing once, each with several errors

and in both cases a restart on the same queue, where everything works. Afterwards
every recipient has been reported as delivered or is in a bounce, the queue is empty,
and nothing in the log of the restart tells of trouble.

All cases take some minutes: without REQMAIL_FULL=1 a random part is run, for
REQMAIL_SECONDS (default 60), whose seed is printed; SEED repeats it."""
import os, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
given = "TREE" in os.environ
os.environ.setdefault("TREE", "/var/qmail")
os.environ.setdefault("CONF_USERS", "alias qmaild qmaill root qmailp qmailq qmailr qmails")
from reqmail import *
import glob, random

if not root:
    skip_all("needs root")
if not shutil.which("strace"):
    skip_all("needs strace")
if sanitized:
    skip_all("a sanitizer's own system calls would fail too")

if not given and glob.glob("/var/qmail/control/*") + glob.glob("/var/qmail/queue/mess/*/*"):
    skip_all("TREE is not set, and /var/qmail is in use: this would empty it")

FULL = os.environ.get("REQMAIL_FULL") == "1"
SECONDS = float(os.environ.get("REQMAIL_SECONDS", "60"))
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
FAULTS = ["ENOSPC", "EIO", "EMFILE", "ENOMEM", "EINTR"]
# nothing qmail-send decides about: the process's own start, memory and end
NOT_INJECTED = {"execve", "exit_group", "brk", "mmap", "munmap", "mprotect", "rt_sigreturn",
                "restart_syscall", "rt_sigaction", "rt_sigprocmask", "vfork", "clone", "clone3", "set_tid_address", "prlimit64"}
FAULT_ONLY = {"vfork", "clone", "clone3"}
# a call that is made to fail is not made: no close(2) leaves its descriptor open
KILL_ONLY = {"close"}

# every line that may stand in the log
LINES = re.compile(rb"""^(
    status:\ (local\ \d+/\d+\ remote\ \d+/\d+(\ exitasap)?|exiting)
  | new\ msg\ \d+ | end\ msg\ \d+ | info\ msg\ \d+:\ bytes\ \d+\ from\ <\S*>\ qp\ \d+\ uid\ \d+
  | starting\ delivery\ \d+:\ msg\ \d+\ to\ (local|remote)\ \S+
  | delivery\ \d+:\ ((success|deferral|failure):\ \S*|report\ mangled,\ will\ defer)
  | bounce\ msg\ \d+\ qp\ \d+ | triple\ bounce:\ discarding\ bounce/\d+
  | alert:\ cannot\ start:\ .*
  | alert:\ oh\ no!\ lost\ (spawn|qmail-clean)\ connection!\ dying...
  | alert:\ out\ of\ memory,\ sleeping...
  | alert:\ unable\ to\ opendir\ (todo|info/\d+|mess/\d+),\ sleeping...
  | alert:\ unable\ to\ open\ lock/trigger,\ trying\ again
  | alert:\ unable\ to\ append\ to\ bounce\ message;\ HELP!\ sleeping...
  | warning:\ internal\ error:\ delivery\ report\ out\ of\ range
  | warning:\ qmail-clean\ unable\ to\ clean\ up\ (todo|foop)/\d+
  | warning:\ trouble\ (fsyncing|writing\ to|reading)\ \S+
  | warning:\ trouble\ (reading|opening)\ \S+;\ will\ try\ again\ later
  | warning:\ unknown\ record\ type\ in\ \S+
  | warning:\ trouble\ marking\ \S+;\ message\ will\ be\ delivered\ twice!
  | warning:\ trouble\ injecting\ bounce\ message,\ will\ try\ later
  | warning:\ unable\ to\ start\ qmail-queue,\ will\ try\ later
  | warning:\ trouble\ in\ select
  | warning:\ unable\ to\ listen\ at\ order/socket;\ will\ try\ again\ later
  | warning:\ unable\ to\ (create|open|stat|unlink)\ \S+
  | warning:\ unable\ to\ (stat|unlink)\ \S+;\ will\ try\ again\ later
  | warning:\ unable\ to\ utime\ \S+;\ message\ will\ be\ retried\ too\ soon
)$""", re.X)

from send_rig import *

# -- the scenario

MESSAGES = [["ok1@here.test", "later1@here.test", "bad1@far.test"], ["bad2@far.test"]]
DELIVERED = {b"ok1@here.test", b"later1@here.test"}
BOUNCED = [b"bad1@far.test", b"bad2@far.test"]


def empty_queue():
    for name in tree.queue_files():
        os.unlink(queue(name))


def put_messages():
    for recipients in MESSAGES:
        body = queue("pid", "new")
        write(body, b"Subject: x\n\nbody\n", owner=QMAILQ)
        number = os.stat(body).st_ino
        os.rename(body, queue("mess", number % SPLIT, number))
        records = b"u0\0p1\0Fs@sender.test\0" + b"".join(
            b"T" + r.encode() + b"\0" for r in recipients)
        write(queue("intd", number), records, owner=QMAILQ)
        os.link(queue("intd", number), queue("todo", number))


def scenario_is_done(run):
    """The second message has ended and so has its bounce; the first is put off."""
    return (run.count(rb"^end msg") >= 2 and run.count(rb": deferral: ") and
            run.count(rb": success: ") >= 2 and run.count(rb": failure: ") >= 2 and
            run.log.endswith(b"\n") and not os.listdir(queue("todo")))


def leftovers():
    """What a clean queue does not hold. A message without info or todo is left to the
    cleanup, which waits for 36 hours."""
    return sorted(n for n in tree.queue_files() if n.split("/")[0] in
                  ("info", "local", "remote", "bounce", "todo", "intd"))


def drain():
    """The restart: everything works. Returns the run."""
    run = Run(all_well=True)
    end = time.monotonic() + 15
    wait_for(lambda: run.log, 15, 0.005) # it catches signals from here on
    while leftovers() and time.monotonic() < end and not run.ended():
        run.signal(signal.SIGALRM)
        wait_for(lambda: not leftovers(), 0.3, 0.01)
    run.left = run.stop()
    return run


def judge(first, second):
    """What is wrong after the two runs, as lines."""
    wrong = []
    for line in (first.log + second.log).splitlines():
        if not LINES.match(line):
            wrong.append("undocumented line: %r" % line)
    if len(first.log.splitlines()) > 80:
        wrong.append("%d lines in the log" % len(first.log.splitlines()))
    if b"warning:" in second.log or b"alert:" in second.log:
        wrong.append("trouble after the restart")
    if not second.left or not second.log.endswith(b"status: exiting\n"):
        wrong.append("the restart did not end by TERM")
    for recipient in DELIVERED - first.delivered - second.delivered:
        wrong.append("lost: %r" % recipient)
    bounces = b"".join(first.bounced + second.bounced)
    for recipient in BOUNCED:
        if b"<" + recipient + b">:\nno such user\n" not in bounces:
            wrong.append("no bounce for %r" % recipient)
    for bounce in first.bounced + second.bounced:
        if not re.search(rb"out\.\n\n(<bad\d@far\.test>:\nno such user\n\n)+--- Below", bounce):
            wrong.append("bounce: %r" % bounce)
    if leftovers():
        wrong.append("left in the queue: %s" % leftovers())
    return wrong


def one(inject, killed):
    """A case. Returns what is wrong, and the runs."""
    empty_queue()
    put_messages()
    first = Run(inject=inject)
    first.settle(lambda: scenario_is_done(first), 8, None if killed else 0.4)
    left = first.stop()
    wait_for(lambda: not [n for n in tree.queue_files() if n.startswith("pid/")], 2)
    second = drain()
    wrong = judge(first, second)
    if not left:
        wrong.append("did not leave")
    return wrong, first, second


def check(cases, title, killed):
    failed = ran = 0
    end = time.monotonic() + SECONDS / 2
    for inject in cases:
        if not FULL and time.monotonic() > end:
            break
        ran += 1
        wrong, first, second = one(inject, killed)
        if wrong:
            failed += 1
            if failed <= 5:
                note("inject=%s: %s" % (inject, "\n".join(wrong)))
                note("first log:\n" + first.log.decode("latin1")[-3000:])
                note("second log:\n" + second.log.decode("latin1")[-3000:])
    ok(ran > 0 and failed == 0, "%s: %d of %d cases" % (title, ran, len(cases)),
       "%d failed" % failed)


def calls_of(trace):
    """(name, first, last): the calls of each name, from the first chdir on."""
    counts, first = {}, {}
    begun = False
    for line in read(trace).decode("latin1").splitlines():
        match = re.match(r"(\w+)\(", line)
        if not match:
            continue
        name = match.group(1)
        begun = begun or name == "chdir"
        counts[name] = counts.get(name, 0) + 1
        if begun:
            first.setdefault(name, counts[name])
    return [(name, first[name], counts[name]) for name in sorted(first)]


tree.control("locals", "here.test\n")
tree.control("bouncehost", "here.test\n")
note("SEED=%d" % SEED)
random.seed(SEED)

empty_queue()
put_messages()
trace = os.path.join(tree.scratch, "trace")
plain = Run(trace=trace)
plain.settle(lambda: scenario_is_done(plain), 15, None)
ok(plain.stop() and plain.log.endswith(b"status: exiting\n"), "the scenario, without trouble",
   plain.log.decode("latin1"))
again = drain()
ok(not judge(plain, again), "and its rest after a restart", judge(plain, again))

# none of its own files may take the number
for closed in (2, 4):
    run = Run(closed=closed)
    run.settle(lambda: False, 10, None)
    ok(run.ended() and run.stop() and os.waitstatus_to_exitcode(run.status) == 111 and
       run.log == b"alert: cannot start: hath the daemon spawn no fire?\n",
       "descriptor %d is closed" % closed, run.log)
    run.stop()

calls = calls_of(trace)
kills = ["%s:signal=KILL:when=%d" % (name, i) for name, first, last in calls
         if name not in NOT_INJECTED for i in range(first, last + 1)]
faults = ["%s:error=%s:when=%d" % (name, error, i) for name, first, last in calls
          if name not in NOT_INJECTED | KILL_ONLY or name in FAULT_ONLY
          for i in range(first, last + 1) for error in FAULTS]
random.shuffle(kills)
random.shuffle(faults)
check(kills, "killed", True)
check(faults, "faults", False)
empty_queue()
done()
