/* SPDX-License-Identifier: ISC
 *
 * The search of the history, in three passes:
 *   KEYS    (not for an id) the newest day first: which events name the key? They name the letters.
 *   IDS     from the day of the oldest of those letters: which events are theirs?
 *   EVENTS  those events, letter by letter
 */
#include "queue/history.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/reader.h"
#include "queue/day_int.h"

#include <assert.h>
#include <string.h>

enum { LETTERS_MOST = 100, HITS_MOST = 20000, IDX_PIECE = 1024 * 1024, EVENT_FIRST = 4096 };

struct hit { uint64_t day, offset, id; };

enum pass { PASS_KEYS, PASS_KEY_EVENTS, PASS_IDS, PASS_EVENTS, PASS_OVER };

struct history_search {
    enum pass pass;
    uint64_t key;
    uint64_t *days;                 /* in order, oldest first */
    size_t days_n, at;              /* at: the day's place, + 1 in PASS_KEYS */
    uint64_t offset;                /* in its .idx */
    bool waits;
    uint8_t secret[16];
    uint64_t wanted[LETTERS_MOST];  /* hashes in this day's .idx; for KEYS the first one */
    struct hit recent[LETTERS_MOST];    /* KEYS: a ring of the newest hits of the day */
    size_t recent_n, recent_at;
    uint64_t ids[LETTERS_MOST];
    size_t ids_n;
    struct hit *hits;
    size_t hits_n, hits_room, hit;
    uint32_t event_n;               /* octets that the event at `hit` needs; 0: not known yet */
    struct buffer event;
    bool ready, more, bad;
    char name[DAY_NAME];
};

static bool take_days(struct history_search *s, struct bytes names)
{
    struct bytes rest = names, name;
    size_t lines = 0;
    uint64_t day;
    bool idx;

    while (bytes_cut(&rest, '\n', &name))
        lines++;
    s->days = mem_new(lines * sizeof(*s->days));
    if (s->days == NULL)
        return false;
    while (bytes_cut(&names, '\n', &name))
        if (day_read(name, &day, &idx) && idx && (s->days_n == 0 || s->days[s->days_n - 1] < day))
            s->days[s->days_n++] = day;
    return true;
}

static uint64_t key_of_id(uint64_t id)
{
    char text[ID_TEXT];

    id_write(id, text);
    return history_key(HISTORY_BY_ID, (struct bytes){ text, ID_TEXT });
}

/* The day of a letter is in its id: milliseconds are its upper part. It may be a little ahead
   of the clock, so begin a day early. */
static void begin_ids(struct history_search *s)
{
    uint64_t oldest = UINT64_MAX;

    for (size_t i = 0; i < s->ids_n; i++)
        oldest = s->ids[i] < oldest ? s->ids[i] : oldest;
    uint64_t day = (oldest >> 20) / DAY_MS;
    s->pass = s->ids_n == 0 ? PASS_OVER : PASS_IDS;
    s->offset = 0;
    for (s->at = 0; s->at < s->days_n && s->days[s->at] + 1 < day; s->at++)
        continue;
}

struct history_search *history_search_new(enum history_by by, struct bytes key, struct bytes names)
{
    struct history_search *s = mem_new(sizeof(*s));

    if (s == NULL)
        return NULL;
    s->event = buffer_with_most(EVENT_HEAD + EVENT_MOST);
    s->key = history_key(by, key);
    if (!take_days(s, names)) {
        history_search_free(s);
        return NULL;
    }
    s->pass = PASS_KEYS;
    s->at = s->days_n;
    if (by == HISTORY_BY_ID) {
        s->ids_n = id_parse(key, &s->ids[0]) ? 1 : 0;
        begin_ids(s);
    }
    return s;
}

void history_search_free(struct history_search *s)
{
    if (s == NULL)
        return;
    mem_free(s->days);
    mem_free(s->hits);
    buffer_done(&s->event);
    mem_free(s);
}

