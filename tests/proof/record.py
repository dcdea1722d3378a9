"""record - what a run does to its files, as a list of operations.

    with Recording(tree, scratch) as run:      # a shell under strace -f
        run("qmail-inject < message")          # waits for its end
    history = run.history(roots)               # a History: what was there, what was done

The order. Strace prints a call's beginning before the process may go on, and its end
before the process does anything else. So if one operation can have seen the effect of
another, it begins on a later line than the other: the lines on which operations begin
are an order in which they may have happened. A sync vouches for what had ended when it
began, and is worth something when it has ended."""
import os, re, stat, subprocess

CALLS = ("openat,open,creat,write,writev,pwrite64,pwritev,ftruncate,truncate,fallocate,copy_file_range,sendfile,splice,"
         "fsync,fdatasync,sync,syncfs,link,linkat,symlink,symlinkat,rename,renameat,renameat2,unlink,unlinkat,rmdir,"
         "mkdir,mkdirat,mknod,mknodat,utimensat,chmod,fchmod,fchmodat,chown,fchown,fchownat,lchown,close,close_range,"
         "dup,dup2,dup3,fcntl,lseek,chdir,fchdir,clone,clone3,fork,vfork,execve,exit_group,kill")
# Nothing here does these to files that matter; if that changes, this has to learn it.
UNKNOWN = {"fallocate", "copy_file_range", "sendfile", "splice", "pwritev", "symlink", "symlinkat", "mknod", "truncate",
           "fchdir", "rmdir", "creat"}


BEGUN = re.compile(r"^(\d+)\s+(\w+)\((.*?)(?:\s+<unfinished \.\.\.>|\)\s+= (.*))$", re.S)
RESUMED = re.compile(r"^(\d+)\s+<\.\.\. (\w+) resumed>(.*)\)\s+= (.*)$", re.S)


class Call:
    """One system call: who, what, with which arguments; its lines, its result (an int;
    None for one that did not return)."""
    __slots__ = ("pid", "name", "text", "result", "begin", "end")

    def arguments(self):
        return [a.strip() for a in self.text.split(", ")]


def unquote(text):
    """A string as strace -xx prints it, or the path in <> behind a descriptor."""
    if text.endswith("..."):
        raise ValueError("strace has cut a string")
    found = re.search(r'["<]((?:\\x[0-9a-f]{2})*)[">]', text)
    return bytes.fromhex(found.group(1).replace("\\x", ""))


def path_of(text):
    return os.fsdecode(unquote(text))


def read_calls(trace):
    """All calls of a trace, by their beginning."""
    calls, open_calls = [], {}
    with open(trace, encoding="latin1") as f:
        for number, line in enumerate(f):
            line = line.rstrip("\n")
            found = BEGUN.match(line)
            if found:
                call = Call()
                call.pid, call.name, call.text = int(found.group(1)), found.group(2), found.group(3)
                call.begin = call.end = number
                call.result = None
                if found.group(4) is None:
                    open_calls[call.pid] = call
                else:
                    call.result = number_of(found.group(4))
                calls.append(call)
                continue
            found = RESUMED.match(line)
            if found:
                call = open_calls.pop(int(found.group(1)), None)
                if call is None or call.name != found.group(2):
                    if found.group(2) == "execve":  # a thread's; none of ours has any
                        continue
                    raise ValueError("resumed, but not begun: " + line[:200])
                call.text += found.group(3)
                call.end = number
                call.result = number_of(found.group(4))
            elif not re.match(r"^\d+\s+(\+\+\+|---|<\.\.\. )", line):
                raise ValueError("not understood: " + line[:200])
    for call in open_calls.values():
        call.end = 1 << 60
    return calls


def number_of(text):
    found = re.match(r"-?\d+", text)
    return int(found.group()) if found else None


