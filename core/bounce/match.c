/* SPDX-License-Identifier: ISC */
#include "bounce/match_int.h"

#include "base/arena.h"

#include <assert.h>
#include <string.h>

enum { ENDS = 0x8000, STATE = 0x7fff };

/* A class for each octet of the patterns: ASCII in one table, the rest in another, which texts
   seldom need. Class 0 of each is any octet that no pattern has. */
static void classes_make(struct automaton *automaton)
{
    unsigned narrow = 1, wide = 1;

    for (size_t i = 0; i < automaton->literals_n; i++) {
        struct bytes text = automaton->literals[i].text;
        for (size_t at = 0; at < text.n; at++) {
            uint8_t c = octet(text.at[at]), *class = &automaton->class[c];
            if (*class == 0)
                *class = (uint8_t)(c < 0x80 ? narrow++ : wide++);
        }
    }
    for (char c = 'A'; c <= 'Z'; c++)
        automaton->class[octet(c)] = automaton->class[octet(to_lower(c))];
    automaton->shift = narrow <= 64 ? 6 : 7;
    automaton->wide_classes = wide;
}

/* Where a state goes by a class: those of ASCII first, then the others. */
static uint16_t *cell(const struct automaton *automaton, uint32_t state, unsigned class)
{
    unsigned narrow = 1u << automaton->shift;

    if (class < narrow)
        return &automaton->next[((size_t)state << automaton->shift) + class];
    return &automaton->wide[(size_t)state * automaton->wide_classes + class - narrow];
}

static unsigned cell_class(const struct automaton *automaton, uint8_t c)
{
    return automaton->class[c] + (c < 0x80 ? 0 : 1u << automaton->shift);
}

/* More rows of that many octets, zeroed; false: no memory. */
static bool rows_grow(void *table, size_t room, size_t more, size_t row_octets)
{
    void *old, *new;

    memcpy(&old, table, sizeof(old));
    new = mem_resize(old, more * row_octets);
    if (new == NULL)
        return false;
    memset((char *)new + room * row_octets, 0, (more - room) * row_octets);
    memcpy(table, &new, sizeof(new));
    return true;
}

/* Room for one state more; false: no memory, or too many. */
static bool state_room(struct automaton *automaton, size_t *room)
{
    size_t more = *room + 4096, size = sizeof(uint16_t);

    if (automaton->states < *room)
        return true;
    if (*room + 1 > MATCH_STATES_MOST
        || !rows_grow(&automaton->next, *room, more, size << automaton->shift)
        || !rows_grow(&automaton->wide, *room, more, size * automaton->wide_classes)
        || !rows_grow(&automaton->ends, *room, more, size))
        return false;
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
        uint16_t *next = cell(automaton, state, cell_class(automaton, octet(literal->text.at[i])));
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
    uint16_t *next = cell(automaton, state, class);
    uint16_t suffix = state == 0 ? 0 : *cell(automaton, fail[state], class);

    if (*next == 0) {
        *next = suffix;
        return;
    }
    fail[*next] = suffix;
    automaton->shorter[*next] = automaton->ends[suffix] > 0 ? suffix : automaton->shorter[suffix];
    queue[(*queue_n)++] = *next;
}

static unsigned classes_of(const struct automaton *automaton)
{
    return (1u << automaton->shift) + automaton->wide_classes;
}

/* Breadth first: the suffix of a state is known before the state. `queue` is the order. */
static bool links_make(struct automaton *automaton, uint16_t *queue)
{
    uint16_t *fail = mem_new(automaton->states * sizeof(uint16_t));
    uint32_t n = 1;

    automaton->shorter = mem_new(automaton->states * sizeof(uint16_t));
    if (fail == NULL || automaton->shorter == NULL) {
        mem_free(fail);
        return false;
    }
    queue[0] = 0;
    for (uint32_t i = 0; i < n; i++) {
        for (unsigned class = 0; class < classes_of(automaton); class++)
            child_link(automaton, fail, queue[i], class, queue, &n);
    }
    assert(n == automaton->states);
    mem_free(fail);
    return true;
}

/* The rows of one table in a new order, with the new numbers, and marked where something ends;
   NULL: no memory. */
