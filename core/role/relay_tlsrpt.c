/* SPDX-License-Identifier: ISC
 *
 * role/relay_tlsrpt.c: how TLS went with other domains, counted for each and each day (UTC), to be
 * told to those that ask for it (RFC 8460). What is said over a connection for a letter that needs
 * no TLS (TLS-Required: no) is not counted: so are our own reports, which would else be a reason
 * for the next ones.
 */
#include "role/relay_tlsrpt_int.h"

#include "base/hash.h"
#include "base/ip.h"

#include <string.h>

enum { TLSA_LINES_MOST = TLSRPT_POLICY_MOST };

static uint64_t reports_day(const struct relay *relay)
{
    return relay->reports == NULL ? relay->now.wall_ms / LIMIT_DAY_MS : relay->reports->day;
}

static struct relay_reports *reports_of(struct relay *relay)
{
    struct relay_reports *reports = relay->reports;

    if (reports == NULL) {
        reports = relay->reports = mem_new(sizeof(*reports));
        if (reports != NULL)
            reports->day = relay->now.wall_ms / LIMIT_DAY_MS;
    }
    if (reports != NULL && reports->counts == NULL) {
        reports->counts = tlsrpt_new(relay->key);
        reports->from_ms = reports->day * LIMIT_DAY_MS;
    }
    return reports == NULL || reports->counts == NULL ? NULL : reports;
}

/* ---- counting */

/* Whose sessions these are: a domain, or a hop of the configuration by its host's name; an address
   alone has nobody to be told. */
static struct bytes domain_of(const struct place *place)
{
    struct bytes name = place->name;

    if (bytes_begins(name, BYTES("=")))
        name = bytes_first(bytes_skip(name, 1), bytes_find_last(bytes_skip(name, 1), ':'));
    return place->dest->hosts_n > 0 && place->dest->hosts[0].n == 0 ? BYTES_NONE
         : dns_name_is_plain(name) ? name : BYTES_NONE;
}

/* "3 1 1 0123..." a line, as RFC 8460, 4.2 has a policy of DANE. */
static void put_tlsa(struct buffer *to, struct bytes records)
{
    static const char digits[] = "0123456789ABCDEF";
    struct bytes one;

    while (dns_next_record(&records, &one)) {
        if (one.n < 4 || to->n + 2 * one.n + 16 > TLSA_LINES_MOST)
            continue;
        for (size_t i = 0; i < 3; i++) {
            buffer_put_uint(to, octet(one.at[i]));
            buffer_put_char(to, ' ');
        }
        for (size_t i = 3; i < one.n; i++) {
            buffer_put_char(to, digits[octet(one.at[i]) >> 4]);
            buffer_put_char(to, digits[octet(one.at[i]) & 15]);
        }
        buffer_put_char(to, '\n');
    }
}

static void put_policy(struct relay *relay, const struct place *place, enum tlsrpt_policy policy,
                       struct bytes tlsa, struct buffer *to)
{
    switch (policy) {
    case TLSRPT_TLSA:
        put_tlsa(to, tlsa);
        break;
    case TLSRPT_STS:
        if (relay->sts != NULL)
            buffer_put(to, bytes_first(sts_cache_look(relay->sts, relay->now.mono_ms,
                                                      place->name).text, TLSRPT_POLICY_MOST));
        break;
    case TLSRPT_NO_POLICY:
        break;
    }
}

/* `session` without its domain and its policy's text. */
static void count(struct relay *relay, const struct place *place, struct bytes tlsa,
                  struct tlsrpt_session session)
{
    struct relay_reports *reports = relay->conf->tlsrpt ? reports_of(relay) : NULL;
    struct buffer policy = buffer_with_most(TLSRPT_POLICY_MOST);

    session.domain = domain_of(place);
    if (reports == NULL || session.domain.n == 0)
        return;
    put_policy(relay, place, session.policy, tlsa, &policy);
    session.text = buffer_bytes(&policy);
    tlsrpt_count(reports->counts, &session);
    relay_memory_changed(relay, false);
    buffer_done(&policy);
}

static void put_ip(struct buffer *to, const uint8_t ip[static 16])
{
    static const uint8_t nobody[16];

    if (memcmp(ip, nobody, sizeof(nobody)) != 0)
        ip_put(to, ip);
}

void relay_tlsrpt_session(struct relay *relay, const struct link *link, const char *result,
                          struct bytes reason)
{
    struct buffer ip = buffer_with_most(64), sending = buffer_with_most(64);

