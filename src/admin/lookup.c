#include "admin/lookup.h"

#include "base/die.h"
#include "base/heap.h"
#include "base/writer.h"

#include <stdlib.h>
#include <unistd.h>

static struct writer out;

static void out_of_memory(void)
{
    die_raw(DIE_TEMP, "out of memory\n");
}

struct view lookup_begin(int argc, char **argv)
{
    heap_on_failure(out_of_memory);
    writer_open(&out, 1, 0);
    if (argc < 2)
        _exit(DIE_PERM);
    return view_of(argv[1]);
}

void lookup_check(enum dns_result result)
{
    switch (result) {
    case DNS_FOUND:
        return;
    case DNS_TEMPORARY:
        die_raw(DIE_TEMP, "soft error\n");
    case DNS_NO_RECORD:
    case DNS_NO_DATA:
    case DNS_NO_NAME:
        break;
    }
    die_raw(DIE_PERM, "hard error\n");
}

enum dns_result lookup_addresses(struct view name, struct dns_records *records)
{
    struct dns_record literal = {0};
    struct dns_records found = {0};
    if (ip_parse(name, &literal.ip) || ip_parse_literal(name, &literal.ip)) {
        dns_records_add(records, &literal, VIEW(""));
        return DNS_FOUND;
    }
    enum dns_result result = dns_addresses(name, &found);
    for (enum ip_family family = IP_V4; family <= IP_V6; family++)
        for (size_t i = 0; i < found.count; i++)
            if (found.list[i].ip.family == family)
                dns_records_add(records, &found.list[i], VIEW(""));
    dns_records_free(&found);
    return result;
}

void lookup_print(struct view line)
{
    writer_add(&out, line);
    writer_add_byte(&out, '\n');
}

void lookup_end(void)
{
    exit(writer_flush(&out) ? 0 : DIE_TEMP);
}
