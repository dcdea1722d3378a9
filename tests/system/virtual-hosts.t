#!/usr/bin/python3
"""Domains and mailboxes without accounts, as qmail-virtual(7) has them: one user id for
many of them, managers of domains, and mail that waits for a host to dial in."""
from guide import *

need_private()
tree = Tree()
tools = os.path.join(tree.scratch, "tools")
guide = Guide(tree)
homes = tree.scratch
UNKNOWN = "failure: Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/"
STORED = "success: did_1+0+0/"
os.mkdir(tools)
os.symlink(os.path.join(SOURCE, "tests/system/maildirsmtp"), tools + "/maildirsmtp")
hosts = read("/etc/hosts")


def assign(text):
    write(tree.at("users/assign"), text)
    subprocess.run([tree.bin("qmail-newu")], check=True, timeout=20)


def newest(directory):
    """The name of the newest file in a maildir's new/."""
    paths = [os.path.join(directory, "new", n) for n in os.listdir(directory + "/new")]
    return max(paths, key=lambda p: os.stat(p).st_mtime_ns)


# -- the POP toaster

tree.keep_accounts()
guide.run("toaster-setup")
guide.run("serial-setup")
POP = homes + "/popmail/e/ex1/POP"
DOMAIN = homes + "/popmail/e/ex1/DOMAINS/example.com"
SPOOL = homes + "/serialmail/some.example.com"
tree.control("virtualdomains", guide["toaster-domains"])
tree.control("rcpthosts", ME + "\nexample.com\n.example.com\n")
assign(guide["toaster-assign"])
home = tree.account("sender")
with tree.running("./Mailbox"):
    for address, delivered_to in (("joe@example.com", "example.com-joe@example.com"), ("JOE@host.example.com", "example.com-JOE@host.example.com")):
        same(tree.deliver(address), ("local " + delivered_to, STORED), "toaster: " + address)
        message = newest(POP + "/ex1-0001")
        ok(read(message).startswith(b"Return-Path: <sender@far.test>\nDelivered-To: %s\nReceived: " % delivered_to.encode()), "toaster: its first lines",
           read(message))
        made = os.stat(message)
        same((made.st_uid, made.st_gid, oct(made.st_mode & 0o777)), (510, 51, "0o600"), "toaster: the owner of the file")
    same(tree.deliver("Postmaster@example.com")[1], STORED, "toaster: postmaster")
    same((len(os.listdir(POP + "/ex1-0000/new")), len(os.listdir(POP + "/ex1-0001/new"))), (1, 2), "toaster: each in its mailbox")
    same(tree.deliver("who.ever@example.com")[1], UNKNOWN, "toaster: unknown without a default")
    write(DOMAIN + "/.qmail-default", "|echo $USER $(id -u) $(id -G); pwd\n", owner=(510, 51))
    same(tree.deliver("who.ever@deep.some.example.com"), ("local example.com-who.ever@deep.some.example.com",
         "success: ex1_510_51/%s/did_0+0+1/" % DOMAIN.replace(" ", "_")), "toaster: below a host that has a line; user, ids and directory")
    where, report = tree.deliver("any@some.example.com")
    same((where, report), ("local some.example.com-any@some.example.com", STORED), "toaster: the host with a line of its own")
    same(len(os.listdir(SPOOL + "/Maildir/new")), 1, "toaster: is spooled")
    replies = tree.smtp(["HELO client.test", "MAIL FROM:<out@side.test>", "RCPT TO:<joe@pc.example.com>", "RCPT TO:<joe@example.org>", "QUIT"])
    found(r"(?s)250 ok\r\n250 ok\r\n553 ", replies, "toaster: SMTP takes what rcpthosts names")

    for name in os.listdir(POP + "/ex1-0001/new"):
        os.utime(POP + "/ex1-0001/new/" + name, (1000000000, 1000000000))  # what came this second is not listed
    pop = subprocess.run([tree.bin("qmail-pop3d"), "ex1-0001"], input=b"STAT\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n", capture_output=True, cwd=POP, timeout=20,
                         user=510, group=51, extra_groups=[])
    found(rb"\A\+OK \r\n\+OK 2 \d+\r\n\+OK \r\nReturn-Path: <sender@far\.test>\r\n", pop.stdout, "toaster: read by POP")
    same((len(os.listdir(POP + "/ex1-0001/new")) + len(os.listdir(POP + "/ex1-0001/cur"))), 1, "toaster: and removed")

    # how admins go wrong
    write(DOMAIN + "/.qmail-ann", POP + "/ex1-0001\n", owner=(510, 51))
    same(tree.deliver("ann@example.com")[1], "deferral: Unable_to_open_%s/ex1-0001:_is_a_directory._(#4.2.1)/" % POP, "mistakes: no slash")
    write(DOMAIN + "/.qmail-ann", POP + "/ex1-0001/\n", 0o666, owner=(510, 51))
    same(tree.deliver("ann@example.com")[1], "deferral: Uh-oh:_.qmail_file_is_writable._(#4.7.0)/", "mistakes: a file that others may write")
    os.chmod(DOMAIN + "/.qmail-ann", 0o664)
    same(tree.deliver("ann@example.com")[1], STORED, "mistakes: writable by the group is no mistake")
    os.chmod(DOMAIN, 0o757)
    same(tree.deliver("joe@example.com")[1], "deferral: Uh-oh:_home_directory_is_writable._(#4.7.0)/", "mistakes: a directory that others may write")
    os.chmod(DOMAIN, 0o755)
    tree.signal(signal.SIGALRM)
    ok(wait_for(lambda: not any(n.startswith("local/") for n in tree.queue_files())), "mistakes: put right, everything is delivered", tree.queue_files())

    # -- the host dials in
    write("/etc/hosts", "127.0.0.1 some.example.com\n")
    for name in os.listdir(SPOOL + "/Maildir/new"):
        os.unlink(SPOOL + "/Maildir/new/" + name)
    sink = Sink(port=25)
    sent = [("", "Null.Sender@some.example.com", b"Subject: 1\n\n.dots\n..\n.\n"), ("x@y.test", "b-c@some.example.com", b"Subject: 2\n\nFrom here\n"),
            ("a.b@h.test", "last@some.example.com", b"Subject: 3\n\n" + b"long " * 30000 + b"\n")]
    for sender, recipient, message in sent:
        same(tree.deliver(recipient, sender, message)[1], STORED, "serial: waits: " + recipient)
    write(DOMAIN + "/.qmail-other", SPOOL + "/Maildir/\n", owner=(510, 51))
    tree.deliver("other@example.com")
    guide.run("serial-run", "popusr", tools)
    same(sorted((m[0], m[1]) for m in sink.messages), sorted((b"<%s>" % s.encode(), [b"<%s>" % r.encode()]) for s, r, _ in sent),
         "serial: the envelopes")
    for _, _, message in sent:
        data = [m[2] for m in sink.messages if m[2].endswith(message.replace(b"\n", b"\r\n"))]
        ok(data and data[0].startswith(b"Received: "), "serial: the message as it was, without its first two lines", data[:1] and data[0][:200])
    same(len(os.listdir(SPOOL + "/Maildir/new")), 1, "serial: what has another prefix stays")
    sink.close()

    sink = Sink({"RCPT": "550 not here"}, 25)
    tree.deliver("gone@some.example.com", "sender@" + ME)
    guide.run("serial-run", "popusr", tools)
    ok(wait_for(lambda: os.path.exists(home + "/Mailbox")), "serial: what was refused comes back", tree.log())
    found(r"^<gone@some\.example\.com>:\nnot here$", read(home + "/Mailbox"), "serial: by its right name")
    found(r"^info msg \d+: bytes \d+ from <> qp \d+ uid 510$", tree.log(), "serial: queued by popusr")
    sink.close()
