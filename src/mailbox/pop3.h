/* pop3 - the dialogue that qmail-popup and qmail-pop3d have in common: commands in,
 * replies out (RFC 1939). */
#ifndef MAILBOX_POP3_H
#define MAILBOX_POP3_H

#include "net/connection.h"

enum {
    POP3_TIMEOUT_S = 1200, /* without input, or of a write that does not go on */
    POP3_MAX_LINE = 4096   /* a command without its LF */
};

struct pop3 {
    struct connection connection;
    struct bytes line; /* the current command */
    bool over;         /* no more commands are served */
};

struct pop3_command {
    const char *word;
    void (*run)(void *session, struct view argument);
};

/* Talks on descriptors 0 and 1. p must not be moved afterwards. */
void pop3_open(struct pop3 *p);

/* Answers commands until p->over: calls run(session, argument) of the one among
 * commands (ended by a NULL word) that is meant, in any case; others get the reply
 * unknown. Replies leave before the next wait. */
void pop3_serve(struct pop3 *p, const struct pop3_command *commands,
                const char *unknown, void *session);

/* One reply line, or one of a list, without its CR LF. */
void pop3_reply(struct pop3 *p, const char *text);

#define POP3_OK "+OK "
#define POP3_SYNTAX "-ERR syntax error"
#define POP3_NO_MEMORY "-ERR out of memory"

/* The answer to CAPA, up to what the caller adds, and its end (RFC 2449). */
void pop3_capabilities(struct pop3 *p);
void pop3_list_end(struct pop3 *p);

#endif
