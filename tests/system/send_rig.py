"""send_rig - qmail-send alone, driven over its descriptors by stand-ins for the spawners
and qmail-clean, perhaps killed or betrayed by strace at one of its system calls.

    run = Run(inject="fsync:signal=KILL:when=2")
    run.settle(lambda: run.count(b"^end msg"), 8, None)
    run.stop()
"""
import fcntl

from reqmail import *

SPLIT = 23
tree = Tree()
QMAILQ, QMAILS = tree.ids(5), tree.ids(7)


def queue(*parts):
    return tree.at("queue", *map(str, parts))


class Run:
    """One life of qmail-send. Recipients are answered by the beginning of their names:
    ok... works, bad... fails, later... is put off, or works where all_well."""

    def __init__(self, all_well=False, inject=None, trace=None, closed=None):
        self.all_well = all_well
        self.closed = closed
        self.delivered, self.bounced = set(), []
        self.changed = time.monotonic()
        self.log = b""
        self.stopping = False
        pipes = [os.pipe() for _ in range(7)]
        # 0 log; 1, 2 lspawn; 3, 4 rspawn; 5, 6 clean: ours is the other end
        near = [pipes[i][1 if i in (0, 1, 3, 5) else 0] for i in range(7)]
        far = [pipes[i][0 if i in (0, 1, 3, 5) else 1] for i in range(7)]
        for fd in far:
            os.set_inheritable(fd, False)
        os.write(far[2], b"x")
        os.write(far[4], b"x")
        self.process = self.start(near, inject, trace)
        for fd in near:
            os.close(fd)
        self.threads = [threading.Thread(target=t, args=a, daemon=True) for t, a in (
            (self.read_log, (far[0],)), (self.spawner, (far[1], far[2])),
            (self.spawner, (far[3], far[4])), (self.cleaner, (far[5], far[6])))]
        for t in self.threads:
            t.start()

    def start(self, near, inject, trace):
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100) for fd in near]
        command = [tree.bin("qmail-send")]
        user, group = QMAILS

        def place():
            for i, fd in enumerate(high):
                os.dup2(fd, i)
            if self.closed is not None:
                os.close(self.closed)
            if not (inject or trace):
                os.setgroups([])
                os.setgid(group)
                os.setuid(user)
        if inject or trace:
            command = ["strace", "-q", "-o", trace or "/dev/null", "-u", tree.names[7],
                       "-e", "signal=none"] + (["-e", "inject=" + inject] if inject else []) + command
        pid = os.fork()
        if pid == 0:
            try:
                place()
                os.chdir("/")
                os.closerange(7, 100)
                os.execvpe(command[0], command, {"PATH": os.environ["PATH"]})
            finally:
                os._exit(127)
        for fd in high:
            os.close(fd)
        self.traced = bool(inject or trace)
        return pid

    def read_log(self, fd):
        while True:
            part = os.read(fd, 65536)
            if not part:
                break
            self.log += part
            self.changed = time.monotonic()
        os.close(fd)

    def spawner(self, commands, reports):
        have = b""
        while True:
            part = os.read(commands, 65536)
            if not part:
                break
            have += part
            while have[1:].count(b"\0") >= 3:
                slot = have[:1]
                name, sender, recipient, have = have[1:].split(b"\0", 3)
                try:
                    os.write(reports, slot + self.report(name, sender, recipient) + b"\0")
                except OSError:
                    pass
        os.close(commands)
        os.close(reports)

    def report(self, name, sender, recipient):
        local = recipient.split(b"@")[0]
        if recipient.startswith(b"s@"):
            self.bounced.append(read(queue("mess", name.decode())))
            return b"Ktaken\n"
        if local.startswith(b"bad"):
            return b"Dno such user\n"
        if local.startswith(b"later") and not self.all_well:
            return b"Znot now\n"
        self.delivered.add(recipient)
        return b"Ktaken\n"

    def cleaner(self, requests, answers):
        have = b""
        while True:
            part = os.read(requests, 65536)
            if not part:
                break
            have += part
            while b"\0" in have:
                request, have = have.split(b"\0", 1)
                kind, number = request.decode().split("/")
                other = queue("todo", number) if kind == "todo" else queue(
                    "mess", int(number) % SPLIT, number)
                for path in (queue("intd", number), other):
                    if os.path.exists(path):
                        os.unlink(path)
                try:
                    os.write(answers, b"+")
                except OSError:
                    pass
        os.close(requests)
        os.close(answers)

    def ended(self):
        if self.process is None:
            return True
        pid, self.status = os.waitpid(self.process, os.WNOHANG)
        if pid:
            self.process = None
        return self.process is None

    def signal(self, number):
        """To qmail-send, which is strace's child where it is traced."""
        pids = [str(self.process)]
        if self.traced:
            pids = read("/proc/%d/task/%d/children" % (self.process, self.process)).split()
        for pid in pids:
            try:
                os.kill(int(pid), number)
            except ProcessLookupError:
                pass

    def settle(self, done, seconds, idle):
        """Until done(), the end, or nothing has come for a while."""
        end = time.monotonic() + seconds
        while not self.ended() and not done() and time.monotonic() < end:
            if idle and time.monotonic() - self.changed > idle:
                return
            time.sleep(0.005)

    def stop(self, seconds=15):
        """TERM. Whether it left by itself."""
        end = time.monotonic() + seconds
        again = 0
        while not self.ended() and time.monotonic() < end:
            if time.monotonic() > again: # it may have been killed at the first one's wake
                self.signal(signal.SIGTERM)
                again = time.monotonic() + 1
            time.sleep(0.005)
        left = self.ended()
        if not left:
            self.signal(signal.SIGKILL)
            wait_for(self.ended, 5)
        for t in self.threads:
            t.join(5)
        return left

    def count(self, pattern):
        return len(re.findall(pattern, self.log, re.M))
