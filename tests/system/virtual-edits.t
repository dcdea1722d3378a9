#!/usr/bin/python3
"""An admin edits locals, virtualdomains and users/assign a hundred times while mail
flows. A ledger of every recipient says who may have got it: whoever the files named at
some time between its queueing and its delivery. Each gets it once, and an edit that has
taken effect counts for all that is queued after it."""
import itertools

from reqmail import *

need_private()
EDITS = 30 if sanitized else 100
TICK_NS = 20 * 1000 * 1000  # file times are those of the kernel's last tick
BACKLOG = 6                 # messages in the queue that are kept in the queue
tree = Tree()
owners = {name: tree.account(name) for name in ("ann", "bea")}
sender = tree.account("ledger")
ids = {name: pwd.getpwnam(name)[2:4] for name in owners}
for name, home in owners.items():
    write(home + "/.qmail-default", "./Maildir/\n", owner=ids[name])
tree.alias("postmaster", "./Mailbox\n")
tree.control("concurrencylocal", "20\n")


def log_from(offset):
    with open(tree.log_path, "rb") as f:
        f.seek(offset)
        return f.read()


class Stream:
    """Mail for one kind of address, and the history of who owns it: (owner, time from
    which that may count, time from which nothing else does)."""

    def __init__(self, address, edit):
        self.address = address
        self.edit = edit
        self.history = [("ann", 0, 0)]

    def change(self):
        owner = {"ann": "bea", "bea": "ann"}[self.history[-1][0]]
        begun = time.time_ns()
        self.edit(owner)
        found = self.takes_effect(owner)
        self.history.append((owner, begun, time.time_ns()))
        return found

    def takes_effect(self, owner):
        return True

    def may_have(self, queued, delivered):
        """The owners at any time from the one to the other."""
        allowed = set()
        for i, (owner, begun, _) in enumerate(self.history):
            gone = i + 1 < len(self.history) and self.history[i + 1][2] <= queued
            if not gone and begun <= delivered + TICK_NS:
                allowed.add(owner)
        return allowed


class ByHup(Stream):
    """HUP says nothing when it is done, so messages are sent until one takes the new way."""

    def takes_effect(self, owner):
        tree.signal(signal.SIGHUP)

        def probe():
            at = os.path.getsize(tree.log_path)
            started = re.compile(rb"^starting delivery \d+: msg \d+ to local (\S*)%s$" % re.escape(self.address % send([self])).encode(), re.M)
            line = wait_for(lambda: started.search(log_from(at)))
            return line and line.group(1).startswith(b"bea-") == (owner == "bea")
        return wait_for(probe, 10)


in_place = itertools.cycle((True, False))


def edit_file(path, content):
    """As editors do: the file itself, or a new one in its place."""
    if next(in_place):
        write(path, content)
    else:
        write(path + ".new", content)
        os.rename(path + ".new", path)


def edit_virtualdomains(owner):
    edit_file(tree.at("control/virtualdomains"), "moved.test:%s\nshift.test:bea\n" % owner)


def edit_locals(owner):  # ann by her local name, or bea by virtualdomains
    edit_file(tree.at("control/locals"), ME + "\n" + "shift.test\n" * (owner == "ann"))


def edit_assign(owner):
    lines = "+l-:ann:%d:%d:%s:-:l-:\n" % (ids["ann"] + (owners["ann"],)) + "+a-:%s:%d:%d:%s:-:a-:\n" % ((owner,) + ids[owner] + (owners[owner],))
    edit_file(tree.at("users/assign"), lines + ".\n")
    subprocess.run([tree.bin("qmail-newu")], check=True, timeout=20)


moved, shift, assigned = ByHup("m-%d@moved.test", edit_virtualdomains), ByHup("l-%d@shift.test", edit_locals), Stream("a-%d@here.test", edit_assign)
STREAMS = (moved, shift, assigned)
for stream in STREAMS:
    stream.edit("ann")

