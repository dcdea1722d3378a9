#!/usr/bin/python3
"""Virtual domains handed to users and to alias, as qmail-virtual(7) has them: where an
address goes, what programs find in their environment, and how it bounces."""
from guide import *

need_private()
tree = Tree()
guide = Guide(tree, [("/usr/local/bin/", tree.scratch + "/")])
home = {name: tree.account(name) for name in ("foo", "baz", "qux", "garply", "joe", "abc", "bob", "jsmith", "sadams", "sender", "master", "foo-boss")}
DUMP = "|env -0 > env\n"
UNKNOWN = "failure: Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/"
TOLD = "success: %s/did_0+0+1/"
STORED = "success: did_1+0+0/"
sink = Sink()


def sent_to(recipient, before=0):
    """What the other host has been sent for that address, when it is there; bounces of what went before may still
    be on their way to the same host. Messages up to number before do not count."""
    return wait_for(lambda: [m for m in sink.messages[before:] if m[1] == [recipient]])


def dot(name, extension, content, mode=0o644):
    entry = pwd.getpwnam(name)
    write("%s/.qmail%s" % (home[name], extension), content, mode, (entry.pw_uid, entry.pw_gid))


def fresh(virtualdomains):
    """New virtualdomains; no .qmail files, no mail."""
    for directory in list(home.values()) + [tree.at("alias")]:
        for name in os.listdir(directory):
            if name.startswith(".qmail"):
                os.unlink(os.path.join(directory, name))
        if os.path.isdir(directory + "/Maildir/new"):
            for name in os.listdir(directory + "/Maildir/new"):
                os.unlink(directory + "/Maildir/new/" + name)
    tree.control("virtualdomains", virtualdomains)


def environment(name):
    return dict(v.split("=", 1) for v in read(home[name] + "/env").decode().split("\0") if "=" in v)


def said(what):
    return TOLD % what.replace(" ", "_")


def bounces():
    return maildir(home["sender"])


tree.control("smtproutes", ":127.0.0.1:%d\n" % sink.port)
tree.control("locals", ME + "\nlocalhost\n")
tree.control("rcpthosts", ME + "\nexample.com\n")

# -- the six lines

fresh(guide["six-lines"])
for name in ("foo", "baz", "qux", "garply", "joe"):
    dot(name, "", "|echo %s\n" % name)
    dot(name, "-default", "|echo %s\n" % name)
with tree.running():
    for address, becomes in guide.table("six-lines-result"):
        where, report = tree.deliver(address)
        same(where, becomes, address)
        if where.startswith("local"):
            same(report, said(re.search(r"foo|baz|qux|garply|joe", where).group()), address + ": taken by")
        else:
            found(r"^success: 127\.0\.0\.1_accepted_message", report, address + ": sent to another host")

    # names of the domain by files; no way to ~alias past the user
    dot("foo", "-postmaster", "|echo the postmaster\n")
    same(tree.deliver("PostMaster@example.com")[1], said("the postmaster"), "a file for one name, in any case")
    same(tree.deliver("foo-postmaster@" + ME)[1], said("the postmaster"), "the same file by a local address")
    dot("foo-boss", "", "|echo an account of its own: $USER, \"<$EXT>\"\n")
    same(tree.deliver("Boss@example.com")[1], said("an account of its own: foo-boss, <>"), "account foo-boss comes before foo")
    os.unlink(home["foo"] + "/.qmail-default")
    for extension in ("foo-postmaster", "foo-default", "default"):
        tree.alias(extension, "|echo alias took it\n")
    where, report = tree.deliver("No.Such@example.com", "sender@" + ME)
    same(report, UNKNOWN, "no file: ~alias is not asked")
    ok(tree.wait_empty(), "no file: the bounce is delivered", tree.log())
    same(len(bounces()), 1, "no file: one bounce")
    found(r"^<No\.Such@example\.com>:\nSorry, no mailbox here by that name\. \(#5\.1\.1\)\n\n---", bounces()[0], "bounce: the address without its prefix")
    ok(b"foo-No.Such" not in bounces()[0].split(b"--- Below")[0], "bounce: no prefix anywhere", bounces()[0])
    tree.deliver("waldo@domain.com", "sender@" + ME)
    dot("qux", "-default", "|echo not now; exit 100\n")
    same(tree.deliver("waldo@domain.com", "sender@" + ME)[1], "failure: not_now/", "a single address: refused")
    ok(wait_for(lambda: len(bounces()) == 2), "a single address: a bounce")
    found(r"^<waldo@domain\.com>:$", bounces()[-1], "a single address: without its prefix too")

    # the way of a message that comes by SMTP, and what is kept of it
    dot("foo", "-default", "./Maildir/\n")
    replies = tree.smtp(["HELO client.test", "MAIL FROM:<out@side.test>", "RCPT TO:<User@Example.COM>", "RCPT TO:<user@two.example.org>", "DATA",
                         "Subject: by SMTP", "", "text", ".", "QUIT"])
    found(r"^553 .*rcpthosts", replies, "SMTP: virtualdomains opens nothing")
    found(r"^250 ok \d+ qp", replies, "SMTP: rcpthosts does")
    ok(wait_for(lambda: maildir(home["foo"])), "SMTP: delivered", tree.log())
    ok(maildir(home["foo"])[0].startswith(b"Return-Path: <out@side.test>\nDelivered-To: foo-User@Example.COM\nReceived: "), "SMTP: the first lines",
       maildir(home["foo"])[0])
    found(r"to local foo-User@Example\.COM$", tree.log(), "SMTP: the log")
    made = os.stat(home["foo"] + "/Maildir/new/" + os.listdir(home["foo"] + "/Maildir/new")[0])
    same((made.st_uid, oct(made.st_mode & 0o777)), (pwd.getpwnam("foo").pw_uid, "0o600"), "SMTP: the file is foo's alone")

    # locals come first
    tree.control("locals", ME + "\nlocalhost\ndomain.com\nexample.com\n")
    dot("joe", "-default", "|echo not virtual\n")
    tree.signal(signal.SIGHUP)
    ok(wait_for(lambda: tree.deliver("joe-x@domain.com")[0] == "local joe-x@domain.com"), "a domain in locals is never virtual")
    same(tree.deliver("waldo@domain.com")[0], "local waldo@domain.com", "nor is an address in it")
