/* bytes - byte strings that grow, and views that borrow.
 *
 * Mail is bytes: any value may occur in it, NUL included. So a length travels
 * with every string, and nothing here looks for a terminator. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Borrowed bytes, good for as long as their owner leaves them alone. */
struct view {
    const char *data;
    size_t len;
};

/* Owned bytes. {0} is a valid empty string. Release with bytes_free(). */
struct bytes {
    char *data;
    size_t len;  /* bytes in use */
    size_t room; /* bytes allocated */
};

/* A view of a string literal; and the same in the initializer of static data. */
#define VIEW(literal) ((struct view){literal, sizeof(literal) - 1})
#define VIEW_INIT(literal)           \
    {                                \
        literal, sizeof(literal) - 1 \
    }

/* A view of a C string, without its NUL. */
struct view view_of(const char *text);

/* A view of len bytes at data. */
struct view view_at(const char *data, size_t len);

bool view_equal(struct view a, struct view b);

/* Equal when ASCII letters are taken without regard to case. */
bool view_equal_case(struct view a, struct view b);

/* v against a C string, which is usually a literal. */
bool view_is(struct view v, const char *text);
bool view_is_case(struct view v, const char *text);

bool view_starts(struct view v, struct view with);
bool view_starts_case(struct view v, struct view with);
bool view_ends(struct view v, struct view with);

/* Where byte is, counted from 0, or v.len where it is not: the first place and
 * the last. */
size_t view_find(struct view v, char byte);
size_t view_find_last(struct view v, char byte);
bool view_has(struct view v, char byte);

/* The part from byte number from on, and the part before byte number to. Both
 * numbers may be at most v.len. */
struct view view_from(struct view v, size_t from);
struct view view_before(struct view v, size_t to);

/* v without the bytes of set (a C string) at its end. */
struct view view_trim_end(struct view v, const char *set);

/* Everything before the first byte of the given value; *v is moved behind that
 * byte, or to the end where there is none. */
struct view view_cut(struct view *v, char byte);

/* ASCII alone; the locale has no say. */
char byte_lower(char c);
bool byte_is_digit(char c);

/* Makes room for more bytes behind those in use. */
void bytes_reserve(struct bytes *b, size_t more);

/* Appends. Cannot fail: a program says once, to heap_on_failure(), what running
 * out of memory means. The growth is checked for overflow. more may be a part
 * of b itself. */
void bytes_add(struct bytes *b, struct view more);
void bytes_add_text(struct bytes *b, const char *text);
void bytes_add_byte(struct bytes *b, char byte);
void bytes_add_number(struct bytes *b, uint64_t n);

/* Appends like bytes_add(), but where there is no memory it returns false with b
 * unchanged, whatever heap_on_failure() was told. more is not part of b. */
bool bytes_try_add(struct bytes *b, struct view more);

/* Appends what printf would print. For short texts without NULs. */
void bytes_add_format(struct bytes *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Makes b empty, or a copy of v; the memory stays with b. */
void bytes_clear(struct bytes *b);
void bytes_set(struct bytes *b, struct view v);

/* Cuts b down to len bytes, which it has. */
void bytes_cut(struct bytes *b, size_t len);

/* ASCII letters to lower case, in place. */
void bytes_lower(struct bytes *b);

/* Changes every byte of value old into fresh, in place. */
void bytes_change(struct bytes *b, char old, char fresh);

/* Makes b empty and overwrites its memory, which held a password. */
void bytes_wipe(struct bytes *b);

void bytes_free(struct bytes *b);

/* What b holds, good until b changes. */
struct view bytes_view(const struct bytes *b);

/* b as a C string for a system call, or NULL where b holds a NUL, so that
 * a hostile name is refused rather than cut short. Good until b changes. */
const char *bytes_cstring(struct bytes *b);

#endif
