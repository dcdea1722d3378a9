"""load_chaos - what happens to the system in load.t while it works, in a process of its own, by a seed.

    chaos = Chaos(seed, world)     world: .tree, .services, .scratch
    chaos.start(pause_s); chaos.count(); chaos.stop()

Kills are SIGKILL of one process, whichever has the name. Everything else is what an admin may do
at any time: signals, stops and starts, files in control/ and users/ replaced by rename, orders
to the queue. stop() leaves the services up and the control files as they were. Meanwhile
qmail-qread, qmail-qstat and qmail-qctl list run, over and over."""
import multiprocessing, os, random, signal, subprocess, threading, time
from collections import Counter

DAEMONS = ["qmail-send", "qmail-lspawn", "qmail-rspawn", "qmail-clean", "tcpserver", "multilog"]
WORKERS = ["qmail-smtpd", "qmail-qmtpd", "qmail-queue", "qmail-local", "qmail-remote", "qmail-inject"]
# deed: weight
DEEDS = {"kill daemon": 4, "kill worker": 8, "kill at start": 1, "kill with late partner": 1, "signal": 4, "restart": 2, "halt": 1, "pause": 1, "edit": 2, "order": 4}
UNUSUAL_S = 120  # for a program that looks


def state(pid):
    """Of /proc/PID/stat what is behind the name; nothing when it has ended."""
    try:
        with open("/proc/%s/stat" % pid) as f:
            return f.read().rpartition(") ")[2].split()
    except OSError:
        return []


def processes(*names):
    """Pids of the processes with these names, each with its name, zombies left out."""
    result = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open("/proc/%s/comm" % entry) as f:
                    name = f.read()[:-1]
                if names and name not in names:
                    continue
                if state(entry)[:1] not in ([], ["Z"]):
                    result.append((int(entry), name))
            except (OSError, ValueError):  # it has just ended
                continue
    return result


def kill(names, rng):
    """Kills one; its name or None. The pid cannot be another's meanwhile."""
    found = processes(*names)
    rng.shuffle(found)
    for pid, name in found:
        try:
            fd = os.pidfd_open(pid)
        except OSError:
            continue
        try:
            if (pid, name) in processes(name):
                signal.pidfd_send_signal(fd, signal.SIGKILL)
                return name
        except OSError:
            pass
        finally:
            os.close(fd)
    return None


