#include "admin/showctl.h"
#include "conf.h"

#include <string.h>

/* Short words for the columns of the table. */
#define NUMBER SHOWCTL_NUMBER
#define SIZE SHOWCTL_SIZE
#define LINE SHOWCTL_LINE
#define LIST SHOWCTL_LIST
#define MAP SHOWCTL_MAP
#define DIGITS SHOWCTL_DIGITS
#define DOMAIN SHOWCTL_DOMAIN
#define FULL_NAME SHOWCTL_FULL_NAME
#define HOSTS SHOWCTL_HOSTS
#define ADDRESSES SHOWCTL_ADDRESSES
#define HELO SHOWCTL_HELO
#define LITERAL SHOWCTL_LITERAL
#define NOTHING SHOWCTL_NOTHING
#define ME SHOWCTL_ME
#define I SHOWCTL_INJECT
#define S SHOWCTL_SEND
#define R SHOWCTL_REMOTE
#define D SHOWCTL_SMTPD
#define T SHOWCTL_QMTPD
#define C SHOWCTL_RCPTCHECK
#define Q SHOWCTL_QMQPC
#define N SHOWCTL_NEWMRH
#define W SHOWCTL_RSPAWN
#define ALL_BUT_NEWMRH (I | S | R | D | T | C | Q)

const struct showctl_file showctl_files[] = {
    {"badmailfrom", LIST, ADDRESSES, D, NOTHING, "", " not accepted in MAIL FROM.",
     "Any MAIL FROM is allowed."},
    {"bouncefrom", LINE, SHOWCTL_LOCAL_PART, S, LITERAL, "Bounce user name is ", ".",
     "MAILER-DAEMON"},
    {"bouncehost", LINE, DOMAIN, S, ME, "Bounce host name is ", ".", NULL},
    {"concurrencylocal", NUMBER, DIGITS, S, LITERAL, "Local concurrency is ", ".",
     "10"},
    {"concurrencyremote", NUMBER, DIGITS, S, LITERAL, "Remote concurrency is ", ".",
     "20"},
    {"databytes", SIZE, DIGITS, D | T, LITERAL, "SMTP DATA limit is ", " bytes.", "0"},
    {"defaultdomain", LINE, DOMAIN, I, ME, "Default domain name is ", ".", NULL},
    {"defaulthost", LINE, DOMAIN, I, ME, "Default host name is ", ".", NULL},
    {"doublebouncehost", LINE, DOMAIN, S, ME, "2B recipient host: ", ".", NULL},
    {"doublebounceto", LINE, SHOWCTL_LOCAL_PART, S, LITERAL, "2B recipient user: ", ".",
     "postmaster"},
    {"envnoathost", LINE, DOMAIN, S | C, ME, "Presumed domain name is ", ".", NULL},
    {"helohost", LINE, FULL_NAME, R, SHOWCTL_ME_ALONE, "SMTP client HELO host name is ",
     ".", NULL},
    {"idhost", LINE, DOMAIN, I, ME, "Message-ID host name is ", ".", NULL},
    {"localiphost", LINE, DOMAIN, D, SHOWCTL_ME_PERHAPS, "Local IP address becomes ",
     ".", NULL},
    {"locals", LIST, DOMAIN, S | C, SHOWCTL_ME_ALONE, "Messages for ",
     " are delivered locally.", "Messages for me are delivered locally."},
    {"me", LINE, FULL_NAME, ALL_BUT_NEWMRH, NOTHING, "My name is ", ".",
     "My name is undefined! Uh-oh."},
    {"percenthack", LIST, DOMAIN, S | C, NOTHING,
     "The percent hack is allowed for user%host@", ".",
     "The percent hack is not allowed."},
    {"plusdomain", LINE, DOMAIN, I, ME, "Plus domain name is ", ".", NULL},
    {"qmqpservers", LIST, SHOWCTL_SERVER, Q, NOTHING, "QMQP server: ", ".",
     "No QMQP servers."},
    {"queuelifetime", NUMBER, DIGITS, S, LITERAL, "Message lifetime in the queue is ",
     " seconds.", "604800"},
    {"rcpthosts", LIST, HOSTS, D | T, NOTHING,
     "SMTP clients may send messages to recipients at ", ".",
     "SMTP clients may send messages to any recipient."},
    {"morercpthosts", LIST, HOSTS, N, NOTHING,
     "SMTP clients may send messages to recipients at ", ".", "No effect."},
    {"morercpthosts.cdb", SHOWCTL_DATABASE, SHOWCTL_ANYTHING, D | T, NOTHING, "", "",
     "No effect."},
    {"smtpgreeting", LINE, SHOWCTL_GREETING, D, SHOWCTL_ME_ALONE, "SMTP greeting: 220 ",
     ".", NULL},
    {"smtproutes", MAP, SHOWCTL_ROUTE, R, NOTHING, "SMTP route: ", "",
     "No artificial SMTP routes."},
    {"timeoutconnect", NUMBER, DIGITS, R, LITERAL, "SMTP client connection timeout is ",
     " seconds.", "60"},
    {"timeoutremote", NUMBER, DIGITS, R, LITERAL, "SMTP client data timeout is ",
     " seconds.", "1200"},
    {"timeoutsmtpd", NUMBER, DIGITS, D, LITERAL, "SMTP server data timeout is ",
     " seconds.", "1200"},
    {"virtualdomains", MAP, SHOWCTL_VIRTUAL, S | C, NOTHING, "Virtual domain: ", "",
     "No virtual domains."},
    {"remoterecipients", NUMBER, DIGITS, S | W, LITERAL,
     "Recipients of one remote connection: ", ".", "1"},
    {"outgoingip", LIST, SHOWCTL_BINDING, R, NOTHING, "Outgoing IP: ", "",
     "Outgoing IP addresses are chosen by the system."},
    {"tlsclient", LINE, SHOWCTL_ANYTHING, R, NOTHING, "TLS helper: ", ".",
     "No TLS for outgoing mail."},
    {"tlspolicy", MAP, SHOWCTL_POLICY, R, NOTHING, "TLS policy: ", "",
     "No TLS policies."},
    {"badrcptto", LIST, ADDRESSES, D, NOTHING, "badrcptto: ", "", "Not used."},
    {"badhelo", LIST, HELO, D, NOTHING, "badhelo: ", "", "Not used."},
    {"badmailfromnorelay", LIST, ADDRESSES, D, NOTHING, "badmailfromnorelay: ", "",
     "Not used."},
    {"badrcpttonorelay", LIST, ADDRESSES, D, NOTHING, "badrcpttonorelay: ", "",
     "Not used."},
    {"badhelonorelay", LIST, HELO, D, NOTHING, "badhelonorelay: ", "", "Not used."},
    {"maxrcpt", NUMBER, DIGITS, D, LITERAL, "maxrcpt: ", ".", "0"},
    {"brtlimit", NUMBER, DIGITS, D, LITERAL, "brtlimit: ", ".", "0"},
    {"tarpitcount", NUMBER, DIGITS, D, LITERAL, "tarpitcount: ", ".", "0"},
    {"tarpitdelay", NUMBER, DIGITS, D, LITERAL, "tarpitdelay: ", ".", "5"},
    {"sessionmax", NUMBER, DIGITS, D, LITERAL, "sessionmax: ", ".", "0"},
    {.name = NULL},
};

