#include "admin/newmrh.h"

bool newmrh_key(struct bytes *line)
{
    struct view entry = bytes_view(line);

    if (view_ends(entry, VIEW("\r")))
        entry.len--;
    bytes_cut(line, view_trim_end(entry, " \t").len);
    bytes_lower(line);
    return line->len && line->data[0] != '#';
}
