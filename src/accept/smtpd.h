/* smtpd - the SMTP server's session, shared by its parts.
 *
 * One session is one struct smtpd. What the admin decided is in policy and does
 * not change; what the client said is in the rest. What is known of the client
 * from outside (TCPREMOTEIP, RELAYCLIENT, ...) stays in the environment, because
 * qmail-queue and the other programs we start read it there too.
 *
 * smtpd_session.c   commands: reading, finding, the small ones
 * smtpd_reply.c     replies, pauses, the end
 * smtpd_envelope.c  MAIL and RCPT
 * smtpd_message.c   DATA
 * smtpd_auth.c      AUTH
 * smtpd_tls.c       STARTTLS
 * smtpd_controls.c  reads the policy
 * smtpd_log.c       the lines on descriptor 2
 *
 * Below these, with headers of their own and without knowledge of a session:
 * smtpd_address, smtpd_data, received, smtpd_bad, hops, rcpthosts, rcptcheck. */
#ifndef ACCEPT_SMTPD_H
#define ACCEPT_SMTPD_H

#include "accept/rcpthosts.h"
#include "mail/enqueue.h"
#include "net/connection.h"
#include "net/ip.h"
#include "net/ucspi_tls.h"

enum {
    SMTPD_DEFAULT_TIMEOUT_S = 1200,
    SMTPD_MAX_LINE = 4096,       /* a command without its LF */
    SMTPD_MAX_AUTH_LINE = 12288, /* RFC 4954, 4 */
    SMTPD_MAX_ERRORS = 20
};

/* A list of what is refused, and one that does not hold for relay clients. */
struct smtpd_bad_lists {
    struct control_list always, norelay;
};

/* In all numbers 0 means that there is no limit. */
struct smtpd_policy {
    struct bytes greeting;
    bool replace_literals; /* of our own addresses, by literal_host */
    struct bytes literal_host;
    struct ip_own own; /* read when they are needed */
    unsigned timeout_s;
    uint64_t session_s;
    struct rcpthosts rcpthosts;
    struct smtpd_bad_lists bad_senders, bad_recipients, bad_helos;
    uint64_t max_bytes;
    uint64_t max_recipients;
    uint64_t max_refused; /* recipients, in a session */
    uint64_t tarpit_count, tarpit_delay_s;
    uint64_t greet_delay_s;
    bool drop_early_talkers;
    bool allow_bare_cr;
    const char *rcptcheck; /* program, or NULL */
    bool rcptcheck_relay;  /* ask it about the recipients of relay clients too */
    bool log;
};

struct smtpd_auth {
    char **program; /* and its arguments; NULL where there is none */
    bool on, required, clear_text_allowed;
    bool done; /* the client has authenticated */
    unsigned failures;
};

enum smtpd_role { SMTPD_NOBODY, SMTPD_SENDER, SMTPD_RECIPIENT };

struct smtpd {
    struct smtpd_policy policy;
    struct connection connection;
    struct enqueue queue;
    struct smtpd_auth auth;
    struct ucspi_tls tls;
    bool tls_active;

    bool over; /* the session ends before the next command */
    int exit_code;
    unsigned errors;  /* commands that made no sense */
    uint64_t refused; /* recipients */
    bool logged;      /* refusals of the current command are */

    struct bytes line; /* the current command */
    struct bytes helo;
    bool helo_given;

    /* The transaction: from MAIL to DATA. */
    bool mail_given;
    struct bytes sender;
    struct bytes recipients; /* each ended by a NUL */
    uint64_t recipient_count;

    struct bytes address; /* of the MAIL or RCPT that is being looked at */
    enum smtpd_role address_of;
};

/* smtpd_controls.c: reads the control files and the environment, from HOME. False
 * where they cannot be read. */
bool smtpd_controls_read(struct smtpd_policy *p);

/* smtpd_session.c: greets, serves commands until the session is over, flushes.
 * The exit code. */
int smtpd_serve(struct smtpd *s);

enum smtpd_line_result {
    SMTPD_LINE_READ,
    SMTPD_LINE_TOO_LONG, /* it has been skipped */
    SMTPD_LINE_GONE      /* there will be no more; the session is over */
};

/* Reads a line into s->line, without its LF. */
enum smtpd_line_result smtpd_read_line(struct smtpd *s);

/* That line without one CR at its end. Good until the next line is read. */
struct view smtpd_line(const struct smtpd *s);

/* Forgets sender and recipients. */
void smtpd_forget(struct smtpd *s);

/* smtpd_reply.c: one reply line, without its CR LF. */
void smtpd_reply(struct smtpd *s, const char *text);

/* A last reply (NULL: none) before the session ends with exit code 1. */
void smtpd_end(struct smtpd *s, const char *text);

/* Says what there is to say about a read that failed; the session is over. */
void smtpd_input_failed(struct smtpd *s);

/* Sends what there is and does nothing for so many seconds, or until the session
 * may last no longer: then it is over. */
void smtpd_pause(struct smtpd *s, uint64_t seconds);

/* smtpd_envelope.c, smtpd_message.c, smtpd_auth.c, smtpd_tls.c: the commands. */
void smtpd_mail(struct smtpd *s, struct view argument);
void smtpd_rcpt(struct smtpd *s, struct view argument);
void smtpd_data_command(struct smtpd *s, struct view argument);
void smtpd_auth_command(struct smtpd *s, struct view argument);
void smtpd_starttls(struct smtpd *s, struct view argument);

/* Takes the check program from our arguments, and SMTPAUTH; what the environment
 * claims about an authentication is removed. */
void smtpd_auth_begin(struct smtpd *s, char **arguments);

/* Whether AUTH would be accepted now. */
bool smtpd_auth_offered(const struct smtpd *s);

/* Finds the TLS server's descriptors, or TLS that is already there. To be called
 * before any descriptor is opened. */
void smtpd_tls_begin(struct smtpd *s);
bool smtpd_tls_offered(const struct smtpd *s);

/* smtpd_log.c: one line on descriptor 2, if the admin wants lines. */
void smtpd_log(const struct smtpd *s, const char *event, const char *reply);

#endif
