"""report - what was measured, as a table, as JSON and as a page that needs nothing else."""
import html, json, os, statistics

# figure: its unit, whether less is better, and its title
FIGURES = {
    "per_s": ("/s", False, "done"), "accept_per_s": ("/s", False, "accepted"), "cpu_ms": ("ms", True, "CPU time each"),
    "user_ms": ("ms", True, "of it in programs"), "sys_ms": ("ms", True, "of it in the kernel"),
    "before_per_s": ("/s", False, "done, nothing waiting"), "before_accept_per_s": ("/s", False, "accepted, nothing waiting"),
    "before_cpu_ms": ("ms", True, "CPU time each, nothing waiting"), "before_pss_mb": ("MB", True, "memory, nothing waiting"),
    "waiting": ("", False, "messages that wait"), "pss_mb": ("MB", True, "memory, while they wait"),
    "idle_cpu_ms_per_s": ("ms/s", True, "CPU time when idle"), "restart_s": ("s", True, "start-up with them, until 220"),
    "startup_s": ("s", True, "start-up, until 220"), "idle_mb": ("MB", True, "memory after the start (PSS)"),
    "used_mb": ("MB", True, "memory after ten messages"), "idle_processes": ("", True, "processes"),
    "connection_kb": ("kB", True, "memory of an idle SMTP connection"), "installed_mb": ("MB", True, "programs on disk"),
    "at_once": ("", False, "deliveries at once"), "all_s": ("s", True, "until all were under way"),
    "flight_mb": ("MB", True, "memory then (PSS)"), "delivery_kb": ("kB", True, "memory of a delivery"),
    "transactions": ("", True, "SMTP transactions out"),
    "writes": ("", True, "disk writes"), "written_kb": ("kB", True, "written to disk"), "flushes": ("", True, "disk flushes"),
    "commits": ("", True, "journal commits"), "started": ("", True, "processes started"), "faults": ("", True, "page faults"),
    "switches": ("", True, "context switches"), "calls": ("", True, "system calls"), "execs": ("", True, "programs started"),
    "syncs": ("", True, "fsync, fdatasync"), "opens": ("", True, "files opened"),
}
MAIN = ("per_s", "accept_per_s", "cpu_ms")
HIDE = {"startup_s": lambda case: case != "footprint", "transactions": lambda case: case == "list-local"}


def flat(figures):
    """One run's figures by name: those of the traces among them."""
    one = {k: v for k, v in figures.items() if k in FIGURES and isinstance(v, (int, float))}
    watch, strace = figures.get("watch", {}), figures.get("strace", {})
    one.update({k: watch[k] for k in ("started", "faults", "switches") if k in watch})
    if strace:
        one.update(calls=strace["calls"], execs=strace["kinds"]["exec"], syncs=strace["kinds"]["sync"], opens=strace["kinds"]["open"])
    return one


def brief(figures):
    if "failed" in figures:
        return "failed: " + figures["failed"].split("\n")[0]
    return ", ".join("%s %s%s" % (FIGURES[k][2], number(v), FIGURES[k][0]) for k, v in flat(figures).items() if k in MAIN) or "measured"


def number(value):
    if value is None:
        return "-"
    if value == int(value) and abs(value) < 1e6:
        return "%d" % value
    return "%.0f" % value if abs(value) >= 100 else "%.1f" % value if abs(value) >= 10 else "%.2f" % value


def summary(runs):
    """{figure: (median, lowest, highest)} of the runs that did not fail."""
    values = {}
    for run in runs:
        if "failed" not in run:
            for name, value in flat(run).items():
                values.setdefault(name, []).append(value)
    return {k: (statistics.median(v), min(v), max(v)) for k, v in values.items()}


def limit_of(results):
    return summarised(results["limit"], "per_s")


def of_limit(results, case, figure, median):
    """A rate of messages beside the best that the file system did in the same run; '' where that
    says nothing."""
    best = max((m for m, _, _ in limit_of(results).values()), default=0)
    return "  %.2f of the limit" % (median / best) if best and figure == "per_s" and not case.startswith("list") else ""


def summarised(by_name, figure):
    found = {n: summary(runs).get(figure) for n, runs in by_name.items()}
    return {n: f for n, f in found.items() if f}


def is_ours(system):
    return system.startswith("reqmail")


def rows(results):
    """For each case and figure: (case, figure, {system: (median, lowest, highest)})."""
    for case, by_system in results["cases"].items():
        of = {system: summary(runs) for system, runs in by_system.items()}
        for figure in FIGURES:
            values = {s: f[figure] for s, f in of.items() if figure in f}
            if values and not (figure in HIDE and HIDE[figure](case)):
                yield case, figure, values


