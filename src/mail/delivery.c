#include "mail/delivery.h"

void delivery_add_slot(struct bytes *out, unsigned slot)
{
    for (int i = 0; i < DELIVERY_SLOT_BYTES; i++)
        bytes_add_byte(out, (char)(slot >> (8 * i) & 255));
}

bool delivery_take_slot(struct view *rest, unsigned *slot)
{
    if (rest->len < DELIVERY_SLOT_BYTES)
        return false;
    *slot = 0;
    for (int i = 0; i < DELIVERY_SLOT_BYTES; i++)
        *slot |= (unsigned)(unsigned char)rest->data[i] << (8 * i);
    *rest = view_from(*rest, DELIVERY_SLOT_BYTES);
    return true;
}
