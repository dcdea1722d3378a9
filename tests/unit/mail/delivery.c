#include "mail/delivery.h"

#include "tap.h"

int main(void)
{
    static const unsigned slots[] = {0, 1, 119, 254, 255, 256, 1000, 65534};
    struct bytes out = {0};
    unsigned slot = 99;

    for (size_t i = 0; i < COUNT(slots); i++) {
        if (slots[i] >= CONF_SPAWN && slots[i] > 255)
            continue;
        bytes_clear(&out);
        delivery_add_slot(&out, slots[i]);
        same_number(out.len, DELIVERY_SLOT_BYTES, "bytes of a slot");
        ok((unsigned char)out.data[0] == (slots[i] & 255), "low byte first", NULL);
        bytes_add_text(&out, "Kok");
        struct view rest = bytes_view(&out);
        ok(delivery_take_slot(&rest, &slot) && slot == slots[i], "taken", NULL);
        same(rest, VIEW("Kok"), "the rest");
    }
    struct view few = view_at("x", DELIVERY_SLOT_BYTES - 1);
    slot = 99;
    ok(!delivery_take_slot(&few, &slot) && few.len == DELIVERY_SLOT_BYTES - 1,
       "too few bytes", NULL);
    bytes_free(&out);
    return tap_done();
}
