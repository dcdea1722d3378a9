#!/usr/bin/env python3
"""qmail-start: what each of the five programs is given, seen by stand-ins found by
PATH: user, groups, arguments, descriptors, umask, directory, environment."""
import fcntl, grp

from reqmail import *

if not root:
    skip_all("needs root: the programs run under their own users")

tree = Tree(os.environ.get("TREE", "/var/qmail"))
NAMES = ("qmail-send", "qmail-lspawn", "qmail-rspawn", "qmail-clean", "logger")
stand_ins = os.path.join(tree.scratch, "stand-ins")
seen = os.path.join(tree.scratch, "seen")
# Everything about itself into two files; then it waits for the end of its input.
SHOW = r"""
me=$SEEN/${0##*/}
ls -l /proc/$$/fd >"$me.fds" # redirected in the child, so nothing of it is seen
{ printf argv; printf ' <%s>' "${0##*/}" "$@"; echo; grep -E '^(Uid|Gid|Groups|Umask|PPid):' /proc/$$/status; echo "Pid: $$"
  echo "Dir: $(readlink /proc/$$/cwd)"; echo "Colour: $COLOUR"; echo complete; } >"$me"
case $0 in *qmail-send) exec sleep 1;; *) exec cat >/dev/null;; esac
"""
os.mkdir(seen)
os.chmod(seen, 0o777)
for name in NAMES:
    write(os.path.join(stand_ins, name), "#!/bin/bash\n" + SHOW, mode=0o755)


def ids(line, group, more=()):
    gid = grp.getgrnam(group).gr_gid
    uid = tree.ids(line)[0]
    return {"Uid": [uid] * 4, "Gid": [gid] * 4, "Groups": sorted({gid} | set(more))}


def run(*arguments, prepare=None, **more):
    for name in os.listdir(seen):
        os.unlink(os.path.join(seen, name))
    return subprocess.run([tree.bin("qmail-start")] + list(arguments), preexec_fn=prepare, cwd="/tmp", timeout=20,
                          env={"PATH": stand_ins + ":/usr/bin:/bin", "SEEN": seen, "COLOUR": "green"}, **more)


def look(name):
    """What a stand-in has seen: a dictionary; its descriptors by number."""
    path = os.path.join(seen, name)
    if not wait_for(lambda: read(path).endswith(b"complete\n"), 10):
        return {}
    text = read(path).decode()
    facts = {k: v.split() for k, v in re.findall(r"^(\w+):[ \t]*(.*)$", text, re.M)}
    facts["argv"] = re.search(r"^argv (.*)$", text, re.M).group(1)
    listed = read(path + ".fds").decode()
    facts["fds"] = {int(n): where for n, where in re.findall(r" (\d+) -> (.*)$", listed, re.M) if "/stand-ins/" not in where}
    return facts


def check(name, facts, want, argv):
    same({k: sorted(map(int, facts[k])) if k == "Groups" else list(map(int, facts[k])) for k in want}, want, name + ": ids")
    same(facts["argv"], argv, name + ": arguments")
    same((facts["Umask"], facts["Dir"], facts["Colour"]), (["0077"], ["/"], ["green"]), name + ": umask, directory, environment")


def check_all(log, logger=None, default="<./Mailbox>"):
    all_seen = {name: look(name) for name in NAMES if logger or name != "logger"}
    check("qmail-send", all_seen["qmail-send"], ids(7, "qmail"), "<qmail-send>")
    check("qmail-lspawn", all_seen["qmail-lspawn"], {"Uid": [0] * 4, "Gid": ids(7, "qmail")["Gid"], "Groups": ids(7, "qmail")["Groups"]},
          "<qmail-lspawn> " + default)
    check("qmail-rspawn", all_seen["qmail-rspawn"], ids(6, "qmail"), "<qmail-rspawn>")
    check("qmail-clean", all_seen["qmail-clean"], ids(5, "qmail"), "<qmail-clean>")
    send = all_seen["qmail-send"]["fds"]
    same(sorted(send), list(range(7)), "qmail-send: descriptors")
    same(len(set(send.values())), 7, "each is something else")
    for first, name in ((1, "qmail-lspawn"), (3, "qmail-rspawn"), (5, "qmail-clean")):
        fds = all_seen[name]["fds"]
        same((sorted(fds), fds.get(0), fds.get(1)), ([0, 1, 2], send[first], send[first + 1]), name + ": descriptors")
        same(all_seen[name]["PPid"], all_seen["qmail-send"]["Pid"], name + " is a child of qmail-send")
    if logger:
        check("logger", all_seen["logger"], ids(2, "nofiles"), logger)
        fds = all_seen["logger"]["fds"]
        same((sorted(fds), fds.get(0), fds.get(1)), ([0, 1, 2], send[0], log), "logger: descriptors")
    else:
        same(send[0], log, "qmail-send: the log")
    return all_seen


with open(os.path.join(tree.scratch, "log"), "wb") as log:
    plain = {"stdin": subprocess.DEVNULL, "stdout": log}
    result = run(stderr=log, **plain)
    same(result.returncode, 0, "exit status is qmail-send's")
    facts = check_all(log.name)
    same({facts[n]["fds"][2] for n in NAMES[1:4]}, {log.name}, "descriptor 2 is our own")

    run("", os.path.join(stand_ins, "logger"), "one", "two words", stderr=log, **plain)
    facts = check_all(log.name, "<logger> <one> <two words>", "<>")
    same({facts[n]["fds"][2] for n in NAMES[1:5]}, {log.name}, "descriptor 2 is our own")

    # descriptor 2 is closed, and others are open that should not be passed on
    def untidy():
        os.umask(0)
        for number in (3, 5, 6, 7, 20, 300):
            os.dup2(0, number)
            fcntl.fcntl(number, fcntl.F_SETFD, 0)
        os.close(2)
    run("./Maildir/", os.path.join(stand_ins, "logger"), prepare=untidy, close_fds=False, **plain)
    facts = check_all(log.name, "<logger>", "<./Maildir/>")
    same({facts[n]["fds"][2] for n in NAMES[1:5]}, {"/dev/null"}, "descriptor 2 is /dev/null where ours is closed")

    for closed in (0, 1):
        result = run("./Maildir/", prepare=lambda: os.close(closed), **plain)
        same((result.returncode, os.listdir(seen)), (111, []), "descriptor %d is closed: exit 111" % closed)

    os.rename(os.path.join(stand_ins, "qmail-send"), os.path.join(stand_ins, "away"))
    same(run(**plain).returncode, 111, "no qmail-send: exit 111")
    ok(wait_for(lambda: not subprocess.run(["pgrep", "-f", stand_ins], capture_output=True).stdout), "and nothing is left running")

done()
