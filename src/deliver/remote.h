/* remote - the parts of qmail-remote, which takes one message to one host.
 *
 *     remote_route      control/smtproutes, control/outgoingip
 *     remote_addresses  which addresses to try, in which order
 *     remote_dialog     SMTP with one of them
 *     remote_tls        the program that does TLS for us
 *     remote_reply      the peer's replies, and what it offers
 *     remote_blast      the message as it goes over the wire
 *     remote_report     what qmail-rspawn is told
 */
#ifndef DELIVER_REMOTE_H
#define DELIVER_REMOTE_H

#include "base/reader.h"
#include "base/table.h"
#include "base/writer.h"
#include "mail/control.h"
#include "mail/relay.h"
#include "net/dns.h"

/* -- remote_report: a report is a letter, a text and a NUL */

enum remote_text {
    REMOTE_NO_MEMORY,
    REMOTE_NO_SYSTEM,
    REMOTE_NO_CONNECTION,
    REMOTE_NOT_READ,
    REMOTE_DNS_TEMPORARY,
    REMOTE_NO_HOME,
    REMOTE_NO_CONTROL,
    REMOTE_NOT_BOUND,
    REMOTE_PARTIAL_LINE,
    REMOTE_USAGE,
    REMOTE_NO_HOST, /* the host */
    REMOTE_NULL_MX, /* the host */
    REMOTE_NO_ADDRESS,
    REMOTE_IS_US,
    REMOTE_SENDER_BREAK,
    REMOTE_RECIPIENT_OK, /* r */
    REMOTE_RECIPIENT_BREAK,
    REMOTE_RECIPIENT, /* h or s; the peer's address; so down to the end */
    REMOTE_GREETING,
    REMOTE_HELO,
    REMOTE_TLS_NOT_OFFERED,
    REMOTE_TLS_FAILED,     /* needs a detail */
    REMOTE_TLS_UNVERIFIED, /* needs a detail */
    REMOTE_TOO_LARGE,
    REMOTE_SENDER, /* D or Z */
    REMOTE_GIVING_UP,
    REMOTE_DATA,    /* D or Z */
    REMOTE_MESSAGE, /* D or Z */
    REMOTE_ACCEPTED,
    REMOTE_DIED,
    REMOTE_DIED_DUPLICATE
};

/* Appends the report; about is put in where the text speaks of a host or an address,
 * its bytes below 33 and above 126 shown as '?'. */
void remote_report(struct bytes *out, enum remote_text text, struct view about);

/* The same with a letter, and with the peer's reply unless that is empty. */
void remote_report_reply(struct bytes *out, char letter, enum remote_text text,
                         struct view about, struct view reply);

/* The same for a text that gives a detail after what it is about; shown as that is,
 * but with its spaces. */
void remote_report_detail(struct bytes *out, enum remote_text text, struct view about,
                          struct view detail);

/* -- remote_route: control files by the host's name */

struct remote_route {
    struct view host; /* the relay, or the host itself; borrowed */
    unsigned port;
    bool relayed; /* by smtproutes: no MX lookup, no own addresses */
};

/* The route to host. False where the port of the relay is not 1 to 65535. */
bool remote_route_find(const struct table *routes, struct view host,
                       struct remote_route *route);

/* The local addresses for connections to a host, by family; IP_NONE: not bound. */
struct remote_binding {
    struct ip_address v4, v6;
};

/* Looks host up in the entries of control/outgoingip. False where what belongs to it
 * is not an address. */
bool remote_binding_find(const struct control_list *entries, struct view host,
                         struct remote_binding *binding);

/* -- remote_addresses */

/* How names are looked up: dns_ask() for MX and dns_addresses(), or a test's. */
struct remote_dns {
    enum dns_result (*mx)(struct view name, struct dns_records *records);
    enum dns_result (*addresses)(struct view name, struct dns_records *records);
};

/* An address to try. */
struct remote_target {
    struct ip_address ip;
    unsigned preference;
    size_t name_at, name_len; /* in remote_targets.names; empty for a literal */
};

/* {0} is valid and empty. */
struct remote_targets {
    struct remote_target *list;
    size_t count, room;
    struct bytes names; /* of the hosts, as looked up */
};

enum remote_found {
    REMOTE_FOUND,
    REMOTE_FOUND_NO_HOST,    /* the host's own name does not exist or has no address */
    REMOTE_FOUND_NO_ADDRESS, /* none of its mail exchangers has an address */
    REMOTE_FOUND_NULL_MX,    /* the host does not accept mail (RFC 7505) */
    REMOTE_FOUND_TEMPORARY /* some name could not be looked up, and no address found */
};

/* Fills targets with the addresses of route->host, best preference first; equal
 * preferences in random order, the addresses of one mail exchanger together, IPv6
 * first. A literal is itself. */
enum remote_found remote_addresses_find(const struct remote_dns *dns,
                                        const struct remote_route *route,
                                        struct remote_targets *targets);

/* Leaves those that are better than the best of our own (RFC 5321, 5.1). */
void remote_addresses_cut(struct remote_targets *targets, const struct ip_own *own);

void remote_targets_free(struct remote_targets *targets);

/* -- remote_reply */

