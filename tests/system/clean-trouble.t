#!/usr/bin/python3
"""qmail-send and qmail-clean in trouble with each other, and when they begin."""
from reqmail import *

tree = Tree()
home = tree.user("alice")


def process_of(name):
    """The process of that name that belongs to the running system."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if read("/proc/%s/comm" % pid).strip().decode() == name and os.getsid(int(pid)) == tree.process.pid:
                return int(pid)
        except (OSError, ProcessLookupError):
            pass


def send():
    return tree.queue(b"Subject: x\n\nx\n", "sender@far.test", ["alice@here.test"])


# -- requests of all kinds

def clean(requests, **more):
    return subprocess.run([tree.bin("qmail-clean")], input=requests, stdout=more.pop("stdout", subprocess.PIPE), cwd="/", timeout=60, **tree.user_of(5))


run = clean(b"foop/1\0todo/1\0" + b"x" * 100000 + b"\0foop/x\0foop/1\0foop")
same((run.returncode, run.stdout), (0, b"++xx+"), "answers, one for each request, however long")
with open("/dev/full", "wb") as full:
    same(clean(b"foop/1\0", stdout=full).returncode, 100, "qmail-clean: nobody takes its answers")
same(subprocess.run([tree.bin("qmail-clean")], stdin=os.open("/", os.O_RDONLY), stdout=subprocess.DEVNULL, cwd="/", timeout=60, **tree.user_of(5)).returncode,
     111, "qmail-clean: requests that cannot be read")

# -- it is slow: requests wait, and none is lost

MANY = 300
tree.start()
pid = process_of("qmail-clean")
os.kill(pid, signal.SIGSTOP)
for _ in range(MANY):
    send()
wait_for(lambda: len(maildir(home)) + tree.log().count("\ndelivery ") > 1, 60)
os.kill(pid, signal.SIGCONT)
ok(tree.wait_done(MANY, 300), "a qmail-clean that sleeps: all messages end", tree.log()[-2000:])
ok(tree.wait_empty(60), "and leave nothing", tree.queue_files()[:10])
same(len(maildir(home)), MANY, "each delivered once")

# -- it goes away

pid = process_of("qmail-clean")
os.kill(pid, signal.SIGKILL)
send()
ok(tree.wait_log("^alert: oh no! lost qmail-clean connection! dying\\.\\.\\.$"), "qmail-clean is lost", tree.log()[-1000:])
ok(wait_for(lambda: tree.process.poll() is not None), "qmail-send ends")
tree.stop()
tree.start()
ok(tree.wait_empty(60), "what was left is done after the next start", tree.queue_files())
tree.stop()

# -- qmail-send alone

run = subprocess.run([tree.bin("qmail-send")], stdin=subprocess.DEVNULL, capture_output=True, cwd="/", timeout=60, **tree.user_of(7))
same(run.returncode, 111, "qmail-send without the others")
done()