write("/etc/hosts", hosts)

# -- a host that is connected at times

tree.control("virtualdomains", guide["ppp-domain"])
os.unlink(tree.at("users/cdb"))
guide.run("ppp-files")
with tree.running():
    same(tree.deliver("Any.One@any.where.test", ""), ("local alias-ppp-Any.One@any.where.test", STORED), "ppp: all that is not local waits")
    ok(maildir(tree.at("alias"), "pppdir")[0].startswith(b"Return-Path: <>\nDelivered-To: alias-ppp-Any.One@any.where.test\n"), "ppp: the envelope")
    same(tree.deliver("sender@" + ME), ("local sender@" + ME, STORED), "ppp: local mail does not")

# by UUCP; a stand-in for uux shows what it gets
tree.control("virtualdomains", ":alias-uucp\n")
tree.alias("uucp-default", guide["uucp-line"])
seen = tree.scratch + "/seen"
os.mkdir(seen)
os.chmod(seen, 0o777)
write(tools + "/uux", "#!/bin/sh\nprintf '<%%s>' \"$@\" > %s/arguments\ncat > %s/input\n" % (seen, seen), 0o755)
with tree.running(env={"PATH": tools + ":" + tree.at("bin") + ":/usr/bin:/bin"}):
    same(tree.deliver("Some.One@Far.test", "me@" + ME)[1], "success: did_0+0+1/", "uucp: taken")
    same(read(seen + "/arguments"), b"<-><-r><-gC><-ame@here.test><gonzo!rmail><(Some.One@Far.test)>", "uucp: arguments")
    found(r"\AReturn-Path: <me@here\.test>\nReceived: ", read(seen + "/input"), "uucp: neither From_ line nor Delivered-To")
    tree.deliver("x@far.test", "")
    found(r"<-aMAILER-DAEMON>", read(seen + "/arguments"), "uucp: the null sender")

