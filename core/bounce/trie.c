/* SPDX-License-Identifier: ISC */
#include "bounce/trie_int.h"

#include "base/arena.h"

#include <assert.h>
#include <string.h>

/* The octet that most of the patterns' letters are, of those without a class; 0: none is left. */
static uint8_t most_of(const uint32_t *count, const uint8_t *class)
{
    uint8_t most = 0;

    for (uint8_t c = 1; c < 0x80; c++) {
        if (class[c] == 0 && count[c] > count[most])
            most = c;
    }
    return most;
}

/* A class for each ASCII octet of the patterns; 0: no pattern has it. The frequent ones stand side
   by side, so that most steps from a state look at the same few octets of memory. Returns how many
   octets above 127 there are. */
static size_t classes_make(struct trie *trie)
{
    uint32_t count[0x80] = { 0 };
    size_t wide = 0;
    unsigned n = 1;

    count[' '] = 1;             /* it has a class of its own, whatever the patterns hold */
    for (size_t i = 0; i < trie->literals_n; i++) {
        struct bytes text = trie->literals[i].text;
        for (size_t at = 0; at < text.n; at++) {
            uint8_t c = octet(text.at[at]);
            if (c >= 0x80)
                wide++;
            else if (c > 0)
                count[c]++;
        }
    }
    for (uint8_t c = most_of(count, trie->class); c != 0; c = most_of(count, trie->class))
        trie->class[c] = (uint8_t)n++;
    for (char c = 'A'; c <= 'Z'; c++)
        trie->class[octet(c)] = trie->class[octet(to_lower(c))];
    trie->shift = n <= 64 ? 6 : 7;
    return wide;
}

/* More octets of a table, zeroed; NULL: no memory, and it is as it was. */
static uint16_t *rows_grow(uint16_t *table, size_t room, size_t more, size_t columns)
{
    uint16_t *new = mem_resize(table, more * columns * sizeof(*new));

    if (new != NULL)
        memset(new + room * columns, 0, (more - room) * columns * sizeof(*new));
    return new;
}

/* Room for one state more; false: no memory, or too many. */
static bool state_room(struct trie *trie, size_t *room)
{
    size_t more = *room + 2048;

    if (trie->states < *room)
        return true;
    if (*room + 1 > MATCH_STATES_MOST)
        return false;
    uint16_t *next = rows_grow(trie->next, *room, more, (size_t)1 << trie->shift);
    trie->next = next == NULL ? trie->next : next;
    uint16_t *ends = rows_grow(trie->ends, *room, more, 1);
    trie->ends = ends == NULL ? trie->ends : ends;
    if (next == NULL || ends == NULL)
        return false;
    *room = more;
    return true;
}

/* The state behind that octet, made when it is not there yet. */
static uint32_t state_behind(struct trie *trie, uint32_t state, uint8_t c)
{
    if (c < 0x80) {
        uint16_t *next = trie_cell(trie, state, trie->class[c]);
        if (*next == 0)
            *next = (uint16_t)trie->states++;
        return *next;
    }
    struct edge *edge = edge_of(&trie->edges, state, c);
    if (edge->to == 0)
        *edge = (struct edge){ state << 8 | c, trie->states++ };
    return edge->to;
}

static bool literal_add(struct trie *trie, size_t index, size_t *room)
{
    struct literal *literal = &trie->literals[index];
    uint32_t state = 0;

    for (size_t i = 0; i < literal->text.n; i++) {
        if (!state_room(trie, room))
            return false;
        state = state_behind(trie, state, octet(literal->text.at[i]));
    }
    literal->same = trie->ends[state];
    trie->ends[state] = (uint16_t)(index + 1);
    return true;
}

static void child_link(struct trie *trie, uint32_t parent, uint32_t child, uint32_t suffix)
{
    trie->depth[child] = (uint16_t)(trie->depth[parent] + 1);
    trie->fail[child] = (uint16_t)suffix;
    trie->shorter[child] = (uint16_t)(trie->ends[suffix] > 0 ? suffix : trie->shorter[suffix]);
    trie->queue[trie->queue_n++] = (uint16_t)child;
}

/* As far back as needed to where a pattern goes on with that octet above 127. */
static uint32_t wide_behind(const struct trie *trie, uint32_t state, uint8_t c)
{
    for (;; state = trie->fail[state]) {
        const struct edge *edge = edge_of(&trie->edges, state, c);
        if (edge->to != 0 || state == 0)
            return edge->to;
    }
}

/* The children by octets above 127. */
static void wide_children(struct trie *trie, uint32_t state)
{
    for (unsigned c = 0x80; trie->has_wide[state] != 0 && c < 0x100; c++) {
        const struct edge *edge = edge_of(&trie->edges, state, (uint8_t)c);
        if (edge->to != 0)
            child_link(trie, state, edge->to, state == 0 ? 0
                       : wide_behind(trie, trie->fail[state], (uint8_t)c));
    }
}

/* Give each state its longest proper suffix, and fill what the tree leaves open, breadth first:
   the suffix of a state is known before the state. */
static void links_make(struct trie *trie)
{
    trie->queue[0] = 0;
    trie->queue_n = 1;
    for (uint32_t i = 0; i < trie->queue_n; i++) {
        uint32_t state = trie->queue[i];
        for (unsigned class = 0; class < 1u << trie->shift; class++) {
            uint16_t *next = trie_cell(trie, state, class);
            uint16_t suffix = state == 0 ? 0 : *trie_cell(trie, trie->fail[state], class);
            if (*next != 0)
                child_link(trie, state, *next, suffix);
            else
                *next = suffix;
        }
        wide_children(trie, state);
    }
    assert(trie->queue_n == trie->states);
}

/* The tables of all states; false: no memory. */
static bool tables_make(struct trie *trie)
{
    size_t n = trie->states;

    trie->shorter = mem_new(n * sizeof(uint16_t));
    trie->fail = mem_new(n * sizeof(uint16_t));
    trie->depth = mem_new(n * sizeof(uint16_t));
    trie->queue = mem_new(n * sizeof(uint16_t));
    trie->has_wide = mem_new(n);
    if (trie->shorter == NULL || trie->fail == NULL || trie->depth == NULL || trie->queue == NULL
        || trie->has_wide == NULL)
        return false;
    for (size_t i = 0; i < (size_t)1 << trie->edges.bits; i++) {
        if (trie->edges.at[i].to != 0)
            trie->has_wide[trie->edges.at[i].key >> 8] = 1;
    }
    return true;
}

bool trie_init(struct trie *trie, struct literal *literals, size_t n)
{
    size_t room = 0;

    *trie = (struct trie){ .literals = literals, .literals_n = n, .states = 1 };
    if (n > MATCH_STATES_MOST || !edges_init(&trie->edges, classes_make(trie))
        || !state_room(trie, &room))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!literal_add(trie, i, &room))
            return false;
    }
    if (trie->states > MATCH_STATES_MOST || !tables_make(trie))
        return false;
    links_make(trie);
    return true;
}

void trie_done(struct trie *trie)
{
    mem_free(trie->next);
    mem_free(trie->ends);
    mem_free(trie->shorter);
    mem_free(trie->fail);
    mem_free(trie->depth);
    mem_free(trie->queue);
    mem_free(trie->has_wide);
    mem_free(trie->edges.at);
    *trie = (struct trie){ 0 };
}
