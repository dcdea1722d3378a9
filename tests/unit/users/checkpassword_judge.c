#include "users/checkpassword.h"

#include "tap.h"

#include <stdio.h>
#include <string.h>

/* Hashes by putting the password behind a setting that begins with "$t$salt$" and
 * has one string more; counts how often, and keeps what it was asked with. */
static unsigned hashed;
static const char *setting_used;

static const char *hash(const char *password, const char *setting)
{
    static char out[256];
    hashed++;
    setting_used = setting;
    if (strncmp(setting, "$t$", 3) != 0)
        return NULL;
    snprintf(out, sizeof out, "%.8s%s", setting, password);
    return out;
}

#define RIGHT "$t$salt$secret"
#define OTHER "$t$else$whatever"
#define NEVER -1, -1, -1, -1

enum { TODAY = 20000 };

static const struct {
    const char *name, *hash;
    int64_t changed, max_days, inactive_days, expires;
    const char *password;
    bool known, is_root, want;
    const char *setting; /* NULL: RIGHT */
} cases[] = {
    {"right", RIGHT, NEVER, "secret", true, false, true, NULL},
    {"wrong", RIGHT, NEVER, "Secret", true, false, false, NULL},
    {"longer", RIGHT, NEVER, "secretsecret", true, false, false, NULL},
    {"shorter", RIGHT, NEVER, "secre", true, false, false, NULL},
    {"empty", RIGHT, NEVER, "", true, false, false, NULL},
    {"unknown", RIGHT, NEVER, "secret", false, false, false, OTHER},
    {"root", RIGHT, NEVER, "secret", true, true, false, NULL},
    {"locked", "!" RIGHT, NEVER, "secret", true, false, false, RIGHT},
    {"locked twice", "!!" RIGHT, NEVER, "secret", true, false, false, RIGHT},
    {"no password", "", NEVER, "", true, false, false, OTHER},
    {"none valid", "*", NEVER, "*", true, false, false, OTHER},
    {"none set", "!", NEVER, "!", true, false, false, OTHER},
    {"none set, two", "!!", NEVER, "!!", true, false, false, OTHER},
    {"in another file", "x", NEVER, "x", true, false, false, OTHER},
    {"ageing, fine", RIGHT, TODAY - 99, 99, 7, -1, "secret", true, false, true, NULL},
    {"ageing, too old", RIGHT, TODAY - 100, 99, 7, -1, "secret", true, false, false,
     NULL},
    {"no ageing", RIGHT, TODAY - 9999, -1, -1, -1, "secret", true, false, true, NULL},
    {"to be changed", RIGHT, 0, 99999, -1, -1, "secret", true, false, false, NULL},
    {"expires tomorrow", RIGHT, -1, -1, -1, TODAY + 1, "secret", true, false, true,
     NULL},
    {"expired today", RIGHT, -1, -1, -1, TODAY, "secret", true, false, false, NULL},
    {"expired long ago", RIGHT, -1, -1, -1, 0, "secret", true, false, false, NULL},
};

static void set(struct bytes *b, const char *text)
{
    bytes_set(b, view_of(text));
    bytes_add_byte(b, '\0');
}

int main(void)
{
    struct checkpassword_account a = {0};

    for (size_t i = 0; i < COUNT(cases); i++) {
        a.known = cases[i].known;
        a.is_root = cases[i].is_root;
        a.aging = (struct os_shadow){.changed = cases[i].changed,
                                     .max_days = cases[i].max_days,
                                     .inactive_days = cases[i].inactive_days,
                                     .expires = cases[i].expires};
        set(&a.hash, cases[i].hash);
        set(&a.other_hash, OTHER);
        hashed = 0;
        ok(checkpassword_is_right(&a, cases[i].password, TODAY, hash) == cases[i].want,
           cases[i].name, "result");
        same_number(hashed, 1, cases[i].name);
        same(view_of(setting_used),
             view_of(cases[i].setting ? cases[i].setting : RIGHT), cases[i].name);
    }
    set(&a.hash, "$damaged$hash$here");
    a.known = true;
    hashed = 0;
    ok(!checkpassword_is_right(&a, "secret", TODAY, hash), "damaged", "result");
    same_number(hashed, 2, "damaged: hashed all the same");
    a.known = false;
    bytes_clear(&a.other_hash);
    ok(!checkpassword_is_right(&a, "secret", TODAY, hash), "no hash at all", NULL);
    ok(view_starts(view_of(setting_used), VIEW("$6$")), "no hash at all", "setting");
    return tap_done();
}
