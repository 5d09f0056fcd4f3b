/* SPDX-License-Identifier: ISC
 *
 * role/relay_tlsrpt_send.c: reports of TLS on their way (RFC 8460, 3 and 5): the record that asks
 * for one is looked up when it is due, and it goes to each address there: as a letter, which the
 * store writes, or by HTTPS, through the role fetch. What failed is tried again for a day.
 */
#include "role/relay_tlsrpt_int.h"

#include "base/log.h"

static const struct role_name to_store = { ROLE_STORE, 0 };

static const struct bytes label = BYTES_INIT("_smtp._tls.");

/* A token names the errand (2 bits), the URI (3 bits), and its turn. */
enum { ERRAND_BITS = 2, URI_BITS = 3 };
_Static_assert(REPORT_ERRANDS <= 1 << ERRAND_BITS && TLSRPT_URIS_MOST <= 1 << URI_BITS,
               "they fit the token");

static uint32_t token_of(const struct relay *relay, const struct report_errand *errand, size_t uri)
{
    return (uint32_t)(errand - relay->reports->errands) | (uint32_t)uri << ERRAND_BITS
         | (uint32_t)errand->turn << (ERRAND_BITS + URI_BITS);
}

/* NULL: it is another one's turn by now. */
static struct report_errand *errand_of(struct relay *relay, uint32_t token, size_t *ret_uri)
{
    struct relay_reports *reports = relay->reports;
    struct report_errand *errand = reports == NULL ? NULL
        : &reports->errands[token & ((1 << ERRAND_BITS) - 1)];

    if (errand == NULL || errand->batch == NULL
        || errand->turn != token >> (ERRAND_BITS + URI_BITS))
        return NULL;
    *ret_uri = token >> ERRAND_BITS & ((1 << URI_BITS) - 1);
    return errand;
}

static struct bytes domain_of(const struct report_errand *errand)
{
    return tlsrpt_domain(errand->batch->counts, errand->domain);
}

/* ---- the end of one */

static void log_end(struct relay *relay, const struct report_errand *errand, const char *result)
{
    struct buffer *line = fx_draft(relay->fx);

    log_begin(line, "tls-report");
    log_theirs(line, "domain", domain_of(errand));
    log_ours(line, "result", bytes_of(result));
    log_uint(line, "try", errand->batch->states[errand->domain].tries + 1U);
    fx_log(relay->fx, errand->failed != 0 ? LOG_WARN : LOG_INFO,
           fx_keep(relay->fx, buffer_bytes(line)));
}

/* `again`: it is to be tried once more, as long as it is not too old. */
static void end_errand(struct relay *relay, struct report_errand *errand, bool again,
                       const char *words)
{
    struct report_batch *batch = errand->batch;
    struct report_state *state = &batch->states[errand->domain];
    uint64_t wait_ms = REPORT_AGAIN_MS;

    log_end(relay, errand, words);
    for (unsigned i = 0; i < state->tries && wait_ms < REPORT_JITTER_MS; i++)
        wait_ms *= 2;
    if (state->tries < UINT8_MAX)
        state->tries++;
    state->under_way = false;
    state->due_ms = relay->now.wall_ms + wait_ms;
    if (!again || state->due_ms > batch->to_ms + REPORT_JITTER_MS + REPORT_PATIENCE_MS) {
        state->due_ms = UINT64_MAX;
        batch->open--;
    }
    errand->batch = NULL;
    relay->reports->next_ms = 0;
    if (batch->open == 0)
        report_batch_free(relay->reports, batch);
}

static void is_answered(struct relay *relay, struct report_errand *errand, size_t uri, bool well)
{
    uint8_t bit = (uint8_t)(1U << uri);

    if ((errand->waits & bit) == 0)
        return;
    errand->waits &= (uint8_t)~bit;
    if (well)
        errand->batch->states[errand->domain].sent |= bit;
    else
        errand->failed |= bit;
    if (errand->waits == 0)
        end_errand(relay, errand, errand->failed != 0,
                   errand->failed != 0 ? "not sent" : "sent");
}

/* ---- to where the record says */

static bool put_gzip(struct relay *relay, const struct report_errand *errand,
                     const struct tlsrpt_sender *sender, struct buffer *to)
{
    struct buffer text = buffer_with_most(TLSRPT_TEXT_MOST);

    tlsrpt_put(&text, errand->batch->counts, errand->domain, sender);
    if (!text.bad)
        tlsrpt_gzip_put(to, buffer_bytes(&text));
    bool well = !text.bad && !to->bad && to->n <= TLSRPT_GZIP_MOST;
    buffer_done(&text);
    return well;
}

static bool send_letter(struct relay *relay, struct report_errand *errand, size_t uri,
                        const struct tlsrpt_sender *sender, struct bytes gzip)
{
    struct buffer address = buffer_with_most(LIMIT_ADDRESS);
    struct buffer id = buffer_with_most(2 * DNS_NAME_MOST + 64), file = id;
    bool well = tlsrpt_address_put(&address, errand->record.uris[uri]);

    tlsrpt_id_put(&id, domain_of(errand), sender);
    tlsrpt_name_put(&file, domain_of(errand), sender);
    if (well && !id.bad && !file.bad)
        wire_tell_tlsrpt_letter(relay->fx, to_store, &(struct wire_tlsrpt_letter){
            .token = token_of(relay, errand, uri),
            .domain = fx_keep(relay->fx, domain_of(errand)),
            .address = fx_keep(relay->fx, buffer_bytes(&address)),
            .id = fx_keep(relay->fx, buffer_bytes(&id)),
            .file = fx_keep(relay->fx, buffer_bytes(&file)),
            .gzip = fx_keep(relay->fx, gzip) });
    buffer_done(&address);
    buffer_done(&id);
    buffer_done(&file);
    return well;
}

