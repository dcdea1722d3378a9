#!/usr/bin/python3
"""maildirwatch, and the programs that run maildir2mbox before a mail reader."""
import select

from reqmail import *

tree = Tree()
home = os.path.join(tree.scratch, "home")
for part in ("tmp", "new", "cur"):
    os.makedirs(os.path.join(home, "Maildir", part))
bin_dir = os.path.join(tree.scratch, "bin")
env = {"MAILDIR": home + "/Maildir", "MAIL": home + "/Mailbox", "MAILTMP": home + "/Mailbox.tmp", "PATH": bin_dir + ":/usr/bin:/bin"}


def mail(name, content, age, where="new"):
    path = write(os.path.join(home, "Maildir", where, name), content)
    os.utime(path, (time.time() - age,) * 2)
    return path


# -- maildirwatch


def screen(**more):
    """What it shows first, and what it says; it goes on for ever."""
    with subprocess.Popen([tree.bin("maildirwatch")], env=dict(env, **more), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        shown = b""
        while select.select([p.stdout], [], [], 0.7)[0]:
            data = os.read(p.stdout.fileno(), 65536)
            if not data:
                p.wait(10)
                break
            shown += data
        running = p.poll() is None
        p.kill()
        return running, shown, p.stderr.read()


CLEAR = b"\033[;H\033[;J"
same(screen(), (True, CLEAR, b""), "maildirwatch: no mail")
mail("b", b"Return-Path: <s@x>\nDelivered-To: r@y\nFrom: A <a@b>\nSubject: second\n\nbody\n" + b"z" * 500, 100)
mail("a", b"Subject: \033[31mred\n\n\a", 200)
mail("c", b"Subject: seen\n\n", 300, "cur")
mail(".d", b"Subject: hidden\n\n", 300)
old, young = mail("old", b"x", 130000, "tmp"), mail("young", b"x", 100, "tmp")
want = (CLEAR + b"FROM ? TO <?>\n/[31mred///\n\n" + b"FROM <s@x> TO <r@y>\n\033[1mFrom: A <a@b>\033[0m\nsecond//body/" + b"z" * 145 + b"\n\n")
same(screen(), (True, want, b""), "maildirwatch: two messages, oldest first")
same((os.path.exists(old), os.path.exists(young)), (False, True), "maildirwatch: tmp is cleaned")
same(screen(MAILDIR=home + "/none"), (False, b"", b"maildirwatch: fatal: unable to chdir to %s/none: file does not exist\n" % home.encode()),
     "maildirwatch: no maildir")
same(screen(MAILDIR=home), (False, b"", b"maildirwatch: fatal: unable to scan $MAILDIR/new: file does not exist\n"), "maildirwatch: none such")
r = subprocess.run([tree.bin("maildirwatch")], env={}, capture_output=True, timeout=10)
same((r.returncode, r.stderr), (111, b"maildirwatch: fatal: MAILDIR not set\n"), "maildirwatch: no MAILDIR")
with open("/dev/full", "wb") as full:
    r = subprocess.run([tree.bin("maildirwatch")], env=env, stdout=full, stderr=subprocess.PIPE, timeout=10)
same((r.returncode, r.stderr), (111, b"maildirwatch: fatal: unable to write output: out of disk space\n"), "maildirwatch: no output")

# -- mail readers

for name, reader in (("qail", "Mail"), ("elq", "elm"), ("pinq", "pine")):
    def run(*arguments, environment=env):
        r = subprocess.run([tree.bin(name)] + list(arguments), env=environment, capture_output=True, timeout=20)
        return r.returncode, r.stdout, r.stderr

    mail("m", b"Return-Path: <s@x>\n\nx\n", 100)
    script = write(os.path.join(bin_dir, reader), '#!/bin/sh\necho "$0 <$*> $# $(ls $MAILDIR/new)"\nexit 7\n', mode=0o755)
    same(run("-a", "b c", ""), (7, b"%s <-a b c > 3 \n" % script.encode(), b""), name + ": mail is moved, then the reader is run")
    found(rb"^From s@x ", read(home + "/Mailbox"), name + ": the mail is in the mbox")
    without = {k: v for k, v in env.items() if k != "MAILTMP"}
    same(run(environment=without), (111, b"", b"maildir2mbox: fatal: MAILTMP not set\n"), name + ": maildir2mbox fails: the reader is not run")
    os.unlink(script)
    same(run(), (111, b"", b"%s: fatal: unable to run %s: file does not exist\n" % (name.encode(), reader.encode())), name + ": no reader")
    os.unlink(home + "/Mailbox")
done()
