#include "accept/smtpd_address.h"

#include "base/number.h"
#include "mail/address.h"

/* Finds where the address begins, and the byte that ends it unless quoted. */
static bool find_start(struct view argument, struct view *rest, char *terminator)
{
    size_t bracket = view_find(argument, '<');
    if (bracket < argument.len) {
        *rest = view_from(argument, bracket + 1);
        *terminator = '>';
        return true;
    }
    size_t colon = view_find(argument, ':');
    if (colon == argument.len)
        return false;
    *rest = view_from(argument, colon + 1);
    while (rest->len && rest->data[0] == ' ')
        *rest = view_from(*rest, 1);
    *terminator = ' ';
    return true;
}

/* Reads from *rest up to terminator or stop, whichever comes first outside quotes
 * (stop counts inside them too); *rest is moved behind that byte. The bytes meant
 * are appended to text. Whether it was stop. */
static bool unquote(struct view *rest, char terminator, const char *stop,
                    struct bytes *text)
{
    bool quoted = false;

    while (rest->len) {
        char c = rest->data[0];
        *rest = view_from(*rest, 1);
        if (stop && c == *stop)
            return true;
        if (c == terminator && !quoted)
            return false;
        if (c == '"') {
            quoted = !quoted;
        } else if (c != '\\') {
            bytes_add_byte(text, c);
        } else if (rest->len) {
            bytes_add_byte(text, rest->data[0]);
            *rest = view_from(*rest, 1);
        }
    }
    return false;
}

static bool has_control_byte(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if ((unsigned char)v.data[i] < 32 || v.data[i] == 127)
            return true;
    return false;
}

bool smtpd_address_parse(struct view argument, struct bytes *address,
                         struct view *parameters)
{
    static const char colon = ':';
    struct view rest;
    char terminator;

    bytes_clear(address);
    if (!find_start(argument, &rest, &terminator))
        return false;
    bool route = rest.len && rest.data[0] == '@';
    if (!route || unquote(&rest, terminator, &colon, address)) {
        bytes_clear(address); /* the source route: RFC 5321, 4.1.1.3 */
        unquote(&rest, terminator, NULL, address);
    } else {
        bytes_clear(address); /* a route to nowhere */
    }
    if (terminator == '>') /* what touches the bracket is no word of its own */
        view_cut(&rest, ' ');
    *parameters = rest;
    return !has_control_byte(bytes_view(address));
}

/* "127.0.0.1", and "127.000.000.001", which RFC 5321 allows and which means the
 * same in mail. */
static bool parse_quad(struct view v, struct ip_address *ip)
{
    enum { PARTS = 4, LARGEST = 255 };

    *ip = (struct ip_address){.family = IP_V4};
    for (size_t i = 0; i < PARTS; i++) {
        uint64_t n;
        if (i > 0) {
            if (v.len == 0 || v.data[0] != '.')
                return false;
            v = view_from(v, 1);
        }
        if (!number_take(&v, &n) || n > LARGEST)
            return false;
        ip->bytes[i] = (unsigned char)n;
    }
    return v.len == 0;
}

static bool parse_literal(struct view v, struct ip_address *ip)
{
    if (v.len < 2 || v.data[0] != '[' || v.data[v.len - 1] != ']')
        return false;
    struct view inner = view_before(view_from(v, 1), v.len - 2);
    if (view_starts_case(inner, VIEW("IPv6:")))
        return ip_parse_literal(v, ip);
    return parse_quad(inner, ip);
}

void smtpd_address_literal(struct bytes *address, const struct ip_own *own,
                           struct view host)
{
    struct view local, domain;
    struct ip_address ip;

    if (!address_split(bytes_view(address), &local, &domain))
        return;
    if (!parse_literal(domain, &ip))
        return;
    struct ip_address plain = ip_unmapped(&ip);
    if (!ip_own_has(own, &ip) && !ip_own_has(own, &plain))
        return;
    bytes_cut(address, local.len + 1);
    bytes_add(address, host);
}

bool smtpd_parameter_next(struct view *parameters, struct view name, struct view *value)
{
    while (parameters->len) {
        struct view word = view_cut(parameters, ' ');
        if (view_starts_case(word, name)) {
            *value = view_from(word, name.len);
            return true;
        }
    }
    return false;
}