static uint16_t *table_order(struct automaton *automaton, const uint16_t *table, size_t columns,
                             const uint16_t *queue, const uint16_t *number)
{
    uint16_t *new = mem_new(automaton->states * columns * sizeof(*new));

    for (uint32_t i = 0; new != NULL && i < automaton->states; i++) {
        for (size_t column = 0; column < columns; column++) {
            uint16_t to = table[queue[i] * columns + column];
            bool ends = automaton->ends[to] > 0 || automaton->shorter[to] > 0;
            new[i * columns + column] = (uint16_t)(number[to] | (ends ? ENDS : 0));
        }
    }
    return new;
}

/* Near states of a text stand near each other: numbers by distance from the root. */
static bool states_order(struct automaton *automaton, const uint16_t *queue)
{
    uint32_t n = automaton->states;
    uint16_t *number = mem_new(n * sizeof(*number) * 3);

    if (number == NULL)
        return false;
    for (uint32_t i = 0; i < n; i++)
        number[queue[i]] = (uint16_t)i;
    uint16_t *next = table_order(automaton, automaton->next, (size_t)1 << automaton->shift, queue,
                                 number);
    mem_free(next == NULL ? NULL : automaton->next);
    automaton->next = next == NULL ? automaton->next : next;
    uint16_t *wide = next == NULL ? NULL
        : table_order(automaton, automaton->wide, automaton->wide_classes, queue, number);
    mem_free(wide == NULL ? NULL : automaton->wide);
    automaton->wide = wide == NULL ? automaton->wide : wide;
    uint16_t *ends = number + n, *shorter = ends + n;
    for (uint32_t i = 0; i < n; i++) {
        ends[i] = automaton->ends[queue[i]];
        shorter[i] = number[automaton->shorter[queue[i]]];
    }
    memcpy(automaton->ends, ends, n * sizeof(*ends));
    memcpy(automaton->shorter, shorter, n * sizeof(*shorter));
    mem_free(number);
    return wide != NULL;
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
    uint16_t *queue = automaton->states > MATCH_STATES_MOST ? NULL
        : mem_new(automaton->states * sizeof(*queue));
    bool made = queue != NULL && links_make(automaton, queue) && states_order(automaton, queue);
    mem_free(queue);
    return made;
}

void automaton_done(struct automaton *automaton)
{
    mem_free(automaton->next);
    mem_free(automaton->wide);
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
    uint16_t next = *cell(automaton, match->state, cell_class(automaton, c));

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

/* The length of "550-5.1.1" at the start of the text, or 0: the mark of one line of a reply that
   somebody wrote on one line. */
static size_t code_length(struct bytes text)
{
    size_t at = 4;

    if (text.n < 9 || !is_digit(text.at[1]) || !is_digit(text.at[2])
        || (text.at[3] != '-' && text.at[3] != ' ') || text.at[4] != text.at[0])
        return 0;
    while (at < text.n && (is_digit(text.at[at]) || text.at[at] == '.'))
        at++;
    return at >= 9 ? at : 0;
}

/* A run of printable ASCII; returns where it ends. The loop that all the speed comes from. */
static const uint8_t *walk_run(struct match *match, const uint8_t *at, const uint8_t *end)
{
    const struct automaton *automaton = match->automaton;
    const uint16_t *table = automaton->next;
    const unsigned shift = automaton->shift;
    uint32_t state = match->state, from = match->at - (uint32_t)(uintptr_t)at;

    do {
        uint16_t next = table[(state << shift) + automaton->class[*at++]];
        state = next & STATE;
        if ((next & ENDS) != 0) {
            match->at = from + (uint32_t)(uintptr_t)at;
            state_ends(match, (uint16_t)state);
        }
    } while (at < end && (uint8_t)(*at - 0x21) < 0x5f);
    match->state = (uint16_t)state;
    match->at = from + (uint32_t)(uintptr_t)at;
    return at;
}

static void walk(struct match *match, struct bytes text)
{
    const uint8_t *at = (const uint8_t *)text.at, *end = at + text.n;

    while (at < end) {
        uint8_t c = *at;
        if (c <= ' ') {
            match->space = true;
            at++;
            continue;
        }
        if (c >= 0x7f) {
            at += wide_step(match, (const char *)at, (size_t)(end - at));
            continue;
        }
        if (match->space && (c == '4' || c == '5') && match->at > 16) {
            size_t n = code_length((struct bytes){ (const char *)at, (size_t)(end - at) });
            at += n;
            if (n > 0)
                continue;
        }
        if (match->space)
            step(match, ' ');
        match->space = match->wide = false;
        at = walk_run(match, at, end);
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

void match_raw(struct match *match, struct bytes text)
{
    match->line = 0;
    walk(match, text);
    step(match, ' ');
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
