#!/usr/bin/python3
"""qmail-pw2u: who becomes a user and who does not, the files that change it, and what
happens when something fails; the same again as an answer of users/cdb."""
import resource

from reqmail import *

tree = Tree()
pw2u = tree.bin("qmail-pw2u")
me, mine = (60001, 60002) if root else (os.geteuid(), os.getegid())
homes = os.path.join(tree.scratch, "homes")
for name in ("alias", "joe", "Sue", "other"):
    os.makedirs(os.path.join(homes, name))
    if root:
        os.chown(os.path.join(homes, name), me + 1 if name == "other" else me, mine)
ALIAS = tree.names[0]


def account(name, home=None, uid=me):
    return "%s:x:%s:%s:Some One,,,:%s/%s:/bin/sh\n" % (name, uid, mine, homes, home or name)


def fields(name, home=None, uid=me):
    return ":%s:%s:%s:%s/%s:" % (name, uid, mine, homes, home or name)


def lines(name, home=None, names=None, uid=me):
    f = fields(name, home, uid)
    return "".join("=%s%s::\n+%s-%s-::\n" % (n, f, n, f) for n in names or [name])


ALIAS_IN = account(ALIAS, "alias")
ALIAS_OUT = "+%s-::\n" % fields(ALIAS, "alias") + lines(ALIAS, "alias")


def run(text, *arguments, files={}, **more):
    for name, content in files.items():
        write(tree.at("users", name), content)
    text = text if isinstance(text, bytes) else text.encode()
    r = subprocess.run([pw2u] + list(arguments), input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/",
                       timeout=60, **more)
    for name in files:
        os.unlink(tree.at("users", name))
    return r.returncode, r.stdout.decode("latin1"), r.stderr.decode("latin1")


def gives(name, text, want, *arguments, **more):
    same(run(text, *arguments, **more), (0, want + ".\n", ""), name)


def fails(name, text, why, *arguments, code=111, **more):
    status, out, err = run(text, *arguments, **more)
    same((status, err, re.findall(r"^\..*", out, re.M)), (code, why, []), name)


FATAL = "qmail-pw2u: fatal: "
gives("alias alone", ALIAS_IN, ALIAS_OUT)
gives("in the order of the input", account("joe") + ALIAS_IN, lines("joe") + ALIAS_OUT)
gives("last line without its end", ALIAS_IN + account("joe").rstrip("\n"), ALIAS_OUT + lines("joe"))
gives("lines that are none", "\njoe\n" + ALIAS_IN + "joe:x:1:2:3:/h\n" + "j\0e:x:5:5::/:\n", ALIAS_OUT)
gives("missing home", ALIAS_IN + account("none"), ALIAS_OUT)
gives("missing home, -H", ALIAS_IN + account("none"), ALIAS_OUT + lines("none"), "-H")
fails("missing home, -h", ALIAS_IN + account("none"), FATAL + "unable to stat %s/none\n" % homes, "-h")
if root:
    gives("home of somebody else", ALIAS_IN + account("other"), ALIAS_OUT)
    gives("home of somebody else, -h", ALIAS_IN + account("other"), ALIAS_OUT, "-h")
else:
    skip(2, "needs root")
gives("a uid beyond 32 bits owns nothing", ALIAS_IN + account("joe", uid=me + (1 << 32)), ALIAS_OUT)
gives("capitals", ALIAS_IN + account("Sue"), ALIAS_OUT)
gives("capitals, -u", ALIAS_IN + account("Sue"), ALIAS_OUT + lines("Sue"), "-u")
gives("who is skipped is not looked at", ALIAS_IN + account("Sue", "gone"), ALIAS_OUT, "-h")
fails("no alias", account("joe"), FATAL + "unable to find %s user\n" % ALIAS)
fails("alias excluded", ALIAS_IN, FATAL + "unable to find %s user\n" % ALIAS, files={"exclude": ALIAS.upper() + "\n"})
fails("nothing at all", "", FATAL + "unable to find %s user\n" % ALIAS)

# -- the files in users/
both = ALIAS_IN + account("joe")
gives("include", both, ALIAS_OUT, files={"include": "#joe\n\n%s \t\n" % ALIAS})
gives("include and exclude", both, ALIAS_OUT, files={"include": "JOE\n%s" % ALIAS, "exclude": "Joe"})
gives("mailnames", both, ALIAS_OUT + lines("joe", names=["J.Oe", "j"]), files={"mailnames": "joe:x\njoe\nJOE:J.Oe::j \n"})
sub = "=sub%s-:pre:\n+sub-%s-:pre-:\n" % (fields("joe"), fields("joe"))
gives("subusers", both, ALIAS_OUT + lines("joe") + sub, files={"subusers": "sub:JOE:pre:x\nbad:nobody:x\n"})
gives("subusers of a renamed user", both, ALIAS_OUT + lines("joe", names=["j"]) + sub,
      files={"subusers": "sub:joe:pre:", "mailnames": "joe:j"})
