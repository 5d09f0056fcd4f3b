/* SPDX-License-Identifier: ISC */
#include "host/reload.h"

#include "base/reader.h"
#include "plan/conf_change.h"
#include "role/rights.h"

#include <errno.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    PARCEL_MOST = LIMIT_CONF_BYTES + 5 * LIMIT_TABLE_BYTES + RELOAD_WORDS_MOST + 64 * 1024,
};

/* ---- in master: read it, or leave all as it was ---- */

static int take_over(struct estate *estate, struct conf_file *file, struct buffer *ret_words)
{
    struct buffer changes = buffer_with_most(RELOAD_WORDS_MOST);
    int status = 0;

    file->conf.fronts = estate_fronts(&file->conf, estate->together);
    (void)conf_put_changes(&changes, estate->conf, &file->conf);
    if (!conf_keep_fixed(estate->conf, &file->arena, &file->conf)) {
        buffer_put(ret_words, BYTES("postern: memory is short\n"));
        status = EX_OSERR;
    } else if (!listen_change(estate->conf->listen, file->conf.listen, estate->conf->fronts,
                              estate->fronts, ret_words)) {
        status = EX_UNAVAILABLE;
    } else {
        buffer_put(ret_words, buffer_bytes(&changes));
        estate->before = estate->file;
        estate->file = file;
        estate->conf = &file->conf;
    }
    buffer_done(&changes);
    return status;
}

int reload_read(struct estate *estate, struct buffer *ret_words)
{
    struct conf_file *file = estate->file == NULL ? NULL : mem_new(sizeof(*file));
    int status;

    if (file == NULL) {
        buffer_put(ret_words, BYTES("postern: the configuration cannot be read anew here\n"));
        return EX_OSERR;
    }
    status = conf_file_read(estate->file->path, file, ret_words);
    if (status != 0) {
        mem_free(file);
        return status;
    }
    conf_file_accounts(file);
    if (file->risks != 0)           /* whose will would be done? */
        conf_file_put_risks(ret_words, file);
    status = file->risks != 0 ? EX_CONFIG : take_over(estate, file, ret_words);
    if (status != 0)
        conf_file_free(file);
    return status;
}

void reload_done(struct estate *estate)
{
    conf_file_free(estate->before);
    estate->before = NULL;
}

/* ---- from master to a process ---- */

static bool write_all(int fd, struct bytes octets)
{
    while (octets.n > 0) {
        ssize_t n = write(fd, octets.at, octets.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        octets = bytes_skip(octets, (size_t)n);
    }
    return true;
}

static int parcel_fd(const struct buffer *parcel)
{
    int fd = parcel->bad ? -1 : memfd_create("postern-reload", MFD_CLOEXEC);

    if (fd >= 0 && (!write_all(fd, buffer_bytes(parcel)) || lseek(fd, 0, SEEK_SET) != 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

bool reload_send(const struct estate *estate, struct role_name role, int leash,
                 struct bytes words, int status)
{
    const struct listen_set *set = &estate->fronts[role.index % LIMIT_FRONTS];
    struct buffer parcel = buffer_with_most(PARCEL_MOST);
    int fds[LEASH_FDS];
    size_t n = 1;

    _Static_assert(LISTEN_MOST + 2 <= LEASH_FDS, "a leash takes all sockets of a front at once");
    buffer_put_u32(&parcel, (uint32_t)status);
    buffer_put_block(&parcel, words);
    buffer_put_u8(&parcel, status == 0);
    if (status == 0) {
        buffer_put_block(&parcel, estate->file->folder);
        buffer_put_block(&parcel, estate->file->text);
        buffer_put_block(&parcel, estate->conf->aliases_text);
        buffer_put_block(&parcel, estate->conf->virtual_text);
        buffer_put_block(&parcel, estate->conf->authorities_text);
        buffer_put_block(&parcel, role.kind == ROLE_RELAY ? estate->conf->login_text
                                                          : BYTES_NONE);
        buffer_put_block(&parcel, estate->conf->accounts_text);
        buffer_put_u32(&parcel, (uint32_t)estate->conf->fronts);
    }
    for (size_t i = 0; i < set->n && status == 0 && rights_of(role.kind)->may & MAY_SMTP; i++) {
        buffer_put_u32(&parcel, set->entries[i]);
        fds[n++] = set->fds[i];
    }
    if (status == 0 && estate->submit_fd >= 0 && rights_of(role.kind)->may & MAY_SMTP) {
        buffer_put_u32(&parcel, LISTEN_SUBMIT);
        fds[n++] = estate->submit_fd;
    }
    fds[0] = parcel_fd(&parcel);
    buffer_done(&parcel);
    bool sent = fds[0] >= 0 && leash_send_reload(leash, fds, n);
    if (fds[0] >= 0)
        close(fds[0]);
    return sent;
}

/* ---- in the process ---- */

static bool read_parcel(int fd, struct buffer *to)
{
    enum { PART = 64 * 1024 };
    ssize_t n = 1;

    while (n > 0) {
        char *at = buffer_grow(to, PART);
        if (at == NULL)
            return false;
        size_t before = to->n - PART;
        do
            n = read(fd, at, PART);
        while (n < 0 && errno == EINTR);
        to->n = before + (n < 0 ? 0 : (size_t)n);
    }
    return n == 0;
}

static bool take_file(struct reader *in, size_t sockets, struct reload_news *news)
{
    struct bytes folder = read_block(in), text = read_block(in);
    struct conf_tables tables;
    tables.aliases = read_block(in);
    tables.virtual = read_block(in);
    tables.authorities = read_block(in);
    tables.login = read_block(in);
    tables.accounts = read_block(in);
    uint32_t fronts = read_u32(in);

    for (size_t i = 0; i < sockets; i++)
        news->entries[i] = read_u32(in);
    if (!reader_finished(in))
        return false;
    news->file = conf_file_of(text, folder, &tables);
    if (news->file != NULL)
        news->file->conf.fronts = fronts;
    return news->file != NULL;
}

bool reload_take(int fd, size_t sockets, struct reload_news *ret_news)
{
    struct buffer parcel = buffer_with_most(PARCEL_MOST + 64 * 1024);
    struct reload_news news = { .words = buffer_with_most(RELOAD_WORDS_MOST) };
    bool taken = read_parcel(fd, &parcel) && sockets < LEASH_FDS;

    if (taken) {
        struct reader in = reader_of(buffer_bytes(&parcel));
        news.status = (int)read_u32(&in);
        buffer_put(&news.words, read_block(&in));
        taken = read_u8(&in) != 0 ? take_file(&in, sockets, &news) : reader_finished(&in);
    }
    buffer_done(&parcel);
    if (taken)
        *ret_news = news;
    else
        buffer_done(&news.words);
    return taken;
}
