/* control - the files in HOME/control (man page qmail-control).
 *
 * All programs read them by the same rules, relative to HOME, which they have
 * entered. White space at the end of a line is space and tab, and a CR right
 * before the line feed. "Absent" is only a file that does not exist; every other
 * trouble is CONTROL_FAILED, and the program must not go on with a default. */
#ifndef MAIL_CONTROL_H
#define MAIL_CONTROL_H

#include "base/bytes.h"
#include "base/table.h"

enum control_result {
    CONTROL_READ,
    CONTROL_ABSENT, /* there is no such file; what it should set stays unchanged */
    CONTROL_FAILED  /* errno says why */
};

/* The largest value of a number; larger ones count as this. */
enum { CONTROL_MAX_NUMBER = 2147483647 };

/* A list of entries, or of KEY:VALUE lines. {0} is valid and empty. */
struct control_list {
    struct bytes entries; /* each ended by a NUL, in the order of the file */
    struct table table;   /* the entries, or the keys with their values */
};

/* The first line of control/NAME. An empty file or line is the empty value. */
enum control_result control_line(const char *name, struct bytes *value);

/* The same where the file may be absent: then the first line of control/me, then
 * literal. CONTROL_ABSENT if literal is NULL and both files are absent. */
enum control_result control_line_or_me(const char *name, const char *literal,
                                       struct bytes *value);

/* The leading digits of the first line. Without a digit: CONTROL_ABSENT. */
enum control_result control_number(const char *name, uint64_t *value);

/* The same for a number of bytes, which may be larger than CONTROL_MAX_NUMBER. */
enum control_result control_size(const char *name, uint64_t *value);

/* The number in front of the environment variable's value, which takes the place of a
 * control file's. Without a digit there *value stays: in doubt the limit holds. */
void control_environment(const char *variable, uint64_t *value);

/* The entries of control/NAME. */
enum control_result control_read_list(const char *name, struct control_list *list);

/* The lines of control/NAME that have a colon; of equal keys the last counts. */
enum control_result control_read_map(const char *name, struct control_list *map);

/* The same two from a file by its own path (users/include, QMAILMFTFILE). */
enum control_result control_read_list_at(const char *path, struct control_list *list);
enum control_result control_read_map_at(const char *path, struct control_list *map);

/* Whether an entry equals v, ASCII case aside. */
bool control_list_has(const struct control_list *list, struct view v);

/* The next entry, in order. Begin with *rest = bytes_view(&list->entries). */
bool control_list_next(struct view *rest, struct view *entry);

void control_list_free(struct control_list *list);

#endif
