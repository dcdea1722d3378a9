#!/usr/bin/python3
"""The pages of doc/ and the texts README and INSTALL against the rest: what they name is
there. Every page of the list is there and gets installed; every program, option,
control file, manual page, setting of a service, other page and source file that is
named exists; what they quote as a log line, an SMTP reply or a message is a text of the
sources."""
import glob
from reqmail import *

PAGES = """FAQ UPGRADE SENDMAIL INSTALL INSTALL.alias INSTALL.ctl INSTALL.ids INSTALL.maildir INSTALL.mbox INSTALL.vsm TEST.deliver
TEST.receive REMOVE.sendmail REMOVE.binmail PIC.local2alias PIC.local2ext PIC.local2local PIC.local2rem PIC.local2virt PIC.nullclient
PIC.relaybad PIC.relaygood PIC.rem2local""".split()


def at(*parts):
    return os.path.join(SOURCE, *parts)


def text_of(path):
    return read(path).decode()


tree = Tree()
docs = {os.path.basename(p): text_of(p) for p in glob.glob(at("doc/*"))}
texts = dict(docs, README=text_of(at("README")), INSTALL=text_of(at("INSTALL")))
everything = "\n".join(texts.values())

same(sorted(set(p + ".md" for p in PAGES) - set(docs)), [], "every page is there")
same({n: oct(os.stat(tree.at("doc", n)).st_mode & 0o7777) for n in docs if os.path.exists(tree.at("doc", n))}, {n: "0o644" for n in docs},
     "and installed, with its mode")
same([n for n in docs if read(tree.at("doc", n)).decode() != docs[n]], [], "as it is")
same([n for n, t in docs.items() if not re.search(r"\nRead next: .*(\n.+)*\n\Z", t)], [], "each ends with what to read next")
same([n for n, t in texts.items() if not t.endswith("\n") or "\t" in t or re.search(r"[^\x20-\x7e\n\u00b7]", t)], [], "plain text")
same([(n, l) for n, t in texts.items() for l in t.splitlines() if len(l) > 120 and not l.startswith("|")], [], "no line is too long")

# -- what is named

makefile = text_of(at("Makefile")).replace("\\\n", " ")
programs = {w.split("/")[1] for line in re.findall(r"(?m)^PROGRAMS *\+?= (.*)$", makefile) for w in line.split()}
helpers = {w.split("/")[1] for line in re.findall(r"(?m)^HELPERS *= (.*)$", makefile) for w in line.split()} | {"config-fast", "install"}
ours = {w for w in re.findall(r"(?<![\w./-])((?:qmail|qmtp|qmqp)-[a-z0-9]+(?:-[a-z0-9]+)*)(?![\w-])", everything)}
pages = {os.path.basename(p).rsplit(".", 1)[0] for p in glob.glob(at("man/*"))}
same(sorted(ours - programs - helpers - pages), [], "programs and pages named qmail-*")
ok(len(ours) > 25, "there are such names", ours)
by_path = set(re.findall(r"/var/qmail/bin/([a-z0-9-]+)", everything)) | set(re.findall(r"(?<![\w/])bin/(qmail-[a-z]+)", everything))
same(sorted(by_path - programs - {"checkpassword-auth"}), [], "programs named by their path")

manual = re.findall(r"(?<![\w-])([a-z][a-z0-9.-]*)\(([1-8])\)", everything)
same(sorted({n for n, s in manual if not os.path.exists(at("man", n + "." + s)) and n not in TO_COME and n.startswith(("qmail", "dot-", "mini", "maildir", "mbox", "prel"))}), [],
     "manual pages")
ok(len(manual) > 20, "there are such names")
same(sorted({n for n, s in manual if not os.path.exists(at("man", n + "." + s)) and n not in TO_COME}), [], "no others are named")

described = set(" ".join(re.findall(r"(?m)^\.It Pa (.*?)(?: Pq .*)?$", text_of(at("man/qmail-control.5")))).replace(",", " ").split())
named = set(re.findall(r"(?<![\w-])control/([a-z]+(?:\.cdb)?)(?![\w/.-])", everything)) | set(re.findall(r"(?<![\w-])control/([a-z]+\.cdb)", everything))
gone = {"recipientmap"}  # the page that names it says so
same(sorted(named - described - gone - {"me"}), [], "control files")
same("`control/recipientmap` is no more" in docs["UPGRADE.md"], True, "but for one that is no more")
ok(len(named) > 25, "there are such names", named)

settings = set(re.findall(r"/env/([A-Z0-9_]+)", everything)) | set(re.findall(r"\benv/([A-Z0-9_]+)", everything))
known = set(re.findall(r"\b([A-Z][A-Z0-9_]+)\b", "".join(text_of(p) for p in glob.glob(at("service/*/run")))))
known |= set(re.findall(r"(?m)^\.It Ev (.*)$", "".join(text_of(p) for p in glob.glob(at("man/*.[18]")))))
known = {w for entry in known for w in re.split(r"[ ,]+", entry)}
same(sorted(settings - known), [], "settings of services")
same(sorted(s for s in set(re.findall(r"/var/qmail/service/\.?([a-z][a-z0-9-]+)", everything)) | set(re.findall(r"build/service/([a-z][a-z.0-9-]+)", everything))
            if not os.path.exists(at("service", s))), [], "services")