class Description:
    """An open file: an inode or a directory below the roots, or neither."""

    def __init__(self, inode=None, directory=None, append=False):
        self.inode, self.directory, self.append, self.offset = inode, directory, append, 0


class Process:
    def __init__(self, cwd, fds):
        self.cwd, self.fds = cwd, fds
        self.program, self.argv = "", []

    def copy(self):
        other = Process(self.cwd, dict(self.fds))
        other.program, other.argv = self.program, self.argv
        return other


class Operation:
    """kind is one of
         name    path gets inode (None: is removed), which is new with the mode detail where
                 what is directory or file; with also, a second such pair that
                 happens at the same instant (rename)
         data    inode: change is ("write", offset, bytes), ("size", length), ("mode", mode)
         sync    inode, or directory, or everything where both are None
         mark    no operation on files: the program exits with code detail, or says it (bytes)
                 to a pipe; inode is what it has on descriptor 0, path its arguments"""
    __slots__ = ("kind", "begin", "end", "program", "pid", "path", "inode", "also", "change", "directory", "what", "detail")

    def __init__(self, kind, call, process, **fields):
        self.kind, self.begin, self.end, self.program, self.pid = kind, call.begin, call.end, process.program, call.pid
        for name in ("path", "inode", "also", "change", "directory", "what", "detail"):
            setattr(self, name, fields.get(name))

    def __str__(self):
        what = {"name": lambda: "%s%s %s" % (self.path, " and " + self.also[0] if self.also else "",
                                             "removed" if self.inode is None else "= inode %d" % self.inode),
                "data": lambda: "inode %d %s" % (self.inode, tuple(len(x) if isinstance(x, bytes) else x for x in self.change)),
                "sync": lambda: "sync " + (self.directory or ("inode %s" % self.inode if self.inode else "everything")),
                "mark": lambda: "%s %s" % (self.what, self.detail)}[self.kind]()
        return "%6d %-13s %s" % (self.begin, self.program, what)


class History:
    """What was there before (files: path -> (inode, content, mode)) and the operations.
    Paths are relative to the tree."""

    def __init__(self, files, directories, operations):
        self.files, self.directories, self.operations = files, directories, operations

    def without(self, *syncs):
        return History(self.files, self.directories, [o for o in self.operations if o not in syncs])

    def syncs(self):
        return [o for o in self.operations if o.kind == "sync"]


def snapshot(tree, roots):
    """The files and directories below roots: ({path: (inode, content, mode)}, [directories]). A
    root may be a file, and is then the only one of its directory that counts."""
    files, directories, inodes = {}, [], {}

    def add(path):
        st = os.lstat(path)
        inode = inodes.setdefault(st.st_ino, len(inodes) + 1)
        with open(path, "rb") as f:
            files[os.path.relpath(path, tree)] = (inode, f.read(), st.st_mode & 0o7777)
    for root in roots:
        if os.path.isfile(os.path.join(tree, root)):
            add(os.path.join(tree, root))
        for at, _, names in os.walk(os.path.join(tree, root)):
            directories.append(os.path.relpath(at, tree))
            for name in names:
                if os.path.isfile(os.path.join(at, name)):  # no fifo or socket
                    add(os.path.join(at, name))
    return files, directories


