#include "accept/qmqpc.h"

#include "tap.h"

#define TEN(x) x x x x x x x x x x

static const struct {
    const char *name;
    struct view input;
    enum queue_exit code, code_with_text;
    const char *text; /* where that is QUEUE_CUSTOM */
} cases[] = {
    {"K", VIEW_INIT("15:Kok 1 qp 2,"), QUEUE_OK, QUEUE_OK, NULL},
    {"K alone", VIEW_INIT("K"), QUEUE_OK, QUEUE_OK, NULL},
    {"Z", VIEW_INIT("6:Zlater,"), QUEUE_SERVER_TEMP, QUEUE_CUSTOM, "Zlater"},
    {"D", VIEW_INIT("6:Dnever,"), QUEUE_REFUSED, QUEUE_CUSTOM, "Dnever"},
    {"cut", VIEW_INIT("60:Dnev"), QUEUE_REFUSED, QUEUE_CUSTOM, "Dnev"},
    {"three bytes", VIEW_INIT("3:Zab,"), QUEUE_SERVER_TEMP, QUEUE_CUSTOM, "Zab"},
    {"two bytes", VIEW_INIT("2:Za,"), QUEUE_SERVER_TEMP, QUEUE_SERVER_TEMP, NULL},
    {"line feed", VIEW_INIT("9:Zlate\nxyz,"), QUEUE_SERVER_TEMP, QUEUE_CUSTOM, "Zlate"},
    {"CR", VIEW_INIT("9:Zlate\rxyz,"), QUEUE_SERVER_TEMP, QUEUE_CUSTOM, "Zlate"},
    {"NUL", VIEW_INIT("9:Zlate\0xyz,"), QUEUE_SERVER_TEMP, QUEUE_CUSTOM, "Zlate"},
    {"short behind NUL", VIEW_INIT("9:Zl\0tefxyz,"), QUEUE_SERVER_TEMP,
     QUEUE_SERVER_TEMP, NULL},
    {"comma in it", VIEW_INIT("9:Da, Kb, c,"), QUEUE_REFUSED, QUEUE_CUSTOM,
     "Da, Kb, c"},
    {"noise", VIEW_INIT("\r\n7:x 6:Dnever,"), QUEUE_REFUSED, QUEUE_CUSTOM, "Dnever"},
    {"no length", VIEW_INIT("noise: Dnever"), QUEUE_REFUSED, QUEUE_CUSTOM, "Dnever"},
    {"length too small", VIEW_INIT("1:Dnever"), QUEUE_REFUSED, QUEUE_REFUSED, NULL},
    {"length of zero", VIEW_INIT("0:Dnever"), QUEUE_REFUSED, QUEUE_REFUSED, NULL},
    {"255 bytes", VIEW_INIT("99999999999999999999999:Z" TEN(TEN("abc"))),
     QUEUE_SERVER_TEMP, QUEUE_CUSTOM,
     "Z" TEN("abcabcabcabcabcabcabcabc") "abcabcabcabcab"},
    {"nothing", VIEW_INIT(""), QUEUE_SERVER_FAILED, QUEUE_SERVER_FAILED, NULL},
    {"noise alone", VIEW_INIT("12:,"), QUEUE_SERVER_FAILED, QUEUE_SERVER_FAILED, NULL},
};

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t step = 1; step < 1000; step += 998) {
            struct qmqpc_reply reply = {0};
            struct view rest = cases[i].input;
            while (rest.len && !reply.whole) {
                size_t n = rest.len < step ? rest.len : step;
                ok(qmqpc_reply_add(&reply, view_before(rest, n)), cases[i].name, NULL);
                rest = view_from(rest, n);
            }
            same_number(qmqpc_reply_exit(&reply, false), cases[i].code, cases[i].name);
            same_number(qmqpc_reply_exit(&reply, true), cases[i].code_with_text,
                        cases[i].name);
            if (cases[i].text)
                same(view_at(reply.text, reply.text_len), view_of(cases[i].text),
                     cases[i].name);
        }
    struct qmqpc_reply endless = {0};
    bool more = true;
    for (size_t i = 0; i < QMQPC_MAX_NOISE; i++)
        more = more && qmqpc_reply_add(&endless, VIEW("?"));
    ok(more, "as much noise as is borne", NULL);
    ok(!qmqpc_reply_add(&endless, VIEW("?")), "and more", NULL);
    return tap_done();
}
