"""reqmail - what the system tests have in common.

    from reqmail import *

    tree = Tree()
    home = tree.user("alice")
    with tree.running("./Maildir/"):
        tree.queue(b"Subject: x\\n\\nhi\\n", "bob@example.test", ["alice@here.test"])
        tree.wait_done(1)
    same(len(maildir(home)), 1, "messages for alice")
    done()

The tree is that of the environment variable TREE, made by tests/run.sh. It works
with the real user ids as root, and with one id otherwise; `root` tells which, and
`sanitized` whether this is make sanitize.
Every wait has a limit, and what a test started is ended when it ends.
"""
import atexit, os, pwd, re, shutil, signal, socket, subprocess, sys, tempfile, threading, time

root = os.geteuid() == 0
sanitized = bool(os.environ.get("SANITIZED"))  # the programs are built with sanitizers
private = root and bool(os.environ.get("PRIVATE"))  # /etc, HOME and the network are this run's own

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ME = "here.test"

# -- TAP

_count = _failed = 0
_notes = []  # until something fails
# prove shows nobody what a test says on descriptor 1; what a failure needs is said on 2
_hidden = "HARNESS_ACTIVE" in os.environ and "HARNESS_VERBOSE" not in os.environ
MOST_LINES = 100  # of one failure


def ok(passed, name, detail=""):
    """One check. Returns whether it passed."""
    global _count, _failed
    _count += 1
    print("%s %d - %s" % ("ok" if passed else "not ok", _count, name))
    if not passed:
        _failed += 1
        lines = str(detail).splitlines()
        for line in lines:
            print("# " + line)
        if _hidden:
            print("".join("# %s\n" % line for line in _notes + ["not ok %d - %s" % (_count, name)] + lines[:MOST_LINES]),
                  end="", file=sys.stderr)
        _notes.clear()
    sys.stdout.flush()
    return bool(passed)


def same(got, want, name):
    return ok(got == want, name, "got  %r\nwant %r" % (got, want))


def found(pattern, text, name):
    """The regular expression matches somewhere in the text (lines are ^ and $)."""
    as_bytes = isinstance(text, bytes)
    if as_bytes and isinstance(pattern, str):
        pattern = pattern.encode()
    return ok(re.search(pattern, text, re.M), name, "no %r in %r" % (pattern, text[-3000:]))


def note(text):
    lines = str(text).splitlines()
    for line in lines:
        print("# " + line)
    sys.stdout.flush()
    if _failed and _hidden:
        print("".join("# %s\n" % line for line in lines), end="", file=sys.stderr)
    else:
        _notes.extend(lines)


def skip(count, why):
    """These checks cannot be made here; why tells."""
    global _count
    for _ in range(count):
        _count += 1
        print("ok %d # SKIP %s" % (_count, why))


def skip_all(why):
    print("1..0 # SKIP " + why)
    sys.exit(0)


def need_private():
    """For tests that make accounts or mount: without namespaces they skip."""
    if not private:
        skip_all("needs root and namespaces: it makes accounts in an /etc of its own")


def done():
    """The plan, and the end of the test."""
    print("1..%d" % _count)
    sys.exit(1 if _failed else 0)


