"""load_mail - the messages of load.t: what they are, whom they are for, what must become of them.

A message is known by a token, which is in its sender and in its last header field, X-Load. All
from that field to the end is its core, compared by hash; in front of it stands its head, and in
front of that only what mail systems add on the way.

Sender and recipients tell what must happen: place() says where each recipient's copies go, or that
it fails and the sender is told, or that the sender cannot be told and the postmaster is."""
import hashlib, random, re

ME, VIRTUAL = "here.test", "v.test"
OK, SLOW, DROP, BUSY, NO, DEAD, RESET = ("%s.far.test" % n for n in ("ok", "slow", "drop", "busy", "no", "dead", "rst"))
HOSTS = (OK, SLOW, DROP, BUSY, NO, DEAD, RESET)

MAILDIRS = ["m%d" % i for i in range(4)]
MBOXES = ["b0", "b1"]
LIST = "list-news@" + ME
MEMBERS = ["m0@" + ME, "b0@" + ME, "x-l@" + VIRTUAL, "r@" + OK, "no-member@" + NO]
LIST_SENDER = "list-news-owner-@%s-@[]" % ME
OWNER = "list-news-owner-@" + ME  # to whom its bounces go
FORWARDED = {"fwd@" + ME: "copy@" + OK}
POSTMASTER = "postmaster@" + ME

# Whom mail is for, and how often. Those here take it whoever asks.
LOCAL = [(u + "@" + ME, 6) for u in MAILDIRS + MBOXES] + [
    ("prog@" + ME, 5), ("flaky@" + ME, 3), ("fwd@" + ME, 5), ("bad@" + ME, 2), ("x-%d@%s", 6)]
REMOTE = [("r@" + OK, 8), ("r@" + SLOW, 4), ("r@" + DROP, 5), ("r@" + BUSY, 4), ("yes@" + NO, 3), ("no-1@" + NO, 3),
          ("r@" + DEAD, 4), ("r@" + RESET, 4)]
FAILING = {"bad@" + ME, "no-1@" + NO, "no-member@" + NO, "nobody@" + ME}

LINES = [b"", b".", b"..", b".dot", b"From here on", b">From there", b"x" * 990, b"caf\xe9 \xff\x80", b"tab\tand space ",
         b"Lorem ipsum dolor sit amet, consectetur adipiscing elit", b"--- Below this line is a copy of the message.", b"<no@where.test>:"]


def logged_as(recipient):
    """A recipient as the log of qmail-send has it."""
    return "virt-" + recipient if recipient.endswith("@" + VIRTUAL) else recipient


def head(token, sender):
    """As complete as qmail-inject wants it, so that it adds nothing."""
    return (b"Date: 21 Nov 2026 12:00:00 -0000\nMessage-ID: <%s@load.test>\nFrom: %s\nTo: load@%s\nSubject: load\n"
            % (token.encode(), (sender or "nobody@load.test").encode(), ME.encode()))


