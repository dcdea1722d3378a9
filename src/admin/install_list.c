#include "admin/install.h"

#include "built.h"
#include "conf.h"

#include "mail/queue_dir.h"

#define OWNER CONF_USER_OWNER

/* name/0 to name/(CONF_SPLIT - 1) as well */
enum { SPLIT = 1 };

static const struct entry {
    enum install_type type;
    const char *path;
    const char *owner;
    mode_t mode;
    int split;
    size_t size;
} home_entries[] = {
    {INSTALL_DIR, "", OWNER, 0755, 0, 0},
    {INSTALL_DIR, "control", OWNER, 0755, 0, 0},
    {INSTALL_DIR, "users", OWNER, 0755, 0, 0},
    {INSTALL_DIR, "bin", OWNER, 0755, 0, 0},
    {INSTALL_DIR, "boot", OWNER, 0755, 0, 0},
    {INSTALL_DIR, "doc", OWNER, 0755, 0, 0},
    {INSTALL_DIR, "man", OWNER, 0755, 0, 0},
    {INSTALL_DIR, "man/cat1", OWNER, 0755, 0, 0},
    {INSTALL_DIR, "man/cat5", OWNER, 0755, 0, 0},
    {INSTALL_DIR, "man/cat7", OWNER, 0755, 0, 0},
    {INSTALL_DIR, "man/cat8", OWNER, 0755, 0, 0},
    {INSTALL_DIR, "man/man1", OWNER, 0755, 0, 0},
    {INSTALL_DIR, "man/man5", OWNER, 0755, 0, 0},
    {INSTALL_DIR, "man/man7", OWNER, 0755, 0, 0},
    {INSTALL_DIR, "man/man8", OWNER, 0755, 0, 0},
    {INSTALL_DIR, "alias", CONF_USER_ALIAS, 02755, 0, 0},
};

static const struct entry queue_entries[] = {
    {INSTALL_DIR, "queue", CONF_USER_QUEUE, 0750, 0, 0},
    {INSTALL_DIR, "queue/pid", CONF_USER_QUEUE, 0700, 0, 0},
    {INSTALL_DIR, "queue/intd", CONF_USER_QUEUE, 0700, 0, 0},
    {INSTALL_DIR, "queue/todo", CONF_USER_QUEUE, 0750, 0, 0},
    {INSTALL_DIR, "queue/bounce", CONF_USER_SEND, 0700, 0, 0},
    {INSTALL_DIR, "queue/mess", CONF_USER_QUEUE, 0750, SPLIT, 0},
    {INSTALL_DIR, "queue/info", CONF_USER_SEND, 0700, SPLIT, 0},
    {INSTALL_DIR, "queue/local", CONF_USER_SEND, 0700, SPLIT, 0},
    {INSTALL_DIR, "queue/remote", CONF_USER_SEND, 0700, SPLIT, 0},
    {INSTALL_DIR, "queue/lock", CONF_USER_QUEUE, 0750, 0, 0},
    {INSTALL_KEPT, "queue/" QUEUE_DIR_TCPTO, CONF_USER_REMOTE, 0644, 0,
     QUEUE_TCPTO_SIZE},
    {INSTALL_KEPT, "queue/" QUEUE_DIR_TCPTO6, CONF_USER_REMOTE, 0644, 0,
     QUEUE_TCPTO6_SIZE},
    {INSTALL_KEPT, "queue/" QUEUE_DIR_MUTEX, CONF_USER_SEND, 0600, 0, 0},
    {INSTALL_FIFO, "queue/" QUEUE_DIR_TRIGGER, CONF_USER_SEND, 0622, 0, 0},
};

/* What the build made, by name below the directory; the lists end in NULL. */
static const char *const boot_files[] = {BUILT_BOOT NULL};
static const char *const doc_files[] = {BUILT_DOC NULL};
static const char *const programs[] = {BUILT_PROGRAMS NULL};
static const char *const man_pages[] = {BUILT_MAN NULL};
static const char *const cat_pages[] = {BUILT_CAT NULL};

