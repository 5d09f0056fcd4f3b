/* SPDX-License-Identifier: ISC
 *
 * role/relay_dial.c: new connections, as many as there are letters that wait and as the place may
 * have; and letters for those that are free.
 */
#include "role/relay_told_int.h"

struct relay_job *relay_next_for(struct relay *relay, const struct link *link)
{
    struct relay_job *next;

    if (link->place->dest != NULL && !relay_host_paces(relay, link))
        return NULL;
    for (struct relay_job *job = link->place->jobs; job != NULL; job = next) {
        next = job->next;
        if (relay_job_is_ready(job) && relay_link_suits(link, job)
            && relay_converts(relay, link, job))
            return job;
    }
    return NULL;
}

static bool is_idle(const struct link *link)
{
    return link->state == LINK_OPEN && link->job == NULL && !link->shaking
        && smtp_client_ready(link->client);
}

static size_t links_most(const struct relay *relay, const struct place *place)
{
    size_t most = relay_share(relay, place);
    struct conf_for what;

    if (place->dest != NULL) {
        relay_place_settings(relay, place, &what);
        return place->width < what.destination_most ? place->width : what.destination_most;
    }
    return most > RELAY_LINKS / 4 ? RELAY_LINKS / 4 : most;
}

/* Without those that are given up, and only wait for the system's word. */
static size_t live_links(const struct place *place)
{
    size_t n = 0;

    for (const struct link *link = place->first; link != NULL; link = link->next)
        n += !link->late;
    return n;
}

/* Those that will be free for a letter that waits; `idle` ones too. */
static size_t young(const struct place *place, bool idle)
{
    size_t n = 0;

    for (const struct link *link = place->first; link != NULL; link = link->next)
        n += (link->state == LINK_DIALS && !link->late)
          || (link->state == LINK_OPEN && link->job == NULL && (idle || !is_idle(link)));
    return n;
}

/* A place for a connection; when all are taken, of the one that is idle for longest: it comes free
   soon. */
static struct link *free_link(struct relay *relay)
{
    struct link *oldest = NULL;

    for (size_t i = 0; i < RELAY_LINKS; i++) {
        struct link *link = &relay->links[i];
        if (link->state == LINK_FREE)
            return link;
        if (is_idle(link) && (oldest == NULL || link->since_ms < oldest->since_ms))
            oldest = link;
    }
    if (oldest != NULL) {
        smtp_client_quit(oldest->client);
        relay_link_touch(relay, oldest);
        relay_link_go(relay, oldest);
    }
    return NULL;
}

static struct link *dial(struct relay *relay, struct place *place)
{
    struct link *link = free_link(relay);

    if (link == NULL)
        return NULL;
    *link = (struct link){ .state = LINK_DIALS, .place = place, .dialled_ms = relay->now.mono_ms,
                           .host = buffer_with_most(DNS_NAME_MOST),
                           .tlsa = buffer_with_most(DNS_ANSWER_MOST),
                           .base = buffer_with_most(DNS_NAME_MOST), .next = place->first };
    place->first = link;
    place->links++;
    relay_link_touch(relay, link);
    return link;
}

static void dial_ours(struct relay *relay, struct place *place)
{
    struct link *link = dial(relay, place);

    if (link != NULL)
        fx_dial(relay->fx, (uint32_t)(link - relay->links), &place->route.at, place->route.path);
}

static void dial_away(struct relay *relay, struct place *place, const struct relay_job *job,
                      const struct target *to)
{
    const struct dest_host *host = &place->dest->hosts[to->host];
    struct link *link = dial(relay, place);

    if (link == NULL)
        return;
    link->dialled_for = job->letter;
    relay_tlsrpt_shunned(relay, place, to);
    link->dialled_attempt = job->rcpts[0].attempt;
    link->at = to->at;
    link->channel = to->channel;
    link->policy = (uint8_t)to->policy;
    link->allowed = host->sts_allows;
    link->counts = (relay_wishes(job) & LETTER_OPTIONAL) == 0;
    for (size_t i = 0; i < LETTER_WISHES; i++)
        link->needs[i] = to->needs[i];
    buffer_put(&link->host, (struct bytes){ host->name, host->n });
    if (to->channel.need == CHANNEL_DANE) {
        buffer_put(&link->tlsa, to->proof.records);
        buffer_put(&link->base, to->proof.base);
    }
    fx_dial(relay->fx, (uint32_t)(link - relay->links), &link->at, BYTES_NONE);
}

/* One that is idle and of no use to the letters that wait makes room. */
static void let_go(struct relay *relay, struct place *place)
{
    for (struct link *link = place->first; link != NULL; link = link->next) {
        if (!is_idle(link))
            continue;
        smtp_client_quit(link->client);
        relay_link_touch(relay, link);
        relay_link_go(relay, link);
        return;
    }
}

