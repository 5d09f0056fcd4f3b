/* SPDX-License-Identifier: ISC */
#include "bounce/rules_int.h"

#include "base/number.h"

#include <string.h>

enum { RULES_TEXT_MOST = 4 * 1024 * 1024, RULES_MOST = 8000, PATTERN_MOST = 250 };

struct reading {
    struct rules *rules;
    struct rule rule;           /* of the line under way */
    uint32_t base;              /* added to line numbers */
    const char *wrong;          /* what is wrong with the line; NULL: nothing */
    bool no_memory;
};

static const struct { const char *name; enum rule_mark mark; } marks[] = {
#define ROW(NAME, text) { text, MARK_##NAME },
    RULE_MARK_LIST(ROW)
#undef ROW
};

/* An array that grows by doubling; NULL: no memory, and it is as it was. */
static void *grown(void *old, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return old;
    size_t more = *room == 0 ? 256 : *room * 2;
    void *new = mem_resize(old, more * size);
    if (new != NULL)
        *room = more;
    return new;
}

static bool rule_add(struct reading *reading, struct rule rule)
{
    struct rules *rules = reading->rules;
    struct rule *all = grown(rules->rules, rules->n, &rules->room, sizeof(*all));

    if (all == NULL)
        return reading->no_memory = true, false;
    rules->rules = all;
    if (rules->n == RULES_MOST)
        return reading->wrong = "too many rules", false;
    all[rules->n++] = rule;
    return true;
}

static bool literal_add(struct reading *reading, struct bytes text, size_t rule, uint8_t part)
{
    struct rules *rules = reading->rules;
    struct literal *all = grown(rules->literals, rules->literals_n, &rules->literals_room,
                                sizeof(*all));

    if (all == NULL)
        return reading->no_memory = true, false;
    rules->literals = all;
    text = arena_copy(&rules->texts, text);
    if (text.at == NULL)
        return reading->no_memory = true, false;
    all[rules->literals_n++] = (struct literal){ .text = text, .rule = (uint16_t)rule,
                                                 .part = part };
    return true;
}

/* "~" stands for a space, which counts at the ends of a pattern; capitals are not needed. */
static struct bytes normal(struct bytes part, char space[static PATTERN_MOST])
{
    for (size_t i = 0; i < part.n; i++)
        space[i] = part.at[i] == '~' ? ' ' : to_lower(part.at[i]);
    return (struct bytes){ space, part.n };
}

static bool pattern_add(struct reading *reading, struct bytes pattern, struct rule rule)
{
    struct rules *rules = reading->rules;
    size_t index = rules->n, first = rules->literals_n;
    char space[PATTERN_MOST];
    struct bytes part;

    if (pattern.n == 0 || pattern.n > PATTERN_MOST)
        return reading->wrong = "a pattern has 1 to 250 octets", false;
    while (bytes_cut(&pattern, '*', &part)) {
        part = normal(bytes_trim(part), space);
        if (part.n == 0 || rule.parts == 8)
            return reading->wrong = "between two * stands something, and at most 8 times", false;
        if (!literal_add(reading, part, index, rule.parts))
            return false;
        rule.parts++;
        rule.letters = (uint16_t)(rule.letters + part.n);
    }
    if (rule.letters < 2)
        return reading->wrong = "a pattern has two letters at least", false;
    for (size_t i = first; i < rules->literals_n; i++)
        rules->literals[i].parts = rule.parts;
    return rule_add(reading, rule);
}

/* The rule that finds a word another rule asks for; found again when it is there already. */
static uint16_t word_of(struct reading *reading, struct bytes word)
{
    struct rules *rules = reading->rules;
    char space[PATTERN_MOST];

    if (word.n == 0 || word.n > PATTERN_MOST)
        return reading->wrong = "with= and without= need a word", (uint16_t)0;
    struct bytes text = normal(word, space);
    for (size_t i = 0; i < rules->literals_n; i++) {
        const struct literal *literal = &rules->literals[i];
        if (literal->parts == 1 && rules->rules[literal->rule].mark == MARK_WITH
            && bytes_equal(literal->text, text))
            return (uint16_t)(literal->rule + 1);
    }
    struct rule rule = { .mark = MARK_WITH, .line = reading->rule.line };
    return pattern_add(reading, word, rule) ? (uint16_t)rules->n : 0;
}

