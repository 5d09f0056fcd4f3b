/* SPDX-License-Identifier: ISC
 *
 * match_test ROWS: what is found does not depend on where in a form it stands, nor on how a text
 * is given: the pieces that are walked side by side, and the lines that are walked together, are
 * nobody's business.
 */
#include "bounce/rules_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *rows_file;

enum { SHIFTS_FIRST = 20, SHIFTS = 24, TEXT_MOST = 8192 };

struct fixture {
    struct rules *rules;
    struct match *match;
};

static struct fixture fixture_new(void)
{
    struct fixture fixture = { rules_builtin(), calloc(1, sizeof(struct match)) };

    assert_non_null(fixture.rules);
    assert_non_null(fixture.match);
    assert_true(match_init(fixture.match, &fixture.rules->automaton));
    return fixture;
}

static void fixture_free(struct fixture fixture)
{
    match_done(fixture.match);
    free(fixture.match);
    rules_free(fixture.rules);
}

/* A number for the rules that were hit, in their order. */
static uint64_t hits_sum(const struct match *match)
{
    uint64_t sum = match->hits_n;

    for (uint32_t i = 0; i < match->hits_n; i++)
        sum = sum * 1000003 + match->hits[i].rule;
    return sum;
}

/* Each row behind a word of some letters and before another, so that it lies across each border
   of the pieces once. */
static void where_it_stands_does_not_matter(void **state)
{
    (void)state;
    struct fixture fixture = fixture_new();
    FILE *file = fopen(rows_file, "r");
    static char line[4096], text[TEXT_MOST];
    unsigned rows = 0;

    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        const char *words = strchr(line, '\t');
        uint64_t want = 0;
        if (line[0] == '#' || words == NULL)
            continue;
        for (int shift = 0; shift < SHIFTS; shift++) {
            int n = snprintf(text, sizeof(text), "%.*s %s %.*s", SHIFTS_FIRST + shift,
                             "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", words + 1,
                             2 * (SHIFTS - shift),
                             "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
            match_begin(fixture.match);
            match_line(fixture.match, (struct bytes){ text, (size_t)n }, 0);
            match_end(fixture.match);
            want = shift == 0 ? hits_sum(fixture.match) : want;
            assert_true(hits_sum(fixture.match) == want);
        }
        rows++;
    }
    fclose(file);
    assert_true(rows > 1000);
    fixture_free(fixture);
}

/* Many lines taken together are hit as each line taken alone, and each hit bears its line. */
static void lines_keep_their_numbers(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "", "550 5.1.1 user unknown", "nothing to see", "  ", "mailbox is full", "x",
        "relay access denied", "<a@b.example> no such user here",
        "a word that is ninety letters long, more or less, and that says nothing at all to anybody",
    };
    struct fixture fixture = fixture_new();
    struct match *match = fixture.match;
    uint32_t alone[COUNT(lines)], all = 0;

    for (size_t i = 0; i < COUNT(lines); i++) {
        match_begin(match);
        match_line(match, bytes_of(lines[i]), 0);
        match_end(match);
        alone[i] = match->hits_n;
        all += match->hits_n;
    }
    assert_true(all >= 4);
    match_begin(match);
    for (uint32_t i = 0; i < 40 * COUNT(lines); i++) {
        match_gap(match);
        match_line(match, bytes_of(lines[i % COUNT(lines)]), i);
    }
    match_end(match);
    assert_int_equal(match->hits_n, 40 * all);
    for (uint32_t i = 0, hit = 0; i < 40 * COUNT(lines); i++) {
        for (uint32_t n = 0; n < alone[i % COUNT(lines)]; n++)
            assert_int_equal(match->hits[hit++].line, i);
    }
    fixture_free(fixture);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_it_stands_does_not_matter),
        cmocka_unit_test(lines_keep_their_numbers),
    };

    rows_file = argc > 1 ? argv[1] : "rules_test.tsv";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
