/* dnsptr - print the first name of an address.
 *
 * runs as  anybody, in the build folder, by config
 * args     ADDRESS
 * exits    0, 100 no such address or name, 111 not now */
#include "admin/lookup.h"

int main(int argc, char **argv)
{
    struct dns_records names = {0};
    struct ip_address ip;
    struct view text = lookup_begin(argc, argv);
    if (!ip_parse(text, &ip) && !ip_parse_literal(text, &ip))
        lookup_check(DNS_NO_NAME);
    lookup_check(dns_names(&ip, &names));
    lookup_print(dns_record_name(&names, &names.list[0]));
    lookup_end();
}
