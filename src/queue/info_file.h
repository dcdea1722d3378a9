/* info_file - the sender of a message, as its file info/S/N has it (queue(5)). */
#ifndef QUEUE_INFO_FILE_H
#define QUEUE_INFO_FILE_H

#include "base/bytes.h"

/* Reads the sender from fd, an info file that is open at its beginning. False with
 * errno set, EILSEQ for what is no such file; sender stays as it was. */
bool info_file_sender(int fd, struct bytes *sender);

#endif
