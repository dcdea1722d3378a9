#!/usr/bin/python3
"""A binary package, the way a distribution makes one: built and put together by somebody
without rights, owners given to it, packed like a .deb, unpacked elsewhere, verified entry
by entry, and used."""
import io, shlex, stat, tarfile
from reqmail import *

if sanitized:
    skip_all("a build of its own, without sanitizers")
BUILDER = 65534 if root else os.geteuid()
tree = Tree()
HOME = tree.path
top = os.path.join(tree.scratch, "package")
source, dest, unpacked = (os.path.join(top, n) for n in ("source", "dest", "unpacked"))
GROUP = os.environ["CONF_GROUPS"].split()[0]


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600, **more)


def become_builder():
    if root:
        os.setgroups([])
        os.setgid(BUILDER)
        os.setuid(BUILDER)


# -- built by somebody without rights, in a folder of his own

shutil.copytree(SOURCE, source, symlinks=True, ignore=shutil.ignore_patterns("build", ".git", "__pycache__"))
os.mkdir(dest)
if root:
    for where, _, files in os.walk(top):
        for path in [where] + [os.path.join(where, f) for f in files]:
            os.lchown(path, BUILDER, BUILDER)
environment = {"PATH": os.environ["PATH"], "HOME": source, "LC_ALL": "C"}
settings = ["CONF_QMAIL=" + HOME, "CONF_USERS=" + os.environ["CONF_USERS"], "CONF_GROUPS=" + os.environ["CONF_GROUPS"],
            "CONF_CC=cc -O0", "CONF_LD=cc -s"]
result = run(["make", "-s", "-j2", "package", "DESTDIR=" + dest] + settings, cwd=source, env=environment, preexec_fn=become_builder)
if not ok(result.returncode == 0, "make package DESTDIR=...", result.stdout.decode("latin1")[-3000:]):
    done()
same(os.listdir(dest), [HOME.split("/")[1]], "nothing but HOME is below DESTDIR")

# -- the install list, as the specification has it

ALIAS, OWNER, QUEUE, REMOTE, SEND = (tree.names[n] for n in (0, 3, 5, 6, 7))
ROOT_ONLY = ("qmail-lspawn", "qmail-start", "qmail-newu", "qmail-newmrh", "qmail-qfix", "checkpassword")
SYSTEM = ("qmail-getpw", "qmail-getpw-nss", "qmail-local", "qmail-remote", "qmail-remote-dns", "qmail-rspawn", "qmail-clean", "qmail-send", "splogger", "qmail-pw2u", "qmail-popup")
D, F, P = stat.S_IFDIR, stat.S_IFREG, stat.S_IFIFO
RULES = [  # the first that matches a path counts
    (r"(|control|users|bin|boot|doc|man)", D, OWNER, 0o755),
    (r"man/(man|cat)[1578]", D, OWNER, 0o755),
    (r"alias", D, ALIAS, 0o2755),
    (r"queue(|/todo|/lock|/mess(/\d+)?)", D, QUEUE, 0o750),
    (r"queue/(pid|intd)", D, QUEUE, 0o700),
    (r"queue/(bounce|(info|local|remote)(/\d+)?)", D, SEND, 0o700),
    (r"queue/order", D, SEND, 0o700),
    (r"queue/lock/tcpto6?", F, REMOTE, 0o644),
    (r"queue/lock/sendmutex", F, SEND, 0o600),
    (r"queue/lock/trigger", P, SEND, 0o622),
    (r"boot/(home|proc|binm[123])(\+df)?", F, OWNER, 0o755),
    (r"doc/[A-Za-z0-9.]+\.md", F, OWNER, 0o644),
    (r"man/man(\d)/[a-z0-9-]+\.\1", F, OWNER, 0o644),
    (r"man/cat\d/[a-z0-9-]+\.0", F, OWNER, 0o644),
    (r"bin/qmail-queue", F, QUEUE, 0o4711),
    (r"bin/(%s)" % "|".join(ROOT_ONLY), F, OWNER, 0o700),
    (r"bin/(%s)" % "|".join(SYSTEM), F, OWNER, 0o711),
    (r"bin/[a-z0-9-]+", F, OWNER, 0o755),
]


def entries(home):
    found = [home]
    for where, dirs, files in os.walk(home):
        found += [os.path.join(where, n) for n in dirs + files]
    return sorted(found)


def compare(home, owners, name):
    wrong = []
    for path in entries(home):
        below = path[len(home) + 1:]
        rule = next((r for r in RULES if re.fullmatch(r[0], below)), None)
        if rule is None:
            wrong.append("%s: in no list" % below)
            continue
        st = os.lstat(path)
        if (stat.S_IFMT(st.st_mode), stat.S_IMODE(st.st_mode)) != (rule[1], rule[3]):
            wrong.append("%s: mode %o" % (below, st.st_mode))
        if owners and (st.st_uid, st.st_gid) != (pwd.getpwnam(rule[2]).pw_uid, grp.getgrnam(GROUP).gr_gid):
            wrong.append("%s: owner %d:%d" % (below, st.st_uid, st.st_gid))
    same(wrong, [], name)


