#!/usr/bin/env python3
"""What static analysis says about src/, compared with what has been answered.

    python3 tests/analysis.py BUILD [gcc clang clang-tidy cppcheck]

  gcc         -fanalyzer, without optimization and with, its limits raised; more warnings
  clang       the static analyzer with its checks of systems and of security, those on trial
              included; all warnings there are, but for matters of taste
  clang-tidy  what .clang-tidy names
  cppcheck    everything, what it is not sure of included

A remark is right, and then the code changes; or it is wrong, and then tests/analysis.answers
says why. What is not answered is printed, and so is an answer to which there is no remark
any more. Exits 1 if anything is printed.

Part of make lint; about four minutes on two processors. Other versions of the tools than
those that the answers name may see other things."""
import os, re, subprocess, sys
from concurrent.futures import ThreadPoolExecutor

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ANSWERS = os.path.join(SOURCE, "tests/analysis.answers")
# As in the Makefile.
LANGUAGE = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Isrc"]

# gcc gives up on functions with many paths, silently. With these limits it does so on few.
GCC_DEEP = ["-fanalyzer", "-fanalyzer-transitivity", "--param=analyzer-bb-explosion-factor=100",
            "--param=analyzer-max-enodes-per-program-point=64"]
GCC_WARNINGS = """-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Warith-conversion -Wshadow -Wformat=2
    -Wformat-signedness -Wformat-overflow=2 -Wformat-truncation=2 -Wnull-dereference -Wduplicated-cond -Wduplicated-branches
    -Wlogical-op -Wstrict-overflow=2 -Wstringop-overflow=4 -Warray-bounds=2 -Wshift-overflow=2 -Wcast-align=strict
    -Wfloat-equal -Wredundant-decls -Wnested-externs -Wimplicit-fallthrough=5 -Walloc-zero -Walloca -Wtrampolines
    -Wstack-usage=65536 -Wdate-time -Wundef -Wvla""".split()

# Left out: alpha.deadcode (it takes what follows four rounds of a loop for dead) and the
# check that wants memcpy_s, which no libc here has.
CLANG_CHECKS = ("core,unix,security,deadcode,nullability,valist,optin.portability,optin.performance.GCDAntipattern,"
                "alpha.core,alpha.unix,alpha.security")
CLANG_WITHOUT = "security.insecureAPI.DeprecatedOrUnsafeBufferHandling"
# Taste: what C17 has and C89 had not, a default where every case is listed and the other
# way round, macros of the system, assignments behind a comma, casts of results, handlers that do
# not come back and are pointers to void functions, format strings in variables (each function
# that takes one is declared as such).
CLANG_TASTE = ["-Wno-" + w for w in """declaration-after-statement padded switch-enum covered-switch-default
    disabled-macro-expansion reserved-macro-identifier reserved-identifier comma bad-function-cast missing-noreturn
    format-nonliteral unused-macros unsafe-buffer-usage unknown-warning-option switch-default pre-c11-compat""".split()]

# Taste: variableScope, funcArgNamesDifferent (a short name in a definition). Wrong: unusedStructMember
# about structs without a name, ctuuninitvar about what a callee fills in. No program here has
# threads: ...Called. missingIncludeSystem: it reads none of the system's headers.
CPPCHECK_WITHOUT = """missingIncludeSystem variableScope funcArgNamesDifferent unusedStructMember ctuuninitvar vforkCalled
    readdirCalled getpwnamCalled getgrnamCalled cryptCalled""".split()

REMARK = re.compile(r"^(?:%s/)?(src/[^:\n]+):(\d+):(?:\d+:)? (?:warning|error): (.*) \[([^\]]+)\]$" % re.escape(SOURCE), re.M)
ALIASES = {"-Wfloat-conversion": "-Wconversion"}


def sources():
    found = []
    for at, _, names in os.walk(os.path.join(SOURCE, "src")):
        found += [os.path.relpath(os.path.join(at, n), SOURCE) for n in names if n.endswith(".c")]
    return sorted(found)


