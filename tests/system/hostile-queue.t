#!/usr/bin/python3
"""qmail-queue is set-uid and started by anybody, with descriptors, limits, signals,
umask and environment of the caller's choice: it queues the message, or it exits with a
code of its table and leaves nothing; every file has its owner and mode."""
import contextlib, fcntl, itertools, resource, stat

from reqmail import *

if not root:
    skip_all("needs root: qmail-queue is set-uid")

tree = Tree()
already = set(os.listdir(tree.at("queue")))
queue_uid, _ = tree.ids(5)
CALLER, CALLER_GROUP = 60301, 60302
BODY, ENVELOPE = b"Subject: x\n\nbody\n", b"Fs@side.test\0Ta@here.test\0\0"
program = tree.bin("qmail-queue")


def become():
    os.setgroups([])
    os.setgid(CALLER_GROUP)
    os.setuid(CALLER)


def file_with(content):
    f = tempfile.TemporaryFile(dir=tree.scratch)
    f.write(content)
    f.seek(0)
    return f


def call(prepare=None, as_root=None, body=BODY, envelope=ENVELOPE, env={}, arguments=[program], on_0=None, on_1=None):
    """Runs qmail-queue as the caller. prepare() comes last before exec."""
    def before():
        if as_root:
            as_root()
        become()
        if prepare:
            prepare()
    with file_with(body) as f0, file_with(envelope) as f1:
        try:
            r = subprocess.run(arguments, executable=program, stdin=on_0 or f0, stdout=on_1 or f1, stderr=subprocess.PIPE, env=env,
                               cwd="/", preexec_fn=before, timeout=60)
        except OSError as error:
            return "not run: %d" % error.errno
    call.stderr = r.stderr
    return r.returncode


def files():
    """What is in the queue, and how: {name: (owner, group, mode)}."""
    every = {}
    for name in tree.queue_files():
        with contextlib.suppress(FileNotFoundError):  # gone meanwhile
            st = os.stat(tree.at("queue", name))
            every[name] = (st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode))
    return every


def clean():
    for name in tree.queue_files():
        os.unlink(tree.at("queue", name))


def queued(name, code, body=BODY):
    """One message is there, whole, as it should be."""
    there = files()
    kinds = sorted(n.split("/")[0] for n in there)
    good = (code, kinds, set(there.values())) == (0, ["intd", "mess", "todo"], {(queue_uid, CALLER_GROUP, 0o644)})
    mess = [read(tree.at("queue", n)) for n in there if n.startswith("mess/")]
    todo = [read(tree.at("queue", n)) for n in there if n.startswith("todo/")]
    good = good and re.match(rb"Received: \(qmail \d+ invoked by uid %d\); .* -0000\n" % CALLER, mess[0]) and mess[0].endswith(body)
    good = good and re.match(rb"u%d\0p\d+\0" % CALLER, todo[0]) and todo[0].endswith(b"\0" + ENVELOPE[:-1])
    clean()
    ok(good and call.stderr == b"", name, "code %r, %r, %r, %r" % (code, there, mess, call.stderr))


def refused(name, code, *codes):
    there = files()
    clean()
    ok(code in codes and not there, name, "code %r, not in %r; left: %r" % (code, codes, there))


queued("as it should be", call())

# -- descriptors

code = call(lambda: os.close(0))
if code == 0:  # a C library may have put something unreadable there before main
    queued("0 closed: an empty message", code, body=b"")
else:
    refused("0 closed", code, 54)
refused("1 closed", call(lambda: os.close(1)), 54)
queued("2 closed", call(lambda: os.close(2)))
refused("0 and 1 closed", call(lambda: os.closerange(0, 2)), 54)
refused("0, 1 and 2 closed", call(lambda: os.closerange(0, 3)), 54)
refused("all closed", call(lambda: os.closerange(0, 256)), 54)
with open("/dev/null", "wb") as sink, open(os.devnull, "rb") as nothing:
    refused("0 is not for reading", call(on_0=sink), 54)
    refused("1 is not for reading", call(on_1=sink), 54)
    refused("1 is empty", call(on_1=nothing), 54)
directory = os.open("/", os.O_RDONLY)
refused("0 is a directory", call(on_0=directory), 54)
refused("1 is a directory", call(on_1=directory), 54)
os.close(directory)


