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

enum { TEXT_MOST = 64 << 20, AWAY_MOST = 300 * 1000 * 1000, MUCH_LINES = 2000 };

struct mda_line {
    struct mda_line *next;      /* of all there ever were */
    struct mda *mda;
    struct conn *conn;          /* NULL: it is over */
    struct buffer in, text;
    struct buffer unsure;       /* the text of a copy kept, until its reply is known to have come */
    char sender[LIMIT_PATH + 1], to[LIMIT_PATH + 1];
    bool binary, deaf, off, pipelining;     /* off: its replies are not where they belong */
    uint64_t chunk;             /* octets of it that are still to come */
    bool in_chunk, last;
};

struct mda {
    struct world *world;
    struct mda_watch watch;
    struct mda_plan plan;
    struct mda_line *lines;
    uint32_t files;
    uint64_t back_us;           /* it is dead until then */
    uint64_t replies, said, heard;
};

static struct dice *dice_of_mda(struct mda *mda) { return world_dice(mda->world); }

static bool chance(struct mda *mda, uint32_t odds)
{
    return odds > 0 && dice_chance(dice_of_mda(mda), odds);
}

/* Nobody can know now whether the reply to the last copy came. */
static void is_lost(struct mda_line *line)
{
    if (line->unsure.n > 0)
        line->mda->watch.lost(line->mda->watch.ctx, buffer_bytes(&line->unsure), line->to);
    buffer_clear(&line->unsure);
}

static void hang_up(struct mda_line *line)
{
    struct conn *conn = line->conn;

    line->conn = NULL;
    is_lost(line);
    if (conn != NULL)
        net_reset(conn);
}

/* All connections at once; for a while nobody answers. */
static void die(struct mda *mda)
{
    world_totals(mda->world)->server_dies++;
    mda->back_us = world_now_us(mda->world) + dice_below(dice_of_mda(mda), AWAY_MOST);
    for (struct mda_line *line = mda->lines; line != NULL; line = line->next)
        if (line->conn != NULL)
            hang_up(line);
}

/* ---- what it says */

static bool may_refuse(const struct mda_line *line)
{
    return strcmp(line->sender, REPORTS_ADDRESS) == 0 && line->to[0] != '\0';
}

static enum mda_lie lie_now(struct mda_line *line)
{
    struct mda *mda = line->mda;

    if (mda->replies == mda->plan.lie_at)
        return mda->plan.lie;
    if (!chance(mda, world_odds(mda->world)->server_lies))
        return LIE_NONE;
    return (enum mda_lie)dice_between(dice_of_mda(mda), LIE_NONE + 1, LIES - 1);
}

static void put_lie(struct mda_line *line, enum mda_lie lie, const char *due, struct buffer *to)
{
    switch (lie) {
    case LIE_NONE: break;
    case LIE_TWADDLE: buffer_put_text(to, "twaddle\r\n"); return;
    case LIE_NOT_NOW: buffer_put_text(to, "451 4.3.0 not now\r\n"); return;
    case LIE_NEVER:
        buffer_put_text(to, may_refuse(line) ? "554 5.7.0 never\r\n" : "454 4.7.0 later\r\n");
        if (may_refuse(line))
            line->mda->watch.refused(line->mda->watch.ctx, line->to);
        return;
    case LIE_GOES: buffer_put_text(to, "421 4.3.2 bye\r\n"); return;
    case LIE_GO_ON: buffer_put_text(to, "354 go on\r\n"); return;
    case LIE_MUCH:
        for (unsigned i = 0; i < MUCH_LINES; i++) {
            buffer_put(to, (struct bytes){ due, 3 });
            buffer_put_text(to, "-and so on, and so on, and so on, and so on\r\n");
        }
        break;
    case LIE_TWICE:
        buffer_put_text(to, "450 4.3.2 wait\r\n");
        line->off = true;
        break;
    case LIE_OCTETS: buffer_put(to, BYTES("2\0\xff\r0 what\r\n")); return;
    case LIE_STALL: line->deaf = true; return;
    case LIES: return;
    }
    buffer_put_text(to, due);
}

/* Send it; when it is to die meanwhile, only the octets before that. */
static void utter(struct mda_line *line, struct bytes text)
{
    struct mda *mda = line->mda;
    size_t n = text.n;

    if (chance(mda, world_odds(mda->world)->server_dies))
        n = (size_t)dice_below(dice_of_mda(mda), text.n);
    if (mda->plan.dies_said > mda->said && mda->plan.dies_said - mda->said < text.n)
        n = (size_t)(mda->plan.dies_said - mda->said);
    net_send(line->conn, bytes_first(text, n));
    mda->said += n;
    if (n == text.n && mda->said != mda->plan.dies_said)
        return;
    if (mda->said == mda->plan.dies_said || dice_below(dice_of_mda(mda), 4) == 0)
        die(mda);
    else
        hang_up(line);
}

