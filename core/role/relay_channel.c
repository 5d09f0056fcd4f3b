/* SPDX-License-Identifier: ISC
 *
 * role/relay_channel.c: where to dial next for a letter, and what the connection must be. Decided
 * from the facts each time anew: host by host as the MX records order them, address by address with
 * the families in turn; what lately failed is passed over.
 */
#include "role/relay_memo_int.h"
#include "role/relay_told_int.h"

#include "base/hash.h"
#include "dns/guard.h"

#include <string.h>

unsigned relay_wishes(const struct relay_job *job)
{
    return (job->tls_optional ? LETTER_OPTIONAL : 0) | (job->require_tls ? LETTER_REQUIRES : 0);
}

/* What is remembered of it: by its name, or where it has none by its only address. */
static struct memo *memo_of(struct relay *relay, const struct place *place,
                            const struct dest_host *host)
{
    struct net_address at = { .port = place->dest->port };

    if (host->n > 0)
        return relay_memo_host(relay, (struct bytes){ host->name, host->n });
    memcpy(at.ip, host->ips[host->ips_n[0] > 0 ? 0 : 1][0], sizeof(at.ip));
    return relay_memo_at(relay, &at);
}

/* ---- the channel */

/* Does mail wait there for TLS, for the reason alone that it always was? */
static bool is_held(struct relay *relay, const struct place *place)
{
    return relay->conf->hold_downgraded && relay_ledger(relay) != NULL
        && ledger_holds(relay->ledger, place->name, relay->conf->hold_downgraded_ms,
                        relay->now.wall_ms);
}

static enum channel_policy policy_of(struct relay *relay, const struct place *place)
{
    static const enum channel_policy policies[] = {
        [CONF_TLS_MAY] = CHANNEL_POLICY_MAY, [CONF_TLS_ENCRYPT] = CHANNEL_POLICY_ENCRYPT,
        [CONF_TLS_VERIFY] = CHANNEL_POLICY_VERIFY, [CONF_TLS_DANE] = CHANNEL_POLICY_DANE,
        [CONF_TLS_NONE] = CHANNEL_POLICY_NONE,
    };
    struct bytes name = place->name;

    if (bytes_begins(name, BYTES("=")))     /* of a hop: by its host */
        name = bytes_first(bytes_skip(name, 1), bytes_find_last(bytes_skip(name, 1), ':'));
    enum channel_policy policy = policies[conf_tls_of(relay->conf, name)];
    if (place->dest->signs_in && policy != CHANNEL_POLICY_DANE)
        policy = CHANNEL_POLICY_VERIFY;
    return policy;
}

static size_t usable(struct bytes rest)
{
    struct bytes one;
    struct bytes list[DNS_RECORDS_MOST];
    size_t n = 0;

    while (n < COUNT(list) && dns_next_record(&rest, &one))
        list[n++] = one;
    return tls_tlsa_usable(list, n);
}

/* Nothing that was found is unsigned. A family that has no address, or whose question failed, does
   not make the other one's worth less: else who keeps an answer back could take DANE away. */
static bool is_signed(const struct fact *fact)
{
    return fact->verdict != DNS_INSECURE;
}

static struct channel_facts facts_of(struct relay *relay, const struct place *place,
                                     const struct dest_host *host, const struct memo *memo)
{
    const struct dest *dest = place->dest;

    return (struct channel_facts){
        .route_secure = dest->secure,
        .address_secure = host->n > 0 && is_signed(&host->a) && is_signed(&host->aaaa),
        .sts = dest->sts, .sts_allows = host->sts_allows, .sts_unsure = dest->sts_unsure,
        .policy = policy_of(relay, place),
        .held = is_held(relay, place), .broken = memo->broken_until_ms > relay->now.mono_ms,
    };
}

