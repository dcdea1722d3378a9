#!/usr/bin/env python3
"""Each system call of a spawner failing, while two deliveries are made: every command
is answered once, by success or by a temporary failure; the spawner goes on and ends in
good order. Then each step by which a child becomes the user failing: nothing is run
with other rights than the user's."""
import collections, select

from reqmail import *

if not root:
    skip_all("needs root: the programs run under their own users")
if not shutil.which("strace") or subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode:
    skip_all("no strace")
if "sanitize" in os.environ.get("CONF_LD", ""):
    skip_all("sanitizers make system calls of their own")

tree = Tree(os.environ.get("TREE", "/var/qmail"))
MESSAGE = "0/999999901"
write(tree.at("queue/mess", MESSAGE), b"Subject: x\n\nbody\n", owner=tree.ids(5))
trace = os.path.join(tree.scratch, "trace")
ran = os.path.join(tree.scratch, "ran")
write(ran, "", mode=0o666)


def script(path, body):
    return write(path, "#!/bin/sh\n" + body + "\n", mode=0o755)


remote = script(os.path.join(tree.scratch, "remote"), r'printf "r\0Kdone\n\0"')
for name, body in (("qmail-getpw", r"echo getpw $(id -u) $(id -G) >>%s; printf 'joe\00060101\00060102\000/home/joe\000-\000%%s\000' \"$1\"" % ran),
                   ("qmail-local", "echo local $(id -u) $(id -G) >>%s; echo done" % ran)):
    os.rename(tree.bin(name), tree.bin(name) + ".away")
    script(tree.bin(name), body.replace('\\"', '"'))


def put_back():
    for name in ("qmail-getpw", "qmail-local"):
        os.replace(tree.bin(name) + ".away", tree.bin(name))
    os.unlink(tree.at("queue/mess", MESSAGE))


atexit.register(put_back)
SPAWNERS = {"qmail-lspawn": ["./Mailbox"], "qmail-rspawn": []}


class Timeout(Exception):
    pass


def deliveries(name, *strace):
    """Two deliveries, one after the other. What came after the greeting, as a list of
    reports, and the exit status."""
    process = subprocess.Popen(["strace", "-o", trace] + list(strace) + [tree.bin(name)] + SPAWNERS[name], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0, cwd="/",
                               env={"PATH": tree.at("bin") + ":/usr/bin:/bin", "QMAILREMOTE": remote})

    def take(complete):
        data, end = b"", time.monotonic() + 15
        while not complete(data):
            if not select.select([process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                raise Timeout
            more = os.read(process.stdout.fileno(), 65536)
            if not more:
                break
            data += more
        return data

    reports = []
    try:
        slot_len = len(take(lambda d: d))
        for slot in (1, 2) if slot_len else ():
            try:
                process.stdin.write(slot.to_bytes(slot_len, "little") + MESSAGE.encode() + b"\0s@t\0joe@h\0")
            except BrokenPipeError:
                break
            data = take(lambda d: len(d) > slot_len and d.endswith(b"\0"))
            if data:
                reports.append(data)
        process.stdin.close()
        rest = take(lambda d: False)
        if rest:
            reports.append(rest)
        return slot_len, reports, process.wait(15)
    except Timeout:
        reports.append(b"nothing within 15 seconds")
        return 0, reports, None
    finally:
        process.kill()
        process.wait()
        for f in (process.stdin, process.stdout):
            f.close()


def calls(name):
    """How often each system call is made, until and after the greeting."""
    deliveries(name)
    begin, after, greeted = collections.Counter(), collections.Counter(), False
    for line in read(trace).decode("latin1").splitlines():
        m = re.match(r"(\w+)\(", line)
        if m:
            (after if greeted else begin)[m.group(1)] += 1
            greeted = greeted or line.startswith("write(1,")
    return begin, after


# These do not fail, or do more in strace's hands than fail. write: spawn.t.
SOUND = {"execve", "exit_group", "rt_sigreturn", "rt_sigprocmask", "brk", "mmap", "munmap", "mprotect", "getpid", "close", "write"}
ONLY = {"poll": ("EINTR", "ENOMEM"), "wait4": ("EINTR",), "vfork": ("EAGAIN", "ENOMEM"), "clone": ("EAGAIN", "ENOMEM"), "fork": ("EAGAIN", "ENOMEM")}

for name in SPAWNERS:
    begin, after = calls(name)
    wrong, tried = [], 0
    for call in sorted(set(after) - SOUND):
        for nth in range(1, after[call] + 1):
            for error in ONLY.get(call, ("EIO", "EMFILE", "EINTR")):
                when = begin[call] + nth
                slot_len, reports, status = deliveries(name, "-e", "inject=%s:error=%s:when=%d" % (call, error, when))
                tried += 1
                # a text may be lost, when it cannot be read
                good = [r for r in reports if re.fullmatch(rb".{%d}(K(done\n)?|Z[^\0]*\n)\0" % slot_len, r, re.S)]
                # commands that cannot be read have no reports
                fewer = call == "read" and error != "EINTR"
                if status != 0 or good != reports or (len(reports) != 2 and not fewer):
                    wrong.append((call, when, error, reports, status))
    note("%d failures tried" % tried)
    same(wrong, [], name + ": each call failing")

    _, reports, status = deliveries(name, "-e", "inject=fork,vfork,clone:error=EAGAIN:when=1")
    same([r.lstrip(b"\0\1\2") for r in reports], [b"Zqmail-spawn unable to fork. (#4.3.0)\n\0", b"Kdone\n\0"], name + ": no process")

for call in ("dup2", "setgroups", "setresgid", "getresgid", "setresuid", "getresuid"):
    for error in ("EPERM", "EAGAIN"):
        write(ran, "", mode=0o666)
        _, reports, status = deliveries("qmail-lspawn", "-f", "-e", "inject=%s:error=%s:when=1" % (call, error))
        kinds = {r[1:] for r in reports}
        same((len(reports), kinds <= {b"ZInternal qmail-lspawn bug.\n\0", b"ZTemporary failure in qmail-lspawn.\n\0"}, status, read(ran)),
             (2, True, 0, b""), "a child's %s fails by %s: nothing is run" % (call, error))
done()
