#!/usr/bin/python3
"""The first steps in the source folder: config with helpers that say what DNS might, config-fast
beside files that are there, and qmail-upq on queues of another split."""
import stat
from reqmail import *

tree = Tree()
BUILD = os.path.join(SOURCE, os.environ["BUILD"])
HELPERS = os.path.join(tree.scratch, "helpers")
NO_DNS = "Sorry, I couldn't find your host's canonical name in DNS.\nYou will have to set up control/me yourself.\n"


def clear():
    for name in os.listdir(tree.at("control")):
        os.unlink(tree.at("control", name))


def content():
    return {n: read(tree.at("control", n)).decode() for n in sorted(os.listdir(tree.at("control")))}


def run(program, *arguments, cwd=SOURCE):
    return subprocess.run([os.path.join(SOURCE, program)] + list(arguments), cwd=cwd, capture_output=True, stdin=subprocess.DEVNULL, timeout=60,
                          env={"PATH": os.environ["PATH"], "CONF_QMAIL": tree.path})


def config(**helpers):
    """Runs config with helpers of a test: the text of a shell script each."""
    for name in ("hostname", "dnsfq", "dnsip", "dnsptr", "ipmeprint"):
        write(os.path.join(HELPERS, name), "#!/bin/sh\n" + helpers.get(name, "exit 100") + "\n", 0o755)
    return run("config", cwd=HELPERS)


# -- config

HARD = "echo 'hard error' >&2; exit 100"
PTR = 'case $1 in 192.0.2.1) echo Mail.Dept.Example.test;; 2001:db8::1) echo six.example.test;; 192.0.2.2) echo "$EVIL";; *) echo hard error >&2; exit 100;; esac'
clear()
result = config(hostname="echo MAIL", dnsfq='[ "$1" = mail ] && echo Mail.Dept.Example.Test', dnsip='[ "$1" = mail.dept.example.test ] && printf "192.0.2.1\\n2001:db8::1\\n"',
                dnsptr=PTR, ipmeprint='printf "0.0.0.0\\n127.0.0.1\\n192.0.2.1\\n"')
same((result.returncode, result.stderr), (0, b""), "config: all goes well")
same(result.stdout.decode(), """Your hostname is mail.
Your host's fully qualified name in DNS is mail.dept.example.test.
Putting mail.dept.example.test into control/me...
Putting dept.example.test into control/defaultdomain...
Putting example.test into control/plusdomain...
 
Checking local IP addresses:
0.0.0.0: PTR lookup failed. I assume this address has no DNS name.
127.0.0.1: PTR lookup failed. I assume this address has no DNS name.
192.0.2.1: Adding Mail.Dept.Example.test to control/locals...
2001:db8::1: Adding six.example.test to control/locals...
 
If there are any other domain names that point to you,
you will have to add them to HOME/control/locals.
You don't have to worry about aliases, i.e., domains with CNAME records.
 
Copying HOME/control/locals to HOME/control/rcpthosts...
Now qmail will refuse to accept SMTP messages except to those hosts.
Make sure to change rcpthosts if you add hosts to locals or virtualdomains!
""".replace("HOME", tree.path), "config: every word")
LISTS = "Mail.Dept.Example.test\nsix.example.test\n"
same(content(), {"me": "mail.dept.example.test\n", "defaultdomain": "dept.example.test\n", "plusdomain": "example.test\n", "locals": LISTS, "rcpthosts": LISTS}, "config: the files")
same({oct(stat.S_IMODE(os.stat(tree.at("control", n)).st_mode)) for n in content()}, {"0o644"}, "config: their modes")

write(tree.at("control/locals"), "old.test\n", 0o600)
write(tree.at("control/virtualdomains"), "v.test:joe\n")
result = config(hostname="echo two", dnsfq="echo two.test", dnsip="echo 192.0.2.1", dnsptr=PTR, ipmeprint="echo 192.0.2.1")
same(content(), {"me": "two.test\n", "defaultdomain": "two.test\n", "plusdomain": "two.test\n", "locals": "Mail.Dept.Example.test\n", "rcpthosts": "Mail.Dept.Example.test\n",
                 "virtualdomains": "v.test:joe\n"}, "config again: its files are new, others stay")

clear()
result = config(hostname="echo lost", dnsfq=HARD)
same((result.returncode, result.stdout.decode(), result.stderr), (0, "Your hostname is lost.\n" + NO_DNS, b"hard error\n"), "config: not in DNS")
result = config(hostname="echo soft", dnsfq="echo 'soft error' >&2; exit 111")
same((result.returncode, result.stdout.decode(), result.stderr), (0, "Your hostname is soft.\n" + NO_DNS, b"soft error\n"), "config: DNS does not answer")
result = config(hostname="exit 111")
same((result.returncode, result.stdout), (0, b"Sorry, I couldn't find your hostname.\nYou will have to set up control/me yourself.\n"), "config: no host name")
same(content(), {}, "config: then nothing is written")
for evil in ("a b", "x$(touch /tmp/evil)", "../x", "-n", "a\nb", "*"):
    os.environ["EVIL"] = evil
    config(hostname="echo h", dnsfq="echo h.test", dnsip="echo 192.0.2.2", dnsptr="printf '%%s\\n' '%s'" % evil, ipmeprint=":")
    same(content()["locals"], "", "config: a hostile name is none: %r" % evil)
