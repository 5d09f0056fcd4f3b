/* SPDX-License-Identifier: ISC
 *
 * rules_test ROWS: each row of rules_test.tsv means what it says, each rule of rules.txt is met by
 * one, and a file of an operator's rules is read or refused by its line.
 */
#include "bounce/rules_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *rows_file;

static enum cause_category category_of(struct bounce_reader *reader, const char *text)
{
    struct bounce_report report;

    bounce_explain_reply(reader, bytes_of(text), &report);
    return report.recipients->cause.category;
}

static const char *mark_name(enum rule_mark mark)
{
    static const char *const names[MARK_COUNT] = {
#define NAME(NAME, text) [MARK_##NAME] = text,
        RULE_MARK_LIST(NAME)
#undef NAME
    };

    return names[mark];
}

/* Notes which rules the text meets; did one of that mark? */
static bool meet(const struct rules *rules, struct match *match, const char *text, bool *met,
                 const char *mark)
{
    bool found = false;

    match_begin(match);
    match_line(match, bytes_of(text), 0);
    match_end(match);
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < match->hits_n; i++) {
            const struct rule *rule = &rules->rules[match->hits[i].rule];
            met[match->hits[i].rule] = true;
            found = found || (mark != NULL && rule->mark != MARK_NONE
                              && strcmp(mark_name(rule->mark), mark) == 0);
        }
        match_begin(match);
        match_raw(match, bytes_of(text));       /* as a From field is looked at */
    }
    return found;
}

static void each_rule_has_a_row(void **state)
{
    (void)state;
    struct rules *rules = rules_builtin();
    struct bounce_reader *reader = bounce_reader_new(rules);
    struct match *match = calloc(1, sizeof(*match));
    FILE *file = fopen(rows_file, "r");
    static char line[4096];
    unsigned wrong = 0;

    assert_non_null(reader);
    assert_non_null(file);
    assert_true(match_init(match, &rules->automaton));
    bool *met = calloc(rules->n, sizeof(*met));
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *text = strchr(line, '\t');
        if (line[0] == '#' || text == NULL)
            continue;
        *text++ = '\0';
        bool mark = line[0] == '@';
        bool found = meet(rules, match, text, met, mark ? line + 1 : NULL);
        const char *category = mark ? "" : cause_category_name(category_of(reader, text));
        if (mark ? !found : strcmp(category, line) != 0)
            wrong++, print_error("%s: \"%s\" is \"%s\"\n", line, text, category);
    }
    fclose(file);
    for (size_t i = 0; i < rules->n; i++) {
        if (!met[i] && rules->rules[i].mark != MARK_WITH)
            wrong++, print_error("rules.txt:%u: no row meets it\n", rules->rules[i].line);
    }
    assert_int_equal(wrong, 0);
    free(met);
    match_done(match);
    free(match);
    bounce_reader_free(reader);
    rules_free(rules);
}

static void an_operators_rules_win(void **state)
{
    (void)state;
    struct rules_error error;
    struct rules *rules = rules_with(BYTES(
        "# ours\nblocked-policy 62 user unknown\nserver-problem 95 the cat * the cable\n"
        "mailbox-full 90 plenty | with=~box~ retry=no who=sender\n"), &error);
    struct bounce_reader *reader = bounce_reader_new(rules);
    struct bounce_report report;

    assert_int_equal(category_of(reader, "550 user unknown"), CAUSE_BLOCKED_POLICY);
    assert_int_equal(category_of(reader, "550 user unknown, the cat has bitten the cable"),
                     CAUSE_SERVER_PROBLEM);
    assert_int_equal(category_of(reader, "550 plenty"), CAUSE_UNKNOWN);
    bounce_explain_reply(reader, BYTES("550 plenty in the box already"), &report);
    assert_int_equal(report.recipients->cause.category, CAUSE_MAILBOX_FULL);
    assert_int_equal(report.recipients->cause.retry_would_help, CAUSE_NO);
    assert_int_equal(report.recipients->cause.who, CAUSE_WHO_SENDER);
    assert_int_equal(report.recipients->evidence[0].rule, RULES_OPERATOR + 4);
    bounce_reader_free(reader);
    rules_free(rules);
}

static void bad_rules_are_refused_by_line(void **state)
{
    (void)state;
    static const struct { const char *text; uint32_t line; } rows[] = {
        { "user-gone 90 x y\n", 1 }, { "\n# x\nuser-missing ninety x y\n", 3 },
        { "user-missing 101 x y\n", 1 }, { "user-missing 90\n", 1 }, { "user-missing 90 x\n", 1 },
        { "user-missing 90 a b | retry=maybe\n", 1 }, { "user-missing 90 a b | colour=red\n", 1 },
        { "user-missing 90 a ** b\n", 1 }, { "@nowhere 0 a b\n", 1 }, { "delivered 9 a b\n", 1 },
        { "user-missing 90 a b | reply=99\n", 1 }, { "user-missing 90 a b | at=lunch\n", 1 },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rules_error error = { 0 };
        assert_null(rules_with(bytes_of(rows[i].text), &error));
        assert_int_equal(error.line, rows[i].line);
        assert_true(strlen(error.text) > 0);
    }
}

/* Every allocation may fail; nothing is lost, and nothing crashes. */
static void no_memory(void **state)
{
    (void)state;
    struct rules *rules = NULL;

    for (uint64_t n = 1; rules == NULL && n < 100; n++) {
        mem_fail_at(n);
        rules = rules_builtin();
        mem_fail_at(0);
    }
    assert_non_null(rules);
    struct bounce_reader *reader = NULL;
    for (uint64_t n = 1; reader == NULL && n < 100; n++) {
        mem_fail_at(n);
        reader = bounce_reader_new(rules);
        mem_fail_at(0);
    }
    assert_non_null(reader);
    for (uint64_t n = 1; n < 12; n++) {
        struct bounce_report report;
        mem_fail_at(n);
        bounce_read(reader, BYTES(
            "From: Mailer-Daemon@x.example\nSubject: failure\n notice\n"
            "Content-Type: multipart/report; report-type=delivery-status;\n boundary=b\n\n--b\n"
            "Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; a@b.example\n"
            "Diagnostic-Code: smtp; 550\n user unknown\n--b--\n"), &report);
        mem_fail_at(0);
    }
    bounce_reader_free(reader);
    rules_free(rules);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_has_a_row),
        cmocka_unit_test(an_operators_rules_win),
        cmocka_unit_test(bad_rules_are_refused_by_line),
        cmocka_unit_test(no_memory),
    };

    rows_file = argc > 1 ? argv[1] : "rules_test.tsv";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
