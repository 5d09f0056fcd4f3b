/* SPDX-License-Identifier: ISC */
#include "bounce/page_int.h"

#include "base/reader.h"
#include "base/safe.h"

enum {
    ANY = 1000,                 /* an X in place of a number */
    SUBJECTS = 8,
    WORD_MOST = 16,             /* of a word that is compared with codes */
    NEAR_MOST = 3,              /* codes that may have been meant */
    NEAR_FAR = 2,               /* octets that may differ then */
};

enum page_class page_class_of(uint8_t class)
{
    return class == 4 ? PAGE_TEMPORARY : class == 5 ? PAGE_PERMANENT : PAGE_SUCCESS;
}

uint8_t page_class_digit(enum page_class class)
{
    return class == PAGE_TEMPORARY ? 4 : class == PAGE_PERMANENT ? 5 : 2;
}

/* ---- a page of what was asked */

static struct page page_of_subject(uint8_t class, uint16_t subject)
{
    return (struct page){
        .kind = PAGE_SUBJECT, .code = STATUS(class, subject, 0),
        .registered = page_words_of_subject(subject) != NULL,
        .words = page_words_of_subject(subject < SUBJECTS ? subject : 0),
    };
}

static struct page page_of_class(uint8_t class)
{
    return (struct page){
        .kind = PAGE_CLASS, .code = STATUS(class, 0, 0), .registered = true,
        .words = page_words_of_class(class),
    };
}

/* A code that has no row is read by its subject; a subject that has none, as X.0.0. */
struct page page_of(struct status_code code)
{
    struct page page = {
        .kind = PAGE_STATUS, .code = code, .entry = status_find(code),
        .words = page_words_of_status(code),
    };

    page.registered = page.entry != NULL;
    if (page.words == NULL)
        page.words = page_words_of_subject(code.subject);
    if (page.words == NULL)
        page.words = page_words_of_status(STATUS(code.class, 0, 0));
    return page;
}

bool page_of_basic(uint16_t basic, struct page *ret_page)
{
    uint8_t class = (uint8_t)(basic / 100 == 3 ? 2 : basic / 100);
    struct page page = {
        .kind = PAGE_BASIC, .code = STATUS(class, 0, 0), .basic = basic,
        .reply = basic_find(basic), .words = page_words_of_basic(basic),
    };

    page.registered = page.reply != NULL;
    if (page.words == NULL && basic / 100 != 3)
        page.words = page_words_of_class(class);
    if (page.words == NULL)
        return false;
    *ret_page = page;
    return true;
}

/* ---- the word */

/* What a word is, before it is asked whether that exists. `parts` 0: it is no code at all. */
struct word {
    unsigned parts;             /* 1 to 3 */
    bool long_number;           /* one of more than three digits */
    uint32_t part[3];           /* ANY: an X */
};

static bool take_part(struct reader *in, struct word *word)
{
    struct bytes digits = take_while(in, is_digit);
    uint32_t number = 0;

    if (digits.n == 0 && take_nocase(in, BYTES("x"))) {
        word->part[word->parts++] = ANY;
        return true;
    }
    if (digits.n == 0 || word->parts == COUNT(word->part))
        return false;
    for (size_t i = 0; i < digits.n && number < ANY; i++)
        number = number * 10 + (uint32_t)(digits.at[i] - '0');
    word->long_number = word->long_number || digits.n > 3;
    word->part[word->parts++] = number;
    return true;
}

/* As it stands in a report: "(#5.1.1)", or behind a reply code, "550-5.1.1", "550 5.1.1". */
static struct bytes bare(struct bytes text)
{
    text = bytes_trim(text);
    if (bytes_begins(text, BYTES("(")) && bytes_ends(text, BYTES(")")))
        text = bytes_first(bytes_skip(text, 1), text.n - 2);
    if (text.n > 4 && is_digit(text.at[0]) && is_digit(text.at[1]) && is_digit(text.at[2])
        && (text.at[3] == '-' || text.at[3] == ' '))
        text = bytes_skip(text, 4);
    return text;
}

/* word = ["#"] part *2("." part),  part = 1*DIGIT / "X" */
static struct word word_of(struct bytes text)
{
    struct reader in = reader_of(bare(text));
    struct word word = { 0 };

    take_char(&in, '#');
    do {
        if (word.parts == COUNT(word.part) || !take_part(&in, &word))
            return (struct word){ 0 };
    } while (take_char(&in, '.'));
    return reader_empty(&in) ? word : (struct word){ 0 };
}

static bool is_class(uint32_t number)
{
    return number == 2 || number == 4 || number == 5;
}

