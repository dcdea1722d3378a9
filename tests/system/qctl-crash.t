#!/usr/bin/python3
"""Orders about a message while qmail-send, or qmail-qctl without it, is killed at each
system call in turn. A message with two recipients waits; it is to be held, released,
returned or deleted; the kill; a restart, where every delivery works. Afterwards

  the order was confirmed      it has been carried out, wholly
  it was not                   wholly, or the message is as it was before

and in no case is anybody both delivered and returned, or neither unless deleted.

A random part is run for REQMAIL_SECONDS (default 60), all with REQMAIL_FULL=1."""
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
    skip_all("a sanitizer's own system calls would be counted too")
if not given and glob.glob("/var/qmail/control/*") + glob.glob("/var/qmail/queue/mess/*/*"):
    skip_all("TREE is not set, and /var/qmail is in use: this would empty it")

from send_rig import *

FULL = os.environ.get("REQMAIL_FULL") == "1"
SECONDS = float(os.environ.get("REQMAIL_SECONDS", "60"))
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
VERBS = ["hold", "release", "return", "delete"]
HELD = 0o610
RECIPIENTS = [b"one@here.test", b"two@here.test"]
NOTE = rb"<(\S+)>:\nThe postmaster of this host has returned this message. \(#5.3.0\)\n\n"
NOT_INJECTED = {"execve", "exit_group", "brk", "mmap", "munmap", "mprotect", "rt_sigreturn", "restart_syscall",
                "rt_sigaction", "rt_sigprocmask"}


def prepare(held):
    """A message that waits until tomorrow. Its number."""
    for name in tree.queue_files():
        os.unlink(queue(name))
    body = queue("pid", "new")
    write(body, b"Subject: x\n\nbody\n", owner=QMAILQ)
    number = os.stat(body).st_ino
    os.rename(body, queue("mess", number % SPLIT, number))
    write(queue("info", number % SPLIT, number), b"Fs@sender.test\0", 0o610 if held else 0o600, QMAILS)
    path = write(queue("local", number % SPLIT, number), b"".join(b"T" + r + b"\0" for r in RECIPIENTS), 0o600, QMAILS)
    tomorrow = time.time() + 86400
    os.utime(path, (tomorrow, tomorrow))
    return number


def mode(number):
    try:
        return os.stat(queue("info", number % SPLIT, number)).st_mode & 0o777
    except FileNotFoundError:
        return None


def leftovers():
    """What is left to be done, bounces included."""
    return [n for n in tree.queue_files() if n.split("/")[0] in ("info", "local", "remote", "bounce", "todo", "intd")]


