#!/usr/bin/python3
"""session - one system, one case, once; run by bench in namespaces of its own.

usage: session.py SPECIFICATION RESULT     (files, both JSON)

What is mounted, started and made here is gone when the process ends, which is the first
of its process namespace; only the scratch directory is left to bench."""
import json, os, re, resource, signal, socket, subprocess, sys, threading, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import meter, systems
from systems import DOMAIN, HOME, PORT, SINK_PORT, run, write

WARM_UP = 10      # messages at least before anything is measured
QUIET_S = 0.3     # without CPU time: the system has nothing more to do
QUIET_CPU_S = 0.01  # less than this is rest; a few clock ticks where /proc is what tells


class Load:
    """Programs that we did not write: smtp-source, smtp-sink, xargs."""

    def __init__(self, spec):
        postfix = os.path.join(spec["unpacked"], "usr")
        self.bin = postfix + "/sbin/"
        self.environment = {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": postfix + "/lib/postfix"}
        self.end = time.monotonic() + spec["limit_s"]
        self.sunk = 0

    def sink(self, *options):
        """Takes and counts what is relayed."""
        process = subprocess.Popen([self.bin + "smtp-sink", "-u", "joe", *options, "-c", "0.0.0.0:%d" % SINK_PORT, "4096"], env=self.environment,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        threading.Thread(target=self._count, args=(process.stdout,), daemon=True).start()
        wait_listening(SINK_PORT, process)

    def _count(self, stream):
        text = b""
        while True:
            more = os.read(stream.fileno(), 65536)
            if not more:
                return
            text = (text + more)[-200000:]
            counts = re.findall(rb"mesg=(\d+)", text)
            if counts:
                self.sunk = int(counts[-1])

    def source(self, count, sessions, size, recipient, stay=False):
        """Sends by SMTP; returns when all is accepted."""
        sessions = min(sessions, count)
        before = meter.children_cpu()
        done = subprocess.run([self.bin + "smtp-source"] + ["-d"] * stay +
                              ["-m", str(count), "-s", str(sessions), "-l", str(size), "-f", "sender@" + DOMAIN, "-t", recipient,
                               "127.0.0.1:%d" % PORT], env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=max(1, self.end - time.monotonic()))
        meter.Cpu.load = [load + after - was for load, was, after in zip(meter.Cpu.load, before, meter.children_cpu())]
        if done.returncode:
            raise RuntimeError("smtp-source: " + done.stderr.decode(errors="replace")[-300:])

    def wait(self, reached, every=0.02):
        """Until the count is reached. Asking takes time from what is measured, so it is done the
        more rarely the longer it takes."""
        while True:
            begun = time.monotonic()
            if reached():
                return
            took = time.monotonic() - begun
            if begun > self.end:
                raise RuntimeError("not done within the time limit")
            time.sleep(max(every, 20 * took))


def wait_listening(port, process):
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 10).close()
        except OSError:
            if process.poll() is not None:
                raise RuntimeError("%s: %s" % (process.args[0], process.stderr.read().decode(errors="replace")))
            time.sleep(0.01)


def resolver():
    """Answers every DNS question at once: there is no such name. Nothing that is measured needs
    one, but some systems ask for the client's name and would wait for the answer."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 53))

    def answer():
        while True:
            query, client = udp.recvfrom(4096)
            if len(query) > 12:
                end = query.find(b"\0", 12) + 5
                udp.sendto(query[:2] + b"\x85\x83\0\1\0\0\0\0\0\0" + query[12:end], client)
    threading.Thread(target=answer, daemon=True).start()


# -- what the system sees

def cover(spec):
    """Private directories instead of the host's, on the disk that is measured."""
    disk = spec["scratch"] + "/disk"
    os.mkdir(disk)
    if spec["image"]:
        run("mkfs.ext4", "-q", "-F", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0", spec["image"])
        run("mount", "-o", "loop,nodiscard", spec["image"], disk)
        device = [line.split()[0] for line in open("/proc/self/mounts") if line.split()[1] == disk][0]
        spec["device"] = os.path.basename(device)
    os.chmod(disk, 0o755)
    for name in "tree", "etc", "home", "spool", "lib", "log", "usr", "work":
        os.mkdir(disk + "/" + name)
    run("cp", "-a", "/etc/.", disk + "/etc")
    lower = os.path.join(spec["unpacked"], spec["files"]) + ":/usr" if spec["files"] else "/usr"
    # all systems see /usr through an overlay, so that it costs all the same
    run("mount", "-t", "overlay", "overlay", "-o", "lowerdir=%s,upperdir=%s/usr,workdir=%s/work" % (lower, disk, disk), "/usr")
    for name, place in (("etc", "/etc"), ("home", "/home"), ("spool", "/var/spool"), ("lib", "/var/lib"), ("log", "/var/log"),
                        ("tree", os.environ["CONF_QMAIL"])):
        run("mount", "--bind", disk + "/" + name, place)
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    run("ip", "link", "set", "lo", "up")
    write("/etc/hosts", "127.0.0.1 localhost %s\n" % DOMAIN)
    write("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")


def make_joe():
    systems.account("joe", HOME)
    for part in "", "/Maildir", "/Maildir/tmp", "/Maildir/new", "/Maildir/cur":
        systems.directory(HOME + part, "joe", 0o700 if part else 0o755)


def delivered():
    return sum(1 for _ in os.scandir(HOME + "/Maildir/new"))


class Running:
    """The system, started."""

    def __init__(self, system, spec):
        self.system, self.spec = system, spec
        self.cpu = meter.Cpu(spec["cgroup"])
        self.start()

    def start(self):
        self.traces = []
        begun = time.monotonic()
        self.processes = [self._start(self._traced(command, i)) for i, command in enumerate(self.system.commands())]
        self._wait_greeting()
        self.startup_s = time.monotonic() - begun

    def stop(self):
        """By its own way, then by force."""
        self.system.stop(self)
        end = time.monotonic() + 15
        while self.cpu.members() and time.monotonic() < end:
            time.sleep(0.05)
        for pid in self.cpu.members():
            self.signal(pid, signal.SIGKILL)
        for process in self.processes:
            process.wait(30)

    def signal(self, pid, number):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass

    def terminate(self, *names):
        """SIGTERM to its processes of these names."""
        for pid in self.cpu.members():
            if meter.comm(pid) in names:
                self.signal(pid, signal.SIGTERM)

    def _traced(self, command, i):
        trace = "%s/trace.%d" % (self.spec["scratch"], i)
        if self.spec["pass"] == "plain":
            return command
        self.traces.append(trace)
        if self.spec["pass"] == "watch":
            return [os.environ["BUILD"] + "/tests/bench/watch", trace] + command
        return ["strace", "-f", "-qq", "-s", "64", "-o", trace] + command

    def _start(self, command):
        return subprocess.Popen(self.inside(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=open(self.spec["scratch"] + "/stderr", "ab"), env=self.system.environment, start_new_session=True)

    def inside(self, command):
        """The command, counted as the system's."""
        if not self.spec["cgroup"]:
            return command
        return ["sh", "-c", 'echo 0 > "$0/cgroup.procs" && exec "$@"', self.spec["cgroup"]] + command

    def _wait_greeting(self):
        end = time.monotonic() + 60
        while True:
            try:
                with socket.create_connection(("127.0.0.1", PORT), 10) as s:
                    s.settimeout(30)
                    if s.recv(500).startswith(b"220"):
                        s.sendall(b"QUIT\r\n")
                        s.recv(500)
                        return
            except OSError:
                pass
            if time.monotonic() > end:
                raise RuntimeError("no greeting within a minute")
            time.sleep(0.005)

    def settle(self, load):
        """Until nothing is in the queue and nothing runs any more."""
        before, since = sum(self.cpu.now()), time.monotonic()
        while time.monotonic() - since < QUIET_S:
            time.sleep(0.05)
            now = sum(self.cpu.now())
            if abs(now - before) > (QUIET_CPU_S if self.spec["cgroup"] else 4 * QUIET_CPU_S):
                before, since = now, time.monotonic()
            if time.monotonic() > load.end:
                raise RuntimeError("it does not come to rest")


# -- the cases

def measured(running, load, count, work):
    """Does the work, a function that returns the time when all was accepted, and waits for the
    end of it; the figures."""
    running.settle(load)
    cpu, begun = running.cpu.now(), time.monotonic()
    accepted, ended = work()
    running.settle(load)
    user, kernel = (after - before for before, after in zip(cpu, running.cpu.now()))
    figures = {"per_s": count / (ended - begun), "cpu_ms": (user + kernel) * 1000 / count,
               "user_ms": user * 1000 / count, "sys_ms": kernel * 1000 / count}
    if accepted:
        figures["accept_per_s"] = count / (accepted - begun)
    return figures


def smtp_in(case, load, running, relay=False):
    recipient = "someone@far.test" if relay else "joe@" + DOMAIN
    count = case["messages"]
    before = load.sunk if relay else delivered()

    def work():
        load.source(count, case["sessions"], case["size"], recipient, case["stay"])
        accepted = time.monotonic()
        load.wait(lambda: (load.sunk if relay else delivered()) >= before + count)
        return accepted, time.monotonic()
    return work


def warm_up(load, relay=False, sessions=2):
    """With as many sessions as will come: systems that keep processes then have them."""
    count = max(WARM_UP, 2 * sessions)
    recipient = "someone@far.test" if relay else "joe@" + DOMAIN
    before = load.sunk if relay else delivered()
    load.source(count, sessions, 4000, recipient)
    load.wait(lambda: (load.sunk if relay else delivered()) >= before + count)


def run_smtp(case, load, running):
    warm_up(load, sessions=case["sessions"])
    return measured(running, load, case["messages"], smtp_in(case, load, running))


def run_relay(case, load, running):
    load.sink()
    warm_up(load, relay=True, sessions=case["sessions"])
    return measured(running, load, case["messages"], smtp_in(case, load, running, relay=True))


def message_file(size):
    path = "/home/message"
    write(path, "Subject: measured\nFrom: joe@%s\nTo: joe@%s\n\n%s" % (DOMAIN, DOMAIN, "This is a line of the body of a message.\n" * (size // 41)))
    return path


def as_joe(running, command):
    return running.inside(["setpriv", "--reuid=joe", "--regid=joe", "--clear-groups"] + command)


def run_inject(case, load, running):
    """xargs and a shell are counted as the system's, the same for all: their own processes
    start the program to be measured."""
    warm_up(load)
    path, count, before = message_file(case["size"]), case["messages"], delivered()
    script = "seq %d | xargs -P %d -I N sh -c 'exec %s joe@%s < %s'" % (count, case["at_a_time"], running.system.sendmail, DOMAIN, path)

    def work():
        subprocess.run(as_joe(running, ["sh", "-c", script]), env=running.system.environment, check=True, stdin=subprocess.DEVNULL,
                       stderr=open(running.spec["scratch"] + "/stderr", "ab"), timeout=max(1, load.end - time.monotonic()))
        accepted = time.monotonic()
        load.wait(lambda: delivered() >= before + count)
        return accepted, time.monotonic()
    return measured(running, load, count, work)


def run_list(case, load, running):
    """Ends when the queue is empty: then every recipient has been done with."""
    load.sink()
    warm_up(load)
    count, path, before = case["recipients"], message_file(case["size"]), delivered()
    if case["domains"]:
        recipients = ["user%d@d%d.test" % (i, i % case["domains"]) for i in range(count)]
    else:
        recipients = ["joe-%d@%s" % (i, DOMAIN) for i in range(count)]

    def work():
        with open(path) as message:
            subprocess.run(as_joe(running, [running.system.sendmail, "-i"] + recipients), env=running.system.environment,
                           check=True, stdin=message, stderr=open(running.spec["scratch"] + "/stderr", "ab"), timeout=max(1, load.end - time.monotonic()))
        accepted = time.monotonic()
        load.wait(lambda: not running.system.entries())
        return accepted, time.monotonic()
    figures = measured(running, load, count, work)
    if not case["domains"]:
        figures["copies"] = delivered() - before
        if figures["copies"] < count:
            raise RuntimeError("%d of %d copies have arrived" % (figures["copies"], count))
    figures["transactions"] = load.sunk
    return figures


def run_flight(case, load, running):
    """The server answers the message so late that all deliveries are under way by then."""
    count = case["recipients"]
    load.sink("-w", str(5 + count // 150), "-m", str(2 * count))
    path, system = message_file(case["size"]), running.system
    running.settle(load)
    idle, _ = meter.pss_kb(running.cpu.members())
    begun = time.monotonic()
    with open(path) as message:
        subprocess.run(as_joe(running, [system.sendmail, "-i"] + ["user%d@d0.test" % i for i in range(count)]), env=system.environment,
                       check=True, stdin=message, timeout=max(1, load.end - time.monotonic()))
    most, pss, all_after = 0, 0, None
    while system.entries():
        now = sum(meter.comm(pid) == "qmail-remote" for pid in running.cpu.members())
        most = max(most, now)
        if now == count and all_after is None:
            all_after = time.monotonic() - begun
            pss, _ = meter.pss_kb(running.cpu.members())
        if time.monotonic() > load.end:
            raise RuntimeError("not done within the time limit; %d at once" % most)
        time.sleep(0.1)
    running.settle(load)
    results = []
    for name in os.listdir(os.path.dirname(system.logs[0])):  # one log may have been full
        with open(os.path.join(os.path.dirname(system.logs[0]), name), "rb") as log:
            results += re.findall(rb" delivery \d+: (\w+): ", log.read())
    if results.count(b"success") != count or len(results) != count:
        raise RuntimeError("of %d deliveries %d were successful" % (len(results), results.count(b"success")))
    figures = {"at_once": most, "transactions": load.sunk}
    if all_after is not None:
        figures.update(all_s=all_after, flight_mb=pss / 1024, delivery_kb=(pss - idle) / count)
    return figures


def run_waiting(case, load, running):
    """The same work with nothing in the queue, and with many messages that wait."""
    figures = run_smtp(case, load, running)
    result = {"before_" + name: figures[name] for name in ("per_s", "accept_per_s", "cpu_ms")}
    result["before_pss_mb"] = meter.pss_kb(running.cpu.members())[0] / 1024
    result["waiting"] = running.system.fill(running, load, case["waiting"])
    running.stop()
    running.start()
    result["restart_s"] = running.startup_s
    running.settle(load)
    result["pss_mb"] = meter.pss_kb(running.cpu.members())[0] / 1024
    before, begun = sum(running.cpu.now()), time.monotonic()
    time.sleep(5)
    result["idle_cpu_ms_per_s"] = (sum(running.cpu.now()) - before) * 1000 / (time.monotonic() - begun)
    result.update(run_smtp(case, load, running))
    return result


def greeted(count, end):
    sockets = []
    for _ in range(count):
        s = socket.create_connection(("127.0.0.1", PORT), 60)
        sockets.append(s)
    for s in sockets:
        s.recv(1000)
        s.sendall(b"EHLO client.test\r\n")
    for s in sockets:
        s.recv(2000)
    return sockets


def run_footprint(case, load, running):
    result = {"startup_s": running.startup_s}
    running.settle(load)
    idle, by_name = meter.pss_kb(running.cpu.members())
    result.update(idle_mb=idle / 1024, idle_processes=len(running.cpu.members()), idle_kb_of=by_name)
    warm_up(load)
    running.settle(load)
    used, _ = meter.pss_kb(running.cpu.members())
    sockets = greeted(case["connections"], load.end)
    connected, _ = meter.pss_kb(running.cpu.members())
    for s in sockets:
        s.close()
    result.update(used_mb=used / 1024, connection_kb=(connected - used) / case["connections"],
                  installed_mb=running.system.installed() / 1e6)
    return result


def run_price(case, load, running):
    relay, count = case["relay"], case["messages"]
    if relay:
        load.sink()
    warm_up(load, relay, case["sessions"])
    running.settle(load)
    work = smtp_in(case, load, running, relay)
    if running.spec["pass"] == "plain":
        device = running.spec.get("device")
        before = meter.disk_counters(device) if device else {}
        figures = measured(running, load, count, work)
        after = meter.disk_counters(device) if device else {}
        for name in before:
            if before[name] is not None:
                figures[name] = (after[name] - before[name]) / count
        return figures
    starts = [os.path.getsize(trace) for trace in running.traces]
    alive = meter.usage_of(running.cpu.members())
    work()
    running.settle(load)
    if running.spec["pass"] == "strace":
        return {"strace": merged_calls([meter.calls_of_strace(t, s, count) for t, s in zip(running.traces, starts)])}
    living = {}
    for pid, (name, *used) in meter.usage_of(running.cpu.members()).items():
        if name != "watch":
            was = alive.get(pid, (name, 0, 0, 0))[1:]
            sums = living.setdefault(name, [0, 0, 0])
            for i in range(3):
                sums[i] += used[i] - was[i]
    return {"watch": merged_programs([meter.programs_of_watch(t, s, count, living if i == 0 else {})
                                      for i, (t, s) in enumerate(zip(running.traces, starts))])}


def merged_programs(tables):
    programs = {}
    for table, _ in tables:
        for name, figures in table.items():
            sums = programs.setdefault(name, dict.fromkeys(figures, 0))
            for key, value in figures.items():
                sums[key] += value
    result = {"programs": programs, "started": sum(started for _, started in tables)}
    for key in "cpu_ms", "faults", "switches":
        result[key] = sum(p[key] for p in programs.values())
    return result


def merged_calls(tables):
    result = {"programs": {}, "calls": 0, "kinds": {}, "by_call": {}}
    for table in tables:
        for name, figures in table["programs"].items():
            old = result["programs"].setdefault(name, {"calls": 0, "most": {}})
            old["calls"] += figures["calls"]
            for call, value in figures["most"].items():
                old["most"][call] = old["most"].get(call, 0) + value
        result["calls"] += table["calls"]
        for part in "kinds", "by_call":
            for key, value in table[part].items():
                result[part][key] = result[part].get(key, 0) + value
    return result


RUN = {"smtp": run_smtp, "relay": run_relay, "inject": run_inject, "list": run_list, "flight": run_flight, "waiting": run_waiting,
       "footprint": run_footprint, "price": run_price}


def run_limit(spec):
    done = run(os.environ["BUILD"] + "/tests/bench/limit", spec["scratch"] + "/disk", str(spec["writers"]), str(spec["seconds"]))
    count, seconds = done.split()
    return {"per_s": int(count) / float(seconds)}


def session(spec):
    cover(spec)
    if spec["system"] is None:
        return run_limit(spec)
    resolver()
    make_joe()
    if spec["case"]["kind"] == "flight":
        many = spec["case"]["recipients"] * 3 // 2 + 1024
        resource.setrlimit(resource.RLIMIT_NOFILE, (many, many))
    system = systems.SYSTEMS[spec["system"]](spec)
    system.prepare()
    running = None
    try:
        running = Running(system, spec)
        load = Load(spec)
        result = RUN[spec["case"]["kind"]](spec["case"], load, running)
        result.setdefault("startup_s", running.startup_s)
        result["version"] = system.version()
        return result
    except Exception as e:
        stderr = open(spec["scratch"] + "/stderr", errors="replace").read()[-1000:] if os.path.exists(spec["scratch"] + "/stderr") else ""
        raise RuntimeError("%s\n%s\n%s" % (e, stderr, system.log())) from e
    finally:
        if running:
            running.stop()


def main():
    with open(sys.argv[1]) as f:
        spec = json.load(f)
    try:
        result = session(spec)
    except Exception as e:
        result = {"failed": "%s: %s" % (type(e).__name__, e)}
        if os.environ.get("BENCH_DEBUG"):
            raise
    with open(sys.argv[2], "w") as f:
        json.dump(result, f)


if __name__ == "__main__":
    main()
