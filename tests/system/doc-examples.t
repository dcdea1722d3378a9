#!/usr/bin/python3
"""The pages of doc/: their examples, executed as they are printed, on a machine of their
own where INSTALL has been carried out.

    ```sh      commands of root's, with /var/qmail/bin in PATH, in the sources' directory
    ```text    what these print, other lines aside
    ```log     what comes into the log of deliveries, in any order

Other numbers count as the same. A page begins with the mail system as it was installed,
in FAQ.md each question does; host mail.example.org, users joe and ann. Every other host
is one that takes all mail.
"""
from machine import *

on_a_machine_of_our_own(installed=True)
NAME = "mail.example.org"
ENV = dict(LOGIN, PATH=HOME + "/bin:" + LOGIN["PATH"])
SERVICES = ("send", "smtp", "submission")
KEPT = [HOME + "/" + n for n in ("control", "users", "alias")] + ["/home/joe", "/home/ann", "/etc/tcp.smtp", "/etc/tcp.smtp.cdb"] + \
    [service(n) + "/env" for n in SERVICES]
# People are slower than this: what they started has happened when they type the next line.
SLOWLY = r'''
umask 022
svc() {
    case $1 in
    -h) # another letter behind it shows when supervise has seen it
        was=$(stat -c %i%y "$2/supervise/status")
        command svc -hu "$2"
        until [ "$(stat -c %i%y "$2/supervise/status")" != "$was" ]; do sleep 0.1; done ;;
    -t)
        way=$1
        shift
        for one; do
            was=$(svstat "$one" | sed 's/.*(pid \([0-9]*\)).*/\1/')
            command svc $way "$one"
            until svstat "$one" | grep -v "(pid $was)" | grep -q ': up (pid'; do sleep 0.1; done
        done ;;
    *) command svc "$@" ;;
    esac
}
su() {
    case $* in *maildir2mbox*) sleep 1.1 ;; esac # what came within the same second stays
    command su "$@"
}
mconnect() { # tcpserver listens a moment after it is up
    until tcpclient -RHl0 -- "$1" "$2" true 2> /dev/null; do sleep 0.1; done
    command mconnect "$@"
}
'''


def install():
    script = """
./config-fast %s
for user in joe ann; do useradd -m -s /bin/sh $user; su $user -s /bin/sh -c 'cd && %s/bin/maildirmake Maildir'; done
for name in postmaster root mailer-daemon; do echo '&joe' > %s/alias/.qmail-$name; done
mkdir -p %s/service build
mv /root/service build/service
for s in send smtp submission; do cp -R build/service/$s %s/service/; done
cp build/service/tcp.smtp /etc/
cd /etc
tcprules tcp.smtp.cdb tcp.smtp.tmp < tcp.smtp
install -o root -g nofiles -m 4710 %s/bin/checkpassword %s/bin/checkpassword-auth
echo 0 > %s/service/submission/env/FORCETLS
echo ':127.0.0.1:2525' > %s/control/smtproutes
svscan %s/service &
""" % (NAME, HOME, HOME, HOME, HOME, HOME, HOME, HOME, HOME, HOME)
    status, text = shell(script, SOURCES, ENV)
    if status:
        note(text)
    return status == 0 and wait_for(lambda: all(is_up(n) for n in SERVICES))


def keep():
    os.mkdir("/root/kept")
    for path in KEPT:
        quietly("cp", "-a", path, "/root/kept" + path.replace("/", "_").join(("/", "")))


def begin_again():
    """As installed, with an empty queue."""
    quietly("svc", "-d", service("send"))
    wait_for(lambda: ": down " in quietly("svstat", service("send")).stdout.decode() and log().endswith(" status: exiting\n"))
    for path in KEPT:
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        quietly("cp", "-a", "/root/kept/" + path.replace("/", "_"), path)
    for where, _, files in os.walk(HOME + "/queue"):
        if "/lock" not in where:
            [os.unlink(os.path.join(where, n)) for n in files]
    for name in os.listdir(HOME + "/service"):
        quietly("svc", "-u", service(name))
    wait_for(lambda: log().endswith(" status: local 0/10 remote 0/20\n"))


def units(name, text):
    """The parts of a page that begin anew: title, text."""
    if name != "FAQ.md":
        return [(name, text)]
    parts = re.split(r"^## (.*)\n", text, flags=re.M)
    return [("FAQ.md " + title.split()[0], part) for title, part in zip(parts[1::2], parts[2::2])]


def lines_of(text):
    return [line for line in text.splitlines() if line]


def lacking(block, start, seen):
    """The lines that the log lacks, and the numbers of those that have been seen now: each
    line of the log stands for one of a page."""
    got = [re.sub(r"^@[0-9a-f]{24} ", "", line) for line in log()[start:].splitlines()]
    missing = []
    for line in lines_of(block):
        at = next((i for i, g in enumerate(got) if i not in seen and re.fullmatch(promise(line), g)), None)
        if at is None:
            missing.append(line)
        else:
            seen = seen | {at}
    return missing, seen


def execute(title, text):
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", text, flags=re.M | re.S)
    if not any(kind == "sh" for kind, _ in blocks):
        return
    begin_again()
    start, printed, seen = len(log()), None, frozenset()
    for kind, block in blocks:
        missing = [p for p in re.findall(r"\bqmail-[a-z0-9]+\b", block) if kind == "sh" and re.search(r"(?m)^\s*%s\b" % p, block)
                   and not os.path.exists(HOME + "/bin/" + p)]
        if missing:
            skip(1, "%s: there is no %s" % (title, missing[0]))
            return
        if kind == "sh":
            status, printed = shell(SLOWLY + block, SOURCES, ENV)
            same((status, status and printed), (0, 0), "%s: %s" % (title, block.splitlines()[0]))
        elif kind == "text":
            same(missing_promise(lines_of(block), printed.splitlines()), None, "%s: prints %s" % (title, block.splitlines()[0]))
            if missing_promise(lines_of(block), printed.splitlines()):
                note("printed:\n" + printed)
        else:
            wait_for(lambda: not lacking(block, start, seen)[0], 60)
            missing, seen = lacking(block, start, seen)
            if not same(missing, [], "%s: logs %s" % (title, block.splitlines()[0])):
                note("the log:\n" + re.sub(r"@[0-9a-f]{24} ", "", log()[start:]))


sink = Sink(port=2525)
if not ok(install(), "INSTALL"):
    done()
keep()
for name in sorted(os.listdir(SOURCES + "/doc")):
    for title, text in units(name, read(SOURCES + "/doc/" + name).decode()):
        execute(title, text)
done()
