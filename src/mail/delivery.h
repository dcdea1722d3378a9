/* delivery - what qmail-send, the spawners and the programs that deliver agree
 * on (man pages qmail-lspawn, qmail-rspawn).
 *
 * A command to a spawner: slot, message file NUL, sender NUL, recipient NUL.
 * A report: slot, letter and text, NUL. A slot is one byte, or two with the low
 * one first where conf-spawn is above 255. */
#ifndef MAIL_DELIVERY_H
#define MAIL_DELIVERY_H

#include "base/bytes.h"
#include "conf.h"

enum {
    DELIVERY_SLOT_BYTES = CONF_SPAWN > 255 ? 2 : 1,
    DELIVERY_MAX_NAME = 99,    /* bytes of a message file's name */
    DELIVERY_MAX_REPORT = 9999 /* bytes kept of a report: letter and text */
};

/* The letters of a report. */
enum delivery_letter {
    DELIVERY_SUCCESS = 'K',
    DELIVERY_DEFERRAL = 'Z',
    DELIVERY_FAILURE = 'D'
};

/* How the process of a local delivery ends, from qmail-lspawn's child through
 * qmail-getpw to qmail-local. */
enum local_exit {
    LOCAL_OK = 0,
    LOCAL_TEMP_71 = 71,
    LOCAL_TEMP_74 = 74,
    LOCAL_TEMP_75 = 75,
    LOCAL_PERM = 100,
    LOCAL_TEMP = 111,
    LOCAL_BUG = 112,  /* user data, arguments, ids */
    LOCAL_ROOT = 113, /* uid 0 */
    LOCAL_NFS = 115,
    LOCAL_NO_ALIAS = 116,
    LOCAL_CDB = 117,
    LOCAL_SYSTEM = 118, /* pipe, fork, descriptors */
    LOCAL_MEMORY = 119,
    LOCAL_EXEC_TEMP = 120,
    LOCAL_GETPW = 121, /* qmail-getpw could not be run */
    LOCAL_EXEC_PERM = 126
};

/* How a program ends that could not load its shared libraries, before its first own
 * instruction: perhaps only for lack of memory or descriptors. */
enum { DELIVERY_NOT_LOADED = 127 };

/* Appends a slot number to a command or report, and takes one from *rest (false:
 * too few bytes yet). */
void delivery_add_slot(struct bytes *out, unsigned slot);
bool delivery_take_slot(struct view *rest, unsigned *slot);

#endif
