/* SPDX-License-Identifier: ISC */
#include "queue/index_int.h"

#include "base/arena.h"

#include <assert.h>
#include <string.h>

enum { ROOM_FIRST = 256, HOLES_LEAST = 1024, LETTERS = 1 << LETTERS_SHIFT, DUES = 1 << DUES_SHIFT };

static void letter_done(struct letter *letter)
{
    if (letter->apart)
        mem_free(letter->many);
    letter->apart = false;
}

void index_done(struct index *index)
{
    for (size_t i = 0; i < index->n; i++)
        letter_done(index_at(index, i));
    for (size_t i = 0; i < index->letters_n; i++)
        mem_free(index->letters[i]);
    for (size_t i = 0; i < index->dues_n; i++)
        mem_free(index->dues[i]);
    mem_free(index->letters);
    mem_free(index->dues);
    mem_free(index->table);
    *index = (struct index){ 0 };
}

static size_t hash_of(uint64_t id, size_t room)
{
    return (size_t)((id * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & (room - 1);
}

static struct letter *find_by_table(const struct index *index, uint64_t id)
{
    size_t at = hash_of(id, index->table_room);

    while (index->table[at] != 0) {
        struct letter *letter = index_at(index, index->table[at] - 1);
        if (letter->id == id && !letter->gone)
            return letter;
        at = (at + 1) & (index->table_room - 1);
    }
    return NULL;
}

/* The place of the first letter whose id is `id` or above. */
static size_t lower_bound(const struct index *index, uint64_t id)
{
    size_t low = 0, high = index->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index_at(index, middle)->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct letter *index_find(const struct index *index, uint64_t id)
{
    if (index->table != NULL)
        return find_by_table(index, id);
    size_t at = lower_bound(index, id);
    struct letter *letter = at < index->n ? index_at(index, at) : NULL;
    return letter != NULL && letter->id == id && !letter->gone ? letter : NULL;
}

const struct letter *index_after(const struct index *index, uint64_t after)
{
    size_t at = after == UINT64_MAX ? index->n : lower_bound(index, after + 1);

    while (at < index->n && index_at(index, at)->gone)
        at++;
    return at < index->n ? index_at(index, at) : NULL;
}

static void table_put(struct index *index, uint32_t place)
{
    size_t at = hash_of(index_at(index, place)->id, index->table_room);

    while (index->table[at] != 0)
        at = (at + 1) & (index->table_room - 1);
    index->table[at] = place + 1;
}

/* A table with room for twice the letters there are; places of holes are left out. */
static bool table_make(struct index *index)
{
    size_t room = ROOM_FIRST;

    while (room < (index->n + 1) * 4)
        room *= 2;
    uint32_t *table = mem_new(room * sizeof(*table));
    if (table == NULL)
        return false;
    mem_free(index->table);
    index->table = table;
    index->table_room = room;
    for (size_t i = 0; i < index->n; i++)
        if (!index_at(index, i)->gone)
            table_put(index, (uint32_t)i);
    return true;
}

static bool make_room(struct index *index)
{
    if (index->n < index->letters_n * LETTERS)
        return true;
    if (index->n >= UINT32_MAX - LETTERS)
        return false;
    if (index->letters_n == index->letters_room) {
        size_t room = index->letters_room * 2 + ROOM_FIRST;
        struct letter **chunks = mem_resize(index->letters, room * sizeof(*chunks));
        if (chunks == NULL)
            return false;
        index->letters = chunks;
        index->letters_room = room;
    }
    struct letter *chunk = mem_resize(NULL, LETTERS * sizeof(*chunk));
    if (chunk != NULL)
        index->letters[index->letters_n++] = chunk;
    return chunk != NULL;
}

void letter_reset(struct letter *letter, uint64_t due)
{
    letter->left = letter->recipients;
    for (uint32_t i = 0; i < letter->recipients; i++)
        *letter_rcpt(letter, i) = (struct rcpt){ .due = due };
}

static bool recipients_room(struct letter *letter, uint64_t body)
{
    letter->apart = letter->recipients > 1 || body != 0;
    if (!letter->apart)
        return true;
    letter->many = mem_new(sizeof(*letter->many) + letter->recipients * sizeof(struct rcpt));
    if (letter->many != NULL)
        letter->many->body = body;
    return letter->many != NULL;
}

struct letter *index_add(struct index *index, const struct letter *letter, uint64_t body,
                         uint64_t due)
{
    bool in_order = index->table == NULL && (index->n == 0 || letter->id > index->last_id);

    assert(letter->recipients > 0);
    if (!in_order && index_find(index, letter->id) != NULL)
        return NULL;
    if (!make_room(index))
        return NULL;
    if (!in_order && (index->table == NULL || index->table_room < (index->n + 1) * 2)
        && !table_make(index))
        return NULL;
    struct letter *added = index_at(index, index->n);
    *added = *letter;
    if (!recipients_room(added, body))
        return NULL;
    letter_reset(added, due);
    added->gone = false;
    index->n++;
    if (index->table != NULL)
        table_put(index, (uint32_t)(index->n - 1));
    if (letter->id > index->last_id)
        index->last_id = letter->id;
    return added;
}

static void close_holes(struct index *index)
{
    size_t to = 0;

    for (size_t i = 0; i < index->n; i++)
        if (!index_at(index, i)->gone)
            *index_at(index, to++) = *index_at(index, i);
    index->n = to;
    index->gone = 0;
    while (index->letters_n > to / LETTERS + 2)
        mem_free(index->letters[--index->letters_n]);
}

void index_remove(struct index *index, struct letter *letter)
{
    assert(!letter->gone);
    letter_done(letter);
    letter->gone = true;
    index->gone++;
    if (index->table == NULL && index->gone >= HOLES_LEAST && index->gone > index->n / 2)
        close_holes(index);
}

static void sift(struct index *index, size_t at, size_t n)
{
    struct letter moved = *index_at(index, at);

    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n)
            break;
        if (child + 1 < n && index_at(index, child + 1)->id > index_at(index, child)->id)
            child++;
        if (index_at(index, child)->id <= moved.id)
            break;
        *index_at(index, at) = *index_at(index, child);
        at = child;
    }
    *index_at(index, at) = moved;
}

static void sort(struct index *index)
{
    for (size_t i = index->n / 2; i > 0; i--)
        sift(index, i - 1, index->n);
    for (size_t end = index->n; end > 1; end--) {
        struct letter greatest = *index_at(index, 0);
        *index_at(index, 0) = *index_at(index, end - 1);
        *index_at(index, end - 1) = greatest;
        sift(index, 0, end - 1);
    }
}

void index_order(struct index *index)
{
    if (index->gone > 0)
        close_holes(index);
    if (index->table != NULL)
        sort(index);
    mem_free(index->table);
    index->table = NULL;
    index->table_room = 0;
}

static struct due *due_at(const struct index *index, size_t place)
{
    return &index->dues[place >> DUES_SHIFT][place & (DUES - 1)];
}

static bool make_due_room(struct index *index)
{
    if (index->due_n < index->dues_n * DUES)
        return true;
    if (index->dues_n == index->dues_room) {
        size_t room = index->dues_room * 2 + ROOM_FIRST;
        struct due **chunks = mem_resize(index->dues, room * sizeof(*chunks));
        if (chunks == NULL)
            return false;
        index->dues = chunks;
        index->dues_room = room;
    }
    struct due *chunk = mem_resize(NULL, DUES * sizeof(*chunk));
    if (chunk != NULL)
        index->dues[index->dues_n++] = chunk;
    return chunk != NULL;
}

bool index_wake(struct index *index, uint64_t id, uint64_t at)
{
    if (!make_due_room(index))
        return false;
    size_t hole = index->due_n++;
    while (hole > 0 && due_at(index, (hole - 1) / 2)->at > at) {
        *due_at(index, hole) = *due_at(index, (hole - 1) / 2);
        hole = (hole - 1) / 2;
    }
    *due_at(index, hole) = (struct due){ .at = at, .id = id };
    return true;
}

bool index_next(const struct index *index, struct due *ret_due)
{
    if (index->due_n == 0)
        return false;
    *ret_due = *due_at(index, 0);
    return true;
}

static bool sooner(const struct due *a, const struct due *b)
{
    return a->at < b->at || (a->at == b->at && a->id < b->id);
}

void index_woken(struct index *index)
{
    assert(index->due_n > 0);
    struct due moved = *due_at(index, --index->due_n);
    size_t at = 0, n = index->due_n;

    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n)
            break;
        if (child + 1 < n && sooner(due_at(index, child + 1), due_at(index, child)))
            child++;
        if (!sooner(due_at(index, child), &moved))
            break;
        *due_at(index, at) = *due_at(index, child);
        at = child;
    }
    if (n > 0)
        *due_at(index, at) = moved;
    while (index->dues_n > n / DUES + 2)
        mem_free(index->dues[--index->dues_n]);
}
