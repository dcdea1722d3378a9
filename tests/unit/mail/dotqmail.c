#include "mail/dotqmail.h"

#include "fault.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each name is followed by a line feed, or by "=" and the variable DEFAULT. */
static const struct {
    const char *name, *dash, *ext, *want;
} names[] = {
    {"the user", "", "", ".qmail\n.qmaildefault=\n"},
    {"dash alone", "-", "", ".qmail-\n.qmail-default=\n"},
    {"case and dot", "-", "A.b", ".qmail-a:b\n.qmail-default=A.b\n"},
    {"one break", "-", "a-b", ".qmail-a-b\n.qmail-a-default=b\n.qmail-default=a-b\n"},
    {"break at the end", "-", "a-b-",
     ".qmail-a-b-\n.qmail-a-b-default=\n.qmail-a-default=b-\n.qmail-default=a-b-\n"},
    {"slash", "-/", "a", ".qmail-/a\n.qmail-/default=a\n"},
    {"no dash", "", "zip", ".qmailzip\n.qmaildefault=zip\n"},
    {"dash keeps its case", "-X.", "Y", ".qmail-X.y\n.qmail-X.default=Y\n"},
    {"two breaks in a row", "-", "a--B",
     ".qmail-a--b\n.qmail-a--default=B\n.qmail-a-default=-B\n.qmail-default=a--B\n"},
    {"break at the start", "-", "-a",
     ".qmail--a\n.qmail--default=a\n.qmail-default=-a\n"},
    {"only a break", "-", "-", ".qmail--\n.qmail--default=\n.qmail-default=-\n"},
    {"out of the home", "-", "/../x", ".qmail-/::/x\n.qmail-default=/../x\n"},
    {"high bytes", "-", "\xc9", ".qmail-\xc9\n.qmail-default=\xc9\n"},
    {"an address that ends in default", "-", "x-DeFault",
     ".qmail-x-default=DeFault\n.qmail-x-default=DeFault\n.qmail-default=x-DeFault\n"},
    {"the address default", "-", "default",
     ".qmail-default=default\n.qmail-default=default\n"},
    {"an extension that joins the dash to default", "de", "fault",
     ".qmaildefault\n.qmaildedefault=fault\n"},
};

/* Each line becomes a letter, its text and a line feed. */
static const struct {
    const char *name;
    struct view content;
    const char *want;
} files[] = {
    {"nothing", {"", 0}, "!\n"},
    {"a line feed", {"\n", 1}, "!\n"},
    {"blanks first", {" \t\n./x\n", 7}, "!\nb./x\n"},
    {"NUL first", {"\0./x\n", 5}, "!\n"},
    {"blank later", {"#\n\n \n", 5}, "-#\n-\n-\n"},
    {"comment", {"# ./x \n", 7}, "-# ./x\n"},
    {"no last line feed", {"./x", 3}, "b./x\n"},
    {"mbox", {"./x\n/a/b\n.h\n", 12}, "b./x\nb/a/b\nb.h\n"},
    {"maildir", {"./x/\n/\n./\n", 10}, "d./x/\nd/\nd./\n"},
    {"trailing blanks", {"./x/ \t \n", 8}, "d./x/\n"},
    {"trailing CR", {"./x/\r\n", 6}, "b./x/\r\n"},
    {"dot alone", {".\n", 2}, "b.\n"},
    {"program", {"|a b \n| c\n|\n", 12}, "pa b\np c\np\n"},
    {"forward", {"&a@b\na@b\nA\n", 11}, "fa@b\nfa@b\nfA\n"},
    {"odd forwards", {"&\n& a\n&&a\n  a\n<a>\n", 18}, "f\nf a\nf&a\nf  a\nf<a>\n"},
    {"list", {"+list\n+list \n", 13}, "l+list\nl+list\n"},
    {"other plus lines",
     {"+lists\n+\n+List\n+ list\n", 22},
     "-+lists\n-+\n-+List\n-+ list\n"},
    {"NUL cuts", {"./y\0zz\n", 7}, "b./y\n"},
    {"NUL keeps the blanks before it", {"|y \0zz\n", 7}, "py \n"},
    {"NUL before the slash", {"./y\0/\n", 6}, "b./y\n"},
    {"several", {"./a\n|b\n&c\n", 10}, "b./a\npb\nfc\n"},
};

