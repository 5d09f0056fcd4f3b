/* SPDX-License-Identifier: ISC
 *
 * role/front_manners.c: who may come in, and how long he is borne with. From whom a connection
 * really is (PROXY, XCLIENT), the limits per address and network, clients who talk before the
 * greeting, and the short temper of a front that is nearly full.
 *
 *   SESSION_PROXY --header--> SESSION_DELAY --time--> SESSION_OPEN     [manners_come, manners_in]
 *   `-- not from such a balancer --^   `-- no delay --^
 */
#include "role/front_int.h"

#include "base/ip.h"
#include "base/log.h"

#include <assert.h>
#include <string.h>

enum {
    STRESS_IDLE_MS = 10 * 1000,     /* as Postfix under stress */
    STRESS_ERRORS = 1,
    STRESS_BEGINS = 80, STRESS_ENDS = 70,   /* of a hundred places */
    PROXY_MS = 5 * 1000,            /* a balancer says its header at once */
    EARLY_MOST = 4 * 1024,          /* SRV-070 */
    NETS_MEMORY = 1024 * 1024,
    PLACES_A_CONNECTION = 4, PLACES_LEAST = 16 * 1024,
};

static struct limit_rules rules_of(const struct conf *conf)
{
    return (struct limit_rules){
        .address_open = limit_share(conf->address_open, conf->fronts),
        .network_open = limit_share(conf->network_open, conf->fronts),
        .address_new = limit_share(conf->address_new, conf->fronts),
        .address_bad = limit_share(conf->address_bad, conf->fronts),
    };
}

static bool take_nets(struct front *front)
{
    const struct conf *conf = front->conf;
    struct manners *manners = &front->manners;

    arena_done(&manners->memory);
    manners->memory = arena_with_ceiling(NETS_MEMORY);
    return nets_take(conf->trust, &manners->memory, &manners->trust)
        && nets_take(conf->xclient_from, &manners->memory, &manners->xclient_from)
        && nets_take(conf->proxy_from, &manners->memory, &manners->proxy_from)
        && nets_take(conf->relay_from, &manners->memory, &manners->relay_from);
}

bool manners_make(struct front *front)
{
    struct limit_rules rules = rules_of(front->conf);
    size_t places = PLACES_A_CONNECTION * (size_t)conf_connections(front->conf);

    front->manners.limits = limits_new(&rules, front->key,
                                       places < PLACES_LEAST ? PLACES_LEAST : places);
    return front->manners.limits != NULL && take_nets(front);
}

bool manners_reload(struct front *front)
{
    struct limit_rules rules = rules_of(front->conf);

    if (front->manners.limits != NULL)
        limits_set(front->manners.limits, &rules);
    return take_nets(front);
}

void manners_done(struct front *front)
{
    limits_free(front->manners.limits);
    arena_done(&front->manners.memory);
}

/* ---- stress */

static void set_patience(struct front *front, struct session *session)
{
    bool short_of_it = front->manners.stressed && !session->trusted;

    smtp_server_set_patience(session->smtp, short_of_it ? STRESS_ERRORS : LIMIT_HARD_ERRORS,
                             LIMIT_BAD_RECIPIENTS);
    if (short_of_it)
        clock_touch(front, session);
}

void manners_look(struct front *front)
{
    size_t bound = front->manners.stressed ? STRESS_ENDS : STRESS_BEGINS;
    bool stressed = front->connected * 100 >= (size_t)conf_connections(front->conf) * bound;

    if (stressed == front->manners.stressed)
        return;
    front->manners.stressed = stressed;
    log_stress(front, stressed);
    for (size_t i = 0; i < front->sessions_room; i++)
        if (front->sessions[i] != NULL)
            set_patience(front, front->sessions[i]);
}

uint64_t manners_idle_ms(const struct front *front, const struct session *session)
{
    uint64_t idle_ms = front->conf->idle_ms;

    return front->manners.stressed && !session->trusted && idle_ms > STRESS_IDLE_MS
        ? STRESS_IDLE_MS : idle_ms;
}

/* ---- coming in */

