/* SPDX-License-Identifier: ISC
 *
 * The walk over a text: its normal form is made of some lines, then walked. One step waits for the
 * one before it, and that mostly for memory; so the pieces of a form are walked side by side. Each
 * begins at the root, as if nothing stood before it. Then the piece before goes on into it until
 * it knows nothing any more of what stood before this one: from there both are in the same state.
 */
#include "bounce/match_int.h"

#include "base/utf8.h"

enum { PIECES_LEAST = 24, ROOM_LEAST = 16 };

/* To walk without looking each time at what does not change. */
struct steps {
    const struct state *states;
    const uint16_t *next;
    uint32_t first_end;
    unsigned shift;
};

static inline uint32_t step(struct steps steps, uint32_t state, uint8_t class)
{
    return automaton_step(steps.states, steps.next, steps.shift, state, class);
}

/* Letters of the form, one after the other, from `at` up to `end`. */
static void letters_walk(struct match *match, struct steps steps, uint32_t at, uint32_t end)
{
    const uint8_t *form = match->form;
    uint32_t state = match->state, walked = match->walked;

    while (at < end) {
        uint8_t c = form[at++];
        state = c < 0x80 ? step(steps, state, c) : automaton_wide(match->automaton, state, c);
        if (state >= steps.first_end)
            match_ends(match, walked + at, state);
    }
    match->state = (uint16_t)state;
}

/* A place where something may end: it stays only if something does, for a branch could not be
   foreseen. */
static inline struct match_end *end_put(struct match_end *end, struct steps steps, uint32_t at,
                                        uint32_t state)
{
    *end = (struct match_end){ (uint16_t)at, (uint16_t)state };
    return end + (state >= steps.first_end);
}

/* All pieces, `piece` letters of each, the first of them at `from`. */
static inline void pieces_walk(struct match *match, struct steps steps, uint32_t from,
                               uint32_t piece, uint32_t *states)
{
    const uint8_t *form = match->form + from, *stop = form + piece;
    struct match_end *end = match->ends;
    uint32_t a = states[0], b = 0, c = 0, d = 0;

    for (uint32_t at = from; form < stop; form++, at++) {
        a = step(steps, a, form[0]);
        b = step(steps, b, form[piece]);
        c = step(steps, c, form[2 * piece]);
        d = step(steps, d, form[3 * piece]);
        end = end_put(end, steps, at, a);
        end = end_put(end, steps, at + piece, b);
        end = end_put(end, steps, at + 2 * piece, c);
        end = end_put(end, steps, at + 3 * piece, d);
    }
    match->ends_n = (uint32_t)(end - match->ends);
    states[0] = a;
    states[1] = b;
    states[2] = c;
    states[3] = d;
}

/* From the state behind the piece before into this one, until the state is of this piece alone;
   returns how many letters that took, the state behind them in *state. */
static uint32_t overlap_walk(struct match *match, struct steps steps, uint32_t from,
                             uint32_t piece, uint32_t *state)
{
    uint32_t at = 0;

    while (at < piece && steps.states[*state].depth > at) {
        *state = step(steps, *state, match->form[from + at++]);
        if (*state >= steps.first_end)
            match_ends(match, match->walked + from + at, *state);
    }
    return at;
}

/* What ended behind the letters from `from` on and before `to`. */
static void ends_tell(struct match *match, uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < match->ends_n; i++) {
        const struct match_end *end = &match->ends[i];
        if (end->at >= from && end->at < to)
            match_ends(match, match->walked + end->at + 1, end->state);
    }
}

/* Classes alone: four pieces, and what is left. */
static void classes_walk(struct match *match, struct steps steps, uint32_t from, uint32_t n)
{
    uint32_t piece = n / MATCH_PIECES, states[MATCH_PIECES] = { match->state };

    if (steps.shift == 6)       /* known when it is compiled */
        pieces_walk(match, (struct steps){ steps.states, steps.next, steps.first_end, 6 }, from,
                    piece, states);
    else
        pieces_walk(match, steps, from, piece, states);
    uint32_t state = states[0];
    ends_tell(match, from, from + piece);
    for (unsigned i = 1; i < MATCH_PIECES; i++) {
        uint32_t begin = from + i * piece;
        uint32_t known = overlap_walk(match, steps, begin, piece, &state);
        ends_tell(match, begin + known, begin + piece);
        state = known < piece ? states[i] : state;
    }
    match->state = (uint16_t)state;
    letters_walk(match, steps, from + MATCH_PIECES * piece, from + n);
}

void walk_flush(struct match *match)
{
    const struct automaton *automaton = match->automaton;
    const struct steps steps = { automaton->states, automaton->next, automaton->first_end,
                                 automaton->shift };

    for (uint32_t at = 0, end; at < match->form_n; at = end) {
        struct bytes rest = { (const char *)match->form + at, match->form_n - at };
        end = match->form_wide ? at + (uint32_t)utf8_ascii(rest) : match->form_n;
        if (end - at >= PIECES_LEAST) {
            classes_walk(match, steps, at, end - at);
            continue;
        }
        while (end < match->form_n && match->form[end] >= 0x80)
            end++;
        letters_walk(match, steps, at, end);
    }
    match->walked += match->form_n;
    match->form_n = 0;
    match->form_wide = false;
    if (match->starts_n > 0)
        match->starts[0] = match->starts[match->starts_n - 1];
    match->starts_n = match->starts_n > 0;
    match->start = 0;
}

