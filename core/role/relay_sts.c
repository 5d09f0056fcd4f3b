/* SPDX-License-Identifier: ISC
 *
 * role/relay_sts.c: the MTA-STS policy of a destination (RFC 8461): its record is asked of names,
 * its document of fetch, and what is known is kept in dns/sts_cache.h. A letter waits for them only
 * where no policy is held yet.
 */
#include "role/relay_told_int.h"

#include "base/log.h"

enum { TURN_SHIFT = 16 };

static const struct role_name to_fetch = { ROLE_FETCH, 0 };

static const struct bytes label = BYTES_INIT("_mta-sts.");

/* Domains have policies; hosts of the configuration and addresses have none, nor has a name that is
   too long for its record's. */
static bool has_policy(const struct place *place)
{
    return !place->dest->routed && dns_name_is_plain(place->name)
        && place->name.n + label.n <= DNS_NAME_MOST;
}

static bool ask_record(struct relay *relay, struct place *place)
{
    struct buffer name = buffer_with_most(DNS_NAME_MOST);

    buffer_put(&name, label);
    buffer_put(&name, place->name);
    bool asked = !name.bad && relay_names_ask(relay, place, ASK_STS, 0, buffer_bytes(&name));
    buffer_done(&name);
    return asked;
}

static struct fetching *free_fetching(struct relay *relay)
{
    for (size_t i = 0; i < RELAY_FETCHES; i++)
        if (!relay->fetches[i].waits)
            return &relay->fetches[i];
    return NULL;
}

/* `fetch` without its turn. False: not now. */
static bool ask_fetch(struct relay *relay, struct fetching fetch, enum fetch_kind kind,
                      struct bytes url, struct bytes body)
{
    struct fetching *fetching = relay->fetch ? free_fetching(relay) : NULL;

    if (fetching == NULL)
        return false;
    fetch.waits = true;
    fetch.turn = (uint16_t)(fetching->turn + 1);
    *fetching = fetch;
    wire_tell_fetch_ask(relay->fx, to_fetch, &(struct wire_fetch_ask){
        .token = (uint32_t)(fetching - relay->fetches) | (uint32_t)fetch.turn << TURN_SHIFT,
        .kind = (uint8_t)kind, .url = fx_keep(relay->fx, url), .body = body });
    return true;
}

bool relay_fetch_report(struct relay *relay, uint32_t token, struct bytes url, struct bytes body)
{
    return ask_fetch(relay, (struct fetching){ .token = token }, FETCH_REPORT, url, body);
}

static bool ask_policy(struct relay *relay, struct place *place)
{
    struct buffer url = buffer_with_most(STS_URL_MOST);

    sts_url_put(&url, place->name);
    bool asked = ask_fetch(relay, (struct fetching){ .place = place }, FETCH_POLICY,
                           buffer_bytes(&url), BYTES_NONE);
    buffer_done(&url);
    if (asked) {
        place->questions++;
        place->asked_ms = relay->now.mono_ms;
    }
    return asked;
}

static void ask(struct relay *relay, struct place *place, enum sts_want want)
{
    if (place->dest->sts_asks)
        return;
    switch (want) {
    case STS_WANT_NOTHING: break;
    case STS_WANT_RECORD: place->dest->sts_asks = ask_record(relay, place); break;
    case STS_WANT_POLICY: place->dest->sts_asks = ask_policy(relay, place); break;
    }
}

static struct sts_cache *cache_of(struct relay *relay)
{
    if (relay->sts == NULL)
        relay->sts = sts_cache_new(relay->key);
    return relay->sts;
}

enum dest_state dest_sts(struct relay *relay, struct place *place)
{
    struct dest *dest = place->dest;

