/* SPDX-License-Identifier: ISC
 *
 * role/relay_stall.c: servers that are silent: when one has stalled, so that it holds no more than
 * its share of the deliveries, and when the next time-out of any connection comes.
 */
#include "role/relay_int.h"

/* Does it owe us a word? */
static bool is_busy(const struct link *link)
{
    return link->state == LINK_DIALS
        || (link->state == LINK_OPEN && (link->job != NULL || !link->greeted));
}

/* When who is silent since then has stalled, if that is to come and before `due`. */
static uint64_t soonest(const struct relay *relay, uint64_t since_ms, uint64_t due)
{
    uint64_t now_ms = relay->now.mono_ms, haste = since_ms + RELAY_HASTE_MS;
    uint64_t stalls = haste > now_ms ? haste : since_ms + RELAY_STALL_MS;

    return stalls > now_ms && stalls < due ? stalls : due;
}

uint64_t relay_links_due(const struct relay *relay)
{
    uint64_t due = UINT64_MAX;

    for (size_t i = 0; i < RELAY_LINKS; i++) {
        const struct link *link = &relay->links[i];
        bool timed = link->state == LINK_DIALS || link->state == LINK_OPEN;
        if (timed && link->due_ms < due)
            due = link->due_ms;
        if (is_busy(link))
            due = soonest(relay, link->since_ms, due);
    }
    for (const struct place *place = relay->busy; place != NULL; place = place->next_busy)
        if (place->questions > 0)
            due = soonest(relay, place->asked_ms, due);
    return due;
}

/* A server of which nothing was heard may keep few deliveries waiting when most are taken. */
static uint64_t stall_ms(const struct relay *relay, const struct place *place)
{
    bool scarce = relay->letters * 2 >= relay->conf->jobs;

    for (const struct link *link = place->first; link != NULL; link = link->next)
        if (link->greeted)
            return RELAY_STALL_MS;
    return scarce ? RELAY_HASTE_MS : RELAY_STALL_MS;
}

bool relay_is_stalled(const struct relay *relay, const struct place *place)
{
    uint64_t most = stall_ms(relay, place);

    if (place->questions > 0 && relay->now.mono_ms - place->asked_ms >= most)
        return true;
    for (const struct link *link = place->first; link != NULL; link = link->next)
        if (is_busy(link) && relay->now.mono_ms - link->since_ms >= most)
            return true;
    return false;
}
