#!/usr/bin/python3
"""Addresses from hostile strangers: extensions that try to leave the home directory,
names too long for any file, shell characters in sender and recipient of a program
delivery. And what a program sees: its ids, descriptors, signals, umask, environment."""
from spawner import *

if not root:
    skip_all("needs root: deliveries run as their users")

tree = Tree()
home = tree.user("vic")
uid, gid, _ = tree.users["vic"]
path = message(tree)
LIBC = 3 << 31  # signals 32 and 33, which are the C library's own: inherited from whoever runs this
SORRY = (0, b"DSorry, no mailbox here by that name. (#5.1.1)\n")

# Whatever an extension could reach outside of the home would be obeyed: it is all the
# user's, and there to be found.
outside = os.path.join(tree.scratch, "outside")
traps = [os.path.join(tree.scratch, n) for n in (".qmail-x", "x", "outside/x", "outside/.qmail-x", "outside/default")]
for trap in traps:
    write(trap, "|echo trapped; exit 0\n", owner=(uid, gid))
for inside in ("x", "Maildir/x", ".qmail", ".qmail-d/in", ".qmail-d/default"):
    write(os.path.join(home, inside), "|echo %s\n" % inside, owner=(uid, gid))
os.mkdir(home + "/.qmail-")
write(home + "/.qmail-/in", "|echo slash\n", owner=(uid, gid))


def send(spawner, local, sender="s@side.test", host="here.test"):
    spawner.send(0, local + "@" + host, sender=sender)
    return spawner.report()


with Spawner(tree, "qmail-lspawn", "./Maildir/") as spawner:
    for ext in ("../x", "/../x", "../outside/x", "/../../x", "d/../../x", "d/../../outside/x", "..", ".", "...", "/", "//",
                "../", "x/..", "/.", "-..-", "../../../../../../../../etc/passwd", "/etc/passwd", "d", "d/.",
                "d/", "d/x", "%2e%2e/x", "..\\x", "\xff\xfe", "\xc0\xae\xc0\xae/x", "\x01\x1b[2J", " ", "\t", "\n", "x\n./Maildir/",
                "x\n.qmail", "*", "?", "[a-z]", "~", "~root", "$HOME", "`id`", "|id", "d\n/in", "-", "--", "-n", "owner", "@",
                "\"x\"", "'", "\\", "x" * 249, "x" * 250, "x" * 900, "x-" * 450, "." * 900, "/" * 900, "x/" * 2100):
        same(send(spawner, "vic-" + ext), SORRY, "no file for %r" % ext[:60])
    same(send(spawner, "vic-d/in"), (0, b"K.qmail-d/in\ndid 0+0+1\n"), "a directory of instructions is below the home")
    same(send(spawner, "vic-D/IN"), (0, b"K.qmail-d/in\ndid 0+0+1\n"), "in any case")
    same(send(spawner, "vic-/in"), (0, b"Kslash\ndid 0+0+1\n"), "and that of -/ too")
    same(send(spawner, "vic-d/-a"), SORRY, "a default file stands behind a hyphen")
    same(send(spawner, "vic"), (0, b"K.qmail\ndid 0+0+1\n"), "the plain user")
    same(send(spawner, "VIC"), (0, b"K.qmail\ndid 0+0+1\n"), "in capitals")
    for local in ("vic/", "vic.", "../vic", "./vic", "vic/../vic", "vic\n", "vic ", "vic+x", "v" * 1000, "root", "-vic", ""):
        want = (0, b"K") if local == "" else (0, b"DSorry, no mailbox here by that name. (#5.1.1)\n")
        same(send(spawner, local), want, "not vic: %r" % local[:30])
    same([read(t) for t in traps], [b"|echo trapped; exit 0\n"] * len(traps), "the traps are untouched")

    # -- what a program sees
    write(home + "/.qmail-see-default",
          "|cat /proc/$$/environ >e; cat /proc/self/status >s; cat /proc/$$/cmdline >c; "
          "cat /proc/$$/limits >l; pwd -P >p; cat >m\n", owner=(uid, gid))
    hostile = ("a;touch${IFS}bad", "`touch bad`", "$(touch bad)", "x|touch bad", "x&touch bad&", "x\ntouch bad\n", "'", "\"",
               "';touch bad;'", "\";touch bad;\"", "\\", "\\\";touch bad", "*", "?[!a]", "<e", ">bad", ">>bad", "#", "!", "~",
               "%s%n%99999999s", "-rf", "--", "\x01\x02\x7f", "\x80\xff\xc3", " ", "a b", "a=b", "PATH=/x", "\t",
               "() { :; }; touch bad", "x" * 900, "a.b-c.d-e.f-g", "LD_PRELOAD=/x")
    before = sorted(os.listdir(home))
    seen = sorted(set(before) | set("esclpm"))
    for text in hostile:
        local, host, sender = "vic-See-" + text, text.replace("@", "") + ".h.test", text + "@" + text
        got = send(spawner, local, sender, host)
        same(got, (0, b"Kdid 0+0+1\n"), "program run for %r" % text[:30])
        bare = lambda s: s.replace("\n", "_")
        got = dict(v.split(b"=", 1) for v in read(home + "/e").split(b"\0") if v)
        ext = "See-" + text
        dashed = lambda e, n: e.split("-", n)[n] if e.count("-") >= n else ""
        dotted = lambda h, n: h.rsplit(".", n)[0] if h.count(".") >= n else h.split(".")[0]
        quoted = got.pop(b"RPLINE", b"")
        want = {"PATH": tree.at("bin") + ":/usr/bin:/bin", "USER": "vic", "HOME": home, "LOCAL": local, "HOST": host,
                "HOST2": dotted(host, 1), "HOST3": dotted(host, 2), "HOST4": dotted(host, 3), "RECIPIENT": local + "@" + host,
                "SENDER": sender, "NEWSENDER": sender, "EXT": ext, "EXT2": dashed(ext, 1), "EXT3": dashed(ext, 2),
                "EXT4": dashed(ext, 3), "DEFAULT": text, "DTLINE": "Delivered-To: %s\n" % bare(local + "@" + host)}
        uf = got.pop(b"UFLINE", b"")
        same(got, {k.encode(): v.encode("latin1") for k, v in want.items()}, "its environment")
        same(len(re.findall(rb"\n", quoted)), 1, "RPLINE is one line")
        ok(quoted.startswith(b"Return-Path: <") and quoted.endswith(b">\n"), "and a Return-Path", quoted)
        found(rb"\AFrom %s \w{3} \w{3} \d\d \d\d:\d\d:\d\d \d{4}\n\Z" % re.escape(re.sub("[ \t\n]", "-", sender).encode("latin1")),
              uf, "UFLINE")
        same(sorted(os.listdir(home)), seen, "and nothing else was run")
    status = dict(re.findall(r"^(\w+):\s*(.*?)\s*$", read(home + "/s").decode(), re.M))
    same([status[k].split() for k in ("Uid", "Gid", "Groups")], [[str(uid)] * 4, [str(gid)] * 4, [str(gid)]],
         "ids: real, effective, saved, and one group")
    same((status["Umask"], int(status["SigBlk"], 16), int(status["SigIgn"], 16) & ~LIBC), ("0077", 0, 0),
         "umask; no signal is blocked or ignored")
    ok(int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0, "no capabilities", status)
    write(home + "/.qmail-files", "|ls -l /proc/$$/fd; true\n", owner=(uid, gid))
    files = dict(re.findall(r" (\d+) -> (.*)", send(spawner, "vic-files")[1].decode()))
    same(sorted(files), ["0", "1", "2"], "descriptors: 0, 1 and 2 alone")
    same((files["0"], files["1"].startswith("pipe:"), files["1"] == files["2"]), (path, True, True), "the message, and one pipe")
    same(read(home + "/c").split(b"\0")[:2], [b"/bin/sh", b"-c"], "arguments")
    same((read(home + "/p").decode().rstrip(), read(home + "/m")), (os.path.realpath(home), b"Subject: x\n\nbody\n"), "directory and message")
    found(r"^Max open files +%d +%d " % resource.getrlimit(resource.RLIMIT_NOFILE), read(home + "/l"), "limit of open files: as the spawner had it")
    same([oct(os.stat(os.path.join(home, n)).st_mode & 0o777) for n in "esm"], ["0o600"] * 3, "files it makes are private")

    # -- the same sender and recipient in an mbox, a maildir and a forward
    write(home + "/.qmail-keep-default", "./box\n./Maildir/\n", owner=(uid, gid))
    for text in ("x\nFrom y", "x>\nTo: z", "\n\nbody", "\r\n\r\nx"):
        same(send(spawner, "vic-keep-" + text, text + "@side.test", text + ".test"), (0, b"Kdid 2+0+0\n"), "kept: %r" % text)
    for kept in maildir(home) + read(home + "/box").split(b"\nFrom ")[:1]:
        kept = kept.split(b"\n", 1)[1] if kept.startswith(b"From ") else kept
        head = kept.split(b"\n\n")[0].split(b"\n")
        same([line.split(b":")[0] for line in head], [b"Return-Path", b"Delivered-To", b"Subject"], "no line is smuggled in")
    same(len(re.findall(rb"(?m)^From ", read(home + "/box"))), 4, "mbox: four messages")
    same(spawner.end(), 0, "the spawner's exit status")
