/* dnsip - print the addresses of a name, IPv4 first.
 *
 * runs as  anybody, in the build folder, by config
 * args     NAME
 * exits    0, 100 no such name or address, 111 not now */
#include "admin/lookup.h"

int main(int argc, char **argv)
{
    struct dns_records records = {0};
    lookup_check(lookup_addresses(lookup_begin(argc, argv), &records));
    for (size_t i = 0; i < records.count; i++)
        lookup_print(view_of(ip_format(&records.list[i].ip).text));
    lookup_end();
}