void walk_word_end(struct match *match)
{
    const struct automaton *automaton = match->automaton;
    uint32_t state = automaton_step(automaton->states, automaton->next, automaton->shift,
                                    match->state, automaton->class[' ']);

    if (state >= automaton->first_end)
        match_ends(match, match->walked + 1, state);
}

static inline void put(struct match *match, uint8_t c)
{
    match->form_wide = match->form_wide || c >= 0x80;
    match->form[match->form_n++] = c < 0x80 ? match->automaton->class[c] : c;
}

void walk_gap(struct match *match)
{
    if (match->form_n > MATCH_FORM_MOST - ROOM_LEAST)
        walk_flush(match);
    if (!match->space)
        put(match, ' ');
    put(match, '\0');           /* no pattern has it: back to the root */
}

/* The normal form of a letter of more than one octet; returns how many of the text it took. */
static size_t wide_take(struct match *match, const char *at, size_t n)
{
    uint8_t a = octet(at[0]), b = n > 1 ? octet(at[1]) : 0, c = n > 2 ? octet(at[2]) : 0;
    bool ideograph = a >= 0xe3;
    size_t took;

    if ((a == 0xc2 && b == 0xa0) || (a == 0xe3 && b == 0x80 && c == 0x80)) {
        match->space = true;
        return a == 0xc2 ? 2 : 3;
    }
    if (match->space && !(ideograph && match->wide))
        put(match, ' ');
    match->space = false;
    match->wide = ideograph || (a < 0xc0 && match->wide);
    if (a == 0xe2 && b == 0x80 && (c == 0x98 || c == 0x99))
        return put(match, '\''), 3;
    if (a == 0xe2 && b == 0x80 && (c == 0x9c || c == 0x9d || c == 0x9e))
        return put(match, '"'), 3;
    if (a == 0xe2 && b == 0x80 && c >= 0x90 && c <= 0x95)
        return put(match, '-'), 3;
    if (a == 0xc3 && b >= 0x80 && b <= 0x9e)
        return put(match, a), put(match, (uint8_t)(b + 0x20)), 2;
    if (a == 0xd0 && b >= 0x90 && b <= 0x9f)
        return put(match, a), put(match, (uint8_t)(b + 0x20)), 2;
    if (a == 0xd0 && b >= 0xa0 && b <= 0xaf)
        return put(match, 0xd1), put(match, (uint8_t)(b - 0x20)), 2;
    put(match, a);
    for (took = 1; took < n && took < 4 && (octet(at[took]) & 0xc0) == 0x80; took++)
        put(match, octet(at[took]));
    return took;
}

/* The length of "550-5.1.1" at the start of the text, or 0: the mark of one line of a reply that
   somebody wrote on one line. */
static size_t code_length(const uint8_t *text, const uint8_t *end)
{
    const char *c = (const char *)text;
    size_t at = 4, n = (size_t)(end - text);

    if (n < 9 || (c[0] != '4' && c[0] != '5') || !is_digit(c[1]) || !is_digit(c[2])
        || (c[3] != '-' && c[3] != ' ') || c[4] != c[0])
        return 0;
    while (at < n && (is_digit(c[at]) || c[at] == '.'))
        at++;
    return at >= 9 ? at : 0;
}

/* ASCII, up to what is none or to a code that is left out; returns where that stands. The last
   letter of the form so far is no space, or one that has just been put. Without a branch for each
   word: where one ends cannot be foreseen. */
static const uint8_t *run_take(struct match *match, const uint8_t *at, const uint8_t *end)
{
    const uint8_t *run = match->automaton->run;
    const uint8_t space = match->automaton->class[' '];
    uint8_t *form = match->form;
    uint32_t n = match->form_n;
    const uint8_t *stop = end - at > MATCH_FORM_MOST - n ? at + (MATCH_FORM_MOST - n) : end;
    const uint32_t position = match->walked - match->text_at;
    bool was_space = match->space;

    for (; at < stop; at++) {
        uint8_t class = run[*at];
        if ((class >= MATCH_LOOK) & (was_space | (class == MATCH_STOP))) {
            if (class == MATCH_STOP || (position + n > 17 && code_length(at, end) > 0))
                break;
        }
        class &= MATCH_LOOK - 1;
        bool is_space = class == space;
        form[n] = class;
        n += !(is_space && was_space);
        was_space = is_space;
    }
    match->space = was_space;
    match->form_n = n - was_space;
    return at;
}

void walk_take(struct match *match, struct bytes text)
{
    const uint8_t *at = (const uint8_t *)text.at, *end = at + text.n;

    while (at < end) {
        if (*at <= ' ') {
            match->space = true;
            at++;
            continue;
        }
        if (match->form_n > MATCH_FORM_MOST - ROOM_LEAST)
            walk_flush(match);
        if (*at >= 0x7f) {
            at += wide_take(match, (const char *)at, (size_t)(end - at));
            continue;
        }
        size_t code = match->space && match->walked + match->form_n - match->text_at > 16
            ? code_length(at, end) : 0;
        at += code;
        if (code > 0)
            continue;
        if (match->space)
            put(match, ' ');
        match->wide = false;
        at = run_take(match, at, end);
    }
}
