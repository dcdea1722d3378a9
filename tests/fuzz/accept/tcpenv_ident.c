/* An ident server's answer in pieces, as long as the first byte says: the value is what
 * stands behind the third colon of the first line, without white space. */
#include "accept/tcpenv.h"

#include "fuzz.h"

static enum tcpenv_answer in_pieces(struct tcpenv_ident *ident, struct view rest,
                                    size_t most)
{
    enum tcpenv_answer answer = TCPENV_MORE;
    while (rest.len && answer == TCPENV_MORE) {
        size_t len = rest.len < most ? rest.len : most;
        answer = tcpenv_ident_add(ident, view_before(rest, len));
        rest = view_from(rest, len);
    }
    return answer;
}

/* By the rule, from all of the answer. */
static enum tcpenv_answer by_line(struct view said, struct bytes *info)
{
    size_t len = view_find(said, '\n');
    bool whole = len < said.len;
    struct view line = view_before(said, len);
    unsigned colons = 0;

    for (size_t i = 0; i < line.len; i++) {
        if (i == TCPENV_MAX_LINE || line.data[i] == '\0')
            return TCPENV_NONE;
        if (view_has(VIEW(" \t\r"), line.data[i]))
            continue;
        if (colons == 3)
            bytes_add_byte(info, line.data[i]);
        else
            colons += line.data[i] == ':';
        if (info->len == TCPENV_MAX_INFO)
            return TCPENV_INFO;
    }
    if (!whole)
        return said.len > TCPENV_MAX_LINE ? TCPENV_NONE : TCPENV_MORE;
    return colons == 3 && line.len < TCPENV_MAX_LINE ? TCPENV_INFO : TCPENV_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct tcpenv_ident ident = {0};
    struct bytes info = {0};

    if (len == 0)
        return 0;
    struct view said = view_at((const char *)data + 1, len - 1);
    enum tcpenv_answer got = in_pieces(&ident, said, 1u + data[0]);
    MUST(got == by_line(said, &info));
    if (got == TCPENV_INFO)
        MUST(view_equal(view_at(ident.info, ident.len), bytes_view(&info)));
    bytes_free(&info);
    return 0;
}
