#!/usr/bin/python3
"""The programs that .qmail files run: what they say, how they end, what they queue."""
from reqmail import *

BIN = os.path.join(os.environ.get("TREE", "/var/qmail"), "bin")
MESSAGE = b"From: a@b.test\nSubject: probe\n\nbody \xff\0\nno end"
LONG = MESSAGE + b"x" * 300000
ENVIRONMENT = {"PATH": BIN + ":/usr/bin:/bin", "SENDER": "s@r.test", "NEWSENDER": "new@r.test", "DTLINE": "Delivered-To: d\n",
               "RPLINE": "Return-Path: <s@r.test>\n", "UFLINE": "From s@r.test date\n", "USER": "u", "LOCAL": "u"}
scratch = tempfile.mkdtemp(prefix="tools.", dir=os.environ.get("SCRATCH"))
os.chmod(scratch, 0o777)
atexit.register(shutil.rmtree, scratch, True)
QUEUE = write(scratch + "/queue", "#!/bin/sh\ncat > %s/message; cat <&1 > %s/envelope\n" % (scratch, scratch), 0o755)
REFUSING = write(scratch + "/refusing", "#!/bin/sh\ncat > /dev/null\nexit 31\n", 0o755)
FAILING = write(scratch + "/failing", "#!/bin/sh\ncat > /dev/null\nexit 53\n", 0o755)
DIRECTORY = object()  # as a message: something that cannot be read


def run(args, message=MESSAGE, program=QUEUE, drop=(), pipe=False):
    """Exit code, output and error output; the queue program's pid is shown as N."""
    env = {k: v for k, v in dict(ENVIRONMENT, QMAILQUEUE=program).items() if k not in drop}
    for name in ("message", "envelope"):
        write(os.path.join(scratch, name), b"")
    keep = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, cwd=scratch, timeout=60)
    args = [os.path.join(BIN, args[0])] + list(args[1:])
    if pipe:
        done = subprocess.run(args, input=message, **keep)
    elif message is DIRECTORY:
        directory = os.open("/", os.O_RDONLY)
        done = subprocess.run(args, stdin=directory, **keep)
        os.close(directory)
    else:
        with tempfile.TemporaryFile() as f:
            f.write(message)
            f.seek(0)
            done = subprocess.run(args, stdin=f, **keep)
    return done.returncode, done.stdout, re.sub(rb"qp \d+\n", b"qp N\n", done.stderr)


def queued():
    return read(scratch + "/message"), read(scratch + "/envelope")


YES, NO, LATER, CRASH = (["sh", "-c", c] for c in ("exit 0", "exit 1", "exit 111", "kill -9 $$"))
NOT_QUEUED = (b"", b"")


def says(name, args, want, queue=None, **how):
    """One run, and what it queued, which is nothing unless told otherwise."""
    got = run(args, **how)
    same((got, queued()), (want, queue or NOT_QUEUED), name)


def dt(message, envelope):
    return b"Delivered-To: d\n" + message, envelope


# -- forward

says("forward", ["forward", "a@b", "-x", ""], (0, b"", b"forward: qp N\n"), dt(MESSAGE, b"Fnew@r.test\0Ta@b\0T-x\0T\0\0"))
says("forward: a long message from a pipe", ["forward", "a"], (0, b"", b"forward: qp N\n"), dt(LONG, b"Fnew@r.test\0Ta\0\0"),
     message=LONG, pipe=True)
says("forward: nobody", ["forward"], (0, b"", b"forward: qp N\n"), dt(MESSAGE, b"Fnew@r.test\0\0"))
says("forward: NEWSENDER first", ["forward", "a"], (100, b"", b"forward: fatal: NEWSENDER not set\n"), drop=("NEWSENDER", "DTLINE"))
says("forward: then DTLINE", ["forward", "a"], (100, b"", b"forward: fatal: DTLINE not set\n"), drop=("DTLINE",))
says("forward: refused", ["forward", "a"], (100, b"", b"forward: fatal: mail server permanently rejected message (#5.3.0)\n"),
     program=REFUSING)
