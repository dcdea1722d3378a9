"""disk - what a power cut may leave of a recorded run.

The file system of this model keeps no more than POSIX does:

  - the data of a file is stable once an fsync of that file, begun after the writes, has
    succeeded. Until then each write since may be there or not, in any combination, cut
    short, or as zeros where it made the file longer. Bytes that were stable stay, or
    become what was written over them
  - a name (made, removed, given to another file) is stable once an fsync of its directory
    has succeeded. Until then each such change may be there or not, in any combination;
    rename alone is one change of two names
  - what was there before the run is stable

Real file systems lose less: they keep metadata in order. What holds here holds there."""
import itertools, os


def parent(path):
    return os.path.dirname(path)


def directories_of(o):
    """Those whose sync makes a change of names stable."""
    return [parent(o.path)] + ([parent(o.also[0])] if o.also else [])


def apply(content, changes):
    """The content and mode (None: as before) after these changes; content None: a directory."""
    if content is None:
        return None, changes[-1][1] if changes else None
    data, mode = bytearray(content), None
    for change in changes:
        if change[0] == "write":
            _, at, piece = change
            if len(data) < at:
                data.extend(bytes(at - len(data)))
            data[at:at + len(piece)] = piece
        elif change[0] == "size":
            size = change[1]
            data = data[:size] + bytes(max(0, size - len(data)))
        else:
            mode = change[1]
    return bytes(data), mode


def torn(write, size):
    """What may be there of a write to a file of that size: pieces of it, zeros."""
    _, at, piece = write
    half = len(piece) // 2
    yield write
    if at >= size:  # beyond the end: its space may be there without its bytes
        if half:
            yield ("write", at, piece[:half])
            yield ("write", at, piece[:half] + bytes(len(piece) - half))
        yield ("write", at, bytes(len(piece)))
    elif half:
        yield ("write", at, piece[:half])


MANY = 4  # more things than these are not combined in all ways


def subsets(n):
    """Of n things in order, as tuples of numbers: all of them, or for many those that say most."""
    if n <= MANY:
        for length in range(n + 1):
            yield from itertools.combinations(range(n), length)
        return
    everything = tuple(range(n))
    for i in range(n + 1):
        yield everything[:i]
    for i in range(n):
        yield everything[:i] + everything[i + 1:]
        yield (i,)


class File:
    def __init__(self, content, mode):
        self.content, self.mode, self.pending = content, mode, []
        self._variants = None

    def change(self, operation):
        self.pending.append(operation)
        self._variants = None

    def settle(self, operations):
        covered = [o for o in self.pending if o in operations]
        if covered:
            self.content, mode = apply(self.content, [o.change for o in covered])
            self.mode = self.mode if mode is None else mode
            self.pending = [o for o in self.pending if o not in operations]
            self._variants = None

    def whole(self):
        content, mode = apply(self.content, [o.change for o in self.pending])
        return content, self.mode if mode is None else mode

    def variants(self):
        """Everything that may be found: (content, mode). First nothing of what is pending, then all."""
        if self._variants is None:
            found = {}
            if self.content is not None:
                found[(self.content, self.mode)] = None
                found[self.whole()] = None
                for chosen in subsets(len(self.pending)):
                    changes = [self.pending[i].change for i in chosen]
                    if changes and changes[-1][0] == "write":
                        size = len(apply(self.content, changes[:-1])[0])
                        tails = [[c] for c in torn(changes[-1], size)]
                    else:
                        tails = [changes[-1:]]
                    for tail in tails:
                        content, mode = apply(self.content, changes[:-1] + tail)
                        found[(content, self.mode if mode is None else mode)] = None
            else:
                found[(None, self.mode)] = None
                for o in self.pending[::-1]:
                    found[(None, o.change[1])] = None
            self._variants = list(found)
        return self._variants


