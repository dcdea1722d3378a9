"""replay - plays a recorded run, and at each step puts before the judge what a power cut at
that instant may leave.

QueueReplay is for runs of the queue: the system is started on every state. ProgramReplay
is for those of a single program, whose files are looked at, and RepairReplay for those of one that
repairs the queue. All have
   check(history, rng, most)    -> Tally: all states, or about most for each step
   catches(history, sync)       -> what goes wrong if that sync had not been made; None: nothing"""
from collections import deque

from disk import Disk
from judge import Judge, Promises, Violation
from scenes import PROGRAMS, REPAIRS, SCENES

AT_ONCE = 6  # states that are being drained while one is waited for


class Tally:
    def __init__(self):
        self.cuts = self.found = self.tried = self.judged = self.promises = self.duplicates = self.leftovers = 0
        self.wrong = []
        self.sampled = False  # there are states that have not been tried

    def __str__(self):
        return "%d cuts, %s states tried, %d judgements, %d promises kept, %d duplicates, stale names in %d" % (
            self.cuts, "a sample of %d" % self.tried if self.sampled else "all %d" % self.found, self.judged, self.promises, self.duplicates,
            self.leftovers)


def show(state, outcome=None):
    """A state for people."""
    text = "".join("  %s %d %d bytes %r\n" % (p, n, len(c), c[:60]) if c is not None else "  %s/\n" % p for p, n, c, _ in state)
    if outcome:
        text += "left: %s\n%s" % (outcome.left, outcome.log.decode("latin1")[-1500:])
    return text