os.unlink(path)

# -- through the whole system: the log and the bounce stay what they are

tree.user("ann")
with tree.running():
    same(tree.queue(b"Subject: x\n\nx\n", "ann@" + ME, ["vic-see-x\nend msg 1\ny@" + ME, "vic-%s@%s" % ("z" * 900, ME)]), 0,
         "two hostile recipients are taken")
    ok(tree.wait_done(2), "and done with", tree.log()[-2000:])
    same(len(re.findall(r"(?m)^end msg", tree.log())), 2, "no line of the log is forged")
    found(r"^starting delivery \d+: msg \d+ to local vic-see-x/end_msg_1/y@here\.test$", tree.log(), "line feeds in the log")
    bounce = maildir(tree.users["ann"][2])[0]
    found(rb"^<vic-z{900}@here\.test>:\nSorry, no mailbox here by that name\. \(#5\.1\.1\)$", bounce, "900 bytes in the bounce")
    same(tree.queue(b"x\n", "ann@" + ME, ["x" * 1003 + "@" + ME]), 11, "an address beyond the limit is refused")
    write(home + "/.qmail-loud", "|printf '\\nend msg 1\\ndelivery 99: success: x\\n\\000hidden\\n\\033[2J%%d'\n", owner=(uid, gid))
    same(tree.queue(b"x\n", "ann@" + ME, ["vic-loud@" + ME]), 0, "a program that prints log lines")
    ok(tree.wait_done(3), "done with", tree.log()[-2000:])
    found(r"^delivery \d+: success: /end_msg_1/delivery_99:_success:_x/$", tree.log(), "its output up to the NUL, on one line")
    same(len(re.findall(r"(?m)^end msg", tree.log())), 3, "no line of the log is forged")
    for name, sender in (("null", ""), ("double bounce", "#@[]")):
        count = len(re.findall(r"(?m)^end msg", tree.log()))
        same(tree.queue(b"x\n", sender, ["vic-Keep-" + name + "@" + ME]), 0, "sender: " + name)
        ok(tree.wait_done(count + 1), "delivered")
same(tree.queue_files(), [], "nothing is left")
done()
