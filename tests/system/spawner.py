"""spawner - a spawner whose qmail-send is the test.

    with Spawner(tree, "qmail-lspawn", "./Mailbox") as spawner:
        spawner.send(0, "joe@here.test")
        same(spawner.report(), (0, b"Kdid 1+0+0\n"), "a delivery")

The message is a file in queue/mess that no qmail-send knows of; message() makes it.
"""
import contextlib, resource, select

from reqmail import *

MESSAGE = "0/999999901"


def message(tree, content=b"Subject: x\n\nbody\n"):
    """Makes the message that commands name, as qmail-queue would. Returns its path."""
    return write(tree.at("queue/mess", MESSAGE), content, owner=tree.ids(5))


class Spawner:
    """A spawner whose qmail-send is this test; prepare() is called in the new process,
    under are the words of a command that runs it."""

    def __init__(self, tree, name, *arguments, ids=None, env=None, limits=None, memory=None, prepare=None, under=()):
        environment = {"PATH": tree.at("bin") + ":/usr/bin:/bin"}
        environment.update(env or {})

        def before_exec():
            if prepare:
                prepare()
            if limits:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            if memory:
                resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
            if ids:
                os.setgroups([ids[1]])
                os.setgid(ids[1])
                os.setuid(ids[0])
        self.process = subprocess.Popen([*under, tree.bin(name), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env=environment, preexec_fn=before_exec, cwd="/", bufsize=0)
        self.commands, self.reports = self.process.stdin, self.process.stdout
        greeting = os.read(self.reports.fileno(), 2)  # one write, so it comes whole
        self.slot_len = len(greeting)
        self.limit = int.from_bytes(greeting, "little")
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for f in (self.commands, self.reports):
            with contextlib.suppress(OSError):
                f.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def command(self, slot, recipient, sender="s@side.test", message=MESSAGE):
        return slot.to_bytes(self.slot_len, "little") + b"".join(s.encode("latin1") + b"\0" for s in (message, sender, recipient))

    def send(self, *command, **more):
        self.commands.write(self.command(*command, **more))

    def report(self, seconds=20):
        """(slot, letter and text), or None when none comes in time."""
        end = time.monotonic() + seconds
        while True:
            at = self.buffer.find(b"\0", self.slot_len)
            if at >= 0:
                one, self.buffer = self.buffer[:at], self.buffer[at + 1:]
                return int.from_bytes(one[:self.slot_len], "little"), one[self.slot_len:]
            ready, _, _ = select.select([self.reports], [], [], max(0, end - time.monotonic()))
            data = os.read(self.reports.fileno(), 65536) if ready else b""
            if not data:
                return None
            self.buffer += data

    def end(self, seconds=20):
        """No more commands: how it exits, or None."""
        self.commands.close()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def peak_kb(self):
        with open("/proc/%d/status" % self.process.pid) as f:
            return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1))

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.process.pid))
