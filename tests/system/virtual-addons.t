#!/usr/bin/python3
"""Programs of others, unchanged, run from .qmail files as qmail-virtual(7) has them:
fastforward with /etc/aliases, dot-forward, procmail, maildrop."""
from guide import *

need_private()
tree = Tree()
guide = Guide(tree)
STORED = "success: did_1+0+0/"
TAKEN = "success: did_0+0+1/"
UNKNOWN = "failure: Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/"
home = {name: tree.account(name) for name in ("joe", "abc", "jsmith", "sadams", "sender")}
# Where the packages look for the mail system: seen so by all that is started here.
LIB = [(tree.path, "/var/lib/qmail")] if os.path.isdir("/var/lib/qmail") else []
if os.path.realpath("/var/lib/qmail") == os.path.realpath(tree.path):
    LIB = []
elsewhere = Sink()


def fresh():
    """An empty queue, and another host that takes bounces."""
    tree.reset()
    tree.control("smtproutes", ":127.0.0.1:%d\n" % elsewhere.port)


def have(count, *programs):
    """Whether they are here, with the place they look at; else so many checks are skipped."""
    missing = [p for p in programs if not shutil.which(p)] + ["/var/lib/qmail"] * (not os.path.isdir("/var/lib/qmail"))
    if missing:
        skip(count, "not here: " + " ".join(missing))
    return not missing


def dot(name, extension, content, mode=0o644):
    entry = pwd.getpwnam(name)
    write("%s/%s" % (home[name], extension), content, mode, (entry.pw_uid, entry.pw_gid))


def counts(*names):
    return [len(maildir(home[n])) for n in names]


def arrives(address, *readers, sender="sender@far.test"):
    """One more message for each reader, and nobody else."""
    everybody = sorted(home)
    before = dict(zip(everybody, counts(*everybody)))
    where, report = tree.deliver(address, sender)
    want = [before[n] + readers.count(n) for n in everybody]
    ok(wait_for(lambda: counts(*everybody) == want and not tree.queue_files(), 60), "%s: for %s" % (address, " and ".join(readers)),
       "%s\n%s, wanted %s\n%s" % (report, counts(*everybody), want, tree.log()[-2000:]))
    return report


# -- /etc/aliases; Debian calls fastforward's newaliases qmail-newaliases

if have(1, "fastforward", "newinclude", "setforward", "qmail-newaliases"):
    fresh()
    tools = os.path.join(tree.scratch, "tools")
    os.mkdir(tools)
    os.symlink(shutil.which("qmail-newaliases"), tools + "/newaliases")
    write("/etc/aliases", guide["aliases"])
    tree.control("virtualdomains", "lists.test:alias-lists\n")
    guide.run("aliases-setup", path=tools, mounts=LIB)
    os.chmod(tree.scratch + "/team.list.bin", 0o644)
    os.chmod(tree.scratch, 0o1777)  # where the archive is written
    write(tree.at("alias/.qmail-lists-default"), "|fastforward -d /etc/aliases.cdb\n", owner=tree.alias_ids)
    with tree.running(mounts=LIB):
        found(r"^success: fastforward:_qp_\d+/did_0\+0\+1/$", arrives("PostMaster@here.test", "jsmith"), "the report")
        arrives("hostmaster@here.test", "jsmith")
        arrives("abuse@here.test", "jsmith")
        arrives("sales@here.test", "jsmith", "sadams")
        found(r"^Return-Path: <owner-sales@here\.test>$", maildir(home["sadams"])[-1], "sales has an owner, who gets bounces")
        found(r"^Delivered-To: sales@here\.test$", maildir(home["sadams"])[-1], "the way it went")
        arrives("team@here.test", "jsmith", "sadams")
        arrives("anybody@lists.test", "sadams")
        same(tree.deliver("archive@here.test")[1], TAKEN, "archive: a program")
        found(r"^Received: .*\n(.*\n)*\nbody\n\Z", read(tree.scratch + "/alias.archive"), "archive: what it read")
        same(os.stat(tree.scratch + "/alias.archive").st_uid, tree.alias_ids[0], "archive: run as alias")
        same(tree.deliver("nobody-here@here.test")[1], UNKNOWN, "unknown")
        arrives("joe@here.test", "joe")
        tree.alias("postmaster", "&sadams\n")
        arrives("postmaster@here.test", "sadams")
        write("/etc/aliases", guide["aliases"] + "new: joe\n")
        guide.run("aliases-setup", path=tools, mounts=LIB)
        arrives("new@here.test", "joe")
        # a line after fastforward -p gets what it does not know
        tree.alias("default", "|fastforward -dp /etc/aliases.cdb\n|echo passed\n")
        same(tree.deliver("nobody-here@here.test")[1], "success: passed/did_0+0+2/", "-p: passed on")
        found(r"^success: fastforward:_qp_\d+/did_0\+0\+1/$", arrives("new@here.test", "joe"), "-p: known, nothing after it")
    os.chmod(tree.scratch, 0o755)
    for name in ("aliases", "aliases.cdb"):
        os.unlink("/etc/" + name)