says("forward: not now", ["forward", "a"], (111, b"", b"forward: fatal: qq write error or disk full (#4.3.0)\n"), program=FAILING)
says("forward: no queue program", ["forward", "a"], (111, b"", b"forward: fatal: unable to exec qq (#4.3.0)\n"),
     program="/nonexistent")
got = run(["forward", "a"], message=DIRECTORY)
same((got, queued()[1]), ((111, b"", b"forward: fatal: unable to read message: is a directory\n"), b""), "forward: unreadable")

# -- programs that ask a program

for name, args, yes, on_yes in (("condredirect", ["a@b"], 99, b"condredirect: qp N\n"), ("bouncesaying", ["No, thanks."], 100, b"No, thanks.\n"),
                                ("except", [], 100, b"")):
    queue = dt(MESSAGE, b"Fs@r.test\0Ta@b\0\0") if name == "condredirect" else None
    fatal = name.encode() + b": fatal: "
    says(name + ": yes", [name] + args + YES, (yes, b"", on_yes), queue)
    says(name + ": the program reads the message", [name] + args + ["cat"], (yes, MESSAGE, on_yes), queue)
    says(name + ": no", [name] + args + NO, (0, b"", b""))
    says(name + ": another no", [name] + args + ["sh", "-c", "exit 100"], (0, b"", b""))
    says(name + ": no such program", [name] + args + ["/nonexistent"], (0, b"", b""))
    says(name + ": cannot tell", [name] + args + LATER, (111, b"", fatal + b"temporary child error\n"))
    says(name + ": crash", [name] + args + CRASH, (111, b"", fatal + b"child crashed\n"))
says("condredirect: usage", ["condredirect", "a"],
     (100, b"", b"condredirect: usage: condredirect newaddress program [ arg ... ]\n"))
says("condredirect: cannot rewind", ["condredirect", "a"] + YES,
     (111, b"", b"condredirect: fatal: unable to rewind: unseekable descriptor\n"), pipe=True)
says("condredirect: SENDER", ["condredirect", "a"] + YES, (100, b"", b"condredirect: fatal: SENDER not set\n"), drop=("SENDER", "DTLINE"))
says("condredirect: no variable is needed for no", ["condredirect", "a"] + NO, (0, b"", b""), drop=("SENDER", "DTLINE"))
says("condredirect: not now", ["condredirect", "a"] + YES,
     (111, b"", b"condredirect: fatal: qq write error or disk full (#4.3.0)\n"), program=FAILING)
says("bouncesaying: always", ["bouncesaying", "closed"], (100, b"", b"closed\n"))
says("bouncesaying: usage", ["bouncesaying"], (100, b"", b"bouncesaying: usage: bouncesaying error [ program [ arg ... ] ]\n"))
says("except: usage", ["except"], (100, b"", b"except: usage: except program [ arg ... ]\n"))
says("except: no options", ["except", "-x"], (0, b"", b""))

# -- preline

UF, RP, DT = (ENVIRONMENT[n].encode() for n in ("UFLINE", "RPLINE", "DTLINE"))
USAGE = b"preline: usage: preline cmd [ arg ... ]\n"
for options, lines in (([], UF + RP + DT), (["-f"], RP + DT), (["-r"], UF + DT), (["-d"], UF + RP), (["-frd"], b""), (["-fr", "-F"], UF + DT),
                       (["-fF", "--"], UF + RP + DT)):
    says("preline %s" % options, ["preline"] + options + ["cat"], (0, lines + MESSAGE, b""))
says("preline: a long message", ["preline", "-frd", "cat"], (0, LONG, b""), message=LONG, pipe=True)
says("preline: exit code", ["preline", "sh", "-c", "cat > /dev/null; exit 7"], (7, b"", b""))
says("preline: a short message may be left", ["preline", "true"], (0, b"", b""))
says("preline: a long one may not", ["preline", "true"], (111, b"", b"preline: fatal: unable to copy input: broken pipe\n"), message=LONG)
says("preline: crash", ["preline"] + CRASH, (111, b"", b"preline: fatal: child crashed\n"))
says("preline: no such program", ["preline", "/nonexistent"],
     (100, b"", b"preline: fatal: unable to run /nonexistent: file does not exist\n"))