static bool read_command(struct reading *reading, struct bytes value)
{
    static const struct { const char *name; enum bounce_command command; } commands[] = {
        { "connect", COMMAND_CONNECT }, { "helo", COMMAND_HELO }, { "starttls", COMMAND_STARTTLS },
        { "auth", COMMAND_AUTH }, { "mail", COMMAND_MAIL }, { "rcpt", COMMAND_RCPT },
        { "data", COMMAND_DATA }, { "text", COMMAND_TEXT },
    };

    for (size_t i = 0; i < COUNT(commands); i++) {
        if (bytes_equal_nocase(value, bytes_of(commands[i].name)))
            return reading->rule.command = commands[i].command, true;
    }
    return false;
}

static bool read_answer(struct bytes value, enum cause_answer *ret_answer, bool *ret_has)
{
    static const char *const names[] = { "unsure", "no", "yes" };

    for (enum cause_answer i = CAUSE_UNSURE; i <= CAUSE_YES; i++) {
        if (bytes_equal(value, bytes_of(names[i])))
            return *ret_answer = i, *ret_has = true;
    }
    return false;
}

static bool read_who(struct reading *reading, struct bytes value)
{
    for (enum cause_who i = CAUSE_WHO_NOBODY; i < CAUSE_WHOS; i++) {
        if (bytes_equal(value, bytes_of(cause_who_name(i))))
            return reading->rule.who = i, reading->rule.has_who = true;
    }
    return false;
}

static bool read_lasts(struct reading *reading, struct bytes value)
{
    for (enum cause_permanence i = CAUSE_UNCERTAIN; i < CAUSE_PERMANENCES; i++) {
        if (bytes_equal(value, bytes_of(cause_permanence_name(i))))
            return reading->rule.lasts = i, reading->rule.has_lasts = true;
    }
    return false;
}

static bool read_option(struct reading *reading, struct bytes name, struct bytes value)
{
    struct rule *rule = &reading->rule;
    uint64_t number = 0;

    if (bytes_equal(name, BYTES("with")))
        return (rule->with = word_of(reading, value)) != 0;
    if (bytes_equal(name, BYTES("without")))
        return (rule->without = word_of(reading, value)) != 0;
    if (bytes_equal(name, BYTES("at")))
        return read_command(reading, value);
    if (bytes_equal(name, BYTES("who")))
        return read_who(reading, value);
    if (bytes_equal(name, BYTES("lang")) && value.n == 2) {
        rule->lang[0] = value.at[0];
        rule->lang[1] = value.at[1];
        return true;
    }
    if (bytes_equal(name, BYTES("lasts")))
        return read_lasts(reading, value);
    if (bytes_equal(name, BYTES("retry")))
        return read_answer(value, &rule->retry, &rule->has_retry);
    if (bytes_equal(name, BYTES("address-bad")))
        return read_answer(value, &rule->address, &rule->has_address);
    if (!number_parse(value, &number) || number > 999)
        return false;
    if (bytes_equal(name, BYTES("reply")) && number >= 200)
        return rule->reply = (uint16_t)number, true;
    if (bytes_equal(name, BYTES("class")) && (number == 2 || number == 4 || number == 5))
        return rule->class = (uint8_t)number, true;
    return false;
}

static bool read_options(struct reading *reading, struct bytes options)
{
    struct bytes option;

    while (bytes_cut(&options, ' ', &option)) {
        if (option.n == 0)
            continue;
        struct bytes name = bytes_upto(option, '=');
        if (!read_option(reading, name, bytes_skip(option, name.n + 1))) {
            if (reading->wrong == NULL)
                reading->wrong = "no such option, or not with that value";
            return false;
        }
    }
    return true;
}

