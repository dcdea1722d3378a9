#!/usr/bin/python3
"""The boot scripts: each starts the system, delivers, and logs to syslog. Where the
program that it names is not in the distribution, a stand-in with its interface is put
at its place, seen by the system alone."""
from reqmail import *

need_private()
tree = Tree()
home = {name: tree.account(name) for name in ("joe", "ann")}
mail = tree.scratch + "/mail"
os.mkdir(mail)
os.chmod(mail, 0o1777)
# The mail delivery programs: OPTION SENDER -d USER, the message without a From_ line on 0.
STAND_IN = r"""#!/bin/sh
# %s
[ $# = 4 ] && [ "$1" = %s ] && [ "$3" = -d ] || { echo "usage: ${0##*/} %s sender -d user" >&2; exit 64; }
[ "$(id -un)" = "$4" ] || exit 77
{ echo "From $2 $(date)"; cat; echo; } >> %s/$4
"""


def covered(directory, name, text):
    """A mount that adds a program to the directory: a directory of links to what is there."""
    directory = os.path.realpath(directory)
    there = tempfile.mkdtemp(prefix="there.", dir=tree.scratch)
    links = tempfile.mkdtemp(prefix="links.", dir=tree.scratch)
    os.chmod(there, 0o755)
    os.chmod(links, 0o755)
    for entry in os.listdir(directory):
        if entry != name:
            os.symlink(os.path.join(there, entry), os.path.join(links, entry))
    write(os.path.join(links, name), text, 0o755)
    return [(directory, there), (links, directory)]


class Syslog:
    """A /dev of our own with a /dev/log that we read; the rest of it is bare."""

    def __init__(self):
        self.dev = tree.scratch + "/dev"
        os.mkdir(self.dev)
        os.chmod(self.dev, 0o755)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.dev + "/log")
        os.chmod(self.dev + "/log", 0o666)
        self.mounts = [(self.dev, "/dev")]
        for name in ("null", "zero", "urandom", "tty"):
            write(self.dev + "/" + name, "")
        self.lines = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            self.lines.append(self.socket.recv(65536).decode("latin1"))

    def text(self):
        """The lines as qmail-send wrote them."""
        return "\n".join(re.sub(r"^.*? qmail: \d+\.\d{6} ", "", line) for line in self.lines) + "\n"


DEVICES = [("/dev/" + n, tree.scratch + "/dev/" + n) for n in ("null", "zero", "urandom", "tty")]
syslog = Syslog()
LIB = [(tree.path, "/var/lib/qmail")]
PROGRAMS = {
    "binm1": ("/usr/libexec", "mail.local", "-r"),
    "binm2": ("/bin", "mail", "-r"),
    "binm3": ("/bin", "mail", "-f"),
}


def boot(name):
    """Starts the script as init would, with what it needs in its place."""
    mounts = DEVICES + syslog.mounts
    kind = name.split("+")[0]
    if kind in PROGRAMS:
        directory, program, option = PROGRAMS[kind]
        mounts += covered(directory, program, STAND_IN % (name, option, option, mail))
    if name.endswith("+df"):
        mounts += LIB
    syslog.lines.clear()
    tree.process = subprocess.Popen(mounted(mounts, ["/bin/sh", "-c", "exec \"$0\" 2>&1", tree.at("boot", name)]), cwd="/", start_new_session=True,
                                    env={"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin", "LEFT": "over"}, stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE)
    return wait_for(lambda: "status: local 0/10 remote 0/20\n" in syslog.text())


def box(name, user):
    """Where the script delivers."""
    return home[user] + "/Mailbox" if name.startswith("home") else mail + "/" + user


def delivered(user, sender, words):
    ends = syslog.text().count("end msg ")
    status = tree.queue(b"Subject: %s\n\nFrom here\n" % words.encode(), sender, [user + "@here.test"])
    return status == 0 and wait_for(lambda: syslog.text().count("end msg ") > ends and not tree.queue_files())


for name in sorted(os.listdir(tree.at("boot"))):
    missing = [p for p, kind in (("procmail", "proc"), ("dot-forward", "+df")) if kind in name and not shutil.which(p)]
    directory = PROGRAMS.get(name.split("+")[0], "/")[0]
    missing += [directory] * (not os.path.isdir(directory))
    if missing or ("+df" in name and not os.path.isdir("/var/lib/qmail")):
        skip(1, "%s: no %s" % (name, " ".join(missing) or "/var/lib/qmail"))
        continue
    for user in home:
        entry = pwd.getpwnam(user)
        write(home[user] + "/.procmailrc", "DEFAULT=%s/%s\n" % (mail, user), 0o600, entry[2:4])
        for path in (mail + "/" + user, home[user] + "/Mailbox", home[user] + "/.forward"):
            if os.path.exists(path):
                os.unlink(path)
    if not ok(boot(name), name + ": starts, and says so to syslog", "\n".join(syslog.lines)):
        tree.stop()
        continue
    found(r"^<22>.* qmail: \d+\.\d{6} status: local 0/10 remote 0/20", "\n".join(syslog.lines), name + ": as facility mail")
    processes = subprocess.run(["ps", "-e", "-o", "user:20=", "-o", "comm=", "-o", "args="], capture_output=True).stdout.decode()
    for line, program in ((7, "qmail-send"), (3, "qmail-lspawn"), (6, "qmail-rspawn"), (5, "qmail-clean"), (2, "splogger")):
        found(r"^%s +%s " % (tree.names[line] if line != 3 else "root", program), processes, "%s: %s" % (name, program))
    environment = read("/proc/%d/environ" % tree.process.pid).split(b"\0")
    same([v for v in environment if v], [b"PATH=%s/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin" % tree.path.encode()], name + ": the environment is PATH alone")
    for sender, shown in (("s@far.test", "s@far.test"), ("", "MAILER-DAEMON")):
        ok(delivered("joe", sender, "probe"), "%s: delivers from <%s>" % (name, sender), syslog.text())
        found(r"^From %s .*\n(.*\n)*Subject: probe\n\n>?From here\n\n?\Z" % re.escape(shown), read(box(name, "joe"))[-2000:], "%s: the mbox" % name)
    got = read(box(name, "joe"))
    same((got.count(b"\nSubject: probe\n"), got.count(b"Delivered-To: joe@here.test\n"), got.count(b"Return-Path: <s@far.test>\n")), (2, 2, 1),
         name + ": both messages, with the lines of the delivery")
    same(len(re.findall(rb"^From \S+ \w{3} ", got, re.M)), 2, name + ": one From_ line each")
    same(os.stat(box(name, "joe")).st_uid, pwd.getpwnam("joe").pw_uid, name + ": delivered as the user")
    write(home["joe"] + "/.forward", "ann\n", owner=pwd.getpwnam("joe")[2:4])
    before = len(got)
    ok(delivered("joe", "s@far.test", "forward"), name + ": with a .forward", syslog.text())
    forwarded = (len(read(box(name, "joe"))) == before, b"Subject: forward\n" in read(box(name, "ann")))
    same(forwarded, (True, True) if name.endswith("+df") else (False, False), name + ": " + ("it is obeyed" if "+df" in name else "it does not count"))
    tree.process.terminate()  # stop() leaves splogger no time
    ok(wait_for(lambda: "status: exiting\n" in syslog.text()), name + ": says to syslog that it ends", syslog.text())
    ok(tree.stop(), name + ": and ends")
done()