def core(token, seed):
    rng = random.Random("%s %s" % (seed, token))
    pick = rng.random()
    size = rng.randrange(200, 2000) if pick < 0.7 else rng.randrange(2000, 20000) if pick < 0.96 else rng.randrange(50000, 200000)
    lines = rng.choices(LINES, k=size // 90 + 1)
    return b"X-Load: %s\n\n" % token.encode() + b"\n".join(lines) + b"\nend of %s\n" % token.encode()


def digest(content):
    return hashlib.sha256(content).digest()


class Mail:
    """One message: what was asked for and what was answered. outcome is one of

      accepted   the client was told that it is: every recipient gets it or the sender hears of it
      unclear    no answer, or one that blames trouble: all or nothing
      refused    answered for good that it is not, or the client went away before its end: nothing"""

    def __init__(self, number, seed, rng, trusted):
        self.token = "t%06d" % number
        self.sender = self._sender(rng)
        self.recipients = self._recipients(rng, trusted)
        content = core(self.token, seed)
        self.head = head(self.token, self.sender)
        self.digest, self.size = digest(content), len(content)
        self.text = self.head + content  # until it has been sent
        self.outcome, self.answer, self.by = "refused", "", ""

    def _sender(self, rng):
        pick = rng.random()
        if pick < 0.03:
            return "bad-%s@%s" % (self.token, ME)
        if pick < 0.06:
            return "no-%s@%s" % (self.token, NO)
        return "s-%s@%s" % (self.token, ME)

    def _recipients(self, rng, trusted):
        if rng.random() < 0.04:
            return [LIST]
        pool = LOCAL + (REMOTE if trusted else [])
        names, weights = zip(*pool)
        chosen = rng.choices(names, weights, k=rng.choice([1, 1, 1, 2, 3, 5]))
        if trusted == "unchecked" and rng.random() < 0.05:
            chosen.append("nobody@" + ME)
        return sorted(set(n % (rng.randrange(5), VIRTUAL) if "%" in n else n for n in chosen))

    def expected(self):
        """What must be found, as pairs: ("copy", recipient), ("bounce", failed recipient) or
        ("double", failed recipient)."""
        result = []
        for r in self.recipients:
            members = MEMBERS if r == LIST else [FORWARDED.get(r, r)]
            for m in members:
                if m not in FAILING:
                    result.append(("copy", m))
                elif r == LIST or self.sender.startswith("s-"):
                    result.append(("bounce", m))
                else:
                    result.append(("double", m))
        return result


# -- what has been found

class Found:
    """A copy in a mailbox or at a server."""

    def __init__(self, where, token, kind, recipients, wrong=""):
        self.where, self.token, self.kind, self.recipients, self.wrong = where, token, kind, recipients, wrong


TRACE = re.compile(rb"(?:(?:Return-Path|Delivered-To|Received):[^\n]*\n(?:[ \t][^\n]*\n)*)*")
BOUNCE = b"\n\n--- Below this line is a copy of the message.\n\n"
DOUBLE = b"\n\n--- Below this line is the original bounce.\n\n"
NOTICE = re.compile(rb"Date: [^\n]+\nFrom: MAILER-DAEMON@%s\nTo: [^\n]+\nSubject: failure notice\n\nHi. This is the qmail-send program at %s\.\n"
                    % ((ME.encode(),) * 2))


class Ledger:
    """The messages by token."""

    def __init__(self):
        self.mails = {}

    def add(self, mail):
        self.mails[mail.token] = mail

    def whole(self, content):
        """The token of a message with nothing but traces in front of it, and what is wrong."""
        at = content.find(b"\nX-Load: ") + 1
        token = content[at + 8:content.find(b"\n", at)].decode("latin1") if at else ""
        mail = self.mails.get(token)
        if not mail:
            return token, "a message that was never sent"
        before = content[:at]
        if digest(content[at:]) != mail.digest:
            return token, "not what was sent"
        if not before.endswith(mail.head) or not TRACE.fullmatch(before[:-len(mail.head)]):
            return token, "its header has changed"
        return token, ""

    def read(self, where, content, recipient=None):
        """A mailbox's message, or a server's. recipient: else that of the first Delivered-To."""
        trace = TRACE.match(content).group()
        delivered = re.search(rb"^Delivered-To: (.*)\n", trace, re.M)
        to = recipient or (delivered.group(1).decode("latin1") if delivered else "")
        to = to[5:] if to.startswith("virt-") else to
        rest = content[len(trace):]
        if not NOTICE.match(rest):
            token, wrong = self.whole(content)
            return Found(where, token, "copy", [to], wrong)
        kind = "bounce"
        if b"but the bounce bounced!" in rest[:1000]:
            _, _, rest = rest.partition(DOUBLE)
            kind, rest = "double", rest[len(TRACE.match(rest).group()):]
            if not NOTICE.match(rest):
                return Found(where, "", kind, [], "no bounce in it")
        notes, _, original = rest.partition(BOUNCE)
        failed = sorted(set(r.decode("latin1") for r in re.findall(rb"^<(.+)>:$", notes, re.M)))
        token, wrong = self.whole(original)
        if kind == "bounce" and not wrong and to not in (self.mails[token].sender, OWNER):
            wrong = "a bounce for " + to
        return Found(where, token, kind, failed, wrong)
