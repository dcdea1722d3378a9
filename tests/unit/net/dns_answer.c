#include "net/dns_answer.h"

#include "tap.h"

#include <stdlib.h>
#include <string.h>

#define HEAD(flags, count) "\x12\x34" flags "\0\1" count "\0\0\0\0"
#define OK_FLAGS "\x81\x80"
#define ASKED(type) \
    "\1d\4test\0"   \
    "\0" type "\0\1"
#define RECORD(type, len) \
    "\xc0\x0c"            \
    "\0" type "\0\1"      \
    "\0\0\0\x3c"          \
    "\0" len
#define X40 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define ANSWER(count, type) HEAD(OK_FLAGS, "\0" count) ASKED(type)

static const struct {
    const char *name;
    struct view answer;
    enum dns_type type;
    enum dns_result result;
    const char *records; /* "address " or "preference name " for each */
} cases[] = {
    {"MX: a name that runs out of the message",
     VIEW_INIT(ANSWER("\1", "\xf") RECORD("\xf", "\4") "\0\2\xc0\x25"), DNS_MX,
     DNS_TEMPORARY, ""},
    {"MX: a pointer that the message cuts",
     VIEW_INIT(ANSWER("\2", "\xf") RECORD("\x10", "\xa0")
                   X40 X40 X40 X40 RECORD("\xf", "\4") "\0\1\xc0\xd1"),
     DNS_MX, DNS_TEMPORARY, ""},
    {"PTR: half a pointer", VIEW_INIT(ANSWER("\1", "\14") RECORD("\14", "\1") "\xc0"),
     DNS_PTR, DNS_TEMPORARY, ""},
    {"PTR: a name without an end",
     VIEW_INIT(ANSWER("\1", "\14") RECORD("\14", "\2") "\1a"), DNS_PTR, DNS_TEMPORARY,
     ""},
    {"nothing", VIEW_INIT(""), DNS_A, DNS_TEMPORARY, ""},
    {"half a header", VIEW_INIT("\x12\x34\x81\x80\0\1"), DNS_A, DNS_TEMPORARY, ""},
    {"a query", VIEW_INIT(HEAD("\1\0", "\0\0") ASKED("\1")), DNS_A, DNS_TEMPORARY, ""},
    {"truncated", VIEW_INIT(HEAD("\x83\x80", "\0\0") ASKED("\1")), DNS_A, DNS_TEMPORARY,
     ""},
    {"no name", VIEW_INIT(HEAD("\x81\x83", "\0\0") ASKED("\1")), DNS_A, DNS_NO_NAME,
     ""},
    {"SERVFAIL", VIEW_INIT(HEAD("\x81\x82", "\0\0") ASKED("\1")), DNS_A, DNS_TEMPORARY,
     ""},
    {"REFUSED", VIEW_INIT(HEAD("\x81\x85", "\0\0") ASKED("\1")), DNS_A, DNS_TEMPORARY,
     ""},
    {"FORMERR", VIEW_INIT(HEAD("\x81\x81", "\0\0") ASKED("\1")), DNS_A, DNS_TEMPORARY,
     ""},
    {"no data", VIEW_INIT(ANSWER("\0", "\1")), DNS_A, DNS_NO_DATA, ""},
    {"no data, says the zone's server", VIEW_INIT(HEAD("\x85\0", "\0\0") ASKED("\1")),
     DNS_A, DNS_NO_DATA, ""},
    {"no data, says one who asks nobody", VIEW_INIT(HEAD("\x81\0", "\0\0") ASKED("\1")),
     DNS_A, DNS_TEMPORARY, ""},
    {"A", VIEW_INIT(ANSWER("\1", "\1") RECORD("\1", "\4") "\xc0\0\2\1"), DNS_A,
     DNS_FOUND, "192.0.2.1 "},
    {"two A",
     VIEW_INIT(ANSWER("\2", "\1")
                   RECORD("\1", "\4") "\xc0\0\2\1" RECORD("\1", "\4") "\xc0"
                                                                      "\0\2"
                                                                      "\2"),
     DNS_A, DNS_FOUND, "192.0.2.1 192.0.2.2 "},
    {"AAAA",
     VIEW_INIT(ANSWER("\1", "\x1c")
                   RECORD("\x1c", "\x10") "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0"
                                          "\0\0\1"),
     DNS_AAAA, DNS_FOUND, "2001:db8::1 "},
    {"A of three bytes", VIEW_INIT(ANSWER("\1", "\1") RECORD("\1", "\3") "\xc0\0\2"),
     DNS_A, DNS_TEMPORARY, ""},
    {"AAAA of four bytes",
     VIEW_INIT(ANSWER("\1", "\x1c") RECORD("\x1c", "\4") "\xc0\0\2\1"), DNS_AAAA,
     DNS_TEMPORARY, ""},
    {"second A damaged",
     VIEW_INIT(ANSWER("\2", "\1")
                   RECORD("\1", "\4") "\xc0\0\2\1" RECORD("\1", "\2") "\1\2"),
     DNS_A, DNS_TEMPORARY, ""},
    {"one record short", VIEW_INIT(ANSWER("\2", "\1") RECORD("\1", "\4") "\xc0\0\2\1"),
     DNS_A, DNS_TEMPORARY, ""},
    {"CNAME and A",
     VIEW_INIT(ANSWER("\2", "\1")
                   RECORD("\5", "\2") "\xc0\x0c" RECORD("\1", "\4") "\xc0\0\2"
                                                                    "\1"),
     DNS_A, DNS_FOUND, "192.0.2.1 "},
    {"CNAME alone", VIEW_INIT(ANSWER("\1", "\1") RECORD("\5", "\2") "\xc0\x0c"), DNS_A,
     DNS_NO_RECORD, ""},
    {"another class",
     VIEW_INIT(ANSWER("\1", "\1") "\xc0\x0c\0\1\0\3\0\0\0\x3c\0\4\xc0\0\2\1"), DNS_A,
     DNS_NO_RECORD, ""},
    {"MX", VIEW_INIT(ANSWER("\1", "\xf") RECORD("\xf", "\6") "\0\xa\1m\xc0\x0c"),
     DNS_MX, DNS_FOUND, "10 m.d.test "},
    {"MX of the root", VIEW_INIT(ANSWER("\1", "\xf") RECORD("\xf", "\3") "\0\0\0"),
     DNS_MX, DNS_FOUND, "0  "},
    {"MX of two bytes", VIEW_INIT(ANSWER("\1", "\xf") RECORD("\xf", "\2") "\0\xa"),
     DNS_MX, DNS_TEMPORARY, ""},
    {"MX of one byte", VIEW_INIT(ANSWER("\1", "\xf") RECORD("\xf", "\1") "\0"), DNS_MX,
     DNS_TEMPORARY, ""},
    {"MX, label too long for the record",
     VIEW_INIT(ANSWER("\1", "\xf") RECORD("\xf", "\6") "\0\1\x3f"
                                                       "abc"
                                                       "behind it\0"),
     DNS_MX, DNS_TEMPORARY, ""},
    {"MX, pointer forwards",
     VIEW_INIT(ANSWER("\1", "\xf") RECORD("\xf", "\4") "\0\1\xc0\x40"), DNS_MX,
     DNS_TEMPORARY, ""},
    {"MX, pointer to itself",
     VIEW_INIT(ANSWER("\1", "\xf") RECORD("\xf", "\4") "\0\1\xc0\x26"), DNS_MX,
     DNS_TEMPORARY, ""},
    {"MX, pointer through itself",
     VIEW_INIT(ANSWER("\1", "\xf") RECORD("\xf", "\6") "\0\1\1m\xc0\x26"), DNS_MX,
     DNS_TEMPORARY, ""},
    {"MX, half a pointer",
     VIEW_INIT(ANSWER("\1", "\xf") RECORD("\xf", "\3") "\0\1\xc0"), DNS_MX,
     DNS_TEMPORARY, ""},
    {"MX, a kind of label nobody uses",
     VIEW_INIT(ANSWER("\1", "\xf") RECORD("\xf", "\4") "\0\1\x41\0"), DNS_MX,
     DNS_TEMPORARY, ""},
    {"MX, a dot in a label",
     VIEW_INIT(ANSWER("\1", "\xf") RECORD("\xf", "\6") "\0\1\2a.\0"), DNS_MX,
     DNS_TEMPORARY, ""},
    {"MX, a NUL in a label",
     VIEW_INIT(ANSWER("\1", "\xf") RECORD("\xf", "\6") "\0\1\2a\0\0"), DNS_MX,
     DNS_TEMPORARY, ""},
    {"PTR", VIEW_INIT(ANSWER("\1", "\xc") RECORD("\xc", "\2") "\xc0\x0c"), DNS_PTR,
     DNS_FOUND, "0 d.test "},
};

