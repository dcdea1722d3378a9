"""systems - the mail systems that are compared, each set up for the same work.

A system is run inside the namespaces that session.py makes: /etc, /home, /run, /tmp,
/var/lib, /var/log, /var/spool and the home of ours are directories of this run alone,
/usr has what the system's packages bring on top. All accept mail at 127.0.0.1 port
2525 for DOMAIN and relay what comes from 127.0.0.1; joe has a maildir, and so has
every joe-EXTENSION in it; mail to another domain goes to the sink, by the routes that
session.py asks for. README says what was set beyond the packages' defaults, and why."""
import glob, os, pwd, re, shutil, subprocess, time

import waiting

DOMAIN = "here.test"
PORT, SINK_PORT = 2525, 2526
HOME = "/home/joe"
CONCURRENCY = 100  # connections that come in, and messages to other hosts that go out
WAITING = "wait.test"  # mail to here is put off, always
FILL_S, FILL_PART = 240, 1000
LOCAL = 20         # local deliveries at a time


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def run(*command, **how):
    """A command that has to work; what it says, if it does not, is the reason."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=120, **how)
    if done.returncode:
        raise RuntimeError("%s: exit %d: %s" % (command[0], done.returncode, done.stdout.decode(errors="replace")[-500:]))
    return done.stdout.decode(errors="replace")


def account(name, home, group=None):
    """An account of the private /etc, unless it is there."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        run("useradd", "-r", "-M", "-d", home, "-s", "/usr/sbin/nologin", *(["-g", group] if group else ["-U"]), name)


def directory(path, owner=None, mode=0o755, group=None):
    os.makedirs(path, exist_ok=True)
    os.chmod(path, mode)
    if owner:
        shutil.chown(path, owner, group or owner)
    return path


