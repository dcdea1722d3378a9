/* Any bytes as the table of timeouts, then calls that the rest says: a timeout that is
 * noted is there afterwards, an answer takes it back, and no other record changes. */
#include "mail/tcpto.h"

#include "fuzz.h"
#include "must.h"

#include <string.h>

enum { STEP_S = 50, PID = 7, MAX_CALLS = 40 };

static struct ip_address address_of(enum ip_family family, unsigned n)
{
    struct ip_address ip = {.family = family};
    ip.bytes[0] = (unsigned char)(n % 80); /* more than there is room for */
    ip.bytes[3] = (unsigned char)(n / 128);
    return ip;
}

static size_t record_len(enum ip_family family)
{
    return family == IP_V4 ? 16 : 32;
}

/* How many records differ between two tables of one size. */
static size_t count_changes(const struct tcpto_table *a, const struct tcpto_table *b)
{
    size_t len = record_len(a->family), changes = 0;
    must(a->len == b->len);
    for (size_t at = 0; at < a->len; at += len)
        changes += memcmp(a->data + at, b->data + at, len) != 0;
    return changes;
}

static void load(struct tcpto_table *t, enum ip_family family, struct view *in)
{
    size_t size = family == IP_V4 ? QUEUE_TCPTO_SIZE : QUEUE_TCPTO6_SIZE;
    size_t wanted = take_number(in) * 8;
    struct view bytes = take_piece(in, wanted < size ? wanted : size);

    *t = (struct tcpto_table){.family = family, .fd = -1};
    t->len = bytes.len - bytes.len % record_len(family);
    if (t->len)
        memcpy(t->data, bytes.data, t->len);
}

static void check_count(struct tcpto_table *t, const struct ip_address *ip, int64_t now)
{
    struct tcpto_table before = *t;
    tcpto_count(t, ip, now);
    must(count_changes(&before, t) <= 1);
    must(tcpto_state(t, ip, now, PID) != TCPTO_UNLISTED || t->len == 0);
    /* again, when it can be no part of the same trouble: the address is left alone */
    if (t->len == 0)
        return;
    tcpto_count(t, ip, now);
    tcpto_count(t, ip, now + TCPTO_SAME_TIMEOUT_S);
    tcpto_count(t, ip, now + 2 * TCPTO_SAME_TIMEOUT_S);
    must(tcpto_state(t, ip, now + 2 * TCPTO_SAME_TIMEOUT_S, PID) == TCPTO_SKIP);
    must(tcpto_state(t, ip, now + 2 * TCPTO_SAME_TIMEOUT_S + 5824, PID) ==
         TCPTO_LISTED);
}

static void check_answer(struct tcpto_table *t, const struct ip_address *ip,
                         int64_t now)
{
    struct tcpto_table before = *t;
    bool listed = tcpto_state(t, ip, now, PID) != TCPTO_UNLISTED;
    tcpto_answered(t, ip);
    must(count_changes(&before, t) <= (listed ? 1 : 0));
    must(tcpto_state(t, ip, now, PID) != TCPTO_SKIP);
}

static void check_records(const struct tcpto_table *t)
{
    struct tcpto_record record;
    size_t i = 0;
    for (; tcpto_record(t, i, &record); i++)
        must(record.ip.family == t->family && i < TCPTO_RECORDS);
    must(i == t->len / record_len(t->family));
}

static void play(enum ip_family family, struct view in)
{
    struct tcpto_table t;
    int64_t now = 1700000000;

    load(&t, family, &in);
    check_records(&t);
    for (int calls = 0; in.len && calls < MAX_CALLS; calls++) {
        unsigned what = take_number(&in);
        struct ip_address ip = address_of(family, take_number(&in));
        now += what / 2 * STEP_S;
        if (what % 2)
            check_count(&t, &ip, now);
        else
            check_answer(&t, &ip, now);
        check_records(&t);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view in = input_of(data, len);
    play(IP_V4, in);
    play(IP_V6, in);
    return 0;
}
