#include "net/dns_answer.h"

#include "base/heap.h"

#include <string.h>

enum {
    HEADER_LEN = 12,
    FLAG_ANSWER = 0x8000,
    FLAG_TRUNCATED = 0x0200,
    FLAGS_OF_KNOWLEDGE = 0x0480, /* it is the zone's server, or asks others */
    RCODE_MASK = 0x000f,
    RCODE_OK = 0,
    RCODE_FORM_ERROR = 1,
    RCODE_NO_NAME = 3,
    CLASS_INTERNET = 1,
    MAX_LABEL = 63,
    MAX_NAME = 253, /* as text, without a dot at the end */
    POINTER = 0xc0
};

static unsigned byte_at(struct view v, size_t at)
{
    return (unsigned char)v.data[at];
}

/* The 16-bit number at byte number at; both bytes are there. */
static unsigned number_at(struct view v, size_t at)
{
    return byte_at(v, at) << 8 | byte_at(v, at + 1);
}

/* Moves *at behind the name there, without following pointers. */
static bool skip_name(struct view message, size_t *at)
{
    while (*at < message.len) {
        unsigned n = byte_at(message, *at);
        size_t step = n >= POINTER ? 2 : n + 1;
        if ((n > MAX_LABEL && n < POINTER) || step > message.len - *at)
            return false;
        *at += step;
        if (n == 0 || n >= POINTER)
            return true;
    }
    return false;
}

/* Appends the name at byte number at. A pointer must lead to before everything that
 * led to it, so there is no loop. A label with a dot or a NUL in it would turn into
 * another name as text: refused. */
static bool read_name(struct view message, size_t at, struct bytes *text)
{
    size_t start = text->len, lowest = at;
    while (at < message.len) {
        unsigned n = byte_at(message, at);
        if (n == 0)
            return true;
        if (n >= POINTER) {
            if (message.len - at < 2)
                return false;
            at = (n - POINTER) << 8 | byte_at(message, at + 1);
            if (at >= lowest)
                return false;
            lowest = at;
            continue;
        }
        if (n > MAX_LABEL || n > message.len - at - 1)
            return false;
        struct view label = view_at(message.data + at + 1, n);
        if (view_has(label, '.') || view_has(label, '\0'))
            return false;
        if (text->len > start)
            bytes_add_byte(text, '.');
        bytes_add(text, label);
        if (text->len - start > MAX_NAME)
            return false;
        at += 1 + n;
    }
    return false;
}

/* The name at byte number at of message, which ends within the record's data, at
 * byte number end. */
static bool name_of_record(struct view message, size_t at, size_t end,
                           struct bytes *name)
{
    size_t behind = at;
    return skip_name(view_before(message, end), &behind) &&
           read_name(message, at, name);
}

static bool address_of_record(struct view data, enum ip_family family,
                              struct ip_address *ip)
{
    size_t len = family == IP_V4 ? 4 : 16;
    if (data.len < len)
        return false;
    *ip = (struct ip_address){.family = family};
    memcpy(ip->bytes, data.data, len);
    return true;
}

/* Appends the record whose data are the bytes from at to end. */
static bool read_record(struct view message, size_t at, size_t end, enum dns_type type,
                        struct dns_records *records)
{
    struct dns_record record = {0};
    struct view data = view_from(view_before(message, end), at);
    struct bytes name = {0};
    bool good = false;

    switch (type) {
    case DNS_A:
        good = address_of_record(data, IP_V4, &record.ip);
        break;
    case DNS_AAAA:
        good = address_of_record(data, IP_V6, &record.ip);
        break;
    case DNS_PTR:
        good = name_of_record(message, at, end, &name);
        break;
    case DNS_MX:
        good = data.len >= 3 && name_of_record(message, at + 2, end, &name);
        record.preference = good ? number_at(data, 0) : 0;
        break;
    }
    if (good)
        dns_records_add(records, &record, bytes_view(&name));
    bytes_free(&name);
    return good;
}

/* Moves *at behind the questions that the answer repeats. */
static bool skip_questions(struct view message, size_t *at)
{
    enum { TYPE_AND_CLASS = 4 };
    for (unsigned left = number_at(message, 4); left; left--) {
        if (!skip_name(message, at) || message.len - *at < TYPE_AND_CLASS)
            return false;
        *at += TYPE_AND_CLASS;
    }
    return true;
}

/* The records of the answer section, which begins at byte number at. */
static bool read_records(struct view message, size_t at, enum dns_type type,
                         struct dns_records *records)
{
    enum { TYPE_AT = 0, CLASS_AT = 2, LENGTH_AT = 8, DATA_AT = 10 };
    for (unsigned left = number_at(message, 6); left; left--) {
        if (!skip_name(message, &at) || message.len - at < DATA_AT)
            return false;
        size_t len = number_at(message, at + LENGTH_AT);
        size_t data = at + DATA_AT;
        if (len > message.len - data)
            return false;
        if (number_at(message, at + TYPE_AT) == (unsigned)type &&
            number_at(message, at + CLASS_AT) == CLASS_INTERNET &&
            !read_record(message, data, data + len, type, records))
            return false;
        at = data + len;
    }
    return true;
}

enum dns_result dns_answer_read(struct view answer, enum dns_type type,
                                struct dns_records *records)
{
    size_t at = HEADER_LEN;
    if (answer.len < HEADER_LEN)
        return DNS_TEMPORARY;
    unsigned flags = number_at(answer, 2);
    if (!(flags & FLAG_ANSWER) || (flags & FLAG_TRUNCATED))
        return DNS_TEMPORARY;
    if ((flags & RCODE_MASK) == RCODE_NO_NAME)
        return DNS_NO_NAME;
    if ((flags & RCODE_MASK) != RCODE_OK || !skip_questions(answer, &at))
        return DNS_TEMPORARY;
    if (number_at(answer, 6) == 0)
        return flags & FLAGS_OF_KNOWLEDGE ? DNS_NO_DATA : DNS_TEMPORARY;

    size_t count = records->count, names_len = records->names.len;
    if (!read_records(answer, at, type, records)) {
        records->count = count;
        bytes_cut(&records->names, names_len);
        return DNS_TEMPORARY;
    }
    return records->count > count ? DNS_FOUND : DNS_NO_RECORD;
}

bool dns_answer_is_form_error(struct view answer)
{
    return answer.len >= HEADER_LEN &&
           (number_at(answer, 2) & RCODE_MASK) == RCODE_FORM_ERROR;
}

struct view dns_record_name(const struct dns_records *records,
                            const struct dns_record *record)
{
    struct view rest = view_from(bytes_view(&records->names), record->name_at);
    return view_before(rest, record->name_len);
}

void dns_records_add(struct dns_records *records, const struct dns_record *record,
                     struct view name)
{
    if (records->count == records->room) {
        records->room = records->room ? records->room * 2 : 8;
        records->list =
            heap_resize(records->list, records->room, sizeof *records->list);
    }
    struct dns_record *fresh = &records->list[records->count++];
    *fresh = *record;
    fresh->name_at = records->names.len;
    fresh->name_len = name.len;
    bytes_add(&records->names, name);
}

void dns_records_free(struct dns_records *records)
{
    heap_free(records->list);
    bytes_free(&records->names);
    *records = (struct dns_records){0};
}
