/* SPDX-License-Identifier: ISC */
#include "dns/ledger.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/reader.h"

#include <string.h>

enum { BUCKETS = 8192 };

struct known {
    struct known *next;             /* in its bucket */
    size_t at;                      /* in the list */
    struct ledger_entry entry;      /* `why` lies below, `name` behind this struct */
    char why[LEDGER_WHY_MOST];
};

struct ledger {
    uint8_t key[16];
    struct known *buckets[BUCKETS];
    struct known *list[LEDGER_MOST];
    size_t n;
};

const char *ledger_level_name(enum ledger_level level)
{
    switch (level) {
    case LEDGER_UNKNOWN: return "unknown";
    case LEDGER_CLEAR: return "clear";
    case LEDGER_TLS: return "tls";
    case LEDGER_NAME: return "verified";
    case LEDGER_DANE: return "dane";
    }
    return "";
}

struct ledger *ledger_new(const uint8_t key[static 16])
{
    struct ledger *ledger = mem_new(sizeof(*ledger));

    if (ledger != NULL)
        memcpy(ledger->key, key, sizeof(ledger->key));
    return ledger;
}

void ledger_free(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    for (size_t i = 0; i < ledger->n; i++)
        mem_free(ledger->list[i]);
    mem_free(ledger);
}

/* ---- the table */

static size_t bucket_of(const struct ledger *ledger, struct bytes name)
{
    return siphash(ledger->key, name) % BUCKETS;
}

static struct known *find(const struct ledger *ledger, struct bytes name)
{
    struct known *known = ledger->buckets[bucket_of(ledger, name)];

    while (known != NULL && !bytes_equal(known->entry.name, name))
        known = known->next;
    return known;
}

static void forget(struct ledger *ledger, struct known *known)
{
    struct known **at = &ledger->buckets[bucket_of(ledger, known->entry.name)];

    while (*at != known)
        at = &(*at)->next;
    *at = known->next;
    ledger->list[known->at] = ledger->list[--ledger->n];
    ledger->list[known->at]->at = known->at;
    mem_free(known);
}

static bool is_better_victim(const struct ledger_entry *one, const struct ledger_entry *than)
{
    bool one_had = one->best >= LEDGER_TLS, than_had = than->best >= LEDGER_TLS;

    return one_had != than_had ? than_had : one->used_ms < than->used_ms;
}

static void make_room(struct ledger *ledger)
{
    struct known *victim = ledger->list[0];

    for (size_t i = 1; i < ledger->n; i++)
        if (is_better_victim(&ledger->list[i]->entry, &victim->entry))
            victim = ledger->list[i];
    forget(ledger, victim);
}

static struct known *add(struct ledger *ledger, struct bytes name, uint64_t now_ms)
{
    if (name.n == 0 || name.n > LEDGER_NAME_MOST)
        return NULL;
    if (ledger->n == LEDGER_MOST)
        make_room(ledger);
    struct known *known = mem_new(sizeof(*known) + name.n);
    if (known == NULL)
        return NULL;
    struct known **bucket = &ledger->buckets[bucket_of(ledger, name)];
    char *text = (char *)(known + 1);
    memcpy(text, name.at, name.n);
    known->entry = (struct ledger_entry){ .name = { text, name.n }, .first_ms = now_ms,
                                          .since_ms = now_ms, .used_ms = now_ms,
                                          .why = BYTES_NONE };
    known->at = ledger->n;
    known->next = *bucket;
    *bucket = known;
    return ledger->list[ledger->n++] = known;
}

/* ---- what is seen */

static void set_why(struct known *known, struct bytes why)
{
    why = bytes_first(why, LEDGER_WHY_MOST);
    if (why.n > 0)
        memcpy(known->why, why.at, why.n);
    known->entry.why = (struct bytes){ known->why, why.n };
}

bool ledger_note(struct ledger *ledger, struct bytes name, enum ledger_level level,
                 struct bytes why, uint64_t now_ms)
{
    struct known *known = find(ledger, name);
    bool changed = known == NULL;

