"""ledger - what a scene of rig.py owes, and whether a run has paid it.

  accepted   qmail-inject or sendmail exits 0, qmail-smtpd says 250: everybody gets the message, or
             its sender a bounce, or the postmaster a double bounce; whole
  unknown    nobody said so: all of that, or none of it

A key is one place where one thing has to come: ("box", box, token), ("sent", recipient, token),
("bounce", box, failed recipient, token)."""
import re
from collections import Counter

from rig import BOXES, STUCK
from scenes import fact, mbox_messages

# Where what goes to a recipient here ends: the place, and how often it passes the queue.
LOCAL = {
    "alice@here.test": [("alice/Maildir", 1)], "bob@here.test": [("bob/Mailbox", 1)],
    "fwd@here.test": [("alice/Maildir", 2)], "prog@here.test": [("bob/Mailbox", 2)],
    "many@here.test": [("many/Maildir", 1), ("many/Mailbox", 1), ("dora@far.test", 2)],
    "x@virt.test": [("virt/Maildir", 1)],
}
# Places of a delivery that forwards, too: they get the message again when the forwarding is tried again.
REDONE = ("many/Maildir", "many/Mailbox")
FAIL = ("bad", "nobody", "deny")

# How often a thing may come too often when one process of the program is killed, by the number of its
# passages of the queue. A delivery that was made and not reported is made again; so is the forwarding,
# or the bounce, of which a qmail-queue that was killed had put the whole into the queue. Without qmail-clean
# the entry in todo/ of a message stays whose only recipient has been reached already.
ONCE, EACH, BEHIND, NEVER = (lambda passes: 1), (lambda passes: passes), (lambda passes: min(passes - 1, 1)), (lambda passes: 0)
AGAIN = {
    "qmail-send": EACH, "qmail-clean": ONCE, "qmail-lspawn": EACH, "qmail-rspawn": EACH, "qmail-start": EACH, "all": EACH,
    "qmail-local": ONCE, "qmail-remote": ONCE, "forward": ONCE, "qmail-queue": BEHIND,
}


def again(program, action):
    """The rule for a program, and trip's action."""
    return AGAIN["all"] if action and action.startswith("all-") else AGAIN.get(program, NEVER)


def due(mail):
    """key -> (how often it has to come, passages of the queue)."""
    keys = {}

    def add(key, passes):
        count, most = keys.get(key, (0, 0))
        keys[key] = (count + 1, most + passes)
    for recipient in mail.recipients:
        if recipient.startswith(FAIL):
            if mail.sender.startswith(FAIL):
                add(("bounce", "postmaster/Maildir", recipient, mail.token), 3)
                add(("bounce", "postmaster/Maildir", mail.sender, mail.token), 3)
            else:
                add(("bounce", "sender/Maildir", recipient, mail.token), 2)
        elif recipient.endswith("@far.test"):
            add(("sent", recipient, mail.token), 1)
        else:
            for place, passes in LOCAL[recipient]:
                add(("sent" if "@" in place else "box", place, mail.token), passes)
    return keys


def found(run):
    """key -> how often it is there; and what is not whole, as paths."""
    keys, broken = Counter(), []
    for path, content in run.files.items():
        box = next(b for b in BOXES if path.startswith("homes/" + b))
        for text in mbox_messages(content) if box.endswith("Mailbox") else [content]:
            what = fact(text)
            if not what:
                broken.append(path)
            elif what[0] == "bounce":
                for failed in what[2]:
                    keys[("bounce", box, failed, what[1])] += 1
            else:
                keys[("box", box, what[1])] += 1
    for recipient, data in run.sent:
        what = fact(b"Return-Path: <\n" + data)
        if not what:
            broken.append("what was sent to " + recipient)
        elif not recipient.startswith(FAIL):
            keys[("sent", recipient, what[1])] += 1
    return keys, broken


def judge(scene, run, rule=NEVER, cut_mboxes=0, redone=1):
    """What is wrong with a run, as lines, and what came too often: {key: times}. rule: how often a thing may
    come too often, of the number of its passages. cut_mboxes: so many mboxes may have the begin of a
    message that was cut off, which its page tells of. redone: how often places in REDONE may get it again."""
    have, broken = found(run)
    wrong, extra = [], {}
    in_mboxes = [p for p in broken if p.endswith("/Mailbox")]
    wrong += ["not whole: " + p for p in broken if p not in in_mboxes or len(in_mboxes) > cut_mboxes]
    for mail in scene.mails:
        keys = due(mail)
        mine = {k for k in have if k[-1] == mail.token}
        if not run.accepted.get(mail.token) and not mine:
            continue
        wrong += ["came to the wrong place: %s" % (k,) for k in mine - set(keys)]
        for key, (count, passes) in keys.items():
            if have[key] < count:
                wrong.append("lost: %s, %d of %d" % (key, have[key], count))
            elif have[key] > count:
                extra[key] = have[key] - count
                if extra[key] > max(rule(passes), redone if key[1] in REDONE and rule is not NEVER else 0):
                    wrong.append("too often: %s, %d instead of %d" % (key, have[key], count))
    tokens = {m.token for m in scene.mails}
    wrong += ["whose is this: %s" % (k,) for k in have if k[-1] not in tokens]
    if run.came_to == STUCK:
        wrong.append("stuck")
    if not run.rested:
        wrong.append("no rest after the restart")
    if not run.left:
        wrong.append("does not leave")
    wrong += ["left in the queue: " + n for n in run.leftovers if n.split("/")[0] in ("todo", "info", "local", "remote", "bounce")]
    wrong += ["after the restart: " + line.decode("latin1") for line in run.log.splitlines() if re.match(rb"(warning|alert): ", line)]
    return wrong, extra
