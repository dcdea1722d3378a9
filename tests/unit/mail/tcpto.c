#include "mail/tcpto.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { NOW = 2000000000 };

/* A record as it is in the file. */
struct line {
    unsigned char last; /* of the address 192.0.2.x */
    unsigned count;
    int64_t ago_s;
};

static struct ip_address address(unsigned char last)
{
    return (struct ip_address){.family = IP_V4, .bytes = {192, 0, 2, last}};
}

static void put(struct tcpto_table *t, size_t i, struct line l)
{
    uint32_t when = (uint32_t)(NOW - l.ago_s);
    unsigned char *at = t->data + 16 * i;
    memcpy(at, (unsigned char[]){192, 0, 2, l.last}, 4);
    at[4] = (unsigned char)l.count;
    for (unsigned byte = 0; byte < 4; byte++)
        at[8 + byte] = (unsigned char)(when >> 8 * byte);
}

static const struct {
    const char *name;
    struct line line; /* of 192.0.2.1 */
    pid_t pid;
    enum tcpto_state state;
} states[] = {
    {"another address", {2, 9, 0}, 0, TCPTO_UNLISTED},
    {"one timeout", {1, 1, 0}, 0, TCPTO_LISTED},
    {"count zero", {1, 0, 0}, 0, TCPTO_LISTED},
    {"two timeouts", {1, 2, 0}, 0, TCPTO_SKIP},
    {"at the end, first process", {1, 2, 3839}, 64, TCPTO_SKIP},
    {"over, first process", {1, 2, 3840}, 64, TCPTO_LISTED},
    {"at the end, last process", {1, 10, 5823}, 31, TCPTO_SKIP},
    {"over, last process", {1, 10, 5824}, 31, TCPTO_LISTED},
    {"counts of others", {1, 200, 10}, 0, TCPTO_SKIP},
    {"a time to come", {1, 5, -100}, 0, TCPTO_LISTED},
};

static const struct {
    const char *name;
    struct line before, after; /* of 192.0.2.1 */
} counts[] = {
    {"first", {1, 0, 5}, {1, 1, 0}},
    {"the same timeout", {1, 1, 119}, {1, 1, 119}},
    {"another timeout", {1, 1, 120}, {1, 2, 0}},
    {"ten", {1, 9, 9999}, {1, 10, 0}},
    {"not more than ten", {1, 10, 9999}, {1, 10, 0}},
    {"nor of others", {1, 200, 9999}, {1, 10, 0}},
};

static bool is(const struct tcpto_table *t, size_t i, struct line l)
{
    struct tcpto_table want = {0};
    put(&want, i, l);
    return memcmp(t->data + 16 * i, want.data + 16 * i, 16) == 0;
}

static struct tcpto_table full_table(void)
{
    struct tcpto_table t = {.family = IP_V4, .fd = -1, .len = QUEUE_TCPTO_SIZE};
    for (size_t i = 0; i < TCPTO_RECORDS; i++)
        put(&t, i, (struct line){(unsigned char)(100 + i), 1, 1000});
    return t;
}

static void test_places(void)
{
    struct ip_address ip = address(1);
    struct tcpto_table t = full_table();
    put(&t, 5, (struct line){50, 4, 4000}); /* older, but it failed more often */
    put(&t, 7, (struct line){60, 1, 1001});
    tcpto_count(&t, &ip, NOW);
    ok(is(&t, 7, (struct line){1, 1, 0}), "full table", "loses the oldest");

    t = full_table();
    put(&t, 3, (struct line){70, 0, 0});
    put(&t, 4, (struct line){71, 0, 0});
    tcpto_count(&t, &ip, NOW);
    ok(is(&t, 3, (struct line){1, 1, 0}), "first free record", NULL);

    t.len = 0;
    tcpto_count(&t, &ip, NOW);
    ok(tcpto_state(&t, &ip, NOW, 0) == TCPTO_UNLISTED, "table without records", NULL);
}

