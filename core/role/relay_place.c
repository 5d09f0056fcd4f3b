/* SPDX-License-Identifier: ISC
 *
 * role/relay_place.c: destinations. Those of the settings are always there; those elsewhere are
 * made when mail for them comes, and the one that was not used for longest is forgotten when there
 * are too many.
 */
#include "role/relay_int.h"

#include "base/hash.h"
#include "base/log.h"

#include <string.h>

static void place_free(struct place *place)
{
    if (place == NULL)
        return;
    buffer_done(&place->why);
    buffer_done(&place->kept);
    dest_free(place->dest);
    mem_free(place);
}

static struct place *place_new(void)
{
    struct place *place = mem_new(sizeof(*place));

    if (place != NULL) {
        place->why = buffer_with_most(512);
        place->kept = buffer_with_most(512);
        place->jobs_end = &place->jobs;
        place->width = RELAY_WIDTH;
    }
    return place;
}

/* ---- the table */

static bool is_idle(const struct place *place)
{
    return place->dest != NULL && place->jobs == NULL && !place->busy && place->links == 0
        && place->questions == 0;
}

static void forget(struct relay *relay, size_t i)
{
    place_free(relay->places[i]);
    relay->places_n--;
    relay->places[i] = relay->places[relay->places_n];
    relay->hashes[i] = relay->hashes[relay->places_n];
}

static bool make_room(struct relay *relay)
{
    size_t oldest = RELAY_PLACES;

    if (relay->places_n < RELAY_PLACES)
        return true;
    for (size_t i = 0; i < relay->places_n; i++)
        if (is_idle(relay->places[i])
            && (oldest == RELAY_PLACES
                || relay->places[i]->used_ms < relay->places[oldest]->used_ms))
            oldest = i;
    if (oldest == RELAY_PLACES)
        return false;
    forget(relay, oldest);
    return true;
}

static bool put(struct relay *relay, struct place *place)
{
    if (!make_room(relay))
        return false;
    relay->hashes[relay->places_n] = siphash(relay->key, place->name);
    relay->places[relay->places_n++] = place;
    return true;
}

/* ---- elsewhere */

static struct place *find_away(struct relay *relay, struct bytes name)
{
    uint64_t hash = siphash(relay->key, name);

    for (size_t i = 0; i < relay->places_n; i++)
        if (relay->hashes[i] == hash && relay->places[i]->dest != NULL
            && bytes_equal(relay->places[i]->name, name))
            return relay->places[i];
    return NULL;
}

static struct place *make_away(struct relay *relay, struct bytes name)
{
    struct place *place = place_new();

    if (place == NULL)
        return NULL;
    buffer_put(&place->kept, name);
    place->name = buffer_bytes(&place->kept);
    place->dest = place->kept.bad ? NULL : dest_new(relay, place->name);
    if (place->dest == NULL || !put(relay, place)) {
        place_free(place);
        place = NULL;
    }
    return place;
}

struct place *relay_place_away(struct relay *relay, struct bytes address, bool *ret_known)
{
    struct buffer name = buffer_with_most(LIMIT_PATH);
    struct place *place = NULL;

    bool well = conf_destination_put(relay->conf, address, &name);
    *ret_known = well || name.bad;
    if (well) {
        place = find_away(relay, buffer_bytes(&name));
        if (place == NULL)
            place = make_away(relay, buffer_bytes(&name));
    }
    if (place != NULL)
        place->used_ms = relay->now.mono_ms;
    buffer_done(&name);
    return place;
}

/* ---- of ours */

static bool same_server(const struct conf_route *a, const struct conf_route *b)
{
    return bytes_equal(a->path, b->path)
        && (a->path.n > 0 || memcmp(&a->at, &b->at, sizeof(a->at)) == 0);
}

struct place *relay_place_ours(struct relay *relay, const struct conf_route *route)
{
    for (size_t i = 0; i < relay->places_n; i++)
        if (relay->places[i]->dest == NULL && same_server(&relay->places[i]->route, route))
            return relay->places[i];
    return NULL;
}

/* What a place says of its server lies in the settings; one that is no more in them has a copy. */
static void describe(struct place *place, const struct conf_route *route, struct bytes text)
{
    place->route = *route;
    place->name = route->domain.n == 0 ? text : bytes_skip(text, route->domain.n + 1);
}

static bool add_ours(struct relay *relay, struct bytes text)
{
    struct conf_route route;

    if (!conf_route_parse(text, &route))
        return true;
    struct place *place = relay_place_ours(relay, &route);
    if (place != NULL) {
        describe(place, &route, text);
        return true;
    }
    place = place_new();
    if (place == NULL)
        return false;
    describe(place, &route, text);
    if (!put(relay, place)) {
        place_free(place);
        return false;
    }
    return true;
}

bool relay_places_make(struct relay *relay)
{
    for (size_t i = 0; i < relay->conf->lmtp.n; i++)
        if (!add_ours(relay, relay->conf->lmtp.list[i]))
            return false;
    return true;
}

static bool keep_text(struct place *place)
{
    struct buffer kept = buffer_with_most(512);

    buffer_put(&kept, place->name);
    buffer_done(&place->kept);
    place->kept = kept;
    struct conf_route route;
    if (kept.bad || !conf_route_parse(buffer_bytes(&kept), &route))
        return false;
    describe(place, &route, buffer_bytes(&kept));
    return true;
}

/* Those elsewhere are found anew, for routes and passwords may be others: but who is at work goes
   on as it is. */