    dest->sts = STS_NONE;
    dest->sts_unsure = false;
    if (!has_policy(place))
        return DEST_READY;
    if (cache_of(relay) == NULL)
        return DEST_FLAWED;
    struct sts_view view = sts_cache_look(relay->sts, relay->now.mono_ms, place->name);
    ask(relay, place, view.want);
    if (view.must_wait)
        return dest->sts_asks ? DEST_ASKS : DEST_FLAWED;
    dest->sts = view.mode;
    dest->sts_unsure = view.unsure;
    for (size_t i = 0; i < dest->hosts_n; i++)
        dest->hosts[i].sts_allows = view.policy != NULL
            && sts_allows(view.policy, (struct bytes){ dest->hosts[i].name, dest->hosts[i].n });
    return DEST_READY;
}

/* ---- what came */

void relay_sts_record(struct relay *relay, struct place *place, const struct dns_answer *answer)
{
    place->dest->sts_asks = false;
    if (relay->sts != NULL)
        sts_cache_record(relay->sts, relay->now.mono_ms, place->name, answer);
}

static void log_policy(struct relay *relay, const struct place *place, enum fetch_result result,
                       struct sts_flaw flaw)
{
    struct buffer *line = fx_draft(relay->fx);
    struct sts_view view = sts_cache_look(relay->sts, relay->now.mono_ms, place->name);

    log_begin(line, "sts-policy");
    log_theirs(line, "domain", place->name);
    log_ours(line, "in-force", bytes_of(view.policy == NULL ? "-" : sts_mode_name(view.mode)));
    if (result != FETCH_WELL)
        log_ours(line, "why", bytes_of(fetch_result_words(result)));
    if (flaw.words != NULL) {
        log_uint(line, "line", flaw.line);
        log_ours(line, "why", bytes_of(flaw.words));
    }
    fx_log(relay->fx, LOG_INFO, fx_keep(relay->fx, buffer_bytes(line)));
}

/* For the domain's owner (RFC 8460, 4.3.2.2). */
static void count_failure(struct relay *relay, const struct place *place, enum fetch_result result,
                          struct sts_flaw flaw)
{
    if (flaw.words != NULL)
        relay_tlsrpt_policy(relay, place, "sts-policy-invalid", flaw.words);
    else if (fetch_result_tlsrpt(result)[0] != '\0')
        relay_tlsrpt_policy(relay, place, fetch_result_tlsrpt(result), fetch_result_words(result));
}

static void fetched(struct relay *relay, struct fetching *fetching, enum fetch_result result,
                    struct bytes body)
{
    struct place *place = fetching->place;

    fetching->waits = false;
    fetching->place = NULL;
    if (place == NULL) {
        relay_tlsrpt_taken(relay, fetching->token, result == FETCH_WELL);
        return;
    }
    place->questions--;
    place->dest->sts_asks = false;
    if (relay->sts != NULL) {
        struct sts_flaw flaw = sts_cache_fetched(relay->sts, relay->now.mono_ms, place->name,
                                                 result, body);
        log_policy(relay, place, result, flaw);
        if (result == FETCH_WELL && flaw.words == NULL)
            relay_memory_changed(relay, true);
        count_failure(relay, place, result, flaw);
    }
    relay_place_is_busy(relay, place);
}

bool relay_sts_fetched(struct relay *relay, const struct wire_fetch_is *is)
{
    uint32_t at = is->token & ((1 << TURN_SHIFT) - 1);

    if (is->result < FETCH_WELL || is->result >= FETCH_RESULTS)
        return false;
    if (at < RELAY_FETCHES && relay->fetches[at].waits
        && relay->fetches[at].turn == is->token >> TURN_SHIFT)
        fetched(relay, &relay->fetches[at], (enum fetch_result)is->result, is->body);
    return true;
}

void relay_sts_peer(struct relay *relay, bool up)
{
    relay->fetch = up;
    for (size_t i = 0; i < RELAY_FETCHES && !up; i++)
        if (relay->fetches[i].waits)
            fetched(relay, &relay->fetches[i], FETCH_NOT_NOW, BYTES_NONE);
}
