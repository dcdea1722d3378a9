#define _DEFAULT_SOURCE
#include "net/dns.h"

#include "base/os.h"

#include "tap.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define L63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff123"

static const struct {
    const char *name;
    struct view host;
    bool good, edns;
    struct view wire; /* behind the number and flags */
} cases[] = {
    {"plain", VIEW_INIT("d.test"), true, false,
     VIEW_INIT("\0\1\0\0\0\0\0\0\1d\4test\0\0\xf\0\1")},
    {"dot at the end", VIEW_INIT("d.test."), true, false,
     VIEW_INIT("\0\1\0\0\0\0\0\0\1d\4test\0\0\xf\0\1")},
    {"EDNS", VIEW_INIT("d"), true, true,
     VIEW_INIT("\0\1\0\0\0\0\0\1\1d\0\0\xf\0\1\0\0\x29\4\xd0\0\0\0\0\0\0")},
    {"odd bytes", VIEW_INIT("a\\. \xe9"), true, false,
     VIEW_INIT("\0\1\0\0\0\0\0\0\2a\\\2 \xe9\0\0\xf\0\1")},
    {"empty", VIEW_INIT(""), false, false, VIEW_INIT("")},
    {"root", VIEW_INIT("."), false, false, VIEW_INIT("")},
    {"empty label", VIEW_INIT("a..b"), false, false, VIEW_INIT("")},
    {"dot first", VIEW_INIT(".b"), false, false, VIEW_INIT("")},
    {"two dots last", VIEW_INIT("b.."), false, false, VIEW_INIT("")},
    {"label of 64", VIEW_INIT(L63 "4.b"), false, false, VIEW_INIT("")},
    {"name of 256", VIEW_INIT(L63 "." L63 "." L63 "." L63), false, false,
     VIEW_INIT("")},
};

static const struct {
    const char *ip, *name;
} reverse[] = {
    {"192.0.2.1", "1.2.0.192.in-addr.arpa"},
    {"2001:db8::567:89ab",
     "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"},
};

static void reverse_names(void)
{
    struct bytes name = {0};
    for (size_t i = 0; i < COUNT(reverse); i++) {
        struct ip_address ip;
        bytes_clear(&name);
        ok(ip_parse(view_of(reverse[i].ip), &ip), reverse[i].ip, NULL);
        dns_add_reverse_name(&name, &ip);
        same(bytes_view(&name), view_of(reverse[i].name), reverse[i].ip);
    }
    bytes_free(&name);
}

/* A name server: the first label of a name says what it answers. Each answer is the
 * question with one record behind it. */
static size_t reply_to(unsigned char *query, size_t len)
{
    enum {
        HEADER = 12,
        FORM_ERROR = 1,
        NO_SUCH_NAME = 3,
        SERVER_FAILURE = 2,
        RECURSION_AVAILABLE = 0x80
    };
    static const unsigned char v4[] = {192, 0, 2, 1}, name[] = {0xc0, HEADER};
    static const unsigned char v6[] = {0x20, 1, 0xd, 0xb8, [15] = 1};
    const unsigned char *label = query + HEADER + 1;
    size_t end = HEADER;
    bool edns = query[11] != 0;

    while (end < len && query[end])
        end += query[end] + 1u;
    unsigned type = query[end + 2];
    end += 5;
    query[2] |= 0x80; /* an answer */
    query[3] = RECURSION_AVAILABLE;
    query[10] = query[11] = 0;
    if (*label == 'f' && (edns || label[1] == 'f'))
        query[3] |= FORM_ERROR;
    else if (*label == 'n')
        query[3] |= NO_SUCH_NAME;
    else if (*label == 's' || (*label == '4' && type == DNS_AAAA))
        query[3] |= SERVER_FAILURE;
    else if (*label != '0') {
        const unsigned char *data = type == DNS_A ? v4 : type == DNS_AAAA ? v6 : name;
        size_t data_len = type == DNS_A ? 4 : type == DNS_AAAA ? 16 : 2;
        unsigned char record[] = {0xc0, HEADER, 0, (unsigned char)type,    0, 1, 0, 0,
                                  0,    9,      0, (unsigned char)data_len};
        query[7] = 1;
        memcpy(query + end, record, sizeof record);
        memcpy(query + end + sizeof record, data, data_len);
        end += sizeof record + data_len;
    }
    return end;
}

