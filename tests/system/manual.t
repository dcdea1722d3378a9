#!/usr/bin/python3
"""The manual says what the sources do, and the sources do what the manual says: manual.py
compares them. Then the comparison itself is tried: on copies of pages and sources with one
mistake each, every mistake has to be found, and nothing else."""
from reqmail import *
import manual

if not shutil.which("nm"):
    skip_all("needs nm, which tells what a program is made of")
pages, facts = manual.Pages(), manual.Facts()
known = {}
for name in manual.CHECKS:
    known[name] = manual.findings(pages, facts, name)
    ok(not known[name], name, "\n".join(known[name]))
    note("%d findings" % len(known[name]) if known[name] else "")


def finds(check, pages, facts, pattern, name):
    """What is found beyond what was found before is what the pattern says."""
    more = [f for f in manual.findings(pages, facts, check) if f not in known[check]]
    ok(more and all(re.search(pattern, f) for f in more), "%s: %s" % (check, name), "found %r\nwant  %r" % (more, pattern))


def page(check, file, old, new, pattern, name):
    """One page with a mistake."""
    text = pages[file].text
    if ok(old in text, "%s has %r" % (file, old)):
        finds(check, pages.but(file, text.replace(old, new, 1)), facts, pattern, name)


def source(check, path, old, new, pattern, name):
    """One file of the sources with something new."""
    finds(check, pages, facts.with_source(path, old, new), pattern, name)


check = "programs and pages"
finds(check, pages.without("except.1"), facts, r"except", "a program without a page")
finds(check, pages.but("nobody.8", pages["qmail-send.8"].text.replace("qmail-send", "nobody").replace("QMAIL-SEND", "NOBODY")), facts, r"nobody\.8: the Makefile has no such program", "a page without a program")
page(check, "maildir.5", ".Nm maildir\n", ".Nm maildirs\n", r"maildir\.5: section NAME", "a page by another name")
page(check, "maildir.5", ".Dt MAILDIR 5", ".Dt MAILDIR 7", r"maildir\.5: its title", "a page of another section")

check = "options"
page(check, "tcp-env.1", ".It Fl R\n", ".It\n", r"tcp-env\.1: option -R has no item", "an option is not described")
page(check, "qmail-pw2u.8", ".It Fl C\n", ".It Fl C\nx\n.It Fl z\n", r"qmail-pw2u\.8: option -z is not one", "an option that is not there")
page(check, "qmail-inject.8", ".Op Fl nNaAhH", ".Op Fl nNaAhHq", r"qmail-inject\.8: option -q is not one", "the same in the synopsis")
source(check, "dotqmail/preline.c", '"frdFRD"', '"frdFRDx"', r"preline\.1: option -x has no item", "a new option")
source(check, "accept/sendmail_options.c", "{'v', false", "{'y', false", r"sendmail\.8: option -[vy] ", "an option by another letter, in a table")

check = "control files"
finds(check, pages.but("qmail-smtpd.8", pages["qmail-smtpd.8"].text.replace("Pa timeoutsmtpd", "Pa timeout")), facts, r"qmail-smtpd\.8: control file timeoutsmtpd is not named", "a control file is not named")
page(check, "qmail-smtpd.8", ".It Pa timeoutsmtpd", ".It Pa queuelifetime\nx\n.It Pa timeoutsmtpd", r"qmail-smtpd\.8: FILES lists control file queuelifetime", "one that another program reads")
page(check, "qmail-control.5", ".It Pa bouncefrom", ".It Pa bounceform", r"bouncefrom has no item|bounceform", "a wrong name in qmail-control")
source(check, "deliver/remote_run.c", 'control_line("tlsclient"', 'control_line("tlsserver"', r"tlsserver|tlsclient", "a control file by another name")

check = "environment variables"
finds(check, pages.but("qmail-smtpd.8", pages["qmail-smtpd.8"].text.replace("Ev SMTPD_LOG", "Ar SMTPD_LOG")), facts, r"qmail-smtpd\.8: environment variable SMTPD_LOG is not described", "a variable is not described")
page(check, "qmail-popup.8", ".It Ev POPDELAY", ".It Ev POPTIME\nx\n.It Ev POPDELAY", r"qmail-popup\.8: environment variable POPTIME is not one", "a variable that is not there")
source(check, "mailbox/maildirwatch.c", 'getenv("MAILDIR")', 'getenv("MAILDIR"); getenv("COLUMNS")', r"maildirwatch\.1: environment variable COLUMNS is not described", "a new variable")
source(check, "deliver/local_environment.c", '{"EXT4",', '{"EXT5",', r"EXT5 is not described", "a variable in a table")