static void test_v6(void)
{
    struct tcpto_table t = {.family = IP_V6, .fd = -1, .len = QUEUE_TCPTO6_SIZE};
    struct ip_address ip = {.family = IP_V6, .bytes = {0x20, 1, 0xd, 0xb8, [15] = 1}};
    unsigned char want[32] = {0x20, 1, 0xd, 0xb8, [15] = 1, [16] = 1};
    uint32_t now = NOW;
    for (unsigned byte = 0; byte < 4; byte++)
        want[24 + byte] = (unsigned char)(now >> 8 * byte);
    tcpto_count(&t, &ip, NOW);
    ok(memcmp(t.data, want, sizeof want) == 0, "IPv6", "record");
    ok(tcpto_state(&t, &ip, NOW, 0) == TCPTO_LISTED, "IPv6", "listed");
    tcpto_count(&t, &ip, NOW + 120);
    ok(tcpto_state(&t, &ip, NOW + 120, 0) == TCPTO_SKIP, "IPv6", "skipped");
}

/* The table in its file: what one process writes, another reads; and what cannot be
 * opened, locked or read is told. */
static void files(enum ip_family family)
{
    struct tcpto_table t;
    struct ip_address ip = {.family = family, .bytes = {192, 0, 2, 1}};
    static const struct {
        const char *call;
        int error;
        enum tcpto_result want;
    } fails[] = {
        {"open", EACCES, TCPTO_NOT_OPENED},  {"flock", EINTR, TCPTO_DONE},
        {"flock", ENOLCK, TCPTO_NOT_LOCKED}, {"read", EINTR, TCPTO_DONE},
        {"read", EIO, TCPTO_NOT_READ},
    };
    char long_name[300] = {0};

    same_number(tcpto_open(&t, ".", family), TCPTO_NOT_OPENED, "no file");
    ok(tcpto_state(&t, &ip, NOW, 0) == TCPTO_UNLISTED, "no file", "lists nobody");
    memset(long_name, 'x', sizeof long_name - 1);
    same_number(tcpto_open(&t, long_name, family), TCPTO_NOT_OPENED, "a long name");
    same_number(tcpto_clear(".", family), TCPTO_NOT_OPENED, "clear: no file");

    make_file(tcpto_path(family), VIEW(""));
    same_number(tcpto_open(&t, ".", family), TCPTO_DONE, "an empty file");
    same_number(t.len, 0, "an empty file: no records");
    tcpto_close(&t);
    same_number(tcpto_clear(".", family), TCPTO_DONE, "clear");
    same_number(tcpto_open(&t, ".", family), TCPTO_DONE, "open");
    tcpto_answered(&t, &ip); /* not there: nothing to note */
    tcpto_count(&t, &ip, NOW);
    tcpto_close(&t);
    same_number(tcpto_open(&t, ".", family), TCPTO_DONE, "open again");
    ok(tcpto_state(&t, &ip, NOW, 0) == TCPTO_LISTED, "the file", "has the note");
    fault_at("pwrite", 1, ENOSPC);
    tcpto_answered(&t, &ip);
    ok(fault_end(), "a note lost", NULL);
    tcpto_close(&t);

    for (size_t i = 0; i < COUNT(fails); i++) {
        fault_at(fails[i].call, 1, fails[i].error);
        same_number(tcpto_open(&t, ".", family), fails[i].want, fails[i].call);
        ok(fault_end() && (t.fd == -1) == (fails[i].want != TCPTO_DONE), "closed",
           fails[i].call);
        tcpto_close(&t);
    }
    fault_at("pwrite", 1, EIO);
    ok(tcpto_clear(".", family) == TCPTO_NOT_CLEARED && errno == EIO, "clear", "fails");
    fault_end();
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){16, RLIM_INFINITY});
    bool told = tcpto_clear(".", family) == TCPTO_NOT_CLEARED && errno == ENOSPC;
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
    ok(told, "clear", "no room for all");
}

int main(void)
{
    struct ip_address ip = address(1);
    for (size_t i = 0; i < COUNT(states); i++) {
        struct tcpto_table t = full_table();
        put(&t, 63, states[i].line);
        ok(tcpto_state(&t, &ip, NOW, states[i].pid) == states[i].state, states[i].name,
           NULL);
    }
    for (size_t i = 0; i < COUNT(counts); i++) {
        struct tcpto_table t = full_table();
        put(&t, 9, counts[i].before);
        tcpto_count(&t, &ip, NOW);
        ok(is(&t, 9, counts[i].after), "timeout:", counts[i].name);
    }
    struct tcpto_table t = full_table();
    put(&t, 9, (struct line){1, 3, 77});
    tcpto_answered(&t, &ip);
    ok(is(&t, 9, (struct line){1, 0, 77}), "answered", NULL);
    test_places();
    test_v6();
    scratch();
    mkdir("lock", 0700);
    files(IP_V4);
    files(IP_V6);
    return tap_done();
}
