#!/usr/bin/python3
"""make bench itself: it measures, small; it reports; it leaves nothing behind."""
import json

from reqmail import *

need_private()
bench = os.path.join(SOURCE, "tests/bench/bench")
unpacked = os.path.join(SOURCE, "build/unpacked/usr/sbin/smtp-source")
if not os.path.exists(unpacked):
    skip_all("needs smtp-source, which is unpacked from the package postfix")
if not all(shutil.which(program) for program in ("tcpserver", "multilog", "tcprules", "setuidgid", "unshare", "setpriv", "xargs")):
    skip_all("needs tcpserver, daemontools and util-linux")

scratch = tempfile.mkdtemp(dir=os.environ["SCRATCH"])
out = os.path.join(scratch, "out")
if subprocess.run(["unshare", "--mount", "sh", "-c", "mkdir $0/u $0/w && mount -t overlay overlay -o lowerdir=/usr,upperdir=$0/u,workdir=$0/w /usr",
                   scratch], stderr=subprocess.DEVNULL, timeout=60).returncode:
    skip_all("needs overlay mounts")


def measure(**settings):
    environment = dict(os.environ, ROUNDS="1", SCALE="0.001", DISK=scratch, OUT=out, LIMIT_S="200", **settings)
    return subprocess.run([sys.executable, "-B", bench], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=580)


mounts = read("/proc/self/mounts")
ran = measure(PEERS="reqmail", ONLY="smtp-20-one-4k list-local limit")
said = ran.stdout.decode() + ran.stderr.decode()
same(ran.returncode, 0, "it measures") or note(said)
results = json.loads(read(os.path.join(out, "results.json")) or "{}")
for case in "smtp-20-one-4k", "list-local":
    runs = results.get("cases", {}).get(case, {}).get("reqmail", [{}])
    ok(runs[0].get("per_s", 0) > 0 and runs[0].get("cpu_ms", 0) > 0, case + " has a rate and CPU time", runs)
found(r"^ +20 writers +\d", said, "the limit is in the table")
page = read(os.path.join(out, "index.html")).decode()
ok("<svg" in page and "<script" not in page and "http" not in page, "the page has charts, no scripts, and needs no network")
same(sorted(os.listdir(scratch)), ["out", "u", "w"], "its scratch directory is gone")
same(read("/proc/self/mounts"), mounts, "and so are its mounts")

ran = measure(PEERS="opensmtpd-not", ONLY="limit")
ok(ran.returncode != 0 and b"no such system" in ran.stderr, "a system that is not known is named", ran.stderr)
ran = measure(PEERS="reqmail", ONLY="no-such-*")
ok(ran.returncode != 0 and b"no such case" in ran.stderr, "and so is a case", ran.stderr)
shutil.rmtree(scratch, ignore_errors=True)
done()
