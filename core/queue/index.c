/* SPDX-License-Identifier: ISC */
#include "queue/index_int.h"

#include "base/arena.h"

#include <assert.h>
#include <string.h>

enum { ROOM_FIRST = 256, HOLES_LEAST = 1024 };

static void letter_done(struct letter *letter)
{
    if (letter->apart)
        mem_free(letter->many);
    letter->apart = false;
}

void index_done(struct index *index)
{
    for (size_t i = 0; i < index->n; i++)
        letter_done(&index->list[i]);
    mem_free(index->list);
    mem_free(index->heap);
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
        struct letter *letter = &index->list[index->table[at] - 1];
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
        if (index->list[middle].id < id)
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
    bool there = at < index->n && index->list[at].id == id && !index->list[at].gone;
    return there ? &index->list[at] : NULL;
}

const struct letter *index_after(const struct index *index, uint64_t after)
{
    size_t at = after == UINT64_MAX ? index->n : lower_bound(index, after + 1);

    while (at < index->n && index->list[at].gone)
        at++;
    return at < index->n ? &index->list[at] : NULL;
}

static void table_put(struct index *index, uint32_t place)
{
    size_t at = hash_of(index->list[place].id, index->table_room);

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
        if (!index->list[i].gone)
            table_put(index, (uint32_t)i);
    return true;
}

static bool make_room(struct index *index)
{
    if (index->n < index->room)
        return true;
    size_t room = index->room == 0 ? ROOM_FIRST : index->room + index->room / 4;
    struct letter *list = room > UINT32_MAX / 2 ? NULL
                        : mem_resize(index->list, room * sizeof(*list));
    if (list == NULL)
        return false;
    index->list = list;
    index->room = room;
    return true;
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
    struct letter *added = &index->list[index->n];
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
        if (!index->list[i].gone)
            index->list[to++] = index->list[i];
    index->n = to;
    index->gone = 0;
    if (index->room > ROOM_FIRST && to < index->room / 4) {
        size_t room = to * 2 > ROOM_FIRST ? to * 2 : ROOM_FIRST;
        struct letter *list = mem_resize(index->list, room * sizeof(*list));
        if (list != NULL) {
            index->list = list;
            index->room = room;
        }
    }
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

static void sift(struct letter *list, size_t at, size_t n)
{
    struct letter moved = list[at];

    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n)
            break;
        if (child + 1 < n && list[child + 1].id > list[child].id)
            child++;
        if (list[child].id <= moved.id)
            break;
        list[at] = list[child];
        at = child;
    }
    list[at] = moved;
}

static void sort(struct letter *list, size_t n)
{
    for (size_t i = n / 2; i > 0; i--)
        sift(list, i - 1, n);
    for (size_t end = n; end > 1; end--) {
        struct letter greatest = list[0];
        list[0] = list[end - 1];
        list[end - 1] = greatest;
        sift(list, 0, end - 1);
    }
}

void index_order(struct index *index)
{
    if (index->gone > 0)
        close_holes(index);
    if (index->table != NULL)
        sort(index->list, index->n);
    mem_free(index->table);
    index->table = NULL;
    index->table_room = 0;
}

bool index_wake(struct index *index, uint64_t id, uint64_t at)
{
    if (index->due_n == index->due_room) {
        size_t room = index->due_room == 0 ? ROOM_FIRST : index->due_room + index->due_room / 2;
        struct due *heap = mem_resize(index->heap, room * sizeof(*heap));
        if (heap == NULL)
            return false;
        index->heap = heap;
        index->due_room = room;
    }
    size_t hole = index->due_n++;
    while (hole > 0 && index->heap[(hole - 1) / 2].at > at) {
        index->heap[hole] = index->heap[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    index->heap[hole] = (struct due){ .at = at, .id = id };
    return true;
}

bool index_next(const struct index *index, struct due *ret_due)
{
    if (index->due_n == 0)
        return false;
    *ret_due = index->heap[0];
    return true;
}

static void heap_shrink(struct index *index)
{
    size_t room = index->due_n * 2;

    if (index->due_room <= HOLES_LEAST || room >= index->due_room / 2)
        return;
    room = room > ROOM_FIRST ? room : ROOM_FIRST;
    struct due *heap = mem_resize(index->heap, room * sizeof(*heap));
    if (heap != NULL) {
        index->heap = heap;
        index->due_room = room;
    }
}

void index_woken(struct index *index)
{
    assert(index->due_n > 0);
    struct due moved = index->heap[--index->due_n];
    size_t at = 0, n = index->due_n;

    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n)
            break;
        if (child + 1 < n && (index->heap[child + 1].at < index->heap[child].at
            || (index->heap[child + 1].at == index->heap[child].at
                && index->heap[child + 1].id < index->heap[child].id)))
            child++;
        if (index->heap[child].at >= moved.at)
            break;
        index->heap[at] = index->heap[child];
        at = child;
    }
    if (n > 0)
        index->heap[at] = moved;
    heap_shrink(index);
}
