/* SPDX-License-Identifier: ISC
 *
 * role/relay_memo.c: what is remembered of hosts and addresses elsewhere. A table of bounded size:
 * who was not met for longest is forgotten first.
 */
#include "role/relay_memo_int.h"

#include "base/hash.h"

static void clear(struct memo *memo)
{
    buffer_done(&memo->why);
    if (memo->ticket.room > 0)
        mem_wipe(memo->ticket.at, memo->ticket.room);
    buffer_done(&memo->ticket);
    *memo = (struct memo){ .key = 0 };
}

static struct memo *find(struct relay *relay, uint64_t key)
{
    if (relay->memos == NULL)
        relay->memos = mem_new(RELAY_MEMOS * sizeof(*relay->memos));
    if (relay->memos == NULL)
        return NULL;
    key = key == 0 ? 1 : key;
    struct memo *set = relay->memos + key % (RELAY_MEMOS / RELAY_MEMO_WAYS) * RELAY_MEMO_WAYS;
    struct memo *oldest = set;
    for (size_t i = 0; i < RELAY_MEMO_WAYS; i++) {
        if (set[i].key == key) {
            set[i].used_ms = relay->now.mono_ms;
            return &set[i];
        }
        if (set[i].used_ms < oldest->used_ms)
            oldest = &set[i];
    }
    clear(oldest);
    *oldest = (struct memo){ .key = key, .used_ms = relay->now.mono_ms,
                             .why = buffer_with_most(256), .ticket = buffer_with_most(8192) };
    return oldest;
}

struct memo *relay_memo_host(struct relay *relay, struct bytes host)
{
    return find(relay, siphash(relay->key, host));
}

struct memo *relay_memo_at(struct relay *relay, const struct net_address *at)
{
    char text[18];

    for (size_t i = 0; i < 16; i++)
        text[i] = (char)at->ip[i];
    text[16] = (char)(at->port >> 8);
    text[17] = (char)(at->port & 255);
    return find(relay, siphash(relay->key, (struct bytes){ text, sizeof(text) }));
}

struct memo *relay_memo_link(struct relay *relay, const struct link *link)
{
    return link->host.n > 0 ? relay_memo_host(relay, buffer_bytes(&link->host))
                            : relay_memo_at(relay, &link->at);
}

bool memo_is_news(const struct memo *memo, const struct link *link)
{
    return memo->failed_ms == 0 || link->dialled_ms > memo->failed_ms;
}

bool memo_bad(struct relay *relay, struct memo *memo, const struct link *link, uint64_t rest_ms,
              struct status_code code, struct bytes why)
{
    bool counts = memo_is_news(memo, link);

    memo->failures += counts;
    memo->failed_ms = relay->now.mono_ms;
    memo->failed_for = link->dialled_for;
    memo->failed_attempt = link->dialled_attempt;
    memo->bad_until_ms = relay->now.mono_ms + rest_ms;
    memo->code = code;
    buffer_clear(&memo->why);
    buffer_put(&memo->why, bytes_first(why, 256));
    return counts;
}

enum { MINUTE_MS = 60 * 1000 };

bool memo_paces(const struct relay *relay, const struct memo *memo)
{
    return relay->conf->host_rate == 0 || memo->minute_ms == 0
        || relay->now.mono_ms - memo->minute_ms >= MINUTE_MS
        || memo->minute_n < relay->conf->host_rate;
}

void memo_count(const struct relay *relay, struct memo *memo)
{
    if (memo->minute_ms == 0 || relay->now.mono_ms - memo->minute_ms >= MINUTE_MS) {
        memo->minute_ms = relay->now.mono_ms;
        memo->minute_n = 0;
    }
    memo->minute_n++;
}

void memo_well(struct memo *memo)
{
    memo->failures = 0;
    memo->bad_until_ms = memo->failed_ms = 0;
}

bool memo_is_spent(const struct relay *relay, const struct memo *memo, const struct relay_job *job)
{
    bool earlier = memo->failed_for == job->letter && job->n > 0
                && memo->failed_attempt != job->rcpts[0].attempt;

    return memo->failed_ms != 0
        && (memo->failed_ms >= job->came_ms
            || (!earlier && relay->now.mono_ms - memo->failed_ms < RELAY_MOMENT_MS));
}

void relay_memos_done(struct relay *relay)
{
    for (size_t i = 0; relay->memos != NULL && i < RELAY_MEMOS; i++)
        clear(&relay->memos[i]);
    mem_free(relay->memos);
    relay->memos = NULL;
}
