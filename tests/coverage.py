#!/usr/bin/python3
"""coverage.py BUILD COUNTS - what the tests of make coverage executed.

Prints lines and branches for every file and room; BUILD/uncovered.txt gets every
statement of src/ that nothing executed, in the form of tests/coverage.answers. That
file says of such statements why no test reaches them:

    src/base/os.c os_close_from
        close(fd);
        = only where the kernel has no close_range(2): before Linux 5.9

One line is one statement, however many the source has. "=?" instead of "=" allows
that it is executed, too: where the machine decides that, or the counting (below).
Exits 1 when a statement in one of JUDGED has no answer, or an answer no statement.

Counted are lines with something else than comments and braces. The compiler derives
some counts from others: what follows a fork() in the parent has those of the function
less those of the child, and may show as not executed.
"""
import concurrent.futures, glob, os, re, subprocess, sys

ANSWERS = "tests/coverage.answers"
JUDGED = ["base", "net", "mail", "accept", "queue", "deliver"]
ROOMS = JUDGED + ["mailbox", "users", "dotqmail", "admin"]
LEAST = 95  # per cent of lines in each of JUDGED


class File:
    def __init__(self, path):
        self.path = path
        self.room = path.split("/")[1]
        self.lines = {}     # number: executed
        self.branches = {}  # (line, block, branch): taken
        self.functions = {} # first line: name
        with open(path) as f:
            self.text = [without_comment(line) for line in uncommented(f.read()).split("\n")]

    def function_at(self, line):
        starts = [start for start in self.functions if start <= line]
        return self.functions[max(starts)] if starts else "-"

    def counted(self):
        return [n for n in sorted(self.lines) if not self.text[n - 1].startswith("#") and
                re.search(r"\w", re.sub(r"\belse\b", "", self.text[n - 1]))]

    def share(self):
        lines = self.counted()
        branches = [b for b in self.branches if "assert(" not in self.text[b[0] - 1]]
        return (sum(self.lines[n] for n in lines), len(lines),
                sum(self.branches[b] for b in branches), len(branches))

    def uncovered(self):
        """(function, statement, its first line) of what nothing executed."""
        found, parts = [], []
        for n in self.counted():
            if self.lines[n]:
                parts = []
                continue
            parts.append(self.text[n - 1].strip())
            if len(parts) == 1:
                first = n
            if parts[-1][-1] in ";{}:" or self.lines.get(n + 1, True):
                found.append((self.function_at(n), " ".join(parts), first))
                parts = []
        return found


def uncommented(text):
    """Comments of more than one line become empty lines."""
    return re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)


def without_comment(line):
    return re.sub(r"//.*", "", line) if "://" not in line else line


