/* qmail-remote-dns - the same as qmail-remote, with the resolver of the system's own
 * libc, which takes its time, repeats over TCP what does not fit a datagram, and heeds
 * all of resolv.conf(5).
 *
 * runs as  qmailr, in the place of qmail-remote where that has no good answer
 * args, fds, exits  as qmail-remote */
#include "deliver/remote.h"

int main(int argc, char **argv)
{
    remote_run(argc, argv, NULL);
}
