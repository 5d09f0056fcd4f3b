/* SPDX-License-Identifier: ISC
 *
 * All that is counted, for admin: the store tells its own, asks the fronts for theirs, and hands on
 * what they say.
 */
#include "role/store_int.h"

static const struct role_name to_admin = { ROLE_ADMIN, 0 };

void store_counts_begin(struct store *store, enum role_kind peer)
{
    store->figures.fronts_begun += peer == ROLE_FRONT;
    store->figures.local_begun += peer == ROLE_LOCAL;
    store->figures.relay_begun += peer == ROLE_RELAY;
    store->figures.admin_begun += peer == ROLE_ADMIN;
}

void store_counts_flush(void *of, uint64_t ms)
{
    struct store *store = of;

    web_count_flush(&store->figures, ms);
}

static uint64_t since(uint64_t then_ms, uint64_t now_ms)
{
    return then_ms == 0 || then_ms > now_ms ? 0 : now_ms - then_ms;
}

static struct web_store_figures figures_of(const struct store *store, struct moment now)
{
    struct web_store_figures figures = store->figures;
    struct queue_counts counts = queue_counts(store->queue);

    figures.uptime_ms = since(store->since_ms, now.wall_ms);
    figures.queued = queue_letters(store->queue);
    figures.accepted = store->accepted;
    figures.delivered = store->outcomes[JOB_DELIVERED];
    figures.deferred = store->outcomes[JOB_LATER];
    figures.failed = store->outcomes[JOB_FAILED];
    figures.reports = counts.reports;
    figures.oldest_ms = since(counts.oldest_ms, now.wall_ms);
    figures.disk_free = counts.space;
    figures.written = counts.written;
    return figures;
}

void store_tell_figures(struct store *store, uint32_t token, struct moment now,
                        struct effects *fx)
{
    struct web_store_figures figures = figures_of(store, now);
    struct buffer *octets = fx_draft(fx);
    uint32_t asked = 0;

    web_put_store_figures(octets, &figures);
    struct bytes kept = fx_keep(fx, buffer_bytes(octets));
    for (uint32_t i = 0; i < LIMIT_FRONTS; i++) {
        if (!store->fronts[i])
            continue;
        wire_tell_figures_ask(fx, (struct role_name){ ROLE_FRONT, i },
                              &(struct wire_figures_ask){ token });
        asked++;
    }
    wire_tell_figures_store(fx, to_admin, &(struct wire_figures_store){ token, asked, kept });
}

bool store_front_figures(struct store *store, const struct event *event, struct effects *fx)
{
    struct web_front_figures figures;
    struct wire_figures_front told;

    if (!wire_read_figures_front(event->bytes, &told)
        || !web_read_front_figures(told.figures, &figures))
        return false;
    told.front = event->peer.index;
    if (store->admin)
        wire_tell_figures_front(fx, to_admin, &told);
    return true;
}
