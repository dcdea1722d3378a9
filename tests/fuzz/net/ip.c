/* Addresses in any text, alone and as literals: what is read is written, and read again
 * as the same; four numbers are read as RFC 5321, 4.1.3 has them. */
#include "net/ip.h"

#include "fuzz.h"

#include <string.h>

/* Four numbers to 255 without leading zeros, and dots between. */
static bool is_quad(struct view v, unsigned char *bytes)
{
    for (int i = 0; i < 4; i++) {
        unsigned n = 0;
        struct view part = view_before(v, view_find(v, '.'));
        bool last = part.len == v.len;
        if (part.len == 0 || part.len > 3 || last != (i == 3) ||
            (part.len > 1 && part.data[0] == '0'))
            return false;
        for (size_t j = 0; j < part.len; j++) {
            if (!byte_is_digit(part.data[j]))
                return false;
            n = n * 10 + (unsigned)(part.data[j] - '0');
        }
        if (n > 255)
            return false;
        bytes[i] = (unsigned char)n;
        v = view_from(v, last ? part.len : part.len + 1);
    }
    return true;
}

static void again(const struct ip_address *ip)
{
    struct ip_address same;
    struct ip_text text = ip_format(ip);
    struct bytes literal = {0};

    MUST(ip_parse(view_of(text.text), &same) && ip_equal(ip, &same));
    bytes_add_text(&literal, ip->family == IP_V6 ? "[IPv6:" : "[");
    bytes_add_text(&literal, text.text);
    bytes_add_text(&literal, "]");
    MUST(ip_parse_literal(bytes_view(&literal), &same) && ip_equal(ip, &same));
    struct ip_address plain = ip_unmapped(ip);
    MUST(plain.family == IP_V4 || ip_equal(&plain, ip));
    bytes_free(&literal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view v = view_at((const char *)data, len);
    struct ip_address ip = {0};
    unsigned char quad[4];

    bool want = is_quad(v, quad);
    MUST(ip_parse_v4(v, &ip) == want);
    if (want)
        MUST(ip.family == IP_V4 && memcmp(ip.bytes, quad, 4) == 0);
    if (ip_parse(v, &ip))
        again(&ip);
    else
        MUST(!want);
    if (ip_parse_literal(v, &ip))
        again(&ip);
    if (len >= 17) {
        ip = (struct ip_address){.family = data[0] & 1 ? IP_V6 : IP_V4};
        memcpy(ip.bytes, data + 1, ip.family == IP_V6 ? 16 : 4);
        again(&ip);
    }
    return 0;
}
