#!/usr/bin/python3
"""manual - what the manual pages say against what the sources and the build say.

    pages, facts = Pages(), Facts()
    for finding in findings(pages, facts):
        print(finding)

    python3 tests/system/manual.py [BUILD]      prints the findings, exits 1 if any

Each check goes both ways: what a program has is in its page, and what the page claims
the program has. A finding is one line that names the page, and the source where there
is one.

What is in a program is told by its objects: beginning with the one that has main(), those
that define what is still undefined. So a part counts for the programs that are linked
with it, and no list of parts is kept here.

The sources are read by their conventions: options_next(.., "letters"), getenv("NAME"),
control_line("name", ..), die_temp(), the comment at the top of a main. Where they cannot
be read so there is a table below, of which every row says why. A row that is of no use
any more is a finding too.
"""
import copy, os, re, subprocess, sys

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# -- what cannot be read from the sources

# The pages that every system of this kind has, whatever else there may be.
REFERENCE = {
    "1": "bouncesaying condredirect except forward maildir2mbox maildirmake mailsubj preline qbiff qreceipt tcp-env",
    "5": "addresses dot-qmail envelopes maildir mbox qmail-control qmail-header qmail-log qmail-users tcp-environ",
    "7": "forgeries qmail qmail-limits",
    "8": "qmail-clean qmail-command qmail-getpw qmail-inject qmail-local qmail-lspawn qmail-newmrh qmail-newu "
         "qmail-pop3d qmail-popup qmail-pw2u qmail-qmqpc qmail-qmqpd qmail-qmtpd qmail-qread qmail-qstat "
         "qmail-queue qmail-remote qmail-rspawn qmail-send qmail-showctl qmail-smtpd qmail-start qmail-tcpok "
         "qmail-tcpto splogger",
}

# Pages of sections 1 and 8 that are not about a program of ours.
NO_PROGRAM = {"qmail-command.8": "what .qmail files run: programs of the users"}

# Pages by others that ours refer to.
FOREIGN = {
    "the system": "biff.1 logger.1 flock.2 link.2 lseek.2 unlink.2 syslog.3 crypt.5 hosts.5 nsswitch.conf.5 passwd.5 "
                  "resolv.conf.5 shadow.5 tzset.3 cron.8 inetd.8",
    "ucspi-tcp": "rblsmtpd.1 tcprules.1 tcpserver.1",
    "daemontools": "multilog.8 softlimit.8 svc.8 svscan.8 tai64nlocal.8",
}

# Text in capitals, in files that use the environment, that is no variable.
NO_VARIABLE = {
    ("accept/tcp-env.c", "TCP"): "the value of PROTO",
    ("accept/sendmail.c", "TCP"): "the value of PROTO",
    ("mailbox/maildir2mbox.c", "XXX"): "the sender of a From_ line whose sender is not known",
}

# Variables that the C library reads, by the functions that do. A page may describe them if
# its program is linked with one of those; it need not.
BY_LIBRARY = {
    "PATH": r"exec[vl]pe?|posix_spawnp",
    "TZ": r"localtime(_r)?|tzset",
    "LOCALDOMAIN": r"_*(res_\w+)",
    "RES_OPTIONS": r"_*(res_\w+)",
}

# Numbers in a program's parts that are no exit codes of it.
NO_EXIT = {
    ("qmail-lspawn", 112): "its child's, before it has become qmail-local",
    ("qmail-lspawn", 113): "the same",
    ("qmail-lspawn", 117): "the same",
    ("qmail-lspawn", 118): "the same",
    ("qmail-lspawn", 120): "the same",
    ("qmail-lspawn", 121): "the same",
    ("qmail-qread", 61): "of queue_enter(); it says so and exits 111",
    ("qmail-qread", 62): "the same",
}

# Programs that are linked with a part but never print what it says.
NO_MESSAGE = {
    ("qmail-qmtpd", "accept/rcptcheck.c"): "it has texts of its own for what RCPTCHECK says",
}

# Files below HOME that no installation has, as patterns: who makes them.
AT_RUN_TIME = {
    r"queue/order/socket": "qmail-send makes it",
    r"service(/[a-z0-9-]+.*)?": "the administrator, from build/service as INSTALL says",
    "rc": "the administrator, from boot/",
    "users/assign": "the administrator",
    "users/append": "the administrator",
    "users/exclude": "the administrator",
    "users/include": "the administrator",
    "users/mailnames": "the administrator",
    "users/subusers": "the administrator",
    "users/cdb": "qmail-newu",
    "users/cdb.tmp": "qmail-newu",
    "queue/qfix.T.P": "qmail-qfix",
    "control/morercpthosts.tmp": "qmail-newmrh",
    r"alias/\.qmail-[a-z-]+": "the administrator",
    "bin/checkpassword-auth": "the administrator, as checkpassword(8) says",
}