    if (known == NULL)
        known = add(ledger, name, now_ms);
    if (known == NULL)
        return false;
    struct ledger_entry *entry = &known->entry;
    entry->used_ms = now_ms;
    if (level != entry->now) {
        entry->now = level;
        entry->since_ms = now_ms;
        changed = true;
    }
    if (level >= entry->best) {
        changed = changed || level > entry->best;
        entry->best = level;
        entry->best_ms = now_ms;
    }
    set_why(known, why);
    if (level >= LEDGER_TLS) {
        changed = changed || entry->missed_ms != 0;
        entry->missed_ms = 0;
    } else if (entry->clear_ms == 0) {
        entry->clear_ms = now_ms;
        changed = true;
    }
    return changed;
}

bool ledger_miss(struct ledger *ledger, struct bytes name, struct bytes why, uint64_t now_ms)
{
    struct known *known = find(ledger, name);

    if (known == NULL || known->entry.best < LEDGER_TLS)
        return false;
    set_why(known, why);
    if (known->entry.missed_ms != 0)
        return false;
    known->entry.missed_ms = now_ms;
    return true;
}

bool ledger_holds(const struct ledger *ledger, struct bytes name, uint64_t most_ms,
                  uint64_t now_ms)
{
    const struct known *known = find(ledger, name);

    return known != NULL && known->entry.best >= LEDGER_TLS && known->entry.clear_ms == 0
        && (most_ms == 0 || known->entry.missed_ms == 0
            || now_ms < known->entry.missed_ms + most_ms);
}

bool ledger_entry_of(const struct ledger *ledger, struct bytes name,
                     struct ledger_entry *ret_entry)
{
    const struct known *known = find(ledger, name);

    if (known != NULL)
        *ret_entry = known->entry;
    return known != NULL;
}

size_t ledger_count(const struct ledger *ledger)
{
    return ledger->n;
}

struct ledger_entry ledger_at(const struct ledger *ledger, size_t i)
{
    return ledger->list[i]->entry;
}

/* ---- as octets */

void ledger_entry_put(struct buffer *to, const struct ledger_entry *entry)
{
    buffer_put_u8(to, (uint8_t)entry->best);
    buffer_put_u8(to, (uint8_t)entry->now);
    buffer_put_u64(to, entry->first_ms);
    buffer_put_u64(to, entry->best_ms);
    buffer_put_u64(to, entry->since_ms);
    buffer_put_u64(to, entry->used_ms);
    buffer_put_u64(to, entry->clear_ms);
    buffer_put_u64(to, entry->missed_ms);
    buffer_put_block(to, entry->name);
    buffer_put_block(to, entry->why);
}

bool ledger_entry_read(struct bytes saved, struct ledger_entry *ret_entry)
{
    struct reader in = reader_of(saved);
    uint8_t best = read_u8(&in), now = read_u8(&in);
    struct ledger_entry entry = { .first_ms = read_u64(&in) };

    entry.best_ms = read_u64(&in);
    entry.since_ms = read_u64(&in);
    entry.used_ms = read_u64(&in);
    entry.clear_ms = read_u64(&in);
    entry.missed_ms = read_u64(&in);
    entry.name = read_block(&in);
    entry.why = read_block(&in);
    if (!reader_finished(&in) || best > LEDGER_DANE || now > best || entry.name.n == 0
        || entry.name.n > LEDGER_NAME_MOST || entry.why.n > LEDGER_WHY_MOST)
        return false;
    entry.best = (enum ledger_level)best;
    entry.now = (enum ledger_level)now;
    *ret_entry = entry;
    return true;
}

void ledger_restore(struct ledger *ledger, const struct ledger_entry *entry)
{
    struct known *known = find(ledger, entry->name) == NULL
                        ? add(ledger, entry->name, entry->first_ms) : NULL;

    if (known == NULL)
        return;
    struct bytes name = known->entry.name;
    known->entry = *entry;
    known->entry.name = name;
    set_why(known, entry->why);
}
