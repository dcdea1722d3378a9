#!/usr/bin/python3
"""qmail-inject, sendmail and mailsubj: what the environment and the options make of a
message, and what each says of one it cannot take."""
import resource
from reqmail import *

tree = Tree()


def run(program, *arguments, data=b"To: b@far.test\n\nx\n", env=None, prepare=None, **more):
    def before():
        tree.as_user(1)()
        if prepare:
            prepare()
    done = subprocess.run([more.pop("path", tree.bin(program)), *arguments], input=data, env=dict({"USER": "u", "PATH": "/usr/bin:/bin"}, **env or {}),
                          capture_output=True, cwd="/", preexec_fn=before, timeout=60)
    return done.returncode, done.stdout, done.stderr.decode("latin1")


def prints(name, wanted, env=None, data=b"To: b@far.test\n\nx\n", arguments=()):
    """qmail-inject -n: the lines, with spaces between words as they are."""
    code, out, error = run("qmail-inject", "-n", *arguments, data=data, env=env)
    lines = out.decode("latin1").split("\n\n", 1)[0]
    ok((code, error) == (0, "") and all(re.search(w, lines, re.M) for w in wanted), name, "%r %r %s" % (code, error, lines))


def refuses(name, program, code, words, *arguments, **more):
    got, out, error = run(program, *arguments, **more)
    ok(got == code and re.search(words, error), name, "exit %d: %r" % (got, error))


# -- the environment of qmail-inject

prints("From, nobody", [r"^From: anonymous@here\.test$"], {"USER": "anonymous"})
prints("From with a name", [r'^From: "J\. R\." <u@here\.test>$|^From: "J\. R\." <u@'], {"QMAILNAME": "J. R."})
prints("From with a comment", [r"^From: u@here\.test \(J\. R\.\)$|^From: u@\S+\s+\(J"], {"QMAILNAME": "J. R.", "QMAILINJECT": "c"})
prints("From at another host", [r"^From: u@there\.test$"], {"QMAILHOST": "there.test"})
prints("resent", [r"^Resent-From: u@here\.test$", r"^Resent-Date: ", r"^Resent-Message-ID: <"], data=b"Resent-To: b@far.test\nTo: c@far.test\n\nx\n")
prints("Return-Path: VERP", [r'^Return-Path: <"u-@here\.test-"@\[\]>$'], {"QMAILINJECT": "r"})
prints("Return-Path: one for each message", [r"^Return-Path: <u-\d+\.\d+@here\.test>$"], {"QMAILINJECT": "m"})
prints("Return-Path: one's own", [r"^Return-Path: <own@far\.test>$"], data=b"Return-Path: <own@far.test>\nTo: b@far.test\n\nx\n")
prints("Return-Path: one's own, VERP", [r'^Return-Path: <"own@far\.test-"@\[\]>$'], {"QMAILINJECT": "r"}, data=b"Return-Path: <own@far.test>\nTo: b@far.test\n\nx\n")
prints("defaults of the environment", [r"^To: b@dh\.dd$"], {"QMAILDEFAULTHOST": "dh", "QMAILDEFAULTDOMAIN": "dd"}, data=b"To: b\n\nx\n")
lists = write(os.path.join(tree.scratch, "lists"), "list@far.test\n")
many = b"To: b@far.test, list@far.test\nCc: c@far.test\n\nx\n"
prints("Mail-Followup-To", [r"^Mail-Followup-To: \S+,\n  "], {"QMAILMFTFILE": lists}, data=many)
prints("an empty address among those of a list", [r"^Mail-Followup-To: c@far\.test,\n  b@far\.test,\n  list@far\.test$"], {"QMAILMFTFILE": lists}, data=many.replace(b"To: ", b"To: <>, ", 1))
prints("no list, no Mail-Followup-To", [r"\A(?!.*Followup)(?s:.*)"], {"QMAILMFTFILE": lists})
prints("no file of lists", [r"^To: b@far"], {"QMAILMFTFILE": lists + ".absent"}, data=many)

# -- what it cannot take

