/* SPDX-License-Identifier: ISC
 *
 * Days of the history that are too old, or too much together, go.
 */
#include "queue/queue_int.h"

#include "base/arena.h"

void tidy_done(struct tidy *tidy)
{
    mem_free(tidy->days);
    mem_free(tidy->sizes);
    tidy->days = tidy->sizes = NULL;
    tidy->n = tidy->next = 0;
    tidy->stage = TIDY_IDLE;
}

static void ask(struct queue *q, struct io io, struct effects *fx)
{
    io.root = IN_SPOOL;
    io.lane = LANE_SEARCH;
    io.token = token_pack(token_of(FOR_TIDY, 0));
    fx_io(fx, io);
}

void tidy_turn(struct queue *q, struct effects *fx)
{
    struct tidy *tidy = &q->story.tidy;

    if (tidy->stage != TIDY_IDLE || q->now.mono_ms < tidy->at)
        return;
    tidy->at = q->now.mono_ms + STORY_TIDY_MS;
    tidy->stage = TIDY_LISTING;
    ask(q, (struct io){ .kind = IO_LIST, .name = BYTES("history") }, fx);
}

static void remove_day(struct queue *q, uint64_t day, struct effects *fx)
{
    for (int idx = 0; idx < 2; idx++) {
        char name[DAY_NAME];
        day_write(day, idx != 0, name);
        struct io io = { .kind = IO_UNLINK, .quiet = true, .root = IN_SPOOL, .lane = LANE_SEARCH,
                         .token = token_pack(token_of(FOR_NOTHING, 0)) };
        io.name = story_name(fx, (struct bytes){ name, DAY_NAME });
        fx_io(fx, io);
    }
}

/* The oldest days, beyond what may be kept; today's stays. */
static void remove_most(struct queue *q, struct effects *fx)
{
    struct tidy *tidy = &q->story.tidy;
    uint64_t sum = 0;

    for (size_t i = 0; i < tidy->n; i++)
        sum += tidy->sizes[i];
    for (size_t i = 0; i + 1 < tidy->n && sum > q->conf.history_most; i++) {
        remove_day(q, tidy->days[i], fx);
        sum -= tidy->sizes[i];
    }
    tidy_done(tidy);
}

static void measure(struct queue *q, struct effects *fx)
{
    struct tidy *tidy = &q->story.tidy;
    char name[DAY_NAME];

    if (tidy->next == 2 * tidy->n || !slot_take(q, &tidy->slot)) {
        remove_most(q, fx);
        return;
    }
    day_write(tidy->days[tidy->next / 2], tidy->next % 2 != 0, name);
    struct io io = { .kind = IO_OPEN, .file = tidy->slot };
    io.name = story_name(fx, (struct bytes){ name, DAY_NAME });
    ask(q, io, fx);
}

static void listed(struct queue *q, struct bytes names, struct effects *fx)
{
    struct tidy *tidy = &q->story.tidy;
    struct bytes rest = names, name;
    uint64_t day, today = q->now.wall_ms / DAY_MS, keep = q->conf.history_keep_ms / DAY_MS;
    size_t lines = 0;
    bool idx;

    while (bytes_cut(&rest, '\n', &name))
        lines++;
    tidy->days = mem_new(lines * sizeof(*tidy->days));
    tidy->sizes = mem_new(lines * sizeof(*tidy->sizes));
    if (tidy->days == NULL || tidy->sizes == NULL) {
        tidy_done(tidy);
        return;
    }
    while (bytes_cut(&names, '\n', &name)) {
        if (!day_read(name, &day, &idx) || (tidy->n > 0 && tidy->days[tidy->n - 1] == day))
            continue;
        if (day + keep < today)
            remove_day(q, day, fx);
        else
            tidy->days[tidy->n++] = day;
    }
    tidy->stage = TIDY_MEASURING;
    measure(q, fx);
}

void tidy_io(struct queue *q, const struct event *event, struct effects *fx)
{
    struct tidy *tidy = &q->story.tidy;

    if (tidy->stage == TIDY_LISTING) {
        if (event->fault == OK)
            listed(q, event->bytes, fx);
        else
            tidy->stage = TIDY_IDLE;
        return;
    }
    if (event->fault == OK) {
        tidy->sizes[tidy->next / 2] += event->number;
        segment_close(fx, LANE_SEARCH, tidy->slot);
    } else {
        slot_free(q, tidy->slot);
    }
    tidy->next++;
    measure(q, fx);
}