def ratios(values):
    """Of ours, the first of them, to each peer."""
    ours = next((values[s] for s in values if is_ours(s)), None)
    return {s: ours[0] / v[0] for s, v in values.items() if ours and not is_ours(s) and v[0]}


def titles():
    from cases import CASES
    return {name: case["title"] for name, case in CASES.items()}


def versions(results):
    found = {}
    for by_system in results["cases"].values():
        for system, runs in by_system.items():
            for run in runs:
                if run.get("version"):
                    found[system] = run["version"]
    return found


def failures(results):
    for case, by_system in results["cases"].items():
        for system, runs in by_system.items():
            for number_, run in enumerate(runs, 1):
                for key in "failed", "failed_watch", "failed_strace":
                    if key in run:
                        yield case, system, number_, run[key].strip()


# -- the table

def text(results):
    lines = heading(results)
    title = titles()
    last = None
    for case, figure, values in rows(results):
        if case != last:
            lines += ["", "%s: %s" % (case, title[case])]
            last = case
        unit, less, what = FIGURES[figure]
        ratio = ratios(values)
        lines.append("  %s%s" % (what, " (%s)" % unit if unit else ""))
        for system, (median, low, high) in values.items():
            beside = "   ours/its %.2f%s" % (ratio[system], " (less is better)" if less else "") if system in ratio else ""
            lines.append("    %-16s %10s   %s..%s%s%s" % (system, number(median), number(low), number(high), of_limit(results, case, figure, median), beside))
    lines += programs_text(results)
    failed = list(failures(results))
    if failed:
        lines += ["", "Not measured:"] + ["  %s: %s, round %d: %s" % (c, s, n, " ".join(why.split())[:200]) for c, s, n, why in failed]
    return "\n".join(lines) + "\n"


def heading(results):
    m, o = results["machine"], results["options"]
    lines = ["%s, Linux %s, %s" % (m["cpu"], m["kernel"], m["disk"]),
             "%s; %d rounds, SCALE=%g; load average %.1f before, %.1f after" % (
                 m["date"], o["rounds"], o["scale"], m["load_before"], m.get("load_after", m["load_before"])),
             "with a journal, in a file on that disk" if o["journal"] else
             "" if m.get("journal", True) else "This file system has no journal, as a server's should have: see JOURNAL=1",
             "medians, then lowest..highest"]
    lines = [line for line in lines if line]
    lines += ["  %-16s %s" % pair for pair in versions(results).items()]
    lines += ["  %-16s %s" % pair for pair in results["absent"].items()]
    found = limit_of(results)
    if found:
        lines += ["", "limit: create, write 4 kB, fsync, link, fsync the directory (/s)"]
        lines += ["    %-16s %10s   %s..%s" % ("%s writer%s" % (w, "s" * (w != "1")), number(m_), number(l), number(h)) for w, (m_, l, h) in found.items()]
    return lines


def programs_of(results):
    """(case, system, [(program, figures)]): medians over the rounds of what each program did."""
    for case, by_system in results["cases"].items():
        for system, runs in by_system.items():
            gathered = {}
            for run in runs:
                for name, figures in run.get("watch", {}).get("programs", {}).items():
                    for key, value in figures.items():
                        gathered.setdefault(name, {}).setdefault(key, []).append(value)
                for name, figures in run.get("strace", {}).get("programs", {}).items():
                    gathered.setdefault(name, {}).setdefault("calls", []).append(figures["calls"])
            table = {n: {k: statistics.median(v) for k, v in f.items()} for n, f in gathered.items()}
            if table:
                yield case, system, sorted(table.items(), key=lambda row: -row[1].get("cpu_ms", 0))


PROGRAM_FIGURES = (("cpu_ms", "CPU ms"), ("faults", "faults"), ("switches", "switches"), ("runs", "ends"), ("calls", "calls"))


def programs_text(results):
    lines = []
    for case, system, table in programs_of(results):
        lines += ["", "%s, %s: of each message, by program" % (case, system),
                  "    %-16s" % "" + "".join("%10s" % t for _, t in PROGRAM_FIGURES)]
        for name, figures in table:
            lines.append("    %-16s" % name + "".join("%10s" % number(figures.get(k)) for k, _ in PROGRAM_FIGURES))
    return lines


# -- the page

