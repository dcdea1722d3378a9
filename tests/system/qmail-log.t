#!/usr/bin/python3
"""qmail-log: real mail, delivered, put off and bounced, is logged by multilog and asked
for; then logs that are cut, mixed, hostile or too large for a careless reader."""
import html.parser, json, random, resource
import xml.etree.ElementTree as xml

from reqmail import *

MULTILOG, TAI64NLOCAL = shutil.which("multilog"), shutil.which("tai64nlocal")
if not MULTILOG or not TAI64NLOCAL:
    skip_all("no multilog (daemontools)")
tree = Tree()
log_dir = os.path.join(tree.scratch, "main")


def ask(log, *arguments, env=None):
    """qmail-log's exit code and what it says."""
    result = subprocess.run([tree.bin("qmail-log"), *arguments], input=log, capture_output=True, timeout=300,
                            env=env or {"TZ": "UTC0"})
    if result.stderr and result.returncode != 100:
        note(result.stderr.decode("latin1"))
    return result.returncode, result.stdout.decode()


def history(log, *arguments):
    """The messages of a history, and its last words."""
    code, text = ask(log, "-j", *arguments)
    lines = [json.loads(line) for line in text.splitlines()]
    same(lines[-1]["type"], "end", "%s: the last line" % (arguments,))
    same(code, 0 if len(lines) > 1 else 1, "%s: exit code" % (arguments,))
    return lines[:-1]


def summary(log, *arguments):
    code, text = ask(log, "-j", *arguments)
    same(code, 0, "summary: exit code")
    return json.loads(text)


# -- the page

