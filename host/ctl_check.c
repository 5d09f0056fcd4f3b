/* SPDX-License-Identifier: ISC
 *
 * postern check: is the configuration well, and what would be served?
 */
#include "host/ctl_int.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/safe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { SHOWN_NAMES = 10, PATH_ROOM = 4096 };

static const char help[] =
    "usage: postern check [--json] [FILE]\n"
    "\n"
    "Reads the configuration and says what is wrong in it, with line and column, or what would\n"
    "be served. Nothing is changed. Exit status 0: well; 78: not.\n"
    "\n"
    "  FILE     the configuration file; else /etc/postern/postern.conf\n"
    "  --json   one JSON object\n";

static void put_names(struct buffer *to, const char *what, struct conf_texts texts)
{
    buffer_put_text(to, what);
    for (size_t i = 0; i < texts.n && i < SHOWN_NAMES; i++) {
        buffer_put_text(to, i == 0 ? "" : ", ");
        safe_put_plain(to, texts.list[i]);
    }
    if (texts.n > SHOWN_NAMES) {
        buffer_put(to, BYTES(" and "));
        buffer_put_uint(to, texts.n - SHOWN_NAMES);
        buffer_put(to, BYTES(" more"));
    }
    buffer_put_char(to, '\n');
}

static void put_line(struct buffer *to, const char *what, struct bytes value)
{
    buffer_put_text(to, what);
    safe_put_plain(to, value);
    buffer_put_char(to, '\n');
}

static void put_summary(struct buffer *to, const struct conf_file *file)
{
    const struct conf *conf = &file->conf;

    safe_put_plain(to, bytes_of(file->path));
    buffer_put(to, BYTES(": well.\n"));
    put_line(to, "  host       ", conf->host);
    put_names(to, "  domains    ", conf->domains);
    put_names(to, "  listen     ", conf->listen);
    if (conf->mailboxes.n > 0)
        put_line(to, "  mailboxes  ", conf->mailboxes);
    if (conf->lmtp.n > 0)
        put_names(to, "  lmtp       ", conf->lmtp);
    put_line(to, "  spool      ", conf->spool);
    put_line(to, "  control    ", conf->control);
    buffer_put(to, BYTES("  letters    up to "));
    octets_put(to, conf->size_most);
    buffer_put(to, BYTES(" and "));
    buffer_put_uint(to, conf->recipients_most);
    buffer_put(to, BYTES(" recipients\n"));
    if (!conf->deliver)
        buffer_put(to, BYTES("  deliver    no: letters are kept and wait\n"));
}

/* A line for a folder that is not there, or is none; what the server would say when it starts. */
static void warn_folder(struct buffer *to, const char *what, struct bytes path, const char *then)
{
    char name[PATH_ROOM];
    struct stat is;

    if (path.n >= sizeof(name))
        return;
    memcpy(name, path.at, path.n);
    name[path.n] = '\0';
    int error = stat(name, &is) != 0 ? errno : S_ISDIR(is.st_mode) ? 0 : ENOTDIR;
    if (error == 0)
        return;
    buffer_put_text(to, what);
    buffer_put_char(to, ' ');
    safe_put_plain(to, path);
    buffer_put(to, BYTES(": "));
    buffer_put_text(to, strerror(error));
    buffer_put_text(to, then);
    buffer_put_char(to, '\n');
}

static void put_warnings(struct buffer *to, const struct conf_file *file)
{
    if (file->conf.mailboxes.n > 0)
        warn_folder(to, "mailboxes", file->conf.mailboxes,
                    "; no mailbox exists until this folder does");
    if (file->no_postmaster)
        buffer_put(to, BYTES("nobody is named who reads mail for postmaster and abuse: set"
                             " postmaster ADDRESS, or make mailboxes of these names\n"));
    warn_folder(to, "spool", file->conf.spool, "; make it, owned by the server's user, mode 0700");
}

