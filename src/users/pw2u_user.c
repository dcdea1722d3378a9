#include "users/pw2u.h"

#include "base/number.h"

#include <errno.h>
#include <sys/stat.h>

enum {
    PASSWD_COLONS = 6 /* name:password:uid:gid:gecos:home:shell */
};

static size_t count_byte(struct view v, char byte)
{
    size_t count = 0;
    for (size_t i = 0; i < v.len; i++)
        count += v.data[i] == byte;
    return count;
}

bool pw2u_user_read(struct view line, struct pw2u_user *user)
{
    if (view_has(line, '\0') || count_byte(line, ':') < PASSWD_COLONS)
        return false;
    user->name = view_cut(&line, ':');
    view_cut(&line, ':');
    user->uid_text = view_cut(&line, ':');
    user->gid_text = view_cut(&line, ':');
    view_cut(&line, ':');
    user->home = view_cut(&line, ':');

    struct view digits = user->uid_text;
    return number_take(&digits, &user->uid) && user->uid != 0;
}

static bool has_capitals(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if (byte_lower(v.data[i]) != v.data[i])
            return true;
    return false;
}

bool pw2u_user_wanted(const struct pw2u_user *user, const struct pw2u_options *options,
                      const struct pw2u_rules *rules)
{
    if (!options->upper_case && has_capitals(user->name))
        return false;
    if (!rules->include_all && !control_list_has(&rules->include, user->name))
        return false;
    return !control_list_has(&rules->exclude, user->name);
}

enum pw2u_home pw2u_check_home(const struct pw2u_user *user, enum pw2u_homes homes)
{
    struct bytes path = {0};
    struct stat st;

    if (homes == PW2U_HOMES_IGNORE)
        return PW2U_HOME_GOOD;
    bytes_set(&path, user->home);
    bool there = stat(bytes_cstring(&path), &st) == 0;
    bool missing = !there && errno == ENOENT;
    bytes_free(&path);
    if (there)
        return st.st_uid == user->uid ? PW2U_HOME_GOOD : PW2U_HOME_SKIP;
    return missing && homes == PW2U_HOMES_SKIP ? PW2U_HOME_SKIP : PW2U_HOME_STOP;
}
