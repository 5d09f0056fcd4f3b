/* SPDX-License-Identifier: ISC
 *
 * Every language has every text of lang.def, with its placeholders and no longer than may be.
 */
#include "bounce/lang.h"

#include "base/utf8.h"
#include "mail/width.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

enum form { ONE, FORMS, MONTHS };

#define ROW_(NAME, form, placeholders, most) { #NAME, form, placeholders, most },
static const struct {
    const char *name;
    enum form form;
    const char *placeholders;
    size_t most;
} texts[] = { LANG_TEXT_LIST(ROW_) };
#undef ROW_

#define ROW_(NAME, most) { #NAME, most },
static const struct {
    const char *name;
    size_t most;
} parts[] = { LANG_CARD_LIST(ROW_) };
#undef ROW_

#define ROW_(NAME, forms) [PLURAL_##NAME] = (forms),
static const size_t forms_of[] = { LANG_PLURAL_LIST(ROW_) };
#undef ROW_

#define FAIL_UNLESS(well, lang, name) \
    do { if (!(well)) fail_msg("%s.lang, %s: %s", (lang)->code, (name), #well); } while (0)

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_clean(struct bytes text)
{
    uint32_t point;

    if (text.n == 0 || is_blank(text.at[0]) || is_blank(text.at[text.n - 1])
        || bytes_search(text, BYTES("  ")) < text.n || bytes_search(text, BYTES("<")) < text.n)
        return false;
    while (text.n > 0) {
        size_t n = utf8_take(text, &point);
        if (n == 0 || utf8_is_unsafe(point))
            return false;
        text = bytes_skip(text, n);
    }
    return true;
}

/* Each of the placeholders once, and no other. */
static bool has_placeholders(struct bytes text, const char *placeholders)
{
    struct bytes wanted = bytes_of(placeholders), name;
    size_t names = 0, braces = 0;

    while (bytes_cut(&wanted, ' ', &name)) {
        char braced[40] = "{";
        memcpy(braced + 1, name.at, name.n);
        braced[name.n + 1] = '}';
        struct bytes at = bytes_skip(text, bytes_search(text, bytes_of(braced)));
        names++;
        if (at.n == 0 || bytes_search(bytes_skip(at, 1), bytes_of(braced)) + 1 < at.n)
            return false;
    }
    for (size_t i = 0; i < text.n; i++)
        braces += text.at[i] == '{';
    return braces == names;
}

static void check_text(const struct lang *lang, size_t row)
{
    struct bytes rest = bytes_of(lang->texts[row]), piece;
    size_t pieces = 0, wanted = 1;

    if (texts[row].form == FORMS)
        wanted = forms_of[lang->plural];
    else if (texts[row].form == MONTHS)
        wanted = 12;
    while (wanted > 1 ? bytes_cut(&rest, '|', &piece) : (piece = rest, rest.n > 0)) {
        rest = wanted > 1 ? rest : BYTES_NONE;
        pieces++;
        FAIL_UNLESS(is_clean(piece), lang, texts[row].name);
        FAIL_UNLESS(has_placeholders(piece, texts[row].placeholders), lang, texts[row].name);
        FAIL_UNLESS(width_of(piece) <= texts[row].most, lang, texts[row].name);
    }
    FAIL_UNLESS(pieces == wanted, lang, texts[row].name);
}

static void test_texts(void **state)
{
    for (size_t i = 0; lang_at(i) != NULL; i++)
        for (size_t row = 0; row < COUNT(texts); row++) {
            FAIL_UNLESS(lang_at(i)->texts[row] != NULL, lang_at(i), texts[row].name);
            check_text(lang_at(i), row);
        }
}

static void check_card(const struct lang *lang, enum cause_category category)
{
    for (size_t part = 0; part < LANG_CARD_TEXTS; part++) {
        const char *english = lang_english()->cards[category][part];
        const char *text = lang->cards[category][part];
        FAIL_UNLESS((english == NULL) == (text == NULL), lang, cause_category_name(category));
        if (text == NULL)
            continue;
        FAIL_UNLESS(is_clean(bytes_of(text)), lang, cause_category_name(category));
        FAIL_UNLESS(has_placeholders(bytes_of(text), ""), lang, cause_category_name(category));
        FAIL_UNLESS(width_of(bytes_of(text)) <= parts[part].most, lang,
                    cause_category_name(category));
        FAIL_UNLESS(lang == lang_english() || strcmp(text, english) != 0, lang,
                    cause_category_name(category));
    }
}

static void test_cards(void **state)
{
    for (size_t i = 0; lang_at(i) != NULL; i++)
        for (enum cause_category one = 0; one < CAUSE_COUNT; one++)
            check_card(lang_at(i), one);
    for (enum cause_category one = CAUSE_FIRST; one <= CAUSE_LAST; one++) {
        struct cause cause = cause_of(one);
        assert_true(lang_card(lang_english(), one, CARD_HEADLINE).n > 0);
        assert_true(lang_card(lang_english(), one, CARD_SUMMARY).n > 0);
        assert_true(lang_card(lang_english(), one, CARD_SENDER).n > 0);
        if (cause.who == CAUSE_WHO_SENDER_ADMIN)
            assert_true(lang_card(lang_english(), one, CARD_SENDER_ADMIN).n > 0);
        if (cause.who == CAUSE_WHO_RECIPIENT_ADMIN)
            assert_true(lang_card(lang_english(), one, CARD_RECIPIENT_ADMIN).n > 0);
    }
}

/* A sentence that stands on two cards of a language says nothing of either. */
static void test_no_card_twice(void **state)
{
    for (size_t i = 0; lang_at(i) != NULL; i++)
        for (enum cause_category one = CAUSE_FIRST; one <= CAUSE_LAST; one++)
            for (enum cause_category other = one + 1; other <= CAUSE_LAST; other++)
                for (enum lang_card part = 0; part < LANG_CARD_TEXTS; part++) {
                    struct bytes text = lang_card(lang_at(i), one, part);
                    assert_true(text.n == 0
                                || !bytes_equal(text, lang_card(lang_at(i), other, part)));
                }
}

static void test_all_eleven(void **state)
{
    static const char *const codes[] = { "en", "de", "fr", "es", "pt", "it", "nl", "pl", "ru",
                                         "ja", "zh" };

    for (size_t i = 0; i < COUNT(codes); i++) {
        assert_non_null(lang_find(bytes_of(codes[i])));
        assert_string_equal(lang_find(bytes_of(codes[i]))->code, codes[i]);
    }
    assert_ptr_equal(lang_at(0), lang_english());
    assert_string_equal(lang_english()->code, "en");
}

static const struct {
    const char *list, *code;
} lists[] = {
    { "de", "de" }, { "de-AT", "de" }, { "de_AT.UTF-8", "de" }, { "DE", "de" }, { "", NULL },
    { "C", NULL }, { "den", NULL }, { "tlh", NULL }, { "*", NULL }, { ",,;", NULL },
    { "fr-CH, fr;q=0.9, en;q=0.8", "fr" }, { "xx, ja", "ja" }, { "de;q=0, pl", "pl" },
    { "de; q=0.000, ru;q=0.1", "ru" }, { "zh-Hans-CN", "zh" },
};

static void test_lists(void **state)
{
    for (size_t i = 0; i < COUNT(lists); i++) {
        const struct lang *lang = lang_of_list(bytes_of(lists[i].list));
        assert_int_equal(lang == NULL, lists[i].code == NULL);
        if (lang != NULL)
            assert_string_equal(lang->code, lists[i].code);
    }
}

static void check_said(struct buffer *said, const char *wanted)
{
    buffer_put_char(said, '\0');
    assert_false(said->bad);
    assert_string_equal(said->at, wanted);
    buffer_clear(said);
}

static const struct {
    const char *code;
    uint64_t seconds;
    const char *words;
} spans[] = {
    { "en", 0, "1 minute" }, { "en", 60, "1 minute" }, { "en", 150, "3 minutes" },
    { "en", 5340, "89 minutes" }, { "en", 5400, "2 hours" }, { "en", 3600 * 47, "47 hours" },
    { "en", 3600 * 48, "2 days" }, { "en", 86400 * 5, "5 days" },
    { "de", 86400 * 2, "2 Tage" }, { "fr", 0, "1 minute" }, { "fr", 86400 * 3, "3 jours" },
    { "ja", 3600 * 3, "3\xe6\x99\x82\xe9\x96\x93" },
    { "pl", 60, "1 minut\xc4\x99" }, { "pl", 120, "2 minuty" }, { "pl", 300, "5 minut" },
    { "pl", 720, "12 minut" }, { "pl", 1320, "22 minuty" }, { "pl", 1260, "21 minut" },
    { "ru", 60, "1 \xd0\xbc\xd0\xb8\xd0\xbd\xd1\x83\xd1\x82\xd1\x83" },
    { "ru", 1260, "21 \xd0\xbc\xd0\xb8\xd0\xbd\xd1\x83\xd1\x82\xd1\x83" },
    { "ru", 660, "11 \xd0\xbc\xd0\xb8\xd0\xbd\xd1\x83\xd1\x82" },
    { "ru", 180, "3 \xd0\xbc\xd0\xb8\xd0\xbd\xd1\x83\xd1\x82\xd1\x8b" },
    { "ru", 86400 * 5, "5 \xd0\xb4\xd0\xbd\xd0\xb5\xd0\xb9" },
};

static void test_spans(void **state)
{
    struct buffer said = buffer_with_most(1000);

    for (size_t i = 0; i < COUNT(spans); i++) {
        lang_put_span(&said, lang_find(bytes_of(spans[i].code)), spans[i].seconds);
        check_said(&said, spans[i].words);
    }
    buffer_done(&said);
}

static const struct {
    const char *code;
    int64_t seconds;
    int zone;
    const char *words;
} dates[] = {
    { "en", 0, 0, "1 January 1970, 00:00 (UTC)" },
    { "en", 1795356300, 0, "22 November 2026, 14:05 (UTC)" },
    { "en", 1795356300, 330, "22 November 2026, 19:35 (UTC+5:30)" },
    { "en", 1795356300, -480, "22 November 2026, 06:05 (UTC-8)" },
    { "en", -5, 0, "1 January 1970, 00:00 (UTC)" },
    { "en", INT64_MAX / 2, 0, "31 December 9999, 23:59 (UTC)" },
    { "de", 1795356300, 60, "22. November 2026, 15:05 Uhr (UTC+1)" },
    { "es", 1795356300, 0, "22 de noviembre de 2026 a las 14:05 (UTC)" },
    { "pl", 1795356300, 0, "22 listopada 2026, godz. 14:05 (UTC)" },
    { "zh", 1795356300, 480, "2026\xe5\xb9\xb4" "11\xe6\x9c\x88" "22\xe6\x97\xa5 22:05"
                             "\xef\xbc\x88UTC+8\xef\xbc\x89" },
};

static void test_dates(void **state)
{
    struct buffer said = buffer_with_most(1000);

    for (size_t i = 0; i < COUNT(dates); i++) {
        lang_put_date(&said, lang_find(bytes_of(dates[i].code)), dates[i].seconds, dates[i].zone);
        check_said(&said, dates[i].words);
    }
    buffer_done(&said);
}

static void test_numbers(void **state)
{
    struct buffer said = buffer_with_most(1000);

    lang_put_number(&said, lang_english(), 0);
    check_said(&said, "0");
    lang_put_number(&said, lang_english(), 1234567);
    check_said(&said, "1,234,567");
    lang_put_number(&said, lang_find(BYTES("de")), UINT64_MAX);
    check_said(&said, "18.446.744.073.709.551.615");
    lang_put_count(&said, lang_english(), LANG_MORE_RECIPIENTS, 1);
    check_said(&said, "and 1 more recipient");
    lang_put_count(&said, lang_english(), LANG_MORE_RECIPIENTS, 12000);
    check_said(&said, "and 12,000 more recipients");
    buffer_done(&said);
}

/* What stands in a value is not filled again. */
static void test_slots(void **state)
{
    struct buffer said = buffer_with_most(1000);
    struct lang_slot slot = { "host", BYTES("{host}{when}") };

    lang_put(&said, lang_english(), LANG_REPORT_FROM, &slot, 1);
    check_said(&said, "This is the mail server {host}{when}.");
    buffer_done(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts), cmocka_unit_test(test_cards),
        cmocka_unit_test(test_no_card_twice), cmocka_unit_test(test_all_eleven),
        cmocka_unit_test(test_lists), cmocka_unit_test(test_spans), cmocka_unit_test(test_dates),
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_slots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
