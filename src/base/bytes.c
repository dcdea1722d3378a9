#include "base/bytes.h"

#include "base/heap.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SMALLEST_ROOM = 64 };

struct view view_of(const char *text)
{
    return (struct view){text, strlen(text)};
}

struct view view_at(const char *data, size_t len)
{
    return (struct view){data, len};
}

bool view_equal(struct view a, struct view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool view_equal_case(struct view a, struct view b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (byte_lower(a.data[i]) != byte_lower(b.data[i]))
            return false;
    return true;
}

bool view_is(struct view v, const char *text)
{
    return view_equal(v, view_of(text));
}

bool view_is_case(struct view v, const char *text)
{
    return view_equal_case(v, view_of(text));
}

bool view_starts(struct view v, struct view with)
{
    return v.len >= with.len && view_equal(view_before(v, with.len), with);
}

bool view_starts_case(struct view v, struct view with)
{
    return v.len >= with.len && view_equal_case(view_before(v, with.len), with);
}

bool view_ends(struct view v, struct view with)
{
    return v.len >= with.len && view_equal(view_from(v, v.len - with.len), with);
}

size_t view_find(struct view v, char byte)
{
    const char *hit = v.len ? memchr(v.data, byte, v.len) : NULL;
    return hit ? (size_t)(hit - v.data) : v.len;
}

size_t view_find_last(struct view v, char byte)
{
    for (size_t i = v.len; i > 0; i--)
        if (v.data[i - 1] == byte)
            return i - 1;
    return v.len;
}

bool view_has(struct view v, char byte)
{
    return view_find(v, byte) < v.len;
}

struct view view_from(struct view v, size_t from)
{
    return from ? (struct view){v.data + from, v.len - from} : v;
}

struct view view_before(struct view v, size_t to)
{
    return (struct view){v.data, to};
}

struct view view_trim_end(struct view v, const char *set)
{
    struct view bytes = view_of(set);
    while (v.len && view_has(bytes, v.data[v.len - 1]))
        v.len--;
    return v;
}

struct view view_cut(struct view *v, char byte)
{
    size_t at = view_find(*v, byte);
    struct view head = view_before(*v, at);
    *v = view_from(*v, at < v->len ? at + 1 : at);
    return head;
}

char byte_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool byte_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* How much b should have so that more bytes fit, growing by doubling. */
static size_t room_for(const struct bytes *b, size_t more)
{
    size_t need = more > SIZE_MAX - b->len ? SIZE_MAX : b->len + more;
    size_t room = b->room > SIZE_MAX / 2 ? SIZE_MAX : b->room * 2;
    if (room < SMALLEST_ROOM)
        room = SMALLEST_ROOM;
    return room < need ? need : room;
}

void bytes_reserve(struct bytes *b, size_t more)
{
    if (b->room - b->len >= more)
        return;
    size_t room = room_for(b, more);
    b->data = heap_resize(b->data, room, 1);
    b->room = room;
}

bool bytes_try_add(struct bytes *b, struct view more)
{
    if (b->room - b->len < more.len) {
        size_t room = room_for(b, more.len);
        char *fresh = heap_try_resize(b->data, room, 1);
        if (!fresh)
            return false;
        b->data = fresh;
        b->room = room;
    }
    bytes_add(b, more);
    return true;
}

void bytes_add(struct bytes *b, struct view more)
{
    if (more.len == 0)
        return;
    bool own = b->data && more.data >= b->data && more.data < b->data + b->len;
    size_t at = own ? (size_t)(more.data - b->data) : 0;
    bytes_reserve(b, more.len);
    memcpy(b->data + b->len, own ? b->data + at : more.data, more.len);
    b->len += more.len;
}

void bytes_add_text(struct bytes *b, const char *text)
{
    bytes_add(b, view_of(text));
}

void bytes_add_byte(struct bytes *b, char byte)
{
    bytes_reserve(b, 1);
    b->data[b->len++] = byte;
}

void bytes_add_number(struct bytes *b, uint64_t n)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRIu64, n);
    bytes_add(b, view_at(text, (size_t)len));
}

void bytes_add_format(struct bytes *b, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int len = vsnprintf(NULL, 0, format, list);
    va_end(list);
    if (len <= 0)
        return;
    bytes_reserve(b, (size_t)len + 1);
    va_start(list, format);
    vsnprintf(b->data + b->len, (size_t)len + 1, format, list);
    va_end(list);
    b->len += (size_t)len;
}

void bytes_clear(struct bytes *b)
{
    b->len = 0;
}

void bytes_set(struct bytes *b, struct view v)
{
    bool own = v.len && b->data && v.data >= b->data && v.data < b->data + b->room;
    if (own) {
        memmove(b->data, v.data, v.len);
        b->len = v.len;
        return;
    }
    b->len = 0;
    bytes_add(b, v);
}

void bytes_cut(struct bytes *b, size_t len)
{
    b->len = len;
}

void bytes_lower(struct bytes *b)
{
    for (size_t i = 0; i < b->len; i++)
        b->data[i] = byte_lower(b->data[i]);
}

void bytes_change(struct bytes *b, char old, char fresh)
{
    for (size_t i = 0; i < b->len; i++)
        if (b->data[i] == old)
            b->data[i] = fresh;
}

void bytes_wipe(struct bytes *b)
{
    volatile char *p = b->data; /* so that no compiler leaves it out */
    for (size_t i = 0; i < b->room; i++)
        p[i] = 0;
    b->len = 0;
}

void bytes_free(struct bytes *b)
{
    heap_free(b->data);
    *b = (struct bytes){0};
}

struct view bytes_view(const struct bytes *b)
{
    return (struct view){b->data, b->len};
}

const char *bytes_cstring(struct bytes *b)
{
    if (view_has(bytes_view(b), '\0'))
        return NULL;
    bytes_reserve(b, 1);
    b->data[b->len] = '\0';
    return b->data;
}