import grp
compare(dest + HOME, False, "types and modes of what the builder has put together")
splits = {n: len(os.listdir(os.path.join(dest + HOME, "queue", n))) for n in ("mess", "info", "local", "remote")}
same(splits, {n: 23 for n in splits}, "the split")
same((os.path.getsize(dest + HOME + "/queue/lock/tcpto"), os.path.getsize(dest + HOME + "/queue/lock/sendmutex")), (1024, 0), "sizes of the lock files")
built = [n for n in os.listdir(source + "/build/bin")]
same(sorted(os.listdir(dest + HOME + "/bin")), sorted(built), "every program that was built")
same([os.listdir(os.path.join(dest + HOME, n)) for n in ("control", "users", "alias")], [[], [], []], "control, users and alias are empty")
if not root:
    note("owners need root: the rest is left out")
    done()

# -- owners, and packed

environment["DESTDIR"] = dest
result = run([source + "/build/instchown"], cwd=source, env=environment)
same((result.returncode, result.stdout), (0, b""), "instchown gives owners")
compare(dest + HOME, True, "owners, types and modes")
result = run([source + "/build/instcheck", "-e"], cwd=source, env=environment)
same((result.returncode, result.stdout), (0, b""), "instcheck finds nothing")

work = os.path.join(top, "deb")
os.mkdir(work)
control = ("Package: reqmail\nVersion: %s\nArchitecture: all\nMaintainer: root <root@here.test>\nDescription: a mail server\n"
           % read(SOURCE + "/VERSION").decode().strip())
write(work + "/debian-binary", "2.0\n")
write(work + "/control", control)
with tarfile.open(work + "/control.tar", "w", format=tarfile.GNU_FORMAT) as tar:
    tar.add(work + "/control", "./control")
with tarfile.open(work + "/data.tar", "w", format=tarfile.GNU_FORMAT) as tar:
    tar.add(dest, ".")
result = run(["ar", "rcS", "reqmail.deb", "debian-binary", "control.tar", "data.tar"], cwd=work)
same(result.returncode, 0, "ar packs it")
os.mkdir(unpacked)
if shutil.which("dpkg-deb"):
    result = run(["dpkg-deb", "--field", "reqmail.deb", "Version"], cwd=work)
    same(result.stdout.decode().strip(), read(SOURCE + "/VERSION").decode().strip(), "dpkg-deb knows the package's version")
    result = run(["dpkg-deb", "--extract", "reqmail.deb", unpacked], cwd=work)
else:
    skip(1, "no dpkg-deb here")
    result = run(["sh", "-c", "ar p reqmail.deb data.tar | tar -xpf - -C " + shlex.quote(unpacked)], cwd=work)
ok(result.returncode == 0, "unpacked", result.stdout.decode("latin1"))

# -- verified

compare(unpacked + HOME, True, "unpacked: owners, types and modes")
environment["DESTDIR"] = unpacked
result = run([source + "/build/instcheck", "-e"], cwd=source, env=environment)
same((result.returncode, result.stdout), (0, b""), "unpacked: instcheck finds nothing")
same([e[len(dest):] for e in entries(dest + HOME)], [e[len(unpacked):] for e in entries(unpacked + HOME)], "unpacked: nothing is missing")

# -- used, in its place

if not private:
    skip(4, "needs a namespace to put it in its place")
    done()
SMOKE = """
set -eu
cd "$1"
CONF_QMAIL="$2" ./config-fast here.test > /dev/null
cd /
echo ./Mailbox > "$2/alias/.qmail-joe"
"$2/bin/qmail-showctl" -c
PATH="$2/bin:$PATH" qmail-start ./Mailbox < /dev/null > "$3" 2>&1 &
pid=$!
trap 'kill $pid 2> /dev/null || :' EXIT
printf 'Subject: smoke\\n\\nfrom the package\\n' | setpriv --reuid=65534 --regid=65534 --clear-groups "$2/bin/qmail-inject" -f joe@here.test joe
n=0
until grep -q '^end msg' "$3"; do n=$((n + 1)); [ $n -lt 1200 ]; sleep 0.05; done
kill $pid
wait $pid
trap - EXIT
cat "$2/alias/Mailbox"
"""
log = os.path.join(top, "log")
command = mounted([(unpacked + HOME, HOME)], ["/bin/sh", "-c", SMOKE, "smoke", source, HOME, log])
result = run(command, env={"PATH": os.environ["PATH"]})
ok(result.returncode == 0, "a message through the package", result.stdout.decode("latin1") + read(log).decode("latin1"))
found("^from the package$", result.stdout, "is in its mailbox")
found("^delivery 1: success: did_1", read(log), "the log says so")
found("^status: exiting$", read(log), "and it stopped by itself")
done()
