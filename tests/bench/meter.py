"""meter - what the processes of a system use: CPU time, memory, and by traces what
each program of it does."""
import collections, os, re, resource, time


def own_cgroup(name):
    """The directory of a new control group below our own one in which CPU time is counted,
    or None: version 1 where it is mounted, else version 2."""
    try:
        lines = [line.rstrip("\n").split(":", 2) for line in open("/proc/self/cgroup")]
    except OSError:
        return None
    for hierarchy, controllers, path in sorted(lines, key=lambda l: l[0] == "0"):
        tops = ["/sys/fs/cgroup/cpuacct", "/sys/fs/cgroup/cpu,cpuacct"] if "cpuacct" in controllers.split(",") else \
            ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] if hierarchy == "0" else []
        for top in tops:
            made = "%s%s/%s" % (top, path.rstrip("/"), name)
            try:
                os.mkdir(made)
            except OSError:
                continue
            if any(os.path.exists(made + "/" + f) for f in ("cpuacct.usage_user", "cpu.stat")):
                return made
            os.rmdir(made)
    return None


def remove_cgroup(path, seconds=10):
    """When its last process is gone, which the kernel may still be busy with."""
    end = time.monotonic() + seconds
    while path and os.path.isdir(path):
        try:
            os.rmdir(path)
        except OSError:
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
    return True


