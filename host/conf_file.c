/* SPDX-License-Identifier: ISC */
#include "host/conf_file.h"

#include "base/safe.h"
#include "host/command.h"
#include "plan/route.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { ARENA_MOST = LIMIT_CONF_MEMORY + LIMIT_CONF_BYTES + 4 * LIMIT_TABLE_BYTES };

static const char near_file[] = "./var/postern.conf";
static const char system_authorities[] = "/etc/ssl/certs/ca-certificates.crt";

static int refuse(struct buffer *to, const char *path, const char *why, int status)
{
    safe_put_plain(to, bytes_of(path));
    buffer_put(to, BYTES(": "));
    buffer_put_text(to, why);
    buffer_put_char(to, '\n');
    return status;
}

static bool copy_path(const char *path, char ret_path[static 4096])
{
    size_t n = strlen(path);

    if (n >= 4096)
        return false;
    memcpy(ret_path, path, n + 1);
    return true;
}

static bool others_may_write(const struct stat *is)
{
    return (is->st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

static bool is_ours(const struct stat *is)
{
    return is->st_uid == 0 || is->st_uid == geteuid();
}

/* The file by its descriptor; its folder and a link to it by their names. */
static unsigned risks_of(int fd, const char *path, const char *folder)
{
    struct stat is;
    unsigned risks = 0;

    if (fstat(fd, &is) != 0 || !is_ours(&is))
        risks |= CONF_FILE_FOREIGN;
    else if (others_may_write(&is))
        risks |= CONF_FILE_WRITABLE;
    if (lstat(path, &is) == 0 && !is_ours(&is))
        risks |= CONF_FILE_FOREIGN;
    if (stat(folder, &is) == 0 && others_may_write(&is) && (is.st_mode & S_ISVTX) == 0)
        risks |= CONF_FILE_WRITABLE;
    return risks;
}

/* The whole file, or one octet more than may be: then somebody says that it is too large. */
static bool read_all(int fd, size_t most, struct buffer *to)
{
    ssize_t n = 1;

    while (n > 0 && to->n <= most) {
        size_t room = most + 1 - to->n;
        char *at = buffer_grow(to, room < 65536 ? room : 65536);
        if (at == NULL)
            return errno = ENOMEM, false;
        size_t asked = room < 65536 ? room : 65536;
        do
            n = read(fd, at, asked);
        while (n < 0 && errno == EINTR);
        to->n -= asked - (n < 0 ? 0 : (size_t)n);
    }
    return n >= 0;
}

/* The folder of the file as an absolute path, in `file`'s arena. */
static const char *folder_of(const char *path, char ret_folder[static PATH_MAX])
{
    char copy[4096];

    if (!copy_path(path, copy) || realpath(dirname(copy), ret_folder) == NULL)
        return NULL;
    return ret_folder;
}

/* Not waiting for a writer, should it be a pipe. */
static int open_file(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

/* A file of aliases, whole, in the arena. */
static int read_table(struct bytes path, struct conf_file *file, struct bytes *ret_text,
                      struct buffer *reterr_words)
{
    struct buffer text = buffer_with_most(LIMIT_TABLE_BYTES + 1);
    char name[PATH_MAX];
    struct stat is;
    int status = 0;

    if (path.n == 0 || path.n >= sizeof(name))
        return 0;
    memcpy(name, path.at, path.n);
    name[path.n] = '\0';
    int fd = open_file(name);
    if (fd < 0)
        return refuse(reterr_words, name, strerror(errno), EX_NOINPUT);
    if (fstat(fd, &is) != 0 || !S_ISREG(is.st_mode))
        status = refuse(reterr_words, name, "this is not a regular file", EX_NOINPUT);
    else if (!read_all(fd, LIMIT_TABLE_BYTES, &text))
        status = refuse(reterr_words, name, strerror(errno), EX_IOERR);
    else if (text.n > LIMIT_TABLE_BYTES)
        status = refuse(reterr_words, name, "the file is larger than 16 MiB", EX_CONFIG);
    else
        *ret_text = arena_copy(&file->arena, buffer_bytes(&text));
    if (status == 0 && ret_text->at == NULL)
        status = refuse(reterr_words, name, "memory is short", EX_OSERR);
    close(fd);
    buffer_done(&text);
    return status;
}

/* The authorities of the system; that there are none is no mistake of the owner's. */
static int read_authorities(struct conf_file *file, struct buffer *reterr_words)
{
    struct bytes path = file->conf.authorities;

    if (path.n == 0 && access(system_authorities, R_OK) == 0)
        path = bytes_of(system_authorities);
    return read_table(path, file, &file->conf.authorities_text, reterr_words);
}

/* The files that the settings name, and whether they make sense. */
static int read_tables(struct conf_file *file, struct buffer *reterr_words)
{
    struct conf *conf = &file->conf;
    struct route_flaw flaw;
    int status = read_table(conf->aliases, file, &conf->aliases_text, reterr_words);

    if (status == 0)
        status = read_table(conf->virtual, file, &conf->virtual_text, reterr_words);
    if (status == 0)
        status = read_table(conf->smarthost_login, file, &conf->login_text, reterr_words);
    if (status == 0)
        status = read_authorities(file, reterr_words);
    if (status != 0)
        return status;
    struct routes *routes = routes_new(conf, &flaw);
    if (routes == NULL) {
        safe_put_plain(reterr_words, flaw.file);
        buffer_put_char(reterr_words, ':');
        buffer_put_uint(reterr_words, flaw.line);
        buffer_put(reterr_words, BYTES(": "));
        buffer_put_text(reterr_words, flaw.words);
        buffer_put_char(reterr_words, '\n');
        return EX_CONFIG;
    }
    file->no_postmaster = !routes_know_postmaster(routes);
    routes_free(routes);
    return 0;
}

static int take_text(struct bytes text, struct bytes folder, struct conf_file *file,
                     struct buffer *reterr_words)
{
    struct conf_flaw flaw;

    file->folder = arena_copy(&file->arena, folder);
    file->text = text.n > LIMIT_CONF_BYTES ? text : arena_copy(&file->arena, text);
    if (file->folder.at == NULL || (file->text.at == NULL && text.n > 0))
        return refuse(reterr_words, file->path, "memory is short", EX_OSERR);
    if (conf_read(text, file->folder, &file->arena, &file->conf, &flaw))
        return 0;
    conf_flaw_put(reterr_words, bytes_of(file->path), &flaw);
    buffer_put_char(reterr_words, '\n');
    return EX_CONFIG;
}

/* A copy of the tables that were read elsewhere. */
static bool take_tables(struct conf_file *file, const struct conf_tables *tables)
{
    file->conf.aliases_text = arena_copy(&file->arena, tables->aliases);
    file->conf.virtual_text = arena_copy(&file->arena, tables->virtual);
    file->conf.authorities_text = arena_copy(&file->arena, tables->authorities);
    file->conf.login_text = arena_copy(&file->arena, tables->login);
    file->conf.accounts_text = arena_copy(&file->arena, tables->accounts);
    return file->conf.accounts_text.at != NULL && file->conf.aliases_text.at != NULL
        && file->conf.virtual_text.at != NULL
        && file->conf.authorities_text.at != NULL && file->conf.login_text.at != NULL;
}

static int read_open(int fd, struct conf_file *file, struct buffer *reterr_words)
{
    struct buffer text = buffer_with_most(LIMIT_CONF_BYTES + 1);
    char folder[PATH_MAX];
    struct stat is;
    int status;

    if (fstat(fd, &is) != 0 || !S_ISREG(is.st_mode))
        return refuse(reterr_words, file->path, "this is not a regular file", EX_NOINPUT);
    if (folder_of(file->path, folder) == NULL)
        return refuse(reterr_words, file->path, strerror(errno), EX_NOINPUT);
    file->risks = risks_of(fd, file->path, folder);
    if (read_all(fd, LIMIT_CONF_BYTES, &text))
        status = take_text(buffer_bytes(&text), bytes_of(folder), file, reterr_words);
    else
        status = refuse(reterr_words, file->path, strerror(errno), EX_IOERR);
    if (status == 0)
        status = read_tables(file, reterr_words);
    buffer_done(&text);
    return status;
}

int conf_file_read(const char *path, struct conf_file *ret_file, struct buffer *reterr_words)
{
    const char *name = path == NULL ? COMMAND_CONF_FILE : path;
    int fd = open_file(name);

    if (fd < 0 && path == NULL && errno == ENOENT) {
        fd = open_file(near_file);
        name = fd < 0 ? name : near_file;
    }
    if (fd < 0)
        return refuse(reterr_words, name, strerror(errno),
                      errno == EACCES ? EX_NOPERM : EX_NOINPUT);
    ret_file->arena = arena_with_ceiling(ARENA_MOST);
    ret_file->risks = 0;
    int status = copy_path(name, ret_file->path)
        ? read_open(fd, ret_file, reterr_words)
        : refuse(reterr_words, "the configuration file", "its name is too long", EX_USAGE);
    close(fd);
    if (status != 0)
        arena_done(&ret_file->arena);
    return status;
}

void conf_file_accounts(struct conf_file *file)
{
    enum { ACCOUNTS_MOST = 1024 * 1024 };
    struct buffer text = buffer_with_most(ACCOUNTS_MOST);

    setpwent();
    for (struct passwd *found; !text.bad && (found = getpwent()) != NULL;) {
        if (strchr(found->pw_name, '\n') != NULL)
            continue;
        buffer_put_uint(&text, found->pw_uid);
        buffer_put_char(&text, ' ');
        buffer_put_text(&text, found->pw_name);
        buffer_put_char(&text, '\n');
    }
    endpwent();
    file->conf.accounts_text = arena_copy(&file->arena, buffer_bytes(&text));
    if (file->conf.accounts_text.at == NULL)
        file->conf.accounts_text = BYTES_NONE;
    buffer_done(&text);
}

struct conf_file *conf_file_of(struct bytes text, struct bytes folder,
                               const struct conf_tables *tables)
{
    struct conf_file *file = mem_new(sizeof(*file));
    struct buffer words = buffer_with_most(LIMIT_CONF_LINE);

    if (file == NULL)
        return NULL;
    *file = (struct conf_file){ .arena = arena_with_ceiling(ARENA_MOST) };
    if (take_text(text, folder, file, &words) != 0 || !take_tables(file, tables)) {
        conf_file_free(file);
        file = NULL;
    }
    buffer_done(&words);
    return file;
}

void conf_file_free(struct conf_file *file)
{
    if (file != NULL)
        conf_file_done(file);
    mem_free(file);
}

void conf_file_forget_login(struct conf_file *file)
{
    if (file->conf.login_text.n > 0)
        mem_wipe((void *)(uintptr_t)file->conf.login_text.at, file->conf.login_text.n);
    file->conf.login_text = BYTES_NONE;
}

void conf_file_done(struct conf_file *file)
{
    arena_done(&file->arena);
}

void conf_file_put_risks(struct buffer *to, const struct conf_file *file)
{
    if ((file->risks & CONF_FILE_WRITABLE) != 0)
        (void)refuse(to, file->path, "others may write this file or its folder, and so decide what"
                     " the server does: chmod go-w", 0);
    if ((file->risks & CONF_FILE_FOREIGN) != 0)
        (void)refuse(to, file->path, "this file belongs neither to root nor to you, and its owner"
                     " decides what the server does: chown root", 0);
}