# -- a domain by fastforward

if have(1, "fastforward", "setforward"):
    fresh()
    tree.alias("default", "|echo not here; exit 100\n")
    tree.control("virtualdomains", guide["fast-domain"])
    dot("abc", "table", guide["fast-table"])
    guide.run("fast-setup", "abc")
    with tree.running(mounts=LIB):
        arrives("John.Smith@abc.test", "jsmith")
        found(r"^Delivered-To: abc-John\.Smith@abc\.test$", maildir(home["jsmith"])[-1], "the way it went")
        arrives("SALES@abc.test", "jsmith", "sadams")
        arrives("any.body-else@abc.test", "sadams")
        found(r"^Return-Path: <sender@far\.test>$", maildir(home["sadams"])[-1], "the sender is kept")
        dot("abc", "table", "x@abc.test: jsmith@here.test;\n")
        guide.run("fast-setup", "abc")
        arrives("x@abc.test", "jsmith")
        same(tree.deliver("any.body-else@abc.test")[1], UNKNOWN, "unknown, now that the table has no line for others")

# -- dot-forward

if have(1, "dot-forward"):
    fresh()
    with tree.running(guide["dot-forward"].rstrip("\n"), mounts=LIB):
        same(arrives("joe@here.test", "joe"), "success: did_1+0+1/", "no .forward: both lines")
        dot("joe", ".forward", "# away\njsmith, Sam <sadams@here.test>\n")
        found(r"^success: dot-forward:_info:_qp_\d+/did_0\+0\+1/$", arrives("joe@here.test", "jsmith", "sadams"), ".forward: the report")
        found(r"^Delivered-To: joe@here\.test$", maildir(home["jsmith"])[-1], ".forward: the way it went")
        dot("joe", ".forward", "\\joe, jsmith\n")
        found(r"^success: dot-forward:_info:_qp_\d+/did_1\+0\+1/$", arrives("joe@here.test", "joe", "jsmith"), ".forward: himself too")
        dot("joe", ".forward", '"|cat > got"\n')
        same(tree.deliver("joe@here.test")[1], TAKEN, ".forward: a program")
        found(r"\AFrom sender@far\.test .*\nReturn-Path: <sender@far\.test>\nDelivered-To: joe@here\.test\nReceived: ", read(home["joe"] + "/got"),
              ".forward: what it read")
        dot("joe", ".forward", "nobody-here\n")
        before = len(maildir(home["sender"]))
        tree.deliver("joe@here.test", "sender@here.test")
        ok(wait_for(lambda: len(maildir(home["sender"])) == before + 1), ".forward: to nobody, the bounce", tree.log())
        dot("joe", ".qmail", "./Maildir/\n")
        same(arrives("joe@here.test", "joe"), STORED, "with .qmail, .forward does not count")
        os.unlink(home["joe"] + "/.qmail")
        os.unlink(home["joe"] + "/.forward")

# -- procmail

