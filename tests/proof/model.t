#!/usr/bin/env python3
"""qmail-send's decisions, proved by experience: its own objects in a made-up world (model/),
some ten thousand histories each time, millions in make proof. Every recipient ends delivered or
returned, exactly once as far as the history allows; times, limits, turns and log are as the
specification has them.

Then the test of the test: qmail-send with one line changed must be found out.

SEED=N replays one history and prints its trace; HISTORIES=N is how many are run."""
import os, re, shutil, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../system")]
from reqmail import note, ok, done, skip_all

FULL = os.environ.get("PROOF") == "full"
SEED = os.environ.get("SEED")
SOURCE = os.path.dirname(os.path.dirname(HERE))
MODEL = os.path.join(HERE, "model")
HISTORIES = int(os.environ.get("HISTORIES", 3200000 if FULL else 30000))
SECONDS = 1700 if FULL else 8  # on a slow machine there are fewer, and the figures say so
MUTANT_MOST = 150000  # histories within which a changed program is found out
SLOW_MOST = 2000000    # and one that is only wrong after a rare crash
STEP = 20000 if FULL else 500
CORES = min(2, os.cpu_count() or 1)
# For make coverage the objects are counted; then nothing is changed, what a changed program executes being
# none of ours.
LD = os.environ.get("CONF_LD", "").split()
COUNTED = any("COVERAGE_COUNTS" in word for word in LD)
if COUNTED:
    os.environ.update(MODEL_CC=LD[0], MODEL_COVERAGE=" ".join(os.environ["CONF_CC"].split()[1:]),
                      MODEL_LINK=" ".join(LD[1:] + [os.path.join(SOURCE, "tests/coverage.c")]))