# -- users/assign

john = tree.account("john")
ids = pwd.getpwnam("john").pw_uid, pwd.getpwnam("john").pw_gid
tree.control("virtualdomains", "example.com:example\n")
assign(guide["assign-names"].replace(":1001:1001:", ":%d:%d:" % ids))
os.mkdir(homes + "/example.com")
SHOW = "|echo \"USER=$USER LOCAL=$LOCAL EXT=$EXT uid=$(id -un)\" %s\n"
for name in ("", "-ann", "-test", "-default"):
    write(john + "/.qmail" + name, SHOW % ("john" + name), owner=ids)
write(homes + "/example.com/.qmail-default", SHOW % "domain", owner=ids)
with tree.running():
    for address, want in (("john", "USER=john LOCAL=john EXT= uid=john john"), ("Zeke", "USER=john LOCAL=Zeke EXT= uid=john john"),
                          ("ann", "USER=john LOCAL=ann EXT=ann uid=john john-ann"), ("john-Test", "USER=john LOCAL=john-Test EXT=Test uid=john john-test"),
                          ("john-x", "USER=john LOCAL=john-x EXT=x uid=john john-default"),
                          ("A.b@example.com", "USER=john LOCAL=example-A.b EXT=A.b uid=john domain")):
        report = tree.deliver(address if "@" in address else address + "@" + ME)[1]
        same(report, "success: %s/did_0+0+1/" % want.replace(" ", "_"), "assign: " + address)
    same(tree.deliver("example@" + ME, "")[1], UNKNOWN, "assign: the word alone is no address")
    same(tree.deliver("zeke-x@" + ME, "")[1], UNKNOWN, "assign: a simple assignment covers no extensions")
    # one colon short, as a book has it
    write(tree.at("users/assign"), "+example.com-example.com:510:51:/home/example.com:-::\n.\n")
    newu = subprocess.run([tree.bin("qmail-newu")], capture_output=True, timeout=20)
    same((newu.returncode, newu.stderr), (111, b"qmail-newu: fatal: bad format in users/assign\n"), "assign: a colon short")
    same(tree.deliver("zeke@" + ME)[1], "success: USER=john_LOCAL=zeke_EXT=_uid=john_john/did_0+0+1/", "assign: what was before still counts")

# -- a manager of domains: adds one while the system runs

