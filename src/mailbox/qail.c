/* qail - move mail from a maildir to an mbox, then read it with Mail.
 *
 * runs as  the owner of the mail
 * reads    MAIL, MAILTMP and MAILDIR of the environment, see maildir2mbox
 * runs     HOME/bin/maildir2mbox, then Mail, found by PATH, in its own place
 * exits    as Mail; as maildir2mbox if that fails; 111 if one cannot be run */
#include "base/die.h"
#include "mailbox/read_with.h"

int main(int argc, char **argv)
{
    static char reader[] = "Mail";

    (void)argc;
    die_name("qail");
    read_with_or_die(reader, argv);
}