def read(path):
    with open(path, encoding="latin1") as f:
        return f.read()


def rows_of_use(table, used, name):
    return ["manual.py: %s: %r is of no use any more" % (name, row) for row in table if row not in used]


# -- pages

# What may stand inside another macro's line and ends its arguments.
CALLABLE = set("Ac Ad An Ao Ap Aq Ar At Bc Bo Bq Brc Bro Brq Bx Bsx Cd Cm Dc Do Dq Dv Ec Em En Eo Er Es Ev Fa Fc Fl Fn Ft Fx Ic "
               "In Li Lk Ms Mt Nm No Ns Nx Oc Oo Op Ot Ox Pa Pc Pf Po Pq Qc Ql Qo Qq Sc So Sq Sx Sy Ta Tn Ux Va Vt Xc Xo Xr".split())


class Use:
    """A macro with its arguments, and where it stands."""

    def __init__(self, macro, arguments, section, head, line):
        self.macro, self.arguments, self.section, self.head, self.line = macro, arguments, section, head, line


class Page:
    """One page, as mdoc source."""

    def __init__(self, file, text):
        self.file, self.text = file, text
        self.name, self.section = file.rsplit(".", 1)
        self.uses, self.sections = [], {}
        section = ""
        for number, line in enumerate(text.splitlines(), 1):
            if line.startswith(".Sh "):
                section = line[4:]
            self.sections.setdefault(section, []).append(line)
            if line.startswith(".") and not line.startswith('.\\"'):
                self._take(line[1:], section, number)

    def _take(self, line, section, number):
        words = [(quoted or word).replace("\\&", "") for quoted, word in re.findall(r'"((?:[^"]|"")*)"|(\S+)', line)]
        if not words:
            return
        first, rest = words[0], words[1:]
        head = first == "It"
        current = Use(first, [], section, head, number)
        for word in rest:
            if word in CALLABLE and first not in ("Sh", "Ss", "Dd", "Dt", "Nd", "Dl"):
                self.uses.append(current)
                current = Use(word, [], section, head, number)
            elif word not in (",", ".", ";", ":", "(", ")", "[", "]", "|"):
                current.arguments.append(word)
        self.uses.append(current)

    def all(self, macro, section=None, head=None):
        """The arguments of the macro's uses, one by one."""
        return [a for u in self.uses if u.macro == macro and (section is None or u.section == section)
                and (head is None or u.head == head) for a in u.arguments]

    def said(self, section):
        """A section as it stands."""
        return "\n".join(self.sections.get(section, []))


class Pages(dict):
    def __init__(self, directory=os.path.join(SOURCE, "man")):
        super().__init__()
        for file in sorted(os.listdir(directory)):
            if re.search(r"\.[1-9]$", file):
                self[file] = Page(file, read(os.path.join(directory, file)))

    def but(self, file, text):
        """The same with another text for one page, or with one page more."""
        other = Pages.__new__(Pages)
        dict.__init__(other, self)
        other[file] = Page(file, text)
        return other

    def without(self, file):
        other = self.but(file, "")
        del other[file]
        return other


# -- sources

def without_comments(text):
    return re.sub(r'("(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\')|/\*.*?\*/|//[^\n]*', lambda m: m.group(1) or " ", text, flags=re.S)


STRING = r'"((?:[^"\\\n]|\\.)*)"'


class Part:
    """One file of the sources."""

    def __init__(self, path, text):
        self.path, self.text = path, text
        self.code = without_comments(text)

    def strings(self):
        return re.findall(STRING, self.code)

    def header_strings(self):
        """Those of the headers of ours that it includes."""
        headers = [os.path.join(SOURCE, "src", h) for h in re.findall(r'#include "([a-z]+/[a-z0-9_]+\.h)"', self.code)]
        return [s for h in headers for s in re.findall(STRING, without_comments(read(h)))]


