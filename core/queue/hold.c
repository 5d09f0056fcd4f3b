/* SPDX-License-Identifier: ISC
 *
 * A hold: while somebody copies the files, no segment is used again and no body file of a finished
 * letter goes. README.md says why the copy is whole.
 */
#include "queue/queue_int.h"

#include "base/reader.h"

bool queue_hold(struct queue *q, struct queue_image *ret_image)
{
    const struct log *log = &q->log;
    size_t first = q->leaving ? 1 : 0;

    if (q->hold.on || q->space_low || q->segments_n <= first
        || (log->mode != LOG_READY && log->mode != LOG_WRITING && log->mode != LOG_BIRTH))
        return false;
    q->hold = (struct hold){ .on = true, .bodies = buffer_with_most(HOLD_BODIES_MOST) };
    *ret_image = (struct queue_image){
        .first = q->segments[first].number, .last = lsn_segment(log->durable),
        .octets = lsn_offset(log->durable),
    };
    return true;
}

bool hold_body(struct queue *q, uint64_t body)
{
    if (!q->hold.on)
        return false;
    buffer_put_u64(&q->hold.bodies, body);
    return !q->hold.bodies.bad;
}

bool queue_release(struct queue *q, struct effects *fx)
{
    struct reader in = reader_of(buffer_bytes(&q->hold.bodies));
    bool was_on = q->hold.on && !q->hold.bodies.bad;

    while (!reader_empty(&in))
        body_remove(fx, read_u64(&in));
    buffer_done(&q->hold.bodies);
    q->hold.on = false;
    return was_on;
}

void hold_turn(struct queue *q, struct effects *fx)
{
    if (!q->hold.on || (!q->space_low && !q->hold.bodies.bad))
        return;
    say_place(fx, LOG_WARN, "backup_broken", q->log.durable, 0,
              "space is short: files are removed again");
    (void)queue_release(q, fx);
}