static bool send_one(struct relay *relay, struct report_errand *errand, size_t uri,
                     const struct tlsrpt_sender *sender, struct bytes gzip)
{
    if (bytes_begins_nocase(errand->record.uris[uri], BYTES("mailto:")))
        return send_letter(relay, errand, uri, sender, gzip);
    return relay_fetch_report(relay, token_of(relay, errand, uri), errand->record.uris[uri],
                              fx_keep(relay->fx, gzip));
}

static void send_all(struct relay *relay, struct report_errand *errand)
{
    struct buffer contact = buffer_with_most(LIMIT_ADDRESS + DNS_NAME_MOST);
    struct buffer gzip = buffer_with_most(2 * TLSRPT_TEXT_MOST);
    struct tlsrpt_sender sender = report_sender(relay, errand->batch, &contact);
    uint8_t before = errand->batch->states[errand->domain].sent;
    bool put = put_gzip(relay, errand, &sender, &gzip) && !contact.bad;

    for (size_t uri = 0; put && uri < errand->record.n; uri++) {
        uint8_t bit = (uint8_t)(1U << uri);
        if ((before & bit) != 0)
            continue;
        if (send_one(relay, errand, uri, &sender, buffer_bytes(&gzip)))
            errand->waits |= bit;
        else
            errand->failed |= bit;
    }
    buffer_done(&contact);
    buffer_done(&gzip);
    if (errand->waits == 0)
        end_errand(relay, errand, errand->failed != 0 || !put,
                   put && errand->failed == 0 ? "sent" : "not sent");
}

/* ---- its record */

void relay_tlsrpt_record(struct relay *relay, uint32_t token, const struct dns_answer *answer)
{
    size_t uri;
    struct report_errand *errand = errand_of(relay, token, &uri);

    if (errand == NULL || !errand->asks)
        return;
    errand->asks = false;
    buffer_clear(&errand->text);
    if (tlsrpt_record_read(answer, &errand->text, &errand->record)) {
        send_all(relay, errand);
        return;
    }
    bool unknown = !dns_found(answer) && !dns_is_negative(answer);
    end_errand(relay, errand, unknown, unknown ? "its record could not be found out"
                                               : "none is asked for");
}

static void begin(struct relay *relay, struct report_errand *errand, struct report_batch *batch,
                  size_t domain)
{
    struct buffer name = buffer_with_most(DNS_NAME_MOST);

    *errand = (struct report_errand){
        .batch = batch, .domain = domain, .turn = (uint16_t)(errand->turn + 1), .asks = true,
        .since_ms = relay->now.mono_ms, .text = errand->text };
    if (errand->text.most == 0)
        errand->text = buffer_with_most(DNS_ANSWER_MOST);
    batch->states[domain].under_way = true;
    buffer_put(&name, label);
    buffer_put(&name, tlsrpt_domain(batch->counts, domain));
    if (name.bad)
        end_errand(relay, errand, false, "its name is too long");
    else if (!relay_names_ask_report(relay, token_of(relay, errand, 0), buffer_bytes(&name)))
        end_errand(relay, errand, true, "its record cannot be asked for now");
    buffer_done(&name);
}

/* ---- time */

static struct report_errand *free_errand(struct relay_reports *reports)
{
    for (size_t i = 0; i < REPORT_ERRANDS; i++)
        if (reports->errands[i].batch == NULL)
            return &reports->errands[i];
    return NULL;
}

/* Those that are due, as many as there are errands free; and when the next is. */
static void begin_due(struct relay *relay, struct report_batch *batch, uint64_t *next_ms)
{
    for (size_t i = 0; batch->counts != NULL && i < tlsrpt_domains(batch->counts); i++) {
        const struct report_state *state = &batch->states[i];
        if (state->under_way || state->due_ms == UINT64_MAX)
            continue;
        struct report_errand *errand = state->due_ms <= relay->now.wall_ms
                                     ? free_errand(relay->reports) : NULL;
        if (errand != NULL)
            begin(relay, errand, batch, i);
        else if (state->due_ms > relay->now.wall_ms && state->due_ms < *next_ms)
            *next_ms = state->due_ms;
    }
}

/* The store, or the role that was asked, died with the answer. */
static void end_stuck(struct relay *relay)
{
    struct relay_reports *reports = relay->reports;

    for (size_t i = 0; i < REPORT_ERRANDS; i++) {
        struct report_errand *errand = &reports->errands[i];
        if (errand->batch == NULL || errand->since_ms + REPORT_STUCK_MS > relay->now.mono_ms)
            continue;
        errand->failed |= errand->waits;
        end_errand(relay, errand, true, "no answer came");
    }
}

void report_send_due(struct relay *relay)
{
    struct relay_reports *reports = relay->reports;

    end_stuck(relay);
    if (relay->now.wall_ms < reports->next_ms)
        return;
    uint64_t next_ms = reports->next_ms = UINT64_MAX;
    for (size_t i = 0; i < REPORT_BATCHES; i++)
        begin_due(relay, &reports->batches[i], &next_ms);
    if (next_ms < reports->next_ms)
        reports->next_ms = next_ms;
}

void relay_tlsrpt_taken(struct relay *relay, uint32_t token, bool taken)
{
    size_t uri;
    struct report_errand *errand = errand_of(relay, token, &uri);

    if (errand != NULL)
        is_answered(relay, errand, uri, taken);
}