def wait_for(condition, seconds=60, every=0.03):
    """The first true result of condition(), or None when the time is over."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result or time.monotonic() > end:
            return result
        time.sleep(every)


# -- files

def write(path, content, mode=0o644, owner=None):
    """A file with that content; directories above it are made."""
    if isinstance(content, str):
        content = content.encode()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(content)
    os.chmod(path, mode)
    if root and owner:
        os.chown(path, *owner)
    return path


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except FileNotFoundError:
        return b""


def maildir(home, name="Maildir"):
    """The messages in new/ of a maildir, oldest first."""
    new = os.path.join(home, name, "new")
    if not os.path.isdir(new):
        return []
    paths = [os.path.join(new, n) for n in os.listdir(new)]
    return [read(p) for p in sorted(paths, key=lambda p: (os.stat(p).st_mtime_ns, p))]


def mounted(mounts, command):
    """The command, changed so that in its eyes directories (or files) cover others: mounts
    are pairs (what, place)."""
    if not mounts:
        return command
    script = "".join("mount --rbind '%s' '%s' && " % pair for pair in mounts) + 'exec "$@"'
    return ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", script, "sh"] + command


# -- an SMTP server that takes everything

class Sink:
    """Keeps what it is sent: messages is a list of (sender, recipients, data).
    refuse maps a command's first word, or "END" for the final dot, to the reply that
    it gets instead; judge(recipient) returns the reply that RCPT gets instead, or None.
    connections counts them."""

    def __init__(self, refuse=None, port=0, judge=None):
        self.refuse = refuse or {}
        self.judge = judge or (lambda recipient: None)
        self.messages = []
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # ends the accept() that waits in a thread
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        sender, recipients = None, []
        with connection, connection.makefile("rwb") as stream:
            def reply(text):
                stream.write(text.encode() + b"\r\n")
                stream.flush()
            try:
                reply("220 sink.test ESMTP")
                for line in stream:
                    word = line.split()[0].decode("latin1").upper() if line.split() else ""
                    if word in self.refuse:
                        reply(self.refuse[word])
                    elif word == "MAIL":
                        sender, recipients = line.strip().split(b":", 1)[1], []
                        reply("250 ok")
                    elif word == "RCPT":
                        recipient = line.strip().split(b":", 1)[1]
                        refused = self.judge(recipient)
                        if not refused:
                            recipients.append(recipient)
                        reply(refused or "250 ok")
                    elif word == "DATA":
                        reply("354 go ahead")
                        data = b""
                        for line in stream:
                            if line == b".\r\n":
                                break
                            data += line[1:] if line.startswith(b".") else line
                        if "END" in self.refuse:
                            reply(self.refuse["END"])
                        else:
                            self.messages.append((sender, recipients, data))
                            reply("250 taken")
                    elif word == "QUIT":
                        reply("221 bye")
                        return
                    else:
                        reply("250 ok")
            except OSError:
                pass


# -- the tree

class Tree:
    """An installed tree. A new one of these is stopped, its queue empty, its control
    files those of a host named here.test, and its only aliases the system's own."""

    def __init__(self, path=None):
        self.path = path or os.environ["TREE"]
        self.process = None
        self.log_path = None
        self.scratch = tempfile.mkdtemp(prefix="system.", dir=os.environ.get("SCRATCH"))
        os.chmod(self.scratch, 0o755)
        self.users = {}
        self.accounts = {}
        names = os.environ.get("CONF_USERS", "").split()
        self.names = names if len(names) == 8 else [pwd.getpwuid(os.geteuid()).pw_name] * 8
        self.alias_ids = self.ids(0)
        atexit.register(self._end)
        self.reset()

    def _end(self):
        self.stop()
        for name, content in self.accounts.items():
            write(name, content, os.stat(name).st_mode & 0o7777)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def at(self, *parts):
        return os.path.join(self.path, *parts)

    def bin(self, name):
        return self.at("bin", name)

    def ids(self, line):
        """uid and gid of the user on that line of conf-users, counted from 0."""
        entry = pwd.getpwnam(self.names[line])
        return entry.pw_uid, entry.pw_gid

    def reset(self):
        self.stop()
        for where in ("control", "users", "alias"):
            for name in os.listdir(self.at(where)):
                path = self.at(where, name)
                shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        for name in self.queue_files():
            os.unlink(self.at("queue", name))
        for name in ("me", "locals", "rcpthosts", "defaultdomain", "plusdomain"):
            self.control(name, ME + "\n")
        self.users = {}

    def control(self, name, content):
        """Writes control/NAME; None removes it."""
        path = self.at("control", name)
        if content is not None:
            write(path, content)
        elif os.path.exists(path):
            os.unlink(path)

    def alias(self, extension, content):
        return write(self.at("alias", ".qmail-" + extension), content, owner=self.alias_ids)

    def user(self, name):
        """A recipient with a home directory of its own and an empty Maildir in it, by
        users/assign. As root each has a user id of its own. Returns the home."""
        uid = 60100 + len(self.users) if root else os.geteuid()
        gid = 60100 + len(self.users) if root else os.getegid()
        home = os.path.join(self.scratch, name)
        os.mkdir(home)
        for part in ("", "Maildir", "Maildir/tmp", "Maildir/new", "Maildir/cur"):
            path = os.path.join(home, part)
            os.makedirs(path, exist_ok=True)
            os.chmod(path, 0o700 if part else 0o755)
            if root:
                os.chown(path, uid, gid)
        self.users[name] = (uid, gid, home)
        self._assign()
        return home

    def _assign(self):
        lines = []
        for name, (uid, gid, home) in self.users.items():
            lines.append("=%s:%s:%d:%d:%s:::" % (name, name, uid, gid, home))
            lines.append("+%s-:%s:%d:%d:%s:-::" % (name, name, uid, gid, home))
        lines.append("+:%s:%d:%d:%s:-::" % ((self.names[0],) + self.alias_ids + (self.at("alias"),)))
        write(self.at("users/assign"), "\n".join(lines) + "\n.\n")
        subprocess.run([self.bin("qmail-newu")], check=True, timeout=20)

    def dot_qmail(self, user, content, extension=""):
        uid, gid, home = self.users[user]
        return write(os.path.join(home, ".qmail" + extension), content, owner=(uid, gid))

    def account(self, name):
        """An account of the system with a group, a home and a maildir of its own, in the
        run's private /etc. Returns the home."""
        home = os.path.join(self.scratch, name)
        self.keep_accounts()
        subprocess.run(["useradd", "-U", "-M", "-d", home, "-s", "/bin/sh", name], check=True, timeout=20)
        entry = pwd.getpwnam(name)
        os.mkdir(home, 0o755)
        os.chown(home, entry.pw_uid, entry.pw_gid)
        self.make_maildir(home + "/Maildir", name)
        return home

    def keep_accounts(self):
        """Before a test makes accounts: they are gone when it ends."""
        if not self.accounts:
            for name in ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"):
                if os.path.exists(name):
                    self.accounts[name] = read(name)

    def make_maildir(self, path, account):
        entry = pwd.getpwnam(account)
        for part in ("", "/tmp", "/new", "/cur"):
            os.makedirs(path + part, 0o700)
            os.chown(path + part, entry.pw_uid, entry.pw_gid)
        return path

    # -- running

    def start(self, default="./Maildir/", env=None, mounts=()):
        """Starts the system; False if it does not come up. mounts: see mounted()."""
        assert self.process is None
        log = tempfile.NamedTemporaryFile(prefix="log.", dir=self.scratch, delete=False)
        self.log_path = log.name
        environment = {"PATH": self.at("bin") + ":/usr/local/bin:/usr/bin:/bin"}
        environment.update(env or {})
        command = mounted(mounts, [self.bin("qmail-start"), default])
        with log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=environment, cwd="/", start_new_session=True)
        return bool(self.wait_log(r"^status: local 0/"))

    def stop(self, seconds=30):
        """Stops the system by SIGTERM. True if it went by itself."""
        if self.process is None:
            return True
        process, self.process = self.process, None
        process.terminate()
        try:
            process.wait(seconds)
            in_time = True
        except subprocess.TimeoutExpired:
            in_time = False
        try:  # what is left of its session, and only that
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        process.wait()
        return in_time

    def running(self, default="./Maildir/", env=None, mounts=()):
        """For `with`: starts, and stops at the end."""
        tree = self

        class Running:
            def __enter__(self):
                if not tree.start(default, env, mounts):
                    raise RuntimeError("the system does not start: %r" % tree.log())

            def __exit__(self, *_):
                tree.stop()
        return Running()

    def signal(self, number):
        self.process.send_signal(number)

    def log(self):
        return read(self.log_path).decode("latin1") if self.log_path else ""

    def wait_log(self, pattern, seconds=60, count=1):
        """Waits until the pattern matches count times in the log; the last match or None."""
        def matches():
            every = list(re.finditer(pattern, self.log(), re.M))
            return every[-1] if len(every) >= count else None
        return wait_for(matches, seconds)

    def wait_done(self, count, seconds=60):
        """Waits until count messages have left the queue since the start."""
        return bool(self.wait_log(r"^end msg ", seconds, count))

    def deliver(self, recipient, sender="sender@far.test", message=b"Subject: probe\n\nbody\n"):
        """Queues one message and waits for the first report of it. Returns where it went and
        the report, as in "local foo-user@example.com", "success: did_1+0+0/"."""
        before = len(self.log())
        status = self.queue(message, sender, [recipient])
        if status:
            return "qmail-queue: exit %d" % status, ""

        def report():
            text = self.log()[before:]
            message = re.search(r"^info msg (\d+): bytes \d+ from <%s> qp \d+ uid \d+\n" % re.escape(sender), text, re.M)
            text = text[message.end():] if message else ""
            begun = message and re.search(r"^starting delivery (\d+): msg %s to (.*)\n" % message.group(1), text, re.M)
            ended = begun and re.search(r"^delivery %s: (.*)\n" % begun.group(1), text, re.M)
            return ended and (begun.group(2), ended.group(1))
        return wait_for(report) or ("no delivery", self.log()[before:])

    def wait_empty(self, seconds=60):
        """Waits until no message is left in the queue."""
        return bool(wait_for(lambda: not self.queue_files(), seconds))

    def queue_files(self):
        """The files of all messages, relative to queue/, sorted."""
        names = []
        for top in ("mess", "info", "local", "remote", "bounce", "intd", "todo", "pid"):
            for where, _, files in os.walk(self.at("queue", top)):
                names += [os.path.relpath(os.path.join(where, f), self.at("queue")) for f in files]
        return sorted(names)

    # -- putting mail in

    def as_user(self, line):
        """For subprocess's preexec_fn: become that user of conf-users (0: alias ...)."""
        uid, gid = self.ids(line)

        def become():
            if root:
                os.setgroups([])
                os.setgid(gid)
                os.setuid(uid)
        return become

    def user_of(self, line):
        """The same as arguments for subprocess, which may then be used by several threads."""
        uid, gid = self.ids(line)
        return {"user": uid, "group": gid, "extra_groups": []} if root else {}

    def queue(self, message, sender, recipients, env=None):
        """Runs qmail-queue as the daemon user; its exit code."""
        envelope = "F%s\0" % sender + "".join("T%s\0" % r for r in recipients) + "\0"
        with tempfile.TemporaryFile() as on_0, tempfile.TemporaryFile() as on_1:
            on_0.write(message)
            on_0.seek(0)
            on_1.write(envelope.encode())
            on_1.seek(0)
            return subprocess.run([self.bin("qmail-queue")], stdin=on_0, stdout=on_1, env=env or {}, cwd="/",
                                  timeout=60, **self.user_of(1)).returncode

    def inject(self, message, *arguments, env=None):
        """Runs qmail-inject; the CompletedProcess."""
        environment = {"USER": "tester", "PATH": "/usr/bin:/bin"}
        environment.update(env or {})
        return subprocess.run([self.bin("qmail-inject")] + list(arguments), input=message, env=environment,
                              capture_output=True, cwd="/", preexec_fn=self.as_user(1), timeout=60)

    def smtp(self, lines, env=None):
        """One session with qmail-smtpd, all lines sent at once; its replies as a text."""
        environment = {"PROTO": "TCP", "TCPLOCALIP": "127.0.0.1", "TCPLOCALPORT": "25", "TCPLOCALHOST": ME,
                       "TCPREMOTEIP": "127.0.0.1", "TCPREMOTEPORT": "40000", "TCPREMOTEHOST": "client.test"}
        environment.update(env or {})
        script = b"".join(l if isinstance(l, bytes) else l.encode() + b"\r\n" for l in lines)
        return subprocess.run([self.bin("qmail-smtpd")], input=script, env=environment, stdout=subprocess.PIPE,
                              cwd="/", preexec_fn=self.as_user(1), timeout=60).stdout.decode("latin1")