    if (link->place->dest == NULL || !link->counts)
        return;
    struct bytes base = link->base.n > 0 ? buffer_bytes(&link->base) : buffer_bytes(&link->host);
    put_ip(&ip, link->at.ip);
    put_ip(&sending, link->from_ip);
    count(relay, link->place, buffer_bytes(&link->tlsa), (struct tlsrpt_session){
        .policy = (enum tlsrpt_policy)link->policy,
        .policy_domain = link->policy == TLSRPT_TLSA ? base : BYTES_NONE,
        .result = bytes_of(result), .host = buffer_bytes(&link->host), .ip = buffer_bytes(&ip),
        .sending_ip = buffer_bytes(&sending), .reason = reason });
    buffer_done(&ip);
    buffer_done(&sending);
}

void relay_tlsrpt_shunned(struct relay *relay, const struct place *place,
                          const struct target *target)
{
    const struct dest_host *host = &place->dest->hosts[target->shunned];

    if (target->shunned_result != NULL)
        count(relay, place, BYTES_NONE, (struct tlsrpt_session){
            .policy = target->shunned_policy, .result = bytes_of(target->shunned_result),
            .policy_domain = target->shunned_policy == TLSRPT_TLSA
                           ? (struct bytes){ host->name, host->n } : BYTES_NONE,
            .host = { host->name, host->n }, .reason = bytes_of(target->shunned_why) });
}

void relay_tlsrpt_policy(struct relay *relay, const struct place *place, const char *result,
                         const char *reason)
{
    count(relay, place, BYTES_NONE, (struct tlsrpt_session){
        .policy = TLSRPT_STS, .result = bytes_of(result), .reason = bytes_of(reason) });
}

/* ---- a day ends */

static uint64_t due_of(const struct relay *relay, struct bytes domain, uint64_t due_ms,
                       uint64_t spread_ms)
{
    return due_ms + (spread_ms == 0 ? 0 : siphash(relay->key, domain) % spread_ms);
}

static struct report_batch *free_batch(struct relay_reports *reports)
{
    struct report_batch *oldest = &reports->batches[0];

    for (size_t i = 0; i < REPORT_BATCHES; i++) {
        if (reports->batches[i].counts == NULL)
            return &reports->batches[i];
        if (reports->batches[i].to_ms < oldest->to_ms)
            oldest = &reports->batches[i];
    }
    report_batch_free(reports, oldest);
    return oldest;
}

void report_batch_free(struct relay_reports *reports, struct report_batch *batch)
{
    for (size_t i = 0; i < REPORT_ERRANDS; i++)
        if (reports->errands[i].batch == batch)
            reports->errands[i].batch = NULL;
    tlsrpt_free(batch->counts);
    mem_free(batch->states);
    *batch = (struct report_batch){ .counts = NULL };
}

/* That domain's counts alone. NULL: it has none, or there is no memory. */
static struct tlsrpt *part_of(struct relay *relay, struct tlsrpt *counts, struct bytes only)
{
    struct tlsrpt *part = NULL;

    for (size_t i = 0; i < tlsrpt_domains(counts) && part == NULL; i++)
        if (bytes_equal(tlsrpt_domain(counts, i), only)) {
            part = tlsrpt_new(relay->key);
            if (part == NULL || !tlsrpt_move(counts, i, part))
                return part;
        }
    return part;
}

