#include "mail/control.h"

#include "base/file.h"
#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_CONTROL_FILE = 1 << 30, MAX_CONTROL_PATH = 128 };

static enum control_result read_path(const char *path, struct bytes *content)
{
    switch (file_read(path, MAX_CONTROL_FILE, content)) {
    case FILE_READ:
        return CONTROL_READ;
    case FILE_ABSENT:
        return CONTROL_ABSENT;
    case FILE_FAILED:
        break;
    }
    return CONTROL_FAILED;
}

struct control_path {
    char text[MAX_CONTROL_PATH];
};

static struct control_path path_of(const char *name)
{
    struct control_path path;
    snprintf(path.text, sizeof path.text, "control/%s", name);
    return path;
}

/* The next line of *rest, without its line feed and the white space before. */
static struct view next_line(struct view *rest)
{
    size_t end = view_find(*rest, '\n');
    struct view line = view_before(*rest, end);
    if (end < rest->len && line.len && line.data[line.len - 1] == '\r')
        line.len--;
    *rest = view_from(*rest, end < rest->len ? end + 1 : end);
    return view_trim_end(line, " \t");
}

enum control_result control_line(const char *name, struct bytes *value)
{
    struct bytes content = {0};
    enum control_result result = read_path(path_of(name).text, &content);
    if (result == CONTROL_READ) {
        struct view rest = bytes_view(&content);
        bytes_set(value, next_line(&rest));
    }
    bytes_free(&content);
    return result;
}

enum control_result control_line_or_me(const char *name, const char *literal,
                                       struct bytes *value)
{
    enum control_result result = control_line(name, value);
    if (result == CONTROL_ABSENT)
        result = control_line("me", value);
    if (result == CONTROL_ABSENT && literal) {
        bytes_set(value, view_of(literal));
        return CONTROL_READ;
    }
    return result;
}

enum control_result control_size(const char *name, uint64_t *value)
{
    struct bytes line = {0};
    enum control_result result = control_line(name, &line);
    if (result == CONTROL_READ) {
        struct view rest = bytes_view(&line);
        uint64_t n;
        if (number_take(&rest, &n))
            *value = n;
        else
            result = CONTROL_ABSENT;
    }
    bytes_free(&line);
    return result;
}

enum control_result control_number(const char *name, uint64_t *value)
{
    uint64_t n;
    enum control_result result = control_size(name, &n);
    if (result == CONTROL_READ)
        *value = n > CONTROL_MAX_NUMBER ? CONTROL_MAX_NUMBER : n;
    return result;
}

void control_environment(const char *variable, uint64_t *value)
{
    const char *text = getenv(variable);
    struct view rest = view_of(text ? text : "");
    uint64_t n;
    if (number_take(&rest, &n))
        *value = n;
}

/* Turns the bytes of a file into entries, each ended by a NUL. */
static void split_entries(struct view content, struct bytes *entries)
{
    while (content.len) {
        struct view line = next_line(&content);
        if (line.len && line.data[0] == '#')
            continue;
        while (line.len) {
            struct view entry = view_cut(&line, '\0');
            if (entry.len == 0)
                continue;
            bytes_add(entries, entry);
            bytes_add_byte(entries, '\0');
        }
    }
}

static enum control_result read_list(const char *path, bool map,
                                     struct control_list *list)
{
    struct bytes content = {0};
    struct control_list fresh = {0};
    enum control_result result = read_path(path, &content);
    if (result == CONTROL_READ) {
        split_entries(bytes_view(&content), &fresh.entries);
        struct view rest = bytes_view(&fresh.entries), entry;
        while (control_list_next(&rest, &entry)) {
            if (!map) {
                table_add(&fresh.table, entry, entry);
            } else if (view_has(entry, ':')) {
                struct view key = view_cut(&entry, ':');
                table_add(&fresh.table, key, entry);
            }
        }
        control_list_free(list);
        *list = fresh;
    }
    bytes_free(&content);
    return result;
}

enum control_result control_read_list(const char *name, struct control_list *list)
{
    return read_list(path_of(name).text, false, list);
}

enum control_result control_read_map(const char *name, struct control_list *map)
{
    return read_list(path_of(name).text, true, map);
}

enum control_result control_read_list_at(const char *path, struct control_list *list)
{
    return read_list(path, false, list);
}

enum control_result control_read_map_at(const char *path, struct control_list *map)
{
    return read_list(path, true, map);
}

bool control_list_has(const struct control_list *list, struct view v)
{
    return table_find(&list->table, v, NULL);
}

bool control_list_next(struct view *rest, struct view *entry)
{
    if (rest->len == 0)
        return false;
    *entry = view_cut(rest, '\0');
    return true;
}

void control_list_free(struct control_list *list)
{
    bytes_free(&list->entries);
    table_free(&list->table);
}
