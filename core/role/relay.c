/* SPDX-License-Identifier: ISC
 *
 * role/relay.c: the role that speaks with other mail servers: the LMTP servers that keep mailboxes
 * of ours, and by SMTP the servers of all other domains.
 *
 * The store gives it a letter for one recipient, or for all that it has at one destination; it goes
 * over a connection that is kept for the next one, several beside each other. A server that cannot
 * be reached rests, the longer the more often it failed, and what is for it waits in the queue
 * meanwhile; one that is silent holds no more than its share of the deliveries, so that a dead
 * destination slows nobody else.
 */
#include "role/relay_memo_int.h"
#include "role/relay_told_int.h"

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
    struct wire_job_also also;
    struct wire_destination_hold hold;
    struct wire_tlsrpt_ask reports;
    struct wire_tlsrpt_taken taken;
    struct wire_memory memory;
    struct wire_peers_ask peers;

    if (wire_read_job_part(frame, &part))
        return relay_job_part(relay, &part), true;
    if (wire_read_job_begin(frame, &begin))
        return relay_job_begin(relay, &begin), true;
    if (wire_read_job_also(frame, &also))
        return relay_job_also(relay, &also), true;
    if (wire_read_job_end(frame, &end))
        return relay_job_end(relay, end.job), true;
    if (wire_read_job_drop(frame, &drop))
        return relay_job_drop(relay, drop.job), true;
    if (wire_read_mailbox_ask(frame, &ask))
        return relay_ask(relay, &ask), true;
    if (wire_read_destination_hold(frame, &hold))
        return relay_hold(relay, &hold), true;
    if (wire_read_memory(frame, &memory))
        return relay_memory_is(relay, &memory), true;
    if (wire_read_peers_ask(frame, &peers))
        return relay_peers_ask(relay, &peers), true;
    if (wire_read_tlsrpt_ask(frame, &reports))
        return relay_tlsrpt_ask(relay, &reports), true;
    if (wire_read_tlsrpt_taken(frame, &taken))
        return relay_tlsrpt_taken(relay, taken.token, taken.taken != 0), true;
    return false;
}

static bool on_name(struct relay *relay, struct bytes frame)
{
    struct wire_name_is is;

    if (!wire_read_name_is(frame, &is))
        return false;
    relay_names_is(relay, &is);
    return true;
}

static void on_told(struct relay *relay, const struct event *event)
{
    struct wire_fetch_is fetched;

    if (event->peer.kind == ROLE_STORE && on_frame(relay, event->bytes))
        return;
    if (event->peer.kind == ROLE_NAMES && on_name(relay, event->bytes))
        return;
    if (event->peer.kind == ROLE_KEYS && relay_present_told(relay, event->bytes))
        return;
    if (event->peer.kind == ROLE_FETCH && wire_read_fetch_is(event->bytes, &fetched)
        && relay_sts_fetched(relay, &fetched))
        return;
    struct buffer *line = fx_draft(relay->fx);
    log_begin(line, "bad-frame");
    log_ours(line, "kind", bytes_of(wire_name(wire_kind_of(event->bytes))));
    log_uint(line, "octets", event->bytes.n);
    fx_log(relay->fx, LOG_ERROR, fx_keep(relay->fx, buffer_bytes(line)));
}

/* Connections and what they carry go on; a server that is gone from the settings ends its work. */
static bool on_reload(struct relay *relay, const struct conf *conf)
{
    struct route_flaw flaw;
    struct routes *routes = routes_new(conf, &flaw);

    if (routes == NULL)
        return false;
    routes_free(relay->routes);
    relay->routes = routes;
    relay->conf = conf;
    tls_context_free(relay->tls);
    relay->tls = relay_present_context(relay, conf);
    for (size_t i = 0; i < RELAY_LINKS; i++) {
        struct link *link = &relay->links[i];
        if (link->client != NULL)
            smtp_client_set_host(link->client, conf->host);
        if (link->state == LINK_OPEN && !link->greeted && link->place->dest != NULL
            && link->place->dest->signs_in)
            relay_link_drop(relay, link);       /* the password it holds is no more */
    }
    return relay_places_reload(relay);
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
    case EV_ALARM: relay_links_late(relay); break;
    case EV_PEER_DOWN:
        if (event->peer.kind == ROLE_STORE)
            relay_forget_all(relay);
        if (event->peer.kind == ROLE_NAMES)
            relay_names_peer(relay, false);
        if (event->peer.kind == ROLE_FETCH)
            relay_sts_peer(relay, false);
        if (event->peer.kind == ROLE_KEYS)
            relay_present_peer(relay, false);
        break;
    case EV_PEER_UP:
        if (event->peer.kind == ROLE_STORE && relay->memory.saved_n > 0)
            relay_memory_changed(relay, true);  /* the one before may have died with it unwritten */
        if (event->peer.kind == ROLE_NAMES)
            relay_names_peer(relay, true);
        if (event->peer.kind == ROLE_FETCH)
            relay_sts_peer(relay, true);
        if (event->peer.kind == ROLE_KEYS)
            relay_present_peer(relay, true);
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
    case EV_TURN: case EV_ACCEPT: case EV_IO: case EV_CHILD: case EV_ASKED:
    case EV_RESOLVED: case EV_FETCHED:
        break;
    }
}

/* The alarm: a link's end of patience, or the end of all. */
static void set_alarm(struct relay *relay)
{
    uint64_t due = relay_links_due(relay), reports = relay_tlsrpt_due(relay);

    due = reports < due ? reports : due;
    due = relay_memory_due(relay) < due ? relay_memory_due(relay) : due;
    if (relay->stopping && relay->stop_ms < due)
        due = relay->stop_ms;
    due = due == UINT64_MAX ? 0 : due;
    if (due != relay->alarm_ms)
        fx_alarm(relay->fx, due);
    relay->alarm_ms = due;
}

/* All that came together has been heard. */
static void turn(struct relay *relay)
{
    relay_places_turn(relay);
    relay_tlsrpt_go(relay);
    relay_memory_go(relay);
    if (relay->stopping && !relay->over
        && (relay_is_quiet(relay) || relay->now.mono_ms >= relay->stop_ms)) {
        relay->over = true;
        fx_exit(relay->fx, 0);
    }
    set_alarm(relay);
}

static void relay_step(void *role, const struct event *event, struct effects *fx)
{
    struct relay *relay = role;

    relay->now = event->now;
    relay->fx = fx;
    if (event->kind == EV_ALARM)
        relay->alarm_ms = 0;
    on_event(relay, event);
    if (event->kind == EV_TURN)
        turn(relay);
    relay->fx = NULL;
}

static void relay_free(void *role)
{
    struct relay *relay = role;

    if (relay == NULL)
        return;
    relay_links_done(relay);
    relay_places_done(relay);
    relay_memos_done(relay);
    relay_tlsrpt_done(relay);
    relay_memory_done(relay);
    sts_cache_free(relay->sts);
    tls_context_free(relay->tls);
    relay_present_done(relay);
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
    relay->tls = relay_present_context(relay, conf);
    if (relay->routes == NULL || !relay_places_make(relay)) {
        relay_free(relay);
        return NULL;
    }
    return relay;
}

const struct role_ops relay_ops = { "relay", relay_make, relay_step, relay_free };
