/* SPDX-License-Identifier: ISC
 *
 * role/relay.c: the role that speaks with other mail servers: today the LMTP servers that keep
 * mailboxes.
 *
 * The store gives it one recipient's copy at a time, as it does to local; each goes over a
 * connection that is kept for the next one, several beside each other. A server that cannot be
 * reached rests, the longer the more often it failed, and what is for it waits in the queue
 * meanwhile; one that is silent holds no more than its share of the deliveries. Mail for other
 * servers has no route yet: it waits.
 */
#include "role/relay_int.h"

#include "base/log.h"
#include "role/role.h"

#include <string.h>

/* False: a frame that does not read, or is not ours to get. */
static bool on_frame(struct relay *relay, struct bytes frame)
{
    struct wire_job_begin begin;
    struct wire_job_part part;
    struct wire_job_end end;
    struct wire_job_drop drop;
    struct wire_mailbox_ask ask;

    if (wire_read_job_part(frame, &part))
        return relay_job_part(relay, &part), true;
    if (wire_read_job_begin(frame, &begin))
        return relay_job_begin(relay, &begin), true;
    if (wire_read_job_end(frame, &end))
        return relay_job_end(relay, end.job), true;
    if (wire_read_job_drop(frame, &drop))
        return relay_job_drop(relay, drop.job), true;
    if (wire_read_mailbox_ask(frame, &ask))
        return relay_ask(relay, &ask), true;
    return false;
}

static void on_told(struct relay *relay, const struct event *event)
{
    if (event->peer.kind == ROLE_STORE && on_frame(relay, event->bytes))
        return;
    struct buffer *line = fx_draft(relay->fx);
    log_begin(line, "bad-frame");
    log_ours(line, "kind", bytes_of(wire_name(wire_kind_of(event->bytes))));
    log_uint(line, "octets", event->bytes.n);
    fx_log(relay->fx, LOG_ERROR, fx_keep(relay->fx, buffer_bytes(line)));
}

static void on_alarm(struct relay *relay)
{
    relay_links_late(relay);
    for (size_t i = 0; i < relay->places_n; i++)
        if (relay_is_stalled(relay, &relay->places[i]))
            relay_shed(relay, &relay->places[i]);
}

static bool same_server(const struct conf_route *a, const struct conf_route *b)
{
    return bytes_equal(a->path, b->path)
        && (a->path.n > 0 || memcmp(&a->at, &b->at, sizeof(a->at)) == 0);
}

/* What a place says of its server lies in the settings; one that is no more in them has a copy. */
static void describe(struct place *place, const struct conf_route *route, struct bytes text)
{
    place->route = *route;
    place->name = route->domain.n == 0 ? text : bytes_skip(text, route->domain.n + 1);
}