const struct showctl_program showctl_programs[] = {
    {I, "qmail-inject", NULL, NULL},
    {S, "qmail-send", CONF_USER_SEND, CONF_GROUP_QMAIL},
    {W, "qmail-rspawn", CONF_USER_REMOTE, CONF_GROUP_QMAIL},
    {R, "qmail-remote", CONF_USER_REMOTE, CONF_GROUP_QMAIL},
    {D, "qmail-smtpd", CONF_USER_DAEMON, CONF_GROUP_NOFILES},
    {T, "qmail-qmtpd", CONF_USER_DAEMON, CONF_GROUP_NOFILES},
    {C, "qmail-rcptcheck", CONF_USER_DAEMON, CONF_GROUP_NOFILES},
    {Q, "qmail-qmqpc", NULL, NULL},
    {N, "qmail-newmrh", "root", CONF_GROUP_QMAIL},
    {.name = NULL},
};

/* Files of patches and of other distributions, and scripts that many have. Names that
 * end in '*' stand for all that begin so. */
static const struct {
    const char *name, *what;
} foreign[] = {
    {"authsenders", "s/qmail's"},
    {"badhelodnscheck", "s/qmail's"},
    {"badloadertypes", "s/qmail's"},
    {"badmailpatterns", "a patch's"},
    {"badmailto", "the qregex patch's"},
    {"badmailtonorelay", "the qregex patch's"},
    {"badmimetypes", "s/qmail's"},
    {"badrcptpatterns", "a patch's"},
    {"badrcptto.cdb", "a patch's"},
    {"bindroutes", "a patch's"},
    {"bouncemaxbytes", "the bouncemaxbytes patch's"},
    {"clientca.pem", "the TLS patch's"},
    {"clientcert.pem", "the TLS patch's"},
    {"clientcrl.pem", "the TLS patch's"},
    {"concurrencyincoming", "a run script's"},
    {"cugmail", "a patch's"},
    {"defaultdelivery", "a run script's"},
    {"dh1024.pem", "the TLS patch's"},
    {"dh2048.pem", "the TLS patch's"},
    {"dh512.pem", "the TLS patch's"},
    {"dkimdomains", "s/qmail's"},
    {"dkimkeys", "the DKIM patch's"},
    {"dnsbllist", "the DNSBL patch's"},
    {"domainbindings", "the domainbindings patch's"},
    {"domaincerts", "s/qmail's"},
    {"domainips", "s/qmail's"},
    {"domainkeys", "the DomainKeys patch's"},
    {"errorsto", "a patch's"},
    {"filterargs", "the DKIM filter's"},
    {"goodrcptto", "a patch's"},
    {"greetdelay", "the greetdelay patch's"},
    {"ldap*", "qmail-ldap's"},
    {"locals.cdb", "a patch's"},
    {"locals.lock", "vpopmail's"},
    {"logcount", "a run script's"},
    {"logsize", "a run script's"},
    {"mailfromdnscheck", "s/qmail's"},
    {"masquerade", "a patch's"},
    {"mfcheck", "the mfcheck patch's"},
    {"moreipme", "the moreipme patch's"},
    {"morercpthosts.lock", "vpopmail's"},
    {"nodnscheck", "a patch's"},
    {"notipme", "the moreipme patch's"},
    {"notlshosts", "the TLS patch's"},
    {"outgoingips", "a patch's"},
    {"qmtproutes", "s/qmail's"},
    {"rcpthosts.cdb", "a patch's"},
    {"rcpthosts.lock", "vpopmail's"},
    {"realrcptto", "the realrcptto patch's"},
    {"recipients", "s/qmail's"},
    {"recipients.cdb", "s/qmail's"},
    {"relaymailfrom", "the relaymailfrom patch's"},
    {"rsa512.pem", "the TLS patch's"},
    {"rsa2048.pem", "the TLS patch's"},
    {"servercert.pem", "the TLS patch's"},
    {"servercert.cnf", "the TLS patch's"},
    {"signatures", "a virus patch's"},
    {"simcontrol", "simscan's"},
    {"simcontrol.cdb", "simscan's"},
    {"simversions.cdb", "simscan's"},
    {"smtpcapabilities", "a patch's"},
    {"smtpplugins", "qmail-spp's"},
    {"spfbehavior", "the SPF patch's"},
    {"spfexp", "the SPF patch's"},
    {"spfguess", "the SPF patch's"},
    {"spfipv6", "the SPF patch's"},
    {"spfrules", "the SPF patch's"},
    {"ssattach", "simscan's"},
    {"surblrewrite", "the SURBL patch's"},
    {"surblwhite", "the SURBL patch's"},
    {"taps", "the qmail-tap patch's"},
    {"tlsclientciphers", "the TLS patch's"},
    {"tlsclients", "the TLS patch's"},
    {"tlsdestinations", "s/qmail's"},
    {"tlshosts", "the TLS patch's"},
    {"tlsserverciphers", "the TLS patch's"},
    {"todointerval", "the ext-todo patch's"},
    {"validrcptto", "the validrcptto patch's"},
    {"validrcptto.cdb", "the validrcptto patch's"},
    {"virtualdomains.cdb", "a patch's"},
    {"virtualdomains.lock", "vpopmail's"},
};

