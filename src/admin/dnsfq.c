/* dnsfq - print what DNS calls a host: the name of its first address.
 *
 * runs as  anybody, in the build folder, by config
 * args     NAME, looked for with the resolver's search list
 * exits    0, 100 no such name or address, 111 not now */
#include "admin/lookup.h"

#include "base/die.h"
#include "base/os.h"

/* The search: what the last candidate gave. */
struct search {
    struct dns_records addresses;
    enum dns_result result;
};

/* Ends the search at a name that has addresses, or whose addresses may be known
 * later. */
static bool try_candidate(void *arg, const char *name)
{
    struct search *search = arg;
    search->result = lookup_addresses(view_of(name), &search->addresses);
    return search->result == DNS_FOUND || search->result == DNS_TEMPORARY;
}

int main(int argc, char **argv)
{
    struct search search = {.result = DNS_NO_NAME};
    struct dns_records names = {0};
    lookup_begin(argc, argv);
    os_dns_each_candidate(argv[1], try_candidate, &search);
    if (search.result == DNS_NO_RECORD)
        die_raw(DIE_PERM, "no IP addresses\n");
    lookup_check(search.result);
    lookup_check(dns_names(&search.addresses.list[0].ip, &names));
    lookup_print(dns_record_name(&names, &names.list[0]));
    lookup_end();
}
