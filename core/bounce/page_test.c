/* SPDX-License-Identifier: ISC
 *
 * Every row of page_0.def, page_1.def, page_2.def, page_3.def, page_4.def, page_5.def, page_6.def,
 * page_7_0.def, page_7_10.def, page_7_20.def, page_4xx.def, page_5xx.def, page_class.def and
 * page_subject.def, as the pages show them.
 */
#include "bounce/page_int.h"
#include "bounce/page_private.def"

#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 80, SENTENCES_MOST = 8192, REPEATED_MOST = 6 };

static const char *name_of(const struct page *page)
{
    static char text[32];
    struct buffer name = buffer_with_most(sizeof(text) - 1);

    page_put_name(&name, page);
    snprintf(text, sizeof(text), "%.*s", (int)name.n, name.at);
    buffer_done(&name);
    return text;
}

/* ---- what a word finds */

static const struct { const char *word, *want; bool registered; } found[] = {
    { "4.7.7", "4.7.7", true }, { "5.7.7", "5.7.7", true }, { "X.7.7", "X.7.7", true },
    { "x.7.7", "X.7.7", true }, { "#5.1.0", "5.1.0", true }, { " 5.1.1\n", "5.1.1", true },
    { "5.7", "5.7.X", true }, { "5.7.x", "5.7.X", true }, { "X.7", "X.7.X", true },
    { "5", "5.X.X", true }, { "4.x.x", "4.X.X", true }, { "2.X", "2.X.X", true },
    { "550", "550", true }, { "354", "354", true }, { "591", "591", true },
    { "5.7.509", "5.7.509", false }, { "4.9.1", "4.9.1", false }, { "X.9.999", "X.9.999", false },
    { "550-5.1.1", "5.1.1", true }, { "550 5.1.1", "5.1.1", true },
    { "(#5.7.1)", "5.7.1", true }, { "450 #4.2.0 ", "4.2.0", true },
    { "5.07.007", "5.7.7", true }, { "599", "599", false }, { "4.8", "4.8.X", false },
    { "2.999.999", "2.999.999", false }, { "5.64.1", "5.64.1", false },
};

static void words_find_pages(void **state)
{
    for (size_t i = 0; i < COUNT(found); i++) {
        struct page page;

        if (!page_find(bytes_of(found[i].word), &page))
            fail_msg("%s: not found", found[i].word);
        if (strcmp(name_of(&page), found[i].want) != 0 || page.registered != found[i].registered
            || page.words == NULL)
            fail_msg("%s: is %s, registered %d", found[i].word, name_of(&page), page.registered);
    }
}

static const struct { const char *word, *flaw; } flaws[] = {
    { "7.7", "\"7.7\" is no status code: the first number is 2, 4 or 5; near it: X.7.7, 4.7.7,"
             " 5.7.7" },
    { "3.1.1", "\"3.1.1\" is no status code: the first number is 2, 4 or 5; near it: X.1.1, 4.1.1,"
               " 5.1.1" },
    { "5.7.1000", "\"5.7.1000\" is no code: its numbers have at most three digits; near it:"
                  " 5.7.10" },
    { "5,7,1", "\"5,7,1\" is no code: write one like 5.7.1, X.7.1, 5.7, 5 or 550; near it: 5.7.1,"
               " 571" },
    { "5.5.5.5", "\"5.5.5.5\" is no code: write one like 5.7.1, X.7.1, 5.7, 5 or 550; near it:"
                 " 5.5.5" },
    { "150", "\"150\" is no reply code of SMTP: they are 2xx, 3xx, 4xx and 5xx; near it: 250, 450,"
             " 550" },
    { "355", "\"355\" is no reply code of SMTP: they are 2xx, 3xx, 4xx and 5xx; near it: 354, 455,"
             " 555" },
    { "X", "\"X\" leaves too much open: give the class, or the subject; --list shows all there"
           " are" },
    { "5.X.1", "\"5.X.1\" leaves too much open: give the class, or the subject; near it: 5.X.X,"
                " 5.1.1, 5.2.1" },
    { "", "\"\" is no code: write one like 5.7.1, X.7.1, 5.7, 5 or 550; --list shows all there"
          " are" },
    { "\x1b[2J", "\"\\x1b[2J\" is no code: write one like 5.7.1, X.7.1, 5.7, 5 or 550; --list"
                 " shows all there are" },
    { "99999999999999999999999999999999999999999999",
      "\"9999999999999999999999999999999999999999...\" is no code: its numbers have at most three"
      " digits; --list shows all there are" },
};