static struct history_want ask(struct history_search *s, uint64_t day, bool idx, uint64_t offset,
                               uint32_t count)
{
    day_write(day, idx, s->name);
    s->waits = true;
    return (struct history_want){ .need = HISTORY_NEEDS_READ, .offset = offset, .count = count,
                                  .name = { s->name, DAY_NAME } };
}

static void add_hit(struct history_search *s, struct hit hit)
{
    if (s->hits_n == HITS_MOST) {
        s->more = true;
        return;
    }
    if (s->hits_n == s->hits_room) {
        size_t room = s->hits_room == 0 ? 256 : s->hits_room * 2;
        struct hit *hits = mem_resize(s->hits, room * sizeof(*hits));
        if (hits == NULL) {
            s->bad = true;
            return;
        }
        s->hits = hits;
        s->hits_room = room;
    }
    s->hits[s->hits_n++] = hit;
}

static uint64_t day_now(const struct history_search *s)
{
    return s->days[s->pass == PASS_KEYS ? s->at - 1 : s->at];
}

static void take_head(struct history_search *s, struct bytes head)
{
    if (!idx_head_read(head, s->secret)) {
        s->offset = UINT64_MAX;     /* nothing of that day can be found */
        return;
    }
    if (s->pass == PASS_KEYS)
        s->wanted[0] = idx_hash(s->secret, s->key);
    for (size_t i = 0; s->pass == PASS_IDS && i < s->ids_n; i++)
        s->wanted[i] = idx_hash(s->secret, key_of_id(s->ids[i]));
}

static void take_entry(struct history_search *s, uint64_t hash, uint64_t offset)
{
    struct hit hit = { .day = day_now(s), .offset = offset };

    if (s->pass == PASS_KEYS && hash == s->wanted[0]) {
        s->more = s->more || s->recent_n == LETTERS_MOST;
        s->recent[s->recent_at] = hit;
        s->recent_at = (s->recent_at + 1) % LETTERS_MOST;
        s->recent_n += s->recent_n < LETTERS_MOST;
    }
    for (size_t i = 0; s->pass == PASS_IDS && i < s->ids_n; i++)
        if (hash == s->wanted[i]) {
            hit.id = s->ids[i];
            add_hit(s, hit);
        }
}

/* The newest hits of a day, newest first, are the events to look at for their letters. */
static void day_of_keys_done(struct history_search *s)
{
    s->hits_n = s->hit = 0;
    for (size_t i = 0; i < s->recent_n; i++)
        add_hit(s, s->recent[(s->recent_at + 2 * LETTERS_MOST - 1 - i) % LETTERS_MOST]);
    s->recent_n = s->recent_at = 0;
    s->at--;
    s->offset = 0;
    s->event_n = 0;
    s->pass = PASS_KEY_EVENTS;
}

static bool before(const struct hit *a, const struct hit *b)
{
    if (a->id != b->id)
        return a->id < b->id;
    return a->day != b->day ? a->day < b->day : a->offset < b->offset;
}

static void sift(struct hit *list, size_t at, size_t n)
{
    struct hit moved = list[at];

    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n)
            break;
        if (child + 1 < n && before(&list[child], &list[child + 1]))
            child++;
        if (!before(&moved, &list[child]))
            break;
        list[at] = list[child];
        at = child;
    }
    list[at] = moved;
}

static void sort(struct hit *list, size_t n)
{
    for (size_t i = n / 2; i > 0; i--)
        sift(list, i - 1, n);
    for (size_t end = n; end > 1; end--) {
        struct hit greatest = list[0];
        list[0] = list[end - 1];
        list[end - 1] = greatest;
        sift(list, 0, end - 1);
    }
}

