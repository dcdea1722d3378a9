/* Any lines as virtualdomains, percenthack and locals: a recipient goes where a search
 * of few lines says, as that says; and a prefix that was put before it is taken away
 * again. */
#include "mail/route.h"

#include "fuzz.h"
#include "must.h"

enum { MAX_LINES = 64 };

static struct route_rules rules;

/* Lines with a colon are virtualdomains; of others those that begin with '%' are
 * percenthack, and all else is locals. */
static void read_rules(struct view in)
{
    for (int i = 0; in.len && i < MAX_LINES; i++) {
        struct view line = view_cut(&in, '\n');
        if (view_has(line, ':')) {
            struct view key = view_cut(&line, ':');
            table_add(&rules.virtualdomains.table, key, line);
        } else if (line.len && line.data[0] == '%') {
            line = view_from(line, 1);
            table_add(&rules.percenthack.table, line, line);
        } else if (line.len) {
            table_add(&rules.locals.table, line, line);
        }
    }
}

enum kind { VIRTUAL, PERCENT, LOCAL };

/* The last line of a kind for a key. */
static bool look_up(struct view in, enum kind kind, struct view key, struct view *value)
{
    bool found = false;
    for (int i = 0; in.len && i < MAX_LINES; i++) {
        struct view line = view_cut(&in, '\n'), name = line;
        enum kind is = view_has(line, ':')               ? VIRTUAL
                       : line.len && line.data[0] == '%' ? PERCENT
                                                         : LOCAL;
        if (is == VIRTUAL)
            name = view_cut(&line, ':');
        if (is == PERCENT)
            name = view_from(line, 1);
        if (is != kind || (kind == LOCAL && !name.len) || !view_equal_case(name, key))
            continue;
        found = true;
        *value = line;
    }
    return found;
}

static bool look_up_domain(struct view in, struct view domain, struct view *value)
{
    if (look_up(in, VIRTUAL, domain, value))
        return true;
    for (size_t i = 1; i < domain.len; i++)
        if (domain.data[i] == '.' && look_up(in, VIRTUAL, view_from(domain, i), value))
            return true;
    return look_up(in, VIRTUAL, VIEW(""), value);
}

static enum route expect(struct view in, struct view recipient, struct bytes *out)
{
    struct view value, domain;

    bytes_set(out, recipient);
    if (!view_has(recipient, '@'))
        bytes_add_text(out, "@none");
    for (;;) {
        size_t at = view_find_last(bytes_view(out), '@');
        domain = view_from(bytes_view(out), at + 1);
        struct view local = view_before(bytes_view(out), at);
        if (!look_up(in, PERCENT, domain, &value) || !view_has(local, '%'))
            break;
        out->data[view_find_last(local, '%')] = '@';
        bytes_cut(out, at);
    }
    if (look_up(in, LOCAL, domain, &value))
        return ROUTE_LOCAL;
    if (!look_up(in, VIRTUAL, bytes_view(out), &value) &&
        !look_up_domain(in, domain, &value))
        return ROUTE_REMOTE;
    if (!value.len)
        return ROUTE_REMOTE;
    struct bytes plain = *out;
    *out = (struct bytes){0};
    bytes_add(out, value);
    bytes_add_byte(out, '-');
    bytes_add(out, bytes_view(&plain));
    bytes_free(&plain);
    return ROUTE_LOCAL;
}

/* The first line is the recipient. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view in = input_of(data, len), recipient = view_cut(&in, '\n');
    struct bytes got = {0}, want = {0};

    read_rules(in);
    bytes_set(&rules.envnoathost, VIEW("none"));
    must(route_recipient(&rules, recipient, &got) == expect(in, recipient, &want));
    must(view_equal(bytes_view(&got), bytes_view(&want)));
    struct view plain = route_without_prefix(&rules, bytes_view(&got));
    must(view_ends(bytes_view(&got), plain) && plain.len);
    bytes_free(&got);
    bytes_free(&want);
    table_free(&rules.virtualdomains.table);
    table_free(&rules.percenthack.table);
    table_free(&rules.locals.table);
    bytes_free(&rules.envnoathost);
    rules = (struct route_rules){{0}, {{0}, {0}}, {{0}, {0}}, {{0}, {0}}};
    return 0;
}