static void what_is_no_code_is_said(void **state)
{
    for (size_t i = 0; i < COUNT(flaws); i++) {
        struct buffer flaw = buffer_with_most(1024);
        struct page page;

        if (page_find(bytes_of(flaws[i].word), &page))
            fail_msg("%s: found", flaws[i].word);
        page_put_flaw(&flaw, bytes_of(flaws[i].word));
        if (!bytes_equal(buffer_bytes(&flaw), bytes_of(flaws[i].flaw)))
            fail_msg("%.*s", (int)flaw.n, flaw.at);
        buffer_done(&flaw);
    }
}

/* RFC 3463, 2: by class and subject, or by class alone. */
static void the_unregistered_are_read_by_theory(void **state)
{
    struct page page;

    assert_true(page_find(BYTES("5.7.509"), &page));
    assert_null(page.entry);
    assert_ptr_equal(page.words, page_words_of_subject(7));
    assert_true(page_unregistered(&page)[0] != '\0');
    assert_true(page_find(BYTES("4.9.1"), &page));
    assert_ptr_equal(page.words, page_words_of_status(STATUS(4, 0, 0)));
    assert_true(page_find(BYTES("598"), &page));
    assert_ptr_equal(page.words, page_words_of_class(5));
    assert_true(page_find(BYTES("5.7.8"), &page));
    assert_string_equal(page_unregistered(&page), "");
}

/* ---- every page */

static bool is_sentence(const char *text)
{
    size_t n = text == NULL ? 0 : strlen(text);

    return n > 10 && (text[n - 1] == '.' || text[n - 1] == '!' || text[n - 1] == '?')
        && strstr(text, "  ") == NULL && strstr(text, "..") == NULL;
}

/* The basic code of an example is of the class, and the page's own when it has one. */
static bool is_example(const struct page *page, enum page_class class, const char *example)
{
    if (example == NULL)
        return class == PAGE_SUCCESS;
    if (page->kind == PAGE_BASIC)
        return strncmp(example, name_of(page), 3) == 0 && example[3] == ' ';
    return example[0] - '0' == page_class_digit(class) && is_digit(example[1])
        && is_digit(example[2]) && example[3] == ' '
        && !status_parse(bytes_of(example + 4), &(struct status_code){ 0 }, &(size_t){ 0 });
}

static void every_page_has_all_fields(void **state)
{
    struct page page;
    size_t n = 0, statuses = 0;

    for (; page_at(n, &page); n++) {
        const struct page_words *words = page.words;
        size_t senses = 0;
        bool success = page.kind == PAGE_CLASS && page.code.class == 2;

        for (enum page_class class = 0; class < PAGE_CLASSES; class++) {
            const struct page_sense *sense = &words->sense[class];
            if (!page_has(&page, class))
                continue;
            senses++;
            if (!is_sentence(sense->reason) || !is_sentence(sense->sender)
                || !is_sentence(page_retried(&page, class))
                || (class != PAGE_SUCCESS && sense->retried == NULL)
                || !is_example(&page, class, sense->example))
                fail_msg("%s: a field of class %u", name_of(&page), page_class_digit(class));
        }
        if (senses != (page.code.class == 0 ? 3 : 1) || !page.registered)
            fail_msg("%s: %zu classes", name_of(&page), senses);
        if (words->category == CAUSE_NONE
            || (page_mendable(&page) && words->category == CAUSE_DELIVERED))
            fail_msg("%s: no category", name_of(&page));
        if (words->headline == NULL || strlen(words->headline) > 80 || !is_sentence(words->official)
            || (!success && (!is_sentence(words->admin) || !is_sentence(words->recipient))))
            fail_msg("%s: a field", name_of(&page));
        statuses += page.kind == PAGE_STATUS;
    }
    assert_int_equal(statuses, 4 * 81);
    print_message("# %zu pages\n", n);
}

/* Each row of the registry is its own page, not that of its subject. */
static void every_registered_code_has_its_own(void **state)
{
#define ROW(s, d, NAME, ...) assert_non_null(page_words_of_status(STATUS(5, s, d)));
    STATUS_DETAIL_LIST(ROW)
#undef ROW
#define ROW(code, reference, text) assert_non_null(page_words_of_basic(code));
    BASIC_LIST(ROW)
#undef ROW
}

