#include "accept/smtpd_address.h"

#include "tap.h"

#include <string.h>

#define NUL_INSIDE "FROM:<a\0b@c>"

static const struct {
    const char *name, *argument, *address, *parameters;
} good[] = {
    {"plain", "FROM:<a@b>", "a@b", ""},
    {"null sender", "FROM:<>", "", ""},
    {"null sender without brackets", "FROM:", "", ""},
    {"keyword is not looked at", "x<a@b>", "a@b", ""},
    {"no keyword", "<a@b>", "a@b", ""},
    {"space before bracket", "FROM: <a@b>", "a@b", ""},
    {"parameters", "FROM:<a@b> SIZE=9 BODY=8BITMIME", "a@b", "SIZE=9 BODY=8BITMIME"},
    {"text at the bracket is no parameter", "FROM:<a@b>SIZE=9 X=1", "a@b", "X=1"},
    {"no brackets", "FROM:a@b", "a@b", ""},
    {"no brackets, spaces", "FROM:   a@b", "a@b", ""},
    {"no brackets, parameters", "FROM: a@b SIZE=9", "a@b", "SIZE=9"},
    {"phrase", "FROM:Joe <a@b>x", "a@b", ""},
    {"source route", "FROM:<@r1,@r2:a@b>", "a@b", ""},
    {"source route without brackets", "FROM:@r1:a@b", "a@b", ""},
    {"source route with a quote in it", "FROM:<@r\"1:a@b>", "a@b", ""},
    {"source route alone", "FROM:<@r>", "", ""},
    {"nothing behind the bracket is a route's end", "FROM:<@r> X:y", "", "X:y"},
    {"route to nothing", "TO:<@r:>", "", ""},
    {"colon without route", "FROM:<a:b,c@d>", "a:b,c@d", ""},
    {"quotes", "FROM:<\"a b\"@c>", "a b@c", ""},
    {"quoted bracket", "FROM:<\"a>b\"@c>", "a>b@c", ""},
    {"quoted bracket and parameter", "FROM:<\"> SIZE=9\"@b> X=1", "> SIZE=9@b", "X=1"},
    {"quoted space without brackets", "FROM:\"a b\"@c X=1", "a b@c", "X=1"},
    {"backslash", "FROM:<a\\>b@c>", "a>b@c", ""},
    {"backslash before backslash and quote", "FROM:<a\\\\\\\"b@c>", "a\\\"b@c", ""},
    {"backslash inside quotes", "FROM:<\"a\\\"b\"@c>", "a\"b@c", ""},
    {"backslash at the end", "FROM:<a@b\\", "a@b", ""},
    {"missing bracket", "FROM:<a@b", "a@b", ""},
    {"missing quote", "FROM:<\"a@b> X=1", "a@b> X=1", ""},
    {"percent", "TO:<a%x@b>", "a%x@b", ""},
    {"two ats", "TO:<a@x@b>", "a@x@b", ""},
    {"case and 8-bit bytes stay", "TO:<J\xf6\x80@B>", "J\xf6\x80@B", ""},
    {"second bracket", "TO:<a<b@c>", "a<b@c", ""},
    {"space in the address", "TO:<a b@c>", "a b@c", ""},
};

static const char *const bad[] = {"",
                                  "joe",
                                  "FROM",
                                  "FROM:<a\tb@c>",
                                  "FROM:<a\x01@c>",
                                  "FROM:<a\x7f@c>",
                                  "FROM:a\x1f",
                                  "FROM:<\"\x02\"@c>"};

