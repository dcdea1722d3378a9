"""load_ledger - judges what load.t has found against what was sent, and explains duplicates.

Lost, altered, half, to the wrong one, never sent: each is a violation. A second copy must be
explained by the log of qmail-send: by an attempt whose result is not there, because qmail-send or
a spawner was killed, or that was cut off: the program crashed, or the other host hung up when it
had the message. It is allowed one such copy for each."""
import os, re
from collections import Counter, defaultdict

from load_mail import LIST, LIST_SENDER, FORWARDED, ME, OWNER, POSTMASTER, Found, core, head, logged_as

# what a deferral says that may have come too late, and who has made it so
CUT_OFF = [(re.compile(p), cause) for p, cause in (
    (r"qmail-local_crashed|child_crashed", "qmail-local killed"),
    (r"qmail-remote_crashed", "qmail-remote killed"),
    (r"Possible_duplicate", "the other host hung up"),
    (r"qq_", "qmail-queue killed"))]
LOST = "qmail-send or a spawner killed"
AGAIN = "qmail-send or qmail-clean killed before the entry in todo/ was gone"
ENTRIES_MAX = 128  # so many are delivered while their entries are there
# what it may complain about: partners that were killed, a bounce whose qmail-queue was, and a
# predecessor that has not gone yet
COMPLAINTS = re.compile(r"alert: oh no! lost (spawn|qmail-clean) connection! dying\.\.\.$|alert: cannot start: (hath the daemon spawn no fire\?|qmail-send is already running)$|"
                        r"warning: trouble injecting bounce message, will try later$|warning: qmail-clean unable to clean up (foop|todo)/\d+$")


class Log:
    """What the log of qmail-send says about attempts. lines: without time stamps."""

    def __init__(self, lines):
        self.unsure = defaultdict(Counter)  # (sender, recipient) -> causes
        self.successes = Counter()          # (number, qp, recipient)
        self.instances = defaultdict(set)   # sender -> (number, qp): how often it was in the queue
        self.missing = 0                    # deliveries whose start is not in the log
        self.taken_again = 0                # recipients reached before their message was taken once more
        self.results = Counter()
        self.complaints = []
        self.latest = 0
        self._open, self._who = {}, {}
        for line in lines:
            self._line(line)
        self._restarted()

    def _taken(self, sender, instance):
        """Once more, if its entry in todo/ was still there: who was reached is reached again."""
        if instance in self.instances[sender]:
            for (number, qp, recipient), times in list(self.successes.items()):
                if (number, qp) == instance and times:
                    self.unsure[(sender, recipient)][AGAIN] += times
                    self.taken_again += times
                    self.successes[(number, qp, recipient)] = 0
        self.instances[sender].add(instance)

    def _restarted(self):
        for who in self._open.values():
            self.unsure[who[2:]][LOST] += 1
        self._open = {}
        self.latest = 0

    def _line(self, line):
        if line.startswith(("warning: ", "alert: ")):
            self.complaints.append(line)
            return
        m = re.match(r"info msg (\d+): bytes \d+ from <(.*)> qp (\d+) uid \d+$", line)
        if m:
            self._who[m[1]] = (m[2], m[3])
            self._taken(m[2], (m[1], m[3]))
            return
        m = re.match(r"starting delivery (\d+): msg (\d+) to (?:local|remote) (.*)$", line)
        if m:
            number = int(m[1])
            if number <= self.latest:
                self._restarted()
            self.missing += number - self.latest - 1
            self.latest = number
            sender, qp = self._who.get(m[2], ("?", "?"))
            self._open[number] = (m[2], qp, sender, m[3])
            return
        m = re.match(r"delivery (\d+): (success|deferral|failure): (.*)$", line)
        if m and int(m[1]) in self._open:
            number, qp, sender, recipient = self._open.pop(int(m[1]))
            self.results[m[2]] += 1
            if m[2] == "success":
                self.successes[(number, qp, recipient)] += 1
            elif m[2] == "deferral":
                for pattern, cause in CUT_OFF:
                    if pattern.search(m[3]):
                        self.unsure[(sender, recipient)][cause] += 1
                        break


class Judgement:
    def __init__(self):
        self.wrong = []
        self.duplicates = Counter()  # by cause
        self.kept = Counter()
        self.fragments = 0

    def find(self, text, *values):
        self.wrong.append(text % values)


