/* SPDX-License-Identifier: ISC */
#include "sim/server_int.h"

#include "sim/armour.h"
#include "sim/room.h"

#include <string.h>

enum { AWAY_MOST = 300 * 1000 * 1000, MUCH_LINES = 2000 };

static struct dice *dice_of_server(struct server *server) { return world_dice(server->world); }

static bool chance(struct server *server, uint32_t odds)
{
    return odds > 0 && dice_chance(dice_of_server(server), odds);
}

bool server_lies(struct server *server)
{
    return chance(server, world_odds(server->world)->server_lies);
}

void server_forget(char **list, size_t *n)
{
    while (*n > 0)
        room_free(list[--*n]);
}

/* Nobody can know now whether the reply to the last copies came. */
static void is_lost(struct server_line *line)
{
    const struct server_watch *watch = &line->server->watch;

    for (size_t i = 0; i < line->unsure_n; i++)
        watch->lost(watch->ctx, buffer_bytes(&line->unsure), line->unsure_to[i]);
    server_forget(line->unsure_to, &line->unsure_n);
    buffer_clear(&line->unsure);
}

void line_hang_up(struct server_line *line)
{
    struct conn *conn = line->conn;

    line->conn = NULL;
    is_lost(line);
    if (conn != NULL)
        net_reset(conn);
}

/* All connections at once; for a while nobody answers. */
static void die(struct server *server)
{
    world_totals(server->world)->server_dies++;
    server->back_us = world_now_us(server->world)
                    + dice_below(dice_of_server(server), AWAY_MOST);
    for (struct server_line *line = server->lines; line != NULL; line = line->next)
        if (line->conn != NULL)
            line_hang_up(line);
}

/* ---- what it says */

bool line_may_refuse(const struct server_line *line)
{
    return line->face->may_refuse(line->at, line->sender)
        && (!line->face->lmtp || line->to[0] != '\0');
}

static enum server_lie lie_now(struct server_line *line)
{
    struct server *server = line->server;

    if (server->replies == server->plan.lie_at)
        return server->plan.lie;
    if (!server_lies(server))
        return LIE_NONE;
    return (enum server_lie)dice_between(dice_of_server(server), LIE_NONE + 1, LIES - 1);
}

void line_refuse_all(struct server_line *line)
{
    const struct server_watch *watch = &line->server->watch;

    for (size_t i = 0; i < line->rcpts_n; i++)
        watch->refused(watch->ctx, line->rcpts[i]);
}

void line_refuse(struct server_line *line)
{
    const struct server_watch *watch = &line->server->watch;

    if (line->to[0] == '\0') {
        line->turned = true;
        watch->turned_away(watch->ctx, line->at);
        return;
    }
    watch->refused(watch->ctx, line->to);
    if (line->text_due)
        line_refuse_all(line);
}

static void put_lie(struct server_line *line, enum server_lie lie, const char *due,
                    struct buffer *to)
{
    switch (lie) {
    case LIE_NONE: break;
    case LIE_TWADDLE: buffer_put_text(to, "twaddle\r\n"); return;
    case LIE_NOT_NOW: buffer_put_text(to, "451 4.3.0 not now\r\n"); return;
    case LIE_NEVER:
        if (!line_may_refuse(line)) {
            buffer_put_text(to, "454 4.7.0 later\r\n");
            return;
        }
        buffer_put_text(to, "554 5.7.0 never\r\n");
        line_refuse(line);
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
        if (due[0] == '5')
            line_refuse_all(line);
        break;
    case LIE_OCTETS: buffer_put(to, BYTES("2\0\xff\r0 what\r\n")); return;
    case LIE_STALL: line->deaf = true; return;
    case LIES: return;
    }
    buffer_put_text(to, due);
}

/* Send it; when it is to die meanwhile, only the octets before that. */
static void utter(struct server_line *line, struct bytes text)
{
    struct server *server = line->server;
    size_t n = text.n;

    if (chance(server, world_odds(server->world)->server_dies))
        n = (size_t)dice_below(dice_of_server(server), text.n);
    if (server->plan.dies_said > server->said
        && server->plan.dies_said - server->said < text.n)
        n = (size_t)(server->plan.dies_said - server->said);
    net_send(line->conn, bytes_first(text, n));
    server->said += n;
    if (n == text.n && server->said != server->plan.dies_said)
        return;
    if (server->said == server->plan.dies_said || dice_below(dice_of_server(server), 4) == 0)
        die(server);
    else
        line_hang_up(line);
}

static void utter_wrapped(struct server_line *line, struct bytes text)
{
    struct buffer records = buffer_with_most(TEXT_MOST);

    armour_wrap(&records, text, dice_of_server(line->server));
    utter(line, buffer_bytes(&records));
    buffer_done(&records);
}