class Reader:
    """Turns calls into operations."""

    def __init__(self, tree, cwd, files, directories):
        self.tree, self.files, self.directories = tree, files, set(directories)
        self.names = {path: f[0] for path, f in files.items()}
        self.sizes = {f[0]: len(f[1]) for f in files.values()}
        self.next_inode = max(self.sizes, default=0) + 1
        self.processes, self.children = {}, {}
        self.first = Process(cwd, {})
        self.out = []

    def read(self, calls):
        for call in calls:
            process = self.process(call.pid)
            if call.name in ("clone", "clone3", "fork", "vfork"):
                if call.result and call.result > 0:
                    self.children[call.result] = process.copy()
                continue
            if call.result is not None and call.result < 0 and call.name != "exit_group":
                continue  # a failed call is no deed
            handler = getattr(self, "call_" + call.name, None)
            if handler:
                handler(call, process)
            elif call.name in UNKNOWN and self.concerns(call, process):
                raise ValueError("%s is not understood: %s" % (call.name, call.text[:200]))
        return self.out

    def process(self, pid):
        if pid not in self.processes:
            self.processes[pid] = self.children.pop(pid, None) or self.first
            self.first = None
            if self.processes[pid] is None:
                raise ValueError("process %d has no parent" % pid)
        return self.processes[pid]

    def inside(self, path):
        """The path relative to the tree, if it is in one of the directories that count."""
        path = os.path.relpath(path, self.tree)
        counts = path in self.directories or os.path.dirname(path) in self.directories or path in self.files
        return path if counts else None

    def concerns(self, call, process):
        return any(self.inside(self.absolute(process, a)) for a in call.arguments() if a.startswith('"'))

    def absolute(self, process, argument, at=None):
        path = path_of(argument)
        base = process.cwd
        if at and not at.startswith("AT_FDCWD"):
            base = path_of(at)
        return os.path.normpath(os.path.join(base, path))

    def add(self, kind, call, process, **fields):
        self.out.append(Operation(kind, call, process, **fields))

    # processes and descriptors

    def call_execve(self, call, process):
        arguments = call.text
        process.program = os.path.basename(path_of(arguments))
        listed = re.search(r"\[(.*)\]", arguments)
        process.argv = [bytes.fromhex(s.replace("\\x", "")) for s in re.findall(r'"((?:\\x..)*)"', listed.group(1))] if listed else []
        process.fds = {fd: d for fd, d in process.fds.items() if not d[1]}

    def call_exit_group(self, call, process):
        self.mark(call, process, "exit", int(call.text))

    def mark(self, call, process, what, detail):
        message = process.fds.get(0)
        self.add("mark", call, process, what=what, detail=detail, inode=message and message[0].inode, path=process.argv)

    def call_chdir(self, call, process):
        process.cwd = self.absolute(process, call.text)

    def call_close(self, call, process):
        process.fds.pop(int(call.text.split("<")[0]), None)

    def call_close_range(self, call, process):
        first, last = (int(a) for a in call.arguments()[:2])
        process.fds = {fd: d for fd, d in process.fds.items() if not first <= fd <= last}

    def duplicate(self, call, process, cloexec):
        old = process.fds.get(int(call.text.split("<")[0]))
        process.fds.pop(call.result, None)
        if old:
            process.fds[call.result] = (old[0], cloexec)

    def call_dup(self, call, process):
        self.duplicate(call, process, False)
    call_dup2 = call_dup

    def call_dup3(self, call, process):
        self.duplicate(call, process, "CLOEXEC" in call.text)

    def call_fcntl(self, call, process):
        command = call.arguments()[1]
        if command.startswith("F_DUPFD"):
            self.duplicate(call, process, command.endswith("CLOEXEC"))
        elif command == "F_SETFD":
            fd = int(call.text.split("<")[0])
            if fd in process.fds:
                process.fds[fd] = (process.fds[fd][0], "CLOEXEC" in call.text)

    def description(self, call, process):
        """That of the first argument; None where that is no file that counts."""
        first = call.arguments()[0]
        if "<\\x2f" not in first:
            return None  # a pipe, a socket
        have = process.fds.get(int(first.split("<")[0]))
        if have:
            return have[0]
        if self.inside(path_of(first)):
            raise ValueError("where does this descriptor come from: %d %s(%s)" % (call.pid, call.name, call.text[:100]))
        return None

    # files

    def call_open(self, call, process):
        path, flags = call.arguments()[:2]
        self.opened(call, process, self.absolute(process, path), flags.split("|"), call.arguments()[2:])

    def call_openat(self, call, process):
        at, path, flags = call.arguments()[:3]
        self.opened(call, process, self.absolute(process, path, at), flags.split("|"), call.arguments()[3:])

    def opened(self, call, process, path, flags, mode):
        process.fds.pop(call.result, None)
        where = self.inside(path)
        if where is None:
            return
        if where in self.directories:
            opened = Description(directory=where)
        else:
            if where not in self.names:
                if "O_CREAT" not in flags and not self.is_special(path):
                    raise ValueError("opened, but was never made: " + where)
                if "O_CREAT" not in flags:
                    return  # a fifo, a socket
                inode = self.next_inode
                self.next_inode += 1
                self.names[where], self.sizes[inode] = inode, 0
                self.add("name", call, process, path=where, inode=inode, what="file", detail=int(mode[0], 8) & ~0o022)
            inode = self.names[where]
            if "O_TRUNC" in flags and self.sizes[inode]:
                self.resize(call, process, inode, 0)
            opened = Description(inode=inode, append="O_APPEND" in flags)
        process.fds[call.result] = (opened, "O_CLOEXEC" in flags)

    @staticmethod
    def is_special(path):
        try:
            return not stat.S_ISREG(os.stat(path).st_mode)
        except FileNotFoundError:
            return False

    def resize(self, call, process, inode, size):
        self.sizes[inode] = size
        self.add("data", call, process, inode=inode, change=("size", size))

    def put(self, call, process, inode, at, data):
        data = data[:call.result]
        self.sizes[inode] = max(self.sizes[inode], at + len(data))
        self.add("data", call, process, inode=inode, change=("write", at, data))

    def call_write(self, call, process):
        file = self.description(call, process)
        if file is None:
            if process.program in ("qmail-smtpd", "qmail-remote"):
                self.mark(call, process, "says", b"".join(self.strings(call))[:call.result])
            return
        if file.inode is None or not call.result:
            return
        if file.append:
            file.offset = self.sizes[file.inode]
        self.put(call, process, file.inode, file.offset, b"".join(self.strings(call)))
        file.offset += call.result
    call_writev = call_write

    @staticmethod
    def strings(call):
        rest = call.text[call.text.index(","):]
        if '"...' in rest:
            raise ValueError("strace has cut a string")
        return [bytes.fromhex(s.replace("\\x", "")) for s in re.findall(r'"((?:\\x..)*)"', rest)]

    def call_pwrite64(self, call, process):
        file = self.description(call, process)
        if file and file.inode:
            self.put(call, process, file.inode, int(call.arguments()[-1]), b"".join(self.strings(call)))

    def call_lseek(self, call, process):
        file = self.description(call, process)
        if file:
            file.offset = call.result

    def call_ftruncate(self, call, process):
        file = self.description(call, process)
        if file and file.inode:
            self.resize(call, process, file.inode, int(call.arguments()[1]))

    def call_fchmod(self, call, process):
        file = self.description(call, process)
        inode = file and (file.inode or self.names.get(file.directory))
        if inode:  # not that of a directory that was there before
            self.add("data", call, process, inode=inode, change=("mode", int(call.arguments()[1], 8)))

    def call_chmod(self, call, process):
        where = self.inside(self.absolute(process, call.arguments()[0]))
        if where in self.names:
            self.add("data", call, process, inode=self.names[where], change=("mode", int(call.arguments()[1], 8)))

    def call_fsync(self, call, process):
        file = self.description(call, process)
        if file:
            self.add("sync", call, process, inode=file.inode or self.names.get(file.directory), directory=file.directory)
    call_fdatasync = call_fsync

    def call_sync(self, call, process):
        self.add("sync", call, process)

    # names

    def link(self, call, process, old, new):
        if new is None:
            return
        inode = self.names[old]
        self.names[new] = inode
        self.add("name", call, process, path=new, inode=inode)

    def call_link(self, call, process):
        old, new = (self.inside(self.absolute(process, a)) for a in call.arguments()[:2])
        self.link(call, process, old, new)

    def call_linkat(self, call, process):
        a = call.arguments()
        self.link(call, process, self.inside(self.absolute(process, a[1], a[0])), self.inside(self.absolute(process, a[3], a[2])))

    def rename(self, call, process, old, new):
        if old is None and new is None:
            return
        if old not in self.names:
            raise ValueError("renamed, but was never made: %s" % old)
        inode = self.names.pop(old)
        self.names[new] = inode
        self.add("name", call, process, path=new, inode=inode, also=(old, None))

    def call_rename(self, call, process):
        old, new = (self.inside(self.absolute(process, a)) for a in call.arguments()[:2])
        self.rename(call, process, old, new)

    def call_renameat(self, call, process):
        a = call.arguments()
        self.rename(call, process, self.inside(self.absolute(process, a[1], a[0])), self.inside(self.absolute(process, a[3], a[2])))
    call_renameat2 = call_renameat

    def unlink(self, call, process, where):
        if where in self.names:
            del self.names[where]
            self.add("name", call, process, path=where, inode=None)

    def call_unlink(self, call, process):
        self.unlink(call, process, self.inside(self.absolute(process, call.text)))

    def call_unlinkat(self, call, process):
        a = call.arguments()
        self.unlink(call, process, self.inside(self.absolute(process, a[1], a[0])))

    def make_directory(self, call, process, where):
        mode = int(call.arguments()[-1], 8) & ~0o022
        if where is not None:
            self.directories.add(where)
            inode = self.next_inode
            self.next_inode += 1
            self.names[where], self.sizes[inode] = inode, None
            self.add("name", call, process, path=where, inode=inode, what="directory", detail=mode)

    def call_mkdir(self, call, process):
        self.make_directory(call, process, self.inside(self.absolute(process, call.arguments()[0])))

    def call_mknodat(self, call, process):
        """A fifo: a file, as far as names go."""
        a = call.arguments()
        where = self.inside(self.absolute(process, a[1], a[0]))
        if where is not None:
            inode = self.next_inode
            self.next_inode += 1
            self.names[where], self.sizes[inode] = inode, 0
            self.add("name", call, process, path=where, inode=inode, what="fifo")

    def call_mkdirat(self, call, process):
        a = call.arguments()
        self.make_directory(call, process, self.inside(self.absolute(process, a[1], a[0])))