static struct bytes got;

static void check_names(void)
{
    for (size_t i = 0; i < COUNT(names); i++) {
        struct dotqmail_names n = {.dash = view_of(names[i].dash),
                                   .ext = view_of(names[i].ext)};
        bytes_clear(&got);
        while (dotqmail_names_next(&n)) {
            bytes_add(&got, bytes_view(&n.name));
            if (n.has_rest) {
                bytes_add_byte(&got, '=');
                bytes_add(&got, view_from(n.ext, n.rest));
            }
            bytes_add_byte(&got, '\n');
        }
        same(bytes_view(&got), view_of(names[i].want), names[i].name);
        dotqmail_names_free(&n);
    }
}

static void check_lines(void)
{
    static const char letters[] = {
        [DOTQMAIL_NOTHING] = '-', [DOTQMAIL_BLANK_FIRST] = '!',
        [DOTQMAIL_LIST] = 'l',    [DOTQMAIL_MBOX] = 'b',
        [DOTQMAIL_MAILDIR] = 'd', [DOTQMAIL_PROGRAM] = 'p',
        [DOTQMAIL_FORWARD] = 'f'};
    for (size_t i = 0; i < COUNT(files); i++) {
        struct dotqmail_lines lines = {.rest = files[i].content};
        struct dotqmail_line line;
        bytes_clear(&got);
        while (dotqmail_lines_next(&lines, &line)) {
            bytes_add_byte(&got, letters[line.kind]);
            bytes_add(&got, line.text);
            bytes_add_byte(&got, '\n');
        }
        same(bytes_view(&got), view_of(files[i].want), files[i].name);
    }
}

static void put(const char *name, mode_t mode)
{
    int fd = open(name, O_WRONLY | O_CREAT, 0600);
    if (fd == -1 || fchmod(fd, mode) == -1)
        skip_rest("no scratch file");
    close(fd);
}

static void check_find(const char *name, const char *ext, enum dotqmail_result want,
                       const char *want_file)
{
    struct dotqmail_file file;
    enum dotqmail_result result = dotqmail_find(VIEW("-"), view_of(ext), &file);
    same_number(result, want, name);
    ok((file.fd != -1) == (want == DOTQMAIL_FOUND), name, "descriptor");
    if (want_file)
        same(bytes_view(&file.name), view_of(want_file), name);
    if (file.fd != -1)
        close(file.fd);
    bytes_free(&file.name);
}

