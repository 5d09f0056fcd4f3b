/* SPDX-License-Identifier: ISC
 *
 * The promise that memory is bounded, as far as it can be seen from outside: of each letter and
 * each job no more text is on its way than LIMIT_LETTER_CREDIT and what the receiver granted
 * since. */
#include "sim/world_int.h"

#include "role/wire.h"
#include "sim/room.h"

enum { FLOWS_MOST = 4096 };

static struct flow *flow_of(struct world *world, const struct channel *channel, uint32_t token,
                            bool job)
{
    for (size_t i = world->flows_n; i-- > 0;) {
        struct flow *flow = &world->flows[i];
        if (flow->channel == channel && flow->epoch == channel->epoch && flow->token == token
            && flow->job == job)
            return flow;
    }
    return NULL;
}

static void begin(struct world *world, const struct channel *channel, uint32_t token, bool job)
{
    struct flow *flow = flow_of(world, channel, token, job);

    if (world->flows_n == FLOWS_MOST)
        world->flows_n = 0;
    if (flow == NULL) {
        world->flows = room_for(world->flows, &world->flows_room, world->flows_n + 1,
                                sizeof(*flow));
        flow = &world->flows[world->flows_n++];
    }
    *flow = (struct flow){ .channel = channel, .epoch = channel->epoch, .token = token,
                           .job = job, .granted = LIMIT_LETTER_CREDIT };
}

static void send(struct world *world, const struct channel *channel, uint32_t token, bool job,
                 size_t n)
{
    struct flow *flow = flow_of(world, channel, token, job);

    if (flow == NULL)
        return;
    flow->sent += n;
    if (flow->sent > flow->granted)
        world_break(world, "promise 6: more text of %s %u is sent than credit allows",
                    job ? "job" : "letter", token);
}

void credit_sent(struct world *world, const struct channel *channel, struct bytes frame)
{
    struct wire_letter_begin letter_begin;
    struct wire_letter_part letter_part;
    struct wire_job_begin job_begin;
    struct wire_job_part job_part;

    if (wire_read_letter_begin(frame, &letter_begin))
        begin(world, channel, letter_begin.token, false);
    else if (wire_read_job_begin(frame, &job_begin))
        begin(world, channel, job_begin.job, true);
    else if (wire_read_letter_part(frame, &letter_part))
        send(world, channel, letter_part.token, false, letter_part.text.n);
    else if (wire_read_job_part(frame, &job_part))
        send(world, channel, job_part.job, true, job_part.text.n);
}

void credit_arrived(struct world *world, const struct channel *channel, struct bytes frame)
{
    struct wire_credit credit;
    struct flow *flow;

    if (!wire_read_credit(frame, &credit))
        return;
    bool job = channel->side[0]->name.kind != ROLE_FRONT
        && channel->side[1]->name.kind != ROLE_FRONT;
    flow = flow_of(world, channel, credit.token, job);
    if (flow != NULL)
        flow->granted += credit.octets;
}