class Disk:
    """The disk while a history is played. After each step, states() are what a power cut
    at this instant may leave."""

    def __init__(self, history):
        self.files, self.stable, self.pending = {}, {}, []
        for path, (inode, content, mode) in history.files.items():
            self.files[inode] = File(content, mode)
            self.stable[path] = inode
        self.done = set()  # operations that have ended
        self.vouched = {}  # a sync -> the operations that it makes stable
        self.named_by = {} # process -> path -> the file to which it gave this name
        self.sampled = False # whether states() has left any out
        self.steps = sorted([(o.begin, 0, i, o) for i, o in enumerate(history.operations)] +
                            [(o.end, 1, i, o) for i, o in enumerate(history.operations) if o.end < 1 << 60])

    def play(self):
        """Plays the history; yields each operation at whose beginning or end the disk's
        possible states, or what was promised, changed."""
        for _, ends, _, o in self.steps:
            if ends:
                self.done.add(o)
                if o.kind == "sync":
                    self.settle(self.vouched[o])
                    yield o
            elif o.kind == "name":
                if o.inode is not None and o.inode not in self.files:
                    self.files[o.inode] = File(None if o.what == "directory" else b"", 0o644 if o.detail is None else o.detail)
                self.pending.append(o)
                if o.inode is not None:
                    self.named_by.setdefault(o.pid, {})[o.path] = o.inode
                yield o
            elif o.kind == "data":
                self.files[o.inode].change(o)
                yield o
            elif o.kind == "sync":
                self.vouched[o] = self.covered(o)
            else:
                yield o

    def covered(self, sync):
        everything = sync.inode is None and sync.directory is None
        found = set()
        for inode, file in self.files.items():
            if everything or inode == sync.inode:
                found.update(o for o in file.pending if o in self.done)
        for o in self.pending:
            if o in self.done and (everything or sync.directory in directories_of(o)):
                found.add(o)
        return found

    def settle(self, operations):
        for file in self.files.values():
            file.settle(operations)
        for o in self.pending:
            if o in operations:
                self.set_names(self.stable, o)
        self.pending = [o for o in self.pending if o not in operations]

    @staticmethod
    def set_names(names, o):
        for path, inode in ((o.path, o.inode),) + ((o.also,) if o.also else ()):
            if inode is None:
                names.pop(path, None)
            else:
                names[path] = inode

    def groups(self):
        """The pending changes of names, those that share a name together."""
        groups = []
        for o in self.pending:
            paths = {o.path} | ({o.also[0]} if o.also else set())
            mine, others = [o], []
            for have, operations in groups:
                if have & paths:
                    paths |= have
                    mine = operations + mine
                else:
                    others.append((have, operations))
            groups = others + [(paths, mine)]
        return groups

    def dimensions(self):
        """What may turn out in several ways, each with the list of its ways: for names a
        dictionary path -> inode or None, for files (inode, content, mode). The first way is that
        nothing pending is there, the last (names) or second (files) that all is."""
        result = []
        for paths, operations in self.groups():
            ways = {}
            for chosen in subsets(len(operations)):
                names = {p: self.stable[p] for p in paths if p in self.stable}
                for i in chosen:
                    self.set_names(names, operations[i])
                ways[tuple(sorted(names.items()))] = (paths, names)
            names = {p: self.stable[p] for p in paths if p in self.stable}
            for o in operations:
                self.set_names(names, o)
            last = tuple(sorted(names.items()))
            ways[last] = ways.pop(last)
            result.append(list(ways.values()))
        for inode, file in self.files.items():
            if file.pending:
                result.append([(inode, v) for v in file.variants()])
        return result

    def build(self, ways):
        """The state with these ways: a tuple of (path, number of its file, content, mode), by
        path. Files with several names have one number."""
        names, contents = dict(self.stable), {}
        for way in ways:
            if isinstance(way[0], int):
                contents[way[0]] = way[1]
            else:
                for path in way[0]:
                    names.pop(path, None)
                names.update(way[1])
        numbers, state, absent = {}, [], set()
        for path in sorted(names):
            inode = names[path]
            file = self.files[inode]
            content, mode = contents.get(inode, (file.content, file.mode))
            if content is None:
                state.append((path, 0, None, mode))
                continue
            number = numbers.setdefault(inode, len(numbers) + 1)
            state.append((path, number, content, mode))
        made = {s[0] for s in state if s[2] is None}
        gone = {path for path, f in self.directories_made() if path not in made}
        if gone:
            state = [s for s in state if not any(s[0].startswith(g + "/") for g in gone)]
        return tuple(state)

    def directories_made(self):
        return [(o.path, o) for o in self.pending if o.what == "directory"]

    @staticmethod
    def full(dimensions):
        """The ways in which all that is pending is there."""
        return [d[1] if isinstance(d[0][0], int) and len(d) > 1 else d[-1] for d in dimensions]

    def telling(self, dimensions):
        """The choices that say most: nothing is there, all is there, all but one, one alone."""
        nothing, full = [d[0] for d in dimensions], self.full(dimensions)
        yield nothing
        yield full
        for i, d in enumerate(dimensions):
            for way in d:
                if way is not full[i]:
                    yield full[:i] + [way] + full[i + 1:]
        for i, d in enumerate(dimensions):
            for way in d[1:]:
                yield nothing[:i] + [way] + nothing[i + 1:]

    def states_without(self, operations):
        """States in which one of these is not there, or not whole, and all the rest is."""
        paths = {o.path for o in operations if o.kind == "name"}
        inodes = {o.inode for o in operations if o.kind == "data"}
        dimensions = self.dimensions()
        full = self.full(dimensions)
        for i, d in enumerate(dimensions):
            if d[0][0] in inodes if isinstance(d[0][0], int) else d[0][0] & paths:
                for way in d:
                    if way is not full[i]:
                        yield self.build(full[:i] + [way] + full[i + 1:])

    def states(self, rng, most=None):
        """What a power cut now may leave, without repetition: everything if that is not more than
        most, else the telling ones and a sample. Yields states."""
        dimensions = self.dimensions()
        count = 1
        for d in dimensions:
            count *= len(d)
        groups = [len(operations) for _, operations in self.groups()] + [len(f.pending) for f in self.files.values()]
        if (most is not None and count > most) or max(groups, default=0) > MANY:
            self.sampled = True
        seen = set()
        if most is None or count <= most:
            choices = itertools.product(*dimensions)
        else:
            sample = ([rng.choice(d) for d in dimensions] for _ in range(most))
            choices = itertools.chain(self.telling(dimensions), sample)
        for ways in choices:
            state = self.build(ways)
            if state not in seen:
                seen.add(state)
                yield state

    def unsynced(self, path):
        """Whether data of the file of that name is pending."""
        inode = self.stable.get(path)
        for o in self.pending:
            if o.path == path and o.inode is not None:
                inode = o.inode
        return inode in self.files and bool(self.files[inode].pending)
