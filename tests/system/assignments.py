"""assignments - large files users/assign, and what looking something up in them costs.

    assignments.write_file(tree, 100000)
    seconds, peak_kb = assignments.newu(tree)
    cost = assignments.lookups(tree, 100000, 50)
"""
import collections

from spawner import *

# The home is not a directory, so that a delivery ends right after the lookup.
HOME = "/dev/null/%d"


def write_file(tree, count):
    """users/assign with that many lines, simple and wildcard ones by turns."""
    with open(tree.at("users/assign"), "w") as f:
        for i in range(count):
            f.write("%suser.%d%s:vuser:60901:60901:%s:-::\n" % ("=+"[i % 2], i, "-" * (i % 2), HOME % i))
        f.write(".\n")


def newu(tree):
    """Runs qmail-newu: the seconds that it takes and its largest memory in kB, looked at
    while it runs: what wait4(2) tells has the memory of the process that started it."""
    started, peak_kb = time.monotonic(), 0
    run = subprocess.Popen([tree.bin("qmail-newu")], cwd="/")
    while run.poll() is None:
        with contextlib.suppress(OSError, AttributeError), open("/proc/%d/status" % run.pid) as f:
            text = f.read()
            if "qmail-newu" in text.splitlines()[0]:
                peak_kb = max(peak_kb, int(re.search(r"VmHWM:\s+(\d+)", text).group(1)))
        time.sleep(0.0005)
    assert run.returncode == 0
    return time.monotonic() - started, peak_kb


def local_part(kind, number):
    """One that the entry answers, or one that none does."""
    return {"simple": "user.%d" % (number & ~1), "wildcard": "User.%d-list" % (number | 1), "nobody": "nobody.%d" % number}[kind]


def lookups(tree, count, each):
    """Has qmail-lspawn look up that many addresses of each kind among count entries:
    {kind: [reads of users/cdb, one number for each lookup]}; and the answers that are wrong."""
    trace = os.path.join(tree.scratch, "reads")
    message(tree)
    cost, wrong = collections.defaultdict(list), []
    step = max(2, count // each) | 1
    with Spawner(tree, "qmail-lspawn", "./Maildir/", under=["strace", "-o", trace, "-y", "-e", "trace=open,openat,read,pread64"]) as spawner:
        for kind in ("simple", "wildcard", "nobody"):
            for number in range(0, step * each, step):
                number %= count - 1
                spawner.send(0, local_part(kind, number) + "@here.test")
                _, report = spawner.report()
                entry = {"simple": number & ~1, "wildcard": number | 1}.get(kind)
                home = None if entry is None else b"ZUnable to switch to %s: not a directory. (#4.3.0)\n" % (HOME % entry).encode()
                if (report != home) if home else report.startswith(b"ZUnable to switch to " + (HOME % 0)[:-1].encode()):
                    wrong.append((kind, number, report))
                reads = -1  # of what came after the file was opened
                for line in reversed(read(trace).decode("latin1").splitlines()):
                    if "/users/cdb" in line:
                        reads += 1
                        if line.startswith("open"):
                            break
                cost[kind].append(reads)
        spawner.end()
    os.unlink(tree.at("queue/mess", MESSAGE))
    return cost, wrong