def gcc(build):
    for level in ("-O0", "-O2"):
        for file in sources():
            yield ["gcc", *LANGUAGE, "-I" + build, level, *GCC_DEEP, *GCC_WARNINGS, "-fdiagnostics-plain-output", "-c", file, "-o", "/dev/null"]


def clang(build):
    for file in sources():
        yield ["clang", *LANGUAGE, "-I" + build, "--analyze", "-Xclang", "-analyzer-output=text", "-Xclang",
               "-analyzer-checker=" + CLANG_CHECKS, "-Xclang", "-analyzer-disable-checker=" + CLANG_WITHOUT, file, "-o", "/dev/null"]
        yield ["clang", *LANGUAGE, "-I" + build, "-O1", "-Weverything", *CLANG_TASTE, "-fno-caret-diagnostics", "-fsyntax-only", file]


def clang_tidy(build):
    files = sources()
    for i in range(0, len(files), 8):
        yield ["clang-tidy", "--quiet", *files[i:i + 8], "--", *LANGUAGE, "-I" + build]


def cppcheck(build):
    yield ["cppcheck", "--quiet", "--std=c11", "--library=tests/cppcheck.cfg", "--library=posix", "--enable=all",
           "--inconclusive", "--template={file}:{line}:{column}: warning: {message} [{id}]", *["--suppress=" + w for w in CPPCHECK_WITHOUT],
           *LANGUAGE[1:], "-I" + build, "src"]


WORKERS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
TOOLS = {"gcc": gcc, "clang": clang, "clang-tidy": clang_tidy, "cppcheck": cppcheck}


def run(command):
    done = subprocess.run(command, cwd=SOURCE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode < 0 or (done.returncode and not REMARK.search(done.stdout)):
        return "%s: exit %d\n%s" % (command[0], done.returncode, done.stdout[-2000:]), True
    return done.stdout, False


def line_of(file, number):
    with open(os.path.join(SOURCE, file), encoding="utf-8") as f:
        return " ".join(f.read().splitlines()[number - 1].split())


def remarks(tool, build):
    """{(tool, check, file, text of the line): (line number, message)}, and what did not work."""
    found, broken = {}, []
    with ThreadPoolExecutor(WORKERS) as pool:
        for output, failed in pool.map(run, TOOLS[tool](build)):
            if failed:
                broken.append(output)
            for file, number, message, checks in REMARK.findall(output):
                check = checks.split(",")[0]
                found[(tool, ALIASES.get(check, check), file, line_of(file, int(number)))] = (number, message)
    return found, broken


def answers():
    """The set of what has been answered: blocks of "TOOL CHECK", lines "    FILE: TEXT OF THE LINE", and a reason."""
    found, head, reason = {}, None, True
    with open(ANSWERS, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            text = " ".join(line.split())
            if not text or line.startswith("#"):
                continue
            if not line.startswith(" "):
                head, reason = tuple(text.split()), []
                if len(head) != 2 or head[0] not in TOOLS:
                    sys.exit("%s:%d: no TOOL CHECK" % (ANSWERS, number))
            elif head and re.match(r"src/\S+\.[ch]: ", text):
                file, words = text.split(": ", 1)
                found[(*head, file, words)] = reason
            else:
                reason.append(text)
    for key, reason in found.items():
        if not reason:
            sys.exit("%s: no reason: %s" % (ANSWERS, " ".join(key)))
    return set(found)


def main(build, tools):
    answered, complaints = answers(), 0
    for tool in tools:
        said, broken = remarks(tool, build)
        for text in broken:
            print(text)
        for key in sorted(set(said) - answered):
            number, message = said[key]
            print("%s: %s:%s: %s [%s]\n    %s" % (tool, key[2], number, message, key[1], key[3]))
        stale = sorted(a for a in answered - set(said) if a[0] == tool)
        for _, check, file, text in stale:
            print("%s: answered, but not said any more: %s [%s]\n    %s" % (tool, file, check, text))
        complaints += len(broken) + len(set(said) - answered) + len(stale)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1]), sys.argv[2:] or list(TOOLS)))
