"""drain - the real system, started on what a power cut has left.

Workers, each with a mount namespace of its own in which a copy of the tree, on tmpfs, covers
the tree: so several work at once, and no disk is waited for. Every worker has an SMTP server
that takes what goes to other hosts (but for recipients whose names begin with "bad")."""
import ctypes, multiprocessing, os, re, shutil, signal, socket, subprocess, sys, threading, time
from concurrent.futures import ProcessPoolExecutor

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIMIT_S = 20 # without a line in the log, on a machine that is busy with other things
PUT_OFF_S = 1.5  # the same after trouble with a file, which is tried again after two minutes
QUIET_S = 0.3
OLD_S = 200000  # more than 36 hours, less than a week: what nobody knows would be removed
ALARMS = 40  # what has not gone after so many ALRMs is stuck

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, PR_SET_CHILD_SUBREAPER = 0x20000, 36


class Sink:
    """An SMTP server; taken is a list of (recipient, data). Recipients bad... are refused; later... are put
    off, once each, and are in put_off then."""

    def __init__(self):
        self.taken, self.put_off = [], set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        recipients = []
        with connection, connection.makefile("rwb") as stream:
            def reply(text):
                stream.write(text + b"\r\n")
                stream.flush()
            try:
                reply(b"220 sink.test ESMTP")
                for line in stream:
                    word = line[:4].upper()
                    if word == b"RCPT" and b"<bad" in line:
                        reply(b"550 no such user")
                    elif word == b"RCPT" and b"<later" in line and line not in self.put_off:
                        self.put_off.add(line)
                        reply(b"451 not now")
                    elif word == b"RCPT":
                        recipients.append(line[line.index(b"<") + 1:line.index(b">")].decode())
                        reply(b"250 ok")
                    elif word == b"DATA":
                        reply(b"354 go ahead")
                        data = bytearray()
                        for line in stream:
                            if line == b".\r\n":
                                break
                            data += line[1:] if line.startswith(b".") else line
                        else:
                            return
                        self.taken += [(r, bytes(data).replace(b"\r\n", b"\n")) for r in recipients]
                        reply(b"250 taken")
                    elif word == b"QUIT":
                        reply(b"221 bye")
                        return
                    else:
                        reply(b"250 ok")
            except OSError:
                pass


def routes(port):
    return "far.test:127.0.0.1:%d\ndead.test:127.0.0.1:%d\n" % (port, port)


