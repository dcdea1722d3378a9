#include "admin/showctl.h"
#include "base/json.h"
#include "conf.h"

#include <string.h>

enum { LONGEST_QUOTE = 100 }; /* of what is wrong, in a line */

static void add_path(struct bytes *out, const char *path)
{
    if (path[0] != '/') {
        bytes_add_text(out, CONF_QMAIL);
        bytes_add_text(out, *path ? "/" : "");
    }
    bytes_add_text(out, path);
}

static void add_object(struct bytes *out, struct showctl_place where,
                       struct view subject, const char *problem, const char *remedy)
{
    struct bytes path = {0};
    add_path(&path, where.path);
    json_add_comma(out);
    bytes_add_byte(out, '{');
    json_add_text(out, "file", bytes_view(&path));
    if (where.line)
        json_add_number(out, "line", where.line);
    if (subject.data)
        json_add_text(out, "entry", subject);
    json_add_text(out, "problem", view_of(problem));
    json_add_text(out, "remedy", view_of(remedy));
    bytes_add_byte(out, '}');
    bytes_free(&path);
}

static void add_line(struct bytes *out, struct showctl_place where, struct view subject,
                     const char *problem, const char *remedy)
{
    struct bytes path = {0};
    add_path(&path, where.path);
    showctl_safe(out, bytes_view(&path));
    bytes_add_byte(out, ':');
    if (where.line) {
        bytes_add_number(out, where.line);
        bytes_add_byte(out, ':');
    }
    bytes_add_byte(out, ' ');
    if (subject.data) {
        bool long_one = subject.len > LONGEST_QUOTE;
        bytes_add_byte(out, '"');
        showctl_safe(out, long_one ? view_before(subject, LONGEST_QUOTE) : subject);
        bytes_add_text(out, long_one ? "...\" " : "\" ");
    }
    bytes_add_format(out, "%s; %s\n", problem, remedy);
    bytes_free(&path);
}

void showctl_find(struct showctl_findings *f, struct showctl_place where,
                  struct view subject, const char *problem, const char *remedy)
{
    f->count++;
    if (f->as_json)
        add_object(&f->out, where, subject, problem, remedy);
    else
        add_line(&f->out, where, subject, problem, remedy);
}
