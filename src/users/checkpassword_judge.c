#include "users/checkpassword.h"

#include <string.h>

/* How long a hash is at least: 13 bytes, of the oldest kind. */
enum { MIN_HASH = 13 };

bool checkpassword_is_hash(const char *hash)
{
    return hash[0] != '*' && hash[0] != '!' && strlen(hash) >= MIN_HASH;
}

/* A hash that nobody has, for a system without any. */
static const char nobodys[] = "$6$nobodys.salt$nobody";

/* Takes as long for any two strings of the same lengths. */
static bool equal_in_any_time(const char *a, const char *b)
{
    size_t len = strlen(a), other = strlen(b);
    unsigned differences = len != other;

    for (size_t i = 0; i < len; i++)
        differences |= (unsigned)(a[i] ^ b[other ? i % other : 0]);
    return differences == 0;
}

/* As shadow(5) says. A password that its owner would have to change at the next
 * login is as good as expired: a mail client cannot change it. */
static bool is_expired(const struct os_shadow *s, int64_t today)
{
    if (s->expires != -1 && today >= s->expires)
        return true;
    if (s->changed == 0)
        return true;
    return s->changed > 0 && s->max_days >= 0 && today - s->changed > s->max_days;
}

/* Hashes password once, in the first way that crypt(3) knows: with the account's own
 * hash, without the marks that lock it; as another account of this system has it; or
 * somehow. */
static const char *hash_once(const struct checkpassword_account *a,
                             const char *password, checkpassword_hasher *hash)
{
    const char *own = a->known ? a->hash.data : "";
    const char *ways[] = {own + strspn(own, "!"),
                          a->other_hash.len ? a->other_hash.data : "", nobodys};
    const char *got = NULL;

    for (size_t i = 0; !got && i < COUNT(ways); i++)
        if (checkpassword_is_hash(ways[i]))
            got = hash(password, ways[i]);
    return got;
}

bool checkpassword_is_right(const struct checkpassword_account *a, const char *password,
                            int64_t today, checkpassword_hasher *hash)
{
    const char *own = a->known ? a->hash.data : "";
    bool may_login = a->known && !a->is_root && checkpassword_is_hash(own) &&
                     !is_expired(&a->aging, today);

    const char *got = hash_once(a, password, hash);
    return got && equal_in_any_time(got, own) && may_login;
}