/* The same of any destination's at that host. */
static void let_go_host(struct relay *relay, const struct dest_host *host)
{
    for (size_t i = 0; i < RELAY_LINKS; i++) {
        struct link *link = &relay->links[i];
        if (!is_idle(link) || host->n == 0
            || !bytes_equal(buffer_bytes(&link->host), (struct bytes){ host->name, host->n }))
            continue;
        smtp_client_quit(link->client);
        relay_link_touch(relay, link);
        relay_link_go(relay, link);
        return;
    }
}

/* Is that connection at work, or about to be, so that it may come to the letter in time? */
static bool may_come(const struct relay *relay, const struct link *link,
                     const struct relay_job *job)
{
    if (relay_lacks(job, relay_host_key(relay, buffer_bytes(&link->host))))
        return false;
    if (link->state == LINK_DIALS)
        return !link->late;
    return link->state == LINK_OPEN
        && (!link->greeted || (link->job != NULL && relay_link_suits(link, job)));
}

/* Though there can be no new one now. */
static bool one_may_come(const struct relay *relay, const struct relay_job *job)
{
    for (const struct link *link = job->place->first; link != NULL; link = link->next)
        if (may_come(relay, link, job))
            return true;
    return false;
}

/* For a letter that waits. ASKS: not now, for none. */
static enum target_state seek(struct relay *relay, struct place *place, struct relay_job *job)
{
    struct client_result result;
    struct target to;
    enum target_state found = relay_target(relay, place, job, &to, &result);

    switch (found) {
    case TARGET_ASKS: case TARGET_SETTLES: return found;
    case TARGET_WAITS:
        let_go_host(relay, &place->dest->hosts[to.host]);
        return found;
    case TARGET_PACED:
        relay_job_again(relay, job);
        return found;
    case TARGET_NONE:
        if (result.outcome == CLIENT_LATER && one_may_come(relay, job))
            return found;
        relay_tlsrpt_shunned(relay, place, &to);
        relay_job_results(relay, job, &result);
        relay_job_free(relay, job);
        return found;
    case TARGET_FOUND: break;
    }
    if (live_links(place) >= links_most(relay, place))
        let_go(relay, place);
    else
        dial_away(relay, place, job, &to);
    return found;
}

/* It has all the connections that it may have, each at work: a letter that waits gets the first
   that is free. */
static bool is_full(const struct relay *relay, const struct place *place)
{
    size_t live = 0;

    for (const struct link *link = place->first; link != NULL; link = link->next) {
        if (link->state != LINK_OPEN || link->job == NULL)
            return false;
        live += !link->late;
    }
    return live >= links_most(relay, place);
}

/* The first `busy` of those that wait have a connection that comes. True: for one that none suited
   any does now, also those that are there. */
static bool seek_all(struct relay *relay, struct place *place, size_t busy)
{
    struct relay_job *next;
    size_t waits = 0;
    bool settled = false;

    for (struct relay_job *job = place->jobs; job != NULL; job = next) {
        next = job->next;
        if (!relay_job_is_ready(job) || ++waits <= busy)
            continue;
        enum target_state found = seek(relay, place, job);
        if (found == TARGET_ASKS || found == TARGET_WAITS)
            break;
        settled = settled || found == TARGET_SETTLES;
        busy = young(place, false);
    }
    return settled;
}

static void ours(struct relay *relay, struct place *place)
{
    size_t waits = 0, comes = young(place, true);

    for (const struct relay_job *job = place->jobs; job != NULL; job = job->next)
        waits += job->link == NULL;
    while (waits > comes && place->links < links_most(relay, place)) {
        size_t before = place->links;
        dial_ours(relay, place);
        if (place->links == before)
            return;
        comes++;
    }
}

static void use_idle(struct relay *relay, struct place *place)
{
    struct link *next;

    for (struct link *link = place->first; link != NULL && !relay->stopping; link = next) {
        struct relay_job *job;
        next = link->next;
        if (!is_idle(link) || (job = relay_next_for(relay, link)) == NULL)
            continue;
        relay_link_begin(relay, link, job);
        relay_link_go(relay, link);
    }
}

void relay_place_turn(struct relay *relay, struct place *place)
{
    bool again = true;

    while (again) {                     /* a letter settles once */
        again = false;
        use_idle(relay, place);
        if (place->rests_until_ms > relay->now.mono_ms || relay->stopping)
            return;
        if (place->dest == NULL)
            ours(relay, place);
        else if (!is_full(relay, place))
            again = seek_all(relay, place, young(place, false));
    }
}
