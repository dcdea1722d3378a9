#include "base/writer.h"
#include "queue/send.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum {
    FORMAT_MAX = 1024,
    KEPT_MAX = 4096 /* bytes of lines not written yet: what a pipe takes whole */
};

static struct {
    int fd;
    struct bytes line;
    struct bytes kept;
} state;

void log_open(int fd)
{
    state.fd = fd;
}

static void write_lines(struct view lines)
{
    /* a log that cannot be written must not stop the mail */
    bool written = write_all(state.fd, lines);
    (void)written;
}

void log_flush(void)
{
    if (state.kept.len)
        write_lines(bytes_view(&state.kept));
    bytes_clear(&state.kept);
}

/* Without memory for it there is nothing to wait for. */
static void keep(struct view line)
{
    if (state.kept.len + line.len > KEPT_MAX)
        log_flush();
    if (line.len <= KEPT_MAX && bytes_try_add(&state.kept, line))
        return;
    log_flush();
    write_lines(line);
}

__attribute__((format(printf, 1, 0))) static void begin(const char *format,
                                                        va_list list)
{
    char text[FORMAT_MAX];
    int len = vsnprintf(text, sizeof text, format, list);
    bytes_clear(&state.line);
    if (len > 0)
        bytes_add_text(&state.line, text);
}

void log_begin(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    begin(format, list);
    va_end(list);
}

void log_line(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    begin(format, list);
    va_end(list);
    log_end();
}

void log_text(const char *text)
{
    bytes_add_text(&state.line, text);
}

void log_safe(struct view v)
{
    size_t from = state.line.len;
    bytes_add(&state.line, v);
    for (size_t i = from; i < state.line.len; i++) {
        char *c = &state.line.data[i];
        if (*c == '\n')
            *c = '/';
        else if (*c < 33 || *c > 126 || *c == '%')
            *c = '_';
    }
}

void log_end(void)
{
    bytes_add_byte(&state.line, '\n');
    keep(bytes_view(&state.line));
}

void log_out_of_memory(void)
{
    log_flush();
    write_lines(VIEW("alert: out of memory, sleeping...\n"));
    sleep(SEND_ALERT_SLEEP_S);
}
