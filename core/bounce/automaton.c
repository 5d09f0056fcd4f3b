/* SPDX-License-Identifier: ISC */
#include "bounce/match_int.h"

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
   by side, so that most steps from a state look at the same few octets of memory. */
static void classes_make(struct automaton *automaton)
{
    uint32_t count[0x80] = { 0 };
    unsigned n = 1;

    for (size_t i = 0; i < automaton->literals_n; i++) {
        struct bytes text = automaton->literals[i].text;
        for (size_t at = 0; at < text.n; at++) {
            uint8_t c = octet(text.at[at]);
            if (c >= 0x80)
                automaton->edges_n++;
            else if (c > 0)
                count[c]++;
        }
    }
    for (uint8_t c = most_of(count, automaton->class); c != 0;
         c = most_of(count, automaton->class))
        automaton->class[c] = (uint8_t)n++;
    for (char c = 'A'; c <= 'Z'; c++)
        automaton->class[octet(c)] = automaton->class[octet(to_lower(c))];
    automaton->shift = n <= 64 ? 6 : 7;
    while ((1u << automaton->edge_bits) < automaton->edges_n * 2 + 2)
        automaton->edge_bits++;
}

/* The edge by an octet above 127, or the free place for it: few patterns have such octets, and a
   row of them for each state would be most of the memory. */
static struct edge *edge_of(const struct automaton *automaton, uint32_t state, uint8_t c)
{
    uint32_t key = state << 8 | c, mask = (1u << automaton->edge_bits) - 1;
    uint32_t at = (key * 2654435761u) >> (32 - automaton->edge_bits);

