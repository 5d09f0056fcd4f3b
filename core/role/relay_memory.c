/* SPDX-License-Identifier: ISC
 *
 * role/relay_memory.c: what relay knows of other servers and must not forget: MTA-STS policies (RFC
 * 8461, 5.1), the best TLS ever seen at each destination, and what is to be told of TLS. The store
 * keeps it in a file, and tells it anew whenever relay begins, before its first job: who makes us
 * begin anew, or keeps the DNS from us meanwhile, gains nothing.
 *
 *   memory = u8 version, blocks                          block = u8 kind, its octets
 *   policy = u64 until (wall clock), block domain, block id, text
 *   ledger = as dns/ledger.h has an entry
 *   report = u64 from, u64 to, u64 due, counts as dns/tlsrpt.h saves them
 */
#include "role/relay_told_int.h"

#include "base/log.h"
#include "base/reader.h"

enum { VERSION = 1, KIND_POLICY = 1, KIND_LEDGER, KIND_REPORT };
enum {
    MEMORY_MOST = 8 * 1024 * 1024 - 4096,
    PART_OCTETS = 60 * 1024,
    SOON_MS = 2 * 1000, LATER_MS = 5 * 60 * 1000,
    OCTETS_A_MS = 100,              /* a large memory is not written all the time */
    SMALL_POLICY = 4096,            /* octets; larger ones come last */
    ENTRY_MOST = STS_POLICY_MOST + 1024,
};

static const struct role_name to_store = { ROLE_STORE, 0 };

void relay_memory_changed(struct relay *relay, bool soon)
{
    struct relay_memory *memory = &relay->memory;
    uint64_t due_ms = relay->now.mono_ms + (soon ? SOON_MS : LATER_MS);
    uint64_t least_ms = memory->saved_ms + memory->saved_n / OCTETS_A_MS;

    due_ms = due_ms < least_ms ? least_ms : due_ms;
    if (memory->due_ms == 0 || memory->due_ms > due_ms)
        memory->due_ms = due_ms;
}

struct ledger *relay_ledger(struct relay *relay)
{
    if (relay->ledger == NULL)
        relay->ledger = ledger_new(relay->key);
    return relay->ledger;
}

/* ---- told to the store */

struct saving {
    struct relay *relay;
    struct buffer all, one;
    uint64_t left_out;
};

static void begin_entry(struct saving *saving, uint8_t kind)
{
    buffer_clear(&saving->one);
    buffer_put_u8(&saving->one, kind);
}

static void end_entry(struct saving *saving)
{
    if (saving->one.bad || saving->all.n + saving->one.n + 4 > MEMORY_MOST)
        saving->left_out++;
    else
        buffer_put_block(&saving->all, buffer_bytes(&saving->one));
}

static void put_policies(struct saving *saving, bool small)
{
    const struct relay *relay = saving->relay;
    const void *cursor = NULL;
    struct sts_kept kept;

    while (relay->sts != NULL
           && sts_cache_next(relay->sts, relay->now.mono_ms, &cursor, &kept)) {
        if ((kept.text.n <= SMALL_POLICY) != small)
            continue;
        begin_entry(saving, KIND_POLICY);
        buffer_put_u64(&saving->one, relay->now.wall_ms + kept.left_ms);
        buffer_put_block(&saving->one, kept.domain);
        buffer_put_block(&saving->one, kept.id);
        buffer_put(&saving->one, kept.text);
        end_entry(saving);
    }
}

static void put_ledger(struct saving *saving)
{
    const struct ledger *ledger = saving->relay->ledger;

    for (size_t i = 0; ledger != NULL && i < ledger_count(ledger); i++) {
        struct ledger_entry entry = ledger_at(ledger, i);
        begin_entry(saving, KIND_LEDGER);
        ledger_entry_put(&saving->one, &entry);
        end_entry(saving);
    }
}

static void put_report(void *of, const struct relay_saved_report *report)
{
    struct saving *saving = of;

    begin_entry(saving, KIND_REPORT);
    buffer_put_u64(&saving->one, report->from_ms);
    buffer_put_u64(&saving->one, report->to_ms);
    buffer_put_u64(&saving->one, report->due_ms);
    buffer_put(&saving->one, report->saved);
    end_entry(saving);
}

static void tell(struct relay *relay, struct bytes octets)
{
    struct bytes part;

    do {
        part = bytes_first(octets, PART_OCTETS);
        octets = bytes_skip(octets, part.n);
        wire_tell_memory(relay->fx, to_store, &(struct wire_memory){
            .last = octets.n == 0, .octets = fx_keep(relay->fx, part) });
    } while (octets.n > 0);
}