MANAGER = r"""
set -e
home=$1 domain=$2 directory=$3
echo locked > $home/users/assign.lock
echo "$domain" >> $home/control/rcpthosts
{ cat $home/control/virtualdomains; echo "$domain:$domain"; } | sort -u > $home/control/virtualdomains.new
mv $home/control/virtualdomains.new $home/control/virtualdomains
{ echo "+$domain-:$domain:510:51:$directory:-::"; grep -v '^\.$' $home/users/assign; } | sort > $home/users/assign.new
echo . >> $home/users/assign.new
mv $home/users/assign.new $home/users/assign
(cd / && umask 022 && env -i PATH=$home/bin qmail-newu)
kill -HUP $(ps -e -o pid= -o comm= | sed -n 's/^ *\([0-9]*\) qmail-send$/\1/p')
"""
# The name of the mailbox from EXT, the envelope from DTLINE by position, as such programs do.
DELIVER = r"""#!/bin/sh
[ "$PWD" = "$HOME" ] || exit 111
box=$(echo "$EXT" | tr A-Z a-z)
to=$(printf %s "$DTLINE" | cut -c 15-)
case $to in "$USER-$EXT@$HOST") ;; *) exit 111 ;; esac
if [ -d "$box/Maildir" ]; then
    exec "$QMAIL/bin/qmail-local" -- "$USER" "$HOME/$box" "$LOCAL" '' '' "$HOST" "$SENDER" ./Maildir/
fi
case $2 in
bounce-no-mailbox) echo 'Sorry, no mailbox here by that name. (#5.1.1)'; exit 100 ;;
delete) exit 0 ;;
*) { printf %s "$RPLINE$DTLINE"; cat; } | "$QMAIL/bin/qmail-inject" -- "$2" || exit 111 ;;
esac
"""
DOMAINS = homes + "/popmail/domains"
tree.control("virtualdomains", "example.com:example\n")
assign(".\n")
write(tools + "/vdelivermail", DELIVER, 0o755)
subprocess.run(["sh", "-ec", "mkdir -p '%s'/new.test/joe && cd '%s'/new.test && '%s' joe/Maildir && chown -R popusr:popusr '%s'"
                % (DOMAINS, DOMAINS, tree.bin("maildirmake"), DOMAINS)], check=True)
with tree.running(env={"QMAIL": tree.path}):
    subprocess.run(["sh", "-c", MANAGER, "sh", tree.path, "new.test", DOMAINS + "/new.test"], check=True, timeout=30)
    write(DOMAINS + "/new.test/.qmail-default", "| %s/vdelivermail '' bounce-no-mailbox\n" % tools)
    write(DOMAINS + "/new.test/.qmail-sales:team", "&joe@new.test\n")
    replies = tree.smtp(["HELO client.test", "MAIL FROM:<out@side.test>", "RCPT TO:<Joe@new.test>", "DATA", "Subject: x", "", ".", "QUIT"])
    found(r"^250 ok \d+ qp", replies, "manager: SMTP takes the new domain at once")
    mailbox = DOMAINS + "/new.test/joe"
    ok(wait_for(lambda: maildir(mailbox)), "manager: delivered after its HUP", tree.log())
    ok(maildir(mailbox)[0].startswith(b"Return-Path: <out@side.test>\nDelivered-To: new.test-Joe@new.test\nReceived: "), "manager: its first lines",
       maildir(mailbox))
    same(os.stat(newest(mailbox + "/Maildir")).st_uid, 510, "manager: the owner")
    same(oct(os.stat(tree.at("users/cdb")).st_mode & 0o777), "0o644", "manager: others can read users/cdb")
    same(tree.deliver("nosuch@new.test", "")[1], UNKNOWN, "manager: unknown, returned")
    tree.deliver("Sales.Team@new.test")
    ok(wait_for(lambda: len(maildir(mailbox)) == 2), "manager: an alias of the domain", tree.log())
    write(DOMAINS + "/new.test/.qmail-default", "| %s/vdelivermail '' delete\n" % tools)
    same(tree.deliver("nosuch@new.test", "")[1], "success: did_0+0+1/", "manager: unknown, thrown away")
    write(DOMAINS + "/new.test/.qmail-default", "| %s/vdelivermail '' sender@here.test\n" % tools)
    before = len(maildir(home))
    tree.deliver("nosuch@new.test", "x@side.test")
    ok(wait_for(lambda: len(maildir(home)) == before + 1), "manager: unknown, sent to an address", tree.log())
    found(r"^Delivered-To: new\.test-nosuch@new\.test$", maildir(home)[-1], "manager: the way it went")
done()
