/* SPDX-License-Identifier: ISC
 *
 * role/front_ways.c: letters that the store has not answered for. A session may vanish before; its
 * letters are answered for all the same, and the answer goes into the log only.
 */
#include "role/front_int.h"

#include "base/id.h"

enum { TURN_SHIFT = 20, WAYS_MOST = 1 << TURN_SHIFT, TURNS = 1 << (32 - TURN_SHIFT) };

static bool make_room(struct ways *ways)
{
    uint32_t room = ways->room == 0 ? 64 : ways->room * 2;

    if (ways->n < ways->room)
        return true;
    if (room > WAYS_MOST)
        return false;
    struct way *list = mem_resize(ways->list, room * sizeof(*list));
    if (list == NULL)
        return false;
    ways->list = list;
    ways->room = room;
    return true;
}

bool way_new(struct front *front, struct session *session, uint32_t *ret_token)
{
    struct ways *ways = &front->ways;
    uint32_t at;

    if (ways->spare != 0) {
        at = ways->spare - 1;
        ways->spare = ways->list[at].next_spare;
    } else {
        if (!make_room(ways))
            return false;
        at = ways->n++;
        ways->list[at] = (struct way){ .story = buffer_with_most(LIMIT_LOG_LINE) };
    }
    struct way *way = &ways->list[at];
    way->used = way->open = true;
    way->conn = session->conn;
    way->session = session->number;
    way->token = 0;
    way->size = 0;
    way->held = way->ahead = 0;
    buffer_clear(&way->story);
    *ret_token = at | (uint32_t)way->turn << TURN_SHIFT;
    return true;
}

struct way *way_of(struct front *front, uint32_t token)
{
    uint32_t at = token & (WAYS_MOST - 1);

    if (at >= front->ways.n)
        return NULL;
    struct way *way = &front->ways.list[at];
    return way->used && way->turn == token >> TURN_SHIFT ? way : NULL;
}

void way_free(struct front *front, struct way *way)
{
    front->on_way -= way->held;
    way->held = 0;
    way->used = false;
    way->turn = (uint16_t)((way->turn + 1) % TURNS);
    way->next_spare = front->ways.spare;
    front->ways.spare = (uint32_t)(way - front->ways.list) + 1;
}

void way_hold(struct front *front, struct way *way, size_t octets)
{
    way->held += octets;
    front->on_way += octets;
}

void way_let(struct front *front, struct way *way, size_t octets)
{
    if (octets > way->held)
        octets = way->held;
    way->held -= octets;
    front->on_way -= octets;
}

/* The letter's fate: into the log, to the client if he is still there, and the place is free. */
static void settle(struct front *front, struct way *way, enum smtp_verdict verdict, struct bytes id)
{
    struct session *session = front_session(front, way->conn, way->session);

    log_letter(front, session, way->session, &way->story, way->size, verdict, id);
    if (session != NULL) {
        if (session->letter != NULL && session->letter->ended && session->letter->begun
            && way_of(front, session->letter->token) == way)
            letter_release(front, session);
        session->unsettled--;
        session->ahead -= way->ahead;
        session->command_ms = front->now.mono_ms;
        smtp_server_settle(session->smtp, way->token, verdict, id);
        front_mark(front, session);
    }
    way_free(front, way);
}

/* A letter still coming in is refused early: the rest is thrown away, the client hears of it at the
   end. */
static void refuse_open(struct front *front, struct way *way, enum smtp_verdict verdict)
{
    struct session *session = front_session(front, way->conn, way->session);

    if (session != NULL && session->letter != NULL) {
        letter_refuse(session, verdict);
        front_mark(front, session);
    }
    way_free(front, way);
}

void way_taken(struct front *front, const struct wire_letter_taken *taken)
{
    struct way *way = way_of(front, taken->token);
    char id[ID_TEXT];

    if (way == NULL || way->open)
        return;
    id_write(taken->id, id);
    settle(front, way, SMTP_YES, (struct bytes){ id, ID_TEXT });
}

static enum smtp_verdict verdict_of(uint8_t why)
{
    static const enum smtp_verdict rows[] = {
        [REFUSED_NOT_NOW] = SMTP_NOT_NOW,
        [REFUSED_NO_SPACE] = SMTP_NO_SPACE,
        [REFUSED_TOO_LARGE] = SMTP_TOO_LARGE,
        [REFUSED_UNKNOWN] = SMTP_SILENCE,
    };

    return why >= REFUSED_NOT_NOW && why < COUNT(rows) ? rows[why] : SMTP_NOT_NOW;
}

void way_refused(struct front *front, const struct wire_letter_refused *refused)
{
    struct way *way = way_of(front, refused->token);

    if (way == NULL)
        return;
    if (way->open)
        refuse_open(front, way, verdict_of(refused->why));
    else
        settle(front, way, verdict_of(refused->why), BYTES_NONE);
}

void way_credit(struct front *front, const struct wire_credit *credit)
{
    struct way *way = way_of(front, credit->token);

    if (way == NULL)
        return;
    way_let(front, way, credit->octets);
    struct session *session = front_session(front, way->conn, way->session);
    if (session == NULL || session->letter == NULL || session->letter->token != credit->token
        || !session->letter->begun)
        return;
    session->letter->credit += credit->octets;
    if (letter_waits(front, session))
        front_mark(front, session);
}

void ways_lost(struct front *front)
{
    for (uint32_t i = 0; i < front->ways.n; i++) {
        struct way *way = &front->ways.list[i];
        if (!way->used)
            continue;
        if (way->open)
            refuse_open(front, way, SMTP_NOT_NOW);
        else
            settle(front, way, SMTP_SILENCE, BYTES_NONE);
    }
}

void ways_done(struct front *front)
{
    for (uint32_t i = 0; i < front->ways.n; i++)
        buffer_done(&front->ways.list[i].story);
    mem_free(front->ways.list);
}
