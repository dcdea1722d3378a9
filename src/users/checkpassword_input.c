#include "base/fd.h"
#include "base/reader.h"
#include "users/checkpassword.h"

#include <errno.h>

/* The next string of *rest. False where no NUL ends it. */
static bool take_string(struct view *rest, const char **string)
{
    size_t len = view_find(*rest, '\0');
    if (len == rest->len)
        return false;
    *string = rest->data;
    *rest = view_from(*rest, len + 1);
    return true;
}

enum checkpassword_input checkpassword_read(int fd, struct bytes *input,
                                            struct checkpassword_claim *claim)
{
    const char *timestamp;
    ssize_t n;

    bytes_reserve(input, CHECKPASSWORD_MAX_INPUT + 1);
    do {
        size_t room = CHECKPASSWORD_MAX_INPUT + 1 - input->len;
        n = read_some(fd, input->data + input->len, room);
        if (n == -1)
            return errno == EBADF ? CHECKPASSWORD_NOTHING : CHECKPASSWORD_UNREADABLE;
        input->len += (size_t)n;
        if (input->len > CHECKPASSWORD_MAX_INPUT)
            return CHECKPASSWORD_TOO_LONG;
    } while (n > 0);

    struct view rest = bytes_view(input);
    bool whole = take_string(&rest, &claim->name) &&
                 take_string(&rest, &claim->password) && take_string(&rest, &timestamp);
    return whole ? CHECKPASSWORD_READ : CHECKPASSWORD_NOTHING;
}
