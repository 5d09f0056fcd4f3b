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

/* What is taken now is of that line. A line without letters has no start of its own. */
static void start_add(struct match *match, uint32_t number)
{
    uint32_t at = match->walked + match->form_n + 1;    /* behind the space before it */

    if (match->starts_n == MATCH_STARTS_MOST)
        walk_flush(match);
    if (match->starts_n > 0 && match->starts[match->starts_n - 1].at == at)
        match->starts_n--;
    match->starts[match->starts_n++] = (struct match_start){ at, number, match->text };
    if (match->start >= match->starts_n)
        match->start = match->starts_n - 1;
}

void match_gap(struct match *match)
{
    if (match->walked + match->form_n > match->text_at)
        walk_gap(match);
    match->text++;
    match->text_at = match->walked + match->form_n;
    match->space = true;        /* a text begins and ends as a word does */
    match->wide = false;
}

void match_begin(struct match *match)
{
    match->hits_n = 0;
    match->walked = match->form_n = match->text_at = 0;
    match->starts_n = match->start = 0;
    match->form_wide = false;
    match->state = 0;
    match_gap(match);
}

void match_end(struct match *match)
{
    walk_flush(match);
    if (!match->space)
        walk_word_end(match);
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

void match_ends(struct match *match, uint32_t at, uint32_t state)
{
    const struct automaton *automaton = match->automaton;
    const uint32_t *from = &automaton->ending_at[state - automaton->first_end];

    while (match->start + 1 < match->starts_n && at > match->starts[match->start + 1].at)
        match->start++;
    match->at = at;
    match->line = match->starts[match->start].line;
    match->walk = match->starts[match->start].walk;
    for (uint32_t i = from[0]; i < from[1]; i++) {
        const struct ending *ending = &automaton->endings[i];
        if (ending->literal == 0)
            hit_add(match, ending->rule);
        else
            part_ends(match, &automaton->literals[ending->literal - 1]);
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

    match->space = true;
    if (match->walked + match->form_n > match->text_at)
        line = without_code(line);
    start_add(match, number);
    while (address_in(line, from, &at, &end)) {
        walk_take(match, (struct bytes){ line.at + from, at - from });
        walk_take(match, BYTES("@"));
        from = end;
    }
    walk_take(match, bytes_skip(line, from));
    /* Where no space will stand between this line and the next, the word ends all the same. */
    if (match->wide)
        match_end(match);
}

void match_raw(struct match *match, struct bytes text)
{
    start_add(match, 0);
    walk_take(match, text);
    walk_flush(match);
    walk_word_end(match);
}