def leak():
    for fd in range(3, 200):
        os.dup2(0, fd)


queued("200 descriptors inherited", call(leak))
reading, writing = os.pipe()
fcntl.fcntl(reading, fcntl.F_SETFL, os.O_NONBLOCK)


def feed():
    time.sleep(0.3)
    os.write(writing, BODY)
    os.close(writing)


feeder = threading.Thread(target=feed)
feeder.start()
queued("a pipe that never blocks", call(on_0=reading))
feeder.join()
os.close(reading)

# -- limits: what each value gives is one of these, and nothing is left


def limit(what, value):
    return lambda: resource.setrlimit(what, (value, value))


for size in (0, 1, 30, 60, 80, 87):
    refused("files of %d bytes" % size, call(limit(resource.RLIMIT_FSIZE, size), body=b"x" * 4000), 53)
refused("the message fits, the envelope does not", call(limit(resource.RLIMIT_FSIZE, 200), envelope=b"Fs@side.test\0" + b"Ta@here.test\0" * 99 + b"\0"), 53)
outcomes = []
for count in range(0, 12):
    code = call(limit(resource.RLIMIT_NOFILE, count))
    outcomes.append(code)
    if code == 0:
        queued("%d descriptors" % count, code)
    else:
        # a small libc stops a set-uid program at once that cannot even have 0, 1 and 2
        stopped = (-signal.SIGSEGV,) if count < 3 else ()
        refused("%d descriptors" % count, code, *stopped, 54, 63, 64, 65, 66, 111, 127)
note("with 0, 1, 2 ... descriptors: %r" % outcomes)
same(outcomes[-1], 0, "eleven are enough")
if sanitized:
    skip(1, "sanitizers need address space of their own")
else:
    outcomes = []
    for kb in list(range(0, 4000, 250)) + list(range(4000, 12000, 1000)):
        code = call(limit(resource.RLIMIT_AS, kb << 10))
        outcomes.append(code)
        if code == 0:
            queued("%d kB of address space" % kb, code)
        else:
            refused("%d kB of address space" % kb, code, 51, 111, 127, -signal.SIGSEGV, -signal.SIGKILL, "not run: 12", "not run: 7")
    note("address space: %r" % outcomes)
    same(outcomes[-1], 0, "eleven MB are enough")
for what, name in ((resource.RLIMIT_CORE, "core"), (resource.RLIMIT_NPROC, "processes"), (resource.RLIMIT_MEMLOCK, "locked memory"),
                   (resource.RLIMIT_DATA, "data")):
    code = call(limit(what, 0))
    (queued if code == 0 else refused)("no " + name, code, *(() if code == 0 else (51, 111, 127, -signal.SIGSEGV, -signal.SIGKILL, "not run: 12")))


code = call(limit(resource.RLIMIT_CPU, 0))  # the kernel kills it, soon or never
there = files()
ok(code in (0, -signal.SIGKILL) and set(there.values()) <= {(queue_uid, CALLER_GROUP, 0o644)}
   and (code == 0) == any(n.startswith("todo/") for n in there), "no time", (code, there))
clean()


def soft_time():
    resource.setrlimit(resource.RLIMIT_CPU, (1, resource.RLIM_INFINITY))


queued("a time limit that may be passed", call(soft_time))

# -- umask, signals, timers

for mask in (0, 0o777, 0o022, 0o7777):
    queued("umask %o" % mask, call(lambda: os.umask(mask)))
EVERY = [s for s in range(1, signal.NSIG) if s not in (9, 19, 32, 33)]


def ignore_all():
    for s in EVERY:
        signal.signal(s, signal.SIG_IGN)


def block_all():
    signal.pthread_sigmask(signal.SIG_BLOCK, EVERY)


def both():
    ignore_all()
    block_all()


for prepare in (ignore_all, block_all, both):
    queued("signals: " + prepare.__name__, call(prepare))


def pending(number):
    def prepare():
        signal.pthread_sigmask(signal.SIG_BLOCK, [number])
        os.kill(os.getpid(), number)
    return prepare


for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGHUP, signal.SIGXFSZ, signal.SIGABRT, signal.SIGUSR1):
    refused("%s waits for it" % number.name, call(pending(number)), -number)
