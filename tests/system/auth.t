#!/usr/bin/python3
"""Passwords: what checkpassword lets in, and users who send mail after AUTH."""
import resource, smtplib
from reqmail import *

if not (root and private):
    skip_all("accounts with passwords need root and an /etc of their own")
tree = Tree()
CHECK = tree.bin("checkpassword")
if not os.path.exists(CHECK):
    skip_all("there is no crypt(3), so checkpassword is not built")
accounts = Accounts(tree)
HASH = hashed("sesame")
DAY = int(time.time()) // 86400
alice = accounts.add("alice", HASH)
for name, shadow, ageing in (
        ("locked", "!" + HASH, "19000:0:99999:7:::"), ("none", "*", "19000:0:99999:7:::"), ("empty", "", "19000:0:99999:7:::"),
        ("expired", HASH, "19000:0:99999:7::%d:" % DAY), ("later", HASH, "19000:0:99999:7::%d:" % (DAY + 2)),
        ("stale", HASH, "%d:0:90:7:::" % (DAY - 91)), ("fresh", HASH, "%d:0:90:7:::" % (DAY - 80)), ("change", HASH, "0:0:99999:7:::"),
        ("damaged", "$9$this$is-no-hash-at-all", "19000:0:99999:7:::")):
    accounts.add(name, shadow, ageing)
accounts.add("toor", HASH, uid=0)
accounts.add("md5", hashed("sesame", "$1$reqmail$"))
homeless = accounts.add("homeless", HASH)
shutil.rmtree(homeless)


def claim(name, password, more=b"<1.2@h>\0"):
    return name.encode() + b"\0" + password.encode() + b"\0" + more


def check(data, program=("true",), user=None, env=None):
    """Runs checkpassword with data on descriptor 3 (None: closed)."""
    def prepare():
        if user:
            os.setgroups([])
            os.setgid(user[1])
            os.setuid(user[0])
    path = write(os.path.join(tree.scratch, "claim"), data or b"")
    command = ["sh", "-c", 'exec "$@" 3<&-' if data is None else 'exec "$@" 3< %s' % path, "sh", CHECK] + list(program)
    return subprocess.run(command, preexec_fn=prepare, capture_output=True, timeout=60, cwd="/",
                          env=env or {"PATH": "/usr/bin:/bin", "KEPT": "yes"})


# -- whom it lets in

for name, password, want in (
        ("alice", "sesame", 0), ("alice", "Sesame", 1), ("alice", "", 1), ("alice", "sesame ", 1), ("ALICE", "sesame", 1), ("", "", 1),
        ("nobody-here", "sesame", 1), ("locked", "sesame", 1), ("none", "*", 1), ("empty", "", 1), ("expired", "sesame", 1),
        ("later", "sesame", 0), ("stale", "sesame", 1), ("fresh", "sesame", 0), ("change", "sesame", 1), ("damaged", "sesame", 1),
        ("toor", "sesame", 1), ("root", "", 1), ("md5", "sesame", 0), ("md5", "x", 1), ("homeless", "sesame", 111), ("homeless", "x", 1)):
    run = check(claim(name, password))
    same((run.returncode, run.stdout, run.stderr), (want, b"", b""), "%s with %r" % (name, password))
same(check(claim("alice", "sesame", b"\0more\0even more\0")).returncode, 0, "more strings")
same(check(claim("alice", "sesame", b"x" * 497 + b"\0")).returncode, 0, "512 bytes")
same(check(claim("alice", "sesame", b"x" * 499 + b"\0")).returncode, 1, "513 bytes")
for data, program, what in ((claim("alice", "sesame"), (), "no program"), (b"", ("true",), "no data"), (b"alice\0sesame\0", ("true",), "two strings"),
                            (b"alice\0sesame\0stamp", ("true",), "an end without NUL"), (None, ("true",), "no descriptor 3")):
    same(check(data, program).returncode, 2, what)
same(check(claim("alice", "sesame"), ("/nonexistent",)).returncode, 111, "no such program")
same(check(claim("alice", "sesame"), ("sh", "-c", "exit 7")).returncode, 7, "the program's exit code")
os.chmod(CHECK, 0o755)
same(check(claim("alice", "sesame"), user=(60201, 60201)).returncode, 111, "without the rights of root")
os.chmod(CHECK, 0o700)