says("preline: unreadable", ["preline", "cat"], (111, b"", b"preline: fatal: unable to copy input: is a directory\n"), message=DIRECTORY)
says("preline: no command", ["preline", "-f"], (100, b"", USAGE))
says("preline: unknown option", ["preline", "-x", "cat"], (100, b"", b"preline: illegal option -- x\n" + USAGE))
for name in ("UFLINE", "RPLINE", "DTLINE"):
    says("preline: without " + name, ["preline", "-frd", "cat"], (100, b"", USAGE), drop=(name,))

# -- qreceipt, qbiff

ASKING = b"Message-ID: <1@b>\nnotice-requested-upon-delivery-to : x, Me <me@h.test>\n\nbody\n"
NOTICE = (b"From: DELIVERY NOTICE SYSTEM <s@r.test>\nTo: <s@r.test>\nSubject: success notice\n\n"
          b"Hi! This is the qreceipt program. Your message was delivered to the\nfollowing address: me@h.test. Thanks for asking.\n"
          b"Your Message-ID: <1@b>\n")
says("qreceipt", ["qreceipt", "me@h.test"], (0, b"", b""), (NOTICE, b"F\0Ts@r.test\0\0"), message=ASKING)
says("qreceipt: for another", ["qreceipt", "you@h.test"], (0, b"", b""), message=ASKING)
says("qreceipt: asked for in the body", ["qreceipt", "me@h.test"], (0, b"", b""), message=b"\n" + ASKING)
says("qreceipt: unreadable field", ["qreceipt", "me@h.test"],
     (100, b"", b"qreceipt: fatal: unable to parse this: Notice-Requested-Upon-Delivery-To: (me\n"),
     message=b"Notice-Requested-Upon-Delivery-To: (me\n\n")
says("qreceipt: refused", ["qreceipt", "me@h.test"], (100, b"", b"qreceipt: fatal: permanent qmail-queue error\n"), message=ASKING,
     program=REFUSING)
says("qreceipt: not now", ["qreceipt", "me@h.test"], (111, b"", b"qreceipt: fatal: temporary qmail-queue error\n"), message=ASKING,
     program=FAILING)
says("qreceipt: usage", ["qreceipt"], (100, b"", b"qreceipt: usage: qreceipt deliveryaddress\n"))
says("qreceipt: without SENDER", ["qreceipt", "a"], (100, b"", b"qreceipt: usage: qreceipt deliveryaddress\n"), drop=("SENDER",))
says("qreceipt: unreadable", ["qreceipt", "a"], (111, b"", b"qreceipt: fatal: read error\n"), message=DIRECTORY)
for sender in ("", "#@[]"):
    ENVIRONMENT["SENDER"] = sender
    says("qreceipt: no answer to <%s>" % sender, ["qreceipt", "me@h.test"], (0, b"", b""), message=ASKING)
for message in (MESSAGE, LONG, DIRECTORY, b""):
    says("qbiff: silent", ["qbiff"], (0, b"", b""), message=message)
says("qbiff: silent without its variables", ["qbiff"], (0, b"", b""), drop=("USER",))

# -- maildirmake

os.umask(0o277)
says("maildirmake", ["maildirmake", "-box", "more"], (0, b"", b""))
os.umask(0o022)
same([os.stat(os.path.join(scratch, "-box", d)).st_mode & 0o7777 for d in ("", "tmp", "new", "cur")], [0o700] * 4, "maildirmake: modes")
says("maildirmake: once", ["maildirmake", "-box"], (111, b"", b"maildirmake: fatal: unable to mkdir -box: file already exists\n"))
says("maildirmake: no place", ["maildirmake", "a/b"], (111, b"", b"maildirmake: fatal: unable to mkdir a/b: file does not exist\n"))
says("maildirmake: usage", ["maildirmake"], (100, b"", b"maildirmake: usage: maildirmake name\n"))

# -- predate, which gives a program its input in the same way

says("predate: a program that is not there", ["predate", "/none"], (111, b"", b"predate: fatal: unable to run /none: file does not exist\n"))
says("predate: usage", ["predate"], (100, b"", b"predate: usage: predate child\n"))
done()