bad = []
for n in range(60):
    def timers():
        signal.setitimer(signal.ITIMER_REAL, 0.0001 + n * 0.0001, 0.0005)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.001, 0.001)
        signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    code, left = call(timers), files()
    if (code, len(left)) not in ((0, 3), (52, 0), (-signal.SIGALRM, 0), (-signal.SIGVTALRM, 0), (-signal.SIGPROF, 0)):
        bad.append((code, left))
    clean()
same(bad, [], "timers that fire all the time")


class Waiting:
    """A qmail-queue that has begun and waits for more of its message."""

    def __init__(self, prepare=None):
        def before():
            become()
            if prepare:
                prepare()
        self.envelope = file_with(ENVELOPE)
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=self.envelope, stderr=subprocess.PIPE, cwd="/", env={},
                                        preexec_fn=before)
        self.process.stdin.write(BODY[:5])
        self.process.stdin.flush()
        assert wait_for(lambda: [n for n in files() if n.startswith("mess/")])
        time.sleep(0.05)

    def signal(self, number):
        """By the caller himself, who may."""
        subprocess.run(["kill", "-%d" % number, str(self.process.pid)], user=CALLER, group=CALLER_GROUP, extra_groups=[], check=True)

    def end(self):
        _, call.stderr = self.process.communicate(BODY[5:], timeout=30)
        self.envelope.close()
        return self.process.returncode


for name in ("PIPE", "VTALRM", "PROF", "QUIT", "INT", "HUP", "XCPU", "XFSZ"):
    waiting = Waiting()
    waiting.signal(getattr(signal, "SIG" + name))
    queued("SIG%s on the way" % name, waiting.end())


def large_core():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


for name, code in [("ALRM", 52)] + [(n, 81) for n in ("ILL", "ABRT", "FPE", "BUS", "SEGV", "SYS")] + [("TERM", -15), ("KILL", -9)]:
    for prepare in (large_core, both):
        waiting = Waiting(prepare if code != -15 or prepare is large_core else None)
        waiting.signal(getattr(signal, "SIG" + name))
        got = waiting.process.wait(20)
        waiting.envelope.close()
        left = files()
        same((got, [n for n in left if n.startswith("todo/")], set(left.values()) - {(queue_uid, CALLER_GROUP, 0o644)}), (code, [], set()),
             "SIG%s (%s): not queued, and no file but its own is left" % (name, prepare.__name__))
        clean()
same([n for n in os.listdir(tree.at("queue")) if n.startswith("core")], [], "no core")

# -- environment, arguments

library = os.path.join(tree.scratch, "evil.so")
mark = os.path.join(tree.scratch, "marks")
os.mkdir(mark)
os.chmod(mark, 0o777)
source = write(library[:-3] + ".c", '#include <fcntl.h>\n__attribute__((constructor)) static void f(void) { open("%s/run", O_CREAT | O_WRONLY, 0600); }\n' % mark)
built = subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], capture_output=True).returncode == 0
if built:
    os.chmod(library, 0o755)
    hostile = {n: library for n in ("LD_PRELOAD", "LD_AUDIT", "GCONV_PATH", "NLSPATH", "LOCPATH", "MALLOC_TRACE", "HOSTALIASES", "RESOLV_HOST_CONF",
                                    "TZ", "TZDIR", "TMPDIR", "QMAILQUEUE", "HOME", "PWD", "PATH", "IFS", "MAKEFLAGS")}
    hostile.update({"LD_LIBRARY_PATH": tree.scratch, "LD_DEBUG": "all", "LD_DEBUG_OUTPUT": mark + "/debug", 
                    "LD_SHOW_AUXV": "1", "LD_BIND_NOW": "1", "GLIBC_TUNABLES": "glibc.malloc.check=3:glibc.rtld.x=1" * 99,
                    "MALLOC_CHECK_": "3", "MALLOC_PERTURB_": "7", "LC_ALL": "../../" + library})
    queued("hostile environment", call(env=hostile))
    same(os.listdir(mark), [], "nothing of it has an effect")
else:
    skip(2, "no C compiler")