class Elements(html.parser.HTMLParser):
    """What a browser makes of it: the names of elements and all attributes."""

    def __init__(self, text):
        super().__init__()
        self.names, self.attributes, self.text = set(), [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.names.add(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.text.append(data)


def page(log, name, *arguments):
    """The page, checked, as an XML tree and as text."""
    code, text = ask(log, "-w", *arguments)
    same(code, 0, name + ": exit code")
    parsed = Elements(text)
    allowed = set("html head meta title style body header main footer section h1 h2 p b ul li svg desc path rect text div table "
                  "caption thead tbody tr th td details summary".split())
    same(parsed.names - allowed, set(), name + ": elements")
    bad = [a for a in parsed.attributes if a[0].startswith("on") or a[0] in ("href", "src", "style", "xlink:href", "action")]
    same(bad, [], name + ": attributes")
    ok("url(" not in text and "@import" not in text and not re.search("https?://", re.sub(r"(?s)<t[hd].*?</t[hd]>|<text.*?</text>", "", text)),
       name + ": nothing from elsewhere")
    try:
        root_element = xml.fromstring(text)
    except xml.ParseError as e:
        ok(False, name + ": well-formed", e)
        return None, text
    ids = [e.get("id") for e in root_element.iter() if e.get("id")]
    same(len(ids), len(set(ids)), name + ": ids are unique")
    for svg in root_element.iter("svg"):
        check_svg(svg, name, ids)
    for labelled in root_element.iter("section"):
        ok(labelled.get("aria-labelledby") in ids, name + ": a section has a title")
    return root_element, text


def check_svg(svg, name, ids):
    title, desc = svg.find("title"), svg.find("desc")
    ok(title is not None and title.text and desc is not None and desc.text and svg.get("aria-labelledby").split() == [title.get("id"), desc.get("id")],
       name + ": a chart has a title and a description")
    _, _, width, height = map(float, svg.get("viewBox").split())
    wrong = []
    for rect in svg.iter("rect"):
        x, y, w, h = (float(rect.get(a)) for a in ("x", "y", "width", "height"))
        if w <= 0 or h <= 0 or x < 0 or y < 0 or x + w > width + 1 or y + h > height + 1:
            wrong.append(xml.tostring(rect))
    for text in svg.iter("text"):
        if not (0 <= float(text.get("x")) <= width and 0 <= float(text.get("y")) <= height and text.text):
            wrong.append(xml.tostring(text))
    for path in svg.iter("path"):
        if not re.fullmatch(r"([MVHLvZ][-0-9. ]*)+", path.get("d")) or "nan" in path.get("d"):
            wrong.append(path.get("d"))
    same(wrong[:5], [], "%s: %s: figures in place" % (name, title.text))


def table(root_element, caption):
    """The rows of a table of the page: its head, and the cells as texts."""
    for t in root_element.iter("table"):
        if t.find("caption").text == caption:
            return [["".join(c.itertext()) for c in row] for row in t.iter("tr")]
    return []


# -- real mail

def start():
    os.mkdir(log_dir)
    os.chmod(log_dir, 0o755)
    if root:
        os.chown(log_dir, *tree.ids(2))
    tree.process = subprocess.Popen([tree.bin("qmail-start"), "./Maildir/", MULTILOG, "t", log_dir], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", start_new_session=True,
                                    env={"PATH": tree.at("bin") + ":/usr/local/bin:/usr/bin:/bin"})


def current():
    return read(log_dir + "/current")


def logged(what, count):
    return ok(wait_for(lambda: current().count(what) >= count), "logged: %d of %r" % (count, what), current()[-2000:].decode("latin1"))


alice, bob = tree.user("alice"), tree.user("bob")
tree.dot_qmail("bob", "|echo not today; exit 111\n")
tree.alias("postmaster", "#\n")
good, refusing = Sink(), Sink({"RCPT": "550 5.1.1 <box@refuse.test> <script>alert('no')</script> \"&\""})
tree.control("smtproutes", "good.test:127.0.0.1:%d\nrefuse.test:127.0.0.1:%d\n" % (good.port, refusing.port))
BODY = b"Subject: probe\n\nbody\n"
start()
logged(b"status: local 0/", 1)
for sender, recipients in (("s1@far.test", ["alice@here.test"]), ("s2@far.test", ["bob@here.test"]), ("alice@here.test", ["nobody@here.test"]),
                           ("gone@here.test", ["nobody@here.test"]), ("S5@far.test", ["box@good.test"]),
                           ("alice@here.test", ["box@refuse.test"]), ("#@[]", ["nobody@here.test"])):
    same(tree.queue(BODY, sender, recipients), 0, "queued: " + sender)
logged(b": deferral: ", 1)
logged(b"end msg", 10)
tree.dot_qmail("bob", "./Maildir/\n")
tree.signal(signal.SIGALRM)
logged(b"end msg", 11)
ok(tree.stop(), "stopped")
logged(b"status: exiting", 1)
log = current()
note(log.decode("latin1"))

found_by = history(log, "-s", "s2@far.test")
same(len(found_by), 1, "by sender: one message")
m = found_by[0]
same((m["sender"], m["state"], [s["result"] for s in m["steps"]]), ("s2@far.test", "ended", ["deferral", "success"]), "by sender: what happened")
same(m["steps"][0]["text"], "not_today/", "by sender: why")
ok(all(0 <= s["seconds"] <= m["delay"] for s in m["steps"]) and m["delay"] > 0, "by sender: how long it took", m)
ok(m["accepted"] <= m["steps"][0]["time"] <= m["steps"][0]["end"] <= m["steps"][1]["time"] <= m["ended"], "by sender: times in order", m)
info = re.search(rb"info msg (\d+): bytes (\d+) from <s2@far.test> qp (\d+) uid (\d+)", log).groups()
same(tuple(m[k] for k in ("message", "bytes", "qp", "uid")), tuple(map(int, info)), "by sender: number, bytes, qp, uid")
same([x for x in history(log, "-q", info[2].decode()) if x["sender"] == "s2@far.test"], [m], "by qp")
ok(m in history(log, "-n", info[0].decode()), "by number")
same([x for x in history(log, "-n", info[0].decode()) if x["message"] != m["message"]], [], "by number: no other")
same(history(log, "-r", "BOB@*"), [m], "by recipient, a pattern in capitals")
same(sorted(x["sender"] for x in history(log, "-s", "s?@FAR.test")), ["S5@far.test", "s1@far.test", "s2@far.test"], "by sender, a pattern")
same(history(log, "-s", "s2@far.test", "-r", "alice@here.test"), [], "both must match")
same(len(history(log, "-s", "s2@far.test", "-s", "s1@far.test")), 2, "one of two must match")
same(sorted(x["sender"] for x in history(log, "-r", "nobody@here.test")), ["#@[]", "alice@here.test", "gone@here.test"], "by recipient")
bounced = [x for x in history(log, "-r", "box@refuse.test")][0]
same([s["event"] for s in bounced["steps"]], ["delivery", "bounce"], "a bounce is part of the history")
qp = bounced["steps"][1]["qp"]
same([s["recipient"] for x in history(log, "-q", str(qp)) if x["sender"] == "" for s in x["steps"]], ["alice@here.test"], "which can be followed")
same(len(history(log, "-s", "")), 3, "the null sender")
same([s["event"] for x in history(log, "-s", "#@[]", "-r", "nobody@*") for s in x["steps"]], ["delivery", "triple bounce"], "a triple bounce")
same(len(history(log, "-a")), 11, "all of them")
code, text = ask(log, "-s", "s2@far.test")
found(r"\Amessage %s from <s2@far\.test>, %s bytes, uid %s, qp %s\n  accepted  \d{4}-\d\d-\d\d [0-9:.]+\n  deferral  [-0-9]+ [0-9:.]+ delivery \d+ "
      r"local bob@here\.test, took .* s, .* after acceptance\n            not_today/\n  success   .*\n            did_1\+0\+0/\n  ended     .* after .* s\n\n"
      r"1 messages; \d+ lines\n\Z" % tuple(info[i].decode() for i in (0, 1, 3, 2)), text, "to be read")
same(ask(log, "-n", "1")[0], 1, "nothing found")

WANT = {"accepted": 11, "ended": 11, "unfinished": 0, "bounces": 3, "double_bounces": 1, "triple_bounces": 1, "older": 0, "replaced": 0,
        "forgotten": 0, "bytes": sum(map(int, re.findall(rb": bytes (\d+) from", log)))}
RESULTS = {"success": 6, "deferral": 1, "failure": 5, "recipients": 11}


def check_counts(s, name):
    same({k: s["messages"][k] for k in WANT}, WANT, name + ": messages")
    same({k: s["deliveries"][k] for k in RESULTS}, RESULTS, name + ": deliveries")
    same((s["deliveries"]["remote"]["success"], s["deliveries"]["remote"]["failure"]), (1, 1), name + ": remote")
    same((s["deliveries"]["lost"], s["log"]["unknown"]), (0, 0), name + ": nothing lost, nothing unknown")


s = summary(log)
check_counts(s, "summary")
same(s["log"]["lines"], log.count(b"\n"), "summary: lines")
same({d["domain"]: (d["deliveries"], d["success"], d["failure"]) for d in s["domains"]}, {"good.test": (1, 1, 0), "refuse.test": (1, 0, 1)}, "summary: domains")
same({d["sender"]: d["messages"] for d in s["senders"]},
     {"": 3, "alice@here.test": 2, "s1@far.test": 1, "s2@far.test": 1, "s5@far.test": 1, "gone@here.test": 1, "#@[]": 2}, "summary: senders")
same([(r["reason"], r["count"]) for r in s["deferrals"]], [("not today", 1)], "summary: reasons of deferrals")
same(sorted(r["count"] for r in s["failures"]), [1, 4], "summary: reasons of failures")
same(s["delays"]["message_ended"]["count"], 11, "summary: delays of messages")
same(s["delays"]["delivery_remote"]["count"], 2, "summary: delays of deliveries")
peaks = [max(int(n) for n in re.findall(rb"status: .*%s (\d+)/" % c, log)) for c in (b"local", b"remote")]
same([s["deliveries"][c]["peak"] for c in ("local", "remote")], peaks, "summary: most at a time")
same(sum(b["messages"] for b in s["series"]["bins"]), 11, "summary: series")
same([sum(b[r] for b in s["series"]["bins"]) for r in ("success", "deferral", "failure")], [6, 1, 5], "summary: series of results")
code, text = ask(log)
found(r"^messages +11 accepted, 11 ended, 0 unfinished$", text, "summary as text: messages")
found(r"^bounces +3, 1 double, 1 triple$", text, "summary as text: bounces")
found(r"6 success, 5 failure, 1 deferral$", text, "summary as text: results")

root_element, text = page(log, "page")
if root_element is not None:
    ok("<script" not in text.lower() and "&lt;script&gt;" in text, "page: a hostile reply is text")
    rows = table(root_element, "Messages and results in each span of time")
    same([sum(int(r[i].replace("\u202f", "")) for r in rows[1:]) for i in (1, 3, 4, 5)], [11, 6, 1, 5], "page: figures of the chart")
    same([r[1] for r in table(root_element, "Delays: so many of all took at most")[1:]],
         [str(s["delays"][d]["count"]) for d in ("delivery_local", "delivery_remote", "message_delivered", "message_ended")], "page: delays")
    same([(r[0], r[1]) for r in table(root_element, "Reasons of failures")[1:]], [(r["reason"], str(r["count"])) for r in s["failures"]],
         "page: reasons")
    same(len(list(root_element.iter("svg"))), 7, "page: charts")

# -- other stamps

lines = log.splitlines(True)
bare = b"".join(line.split(b" ", 1)[1] for line in lines)
local = subprocess.run([TAI64NLOCAL], input=log, capture_output=True, env={"TZ": "UTC0"}, timeout=60).stdout
same({k: v for k, v in summary(local).items() if k != "log"}, {k: v for k, v in s.items() if k != "log"}, "tai64nlocal's stamps say the same")
elsewhere = subprocess.run([TAI64NLOCAL], input=log, capture_output=True, env={"TZ": "ABC-5:30"}, timeout=60).stdout
code, text = ask(elsewhere, "-j", env={"TZ": "ABC-5:30"})
same(json.loads(text)["log"]["first"], s["log"]["first"], "tai64nlocal's stamps in a zone")
seconds = b"".join(b"%d.%06d %s" % (int(l[1:17], 16) - 2 ** 62 - 10, int(l[17:25], 16) // 1000, l[26:]) for l in lines)
syslog = b"".join(b"Nov 21 14:02:09 host qmail: " + line for line in seconds.splitlines(True))
for name, text in (("splogger's stamps", seconds), ("in a system log", syslog)):
    same({k: v for k, v in summary(text).items() if k != "log"}, {k: v for k, v in s.items() if k != "log"}, name + " say the same")
check_counts(summary(bare), "no stamps")
same(summary(bare)["delays"]["message_ended"]["p50"], None, "no stamps: no delays")
page(bare, "page without times")
page(b"", "page of nothing")
page(log, "page without rows", "-k", "0")
same(ask(b"")[0], 0, "nothing")
same([x["state"] for x in history(bare, "-a")], ["ended"] * 11, "no stamps: history")

# -- logs that are not whole

half = log.index(b"\n", len(log) // 2) + 9  # within a stamp
whole = log[log.index(b"\n", half):]
end = summary(log[half:])
same(end["messages"]["ended"], whole.count(b" end msg "), "the second half: messages that ended")
same(sum(end["deliveries"][r] for r in ("success", "deferral", "failure")), len(re.findall(rb" delivery \d+: (?:s|d|f)", whole)),
     "the second half: results")
ok(end["log"]["unknown"] <= 1, "the second half: one line is not whole")
begin = summary(log[:half])
same((begin["messages"]["accepted"] - begin["messages"]["ended"], begin["log"]["broken_end"]), (begin["messages"]["unfinished"], True),
     "the first half: unfinished messages")
history(log[half:], "-a"), history(log[:half], "-a")


def at(second, text):
    return b"@%016x%08x %s\n" % (1790000000 + second + 2 ** 62 + 10, 0, text)


restart = (at(0, b"status: local 0/10 remote 0/20") + at(1, b"new msg 5") + at(1, b"info msg 5: bytes 10 from <a@b> qp 1 uid 2")
           + at(2, b"starting delivery 1: msg 5 to remote x@y") + at(2, b"status: local 0/10 remote 1/20")
           + at(9, b"status: local 0/10 remote 0/20") + at(10, b"starting delivery 1: msg 5 to remote x@y") + at(10, b"status: local 0/10 remote 1/20")
           + at(12, b"delivery 1: success: y") + at(12, b"status: local 0/10 remote 0/20") + at(12, b"end msg 5"))
s = summary(restart)
same((s["deliveries"]["lost"], s["deliveries"]["success"], s["messages"]["unfinished"]), (1, 1, 0), "a restart ends deliveries")
same((s["deliveries"]["remote"]["peak"], s["deliveries"]["remote"]["mean"]), (1, 0.75), "concurrency by the status lines")
ok(abs(s["delays"]["delivery_remote"]["p50"] - 2) < 0.04 and s["delays"]["message_ended"]["max"] == 11, "delays", s["delays"])
same([x["result"] for x in history(restart, "-a")[0]["steps"]], ["cut off", "success"], "a restart in the history")
deeds = b"".join(at(i, t) for i, t in enumerate((b"new msg 5", b"info msg 5: bytes 1 from <a@b> qp 1 uid 2", b"held msg 5", b"released msg 5",
                                                b"try msg 5", b"return msg 5", b"delete msg 5", b"new msg 5", b"end msg 5")))
m = history(deeds, "-n", "5")
same([s["event"] for s in m[0]["steps"]], ["held", "released", "try", "return", "delete"], "what an admin did")
same([x["state"] for x in m], ["replaced", "ended"], "a number that comes again is another message")
back = at(100, b"new msg 5") + at(50, b"starting delivery 1: msg 5 to local a") + at(40, b"delivery 1: success: x") + at(30, b"end msg 5")
s = summary(back)
same((s["log"]["backward"], s["delays"]["delivery_local"]["count"], s["messages"]["ended"]), (3, 0, 1), "a clock set back")
page(back, "page with a clock set back")
SMTP = (at(0, b"qmail-smtpd: pid 5 ip 192.0.2.1 reject mail <spam@x.test> rcpt <alice@here.test> helo h: 553 sorry (#5.7.1)")
        + at(1, b"qmail-smtpd: pid 6 ip 192.0.2.2 accept mail <a@b.test> rcpt <alice@here.test> helo h: 250 ok 17 qp 99"))
same([(x["event"], x["ip"]) for x in history(SMTP, "-r", "alice@here.test")], [("reject", "192.0.2.1"), ("accept", "192.0.2.2")], "qmail-smtpd's decisions")
same([x["qp"] for x in history(SMTP, "-q", "99")], [99], "qmail-smtpd's decision by qp")
same((summary(SMTP)["smtp"], summary(SMTP)["clients"][0]["address"]), ({"accepted": 1, "refused": 1}, "192.0.2.1"), "and in the summary")

# -- hostile logs

EVIL = b"</title></style></text><script>alert(1)</script><img src=x onerror=y>\"'&\x00\x01\x1b\x7f\x85\xff\xc3\xe2\x80\xae]]>--><!--"
evil = b"".join(at(i, t) for i, t in enumerate((
    b"new msg 5", b"info msg 5: bytes 1 from <" + EVIL + b"> qp 1 uid 2", b"starting delivery 1: msg 5 to remote x@" + EVIL, b"status: local 0/1 remote 1/1",
    b"delivery 1: failure: " + EVIL, b"starting delivery 2: msg 5 to remote y@" + EVIL * 9, b"delivery 2: deferral: " + EVIL * 100,
    b"qmail-smtpd: pid 5 ip " + EVIL.replace(b" ", b"") + b" reject mail <s> rcpt <r> helo h: " + EVIL, b"x" * 3000000, b"new msg " + b"9" * 400000,
    b"status: local 99999999999999999999/1 remote 1/1", b"\0", b"status: local 0/1 remote 0/1", b"end msg 5")))
root_element, text = page(evil, "hostile page")
ok("<script" not in text and "<img" not in text, "hostile page: no markup of others")
same(len(history(evil, "-a")), 3, "hostile history is JSON")
same(summary(evil)["log"]["cut"], 2, "long lines are cut")
for mode in ((), ("-a",), ("-s", "*")):
    code, text = ask(evil, *mode)
    ok(re.fullmatch(r"[ -~\n]*", text), "%s: a terminal gets nothing but text" % (mode,), repr(text)[:1000])
rng = random.Random(1)
for trial in range(20):
    pieces = log.splitlines(True)
    for _ in range(10):
        i = rng.randrange(len(pieces))
        pieces[i] = rng.choice([pieces[i][:rng.randrange(30)], pieces[i][::-1], b"", pieces[i] * 2, bytes(rng.randrange(256) for _ in range(50)), EVIL])
    rng.shuffle(pieces)
    for mode in ("-w", "-j", "-aj"):
        code, text = ask(b"".join(pieces), mode)
        if code not in (0, 1):
            ok(False, "a mixed log", (code, trial, mode))
        if mode == "-w":
            xml.fromstring(text)
        else:
            [json.loads(line) for line in text.splitlines()]
ok(True, "mixed logs")


def flood(count):
    """Every sender, domain and reason is new, and no message ends."""
    for i in range(count):
        yield (b"new msg %d\ninfo msg %d: bytes 1 from <user%d@%d.test> qp 1 uid 2\nstarting delivery %d: msg %d to remote x@host%d.test\n"
               b"delivery %d: deferral: no_%s/\n" % (i, i, i, i, i, i, i, i, bytes(97 + (i >> 4 * k) % 16 for k in range(6))))


if sanitized:
    skip(4, "sanitizers need memory")
else:
    many = b"".join(flood(300000))

    def little_memory():
        resource.setrlimit(resource.RLIMIT_AS, (160 << 20, 160 << 20))
    for mode in ("-j", "-w", "-aj"):
        p = subprocess.Popen([tree.bin("qmail-log"), mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=little_memory)
        threading.Thread(target=lambda: (p.stdin.write(many), p.stdin.close()), daemon=True).start()
        output = p.stdout.read()
        same(p.wait(300), 0, "%s: a flood fits into little memory" % mode)
    lines = output.splitlines()
    ok(len(lines) == 300001 and json.loads(lines[-1])["given_up"] > 0, "what was given up is counted", lines[-1])

# -- usage

for arguments in (("-x",), ("-k",), ("-k", "many"), ("-k", "99999"), ("-n", "x"), ("-q", "-1"), ("-w", "-j"), ("-w", "-a"), ("operand",), ("-s",)):
    result = subprocess.run([tree.bin("qmail-log"), *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    ok(result.returncode == 100 and result.stderr.startswith(b"usage: ") and not result.stdout, "usage: %s" % (arguments,), result)
with open("/dev/full", "wb") as full:
    same(subprocess.run([tree.bin("qmail-log")], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.DEVNULL, timeout=60).returncode, 111,
         "the answer cannot be written")
same(subprocess.run([tree.bin("qmail-log")], stdin=os.open("/", os.O_RDONLY), capture_output=True, timeout=60).returncode, 111,
     "the log cannot be read")
done()
