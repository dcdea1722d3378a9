/* Any bytes as a sender and as records: a listing of text is lines of printable bytes
 * and tabs, one for each recipient; one of JSON is a line of printable bytes. */
#include "queue/qread.h"

#include "queue/qctl.h"

#include "fuzz.h"
#include "must.h"

/* Of qmail-qctl itself; nobody asks here. */
const struct route_rules *qctl_rules(void)
{
    abort();
}

static bool is_recipient(struct view record)
{
    return record.len && (record.data[0] == 'T' || record.data[0] == 'D');
}

static void check_text(struct view out, size_t recipients, size_t address_bytes)
{
    size_t lines = 0, bytes = 0;
    for (; out.len; lines++) {
        must(view_has(out, '\n'));
        struct view line = view_cut(&out, '\n');
        bytes += line.len;
        for (size_t i = 0; i < line.len; i++)
            must(line.data[i] == '\t' || (line.data[i] >= ' ' && line.data[i] <= '~'));
    }
    must(lines == recipients + 1 && bytes >= address_bytes);
}

/* Strings end where they should: outside them braces and brackets are in balance. */
static void check_json(struct view out, size_t recipients)
{
    size_t depth = 0, objects = 0;
    bool inside = false;

    must(view_find(out, '\n') + 1 == out.len);
    for (size_t i = 0; i + 1 < out.len; i++) {
        unsigned char c = (unsigned char)out.data[i];
        must(c >= ' ' && c != 127);
        if (inside && c == '\\')
            i++;
        else if (c == '"')
            inside = !inside;
        else if (!inside && (c == '{' || c == '[')) {
            depth++;
            objects += c == '{';
        } else if (!inside && (c == '}' || c == ']'))
            depth--;
    }
    must(!inside && depth == 0 && objects == recipients + 1);
}

/* What a terminal may be given has no control characters but tab and line feed. */
static void check_safe(struct view in)
{
    struct bytes out = {0};
    qctl_add_safe(&out, in);
    for (size_t i = 0; i < out.len; i++) {
        unsigned char c = (unsigned char)out.data[i];
        must(c == '\t' || c == '\n' || (c >= ' ' && c != 127));
        if (c == 0xc2 && i + 1 < out.len)
            must((unsigned char)out.data[i + 1] >= 0xa0); /* nor C1 ones */
    }
    bytes_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view in = input_of(data, len);
    struct bytes out[2] = {{0}, {0}};
    size_t recipients = 0, bytes = 0;

    check_safe(in);
    struct qread_message m = {.number = 7, .size = len, .sender = view_cut(&in, '\0')};
    for (int form = QREAD_TEXT; form <= QREAD_JSON; form++)
        qread_add_message(&out[form], (enum qread_form)form, &m);
    while (in.len) {
        struct view record = view_cut(&in, '\0');
        recipients += is_recipient(record);
        bytes += is_recipient(record) ? record.len : 0;
        for (int form = QREAD_TEXT; form <= QREAD_JSON; form++)
            qread_add_record(&out[form], (enum qread_form)form, "local", record);
    }
    for (int form = QREAD_TEXT; form <= QREAD_JSON; form++)
        qread_end_message(&out[form], (enum qread_form)form);
    check_text(bytes_view(&out[QREAD_TEXT]), recipients, bytes + m.sender.len);
    check_json(bytes_view(&out[QREAD_JSON]), recipients);
    bytes_free(&out[QREAD_TEXT]);
    bytes_free(&out[QREAD_JSON]);
    return 0;
}
