#!/usr/bin/python3
"""make demo: works as it is, twice, beside another one, and leaves nothing behind; where
it cannot work it says why."""
from reqmail import *

PLACES = (os.path.realpath(os.path.join(SOURCE, "build/demo")), "/var/tmp/reqmail-demo.")

def processes():
    """Those that run in a place of a demo, or a program from there; whatever else the machine does is not ours."""
    ours = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for link in ("cwd", "exe"):
            try:
                path = os.readlink("/proc/%s/%s" % (pid, link))
            except OSError:
                continue
            if path.startswith(PLACES):
                ours.append((int(pid), path))
    return ours


def left_over():
    """What is left when all that were told to end have had time to."""
    wait_for(lambda: processes() == before, 10)
    return [p for p in processes() if p not in before]


def demo(path=None):
    return subprocess.run(["make", "demo"], cwd=SOURCE, stdin=subprocess.DEVNULL, capture_output=True, timeout=600,
                          env={"PATH": path or os.environ["PATH"], "MAKE": os.environ.get("MAKE", "make"), "USER": "tester"})


def refused(name, pattern, *arguments, account=None, path=None, mounts=(), before=None):
    """One that cannot begin: it ends at once, and says what is missing and what to do."""
    command = mounted(mounts, ["make", "demo", *arguments])
    if before:
        command = ["unshare", "--mount", "/bin/sh", "-c", before + ' && exec "$@"', "sh"] + command
    more = {} if account is None else {"user": account[0], "group": account[1], "extra_groups": []}
    result = subprocess.run(command, cwd=SOURCE, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, **more,
                            env={"PATH": path or os.environ["PATH"], "MAKE": os.environ.get("MAKE", "make"), "USER": "tester"})
    ok(result.returncode != 0, name + ": fails", result.stdout)
    found(pattern, result.stderr, name + ": says what and what to do")
    same(b"listening" in result.stdout, False, name + ": nothing is started")


def without(hidden):
    """A PATH on which a program is not."""
    links = tempfile.mkdtemp(prefix="without.", dir=os.environ.get("SCRATCH"))
    os.chmod(links, 0o755)
    atexit.register(lambda: shutil.rmtree(links, ignore_errors=True))
    for directory in ("/usr/local/bin", "/usr/bin", "/bin"):
        for program in os.listdir(directory):
            if program != hidden and not os.path.lexists(links + "/" + program):
                os.symlink(directory + "/" + program, links + "/" + program)
    return links


before = processes()

# What cannot work says so.

with socket.create_server(("127.0.0.1", 0)) as taken:
    port = taken.getsockname()[1]
    refused("a port that is taken", r"^demo: cannot listen on 127\.0\.0\.1 port %d: .* in use\. Give another" % port, "PORT=%d" % port)
for wrong in ("70000", "smtp", "-1"):
    refused("PORT=" + wrong, r"^demo: PORT=%s is no port: give a number up to 65535" % wrong, "PORT=" + wrong)
if not any(os.path.exists(d + "/svscan") for d in ("/usr/sbin", "/sbin")):
    refused("no svscan, without root", r"^Not here, but needed: daemontools\n(.*\n)*.*apt-get install daemontools", path=without("svscan"),
            account=(65534, 65534) if root else None)
else:
    skip(3, "svscan is where it cannot be hidden")
if root:
    refused("a user without a name", r"^demo: user 64321 or group 64321 has no name here.*run this as a user that has one", account=(64321, 64321))
else:
    skip(3, "needs root")
if private:
    names = os.environ["CONF_USERS"].split() + os.environ["CONF_GROUPS"].split()
    bare = tempfile.mkdtemp(prefix="etc.", dir=os.environ.get("SCRATCH"))
    atexit.register(lambda: shutil.rmtree(bare, ignore_errors=True))
    subprocess.run(["cp", "-a", "/etc/.", bare], check=True)
    for name in ("passwd", "group"):
        lines = read(bare + "/" + name).decode().splitlines(True)
        write(bare + "/" + name, "".join(l for l in lines if l.split(":")[0] not in set(names) - {"root"}))
    refused("users that are not there and cannot be made", r"^demo: the users and groups .* cannot be made; see step 2 of INSTALL",
            before="mount --bind '%s' /etc && mount -o remount,bind,ro /etc" % bare)
else:
    skip(3, "needs root and namespaces")

for run in ("first", "second"):
    result = demo(None if run == "first" else without("swaks"))
    out = result.stdout.decode("latin1")
    same(result.returncode, 0, run + " run: exit status")
    same(result.stderr, b"", run + " run: no complaints")
    found(r"^Delivered-To: alice@demo\.test$(.*\n)+.*Hello Alice, this came over a socket\.", out, run + " run: the message by SMTP")
    found(r"^Delivered-To: alice@demo\.test$(.*\n)+.*Hello again\.", out, run + " run: the message by qmail-inject")
    same(len(re.findall(r"^delivery \d+: success: did_1\+0\+0/$", out, re.M)), 2, run + " run: log lines")
    found(r"^status: exiting$", out, run + " run: an orderly end")
    same(left_over(), [], run + " run: no process is left")
# As on a machine that has nothing else. Other numbers, and another time, count as the same.
like = lambda line: re.sub(r"\d+", "1", re.sub(r"\d+ \w{3} \d{4} [\d:]{8}", "DATE", line))
shown = re.findall(r"(?m)^    (.*)$", read(os.path.join(SOURCE, "README")).decode().split("A part of what it prints:")[1].split("\nKEEP=1")[0])
printed = iter([like(line) for line in out.splitlines()])
same([line for line in shown if line and like(line) not in printed], [], "what README shows is printed, in this order")
ok(len(shown) > 20, "README shows something")

# A reader who goes away in the middle.
cut = subprocess.Popen(["make", "demo"], cwd=SOURCE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], "USER": "tester"})
for line in cut.stdout:
    if line.startswith(b"listening"):
        break
cut.stdout.close()
cut.wait(120)
same(left_over(), [], "a cut transcript: no process is left")

# One that stays up, and another beside it.
kept = subprocess.Popen(["make", "demo", "KEEP=1"], cwd=SOURCE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT, env={"PATH": os.environ["PATH"], "USER": "tester"}, text=True)
seen = []
for line in kept.stdout:
    seen.append(line)
    if line.startswith("stop it"):
        break
pid = re.search(r"kill (\d+)", seen[-1])
port = re.search(r"127\.0\.0\.1 port (\d+)", "".join(seen))
ok(pid and port, "KEEP=1: says how to stop it and where it listens", "".join(seen[-20:]))
if pid and port:
    with socket.create_connection(("127.0.0.1", int(port.group(1))), 20) as s:
        found(rb"^220 ", s.recv(200), "KEEP=1: it answers")
    result = demo()
    same(result.returncode, 0, "another one beside it")
    found(r"so this demo lives in ", result.stdout.decode("latin1"), "another one has a place of its own")
    os.kill(int(pid.group(1)), signal.SIGTERM)
kept.communicate(timeout=60)
same(kept.returncode, 0, "KEEP=1: stopping it is no failure")
same(left_over(), [], "KEEP=1: nothing is left after its end")
done()
