/* Any bytes as the answer to a question of each type. */
#include "net/dns_answer.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_NAME = 253 };

static void check(struct view answer, enum dns_type type)
{
    struct dns_records records = {0};
    enum dns_result result = dns_answer_read(answer, type, &records);
    if ((result == DNS_FOUND) != (records.count > 0))
        abort();
    for (size_t i = 0; i < records.count; i++) {
        struct view name = dns_record_name(&records, &records.list[i]);
        if (name.len > MAX_NAME || view_has(name, '\0') || view_ends(name, VIEW(".")))
            abort();
    }
    dns_records_free(&records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const enum dns_type types[] = {DNS_A, DNS_PTR, DNS_MX, DNS_AAAA};
    struct view answer = view_at((const char *)data, len);
    for (size_t i = 0; i < COUNT(types); i++)
        check(answer, types[i]);
    dns_answer_is_form_error(answer);
    return 0;
}