queued("2 MB of environment", call(env={"X%d" % i: "x" * 100000 for i in range(18)}))
queued("many arguments", call(arguments=[program] + ["-x", "--help", "%s%n", ""] * 1000))
queued("another name", call(arguments=["-sh"]))
queued("an empty name", call(arguments=[""]))
NO_ARGUMENTS = """
import ctypes, os
os.setgroups([]); os.setgid(%d); os.setuid(%d)
array = (ctypes.c_char_p * 1)(None)
ctypes.CDLL(None).execve(%r, array, array)
os._exit(99)
""" % (CALLER_GROUP, CALLER, program.encode())
with file_with(BODY) as f0, file_with(ENVELOPE) as f1:
    r = subprocess.run([sys.executable, "-c", NO_ARGUMENTS], stdin=f0, stdout=f1, stderr=subprocess.PIPE, timeout=30)
    call.stderr = r.stderr
    queued("no arguments at all, not even a name", r.returncode)


def gone():
    where = tempfile.mkdtemp()
    os.chdir(where)
    os.rmdir(where)


queued("a working directory that is gone", call(gone))

# -- the envelope

for name, envelope, code in (("no sender", b"Ta@b\0\0", 91), ("nothing", b"", 54), ("a NUL", b"\0", 91), ("two senders", b"Fa@b\0Fa@b\0\0", 91),
                             ("no end", b"Fa@b\0Ta@b\0", 54), ("cut", b"Fa@b\0Ta@", 54), ("lower case", b"fa@b\0ta@b\0\0", 91),
                             ("a long sender", b"F" + b"x" * 1003 + b"\0\0", 11), ("an endless one", b"F" + b"x" * 10000000, 11),
                             ("a long recipient", b"Fa@b\0T" + b"x" * 1003 + b"\0\0", 11), ("rubbish", b"\xff" * 5000, 91),
                             ("u and p records", b"Fa@b\0u0\0p1\0Ta@b\0\0", 91)):
    refused("envelope: " + name, call(envelope=envelope), code)

# -- names that are taken


def take_pid_names(last):
    def as_root():
        now = int(time.time())
        for t, k in itertools.product(range(now, now + 4), range(1, last + 1)):
            os.close(os.open(tree.at("queue/pid/%d.%d.%d" % (os.getpid(), t, k)), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    return as_root


code = call(as_root=take_pid_names(9))
same((code, set(n.split("/")[0] for n in files()), len(files()), set(files().values())), (63, {"pid"}, 36, {(0, 0, 0o600)}), "all pid names are taken")
clean()
code = call(as_root=take_pid_names(8))
for name in [n for n in files() if n.startswith("pid/")]:
    os.unlink(tree.at("queue", name))
queued("eight of nine pid names are taken", code)


def take(kind):
    """Files in the names of all numbers that the next inode may have: hard links, which
    take no numbers themselves."""
    first = write(tree.at("queue", "first"), b"precious")
    number = os.stat(first).st_ino
    for n in itertools.chain(range(max(1, number - 50), number), range(number + 1, number + 400)):
        os.link(first, tree.at("queue", kind, str(n % 23), str(n)) if kind == "mess" else tree.at("queue", kind, str(n)))
    return first


for kind, code_taken in (("mess", 64), ("intd", 65), ("todo", 66)):
    if not os.path.isdir(tree.at("queue/mess/22")) or os.path.isdir(tree.at("queue/mess/23")):
        skip(2, "another conf-split")
        continue
    first = take(kind)
    before = files()
    code = call()
    after = files()
    if code == 0:
        skip(2, "this file system's numbers cannot be guessed")
    else:
        same((code, after == before), (code_taken, True), "%s/N is taken: exit code; nothing is added or removed" % kind)
        same(read(first), b"precious", "and nothing is written to it")
    os.unlink(first)
    clean()

# -- many at a time, killed at random: what is left has its owner and no todo without a message

processes = [Waiting() for _ in range(8)]
for p in processes[::2]:
    p.signal(signal.SIGKILL)
codes = [p.end() if i % 2 else p.process.wait(20) for i, p in enumerate(processes)]
there = files()
same((codes, set(there.values()), len([n for n in there if n.startswith("todo/")])), ([-9, 0] * 4, {(queue_uid, CALLER_GROUP, 0o644)}, 4),
     "eight at a time, half of them killed")
clean()
same(sorted(set(os.listdir(tree.at("queue"))) - already), [], "nothing else is in the queue")
done()
