/* SPDX-License-Identifier: ISC
 *
 * A page as text in lines of at most 80 columns.
 */
#include "bounce/page_int.h"

enum { COLUMNS = 80, STEP = 2, NAME_COLUMNS = 9 };

static const char bold[] = "\033[1m", plain[] = "\033[0m";

/* Words in lines between two margins; the first line goes on at `column`. Ends the line. */
static void put_wrapped(struct buffer *to, size_t column, size_t margin, struct bytes text)
{
    bool first = true;
    struct bytes word;

    while (bytes_cut(&text, ' ', &word)) {
        if (!first && column + 1 + word.n > COLUMNS) {
            buffer_put_char(to, '\n');
            buffer_put_chars(to, ' ', margin);
            column = margin;
        } else if (!first) {
            buffer_put_char(to, ' ');
            column++;
        }
        buffer_put(to, word);
        column += word.n;
        first = false;
    }
    buffer_put_char(to, '\n');
}

static void put_paragraph(struct buffer *to, size_t margin, const char *text)
{
    buffer_put_chars(to, ' ', margin);
    put_wrapped(to, margin, margin, bytes_of(text));
}

static void put_heading(struct buffer *to, const char *text, bool colour)
{
    buffer_put_text(to, to->n > 0 ? "\n" : "");
    buffer_put_text(to, colour ? bold : "");
    buffer_put_text(to, text);
    buffer_put_text(to, colour ? plain : "");
    buffer_put_char(to, '\n');
}

/* "  5.7.7    The message ...", the words in a column of their own. */
static void put_named(struct buffer *to, size_t margin, const char *name, struct bytes text)
{
    struct bytes label = bytes_of(name);
    size_t column = margin + NAME_COLUMNS;

    buffer_put_chars(to, ' ', margin);
    buffer_put(to, label);
    buffer_put_chars(to, ' ', label.n < NAME_COLUMNS ? NAME_COLUMNS - label.n : 1);
    put_wrapped(to, column, column, text);
}

static const char *name_of(const struct page *page, char ret_name[static 16])
{
    struct buffer name = buffer_with_most(15);

    page_put_name(&name, page);
    for (size_t i = 0; i < name.n; i++)
        ret_name[i] = name.at[i];
    ret_name[name.n] = '\0';
    buffer_done(&name);
    return ret_name;
}

static void put_page_line(struct buffer *to, const struct page *page)
{
    struct buffer title = buffer_with_most(1000);
    char name[16];

    page_put_title(&title, page);
    put_named(to, STEP, name_of(page, name), buffer_bytes(&title));
    to->bad = to->bad || title.bad;
    buffer_done(&title);
}

/* ---- what is said of each class */

typedef const char *(*said)(const struct page *page, enum page_class class);

static const char *reason_of(const struct page *page, enum page_class class)
{
    return page->words->sense[class].reason;
}

static const char *sender_of(const struct page *page, enum page_class class)
{
    return page->words->sense[class].sender;
}

/* "  4.2.2    Temporary: ..." */
static void put_sibling(struct buffer *to, size_t margin, const struct page *sibling,
                        const char *text)
{
    struct buffer words = buffer_with_most(4096);
    char name[16];

    buffer_put_text(&words, page_class_title(page_class_of(sibling->code.class)));
    buffer_put(&words, BYTES(": "));
    buffer_put_text(&words, text);
    put_named(to, margin, name_of(sibling, name), buffer_bytes(&words));
    to->bad = to->bad || words.bad;
    buffer_done(&words);
}

/* Of the page's own class; of all, each behind its name. */
static void put_said(struct buffer *to, const struct page *page, size_t margin, said what)
{
    enum page_class only;
    struct page sibling;

    if (page_class_only(page, &only)) {
        put_paragraph(to, margin, what(page, only));
        return;
    }
    for (enum page_class class = 0; class < PAGE_CLASSES; class++) {
        if (page_has(page, class) && page_sibling(page, class, &sibling))
            put_sibling(to, margin, &sibling, what(page, class));
    }
}

