/* sandbox - the one place where a daemon gives up what it needs no more.
 *
 * Called by main after set-up and before the first byte of input. */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

/* What a program goes on to need. */
enum sandbox_need {
    SANDBOX_FILES = 1,    /* opens files by name */
    SANDBOX_PROGRAMS = 2, /* starts programs */
    SANDBOX_NETWORK = 4   /* makes connections */
};

/* Gives up the rest. Where the system offers nothing, nothing changes. */
void sandbox_enter(unsigned needs);

#endif
