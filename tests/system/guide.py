"""The examples of the guide qmail-virtual(7), for the tests that execute them.

    guide = Guide(tree)
    tree.control("virtualdomains", guide["six-lines"])
    guide.run("bob-files", "bob")

In the page each literal block follows a comment that names it, `.\\" example: NAME`. It
is the installed page that is read, and the text is used as it stands there, but for
directories that a test must not touch: they are moved into the test's own.
"""
from reqmail import *


class Guide(dict):
    def __init__(self, tree, moved=()):
        self.tree = tree
        self.moved = [("/home/", tree.scratch + "/")] + list(moved)
        self.unnamed = []
        name, lines = None, None
        for line in read(tree.at("man/man7/qmail-virtual.7")).decode().splitlines():
            if line.startswith('.\\" example: '):
                name = line.split(": ", 1)[1]
            elif line.startswith(".Bd -literal"):
                lines = []
            elif line == ".Ed":
                if name is None or name in self:
                    self.unnamed.append("\n".join(lines))
                self[name] = self._move("".join(l + "\n" for l in lines))
                name, lines = None, None
            elif lines is not None:
                lines.append(line.replace("\\&", "").replace("\\e", "\\"))

    def _move(self, text):
        for there, here in self.moved:
            text = text.replace(there, here)
        return text

    def table(self, name):
        """The words of each line."""
        return [line.split(None, 1) for line in self[name].splitlines()]

    def run(self, name, account=None, path="", cwd="/", **more):
        """Runs the example as a script that stops at the first failure. Complains, by a
        failed check, if it fails or says anything on descriptor 2."""
        environment = {"PATH": path + ":" * bool(path) + self.tree.at("bin") + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"}
        if account:
            entry = pwd.getpwnam(account)
            environment["HOME"] = entry.pw_dir
            more.update(user=entry.pw_uid, group=entry.pw_gid, extra_groups=[])
        result = subprocess.run(["/bin/sh", "-ec", "umask 022\n" + self[name]], env=environment, cwd=cwd, timeout=120,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        same((result.returncode, result.stderr), (0, b""), "the example %s" % name)
        return result.stdout