static void show(const struct dns_records *records, enum dns_type type,
                 struct bytes *out)
{
    bytes_clear(out);
    for (size_t i = 0; i < records->count; i++) {
        const struct dns_record *r = &records->list[i];
        if (type == DNS_A || type == DNS_AAAA) {
            bytes_add_text(out, ip_format(&r->ip).text);
        } else {
            bytes_add_format(out, "%u ", r->preference);
            bytes_add(out, dns_record_name(records, r));
        }
        bytes_add_byte(out, ' ');
    }
}

/* The answer in memory of exactly its size, so that a sanitizer sees any step
 * beyond. */
static enum dns_result read_exact(struct view answer, enum dns_type type,
                                  struct dns_records *records)
{
    char *copy = malloc(answer.len ? answer.len : 1);
    if (!copy)
        abort();
    if (answer.len)
        memcpy(copy, answer.data, answer.len);
    enum dns_result result = dns_answer_read(view_at(copy, answer.len), type, records);
    free(copy);
    return result;
}

/* Cut anywhere, no answer with records is found whole; changed anywhere, it is read
 * without going astray. */
static void test_damage(size_t i)
{
    struct bytes damaged = {0};
    bool good = true;
    for (size_t len = 0; len < cases[i].answer.len; len++) {
        struct dns_records records = {0};
        enum dns_result r =
            read_exact(view_before(cases[i].answer, len), cases[i].type, &records);
        if (cases[i].result == DNS_FOUND && r == DNS_FOUND)
            good = false;
        dns_records_free(&records);
        for (int value = 0; value < 256; value += 17) {
            bytes_set(&damaged, cases[i].answer);
            damaged.data[len] = (char)value;
            read_exact(bytes_view(&damaged), cases[i].type, &records);
            dns_records_free(&records);
        }
    }
    ok(good, cases[i].name, "cut and damaged");
    bytes_free(&damaged);
}