static void give_idx(struct history_search *s, struct bytes octets)
{
    bool end = octets.n < IDX_PIECE;

    if (s->offset == 0) {
        take_head(s, bytes_first(octets, IDX_HEAD));
        if (s->offset == UINT64_MAX)
            octets = BYTES_NONE;
        octets = bytes_skip(octets, IDX_HEAD);
        s->offset = s->offset == UINT64_MAX ? 0 : IDX_HEAD;
    }
    s->offset += octets.n;
    for (; octets.n >= IDX_ENTRY; octets = bytes_skip(octets, IDX_ENTRY))
        take_entry(s, day_load(octets.at), day_load(octets.at + 8));
    if (!end)
        return;
    if (s->pass == PASS_KEYS) {
        day_of_keys_done(s);
        return;
    }
    s->at++;
    s->offset = 0;
    if (s->at == s->days_n) {
        sort(s->hits, s->hits_n);
        s->pass = PASS_EVENTS;
        s->hit = 0;
        s->event_n = 0;
    }
}

static void next_hit(struct history_search *s)
{
    s->hit++;
    s->event_n = 0;
}

static void remember(struct history_search *s, uint64_t id)
{
    for (size_t i = 0; i < s->ids_n; i++)
        if (s->ids[i] == id)
            return;
    if (s->ids_n == LETTERS_MOST)
        s->more = true;
    else
        s->ids[s->ids_n++] = id;
}

/* An event with its length and check in front; what is torn or was never written is passed over. */
static void give_event(struct history_search *s, struct bytes octets)
{
    struct reader in = reader_of(octets);
    uint32_t n = read_u32(&in), crc = read_u32(&in);
    struct history_event event;

    if (!reader_ok(&in) || n > EVENT_MOST) {
        next_hit(s);
        return;
    }
    struct bytes text = bytes_first(reader_left(&in), n);
    if (text.n < n && s->event_n == 0) {
        s->event_n = EVENT_HEAD + n;
        return;
    }
    if (text.n < n || crc32c(0, text) != crc || !history_read(text, &event)) {
        next_hit(s);
    } else if (s->pass == PASS_KEY_EVENTS) {
        remember(s, event.id);
        next_hit(s);
    } else if (event.id != s->hits[s->hit].id) {
        next_hit(s);
    } else {
        buffer_clear(&s->event);
        buffer_put(&s->event, text);
        s->bad = s->bad || s->event.bad;
        s->ready = true;
    }
}

void history_search_give(struct history_search *s, struct bytes octets)
{
    assert(s->waits);
    s->waits = false;
    if (s->pass == PASS_KEYS || s->pass == PASS_IDS)
        give_idx(s, octets);
    else
        give_event(s, octets);
}

static struct history_want want_event(struct history_search *s)
{
    const struct hit *hit = &s->hits[s->hit];

    return ask(s, hit->day, false, hit->offset, s->event_n == 0 ? EVENT_FIRST : s->event_n);
}

static struct history_want tell_event(struct history_search *s)
{
    s->ready = false;
    next_hit(s);
    return (struct history_want){ .need = HISTORY_HAS_EVENT, .event = buffer_bytes(&s->event) };
}

struct history_want history_search_next(struct history_search *s)
{
    assert(!s->waits);
    if (s->ready)
        return tell_event(s);
    while (!s->bad && s->pass != PASS_OVER) {
        switch (s->pass) {
        case PASS_KEYS:
            if (s->at > 0 && s->ids_n < LETTERS_MOST)
                return ask(s, day_now(s), true, s->offset, IDX_PIECE);
            s->more = s->more || s->at > 0;
            s->hits_n = 0;
            begin_ids(s);
            break;
        case PASS_KEY_EVENTS:
            if (s->hit < s->hits_n)
                return want_event(s);
            s->pass = PASS_KEYS;
            break;
        case PASS_IDS:
            if (s->at < s->days_n)
                return ask(s, day_now(s), true, s->offset, IDX_PIECE);
            s->pass = PASS_OVER;
            break;
        case PASS_EVENTS:
            if (s->hit < s->hits_n)
                return want_event(s);
            s->pass = PASS_OVER;
            break;
        case PASS_OVER:
            break;
        }
    }
    return (struct history_want){ .need = HISTORY_ENDS, .more = s->more || s->bad };
}