/* TLSA records that would count for such a letter, and were not asked for, leave it open. */
static struct channel decide(struct channel_facts *facts, unsigned wishes)
{
    facts->require_tls = (wishes & LETTER_REQUIRES) != 0;
    facts->tls_optional = (wishes & LETTER_OPTIONAL) != 0;
    if (facts->tlsa == NULL && channel_wants_tlsa(facts))
        return (struct channel){ .need = CHANNEL_WAIT, .code = STATUS(4, 4, 3), .why = "" };
    return channel_decide(facts);
}

/* The channel to that host; false: its TLSA records are being asked for. */
static bool channel_to(struct relay *relay, struct place *place, size_t i, unsigned wishes,
                       struct target *to)
{
    struct dest_host *host = &place->dest->hosts[i];
    struct memo *memo = memo_of(relay, place, host);
    static const struct memo none;
    struct channel_facts facts = facts_of(relay, place, host, memo == NULL ? &none : memo);
    struct dns_answer tlsa = { .verdict = DNS_NODATA };

    facts.require_tls = (wishes & LETTER_REQUIRES) != 0;
    facts.tls_optional = (wishes & LETTER_OPTIONAL) != 0;
    if (channel_wants_tlsa(&facts)) {
        if (dest_tlsa(relay, place, i, &to->proof) == DEST_ASKS)
            return false;
        tlsa.verdict = to->proof.verdict;
        facts.tlsa = &tlsa;
        facts.tlsa_usable = usable(to->proof.records);
    }
    to->policy = tlsa.verdict == DNS_SECURE ? TLSRPT_TLSA
               : facts.sts != STS_NONE ? TLSRPT_STS : TLSRPT_NO_POLICY;
    for (unsigned other = 0; other < LETTER_WISHES; other++)
        to->needs[other] = decide(&facts, other).need;
    to->channel = decide(&facts, wishes);
    return true;
}

/* ---- the address */

struct search {
    struct target *to;
    struct relay_job *job;
    bool last;                      /* also what failed lately */
    struct client_result why;
    bool said;                      /* `why` is a host's own, not that it has no address */
    bool paced, full;               /* a host would do, but for host-rate, host-connections */
    size_t full_host;
    struct effects *fx;
};

static void reject(struct search *search, bool own, struct status_code code, struct bytes words)
{
    if (search->why.words.n > 0 && (search->said || !own))
        return;
    search->said = own;
    search->why = (struct client_result){
        .outcome = code.class == 5 ? CLIENT_FAILED : CLIENT_LATER, .code = code,
        .words = fx_keep(search->fx, words) };
}

static bool may_dial(struct relay *relay, const struct place *place, const uint8_t ip[static 16],
                     struct search *search)
{
    enum guard_verdict verdict = guard_look(ip);

    if (verdict == GUARD_OPEN || place->dest->routed || relay->conf->allow_private)
        return true;
    reject(search, true, STATUS(4, 4, 4), bytes_of(guard_words(verdict)));
    return false;
}

/* What failed lately goes last; nothing is dialled for the same letter twice. */
static bool is_passed_over(struct relay *relay, const struct memo *memo,
                           const struct search *search)
{
    return memo_is_spent(relay, memo, search->job)
        || (memo->bad_until_ms > relay->now.mono_ms && !search->last);
}

static bool take_address(struct relay *relay, struct place *place, size_t i, struct search *search)
{
    const struct dest_host *host = &place->dest->hosts[i];

    for (size_t n = 0; n < RELAY_HOST_ADDRESSES; n++)
        for (size_t family = 0; family < 2; family++) {
            struct net_address at = { .port = place->dest->port };
            if (n >= host->ips_n[family])
                continue;
            memcpy(at.ip, host->ips[family][n], 16);
            if (!may_dial(relay, place, at.ip, search))
                continue;
            struct memo *memo = relay_memo_at(relay, &at);
            if (memo != NULL && is_passed_over(relay, memo, search)) {
                reject(search, true, memo->code, buffer_bytes(&memo->why));
                continue;
            }
            search->to->at = at;
            return true;
        }
    return false;
}