class System:
    """What session.py needs to know of a system.

    files      what the packages bring to /usr, relative to `unpacked`
    shows      a file in there without which the system is not here
    queue      where its queue is, and the parts of it that hold messages
    daemons    the processes that SIGTERM ends
    sendmail   the program that programs give their mail to
    """
    files, shows = "usr", None

    def __init__(self, spec):
        self.spec = spec
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}

    def routes(self):
        """(domain, address) pairs from session.py: where else mail goes than to 127.0.0.1."""
        return [("d%d.test" % i, "127.1.%d.%d" % (i // 250, i % 250 + 1)) for i in range(self.spec.get("domains", 0))]

    def version(self):
        raise NotImplementedError

    def prepare(self):
        """Users and configuration."""
        raise NotImplementedError

    def commands(self):
        """What has to be started, as arguments; the first that ends ends nothing."""
        raise NotImplementedError

    def stop(self, running):
        """Asks it to end."""
        running.terminate(*self.daemons)

    def fill(self, running, load, count):
        """Brings in up to count messages that will wait, for WAITING; how many there are then."""
        end, done = time.monotonic() + FILL_S, 0
        while done < count and time.monotonic() < end:
            load.source(min(FILL_PART, count - done), 20, 1000, "someone@" + WAITING, True)
            done += min(FILL_PART, count - done)
        running.settle(load)
        return self.entries()

    def log(self):
        """Its log, for the case that something went wrong."""
        return "".join(open(p, errors="replace").read()[-2000:] for p in self.logs if os.path.exists(p))

    def is_message(self, file):
        """Whether a file of the queue stands for a message."""
        return True

    def entries(self):
        return sum(self.is_message(f) for part in self.parts for _, _, files in os.walk(self.queue + "/" + part) for f in files)

    def installed(self):
        """Bytes of the files that the packages install, documents left out."""
        raise NotImplementedError


def size_of(paths):
    seen = {}
    for path in paths:
        for where, _, files in os.walk(path) if os.path.isdir(path) else [(os.path.dirname(path), [], [os.path.basename(path)])]:
            for name in files:
                s = os.lstat(os.path.join(where, name))
                seen[s.st_ino] = s.st_size
    return sum(seen.values())


class Reqmail(System):
    """This system, as service/ and INSTALL recommend it: users/assign by qmail-pw2u, and
    RCPTCHECK, because the others refuse unknown recipients too."""
    files = None
    parts = ("mess",)
    assign = check = True
    daemons = ("qmail-send", "tcpserver")

    def __init__(self, spec):
        super().__init__(spec)
        self.home = os.environ["CONF_QMAIL"]
        self.queue = self.home + "/queue"
        self.sendmail = self.home + "/bin/sendmail"
        self.service = spec["scratch"] + "/service"
        self.logs = [self.service + "/send/log/main/current", self.service + "/smtp/log/main/current"]
        self.environment["PATH"] = self.home + "/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    def version(self):
        with open(self.home + "/bin/qmail-queue", "rb") as f:
            how = "" if b"/ld-" in f.read(4096) else ", light build"
        return "reqmail " + open("VERSION").readline().strip() + how

    def control(self, name, text):
        write(self.home + "/control/" + name, text + "\n")

    def prepare(self):
        build = self.spec["case"].get("build", os.environ["BUILD"])
        run("sh", "src/admin/users.sh", self.home, os.environ["CONF_USERS"], os.environ["CONF_GROUPS"])
        run(build + "/instpackage")
        run(build + "/instchown")
        for name in "me", "locals", "rcpthosts", "defaultdomain":
            self.control(name, DOMAIN)
        self.control("concurrencylocal", str(LOCAL))
        flight = self.spec["case"]["kind"] == "flight"
        self.control("concurrencyremote", str(self.spec["case"]["recipients"] if flight else CONCURRENCY))
        self.control("smtproutes", "\n".join("%s:%s:%d" % (d, a, SINK_PORT) for d, a in self.routes() + [("", "127.0.0.1")]))
        write(HOME + "/.qmail-default", "./Maildir/\n")
        if self.assign:
            self.make_assign()
        self.make_services(build)

    def make_assign(self):
        with open("/etc/passwd") as passwd, open(self.home + "/users/assign", "w") as assign:
            done = subprocess.run([self.home + "/bin/qmail-pw2u"], stdin=passwd, stdout=assign, stderr=subprocess.PIPE, timeout=60)
        if done.returncode:
            raise RuntimeError("qmail-pw2u: " + done.stderr.decode())
        run(self.home + "/bin/qmail-newu")

    def make_services(self, build):
        settings = {"LISTEN": "127.0.0.1", "PORT": PORT, "CONNECTIONS": 2 * CONCURRENCY, "RULES": "/etc/tcp.smtp.cdb",
                    "SERVER": "tcpserver -b %d" % (2 * CONCURRENCY)}
        if not self.check:
            settings["RCPTCHECK"] = ""
        for name in "send", "smtp":
            shutil.copytree(build + "/service/" + name, self.service + "/" + name)
        directory(self.service + "/send/env")
        if self.spec["case"]["kind"] == "flight":  # all of it is read in the end
            run("sed", "-i", "s/multilog t/multilog t s16000000/", self.service + "/send/log/run")
        for name, value in settings.items():
            write(self.service + "/smtp/env/" + name, "%s\n" % value)
        case = self.spec["case"]
        # a client that may relay is not asked about: mail for joe comes as from other hosts
        rules = "127.:allow,RELAYCLIENT=\"\"\n:allow\n" if case["kind"] == "relay" or case.get("relay") else ":allow\n"
        subprocess.run(["tcprules", "/etc/tcp.smtp.cdb", "/etc/tcp.smtp.tmp"], input=rules.encode(), check=True, timeout=60)

    def commands(self):
        return [["sh", "-c", "cd %s/%s && exec ./run 2>&1 | (cd log && exec ./run)" % (self.service, name)] for name in ("send", "smtp")]

    def fill(self, running, load, count):
        """Straight into the queue, as if each had been tried an hour ago."""
        running.stop()
        split = int(open("conf-split").readline())
        waiting.wait_for_tomorrow(self.queue, split, waiting.ids("qmailq"), waiting.ids("qmails"), count)
        running.start()
        return self.entries()

    def installed(self):
        return size_of([self.home + "/" + n for n in ("bin", "boot")])


class ReqmailAssign(Reqmail):
    """Without RCPTCHECK: recipients are not looked up in the SMTP session."""
    check = False


class ReqmailPlain(Reqmail):
    """Without RCPTCHECK and without users/assign: as the traditional guides set it up."""
    assign = check = False


class ReqmailTogether(Reqmail):
    """With control/remoterecipients: recipients at one host in one transaction."""
    def prepare(self):
        super().prepare()
        self.control("remoterecipients", "50")


class Skeleton(System):
    """The processes and syncs of this system, and nothing else: skeleton.c. What it does not
    do faster, no system with these processes can."""
    files = None
    sendmail = "/bin/false"
    parts = ("todo",)
    daemons = ("skeleton", "tcpserver")

    def __init__(self, spec):
        super().__init__(spec)
        self.queue = spec["scratch"] + "/skeleton"
        self.program = os.path.abspath(os.environ["BUILD"] + "/tests/bench/skeleton")
        self.environment.update(SKELETON=self.program, HOME=HOME)
        self.logs = []

    def version(self):
        return "skeleton, of processes and syncs alone"

    def prepare(self):
        for part in "mess", "intd", "todo":
            directory(self.queue + "/" + part, "joe")
        directory(self.queue, "joe")
        os.mkfifo(self.queue + "/trigger")
        shutil.chown(self.queue + "/trigger", "joe", "joe")

    def commands(self):
        uid, gid = pwd.getpwnam("joe")[2:4]
        tcpserver = "tcpserver -b %d -c %d -H -R -l 0 127.0.0.1 %d" % (2 * CONCURRENCY, 2 * CONCURRENCY, PORT)
        return [["sh", "-c", "cd %s && exec setpriv --reuid %d --regid %d --clear-groups %s" % (self.queue, uid, gid, what)]
                for what in (self.program + " send", tcpserver + " " + self.program + " server")]

    def installed(self):
        return size_of([self.program])


class Postfix(System):
    shows = "usr/lib/postfix/sbin/master"
    queue = "/var/spool/postfix"
    sendmail = "/usr/sbin/sendmail"
    parts = ("maildrop", "incoming", "active", "deferred", "hold")
    logs = ["/var/log/postfix.log"]
    main = """compatibility_level = 3.6
queue_directory = /var/spool/postfix
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
data_directory = /var/lib/postfix
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
myhostname = here.test
mydestination = here.test
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
home_mailbox = Maildir/
recipient_delimiter = -
alias_maps =
alias_database =
maillog_file = /var/log/postfix.log
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
default_process_limit = %(processes)d
local_destination_concurrency_limit = %(local)d
default_destination_concurrency_limit = %(concurrency)d
initial_destination_concurrency = %(local)d
smtp_dns_support_level = disabled
relayhost = [127.0.0.1]:%(sink)d
transport_maps = texthash:/etc/postfix/transport
"""

    def version(self):
        return "Postfix " + run("postconf", "-h", "-d", "mail_version", env=self.environment).strip()

    def prepare(self):
        shutil.rmtree("/etc/postfix", ignore_errors=True)
        shutil.copytree(os.path.join(self.spec["unpacked"], "etc/postfix"), "/etc/postfix")
        write("/etc/postfix/transport", "".join("%s smtp:[%s]:%d\n" % (d, a, SINK_PORT) for d, a in self.routes()) +
              WAITING + " smtp:[127.0.0.1]:1\n")
        write("/etc/postfix/main.cf", self.main % {"processes": 2 * CONCURRENCY, "local": LOCAL, "concurrency": CONCURRENCY, "sink": SINK_PORT})
        services = []
        for line in open("/usr/share/postfix/master.cf.dist"):
            fields = line.split()
            if line.startswith(("#", " ", "\t")) or len(fields) < 8:
                services += [line] * line.startswith((" ", "\t"))
                continue
            fields[4] = "n"  # no chroot: the default of its authors
            if fields[:2] == ["smtp", "inet"]:
                fields[0] = "127.0.0.1:%d" % PORT
            services.append(" ".join(fields) + "\n")
        if not any(s.startswith("postlog ") for s in services):
            services.append("postlog unix-dgram n - n - 1 postlogd\n")
        write("/etc/postfix/master.cf", "".join(services))
        run("groupadd", "-f", "-r", "postdrop")
        account("postfix", self.queue)
        directory(self.queue)
        directory("/var/lib/postfix", "postfix")
        for name in "postdrop", "postqueue":  # as its packaging does
            shutil.chown("/usr/sbin/" + name, "root", "postdrop")
            os.chmod("/usr/sbin/" + name, 0o2755)
        run("postfix", "check", env=self.environment)

    def commands(self):
        return [["postfix", "start-fg"]]

    def stop(self, running):
        subprocess.run(["postfix", "stop"], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)

    def installed(self):
        base = os.path.join(self.spec["unpacked"], "usr")
        return size_of([base + "/lib/postfix"] + [os.path.join(base, "sbin", n) for n in os.listdir(base + "/sbin") if n.startswith("post") or n == "sendmail"])


class Opensmtpd(System):
    daemons = ("smtpd",)
    files, shows = "opensmtpd/usr", "opensmtpd/usr/sbin/smtpd"
    queue = "/var/spool/smtpd"
    sendmail = "/usr/sbin/sendmail"
    parts = ("queue", "incoming", "offline")
    logs = ["/var/log/smtpd.log"]

    def version(self):
        return subprocess.run(["smtpd", "-h"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60).stdout.decode().split("\n")[0].replace("version: ", "")

    def prepare(self):
        for name in "opensmtpd", "opensmtpq":
            account(name, "/var/lib/opensmtpd/empty")
        directory("/var/lib/opensmtpd/empty")
        directory(self.queue, mode=0o711)
        shutil.chown("/usr/sbin/smtpctl", "root", "opensmtpq")  # as its packaging does
        os.chmod("/usr/sbin/smtpctl", 0o2755)
        write("/etc/mailname", DOMAIN + "\n")
        write("/etc/smtpd.conf", """
smtp sub-addr-delim "-"
smtp limit max-rcpt 20000
smtp limit max-mails 100000
queue ttl 4d
listen on 127.0.0.1 port %d hostname %s
action "local" maildir
action "relay" relay host smtp://127.0.0.1:%d
action "waits" relay host smtp://127.0.0.1:1
match from src 127.0.0.0/8 for domain "%s" action "waits"
match from any for domain "%s" action "local"
match from src 127.0.0.0/8 for any action "relay"
match from local for any action "relay"
""" % (PORT, DOMAIN, SINK_PORT, WAITING, DOMAIN))

    def commands(self):
        return [["sh", "-c", "exec smtpd -d > /var/log/smtpd.log 2>&1"]]

    def is_message(self, file):
        return file != "message"

    def installed(self):
        base = os.path.join(self.spec["unpacked"], "opensmtpd/usr")
        return size_of([base + "/sbin", base + "/libexec", base + "/bin"])


class Exim(System):
    daemons = ("exim4",)
    files, shows = "exim/usr", "exim/usr/sbin/exim4"
    queue = "/var/spool/exim4"
    sendmail = "/usr/sbin/sendmail"
    parts = ("input",)
    logs = ["/var/log/exim4/mainlog", "/var/log/exim4/paniclog"]

    def version(self):
        return re.search("Exim version [0-9.]+", run("exim4", "-bV")).group()

    def prepare(self):
        account("Debian-exim", self.queue)
        directory("/etc/exim4")
        directory("/var/log/exim4", "Debian-exim", 0o2750, "adm")
        directory("/run/exim4", "Debian-exim", 0o750)
        for path in self.queue, self.queue + "/db", self.queue + "/input":
            directory(path, "Debian-exim", 0o750)
        routes = "".join("%s: %s\n" % pair for pair in self.routes())
        write("/etc/exim4/routes", routes)
        write("/etc/exim4/exim4.conf", """
primary_hostname = %(domain)s
domainlist local_domains = %(domain)s
hostlist relay_from_hosts = 127.0.0.1
exim_path = /usr/sbin/exim4
keep_environment =
local_interfaces = 127.0.0.1
daemon_smtp_ports = %(port)d
acl_smtp_rcpt = acl_rcpt
host_lookup =
rfc1413_query_timeout = 0s
split_spool_directory = true
smtp_accept_max = 0
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
smtp_connect_backlog = %(backlog)d
queue_run_max = 5
remote_max_parallel = %(parallel)d
recipients_max = 0
log_file_path = /var/log/exim4/%%slog
begin acl
acl_rcpt:
  accept hosts = :
  accept domains = +local_domains
         verify = recipient
  accept hosts = +relay_from_hosts
  deny message = relay not permitted
begin routers
waits:
  driver = redirect
  domains = %(waiting)s
  data = :defer: waits
  allow_defer
routed:
  driver = manualroute
  domains = ! +local_domains
  route_data = ${lookup{$domain}lsearch{/etc/exim4/routes}{$value}{127.0.0.1}}
  transport = remote_smtp
  self = send
  no_more
local_user:
  driver = accept
  domains = +local_domains
  check_local_user
  local_part_suffix = -*
  local_part_suffix_optional
  transport = local_delivery
begin transports
remote_smtp:
  driver = smtp
  port = %(sink)d
  hosts_try_fastopen =
local_delivery:
  driver = appendfile
  directory = $home/Maildir
  maildir_format
  delivery_date_add
  envelope_to_add
  return_path_add
begin retry
* * F,2h,15m; G,16h,1h,1.5; F,4d,6h
""" % {"domain": DOMAIN, "port": PORT, "sink": SINK_PORT, "backlog": 2 * CONCURRENCY, "parallel": LOCAL, "waiting": WAITING})

    def commands(self):
        return [["exim4", "-bdf", "-q30m"]]

    def is_message(self, file):
        return file.endswith("-H")

    def installed(self):
        base = os.path.join(self.spec["unpacked"], "exim/usr")
        return size_of([base + "/sbin/exim4"] + glob.glob(base + "/sbin/exim_*"))


SYSTEMS = {"reqmail": Reqmail, "reqmail-assign": ReqmailAssign, "reqmail-plain": ReqmailPlain, "reqmail-together": ReqmailTogether, "skeleton": Skeleton, "postfix": Postfix,
           "opensmtpd": Opensmtpd, "exim": Exim}
