/* SPDX-License-Identifier: ISC
 *
 * role/relay_tls.c: TLS on a connection to a server elsewhere. What must be is proved before a word
 * of a letter is said; what breaks where nothing asked for it is remembered, and the next
 * connection is in clear; never this one.
 */
#include "role/relay_memo_int.h"
#include "role/relay_told_int.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/plant.h"

static bool is_asked_for(const struct link *link)
{
    return link->channel.need >= CHANNEL_ENCRYPT;
}

static void send_cipher(struct relay *relay, struct link *link)
{
    struct bytes cipher = tls_cipher(link->tls);

    if (cipher.n > 0 && !link->gone)
        fx_send(relay->fx, link->conn, fx_keep(relay->fx, cipher));
    tls_cipher_sent(link->tls);
}

/* ---- trouble */

static void log_trouble(struct relay *relay, const struct link *link, struct bytes words)
{
    struct buffer *line = fx_draft(relay->fx);

    log_begin(line, "tls-failed");
    log_ours(line, "server", conf_destination_shown(link->place->name));
    log_theirs(line, "host", buffer_bytes(&link->host));
    log_ours(line, "need", bytes_of(channel_need_name(link->channel.need)));
    log_ours(line, "next", is_asked_for(link) ? BYTES("wait") : BYTES("clear"));
    log_theirs(line, "why", words);
    fx_log(relay->fx, LOG_WARN, fx_keep(relay->fx, buffer_bytes(line)));
}

static void miss(struct relay *relay, const struct link *link, struct bytes why);

void relay_tls_lacks(struct relay *relay, struct link *link, const char *result,
                     struct bytes words)
{
    struct memo *memo = relay_memo_link(relay, link);
    struct bytes why = fx_keep(relay->fx, words);

    log_trouble(relay, link, why);
    if (result[0] != '\0') {
        relay_tlsrpt_session(relay, link, result, why);
        miss(relay, link, why);
    }
    if (memo != NULL && is_asked_for(link) && !PLANTED(clear_after_tls))
        (void)memo_bad(relay, memo, link, RELAY_UNFIT_MS, link->channel.code, why);
    else if (memo != NULL)
        memo->broken_until_ms = relay->now.mono_ms + RELAY_BROKEN_MS;
    link->shaking = false;
    relay_place_is_busy(relay, link->place);
    if (link->state == LINK_OPEN)
        relay_link_drop(relay, link);
}

void relay_tls_stuck(struct relay *relay, struct link *link, const char *result,
                     struct bytes words)
{
    if (!relay_present_failed(relay, link)) {
        relay_tls_lacks(relay, link, result, words);
        return;
    }
    link->shaking = false;
    relay_place_is_busy(relay, link->place);
    relay_link_drop(relay, link);
}

/* As RFC 8460, 4.3 calls it. */
static const char *trouble_name(const struct link *link)
{
    struct tls_verdict verdict = tls_client_verdict(link->tls);

    return verdict.trouble != TLS_TROUBLE_NONE && link->channel.need >= CHANNEL_NAME
         ? tls_trouble_name(verdict.trouble) : "validation-failure";
}

/* Why the handshake failed: what is wrong with the certificate, or the alert. */
static struct bytes trouble_words(struct relay *relay, const struct link *link)
{
    struct tls_verdict verdict = tls_client_verdict(link->tls);
    struct tls_facts facts = tls_facts(link->tls);
    struct buffer *words = fx_draft(relay->fx);

    buffer_put_text(words, "the TLS handshake failed");
    if (verdict.trouble != TLS_TROUBLE_NONE && is_asked_for(link)) {
        buffer_put_text(words, ": ");
        buffer_put_text(words, verdict.words);
    } else if (facts.alerted) {
        buffer_put_text(words, facts.alert_ours ? ": we sent " : ": the server sent ");
        buffer_put_text(words, tls_alert_name(facts.alert));
    }
    return fx_keep(relay->fx, buffer_bytes(words));
}

/* ---- the session */

/* Tickets are for the same server, the same proof, and the same certificate of ours alone. */
static uint64_t ticket_key(const struct relay *relay, const struct link *link)
{
    struct bytes host = buffer_bytes(&link->host), tlsa = buffer_bytes(&link->tlsa);

    return siphash(relay->key, host) ^ siphash(relay->key, tlsa) * 3
         ^ (uint64_t)link->channel.need << 56 ^ (uint64_t)link->channel.test << 60
         ^ relay_present_mark(relay, link) * 5;
}

