#!/usr/bin/python3
"""Control files that a hostile, tired or inventive administrator may leave, and what each
program makes of them: qmail-control(5) at its edges."""
from reqmail import *

tree = Tree()
alice = tree.user("alice")

# What may stand in place of contents.
ABSENT, DIRECTORY, DANGLING, LOOP, SECRET, FIFO = (object() for _ in range(6))
BROKEN = [("a directory", DIRECTORY), ("a link to nowhere", DANGLING), ("a link to itself", LOOP)] + (
    [("readable by root alone", SECRET)] if root else [])


def set_control(name, content):
    path = tree.at("control", name)
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)
    elif os.path.lexists(path):
        os.unlink(path)
    if content is DIRECTORY:
        os.mkdir(path)
    elif content is DANGLING:
        os.symlink("nowhere", path)
    elif content is LOOP:
        os.symlink(name, path)
    elif content is SECRET:
        write(path, "x\n", 0o600)
    elif content is FIFO:
        os.mkfifo(path)
    elif content is not ABSENT:
        write(path, content)


class controls:
    """For `with`: these control files besides the usual ones."""
    USUAL = {"me": ME + "\n", "locals": ME + "\n", "rcpthosts": ME + "\n", "defaultdomain": ME + "\n", "plusdomain": ME + "\n"}

    def __init__(self, files=None, **more):
        self.files = dict(files or {}, **more)

    def __enter__(self):
        for name, content in self.files.items():
            set_control(name, content)

    def __exit__(self, *_):
        for name in self.files:
            set_control(name, self.USUAL.get(name, ABSENT))


# -- qmail-send: does it start, and with which limits?