# -- the mail

ledger = {}   # local part: (stream, time of queueing)
unknown = []  # addresses that do not exist
refused = []  # exit codes of qmail-queue other than 0
sent = 0      # messages
lock = threading.Lock()
stop = threading.Event()


def send(streams, also=()):
    global sent
    with lock:
        sent += 1
        number = sent
    recipients = [stream.address % number for stream in streams] + [pattern % number for pattern in also]
    queued = time.time_ns()
    for stream in streams:
        ledger[(stream.address % number).split("@")[0]] = stream, queued
    unknown.extend(pattern % number for pattern in also)
    status = tree.queue(b"Subject: %d\n\n" % number, "ledger@here.test", recipients)
    if status:
        refused.append(status)
    return number


def flow():
    """Keeps the queue at BACKLOG messages; bounces are messages too."""
    seen = done_with = 0
    while not stop.is_set():
        if sent - done_with < BACKLOG:
            send(STREAMS, ["unknown-%d@here.test"] if sent % 10 == 0 else ())
            continue
        more = log_from(seen)
        more = more[:more.rfind(b"\n") + 1]
        seen += len(more)
        done_with += len(re.findall(rb"^end msg ", more, re.M)) - len(re.findall(rb"^bounce msg ", more, re.M))
        time.sleep(0.01)


slow = []
with tree.running():
    mail = threading.Thread(target=flow, daemon=True)
    mail.start()
    started = time.monotonic()
    for n in range(EDITS):
        if not STREAMS[n % 3].change():
            slow.append(n)
        enough = len(ledger) + 24  # so that some live under the new rule alone
        wait_for(lambda: len(ledger) >= enough)
    note("%d edits in %.1f seconds" % (EDITS, time.monotonic() - started))
    stop.set()
    mail.join(60)
    ok(tree.wait_empty(60), "all is delivered in the end", tree.queue_files())

# -- the ledger

same(slow, [], "every edit took effect within ten seconds")
same(refused, [], "the queue took everything")
delivered = {}
wrong, odd, sharp = [], [], 0
for name, home in owners.items():
    for file in os.listdir(home + "/Maildir/new"):
        path = home + "/Maildir/new/" + file
        st = os.stat(path)
        recipient = re.match(rb"Return-Path: <ledger@here\.test>\nDelivered-To: (?:ann-|bea-)?(([mla])-\d+)@", read(path)).group(1).decode()
        delivered.setdefault(recipient, []).append(name)
        stream, queued = ledger.get(recipient, (None, 0))
        allowed = stream.may_have(queued, st.st_mtime_ns) if stream else set()
        sharp += len(allowed) == 1
        if name not in allowed:
            wrong.append((recipient, name, allowed))
        if st.st_uid != ids[name][0]:
            odd.append((recipient, st.st_uid))
note("%d recipients, of whom %d had one owner all the time" % (len(ledger), sharp))
same(sorted(set(ledger) - set(delivered)), [], "nothing is lost")
same([r for r, names in delivered.items() if len(names) > 1], [], "nothing came twice")
same(wrong, [], "nothing went to a wrong user")
same(odd, [], "every file belongs to the user in whose mailbox it is")
ok(sharp > len(ledger) / 4, "the ledger is sharp: many could have gone to one user only", "%d of %d" % (sharp, len(ledger)))
bounces = maildir(sender)
same(sorted(re.search(rb"\n<(unknown-\d+@here\.test)>:\nSorry, no mailbox", b).group(1).decode() for b in bounces), sorted(unknown),
     "what does not exist bounced once, and nothing else")
same(read(tree.at("alias/Mailbox")), b"", "nothing for the postmaster")
same(len(re.findall(r"^delivery \d+: failure: ", tree.log(), re.M)), len(unknown), "no other failure in the log")
same(re.findall(r"^(?:delivery \d+: deferral|alert|warning).*", tree.log(), re.M), [], "nothing put off, no warnings")
done()