static void check_files(void)
{
    char dir[] = "/tmp/unit-dotqmail.XXXXXX";
    struct bytes name = {0};
    struct dotqmail_file file;

    if (!mkdtemp(dir) || chdir(dir) == -1) {
        skip_rest("no scratch directory");
        return;
    }
    check_find("nothing there", "a", DOTQMAIL_NONE, NULL);
    mkdir(".qmail-a", 0700);
    check_find("a directory is no file", "a", DOTQMAIL_NONE, NULL);
    mkfifo(".qmail-f", 0600);
    check_find("nor is a FIFO", "f", DOTQMAIL_NONE, NULL);
    if (symlink("nowhere", ".qmail-l") == -1 || symlink(".qmail-c", ".qmail-c") == -1)
        skip_rest("no symbolic links");
    check_find("a link to nowhere", "l", DOTQMAIL_NONE, NULL);
    check_find("a link to itself", "c", DOTQMAIL_NONE, NULL);
    put(".qmail-default", 0600);
    check_find("the default instead", "l", DOTQMAIL_FOUND, ".qmail-default");
    put(".qmail-w", 0602);
    check_find("writable by others", "w", DOTQMAIL_WRITABLE, ".qmail-w");
    check_find("below a file", "w/x", DOTQMAIL_FOUND, ".qmail-default");

    put(".qmail-x", 0700);
    same_number(dotqmail_find(VIEW("-"), VIEW("x"), &file), DOTQMAIL_FOUND, "x bit");
    ok(file.forward_only && !file.has_rest, "x bit", "forward only");
    close(file.fd);
    bytes_free(&file.name);

    same_number(dotqmail_find_owner(VIEW("-"), VIEW("L.x"), &name), DOTQMAIL_NO_OWNER,
                "no owner");
    put(".qmail-l:x-owner", 0);
    same_number(dotqmail_find_owner(VIEW("-"), VIEW("L.x"), &name), DOTQMAIL_OWNER,
                "owner");
    mkdir(".qmail-l:x-owner-default", 0700);
    same_number(dotqmail_find_owner(VIEW("-"), VIEW("L.x"), &name), DOTQMAIL_LIST_OWNER,
                "an owner for each recipient");
    bytes_free(&name);

    static const char *const made[] = {".qmail-f",        ".qmail-l", ".qmail-c",
                                       ".qmail-w",        ".qmail-x", ".qmail-default",
                                       ".qmail-l:x-owner"};
    for (size_t i = 0; i < COUNT(made); i++)
        unlink(made[i]);
    rmdir(".qmail-a");
    rmdir(".qmail-l:x-owner-default");
    rmdir(dir);
}

static void homes(void)
{
    static const struct {
        const char *name;
        mode_t mode;
        enum dotqmail_home want;
    } dirs[] = {
        {"plain", 0755, DOTQMAIL_HOME_ENTERED},
        {"writable", 0757, DOTQMAIL_HOME_WRITABLE},
        {"sticky", 01755, DOTQMAIL_HOME_STICKY},
    };
    for (size_t i = 0; i < COUNT(dirs); i++) {
        mkdir(dirs[i].name, 0700);
        chmod(dirs[i].name, dirs[i].mode);
        same_number(dotqmail_enter_home(dirs[i].name), dirs[i].want, dirs[i].name);
        ok(chdir("..") == 0, dirs[i].name, "entered");
    }
    same_number(dotqmail_enter_home("missing"), DOTQMAIL_HOME_CLOSED, "missing");
    ok(access("plain", F_OK) == 0, "missing", "not entered");
}

static void faults(void)
{
    struct dotqmail_file file;
    struct bytes name = {0};

    make_file(".qmail-fault", VIEW("x"));
    fault_at("stat", 1, EIO);
    same_number(dotqmail_enter_home("."), DOTQMAIL_HOME_FAILED, "home: no stat");
    fault_at("fstat", 1, EIO);
    same_number(dotqmail_find(VIEW("-"), VIEW("fault"), &file), DOTQMAIL_FAILED,
                "file: no fstat");
    ok(file.fd == -1, "file: no fstat", "closed");
    bytes_free(&file.name);
    fault_at("open", 1, EMFILE);
    same_number(dotqmail_find(VIEW("-"), VIEW("fault"), &file), DOTQMAIL_FAILED,
                "file: no descriptor");
    bytes_free(&file.name);
    same_number(dotqmail_find(VIEW("-"), VIEW("f\0g"), &file), DOTQMAIL_NONE,
                "a name with a NUL");
    bytes_free(&file.name);
    for (int n = 1; n <= 2; n++) {
        make_file(".qmail-fault-owner", VIEW("x"));
        fault_at("stat", n, EIO);
        same_number(dotqmail_find_owner(VIEW("-"), VIEW("fault"), &name),
                    DOTQMAIL_OWNER_FAILED, "owner: no stat");
    }
    fault_end();
    same_number(dotqmail_find_owner(VIEW("-"), VIEW("f\0"), &name), DOTQMAIL_NO_OWNER,
                "owner: a name with a NUL");
    bytes_free(&name);
}

int main(void)
{
    scratch();
    homes();
    faults();
    check_names();
    check_lines();
    check_files();
    bytes_free(&got);
    return tap_done();
}
