#!/usr/bin/python3
"""After all other tests: no program reported anything to the sanitizers."""
import os, sys

where = os.path.join(os.environ["TREE"], "sanitizer")
reports = sorted(os.listdir(where))
for name in reports:
    with open(os.path.join(where, name), errors="replace") as f:
        sys.stderr.write(f.read(6000))
print("1..1")
print("%s 1 - no sanitizer reports" % ("not ok" if reports else "ok"))
sys.exit(1 if reports else 0)