static void say(struct mda_line *line, const char *due)
{
    struct mda *mda = line->mda;
    struct buffer text = buffer_with_most(1 << 20);

    if (line->conn == NULL || line->deaf)
        return;
    mda->replies++;
    enum mda_lie lie = lie_now(line);
    world_totals(mda->world)->server_lies += lie != LIE_NONE;
    put_lie(line, lie, due, &text);
    if (lie != LIE_NONE || line->off)
        is_lost(line);
    if (text.n > 0)
        utter(line, buffer_bytes(&text));
    buffer_done(&text);
    if (lie == LIE_GOES && line->conn != NULL)
        net_end(line->conn);
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

/* Return-Path is its to write; Delivered-To the relay wrote. */
static void put_file(const struct mda_line *line, struct buffer *to)
{
    const char *eol = line->binary ? "\r\n" : "\n";
    struct bytes text = buffer_bytes(&line->text);

    buffer_put_text(to, "Return-Path: <");
    buffer_put_text(to, line->sender);
    buffer_put_text(to, ">");
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
    bool kept = !chance(line->mda, world_odds(line->mda->world)->server_lies) && keep(line);

    if (kept)
        line->mda->watch.kept(line->mda->watch.ctx, buffer_bytes(&line->text), line->to);
    if (kept)
        buffer_put(&line->unsure, buffer_bytes(&line->text));
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
    bool full = chance(line->mda, world_odds(line->mda->world)->server_lies);

    copy_path(said, line->to);
    if (refuses(line->to))
        line->mda->watch.refused(line->mda->watch.ctx, line->to);
    if (folder_of(line->to) == NULL)
        say(line, "550 5.1.1 nobody\r\n");
    else if (refuses(line->to))
        say(line, "550 5.2.1 this mailbox takes no mail\r\n");
    else
        say(line, full ? "452 4.2.2 full\r\n" : "250 2.1.5 well\r\n");
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
    } else if (bytes_begins(said, BYTES("MAIL FROM:<")) && line->off) {
        hang_up(line);          /* nobody could tell a reply to this one from the last one's */
    } else if (bytes_begins(said, BYTES("MAIL FROM:<"))) {
        copy_path(bytes_first(said, bytes_find(said, '>') + 1), line->sender);
        line->to[0] = '\0';
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

static void take_all(struct mda_line *line)
{
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

/* Whoever speaks on has got the last reply: no two letters are under way at once. */
static void on_bytes(void *client, struct bytes bytes)
{
    struct mda_line *line = client;
    struct mda *mda = line->mda;
    uint64_t before = mda->heard;

    buffer_clear(&line->unsure);
    mda->heard += bytes.n;
    if (mda->plan.dies_heard > before && mda->plan.dies_heard <= mda->heard) {
        buffer_put(&line->in, bytes_first(bytes, (size_t)(mda->plan.dies_heard - before)));
        take_all(line);
        die(mda);
        return;
    }
    buffer_put(&line->in, bytes);
    take_all(line);
}

static void on_closed(void *client)
{
    struct mda_line *line = client;

    line->conn = NULL;
    is_lost(line);
}

static void *accept_line(void *ctx, struct conn *conn, const struct net_client **ret_ops)
{
    static const struct net_client ops = { .bytes = on_bytes, .closed = on_closed };
    struct mda *mda = ctx;

    if (world_now_us(mda->world) < mda->back_us)
        return NULL;
    struct mda_line *line = room_new(sizeof(*line));
    *line = (struct mda_line){ .mda = mda, .conn = conn, .next = mda->lines,
                               .in = buffer_with_most(TEXT_MOST),
                               .text = buffer_with_most(TEXT_MOST),
                               .unsure = buffer_with_most(TEXT_MOST),
                               .pipelining = dice_below(dice_of_mda(mda), 2) == 0 };
    mda->lines = line;
    *ret_ops = &ops;
    say(line, "220 m\r\n");
    return line->conn == NULL ? NULL : line;
}

struct mda *mda_new(struct world *world, struct mda_watch watch, struct mda_plan plan)
{
    struct mda *mda = room_new(sizeof(*mda));

    *mda = (struct mda){ .world = world, .watch = watch, .plan = plan };
    net_serve(world, (struct net_server){ accept_line, mda });
    return mda;
}

void mda_free(struct mda *mda)
{
    while (mda != NULL && mda->lines != NULL) {
        struct mda_line *line = mda->lines;
        mda->lines = line->next;
        buffer_done(&line->in);
        buffer_done(&line->text);
        buffer_done(&line->unsure);
        room_free(line);
    }
    room_free(mda);
}

uint64_t mda_replies(const struct mda *mda) { return mda->replies; }
uint64_t mda_said(const struct mda *mda) { return mda->said; }
uint64_t mda_heard(const struct mda *mda) { return mda->heard; }