class QueueReplay:
    def __init__(self, drains):
        self.drains = drains

    def check(self, history, rng, most, budget=None, first=False):
        """budget: how many of the states the system is started on, a sample. first: the first violation
        is enough."""
        tally, judge, waiting, states = Tally(), Judge(), deque(), {}

        def settle(enough):
            while len(waiting) > enough and not (first and tally.wrong):
                state, future, promises = waiting.popleft()
                outcome = future.result()
                for text in judge.after(state, outcome, promises, disk):
                    tally.wrong.append(text + "\n" + show(state, outcome))
                tally.leftovers += bool([n for n in outcome.left if not n.startswith("mess/")])

        disk = Disk(history)
        promises = Promises(disk)
        for o in disk.play():
            tally.cuts += 1
            try:
                promises.see(o)
            except Violation as e:
                tally.wrong.append(str(e))
            now = promises.copy()
            for state in disk.states(rng, most):
                states.setdefault(state, []).append(now)
                tally.wrong += [text + "\n" + show(state) for text in judge.before(state, now, disk)]
        tally.found = len(states)
        tally.sampled = disk.sampled
        chosen = list(states)
        if budget and budget < len(chosen):
            tally.sampled = True
            # half of them from those where something has been promised
            due = [s for s in chosen if states[s][-1].due]
            due = rng.sample(due, min(len(due), budget // 2))
            taken = set(due)
            chosen = due + rng.sample([s for s in chosen if s not in taken], budget - len(due))
        if first:
            rng.shuffle(chosen)
        for state in chosen:
            for now in states[state]:
                waiting.append((state, self.drains.submit(state), now))
            settle(AT_ONCE)
        settle(0)
        tally.tried, tally.judged, tally.promises, tally.duplicates = len(chosen), judge.judged, judge.promises, judge.duplicates
        return tally

    def catches(self, history, sync):
        judge, waiting, seen = Judge(), deque(), set()

        def settle(enough):
            while len(waiting) > enough:
                state, future, promises = waiting.popleft()
                wrong = judge.after(state, future.result(), promises, disk)
                if wrong:
                    return wrong[0]
            return None

        lost = covered(history, sync)
        disk = Disk(history.without(sync))
        promises = Promises(disk)
        try:
            for o in disk.play():
                promised = promises.see(o)
                if o.begin < sync.begin:
                    continue
                now = promises.copy()
                for state in disk.states_without(lost):
                    wrong = judge.before(state, now, disk)
                    if wrong:
                        return wrong[0]
                    if promised or state not in seen:
                        seen.add(state)
                        waiting.append((state, self.drains.submit(state), now))
                wrong = settle(AT_ONCE)
                if wrong:
                    return wrong
        except Violation as e:
            return str(e)
        return settle(0)


class Files(dict):
    """path -> content (None: a directory) of a state; and modes."""

    def __init__(self, state):
        super().__init__((path, content) for path, _, content, _ in state)
        self.modes = {path: mode for path, _, _, mode in state}


class ProgramReplay:
    def __init__(self, judge, program, code):
        self.judge, self.program, self.code = judge, program, code

    def ends(self, o, history):
        """Whether the program ends here: the last of that name that does."""
        last = [x for x in history.operations if x.kind == "mark" and x.what == "exit" and x.program == self.program][-1]
        if last.detail != self.code:
            raise ValueError("%s exits %d" % (self.program, last.detail))
        return o is last

    def play(self, history, choose):
        """Yields what is wrong with each of the states that choose(disk, operation) gives."""
        disk, ended = Disk(history), False
        for o in disk.play():
            ended = ended or self.ends(o, history)
            for state in choose(disk, o):
                yield self.judge(Files(state), ended), state, ended

    def check(self, history, rng, most, budget=None, first=False):
        tally, states = Tally(), set()

        def choose(disk, _):
            tally.cuts += 1
            yield from disk.states(rng, most)
            tally.sampled |= disk.sampled
        for wrong, state, ended in self.play(history, choose):
            tally.judged += 1
            tally.promises += ended
            states.add(hash(state))
            tally.wrong += [text + "\n" + show(state) for text in wrong]
            if first and tally.wrong:
                break
        tally.found = tally.tried = len(states)
        return tally

    def catches(self, history, sync):
        lost = covered(history, sync)
        for wrong, _, _ in self.play(history.without(sync), lambda disk, o: disk.states_without(lost) if o.begin >= sync.begin else ()):
            if wrong:
                return wrong[0]
        return None


class RepairReplay(ProgramReplay):
    """For a program that repairs the queue. The judge is told what comes of a state

      once the program has ended    when the system is started on it
      before                        when the program is run again and the system started; and when
                                    somebody starts the system first"""

    def __init__(self, drains, repair, numbers, judge, program, code):
        super().__init__(judge, program, code)
        self.drains, self.repair, self.numbers = drains, repair, numbers

    def ways(self, ended):
        return ["start"] if ended else ["repair start", "start repair start"]

    def outcomes(self, history, choose):
        """Yields what is wrong with each of these states, each of them once before and once after the end."""
        disk, ended, seen, waiting = Disk(history), False, set(), deque()

        def settle(enough):
            while len(waiting) > enough:
                state, way, future = waiting.popleft()
                outcome = future.result()
                yield [text + ", then: " + way for text in self.judge(outcome)], state, outcome
        for o in disk.play():
            ended = ended or self.ends(o, history)
            for state in choose(disk, o):
                if (state, ended) not in seen:
                    seen.add((state, ended))
                    for way in self.ways(ended):
                        waiting.append((state, way, self.drains.submit(state, way, self.repair, self.numbers)))
                    yield from settle(AT_ONCE)
        yield from settle(0)

    def check(self, history, rng, most, budget=None, first=False):
        tally, kept, last = Tally(), [], []

        def choose(disk, o):
            tally.cuts += 1
            found = list(disk.states(rng, most))
            tally.sampled |= disk.sampled
            return found
        # first all of them, so that a sample can be taken from them
        for o, ended, state in self.states(history, choose):
            (last if ended else kept).append((o, state))
        unique = list(dict.fromkeys(state for _, state in kept))
        tally.found = len(unique) + len(set(state for _, state in last))
        if budget and budget < len(unique):
            tally.sampled = True
            unique = rng.sample(unique, budget)
        chosen = set(unique) | {state for _, state in last}
        tally.tried = len(chosen)
        for wrong, state, outcome in self.outcomes(history, lambda disk, o: [s for s in disk.states(rng, most) if s in chosen]):
            tally.judged += 1
            tally.promises += len(self.judge.due)
            tally.wrong += [text + "\n" + show(state, outcome) for text in wrong]
            if first and tally.wrong:
                break
        return tally

    def states(self, history, choose):
        disk, ended = Disk(history), False
        for o in disk.play():
            ended = ended or self.ends(o, history)
            for state in choose(disk, o):
                yield o, ended, state

    def catches(self, history, sync):
        lost = covered(history, sync)
        choose = lambda disk, o: disk.states_without(lost) if o.begin >= sync.begin else ()
        for wrong, _, _ in self.outcomes(history.without(sync), choose):
            if wrong:
                return wrong[0]
        return None


def played(name, world, drains):
    """Runs and records the scene of that name: (replay, history)."""
    if name in SCENES:
        history = SCENES[name](world)
        replay = QueueReplay(drains)
    elif name in REPAIRS:
        scene, program, code = REPAIRS[name]
        history, numbers, judge, repair = scene(world)
        replay = RepairReplay(drains, repair, numbers, judge, program, code)
    else:
        scene, program, code = PROGRAMS[name]
        history, judge = scene(world)
        replay = ProgramReplay(judge, program, code)
    world.reset()
    return replay, history


def covered(history, sync):
    """The operations that this sync makes stable."""
    disk = Disk(history)
    for _ in disk.play():
        pass
    return disk.vouched[sync]
