#!/usr/bin/python3
"""lock/trigger: who has pulled it and does not let go causes a look at todo/ or two, not one after
the other without end; and does not hide those who pull it after him."""
from reqmail import *

if not root:
    skip_all("needs root: there are deliveries")
tree = Tree()
tree.user("joe")
WHO = "joe@here.test"
TROUBLE = "warning: unknown record type in todo/"


def looks():
    """How often todo/ has been looked at: what is in there and cannot be read is told of each time."""
    return tree.log().count(TROUBLE)


ok(tree.queue(b"Subject: odd\n\n", "s@far.test", [WHO]) == 0, "a message is queued")
odd = [name for name in tree.queue_files() if name.startswith("todo/")][0]
text = read(tree.at("queue", odd))
write(tree.at("queue", odd), text.replace(b"Fs@far.test", b"?s@far.test"), owner=(os.stat(tree.at("queue", odd)).st_uid, -1))
with tree.running():
    ok(tree.wait_log("^" + TROUBLE), "it cannot be read", tree.log())
    before = looks()
    fd = os.open(tree.at("queue/lock/trigger"), os.O_WRONLY | os.O_NONBLOCK)
    os.write(fd, b"\0")
    ok(wait_for(lambda: looks() > before), "a pull: todo/ is looked at", tree.log())
    os.write(fd, b"\0\0\0")
    ok(wait_for(lambda: looks() > before + 1), "pulls of one who has it open: again", tree.log())
    ok(tree.queue(b"Subject: next\n\n", "s@far.test", [WHO]) == 0 and tree.wait_log("^end msg "), "somebody else's message is seen", tree.log())
    os.close(fd)
    ok(tree.queue(b"Subject: next\n\n", "s@far.test", [WHO]) == 0 and tree.wait_log("^end msg ", count=2), "and the next", tree.log())
    ok(looks() - before < 20, "not again and again in between", "%d times" % (looks() - before))
done()
