#include "accept/tcpenv.h"

enum { COLONS = 3 }; /* before the value, in which others mean nothing */

static enum tcpenv_answer add_byte(struct tcpenv_ident *ident, char c)
{
    switch (c) {
    case '\n':
        return ident->colons < COLONS ? TCPENV_NONE : TCPENV_INFO;
    case '\0': /* no environment can hold it */
        return TCPENV_NONE;
    case ' ':
    case '\t':
    case '\r':
        return TCPENV_MORE;
    default:
        break;
    }
    if (ident->colons < COLONS) {
        ident->colons += c == ':';
        return TCPENV_MORE;
    }
    ident->info[ident->len++] = c;
    return ident->len == TCPENV_MAX_INFO ? TCPENV_INFO : TCPENV_MORE;
}

enum tcpenv_answer tcpenv_ident_add(struct tcpenv_ident *ident, struct view bytes)
{
    enum tcpenv_answer answer = TCPENV_MORE;

    for (size_t i = 0; i < bytes.len && answer == TCPENV_MORE; i++) {
        if (ident->seen++ == TCPENV_MAX_LINE)
            return TCPENV_NONE;
        answer = add_byte(ident, bytes.data[i]);
    }
    return answer;
}