static void providers_have_codes_of_their_own(void **state)
{
    const char *provider, *text;
    struct page page;

#define ROW(class, subject, first, last, who, what) \
    page = page_of(STATUS((class) == 0 ? 5 : (class), subject, first)); \
    assert_true((first) <= (last) && is_sentence(what)); \
    assert_true(page_elsewhere(&page, &provider, &text)); \
    assert_string_equal(text, what);
    PRIVATE_LIST(ROW)
#undef ROW
    page = page_of(STATUS(2, 1, 9));
    assert_string_equal(page_action(&page, PAGE_SUCCESS), "relayed");
    assert_true(page_find(BYTES("4.7.501"), &page) && page_elsewhere(&page, &provider, &text));
    assert_string_equal(provider, "Microsoft 365");
    assert_true(page_find(BYTES("5.7.1"), &page) && !page_elsewhere(&page, &provider, &text));
    assert_true(page_find(BYTES("5.7"), &page) && !page_elsewhere(&page, &provider, &text));
}

/* ---- no sentence on many pages */

static struct {
    struct bytes sentence;
    size_t pages, last;
} sentences[SENTENCES_MOST];
static size_t sentences_n;

static void count_sentence(struct bytes sentence, size_t page)
{
    size_t i = 0;

    while (i < sentences_n && !bytes_equal(sentences[i].sentence, sentence))
        i++;
    assert_true(i < SENTENCES_MOST);
    if (i == sentences_n) {
        sentences_n++;
        sentences[i].sentence = sentence;
        sentences[i].last = SIZE_MAX;
    }
    sentences[i].pages += sentences[i].last != page;
    sentences[i].last = page;
    if (sentences[i].pages > REPEATED_MOST)
        fail_msg("on %zu pages: %.*s", sentences[i].pages, (int)sentence.n, sentence.at);
}

static void count_sentences(const char *text, size_t page)
{
    struct bytes rest = bytes_of(text == NULL ? "" : text);

    while (rest.n > 0) {
        size_t end = bytes_search(rest, BYTES(". "));
        if (end > 3)        /* "Yes." and "No." are answers */
            count_sentence(bytes_first(rest, end + 1), page);
        rest = bytes_skip(rest, end + 2);
    }
}

static void no_sentence_stands_on_many_pages(void **state)
{
    struct page page;

    for (size_t i = 0; page_at(i, &page); i++) {
        for (enum page_class class = 0; class < PAGE_CLASSES; class++) {
            if (!page_has(&page, class))
                continue;
            count_sentences(page.words->sense[class].reason, i);
            count_sentences(page.words->sense[class].sender, i);
            count_sentences(page.words->sense[class].retried, i);
        }
        if (page_failed(&page)) {
            count_sentences(page.words->admin, i);
            count_sentences(page.words->recipient, i);
        }
    }
    assert_true(sentences_n > 1000);
    print_message("# %zu sentences\n", sentences_n);
}

/* ---- how they are written */

static void check_lines(const char *of, struct bytes text)
{
    struct bytes line;

    assert_true(bytes_ends(text, BYTES("\n")));
    while (bytes_cut(&text, '\n', &line)) {
        if (line.n > COLUMNS || bytes_ends(line, BYTES(" ")))
            fail_msg("%s: %.*s", of, (int)line.n, line.at);
        for (size_t i = 0; i < line.n; i++)
            if (line.at[i] < ' ' || line.at[i] > '~')
                fail_msg("%s: octet %u", of, octet(line.at[i]));
    }
}

static void texts_fit_the_screen(void **state)
{
    static const char *const others[] = { "5.7.509", "X.9.999", "599", "4.8" };
    struct buffer text = buffer_with_most(PAGE_LIST_MOST);
    struct page page;

    for (size_t i = 0; page_at(i, &page) ; i++) {
        buffer_clear(&text);
        page_put_text(&text, &page, false);
        assert_true(!text.bad && text.n < PAGE_MOST);
        check_lines(name_of(&page), buffer_bytes(&text));
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        buffer_clear(&text);
        assert_true(page_find(bytes_of(others[i]), &page));
        page_put_text(&text, &page, false);
        check_lines(others[i], buffer_bytes(&text));
    }
    buffer_clear(&text);
    page_list_text(&text, false);
    check_lines("the list", buffer_bytes(&text));
    buffer_done(&text);
}

/* Elements are opened and closed in order; what else is "<", ">" or "&" is escaped. */
static void check_elements(const char *of, struct bytes html)
{
    struct bytes open[32];
    size_t depth = 0, at = 0;

    while ((at = bytes_find(html, '<')) < html.n) {
        html = bytes_skip(html, at + 1);
        struct bytes tag = bytes_upto(html, '>');
        struct bytes name = bytes_upto(tag, ' ');
        if (tag.n == html.n || bytes_find(tag, '<') < tag.n)
            fail_msg("%s: <%.*s", of, (int)tag.n, tag.at);
        html = bytes_skip(html, tag.n + 1);
        if (bytes_begins(tag, BYTES("!")) || bytes_ends(tag, BYTES("/")))
            continue;
        if (!bytes_begins(tag, BYTES("/"))) {
            assert_true(depth < COUNT(open));
            open[depth++] = name;
        } else if (depth == 0 || !bytes_equal(open[--depth], bytes_skip(name, 1))) {
            fail_msg("%s: <%.*s>", of, (int)tag.n, tag.at);
        }
    }
    if (depth > 0)
        fail_msg("%s: <%.*s> is not closed", of, (int)open[0].n, open[0].at);
}