static void add_place(struct relay *relay, struct bytes text)
{
    struct place *place = &relay->places[relay->places_n];
    struct conf_route route;

    if (!conf_route_parse(text, &route))
        return;
    for (size_t i = 0; i < relay->places_n; i++)
        if (same_server(&relay->places[i].route, &route)) {
            describe(&relay->places[i], &route, text);
            return;
        }
    *place = (struct place){ .why = buffer_with_most(512), .kept = buffer_with_most(512) };
    describe(place, &route, text);
    place->jobs_end = &place->jobs;
    relay->places_n++;
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

/* Those there are move into a longer list, and all that points to them follows. */
static bool widen(struct relay *relay, size_t room)
{
    struct place *before = relay->places, *places = mem_new(room * sizeof(*places));

    if (places == NULL)
        return false;
    for (size_t i = 0; i < relay->places_n; i++) {
        places[i] = before[i];
        if (places[i].jobs == NULL)
            places[i].jobs_end = &places[i].jobs;
        for (struct relay_job *job = places[i].jobs; job != NULL; job = job->next)
            job->place = &places[i];
    }
    for (size_t i = 0; i < RELAY_LINKS; i++)
        if (relay->links[i].place != NULL)
            relay->links[i].place = &places[relay->links[i].place - before];
    relay->places = places;
    mem_free(before);
    return true;
}

/* Connections and what they carry go on; a server that is gone from the settings ends its work. */
static bool on_reload(struct relay *relay, const struct conf *conf)
{
    struct route_flaw flaw;
    struct routes *routes = routes_new(conf, &flaw);

    if (routes == NULL || !widen(relay, relay->places_n + conf->lmtp.n + 1)) {
        routes_free(routes);
        return false;
    }
    routes_free(relay->routes);
    relay->routes = routes;
    relay->conf = conf;
    for (size_t i = 0; i < relay->places_n; i++)
        if (!keep_text(&relay->places[i]))
            return false;
    for (size_t i = 0; i < conf->lmtp.n; i++)
        add_place(relay, conf->lmtp.list[i]);
    for (size_t i = 0; i < RELAY_LINKS; i++)
        if (relay->links[i].client != NULL)
            smtp_client_set_host(relay->links[i].client, conf->host);
    return true;
}

static void on_event(struct relay *relay, const struct event *event)
{
    switch (event->kind) {
    case EV_TOLD: on_told(relay, event); break;
    case EV_CONNECTED: relay_connected(relay, event); break;
    case EV_BYTES: relay_bytes(relay, event->conn, event->bytes); break;
    case EV_DRAINED: relay_drained(relay, event->conn); break;
    case EV_END: relay_closed(relay, event->conn, true); break;
    case EV_CLOSED: relay_closed(relay, event->conn, false); break;
    case EV_ALARM: on_alarm(relay); break;
    case EV_PEER_DOWN:
        if (event->peer.kind == ROLE_STORE)
            relay_forget_all(relay);
        break;
    case EV_STOP:
        if (!relay->stopping)
            relay->stop_ms = relay->now.mono_ms + RELAY_STOP_MS;
        relay->stopping = true;
        break;
    case EV_RELOAD:
        if (!on_reload(relay, event->conf))
            relay->fx->bad = true;
        break;
    case EV_START:
        memcpy(relay->key, event->bytes.at,
               event->bytes.n < sizeof(relay->key) ? event->bytes.n : sizeof(relay->key));
        break;
    case EV_PEER_UP: case EV_TURN: case EV_ACCEPT: case EV_IO: case EV_CHILD: case EV_ASKED:
    case EV_RESOLVED: case EV_FETCHED:
        break;
    }
}

/* The alarm: a link's end of patience, or the end of all. */
static void set_alarm(struct relay *relay)
{
    uint64_t due = relay_links_due(relay);

    if (relay->stopping && relay->stop_ms < due)
        due = relay->stop_ms;
    due = due == UINT64_MAX ? 0 : due;
    if (due != relay->alarm_ms)
        fx_alarm(relay->fx, due);
    relay->alarm_ms = due;
}

static void relay_step(void *role, const struct event *event, struct effects *fx)
{
    struct relay *relay = role;

    relay->now = event->now;
    relay->fx = fx;
    if (event->kind == EV_ALARM)
        relay->alarm_ms = 0;
    on_event(relay, event);
    for (size_t i = 0; i < relay->places_n; i++)
        if (relay->places[i].jobs != NULL)
            relay_place_turn(relay, &relay->places[i]);
    if (relay->stopping && !relay->over
        && (relay_is_quiet(relay) || relay->now.mono_ms >= relay->stop_ms)) {
        relay->over = true;
        fx_exit(fx, 0);
    }
    set_alarm(relay);
    relay->fx = NULL;
}

static void relay_free(void *role)
{
    struct relay *relay = role;

    if (relay == NULL)
        return;
    for (size_t i = 0; i < relay->places_n; i++) {
        struct place *place = &relay->places[i];
        while (place->jobs != NULL)
            relay_job_free(relay, place->jobs);
        buffer_done(&place->why);
        buffer_done(&place->kept);
    }
    relay_links_done(relay);
    mem_free(relay->places);
    routes_free(relay->routes);
    mem_free(relay);
}

static void *relay_make(const struct conf *conf, uint32_t index)
{
    struct relay *relay = mem_new(sizeof(*relay));
    struct route_flaw flaw;

    if (relay == NULL)
        return NULL;
    relay->conf = conf;
    relay->routes = routes_new(conf, &flaw);
    relay->places = mem_new((conf->lmtp.n + 1) * sizeof(*relay->places));
    if (relay->routes == NULL || relay->places == NULL) {
        relay_free(relay);
        return NULL;
    }
    for (size_t i = 0; i < conf->lmtp.n; i++)
        add_place(relay, conf->lmtp.list[i]);
    return relay;
}

const struct role_ops relay_ops = { "relay", relay_make, relay_step, relay_free };
