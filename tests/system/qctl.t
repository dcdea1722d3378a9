#!/usr/bin/python3
"""qmail-qctl: every command on messages in every state, with qmail-send running or not,
against deliveries under way, restarts, clients that stall, and all of it at random."""
import json, os, random, stat, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from reqmail import *

tree = Tree()
tree.control("concurrencylocal", "2\n")
joe = tree.user("joe")
sender_home = tree.user("s")
QMAILS = tree.ids(7)
SPLIT = len(os.listdir(tree.at("queue/info")))
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))

# joe-wait-X: begins, then waits for its exit code in the FIFO of that name
tree.dot_qmail("joe", '|echo "$DEFAULT" >> begun; read code < "fifo-$DEFAULT"; exit $code\n', "-wait-default")
tree.dot_qmail("joe", "|exit 111\n", "-later-default")
tree.dot_qmail("joe", "|echo no; exit 100\n", "-bad-default")
tree.dot_qmail("joe", "./Maildir/\n", "-ok-default")
# one line in the ledger for each delivery; flaky ones work the second time
tree.dot_qmail("joe", '|sleep 0.0$(($$ % 10)); echo "$DEFAULT" >> ledger\n', "-count-default")
tree.dot_qmail("joe", '|[ -e "seen-$DEFAULT" ] || { touch "seen-$DEFAULT"; exit 111; }; echo "$DEFAULT" >> ledger\n',
               "-flaky-default")
for name in ("begun", "ledger"):
    write(os.path.join(joe, name), "", owner=tree.users["joe"][:2])
for name in "abcdefgh":
    path = os.path.join(joe, "fifo-" + name)
    os.mkfifo(path)
    if root:
        os.chown(path, *tree.users["joe"][:2])


def qctl(*arguments, **more):
    return subprocess.run([tree.bin("qmail-qctl"), *map(str, arguments)], capture_output=True, text=True, timeout=120,
                          cwd="/", **more)


def fine(name, *arguments, text=None):
    """It exits 0, and prints what the regular expression text says."""
    ended = qctl(*arguments)
    return ok(ended.returncode == 0 and not ended.stderr and re.search(text or "", ended.stdout), name,
              "%s: exit %d\n%s\n%s" % (arguments, ended.returncode, ended.stdout, ended.stderr))


def refused(name, code, text, *arguments):
    ended = qctl(*arguments)
    return ok(ended.returncode == code and re.search(text, ended.stderr), name,
              "%s: exit %d\n%s\n%s" % (arguments, ended.returncode, ended.stdout, ended.stderr))


def send(*recipients, sender="s@here.test", begins=True):
    """Queues a message. Its number, when it has been taken up."""
    before = len(tree.log())
    status = tree.queue(b"Subject: probe\n\nbody\n", sender, ["%s@here.test" % r for r in recipients])
    assert status == 0, status
    wait_for(lambda: re.search(r"^info msg", tree.log()[before:], re.M))
    number = re.search(r"^info msg (\d+)", tree.log()[before:], re.M).group(1)
    if begins:
        wait_for(lambda: attempts(number))
        wait_for(lambda: idle(number) if not any(r.startswith("joe-wait") for r in recipients) else True)
        # that to an only recipient begins before
        wait_for(lambda: not os.path.exists(tree.at("queue/todo", number)))
    return number


def log_of(number):
    """The log since the last message of that number came."""
    return tree.log().rpartition("new msg %s\n" % number)[2]


def deliveries(number):
    return re.findall(r"^starting delivery (\d+): msg %s " % number, log_of(number), re.M)


def attempts(number):
    return len(deliveries(number))


def reports(number):
    return sum(bool(re.search(r"^delivery %s: " % i, log_of(number), re.M)) for i in deliveries(number))


def idle(number):
    return attempts(number) and attempts(number) == reports(number) and state(number) != "active"


def ended(number):
    return wait_for(lambda: re.search(r"^end msg %s$" % number, log_of(number), re.M))


def state(number):
    out = qctl("list", "-j", number).stdout
    return json.loads(out)["state"] if out else None