check = "exit codes"
page(check, "qmail-getpw.8", ".It 116\n", ".It\n", r"qmail-getpw\.8: exit code 116 is not in EXIT STATUS", "a code is not described")
page(check, "qmail-getpw.8", ".It 118\n", ".It 117\nx\n.It 118\n", r"qmail-getpw\.8: exit code 117 is not one", "a code that is not there")
source(check, "mailbox/maildir2mbox.c", "int main(", 'static void f(void) { _exit(7); }\nint main(', r"maildir2mbox\.1: exit code 7 is not in EXIT STATUS", "a new code")
source(check, "dotqmail/qbiff.c", "int main(", 'static void f(void) { die_temp("x"); }\nint main(', r"qbiff\.1: exit code 111 is not in EXIT STATUS", "a new way to end")

check = "messages"
page(check, "qmail-remote-dns.8", ".Xr qmail-remote 8\ndoes, with", ".Xr qmail-local 8\ndoes, with", r"qmail-remote-dns\.8: the message", "a page refers to another program's")
page(check, "preline.1", ".It wait failed", ".It it failed", r"preline\.1: the message 'wait failed' is not described", "a message is not described")
page(check, "preline.1", ".It wait failed : Ar reason", ".It wait failed : Ar reason\n.It unable to count beans : Ar reason", r"preline\.1:\d+: 'unable to count beans.* is not what", "a message that nobody prints")
source(check, "queue/send_finish.c", '"end msg %ju"', '"end of msg %ju"', r"qmail-send\.8: the message 'end of msg' is not described", "another line of the log")
source(check, "accept/smtpd_envelope.c", "452 max rcpt limit exceeded", "452 recipient limit exceeded", r"qmail-smtpd\.8", "another reply")

check = "references"
page(check, "queue.5", ".Xr envelopes 5", ".Xr envelope 5", r"man/envelope\.5: there is no such page; .*queue\.5:", "a page that is not there")
page(check, "queue.5", ".Xr envelopes 5", ".Xr envelopes 7", r"man/envelopes\.7: there is no such page", "a page of another section")
finds(check, pages.but("qmail.7", pages["qmail.7"].text.replace("Xr mbox 5", "Xr maildir 5")), facts, r"qmail\.7: does not lead to mbox\.5", "a page that the entry page forgets")

check = "paths"
page(check, "mini-qmail.7", "/var/qmail/bin/sendmail", "/var/qmail/sbin/sendmail", r"mini-qmail\.7:\d+: /var/qmail/sbin/sendmail is neither", "a path that no installation has")
page(check, "qmail-newmrh.8", ".Pa control/morercpthosts\n", ".Pa control/morehosts\n", r"qmail-newmrh\.8: control/morehosts is read by no program", "a control file that nobody reads")

check = "scripts"
page(check, "qmail-command.8", "fi\numask", "umask", r"qmail-command\.8:\d+: sh cannot read this", "a script with a mistake")
page(check, "qmail-scaling.7", "except (OSError", "except OSError", r"qmail-scaling\.7:\d+: python cannot read this", "a program with a mistake")

check = "what make makes"
finds(check, pages.but("late.7", ""), facts, r"late\.7: make does not make", "a page that make does not know")

# a row of a table that nothing needs is found
for table, row, check in ((manual.NO_PROGRAM, "gone.8", "programs and pages"), (manual.NO_VARIABLE, ("a.c", "GONE"), "environment variables"),
                          (manual.BY_LIBRARY, "GONE", "environment variables"), (manual.NO_EXIT, ("gone", 1), "exit codes"),
                          (manual.NO_MESSAGE, ("gone", "a.c"), "messages"), (manual.FOREIGN, "gone", "references"), (manual.AT_RUN_TIME, "gone", "paths")):
    table[row] = "gone.1" if table is manual.FOREIGN else "a reason"
    finds(check, pages, facts, r"gone.*of no use any more|GONE.*of no use any more", "a row that nothing needs")
    del table[row]
done()
