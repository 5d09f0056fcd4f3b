/* SPDX-License-Identifier: ISC */
#include "sim/dialogue.h"

#include "sim/run.h"

#include <inttypes.h>
#include <stdio.h>

/* States in a row: the lies, reply by reply; then deaths by octets said; then by octets heard. */
static struct server_plan plan_of(const struct dialogue_result *all, uint64_t state)
{
    uint64_t lies = all->replies * (LIES - 1), n = state - 1;

    if (n < lies)
        return (struct server_plan){ .lie_at = n / (LIES - 1) + 1,
                                  .lie = (enum server_lie)(n % (LIES - 1) + 1) };
    n -= lies;
    return n < all->said ? (struct server_plan){ .dies_said = n + 1 }
                         : (struct server_plan){ .dies_heard = n - all->said + 1 };
}

static void tell(struct dialogue_result *all, const struct server_plan *plan,
                 const struct run_result *result, uint64_t state)
{
    char where[100];

    if (plan->lie != LIE_NONE)
        snprintf(where, sizeof(where), "lie %d at reply %" PRIu64, (int)plan->lie, plan->lie_at);
    else if (plan->dies_said != 0)
        snprintf(where, sizeof(where), "dead when %" PRIu64 " octets are said", plan->dies_said);
    else
        snprintf(where, sizeof(where), "dead when %" PRIu64 " octets are heard", plan->dies_heard);
    all->kept = false;
    all->state = state;
    snprintf(all->words, sizeof(all->words), "dialogue: state %" PRIu64 ": %s: %s", state, where,
             result->words);
}

struct dialogue_result dialogue_walk(const struct dialogue_options *options)
{
    struct dialogue_result all = { .kept = true };
    struct run_options run = { .seed = options->seed, .store = &store_ops, .calm = true,
                               .small = options->small };
    struct run_result result = run_seed(&run);

    all.replies = result.replies;
    all.said = result.said;
    all.heard = result.heard;
    uint64_t most = all.replies * (LIES - 1) + all.said + all.heard;
    for (uint64_t state = 1; state <= most && all.kept && result.kept; state++) {
        if (options->state != 0 && options->state != state)
            continue;
        run.server = plan_of(&all, state);
        run.trace = options->trace;
        result = run_seed(&run);
        all.states++;
        if (!result.kept)
            tell(&all, &run.server, &result, state);
    }
    if (all.states == 0) {
        all.kept = false;
        snprintf(all.words, sizeof(all.words), "dialogue: state 0: there is none such of %" PRIu64
                 " %s", most, result.words);
    }
    return all;
}