bool page_find(struct bytes text, struct page *ret_page)
{
    struct word word = word_of(text);
    uint8_t class = (uint8_t)(word.part[0] == ANY ? 0 : word.part[0]);
    uint16_t subject = (uint16_t)word.part[1], detail = (uint16_t)word.part[2];

    if (word.parts == 0 || word.long_number)
        return false;
    if (word.parts == 1 && word.part[0] >= 200 && word.part[0] < 600)
        return page_of_basic((uint16_t)word.part[0], ret_page);
    if (!is_class(word.part[0]) && word.part[0] != ANY)
        return false;
    if (word.parts == 1 || subject == ANY) {
        if (class == 0 || (word.parts == 3 && detail != ANY))
            return false;
        *ret_page = page_of_class(class);
        return true;
    }
    *ret_page = word.parts == 2 || detail == ANY ? page_of_subject(class, subject)
                                                 : page_of(STATUS(class, subject, detail));
    return true;
}

/* ---- what may have been meant */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many octets must be put in, taken out or changed to make the one from the other. */
static size_t distance(struct bytes a, struct bytes b)
{
    size_t row[WORD_MOST + 1];

    for (size_t i = 0; i <= a.n; i++)
        row[i] = i;
    for (size_t j = 0; j < b.n; j++) {
        size_t corner = row[0];
        row[0] = j + 1;
        for (size_t i = 0; i < a.n; i++) {
            size_t changed = corner + (to_upper(a.at[i]) != to_upper(b.at[j]));
            corner = row[i + 1];
            row[i + 1] = least(changed, least(row[i], corner) + 1);
        }
    }
    return row[a.n];
}

struct near {
    size_t far;
    struct page page;
};

static size_t find_near(struct bytes word, struct near ret[static NEAR_MOST])
{
    struct buffer name = buffer_with_most(WORD_MOST);
    struct page page;
    size_t n = 0;

    for (size_t i = 0; word.n <= WORD_MOST && page_at(i, &page); i++) {
        buffer_clear(&name);
        page_put_name(&name, &page);
        size_t far = distance(word, buffer_bytes(&name)), at;
        if (far > NEAR_FAR || (n == NEAR_MOST && ret[n - 1].far <= far))
            continue;
        for (at = n == NEAR_MOST ? n - 1 : n; at > 0 && ret[at - 1].far > far; at--)
            ret[at] = ret[at - 1];
        ret[at] = (struct near){ far, page };
        n = n == NEAR_MOST ? n : n + 1;
    }
    buffer_done(&name);
    return n;
}

static void put_near(struct buffer *to, struct bytes text)
{
    struct near near[NEAR_MOST];
    size_t n = find_near(bare(text), near);

    for (size_t i = 0; i < n; i++) {
        buffer_put_text(to, i == 0 ? "; near it: " : ", ");
        page_put_name(to, &near[i].page);
    }
    if (n == 0)
        buffer_put(to, BYTES("; --list shows all there are"));
}

void page_put_flaw(struct buffer *to, struct bytes text)
{
    enum { SHOWN_MOST = 40 };
    struct word word = word_of(text);

    buffer_put_char(to, '"');
    safe_put(to, bytes_first(text, SHOWN_MOST));
    buffer_put_text(to, text.n > SHOWN_MOST ? "...\"" : "\"");
    if (word.parts == 0)
        buffer_put(to, BYTES(" is no code: write one like 5.7.1, X.7.1, 5.7, 5 or 550"));
    else if (word.long_number)
        buffer_put(to, BYTES(" is no code: its numbers have at most three digits"));
    else if (word.parts == 1 && word.part[0] != ANY && word.part[0] > 9)
        buffer_put(to, BYTES(" is no reply code of SMTP: they are 2xx, 3xx, 4xx and 5xx"));
    else if (!is_class(word.part[0]) && word.part[0] != ANY)
        buffer_put(to, BYTES(" is no status code: the first number is 2, 4 or 5"));
    else
        buffer_put(to, BYTES(" leaves too much open: give the class, or the subject"));
    put_near(to, text);
}

/* ---- all there are */

/* The classes in the order in which they are listed; 0 is all of them. */
static const uint8_t order[] = { 0, 4, 5, 2 };

static bool detail_at(size_t i, struct page *ret_page)
{
    const struct status_entry *entry = status_entry_at(i / COUNT(order));

    if (entry == NULL)
        return false;
    *ret_page = page_of(STATUS(order[i % COUNT(order)], entry->subject, entry->detail));
    return true;
}

static size_t count_details(void)
{
    size_t n = 0;

    while (status_entry_at(n) != NULL)
        n++;
    return n * COUNT(order);
}

bool page_at(size_t i, struct page *ret_page)
{
    static const uint8_t classes[] = { 2, 4, 5 };
    size_t details = count_details();

    if (i < COUNT(classes))
        return *ret_page = page_of_class(classes[i]), true;
    i -= COUNT(classes);
    if (i < SUBJECTS * COUNT(order)) {
        *ret_page = page_of_subject(order[i % COUNT(order)], (uint16_t)(i / COUNT(order)));
        return true;
    }
    i -= SUBJECTS * COUNT(order);
    if (i < details)
        return detail_at(i, ret_page);
    const struct basic_entry *basic = basic_entry_at(i - details);
    return basic != NULL && page_of_basic(basic->code, ret_page);
}