bool relay_places_reload(struct relay *relay)
{
    for (size_t i = relay->places_n; i-- > 0;) {
        struct place *place = relay->places[i];
        if (place->dest == NULL && !keep_text(place))
            return false;
        if (is_idle(place))
            forget(relay, i);
    }
    return relay_places_make(relay);
}

void relay_places_done(struct relay *relay)
{
    for (size_t i = 0; i < relay->places_n; i++) {
        while (relay->places[i]->jobs != NULL)
            relay_job_free(relay, relay->places[i]->jobs);
        place_free(relay->places[i]);
    }
    relay->places_n = 0;
    relay_held_done(relay);
}

/* ---- turns */

size_t relay_share(const struct relay *relay, const struct place *place)
{
    if (place->dest != NULL)
        return 1;
    return relay->conf->jobs / 2 < 1 ? 1 : (size_t)relay->conf->jobs / 2;
}

bool relay_is_choked(const struct relay *relay)
{
    size_t n = 0;

    if (2 * relay->letters <= relay->conf->jobs)
        return false;
    for (const struct place *place = relay->busy; place != NULL; place = place->next_busy)
        if (place->dest != NULL && place->letters > 0 && relay_is_stalled(relay, place))
            n += place->letters;
    return 2 * n > relay->conf->jobs;
}

/* It is silent: letters beyond its share go back to the store, and who asks for a mailbox hears
   what was known of it before. */
static void shed(struct relay *relay, struct place *place, size_t share)
{
    struct relay_job *next;

    for (struct relay_job *job = place->jobs; job != NULL; job = next) {
        next = job->next;
        if (job->ask && job->left > 0)
            relay_ask_guess(relay, job);
        if (job->link != NULL || (!job->ask && place->letters <= share))
            continue;
        if (job->ask)
            relay_job_free(relay, job);
        else
            relay_job_again(relay, job);
    }
}

void relay_place_is_busy(struct relay *relay, struct place *place)
{
    if (place->busy)
        return;
    place->busy = true;
    place->next_busy = relay->busy;
    relay->busy = place;
}

void relay_places_turn(struct relay *relay)
{
    struct place **at = &relay->busy;
    bool choked = relay_is_choked(relay);

    while (*at != NULL) {
        struct place *place = *at;
        size_t share = choked && place->dest != NULL ? 0 : relay_share(relay, place);
        size_t before = place->letters;
        if ((place->letters > share || relay->asks > 0) && relay_is_stalled(relay, place))
            shed(relay, place, share);
        choked = choked && (place->letters == before || relay_is_choked(relay));
        if (place->jobs != NULL)
            relay_place_turn(relay, place);
        if (place->jobs != NULL) {
            at = &place->next_busy;
            continue;
        }
        while (*at != place)            /* others may stand before it by now */
            at = &(*at)->next_busy;
        *at = place->next_busy;
        place->busy = false;
    }
}

/* ---- a server of ours that cannot be reached */

static void log_rest(struct relay *relay, const struct place *place, uint64_t rest_ms)
{
    struct buffer *line = fx_draft(relay->fx);

    log_begin(line, "server-unreachable");
    log_ours(line, "server", conf_destination_shown(place->name));
    log_theirs(line, "why", buffer_bytes(&place->why));
    log_uint(line, "rests-ms", rest_ms);
    fx_log(relay->fx, LOG_WARN, fx_keep(relay->fx, buffer_bytes(line)));
}

static void give_up_waiting(struct relay *relay, struct place *place, struct status_code code,
                            struct bytes words)
{
    struct client_result result = { .outcome = CLIENT_LATER, .code = code, .words = words };
    struct relay_job *next;

    for (struct relay_job *job = place->jobs; job != NULL; job = next) {
        next = job->next;
        if (job->link != NULL)
            continue;
        relay_job_results(relay, job, &result);
        relay_job_free(relay, job);
    }
}

void relay_place_rest(struct relay *relay, struct place *place, struct status_code code,
                      struct bytes words)
{
    uint64_t rest_ms = RELAY_REST_MS;

    for (unsigned i = 0; i < place->failures && rest_ms < RELAY_REST_MOST_MS; i++)
        rest_ms *= 2;
    place->failures++;
    place->rests_until_ms = relay->now.mono_ms + rest_ms;
    buffer_clear(&place->why);
    buffer_put(&place->why, bytes_first(words, 512));
    log_rest(relay, place, rest_ms);
    give_up_waiting(relay, place, code, words);
}

/* ---- pace */

void relay_place_settings(const struct relay *relay, const struct place *place,
                          struct conf_for *ret_for)
{
    struct bytes name = place->name;

    if (bytes_begins(name, BYTES("=")))
        name = bytes_first(bytes_skip(name, 1), bytes_find_last(bytes_skip(name, 1), ':'));
    conf_for_domain(relay->conf, name, ret_for);
}

bool relay_place_paces(struct relay *relay, struct place *place)
{
    enum { MINUTE_MS = 60 * 1000 };
    uint64_t now_ms = relay->now.mono_ms;
    struct conf_for what;

    if (place->dest == NULL)
        return true;
    relay_place_settings(relay, place, &what);
    uint64_t most = what.destination_rate;
    if (most == 0)
        return true;
    if (place->minute_ms == 0 || now_ms - place->minute_ms >= MINUTE_MS) {
        place->minute_ms = now_ms;
        place->minute_n = 0;
    }
    return place->minute_n++ < most;
}