static void reject_host(struct relay *relay, struct search *search, const struct dest_host *host)
{
    bool no = host->a.verdict != DNS_FAILED && host->a.verdict != DNS_BOGUS
           && host->aaaa.verdict != DNS_FAILED && host->aaaa.verdict != DNS_BOGUS;
    struct buffer *words = fx_draft(relay->fx);

    buffer_put(words, (struct bytes){ host->name, host->n });
    buffer_put_text(words, no ? " has no address" : ": its addresses could not be found out");
    reject(search, false, no ? STATUS(4, 4, 4) : STATUS(4, 4, 3), buffer_bytes(words));
}

/* Its TLS failed lately where it must not. */
static bool is_unfit(struct relay *relay, const struct place *place, struct search *search,
                     const struct dest_host *host)
{
    struct memo *memo = memo_of(relay, place, host);
    const struct channel *channel = &search->to->channel;

    if (memo == NULL || !is_passed_over(relay, memo, search) || channel->need < CHANNEL_ENCRYPT)
        return false;
    struct buffer *words = fx_draft(relay->fx);
    buffer_put(words, buffer_bytes(&memo->why));
    buffer_put_text(words, " (");
    buffer_put_text(words, channel->why);
    buffer_put_char(words, ')');
    reject(search, true, channel->code, buffer_bytes(words));
    return true;
}

/* Not this host: to be told to its domain, when RFC 8460 has a name for it. */
static void shun(struct target *to, size_t i)
{
    const struct channel *channel = &to->channel;

    if (to->shunned_result != NULL || channel->result == NULL || channel->result[0] == '\0')
        return;
    to->shunned = i;
    to->shunned_result = channel->result;
    to->shunned_why = channel->why;
    to->shunned_policy = bytes_begins(bytes_of(channel->result), BYTES("d"))
                       ? TLSRPT_TLSA : to->policy;      /* dnssec-invalid, dane-required */
}

static size_t links_to(const struct relay *relay, const struct place *place,
                       const struct dest_host *host)
{
    struct bytes name = { host->name, host->n };
    size_t n = 0;

    for (size_t i = 0; i < RELAY_LINKS; i++) {
        const struct link *link = &relay->links[i];
        n += (link->state == LINK_DIALS || link->state == LINK_OPEN) && !link->late
          && link->place->dest != NULL
          && (name.n == 0 ? link->place == place : bytes_equal(buffer_bytes(&link->host), name));
    }
    return n;
}

/* It has what it may have now. */
static bool is_sated(struct relay *relay, const struct place *place, const struct dest_host *host,
                     struct search *search)
{
    struct memo *memo = memo_of(relay, place, host);
    bool paced = memo != NULL && !memo_paces(relay, memo);
    bool full = links_to(relay, place, host) >= relay->conf->host_most;

    search->paced = search->paced || paced;
    search->full = search->full || full;
    search->full_host = full ? search->to->host : search->full_host;
    return paced || full;
}

static enum target_state try_host(struct relay *relay, struct place *place, size_t i,
                                  struct search *search)
{
    const struct dest_host *host = &place->dest->hosts[i];

    if (relay_lacks(search->job, relay_host_key(relay, (struct bytes){ host->name, host->n })))
        return TARGET_NONE;
    if (dest_addresses(relay, place, i) == DEST_ASKS)
        return TARGET_ASKS;
    if (host->ips_n[0] + host->ips_n[1] == 0) {
        reject_host(relay, search, host);
        return TARGET_NONE;
    }
    if (!channel_to(relay, place, i, relay_wishes(search->job), search->to))
        return TARGET_ASKS;
    const struct channel *channel = &search->to->channel;
    if (channel->need == CHANNEL_WAIT || channel->need == CHANNEL_NOT_HERE) {
        shun(search->to, i);
        reject(search, true, channel->code, bytes_of(channel->why));
        return TARGET_NONE;
    }
    search->to->host = i;
    if (is_unfit(relay, place, search, host) || !take_address(relay, place, i, search)
        || is_sated(relay, place, host, search))
        return TARGET_NONE;
    return TARGET_FOUND;
}

