#include "admin/showctl.h"
#include "base/number.h"
#include "mail/address.h"
#include "mail/relay.h"

typedef struct showctl_problem judge(struct view entry);

static const struct showctl_problem fine = {NULL, NULL};

static struct showctl_problem wrong(const char *problem, const char *remedy)
{
    return (struct showctl_problem){problem, remedy};
}

static bool is_label_byte(char c)
{
    char low = byte_lower(c);
    return byte_is_digit(c) || (low >= 'a' && low <= 'z') || c == '-' || c == '_';
}

static bool is_label(struct view label)
{
    enum { MAX_LABEL = 63 };
    for (size_t i = 0; i < label.len; i++)
        if (!is_label_byte(label.data[i]))
            return false;
    return label.len >= 1 && label.len <= MAX_LABEL;
}

bool showctl_is_domain(struct view v)
{
    enum { MAX_DOMAIN = 253 };
    struct ip_address ip;

    if (ip_parse_literal(v, &ip))
        return true;
    if (v.len == 0 || v.len > MAX_DOMAIN || view_ends(v, VIEW(".")))
        return false;
    while (v.len)
        if (!is_label(view_cut(&v, '.')))
            return false;
    return true;
}

/* A domain, or one with a dot in front, which stands for all below it. */
static bool is_hosts(struct view v)
{
    return showctl_is_domain(view_starts(v, VIEW(".")) ? view_from(v, 1) : v);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static bool has_space(struct view v)
{
    return view_has(v, ' ') || view_has(v, '\t');
}

static bool has_control_byte(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if ((unsigned char)v.data[i] < ' ' || v.data[i] == 127)
            return true;
    return false;
}

/* -- single values */

static struct showctl_problem judge_anything(struct view entry)
{
    (void)entry;
    return fine;
}

static struct showctl_problem judge_digits(struct view entry)
{
    uint64_t n;
    if (!number_take(&entry, &n))
        return wrong("is no number, so the default holds",
                     "write digits, or remove the file");
    if (entry.len)
        return wrong("is read as the digits in front; the rest is ignored",
                     "write digits alone");
    return fine;
}

static struct showctl_problem judge_domain(struct view entry)
{
    if (entry.len == 0)
        return wrong("the name is empty, which is a value too",
                     "write a name, or remove the file for the default");
    if (has_space(entry))
        return wrong("holds white space, so it is nobody's name",
                     "write one name, and remarks in lines of their own");
    if (view_has(entry, '@'))
        return wrong("is an address, where a domain belongs",
                     "write what is behind the @");
    if (view_starts(entry, VIEW(".")))
        return wrong("begins with a dot, which means nothing in this file",
                     "write each domain by its whole name");
    if (!showctl_is_domain(entry))
        return wrong("cannot be a domain", "correct it");
    return fine;
}

static struct showctl_problem judge_full_name(struct view entry)
{
    struct showctl_problem p = judge_domain(entry);
    if (!p.problem && !view_has(entry, '.') && entry.data[0] != '[')
        return wrong("is no full name of a host",
                     "write the name with its domain, as in mail.example.org");
    return p;
}

static struct showctl_problem judge_greeting(struct view entry)
{
    if (entry.len == 0)
        return wrong("the greeting is empty", "write the name of this host");
    if (!showctl_is_domain(view_cut(&entry, ' ')))
        return wrong("does not begin with a host's name, as greetings have to",
                     "write the name of this host in front");
    return fine;
}

static struct showctl_problem judge_local_part(struct view entry)
{
    if (entry.len == 0)
        return wrong("the name is empty, which is a value too",
                     "write a name, or remove the file for the default");
    if (view_has(entry, '@'))
        return wrong("is an address, where only the part before the @ belongs",
                     "write the domain into the file for the host");
    if (has_space(entry) || has_control_byte(entry))
        return wrong("cannot be a local part", "correct it");
    return fine;
}

/* -- entries of lists */

static struct showctl_problem judge_hosts(struct view entry)
{
    if (view_starts(entry, VIEW(".")) && is_hosts(entry))
        return fine;
    return judge_domain(entry);
}

static struct showctl_problem judge_helo(struct view entry)
{
    if (has_space(entry) || has_control_byte(entry))
        return wrong("holds white space or control characters, so no client has it",
                     "write one name, and remarks in lines of their own");
    return fine;
}

static struct showctl_problem judge_addresses(struct view entry)
{
    struct view local, domain;
    if (!address_split(entry, &local, &domain))
        return wrong("has no @, so it stands for no address of any host",
                     "write user@domain, @domain or @.domain");
    if (has_space(entry) || has_control_byte(entry))
        return wrong("holds white space or control characters",
                     "write one address, and remarks in lines of their own");
    if (!showctl_is_domain(domain) && !(local.len == 0 && is_hosts(domain)))
        return wrong("has no domain that can be behind the @",
                     "write user@domain, @domain or @.domain");
    return fine;
}

/* -- entries KEY:VALUE */

static const struct showctl_problem no_colon = {
    "has no colon and is ignored", "write it as the manual page qmail-control says"};

static bool take_key(struct view *entry, struct view *key)
{
    bool has_colon = view_has(*entry, ':');
    *key = view_cut(entry, ':');
    return has_colon;
}

static struct showctl_problem judge_key(struct view key)
{
    if (key.len && !is_hosts(key))
        return wrong("has no domain that can be in front of the colon",
                     "write a domain, .domain for all below it, or nothing for all");
    return fine;
}

static struct showctl_problem judge_route(struct view entry)
{
    struct view key, host, ignored;
    struct ip_address ip;
    unsigned port;

    if (!take_key(&entry, &key))
        return no_colon;
    struct showctl_problem p = judge_key(key);
    if (p.problem || entry.len == 0)
        return p;
    if (ip_parse(entry, &ip) && ip.family == IP_V6)
        return wrong("has an IPv6 address without brackets", "put it in brackets");
    if (!relay_of_route(entry, &host, &port, &ignored))
        return wrong("has a port that is not 1 to 65535, so mail is put off",
                     "correct it");
    if (!showctl_is_domain(host))
        return wrong("has a relay that cannot be a host", "correct it");
    if (ignored.len)
        return wrong("has something behind the port, which is ignored", "remove it");
    return fine;
}

static struct showctl_problem judge_virtual(struct view entry)
{
    struct view key, local, domain;

    if (!take_key(&entry, &key))
        return no_colon;
    if (!address_split(key, &local, &domain))
        domain = key;
    else if (local.len == 0 || !showctl_is_domain(domain))
        return wrong("has no address that can be in front of the colon",
                     "write user@domain, or the domain alone for all its users");
    if (domain.len && !is_hosts(domain))
        return judge_key(domain);
    if (view_has(entry, '@'))
        return wrong("has an address behind the colon, where a user of this host "
                     "belongs",
                     "write the user, and the address into the user's .qmail file");
    if (has_space(entry) || has_control_byte(entry))
        return wrong("has white space or control characters in the user's name",
                     "remove them");
    return fine;
}

static struct showctl_problem judge_binding(struct view entry)
{
    struct view key, address;
    struct ip_address ip;

    relay_split_binding(entry, &key, &address);
    struct showctl_problem p = judge_key(key);
    if (p.problem)
        return p;
    if (!relay_binding_address(address, &ip))
        return wrong("has no address of this host, so mail is put off",
                     "write an IPv4 address, or an IPv6 address in brackets");
    return fine;
}

static struct showctl_problem judge_policy(struct view entry)
{
    enum relay_tls_policy policy;
    struct view key;

    if (!take_key(&entry, &key))
        return no_colon;
    struct showctl_problem p = judge_key(key);
    if (p.problem)
        return p;
    if (!relay_tls_policy(entry, &policy))
        return wrong("has no policy behind the colon, so mail is put off",
                     "write none, may, encrypt or verify");
    return fine;
}

static struct showctl_problem judge_server(struct view entry)
{
    struct view ignored;
    struct ip_address ip;
    unsigned port;

    if (!relay_of_server(entry, &ip, &port, &ignored))
        return wrong("is no address and is passed over",
                     "write an IPv4 address, or an IPv6 address in brackets; names are "
                     "not looked up");
    if (ignored.len)
        return wrong("has something behind the address, which is ignored", "remove it");
    return fine;
}

struct showctl_problem showctl_judge(enum showctl_content content, struct view entry)
{
    static judge *const judges[] = {
        [SHOWCTL_ANYTHING] = judge_anything,   [SHOWCTL_DIGITS] = judge_digits,
        [SHOWCTL_DOMAIN] = judge_domain,       [SHOWCTL_FULL_NAME] = judge_full_name,
        [SHOWCTL_GREETING] = judge_greeting,   [SHOWCTL_LOCAL_PART] = judge_local_part,
        [SHOWCTL_HOSTS] = judge_hosts,         [SHOWCTL_HELO] = judge_helo,
        [SHOWCTL_ADDRESSES] = judge_addresses, [SHOWCTL_ROUTE] = judge_route,
        [SHOWCTL_VIRTUAL] = judge_virtual,     [SHOWCTL_BINDING] = judge_binding,
        [SHOWCTL_POLICY] = judge_policy,       [SHOWCTL_SERVER] = judge_server};
    if (content != SHOWCTL_DIGITS && entry.len && is_space(entry.data[0]))
        return wrong("begins with white space, which is a part of it", "remove it");
    return judges[content](entry);
}