static void serve(int fd)
{
    unsigned char message[2000];
    struct sockaddr_in from;
    for (;;) {
        socklen_t from_len = sizeof from;
        ssize_t n = recvfrom(fd, message, 600, 0, (struct sockaddr *)&from, &from_len);
        if (n > 17)
            sendto(fd, message, reply_to(message, (size_t)n), 0,
                   (struct sockaddr *)&from, from_len);
    }
}

static bool never(void *arg, const char *name)
{
    (void)arg;
    (void)name;
    return true;
}

static const struct {
    const char *name;
    enum dns_result ask, addresses;
    size_t count; /* of addresses */
} asked[] = {
    {"both.test", DNS_FOUND, DNS_FOUND, 2},
    {"4.test", DNS_FOUND, DNS_FOUND, 1},
    {"form.test", DNS_FOUND, DNS_FOUND, 2}, /* knows no EDNS */
    {"ff.test", DNS_TEMPORARY, DNS_TEMPORARY, 0},
    {"none.test", DNS_NO_NAME, DNS_NO_NAME, 0},
    {"0.test", DNS_NO_DATA, DNS_NO_DATA, 0},
    {"s.test", DNS_TEMPORARY, DNS_TEMPORARY, 0},
};

static void use_server(const struct sockaddr_in *address)
{
    os_dns_each_candidate("", never, NULL); /* has its configuration read */
    _res.nsaddr_list[0] = *address;
    _res.nscount = 1;
    _res.retry = 2;
    _res.retrans = 5;
}

static void questions(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    struct dns_records records = {0};
    int fd = socket(AF_INET, SOCK_DGRAM, 0), status;

    if (fd == -1 || bind(fd, (struct sockaddr *)&address, len) == -1 ||
        getsockname(fd, (struct sockaddr *)&address, &len) == -1)
        skip_rest("no network");
    pid_t server = fork();
    if (server == 0)
        serve(fd);
    use_server(&address);
    for (size_t i = 0; i < COUNT(asked); i++) {
        struct view name = view_of(asked[i].name);
        same_number(dns_ask(name, DNS_A, &records), asked[i].ask, asked[i].name);
        dns_records_free(&records);
        same_number(dns_addresses(name, &records), asked[i].addresses, asked[i].name);
        same_number(records.count, asked[i].count, "addresses");
        dns_records_free(&records);
    }
    struct ip_address ip = {.family = IP_V4, .bytes = {192, 0, 2, 1}};
    same_number(dns_names(&ip, &records), DNS_FOUND, "the name of an address");
    dns_records_free(&records);
    kill(server, SIGKILL);
    waitpid(server, &status, 0);
    close(fd);
    same_number(dns_ask(VIEW("both.test"), DNS_A, &records), DNS_TEMPORARY,
                "nobody answers");
    dns_records_free(&records);
}

static const struct {
    const char *name, *text;
    bool several;
} configurations[] = {
    {"no configuration", "", false},
    {"one", "search a.test\nnameserver 192.0.2.1\noptions edns0\n", false},
    {"one, no end of line", "nameserver\t2001:db8::1", false},
    {"two", "nameserver 192.0.2.1\nnameserver\t192.0.2.2\n", true},
    {"the same twice", "nameserver 192.0.2.1\nnameserver 192.0.2.1\n", true},
    {"one is a comment", "#nameserver 192.0.2.2\nnameserver 192.0.2.1\n", false},
    {"one is another word", "nameservers 192.0.2.2\nnameserver 192.0.2.1\n", false},
};

int main(void)
{
    reverse_names();
    for (size_t i = 0; i < COUNT(configurations); i++)
        ok(dns_has_several_servers(view_of(configurations[i].text)) ==
               configurations[i].several,
           configurations[i].name, "several servers");
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct dns_query q;
        bool good = dns_query_write(&q, cases[i].host, DNS_MX, 0x1234, cases[i].edns);
        ok(good == cases[i].good, cases[i].name, "result");
        if (!good)
            continue;
        struct view wire = view_at((const char *)q.bytes, q.len);
        same(view_before(wire, 4), VIEW("\x12\x34\1\0"), "number and flags");
        same(view_from(wire, 4), cases[i].wire, cases[i].name);
    }
    struct dns_query q;
    struct view longest = view_from(VIEW(L63 "." L63 "." L63 "." L63), 2);
    ok(longest.len == 253 && dns_query_write(&q, longest, DNS_A, 1, true) &&
           q.len == DNS_MAX_QUERY,
       "the longest name", NULL);
    struct dns_records records = {0};
    ok(dns_ask(VIEW(""), DNS_A, &records) == DNS_NO_NAME, "the root is not asked for",
       NULL);
    questions();
    return tap_done();
}