static void put_fix(struct buffer *to, const struct page *page)
{
    if (page_mendable(page)) {
        buffer_put_text(to, "  Who can mend it: ");
        buffer_put_text(to, page_who(page));
        buffer_put_char(to, '\n');
    }
    buffer_put_text(to, "  If you are the sender\n");
    put_said(to, page, 2 * STEP, sender_of);
    if (page_failed(page) && page->words->admin != NULL) {
        buffer_put_text(to, "  If you run the sender's mail\n");
        put_paragraph(to, 2 * STEP, page->words->admin);
    }
    if (page_failed(page) && page->words->recipient != NULL) {
        buffer_put_text(to, "  If you receive it, or run the mail there\n");
        put_paragraph(to, 2 * STEP, page->words->recipient);
    }
}

static void put_siblings(struct buffer *to, const struct page *page, bool colour)
{
    enum page_class only;
    struct page sibling;

    if (!page_class_only(page, &only) || !page_sibling(page, only, &sibling))
        return;
    put_heading(to, "With another first number", colour);
    for (enum page_class class = 0; class < PAGE_CLASSES; class++) {
        if (class != only && page_sibling(page, class, &sibling))
            put_sibling(to, STEP, &sibling, reason_of(page, class));
    }
}

/* ---- what the standard says */

static void put_one_official(struct buffer *to, const struct page *page,
                             const struct page_official *official)
{
    struct buffer text = buffer_with_most(4096);
    char name[16];

    buffer_put_text(&text, official->text);
    if (official->reference[0] != '\0') {
        buffer_put(&text, BYTES(" ("));
        buffer_put_text(&text, official->reference);
        buffer_put_char(&text, ')');
    }
    put_named(to, STEP, official->about[0] != '\0' ? official->about : name_of(page, name),
              buffer_bytes(&text));
    to->bad = to->bad || text.bad;
    buffer_done(&text);
}

static void put_goes_with(struct buffer *to, const struct page *page)
{
    struct buffer text = buffer_with_most(1024);
    struct page other;

    for (size_t i = 0; page_goes_with(page, i, &other); i++) {
        buffer_put_text(&text, i == 0 ? "Goes with: " : ", ");
        page_put_name(&text, &other);
    }
    if (text.n > 0) {
        buffer_put_chars(to, ' ', STEP);
        put_wrapped(to, STEP, STEP, buffer_bytes(&text));
    }
    to->bad = to->bad || text.bad;
    buffer_done(&text);
}

static void put_official(struct buffer *to, const struct page *page, bool colour)
{
    struct page_official official[PAGE_OFFICIAL_MOST];
    size_t n = page_official(page, official);

    put_heading(to, "What the standard says, in our words", colour);
    if (page->entry != NULL)
        put_named(to, STEP, "Name", bytes_of(page->entry->title));
    for (size_t i = 0; i < n; i++)
        put_one_official(to, page, &official[i]);
    put_goes_with(to, page);
}

/* ---- an example, as it stands in a report */

static void put_field(struct buffer *to, const char *field, struct bytes value)
{
    struct bytes label = bytes_of(field);

    buffer_put_chars(to, ' ', STEP);
    buffer_put(to, label);
    buffer_put_char(to, ' ');
    put_wrapped(to, STEP + label.n + 1, 2 * STEP, value);
}

static void put_one_example(struct buffer *to, const struct page *page, enum page_class class)
{
    struct buffer text = buffer_with_most(1024);
    struct page full = *page;
    char name[16];

    if (page->kind == PAGE_STATUS) {
        full.code.class = page_class_digit(class);
        put_field(to, "Final-Recipient:", BYTES("rfc822; anna@example.org"));
        put_field(to, "Action:", bytes_of(page_action(page, class)));
        put_field(to, "Status:", bytes_of(name_of(&full, name)));
    }
    if (page->words->sense[class].example != NULL) {
        buffer_put_text(&text, page->kind == PAGE_STATUS ? "smtp; " : "");
        page_put_example(&text, page, class);
        if (page->kind == PAGE_STATUS)
            put_field(to, "Diagnostic-Code:", buffer_bytes(&text));
        else
            put_paragraph(to, STEP, page->words->sense[class].example);
    }
    to->bad = to->bad || text.bad;
    buffer_done(&text);
}

