"""machine - a machine of a test's own, as far as its commands can tell.

    from machine import *

    on_a_machine_of_our_own()    # the test starts again, in there
    on_a_machine_of_our_own(installed=True)

/etc, /usr and /var are overlays, /home, /root and /run are empty, process ids and
network are private. The paths are the usual ones, such as /var/qmail, where there is
no mail system yet or what the build would install. Where that cannot be, the test skips.
"""
import encodings.idna  # sockets want it later, when the home of this Python may be covered
from reqmail import *

HOME = "/var/qmail"
SOURCES = "/root/reqmail"  # a copy of ours, without what has been built
USERS = {"alias": "nofiles", "qmaild": "nofiles", "qmaill": "nofiles", "qmailp": "nofiles", "qmailq": "qmail", "qmailr": "qmail",
         "qmails": "qmail"}
LOGIN = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "USER": "root", "LOGNAME": "root",
         "SHELL": "/bin/sh"}


def on_a_machine_of_our_own(installed=False):
    need_private()
    if sys.argv[1:] != ["--inside"]:
        spaces = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child", "--propagation", "private"]
        # a shell takes in what is left over, as init does
        os.execvp("unshare", spaces + ["/bin/sh", "-c", '"$@"; exit $?', "sh", sys.executable, os.path.abspath(sys.argv[0]), "--inside"])
    over = tempfile.mkdtemp(prefix="machine.", dir=os.environ.get("SCRATCH"))
    atexit.register(lambda: shutil.rmtree(over, ignore_errors=True))
    reports = os.open(os.path.join(os.environ["TREE"], "sanitizer"), os.O_RDONLY) if sanitized else None
    if not _overlays(over):
        skip_all("this kernel has no overlays")
    _bare()
    if installed:
        _install()
    if reports is not None:  # they go where tests/sanitizer.t looks, which is covered now
        os.makedirs(HOME + "/sanitizer", exist_ok=True)
        subprocess.run(["mount", "--bind", "/proc/self/fd/%d" % reports, HOME + "/sanitizer"], check=True, pass_fds=[reports])
    _cover(over)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def _overlays(over):
    """False if this kernel has none. Nothing is written to the directories before."""
    if quietly("mount", "-t", "tmpfs", "tmpfs", over).returncode:
        return False
    for name in ("etc", "usr", "var"):
        upper, work = os.path.join(over, name), os.path.join(over, name + ".work")
        os.mkdir(upper)
        os.mkdir(work)
        options = "lowerdir=/%s,upperdir=%s,workdir=%s" % (name, upper, work)
        if quietly("mount", "-t", "overlay", "overlay", "-o", options, "/" + name).returncode:
            return False
    return True


def _install():
    """What make setup would do with this build."""
    subprocess.run(["sh", "src/admin/users.sh", HOME, os.environ["CONF_USERS"], os.environ["CONF_GROUPS"]], cwd=SOURCE, check=True,
                   stdout=subprocess.DEVNULL)
    for tool in ("instpackage", "instchown"):
        subprocess.run([os.path.join(SOURCE, os.environ["BUILD"], tool)], cwd=SOURCE, check=True)


def _cover(over):
    """Home directories, which may be above the sources: these are copied first."""
    copy = os.path.join("/var/tmp", os.path.basename(over))  # in the overlay
    shutil.copytree(SOURCE, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", "build", "__pycache__"))
    shutil.copytree(os.path.join(SOURCE, os.environ["BUILD"], "service"), copy + ".service")
    for name in ("home", "root", "run"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/" + name], check=True)
    shutil.move(copy, SOURCES)
    shutil.move(copy + ".service", "/root/service")


def _bare():
    """As on a new system: no mail system, no users of it, no joe and ann."""
    with open("/proc/mounts") as f:
        assert " /var overlay " in f.read()
    forget(list(USERS) + ["joe", "ann"], ["qmail", "nofiles", "joe", "ann"])
    boxes = ["/var/mail/" + name for name in os.listdir("/var/mail")] if os.path.isdir("/var/mail") else []
    for path in [HOME, "/etc/skel/Maildir", "/etc/tcp.smtp", "/etc/tcp.smtp.cdb"] + boxes:
        shutil.rmtree(path, ignore_errors=True) if os.path.isdir(path) else os.path.exists(path) and os.unlink(path)
    for name in ("sbin/sendmail", "lib/sendmail", "bin/mailq", "bin/newaliases"):
        if os.path.lexists("/usr/" + name):
            os.unlink("/usr/" + name)
    for path in ("/var/backups", "/etc/systemd/system"):
        os.makedirs(path, exist_ok=True)


def forget(users, groups):
    for path, names in (("/etc/passwd", users), ("/etc/shadow", users), ("/etc/group", groups), ("/etc/gshadow", groups)):
        lines = read(path).decode().splitlines(True)
        write(path, "".join(l for l in lines if l.split(":")[0] not in names), os.stat(path).st_mode & 0o7777)


def quietly(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)


def shell(script, where, env=None, options="-e"):
    """Runs the script; its exit status and what it printed, on whichever descriptor."""
    path = write("/root/script", script)
    # what stays in the background keeps no pipe open: the output is a file
    with open("/root/output", "w") as out:
        status = subprocess.run(["/bin/sh", options, path], cwd=where, env=env or LOGIN, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                timeout=500).returncode
    return status, read("/root/output").decode("latin1")


def promise(line):
    """What a promised line stands for: other numbers, and anything for three dots."""
    return re.sub(r"\d+", r"\\d+", re.escape(line)).replace(re.escape("..."), ".*")


def missing_promise(promised, printed):
    """The first of the promised lines that was not printed, in this order; or None."""
    rest = iter(printed)
    return next((line for line in promised if not any(re.fullmatch(promise(line), got) for got in rest)), None)


def service(name):
    return HOME + "/service/" + name


def log(name="send"):
    """All of its log, as far as it is kept."""
    where = service(name) + "/log/main/"
    names = sorted(n for n in (os.listdir(where) if os.path.isdir(where) else []) if n.startswith("@")) + ["current"]
    return "".join(read(where + n).decode("latin1") for n in names)


def is_up(name):
    state = quietly("svstat", service(name)).stdout.decode()
    ready = "status: local" if name == "send" else "tcpserver: status"
    return ": up (pid " in state and ready in log(name)