static int open_folder(struct bytes path)
{
    char name[PATH_ROOM];

    if (path.n >= sizeof(name))
        return -1;
    memcpy(name, path.at, path.n);
    name[path.n] = '\0';
    return open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A private key that others may read is not used (CFG-004): no reason to call that well. */
static bool keys_are_safe(const struct conf *conf, struct buffer *to)
{
    struct bytes path = conf->certificates;
    int folder = path.n == 0 ? -1 : open_folder(path);
    DIR *list = folder < 0 ? NULL : fdopendir(folder);
    struct dirent *entry;
    bool safe = true;

    while (list != NULL && (entry = readdir(list)) != NULL) {
        struct stat is;
        if (!bytes_ends(bytes_of(entry->d_name), BYTES(".key"))
            || fstatat(folder, entry->d_name, &is, AT_SYMLINK_NOFOLLOW) != 0
            || (S_ISREG(is.st_mode) && (is.st_mode & (S_IRWXG | S_IRWXO)) == 0))
            continue;
        safe = false;
        buffer_put(to, BYTES("private key "));
        safe_put_plain(to, path);
        buffer_put_char(to, '/');
        safe_put_plain(to, bytes_of(entry->d_name));
        buffer_put(to, BYTES(": others may read it, or it is no file of its own, and so it is not"
                             " used: chmod 0600\n"));
    }
    if (list != NULL)
        closedir(list);
    else if (folder >= 0)
        close(folder);
    return safe;
}

static void put_texts(struct json *json, const char *key, struct conf_texts texts)
{
    json_key(json, key);
    json_put_array(json);
    for (size_t i = 0; i < texts.n; i++)
        json_text(json, texts.list[i]);
    json_put_array_end(json);
}

static void put_json(struct buffer *to, const struct conf_file *file, struct bytes warnings)
{
    const struct conf *conf = &file->conf;
    struct json json = json_to(to);
    struct bytes line;

    json_put_object(&json);
    json_put_text(&json, "file", bytes_of(file->path));
    json_put_bool(&json, "well", true);
    json_put_text(&json, "host", conf->host);
    put_texts(&json, "domains", conf->domains);
    put_texts(&json, "listen", conf->listen);
    json_put_text(&json, "mailboxes", conf->mailboxes);
    put_texts(&json, "lmtp", conf->lmtp);
    json_put_text(&json, "spool", conf->spool);
    json_put_text(&json, "control", conf->control);
    json_put_uint(&json, "size_limit", conf->size_most);
    json_put_uint(&json, "recipient_limit", conf->recipients_most);
    json_put_bool(&json, "deliver", conf->deliver);
    json_key(&json, "warnings");
    json_put_array(&json);
    while (bytes_cut(&warnings, '\n', &line))
        json_text(&json, line);
    json_put_array_end(&json);
    json_put_object_end(&json);
    json_line_end(&json);
}

static int print_well(const struct conf_file *file, bool as_json)
{
    struct buffer out = buffer_with_most(8 * LIMIT_CONF_BYTES);
    struct buffer warnings = buffer_with_most(64 * 1024);

    put_warnings(&warnings, file);
    if (as_json)
        put_json(&out, file, buffer_bytes(&warnings));
    else
        put_summary(&out, file);
    ctl_print(stdout, &out);
    struct bytes rest = buffer_bytes(&warnings), line;
    while (!as_json && bytes_cut(&rest, '\n', &line))
        fprintf(stderr, "warning: %.*s\n", (int)line.n, line.at);
    buffer_done(&out);
    buffer_done(&warnings);
    return ctl_end(EX_OK);
}

/* A flaw as JSON: the same words as on standard error, so that a program need not read both. */
static int print_flaw(struct buffer *words, int status, bool as_json)
{
    if (as_json) {
        struct buffer out = buffer_with_most(64 * 1024);
        struct json json = json_to(&out);
        json_put_object(&json);
        json_put_bool(&json, "well", false);
        json_put_text(&json, "flaw", bytes_trim(buffer_bytes(words)));
        json_put_object_end(&json);
        json_line_end(&json);
        ctl_print(stdout, &out);
        buffer_done(&out);
    } else {
        ctl_print(stderr, words);
    }
    return ctl_end(status);
}

int ctl_check_run(int argc, char **argv)
{
    static struct conf_file file;
    struct buffer words = buffer_with_most(16 * 1024);
    const char *path = NULL;
    bool as_json = false;

    for (int i = 1; i < argc; i++) {
        if (ctl_is_help(argv[i])) {
            fputs(help, stdout);
            return ctl_end(EX_OK);
        } else if (strcmp(argv[i], "--json") == 0) {
            as_json = true;
        } else if (ctl_is_conf(argv[i]) && i + 1 < argc && path == NULL) {
            path = argv[++i];
        } else if (argv[i][0] != '-' && path == NULL) {
            path = argv[i];
        } else {
            return ctl_unknown("check", argv[i]);
        }
    }
    int status = conf_file_read(path, &file, &words);
    if (status == 0 && (file.risks != 0 || !keys_are_safe(&file.conf, &words))) {
        conf_file_put_risks(&words, &file);         /* as a server refuses it (CFG-004) */
        conf_file_done(&file);
        status = EX_CONFIG;
    }
    if (status == 0) {
        status = print_well(&file, as_json);
        conf_file_done(&file);
    } else {
        status = print_flaw(&words, status, as_json);
    }
    buffer_done(&words);
    return status;
}