class Program:
    """A program: its parts, the functions of libraries it calls, and what these tell."""

    def __init__(self, name, path, parts, undefined, numbers):
        self.name, self.path, self.parts, self.undefined = name, path, parts, undefined
        self.comment = re.match(r"/\*.*?\*/", parts[0].text, re.S)
        self.options = {}
        self.variables, self.controls, self.exits, self.runs = {}, {}, {}, set()
        for part in parts:
            self._options(part)
            self._variables(part)
            self._controls(part)
            self._runs(part)
            # a library leaves it to its callers how a program ends, but for what is called below
            if part.path.split("/")[0] not in ("base", "net", "mail"):
                self._exits(part, numbers)

    # options_next(&x, "ab:"); where the letters are not written there, rows {'a', true, ...};
    # scripts: getopts ab:
    def _options(self, part):
        for letters in re.findall(r"options_next\([^;]*?,\s*(%s|[^\"();]+)\)" % STRING, part.code):
            if letters[0].startswith('"'):
                for letter, value in re.findall(r"(.)(:?)", letters[1]):
                    self.options[letter] = (bool(value), part.path)
            else:
                for letter, value in re.findall(r"\{'(.)',\s*(true|false)", part.code):
                    self.options[letter] = (value == "true", part.path)
        if part.path.endswith(".sh"):
            for letters in re.findall(r"getopts\s+['\"]?:?([A-Za-z0-9:]+)", part.text):
                for letter, value in re.findall(r"([^:])(:?)", letters):
                    self.options[letter] = (bool(value), part.path)
        for letter in re.findall(r'(?:strcmp|view_is|view_equal)\([^;"]*"-(\w)"', part.code):
            if "argv" in part.code:
                self.options.setdefault(letter, (False, part.path))

    # Names are written out in the calls. Where a call has a name of another kind, and in files called
    # *_environment.c, every string in capitals is one, because then the names come from tables; one that
    # ends in an underscore stands for all names that begin with it.
    CALL = re.compile(r'\b(?:getenv|setenv|unsetenv|control_environment|redirect_variable_or_die)\(\s*("([A-Z][A-Z0-9_]*)"|\w)')
    TABLE = re.compile(r"\blookup\(|\benviron\[")
    CAPITALS = re.compile(r"([A-Z][A-Z0-9_]+)=?\Z")
    GIVEN = ("mail/control.c", "dotqmail/redirect.c", "net/ucspi_tls.h")  # the names come from their callers

    def _variables(self, part):
        calls = self.CALL.findall(part.code)
        names = [name for _, name in calls if name]
        indirect = any(not name for _, name in calls) or self.TABLE.search(part.code) or part.path.endswith("_environment.c")
        if indirect and part.path not in self.GIVEN:
            names += [m.group(1) for m in map(self.CAPITALS.match, part.strings()) if m]
        for name in names:
            self.variables.setdefault(name, part.path)

    # the names given to control_*(), the short words of files called *_controls.c, and paths
    def _controls(self, part):
        if part.path == "mail/control.c":
            return  # the names come from its callers
        names = re.findall(r'control_(?:line|line_or_me|number|size|read_list|read_map)\(\s*"([a-z0-9]+)"', part.code)
        if "control_line_or_me(" in part.code:
            names.append("me")
        if part.path.endswith("_controls.c"):
            names += [s for s in part.strings() if re.fullmatch("[a-z]+", s) and s != "postmaster"]
        names += [s[8:] for s in part.strings() if re.fullmatch(r"control/[a-z0-9.]+", s) and not s.endswith(".tmp")]
        if re.match("admin/(qmail-)?showctl", part.path):
            names = []  # it looks at all files and obeys none; its page refers to qmail-control
        for name in names:
            self.controls.setdefault(name, part.path)

    def _runs(self, part):
        self.runs |= {m for s in part.strings() for m in re.findall(r"(?:^|/)bin/([a-z0-9-]+)", s)}

    # die_perm, DIE_PERM, LOCAL_ROOT, QUEUE_READ, exit(1): the codes by name or number
    def _exits(self, part, numbers):
        def add(code):
            self.exits.setdefault(code, part.path)
        code = re.sub(r"\.failures = \{[^}]*\}", "", part.code)
        for call in re.findall(r"\bdie_(perm|temp)\(", code):
            add({"perm": 100, "temp": 111}[call])
        if re.search(r"\bidentity_\w+_or_die\(|\bheap_on_failure\(die_of_memory\)|\bqueue_enter_or_die\(", code):
            add(111)
        if re.search(r"\bqueue_enter\(", code):
            add(numbers["QUEUE_HOME"])
            add(numbers["QUEUE_DIRECTORY"])
        for number in re.findall(r"\b_?exit\((\d+)\)", code):
            add(int(number))
        if part.path == self.path:
            main = code[code.find("int main("):]
            for number in re.findall(r"\breturn (\d+);", main):
                add(int(number))
            if not re.search(r"\breturn 0;|_exit\(0\)", code) and re.search(r"\breturn \w+ \? 0 : ", code):
                add(0)
        for name in re.findall(r"\b((?:DIE|LOCAL|QUEUE|CHECKPASSWORD)_[A-Z_0-9]+)\b(?!\s*=)", code):
            if name in numbers and not re.search(r"case %s:|\{%s," % (name, name), code):
                add(numbers[name])

    def comment_exits(self):
        """The codes that the comment at the top of main names."""
        found = re.search(r"\n \* exits\s+(.*?)(?=\n \* ?\w+ {2,}|\n \*\n|\n \*/|\*/)", self.comment.group(0) if self.comment else "", re.S)
        return {int(n) for n in re.findall(r"(?<![\w-])(?<!fd )(\d{1,3})\b", found.group(1))} if found else set()


