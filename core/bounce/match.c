/* SPDX-License-Identifier: ISC */
#include "bounce/match_int.h"

#include "base/arena.h"

#include <string.h>

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
    uint32_t next = c < 0x80 ? *automaton_cell(automaton, match->state, automaton->class[c])
        : automaton_wide(automaton, match->state, c);

    match->at++;
    match->state = (uint16_t)next;
    if (next >= automaton->first_end)
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
    const uint32_t first_end = automaton->first_end;
    uint32_t state = match->state, from = match->at - (uint32_t)(uintptr_t)at;

    do {
        state = table[((size_t)state << shift) + automaton->class[*at++]];
        if (state >= first_end) {
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

    return is_alnum((char)c) || c >= 0x80 || memchr(marks, c, sizeof(marks) - 1) != NULL;
}

static bool is_domain(uint8_t c)
{
    return is_alnum((char)c) || c >= 0x80 || c == '-' || c == '.' || c == '_';
}

/* Does an ideograph or a mark of such a script end before `i`, while the word so far is ASCII? No
   space parts such a text from an address in it. */
static bool ideograph_ends(struct bytes text, size_t from, size_t i, size_t at)
{
    size_t lead = i - 1;

    if (octet(text.at[lead]) < 0x80 || i == at || octet(text.at[i]) >= 0x80)
        return false;
    while (lead > from && (octet(text.at[lead]) & 0xc0) == 0x80)
        lead--;
    return octet(text.at[lead]) >= 0xe2;
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
    while (i > from && at - i < 320 && is_local(octet(text.at[i - 1]))
           && !ideograph_ends(text, from, i, at))
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
    while (i < text.n && i - at < 256 && is_domain(octet(text.at[i]))
           && !(i > at && octet(text.at[i]) >= 0xe2 && octet(text.at[i - 1]) < 0x80))
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