static bool read_category(struct reading *reading, struct bytes name)
{
    if (name.n > 0 && name.at[0] == '@') {
        for (size_t i = 0; i < COUNT(marks); i++) {
            if (bytes_equal(bytes_skip(name, 1), bytes_of(marks[i].name)))
                return reading->rule.mark = marks[i].mark, true;
        }
        return reading->wrong = "no such mark", false;
    }
    enum cause_category category = cause_category_of(name);
    if (category < CAUSE_FIRST || category > CAUSE_LAST)
        return reading->wrong = "no such category", false;
    return reading->rule.category = category, true;
}

static struct bytes word_cut(struct bytes *rest)
{
    size_t n = 0;

    while (n < rest->n && !is_space(rest->at[n]))
        n++;
    struct bytes word = bytes_first(*rest, n);
    *rest = bytes_trim(bytes_skip(*rest, n));
    return word;
}

/* One line; false: reading->wrong or no_memory says why. */
static bool read_rule(struct reading *reading, struct bytes line, uint32_t number)
{
    uint64_t weight;
    struct bytes name = word_cut(&line), weight_text = word_cut(&line);
    size_t bar = bytes_search(line, BYTES(" | "));

    reading->rule = (struct rule){ .line = reading->base + number };
    if (!read_category(reading, name))
        return false;
    if (!number_parse(weight_text, &weight) || weight > RULE_WEIGHT_MOST)
        return reading->wrong = "the weight is a number from 0 to 100", false;
    reading->rule.weight = (uint8_t)weight;
    if (!read_options(reading, bytes_skip(line, bar + 3)))
        return false;
    return pattern_add(reading, bytes_trim(bytes_first(line, bar)), reading->rule);
}

/* The licence line of a file of ours, and comments. */
static bool is_comment(struct bytes line)
{
    return line.n == 0 || line.at[0] == '#' || bytes_begins(line, BYTES("/*"))
        || bytes_begins(line, BYTES("*"));
}

static bool read_text(struct reading *reading, struct bytes text, uint32_t *ret_line)
{
    struct bytes line;

    for (*ret_line = 1; bytes_cut(&text, '\n', &line); ++*ret_line) {
        line = bytes_trim(line);
        if (!is_comment(line) && !read_rule(reading, line, *ret_line))
            return false;
    }
    return true;
}

static bool rules_finish(struct rules *rules)
{
    rules->made = automaton_init(&rules->automaton, rules->literals, rules->literals_n, rules->n);
    if (!rules->made)
        automaton_done(&rules->automaton);
    rules->literals = NULL;     /* the automaton's, or freed with it */
    return rules->made;
}

static void error_set(struct rules_error *reterr_error, uint32_t line, const char *text)
{
    size_t n = strlen(text) < RULES_ERROR_MOST ? strlen(text) : RULES_ERROR_MOST - 1;

    if (reterr_error == NULL)
        return;
    *reterr_error = (struct rules_error){ .line = line };
    memcpy(reterr_error->text, text, n);
}

struct rules *rules_with(struct bytes text, struct rules_error *reterr_error)
{
    struct rules *rules = mem_new(sizeof(*rules));
    struct reading reading = { .rules = rules };
    uint32_t line = 0;
    bool ok = rules != NULL;

    if (ok)
        rules->texts = arena_with_ceiling(RULES_TEXT_MOST);
    ok = ok && read_text(&reading, (struct bytes){ rules_text, rules_text_n }, &line);
    reading.base = RULES_OPERATOR;
    ok = ok && read_text(&reading, text, &line);
    if (ok && rules_finish(rules))
        return rules;
    if (reading.wrong != NULL)
        error_set(reterr_error, line, reading.wrong);
    else
        error_set(reterr_error, 0, ok ? "too many rules, or no memory" : "no memory");
    rules_free(rules);
    return NULL;
}

struct rules *rules_builtin(void)
{
    return rules_with(BYTES_NONE, NULL);
}

void rules_free(struct rules *rules)
{
    if (rules == NULL)
        return;
    automaton_done(&rules->automaton);
    mem_free(rules->literals);
    arena_done(&rules->texts);
    mem_free(rules->rules);
    mem_free(rules);
}