/* A name of many labels behind pointers, longer than a name can be. */
static void test_long_name(void)
{
    struct bytes answer = {0};
    struct dns_records records = {0};
    bytes_add(&answer, VIEW(HEAD(OK_FLAGS, "\0\1") ASKED("\xf")));
    bytes_add(&answer, VIEW("\xc0\x0c\0\xf\0\1\0\0\0\x3c\1\3\0\1"));
    for (int i = 0; i < 128; i++)
        bytes_add(&answer, VIEW("\1a"));
    bytes_add(&answer, VIEW("\0"));
    ok(read_exact(bytes_view(&answer), DNS_MX, &records) == DNS_TEMPORARY, "name",
       "too long");
    bytes_free(&answer);
    dns_records_free(&records);
}

int main(void)
{
    struct bytes shown = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct dns_records records = {0};
        enum dns_result result = read_exact(cases[i].answer, cases[i].type, &records);
        ok(result == cases[i].result, cases[i].name, "result");
        show(&records, cases[i].type, &shown);
        same(bytes_view(&shown), view_of(cases[i].records), cases[i].name);
        dns_records_free(&records);
        test_damage(i);
    }
    test_long_name();
    ok(dns_answer_is_form_error(VIEW(HEAD("\x81\x81", "\0\0"))), "FORMERR", NULL);
    ok(!dns_answer_is_form_error(VIEW(HEAD("\x81\x80", "\0\0"))), "not FORMERR", NULL);
    ok(!dns_answer_is_form_error(VIEW("\0\0\1")), "no header", NULL);
    bytes_free(&shown);
    return tap_done();
}
