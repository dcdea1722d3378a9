#include "net/ip.h"

#include "base/heap.h"
#include "base/os.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static bool parse(struct view v, int system_family, enum ip_family family,
                  struct ip_address *ip)
{
    char text[IP_TEXT_ROOM];
    struct ip_address fresh = {.family = family};
    if (v.len == 0 || v.len >= sizeof text || view_has(v, '\0'))
        return false;
    memcpy(text, v.data, v.len);
    text[v.len] = '\0';
    if (inet_pton(system_family, text, fresh.bytes) != 1)
        return false;
    *ip = fresh;
    return true;
}

bool ip_parse_v4(struct view v, struct ip_address *ip)
{
    return parse(v, AF_INET, IP_V4, ip);
}

bool ip_parse(struct view v, struct ip_address *ip)
{
    return ip_parse_v4(v, ip) || parse(v, AF_INET6, IP_V6, ip);
}

bool ip_parse_literal(struct view v, struct ip_address *ip)
{
    if (v.len < 2 || v.data[0] != '[' || v.data[v.len - 1] != ']')
        return false;
    v = view_before(view_from(v, 1), v.len - 2);
    if (view_starts_case(v, VIEW("IPv6:")))
        return parse(view_from(v, 5), AF_INET6, IP_V6, ip);
    return ip_parse(v, ip);
}

struct ip_text ip_format(const struct ip_address *ip)
{
    struct ip_text t;
    int family = ip->family == IP_V4 ? AF_INET : AF_INET6;
    if (ip->family == IP_NONE || !inet_ntop(family, ip->bytes, t.text, sizeof t.text))
        snprintf(t.text, sizeof t.text, "unknown");
    return t;
}

bool ip_equal(const struct ip_address *a, const struct ip_address *b)
{
    return a->family == b->family &&
           memcmp(a->bytes, b->bytes, a->family == IP_V4 ? 4 : 16) == 0;
}

struct ip_address ip_unmapped(const struct ip_address *ip)
{
    static const unsigned char prefix[12] = {[10] = 0xff, [11] = 0xff};
    struct ip_address plain = {.family = IP_V4};
    if (ip->family != IP_V6 || memcmp(ip->bytes, prefix, sizeof prefix) != 0)
        return *ip;
    memcpy(plain.bytes, ip->bytes + sizeof prefix, 4);
    return plain;
}

static void add_own(void *arg, int family, const void *address)
{
    struct ip_own *own = arg;
    if (own->count == own->room) {
        own->room = own->room ? own->room * 2 : 8;
        own->list = heap_resize(own->list, own->room, sizeof *own->list);
    }
    struct ip_address *ip = &own->list[own->count++];
    *ip = (struct ip_address){.family = family == AF_INET ? IP_V4 : IP_V6};
    memcpy(ip->bytes, address, family == AF_INET ? 4 : 16);
}

bool ip_own_read(struct ip_own *own)
{
    static const unsigned char any[16];
    own->count = 0;
    add_own(own, AF_INET, any);
    add_own(own, AF_INET6, any);
    return os_each_own_address(add_own, own);
}

bool ip_own_has(const struct ip_own *own, const struct ip_address *ip)
{
    for (size_t i = 0; i < own->count; i++)
        if (ip_equal(&own->list[i], ip))
            return true;
    return false;
}

void ip_own_free(struct ip_own *own)
{
    heap_free(own->list);
    *own = (struct ip_own){0};
}
