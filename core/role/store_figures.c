/* SPDX-License-Identifier: ISC */
#include "role/store_int.h"

#include "web/figures.h"

void store_tell_figures(struct store *store, uint32_t token, struct moment now,
                        struct effects *fx)
{
    struct web_store_figures figures = {
        .uptime_ms = now.wall_ms > store->since_ms ? now.wall_ms - store->since_ms : 0,
        .queued = queue_letters(store->queue),
        .accepted = store->accepted,
        .delivered = store->outcomes[JOB_DELIVERED],
        .deferred = store->outcomes[JOB_LATER],
        .failed = store->outcomes[JOB_FAILED],
    };
    struct buffer *octets = fx_draft(fx);

    web_put_store_figures(octets, &figures);
    struct wire_figures_store told = { token, fx_keep(fx, buffer_bytes(octets)) };
    wire_tell_figures_store(fx, (struct role_name){ ROLE_ADMIN, 0 }, &told);
}
