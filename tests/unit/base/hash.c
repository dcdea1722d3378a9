#include "base/hash.h"

#include "tap.h"

/* Key and input of the algorithm's paper count up from 0; its appendix has the value
 * for 15 bytes, its authors' list of vectors the others. */
static const struct {
    size_t len;
    uint64_t want;
} vectors[] = {
    {0, 0x726fdb47dd0e0e31u},
    {1, 0x74f839c593dc67fdu},
    {8, 0x93f5f5799a932462u},
    {15, 0xa129ca6149be45e5u},
};

int main(void)
{
    struct hash_key key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    char input[16];

    for (size_t i = 0; i < sizeof input; i++)
        input[i] = (char)i;
    for (size_t i = 0; i < COUNT(vectors); i++)
        same_number(hash_of(key, view_at(input, vectors[i].len)), vectors[i].want,
                    "vector");
    ok(hash_of(key, VIEW("a")) != hash_of(key, VIEW("b")), "other bytes", NULL);
    struct hash_key one = hash_key_random(), two = hash_key_random();
    ok(hash_of(one, VIEW("a")) != hash_of(two, VIEW("a")), "other keys", NULL);
    return tap_done();
}
