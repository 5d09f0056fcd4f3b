/* SPDX-License-Identifier: ISC
 *
 * The automaton is the tree of the patterns (trie.c), packed. Nearly all steps are near the root,
 * or along one pattern. So a state has a row of its own only near the root, or where its row
 * differs in several places from that of its suffix; the others are eight octets, and those of one
 * pattern stand behind each other. What a walk touches stays in the first caches.
 */
#include "bounce/trie_int.h"

#include "base/arena.h"

#include <string.h>

enum {
    ROWS_DEPTH = 3,             /* up to it each state has its row */
    LINE_OF_CACHE = 64,         /* the frequent half of a row lies in one */
    NO_CLASS = 0xff,
};

bool edges_init(struct edges *edges, size_t n)
{
    edges->bits = 1;
    while (((size_t)1 << edges->bits) < n * 2 + 2)
        edges->bits++;
    edges->at = mem_new(sizeof(struct edge) << edges->bits);
    return edges->at != NULL;
}

struct edge *edge_of(const struct edges *edges, uint32_t state, uint8_t c)
{
    uint32_t key = state << 8 | c, mask = (1u << edges->bits) - 1;
    uint32_t at = (key * 2654435761u) >> (32 - edges->bits);

    while (edges->at[at].to != 0 && edges->at[at].key != key)
        at = (at + 1) & mask;
    return &edges->at[at];
}

uint32_t automaton_wide(const struct automaton *automaton, uint32_t state, uint8_t c)
{
    if (!automaton->states[state].wide)
        state = automaton->fail[state];
    for (; state != 0; state = automaton->fail[state]) {
        const struct edge *edge = edge_of(&automaton->edges, state, c);
        if (edge->to != 0)
            return edge->to;
    }
    return automaton->root[c - 0x80];
}

/* How the states of the tree are packed. */
struct packing {
    const struct trie *trie;
    uint16_t *number;           /* of each state: the new one */
    uint16_t *owner;            /* whose row it uses: itself, or a suffix */
    uint16_t *row;              /* the number of its row, of a state that owns one */
    uint32_t rows;
};

static bool is_end(const struct trie *trie, uint32_t state)
{
    return trie->ends[state] > 0 || trie->shorter[state] > 0;
}

/* In how many classes, at most two, do these states go different ways? *ret_class: the last. */
static unsigned differ(const struct trie *trie, uint32_t a, uint32_t b, uint8_t *ret_class)
{
    unsigned n = 0;

    for (unsigned class = 0; class < 1u << trie->shift && n < 2; class++) {
        if (*trie_cell(trie, a, class) != *trie_cell(trie, b, class)) {
            *ret_class = (uint8_t)class;
            n++;
        }
    }
    return n;
}

/* Which states own a row; a suffix is asked before what it is a suffix of. */
static void rows_choose(struct packing *packing)
{
    const struct trie *trie = packing->trie;

    for (uint32_t i = 0; i < trie->states; i++) {
        uint16_t state = trie->queue[i], suffix = packing->owner[trie->fail[state]];
        uint8_t class;
        bool owns = trie->depth[state] <= ROWS_DEPTH || differ(trie, state, suffix, &class) > 1;
        packing->owner[state] = owns ? state : suffix;
        if (owns)
            packing->row[state] = (uint16_t)packing->rows++;
    }
}

/* New numbers: those near the root first; then the others as their patterns were added, so that
   one pattern's stand behind each other; those where something ends last, so that one comparison
   tells them. Returns the first of these. */
static uint32_t states_number(struct packing *packing)
{
    const struct trie *trie = packing->trie;
    uint32_t n = trie->states, at = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint16_t state = trie->queue[i];
        if (!is_end(trie, state) && trie->depth[state] <= ROWS_DEPTH)
            packing->number[state] = (uint16_t)at++;
    }
    for (uint32_t state = 0; state < n; state++) {
        if (!is_end(trie, state) && trie->depth[state] > ROWS_DEPTH)
            packing->number[state] = (uint16_t)at++;
    }
    uint32_t first_end = at;
    for (uint32_t state = 0; state < n; state++) {
        if (is_end(trie, state))
            packing->number[state] = (uint16_t)at++;
    }
    return first_end;
}

static void rows_fill(struct automaton *automaton, const struct packing *packing)
{
    const struct trie *trie = packing->trie;
    size_t columns = (size_t)1 << trie->shift;

    for (uint32_t state = 0; state < trie->states; state++) {
        if (packing->owner[state] != state)
            continue;
        uint16_t *row = &automaton->next[packing->row[state] * columns];
        for (unsigned class = 0; class < columns; class++)
            row[class] = packing->number[*trie_cell(trie, state, class)];
    }
}

static void states_fill(struct automaton *automaton, const struct packing *packing)
{
    const struct trie *trie = packing->trie;

    for (uint32_t state = 0; state < trie->states; state++) {
        uint16_t owner = packing->owner[state], number = packing->number[state];
        struct state *to = &automaton->states[number];
        *to = (struct state){ .row = packing->row[owner], .class = NO_CLASS,
                              .wide = trie->has_wide[state] != 0, .depth = trie->depth[state] };
        if (differ(trie, state, owner, &to->class) > 0)
            to->child = packing->number[*trie_cell(trie, state, to->class)];
    }
}