static void turn_away(struct front *front, struct session *session, unsigned reply,
                      struct status_code code, struct bytes words, const char *why)
{
    log_turned_away(front, session, why);
    if (session->stage != SESSION_OPEN) {   /* else the machine may be reading it just now */
        buffer_done(&session->pending);
        session->pending_at = 0;
    }
    session->stage = SESSION_OPEN;
    session->quit = true;               /* it was not given the time to say it */
    session->over = session->over || (session->implicit && session->tls == NULL);
    smtp_server_refuse(session->smtp, reply, code, words);
    front_mark(front, session);
}

static const struct { const char *words, *why; } refusals[LIMIT_VERDICTS] = {
    [LIMIT_ADDRESS_OPEN] = { "Too many connections from your address; close some, then return",
                             "address-connections" },
    [LIMIT_NETWORK_OPEN] = { "Too many connections from your network; close some, then return",
                             "network-connections" },
    [LIMIT_ADDRESS_NEW] = { "Your address connects too often; wait a minute, then send several "
                            "letters in one connection", "address-rate" },
    [LIMIT_ADDRESS_BAD] = { "Your address named too many recipients that do not exist; clean "
                            "the list, then return in an hour", "address-bad-recipients" },
};

/* The session is from its client now: count it there. False: it was turned away. */
static bool admit(struct front *front, struct session *session)
{
    enum limit_verdict verdict = LIMIT_WITHIN;

    if (!session->trusted && front->manners.limits != NULL) {
        verdict = limits_enter(front->manners.limits, session->remote.ip, front->now.mono_ms);
        session->counted = verdict == LIMIT_WITHIN;
    }
    if (verdict == LIMIT_WITHIN)
        return true;
    turn_away(front, session, 421, STATUS(4, 7, 0), bytes_of(refusals[verdict].words),
              refusals[verdict].why);
    return false;
}

void manners_leave(struct front *front, struct session *session)
{
    if (session->counted)
        limits_leave(front->manners.limits, session->remote.ip, front->now.mono_ms);
    session->counted = false;
}

/* From whom it is, and what follows from that alone. */
static void take_remote(struct front *front, struct session *session,
                        const struct net_address *remote)
{
    const struct manners *manners = &front->manners;
    struct buffer text = buffer_with_most(FRONT_PEER_MOST);
    bool local = remote->unix_peer;

    session->remote = *remote;
    session->trusted = local || nets_hold(&manners->trust, remote->ip);
    session->relays = local || nets_hold(&manners->relay_from, remote->ip);
    session->settings = front->settings;
    session->settings.urgent = session->relays;
    session->settings.xclient = !local && nets_hold(&manners->xclient_from, remote->ip);
    if (session->trusted)
        session->settings.size_most = front->conf->size_trusted;
    if (local)
        net_address_put(&text, remote);
    else
        ip_put(&text, remote->ip);
    session->peer_n = (uint8_t)text.n;
    if (text.n > 0)
        memcpy(session->peer, text.at, text.n);
    buffer_done(&text);
}

void manners_greet(struct front *front, struct session *session)
{
    session->stage = SESSION_OPEN;
    session->command_ms = front->now.mono_ms;
    front_mark(front, session);
    if (front->stopping || front->store == STORE_CLOSED)
        turn_away(front, session, 421, STATUS(4, 3, 2),
                  BYTES("No mail is taken now, try again later"), "closed");
    else if (front->connected > conf_connections(front->conf))
        turn_away(front, session, 421, STATUS(4, 7, 0),
                  BYTES("Too many clients are connected, try again later"), "full");
    else
        smtp_server_greet(session->smtp);
    smtp_server_set_low(session->smtp, front->store == STORE_LOW);
    set_patience(front, session);
}

/* TLS from the first octet; what came behind a PROXY header is its beginning. */
static void begin_tls(struct front *front, struct session *session)
{
    struct buffer early = session->pending;

    session->stage = SESSION_OPEN;
    session->pending = buffer_with_most(early.most);
    if (session_secure(front, session))
        session_cipher(front, session, buffer_bytes(&early));
    else
        turn_away(front, session, 421, STATUS(4, 7, 0), BYTES("No TLS now, try again later"),
                  "no-tls");
    buffer_done(&early);
}

