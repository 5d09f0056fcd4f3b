/* SPDX-License-Identifier: ISC
 *
 * role/relay_present.c: our certificate, for a server that asks for one: which it is, as keys says,
 * its signature, and what is made of it when that goes wrong.
 */
#include "role/relay_memo_int.h"
#include "role/relay_told_int.h"

#include "base/hash.h"
#include "base/log.h"

enum { LIST_MOST = 2 * WIRE_TAIL_MOST };

static const struct role_name to_keys = { ROLE_KEYS, 0 };

static void log_off(struct relay *relay, const struct link *link, struct bytes why)
{
    struct buffer *line = fx_draft(relay->fx);

    log_begin(line, "client-certificate-off");
    if (link != NULL) {
        log_ours(line, "server", link->place->name);
        log_theirs(line, "host", buffer_bytes(&link->host));
    }
    log_ours(line, "why", why);
    fx_log(relay->fx, LOG_WARN, fx_keep(relay->fx, buffer_bytes(line)));
}

/* ---- which */

struct tls_context *relay_present_context(const struct relay *relay, const struct conf *conf)
{
    struct reader in = reader_of(buffer_bytes(&relay->present.list));
    size_t n;
    struct tls_context *context = tls_context_new_client(conf->authorities_text, &n);

    while (context != NULL && conf->client_certificate.n > 0 && !reader_empty(&in)) {
        uint32_t key = read_u32(&in);
        struct bytes chain = read_block(&in);
        if (!tls_context_add(context, chain, key))
            break;
    }
    return context;
}

static uint64_t mark_of(const struct relay *relay)
{
    struct reader in = reader_of(buffer_bytes(&relay->present.list));
    uint64_t mark = 0;

    while (!reader_empty(&in)) {
        (void)read_u32(&in);
        mark = mark * 3 + siphash(relay->key, read_block(&in));
    }
    return mark;
}

static void begin_set(struct relay_present *present)
{
    buffer_done(&present->next);
    present->next = buffer_with_most(LIST_MOST);
}

static void add_certificate(struct relay_present *present,
                            const struct wire_keys_certificate *certificate)
{
    buffer_put_u32(&present->next, certificate->key);
    buffer_put_block(&present->next, certificate->chain);
}

/* Handshakes that began with the set before go on with it; keys still has it for a while. */
static void end_set(struct relay *relay)
{
    struct relay_present *present = &relay->present;
    bool news = present->next.n > 0 || present->list.n > 0;

    if (present->next.bad) {
        log_off(relay, NULL, BYTES("it is too long, or memory is short"));
        begin_set(present);
    }
    buffer_done(&present->list);
    present->list = present->next;
    present->next = buffer_with_most(LIST_MOST);
    present->mark = mark_of(relay);
    present->rests_until_ms = 0;
    struct tls_context *context = news ? relay_present_context(relay, relay->conf) : NULL;
    if (context == NULL)
        return;
    tls_context_free(relay->tls);
    relay->tls = context;
}

void relay_present_choose(struct relay *relay, struct link *link)
{
    const struct relay_present *present = &relay->present;
    const struct memo *memo = relay_memo_link(relay, link);
    uint64_t now_ms = relay->now.mono_ms;

    link->present = (struct link_present){
        .wanted = relay->conf->client_certificate.n > 0 && present->list.n > 0 && present->up
               && now_ms >= present->rests_until_ms
               && (memo == NULL || now_ms >= memo->bare_until_ms) };
}

uint64_t relay_present_mark(const struct relay *relay, const struct link *link)
{
    return link->present.wanted ? relay->present.mark : 0;
}

/* ---- its signature */

static void has_none(struct link *link)
{
    link->present.lacks = true;
    link->present.waits = 0;
    tls_key_answer(link->tls, BYTES_NONE);
}

void relay_present_ask(struct relay *relay, struct link *link)
{
    struct tls_keyop keyop = tls_keyop(link->tls);

    if (!relay->present.up) {
        has_none(link);
        return;
    }
    link->present.waits = ++relay->present.asked;
    wire_tell_keyop(relay->fx, to_keys, &(struct wire_keyop){
        link->present.waits, link->conn, keyop.key, (uint8_t)keyop.scheme,
        fx_keep(relay->fx, keyop.tbs) });
}

static void on_signature(struct relay *relay, const struct wire_keyop_done *done)
{
    for (size_t i = 0; i < RELAY_LINKS; i++) {
        struct link *link = &relay->links[i];
        if (link->state != LINK_OPEN || done->session == 0
            || link->present.waits != done->session || link->conn != done->conn)
            continue;
        if (done->signature.n == 0) {
            has_none(link);
        } else {
            link->present.waits = 0;
            tls_key_answer(link->tls, done->signature);
        }
        relay_link_touch(relay, link);
        relay_tls_bytes(relay, link, BYTES_NONE);
        return;
    }
}

void relay_present_peer(struct relay *relay, bool up)
{
    relay->present.up = up;
    for (size_t i = 0; i < RELAY_LINKS && !up; i++) {
        struct link *link = &relay->links[i];
        if (link->state != LINK_OPEN || link->present.waits == 0)
            continue;
        has_none(link);
        relay_tls_bytes(relay, link, BYTES_NONE);
    }
}

bool relay_present_told(struct relay *relay, struct bytes frame)
{
    struct wire_keys_begin begin;
    struct wire_keys_certificate certificate;
    struct wire_keys_end end;
    struct wire_keyop_done done;

    if (wire_read_keyop_done(frame, &done))
        return on_signature(relay, &done), true;
    if (wire_read_keys_begin(frame, &begin))
        return begin_set(&relay->present), true;
    if (wire_read_keys_certificate(frame, &certificate))
        return add_certificate(&relay->present, &certificate), true;
    if (wire_read_keys_end(frame, &end))
        return end_set(relay), true;
    return false;
}

/* ---- trouble */

bool relay_present_failed(struct relay *relay, struct link *link)
{
    struct memo *memo = relay_memo_link(relay, link);
    struct tls_facts facts = tls_facts(link->tls);

    if (link->present.lacks || link->present.waits != 0) {
        relay->present.rests_until_ms = relay->now.mono_ms + RELAY_UNSIGNED_MS;
        log_off(relay, link, BYTES("keys did not sign"));
        return true;
    }
    /* Without it fails too: perhaps it must be there, and what went wrong was something else. */
    if (memo != NULL && !link->present.wanted)
        memo->bare_until_ms = 0;
    if (!link->present.wanted || !tls_client_presented(link->tls) || memo == NULL)
        return false;
    memo->bare_until_ms = relay->now.mono_ms + RELAY_BARE_MS;
    log_off(relay, link, facts.alerted && !facts.alert_ours
                         ? bytes_of(tls_alert_name(facts.alert)) : BYTES("the server broke off"));
    return true;
}

void relay_present_done(struct relay *relay)
{
    buffer_done(&relay->present.list);
    buffer_done(&relay->present.next);
}
