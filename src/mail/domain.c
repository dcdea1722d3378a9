#include "mail/domain.h"

bool domain_find(const struct table *t, struct view domain, struct view *value)
{
    for (size_t i = 0; i < domain.len; i++)
        if (i == 0 || domain.data[i] == '.')
            if (table_find(t, view_from(domain, i), value))
                return true;
    return domain.len == 0 && table_find(t, domain, value);
}

bool domain_find_or_default(const struct table *t, struct view domain,
                            struct view *value)
{
    return domain_find(t, domain, value) || table_find(t, VIEW(""), value);
}