tree.control("locals", ME + "\nlocalhost\n")

# -- the environment

fresh(guide["six-lines"])
dot("foo", "-postmaster", DUMP)
dot("foo", "-bar-default", DUMP)
dot("foo", "-default", DUMP)
with tree.running(env={"EXT": "old", "DEFAULT": "old", "HOST4": "old", "COLOUR": "red"}):
    tree.deliver("postmaster@example.com")
    got = environment("foo")
    for line in guide["environment"].splitlines():
        name, value = line.split("=")
        same(got.get(name), value, "virtual: " + name)
    for name, value in (("EXT3", ""), ("EXT4", ""), ("HOST3", "example"), ("HOST4", "example"), ("SENDER", "sender@far.test"),
                        ("NEWSENDER", "sender@far.test"), ("DTLINE", "Delivered-To: foo-postmaster@example.com\n"),
                        ("RPLINE", "Return-Path: <sender@far.test>\n"), ("COLOUR", "red"), ("DEFAULT", "old")):
        same(got.get(name), value, "virtual: " + name)
    tree.deliver("Some.User-x@h.example.com")
    got = environment("foo")
    for line in guide["environment-below"].splitlines():
        name, value = line.split("=")
        same(got.get(name), value, "virtual, below: " + name)
    same((got.get("EXT4"), got.get("HOST4")), ("", "h"), "virtual, below: EXT4, HOST4")
    tree.deliver("Joe.Doe@example.com")
    got = environment("foo")
    same(got["DEFAULT"] + "@" + got["HOST"], "Joe.Doe@example.com", "DEFAULT@HOST is the address as it was written")

# the same address with its domain in locals, and an account
home["postmaster"] = tree.account("postmaster")
fresh(None)
tree.control("locals", ME + "\nexample.com\n")
dot("postmaster", "", DUMP)
with tree.running():
    tree.deliver("postmaster@example.com")
got = environment("postmaster")
for name, value in (("RECIPIENT", "postmaster@example.com"), ("USER", "postmaster"), ("HOME", home["postmaster"]), ("LOCAL", "postmaster"),
                    ("HOST", "example.com"), ("HOST2", "example"), ("HOST3", "example"), ("HOST4", "example"), ("EXT", ""), ("EXT2", ""),
                    ("EXT3", ""), ("EXT4", ""), ("DEFAULT", None)):
    same(got.get(name), value, "normal: " + name)
tree.control("locals", ME + "\nlocalhost\n")

# -- a domain for a user

fresh(guide["abc-domain"])
guide.run("abc-files", "abc")
with tree.running():
    where, report = tree.deliver("John.Smith@abc.com", "sender@side.test")
    found(r"^success: did_0\+1\+0/qp_\d+/$", report, "abc: forwarded")
    sent = sent_to(b"<smith.john@home.boston.ma.us>")
    ok(sent, "abc: at another host", tree.log())
    sender, recipients, data = sent[-1]
    same(sender, b"<sender@side.test>", "abc: the sender is kept")
    found(r"^Delivered-To: abc-John\.Smith@abc\.com\r$", data, "abc: the way it went")
    tree.deliver("Nancy.Jones@abc.com")
    ok(wait_for(lambda: maildir(home["jsmith"])), "abc: to a local user without a domain", tree.log())
    ok(maildir(home["jsmith"])[0].startswith(b"Return-Path: <sender@far.test>\nDelivered-To: jsmith@here.test\nReceived: "), "abc: its first lines")
    for n, address in enumerate(("webmaster@abc.com", "any.body@abc.com"), 1):
        same(tree.deliver(address)[1], STORED, address + ": the default delivery")
        same(len(maildir(home["abc"])), n, address + ": in the user's mailbox")
    found(r"^Delivered-To: abc-any\.body@abc\.com$", maildir(home["abc"])[-1], "abc: Delivered-To")