def judge(ledger, found, fragments, log, kills, seed):
    """kills: how often what was killed. fragments: of mboxes, what is not whole."""
    j = Judgement()
    copies = defaultdict(list)  # token -> (kind, recipient), one for each copy
    for f in found:
        if f.wrong:
            j.find("%s: %s, %s: %s", f.where, f.kind, f.token, f.wrong)
        for r in f.recipients if not f.wrong else ():
            copies[f.token].append((f.kind, r))
    surplus = []
    for token, mail in ledger.mails.items():
        count = Counter(copies.pop(token, ()))
        expected = set(mail.expected())
        j.kept[mail.outcome] += 1
        for what in set(count) - expected:
            j.find("%s: %s to %s was not asked for", token, *what)
        if mail.outcome == "refused" and count:
            j.find("%s: refused (%s), and delivered: %s", token, mail.answer, dict(count))
        if mail.outcome == "accepted" or mail.outcome == "unclear" and count:
            for what in expected - set(count):
                j.find("lost: %s: %s to %s of a message %s by %s from %s to %s (%s)", token, *what, mail.outcome, mail.by, mail.sender,
                       mail.recipients, mail.answer)
            j.kept["recipients"] += len(expected)
        surplus += [(mail, what, n - 1) for what, n in count.items() if n > 1]
        forwards = [f for f in FORWARDED if f in mail.recipients]
        most = 1 + len(forwards) + sum(sum(log.unsure[(mail.sender, f)].values()) for f in forwards)
        if len(log.instances.get(mail.sender, ())) > most:
            j.find("%s was in the queue %d times: %s", token, len(log.instances[mail.sender]), log.instances[mail.sender])
    for token, what in copies.items():
        j.find("never sent: %s %s", token, what)
    explain(j, surplus, log, kills)
    for path, content in fragments:
        if fragment(ledger, content, seed):
            j.fragments += 1
        else:
            j.find("%s: neither whole nor the beginning of a message: %r", path, content[:300])
    if j.fragments > kills["qmail-local"]:
        j.find("%d messages cut off in mboxes, %d kills of qmail-local", j.fragments, kills["qmail-local"])
    killed = kills["qmail-send"] + kills["qmail-clean"]
    if log.taken_again > ENTRIES_MAX * killed:
        j.find("%d deliveries made again, as the entry in todo/ was there; %d kills of qmail-send and qmail-clean", log.taken_again, killed)
    twice = sum(max(0, n - 1) for n in log.successes.values())
    if twice > kills["qmail-send"]:
        j.find("%d deliveries made again after success, %d kills of qmail-send", twice, kills["qmail-send"])
    return j


def explain(j, surplus, log, kills):
    """Finds a cause for every copy too many."""
    left = {who: Counter(causes) for who, causes in log.unsure.items()}
    # not told apart by message: a list's second pass, bounces of bounces; a bounce made twice
    lists, doubles = Counter(), Counter()
    for (sender, recipient), causes in log.unsure.items():
        if sender == LIST_SENDER or recipient == OWNER:
            lists.update(causes)
        if recipient == POSTMASTER:
            doubles.update(causes)
    again = Counter({"qmail-queue or qmail-send killed in a bounce": kills["qmail-queue"] + kills["qmail-send"]})
    holes = Counter({"its line is missing in the log": log.missing if kills["multilog"] else 0})

    def take(pools, of_each=None):
        for pool in pools:
            for cause, n in pool.items():
                if n > 0:
                    pool[cause] -= 1
                    return cause
        return None
    second = {}  # a first pass made twice doubles each recipient of it
    for mail, (kind, recipient), times in surplus:
        own = lambda r: left.get((mail.sender, logged_as(r)), Counter())
        if mail.recipients == [LIST]:
            first = second.setdefault((mail.token, recipient, kind), Counter(own(LIST)))
            pools = [first, lists, again] if kind == "bounce" else [first, lists]
        elif kind == "copy":
            pools = [own(recipient)] + [own(first) for first, last in FORWARDED.items() if last == recipient]
        elif kind == "bounce":
            pools = [left.get(("", mail.sender), Counter()), again]
        else:
            pools = [doubles, left.get(("", mail.sender), Counter()), again]
        for _ in range(times):
            cause = take(pools + [holes])
            if cause:
                j.duplicates[cause] += 1
            else:
                j.find("without a cause twice: %s of %s to %s, from %s to %s; the log: %s", kind, mail.token, recipient, mail.sender, mail.recipients,
                       {w: dict(c) for w, c in log.unsure.items() if mail.token in w[0]})


def fragment(ledger, content, seed):
    """Whether it is what a killed append leaves: the beginning of a message."""
    at = content.find(b"\nX-Load: ") + 1
    if not at:
        return len(content) < 2000
    token = content[at + 8:at + 15].decode("latin1")
    mail = ledger.mails.get(token)
    return bool(mail) and (head(token, mail.sender) in content) and core(token, seed).startswith(content[at:])
