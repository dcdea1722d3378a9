#!/usr/bin/python3
"""make demo: works as it is, twice, beside another one, and leaves nothing behind."""
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


def demo():
    return subprocess.run(["make", "demo"], cwd=SOURCE, stdin=subprocess.DEVNULL, capture_output=True, timeout=600,
                          env={"PATH": os.environ["PATH"], "MAKE": os.environ.get("MAKE", "make"), "USER": "tester"})


before = processes()
for run in ("first", "second"):
    result = demo()
    out = result.stdout.decode("latin1")
    same(result.returncode, 0, run + " run: exit status")
    same(result.stderr, b"", run + " run: no complaints")
    found(r"^Delivered-To: alice@demo\.test$(.*\n)+.*Hello Alice, this came over a socket\.", out, run + " run: the message by SMTP")
    found(r"^Delivered-To: alice@demo\.test$(.*\n)+.*Hello again\.", out, run + " run: the message by qmail-inject")
    same(len(re.findall(r"^delivery \d+: success: did_1\+0\+0/$", out, re.M)), 2, run + " run: log lines")
    found(r"^status: exiting$", out, run + " run: an orderly end")
    same(left_over(), [], run + " run: no process is left")

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
