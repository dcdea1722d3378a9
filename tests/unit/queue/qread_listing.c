#include "queue/qread.h"

#include "tap.h"

static const struct {
    const char *name;
    struct qread_message message;
    struct view records[4]; /* the last two are remote */
    const char *text, *json;
} cases[] = {
    {"a message",
     {1092047, 1795224853, 82, VIEW_INIT("a@b"), false},
     {VIEW_INIT(""), VIEW_INIT(""), VIEW_INIT("Tc@d"), VIEW_INIT("De@f")},
     "21 Nov 2026 01:34:13 GMT  #1092047  82  <a@b> \n\tremote\tc@d\n"
     "  done\tremote\te@f\n",
     "{\"number\":1092047,\"birth\":\"2026-11-21T01:34:13Z\",\"birth_seconds\":"
     "1795224853,"
     "\"size\":82,\"sender\":\"a@b\",\"bouncing\":false,\"recipients\":["
     "{\"channel\":\"remote\",\"address\":\"c@d\",\"done\":false},"
     "{\"channel\":\"remote\",\"address\":\"e@f\",\"done\":true}]}\n"},
    {"nobody left, bouncing, before 1970",
     {1, -1, 0, VIEW_INIT(""), true},
     {VIEW_INIT(""), VIEW_INIT(""), VIEW_INIT(""), VIEW_INIT("Xa")},
     "31 Dec 1969 23:59:59 GMT  #1  0  <>  bouncing\n",
     "{\"number\":1,\"birth\":\"1969-12-31T23:59:59Z\",\"birth_seconds\":-1,\"size\":0,"
     "\"sender\":\"\",\"bouncing\":true,\"recipients\":[]}\n"},
    {"strange bytes",
     {2, 0, UINT64_MAX, VIEW_INIT("\x1b[\"% \x7f\xff"), false},
     {VIEW_INIT("T\na"), VIEW_INIT("T"), VIEW_INIT(""), VIEW_INIT("")},
     "1 Jan 1970 00:00:00 GMT  #2  18446744073709551615  <_[\"% __> \n\tlocal\t_a\n"
     "\tlocal\t\n",
     "{\"number\":2,\"birth\":\"1970-01-01T00:00:00Z\",\"birth_seconds\":0,"
     "\"size\":18446744073709551615,\"sender\":\"\\u001b[\\\"% \\u007f\xef\xbf\xbd\","
     "\"bouncing\":false,\"recipients\":["
     "{\"channel\":\"local\",\"address\":\"\\na\",\"done\":false},"
     "{\"channel\":\"local\",\"address\":\"\",\"done\":false}]}\n"},
};

static void check(size_t i, enum qread_form form, const char *want)
{
    struct bytes out = {0};

    qread_add_message(&out, form, &cases[i].message);
    for (size_t r = 0; r < COUNT(cases[i].records); r++)
        qread_add_record(&out, form, r < 2 ? "local" : "remote", cases[i].records[r]);
    qread_end_message(&out, form);
    same(bytes_view(&out), view_of(want), cases[i].name);
    bytes_free(&out);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        check(i, QREAD_TEXT, cases[i].text);
        check(i, QREAD_JSON, cases[i].json);
    }
    return tap_done();
}