class Chaos:
    def __init__(self, seed, world):
        self.rng = random.Random("%s chaos" % seed)
        self.tree, self.services, self.scratch = world.tree, world.services, world.scratch
        self.done = Counter()
        self.trouble = []
        self.looks = Counter()
        self.originals = {}
        self.counter = multiprocessing.Value("i", 0)

    def start(self, pause_s):
        self.pipe, theirs = multiprocessing.Pipe()
        self.counter.value = 0
        self.process = multiprocessing.get_context("fork").Process(target=self._run, args=(pause_s, theirs), daemon=True)
        self.process.start()

    def count(self):
        """Kills and signals so far."""
        return self.counter.value

    def stop(self):
        """Ends it. What was done, how often which program looked, and what these did wrong."""
        self.pipe.send("")
        self.done, self.looks, self.trouble = self.pipe.recv()
        self.process.join()

    # -- in the process

    def _run(self, pause_s, pipe):
        os.setpriority(os.PRIO_PROCESS, 0, -10)  # what it does must not wait for the load that it disturbs
        ended = threading.Event()
        looker = threading.Thread(target=self._look, args=(ended,))
        looker.start()
        while not pipe.poll(self.rng.expovariate(1 / pause_s)):
            deed = self.rng.choices(list(DEEDS), DEEDS.values())[0]
            what = getattr(self, deed.replace(" ", "_"))()
            if what:
                self.done[what] += 1
                self.counter.value += not what.startswith(("edit", "order"))
        ended.set()
        looker.join()
        self.settle()
        pipe.send((self.done, self.looks, self.trouble))

    def run(self, good, *arguments):
        """Runs one of the tree's programs; it must end with one of these exit codes."""
        try:
            result = subprocess.run([self.tree.bin(arguments[0])] + list(arguments[1:]), stdin=subprocess.DEVNULL, capture_output=True,
                                    timeout=UNUSUAL_S, cwd="/")
            if result.returncode not in good:
                self.trouble.append("%s: exit %d, %r" % (" ".join(arguments), result.returncode, result.stderr[-300:]))
        except subprocess.TimeoutExpired:
            self.trouble.append("%s: does not end" % " ".join(arguments))

    def _look(self, ended):
        while not ended.wait(0.15):
            # 111: qmail-send does not answer, or starts just now
            program, good = random.choice([(("qmail-qread",), (0,)), (("qmail-qstat",), (0,)), (("qmail-qctl", "list", "-a"), (0, 1, 111)),
                                           (("qmail-qctl", "list", "-j", "-s", "*"), (0, 1, 111))])
            self.run(good, *program)
            self.looks[program[0]] += 1

    def svc(self, option, name):
        self.services.svc(option, name)
        return "svc %s %s" % (option, name)

    def kill_daemon(self):
        name = kill([self.rng.choice(DAEMONS)], self.rng)
        return name and "kill " + name

    def kill_worker(self):
        """These live for some milliseconds."""
        wanted = [self.rng.choice(WORKERS)]
        for _ in range(30):
            name = kill(wanted, self.rng)
            if name:
                return "kill " + name
            time.sleep(0.01)
        return None

    def kill_at_start(self):
        """Whatever of qmail-start's there is a moment after a restart."""
        self.svc("-t", "send")
        time.sleep(self.rng.uniform(0, 0.06))
        name = kill(["qmail-start", "qmail-send", "qmail-lspawn", "qmail-rspawn", "qmail-clean"], self.rng)
        return "kill at start" if name else "svc -t send"

    def kill_with_late_partner(self):
        """qmail-send dies while one of its partners does not come to read what it has been asked,
        until the next qmail-send has been at work."""
        found = processes(self.rng.choice(["qmail-clean", "qmail-lspawn", "qmail-rspawn"]))
        if not found:
            return None
        try:
            partner = os.pidfd_open(found[0][0])
        except OSError:
            return None
        try:
            signal.pidfd_send_signal(partner, signal.SIGSTOP)
            time.sleep(self.rng.uniform(0.02, 0.3))
            name = kill(["qmail-send"], self.rng)
            time.sleep(self.rng.uniform(0.1, 1.5))
            signal.pidfd_send_signal(partner, signal.SIGCONT)
        except OSError:
            return None
        finally:
            os.close(partner)
        return name and "kill with late " + found[0][1]

    def signal(self):
        return self.svc(self.rng.choice(["-h", "-a", "-a"]), "send")

    def restart(self):
        return self.svc("-t", self.rng.choice(["send", "send", "smtp", "qmtp"]))

    def stop_and_start(self, stop, start, name):
        self.svc(stop, name)
        time.sleep(self.rng.uniform(0, 1))
        self.svc(start, name)
        return "svc %s %s %s" % (stop, start, name)

    def halt(self):
        return self.stop_and_start("-d", "-u", self.rng.choice(["send", "smtp", "qmtp"]))

    def pause(self):
        return self.stop_and_start("-p", "-c", "send")

    def order(self):
        verb, *arguments = self.rng.choice([
            ("hold", "-s", "s-t*[%d]@*" % self.rng.randrange(10)), ("release", "-S", "held"), ("release", "-S", "held"),
            ("try", "-a"), ("try", "-r", "*@slow.far.test"), ("show", "-H", "-r", "m0*")])
        self.run((0, 1, 111), "qmail-qctl", verb, *arguments)
        if self.rng.random() < 0.3:
            self.run((0,), "qmail-tcpok")
        return "order " + verb

    # -- files

    def replace(self, name, more=""):
        """By what it was at first, and more."""
        path = self.tree.at(name)
        if name not in self.originals:
            with open(path) as f:
                self.originals[name] = f.read()
        text = self.originals[name]
        with open(path + ".new", "w") as f:
            f.write(text[:-2] + more + ".\n" if name == "users/assign" else text + more)
        os.chmod(path + ".new", 0o644)
        os.rename(path + ".new", path)

    def edit(self):
        number = self.rng.randrange(1000)
        name, more, then = self.rng.choice([
            ("control/locals", "extra-%d.test\n" % number, "-h"), ("control/virtualdomains", "extra-%d.test:virt\n" % number, "-h"),
            ("control/smtproutes", "extra-%d.test:127.0.0.1:9\n" % number, None), ("control/rcpthosts", "extra-%d.test\n" % number, None),
            ("control/queuelifetime", "%d\n" % (7000000 + number), "-t"), ("users/assign", "=extra%d:extra:60998:60998:/nonexistent:::\n" % number, None)])
        self.replace(name, more)
        if name == "users/assign":
            self.run((0,), "qmail-newu")
        if then:
            self.svc(then, "send")
        return "edit " + name

    def settle(self):
        for name in self.services.names:
            for option in ("-c", "-u"):
                self.svc(option, name)
        for name in self.originals:
            self.replace(name)
        self.run((0,), "qmail-newu")
        self.svc("-h", "send")