def read(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return ""


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


class Cpu:
    """CPU seconds, of user and kernel, that the system's processes have used so far."""

    load = [0.0, 0.0]  # what children of ours used that were not the system's

    def __init__(self, cgroup):
        self.cgroup = cgroup

    def now(self):
        if self.cgroup and os.path.exists(self.cgroup + "/cpuacct.usage_user"):
            return tuple(int(read("%s/cpuacct.usage_%s" % (self.cgroup, part)) or 0) / 1e9 for part in ("user", "sys"))
        if self.cgroup:
            fields = dict(line.split() for line in read(self.cgroup + "/cpu.stat").splitlines())
            return int(fields["user_usec"]) / 1e6, int(fields["system_usec"]) / 1e6
        return self._from_proc()

    def members(self):
        """The system's processes that are there now."""
        if self.cgroup:
            return [int(p) for p in read(self.cgroup + "/cgroup.procs").split() if p != "0"]
        return [p for p in processes() if p != os.getpid() and comm(p) not in ("smtp-source", "smtp-sink")]

    def _from_proc(self):
        tick = os.sysconf("SC_CLK_TCK")
        user, kernel = ((used - load) * tick for used, load in zip(children_cpu(), self.load))
        for pid in self.members():
            fields = read("/proc/%d/stat" % pid).rpartition(")")[2].split()
            if fields:
                user += int(fields[11]) + int(fields[13])
                kernel += int(fields[12]) + int(fields[14])
        return user / tick, kernel / tick


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime, used.ru_stime


def comm(pid):
    return read("/proc/%d/comm" % pid).strip()


def pss_kb(pids):
    """What pages they have, those in common shared out; and the same per program."""
    by_name = collections.Counter()
    for pid in pids:
        found = re.search(r"^Pss: +(\d+)", read("/proc/%d/smaps_rollup" % pid), re.M)
        if found:
            by_name[comm(pid)] += int(found.group(1))
    return sum(by_name.values()), dict(by_name)


def disk_counters(device):
    """Writes, flushes and journal commits of a block device so far; None for what cannot be told."""
    fields = read("/sys/block/%s/stat" % device).split()
    info = [read(os.path.join("/proc/fs/jbd2", name, "info")) for name in (os.listdir("/proc/fs/jbd2") if os.path.isdir("/proc/fs/jbd2") else [])
            if name.startswith(device + "-")]
    commits = re.search(r"^(\d+) transactions", info[0]) if info else None
    return {"writes": int(fields[4]) if fields else None, "written_kb": int(fields[6]) / 2 if fields else None,
            "flushes": int(fields[15]) if len(fields) > 15 else None, "commits": int(commits.group(1)) if commits else None}


# -- what each program does, from traces

def programs_of_watch(path, start, count, living):
    """From watch's lines after byte `start`: per program CPU ms, page faults, context switches
    and processes that ended, for each of `count` messages; `living` has what those that live
    on have used meanwhile, {name: (cpu_ns, faults, switches)}."""
    total = collections.defaultdict(lambda: [0, 0, 0, 0])
    started = execs = 0
    with open(path) as f:
        f.seek(start)
        for line in f:
            fields = line.split()
            if fields[:1] == ["started"]:
                started += 1
            elif fields[:1] == ["ran"] and len(fields) == 6:
                figures = total[fields[2]]
                for i, value in enumerate(fields[3:]):
                    figures[i] += int(value)
                figures[3] += 1
    for name, used in living.items():
        for i, value in enumerate(used):
            total[name][i] += value
    table = {name: {"cpu_ms": f[0] / 1e6 / count, "faults": f[1] / count, "switches": f[2] / count, "runs": f[3] / count}
             for name, f in total.items()}
    return {k: v for k, v in table.items() if any(v.values())}, started / count


def usage_of(pids):
    """{pid: (name, cpu_ns, faults, switches)} of processes, threads of which count as one."""
    usage = {}
    for pid in pids:
        schedstat, stat, status = (read("/proc/%d/%s" % (pid, f)) for f in ("schedstat", "stat", "status"))
        if schedstat and stat:
            fields = stat.rpartition(")")[2].split()
            switches = sum(int(n) for n in re.findall(r"_ctxt_switches:\s+(\d+)", status))
            usage[pid] = (comm(pid).replace(" ", "_"), int(schedstat.split()[0]), int(fields[7]) + int(fields[9]), switches)
    return usage


CALL = re.compile(r"^(\d+) +(?:<\.\.\. )?([a-z_0-9]+)( resumed>|\()")


def calls_of_strace(path, start, count):
    """From strace -f's lines: system calls of each message after byte `start`, per program and
    in all. What came before tells which process is which program."""
    name, calls = {}, collections.defaultdict(collections.Counter)
    position, forking = 0, None
    with open(path, errors="replace") as f:
        for line in f:
            counts = position >= start
            position += len(line.encode("utf-8", "replace"))
            found = CALL.match(line)
            if not found:
                continue
            pid, call, kind = found.groups()
            name.setdefault(pid, name.get(forking, "?"))  # a child may be seen before its parent's fork returns
            if kind == "(" and counts:
                calls[name[pid]][call] += 1
            if call == "execve" and kind == "(":
                program = re.search(r'execve\("([^"]*)"', line)
                pending = os.path.basename(program.group(1))[:15] if program else "?"
                if re.search(r"\) += 0$", line):
                    name[pid] = pending
                elif "<unfinished" in line:
                    name[pid, "execve"] = pending
            elif call == "execve" and re.search(r"= 0$", line):
                name[pid] = name.pop((pid, "execve"), name[pid])
            elif call in ("fork", "vfork", "clone", "clone3"):
                forking = pid
                child = re.search(r"\) += (\d+)$", line)
                if child:
                    name.setdefault(child.group(1), name[pid])
    table = {n: {"calls": sum(c.values()) / count, "most": {k: round(v / count, 2) for k, v in c.most_common(12)}} for n, c in calls.items()}
    every = sum(calls.values(), collections.Counter())
    kinds = {"fork": ("fork", "vfork", "clone", "clone3"), "exec": ("execve",), "sync": ("fsync", "fdatasync", "sync", "syncfs"), "write_out": ("sync_file_range",),
             "open": ("open", "openat"), "connect": ("connect",)}
    return {"programs": table, "calls": sum(every.values()) / count,
            "kinds": {k: sum(every[c] for c in v) / count for k, v in kinds.items()},
            "by_call": {k: round(v / count, 2) for k, v in every.most_common(30)}}
