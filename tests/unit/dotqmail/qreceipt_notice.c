#include "dotqmail/qreceipt.h"

#include "tap.h"

static const struct {
    const char *name, *value;
    enum qreceipt_answer want; /* for m e@h.test */
} lists[] = {
    {"quoted", " \"m e\"@h.test\n", QRECEIPT_WANTED},
    {"escaped", " m\\ e@h.test\n", QRECEIPT_WANTED},
    {"with a name", " Me <\"m e\"@h.test>\n", QRECEIPT_WANTED},
    {"with a comment", " \"m e\" (me) @ h.test\n", QRECEIPT_WANTED},
    {"with a route", " <@a,@b:\"m e\"@h.test>\n", QRECEIPT_WANTED},
    {"in a group", " us: you@h.test, \"m e\"@h.test;\n", QRECEIPT_WANTED},
    {"among others", " a@b, \"m e\"@h.test, c@d\n", QRECEIPT_WANTED},
    {"folded", " a@b,\n\t\"m e\"@h.test\n", QRECEIPT_WANTED},
    {"another case", " \"M e\"@h.test\n", QRECEIPT_NOT_WANTED},
    {"no host", " \"m e\"\n", QRECEIPT_NOT_WANTED},
    {"two words", " m e@h.test\n", QRECEIPT_NOT_WANTED},
    {"as a name", " \"m e@h.test\" <a@b>\n", QRECEIPT_NOT_WANTED},
    {"nothing", "\n", QRECEIPT_NOT_WANTED},
    {"no list", " <\"m e\"@h.test\n", QRECEIPT_NOT_WANTED},
    {"no end of a quoted string", " \"m e@h.test\n", QRECEIPT_NO_LIST},
    {"no beginning of a bracket", " \"m e\"@h.test>\n", QRECEIPT_NO_LIST},
};

#define HI                                                                           \
    "Subject: success notice\n\nHi! This is the qreceipt program. Your message was " \
    "delivered to the\nfollowing address: "

static const struct {
    const char *name, *sender, *message_id, *want;
} notices[] = {
    {"plain", "a@b", "",
     "From: DELIVERY NOTICE SYSTEM <a@b>\nTo: <a@b>\n" HI "x@y. Thanks for asking.\n"},
    {"quoted", "a b@c", "",
     "From: DELIVERY NOTICE SYSTEM <\"a b\"@c>\nTo: <\"a b\"@c>\n" HI
     "x@y. Thanks for asking.\n"},
    {"no line feed gets out", "a@b\nX: y", "",
     "From: DELIVERY NOTICE SYSTEM <a@b_X: y>\nTo: <a@b_X: y>\n" HI
     "x@y. Thanks for asking.\n"},
    {"message id", "a@b", "Message-Id:\n <1@b>\n",
     "From: DELIVERY NOTICE SYSTEM <a@b>\nTo: <a@b>\n" HI
     "x@y. Thanks for asking.\nYour Message-Id:\n <1@b>\n"},
};

int main(void)
{
    struct bytes got = {0};

    for (size_t i = 0; i < COUNT(lists); i++)
        same_number(qreceipt_lists(view_of(lists[i].value), VIEW("m e@h.test")),
                    lists[i].want, lists[i].name);
    for (size_t i = 0; i < COUNT(notices); i++) {
        bytes_clear(&got);
        qreceipt_add_notice(&got, view_of(notices[i].sender), VIEW("x@y"),
                            view_of(notices[i].message_id));
        same(bytes_view(&got), view_of(notices[i].want), notices[i].name);
    }
    bytes_free(&got);
    return tap_done();
}
