/* dns - asking the domain name system.
 *
 * The servers are those of the system's resolver (/etc/resolv.conf), names are
 * taken as they are: no search list, no hosts file. CNAMEs are followed by the
 * servers. EDNS with room for 1232 bytes is offered; answers that are longer come
 * over TCP, up to 65535 bytes. */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "net/dns_answer.h"

enum {
    DNS_EDNS_SIZE = 1232,
    DNS_MAX_QUERY = 12 + 255 + 4 + 11 /* header, name, type and class, EDNS */
};

struct dns_query {
    unsigned char bytes[DNS_MAX_QUERY];
    size_t len;
};

/* Writes the query with number id for the records of type of name, which may end in
 * a dot. False where name cannot be one: empty, a label that is empty or longer than
 * 63 bytes, more than 255 bytes in all (RFC 1035, 2.3.4). */
bool dns_query_write(struct dns_query *query, struct view name, enum dns_type type,
                     unsigned id, bool edns);

/* Asks for the records of type of name and appends them to records. A name that
 * cannot be one, and the root, are DNS_NO_NAME without a question. */
enum dns_result dns_ask(struct view name, enum dns_type type,
                        struct dns_records *records);

/* The addresses of name: AAAA records, then A records. DNS_TEMPORARY if there is none
 * and one of the lookups failed for now; without any, else, the result for A. */
enum dns_result dns_addresses(struct view name, struct dns_records *records);

/* Whether resolv.conf(5), of which this is the text, names several servers. They are to
 * be asked in that order: the first may know what the others have never heard of. */
bool dns_has_several_servers(struct view resolv_conf);

/* The names of an address, as its owner has them; nobody has checked that they are
 * names of that address. And the name under which they are looked up (RFC 1035, 3.5;
 * RFC 3596, 2.5). */
enum dns_result dns_names(const struct ip_address *ip, struct dns_records *records);
void dns_add_reverse_name(struct bytes *out, const struct ip_address *ip);

#endif