static void documents_are_well_formed(void **state)
{
    struct buffer text = buffer_with_most(PAGE_LIST_MOST);
    struct page page;

    for (size_t i = 0; page_at(i, &page); i++) {
        buffer_clear(&text);
        page_put_html(&text, &page);
        assert_true(!text.bad && text.n < PAGE_MOST && utf8_valid(buffer_bytes(&text)));
        check_elements(name_of(&page), buffer_bytes(&text));
        buffer_clear(&text);
        page_put_article(&text, &page, "/codes/");
        check_elements(name_of(&page), buffer_bytes(&text));
        assert_true(bytes_begins(buffer_bytes(&text), BYTES("<article ")));
    }
    buffer_clear(&text);
    page_list_html(&text);
    check_elements("the list", buffer_bytes(&text));
    buffer_clear(&text);
    page_list_article(&text, "/codes/");
    assert_true(bytes_search(buffer_bytes(&text), BYTES("href=\"/codes/X.7.7\"")) < text.n);
    buffer_done(&text);
}

static void all_fits_its_room(void **state)
{
    struct buffer text = buffer_with_most(PAGE_LIST_MOST), small = buffer_with_most(100);
    struct page page;

    page_list_json(&text);
    assert_false(text.bad);
    assert_true(page_find(BYTES("550"), &page));
    page_put_text(&small, &page, true);
    assert_true(small.bad);
    buffer_done(&text);
    buffer_done(&small);
}

/* Each verdict on sealed mail has its page, and what postern verify means by it stands first. */
static void verdicts_have_pages(void **state)
{
    static const char *const codes[] = { "2.7.0", "2.7.5", "2.7.6", "5.7.0", "5.7.5", "5.7.6",
                                         "5.7.7" };

    for (size_t i = 0; i < COUNT(codes); i++) {
        struct buffer text = buffer_with_most(1 << 20);
        struct page page;
        assert_true(page_find(bytes_of(codes[i]), &page) && page.registered);
        page_put_text(&text, &page, false);
        size_t ours = bytes_search(buffer_bytes(&text), BYTES("\nWhen postern verify says it\n"));
        assert_true(ours < bytes_search(buffer_bytes(&text), BYTES("\nWhat happened")));
        buffer_clear(&text);
        page_put_html(&text, &page);
        assert_true(bytes_search(buffer_bytes(&text), BYTES("When postern verify")) < text.n);
        buffer_done(&text);
    }
}

/* What others ask of it: which codes go together, and which stand beside it. */
static void others_are_near(void **state)
{
    struct page page, near[PAGE_NEIGHBOURS], other;

    assert_true(page_find(BYTES("5.7.7"), &page));
    assert_int_equal(page_neighbours(&page, near), 4);
    assert_string_equal(name_of(&near[0]), "5.7.5");
    assert_string_equal(name_of(&near[3]), "5.7.9");
    assert_false(page_goes_with(&page, 0, &other));
    assert_true(page_find(BYTES("4.7.24"), &page));
    assert_true(page_goes_with(&page, 0, &other));
    assert_string_equal(name_of(&other), "451");
    assert_false(page_goes_with(&page, 1, &other));
    assert_true(page_find(BYTES("552"), &page));
    assert_true(page_goes_with(&page, 0, &other));
    assert_string_equal(name_of(&other), "5.2.2");
    assert_true(page_find(BYTES("211"), &page));
    assert_int_equal(page_neighbours(&page, near), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_find_pages),
        cmocka_unit_test(what_is_no_code_is_said),
        cmocka_unit_test(the_unregistered_are_read_by_theory),
        cmocka_unit_test(every_page_has_all_fields),
        cmocka_unit_test(every_registered_code_has_its_own),
        cmocka_unit_test(providers_have_codes_of_their_own),
        cmocka_unit_test(no_sentence_stands_on_many_pages),
        cmocka_unit_test(texts_fit_the_screen),
        cmocka_unit_test(documents_are_well_formed),
        cmocka_unit_test(all_fits_its_room),
        cmocka_unit_test(verdicts_have_pages),
        cmocka_unit_test(others_are_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
