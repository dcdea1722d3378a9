#include "mail/queue_layout.h"

#include "conf.h"

#define DIRECTORY(path, owner, mode)                        \
    {                                                       \
        QUEUE_PLACE_DIR, path, owner, mode, false, false, 0 \
    }
#define SPLIT(path, owner, mode)                           \
    {                                                      \
        QUEUE_PLACE_DIR, path, owner, mode, true, false, 0 \
    }

const struct queue_place queue_places[] = {
    DIRECTORY("", CONF_USER_QUEUE, 0750),
    DIRECTORY("pid", CONF_USER_QUEUE, 0700),
    DIRECTORY("intd", CONF_USER_QUEUE, 0700),
    DIRECTORY("todo", CONF_USER_QUEUE, 0750),
    DIRECTORY("bounce", CONF_USER_SEND, 0700),
    SPLIT("mess", CONF_USER_QUEUE, 0750),
    SPLIT("info", CONF_USER_SEND, 0700),
    SPLIT("local", CONF_USER_SEND, 0700),
    SPLIT("remote", CONF_USER_SEND, 0700),
    DIRECTORY("lock", CONF_USER_QUEUE, 0750),
    {QUEUE_PLACE_DIR, QUEUE_DIR_ORDER, CONF_USER_SEND, 0700, false, true, 0},
    {QUEUE_PLACE_FILE, QUEUE_DIR_TCPTO, CONF_USER_REMOTE, 0644, false, false,
     QUEUE_TCPTO_SIZE},
    {QUEUE_PLACE_FILE, QUEUE_DIR_TCPTO6, CONF_USER_REMOTE, 0644, false, true,
     QUEUE_TCPTO6_SIZE},
    {QUEUE_PLACE_FILE, QUEUE_DIR_MUTEX, CONF_USER_SEND, 0600, false, false, 0},
    {QUEUE_PLACE_FIFO, QUEUE_DIR_TRIGGER, CONF_USER_SEND, 0622, false, false, 0},
    {.path = NULL},
};

const struct queue_kind_of_file queue_kinds[QUEUE_KINDS] = {
    [QUEUE_KIND_INFO] = {"info", CONF_USER_SEND, CONF_GROUP_QMAIL, 0600, true},
    [QUEUE_KIND_LOCAL] = {"local", CONF_USER_SEND, CONF_GROUP_QMAIL, 0600, true},
    [QUEUE_KIND_REMOTE] = {"remote", CONF_USER_SEND, CONF_GROUP_QMAIL, 0600, true},
    [QUEUE_KIND_BOUNCE] = {"bounce", CONF_USER_SEND, CONF_GROUP_QMAIL, 0600, false},
    [QUEUE_KIND_INTD] = {"intd", CONF_USER_QUEUE, NULL, 0644, false},
    [QUEUE_KIND_TODO] = {"todo", CONF_USER_QUEUE, NULL, 0644, false},
    [QUEUE_KIND_MESS] = {"mess", CONF_USER_QUEUE, NULL, 0644, true},
};
