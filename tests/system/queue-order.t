#!/usr/bin/env python3
"""qmail-queue: everything is on stable storage before it has a name in todo/, and
that name before the exit. Recorded with strace; then the checker must find what
is wrong with the same record after one step has been taken out or moved."""
import copy

from queue_rig import *
from reqmail import done

ROLES = (("pid/", "message"), ("intd/", "envelope"), ("mess/", "mess directory"), ("todo", "todo directory"),
         ("lock/trigger", "trigger"))


def steps(calls):
    """The calls that matter, as pairs (deed, thing). A failed call is no deed."""
    fds, found = {}, []
    for c in calls:
        if c.result.startswith("-"):
            continue
        if c.name == "openat":
            fds[c.result] = next((role for start, role in ROLES if c.paths()[0].startswith(start)), None)
        elif c.name in ("link", "linkat"):
            found.append(("name", c.paths()[1].split("/")[0]))
        elif c.name in ("unlink", "unlinkat"):
            found.append(("remove", c.paths()[0].split("/")[0]))
        elif c.name in ("write", "fsync", "ftruncate") and fds.get(c.fd()):
            found.append((c.name, fds[c.fd()]))
        elif c.name == "close":
            fds.pop(c.fd(), None)
        elif c.name == "exit_group":
            found.append(("exit", c.args))
    return found


def faults(found):
    """What is wrong with this order."""
    def first(deed, thing, after=0):
        return next((i for i in range(after, len(found)) if found[i] == (deed, thing)), None)

    def last(deed, thing):
        return max((i for i, s in enumerate(found) if s == (deed, thing)), default=None)

    wrong = []
    todo, end = first("name", "todo"), first("exit", "0")
    if todo is None or end is None:
        return ["nothing was queued"]
    for thing in ("message", "envelope"):
        written = last("write", thing)
        if written is None:
            wrong.append("no %s written" % thing)
            continue
        synced = first("fsync", thing, written)
        if synced is None or synced > todo:
            wrong.append("%s not synced, after its last write, before it is queued" % thing)
    named = first("name", "mess")
    synced = None if named is None else first("fsync", "mess directory", named)
    if synced is None or synced > todo:
        wrong.append("name of the message not synced before it is queued")
    synced = first("fsync", "todo directory", todo)
    if synced is None or synced > end:
        wrong.append("name in todo not synced before the exit")
    pulled = last("write", "trigger")
    if pulled is not None and (synced is None or pulled < synced):
        wrong.append("trigger pulled too early")
    for deed, thing in found[todo + 1:]:
        if deed in ("remove", "ftruncate") or (deed == "write" and thing != "trigger"):
            wrong.append("%s %s after it is queued" % (deed, thing))
    return wrong


def without(found, i):
    return found[:i] + found[i + 1:]


def moved(found, i, to):
    """Step i goes in front of step to."""
    step, rest = found[i], without(found, i)
    return rest[:to] + [step] + rest[to:] if to <= i else rest[:to - 1] + [step] + rest[to - 1:]


mutex, trigger, calls = begin()
calls = own_calls(calls)
good = steps(calls)
check(incomplete() is None, "the message is queued whole", incomplete())
check(faults(good) == [], "everything is synced in order", *faults(good), *good)
remove_all()
code, at_once = run("-f")
found = steps(own_calls(at_once))
check(code == 0 and incomplete() is None and faults(found) == [], "and with threads", code, *faults(found), *found)
check(any(c.name in ("clone", "clone3") and int(c.result) > 0 for c in at_once), "there are threads", *at_once)

written = max(i for i, s in enumerate(good) if s in (("write", "message"), ("write", "envelope")))
synced = min(i for i, s in enumerate(good) if s[0] == "fsync")
check(written < synced, "both files are written before the first sync: one commit for both")

syncs = [i for i, s in enumerate(good) if s[0] == "fsync"]
todo = good.index(("name", "todo"))
check(len(syncs) == 4, "four syncs", *good)
for i in syncs:
    name = good[i][1]
    check(faults(without(good, i)) != [], "noticed: no sync of " + name)
    if i < todo:
        check(faults(moved(good, i, todo + 1)) != [], "noticed: sync of %s after the link" % name)
    else:
        check(faults(moved(good, i, todo)) != [], "noticed: sync of %s before the link" % name)
        check(faults(moved(good, i, len(good))) != [], "noticed: sync of %s after the exit" % name)
for thing in ("message", "envelope"):
    i = max(i for i, s in enumerate(good) if s == ("write", thing))
    at = good.index(("fsync", thing))
    check(faults(moved(good, i, at + 1)) != [], "noticed: %s written after its sync" % thing)
i = good.index(("name", "mess"))
check(faults(moved(good, i, good.index(("fsync", "mess directory")) + 1)) != [], "noticed: message named after the sync of its directory")
i = good.index(("write", "trigger"))
check(faults(moved(good, i, todo)) != [], "noticed: trigger before the link")
check(faults(good[:-1] + [("remove", "intd")] + good[-1:]) != [], "noticed: removal after the link")

for c in calls:
    if c.name == "fsync":
        failed = copy.copy(calls)
        failed[calls.index(c)] = Call(c.name, c.nth, c.args, "-1")
        check(faults(steps(failed)) != [], "noticed: %s fails unheeded" % c)
remove_all()
done()
