/* SPDX-License-Identifier: ISC */
#include "bounce/match_int.h"

#include "base/arena.h"

#include <assert.h>
#include <string.h>

enum { ENDS = 0x8000, STATE = 0x7fff };

static void classes_make(struct automaton *automaton)
{
    unsigned n = 1;

    for (size_t i = 0; i < automaton->literals_n; i++) {
        struct bytes text = automaton->literals[i].text;
        for (size_t at = 0; at < text.n; at++) {
            if (automaton->class[octet(text.at[at])] == 0)
                automaton->class[octet(text.at[at])] = (uint8_t)n++;
        }
    }
    automaton->classes = n;
}

static uint16_t *row(const struct automaton *automaton, uint32_t state)
{
    return automaton->next + (size_t)state * automaton->classes;
}

/* Room for one state more; false: no memory, or too many. */
static bool state_room(struct automaton *automaton, size_t *room)
{
    if (automaton->states < *room)
        return true;
    size_t more = *room + 4096;
    if (*room + 1 > MATCH_STATES_MOST)
        return false;
    size_t row_octets = automaton->classes * sizeof(uint16_t);
    uint16_t *next = mem_resize(automaton->next, more * row_octets);
    if (next == NULL)
        return false;
    automaton->next = next;
    memset((char *)next + *room * row_octets, 0, (more - *room) * row_octets);
    uint16_t *ends = mem_resize(automaton->ends, more * sizeof(*ends));
    if (ends == NULL)
        return false;
    automaton->ends = ends;
    memset(ends + *room, 0, (more - *room) * sizeof(*ends));
    *room = more;
    return true;
}

static bool literal_add(struct automaton *automaton, size_t index, size_t *room)
{
    struct literal *literal = &automaton->literals[index];
    uint32_t state = 0;

    for (size_t i = 0; i < literal->text.n; i++) {
        if (!state_room(automaton, room))
            return false;
        uint16_t *next = row(automaton, state) + automaton->class[octet(literal->text.at[i])];
        if (*next == 0)
            *next = (uint16_t)automaton->states++;
        state = *next;
    }
    literal->same = automaton->ends[state];
    automaton->ends[state] = (uint16_t)(index + 1);
    return true;
}

/* Give the child of a state its longest proper suffix, and fill what the trie leaves open. */
static void child_link(struct automaton *automaton, uint16_t *fail, uint32_t state, unsigned class,
                       uint16_t *queue, uint32_t *queue_n)
{
    uint16_t *next = row(automaton, state) + class;
    uint16_t suffix = state == 0 ? 0 : row(automaton, fail[state])[class] & STATE;

    if (*next == 0) {
        *next = suffix;
        return;
    }
    fail[*next] = suffix;
    automaton->shorter[*next] = automaton->ends[suffix] > 0 ? suffix : automaton->shorter[suffix];
    queue[(*queue_n)++] = *next;
}

/* Breadth first: the suffix of a state is known before the state. */
static bool links_make(struct automaton *automaton)
{
    uint16_t *fail = mem_new(automaton->states * sizeof(uint16_t) * 2);
    uint32_t n = 1;

    automaton->shorter = mem_new(automaton->states * sizeof(uint16_t));
    if (fail == NULL || automaton->shorter == NULL) {
        mem_free(fail);
        return false;
    }
    uint16_t *queue = fail + automaton->states;
    queue[0] = 0;
    for (uint32_t i = 0; i < n; i++) {
        for (unsigned class = 0; class < automaton->classes; class++)
            child_link(automaton, fail, queue[i], class, queue, &n);
    }
    assert(n == automaton->states);
    mem_free(fail);
    return true;
}

static void ends_mark(struct automaton *automaton)
{
    size_t n = (size_t)automaton->states * automaton->classes;

    for (size_t i = 0; i < n; i++) {
        uint16_t to = automaton->next[i];
        if (automaton->ends[to] > 0 || automaton->shorter[to] > 0)
            automaton->next[i] = to | ENDS;
    }
}

bool automaton_init(struct automaton *automaton, struct literal *literals, size_t n, size_t rules)
{
    size_t room = 0;

    *automaton = (struct automaton){ .literals = literals, .literals_n = n, .rules_n = rules,
                                     .states = 1 };
    if (n > MATCH_STATES_MOST)
        return false;
    classes_make(automaton);
    if (!state_room(automaton, &room))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!literal_add(automaton, i, &room))
            return false;
    }
    if (automaton->states > MATCH_STATES_MOST || !links_make(automaton))
        return false;
    ends_mark(automaton);
    return true;
}

