"""The examples of a guide, qmail-virtual(7) or another page, for the tests that execute them.

    guide = Guide(tree)
    tree.control("virtualdomains", guide["six-lines"])
    guide.run("bob-files", "bob")

In the page each literal block follows a comment that names it, `.\\" example: NAME`. It
is the installed page that is read, and the text is used as it stands there, but for
directories that a test must not touch: they are moved into the test's own.
"""
from reqmail import *

SECOND = os.path.join(os.environ.get("SCRATCH", "/nowhere"), "second")  # the second installation's build and tree


class Guide(dict):
    def __init__(self, tree, moved=(), page="qmail-virtual.7"):
        self.tree = tree
        self.moved = [(r"/home\b", tree.scratch), (r"\bbuild/second\b", SECOND + "/build"), (re.escape(tree.path) + r"2\b", SECOND + "/tree")] + [(re.escape(there), here) for there, here in moved]
        self.unnamed = []
        name, lines = None, None
        for line in read(tree.at("man/man7", page)).decode().splitlines():
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
            text = re.sub(there, here, text)
        return text

    def table(self, name):
        """The words of each line."""
        return [line.split(None, 1) for line in self[name].splitlines()]

    def second(self):
        """A second installation, built as the guide says, once in a run of the tests."""
        if not os.path.exists(SECOND + "/tree/bin/qmail-queue"):
            os.makedirs(SECOND + "/tree", exist_ok=True)
            if sanitized:
                os.symlink(self.tree.at("sanitizer"), SECOND + "/tree/sanitizer")
            settings = {n: os.environ[n] for n in ("CONF_CC", "CONF_LD", "CONF_LIGHT", "CONF_USERS", "CONF_GROUPS") if n in os.environ}
            self.run("second-build", cwd=SOURCE, MAKEFLAGS="-s -j2", **settings)
        other = Tree(SECOND + "/tree")
        return other

    def run(self, name, account=None, path="", cwd="/", mounts=(), **variables):
        """Runs the example as a script that stops at the first failure. Complains, by a
        failed check, if it fails or says anything on descriptor 2."""
        more = {}
        environment = {"PATH": path + ":" * bool(path) + self.tree.at("bin") + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"}
        environment.update(variables)
        if account:
            entry = pwd.getpwnam(account)
            environment["HOME"] = entry.pw_dir
            more.update(user=entry.pw_uid, group=entry.pw_gid, extra_groups=[])
        result = subprocess.run(mounted(mounts, ["/bin/sh", "-ec", "umask 022\n" + self[name]]), env=environment, cwd=cwd, timeout=240,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        same((result.returncode, result.stderr), (0, b""), "the example %s" % name)
        return result.stdout