/* The suffixes with edges by octets above 127; a suffix is asked before what it is a suffix of. */
static void wide_fill(struct automaton *automaton, const struct packing *packing)
{
    const struct trie *trie = packing->trie;

    for (uint32_t i = 0; i < trie->states; i++) {
        uint16_t state = trie->queue[i], suffix = trie->fail[state];
        uint16_t number = packing->number[suffix];
        automaton->fail[packing->number[state]] = trie->has_wide[suffix] != 0 ? number
            : automaton->fail[number];
    }
    for (unsigned c = 0x80; c < 0x100; c++)
        automaton->root[c - 0x80] = packing->number[edge_of(&trie->edges, 0, (uint8_t)c)->to];
}

static void edges_fill(struct automaton *automaton, const struct packing *packing)
{
    const struct edges *from = &packing->trie->edges;

    for (size_t i = 0; i < (size_t)1 << from->bits; i++) {
        const struct edge *edge = &from->at[i];
        if (edge->to == 0)
            continue;
        uint32_t state = packing->number[edge->key >> 8];
        *edge_of(&automaton->edges, state, (uint8_t)edge->key) =
            (struct edge){ state << 8 | (edge->key & 0xff), packing->number[edge->to] };
    }
}

/* The literals that end in a state, the longest first; returns how many. NULL: they are counted. */
static uint32_t endings_of(const struct trie *trie, uint32_t state, struct ending *ret_endings)
{
    uint32_t n = 0;

    for (; state != 0; state = trie->shorter[state]) {
        uint16_t index = trie->ends[state];
        for (; index != 0; index = trie->literals[index - 1].same, n++) {
            const struct literal *literal = &trie->literals[index - 1];
            if (ret_endings != NULL)
                ret_endings[n] = (struct ending){ literal->rule,
                                                  literal->parts > 1 ? index : 0 };
        }
    }
    return n;
}

/* The endings of each state behind each other, in the order of states_number, so that one look
   finds all; false: no memory. */
static bool endings_make(struct automaton *automaton, const struct trie *trie)
{
    uint32_t n = trie->states - automaton->first_end, all = 0, at = 0;

    for (uint32_t state = 0; state < trie->states; state++)
        all += endings_of(trie, state, NULL);
    automaton->ending_at = mem_new((n + 1) * sizeof(*automaton->ending_at));
    automaton->endings = mem_new((all + 1) * sizeof(*automaton->endings));
    if (automaton->ending_at == NULL || automaton->endings == NULL)
        return false;
    for (uint32_t state = 0; state < trie->states; state++) {
        if (!is_end(trie, state))
            continue;
        automaton->ending_at[at + 1] = automaton->ending_at[at]
            + endings_of(trie, state, &automaton->endings[automaton->ending_at[at]]);
        at++;
    }
    return true;
}

static void runs_make(struct automaton *automaton)
{
    memset(automaton->run, MATCH_STOP, sizeof(automaton->run));
    for (uint8_t c = 0; c < 0x7f; c++)
        automaton->run[c] = automaton->class[c <= ' ' ? ' ' : c];
    automaton->run['4'] |= MATCH_LOOK;
    automaton->run['5'] |= MATCH_LOOK;
}

static size_t edges_count(const struct edges *edges)
{
    size_t n = 0;

    for (size_t i = 0; i < (size_t)1 << edges->bits; i++)
        n += edges->at[i].to != 0;
    return n;
}

/* False: no memory. */
static bool pack(struct automaton *automaton, struct packing *packing)
{
    const struct trie *trie = packing->trie;
    size_t n = trie->states;

    rows_choose(packing);
    automaton->first_end = states_number(packing);
    automaton->rows = mem_new((packing->rows * sizeof(uint16_t) << trie->shift) + LINE_OF_CACHE);
    automaton->states = mem_new(n * sizeof(*automaton->states));
    automaton->fail = mem_new(n * sizeof(*automaton->fail));
    if (automaton->rows == NULL || automaton->states == NULL || automaton->fail == NULL
        || !edges_init(&automaton->edges, edges_count(&trie->edges))
        || !endings_make(automaton, trie))
        return false;
    automaton->next = automaton->rows + (-(uintptr_t)automaton->rows & (LINE_OF_CACHE - 1))
        / sizeof(*automaton->rows);
    rows_fill(automaton, packing);
    states_fill(automaton, packing);
    wide_fill(automaton, packing);
    edges_fill(automaton, packing);
    return true;
}

bool automaton_init(struct automaton *automaton, struct literal *literals, size_t n, size_t rules)
{
    struct trie trie;

    *automaton = (struct automaton){ .literals = literals, .rules_n = rules };
    bool made = trie_init(&trie, literals, n);
    uint16_t *tables = made ? mem_new(3 * trie.states * sizeof(uint16_t)) : NULL;
    if (tables != NULL) {
        struct packing packing = { .trie = &trie, .number = tables,
                                   .owner = tables + trie.states,
                                   .row = tables + 2 * trie.states };
        automaton->shift = trie.shift;
        memcpy(automaton->class, trie.class, sizeof(automaton->class));
        runs_make(automaton);
        made = pack(automaton, &packing);
    }
    mem_free(tables);
    trie_done(&trie);
    return made && tables != NULL;
}

void automaton_done(struct automaton *automaton)
{
    mem_free(automaton->rows);
    mem_free(automaton->states);
    mem_free(automaton->edges.at);
    mem_free(automaton->fail);
    mem_free(automaton->endings);
    mem_free(automaton->ending_at);
    mem_free(automaton->literals);
    *automaton = (struct automaton){ 0 };
}