refuses("a file of lists that cannot be read", "qmail-inject", 111, "^qmail-inject: fatal: read error$", env={"QMAILMFTFILE": tree.scratch})
refuses("an option it does not know", "qmail-inject", 100, "^qmail-inject: illegal option -- z", "-z")
refuses("an option without its value", "qmail-inject", 100, "^qmail-inject: option requires an argument -- f", "-f")
refuses("an argument", "qmail-inject", 100, r"^qmail-inject: fatal: unable to parse address: b@\(x\n", "-n", "b@(x")
refuses("a field", "qmail-inject", 100, r"^qmail-inject: fatal: unable to parse this line:\nTo: \(x\n", "-n", data=b"To: (x\n\nx\n")
refuses("a host of the environment", "qmail-inject", 100, r"unable to parse this line:\n.*\(", "-n", env={"QMAILHOST": "(x"})
refuses("a sender's host of the environment", "qmail-inject", 100, r"unable to parse this line:\n.*\(", "-n", env={"QMAILSHOST": "(x"})
refuses("a default host", "qmail-inject", 100, r"unable to parse this line:\n@\(", "-n", env={"QMAILDEFAULTHOST": "(x"})
refuses("a header without end", "qmail-inject", 100, r"header is longer than \d+ bytes \(#5\.3\.4\)", "-n", data=b"X: " + b"x" * (65 << 20))
refuses("input that is a directory", "qmail-inject", 111, "read error", "-n", prepare=lambda: os.dup2(os.open("/", os.O_RDONLY), 0))
refuses("no input", "qmail-inject", 111, "read error", "-n", prepare=lambda: os.close(0))
refuses("no output", "qmail-inject", 111, "write error", "-n", prepare=lambda: os.close(1))
refuses("a full disk", "qmail-inject", 111, "write error", "-n", prepare=lambda: os.dup2(os.open("/dev/full", os.O_WRONLY), 1))
refuses("no process for qmail-queue", "qmail-inject", 111, "unable to run qmail-queue", "b@far.test", prepare=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (6, 6)))
for name in ("me", "defaulthost"):
    tree.control(name, None)
    os.mkdir(tree.at("control", name))
    refuses("control/%s is a directory" % name, "qmail-inject", 111, "read error", "-n")
    tree.reset()

# -- sendmail

USAGE = r"sendmail: usage: sendmail \[ -t \] \[ -fsender \] \[ -Fname \] \[ -bp \] \[ -bs \] \[ arg \.\.\. \]\n$"
refuses("sendmail -bz", "sendmail", 100, USAGE, "-bz")
refuses("sendmail -f", "sendmail", 100, USAGE, "-f")
aliases = os.path.join(tree.scratch, "newaliases")
os.symlink(tree.bin("sendmail"), aliases)
refuses("newaliases", "sendmail", 100, "please use fastforward/newaliases instead", path=aliases)
code, out, _ = run("sendmail", "-bs", data=b"HELO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<x@far.test>\r\nQUIT\r\n")
same((code, out), (0, b"220 here.test ESMTP\r\n250 here.test\r\n250 ok\r\n250 ok\r\n221 here.test\r\n"), "sendmail -bs: an SMTP session, with relaying")
code, out, _ = run("sendmail", "-bs", env={"PROTO": "TCP"}, data=b"MAIL FROM:<a@b>\r\nRCPT TO:<x@far.test>\r\nQUIT\r\n")
found("553 ", out, "sendmail -bs with a connection's environment: as that allows")
found("unable|warning|fatal|^$", run("sendmail", "-bp", data=b"")[2], "sendmail -bp: qmail-qread, which is not for everybody")
same(run("sendmail", "-F", "J. R.", "-fjoe@far.test", "b@far.test")[0], 0, "sendmail -F -f")
same(run("sendmail", "-Fx", "-f", "joe", "-o8", "-B8BITMIME", "-N", "never", "-v", "b@far.test")[0], 0, "sendmail with options that mean nothing here")
for key in tree.queue_files():
    if key.startswith("mess/"):
        text = read(tree.at("queue", key)).decode("latin1")
        ok(re.search(r'^From: (".*" <|x <|"x" <)?joe@', text, re.M), "sendmail: From follows -f", text)
if root:
    copy = shutil.copy(tree.bin("sendmail"), tree.scratch)
    inject = shutil.copy(tree.bin("qmail-inject"), tree.scratch)
    os.chmod(tree.path, 0o700)
    refuses("sendmail: no home", "sendmail", 111, "unable to switch to qmail home directory", "b@far.test", path=copy)
    refuses("qmail-inject: no home", "qmail-inject", 111, "internal bug", "b@far.test", path=inject)
    os.chmod(tree.path, 0o755)
else:
    skip(2, "not root")

# -- mailsubj and those like it

refuses("mailsubj without a subject", "mailsubj", 100, "^mailsubj: usage: mailsubj subject recip ")
refuses("mailsubj: input that is a directory", "mailsubj", 111, "^mailsubj: fatal: read error", "s", "b@far.test", prepare=lambda: os.dup2(os.open("/", os.O_RDONLY), 0))
refuses("mailsubj: no descriptors", "mailsubj", 111, "^mailsubj: fatal: unable to (create pipe|fork)", "s", "b@far.test",
        prepare=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4)))
refuses("predate: its program is killed", "predate", 111, "child crashed", "sh", "-c", "cat > /dev/null; kill -9 $$")
refuses("a host for From alone", "qmail-inject", 100, r"unable to parse this line:\n", "-n", env={"QMAILHOST": "(x", "QMAILSHOST": "far.test"})
done()