enum {
    REMOTE_MAX_REPLY = 5000,        /* bytes kept of a reply */
    REMOTE_MAX_REPLY_READ = 1 << 20 /* a reply without end is no reply */
};

/* A reply as it comes in; {0} is the beginning of one. */
struct remote_reply {
    struct bytes text; /* what is kept: all lines, without CR */
    unsigned code;     /* when whole: 200 to 599, or 0 for what is no SMTP reply */
    bool whole;
    size_t len;       /* bytes taken so far */
    unsigned digits;  /* the code as far as it has come */
    size_t column;    /* in the current line, CRs not counted, at most 4 */
    bool later_line;  /* the first line is over */
    bool more_follow; /* the current line's fourth byte is '-' */
    bool not_smtp;    /* the first line does not begin with a code */
};

/* Forgets the reply; the memory stays. */
void remote_reply_clear(struct remote_reply *reply);

/* Takes bytes up to the end of the reply, and says how many. */
size_t remote_reply_feed(struct remote_reply *reply, struct view in);

/* What the peer offers in its reply to EHLO. */
struct remote_offers {
    bool pipelining, size, eight_bit, starttls;
    uint64_t max_size; /* 0: no limit */
};

void remote_offers_read(struct remote_offers *offers, struct view reply);

/* -- remote_blast */

/* A message being turned into lines for SMTP (RFC 5321, 4.5.2): LF, CR LF and a CR
 * alone end a line, and every line that begins with a dot gets another. {0} is the
 * beginning of a message. */
struct remote_blast {
    bool in_line;  /* something of the current line has been sent */
    bool after_cr; /* a CR has just ended a line: an LF belongs to it */
};

/* Appends to out what block looks like on the wire; at most twice its length. */
void remote_blast_feed(struct remote_blast *blast, struct view block,
                       struct bytes *out);

/* Appends the final dot. False where the last line has no end: then the message must
 * not be ended. */
bool remote_blast_end(const struct remote_blast *blast, struct bytes *out);

/* -- remote_tls */

/* The policy for host by control/tlspolicy. False where what stands there is none. */
bool remote_tls_policy_find(const struct table *policies, struct view host,
                            enum relay_tls_policy *policy);

/* What the helper says of its handshake. */
struct remote_tls_status {
    bool up;
    bool verified;
    struct view session; /* up: protocol, cipher, bits, verified or not and why not */
    struct view reason;  /* why it is not up, or not verified */
};

/* Reads the helper's status line; empty, or anything else, counts as a failure. */
void remote_tls_status_read(struct remote_tls_status *status, struct view line);

/* What the helper is told, and how it is found. */
struct remote_tls_helper {
    char *path; /* relative to HOME, where we are */
    enum relay_tls_policy policy;
    struct view domain;   /* the host that mail is for */
    struct view host, ip; /* the host and the address it goes to */
    unsigned timeout_s;
};

enum remote_tls_started {
    REMOTE_TLS_STARTED,  /* line is the helper's status line, empty if none came */
    REMOTE_TLS_NO_SYSTEM /* no descriptors or no process to be had */
};

/* Hands the TCP connection behind fd to the helper; fd is then our end of the clear
 * text. Waits for the helper's status line. */
enum remote_tls_started remote_tls_start(const struct remote_tls_helper *helper, int fd,
                                         struct bytes *line);

/* -- remote_dialog */

/* What is to be done; all of it borrowed. */
struct remote_job {
    struct view helo;
    struct view sender; /* as it stands between the angle brackets */
    char *const *recipients;
    size_t recipient_count;
    int message;        /* the descriptor */
    unsigned timeout_s; /* for each wait for the peer */
    struct view domain; /* the host that mail is for */
    char *tls_client;   /* NULL: no TLS */
    enum relay_tls_policy tls_policy;
};

/* Whom to talk to. */
struct remote_peer {
    int fd;           /* the connection; stays the caller's */
    struct view ip;   /* as text */
    struct view host; /* the name that led to the address; empty for a literal */
    bool in_clear;    /* TLS has failed here and may be left out */
};

enum remote_outcome {
    REMOTE_DONE,
    REMOTE_TRY_NEXT,    /* the peer takes no mail now; another address may */
    REMOTE_TRY_IN_CLEAR /* TLS failed; connect to the same address again */
};

/* Speaks SMTP with the peer. Appends recipients' reports to recipients (nothing unless
 * REMOTE_DONE) and puts the message's report into verdict. The message is not read
 * before the peer has asked for it. */
enum remote_outcome remote_dialog(const struct remote_job *job,
                                  const struct remote_peer *peer,
                                  struct bytes *recipients, struct bytes *verdict);

/* address as it stands between the angle brackets of MAIL and RCPT: the local part
 * quoted where needed, the domain as it is. */
void remote_address(struct bytes *out, struct view address);

/* Whether address holds a CR or LF, which would end the command. */
bool remote_has_line_break(struct view address);

/* The program: remote_run.c. Becomes the program other_path, unless that is NULL, where
 * the resolver here will not do: resolv.conf(5) names several servers, or the one that
 * it names has no answer for now. */
_Noreturn void remote_run(int argc, char **argv, const char *other_path);

#endif
