#!/bin/sh
# Prints a boot script, which the administrator copies to HOME/rc.
# usage: boot.sh NAME HOME
set -eu

case ${1%+df} in
home) deliver='./Mailbox' about='an mbox in each home directory' ;;
proc) deliver='|preline procmail' about='procmail' ;;
binm1)
    deliver='|preline -f /usr/libexec/mail.local -r "${SENDER:-MAILER-DAEMON}" -d "$USER"'
    about='mail.local of 4.4BSD' ;;
binm2)
    deliver='|preline -f /bin/mail -r "${SENDER:-MAILER-DAEMON}" -d "$USER"'
    about='binmail of System V (-r)' ;;
binm3)
    deliver='|preline -f /bin/mail -f "${SENDER:-MAILER-DAEMON}" -d "$USER"'
    about='binmail of V7 (-f)' ;;
*) echo "boot.sh: no such boot script: $1" >&2; exit 1 ;;
esac
case $1 in
*+df)
    about="$about; .forward files are obeyed through dot-forward"
    deliver="|dot-forward .forward
$deliver" ;;
esac

cat << END
#!/bin/sh
# Mail for users without instructions of their own goes to
# $about.
# The log goes to syslog, facility mail.

exec env - PATH="$2/bin:\$PATH" \\
qmail-start '$deliver' splogger qmail
END
