/* read_with - a mail reader that knows mboxes alone, for those who have a maildir;
 * what qail, elq and pinq have in common. */
#ifndef MAILBOX_READ_WITH_H
#define MAILBOX_READ_WITH_H

/* Runs maildir2mbox; if that succeeds, becomes the reader, found by PATH, with the
 * arguments in argv behind the first. Else exits as maildir2mbox did, or 111 with a
 * line on descriptor 2. */
_Noreturn void read_with_or_die(char *reader, char **argv);

#endif
