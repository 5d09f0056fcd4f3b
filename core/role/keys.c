/* SPDX-License-Identifier: ISC
 *
 * role/keys.c: the role that holds the private keys. It shows none: it tells the fronts the
 * certificates, and signs what a front asks for when its form is that of a signature in a TLS
 * handshake (crypt/sign.h); for relay with the keys of `client-certificate` alone. The secrets of
 * resumption tickets begin here too, and change every 12 hours.
 */
#include "role/keys_int.h"

#include "base/log.h"
#include "role/role.h"

#include <string.h>

/* ---- sets */

void key_set_done(struct key_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        sign_key_free(set->list[i].key);
        buffer_done(&set->list[i].chain);
    }
    for (size_t i = 0; i < set->authorities_n; i++)
        buffer_done(&set->authorities[i]);
    mem_free(set->list);
    *set = (struct key_set){ 0 };
}

bool key_set_add(struct key_set *set, struct sign_key *key, struct bytes chain)
{
    struct buffer copy = buffer_with_most(KEYS_FILE_MOST);

    if (set->list == NULL)
        set->list = mem_new(KEYS_MOST * sizeof(*set->list));
    buffer_put(&copy, chain);
    if (set->list == NULL || set->n == KEYS_MOST || copy.bad) {
        buffer_done(&copy);
        return false;
    }
    set->list[set->n++] = (struct held_key){ key, copy };
    return true;
}

void keys_log(struct keys *keys, enum log_level level, const char *event, struct bytes file,
              const char *why)
{
    struct buffer *line = fx_draft(keys->fx);

    log_begin(line, event);
    if (file.n > 0)
        log_theirs(line, "file", file);
    if (why != NULL)
        log_ours(line, "why", bytes_of(why));
    fx_log(keys->fx, level, fx_keep(keys->fx, buffer_bytes(line)));
}

/* ---- telling the askers */

static struct role_name asker_of(uint32_t index)
{
    return index == LIMIT_FRONTS ? (struct role_name){ ROLE_RELAY, 0 }
                                 : (struct role_name){ ROLE_FRONT, index };
}

/* KEYS_ASKERS: it is none. */
static uint32_t index_of(struct role_name asker)
{
    if (asker.kind == ROLE_RELAY)
        return LIMIT_FRONTS;
    return asker.kind == ROLE_FRONT && asker.index < LIMIT_FRONTS ? asker.index : KEYS_ASKERS;
}

static uint32_t number_of(const struct key_set *set, size_t i)
{
    return set->generation * KEYS_MOST + (uint32_t)i;
}

/* A relay that was taken over is not to be a server of ours: it has what it needs, and no more. */
static bool may_have(const struct keys *keys, struct role_name asker, const struct held_key *held)
{
    return asker.kind == ROLE_FRONT
        || sign_chain_names(buffer_bytes(&held->chain), keys->conf->client_certificate);
}

static size_t tell_certificates(struct keys *keys, struct role_name asker)
{
    const struct key_set *set = &keys->set;
    size_t n = 0;

    for (size_t i = 0; i < set->n; i++) {
        if (!may_have(keys, asker, &set->list[i]))
            continue;
        wire_tell_keys_certificate(keys->fx, asker, &(struct wire_keys_certificate){
            set->generation, number_of(set, i), buffer_bytes(&set->list[i].chain) });
        n++;
    }
    return n;
}

static void tell_set(struct keys *keys, struct role_name asker)
{
    const struct key_set *set = &keys->set;
    uint32_t generation = set->generation;

    if (set->n == 0)
        return;
    wire_tell_keys_begin(keys->fx, asker, &(struct wire_keys_begin){ generation });
    if (tell_certificates(keys, asker) == 0 && keys->conf->client_certificate.n > 0)
        keys_log(keys, LOG_WARN, "no-client-certificate", BYTES_NONE,
                 "no certificate has the name that client-certificate gives");
    for (size_t i = 0; i < set->authorities_n && asker.kind == ROLE_FRONT; i++)
        wire_tell_keys_authority(keys->fx, asker, &(struct wire_keys_authority){
            generation, buffer_bytes(&set->authorities[i]) });
    wire_tell_keys_end(keys->fx, asker, &(struct wire_keys_end){ generation });
}

static struct bytes secret(const uint8_t octets[static KEYS_SECRET])
{
    return (struct bytes){ (const char *)octets, KEYS_SECRET };
}

static void tell_tickets(struct keys *keys, struct role_name asker)
{
    if (asker.kind != ROLE_FRONT)
        return;
    wire_tell_ticket_keys(keys->fx, asker, &(struct wire_ticket_keys){
        secret(keys->secret_now), keys->has_before ? secret(keys->secret_before) : BYTES_NONE });
}

static void tell_all(struct keys *keys, void (*tell)(struct keys *, struct role_name))
{
    for (uint32_t i = 0; i < KEYS_ASKERS; i++)
        if (keys->up[i])
            tell(keys, asker_of(i));
}

static void set_alarm(struct keys *keys)
{
    bool forgets = keys->before.n > 0 && keys->forget_ms < keys->rotate_ms;

    fx_alarm(keys->fx, forgets ? keys->forget_ms : keys->rotate_ms);
}

/* Until it has heard of the new set a front shows certificates of the old one, and no client is to
   see an alert for that. */
void keys_install(struct keys *keys, struct key_set *set)
{
    key_set_done(&keys->before);
    keys->before = keys->set;
    keys->forget_ms = keys->now.mono_ms + KEYS_STAY_MS;
    keys->set = *set;
    keys->set.generation = ++keys->generations;
    tell_all(keys, tell_set);
    set_alarm(keys);
}