# -- services and accounts

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class Services:
    """Services of the build under svscan: name -> its settings, a dict. For `with`."""

    def __init__(self, tree, services):
        self.top = os.path.join(tree.scratch, "service")
        self.names = list(services)
        self.process = None
        build = os.path.join(SOURCE, os.environ["BUILD"], "service")
        os.mkdir(self.top)
        for name, settings in services.items():
            shutil.copytree(os.path.join(build, name), os.path.join(self.top, name))
            for key, value in settings.items():
                self.set(name, key, value)
        for name in ("pop-seen", "tcp.smtp", "tcp.qmqp"):
            shutil.copy(os.path.join(build, name), self.top)

    def set(self, name, key, value):
        write(os.path.join(self.top, name, "env", key), str(value) + "\n")

    def svc(self, option, name):
        subprocess.run(["svc", option, os.path.join(self.top, name)], check=True, timeout=20)

    def restart(self, name, port):
        """svc -t, and waits for the next run to listen."""
        pid = re.search(r"pid (\d+)", self.status(name)).group(1)
        self.svc("-t", name)
        wait_for(lambda: pid not in self.status(name))

        def listens():
            try:
                socket.create_connection(("127.0.0.1", port), 20).close()
                return True
            except OSError:
                return False
        return bool(wait_for(listens))

    def status(self, name):
        return subprocess.run(["svstat", os.path.join(self.top, name)], stdout=subprocess.PIPE, timeout=20).stdout.decode()

    def log(self, name):
        return read(os.path.join(self.top, name, "log/main/current")).decode("latin1")

    def wait_log(self, name, pattern, seconds=20, count=1):
        return wait_for(lambda: len(re.findall(pattern, self.log(name), re.M)) >= count, seconds)

    def __enter__(self):
        atexit.register(self.stop)
        self.process = subprocess.Popen(["svscan", self.top], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, env={"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"},
                                        start_new_session=True)
        for name in self.names:
            if not wait_for(lambda: ": up (pid " in self.status(name)):
                raise RuntimeError("%s does not come up" % name)
        return self

    def stop(self):
        if self.process is None:
            return
        process, self.process = self.process, None
        process.terminate()
        process.wait(20)
        for name in self.names:
            for part in (name, name + "/log"):
                subprocess.run(["svc", "-dx", os.path.join(self.top, part)], stderr=subprocess.DEVNULL, timeout=20)
                wait_for(lambda: "supervise not running" in self.status(part), 30)

    def __exit__(self, *_):
        self.stop()


