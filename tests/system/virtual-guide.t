#!/usr/bin/python3
"""The guide qmail-virtual(7) and the tests of its examples are in step: every literal
block of the page has a name, and every name is used by a test."""
from guide import *

tree = Tree()
guide = Guide(tree)
tests = {}
for name in os.listdir(os.path.join(SOURCE, "tests/system")):
    if name.endswith((".t", ".py")) and name not in ("virtual-guide.t", "guides.t"):
        text = read(os.path.join(SOURCE, "tests/system", name)).decode()
        if "from guide import" in text or name == "guide.py":
            tests[name] = set(re.findall(r'(?:guide\[|guide\.run\(|guide\.table\(|self\.run\()"([a-z-]+)"', text))
used = set().union(*tests.values())
same(guide.unnamed, [], "every literal block has a name of its own")
ok(len(guide) >= 40, "there are examples", sorted(guide, key=str))
same(sorted(set(guide) - used), [], "every example is executed by a test")
same(sorted(used - set(guide)), [], "every example that a test wants is there")
done()