static void put_examples(struct buffer *to, const struct page *page, bool colour)
{
    enum page_class only;

    if (!page_class_only(page, &only))
        only = PAGE_PERMANENT;
    if (page->kind != PAGE_STATUS && page->words->sense[only].example == NULL)
        return;
    put_heading(to, page->kind == PAGE_STATUS ? "How a report shows it" : "An example", colour);
    put_one_example(to, page, only);
    if (page->kind == PAGE_STATUS && only == PAGE_TEMPORARY)
        put_paragraph(to, STEP, page_action_note);
}

static void put_neighbours(struct buffer *to, const struct page *page, bool colour)
{
    struct page near[PAGE_NEIGHBOURS];
    size_t n = page_neighbours(page, near);

    if (n > 0)
        put_heading(to, "Codes beside it", colour);
    for (size_t i = 0; i < n; i++)
        put_page_line(to, &near[i]);
}

static void put_elsewhere(struct buffer *to, const struct page *page, bool colour)
{
    struct buffer heading = buffer_with_most(100);
    const char *provider, *text;

    if (!page_elsewhere(page, &provider, &text))
        return;
    buffer_put(&heading, BYTES("From "));
    buffer_put_text(&heading, provider);
    buffer_put(&heading, BYTES(" it means"));
    buffer_put_char(&heading, '\0');
    put_heading(to, heading.bad ? "" : heading.at, colour);
    put_paragraph(to, STEP, text);
    to->bad = to->bad || heading.bad;
    buffer_done(&heading);
}

void page_put_text(struct buffer *to, const struct page *page, bool colour)
{
    struct buffer title = buffer_with_most(1000);
    char name[16];

    buffer_put_text(to, colour ? bold : "");
    buffer_put_text(to, name_of(page, name));
    buffer_put(to, BYTES("  "));
    page_put_title(&title, page);
    put_wrapped(to, bytes_of(name).n + 2, bytes_of(name).n + 2, buffer_bytes(&title));
    buffer_put_text(to, colour ? plain : "");
    to->bad = to->bad || title.bad;
    buffer_done(&title);
    if (!page->registered) {
        buffer_put_char(to, '\n');
        put_paragraph(to, 0, page_unregistered(page));
    }
    put_elsewhere(to, page, colour);
    if (page_verified(page) != NULL) {
        put_heading(to, "When postern verify says it", colour);
        put_paragraph(to, STEP, page_verified(page));
    }
    put_heading(to, page_verified(page) == NULL ? "What happened" : "What happened, when a mail "
                "server says it", colour);
    put_said(to, page, STEP, reason_of);
    put_heading(to, page_fix_heading(page), colour);
    put_fix(to, page);
    put_heading(to, "Is it tried again?", colour);
    put_said(to, page, STEP, page_retried);
    put_siblings(to, page, colour);
    put_official(to, page, colour);
    put_examples(to, page, colour);
    put_neighbours(to, page, colour);
}

void page_list_text(struct buffer *to, bool colour)
{
    struct page page;

    for (size_t i = 0; page_at(i, &page); i++) {
        if (page.kind == PAGE_STATUS && page.code.class != 0)
            continue;
        if (page.kind == PAGE_SUBJECT && page.code.class != 0)
            continue;
        if (page.kind == PAGE_SUBJECT && page.code.subject == 0)
            put_heading(to, "Subjects: the second number", colour);
        if (page.kind == PAGE_STATUS && page.code.detail == 0)
            put_heading(to, page_words_of_subject(page.code.subject)->headline, colour);
        if (page.kind == PAGE_BASIC && page.basic == basic_entry_at(0)->code)
            put_heading(to, "Basic reply codes", colour);
        if (i == 0)
            put_heading(to, "Classes: the first number", colour);
        put_page_line(to, &page);
    }
}