static struct tls *session(struct relay *relay, const struct link *link)
{
    struct bytes records = buffer_bytes(&link->tlsa), list[DNS_RECORDS_MOST], names[2];
    enum channel_need need = link->channel.need;
    struct memo *memo = relay_memo_link(relay, link);
    struct tls_want want = { .name = buffer_bytes(&link->host), .now_ms = relay->now.wall_ms,
                             .ticket = BYTES_NONE, .presents = link->present.wanted };

    if (need == CHANNEL_DANE || need == CHANNEL_NAME) {
        want.proof = need == CHANNEL_DANE ? TLS_PROVE_DANE : TLS_PROVE_NAME;
        want.must = true;
    } else if (link->channel.test) {
        want.proof = TLS_PROVE_NAME;
    }
    while (want.tlsa_n < COUNT(list) && dns_next_record(&records, &list[want.tlsa_n]))
        want.tlsa_n++;
    want.tlsa = list;
    if (need == CHANNEL_DANE) {             /* RFC 7672, 3.2.2: these names will do too */
        want.name = buffer_bytes(&link->base);
        names[want.more_n++] = buffer_bytes(&link->host);
        if (link->place->dest->secure && !link->place->dest->routed)
            names[want.more_n++] = link->place->name;
        want.more = names;
    }
    if (memo != NULL && memo->ticket_key == ticket_key(relay, link))
        want.ticket = buffer_bytes(&memo->ticket);
    return relay->tls == NULL || (want.name.n == 0 && want.must)
         ? NULL : tls_client_new(relay->tls, &want);
}

void relay_tls_begin(struct relay *relay, struct link *link)
{
    relay_present_choose(relay, link);
    link->tls = session(relay, link);
    if (link->tls == NULL) {
        relay_tls_lacks(relay, link, "", BYTES("TLS could not be begun here"));
        return;
    }
    link->shaking = true;
    relay_link_touch(relay, link);
    relay_tls_bytes(relay, link, BYTES_NONE);
}

static void keep_ticket(struct relay *relay, struct link *link)
{
    struct bytes ticket = tls_client_ticket(link->tls);
    struct memo *memo = ticket.n == 0 ? NULL : relay_memo_link(relay, link);

    if (memo == NULL || (memo->ticket_key == ticket_key(relay, link)
                         && bytes_equal(buffer_bytes(&memo->ticket), ticket)))
        return;
    buffer_clear(&memo->ticket);
    buffer_put(&memo->ticket, ticket);
    memo->ticket_key = memo->ticket.bad ? 0 : ticket_key(relay, link);
}

static void is_open(struct relay *relay, struct link *link)
{
    struct tls_verdict verdict = tls_client_verdict(link->tls);
    enum channel_need need = link->channel.need;

    if ((need == CHANNEL_DANE || need == CHANNEL_NAME) && !verdict.proved) {
        relay_tls_lacks(relay, link, trouble_name(link), bytes_of(verdict.words));
        return;
    }
    link->level = need == CHANNEL_DANE ? LEVEL_DANE : need == CHANNEL_NAME ? LEVEL_NAME
                                                                           : LEVEL_TLS;
    link->shaking = false;
    smtp_client_secured(link->client);
}

static void is_over(struct relay *relay, struct link *link, bool failed)
{
    if (link->shaking) {
        relay_tls_stuck(relay, link, trouble_name(link), trouble_words(relay, link));
        return;
    }
    if (failed && !link->greeted)           /* in 1.3 the server looks at it when we are done */
        (void)relay_present_failed(relay, link);
    smtp_client_lost(link->client, failed ? BYTES("TLS failed")
                                          : BYTES("the connection was lost"));
    relay_link_step(relay, link, BYTES_NONE);
}

