#!/usr/bin/python3
"""A large users/cdb: a lookup reads as few blocks in 100,000 entries as in 1,000."""
import assignments
from assignments import *

if not root:
    skip_all("needs root: qmail-lspawn is root's")
if not shutil.which("strace") or sanitized:
    skip_all("reads are counted by strace, without sanitizers")

tree = Tree()
tree.alias("default", "#\n")
most = {}
for count in (1000, 100000):
    assignments.write_file(tree, count)
    _, peak_kb = assignments.newu(tree)
    ok(peak_kb < 20000, "%d entries: made in 20 MB" % count, "%d kB" % peak_kb)
    cost, wrong = assignments.lookups(tree, count, 40)
    same(wrong, [], "%d entries: the answers" % count)
    for kind, reads in cost.items():
        # the empty key, and for each key that is asked for: a number of the header, a
        # block of slots, and the record; seldom a second block or another key's record
        keys = {"simple": 2, "wildcard": 3, "nobody": 3}[kind]
        note("%d entries, %s: %.2f reads, %d at most" % (count, kind, sum(reads) / len(reads), max(reads)))
        ok(0 < max(reads) <= 3 * keys + 3, "%d entries, %s: constant" % (count, kind), reads)
        most[kind, count] = sum(reads) / len(reads)
for kind in ("simple", "wildcard", "nobody"):
    ok(most[kind, 100000] < most[kind, 1000] + 1, "%s: no more in the larger one" % kind, most)
done()