# What is changed, where, in what.
MUTANTS = [
    ("the next attempt a second late", "send_schedule.c",
     "return square < most ? (int64_t)((uint64_t)birth + square)", "return square < most ? (int64_t)((uint64_t)birth + square + 1)"),
    ("a channel has the other's steps", "send_schedule.c",
     "[CHANNEL_LOCAL] = 10, [CHANNEL_REMOTE] = 20", "[CHANNEL_LOCAL] = 20, [CHANNEL_REMOTE] = 10"),
    ("the newest first", "send_schedule.c",
     "a->due != b->due ? a->due < b->due", "a->due != b->due ? a->due > b->due"),
    ("a recipient is marked before its report", "send_job.c",
     "        j->running++;\n", "        j->running++;\n        mark_done(j, at);\n"),
    ("no mark", "send_job.c", "n = pwrite(state.marked_fd, \"D\", 1, at);", "n = 1;"),
    ("marked before the note", "send_spawn.c",
     "    enum job_result result = JOB_LATER;\n",
     "    enum job_result result = JOB_LATER;\n    if (letter == DELIVERY_FAILURE) job_done(slot->job, slot->at);\n"),
    ("one delivery too many", "send_spawn.c",
     "return s->free_count && !s->full", "return (s->free_count || s->running == s->limit) && !s->full"),
    ("the limit of the spawner alone", "send_spawn.c",
     "s->limit = controls.concurrency[c] < announced", "s->limit = controls.concurrency[c] > announced"),
    ("a report for a free slot is believed", "send_spawn.c",
     "|| number >= s->limit ||\n        !s->slots[number].job)", "|| number >= s->limit)"),
    ("the bounce is not forgotten, and sent again", "send_bounce.c",
     "        bounce_forget(message);\n    } else {\n        log_line(\"warning: trouble inj", "        later(message, birth);\n    } else {\n        log_line(\"warning: trouble inj"),
    ("no bounce where one recipient has failed", "send_finish.c", "if (st.st_size > 0 && queue_mark_of", "if (st.st_size > 40 && queue_mark_of"),
    ("a bounce of a double bounce", "send_bounce.c", 'if (view_is(sender, "#@[]"))\n        return false;', 'if (view_is(sender, "#@[]x"))\n        return false;'),
    ("todo is taken again while it is being removed", "send_todo.c",
     " && !fresh_has(message)", ""),
    ("no sync of the lists", "send_fresh.c", "            add_sync(f)->fd = f->fds[i];", "            if (i != 1) add_sync(f)->fd = f->fds[i];"),
    ("no sync of the directories", "send_fresh.c", "            add_directory(i, f->message);", "            if (i) add_directory(i, f->message);"),
    ("the notes' name is stable at the first paragraph alone", "order_note.c",
     "file_sync(fd) && dir_sync(\"bounce\");", "file_sync(fd) && (st.st_size > 0 || dir_sync(\"bounce\"));"),
    ("info goes before the notes", "send_finish.c",
     "bounce_forget(message); /* the first note was never written */", "return true;"),
    ("the list goes although somebody is left", "send_job.c", "(j->stopped ? is_left(j) : j->left);", "(j->stopped ? is_left(j) : j->left && j->message % 8);"),
    ("ALRM is for one channel", "send_waiting.c",
     "    for (int c = 0; c < CHANNELS; c++)\n        schedule_all_due", "    for (int c = 1; c < CHANNELS; c++)\n        schedule_all_due"),
    ("HUP is lost", "qmail-send.c", "if (signals_taken(SIGHUP))\n        controls_reread", "if (signals_taken(SIGHUP) && signals_taken(SIGALRM))\n        controls_reread"),
    ("TERM forgets the times", "qmail-send.c", "        waiting_save();\n", ""),
    ("TERM does not await deliveries", "qmail-send.c", "leaving && spawn_is_idle() &&", "leaving &&"),
    ("young messages are too old", "send_job.c", "> controls.lifetime_s;", "< controls.lifetime_s;"),
    ("too old a second early", "send_job.c", "> controls.lifetime_s;", ">= controls.lifetime_s;"),
    ("a second late to wake", "send_waiting.c", "loop_wake_in_s(l, due > now ? due - now : 0);", "loop_wake_in_s(l, due > now ? due - now + 2 : 0);"),
    ("never to wake for what is finished", "send_finish.c", "    if (next_ring())\n        loop_wake_now(l);", ""),
    ("always to wake", "send_sweep.c", "        loop_wake_at(l, wake_time());", "        loop_wake_now(l);"),
    ("a refused bounce is forgotten", "send_bounce.c", "        log_line(\"warning: trouble injecting bounce message, will try later\");\n        later(message, birth);", "        log_line(\"warning: trouble injecting bounce message, will try later\");"),
    ("an attempt goes on although its message is held", "send_job.c", "if (mark && list->job == j) {", "if (mark == QUEUE_DELETED && list->job == j) {"),
    ("what is held is not found again", "send_waiting.c", "    if (mark)\n        job_apply", "    if (mark == QUEUE_HELD)\n        return;\n    if (mark)\n        job_apply"),
    ("a mark that is there is believed to be on the disk", "order_file.c",
     "if (marked && !file_sync(fd)) {", "if (marked && (st.st_mode & MODE_BITS) != mode && !file_sync(fd)) {"),
    ("the order of the status", "send_spawn.c", "    s->running--;\n", "    s->running -= s->running > 1;\n"),
    ("two recipients are tried before the sync", "send_todo.c", "t.recipients == 1", "t.recipients <= 2"),
    ("todo goes without a sync although a bounce is due", "send_fresh.c", "&st) == -1 && errno == ENOENT)", "&st) == -1 || true)"),
    ("what is not synced does not say so", "send_todo.c", "which == SEND_INFO && t->in_stream\n", "false\n"),
    ("what is synced says it is not", "send_fresh.c", "fchmod(f->fds[SEND_INFO], QUEUE_UNMARKED_MODE) == -1", "false"),
    ("rests are delivered again", "send_waiting.c", "if (!unknown && queue_is_unsynced(file.st_mode))", "if (false)"),
    ("what qmail-clean refuses is delivered anew", "send_fresh.c", "if (!gone && f->single) {", "if (false) {"),
    ("a message is younger by a sync that failed", "send_fresh.c", "int kept = futimens(fd, (struct timespec[2]){{.tv_nsec = UTIME_OMIT}, st.st_mtim});", "int kept = 0;"),
    ("deferrals are failures", "send_spawn.c", "if (letter == DELIVERY_DEFERRAL && job_last_words", "if (letter == DELIVERY_DEFERRAL || job_last_words"),
]
SAMPLE = 3  # of them, in make test
SLOW = {"the notes' name is stable at the first paragraph alone",  # take many histories
        "too old a second early", "a message is younger by a sync that failed",
        "a mark that is there is believed to be on the disk"}


