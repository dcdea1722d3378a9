/* queue_exit - how qmail-queue ends, and what its callers say then.
 *
 * The codes are an interface: programs named by QMAILQUEUE use them too. 11 to
 * 40 are permanent, all others temporary. */
#ifndef MAIL_QUEUE_EXIT_H
#define MAIL_QUEUE_EXIT_H

enum queue_exit {
    QUEUE_OK = 0,
    QUEUE_ADDRESS_TOO_LONG = 11,
    QUEUE_REFUSED = 31,
    QUEUE_MEMORY = 51,
    QUEUE_TIMEOUT = 52,
    QUEUE_WRITE = 53,
    QUEUE_READ = 54,
    QUEUE_CONFIGURATION = 55,
    QUEUE_NETWORK = 56,
    QUEUE_HOME = 61,
    QUEUE_DIRECTORY = 62,
    QUEUE_PID_FILE = 63,
    QUEUE_MESS = 64,
    QUEUE_INTD = 65,
    QUEUE_TODO = 66,
    QUEUE_SERVER_TEMP = 71,
    QUEUE_SERVER_TIMEOUT = 72,
    QUEUE_SERVER_REJECTED = 73,
    QUEUE_SERVER_FAILED = 74,
    QUEUE_BUG = 81,
    QUEUE_CUSTOM = 82, /* the text is on descriptor 6 */
    QUEUE_ENVELOPE = 91,
    QUEUE_NO_USER = 111,
    QUEUE_ADDRESS_TOO_LONG_2 = 115,
    QUEUE_NOT_RUN = 120
};

/* Longest envelope address, in bytes. */
enum { QUEUE_MAX_ADDRESS = 1002 };

/* What to say of exit code code (not of QUEUE_OK): a letter, D for a permanent
 * failure or Z for a temporary one, and the text without a line feed. */
const char *queue_exit_text(int code);

#endif
