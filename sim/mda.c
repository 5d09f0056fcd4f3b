/* SPDX-License-Identifier: ISC */
#include "sim/mda.h"

#include "mail/address.h"
#include "sim/letter.h"
#include "sim/room.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MOST = 64 << 20 };

struct mda {
    struct server *server;
    uint32_t files;
};

/* ---- mailboxes */

static const char *folder_of(const char *to)
{
    struct address wanted, has;

    if (!address_parse(bytes_of(to), true, &wanted, NULL))
        return NULL;
    if (strcmp(to, REPORTS_ADDRESS) == 0)
        return REPORTS_FOLDER;
    for (size_t i = 0; i < mailboxes_n; i++)
        if (mailboxes[i].folder != NULL
            && address_parse(bytes_of(mailboxes[i].address), true, &has, NULL)
            && address_equal(wanted, has))
            return mailboxes[i].folder;
    return NULL;
}

static bool refuses(const char *to)
{
    for (size_t i = 0; i < mailboxes_n; i++)
        if (mailboxes[i].refuses && strcmp(mailboxes[i].address, to) == 0)
            return true;
    return false;
}

/* Return-Path is its to write; Delivered-To the relay wrote. */
static void put_file(const struct server_letter *letter, struct buffer *to)
{
    const char *eol = letter->binary ? "\r\n" : "\n";
    struct bytes text = letter->text;

    buffer_put_text(to, "Return-Path: <");
    buffer_put_text(to, letter->sender);
    buffer_put_text(to, ">");
    buffer_put_text(to, eol);
    for (size_t i = 0; i < text.n; i++)
        if (letter->binary || text.at[i] != '\r' || i + 1 == text.n || text.at[i + 1] != '\n')
            buffer_put_char(to, text.at[i]);
}

static bool keep(void *at, const struct server_letter *letter, const char *to)
{
    struct mda *mda = at;
    struct disk *disk = world_disk(server_world(mda->server));
    struct buffer file = buffer_with_most(TEXT_MOST);
    char path[1024], folder[1024];
    disk_file file_at;
    int n = snprintf(folder, sizeof(folder), "%s/new", folder_of(to));
    int path_n = snprintf(path, sizeof(path), "%s/mda.%" PRIu32, folder, ++mda->files);
    struct bytes name = { path, (size_t)path_n };

    (void)!disk_mkdir(disk, IN_MAIL, bytes_of(folder_of(to)));
    (void)!disk_mkdir(disk, IN_MAIL, (struct bytes){ folder, (size_t)n });
    put_file(letter, &file);
    bool kept = disk_create(disk, IN_MAIL, name, &file_at) == OK;
    if (kept) {
        kept = disk_write(disk, file_at, 0, buffer_bytes(&file)) == OK;
        disk_sync_end(disk, disk_sync_begin(disk, file_at));
        disk_drop(disk, file_at);
        if (!kept)
            (void)!disk_unlink(disk, IN_MAIL, name);
        kept = disk_sync_folder(disk, IN_MAIL, (struct bytes){ folder, (size_t)n }) == OK && kept;
        (void)!disk_sync_folder(disk, IN_MAIL, bytes_of(folder_of(to)));
        (void)!disk_sync_folder(disk, IN_MAIL, BYTES("example.org"));
    }
    buffer_done(&file);
    return kept;
}

static enum server_rcpt rcpt(void *at, const char *to, enum server_level level, uint64_t since_us)
{
    return folder_of(to) == NULL ? RCPT_NOBODY : refuses(to) ? RCPT_REFUSED : RCPT_WELL;
}

/* Only who has a mailbox here can be told of it. */
static bool may_refuse(void *at, const char *sender)
{
    return strcmp(sender, REPORTS_ADDRESS) == 0;
}

static void *accept_line(void *ctx, struct conn *conn, const struct net_address *at,
                         const struct net_client **ret_ops)
{
    static const struct server_face face = { true, rcpt, keep, may_refuse };
    struct mda *mda = ctx;
    struct dice *dice = world_dice(server_world(mda->server));
    struct server_offers offers = { .name = "m", .chunking = true, .eight_bit = true,
                                    .pipelining = dice_below(dice, 2) == 0 };

    return server_accept(mda->server, &face, mda, &offers, conn, ret_ops);
}

struct mda *mda_new(struct server *server)
{
    struct mda *mda = room_new(sizeof(*mda));

    *mda = (struct mda){ .server = server };
    net_serve(server_world(server), NET_PATHS, (struct net_server){ accept_line, mda });
    return mda;
}

void mda_free(struct mda *mda) { room_free(mda); }