static const struct {
    const char *name, *address, *want;
} literals[] = {
    {"ours", "a@[192.0.2.1]", "a@host"},
    {"ours with zeros", "a@[192.000.002.01]", "a@host"},
    {"any", "a@[0.0.0.0]", "a@host"},
    {"foreign", "a@[192.0.2.2]", "a@[192.0.2.2]"},
    {"no number goes round at 256", "a@[448.0.2.1]", "a@[448.0.2.1]"},
    {"nor at 2^32", "a@[4294967488.0.2.1]", "a@[4294967488.0.2.1]"},
    {"three numbers", "a@[192.0.513]", "a@[192.0.513]"},
    {"five numbers", "a@[192.0.2.1.1]", "a@[192.0.2.1.1]"},
    {"empty number", "a@[192.0..1]", "a@[192.0..1]"},
    {"last at counts", "a@[192.0.2.1]@b", "a@[192.0.2.1]@b"},
    {"after the last at", "a@b@[192.0.2.1]", "a@b@host"},
    {"text behind it", "a@[192.0.2.1]x", "a@[192.0.2.1]x"},
    {"text before it", "a@x[192.0.2.1]", "a@x[192.0.2.1]"},
    {"no brackets", "a@192.0.2.1", "a@192.0.2.1"},
    {"no at", "[192.0.2.1]", "[192.0.2.1]"},
    {"empty brackets", "a@[]", "a@[]"},
    {"one bracket", "a@[", "a@["},
    {"IPv6", "a@[IPv6:2001:db8::1]", "a@host"},
    {"IPv6 in small letters, long", "a@[ipv6:2001:0DB8:0:0:0:0:0:1]", "a@host"},
    {"IPv6 any", "a@[IPv6:::]", "a@host"},
    {"IPv6 foreign", "a@[IPv6:2001:db8::2]", "a@[IPv6:2001:db8::2]"},
    {"IPv6 without its tag", "a@[2001:db8::1]", "a@[2001:db8::1]"},
    {"IPv6 with a zone", "a@[IPv6:2001:db8::1%eth0]", "a@[IPv6:2001:db8::1%eth0]"},
    {"IPv6 damaged", "a@[IPv6:::1::1]", "a@[IPv6:::1::1]"},
    {"mapped", "a@[IPv6:::ffff:192.0.2.1]", "a@host"},
    {"mapped any", "a@[IPv6:::ffff:0.0.0.0]", "a@host"},
    {"IPv4 behind the tag", "a@[IPv6:192.0.2.1]", "a@[IPv6:192.0.2.1]"},
};

static const struct {
    const char *name, *words, *values;
} parameters[] = {
    {"none", "", ""},
    {"one", "SIZE=1", "1,"},
    {"any case", "size=1", "1,"},
    {"second", "BODY=8BITMIME SIZE=1", "1,"},
    {"several spaces", "  SIZE=1   SIZE=2 ", "1,2,"},
    {"empty", "SIZE=", ","},
    {"without value", "SIZE", ""},
    {"longer name", "XSIZE=1 SIZES=2", ""},
};

static void test_literals(void)
{
    struct ip_address list[4] = {{.family = IP_V4}, {.family = IP_V6}};
    struct ip_own own = {.list = list, .count = COUNT(list)};
    struct bytes address = {0};

    ok(ip_parse(VIEW("192.0.2.1"), &list[2]), "own IPv4", NULL);
    ok(ip_parse(VIEW("2001:db8::1"), &list[3]), "own IPv6", NULL);
    for (size_t i = 0; i < COUNT(literals); i++) {
        bytes_set(&address, view_of(literals[i].address));
        smtpd_address_literal(&address, &own, VIEW("host"));
        same(bytes_view(&address), view_of(literals[i].want), literals[i].name);
    }
    bytes_free(&address);
}

static void test_parameters(void)
{
    struct bytes values = {0};

    for (size_t i = 0; i < COUNT(parameters); i++) {
        struct view rest = view_of(parameters[i].words), value;
        bytes_clear(&values);
        while (smtpd_parameter_next(&rest, VIEW("SIZE="), &value)) {
            bytes_add(&values, value);
            bytes_add_byte(&values, ',');
        }
        same(bytes_view(&values), view_of(parameters[i].values), parameters[i].name);
    }
    bytes_free(&values);
}

int main(void)
{
    struct bytes address = {0};
    struct view rest;

    for (size_t i = 0; i < COUNT(good); i++) {
        ok(smtpd_address_parse(view_of(good[i].argument), &address, &rest),
           good[i].name, "taken");
        same(bytes_view(&address), view_of(good[i].address), good[i].name);
        same(rest, view_of(good[i].parameters), good[i].name);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        ok(!smtpd_address_parse(view_of(bad[i]), &address, &rest), "refused", bad[i]);
    ok(!smtpd_address_parse(view_at(NUL_INSIDE, sizeof NUL_INSIDE - 1), &address,
                            &rest),
       "refused", "NUL");
    bytes_free(&address);
    test_literals();
    test_parameters();
    return tap_done();
}