void relay_tls_bytes(struct relay *relay, struct link *link, struct bytes bytes)
{
    enum tls_said said = tls_step(link->tls, bytes);

    if (said == TLS_KEYOP) {
        relay_present_ask(relay, link);
        if (link->present.waits == 0)
            said = tls_step(link->tls, BYTES_NONE);
    }
    if (said == TLS_OPENED) {
        is_open(relay, link);
        if (link->state != LINK_OPEN)
            return;
        said = tls_step(link->tls, BYTES_NONE);
    }
    send_cipher(relay, link);
    if (!link->shaking) {
        struct bytes plain = fx_keep(relay->fx, tls_plain(link->tls));
        tls_plain_taken(link->tls);
        keep_ticket(relay, link);
        relay_link_step(relay, link, plain);
    }
    if (link->state == LINK_OPEN && (said == TLS_CLOSED || said == TLS_FAILED))
        is_over(relay, link, said == TLS_FAILED);
}

bool relay_tls_send(struct relay *relay, struct link *link, struct bytes plain)
{
    bool well = tls_write(link->tls, plain);

    send_cipher(relay, link);
    return well;
}

/* ---- for reports */

/* It is greeted: so TLS went well, or is not offered, or its proof was only tried out. */
static void count_session(struct relay *relay, const struct link *link)
{
    bool open = link->level >= LEVEL_TLS;

    if (!open && link->channel.need == CHANNEL_CLEAR)
        return;                             /* it was not asked for */
    if (!open) {
        relay_tlsrpt_session(relay, link, "starttls-not-supported", BYTES_NONE);
    } else if (link->channel.test && !link->allowed) {
        relay_tlsrpt_session(relay, link, "validation-failure",
                             BYTES("the policy does not name this host"));
    } else if (link->channel.test && !tls_client_verdict(link->tls).proved) {
        struct tls_verdict verdict = tls_client_verdict(link->tls);
        relay_tlsrpt_session(relay, link, verdict.trouble == TLS_TROUBLE_NONE
                             ? "validation-failure" : tls_trouble_name(verdict.trouble),
                             bytes_of(verdict.words));
    } else if (link->policy == TLSRPT_TLSA && link->channel.need != CHANNEL_DANE) {
        relay_tlsrpt_session(relay, link, "tlsa-invalid",
                             BYTES("it has no TLSA record that can be used"));
    } else {
        relay_tlsrpt_session(relay, link, "", BYTES_NONE);
    }
}

/* ---- the ledger */

static void log_ledger(struct relay *relay, const struct link *link, const char *event,
                       const struct ledger_entry *entry, struct bytes why)
{
    struct buffer *line = fx_draft(relay->fx);

    log_begin(line, event);
    log_ours(line, "server", conf_destination_shown(link->place->name));
    log_theirs(line, "host", buffer_bytes(&link->host));
    log_ours(line, "best", bytes_of(ledger_level_name(entry->best)));
    log_ours(line, "now", bytes_of(ledger_level_name(entry->now)));
    log_theirs(line, "why", why);
    fx_log(relay->fx, LOG_WARN, fx_keep(relay->fx, buffer_bytes(line)));
}

/* TLS did not come about there, and the letter does not go without. */
static void miss(struct relay *relay, const struct link *link, struct bytes why)
{
    struct ledger *ledger = relay_ledger(relay);
    struct ledger_entry entry;

    if (ledger == NULL || !channel_is_held(&link->channel)
        || !ledger_miss(ledger, link->place->name, why, relay->now.wall_ms))
        return;
    relay_memory_changed(relay, true);
    if (ledger_entry_of(ledger, link->place->name, &entry))
        log_ledger(relay, link, "tls-missed", &entry, why);
}

void relay_tls_note(struct relay *relay, struct link *link)
{
    struct ledger *ledger = relay_ledger(relay);
    struct ledger_entry before = { .best = LEDGER_UNKNOWN }, entry;
    struct bytes why = BYTES_NONE, name = link->place->name;

    if (link->level == LEVEL_UNKNOWN)
        link->level = LEVEL_CLEAR;
    count_session(relay, link);
    if (ledger == NULL)
        return;
    if (link->level == LEVEL_CLEAR)
        why = link->channel.need == CHANNEL_CLEAR ? bytes_of(link->channel.why)
                                                  : BYTES("the server offers no STARTTLS");
    (void)!ledger_entry_of(ledger, name, &before);
    if (ledger_note(ledger, name, (enum ledger_level)link->level, why, relay->now.wall_ms))
        relay_memory_changed(relay, true);
    if (ledger_entry_of(ledger, name, &entry) && entry.now < entry.best && entry.now != before.now)
        log_ledger(relay, link, "tls-downgrade", &entry, why);
}