def order(run, verb, number):
    """Gives the order to qmail-send. Whether it is confirmed."""
    ns = os.stat(queue("info", number % SPLIT, number)).st_mtime_ns
    line = b"%s %d %d.%d\n" % (verb.encode(), number, ns // 10**9, ns % 10**9)
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(20)
    try:
        if not wait_for(lambda: run.log or run.ended(), 20, 0.005):
            return False
        os.chdir(queue())
        client.connect("order/socket")
        client.sendall(line)
        return client.recv(1000).startswith(b"done ")
    except OSError:
        return False
    finally:
        os.chdir("/")
        client.close()


def judge(verb, number, confirmed, first):
    """The restart. What is wrong, as lines."""
    second = Run(all_well=True)
    end = time.monotonic() + 15
    wait_for(lambda: second.log, 15, 0.005)

    def over():
        second.signal(signal.SIGALRM)
        return mode(number) == HELD or not leftovers()
    wait_for(over, 15, 0.05)
    held = mode(number) == HELD
    early = held and sorted(second.delivered)
    if held:
        wait_for(lambda: second.count(rb"^released msg") or order(second, "release", number), 10, 0.05)
        wait_for(over, 15, 0.05)
    left = second.stop()
    wrong = ["delivered while it was held"] if early else []
    delivered = sorted((first.delivered if first else set()) | second.delivered)
    bounces = (first.bounced if first else []) + second.bounced
    returned = [sorted(re.findall(NOTE, b)) for b in bounces]
    if not left or b"warning:" in second.log or b"alert:" in second.log:
        wrong.append("trouble after the restart")
    if mode(number) is not None:
        wrong.append("it has not ended")
    if delivered not in ([], sorted(RECIPIENTS)):
        wrong.append("delivered to %s" % delivered)
    if any(r != sorted(RECIPIENTS) for r in returned):
        wrong.append("returned: %s" % returned)
    if delivered and returned:
        wrong.append("delivered and returned")
    if verb in ("hold", "release"):
        if not delivered or returned:
            wrong.append("lost or returned")
        if confirmed and held != (verb == "hold"):
            wrong.append("confirmed, but held: %s" % held)
    elif confirmed and delivered:
        wrong.append("confirmed, but delivered")
    elif verb == "return" and not delivered and not returned:
        wrong.append("lost")
    elif verb == "delete" and returned:
        wrong.append("returned, not deleted")
    if wrong:
        wrong.append("confirmed: %s\n%s\n--\n%s" % (confirmed, first.log.decode() if first else "", second.log.decode()))
    return wrong


def done_with(run, verb, number):
    """What qmail-send would do of itself is done."""
    if verb == "hold":
        return mode(number) == HELD
    if verb == "release":
        return len(run.delivered) == 2 and mode(number) is None
    return mode(number) is None


def online(verb, inject=None, trace=None):
    number = prepare(verb == "release")
    first = Run(all_well=True, inject=inject, trace=trace)
    confirmed = order(first, verb, number)
    if confirmed:
        first.settle(lambda: done_with(first, verb, number), 8, 1)
    first.stop()
    return judge(verb, number, confirmed, first)


def offline(verb, inject=None, trace=None):
    number = prepare(verb == "release")
    command = ["strace", "-q", "-o", trace or "/dev/null"] + (["-e", "inject=" + inject] if inject else [])
    ran = subprocess.run(command + [tree.bin("qmail-qctl"), verb, str(number)], capture_output=True, cwd="/", timeout=60)
    return judge(verb, number, ran.returncode == 0, None)


def calls_of(trace, begin):
    """"NAME:when=N" for every call from the first whose line matches begin on."""
    counts, cases = {}, []
    begun = False
    for line in read(trace).decode("latin1").splitlines():
        match = re.match(r"(\w+)\(", line)
        if not match:
            continue
        name = match.group(1)
        counts[name] = counts.get(name, 0) + 1
        begun = begun or re.match(begin, line)
        if begun and name not in NOT_INJECTED:
            cases.append("%s:signal=KILL:when=%d" % (name, counts[name]))
    return cases


note("SEED=%d" % SEED)
random.seed(SEED)
trace = os.path.join(tree.scratch, "trace")
for run, title, begin in ((online, "qmail-send", r"accept4?\(\d+, .* = \d"), (offline, "qmail-qctl", r"chdir")):
    cases = []
    for verb in VERBS:
        if os.path.exists(trace):
            os.unlink(trace)
        wrong = run(verb, trace=trace)
        ok(not wrong, "%s: %s, without trouble" % (title, verb), "\n".join(wrong))
        cases += [(verb, case) for case in calls_of(trace, begin)]
    random.shuffle(cases)
    ran = failed = 0
    end = time.monotonic() + SECONDS / 2
    for verb, case in cases:
        if not FULL and time.monotonic() > end:
            break
        ran += 1
        wrong = run(verb, inject=case)
        if wrong:
            failed += 1
            if failed <= 4:
                note("%s %s: %s" % (verb, case, "\n".join(wrong)))
    ok(ran > 0 and failed == 0, "%s killed: %d of %d cases" % (title, ran, len(cases)), "%d failed" % failed)
for name in tree.queue_files():
    os.unlink(queue(name))
done()
