#include "net/dns.h"

#include "base/os.h"

#include <string.h>

enum { MAX_ANSWER = 65535, MAX_LABEL = 63, MAX_WIRE_NAME = 255 };

static void put(struct dns_query *q, const void *data, size_t len)
{
    memcpy(q->bytes + q->len, data, len);
    q->len += len;
}

static void put_number(struct dns_query *q, unsigned n)
{
    unsigned char two[2] = {(unsigned char)(n >> 8), (unsigned char)n};
    put(q, two, sizeof two);
}

/* The labels of name, each after its length, and the root's. */
static bool put_name(struct dns_query *q, struct view name)
{
    if (view_ends(name, VIEW(".")))
        name.len--;
    if (name.len == 0 || name.len > MAX_WIRE_NAME - 2)
        return false;
    for (bool more = true; more;) {
        more = view_has(name, '.');
        struct view label = view_cut(&name, '.');
        if (label.len == 0 || label.len > MAX_LABEL)
            return false;
        unsigned char len = (unsigned char)label.len;
        put(q, &len, 1);
        put(q, label.data, label.len);
    }
    put(q, "", 1);
    return true;
}

bool dns_query_write(struct dns_query *q, struct view name, enum dns_type type,
                     unsigned id, bool edns)
{
    enum { RECURSION_DESIRED = 0x0100, CLASS_INTERNET = 1, TYPE_OPT = 41 };
    q->len = 0;
    put_number(q, id);
    put_number(q, RECURSION_DESIRED);
    put_number(q, 1);            /* questions */
    put_number(q, 0);            /* answers */
    put_number(q, 0);            /* authorities */
    put_number(q, edns ? 1 : 0); /* additional records */
    if (!put_name(q, name))
        return false;
    put_number(q, type);
    put_number(q, CLASS_INTERNET);
    if (edns) { /* RFC 6891, 6.1.2 */
        put(q, "", 1);
        put_number(q, TYPE_OPT);
        put_number(q, DNS_EDNS_SIZE);
        put(q, "\0\0\0\0\0\0", 6); /* version 0, no flags, no data */
    }
    return true;
}

enum dns_result dns_ask(struct view name, enum dns_type type,
                        struct dns_records *records)
{
    static char answer[MAX_ANSWER];
    for (int edns = 1; edns >= 0; edns--) {
        unsigned char id[2];
        struct dns_query query;
        os_random(id, sizeof id);
        if (!dns_query_write(&query, name, type, (unsigned)id[0] << 8 | id[1], edns))
            return DNS_NO_NAME;
        ssize_t len = os_dns_send(query.bytes, query.len, answer, sizeof answer);
        if (len < 0 || (size_t)len > sizeof answer)
            return DNS_TEMPORARY;
        struct view whole = view_at(answer, (size_t)len);
        if (!dns_answer_is_form_error(whole))
            return dns_answer_read(whole, type, records);
    }
    return DNS_TEMPORARY;
}

enum dns_result dns_addresses(struct view name, struct dns_records *records)
{
    struct dns_records v4 = {0};
    enum dns_result four = dns_ask(name, DNS_A, &v4), six = four;
    if (four != DNS_NO_NAME) /* which holds for every type */
        six = dns_ask(name, DNS_AAAA, records);
    for (size_t i = 0; i < v4.count; i++)
        dns_records_add(records, &v4.list[i], VIEW(""));
    dns_records_free(&v4);
    if (four == DNS_FOUND || six == DNS_FOUND)
        return DNS_FOUND;
    return six == DNS_TEMPORARY ? DNS_TEMPORARY : four;
}

bool dns_has_several_servers(struct view resolv_conf)
{
    static const char *const lines[] = {"nameserver ", "nameserver\t"};
    unsigned servers = 0;
    while (resolv_conf.len) {
        struct view line = view_cut(&resolv_conf, '\n');
        for (size_t i = 0; i < COUNT(lines); i++)
            servers += view_starts(line, view_of(lines[i]));
    }
    return servers > 1;
}

void dns_add_reverse_name(struct bytes *out, const struct ip_address *ip)
{
    if (ip->family == IP_V4) {
        for (size_t i = 4; i--;)
            bytes_add_format(out, "%u.", ip->bytes[i]);
        bytes_add_text(out, "in-addr.arpa");
    } else {
        for (size_t i = 16; i--;)
            bytes_add_format(out, "%x.%x.", ip->bytes[i] & 15u, ip->bytes[i] >> 4);
        bytes_add_text(out, "ip6.arpa");
    }
}

enum dns_result dns_names(const struct ip_address *ip, struct dns_records *records)
{
    struct bytes name = {0};
    dns_add_reverse_name(&name, ip);
    enum dns_result result = dns_ask(bytes_view(&name), DNS_PTR, records);
    bytes_free(&name);
    return result;
}