/* Known by now: let it in, at once or after the delay of the greeting. */
static void let_in(struct front *front, struct session *session)
{
    uint64_t delay_ms = session->trusted ? 0 : front->conf->greet_delay_ms;

    if (!admit(front, session))
        return;
    if (session->implicit) {
        begin_tls(front, session);
        return;
    }
    if (delay_ms == 0) {
        manners_greet(front, session);
        return;
    }
    session->stage = SESSION_DELAY;
    session->stage_ms = front->now.mono_ms + delay_ms;
    front_mark(front, session);
}

void manners_begin(struct front *front, struct session *session, const struct net_address *remote)
{
    take_remote(front, session, remote);
    session->stage = SESSION_PROXY;
    session->stage_ms = front->now.mono_ms + PROXY_MS;
}

void manners_come(struct front *front, struct session *session)
{
    if (session->remote.unix_peer
        || !nets_hold(&front->manners.proxy_from, session->remote.ip))
        let_in(front, session);
}

/* ---- before the greeting */

/* What a client said in the time that was ours: SRV-070. */
static void on_early(struct front *front, struct session *session)
{
    size_t n = session->pending.n - session->pending_at;

    if (n == 0 || (n <= EARLY_MOST && !front->conf->early_refused))
        return;
    log_early(front, session, n);
    turn_away(front, session, 554, STATUS(5, 5, 1),
              BYTES("You spoke before the greeting; wait for 220"), "early-talker");
}

static bool on_proxy(struct front *front, struct session *session)
{
    struct net_address client = { .port = 0 };
    size_t used = 0;

    switch (proxy_take(buffer_bytes(&session->pending), &used, &client)) {
    case PROXY_MORE: return true;
    case PROXY_BAD: return false;
    case PROXY_CLIENT:
        take_remote(front, session, &client);
        log_client(front, session, "proxied");
        break;
    case PROXY_OWN: break;
    }
    buffer_drop(&session->pending, used);
    let_in(front, session);
    if (session->stage == SESSION_DELAY)
        on_early(front, session);
    return true;
}

bool manners_in(struct front *front, struct session *session, struct bytes bytes)
{
    bool proxy = session->stage == SESSION_PROXY;

    if (!proxy && bytes.n > EARLY_MOST)
        bytes = bytes_first(bytes, EARLY_MOST + 1);
    buffer_put(&session->pending, bytes);
    if (proxy)
        return on_proxy(front, session);
    on_early(front, session);
    return true;
}

bool manners_late(struct front *front, struct session *session)
{
    if (session->stage == SESSION_PROXY)
        return false;
    if (session->pending.n > session->pending_at)
        log_early(front, session, session->pending.n - session->pending_at);
    manners_greet(front, session);
    return true;
}

void manners_stop(struct front *front, struct session *session)
{
    if (session->stage != SESSION_OPEN)
        manners_greet(front, session);          /* which says that we are stopping */
}

/* ---- later */

void manners_xclient(struct front *front, struct session *session)
{
    const struct xclient *xclient = smtp_server_xclient(session->smtp);
    struct net_address remote = session->remote;

    if (xclient->has_ip)
        memcpy(remote.ip, xclient->ip, sizeof(remote.ip));
    remote.port = xclient->port;
    manners_leave(front, session);
    take_remote(front, session, &remote);
    log_client(front, session, "xclient");
    if (admit(front, session))
        manners_greet(front, session);
}

void manners_answer(struct front *front, struct session *session, enum smtp_verdict verdict)
{
    bool bad = verdict == SMTP_NO_MAILBOX || verdict == SMTP_NO_RELAY;

    if (bad && session->counted
        && !limits_bad_recipient(front->manners.limits, session->remote.ip, front->now.mono_ms))
        smtp_server_set_patience(session->smtp, 0, 0);
    smtp_server_answer_rcpt(session->smtp, verdict);
}
