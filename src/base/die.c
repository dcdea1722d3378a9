#include "base/die.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 8191 }; /* and the line feed */

static const char *program;

void die_name(const char *name)
{
    program = name;
}

__attribute__((format(printf, 4, 0))) static _Noreturn void
say_and_exit(int code, const char *head, const char *tail, const char *format,
             va_list list)
{
    char line[LINE_MAX_LEN + 2];
    size_t len = 0;
    int n = 0;

    if (program && *head)
        n = snprintf(line, LINE_MAX_LEN, "%s: %s", program, head);
    else
        n = snprintf(line, LINE_MAX_LEN, "%s", head);
    len = (size_t)n;
    n = vsnprintf(line + len, LINE_MAX_LEN - len, format, list);
    if (n > 0)
        len += (size_t)n < LINE_MAX_LEN - len ? (size_t)n : LINE_MAX_LEN - len - 1;
    for (; *tail; tail++)
        line[len++] = *tail;
    /* nobody is left to be told if this fails */
    ssize_t written = write(2, line, len);
    (void)written;
    _exit(code);
}

void die_temp(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say_and_exit(DIE_TEMP, "fatal: ", "\n", format, list);
}

void die_perm(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say_and_exit(DIE_PERM, "fatal: ", "\n", format, list);
}

void die_with(int code, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say_and_exit(code, "fatal: ", "\n", format, list);
}

void die_raw(int code, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say_and_exit(code, "", "", format, list);
}

void die_of_memory(void)
{
    die_temp("out of memory");
}