def first_line():
    """The first line of the log, and the exit status."""
    run = subprocess.Popen([tree.bin("qmail-start"), "./Maildir/"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           env={"PATH": tree.at("bin") + ":/usr/bin:/bin"}, cwd="/", start_new_session=True)
    line = run.stdout.readline().decode("latin1").rstrip("\n")
    if line.startswith("status:"):
        run.terminate()
    run.communicate(timeout=60)
    return line, run.returncode


REFUSED = ("alert: cannot start: unable to read controls", 111)
SEND_FILES = ["me", "locals", "virtualdomains", "percenthack", "envnoathost", "concurrencylocal", "concurrencyremote",
              "queuelifetime", "bouncefrom", "bouncehost", "doublebounceto", "doublebouncehost"]
for name in SEND_FILES:
    results = {}
    for kind, content in BROKEN:
        with controls({name: content}):
            results[kind] = first_line()
    same({k: r for k, r in results.items() if r != REFUSED}, {}, "qmail-send does not start with a broken " + name)

for limit, want, name in [
        (b"1", 1, "no line end"), (b"1\r\n", 1, "CR LF"), (b"119\n", 119, "below conf-spawn"), (b"120\n", 120, "conf-spawn"),
        (b"121\n", 120, "above it"), (b"255\n", 120, "one byte"), (b"256\n", 120, "more than a byte"), (b"65536\n", 120, "two bytes"),
        (b"2147483647\n", 120, "the largest"), (b"4294967295\n", 120, "32 bits"), (b"4294967296\n", 120, "a bit more"),
        (b"4294967301\n", 120, "what was 5 to some"), (b"18446744073709551617\n", 120, "more than 64 bits"), (b"9" * 5000, 120, "long"),
        (b"0" * 100000 + b"7\n", 7, "zeros before"), (b"0\n", 0, "none"), (b"-0\n", 20, "a sign"), (b"+5\n", 20, "another"),
        (b" 5\n", 20, "a space before"), (b"\t5\n", 20, "a tab before"), (b"\n5\n", 20, "an empty line before"), (b"# five\n5\n", 20, "no comments"),
        (b"5 # five\n", 5, "text behind"), (b"5\0006\n", 5, "NUL behind"), (b"\0005\n", 20, "NUL before"), (b"0x10\n", 0, "no hexadecimal"),
        (b"1e2\n", 1, "no exponent"), (b"\xef\xbb\xbf5\n", 20, "a byte order mark"), (b"5.9\n", 5, "no fraction"), (b"", 20, "empty"),
        (FIFO, 20, "a FIFO that nobody writes"), (b"7\n" + b"8" * 10000000, 7, "ten megabytes")]:
    with controls(concurrencyremote=limit):
        same(first_line(), ("status: local 0/10 remote 0/%d" % want, 0), "concurrencyremote: " + name)

for files, want, name in [
        ({"me": ABSENT}, "status: local 0/10 remote 0/20", "no me, but locals"),
        ({"me": ABSENT, "locals": ABSENT}, REFUSED[0], "neither me nor locals"),
        ({"me": ABSENT, "locals": b""}, "status: local 0/10 remote 0/20", "no me, and empty locals"),
        ({"me": b"", "locals": ABSENT}, "status: local 0/10 remote 0/20", "empty me"),
        ({n: b"" for n in SEND_FILES}, "status: local 0/10 remote 0/20", "all empty"),
        ({n: b"\0\r\xff:" * 3 for n in SEND_FILES}, "status: local 0/10 remote 0/20", "bytes"),
        ({"locals": b"x.test\n" * 1000000}, "status: local 0/10 remote 0/20", "a million lines"),
        ({"locals": b"x" * 30000000}, "status: local 0/10 remote 0/20", "a line of 30 megabytes"),
        ({"badmailfrom": DIRECTORY, "smtproutes": LOOP, "whatever": SECRET}, "status: local 0/10 remote 0/20", "others' files are not read")]:
    with controls(files):
        same(first_line()[0], want, "qmail-send: " + name)


# -- routing

def goes(recipient):
    """Where one recipient goes: 'local ADDRESS' or 'remote ADDRESS'."""
    return tree.deliver(recipient)[0].split(" to ")[-1].partition("msg ")[0] or ""


tree.alias("default", "#\n")
REMOTE = write(os.path.join(tree.scratch, "remote"), "#!/bin/sh\nprintf 'r\\0Ktaken\\n\\0'\n", 0o755)
for files, cases in [
    ({"locals": b"HERE.Test\n"}, [("alice@here.test", "local alice@here.test"), ("alice@HERE.TEST", "local alice@HERE.TEST")]),
    ({"locals": b"  here.test\n \there.test\n"}, [("a@here.test", "remote a@here.test")]),
    ({"locals": b"\n\n# here\nhere.test \t \r\n#no.test\n #x.test\nlast.test"},
     [("a@here.test", "local a@here.test"), ("a@last.test", "local a@last.test"), ("a@#no.test", "remote a@#no.test")]),
    ({"locals": b"one.test\0two.test\n"}, [("a@one.test", "local a@one.test"), ("a@two.test", "local a@two.test")]),
    ({"locals": b"one.test \0#two.test\0\n"}, [("a@#two.test", "local a@#two.test")]),
    ({"locals": b"cr\rin.test\r\r\n"}, [("a@cr\rin.test\r", "local a@cr_in.test_"), ("a@cr\rin.test", "remote a@cr_in.test")]),
    ({"locals": b"here.test\r"}, [("a@here.test", "remote a@here.test"), ("a@here.test\r", "local a@here.test_")]),
    ({"locals": b".here.test\n"}, [("a@x.here.test", "remote a@x.here.test"), ("a@.here.test", "local a@.here.test")]),
    ({"locals": b""}, [("a@here.test", "remote a@here.test"), ("a", "remote a@here.test")]),
    ({"locals": ABSENT}, [("a@here.test", "local a@here.test"), ("a", "local a@here.test")]),
    ({"locals": b"%s\n" % (b"l" * 900)}, [("a@" + "L" * 900, "local a@" + "L" * 900)]),
    ({"locals": b"\n".join(b"d%d.test" % i for i in range(200000))}, [("a@d0.test", "local a@d0.test"), ("a@d199999.test", "local a@d199999.test"),
                                                                    ("a@d200000.test", "remote a@d200000.test")]),
    ({"locals": b"[127.0.0.1]\n\xe9.test\n"}, [("a@[127.0.0.1]", "local a@[127.0.0.1]"), ("a@[127.0.0.2]", "remote a@[127.0.0.2]")]),
    ({"virtualdomains": b"v.test:Vee\nV.TEST:dub\n"}, [("Ann@V.Test", "local dub-Ann@V.Test")]),
    ({"virtualdomains": b"here.test:no\nalice@here.test:no\n"}, [("alice@here.test", "local alice@here.test")]),
    ({"virtualdomains": b"v.test:\nann@v.test:ann\n.test:all\n:x\n"},
     [("joe@v.test", "remote joe@v.test"), ("ann@v.test", "local ann-ann@v.test"), ("joe@w.test", "local all-joe@w.test"),
      ("joe@far", "local x-joe@far"), ("joe@", "local x-joe@")]),
    ({"virtualdomains": b"ann@v.test:\nv.test:vee\n"}, [("ann@v.test", "remote ann@v.test"), ("joe@v.test", "local vee-joe@v.test")]),
    ({"virtualdomains": b":\n.test:t\n"}, [("joe@far", "remote joe@far"), ("joe@a.test", "local t-joe@a.test")]),
    ({"virtualdomains": b"v.test:one:two\nno colon\nw.test: sp\n x.test:no\n"},
     [("joe@v.test", "local one:two-joe@v.test"), ("joe@w.test", "local _sp-joe@w.test"), ("joe@x.test", "remote joe@x.test")]),
    ({"virtualdomains": b"v.test:one \t\r\n#w.test:two\nx.test:y #z\n"},
     [("joe@v.test", "local one-joe@v.test"), ("joe@#w.test", "remote joe@#w.test"), ("joe@x.test", "local y_#z-joe@x.test")]),
    ({"virtualdomains": b".b.test:long\n.test:short\nb.test:exact\n"},
     [("j@a.b.test", "local long-j@a.b.test"), ("j@b.test", "local exact-j@b.test"), ("j@.test", "local short-j@.test"),
      ("j@a..test", "local short-j@a..test")]),
    ({"virtualdomains": b"a@b:no\nb:yes\n"}, [("x@a@b", "local yes-x@a@b")]),
    ({"virtualdomains": b"v.test:%s\n" % (b"p" * 3000)}, [("j@v.test", "local " + "p" * 3000 + "-j@v.test")]),
    ({"percenthack": b"gate.test\nhere.test\n", "virtualdomains": b"v.test:vee\n"},
     [("j%v.test@gate.test", "local vee-j@v.test"), ("j%v.test@GATE.test", "local vee-j@v.test"), ("a%b%c.test@gate.test", "remote a_b@c.test"),
      ("a%b%gate.test@gate.test", "remote a@b"), ("j%here.test@gate.test", "local j@here.test"), ("j%gate.test", "remote j@gate.test"), ("%@gate.test", "remote @"), ("nothing@gate.test", "remote nothing@gate.test"),
      ("a@b%c.test@gate.test", "remote a@b@c.test")]),
    ({"percenthack": b".test\n"}, [("j%x@y.test", "remote j_x@y.test")]),
    ({"envnoathost": b""}, [("joe", "remote joe@"), ("", "remote @")]),
    ({"envnoathost": b"v.test \nx\n", "virtualdomains": b"v.test:vee\n"}, [("joe", "local vee-joe@v.test")]),
    ({"envnoathost": b"a@b\n"}, [("joe", "remote joe@a@b")]),
    ({"envnoathost": ABSENT, "me": ABSENT}, [("joe", "remote joe@envnoathost")]),
    ({"locals": b"\n", "me": b"\nx\n", "envnoathost": ABSENT}, [("joe", "remote joe@")]),
    ({"locals": ABSENT, "me": b"", "envnoathost": ABSENT}, [("joe", "local joe@")]),
]:
    with controls(files):
        with tree.running(env={"QMAILREMOTE": REMOTE}):
            for recipient, want in cases:
                same(goes(recipient), want, "%s: %s" % (" ".join("%s=%.40r" % (n, c if isinstance(c, bytes) else "absent") for n, c in files.items()), recipient[:60]))
        tree.wait_empty()


# -- HUP: both files or none; everything else is as it was at the start

def rereads(files, alert):
    """HUP with these control files: the alert, or None for a reread that works."""
    tree.wait_empty()  # so that it is not in the middle of something
    for name, content in files.items():
        set_control(name, content)
    count = len(re.findall("^alert: ", tree.log(), re.M))
    tree.signal(signal.SIGHUP)
    if alert:
        tree.wait_log("^alert: ", count=count + 1)
        same(re.findall(r"^alert: .*", tree.log(), re.M)[count:], ["alert: unable to reread control/" + alert], "HUP: " + alert)


with controls({"virtualdomains": b"v.test:old\n", "concurrencylocal": b"3\n"}), tree.running(env={"QMAILREMOTE": REMOTE}):
    new = {"locals": b"new.test\n", "virtualdomains": b"v.test:new\n"}
    for kind, broken in BROKEN:
        rereads(dict(new, locals=broken), "locals")
        rereads(dict(new, virtualdomains=broken), "virtualdomains")
        rereads({"locals": broken, "virtualdomains": broken}, "locals")
        same([goes("a@new.test"), goes("a@here.test"), goes("a@v.test")], ["remote a@new.test", "local a@here.test", "local old-a@v.test"],
             "HUP: nothing has changed, with %s" % kind)
    rereads(dict(new, concurrencylocal=DIRECTORY, me=b"other.test\n"), None)
    same([goes("a@new.test"), goes("a@here.test"), goes("a@v.test"), goes("a")],
         ["local a@new.test", "remote a@here.test", "local new-a@v.test", "remote a@here.test"], "HUP: both are new, the rest is not")
    rereads({"locals": ABSENT, "virtualdomains": ABSENT, "me": LOOP}, None)
    same([goes("a@new.test"), goes("a@here.test"), goes("a@other.test"), goes("a@v.test")],
         ["remote a@new.test", "local a@here.test", "remote a@other.test", "remote a@v.test"], "HUP: locals is gone: me of the start")
    rereads({"locals": b"", "virtualdomains": b""}, None)
    same([goes("a@here.test"), goes("a@v.test")], ["remote a@here.test", "remote a@v.test"], "HUP: empty files")
    found(r"status: local 0/3 remote", tree.log().splitlines()[-1] + tree.log(), "HUP: concurrency stays")
for name in ("locals", "virtualdomains", "me", "concurrencylocal"):
    set_control(name, controls.USUAL.get(name, ABSENT))
with controls(me=ABSENT), tree.running():
    rereads({"locals": ABSENT}, "locals")
    same(goes("alice@here.test"), "local alice@here.test", "HUP: neither locals nor me")
    rereads({"locals": b"x.test\n"}, None)
set_control("locals", controls.USUAL["locals"])

if root:  # what qmail-send may not enter, but could at the start
    with tree.running():
        goes("alice@here.test")  # its partners have entered the queue, too
        for directory, mode, line in [("", 0o755, "alert: unable to reread controls: unable to switch to home directory"),
                                      ("queue", 0o750, "alert: unable to switch back to queue directory; HELP! sleeping...")]:
            os.chmod(tree.at(directory), 0o700)
            tree.signal(signal.SIGHUP)
            ok(tree.wait_log("^%s$" % re.escape(line)), "HUP: " + line, tree.log()[-500:])
            os.chmod(tree.at(directory), mode)
            tree.signal(signal.SIGALRM)  # it need not sleep on
            same(goes("alice@here.test"), "local alice@here.test", "HUP: and it goes on")
        same(tree.stop(), True, "and stops")
else:
    skip(5, "it may enter what is its own")

# A channel that is held, and then is not.
with controls(concurrencylocal=b"0\n"), tree.running(env={"QMAILREMOTE": REMOTE}):
    before = len(maildir(alice))
    tree.queue(b"Subject: held\n\nx\n", "s@here.test", ["alice@here.test", "r@far.test"])
    tree.wait_log("^delivery ")
    pid = tree.process.pid
    turns = lambda: int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", read("/proc/%d/status" % pid).decode(), re.M)[1])
    at_first = turns()
    for _ in range(5):
        tree.signal(signal.SIGALRM)
    same(goes("r@far.test"), "remote r@far.test", "concurrencylocal 0: the other channel goes on")
    ok(turns() - at_first < 200, "concurrencylocal 0: it sleeps meanwhile", turns() - at_first)
    same(len(re.findall(" to local ", tree.log())), 0, "concurrencylocal 0: nothing is delivered")
with tree.running():
    ok(tree.wait_done(1, 120), "concurrencylocal: it comes when there is one", tree.log())
    same(len(maildir(alice)) - before, 1, "once")

# -- bounces

tree.alias("default", "./Bounces/\n")
tree.alias("fail", "|exit 100\n")
tree.alias("later", "|exit 111\n")
bounces = tree.at("alias/Bounces")
for part in ("", "/tmp", "/new", "/cur"):
    os.makedirs(bounces + part, exist_ok=True)
    root and os.chown(bounces + part, *tree.alias_ids)


def bounce(sender, recipient="fail@here.test"):
    """The bounce of a message: how it is sent (sender, recipient), and its text."""
    log = len(tree.log())
    ends = len(re.findall("^end msg", tree.log(), re.M))
    tree.queue(b"Subject: x\n\nx\n", sender, [recipient])
    if not wait_for(lambda: tree.signal(signal.SIGALRM) or len(re.findall("^end msg", tree.log(), re.M)) >= ends + 2, every=0.2):
        return None, None, tree.log()[log:]
    sent = re.findall(r"^info msg \d+: bytes \d+ from <(.*)> qp", tree.log()[log:], re.M)[1]
    to = re.findall(r"^starting delivery \d+: msg \d+ to (.*)", tree.log()[log:], re.M)[-1]
    got = maildir(tree.at("alias"), "Bounces")
    for name in os.listdir(bounces + "/new"):
        os.unlink(os.path.join(bounces, "new", name))
    return sent, to, got[-1].decode("latin1") if got else ""


for files, sender, want in [
    ({}, "s@here.test", ("", "local s@here.test", "From: MAILER-DAEMON@here.test\nTo: s@here.test\n", "at here.test.\n")),
    ({"bouncefrom": b"", "bouncehost": b""}, "s@here.test", ("", "local s@here.test", 'From: ""@\n', "program at .\n")),
    ({"bouncefrom": b"mail er\xe9 \n", "bouncehost": b"h o\r\n"}, "s@here.test", ("", "local s@here.test", 'From: "mail er\xe9"@h o\n', "at h o.\n")),
    ({"bouncefrom": b"a.b.\n", "me": ABSENT}, "s@here.test", ("", "local s@here.test", 'From: "a.b."@bouncehost\n', "at bouncehost.\n")),
    ({}, "", ("#@[]", "local postmaster@here.test", "To: postmaster@here.test\n", "the bounce bounced!")),
    ({"doublebounceto": b"no body\r\n", "doublebouncehost": b"HERE.test\t\n"}, "", ("#@[]", "local no_body@HERE.test", 'To: "no body"@HERE.test\n', "bounced!")),
    ({"doublebounceto": b""}, "", ("#@[]", "local @here.test", None, None)),
    ({"doublebounceto": b"\nx\n"}, "", ("#@[]", "local @here.test", None, None)),
    ({"doublebounceto": b"a@b", "doublebouncehost": b"here.test"}, "", ("#@[]", "local a@b@here.test", "To: \"a@b\"@here.test\n", "bounced!")),
    ({"doublebouncehost": ABSENT, "me": ABSENT}, "", ("#@[]", "remote postmaster@doublebouncehost", None, None)),
    ({"queuelifetime": b"0\n"}, "s@here.test", ("", "local s@here.test", "To: s@here.test\n", "too long.\n")),
]:
    with controls(files), tree.running(env={"QMAILREMOTE": REMOTE}):
        sent, to, text = bounce(sender, "later@here.test" if "queuelifetime" in files else "fail@here.test")
        name = "bounce of <%s> with %s" % (sender, files and ", ".join(files))
        same((sent, to), want[:2], name)
        ok(all(part is None or part in text for part in want[2:]) and (want[2] is not None or text == ""), name + ": text", text[:1000])
tree.wait_empty()

# -- the other programs, each as the user who runs it

def smtp(*lines, **env):
    """qmail-smtpd: the codes of its replies, and its exit status."""
    environment = {"PROTO": "TCP", "TCPREMOTEIP": "127.0.0.1", "TCPLOCALIP": "127.0.0.9", "PATH": "/usr/bin:/bin"}
    environment.update(env)
    run = subprocess.run([tree.bin("qmail-smtpd")], input="".join(l + "\r\n" for l in lines).encode("latin1"), env=environment,
                         capture_output=True, cwd="/", preexec_fn=tree.as_user(1), timeout=60)
    return run.stdout.decode("latin1"), run.returncode


def codes(reply):
    return [line[:3] for line in reply.splitlines() if line[3:4] == " "]


NO_CONTROLS = ("421 unable to read controls (#4.3.0)\r\n", 1)
SMTPD_FILES = ["me", "smtpgreeting", "localiphost", "timeoutsmtpd", "databytes", "badmailfrom", "rcpthosts", "morercpthosts.cdb",
               "badrcptto", "badhelo", "badmailfromnorelay", "badrcpttonorelay", "badhelonorelay", "maxrcpt", "brtlimit",
               "tarpitcount", "tarpitdelay", "sessionmax"]
for name in SMTPD_FILES:
    results = {}
    for kind, content in BROKEN:
        with controls({name: content}):
            results[kind] = smtp("QUIT")
    same({k: r for k, r in results.items() if r != NO_CONTROLS}, {}, "qmail-smtpd with a broken " + name)

MAIL, TO, END = "MAIL FROM:<s@far.test>", "RCPT TO:<alice@here.test>", "QUIT"
for files, lines, want, name in [
    ({"me": ABSENT}, [END], ["421"], "neither me nor smtpgreeting"),
    ({"me": ABSENT, "smtpgreeting": b"mx.test hello \n"}, [END], ["220", "221"], "no me, but smtpgreeting"),
    ({"smtpgreeting": b""}, [END], ["220", "221"], "empty smtpgreeting"),
    ({n: b"" for n in SMTPD_FILES if n not in ("rcpthosts", "morercpthosts.cdb")}, [MAIL, TO, END], ["220", "250", "250", "221"], "all empty"),
    ({"rcpthosts": b""}, [MAIL, TO, "RCPT TO:<alice>", END], ["220", "250", "553", "250", "221"], "empty rcpthosts"),
    ({"rcpthosts": b"# all\n\nHERE.test \r\n"}, [MAIL, TO, "RCPT TO:<a@far.test>", END], ["220", "250", "250", "553", "221"], "rcpthosts with CR LF"),
    ({"rcpthosts": ABSENT, "morercpthosts.cdb": DIRECTORY}, [MAIL, "RCPT TO:<a@far.test>", END], ["220", "250", "250", "221"], "no rcpthosts: no database"),
    ({"morercpthosts.cdb": b""}, [MAIL, TO, "RCPT TO:<a@far.test>", END], ["220", "250", "250", "421"], "empty morercpthosts.cdb"),
    ({"morercpthosts.cdb": b"\xff" * 2047}, [MAIL, TO, "RCPT TO:<a@far.test>", END], ["220", "250", "250", "421"], "damaged morercpthosts.cdb"),
    ({"morercpthosts.cdb": b"\xff" * 4096}, [MAIL, TO, "RCPT TO:<a@far.test>", END], ["220", "250", "250", "421"], "wild morercpthosts.cdb"),
    ({"morercpthosts.cdb": b"\0" * 2048}, [MAIL, TO, "RCPT TO:<a@far.test>", END], ["220", "250", "250", "553", "221"], "morercpthosts.cdb of zeros"),
    ({"timeoutsmtpd": b"0\n"}, [END], ["220", "221"], "timeoutsmtpd 0"),
    ({"timeoutsmtpd": b"99999999999999999999\n"}, [END], ["220", "221"], "timeoutsmtpd for ever"),
    ({"databytes": b"1\n"}, [MAIL, TO, "DATA", "xx", ".", END], ["220", "250", "250", "354", "552", "221"], "databytes 1"),
    ({"databytes": b"4294967297\n"}, [MAIL, TO, "DATA", "xx", ".", END], ["220", "250", "250", "354", "250", "221"], "databytes of more than 32 bits"),
    ({"databytes": b"99999999999999999999\n"}, [MAIL, TO, "DATA", "xx", ".", END], ["220", "250", "250", "354", "250", "221"], "databytes of more than 64"),
    ({"databytes": b"none\n"}, [MAIL, TO, "DATA", "xx", ".", END], ["220", "250", "250", "354", "250", "221"], "databytes without a number"),
    ({"badmailfrom": b"@FAR.test\r\n"}, [MAIL, TO, END], ["220", "250", "553", "221"], "badmailfrom, a host in other letters"),
    ({"badmailfrom": b" s@far.test\n#s@far.test\n"}, [MAIL, TO, END], ["220", "250", "250", "221"], "badmailfrom: a space, a comment"),
    ({"localiphost": b"there.test\n", "rcpthosts": b"there.test\n"}, [MAIL, "RCPT TO:<a@[127.0.0.1]>", TO, END], ["220", "250", "250", "553", "221"], "localiphost"),
    ({"localiphost": b"", "rcpthosts": b"[127.0.0.1]\n"}, [MAIL, "RCPT TO:<a@[127.0.0.1]>", END], ["220", "250", "553", "221"], "empty localiphost"),
]:
    with controls(files):
        reply, status = smtp(*lines)
        same(codes(reply), want, "qmail-smtpd: " + name)

for name in ["me", "rcpthosts", "morercpthosts.cdb", "databytes"]:
    results = {}
    for kind, content in BROKEN:
        with controls({name: content}):
            run = subprocess.run([tree.bin("qmail-qmtpd")], input=b"", env={"TCPREMOTEIP": "127.0.0.1"}, capture_output=True, cwd="/",
                                 preexec_fn=tree.as_user(1), timeout=60)
            results[kind] = run.returncode, run.stdout
    same({k: r for k, r in results.items() if r != (111, b"")}, {}, "qmail-qmtpd with a broken " + name)

INJECT_FILES = ["me", "defaultdomain", "defaulthost", "plusdomain", "idhost"]


def inject(**env):
    return tree.inject(b"From: joe\nTo: ann, bob@sub, cat@x+\n\n", "-n", env=dict({"USER": "joe"}, **env))


for name in INJECT_FILES:
    results = {}
    for kind, content in BROKEN:
        with controls({name: content}):
            run = inject()
            results[kind] = (run.returncode, run.stderr, run.stdout)
    same({k: r for k, r in results.items() if r != (111, b"qmail-inject: fatal: read error\n", b"")}, {}, "qmail-inject with a broken " + name)
for files, want, name in [
    ({n: ABSENT for n in INJECT_FILES}, ["ann@defaulthost.defaultdomain", "bob@sub.defaultdomain", "cat@x.plusdomain"], "no control files"),
    ({"me": b"me.test \r\n", "defaultdomain": ABSENT, "plusdomain": ABSENT}, ["ann@me.test", "bob@sub.me.test", "cat@x.me.test"], "only me"),
    ({"defaulthost": b"Host\n", "defaultdomain": b"Dom.test\nmore\n", "plusdomain": b"plus.test"}, ["ann@Host.Dom.test", "bob@sub.Dom.test", "cat@x.plus.test"], "each its own"),
]:
    with controls(files):
        run = inject()
        addresses = re.findall(rb"[\w.]+@[\w.]+", re.search(rb"^To: .*(?:\n .*)*", run.stdout, re.M)[0]) if run.returncode == 0 else run.stderr
        same(addresses, [w.encode() for w in want], "qmail-inject: " + name)

REMOTE_FILES = ["me", "helohost", "smtproutes", "outgoingip", "tlsclient", "tlspolicy", "timeoutremote", "timeoutconnect"]
sink = Sink()


def remote(host="far.test"):
    return subprocess.run([tree.bin("qmail-remote"), host, "s@here.test", "r@" + host], input=b"Subject: x\n\nx\n", capture_output=True,
                          cwd="/", env={"PATH": "/usr/bin:/bin"}, preexec_fn=tree.as_user(6), timeout=120).stdout.decode("latin1")


UNREADABLE = "ZUnable to read control files. (#4.3.0)\n\0"
for name in REMOTE_FILES:
    results = {}
    for kind, content in BROKEN:
        with controls({"smtproutes": ":127.0.0.1:%d\n" % sink.port, name: content}):
            results[kind] = remote()
    same({k: r for k, r in results.items() if r != UNREADABLE}, {}, "qmail-remote with a broken " + name)
route = "127.0.0.1:%d" % sink.port
SENT = "K127.0.0.1 accepted message"
for files, want, name in [
    ({"smtproutes": ":" + route}, SENT, "a route without line end"),
    ({"smtproutes": "FAR.test:[127.0.0.1]:%d \t\r\n" % sink.port}, SENT, "a route in other letters, brackets, CR LF"),
    ({"smtproutes": ":127.0.0.1:1\nfar.test:%s\n" % route}, SENT, "the longest key counts"),
    ({"smtproutes": ".test:%s\n:127.0.0.1:1\n" % route}, SENT, "in any order"),
    ({"smtproutes": "far.test:127.0.0.1:1\nfar.test:%s x\n" % route}, SENT, "the last of two; text behind the port"),
    ({"smtproutes": "# :%s\n:%s\n" % (route, route)}, SENT, "a comment"),
    ({"smtproutes": ":127.0.0.1:\n"}, UNREADABLE, "no port"),
    ({"smtproutes": ":127.0.0.1:0\n"}, UNREADABLE, "port 0"),
    ({"smtproutes": ":127.0.0.1:65536\n"}, UNREADABLE, "port 65536"),
    ({"smtproutes": ":127.0.0.1:99999999999999999999\n"}, UNREADABLE, "a port of 20 digits"),
    ({"smtproutes": ":127.0.0.1:x25\n"}, UNREADABLE, "a port that is none"),
    ({"smtproutes": ":" + route, "me": ABSENT}, UNREADABLE, "neither me nor helohost"),
    ({"smtproutes": ":" + route, "me": ABSENT, "helohost": b"h.test"}, SENT, "helohost without me"),
    ({"smtproutes": ":" + route, "helohost": b""}, SENT, "empty helohost"),
    ({"smtproutes": ":" + route, "timeoutremote": b"0\n"}, SENT, "timeoutremote 0"),
    ({"smtproutes": ":" + route, "timeoutremote": b"99999999999999999999", "timeoutconnect": b"99999999999999999999"}, SENT, "timeouts for ever"),
    ({"smtproutes": ":" + route, "timeoutremote": b"-1\n", "timeoutconnect": b"soon\n"}, SENT, "timeouts that are none"),
    ({n: b"" for n in REMOTE_FILES if n not in ("smtproutes", "me")} | {"smtproutes": ":" + route}, SENT, "all empty"),
    ({"smtproutes": "".join("d%d.test:127.0.0.1:1\n" % i for i in range(100000)) + "far.test:" + route}, SENT, "a hundred thousand routes"),
]:
    with controls(files):
        report = remote()
        ok(want in report, "qmail-remote: " + name, report)
sink.close()


def qmqpc():
    with tempfile.TemporaryFile() as envelope:
        envelope.write(b"Fs@far.test\0Tr@far.test\0\0")
        envelope.seek(0)
        return subprocess.run([tree.bin("qmail-qmqpc")], stdin=subprocess.DEVNULL, stdout=envelope, cwd="/", env={},
                              preexec_fn=tree.as_user(1), timeout=60).returncode


for kind, content in BROKEN + [("nothing", ABSENT), ("an empty file", b""), ("comments", b"# 127.0.0.1\n\n"), ("a name", b"localhost\n"),
                               ("a space before", b" 127.0.0.1\n"), ("too large a number", b"127.0.0.256\n")]:
    with controls(qmqpservers=content):
        same(qmqpc(), 55, "qmail-qmqpc: qmqpservers is " + kind)
with controls(me=DIRECTORY, qmqpservers=b"127.0.0.1\n"):
    same(qmqpc(), 55, "qmail-qmqpc: me is a directory")

# qmail-showctl tells of all of it and goes on
with controls({"databytes": DIRECTORY, "locals": b"\x01\xff \n", "concurrencylocal": b"4294967301 x\n", "virtualdomains": DANGLING, "smtproutes": b"",
               "bouncefrom": b"", "timeoutsmtpd": b"x\n", "odd name": b""}):
    run = subprocess.run([tree.bin("qmail-showctl")], stdin=subprocess.DEVNULL, capture_output=True, cwd="/", preexec_fn=tree.as_user(1), timeout=60)
    text = run.stdout.decode("latin1")
    same((run.returncode, run.stderr), (0, b""), "qmail-showctl")
    for want in ["\ndatabytes: Oops! Trouble reading this file.\n", "\nlocals: \nMessages for ?? are delivered locally.\n",
                 "\nconcurrencylocal: Local concurrency is 2147483647.\n", "\nvirtualdomains: Oops! Trouble reading this file.\n",
                 "\nsmtproutes: \n\n", "\nbouncefrom: Bounce user name is .\n", "\ntimeoutsmtpd: (Default.) SMTP server data timeout is 1200 seconds.\n",
                 "\nodd name: I have no idea what this file does.\n"]:
        ok(want in text, "qmail-showctl: " + want.split(":")[0].strip(), text)
done()
