#include "base/hash.h"

#include "base/os.h"

enum { BLOCK = 8, BLOCK_ROUNDS = 2, LAST_ROUNDS = 4 };

struct state {
    uint64_t a, b, c, d;
};

static inline uint64_t turn(uint64_t n, unsigned bits)
{
    return n << bits | n >> (64 - bits);
}

static inline void rounds(struct state *s, int count)
{
    for (int i = 0; i < count; i++) {
        s->a += s->b;
        s->c += s->d;
        s->b = turn(s->b, 13) ^ s->a;
        s->d = turn(s->d, 16) ^ s->c;
        s->a = turn(s->a, 32) + s->d;
        s->c += s->b;
        s->b = turn(s->b, 17) ^ s->c;
        s->d = turn(s->d, 21) ^ s->a;
        s->c = turn(s->c, 32);
    }
}

static inline void take_block(struct state *s, uint64_t block)
{
    s->d ^= block;
    rounds(s, BLOCK_ROUNDS);
    s->a ^= block;
}

/* Up to eight bytes, the first one lowest. */
static inline uint64_t block_of(const char *data, size_t len)
{
    uint64_t block = 0;
    for (size_t i = 0; i < len; i++)
        block |= (uint64_t)(unsigned char)data[i] << (8 * i);
    return block;
}

struct hash_key hash_key_random(void)
{
    struct hash_key key;
    os_random(&key, sizeof key);
    return key;
}

uint64_t hash_of(struct hash_key key, struct view v)
{
    struct state s = {
        .a = key.low ^ 0x736f6d6570736575u,
        .b = key.high ^ 0x646f72616e646f6du,
        .c = key.low ^ 0x6c7967656e657261u,
        .d = key.high ^ 0x7465646279746573u,
    };
    size_t whole = v.len - v.len % BLOCK;

    for (size_t i = 0; i < whole; i += BLOCK)
        take_block(&s, block_of(v.data + i, BLOCK));
    uint64_t last = v.len > whole ? block_of(v.data + whole, v.len - whole) : 0;
    take_block(&s, last | (uint64_t)(v.len & 0xff) << 56);
    s.c ^= 0xff;
    rounds(&s, LAST_ROUNDS);
    return s.a ^ s.b ^ s.c ^ s.d;
}