def export(objects, profiles, work):
    """What these profiles say of these programs, as lcov has it."""
    merged = os.path.join(work, os.path.basename(objects[0]) + ".profdata")
    with open(merged + ".list", "w") as f:
        f.writelines("1,%s\n" % path for path in profiles)  # the weight, and a name
    subprocess.run(["llvm-profdata", "merge", "--failure-mode=all", "-sparse", "-o", merged,
                    "-f", merged + ".list"], check=True, stderr=subprocess.DEVNULL)
    more = [word for path in objects[1:] for word in ("-object", path)]
    return subprocess.run(["llvm-cov", "export", "-format=lcov", "-instr-profile=" + merged, objects[0]] + more,
                          check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()


def add(files, text):
    here = os.getcwd() + "/"
    current = None
    for line in text.split("\n"):
        kind, _, rest = line.partition(":")
        if kind == "SF":
            path = os.path.relpath(rest, here)
            current = None
            if path.startswith("src/"):
                current = files.setdefault(path, File(path))
        elif current is None:
            continue
        elif kind == "FN":
            number, name = rest.split(",", 1)
            current.functions[int(number)] = name.rsplit(":", 1)[-1]
        elif kind == "DA":
            number, count = rest.split(",")[:2]
            current.lines[int(number)] = current.lines.get(int(number), False) or count != "0"
        elif kind == "BRDA":
            *key, count = rest.split(",")
            key = tuple(map(int, key))
            current.branches[key] = current.branches.get(key, False) or count not in ("-", "0")


def collect(build, counts):
    work = os.path.join(build, "profiles")
    os.makedirs(work, exist_ok=True)
    by_name = {}
    for path in glob.glob(os.path.join(counts, "*.profraw")):
        by_name.setdefault(os.path.basename(path).rsplit(",", 2)[0], []).append(path)
    helpers = [path for path in glob.glob(build + "/*") if os.path.basename(path) in by_name]
    helpers += [path for path in glob.glob(build + "/tests/proof/counted/model") if "model" in by_name]
    programs = glob.glob(build + "/bin/*") + helpers
    tests = glob.glob(build + "/tests/*/*/*.t")
    # main() is in every program: each has its own profile. Of tests nothing but the parts counts.
    of_tests = [p for path in tests for p in by_name.get(os.path.basename(path), [])]
    jobs = [([path], by_name.get(os.path.basename(path), of_tests[:1])) for path in programs]
    jobs.append((sorted(tests), of_tests))
    files = {}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for text in pool.map(lambda job: export(job[0], job[1], work), jobs):
            add(files, text)
    return files


def read_answers():
    """{(file, function): [[statement, whether it may be executed, used]]}, and what is wrong."""
    answers, wrong, block, pending = {}, [], None, []
    with open(ANSWERS) as f:
        for number, line in enumerate(f, 1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            if not line.startswith(" "):
                if pending:
                    wrong.append("%s:%d: no reason is given" % (ANSWERS, number - 1))
                block, pending = answers.setdefault(tuple(text.split(" ")), []), []
            elif text.startswith("=? ") or text.startswith("= "):
                for statement in pending:
                    block.append([statement, text.startswith("=?"), False])
                pending = []
            else:
                pending.append(text)
    if pending:
        wrong.append("%s: the last block gives no reason" % ANSWERS)
    return answers, wrong


def answered(answers, file, function, statement):
    for answer in answers.get((file, function), []):
        if answer[0] == statement and not answer[2]:
            answer[2] = True
            return True
    return False


def percent(part, whole):
    return "%5.1f" % (100 * part / whole) if whole else "    -"


def row(name, share):
    return "%-34s %6d %s%%  %6d %s%%" % (name, share[1], percent(share[0], share[1]), share[3],
                                         percent(share[2], share[3]))


def main(build, counts):
    files = collect(build, counts)
    answers, wrong = read_answers()
    print("%-34s %6s %6s  %6s %6s" % ("", "lines", "", "branches", ""))
    unanswered = 0
    with open(os.path.join(build, "uncovered.txt"), "w") as out:
        for room in ROOMS:
            total = [0, 0, 0, 0]
            for path in sorted(p for p in files if files[p].room == room):
                share = files[path].share()
                total = [a + b for a, b in zip(total, share)]
                print(row("  " + path, share))
                last = None
                for function, statement, line in files[path].uncovered():
                    known = answered(answers, path, function, statement)
                    if function != last:
                        out.write("%s %s\n" % (path, function))
                    last = function
                    out.write("    %s\n%s" % (statement, "" if known else "        # line %d: no answer\n" % line))
                    if not known and room in JUDGED:
                        unanswered += 1
            print(row(room, total))
            if room in JUDGED and 100 * total[0] < LEAST * total[1]:
                wrong.append("%s: less than %d %% of the lines are executed" % (room, LEAST))
    for (file, function), statements in answers.items():
        for statement, either, used in statements:
            if not used and not either:
                wrong.append("%s: is executed, or gone: %s %s: %s" % (ANSWERS, file, function, statement))
    if unanswered:
        wrong.append("%d statements without an answer: # in %s/uncovered.txt" % (unanswered, build))
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


main(*sys.argv[1:])