static void save(struct relay *relay)
{
    struct saving saving = { .relay = relay, .all = buffer_with_most(MEMORY_MOST),
                             .one = buffer_with_most(ENTRY_MOST) };

    relay->memory.due_ms = 0;
    buffer_put_u8(&saving.all, VERSION);
    put_policies(&saving, true);
    put_ledger(&saving);
    put_policies(&saving, false);
    relay_tlsrpt_save(relay, &saving, put_report);
    if (!saving.all.bad)
        tell(relay, buffer_bytes(&saving.all));
    relay->memory.saved_ms = relay->now.mono_ms;
    relay->memory.saved_n = saving.all.n;
    if (saving.left_out > 0) {
        struct buffer *line = fx_draft(relay->fx);
        log_begin(line, "memory-full");
        log_uint(line, "left-out", saving.left_out);
        fx_log(relay->fx, LOG_WARN, fx_keep(relay->fx, buffer_bytes(line)));
    }
    buffer_done(&saving.all);
    buffer_done(&saving.one);
}

void relay_memory_go(struct relay *relay)
{
    bool ends = relay->stopping && !relay->memory.over;

    if (relay->memory.due_ms == 0 || (!ends && relay->memory.due_ms > relay->now.mono_ms))
        return;
    relay->memory.over = relay->stopping;
    save(relay);
}

uint64_t relay_memory_due(const struct relay *relay)
{
    return relay->memory.due_ms == 0 ? UINT64_MAX : relay->memory.due_ms;
}

/* ---- told by the store */

static void read_policy(struct relay *relay, struct reader *in)
{
    uint64_t until_ms = read_u64(in);
    struct sts_kept kept = { .domain = read_block(in) };

    kept.id = read_block(in);
    kept.text = read_rest(in);
    if (!reader_ok(in) || until_ms <= relay->now.wall_ms)
        return;
    if (relay->sts == NULL)
        relay->sts = sts_cache_new(relay->key);
    kept.left_ms = until_ms - relay->now.wall_ms;
    if (relay->sts != NULL)
        sts_cache_restore(relay->sts, relay->now.mono_ms, &kept);
}

static void read_ledger(struct relay *relay, struct reader *in)
{
    struct ledger_entry entry;

    if (ledger_entry_read(read_rest(in), &entry) && relay_ledger(relay) != NULL)
        ledger_restore(relay->ledger, &entry);
}

static void read_report(struct relay *relay, struct reader *in)
{
    struct relay_saved_report report = { .from_ms = read_u64(in) };

    report.to_ms = read_u64(in);
    report.due_ms = read_u64(in);
    report.saved = read_rest(in);
    if (reader_ok(in))
        relay_tlsrpt_restore(relay, &report);
}

static void read_entry(struct relay *relay, struct bytes entry)
{
    struct reader in = reader_of(entry);

    switch (read_u8(&in)) {
    case KIND_POLICY: read_policy(relay, &in); break;
    case KIND_LEDGER: read_ledger(relay, &in); break;
    case KIND_REPORT: read_report(relay, &in); break;
    default: break;                 /* of a later version */
    }
}

static void restore(struct relay *relay, struct bytes octets)
{
    struct reader in = reader_of(octets);

    if (octets.n == 0 || read_u8(&in) != VERSION)
        return;
    while (reader_ok(&in) && !reader_empty(&in))
        read_entry(relay, read_block(&in));
}

void relay_memory_is(struct relay *relay, const struct wire_memory *is)
{
    struct buffer *comes = &relay->memory.comes;

    if (comes->most == 0)
        *comes = buffer_with_most(MEMORY_MOST + 4096);
    buffer_put(comes, is->octets);
    if (is->last == 0)
        return;
    if (!comes->bad && !relay->memory.told)
        restore(relay, buffer_bytes(comes));
    relay->memory.told = true;      /* a store that begins anew tells what we told the one before */
    buffer_done(comes);
}

void relay_memory_done(struct relay *relay)
{
    buffer_done(&relay->memory.comes);
    ledger_free(relay->ledger);
}

/* ---- questions of operators */

void relay_peers_ask(struct relay *relay, const struct wire_peers_ask *ask)
{
    enum { ROWS_MOST = 100 };
    const struct ledger *ledger = relay->ledger;
    size_t n = ledger == NULL ? 0 : ledger_count(ledger), rows = 0, i = ask->after;
    struct buffer saved = buffer_with_most(LEDGER_SAVED_MOST);

    for (; i < n && rows < ROWS_MOST; i++) {
        struct ledger_entry entry = ledger_at(ledger, i);
        if (ask->domain.n > 0 && !bytes_equal(ask->domain, entry.name))
            continue;
        buffer_clear(&saved);
        ledger_entry_put(&saved, &entry);
        rows++;
        wire_tell_peer_row(relay->fx, to_store, &(struct wire_peer_row){
            ask->token, (uint32_t)i + 1, fx_keep(relay->fx, buffer_bytes(&saved)) });
    }
    buffer_done(&saved);
    wire_tell_answer_end(relay->fx, to_store, &(struct wire_answer_end){ ask->token, i < n });
}
