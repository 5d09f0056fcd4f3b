/* SPDX-License-Identifier: ISC */
#include "sim/mda.h"

#include "base/number.h"
#include "mail/address.h"
#include "sim/letter.h"
#include "sim/net.h"
#include "sim/room.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MOST = 64 << 20 };

struct mda_line {
    struct mda_line *next;      /* of all there ever were */
    struct mda *mda;
    struct conn *conn;          /* NULL: it is over */
    struct buffer in, text;
    char sender[LIMIT_PATH + 1], to[LIMIT_PATH + 1];
    bool binary, in_data, deaf, chunking, pipelining;
    uint64_t chunk;             /* octets of it that are still to come */
    bool in_chunk, last;
};

struct mda {
    struct world *world;
    struct mda_line *lines;
    uint32_t files;
    uint64_t back_us;           /* it is dead until then */
};

static struct dice *dice_of_mda(struct mda *mda) { return world_dice(mda->world); }

static bool chance(struct mda *mda, uint32_t times)
{
    return dice_chance(dice_of_mda(mda), world_odds(mda->world)->cut * times);
}

static void hang_up(struct mda_line *line)
{
    struct conn *conn = line->conn;

    line->conn = NULL;
    world_fault(line->mda->world, ROLE_RELAY);
    if (conn != NULL)
        net_reset(conn);
}

static void say(struct mda_line *line, const char *reply)
{
    struct mda *mda = line->mda;

    if (line->conn == NULL || line->deaf)
        return;
    if (chance(mda, 4)) {
        size_t n = (size_t)dice_below(dice_of_mda(mda), strlen(reply));
        net_send(line->conn, (struct bytes){ reply, n });
        if (dice_below(dice_of_mda(mda), 4) == 0)
            mda->back_us = world_now_us(mda->world) + dice_below(dice_of_mda(mda), 300000000);
        hang_up(line);
    } else if (chance(mda, 1)) {
        world_fault(mda->world, ROLE_RELAY);
        line->deaf = true;
    } else {
        bool lies = chance(mda, 2);
        if (lies)
            world_fault(mda->world, ROLE_RELAY);
        net_send(line->conn, bytes_of(lies ? "twaddle\r\n" : reply));
    }
}

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

static void put_file(const struct mda_line *line, struct buffer *to)
{
    const char *eol = line->binary ? "\r\n" : "\n";
    struct bytes text = buffer_bytes(&line->text);

    buffer_put_text(to, "Return-Path: <");
    buffer_put_text(to, line->sender);
    buffer_put_text(to, ">");
    buffer_put_text(to, eol);
    buffer_put_text(to, "Delivered-To: ");
    buffer_put_text(to, line->to);
    buffer_put_text(to, eol);
    for (size_t i = 0; i < text.n; i++)
        if (line->binary || text.at[i] != '\r' || i + 1 == text.n || text.at[i + 1] != '\n')
            buffer_put_char(to, text.at[i]);
}

static bool keep(struct mda_line *line)
{
    struct disk *disk = world_disk(line->mda->world);
    struct buffer file = buffer_with_most(TEXT_MOST);
    char path[1024], folder[1024];
    disk_file at;
    int n = snprintf(folder, sizeof(folder), "%s/new", folder_of(line->to));
    int path_n = snprintf(path, sizeof(path), "%s/mda.%" PRIu32, folder, ++line->mda->files);
    struct bytes name = { path, (size_t)path_n };

    (void)!disk_mkdir(disk, IN_MAIL, bytes_of(folder_of(line->to)));
    (void)!disk_mkdir(disk, IN_MAIL, (struct bytes){ folder, (size_t)n });
    put_file(line, &file);
    bool kept = disk_create(disk, IN_MAIL, name, &at) == OK;
    if (kept) {
        kept = disk_write(disk, at, 0, buffer_bytes(&file)) == OK;
        disk_sync_end(disk, disk_sync_begin(disk, at));
        disk_drop(disk, at);
        if (!kept)
            (void)!disk_unlink(disk, IN_MAIL, name);
        kept = disk_sync_folder(disk, IN_MAIL, (struct bytes){ folder, (size_t)n }) == OK && kept;
        (void)!disk_sync_folder(disk, IN_MAIL, bytes_of(folder_of(line->to)));
        (void)!disk_sync_folder(disk, IN_MAIL, BYTES("example.org"));
    }
    buffer_done(&file);
    return kept;
}

static void end_of_text(struct mda_line *line)
{
    bool kept = !chance(line->mda, 4) && keep(line);

    buffer_clear(&line->text);
    say(line, kept ? "250 2.0.0 kept\r\n" : "452 4.2.2 not now\r\n");
}

/* ---- commands */