fails("subuser of nobody", both, FATAL + "unable to find no-such user for subuser\n", files={"subusers": "s:no-such:x:\n"})
fails("subuser of a skipped one", both, FATAL + "unable to find joe user for subuser\n",
      files={"subusers": "s:joe:x:\n", "exclude": "joe"})
gives("append", ALIAS_IN, ALIAS_OUT + "=x:y:1:2:/:::\n", files={"append": "=x:y:1:2:/:::\n"})
gives("append, last line without its end", ALIAS_IN, ALIAS_OUT + "=x:y:1:2:/:::\n", files={"append": "=x:y:1:2:/:::"})
gives("append, 200 kB", ALIAS_IN, ALIAS_OUT + "=x:y:1:2:/:::\n" * 14000, files={"append": "=x:y:1:2:/:::\n" * 14000})
for name in ("include", "exclude", "mailnames", "subusers", "append"):
    os.symlink("nowhere", tree.at("users", name))
    fails("%s leads nowhere" % name, both, FATAL + "unable to read controls\n")
    os.unlink(tree.at("users", name))

# -- options
fails("unknown option", both, "qmail-pw2u: illegal option -- z\n", "-hz", code=100)
fails("-c without value", both, "qmail-pw2u: option requires an argument -- c\n", "-c", code=100)
gives("-C", both, "".join(l + "\n" for l in (ALIAS_OUT + lines("joe")).split("\n") if l[:2] == "+:" or l[:1] == "="), "-C")
gives("-c, -/", account("joe") + ALIAS_IN, (lines("joe") + ALIAS_OUT).replace(":-::\n", ":-/::\n")
      .replace("+joe-:", "+joe=:").replace("+%s-:" % ALIAS, "+%s=:" % ALIAS), "-c", "=", "-/")

# -- descriptors
with open("/dev/full", "wb") as full:
    r = subprocess.run([pw2u], input=both.encode(), stdout=full, stderr=subprocess.PIPE)
    same((r.returncode, r.stderr.decode()), (111, FATAL + "unable to write output\n"), "disk full")
for closed, why in (("<&-", "read input"), (">&-", "write output")):
    r = subprocess.run(["sh", "-c", "%s %s" % (pw2u, closed)], input=both.encode(), capture_output=True)
    same((r.returncode, r.stderr.decode()), (111, FATAL + "unable to %s\n" % why), "closed: " + closed)
fd = os.open("/", os.O_RDONLY)
r = subprocess.run([pw2u], stdin=fd, capture_output=True)
os.close(fd)
same((r.returncode, r.stderr.decode()), (111, FATAL + "unable to read input\n"), "a directory as input")
reading, writing = os.pipe()
os.close(reading)
r = subprocess.run([pw2u], input=both.encode(), stdout=writing, stderr=subprocess.PIPE)
os.close(writing)
same((r.returncode, r.stderr.decode()), (111, FATAL + "unable to write output\n"), "nobody reads the output")

# -- large, and little memory
many = "".join("user%d:x:%d:100::/home/%d:\n" % (i, i + 1, i) for i in range(100000))
limit = None if sanitized else lambda: resource.setrlimit(resource.RLIMIT_AS, (80 << 20, 80 << 20))
status, out, err = run(ALIAS_IN + many, "-H", files={"subusers": "sub:USER99999:x:\n"}, preexec_fn=limit)
same((status, err, out.count("\n")), (0, "", 200006), "100,000 users in 80 MB")
ok(out.endswith("=sub:user99999:100000:100:/home/99999:-:x:\n+sub-:user99999:100000:100:/home/99999:-:x-:\n.\n"), "and a subuser")

# -- what it prints is what qmail-newu takes and qmail-lspawn obeys
if root:
    for part in ("", "tmp", "new", "cur"):
        os.mkdir(os.path.join(homes, "joe", "Maildir", part))
        os.chown(os.path.join(homes, "joe", "Maildir", part), me, mine)
    write(homes + "/joe/.qmail-pre", "./Maildir/\n")
    status, out, err = run(both, files={"subusers": "sub:joe:pre:\n"})
    write(tree.at("users/assign"), out)
    same(subprocess.run([tree.bin("qmail-newu")]).returncode, 0, "qmail-newu takes it")
    with tree.running():
        same(tree.queue(b"Subject: x\n\nx\n", "s@x.test", ["joe@" + ME, "SUB@" + ME]), 0, "mail for both names")
        ok(tree.wait_done(1), "done with", tree.log())
        same(len(maildir(homes + "/joe")), 2, "delivered")
else:
    skip(4, "needs root")
done()
