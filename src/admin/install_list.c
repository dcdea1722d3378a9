#include "admin/install.h"

#include "built.h"
#include "conf.h"

#include "mail/queue_layout.h"

#define OWNER CONF_USER_OWNER

static const struct install_entry home_entries[] = {
    {INSTALL_DIR, "", 0755, OWNER, NULL, 0},
    {INSTALL_DIR, "control", 0755, OWNER, NULL, 0},
    {INSTALL_DIR, "users", 0755, OWNER, NULL, 0},
    {INSTALL_DIR, "bin", 0755, OWNER, NULL, 0},
    {INSTALL_DIR, "boot", 0755, OWNER, NULL, 0},
    {INSTALL_DIR, "doc", 0755, OWNER, NULL, 0},
    {INSTALL_DIR, "man", 0755, OWNER, NULL, 0},
    {INSTALL_DIR, "man/cat1", 0755, OWNER, NULL, 0},
    {INSTALL_DIR, "man/cat5", 0755, OWNER, NULL, 0},
    {INSTALL_DIR, "man/cat7", 0755, OWNER, NULL, 0},
    {INSTALL_DIR, "man/cat8", 0755, OWNER, NULL, 0},
    {INSTALL_DIR, "man/man1", 0755, OWNER, NULL, 0},
    {INSTALL_DIR, "man/man5", 0755, OWNER, NULL, 0},
    {INSTALL_DIR, "man/man7", 0755, OWNER, NULL, 0},
    {INSTALL_DIR, "man/man8", 0755, OWNER, NULL, 0},
    {INSTALL_DIR, "alias", 02755, CONF_USER_ALIAS, NULL, 0},
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
    {"qmail-remote-dns", OWNER, 0711},
    {"qmail-rspawn", OWNER, 0711},
    {"qmail-clean", OWNER, 0711},
    {"qmail-send", OWNER, 0711},
    {"splogger", OWNER, 0711},
    {"qmail-pw2u", OWNER, 0711},
    {"qmail-popup", OWNER, 0711},
};

static void each_place(const struct queue_place *place,
                       void (*each)(const struct install_entry *))
{
    static const enum install_type types[] = {[QUEUE_PLACE_DIR] = INSTALL_DIR,
                                              [QUEUE_PLACE_FILE] = INSTALL_KEPT,
                                              [QUEUE_PLACE_FIFO] = INSTALL_FIFO};
    struct bytes path = {0};

    bytes_add_text(&path, *place->path ? "queue/" : "queue");
    bytes_add_text(&path, place->path);
    struct install_entry entry = {.type = types[place->type],
                                  .path = bytes_cstring(&path),
                                  .mode = place->mode,
                                  .owner = place->owner,
                                  .size = place->size};
    each(&entry);
    for (unsigned i = 0; place->split && i < CONF_SPLIT; i++) {
        bytes_clear(&path);
        bytes_add_format(&path, "queue/%s/%u", place->path, i);
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
        each(&home_entries[i]);
    for (const struct queue_place *place = queue_places; place->path; place++)
        each_place(place, each);
    for (size_t i = 0; !queue_only && i < COUNT(file_sets); i++)
        each_file(&file_sets[i], each);
}