def hashed(password, setting="$6$rounds=20000$reqmail$"):
    return subprocess.run(["perl", "-e", "print crypt($ARGV[0], $ARGV[1])", password, setting], stdout=subprocess.PIPE,
                          check=True).stdout.decode()


class Accounts:
    """Accounts of the system, in a private /etc: all passwords there are from here."""

    def __init__(self, tree):
        assert root and private
        self.tree = tree
        self.count = 0
        tree.keep_accounts()
        with open("/etc/shadow") as f:
            names = [line.split(":")[0] for line in f]
        write("/etc/shadow", "".join("%s:*:19000:0:99999:7:::\n" % n for n in names), 0o600)

    def add(self, name, shadow, ageing="19000:0:99999:7:::", uid=None):
        """shadow is what stands in the shadow file as hash. Returns the home, with an
        empty Maildir in it."""
        self.count += 1
        own = 60200 + self.count
        uid = own if uid is None else uid
        home = os.path.join(self.tree.scratch, "home-" + name)
        for part in ("", "Maildir", "Maildir/tmp", "Maildir/new", "Maildir/cur"):
            path = os.path.join(home, part)
            os.makedirs(path, exist_ok=True)
            os.chmod(path, 0o700 if part else 0o755)
            os.chown(path, uid, own)
        with open("/etc/passwd", "a") as f:
            f.write("%s:x:%d:%d::%s:/bin/sh\n" % (name, uid, own, home))
        with open("/etc/group", "a") as f:
            f.write("%s:x:%d:\n%s-more:x:%d:%s\n" % (name, own, name, own + 1000, name))
        with open("/etc/shadow", "a") as f:
            f.write("%s:%s:%s\n" % (name, shadow, ageing))
        return home