def begun(name):
    return wait_for(lambda: name in read(os.path.join(joe, "begun")).decode().split())


def finish(name, code):
    """Ends the delivery that waits."""
    lines = read(os.path.join(joe, "begun")).decode().split()
    lines.remove(name)
    write(os.path.join(joe, "begun"), "".join(l + "\n" for l in lines), owner=tree.users["joe"][:2])
    with open(os.path.join(joe, "fifo-" + name), "w") as f:
        f.write("%d\n" % code)


def bounces():
    return maildir(sender_home)


def clear(home):
    for name in os.listdir(home + "/Maildir/new"):
        os.unlink(home + "/Maildir/new/" + name)


def info(number):
    return tree.at("queue/info", str(int(number) % SPLIT), number)


class Client:
    """A connection to qmail-send."""

    def __init__(self):
        here = os.getcwd()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        os.chdir(tree.at("queue"))
        try:
            self.socket.connect("order/socket")
        finally:
            os.chdir(here)

    def ask(self, *lines):
        self.socket.sendall(b"".join(l.encode() + b"\n" for l in lines))
        have = b""
        while have.count(b"\n") < len(lines):
            part = self.socket.recv(4096)
            if not part:
                break
            have += part
        return have.decode().splitlines()


def birth(number):
    ns = os.stat(info(number)).st_mtime_ns
    return "%d.%d" % (ns // 10**9, ns % 10**9)


# -- with qmail-send

def waiting():
    n = send("joe-later-x", "joe-bad-y")
    same(state(n), "waiting", "waiting: state")
    fine("list", "list", n, text=r"^%s  \d+s  \d+  waiting  \d+ \w+ 20\d\d \S+ GMT  <s@here.test>  1 left\n$" % n)
    row = json.loads(qctl("list", "-j", n).stdout)
    ok(row["message"] == int(n) and row["sender"] == "s@here.test" and row["local"] == 1 and row["left"] == 1 and
       row["next"] > time.time(), "list -j", row)
    fine("show", "show", n, text=r"(?s)message: %s\nsender: <s@here.test>\n.*state: waiting\nlocal: due .*\n"
         r"  left  joe-later-x@here.test\n  done  joe-bad-y@here.test\nfailures so far:\n<joe-bad-y@here.test>:\nno\n"
         r".*text:\nReceived: .*\nSubject: probe\n\nbody\n$" % n)
    fine("show -H", "show", "-H", n, text=r"(?s)Subject: probe\n\n$")
    fine("try", "try", n, text="^message %s due now\n$" % n)
    ok(wait_for(lambda: attempts(n) == 3), "try: another attempt")
    found("^try msg %s$" % n, tree.log(), "try: log")
    wait_for(lambda: idle(n))
    fine("hold", "hold", n, text="^message %s held\n$" % n)
    found("^held msg %s$" % n, tree.log(), "hold: log")
    same(state(n), "held", "hold: state")
    same(stat.S_IMODE(os.stat(info(n)).st_mode), 0o610, "hold: the mark")
    fine("hold again", "hold", n)
    refused("try a held one", 1, "is held", "try", n)
    for _ in range(3):
        tree.signal(signal.SIGALRM)
        other = send("joe-ok-1")
        ended(other)
    same(attempts(n), 3, "ALRM does not release it")
    ok(tree.stop() and tree.start(), "restart")
    ended(send("joe-ok-2"))
    tree.signal(signal.SIGALRM)
    ended(send("joe-ok-3"))
    same((attempts(n), state(n)), (0, "held"), "held over a restart")
    fine("release", "release", n, text="^message %s released\n$" % n)
    ok(wait_for(lambda: attempts(n) == 1), "release: tried at once")
    found("^released msg %s$" % n, tree.log(), "release: log")
    refused("release again", 1, "is not held", "release", n)
    wait_for(lambda: idle(n))
    fine("return", "return", n, text="^message %s returned\n$" % n)
    ended(n)
    wait_for(bounces)
    found(rb"(?s)\n\n<joe-bad-y@here.test>:\nno\n.*<joe-later-x@here.test>:\nThe postmaster of this host has returned this "
          rb"message. \(#5.3.0\)\n\n---", bounces()[0], "return: the bounce")
    found("^return msg %s$" % n, tree.log(), "return: log")
    clear(sender_home)
    refused("a message that has ended", 1, "message %s is not in the queue" % n, "hold", n)


def deleting():
    n = send("joe-later-x", "joe-bad-y")
    held = send("joe-later-z")
    fine("hold another", "hold", held)
    fine("delete", "delete", n, held, text="^message %s deleted\nmessage %s deleted\n$" % (n, held))
    ended(n), ended(held)
    found("^delete msg %s$" % n, tree.log(), "delete: log")
    ended(send("joe-ok-4"))
    same((bounces(), [f for f in tree.queue_files() if f.endswith(n) or f.endswith(held)]), ([], []),
         "delete: nothing is returned, nothing is left")


def under_way():
    n = send("joe-wait-a", "joe-wait-b", "joe-wait-c")
    begun("a"), begun("b")
    same(state(n), "active", "under way: state")
    fine("try one that is tried", "try", n, text="is being tried")
    fine("hold one that is tried", "hold", n, text="held; 2 under way will end first")
    finish("a", 0), finish("b", 111)
    wait_for(lambda: reports(n) == 2)
    ended(send("joe-ok-5"))
    same((attempts(n), state(n)), (2, "held"), "held: the third is not begun")
    fine("release", "release", n)
    begun("b"), begun("c")
    fine("hold again", "hold", n)
    fine("release before they have ended", "release", n)
    finish("c", 111)
    finish("b", 0)
    ok(begun("c"), "released meanwhile: at once again")
    fine("return one that is tried", "return", n, text="returned; 1 under way will end first")
    refused("hold what is returned", 1, "is being returned", "hold", n)
    finish("c", 111)
    ended(n)
    wait_for(bounces)
    found(rb"<joe-wait-c@here.test>:\nThe postmaster of this host has returned this message. \(#5.3.0\)\n\n", bounces()[0],
          "returned: a deferral is a failure")
    same((attempts(n), bounces()[0].count(b"<joe-wait")), (5, 1), "returned: nobody else")
    clear(sender_home)

    n = send("joe-wait-a", "joe-wait-b", "joe-wait-c", "joe-ok-6")
    begun("a"), begun("b")
    fine("return", "return", n, text="2 under way")
    finish("b", 0), finish("a", 100)
    ended(n)
    wait_for(bounces)
    same(sorted(re.findall(rb"<(joe-\S*)@here.test>:\n", bounces()[0])), [b"joe-ok-6", b"joe-wait-a", b"joe-wait-c"],
         "returned: whoever was left, and the failure")
    clear(sender_home)

    n = send("joe-wait-a", "joe-wait-b", "joe-wait-c", "joe-bad-1")
    begun("a"), begun("b")
    fine("delete one that is tried", "delete", n, text="deleted; 2 under way will end first")
    same(state(n), "deleting", "deleting: state")
    refused("hold what is deleted", 1, "is being deleted", "hold", n)
    fine("delete again", "delete", n)
    finish("a", 100), finish("b", 111)
    ended(n)
    same(attempts(n), 2, "deleted: nobody else is tried")
    ended(send("joe-ok-7"))
    same(bounces(), [], "deleted: failures are not returned")

    n = send("joe-wait-d")
    begun("d")
    fine("return", "return", n)
    fine("and then delete", "delete", n)
    finish("d", 100)
    ended(n)
    ended(send("joe-ok-8"))
    same(bounces(), [], "deleted while it was being returned: no bounce")

    n = send("joe-wait-d", "joe-later-1")
    begun("d")
    wait_for(lambda: reports(n) == 1)
    fine("hold", "hold", n)
    finish("d", 0)
    wait_for(lambda: reports(n) == 2)
    tree.stop(), tree.start()
    same(state(n), "held", "held while it was tried, and over a restart")
    fine("delete", "delete", n)
    ended(n)


def bouncing():
    tree.stop()
    made = os.path.join(tree.scratch, "made")
    os.mkdir(made)
    os.chmod(made, 0o1777)
    script = write(os.path.join(tree.scratch, "no-queue"), "#!/bin/sh\nmkdir %s/$$ && umask > %s/$$/umask\nexit 111\n" % (made, made), 0o755)
    tree.start(env={"QMAILQUEUE": script})
    trouble = r"^warning: trouble injecting bounce"
    n = send("joe-bad-1")
    tree.wait_log(trouble)
    same(sorted({read(os.path.join(made, d, "umask")) for d in os.listdir(made)}), [b"0077\n"], "bouncing: the program can use directories that it makes")
    same(state(n), "bouncing", "bouncing: state")
    refused("hold", 1, "no recipient left", "hold", n)
    refused("return", 1, "no recipient left", "return", n)
    fine("try", "try", n)
    ok(tree.wait_log(trouble, count=2), "try: the bounce is sent again")
    wait_for(lambda: qctl("delete", n).returncode == 0)  # not while it is being sent
    ok(ended(n), "delete: no bounce, and it ends")
    gate = os.path.join(tree.scratch, "gate")
    os.mkfifo(gate, 0o666)
    os.chmod(gate, 0o666)
    write(script, "#!/bin/sh\nread line < %s\nexit 111\n" % gate, 0o755)
    n = send("joe-bad-1")
    wait_for(lambda: "bounce is being sent" in qctl("show", n).stdout)
    refused("delete while it is being sent", 1, "cannot be taken back", "delete", n)
    with open(gate, "w") as f:
        f.write("x\n")
    wait_for(lambda: qctl("delete", n).returncode == 0)
    ok(ended(n), "afterwards")
    tree.stop()
    tree.start()
    ended(send("joe-ok-9"))
    same(bounces(), [], "no bounce was sent")


def choosing():
    clear(joe)
    a = send("joe-later-1", sender="Alice@Spam.test")
    b = send("joe-later-2", "joe-later-3", sender="bob@here.test")
    c = send("joe-later-4", sender="")
    os.utime(info(b), (time.time() - 90000,) * 2)
    cases = [(["-s", "*@spam.TEST"], [a]), (["-s", ""], [c]), (["-s", "[!a]*"], [b]), (["-r", "joe-later-3@*"], [b]),
             (["-r", "joe-later-?@here.test"], [a, b, c]), (["-o", "1d"], [b]), (["-y", "1h"], [a, c]),
             (["-y", "1h", "-s", "?*"], [a]), (["-l", "1k"], []), (["-l", "1"], [a, b, c]), (["-S", "waiting"], [a, b, c]),
             (["-S", "held"], []), (["-s", "bob@*", a, c], []), (["-s", "bob@*", a, b], [b]), ([], [a, b, c])]
    for options, want in cases:
        ran = qctl("list", *options)
        same((sorted(re.findall(r"^(\d+)  ", ran.stdout, re.M)), ran.returncode), (sorted(want), 0 if want else 1),
             "list " + " ".join(options))
    fine("delete -n", "delete", "-n", "-a", text="(?m)^%s  .*  waiting  " % a)
    same(state(a), "waiting", "delete -n deletes nothing")
    refused("delete without a choice", 100, "which messages", "delete")
    for words in ([], ["lost"], ["state", "1"], ["hold", "x"], ["hold", "-o", "x", "1"], ["hold", "-z", "1"], ["hold", "-j", "-a"],
                  ["list", "-S", "gone"], ["list", "-s"], ["list", "-n"]):
        refused("usage: " + " ".join(words), 100, "usage: qmail-qctl", *words)
    fine("hold -a", "hold", "-a", text="^(message \\d+ held\n){3}$")
    fine("list -S held", "list", "-S", "held", text="^(.*  held  -  .*\n){3}$")
    fine("delete -a", "delete", "-a", text="^(message \\d+ deleted\n){3}$")
    ended(a), ended(b), ended(c)
    fine("list of nothing", "list", text="^$")
    refused("show of nothing", 1, "no message fits", "show", "-s", "*", "-o", "1s")


def protocol():
    n = send("joe-later-1")
    other = "%d.1" % (time.time() - 5)
    same(Client().ask("state %s %s" % (n, birth(n)))[0].split()[0], "done", "a request")
    answers = Client().ask(*["hold %s %s" % (n, other), "delete 1 1.1", "delete %s" % n, "", "hold %s %s x" % (n, other),
                             "state %s %s" % (n, birth(n))])
    same([l.split()[0] for l in answers], ["other", "gone", "bad-request", "bad-request", "bad-request", "done"],
         "pipelined: another's birth, nobody's number, nonsense")
    many = Client().ask(*["state %s %s" % (n, birth(n))] * 2000)
    ok(len(many) == 2000 and len(set(many)) == 1, "2000 at once")
    long = Client()
    long.socket.sendall(b"x" * 1000)
    try:
        gone = long.socket.recv(10) == b""
    except ConnectionError:
        gone = True
    ok(gone, "a line without end: dropped")
    stalled = []
    for _ in range(20):
        stalled.append(Client())
    for client in stalled[::2]:
        client.socket.sendall(b"state 1")
    deaf = Client()
    deaf.socket.setblocking(False)
    try:
        while True:
            deaf.socket.send(b"state 1 1.1\n" * 100)
    except BlockingIOError:
        pass
    start = len(tree.log())
    ended(send("joe-ok-stalled"))
    ok("success" in tree.log()[start:], "stalled clients: mail is delivered")
    fine("stalled clients: others have their turn", "list", n)
    fine("delete", "delete", n)
    ended(n)


def at_random():
    """200 messages of three recipients, and orders about them from four sides."""
    note("SEED=%d" % SEED)
    tree.stop()
    tree.control("concurrencylocal", "10\n")
    tree.start()
    clear(sender_home)
    deleted, trouble, done_sending = set(), [], threading.Event()

    def orders(seed):
        chance = random.Random(seed)
        while not (done_sending.is_set() and not tree.queue_files()):
            name = "%d" % chance.randrange(200)
            verb = chance.choice(["hold", "release", "try", "return", "delete", "try", "release", "hold"])
            ran = qctl(verb, "-r", "joe-*-%s?@*" % name)
            if ran.returncode not in (0, 1):
                trouble.append((verb, name, ran.returncode, ran.stderr))
            if verb == "delete" and "deleted" in ran.stdout:
                deleted.add(name)
            if time.monotonic() > end:
                break

    count = 200
    end = time.monotonic() + 25
    threads = [threading.Thread(target=orders, args=(SEED + i,)) for i in range(4)]
    for t in threads:
        t.start()
    for i in range(count):
        tree.queue(b"Subject: %d\n\n" % i, "s@here.test", ["joe-count-%da@here.test" % i, "joe-flaky-%db@here.test" % i,
                                                           "joe-count-%dc@here.test" % i])
    done_sending.set()
    for t in threads:
        t.join()

    def drained():
        qctl("release", "-a")
        qctl("try", "-a")
        return not tree.queue_files()
    ok(wait_for(drained, 60, 0.2), "at random: the queue is empty at last", "\n".join(
        name + "\n" + re.sub("(?m)^(?!.*msg %s).*\n" % name.split("/")[-1], "", tree.log()) for name in tree.queue_files()))
    same(trouble, [], "at random: no trouble")
    delivered = read(os.path.join(joe, "ledger")).decode().split()
    returned = re.findall(rb"<joe-(?:count|flaky)-(\w+)@here.test>:\n", b"".join(bounces()))
    returned = [r.decode() for r in returned]
    wrong = []
    for name in ["%d%s" % (i, letter) for i in range(count) for letter in "abc"]:
        times = delivered.count(name), returned.count(name)
        if name[:-1] in deleted:
            if times[0] > 1 or times[1]:
                wrong.append("%s: deleted, but delivered and returned %s" % (name, times))
        elif sum(times) != 1:
            wrong.append("%s: delivered and returned %s" % (name, times))
    note("%d delivered, %d returned, %d messages deleted" % (len(delivered), len(returned), len(deleted)))
    same(wrong, [], "at random: everybody once")
    ok("warning:" not in tree.log() and "alert:" not in tree.log(), "at random: nothing in the log", tree.log()[-3000:])


# -- without qmail-send

def offline():
    numbers = [send("joe-later-%d" % i, "joe-bad-%d" % i) for i in range(5)]
    keep, hold, back, gone, free = numbers
    fine("hold", "hold", free)
    tree.stop()
    same(tree.queue(b"\n", "s@here.test", ["joe-later-new"]), 0, "one that is new")
    new = os.listdir(tree.at("queue/todo"))[0]
    fine("offline: list", "list", text="(?m)^%s  \\d+s  \\d+  new  -  <s@here.test>  1 left$" % new)
    fine("offline: show", "show", new, text="(?m)^state: new\nrecipients:\n  left  joe-later-new\ntext:")
    fine("offline: hold", "hold", hold, text="held")
    fine("offline: release", "release", free, text="released")
    fine("offline: return", "return", back, text="returned")
    fine("offline: delete", "delete", gone, text="deleted")
    fine("offline: try", "try", keep, text="due now")
    if root:
        repair = subprocess.run([tree.bin("qmail-qfix"), "-r"], capture_output=True, text=True, cwd="/", timeout=60)
        same((repair.returncode, re.findall("(?m)^bad-mode.*", repair.stdout)), (0, []), "qmail-qfix leaves orders alone")
    else:
        skip(1, "qmail-qfix needs root")
    refused("offline: try a held one", 1, "is held", "try", hold)
    refused("offline: a new one", 1, "preprocessed", "delete", new)
    same((state(hold), state(back), state(gone)), ("held", "bouncing", "deleting"), "offline: states")
    tree.start()
    ended(back), ended(gone)
    wait_for(bounces)
    ok(wait_for(lambda: attempts(keep) and attempts(free)), "offline: tried and released ones are tried")
    same((re.findall(r"^starting .* (joe-later-[123])@", tree.log(), re.M), state(hold)), ([], "held"),
         "offline: the others are not")
    same(len(bounces()), 1, "offline: one bounce")
    found(rb"<joe-bad-2@here.test>:\nno\n/?\n?.*\n*<joe-later-2@here.test>:\nThe postmaster", bounces()[0], "offline: it")
    wait_for(lambda: attempts(new))
    fine("delete", "delete", "-a")
    wait_for(lambda: not tree.queue_files())
    clear(sender_home)


def old_tree():
    """Without queue/order, as another installation left it."""
    tree.stop()
    os.rename(tree.at("queue/order"), tree.at("queue/order.away"))
    try:
        tree.start()
        n = send("joe-later-1")
        ok("warning" not in tree.log(), "without queue/order: it works", tree.log())
        refused("without queue/order: no orders", 111, "no .*queue/order for orders", "hold", n)
        fine("without queue/order: list", "list", n)
        tree.stop()
        fine("without queue/order, offline", "delete", n)
    finally:
        tree.stop()
        os.rename(tree.at("queue/order.away"), tree.at("queue/order"))
    tree.start()
    tree.wait_empty()
    tree.process.kill()  # leaves the socket
    wait_for(lambda: tree.process.poll() is not None)
    tree.stop()
    n = None
    tree.start()
    n = send("joe-later-1")
    fine("a stale socket", "delete", n)
    ended(n)


def strangers():
    if not root:
        skip(2, "needs root")
        return
    stranger = tree.user_of(1)
    same(qctl("list", **stranger).returncode, 100, "a stranger: refused")
    try:
        subprocess.run(["test", "-S", tree.at("queue/order/socket")], check=True, **stranger)
        ok(False, "a stranger: the socket is out of reach")
    except subprocess.CalledProcessError:
        ok(True, "a stranger: the socket is out of reach")


tree.start()
waiting()
deleting()
under_way()
bouncing()
choosing()
protocol()
strangers()
offline()
old_tree()
at_random()
tree.stop()
done()