class Facts:
    """What the sources, the Makefile and the build in `build` tell."""

    def __init__(self, build=None):
        self.build = os.path.join(SOURCE, build or os.environ.get("BUILD", "build"))
        make = read(os.path.join(SOURCE, "Makefile"))
        listed = re.findall(r"^PROGRAMS *\+?= *((?:.*\\\n)*.*)", make, re.M)
        self.paths = [w for words in listed for w in words.replace("\\", " ").split()]
        self.numbers = {}  # the constants of enums that are called exit or code
        for where, _, files in os.walk(os.path.join(SOURCE, "src")):
            for file in files:
                if file.endswith(".h"):
                    for body in re.findall(r"enum \w+_(?:exit|code) \{(.*?)\}", without_comments(read(os.path.join(where, file))), re.S):
                        self.numbers.update((n, int(v)) for n, v in re.findall(r"\b([A-Z][A-Z0-9_]+)\s*=\s*(\d+)\b", body))
        self._link()
        self._installed(make)

    def _objects(self):
        """All objects, those of the light programs too, but none left of sources that
        are no more."""
        found = sorted(os.path.join(where, f) for top in self._tops() for where, _, files in os.walk(top) for f in files if f.endswith(".o"))
        return [f for f in found if os.path.exists(self._source(f))]

    def _tops(self):
        return [os.path.join(self.build, "light/src"), os.path.join(self.build, "src")]

    def _top(self, file):
        return next(top for top in self._tops() if file.startswith(top + "/"))

    def _source(self, file):
        return os.path.join(SOURCE, "src", os.path.relpath(file, self._top(file))[:-2] + ".c")

    def _link(self):
        objects = self._objects()
        defines, wants = {}, {o: set() for o in objects}
        for line in subprocess.run(["nm", "-P", "-A"] + objects, stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout.splitlines():
            file, name, kind = line.split()[:3]
            file = file.rstrip(":")
            if kind in "Uw":
                wants[file].add(name)
            elif kind.isupper():
                defines.setdefault(name, []).append(file)
        parts = {}
        self.programs = {}
        for path in self.paths:
            name = os.path.basename(path)
            script = os.path.join(SOURCE, "src", path + ".sh")
            if os.path.exists(script):
                part = Part(path + ".sh", read(script))
                self.programs[name] = Program(name, part.path, [part], set(), self.numbers)
                continue
            start = next((o for o in (os.path.join(top, path + ".o") for top in self._tops()) if o in wants), None)
            if start is None:
                continue  # not built here, as checkpassword without crypt(3)
            mine, seen, undefined = [start], {start}, set()
            for file in mine:
                for symbol in sorted(wants[file]):
                    homes = [f for f in defines.get(symbol, []) if f not in defines["main"] and self._top(f) == self._top(start)]
                    if not homes:
                        undefined.add(symbol)
                    elif not seen & set(homes):
                        # archives of the program's own room come first
                        homes.sort(key=lambda f: os.path.dirname(f) != os.path.dirname(start))
                        mine.append(homes[0])
                        seen.add(homes[0])
            for file in mine:
                if file not in parts:
                    source = self._source(file)
                    parts[file] = Part(os.path.relpath(source, os.path.join(SOURCE, "src")), read(source))
            self.programs[name] = Program(name, path + ".c", [parts[f] for f in mine], undefined, self.numbers)

    def with_source(self, path, old, new):
        """The same, with a change in one file of the sources."""
        other = copy.copy(self)
        other.programs = {}
        for name, p in self.programs.items():
            if path in [part.path for part in p.parts]:
                assert any(old in part.text for part in p.parts if part.path == path), (path, old)
                changed = [Part(part.path, part.text.replace(old, new)) if part.path == path else part for part in p.parts]
                p = Program(name, p.path, changed, p.undefined, self.numbers)
            other.programs[name] = p
        other.controls = {c for p in other.programs.values() for c in p.controls}
        return other

    def _installed(self, make):
        """Every path of an installation, relative to HOME."""
        listed = read(os.path.join(SOURCE, "src/admin/install_list.c"))
        names = dict(re.findall(r'#define (QUEUE_DIR_\w+) "([^"]*)"', read(os.path.join(SOURCE, "src/mail/queue_dir.h"))))
        self.installed = set()
        for path, name in re.findall(r'\{INSTALL_\w+, "([^"]*)"(?: (QUEUE_DIR_\w+))?', listed):
            self.installed.add(path + names.get(name, ""))
        places = read(os.path.join(SOURCE, "src/mail/queue_layout.c"))
        places = places[places.index("queue_places[]"):]
        for path, name in re.findall(r'(?:DIRECTORY|SPLIT)\("([^"]*)"|\{QUEUE_PLACE_\w+, (QUEUE_DIR_\w+)', places):
            self.installed.add(os.path.join("queue", names.get(name, path)).rstrip("/"))
        built = read(os.path.join(self.build, "built.h"))
        for kind, where in (("PROGRAMS", "bin/"), ("BOOT", "boot/"), ("MAN", "man/"), ("CAT", "man/"), ("DOC", "doc/")):
            block = re.search(r"#define BUILT_%s((?: \\\n.*)*)" % kind, built)
            self.installed |= {where + n for n in re.findall(r'"([^"]*)"', block.group(1))}
        self.installed |= {"bin/" + os.path.basename(p) for p in self.paths}  # checkpassword where it is not built
        self.controls = {c for p in self.programs.values() for c in p.controls}


# -- the checks

def page_of(pages, program):
    for section in "18":
        if "%s.%s" % (program, section) in pages:
            return pages["%s.%s" % (program, section)]
    return None


def like(pages, page):
    """The page to which one refers for all that a program says, reads and sets."""
    named = re.search(r"^\.Nm\ndoes what\n\.Xr (\S+) ([18])\ndoes, with the same ", page.text, re.M) if page else None
    return pages.get("%s.%s" % named.groups()) if named else None


def programs_and_pages(pages, facts):
    used = set()
    for name, program in facts.programs.items():
        if page_of(pages, name) is None:
            yield "%s: no page man/%s.1 or man/%s.8" % (program.path, name, name)
    for file, page in pages.items():
        if page.section in "18" and page.name not in map(os.path.basename, facts.paths):
            if file in NO_PROGRAM:
                used.add(file)
            else:
                yield "man/%s: the Makefile has no such program" % file
        names = page.all("Nm", "NAME")
        if names[:1] != [page.name]:
            yield "man/%s: section NAME begins with %s" % (file, names[:1] or "nothing")
        if page.all("Dt")[:2] != [page.name.upper(), page.section]:
            yield "man/%s: its title is %s" % (file, " ".join(page.all("Dt")))
    for section, names in REFERENCE.items():
        for name in names.split():
            if "%s.%s" % (name, section) not in pages:
                yield "man/%s.%s: every system of this kind has this page" % (name, section)
    yield from rows_of_use(NO_PROGRAM, used, "NO_PROGRAM")


def described_options(page, program):
    """Letters in heads of items, and letters anywhere in SYNOPSIS; a word is a cluster."""
    for section, head in (("SYNOPSIS", None), (None, True)):
        for word in page.all("Fl", section, head):
            if word == "-" or word in ("Ns", "No"):
                continue
            for at, letter in enumerate(word):
                yield letter, head
                if program.options.get(letter, (False,))[0]:
                    break  # the rest is its value


def options(pages, facts):
    for name, program in facts.programs.items():
        page = page_of(pages, name)
        if page is None:
            continue
        said = list(described_options(page, program))
        in_heads = {letter for letter, head in said if head}
        for letter, (_, path) in sorted(program.options.items()):
            if letter not in in_heads:
                yield "man/%s: option -%s has no item (%s)" % (page.file, letter, path)
        for letter in sorted({letter for letter, _ in said} - set(program.options)):
            yield "man/%s: option -%s is not one that %s knows" % (page.file, letter, program.path)


def control_name(text):
    """The control file that a .Pa names, if it is one by its path or its name alone."""
    text = re.sub(r"^/var/qmail/", "", text)
    return text[8:] if text.startswith("control/") else text if "/" not in text else None


def controls(pages, facts):
    book = pages.get("qmail-control.5")
    described = {control_name(a) for a in book.all("Pa", "FILES", True)} if book else set()
    for name, program in facts.programs.items():
        page = page_of(pages, name)
        for control, path in sorted(program.controls.items()):
            if control not in described:
                yield "man/qmail-control.5: control file %s has no item (%s)" % (control, path)
            where = [p for p in (page, like(pages, page)) if p is not None]
            if where and control not in {control_name(a) for p in where for a in p.all("Pa")}:
                yield "man/%s: control file %s is not named (%s)" % (page.file, control, path)
        if page is None or name == "qmail-showctl":
            continue
        for section in ("FILES", "CONTROL FILES"):
            head = True if section == "FILES" else None
            for named in sorted({control_name(a) for a in page.all("Pa", section, head)} & facts.controls):
                if named not in program.controls:
                    yield "man/%s: %s lists control file %s, which %s does not read" % (page.file, section, named, program.path)
    for control in sorted(described - facts.controls - {None}):
        yield "man/qmail-control.5: control file %s is read by no program" % control
    if book:
        # the programs that an item names in its head are those that read the file; others that do may
        # be named in its text
        items = [u for u in book.uses if u.macro == "Pa" and u.head and u.section == "FILES"]
        for at, use in enumerate(items):
            end = items[at + 1].line if at + 1 < len(items) else float("inf")
            control = control_name(use.arguments[0]) if use.arguments else None
            named = [(u.arguments[0], u.head) for u in book.uses if u.macro == "Xr" and u.arguments and use.line <= u.line < end]
            head = {name for name, in_head in named if in_head} & set(facts.programs)
            readers = {name for name, p in facts.programs.items() if control in p.controls and not like(pages, page_of(pages, name))}
            for name in sorted(head - readers):
                yield "man/qmail-control.5: item %s names %s, which does not read it" % (control, name)
            for name in sorted(readers - {name for name, _ in named} if head else ()):
                yield "man/qmail-control.5: item %s does not name %s, which reads it" % (control, name)


def variables(pages, facts):
    used_no, used_library = set(), set()
    for name, program in facts.programs.items():
        page = page_of(pages, name)
        used_no |= {(path, v) for v, path in program.variables.items() if (path, v) in NO_VARIABLE}
        if page is None:
            continue
        # a page of section 5 that ENVIRONMENT refers to describes them too
        referred = ["%s.%s" % tuple(u.arguments[:2]) for u in page.uses if u.macro == "Xr" and u.section == "ENVIRONMENT"]
        where = [page] + [pages[r] for r in referred if r.endswith(".5") and r in pages]
        where += [p for p in [like(pages, page)] if p is not None]
        said = {v for p in where for v in p.all("Ev")}
        mine = {v: path for v, path in program.variables.items() if (path, v) not in NO_VARIABLE}
        for variable, path in sorted(mine.items()):
            if variable.endswith("_") and variable not in page.text:
                yield "man/%s: environment variables %s* are not described (%s)" % (page.file, variable, path)
            elif not variable.endswith("_") and variable not in said:
                yield "man/%s: environment variable %s is not described (%s)" % (page.file, variable, path)
        allowed = set(mine)
        for other in program.runs:
            if other in facts.programs:
                allowed |= set(facts.programs[other].variables)
        for variable in sorted(set(page.all("Ev", "ENVIRONMENT", True)) - allowed):
            if variable in BY_LIBRARY and any(re.fullmatch(BY_LIBRARY[variable], s.split("@")[0]) for s in program.undefined):
                used_library.add(variable)
            elif not any(v.endswith("_") and variable.startswith(v) for v in allowed):
                yield "man/%s: environment variable %s is not one that %s reads or sets" % (page.file, variable, program.path)
    yield from rows_of_use(NO_VARIABLE, used_no, "NO_VARIABLE")
    yield from rows_of_use(BY_LIBRARY, used_library, "BY_LIBRARY")


def described_exits(page):
    """The numbers in heads of items of EXIT STATUS, as far as its first subsection; where there
    are no items, those in its text."""
    lines = []
    for line in page.sections.get("EXIT STATUS", []):
        if line.startswith(".Ss "):
            break
        lines.append(line)
    heads = [line for line in lines if line.startswith(".It ")]
    text = " ".join(heads or [line for line in lines if not line.startswith(".")])
    return {int(n) for n in re.findall(r"(?<![\w.])(?<!escriptor )(\d{1,3})(?!\w|\.\d)", text)}


def exits(pages, facts):
    used = set()
    for name, program in facts.programs.items():
        page = page_of(pages, name)
        if page is None:
            continue
        if "EXIT STATUS" not in page.sections:
            yield "man/%s: no section EXIT STATUS" % page.file
            continue
        said, has = described_exits(page), {}
        for code, path in program.exits.items():
            if (name, code) in NO_EXIT:
                used.add((name, code))
            else:
                has[code] = path
        for code in program.comment_exits():
            has.setdefault(code, program.path)
        for code in sorted(set(has) - said):
            yield "man/%s: exit code %d is not in EXIT STATUS (%s)" % (page.file, code, has[code])
        for code in sorted(said - set(has) - {0}):
            yield "man/%s: exit code %d is not one that %s has" % (page.file, code, program.path)
    yield from rows_of_use(NO_EXIT, used, "NO_EXIT")


def references(pages, facts):
    foreign = {name: owner for owner, names in FOREIGN.items() for name in names.split()}
    used, nowhere = set(), {}
    for file, page in pages.items():
        for use in page.uses:
            if use.macro != "Xr" or len(use.arguments) < 2:
                continue
            target = "%s.%s" % tuple(use.arguments[:2])
            if target in foreign:
                used.add(target)
            elif target not in pages:
                nowhere.setdefault(target, []).append("%s:%d" % (file, use.line))
            elif target == file:
                yield "man/%s:%d: refers to itself" % (file, use.line)
    for target, places in sorted(nowhere.items()):
        yield "man/%s: there is no such page; it is referred to in %s" % (target, ", ".join(places))
    yield from rows_of_use(foreign, used, "FOREIGN")
    entry = pages.get("qmail.7")
    if entry is not None:
        listed = {"%s.%s" % tuple(u.arguments[:2]) for u in entry.uses if u.macro == "Xr" and len(u.arguments) > 1}
        for file in sorted(set(pages) - listed - {"qmail.7"}):
            yield "man/qmail.7: does not lead to %s" % file


def paths(pages, facts):
    used = set()
    controls_known = {"control/" + c for c in facts.controls}
    queue_files = re.compile(r"queue/(mess|info|local|remote|intd|todo|bounce|pid)(/.*)?\Z")
    for file, page in pages.items():
        for number, line in enumerate(page.text.splitlines(), 1):
            if line.startswith('.\\"'):
                continue
            for path in re.findall(r"/var/qmail(?![\w-])/?([A-Za-z0-9_./-]*)", line.replace("\\&", "")):
                path = path.rstrip(".").rstrip("/")
                if path in facts.installed or path in controls_known or queue_files.match(path):
                    continue
                rows = [row for row in AT_RUN_TIME if re.fullmatch(row, path)]
                used.update(rows)
                if rows:
                    continue
                yield "man/%s:%d: /var/qmail/%s is neither installed nor made at run time" % (file, number, path)
        for control in page.all("Pa"):
            named = re.fullmatch(r"(?:/var/qmail/)?(control/[a-z0-9.]+)", control)
            if named and named.group(1) not in controls_known and not any(re.fullmatch(row, named.group(1)) for row in AT_RUN_TIME):
                yield "man/%s: %s is read by no program" % (file, named.group(1))
    yield from rows_of_use(AT_RUN_TIME, used, "AT_RUN_TIME")


def plain(text):
    return re.sub(r"\s+", " ", text).strip(" .:;<>")


def words_of(page):
    """All words of a page, macros and their quotes taken away."""
    lines = []
    for line in page.text.splitlines():
        if line.startswith('.\\"'):
            continue
        if line.startswith("."):
            parts = [(quoted or word) for quoted, word in re.findall(r'"((?:[^"]|"")*)"|(\S+)', line[1:])]
            line = " ".join(w for w in parts[1:] if w not in CALLABLE)
        for what, by in (("\\&", ""), ("\\e", "\\"), ("\\(dq", '"'), ("\\ ", " "), ("\\-", "-")):
            line = line.replace(what, by)
        lines.append(line)
    return re.sub(r"\s+", " ", " ".join(lines))


def constant(string):
    """The pieces of a C string that are the same each time it is printed."""
    for what, by in (("\\n", " "), ("\\r", " "), ("\\0", " "), ('\\"', '"')):
        string = string.replace(what, by)
    pieces = re.split(r"%[-.*0-9]*(?:ll|l|j|z)?[a-zA-Z]|[%$]", string)
    return [plain(p) for p in pieces if len(re.findall("[A-Za-z]", plain(p))) >= 4]


def messages_of(program, part):
    """What a part prints when something is wrong: last words, lines of the log, and what looks like
    a refusal by SMTP or POP3 or in a delivery report."""
    code = re.sub(r'"\s*"', "", part.code.replace('" CONF_QMAIL "', "/var/qmail").replace('" CONF_QMAIL', '/var/qmail"').replace('CONF_QMAIL "', '"/var/qmail'))
    for call in re.findall(r"\b(?:die_(?:temp|perm|with|raw)|log_line|log_begin|cannot_start)\((.*?)\);", code, re.S):
        for string in re.findall(STRING, call):
            yield from (re.sub(r"^%s: (?:fatal: )?" % re.escape(program.name), "", c) for c in constant(string))
    for string in re.findall(STRING, code):
        if re.match(r"[45]\d\d |-ERR |[ZDhs][A-Z%].*\(#", string):
            yield from constant(re.sub(r"^[ZDhs](?=[A-Z%])", "", string))


def messages(pages, facts):
    """What programs say is in their pages, or in those to which DIAGNOSTICS refers."""
    used = set()
    for name, program in facts.programs.items():
        page = page_of(pages, name)
        if page is None:
            continue
        referred = ["%s.%s" % tuple(u.arguments[:2]) for u in page.uses if u.macro == "Xr" and u.section == "DIAGNOSTICS"]
        texts = [words_of(page)] + [words_of(pages[r]) for r in referred if r in pages]
        texts += [words_of(p) for p in [like(pages, page)] if p is not None]
        for part in program.parts:
            if part.path.split("/")[0] in ("base", "net", "mail"):
                continue
            for message in messages_of(program, part):
                if any(message in text for text in texts):
                    continue
                if (name, part.path) in NO_MESSAGE:
                    used.add((name, part.path))
                else:
                    yield "man/%s: the message %r is not described (%s)" % (page.file, message, part.path)
        # what DIAGNOSTICS lists is put together from pieces here and there, but of the program's words
        said_by = [s for part in program.parts for s in part.strings() + part.header_strings()] + [read(os.path.join(SOURCE, "conf-users"))]
        words = {w for s in said_by for t in (s, re.sub(r"^[ZDhs](?=[A-Z])", "", s)) for w in re.findall("[A-Za-z]+", re.sub(r"\\[nr0]", " ", t))}
        for use in page.uses:
            if use.section == "DIAGNOSTICS" and use.head and use.macro in ("It", "Li", "No"):
                said = " ".join(use.arguments)
                strange = [w for w in re.findall("[A-Za-z]{4,}", said) if w not in words]
                if strange:
                    yield "man/%s:%d: %r is not what %s says: %s" % (page.file, use.line, said, program.path, " ".join(strange))
    yield from rows_of_use(NO_MESSAGE, used, "NO_MESSAGE")


def blocks(page):
    """The literal blocks of a page, as the reader sees them."""
    lines, first = None, 0
    for number, line in enumerate(page.text.splitlines(), 1):
        if line.startswith(".Bd -literal"):
            lines, first = [], number + 1
        elif line == ".Ed" and lines is not None:
            yield first, "".join(l + "\n" for l in lines)
            lines = None
        elif lines is not None:
            lines.append(line.replace("\\&", "").replace("\\e", "\\"))


def scripts(pages, facts):
    """Programs that a page prints can be read by what is to run them."""
    for file, page in pages.items():
        for line, text in blocks(page):
            if text.startswith("#!/bin/sh"):
                run = subprocess.run(["/bin/sh", "-n"], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
                if run.returncode:
                    yield "man/%s:%d: sh cannot read this: %s" % (file, line, run.stdout.strip())
            elif text.startswith("#!/usr/bin/python3"):
                try:
                    compile(text, file, "exec")
                except SyntaxError as e:
                    yield "man/%s:%d: python cannot read this: %s" % (file, line, e)


def built(pages, facts):
    """make has put each page where it is installed from, with the values of conf-* in it."""
    for file, page in pages.items():
        made = os.path.join(facts.build, "man", "man" + page.section, file)
        if not os.path.exists(made):
            yield "man/%s: make does not make %s" % (file, made)
        else:
            for left in sorted(set(re.findall("@[A-Z]+@", read(made)))):
                yield "man/%s: nothing is put in the place of %s" % (file, left)


CHECKS = {
    "programs and pages": programs_and_pages,
    "options": options,
    "control files": controls,
    "environment variables": variables,
    "exit codes": exits,
    "messages": messages,
    "references": references,
    "paths": paths,
    "scripts": scripts,
    "what make makes": built,
}


def findings(pages, facts, check=None):
    """One line for each disagreement."""
    return [f for name, c in CHECKS.items() if check in (None, name) for f in c(pages, facts)]


if __name__ == "__main__":
    found = findings(Pages(), Facts(*sys.argv[1:]))
    print("\n".join(found))
    sys.exit(1 if found else 0)