static void copy_path(struct bytes line, char *to)
{
    struct bytes path = bytes_skip(line, bytes_find(line, '<') + 1);

    path = bytes_first(path, bytes_find_last(path, '>'));
    memcpy(to, path.at, path.n);
    to[path.n] = '\0';
}

static void on_rcpt(struct mda_line *line, struct bytes said)
{
    copy_path(said, line->to);
    if (folder_of(line->to) == NULL)
        say(line, "550 5.1.1 nobody\r\n");
    else if (refuses(line->to))
        say(line, "550 5.2.1 this mailbox takes no mail\r\n");
    else
        say(line, chance(line->mda, 4) ? "452 4.2.2 full\r\n" : "250 2.1.5 well\r\n");
}

static void on_bdat(struct mda_line *line, struct bytes said)
{
    struct bytes size = bytes_upto(bytes_skip(said, 5), ' ');

    if (!number_parse(size, &line->chunk))
        world_break(line->mda->world, "relay says BDAT without a size");
    line->in_chunk = true;
    line->last = bytes_ends(said, BYTES(" LAST"));
}

static void on_command(struct mda_line *line, struct bytes said)
{
    if (bytes_begins(said, BYTES("LHLO"))) {
        say(line, line->pipelining
            ? "250-m\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250-SMTPUTF8\r\n"
              "250 8BITMIME\r\n"
            : "250-m\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250-SMTPUTF8\r\n250 8BITMIME\r\n");
    } else if (bytes_begins(said, BYTES("MAIL FROM:<"))) {
        copy_path(bytes_first(said, bytes_find(said, '>') + 1), line->sender);
        line->binary = bytes_search(said, BYTES("BINARYMIME")) < said.n;
        say(line, "250 2.1.0 well\r\n");
    } else if (bytes_begins(said, BYTES("RCPT TO:<"))) {
        on_rcpt(line, said);
    } else if (bytes_begins(said, BYTES("BDAT "))) {
        on_bdat(line, said);
    } else {
        say(line, "250 2.0.0 well\r\n");
    }
}

/* Octets of a chunk; true when it is whole. A letter for nobody is thrown away. */
static bool take_chunk(struct mda_line *line)
{
    size_t n = line->chunk < line->in.n ? (size_t)line->chunk : line->in.n;

    buffer_put(&line->text, bytes_first(buffer_bytes(&line->in), n));
    buffer_drop(&line->in, n);
    line->chunk -= n;
    if (line->chunk > 0)
        return false;
    line->in_chunk = false;
    bool nobody = folder_of(line->to) == NULL || refuses(line->to);
    if (nobody)
        say(line, "503 5.5.1 for whom?\r\n");
    else if (line->last)
        end_of_text(line);
    else
        say(line, "250 2.0.0 go on\r\n");
    return true;
}

static void on_bytes(void *client, struct bytes bytes)
{
    struct mda_line *line = client;

    buffer_put(&line->in, bytes);
    while (line->conn != NULL && !line->deaf && (line->in.n > 0 || line->in_chunk)) {
        struct bytes all = buffer_bytes(&line->in);
        size_t end = bytes_find(all, '\n');
        if (line->in_chunk) {
            if (!take_chunk(line))
                return;
            continue;
        }
        if (end == all.n)
            return;
        char *said = room_copy(bytes_first(all, end));
        buffer_drop(&line->in, end + 1);
        on_command(line, bytes_trim((struct bytes){ said, end }));
        room_free(said);
    }
}

static void on_closed(void *client)
{
    ((struct mda_line *)client)->conn = NULL;
}

static void *accept_line(void *ctx, struct conn *conn, const struct net_client **ret_ops)
{
    static const struct net_client ops = { .bytes = on_bytes, .closed = on_closed };
    struct mda *mda = ctx;

    if (world_now_us(mda->world) < mda->back_us && world_odds(mda->world)->cut > 0)
        return NULL;
    struct mda_line *line = room_new(sizeof(*line));
    *line = (struct mda_line){ .mda = mda, .conn = conn, .next = mda->lines,
                               .in = buffer_with_most(TEXT_MOST),
                               .text = buffer_with_most(TEXT_MOST),
                               .pipelining = dice_below(dice_of_mda(mda), 2) == 0 };
    mda->lines = line;
    *ret_ops = &ops;
    say(line, "220 m\r\n");
    return line->conn == NULL ? NULL : line;
}

struct mda *mda_new(struct world *world)
{
    struct mda *mda = room_new(sizeof(*mda));

    mda->world = world;
    net_serve(world, (struct net_server){ accept_line, mda });
    return mda;
}

void mda_free(struct mda *mda)
{
    while (mda->lines != NULL) {
        struct mda_line *line = mda->lines;
        mda->lines = line->next;
        buffer_done(&line->in);
        buffer_done(&line->text);
        room_free(line);
    }
    room_free(mda);
}