# -- what the program gets

run = check(claim("alice", "sesame"), ("sh", "-c", "id -u; id -G; pwd; echo $USER $HOME $SHELL $KEPT; ls /proc/self/fd; grep ^Uid: /proc/$$/status"))
lines = run.stdout.decode().splitlines()
same(lines[:4], ["60201", "60201 61201", alice, "alice %s /bin/sh yes" % alice], "ids, groups, directory, environment")
same(lines[4:-1], ["0", "1", "2", "3"], "descriptors: ls has one more of its own")
same(lines[-1].split()[1:], ["60201"] * 4, "there is no way back")

# -- time does not tell names

def cpu(name):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    check(claim(name, "wrong"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


# The least that each has taken is free of what else the machine does, sooner or later.
times = {name: [] for name in ("alice", "nobody-here", "locked", "none", "expired", "toor", "damaged")}
for _ in range(60):
    for name in times:
        times[name].append(cpu(name))
    least = {name: min(taken) for name, taken in times.items()}
    apart = {name for name, taken in least.items() if abs(taken - least["alice"]) > least["alice"] * 0.35}
    if len(times["alice"]) >= 5 and not apart:
        break
for name in times:
    ok(name not in apart, "as long for %s" % name, "%r, usual %f" % (times[name], least["alice"]))

# -- users who send mail

nofiles = os.environ.get("CONF_GROUPS", "qmail nofiles").split()[1]
subprocess.run(["install", "-o", "root", "-g", nofiles, "-m", "4710", CHECK, CHECK + "-auth"], check=True)
port = free_port()
sink = Sink()
tree.control("smtproutes", ":127.0.0.1:%d\n" % sink.port)
try:
    with tree.running("./Maildir/"), Services(tree, {"submission": {"LISTEN": "127.0.0.1", "PORT": port, "FORCETLS": "0"}}) as services:
        ok(services.wait_log("submission", "tcpserver: status: 0/40"), "the service listens")

        def client():
            return smtplib.SMTP("127.0.0.1", port, timeout=30)

        with client() as c:
            same(c.ehlo("client.test")[0], 250, "EHLO")
            found(rb"^AUTH LOGIN PLAIN$", c.ehlo_resp, "lists AUTH")
            same(c.docmd("MAIL FROM:<alice@%s>" % ME)[0], 530, "no MAIL before AUTH")
            same(c.docmd("AUTH PLAIN", "AGFsaWNlAHdyb25n")[0], 535, "a wrong password")
            c.user, c.password = "alice", "sesame"
            same(c.auth("PLAIN", c.auth_plain)[0], 235, "AUTH PLAIN")
            c.sendmail("alice@" + ME, ["bob@far.test"], "Subject: one\r\n\r\nhi\r\n")
        with client() as c:
            c.ehlo("client.test")
            c.user, c.password = "alice", "sesame"
            same(c.auth("LOGIN", c.auth_login)[0], 235, "AUTH LOGIN")
            c.sendmail("alice@" + ME, ["bob@far.test"], "Subject: two\r\n\r\nhi\r\n")
        run = subprocess.run(["swaks", "--server", "127.0.0.1", "--port", str(port), "--auth", "--auth-user", "alice", "--auth-password", "sesame",
                              "--from", "alice@" + ME, "--to", "bob@far.test"], capture_output=True, timeout=60)
        same(run.returncode, 0, "swaks --auth")
        ok(wait_for(lambda: len(sink.messages) == 3, 30), "all are sent to another host")
        ok(all(re.search(rb"\(alice@127\.0\.0\.1\)\n  by %s with ESMTPA; " % ME.encode(), m[2].replace(b"\r\n", b"\n")) for m in sink.messages),
           "and show who has sent them", sink.messages)
        services.set("submission", "FORCETLS", "1")
        services.svc("-t", "submission")
        ok(services.wait_log("submission", "not started: no SERVER for TLS"), "no start without TLS, unless it is not wanted")
finally:
    os.unlink(CHECK + "-auth")
done()