const struct showctl_file *showctl_file_named(const char *name)
{
    for (const struct showctl_file *f = showctl_files; f->name; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

const char *showctl_foreign(const char *name)
{
    for (size_t i = 0; i < COUNT(foreign); i++) {
        struct view pattern = view_of(foreign[i].name);
        bool is_prefix = view_ends(pattern, VIEW("*"));
        if (is_prefix)
            pattern.len--;
        if (is_prefix ? view_starts(view_of(name), pattern)
                      : view_equal(view_of(name), pattern))
            return foreign[i].what;
    }
    return NULL;
}

/* How many letters have to be changed, added or left out to make b of a; no more than
 * most + 1. */
static size_t distance(struct view a, struct view b, size_t most)
{
    enum { LONGEST = 32 };
    size_t row[LONGEST + 1];

    if (a.len > LONGEST || b.len > LONGEST)
        return most + 1;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 0; i < a.len; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b.len; j++) {
            size_t least =
                corner + (byte_lower(a.data[i]) != byte_lower(b.data[j]) ? 1 : 0);
            corner = row[j + 1];
            if (row[j] + 1 < least)
                least = row[j] + 1;
            if (corner + 1 < least)
                least = corner + 1;
            row[j + 1] = least;
        }
    }
    return row[b.len];
}

const char *showctl_meant(const char *name)
{
    enum { NEAR = 2 };
    size_t nearest = NEAR + 1;
    const char *meant = NULL;

    for (const struct showctl_file *f = showctl_files; f->name; f++) {
        size_t d = distance(view_of(name), view_of(f->name), NEAR);
        if (d < nearest && d < strlen(f->name)) {
            nearest = d;
            meant = f->name;
        }
    }
    return meant;
}
