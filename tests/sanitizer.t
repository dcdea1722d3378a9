#!/usr/bin/python3
"""After all other tests: no program reported anything to the sanitizers."""
import os, sys

where = os.path.join(os.environ["TREE"], "sanitizer")
# Tests that let system calls fail hit those of the sanitizers too.
INJECTED = "AddressSanitizer failed to "
bad = []
for name in sorted(os.listdir(where)):
    with open(os.path.join(where, name), errors="replace") as f:
        text = f.read(6000)
    if INJECTED not in text.split("\n", 1)[0]:
        bad.append(text)
sys.stderr.write("\n".join(bad))
print("1..1")
print("%s 1 - no sanitizer reports" % ("not ok" if bad else "ok"))
sys.exit(1 if bad else 0)
