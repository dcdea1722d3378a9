/* A header in two blocks, cut where the first byte says: the number is that of the
 * fields Received and Delivered-To in its lines. */
#include "accept/hops.h"

#include "fuzz.h"

static bool is_hop(struct view line)
{
    size_t colon = view_find(line, ':');
    if (colon == line.len)
        return false;
    struct view name = view_trim_end(view_before(line, colon), " \t");
    return view_is_case(name, "Received") || view_is_case(name, "Delivered-To");
}

/* The last line may lack its line feed. */
static unsigned count_lines(struct view rest)
{
    unsigned count = 0;
    while (rest.len) {
        bool whole = view_has(rest, '\n');
        struct view line = view_cut(&rest, '\n');
        if (whole && (line.len == 0 || view_is(line, "\r")))
            break;
        count += is_hop(line);
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct hops hops = {0};

    if (len == 0)
        return 0;
    struct view message = view_at((const char *)data + 1, len - 1);
    size_t cut = data[0] < message.len ? data[0] : message.len;
    hops_count(&hops, view_before(message, cut));
    hops_count(&hops, view_from(message, cut));
    MUST(hops.count == count_lines(message));
    return 0;
}