enum server_lie line_say(struct server_line *line, const char *due)
{
    struct server *server = line->server;
    struct buffer text = buffer_with_most(1 << 20);

    if (line->conn == NULL || line->deaf)
        return LIE_STALL;
    server->replies++;
    enum server_lie lie = lie_now(line);
    world_totals(server->world)->server_lies += lie != LIE_NONE;
    put_lie(line, lie, due, &text);
    line->well_next = due[0] == '2';
    if (lie != LIE_NONE || line->off)
        is_lost(line);
    if (text.n > 0 && line->secrecy == SECURE)
        utter_wrapped(line, buffer_bytes(&text));
    else if (text.n > 0)
        utter(line, buffer_bytes(&text));
    buffer_done(&text);
    if (lie == LIE_GOES && line->conn != NULL)
        net_end(line->conn);
    return lie;
}

/* ---- TLS */

static void show_certificate(struct server_line *line)
{
    struct buffer record = buffer_with_most(1024);

    armour_certificate(&record, line->offers.stranger ? BYTES("+stranger.example key-none")
                                                      : line->offers.certificate);
    if (line->offers.tls == TLS_GARBLED)
        utter(line, BYTES("what is this?\r\n"));
    else
        utter(line, buffer_bytes(&record));
    buffer_done(&record);
    line->secrecy = SECURE;
}

static void take_records(struct server_line *line)
{
    enum armour_said said = ARMOUR_TEXT;

    while (line->conn != NULL && !line->deaf && said != ARMOUR_MORE) {
        said = armour_take_served(&line->raw, &line->in);
        if (said == ARMOUR_READY && line->secrecy == SHAKES)
            show_certificate(line);
        else if (said == ARMOUR_OVER || said == ARMOUR_READY)
            line_hang_up(line);
    }
}

static void take(struct server_line *line, struct bytes bytes)
{
    if (line->secrecy == CLEAR) {
        buffer_put(&line->in, bytes);
    } else {
        buffer_put(&line->raw, bytes);
        take_records(line);
    }
    line_take_all(line);
}

/* ---- connections */

/* Whoever speaks on has got the last reply: no two letters are under way at once. */
static void on_bytes(void *client, struct bytes bytes)
{
    struct server_line *line = client;
    struct server *server = line->server;
    uint64_t before = server->heard;

    buffer_clear(&line->unsure);
    server_forget(line->unsure_to, &line->unsure_n);
    server->heard += bytes.n;
    if (server->plan.dies_heard > before && server->plan.dies_heard <= server->heard) {
        take(line, bytes_first(bytes, (size_t)(server->plan.dies_heard - before)));
        die(server);
        return;
    }
    take(line, bytes);
}

static void on_closed(void *client)
{
    struct server_line *line = client;

    line->conn = NULL;
    is_lost(line);
}

void *server_accept(struct server *server, const struct server_face *face, void *at,
                    const struct server_offers *offers, struct conn *conn,
                    const struct net_client **ret_ops)
{
    static const struct net_client ops = { .bytes = on_bytes, .closed = on_closed };

    if (world_now_us(server->world) < server->back_us)
        return NULL;
    struct server_line *line = room_new(sizeof(*line));
    *line = (struct server_line){ .server = server, .face = face, .at = at, .offers = *offers,
                                  .conn = conn, .next = server->lines,
                                  .since_us = world_now_us(server->world),
                                  .raw = buffer_with_most(TEXT_MOST),
                                  .in = buffer_with_most(TEXT_MOST),
                                  .text = buffer_with_most(TEXT_MOST),
                                  .unsure = buffer_with_most(TEXT_MOST) };
    server->lines = line;
    *ret_ops = &ops;
    line_say(line, "220 m\r\n");
    return line->conn == NULL ? NULL : line;
}

struct server *server_new(struct world *world, struct server_watch watch,
                          struct server_plan plan)
{
    struct server *server = room_new(sizeof(*server));

    *server = (struct server){ .world = world, .watch = watch, .plan = plan };
    return server;
}

void server_free(struct server *server)
{
    while (server != NULL && server->lines != NULL) {
        struct server_line *line = server->lines;
        server->lines = line->next;
        buffer_done(&line->raw);
        buffer_done(&line->in);
        buffer_done(&line->text);
        buffer_done(&line->unsure);
        server_forget(line->rcpts, &line->rcpts_n);
        server_forget(line->unsure_to, &line->unsure_n);
        room_free(line);
    }
    room_free(server);
}

struct world *server_world(const struct server *server) { return server->world; }
uint64_t server_replies(const struct server *server) { return server->replies; }
uint64_t server_said(const struct server *server) { return server->said; }
uint64_t server_heard(const struct server *server) { return server->heard; }