fresh(guide["bob-domains"])
guide.run("bob-files", "bob")
with tree.running():
    same(tree.deliver("x@nowhere.mil"), ("local bob-nowhere-x@nowhere.mil", STORED), "bob: the one domain")
    same(tree.deliver("info@nowhere.mil")[1], "failure: Ask_info@everywhere.org./", "bob: a name in it")
    same(tree.deliver("Info@everywhere.org"), ("local bob-everywhere-Info@everywhere.org", STORED), "bob: the same name in the other")
    same((len(maildir(home["bob"], "nowhere")), len(maildir(home["bob"]))), (1, 1), "bob: each in its mailbox")

# -- domains without a user

fresh(guide["alias-domains"])
guide.run("alias-files")
with tree.running():
    for address, reader in (("John.Smith@abc.com", "jsmith"), ("webmaster@abc.com", "jsmith"), ("WebMaster@AnotherDomain.org", "sadams")):
        before = len(maildir(home[reader]))
        where, report = tree.deliver(address)
        found(r"^local alias-(abc|anotherdomain)-" + re.escape(address) + "$", where, "alias: " + address)
        ok(wait_for(lambda: len(maildir(home[reader])) == before + 1), "alias: %s reads it" % reader, tree.log())
        found("^Delivered-To: " + re.escape(where.split()[1]) + "$", maildir(home[reader])[-1], "alias: the way it went")
    same(tree.deliver("other@abc.com")[1], "failure: There_is_no_such_address./", "alias: the domain's default")
    same(tree.deliver("other@anotherdomain.org")[1], UNKNOWN, "alias: no default")
    tree.alias("default", "|echo \"<$USER> <$EXT> <$DEFAULT>\"\n")
    same(tree.deliver("other@anotherdomain.org")[1], said("<alias> <anotherdomain-other> <anotherdomain-other>"),
         "alias: .qmail-default takes what has no default of its own")

# a word that is no account is alias's too: .qmail-WORD-name, .qmail-WORD-default, .qmail-default
fresh("example.com:nobodys\n")
for extension in ("nobodys-postmaster", "nobodys-default", "default"):
    tree.alias(extension, "|echo %s\n" % extension)
with tree.running():
    for extension, address in (("nobodys-postmaster", "postmaster@example.com"), ("nobodys-default", "x@example.com")):
        same(tree.deliver(address)[1], said(extension), "no account: " + extension)
    os.unlink(tree.at("alias/.qmail-nobodys-default"))
    same(tree.deliver("x@example.com")[1], said("default"), "no account: default")

# -- catch-alls

fresh(None)
guide.run("catch-all")
with tree.running():
    before = len(sink.messages)
    found(r"^success: forward:_qp_\d+/did_0\+0\+1/$", tree.deliver("No.Body-at-all@" + ME)[1], "catch-all: forwarded")
    ok(sent_to(b"<No.Body-at-all@other.host>", before), "catch-all: at the other host by its own name", tree.log())
    same(tree.deliver("joe@" + ME)[1], STORED, "catch-all: users have their mail")
    same(tree.deliver("joe-x@" + ME)[1], UNKNOWN, "catch-all: and their extensions")

# -- a table looked up by a script

write(tree.scratch + "/qmail_db_lookup", guide["lookup-script"], 0o755)
write(home["master"] + "/qmail_db", guide["lookup-table"])
fresh("abc.com:master\n")
dot("master", "-default", guide["lookup-line"])
with tree.running(env={"PATH": tree.at("bin") + ":/usr/bin:/bin"}):
    before = len(sink.messages)
    found(r"^success: forward:_qp_\d+/did_0\+0\+1/$", tree.deliver("John.SMITH@abc.com")[1], "table: a name with dots")
    sent = sent_to(b"<smith.john@home.boston.ma.us>", before)
    same([m[0] for m in sent or []], [b"<sender@far.test>"], "table: sent to its address")
    counts = len(maildir(home["jsmith"])), len(maildir(home["sadams"]))
    tree.deliver("sales@abc.com")
    ok(wait_for(lambda: (len(maildir(home["jsmith"])), len(maildir(home["sadams"]))) == (counts[0] + 1, counts[1] + 1)), "table: two local users",
       tree.log())
    found(r"^Subject: probe\n\nbody\n\Z", maildir(home["sadams"])[-1], "table: the whole message")
    tree.deliver("who.ever@abc.com")  # comes back to the same table, for webmaster, who is not in it, and loops
    ok(tree.wait_log(r"failure: This_message_is_looping"), "table: a loop is noticed", tree.log())
    write(home["master"] + "/qmail_db", guide["lookup-table"].replace("-: webmaster@abc.com\n", ""))
    same(tree.deliver("who.ever@abc.com")[1], UNKNOWN, "table: unknown without a line for others")
    os.unlink(home["master"] + "/qmail_db")
    found(r"^deferral: ", tree.deliver("sales@abc.com")[1], "table: out of reach")
done()
