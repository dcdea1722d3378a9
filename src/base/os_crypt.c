/* Apart from os.c, so that only programs that hash passwords need libcrypt. */
#define _DEFAULT_SOURCE
#include "base/os.h"

#include <unistd.h>

const char *os_crypt(const char *password, const char *setting)
{
    const char *hash = crypt(password, setting);
    return hash && hash[0] != '*' ? hash : NULL; /* "*0": a setting unknown to it */
}