if have(1, "procmail"):
    fresh()
    dot("joe", ".qmail", guide["procmail"])
    dot("joe", ".procmailrc", """MAILDIR=$HOME
DEFAULT=$HOME/Maildir/
SENDMAIL=%s
:0
* ^Subject: .*list
lists/
:0 c
* ^Subject: .*copy
! jsmith@here.test
:0
* ^Subject: .*refuse
{
EXITCODE=77
:0
/dev/null
}
:0
* ^Subject: .*later
{
EXITCODE=75
HOST=stop.here
}
""" % tree.bin("sendmail"))
    tree.make_maildir(home["joe"] + "/lists", "joe")
    with tree.running(mounts=LIB):
        same(arrives("joe@here.test", "joe"), TAKEN, "procmail: the report")
        found(r"\A(From .*\n)?Return-Path: <sender@far\.test>\nDelivered-To: joe@here\.test\nReceived: ", maildir(home["joe"])[-1], "procmail: the first lines")
        same(tree.deliver("joe@here.test", message=b"Subject: a list\n\nx\n")[1], TAKEN, "procmail: another folder")
        same(len(maildir(home["joe"], "lists")), 1, "procmail: it is there")
        before = counts("joe", "jsmith")
        tree.deliver("joe@here.test", message=b"Subject: a copy\n\nx\n")
        ok(wait_for(lambda: counts("joe", "jsmith") == [before[0] + 1, before[1] + 1]), "procmail: forwards by sendmail", tree.log())
        found(r"^Delivered-To: joe@here\.test$", maildir(home["jsmith"])[-1], "procmail: the forwarded copy")
        found(r"^failure: ", tree.deliver("joe@here.test", message=b"Subject: refuse\n\nx\n")[1], "procmail: exit 77 returns the message")
        found(r"^deferral: ", tree.deliver("joe@here.test", message=b"Subject: later\n\nx\n")[1], "procmail: exit 75 puts it off")
    os.unlink(home["joe"] + "/.qmail")
    fresh()
    with tree.running(guide["procmail"].rstrip("\n"), mounts=LIB):
        same(arrives("joe@here.test", "joe"), TAKEN, "procmail: for all users")

# -- maildrop

if have(1, "maildrop"):
    fresh()
    dot("joe", ".qmail", guide["maildrop"])
    dot("joe", ".mailfilter", """SENDMAIL="%s"
DEFAULT="./Maildir"
if (/^Subject:.*list/)
{
    to "./drop"
}
if (/^Subject:.*refuse/)
{
    EXITCODE=77
    exit
}
if (/^Subject:.*later/)
{
    EXITCODE=75
    exit
}
if (/^Subject:.*copy/)
{
    cc "! jsmith@here.test"
}
""" % tree.bin("sendmail"), 0o600)
    tree.make_maildir(home["joe"] + "/drop", "joe")
    with tree.running(mounts=LIB):
        same(arrives("joe@here.test", "joe"), TAKEN, "maildrop: the report")
        found(r"\AReturn-Path: <sender@far\.test>\nDelivered-To: joe@here\.test\nReceived: ", maildir(home["joe"])[-1], "maildrop: the first lines")
        same(tree.deliver("joe@here.test", message=b"Subject: a list\n\nx\n")[1], TAKEN, "maildrop: another folder")
        same(len(maildir(home["joe"], "drop")), 1, "maildrop: it is there")
        before = counts("joe", "jsmith")
        tree.deliver("joe@here.test", message=b"Subject: a copy\n\nx\n")
        ok(wait_for(lambda: counts("joe", "jsmith") == [before[0] + 1, before[1] + 1]), "maildrop: forwards by sendmail", tree.log())
        found(r"^failure: ", tree.deliver("joe@here.test", message=b"Subject: refuse\n\nx\n")[1], "maildrop: exit 77 returns the message")
        found(r"^deferral: ", tree.deliver("joe@here.test", message=b"Subject: later\n\nx\n")[1], "maildrop: exit 75 puts it off")
done()