    while (automaton->edges[at].to != 0 && automaton->edges[at].key != key)
        at = (at + 1) & mask;
    return &automaton->edges[at];
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
static bool state_room(struct automaton *automaton, size_t *room)
{
    size_t more = *room + 2048;

    if (automaton->states < *room)
        return true;
    if (*room + 1 > MATCH_STATES_MOST)
        return false;
    uint16_t *next = rows_grow(automaton->next, *room, more, (size_t)1 << automaton->shift);
    automaton->next = next == NULL ? automaton->next : next;
    uint16_t *ends = rows_grow(automaton->ends, *room, more, 1);
    automaton->ends = ends == NULL ? automaton->ends : ends;
    if (next == NULL || ends == NULL)
        return false;
    *room = more;
    return true;
}

/* The state behind that octet, made when it is not there yet. */
static uint32_t state_behind(struct automaton *automaton, uint32_t state, uint8_t c)
{
    if (c < 0x80) {
        uint16_t *next = automaton_cell(automaton, state, automaton->class[c]);
        if (*next == 0)
            *next = (uint16_t)automaton->states++;
        return *next;
    }
    struct edge *edge = edge_of(automaton, state, c);
    if (edge->to == 0)
        *edge = (struct edge){ state << 8 | c, automaton->states++ };
    return edge->to;
}

static bool literal_add(struct automaton *automaton, size_t index, size_t *room)
{
    struct literal *literal = &automaton->literals[index];
    uint32_t state = 0;

    for (size_t i = 0; i < literal->text.n; i++) {
        if (!state_room(automaton, room))
            return false;
        state = state_behind(automaton, state, octet(literal->text.at[i]));
    }
    literal->same = automaton->ends[state];
    automaton->ends[state] = (uint16_t)(index + 1);
    return true;
}

uint32_t automaton_wide(const struct automaton *automaton, uint32_t state, uint8_t c)
{
    for (;; state = automaton->fail[state]) {
        const struct edge *edge = edge_of(automaton, state, c);
        if (edge->to != 0 || state == 0)
            return edge->to;
    }
}

struct order {
    uint16_t *queue;            /* the states by distance from the root */
    uint32_t n;
};

static void child_link(struct automaton *automaton, struct order *order, uint32_t child,
                       uint32_t suffix)
{
    automaton->fail[child] = (uint16_t)suffix;
    automaton->shorter[child] = (uint16_t)(automaton->ends[suffix] > 0 ? suffix
                                           : automaton->shorter[suffix]);
    order->queue[order->n++] = (uint16_t)child;
}

/* The children by octets above 127, from a list made of the edges. */
static void wide_children(struct automaton *automaton, struct order *order, uint32_t state)
{
    for (unsigned c = 0x80; automaton->has_wide[state] != 0 && c < 0x100; c++) {
        const struct edge *edge = edge_of(automaton, state, (uint8_t)c);
        if (edge->to != 0)
            child_link(automaton, order, edge->to, state == 0 ? 0
                       : automaton_wide(automaton, automaton->fail[state], (uint8_t)c));
    }
}

/* Give each state its longest proper suffix, and fill what the trie leaves open, breadth first:
   the suffix of a state is known before the state. */
static void links_make(struct automaton *automaton, struct order *order)
{
    order->queue[0] = 0;
    order->n = 1;
    for (uint32_t i = 0; i < order->n; i++) {
        uint32_t state = order->queue[i];
        for (unsigned class = 0; class < 1u << automaton->shift; class++) {
            uint16_t *next = automaton_cell(automaton, state, class);
            uint16_t suffix = state == 0 ? 0
                : *automaton_cell(automaton, automaton->fail[state], class);
            if (*next != 0)
                child_link(automaton, order, *next, suffix);
            else
                *next = suffix;
        }
        wide_children(automaton, order, state);
    }
    assert(order->n == automaton->states);
}

static bool is_end(const struct automaton *automaton, uint32_t state)
{
    return automaton->ends[state] > 0 || automaton->shorter[state] > 0;
}

static void numbers_put(uint16_t *of_state, const uint16_t *number, const uint16_t *old,
                        uint32_t n, bool are_states)
{
    for (uint32_t i = 0; i < n; i++)
        of_state[number[i]] = are_states ? number[old[i]] : old[i];
}

/* New numbers: near the root first, for what is near stands near; those where something ends
   last, so that one comparison tells them. False: no memory. */
static bool states_order(struct automaton *automaton, const uint16_t *queue)
{
    uint32_t n = automaton->states, at = 0;
    size_t columns = (size_t)1 << automaton->shift;
    uint16_t *number = mem_new(n * sizeof(*number)), *spare = mem_new(3 * n * sizeof(*spare));
    uint16_t *next = mem_new(n * columns * sizeof(*next));

    for (unsigned pass = 0; number != NULL && pass < 2; pass++) {
        for (uint32_t i = 0; i < n; i++) {
            if (is_end(automaton, queue[i]) == (pass == 1))
                number[queue[i]] = (uint16_t)at++;
        }
        automaton->first_end = pass == 0 ? at : automaton->first_end;
    }
    bool ok = number != NULL && spare != NULL && next != NULL;
    for (size_t i = 0; ok && i < n * columns; i++)
        next[number[i / columns] * columns + i % columns] = number[automaton->next[i]];
    for (size_t i = 0; ok && i < 1u << automaton->edge_bits; i++) {
        struct edge *edge = &automaton->edges_spare[i];
        if (automaton->edges[i].to != 0)
            *edge = automaton->edges[i];
    }
    if (ok) {
        numbers_put(spare, number, automaton->ends, n, false);
        numbers_put(spare + n, number, automaton->shorter, n, true);
        numbers_put(spare + 2 * n, number, automaton->fail, n, true);
        memcpy(automaton->ends, spare, n * sizeof(*spare));
        memcpy(automaton->shorter, spare + n, n * sizeof(*spare));
        memcpy(automaton->fail, spare + 2 * n, n * sizeof(*spare));
        memset(automaton->edges, 0, sizeof(struct edge) << automaton->edge_bits);
        for (size_t i = 0; i < 1u << automaton->edge_bits; i++) {
            struct edge edge = automaton->edges_spare[i];
            uint32_t from = number[edge.key >> 8];
            if (edge.to != 0)
                *edge_of(automaton, from, (uint8_t)edge.key) =
                    (struct edge){ from << 8 | (edge.key & 0xff), number[edge.to] };
        }
        mem_free(automaton->next);
        automaton->next = next;
    }
    mem_free(ok ? NULL : next);
    mem_free(number);
    mem_free(spare);
    return ok;
}

/* The tables that all states share; false: no memory. */
static bool tables_make(struct automaton *automaton)
{
    size_t n = automaton->states;

    automaton->shorter = mem_new(n * sizeof(uint16_t));
    automaton->fail = mem_new(n * sizeof(uint16_t));
    automaton->has_wide = mem_new(n);
    automaton->edges_spare = mem_new(sizeof(struct edge) << automaton->edge_bits);
    if (automaton->shorter == NULL || automaton->fail == NULL || automaton->has_wide == NULL
        || automaton->edges_spare == NULL)
        return false;
    for (size_t i = 0; i < 1u << automaton->edge_bits; i++) {
        if (automaton->edges[i].to != 0)
            automaton->has_wide[automaton->edges[i].key >> 8] = 1;
    }
    return true;
}

bool automaton_init(struct automaton *automaton, struct literal *literals, size_t n, size_t rules)
{
    size_t room = 0;

    *automaton = (struct automaton){ .literals = literals, .literals_n = n, .rules_n = rules,
                                     .states = 1, .edge_bits = 1 };
    if (n > MATCH_STATES_MOST)
        return false;
    classes_make(automaton);
    automaton->edges = mem_new(sizeof(struct edge) << automaton->edge_bits);
    if (automaton->edges == NULL || !state_room(automaton, &room))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!literal_add(automaton, i, &room))
            return false;
    }
    if (automaton->states > MATCH_STATES_MOST || !tables_make(automaton))
        return false;
    struct order order = { .queue = mem_new(automaton->states * sizeof(uint16_t)) };
    bool made = order.queue != NULL;
    if (made)
        links_make(automaton, &order);
    made = made && states_order(automaton, order.queue);
    mem_free(order.queue);
    mem_free(automaton->has_wide);
    mem_free(automaton->edges_spare);
    automaton->has_wide = NULL;
    automaton->edges_spare = NULL;
    return made;
}

void automaton_done(struct automaton *automaton)
{
    mem_free(automaton->next);
    mem_free(automaton->edges);
    mem_free(automaton->edges_spare);
    mem_free(automaton->has_wide);
    mem_free(automaton->fail);
    mem_free(automaton->ends);
    mem_free(automaton->shorter);
    mem_free(automaton->literals);
    *automaton = (struct automaton){ 0 };
}