STYLE = """body{font:15px/1.45 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin:2.2rem 0 .3rem}h3{font-size:.95rem;margin:1rem 0 .2rem;font-weight:600}
table{border-collapse:collapse;margin:.5rem 0}td,th{padding:.15rem .7rem;text-align:right;border-bottom:1px solid #ddd;font-variant-numeric:tabular-nums}
td:first-child,th:first-child{text-align:left}svg{display:block;max-width:100%}text{font:12px system-ui,sans-serif;fill:#1a1a1a}
.note{color:#555}@media(prefers-color-scheme:dark){body{background:#161616;color:#eee}text{fill:#eee}td,th{border-color:#444}.note{color:#aaa}}"""
COLOURS = {"postfix": "#c2703d", "opensmtpd": "#8a6bb8", "exim": "#4d8f5a"}
WIDTH, LEFT, RIGHT, BAR = 760, 130, 190, 22


def chart(values, unit, less):
    """Horizontal bars from nought: medians; a line from the lowest to the highest."""
    most = max(high for _, _, high in values.values()) or 1
    scale = (WIDTH - LEFT - RIGHT) / most
    ratio = ratios(values)
    parts = ['<svg viewBox="0 0 %d %d" width="%d" role="img">' % (WIDTH, BAR * len(values) + 4, WIDTH)]
    for i, (system, (median, low, high)) in enumerate(values.items()):
        y = BAR * i + 2
        label = "%s%s" % (number(median), " " + unit if unit else "")
        if system in ratio:
            label += "  (ours/its %.2f)" % ratio[system]
        parts.append('<text x="%d" y="%d" text-anchor="end">%s</text>' % (LEFT - 8, y + 14, html.escape(system)))
        parts.append('<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>' % (LEFT, y + 2, max(1, median * scale), BAR - 6, COLOURS.get(system, "#3a75b0")))
        parts.append('<path d="M%.1f %d H%.1f" stroke="currentColor" stroke-width="1.5"/>' % (LEFT + low * scale, y + BAR // 2 - 1, LEFT + high * scale))
        parts.append('<text x="%.1f" y="%d">%s</text>' % (LEFT + high * scale + 8, y + 14, html.escape(label)))
    parts.append("</svg>")
    return "".join(parts)


def page(results):
    title = titles()
    out = ['<!DOCTYPE html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
           "<title>reqmail: measurements</title><style>%s</style><h1>Measurements</h1>" % STYLE]
    out += ["<p class=note>%s</p>" % "<br>".join(html.escape(line) for line in heading(results)[:4] if line and not line.startswith("  "))]
    out += ["<p class=note>Bars are medians, lines reach from the lowest to the highest round.</p><ul>"]
    out += ["<li>%s: %s</li>" % (html.escape(s), html.escape(v)) for s, v in list(versions(results).items()) + list(results["absent"].items())] + ["</ul>"]
    found = limit_of(results)
    if found:
        out += ["<h2>The limit of the file system</h2><p>Each writer: create, write 4 kB, fsync, link, fsync the directory.</p>",
                chart({"%s writer%s" % (w, "s" * (w != "1")): f for w, f in found.items()}, "/s", False)]
    last = None
    for case, figure, values in rows(results):
        if case != last:
            out.append("<h2>%s</h2><p class=note>%s</p>" % (html.escape(title[case]), html.escape(case)))
            last = case
        unit, less, what = FIGURES[figure]
        out += ["<h3>%s%s</h3>" % (html.escape(what), ", less is better" if less else ""), chart(values, unit, less)]
    for case, system, table in programs_of(results):
        out.append("<h2>%s, %s: of each message, by program</h2><table><tr><th>program%s</tr>" % (
            html.escape(title[case]), html.escape(system), "".join("<th>" + t for _, t in PROGRAM_FIGURES)))
        for name, figures in table:
            out.append("<tr><td>%s%s</tr>" % (html.escape(name), "".join("<td>" + number(figures.get(k)) for k, _ in PROGRAM_FIGURES)))
        out.append("</table>")
    failed = list(failures(results))
    if failed:
        out.append("<h2>Not measured</h2><ul>")
        out += ["<li>%s, %s, round %d: %s</li>" % (html.escape(c), html.escape(s), n, html.escape(" ".join(why.split())[:300])) for c, s, n, why in failed]
        out.append("</ul>")
    return "\n".join(out) + "\n"


def save(directory, results):
    os.makedirs(directory, exist_ok=True)
    for name, content in (("results.json", json.dumps(results, indent=1) + "\n"), ("results.txt", text(results)), ("index.html", page(results))):
        path = os.path.join(directory, name)
        with open(path + ".new", "w") as f:
            f.write(content)
        os.rename(path + ".new", path)