def cover(tree, place):
    """From here on this process sees a copy of the tree, on tmpfs, in the tree's place. (The numbers
    of files on tmpfs are not used again.)"""
    if libc.unshare(CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare")
    os.mkdir(place)
    for command in (["mount", "--make-rprivate", "/"], ["mount", "-t", "tmpfs", "-o", "mode=755", "proof", place],
                    ["cp", "-a", tree + "/.", place], ["mount", "--bind", place, tree]):
        subprocess.run(command, check=True, timeout=60)


class Outcome:
    """What is there when the system has come to rest: files below homes (path -> content), what
    the server got, what is left in the queue, the log; and whether there was rest."""
    __slots__ = ("homes", "sink", "left", "log", "rested", "repaired")


class Worker:
    """The tree as this process sees it."""

    def __init__(self, tree, scratch, roots):
        self.tree, self.roots = tree, roots
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        cover(tree, os.path.join(scratch, "worker.%d" % os.getpid()))
        self.log_path = os.path.join(tree, "log")
        self.split = len([n for n in os.listdir(tree + "/queue/mess") if n.isdigit()])
        self.homes = os.path.join(tree, "homes")
        self.directories = [at for root in roots for at, _, _ in os.walk(os.path.join(tree, root))]
        self.single = {}  # roots that are files
        for root in roots:
            path = os.path.join(tree, root)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    self.single[path] = f.read()
        self.owners = {at: os.stat(at) for at in self.directories}
        self.sink = Sink()
        with open(os.path.join(tree, "control/smtproutes"), "w") as f:
            f.write(routes(self.sink.port))

    def clear(self):
        for path, content in self.single.items():
            with open(path, "wb") as f:
                f.write(content)
        for at in self.directories:
            with os.scandir(at) as entries:
                for entry in entries:
                    if not entry.is_dir(follow_symlinks=False):
                        os.unlink(entry.path)

    def renamed(self, path):
        """Message numbers are those of files on another file system: they become larger than
        any number here, in the same split directory."""
        head, name = os.path.split(path)
        if head.startswith("queue/") and name.isdigit():
            name = str(int(name) + self.split * 10 ** 9)
        return os.path.join(self.tree, head, name)

    def materialise(self, state, named=None):
        """named: the paths, where they are not as usual: numbered() has cleared the place."""
        if not named:
            self.clear()
        first = {}
        for path, number, content, mode in state:
            if content is None:
                continue
            path = named[path] if named else self.renamed(path)
            if path in self.single:
                with open(path, "wb") as f:
                    f.write(content)
                continue
            if number in first:
                os.link(first[number], path)
                continue
            first[number] = path
            if os.path.exists(path):  # a message file that has its number already
                os.chmod(path, mode)
                continue
            with open(path, "wb") as f:
                f.write(content)
            owner = self.owners[os.path.dirname(path)]
            os.chown(path, owner.st_uid, owner.st_gid)
            os.chmod(path, mode)

    def left(self, *trees):
        """Files of the queue in these trees (all but pid/), listed one tree after the other."""
        found = []
        for tree in trees or ("todo", "intd", "bounce", "info", "local", "remote", "mess"):
            for at in self.directories:
                if (at + "/").startswith("%s/queue/%s/" % (self.tree, tree)):
                    with os.scandir(at) as entries:
                        found += [os.path.relpath(e.path, self.tree + "/queue") for e in entries if not e.is_dir()]
        return found

    def at_work(self):
        """Whether a message is in the queue that has not ended. Of one whose file in mess/ is gone only
        removed names are left that have come back. The trees are listed in the order in which a
        message wanders."""
        left = self.left("todo", "info", "mess")
        mess = {os.path.basename(n) for n in left if n.startswith("mess/")}
        return any(n.startswith(("info/", "todo/")) and os.path.basename(n) in mess for n in left)

    def log(self):
        with open(self.log_path, "rb") as f:
            return f.read()

    def rest(self, process):
        """Waits until nothing is to be done. Whether that came."""
        alarms, answered, log, since = 0, 0, b"", time.monotonic()
        while time.monotonic() < since + (PUT_OFF_S if re.search(rb"^warning: (?!unable to stat mess/)", log, re.M) else LIMIT_S):
            before, log = log, self.log()
            if log != before:
                since = time.monotonic()
            if log.startswith(b"status:") or b"\nstatus:" in log:
                if not self.at_work():
                    if not self.at_work() and self.log() == log:
                        return True  # the one that has ended has left no other behind, a bounce
                    continue
                deferred = log.count(b": deferral: ")
                if log.count(b"starting delivery") == log.count(b"\ndelivery ") and deferred > answered:
                    if alarms == ALARMS:
                        return False
                    alarms, answered = alarms + 1, deferred
                    process.send_signal(signal.SIGALRM)
            if process.poll() is not None:
                return False
            time.sleep(0.004)
        return False

    def numbered(self, state, numbers):
        """Puts the message files of a state there, under numbers that are right where those of
        the state are: numbers tells the inode that each content had. Returns the paths of all."""
        self.clear()
        for name in os.listdir(self.tree + "/queue"):
            if name.startswith("qfix."):
                shutil.rmtree(os.path.join(self.tree, "queue", name))
        split, inodes, named = self.split, {}, {}
        for path, _, content, _ in state:
            if not path.startswith("queue/mess/") or content not in numbers:
                continue
            old, spare = numbers[content], []
            maker = self.tree + "/queue/pid/maker"
            while True:  # an inode for the same split directory
                with open(maker, "wb") as f:
                    f.write(content)
                if os.stat(maker).st_ino % split == old % split:
                    break
                spare.append("%s.%d" % (maker, len(spare)))
                os.rename(maker, spare[-1])
            for other in spare:
                os.unlink(other)
            inodes[old] = os.stat(maker).st_ino
            os.rename(maker, maker + ".%d" % old)
        for path, _, content, _ in state:
            head, name = os.path.split(path)
            number, dot, rest = name.partition(".")
            if head.startswith("queue/") and number.isdigit():
                number = inodes.get(int(number), int(number) + split * 10 ** 9)
                name = "%d%s%s" % (number, dot, rest)
            named[path] = os.path.join(self.tree, head, name)
            if path.startswith("queue/mess/") and content in numbers:
                os.makedirs(os.path.dirname(named[path]), exist_ok=True)
                os.rename(self.tree + "/queue/pid/maker.%d" % numbers[content], named[path])
                owner = self.owners[os.path.dirname(path) and os.path.join(self.tree, "queue/mess/0")]
                os.chown(named[path], owner.st_uid, owner.st_gid)
        return named

    def started(self):
        log = open(self.log_path, "wb")
        with log:
            return subprocess.Popen([self.tree + "/bin/qmail-start", "./Maildir/"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    env={"PATH": self.tree + "/bin:/usr/bin:/bin"}, cwd="/", start_new_session=True)

    def start_early(self):
        """Starts the system on what is not yet to be started on, until it has nothing more to say."""
        process, log = self.started(), b""
        try:
            quiet = time.monotonic()
            while time.monotonic() < quiet + QUIET_S:
                before, log = log, self.log()
                if log != before or b"status:" not in log:
                    quiet = time.monotonic()
                if process.poll() is not None:
                    break
                time.sleep(0.01)
        finally:
            self.end(process)

    def drain(self, state, way="start", repair=None, numbers=None):
        """way: what is done, in words: "start" the system to the end, "repair" before."""
        self.materialise(state, self.numbered(state, numbers) if numbers else None)
        if numbers:
            old = time.time() - OLD_S
            for at in self.directories:
                if not at.startswith(self.homes):
                    for name in os.listdir(at):
                        if name[0].isdigit() and os.path.isfile(os.path.join(at, name)):
                            os.utime(os.path.join(at, name), (old, old))
        del self.sink.taken[:]
        outcome, steps = Outcome(), way.split()
        outcome.repaired = []
        for step in steps[:-1]:
            if step == "repair":
                done = subprocess.run([a.replace("TREE", self.tree) for a in repair], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, cwd="/", timeout=60)
                outcome.repaired.append((done.returncode, done.stdout.decode("latin1")))
            else:
                self.start_early()
        process = self.started()
        try:
            outcome.rested = self.rest(process)
        finally:
            self.end(process)
        outcome.left, outcome.log, outcome.sink = sorted(self.left()), self.log(), list(self.sink.taken)
        outcome.homes = {}
        for at, _, names in os.walk(self.homes):
            for name in names:
                path = os.path.join(at, name)
                with open(path, "rb") as f:
                    outcome.homes[os.path.relpath(path, self.tree)] = f.read()
        return outcome

    def end(self, process):
        """Everything that was started: children whose parents are gone are ours."""
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        while True:
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                return


worker = None


def _begin(tree, scratch, roots):
    global worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = Worker(tree, scratch, roots)


def _drain(state, *how):
    return worker.drain(state, *how)


class Drains:
    """Outcomes of states: drains(states) yields (state, outcome) in the order of the states. What has been
    tried is remembered."""

    def __init__(self, tree, scratch, roots, workers=2):
        context = multiprocessing.get_context("fork")
        self.pool = ProcessPoolExecutor(workers, context, _begin, (tree, scratch, roots))
        self.known = {}

    def submit(self, state, *how):
        key = hash((state, how[:1]))
        if key not in self.known:
            self.known[key] = self.pool.submit(_drain, state, *how)
        return self.known[key]

    def close(self):
        self.pool.shutdown(cancel_futures=True)