/* ---- tickets */

static void new_secret(struct keys *keys)
{
    struct buffer octets = buffer_with_most(KEYS_SECRET);

    if (!sign_random(&octets, KEYS_SECRET)) {
        keys->fx->bad = true;
    } else {
        memcpy(keys->secret_now, octets.at, KEYS_SECRET);
        mem_wipe(octets.at, octets.room);
    }
    buffer_done(&octets);
    keys->rotate_ms = keys->now.mono_ms + KEYS_ROTATE_MS;
    set_alarm(keys);
}

static void on_alarm(struct keys *keys)
{
    if (keys->now.mono_ms >= keys->forget_ms)
        key_set_done(&keys->before);
    if (keys->now.mono_ms < keys->rotate_ms) {
        set_alarm(keys);
        return;
    }
    memcpy(keys->secret_before, keys->secret_now, KEYS_SECRET);
    keys->has_before = true;
    new_secret(keys);
    tell_all(keys, tell_tickets);
}

/* ---- signing */

/* A role that was taken over could ask without end. */
static bool is_allowed(struct keys *keys, uint32_t asker)
{
    struct allowance *allowance = &keys->allowances[asker];
    uint64_t second = keys->now.mono_ms / 1000;

    if (allowance->second != second)
        *allowance = (struct allowance){ .second = second };
    if (allowance->used == KEYS_OPS_A_SECOND)
        keys_log(keys, LOG_WARN, "too-many-signatures", BYTES_NONE, NULL);
    return allowance->used < UINT32_MAX && ++allowance->used <= KEYS_OPS_A_SECOND;
}

static const struct sign_key *key_of(const struct keys *keys, struct role_name asker,
                                     uint32_t number)
{
    uint32_t generation = number / KEYS_MOST, place = number % KEYS_MOST;
    const struct key_set *set = generation == keys->set.generation ? &keys->set : &keys->before;

    return generation == set->generation && place < set->n
        && may_have(keys, asker, &set->list[place]) ? set->list[place].key : NULL;
}

static void on_keyop(struct keys *keys, uint32_t asker, const struct wire_keyop *keyop)
{
    struct buffer signature = buffer_with_most(SIGNATURE_MOST);
    const struct sign_key *key = key_of(keys, asker_of(asker), keyop->key);

    if (key != NULL && is_allowed(keys, asker)
        && !sign_key_sign(key, (enum sign_scheme)keyop->scheme, keyop->tbs, &signature))
        keys_log(keys, LOG_WARN, "signature-refused", BYTES_NONE, NULL);
    wire_tell_keyop_done(keys->fx, asker_of(asker), &(struct wire_keyop_done){
        keyop->session, keyop->conn, fx_keep(keys->fx, buffer_bytes(&signature)) });
    buffer_done(&signature);
}

/* ---- events */

static void on_told(struct keys *keys, const struct event *event)
{
    struct wire_keyop keyop;
    uint32_t asker = index_of(event->peer);

    if (asker == KEYS_ASKERS || !wire_read_keyop(event->bytes, &keyop)) {
        keys_log(keys, LOG_WARN, "bad-frame", BYTES_NONE, NULL);
        return;
    }
    on_keyop(keys, asker, &keyop);
}

static void on_peer(struct keys *keys, const struct event *event)
{
    uint32_t asker = index_of(event->peer);

    if (asker == KEYS_ASKERS)
        return;
    keys->up[asker] = event->kind == EV_PEER_UP;
    if (event->kind != EV_PEER_UP)
        return;
    tell_tickets(keys, event->peer);
    tell_set(keys, event->peer);
}

static void keys_step(void *role, const struct event *event, struct effects *fx)
{
    struct keys *keys = role;

    keys->now = event->now;
    keys->fx = fx;
    switch (event->kind) {
    case EV_START:
        new_secret(keys);
        keys_read(keys);
        break;
    case EV_RELOAD:
        keys->conf = event->conf;
        if (keys->up[LIMIT_FRONTS])
            tell_set(keys, asker_of(LIMIT_FRONTS));     /* also when what is read now is no good */
        keys_read(keys);
        break;
    case EV_TOLD: on_told(keys, event); break;
    case EV_PEER_UP: case EV_PEER_DOWN: on_peer(keys, event); break;
    case EV_IO: keys_io(keys, event); break;
    case EV_ALARM: on_alarm(keys); break;
    case EV_STOP: fx_exit(fx, 0); break;
    case EV_ACCEPT: case EV_BYTES: case EV_END: case EV_CLOSED: case EV_DRAINED: case EV_TURN:
    case EV_CHILD: case EV_CONNECTED: case EV_ASKED: case EV_RESOLVED: case EV_FETCHED:
        break;
    }
    keys->fx = NULL;
}

static void *keys_make(const struct conf *conf, uint32_t index)
{
    struct keys *keys = mem_new(sizeof(*keys));

    (void)index;
    if (keys != NULL)
        keys->conf = conf;
    return keys;
}

static void keys_free(void *role)
{
    struct keys *keys = role;

    if (keys == NULL)
        return;
    keys_reading_done(&keys->reading);
    key_set_done(&keys->before);
    key_set_done(&keys->set);
    mem_wipe(keys, sizeof(*keys));
    mem_free(keys);
}

const struct role_ops keys_ops = { "keys", keys_make, keys_step, keys_free };
