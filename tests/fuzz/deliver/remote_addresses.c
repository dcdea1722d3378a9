/* Any bytes as the DNS answers for a host, one to each question: the addresses to try
 * stand in order of preference, those of one host together; what is not better than we
 * are is left out; without an address there is a reason. */
#include "deliver/remote.h"

#include "fuzz.h"
#include "must.h"

static struct view answers; /* those that have not been given, lengths in front */
static bool asked_mx, any_temporary;
static size_t addresses_given;

static enum dns_result answer(enum dns_type type, struct dns_records *records)
{
    size_t len = take_number(&answers) << 8;
    len |= take_number(&answers);
    enum dns_result result = dns_answer_read(take_piece(&answers, len), type, records);
    any_temporary |= result == DNS_TEMPORARY;
    return result;
}

static enum dns_result mx(struct view name, struct dns_records *records)
{
    must(!asked_mx && view_is(name, "host.test"));
    asked_mx = true;
    return answer(DNS_MX, records);
}

static enum dns_result addresses(struct view name, struct dns_records *records)
{
    must(name.len <= 253 && !view_has(name, '\0'));
    enum dns_result result = answer(DNS_A, records);
    addresses_given += records->count;
    return result;
}

static void check_order(const struct remote_targets *targets)
{
    for (size_t i = 0; i < targets->count; i++) {
        const struct remote_target *t = &targets->list[i];
        must(t->name_at + t->name_len <= targets->names.len);
        must(t->preference <= UINT16_MAX && t->ip.family != IP_NONE);
        must(i == 0 || targets->list[i - 1].preference <= t->preference);
    }
}

/* The best address of ours is as bad as all that is gone. */
static void check_cut(struct remote_targets *targets, struct ip_address ip)
{
    struct ip_own own = {.list = &ip, .count = 1};
    struct remote_targets before = *targets;
    unsigned best = UINT32_MAX;

    for (size_t i = targets->count; i-- > 0;)
        if (ip_equal(&targets->list[i].ip, &ip))
            best = targets->list[i].preference;
    remote_addresses_cut(targets, &own);
    for (size_t i = 0; i < before.count; i++)
        must((i < targets->count) == (before.list[i].preference < best));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct remote_dns dns = {mx, addresses};
    struct remote_route route = {.host = VIEW("host.test"), .port = 25};
    struct remote_targets targets = {0};

    answers = input_of(data, len);
    asked_mx = any_temporary = false;
    addresses_given = 0;
    route.relayed = take_number(&answers) % 4 == 3;
    enum remote_found found = remote_addresses_find(&dns, &route, &targets);
    must((found == REMOTE_FOUND) == (targets.count > 0));
    must(targets.count >= addresses_given && asked_mx == !route.relayed);
    must(found != REMOTE_FOUND_TEMPORARY || any_temporary);
    must(!any_temporary || found == REMOTE_FOUND || found == REMOTE_FOUND_TEMPORARY ||
         (found == REMOTE_FOUND_NULL_MX && !addresses_given));
    check_order(&targets);
    if (targets.count)
        check_cut(&targets, targets.list[len % targets.count].ip);
    remote_targets_free(&targets);
    return 0;
}
