#include "deliver/remote.h"

#include "base/heap.h"
#include "base/os.h"

#include <string.h>

static void add(struct remote_targets *targets, const struct ip_address *ip,
                unsigned preference, size_t name_at)
{
    if (targets->count == targets->room) {
        targets->room = targets->room ? targets->room * 2 : 8;
        targets->list =
            heap_resize(targets->list, targets->room, sizeof *targets->list);
    }
    targets->list[targets->count++] =
        (struct remote_target){.ip = *ip,
                               .preference = preference,
                               .name_at = name_at,
                               .name_len = targets->names.len - name_at};
}

/* A literal: an IPv4 address with or without brackets, an IPv6 address in them. */
static bool is_literal(struct view name, struct ip_address *ip)
{
    return ip_parse_v4(name, ip) || ip_parse_literal(name, ip);
}

/* Adds the addresses of one host. */
static enum dns_result add_host(const struct remote_dns *dns, struct view name,
                                unsigned preference, struct remote_targets *targets)
{
    struct dns_records records = {0};
    struct ip_address ip;
    size_t name_at = targets->names.len;
    if (is_literal(name, &ip)) {
        add(targets, &ip, preference, name_at);
        return DNS_FOUND;
    }
    enum dns_result result = dns->addresses(name, &records);
    if (result == DNS_FOUND)
        bytes_add(&targets->names, name);
    for (size_t i = 0; i < records.count; i++)
        add(targets, &records.list[i].ip, preference, name_at);
    dns_records_free(&records);
    return result;
}

/* Adds the addresses of a host that stands for itself. */
static enum remote_found add_host_itself(const struct remote_dns *dns, struct view name,
                                         struct remote_targets *targets)
{
    switch (add_host(dns, name, 0, targets)) {
    case DNS_FOUND:
        return REMOTE_FOUND;
    case DNS_NO_RECORD:
        return REMOTE_FOUND_NO_ADDRESS;
    case DNS_NO_DATA:
    case DNS_NO_NAME:
        return REMOTE_FOUND_NO_HOST;
    case DNS_TEMPORARY:
        break;
    }
    return REMOTE_FOUND_TEMPORARY;
}

/* A number from 0 to below - 1, each as likely as the others. */
static size_t random_below(size_t below)
{
    uint64_t n, unfair = UINT64_MAX - UINT64_MAX % below;
    do
        os_random(&n, sizeof n);
    while (n >= unfair);
    return (size_t)(n % below);
}

/* Sorts by preference; equal ones come out in any order. */
static void sort_exchangers(struct dns_record *list, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        size_t j = random_below(i + 1);
        struct dns_record swap = list[i];
        list[i] = list[j];
        list[j] = swap;
    }
    /* a stable sort by insertion: answers hold a few records, at most some thousand */
    for (size_t i = 1; i < count; i++) {
        struct dns_record record = list[i];
        size_t j = i;
        for (; j && list[j - 1].preference > record.preference; j--)
            list[j] = list[j - 1];
        list[j] = record;
    }
}

/* Adds the addresses of all mail exchangers. */
static enum remote_found add_exchangers(const struct remote_dns *dns,
                                        struct dns_records *mx,
                                        struct remote_targets *targets)
{
    bool temporary = false;
    if (mx->count == 1 && mx->list[0].name_len == 0)
        return REMOTE_FOUND_NULL_MX;
    sort_exchangers(mx->list, mx->count);
    for (size_t i = 0; i < mx->count; i++) {
        const struct dns_record *record = &mx->list[i];
        if (add_host(dns, dns_record_name(mx, record), record->preference, targets) ==
            DNS_TEMPORARY)
            temporary = true;
    }
    if (targets->count)
        return REMOTE_FOUND;
    return temporary ? REMOTE_FOUND_TEMPORARY : REMOTE_FOUND_NO_ADDRESS;
}

enum remote_found remote_addresses_find(const struct remote_dns *dns,
                                        const struct remote_route *route,
                                        struct remote_targets *targets)
{
    struct dns_records mx = {0};
    struct ip_address literal;
    enum remote_found found;

    if (route->relayed || is_literal(route->host, &literal))
        return add_host_itself(dns, route->host, targets);
    switch (dns->mx(route->host, &mx)) {
    case DNS_FOUND:
        found = add_exchangers(dns, &mx, targets);
        break;
    case DNS_TEMPORARY:
        found = REMOTE_FOUND_TEMPORARY;
        break;
    default:
        found = add_host_itself(dns, route->host, targets);
        break;
    }
    dns_records_free(&mx);
    return found;
}

static bool is_own(const struct ip_own *own, const struct ip_address *ip)
{
    struct ip_address plain = ip_unmapped(ip);
    return ip_own_has(own, ip) || ip_own_has(own, &plain);
}

void remote_addresses_cut(struct remote_targets *targets, const struct ip_own *own)
{
    size_t keep = targets->count;
    for (size_t i = 0; i < targets->count && keep == targets->count; i++)
        if (is_own(own, &targets->list[i].ip))
            keep = i;
    if (keep == targets->count)
        return;
    /* the list is in order of preference: what is as good stands right before */
    while (keep && targets->list[keep - 1].preference == targets->list[keep].preference)
        keep--;
    targets->count = keep;
}

void remote_targets_free(struct remote_targets *targets)
{
    heap_free(targets->list);
    bytes_free(&targets->names);
    *targets = (struct remote_targets){0};
}