void automaton_done(struct automaton *automaton)
{
    mem_free(automaton->next);
    mem_free(automaton->ends);
    mem_free(automaton->shorter);
    mem_free(automaton->literals);
    *automaton = (struct automaton){ 0 };
}

bool match_init(struct match *match, const struct automaton *automaton)
{
    match->automaton = automaton;
    match->hits_n = 0;
    match->walk = 0;
    match->parts = mem_new((automaton->rules_n + 1) * sizeof(*match->parts));
    return match->parts != NULL;
}

void match_done(struct match *match)
{
    mem_free(match->parts);
    match->parts = NULL;
}

void match_gap(struct match *match)
{
    match->walk++;
    match->at = 0;
    match->state = 0;
    match->space = true;        /* a text begins and ends as a word does */
    match->wide = false;
}

void match_begin(struct match *match)
{
    match->hits_n = 0;
    match_gap(match);
}

static void hit_add(struct match *match, uint16_t rule)
{
    const struct hit *last = match->hits_n == 0 ? NULL : &match->hits[match->hits_n - 1];

    if (last != NULL && last->rule == rule && last->line == match->line)
        return;
    if (match->hits_n < MATCH_HITS_MOST)
        match->hits[match->hits_n++] = (struct hit){ rule, match->line };
}

/* The next part of a pattern with gaps must stand behind the one before, and not far. */
static void part_ends(struct match *match, const struct literal *literal)
{
    struct match_part *part = &match->parts[literal->rule];
    bool here = part->walk == match->walk && part->done > 0;

    if (literal->part == 0) {
        if (!here || part->done == 1)
            *part = (struct match_part){ match->walk, match->at, 1 };
        return;
    }
    if (!here || part->done != literal->part)
        return;
    uint32_t begin = match->at - (uint32_t)literal->text.n;
    if (begin < part->at)
        return;
    if (begin - part->at > MATCH_GAP_MOST) {
        part->done = 0;
        return;
    }
    part->done++;
    part->at = match->at;
    if (part->done == literal->parts) {
        part->done = 0;
        hit_add(match, literal->rule);
    }
}

static void state_ends(struct match *match, uint16_t state)
{
    const struct automaton *automaton = match->automaton;

    for (; state != 0; state = automaton->shorter[state]) {
        uint16_t index = automaton->ends[state];
        while (index != 0) {
            const struct literal *literal = &automaton->literals[index - 1];
            if (literal->parts == 1)
                hit_add(match, literal->rule);
            else
                part_ends(match, literal);
            index = literal->same;
        }
    }
}

static inline void step(struct match *match, uint8_t c)
{
    const struct automaton *automaton = match->automaton;
    uint16_t next = row(automaton, match->state)[automaton->class[c]];

    match->at++;
    match->state = next & STATE;
    if ((next & ENDS) != 0)
        state_ends(match, match->state);
}

/* The normal form of a letter of more than one octet; returns how many of the text it took. */
static size_t wide_step(struct match *match, const char *at, size_t n)
{
    uint8_t a = octet(at[0]), b = n > 1 ? octet(at[1]) : 0, c = n > 2 ? octet(at[2]) : 0;
    bool ideograph = a >= 0xe3;

    if ((a == 0xc2 && b == 0xa0) || (a == 0xe3 && b == 0x80 && c == 0x80)) {
        match->space = true;
        return a == 0xc2 ? 2 : 3;
    }
    if (match->space && !(ideograph && match->wide))
        step(match, ' ');
    match->space = false;
    match->wide = ideograph || (a < 0xc0 && match->wide);
    if (a == 0xe2 && b == 0x80 && (c == 0x98 || c == 0x99))
        return step(match, '\''), 3;
    if (a == 0xe2 && b == 0x80 && (c == 0x9c || c == 0x9d || c == 0x9e))
        return step(match, '"'), 3;
    if (a == 0xe2 && b == 0x80 && c >= 0x90 && c <= 0x95)
        return step(match, '-'), 3;
    if (a == 0xc3 && b >= 0x80 && b <= 0x9e)
        return step(match, a), step(match, (uint8_t)(b + 0x20)), 2;
    if (a == 0xd0 && b >= 0x90 && b <= 0x9f)
        return step(match, a), step(match, (uint8_t)(b + 0x20)), 2;
    if (a == 0xd0 && b >= 0xa0 && b <= 0xaf)
        return step(match, 0xd1), step(match, (uint8_t)(b - 0x20)), 2;
    return step(match, a), 1;
}

