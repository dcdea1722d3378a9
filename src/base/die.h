/* die - a program's last words.
 *
 * Each function prints one line, "NAME: fatal: TEXT\n", in one write to
 * descriptor 2, and exits. No memory is needed. Lines are cut at 8192 bytes. */
#ifndef BASE_DIE_H
#define BASE_DIE_H

enum die_code {
    DIE_PERM = 100, /* trying again cannot help */
    DIE_TEMP = 111  /* trying again may help */
};

/* The NAME of the lines, a literal; without it they begin with "fatal: ". */
void die_name(const char *name);

_Noreturn void die_temp(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void die_perm(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same with an exit code of the caller's. */
_Noreturn void die_with(int code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints the text as it is, without "NAME: fatal: " or line feed: usage lines. */
_Noreturn void die_raw(int code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A handler for heap_on_failure(): die_temp("out of memory"). */
void die_of_memory(void);

#endif