struct report_batch *report_batch_begin(struct relay *relay, struct bytes only, uint64_t due_ms,
                                        uint64_t spread_ms)
{
    struct relay_reports *reports = relay->reports;
    struct tlsrpt *counts = reports == NULL ? NULL : reports->counts;

    if (counts == NULL || tlsrpt_domains(counts) == 0)
        return NULL;
    if (only.n > 0)
        counts = part_of(relay, counts, only);
    else
        reports->counts = NULL;
    size_t n = counts == NULL ? 0 : tlsrpt_domains(counts);
    struct report_batch *batch = free_batch(reports);
    *batch = (struct report_batch){ .counts = counts, .from_ms = reports->from_ms, .open = n,
                                    .to_ms = relay->now.wall_ms,
                                    .states = n == 0 ? NULL : mem_new(n * sizeof(*batch->states)) };
    if (batch->states == NULL) {
        report_batch_free(reports, batch);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        batch->states[i].due_ms = due_of(relay, tlsrpt_domain(counts, i), due_ms, spread_ms);
    reports->next_ms = 0;
    return batch;
}

static void turn_day(struct relay *relay)
{
    struct relay_reports *reports = relay->reports;
    uint64_t end_ms = (reports->day + 1) * LIMIT_DAY_MS;
    struct report_batch *batch = report_batch_begin(relay, BYTES_NONE, end_ms, REPORT_JITTER_MS);

    if (batch != NULL)
        batch->to_ms = end_ms - 1000;
    reports->day = relay->now.wall_ms / LIMIT_DAY_MS;
    reports->from_ms = reports->day * LIMIT_DAY_MS;
}

void relay_tlsrpt_go(struct relay *relay)
{
    struct relay_reports *reports = relay->reports;

    if (reports == NULL || relay->stopping)
        return;
    if (!relay->conf->tlsrpt) {
        relay_tlsrpt_done(relay);
        return;
    }
    if (relay->now.wall_ms / LIMIT_DAY_MS > reports->day)
        turn_day(relay);
    report_send_due(relay);
}

uint64_t relay_tlsrpt_due(const struct relay *relay)
{
    const struct relay_reports *reports = relay->reports;

    if (reports == NULL || relay->stopping)
        return UINT64_MAX;
    uint64_t wall_ms = (reports->day + 1) * LIMIT_DAY_MS, now_ms = relay->now.wall_ms;
    wall_ms = reports->next_ms < wall_ms ? reports->next_ms : wall_ms;
    uint64_t left_ms = wall_ms > now_ms ? wall_ms - now_ms : 1;
    uint64_t due_ms = relay->now.mono_ms + (left_ms < REPORT_LOOK_MS ? left_ms : REPORT_LOOK_MS);
    for (size_t i = 0; i < REPORT_ERRANDS; i++)
        if (reports->errands[i].batch != NULL
            && reports->errands[i].since_ms + REPORT_STUCK_MS < due_ms)
            due_ms = reports->errands[i].since_ms + REPORT_STUCK_MS;
    return due_ms;
}

void relay_tlsrpt_done(struct relay *relay)
{
    struct relay_reports *reports = relay->reports;

    if (reports == NULL)
        return;
    for (size_t i = 0; i < REPORT_BATCHES; i++)
        if (reports->batches[i].counts != NULL)
            report_batch_free(reports, &reports->batches[i]);
    for (size_t i = 0; i < REPORT_ERRANDS; i++)
        buffer_done(&reports->errands[i].text);
    tlsrpt_free(reports->counts);
    mem_free(reports);
    relay->reports = NULL;
}

/* ---- kept by the store */

static void save_all(const struct report_batch *batch, void *of,
                     void (*put)(void *of, const struct relay_saved_report *report))
{
    struct buffer saved = buffer_with_most(TLSRPT_SAVED_MOST);

    for (size_t i = 0; batch->counts != NULL && i < tlsrpt_domains(batch->counts); i++) {
        struct relay_saved_report report = { batch->from_ms, batch->to_ms,
                                             batch->states == NULL ? 0 : batch->states[i].due_ms,
                                             BYTES_NONE };
        buffer_clear(&saved);
        tlsrpt_save_put(&saved, batch->counts, i);
        report.saved = buffer_bytes(&saved);
        if (report.due_ms != UINT64_MAX && !saved.bad)
            put(of, &report);
    }
    buffer_done(&saved);
}

void relay_tlsrpt_save(const struct relay *relay, void *of,
                       void (*put)(void *of, const struct relay_saved_report *report))
{
    const struct relay_reports *reports = relay->reports;

    if (reports == NULL)
        return;
    save_all(&(struct report_batch){ .counts = reports->counts, .from_ms = reports->from_ms,
                                     .to_ms = relay->now.wall_ms }, of, put);
    for (size_t i = 0; i < REPORT_BATCHES; i++)
        save_all(&reports->batches[i], of, put);
}

/* The batch of that time; made with room for all. */
static struct report_batch *batch_of(struct relay *relay, const struct relay_saved_report *report)
{
    struct relay_reports *reports = relay->reports;

    for (size_t i = 0; i < REPORT_BATCHES; i++) {
        struct report_batch *batch = &reports->batches[i];
        if (batch->counts != NULL && batch->from_ms == report->from_ms
            && batch->to_ms == report->to_ms)
            return batch;
    }
    struct report_batch *batch = free_batch(reports);
    *batch = (struct report_batch){
        .counts = tlsrpt_new(relay->key), .from_ms = report->from_ms, .to_ms = report->to_ms,
        .states = mem_new(TLSRPT_DOMAINS_MOST * sizeof(*batch->states)) };
    if (batch->counts != NULL && batch->states != NULL)
        return batch;
    report_batch_free(reports, batch);
    return NULL;
}

void relay_tlsrpt_restore(struct relay *relay, const struct relay_saved_report *report)
{
    struct relay_reports *reports = relay->conf->tlsrpt ? reports_of(relay) : NULL;
    bool today = report->due_ms == 0 && report->from_ms / LIMIT_DAY_MS == reports_day(relay);
    struct relay_saved_report past = *report;

    if (reports == NULL)
        return;
    if (today) {
        (void)!tlsrpt_save_read(reports->counts, report->saved);
        return;
    }
    if (past.due_ms == 0) {             /* its day ended while nobody was here */
        past.to_ms = (past.from_ms / LIMIT_DAY_MS + 1) * LIMIT_DAY_MS - 1000;
        past.due_ms = relay->now.wall_ms;
    }
    if (past.to_ms < past.from_ms || past.to_ms > relay->now.wall_ms)
        return;
    struct report_batch *batch = batch_of(relay, &past);
    size_t n = batch == NULL ? 0 : tlsrpt_domains(batch->counts);
    if (batch == NULL)
        return;
    if (tlsrpt_save_read(batch->counts, report->saved) && tlsrpt_domains(batch->counts) > n) {
        batch->states[n].due_ms = past.due_ms;
        batch->open++;
    }
    reports->next_ms = 0;
}

/* ---- who sends it */

static struct bytes our_domain(const struct conf *conf)
{
    return conf->domains.n > 0 ? conf->domains.list[0] : conf->host;
}

struct tlsrpt_sender report_sender(struct relay *relay, const struct report_batch *batch,
                                   struct buffer *contact)
{
    const struct conf *conf = relay->conf;

    buffer_put(contact, conf->tlsrpt_contact);
    if (contact->n == 0) {
        buffer_put_text(contact, "postmaster@");
        buffer_put(contact, our_domain(conf));
    }
    return (struct tlsrpt_sender){
        .organisation = our_domain(conf), .contact = buffer_bytes(contact),
        .host = conf->host_ascii.n > 0 ? conf->host_ascii : conf->host,
        .from_ms = batch->from_ms, .to_ms = batch->to_ms };
}

/* ---- questions of operators */

static const struct role_name to_store = { ROLE_STORE, 0 };

enum { ROWS_MOST = 50 };

struct page {
    struct relay *relay;
    const struct wire_tlsrpt_ask *ask;
    uint32_t at, rows;
    bool more;
};

static void put_row(struct page *page, const struct report_batch *batch, size_t i)
{
    struct relay *relay = page->relay;
    struct buffer contact = buffer_with_most(LIMIT_ADDRESS + DNS_NAME_MOST);
    struct buffer saved = buffer_with_most(TLSRPT_SAVED_MOST);
    struct tlsrpt_sender sender = report_sender(relay, batch, &contact);

    tlsrpt_save_put(&saved, batch->counts, i);
    if (!saved.bad && !contact.bad)
        wire_tell_tlsrpt_row(relay->fx, to_store, &(struct wire_tlsrpt_row){
            .token = page->ask->token, .from_ms = sender.from_ms, .to_ms = sender.to_ms,
            .due_ms = batch->states == NULL ? 0 : batch->states[i].due_ms,
            .organisation = sender.organisation, .contact = fx_keep(relay->fx, sender.contact),
            .host = sender.host, .saved = fx_keep(relay->fx, buffer_bytes(&saved)) });
    buffer_done(&contact);
    buffer_done(&saved);
}

static void put_rows(struct page *page, const struct report_batch *batch)
{
    for (size_t i = 0; batch->counts != NULL && i < tlsrpt_domains(batch->counts); i++) {
        if ((batch->states != NULL && batch->states[i].due_ms == UINT64_MAX)
            || (page->ask->domain.n > 0
                && !bytes_equal(page->ask->domain, tlsrpt_domain(batch->counts, i)))
            || page->at++ < page->ask->after)
            continue;
        page->more = page->rows == ROWS_MOST;
        if (page->more)
            return;
        page->rows++;
        put_row(page, batch, i);
    }
}

static void tell_rows(struct relay *relay, const struct wire_tlsrpt_ask *ask)
{
    const struct relay_reports *reports = relay->reports;
    struct page page = { .relay = relay, .ask = ask };

    if (reports != NULL) {
        put_rows(&page, &(struct report_batch){ .counts = reports->counts,
                                                .from_ms = reports->from_ms,
                                                .to_ms = relay->now.wall_ms });
        for (size_t i = 0; i < REPORT_BATCHES && !page.more; i++)
            put_rows(&page, &reports->batches[i]);
    }
    wire_tell_answer_end(relay->fx, to_store, &(struct wire_answer_end){ ask->token, page.more });
}

void relay_tlsrpt_ask(struct relay *relay, const struct wire_tlsrpt_ask *ask)
{
    if (ask->send == 0) {
        tell_rows(relay, ask);
        return;
    }
    struct report_batch *batch = report_batch_begin(relay, ask->domain, relay->now.wall_ms, 0);
    wire_tell_tlsrpt_sent(relay->fx, to_store, &(struct wire_tlsrpt_sent){
        ask->token, batch == NULL ? 0 : (uint32_t)batch->open });
}
