/* SPDX-License-Identifier: ISC
 *
 * role/front_clock.c: a binary heap of sessions by the time each is looked at next.
 *
 * Deadlines nearly always move away from now, at every command; so a session stays where it is in
 * the heap and is put back when its turn comes too early. Only an earlier deadline moves it at
 * once.
 */
#include "role/front_int.h"

#include <assert.h>

static void place(struct front *front, size_t at, struct session *session)
{
    front->clock[at] = session;
    session->clock_at = (uint32_t)at + 1;
}

static void sift_up(struct front *front, size_t at)
{
    struct session *session = front->clock[at];

    while (at > 0 && front->clock[(at - 1) / 2]->clock_ms > session->clock_ms) {
        place(front, at, front->clock[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place(front, at, session);
}

static void sift_down(struct front *front, size_t at)
{
    struct session *session = front->clock[at];

    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < front->clock_n
            && front->clock[child + 1]->clock_ms < front->clock[child]->clock_ms)
            child++;
        if (child >= front->clock_n || front->clock[child]->clock_ms >= session->clock_ms)
            break;
        place(front, at, front->clock[child]);
        at = child;
    }
    place(front, at, session);
}

static bool make_room(struct front *front)
{
    if (front->clock_n < front->clock_room)
        return true;
    size_t room = front->clock_room == 0 ? 16 : front->clock_room * 2;
    struct session **clock = mem_resize(front->clock, room * sizeof(struct session *));
    if (clock == NULL)
        return false;
    front->clock = clock;
    front->clock_room = room;
    return true;
}

void clock_touch(struct front *front, struct session *session)
{
    uint64_t due = session_due(session, manners_idle_ms(front, session));

    if (due == FRONT_NEVER || (session->clock_at != 0 && session->clock_ms <= due))
        return;
    if (session->clock_at == 0) {
        if (!make_room(front)) {
            front->fx->bad = true;      /* a session without a deadline could stay for ever */
            return;
        }
        place(front, front->clock_n++, session);
    }
    session->clock_ms = due;
    sift_up(front, session->clock_at - 1);
}

void clock_forget(struct front *front, struct session *session)
{
    if (session->clock_at == 0)
        return;
    size_t at = session->clock_at - 1;
    assert(front->clock[at] == session);
    session->clock_at = 0;
    struct session *last = front->clock[--front->clock_n];
    if (last == session)
        return;
    place(front, at, last);
    sift_up(front, at);
    sift_down(front, last->clock_at - 1);
}

struct session *clock_take(struct front *front)
{
    struct session *first = front->clock_n == 0 ? NULL : front->clock[0];

    if (first == NULL || first->clock_ms > front->now.mono_ms)
        return NULL;
    clock_forget(front, first);
    return first;
}

void clock_ask(struct front *front)
{
    uint64_t first = front->clock_n == 0 ? FRONT_NEVER : front->clock[0]->clock_ms;

    uint64_t stop_ms = front->stop_ms + (front->last_said ? FRONT_LAST_MS : 0);
    if (front->stopping && !front->over && stop_ms < first)
        first = stop_ms;
    if (first >= front->alarm_ms)
        return;                         /* one that comes too early costs a look */
    front->alarm_ms = first;
    fx_alarm(front->fx, first);
}