result = config(hostname="echo h", dnsfq="printf 'a b\\n'")
found("couldn't find your host's canonical name", result.stdout, "config: nor as the host's name")
result = config(hostname="echo h", dnsfq="echo h.test", dnsip=HARD, dnsptr=PTR, ipmeprint="echo 192.0.2.1")
same((result.returncode, content()["locals"], result.stderr), (0, "Mail.Dept.Example.test\n", b"hard error\n"), "config: no address of that name")
os.mkdir(tree.at("control/plusdomain.new"))
result = config(hostname="echo h", dnsfq="echo h.test")
ok(result.returncode == 111 and b"config: fatal: unable to write %s/control/plusdomain\n" % tree.path.encode() in result.stderr, "config: a file that cannot be written", result.stderr)
os.rmdir(tree.at("control/plusdomain.new"))

# -- config-fast, beside files that are there

clear()
write(tree.at("control/locals"), "old.test")
write(tree.at("control/rcpthosts"), "# ours\nNEW.dom.test\n", 0o600)
result = run("config-fast", "New.dom.test")
same((result.returncode, result.stderr), (0, b""), "config-fast")
same(content(), {"me": "New.dom.test\n", "defaultdomain": "dom.test\n", "plusdomain": "dom.test\n", "locals": "old.test\nNew.dom.test\n", "rcpthosts": "# ours\nNEW.dom.test\nNew.dom.test\n"},
     "config-fast: a cut last line is ended, the case is kept")
before = content()
run("config-fast", "New.dom.test")
same(content(), before, "config-fast: no line twice")
same(stat.S_IMODE(os.stat(tree.at("control/rcpthosts")).st_mode), 0o644, "config-fast: modes")
for wrong in ("", "a b", "joe@a.test", ".a.test", "a..b", "a.test.", "/etc"):
    result = run("config-fast", wrong)
    ok(result.returncode == 100 and result.stdout == b"" and result.stderr.startswith(b"config-fast: usage: config-fast your.full.host.name"), "config-fast: no name: %r" % wrong, result.stderr)
same(content(), before, "config-fast: and nothing is written")
target = os.path.join(tree.scratch, "target")
write(target, "not ours\n")
os.symlink(target, tree.at("control/me.new"))
run("config-fast", "New.dom.test")
same(read(target), b"not ours\n", "config-fast: a link in the way is not followed")

# -- qmail-upq

def upq(*arguments):
    return subprocess.run([os.path.join(BUILD, "qmail-upq")] + list(arguments), capture_output=True, stdin=subprocess.DEVNULL, timeout=60, env={}, cwd="/")


tree.reset()
WHERE = {"mess/46": "mess/0/46", "mess/29/47": "mess/1/47", "mess/5/48": "mess/2/48", "mess/3/49": "mess/3/49", "info/46": "info/0/46", "local/46": "local/0/46", "remote/22/47": "remote/1/47",
         "mess/29/18446744073709551615": "mess/%d/18446744073709551615" % (18446744073709551615 % 23)}
os.mkdir(tree.at("queue/mess/29"))
for path in WHERE:
    write(tree.at("queue", path), path, 0o600)
    os.utime(tree.at("queue", path), (1000, 2000))
inodes = {p: os.stat(tree.at("queue", p)).st_ino for p in WHERE}
result = upq()
same((result.returncode, result.stdout, result.stderr), (0, b"", b""), "qmail-upq")
same({n: read(tree.at("queue", n)).decode() for n in tree.queue_files()}, {to: at for at, to in WHERE.items()}, "every file is where it belongs")
same([p for p, to in WHERE.items() if os.stat(tree.at("queue", to)).st_ino != inodes[p] or os.stat(tree.at("queue", to)).st_mtime != 2000], [], "the same files, of the same age")
ok(not os.path.exists(tree.at("queue/mess/29")), "the directory of the old split is gone")
before = tree.queue_files()
same((upq().returncode, tree.queue_files()), (0, before), "again: nothing changes")
write(tree.at("queue/mess/46"), "another")
write(tree.at("queue/info/notes"), "x")
result = upq()
same((result.returncode, result.stderr.decode().replace(tree.path, "HOME")),
     (1, "qmail-upq: warning: HOME/queue/info/notes stays: it is no message's\nqmail-upq: warning: HOME/queue/mess/46 stays: there is another file in its place\n"), "nothing is overwritten")
same(read(tree.at("queue/mess/0/46")), b"mess/46", "what was in the place is still there")
os.unlink(tree.at("queue/info/notes"))
same(upq("x").returncode, 100, "qmail-upq: usage")
tree.reset()
with tree.running():
    result = upq()
    same((result.returncode, result.stderr), (111, b"qmail-upq: fatal: qmail-send is running; stop it first\n"), "not beside qmail-send")

# a queue without a split, upgraded with mail in it
alice = tree.user("alice")
same(tree.queue(b"Subject: x\n\nfrom the old queue\n", "a@b.test", ["alice@" + ME]), 0, "a message")
(message,) = [n for n in tree.queue_files() if n.startswith("mess/")]
os.rename(tree.at("queue", message), tree.at("queue/mess", os.path.basename(message)))
same(upq().returncode, 0, "qmail-upq")
with tree.running():
    ok(tree.wait_done(1), "is delivered after it", tree.log())
same(len(maildir(alice)), 1, "once")
done()