others = set(re.findall(r"(?<![\w.])((?:FAQ|UPGRADE|SENDMAIL|INSTALL|TEST|REMOVE|PIC)(?:\.\w+)*\.md)", everything))
same(sorted(others - set(docs)), [], "pages that refer to each other")
same(sorted(set(docs) - others), [], "and every page is referred to")
same(sorted(p for p in re.findall(r"\b((?:src|tests|service|man|doc)/[\w./-]+\w)", everything) if not glob.glob(at(p)) and "/." not in p
            and not os.path.exists(at(p)) and not p.startswith(("service/send/env", "service/smtp/env", "service/submission/env", "service/pop3/env"))
            and not re.match(r"(service/\w+/(log|env)|man/(cat|man)\d)", p)), [], "files of the sources")
same(sorted(c for c in set(re.findall(r"`?(conf-[a-z]+)`?", everything)) if not os.path.exists(at(c))), [], "conf files")
same(sorted(b for b in set(re.findall(r"boot/([a-z0-9+]+)", everything)) if not os.path.exists(tree.at("boot", b))), [], "boot scripts")
same(sorted(t for t in set(re.findall(r"(?m)(?:^|`|\bor )make ([a-z]+)", everything)) if not re.search(r"(?m)^(?:\.PHONY:.*\b%s\b|%s:)" % (t, t), makefile)), [], "make targets")

# -- options of our programs, by their manual pages

def options(program):
    for section in "18":
        path = at("man", "%s.%s" % (program, section))
        if os.path.exists(path):
            return set("".join(re.findall(r"\bFl ([A-Za-z0-9]+)", text_of(path))))
    return None


wrong = []
for name, text in texts.items():
    for program in sorted(programs - {"forward", "except", "condredirect", "bouncesaying"} - ({"sendmail"} if "SENDMAIL" in name.upper() else set())):
        for words in re.findall(r"(?<![\w/-])(?:/var/qmail/bin/)?%s((?: -[A-Za-z0-9]+)+)(?![\w-])" % re.escape(program), text):
            known = options(program)
            wrong += [(name, program, words) for word in words.split() if known is not None and not set(word[1:]) <= known
                      and (program, word) not in (("qmail-showctl", "-c"), ("qmail-showctl", "-j"))]
same(wrong, [], "options are in the manual pages")

# -- what is quoted is a text of the sources

literals = set()
for path in glob.glob(at("src/*/*.[ch]")) + glob.glob(at("service/*/run")) + glob.glob(at("src/admin/*.sh")):
    source = text_of(path)
    if path.endswith((".c", ".h")):
        source = re.sub(r"/\*.*?\*/|'\\?\"'", " ", source, flags=re.S)
        source = re.sub(r'"\s*\n\s*"', "", re.sub(r'"\s*PRI\w+\s*"', "d", source))
    literals |= set(re.findall(r'"((?:[^"\\\n]|\\.)*)"', source)) | (set(source.splitlines()) if path.endswith(("run", "sh")) else set())
pieces = set()
for literal in literals:
    literal = literal.replace('\\"', '"').replace("\\n", "\n").replace("\\r", "\n").replace("\\t", "\n")
    pieces |= {p.strip() for p in re.split(r"%[-0-9.*]*(?:l|ll|j|z)?[a-zA-Z]|\n|\\\d+|\$\{?\w+\}?", literal) if len(p.strip()) >= 3}


def known_text(line):
    """A piece of the sources begins the line, or makes up a good part of it, or has it
    in it, but for a reply code."""
    line = line.replace("_", " ")
    if any(re.sub(r"^\d{3}[ -]", "", line) in p for p in pieces):
        return True
    found = [p for p in pieces if p in line]
    return any(line.startswith(p) and len(p) >= 5 for p in found) or any(len(p) >= 12 or len(p) * 2 > len(line) for p in found)


quoted = []
for name, text in docs.items():
    for kind, block in re.findall(r"^```(log|text)\n(.*?)^```$", text, flags=re.M | re.S):
        quoted += [(name, line) for line in block.splitlines() if line and kind == "log"]
    # four blanks behind an empty line, not in a picture: what a program says
    quoted += [(name, line) for line in re.findall(r"(?m)^    ((?:\d{3} |instcheck|alert|delivery|fatal|status|not started:|qmail-smtpd:|rcpthosts:|I tried).*)$", text)]
quoted += [("FAQ.md", t) for t in re.findall(r"(?m)^\| `([^`]+)` \|", docs["FAQ.md"])]
quoted += [(n, t) for n, text in docs.items() for t in re.findall(r"`((?:[245]\d\d[ -]|alert: |deferral: |not started|Sorry|Unable)[^`]*)`", text) if t.count(" ") > 1]
same([q for q in quoted if not known_text(q[1])], [], "what is quoted is a text of the sources")
ok(len(quoted) > 80, "there are quotations", len(quoted))
same(known_text("553 sorry, that domain is not welcome"), False, "another text is noticed")
same([(n, t) for n, text in docs.items() for t in re.findall(r"^(```\w+)", text, flags=re.M) if t[3:] not in ("sh", "text", "log")], [], "no other kind of block")
done()