/* Host by host; first those that did not fail lately. */
static enum target_state try_hosts(struct relay *relay, struct place *place,
                                   struct search *search)
{
    for (unsigned round = 0; round < 2; round++) {
        search->last = round > 0;
        for (size_t i = 0; i < place->dest->hosts_n; i++) {
            enum target_state tried = try_host(relay, place, i, search);
            if (tried != TARGET_NONE || place->dest->flaw.class != 0)
                return tried;
        }
    }
    return TARGET_NONE;
}

/* Hosts were asked that do not take it, and there is none beside them that might: for those that
   have no address are none. */
static bool is_settled(struct search *search)
{
    struct relay_job *job = search->job;

    if (job->lacks_n == 0 || job->settles || search->said
        || (search->why.words.n > 0 && search->why.code.detail != 4))
        return false;
    job->settles = true;
    return true;
}

enum target_state relay_target(struct relay *relay, struct place *place, struct relay_job *job,
                               struct target *ret_target, struct client_result *ret_result)
{
    struct target to = { .host = 0 };
    struct search search = { .to = &to, .job = job, .fx = relay->fx, .why.words = BYTES_NONE };
    enum dest_state state = dest_hosts(relay, place);
    enum dest_state sts = state == DEST_FLAWED ? DEST_READY : dest_sts(relay, place);

    if (state == DEST_ASKS || sts == DEST_ASKS)
        return TARGET_ASKS;
    if (state == DEST_FLAWED)
        reject(&search, true, place->dest->flaw, bytes_of(place->dest->flaw_words));
    else if (sts == DEST_FLAWED)
        reject(&search, true, STATUS(4, 4, 3), BYTES("its MTA-STS policy cannot be asked for now"));
    if (sts == DEST_FLAWED)
        state = DEST_FLAWED;
    enum target_state tried = state == DEST_READY ? try_hosts(relay, place, &search) : TARGET_NONE;
    if (tried != TARGET_NONE) {
        *ret_target = to;
        return tried;
    }
    if (place->dest->flaw.class != 0 && state == DEST_READY)    /* found while it was asked for */
        reject(&search, true, place->dest->flaw, bytes_of(place->dest->flaw_words));
    ret_target->host = search.full_host;
    if (search.full || search.paced)
        return search.full ? TARGET_WAITS : TARGET_PACED;
    if (is_settled(&search))
        return TARGET_SETTLES;
    if (search.why.words.n == 0)
        reject(&search, true, STATUS(4, 4, 4), BYTES("none of its hosts has an address"));
    *ret_result = search.why;
    *ret_target = to;
    return TARGET_NONE;
}

/* ---- a connection that is there */

uint64_t relay_host_key(const struct relay *relay, struct bytes host)
{
    return siphash(relay->key, host);
}

bool relay_lacks(const struct relay_job *job, uint64_t host)
{
    for (size_t i = 0; i < job->lacks_n && !job->settles; i++)
        if (job->lacks[i] == host)
            return true;
    return false;
}

bool relay_host_paces(struct relay *relay, const struct link *link)
{
    struct memo *memo = relay->conf->host_rate == 0 ? NULL : relay_memo_link(relay, link);

    return memo == NULL || memo_paces(relay, memo);
}

bool relay_link_suits(const struct link *link, const struct relay_job *job)
{
    if (link->place->dest == NULL)
        return true;
    switch (link->needs[relay_wishes(job)]) {
    case CHANNEL_WAIT: case CHANNEL_NOT_HERE: return false;
    case CHANNEL_CLEAR: case CHANNEL_ANY: return true;
    case CHANNEL_ENCRYPT: return link->level >= LEVEL_TLS;
    case CHANNEL_NAME: return link->level >= LEVEL_NAME;
    case CHANNEL_DANE: return link->level >= LEVEL_DANE;
    }
    return false;
}