static void walk(struct match *match, struct bytes text)
{
    for (size_t i = 0; i < text.n;) {
        uint8_t c = octet(text.at[i]);
        if (c >= 0x80) {
            i += wide_step(match, text.at + i, text.n - i);
            continue;
        }
        i++;
        if (c <= ' ') {
            match->space = true;
            continue;
        }
        if (match->space)
            step(match, ' ');
        match->space = match->wide = false;
        step(match, octet(to_lower((char)c)));
    }
}

/* "550-5.1.1 " at the start of a line is the reply's, not the sentence's. Only behind the first
   line of a text, where it has been seen. */
static struct bytes without_code(struct bytes line)
{
    size_t i = 0;

    while (i < line.n && is_space(line.at[i]))
        i++;
    if (line.n - i < 5 || (line.at[i] != '4' && line.at[i] != '5') || !is_digit(line.at[i + 1])
        || !is_digit(line.at[i + 2]) || (line.at[i + 3] != '-' && line.at[i + 3] != ' '))
        return line;
    size_t at = i + 4;
    while (at < line.n && (is_digit(line.at[at]) || line.at[at] == '.'))
        at++;
    return at == i + 4 || at - i < 8 ? line : bytes_skip(line, at);
}

void match_line(struct match *match, struct bytes line, uint32_t number)
{
    size_t from = 0, at, end;

    match->line = number;
    match->space = true;
    if (match->at > 0)
        line = without_code(line);
    while (address_in(line, from, &at, &end)) {
        walk(match, (struct bytes){ line.at + from, at - from });
        walk(match, BYTES("@"));
        from = end;
    }
    walk(match, bytes_skip(line, from));
    if (match->space || line.n == 0)
        return;
    /* A word at the end of a line ends there, whatever the next line brings. */
    uint32_t was = match->at;
    uint16_t state = match->state;
    step(match, ' ');
    match->at = was;
    match->state = state;
}

static bool is_local(uint8_t c)
{
    static const char marks[] = "!#$%&'*+-/=?^_`{|}~.";

    return is_alnum((char)c) || c >= 0x80 || (c > ' ' && strchr(marks, c) != NULL);
}

static bool is_domain(uint8_t c)
{
    return is_alnum((char)c) || c >= 0x80 || c == '-' || c == '.' || c == '_';
}

/* Where the local part that ends before `at` begins: quoted, or atoms. */
static size_t local_begin(struct bytes text, size_t from, size_t at)
{
    size_t i = at;

    if (i > from && text.at[i - 1] == '"') {
        for (i--; i > from && at - i < 80; i--) {
            if (text.at[i - 1] == '"')
                return i - 1;
        }
        return at;
    }
    while (i > from && at - i < 320 && is_local(octet(text.at[i - 1])))
        i--;
    while (i < at && (text.at[i] == '\'' || text.at[i] == '*'
                      || (text.at[i] == '=' && text.at[i + 1] != '?')))
        i++;
    return i;
}

static size_t domain_end(struct bytes text, size_t at)
{
    size_t i = at;

    if (i < text.n && text.at[i] == '[') {
        while (i < text.n && text.at[i] != ']' && i - at < 60)
            i++;
        return i < text.n && text.at[i] == ']' ? i + 1 : at;
    }
    while (i < text.n && i - at < 256 && is_domain(octet(text.at[i])))
        i++;
    while (i > at && (text.at[i - 1] == '.' || text.at[i - 1] == '-' || text.at[i - 1] == '_'))
        i--;
    return i;
}

bool address_in(struct bytes text, size_t from, size_t *ret_at, size_t *ret_end)
{
    while (from < text.n) {
        const char *mark = memchr(text.at + from, '@', text.n - from);
        if (mark == NULL)
            return false;
        size_t at = (size_t)(mark - text.at);
        size_t begin = local_begin(text, from, at), end = domain_end(text, at + 1);
        if (begin < at && end > at + 1) {
            *ret_at = begin;
            *ret_end = end;
            return true;
        }
        from = at + 1;
    }
    return false;
}
