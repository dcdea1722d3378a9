/* Linked into every program of make sanitize. Programs start with an empty
 * environment and a standard error that may lead nowhere, so what the sanitizers
 * are to do is said here: reports go to files that tests/sanitizer.t looks for.
 * Leaks are not looked for: programs end without releasing what the system takes
 * back, and the search cannot work in a set-id program. */
#include "conf.h"

const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "detect_leaks=0:allocator_may_return_null=1:exitcode=99:log_path=" CONF_QMAIL
           "/sanitizer/report";
}