static const struct files {
    const char *dir;    /* below HOME */
    const char *source; /* where the files are, from the source directory */
    const char *const *names;
    enum install_type type;
    mode_t mode;
} file_sets[] = {
    {"boot", BUILT_DIR "/boot", boot_files, INSTALL_FILE, 0755},
    {"doc", "doc", doc_files, INSTALL_FILE, 0644},
    {"bin", BUILT_DIR "/bin", programs, INSTALL_FILE, 0755},
    {"man", BUILT_DIR "/man", man_pages, INSTALL_FILE, 0644},
    {"man", BUILT_DIR "/man", cat_pages, INSTALL_PAGE, 0644},
};

/* Programs that are not simply everybody's. Those of mode 0700 are root's work;
 * those of 0711 hold nothing secret, but are started by the system alone. */
static const struct {
    const char *name;
    const char *owner;
    mode_t mode;
} special[] = {
    {"qmail-queue", CONF_USER_QUEUE, 04711},
    {"qmail-lspawn", OWNER, 0700},
    {"qmail-start", OWNER, 0700},
    {"qmail-newu", OWNER, 0700},
    {"qmail-newmrh", OWNER, 0700},
    {"qmail-qfix", OWNER, 0700},
    {"checkpassword", OWNER, 0700},
    {"qmail-getpw", OWNER, 0711},
    {"qmail-getpw-nss", OWNER, 0711},
    {"qmail-local", OWNER, 0711},
    {"qmail-remote", OWNER, 0711},
    {"qmail-rspawn", OWNER, 0711},
    {"qmail-clean", OWNER, 0711},
    {"qmail-send", OWNER, 0711},
    {"splogger", OWNER, 0711},
    {"qmail-pw2u", OWNER, 0711},
    {"qmail-popup", OWNER, 0711},
};

static void each_of(const struct entry *e, void (*each)(const struct install_entry *))
{
    struct install_entry entry = {.type = e->type,
                                  .path = e->path,
                                  .mode = e->mode,
                                  .owner = e->owner,
                                  .size = e->size};
    struct bytes path = {0};

    each(&entry);
    for (unsigned i = 0; e->split && i < CONF_SPLIT; i++) {
        bytes_clear(&path);
        bytes_add_format(&path, "%s/%u", e->path, i);
        entry.path = bytes_cstring(&path);
        each(&entry);
    }
    bytes_free(&path);
}

static void each_file(const struct files *set,
                      void (*each)(const struct install_entry *))
{
    struct bytes path = {0}, source = {0};

    for (const char *const *name = set->names; *name; name++) {
        bytes_clear(&path);
        bytes_add_format(&path, "%s/%s", set->dir, *name);
        bytes_clear(&source);
        bytes_add_format(&source, "%s/%s", set->source, *name);
        struct install_entry entry = {.type = set->type,
                                      .path = bytes_cstring(&path),
                                      .mode = set->mode,
                                      .owner = OWNER,
                                      .source = bytes_cstring(&source)};
        for (size_t i = 0; set->names == programs && i < COUNT(special); i++)
            if (view_is(view_of(*name), special[i].name)) {
                entry.owner = special[i].owner;
                entry.mode = special[i].mode;
            }
        each(&entry);
    }
    bytes_free(&path);
    bytes_free(&source);
}

void install_each(bool queue_only, void (*each)(const struct install_entry *entry))
{
    for (size_t i = 0; !queue_only && i < COUNT(home_entries); i++)
        each_of(&home_entries[i], each);
    for (size_t i = 0; i < COUNT(queue_entries); i++)
        each_of(&queue_entries[i], each);
    for (size_t i = 0; !queue_only && i < COUNT(file_sets); i++)
        each_file(&file_sets[i], each);
}