class Recording:
    """A shell under strace, from the given directory on. Calling it runs a command in that shell
    and returns its exit code; with wait=False the command goes on in the background."""

    def __init__(self, tree, scratch, roots, env=None):
        self.tree, self.roots, self.trace = tree, roots, os.path.join(scratch, "trace")
        self.env = dict(env or {})
        self.env.setdefault("PATH", os.path.join(tree, "bin") + ":/usr/local/bin:/usr/bin:/bin")

    def __enter__(self):
        self.before = snapshot(self.tree, self.roots)
        self.shell = subprocess.Popen(
            ["strace", "-f", "-q", "-y", "-xx", "-s", "4000000", "-e", "signal=none", "-e", "trace=" + CALLS, "-o", self.trace, "/bin/sh"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/", env=self.env, start_new_session=True)
        return self

    def __call__(self, command):
        self.shell.stdin.write(command.encode() + b"\necho done $?\n")
        self.shell.stdin.flush()
        while True:
            line = self.shell.stdout.readline()
            if not line:
                raise RuntimeError("the shell has ended in: " + command)
            if line.startswith(b"done "):
                return int(line.split()[1])

    def __exit__(self, kind, *_):
        if kind:
            self.shell.kill()
        self.shell.stdin.close()
        self.shell.wait(60)
        self.shell.stdout.close()

    def history(self):
        files, directories = self.before
        return History(files, directories, Reader(self.tree, "/", files, directories).read(read_calls(self.trace)))