def build(source, out, *flags):
    p = subprocess.run(["sh", os.path.join(MODEL, "build.sh"), source, MODEL, out, *flags],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
    return p.returncode == 0, p.stdout.decode(errors="replace")


def start(out, first, count):
    return subprocess.Popen([os.path.join(out, "model"), str(first), str(count)], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)


def end(process):
    """The exit code and what was said."""
    text = process.communicate(timeout=3600)[0].decode(errors="replace")
    return process.returncode, text


def tail_of(out, seed):
    p = subprocess.run([os.path.join(out, "model"), "-t", str(seed)], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=600)
    return p.stdout.decode(errors="replace").splitlines()


def run(out, first):
    """The histories, on all cores: the sums, and what went wrong."""
    sums, wrong, until = {"histories": 0}, "", time.monotonic() + SECONDS
    while not wrong and sums["histories"] < HISTORIES and time.monotonic() < until:
        for code, text in [end(p) for p in [start(out, first + i * STEP, STEP) for i in range(CORES)]]:
            words = text.split() if code == 0 else []
            for name, n in zip(words[::2], words[1::2]):
                sums[name] = sums.get(name, 0) + int(n)
            if code:
                wrong = wrong or text or "the model dies: %d" % code
        first += CORES * STEP
    return sums, wrong


def change(scratch, n):
    """A copy of the sources with the change, in a build of its own; the reason why not."""
    title, name, *pairs = MUTANTS[n]
    source, out = os.path.join(scratch, "src%d" % n), os.path.join(scratch, "out%d" % n)
    shutil.copytree(os.path.join(SOURCE, "src"), os.path.join(source, "src"))
    shutil.copytree(os.path.join(scratch, "out"), out)
    path = os.path.join(source, "src/queue", name)
    with open(path) as f:
        text = f.read()
    for old, new in zip(pairs[::2], pairs[1::2]):
        if text.count(old) != 1:
            return None, "%d times in %s: %r" % (text.count(old), name, old)
        text = text.replace(old, new)
    with open(path, "w") as f:
        f.write(text)
    os.unlink(os.path.join(out, "queue-%s.o" % name[:-2]))
    built, text = build(source, out)
    shutil.rmtree(source)
    return (out, "") if built else (None, text)


def find_out(scratch, n, first):
    title = MUTANTS[n][0]
    out, why = change(scratch, n)
    if not out:
        return ok(False, "found out: " + title, why)
    most = SLOW_MOST if title in SLOW else MUTANT_MOST
    code, text = end(start(out, first, most))
    shutil.rmtree(out)
    found = re.match(r"seed \d+, history (\d+): (.*)", text)
    if ok(code != 0, "found out: " + title, "%d histories find nothing" % most):
        note("history %s: %s" % found.groups() if found else text.strip() or "it dies")


def main():
    if os.environ.get("SANITIZED"):
        skip_all("a build of its own, without sanitizers")
    if not shutil.which("objcopy"):
        skip_all("needs objcopy, nm, ld")
    scratch = tempfile.mkdtemp(dir=os.environ.get("SCRATCH"))
    try:
        out = os.path.join(SOURCE, os.environ["BUILD"], "tests/proof/counted") if COUNTED else os.path.join(scratch, "out")
        shutil.rmtree(out, True)
        built, text = build(SOURCE, out)
        if not ok(built, "the model is built", text):
            return
        if SEED:
            lines = tail_of(out, SEED)
            note("\n".join(lines))
            ok(lines and lines[-1].startswith("histories "), "history %s" % SEED)
            return
        first = int.from_bytes(os.urandom(5), "big")
        note("first seed %d" % first)
        began = time.monotonic()
        sums, wrong = run(out, first)
        if ok(not wrong, "%d histories" % sums["histories"], wrong):
            note(", ".join("%d %s" % (n, name) for name, n in sums.items()))
            note("%d histories a second" % (sums["histories"] / (time.monotonic() - began)))
        else:
            seed = re.search(r"seed (\d+)", wrong)
            note("\n".join(tail_of(out, seed.group(1))[-40:]) if seed else "")
        chosen = [] if COUNTED else range(len(MUTANTS)) if FULL else [n for n in sorted((first + i * 7) % len(MUTANTS) for i in range(SAMPLE))
                                                   if MUTANTS[n][0] not in SLOW]
        for n in chosen:
            find_out(scratch, n, first)
    finally:
        shutil.rmtree(scratch)


main()
done()
