/* SPDX-License-Identifier: ISC
 *
 * A page as HTML that is XML too: one document, no other resources, readable aloud.
 */
#include "bounce/page_int.h"

#include "base/html.h"

const char page_style[] =
    ":root{color-scheme:light dark}\n"
    ".page{--ink:#1b1f24;--paper:#ffffff;--dim:#4d5660;--line:#d0d7de;--link:#0550ae;"
    "--mark:#57606a;color:var(--ink);background:var(--paper);max-width:44rem;margin:0 auto;"
    "padding:1rem;font:1rem/1.55 system-ui,sans-serif}\n"
    ".page-temporary{--mark:#8a5a00}.page-permanent{--mark:#b3261e}.page-success{--mark:#1a6b34}\n"
    ".page h1{font-size:1.5rem;line-height:1.25;margin:0 0 .25rem;"
    "border-left:.3rem solid var(--mark);padding-left:.75rem}\n"
    ".page h1 .page-code{display:block;font:600 1rem/1.4 ui-monospace,monospace;"
    "color:var(--mark)}\n"
    ".page-outcome{margin:.25rem 0 1rem 1.05rem;font-weight:600;color:var(--mark)}\n"
    ".page h2{font-size:1.1rem;margin:1.6rem 0 .3rem}.page h3{font-size:1rem;margin:.9rem 0 .1rem}"
    "\n.page p{margin:.2rem 0 .6rem}\n"
    ".page dl{margin:0}.page dt{font:600 .95rem/1.5 ui-monospace,monospace;margin-top:.5rem}"
    ".page dd{margin:0 0 0 1rem}\n"
    ".page-reference,.page-note{color:var(--dim)}\n"
    ".page pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid var(--line);"
    "border-radius:.4rem;padding:.6rem;margin:.4rem 0}\n"
    ".page a{color:var(--link)}.page ul{padding-left:1.2rem}\n"
    "@media (prefers-color-scheme:dark){.page{--ink:#e6edf3;--paper:#0d1117;--dim:#a8b3bf;"
    "--line:#3d444d;--link:#79b8ff;--mark:#a8b3bf}.page-temporary{--mark:#e3b341}"
    ".page-permanent{--mark:#ff8a80}.page-success{--mark:#6fdd8b}}\n";

/* ---- text in HTML */

static void put_element(struct buffer *to, const char *open, const char *text, const char *close)
{
    buffer_put_text(to, open);
    html_put(to, bytes_of(text));
    buffer_put_text(to, close);
}

static void put_paragraph(struct buffer *to, const char *text)
{
    put_element(to, "<p>", text, "</p>\n");
}

static void put_heading(struct buffer *to, const char *text)
{
    put_element(to, "<h2>", text, "</h2>\n");
}

/* The name of a code, as a link where links are wanted. */
static void put_link(struct buffer *to, const struct page *page, const char *base)
{
    if (base != NULL) {
        put_element(to, "<a href=\"", base, "");
        page_put_name(to, page);
        buffer_put_text(to, "\">");
    }
    page_put_name(to, page);
    buffer_put_text(to, base != NULL ? "</a>" : "");
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

static void put_item(struct buffer *to, const struct page *page, const char *text,
                     const char *base)
{
    buffer_put_text(to, "<dt>");
    put_link(to, page, base);
    put_element(to, " <span class=\"page-reference\">",
                page_class_title(page_class_of(page->code.class)), "</span>");
    put_element(to, "</dt><dd>", text, "</dd>\n");
}

static void put_said(struct buffer *to, const struct page *page, said what, const char *base)
{
    enum page_class only;
    struct page sibling;

    if (page_class_only(page, &only)) {
        put_paragraph(to, what(page, only));
        return;
    }
    buffer_put_text(to, "<dl>\n");
    for (enum page_class class = 0; class < PAGE_CLASSES; class++) {
        if (page_has(page, class) && page_sibling(page, class, &sibling))
            put_item(to, &sibling, what(page, class), base);
    }
    buffer_put_text(to, "</dl>\n");
}

static void put_fix(struct buffer *to, const struct page *page, const char *base)
{
    put_heading(to, page_fix_heading(page));
    if (page_mendable(page))
        put_element(to, "<p>Who can mend it: <strong>", page_who(page), "</strong></p>\n");
    buffer_put_text(to, "<h3>If you are the sender</h3>\n");
    put_said(to, page, sender_of, base);
    if (page_failed(page) && page->words->admin != NULL) {
        buffer_put_text(to, "<h3>If you run the sender\xe2\x80\x99s mail</h3>\n");
        put_paragraph(to, page->words->admin);
    }
    if (page_failed(page) && page->words->recipient != NULL) {
        buffer_put_text(to, "<h3>If you receive it, or run the mail there</h3>\n");
        put_paragraph(to, page->words->recipient);
    }
}

static void put_siblings(struct buffer *to, const struct page *page, const char *base)
{
    enum page_class only;
    struct page sibling;

    if (!page_class_only(page, &only) || !page_sibling(page, only, &sibling))
        return;
    put_heading(to, "With another first number");
    buffer_put_text(to, "<dl>\n");
    for (enum page_class class = 0; class < PAGE_CLASSES; class++) {
        if (class != only && page_sibling(page, class, &sibling))
            put_item(to, &sibling, reason_of(page, class), base);
    }
    buffer_put_text(to, "</dl>\n");
}

/* ---- what the standard says, an example, and what is beside it */

static void put_official(struct buffer *to, const struct page *page, const char *base)
{
    struct page_official official[PAGE_OFFICIAL_MOST];
    struct page other;
    size_t n = page_official(page, official);

    put_heading(to, "What the standard says, in our words");
    if (page->entry != NULL)
        put_element(to, "<p>Its name in the registry: ", page->entry->title, "</p>\n");
    buffer_put_text(to, "<dl>\n");
    for (size_t i = 0; i < n; i++) {
        buffer_put_text(to, "<dt>");
        if (official[i].about[0] != '\0')
            html_put(to, bytes_of(official[i].about));
        else
            page_put_name(to, page);
        put_element(to, "</dt><dd>", official[i].text, "");
        if (official[i].reference[0] != '\0')
            put_element(to, " <span class=\"page-reference\">(", official[i].reference,
                        ")</span>");
        buffer_put_text(to, "</dd>\n");
    }
    buffer_put_text(to, "</dl>\n");
    for (size_t i = 0; page_goes_with(page, i, &other); i++) {
        buffer_put_text(to, i == 0 ? "<p>Goes with: " : ", ");
        put_link(to, &other, base);
    }
    if (page_goes_with(page, 0, &other))
        buffer_put_text(to, "</p>\n");
}

static void put_example(struct buffer *to, const struct page *page)
{
    struct buffer text = buffer_with_most(1024);
    struct page full = *page;
    enum page_class class;

    if (!page_class_only(page, &class))
        class = PAGE_PERMANENT;
    full.code.class = page_class_digit(class);
    if (page->kind != PAGE_STATUS && page->words->sense[class].example == NULL)
        return;
    put_heading(to, page->kind == PAGE_STATUS ? "How a report shows it" : "An example");
    buffer_put_text(to, "<pre>");
    if (page->kind == PAGE_STATUS) {
        put_element(to, "Final-Recipient: rfc822; anna@example.org\nAction: ",
                    page_action(page, class), "\nStatus: ");
        page_put_name(to, &full);
        if (page->words->sense[class].example != NULL)
            buffer_put_text(to, "\nDiagnostic-Code: smtp; ");
        page_put_example(&text, page, class);
    } else {
        buffer_put_text(&text, page->words->sense[class].example);
    }
    html_put(to, buffer_bytes(&text));
    buffer_put_text(to, "</pre>\n");
    if (page->kind == PAGE_STATUS && class == PAGE_TEMPORARY)
        put_paragraph(to, page_action_note);
    to->bad = to->bad || text.bad;
    buffer_done(&text);
}

static void put_line(struct buffer *to, const struct page *page, const char *base)
{
    struct buffer title = buffer_with_most(1000);

    page_put_title(&title, page);
    buffer_put_text(to, "<li>");
    put_link(to, page, base);
    buffer_put_char(to, ' ');
    html_put(to, buffer_bytes(&title));
    buffer_put_text(to, "</li>\n");
    to->bad = to->bad || title.bad;
    buffer_done(&title);
}

static void put_neighbours(struct buffer *to, const struct page *page, const char *base)
{
    struct page near[PAGE_NEIGHBOURS];
    size_t n = page_neighbours(page, near);

    if (n == 0)
        return;
    put_heading(to, "Codes beside it");
    buffer_put_text(to, "<ul>\n");
    for (size_t i = 0; i < n; i++)
        put_line(to, &near[i], base);
    buffer_put_text(to, "</ul>\n");
}

/* ---- the whole */

static void put_head(struct buffer *to, const struct page *page)
{
    enum page_class class = PAGE_SUCCESS;
    bool only = page_class_only(page, &class);

    buffer_put_text(to, "<article class=\"page");
    if (only)
        put_element(to, " page-", page_class_name(class), "");
    buffer_put_text(to, "\" aria-labelledby=\"page-title\">\n<h1 id=\"page-title\">"
                        "<span class=\"page-code\">");
    page_put_name(to, page);
    put_element(to, "</span> ", page->words->headline, "</h1>\n");
    if (only && page->basic / 100 != 3)
        put_element(to, "<p class=\"page-outcome\">The message: ", page_outcome(class), "</p>\n");
    if (!page->registered)
        put_element(to, "<p class=\"page-note\">", page_unregistered(page), "</p>\n");
}

static void put_elsewhere(struct buffer *to, const struct page *page)
{
    const char *provider, *text;

    if (!page_elsewhere(page, &provider, &text))
        return;
    put_element(to, "<h2>From ", provider, " it means</h2>\n");
    put_paragraph(to, text);
}

void page_put_article(struct buffer *to, const struct page *page, const char *base)
{
    put_head(to, page);
    put_elsewhere(to, page);
    if (page_verified(page) != NULL) {
        put_heading(to, "When postern verify says it");
        put_paragraph(to, page_verified(page));
    }
    put_heading(to, page_verified(page) == NULL ? "What happened"
                                                : "What happened, when a mail server says it");
    put_said(to, page, reason_of, base);
    put_fix(to, page, base);
    put_heading(to, "Is it tried again?");
    put_said(to, page, page_retried, base);
    put_siblings(to, page, base);
    put_official(to, page, base);
    put_example(to, page);
    put_neighbours(to, page, base);
    buffer_put_text(to, "</article>\n");
}

static void put_document_head(struct buffer *to)
{
    buffer_put_text(to, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                        "<meta name=\"viewport\" content=\"width=device-width, "
                        "initial-scale=1\"/>\n<title>");
}

static void put_document_body(struct buffer *to)
{
    buffer_put_text(to, "</title>\n<style>\n");
    buffer_put_text(to, page_style);
    buffer_put_text(to, "body{margin:0;background:#ffffff}\n"
                        "@media (prefers-color-scheme:dark){body{background:#0d1117}}\n"
                        "</style>\n</head>\n<body>\n<main>\n");
}

static void put_document_end(struct buffer *to)
{
    buffer_put_text(to, "</main>\n</body>\n</html>\n");
}

void page_put_html(struct buffer *to, const struct page *page)
{
    put_document_head(to);
    page_put_name(to, page);
    put_element(to, ": ", page->words->headline, "");
    put_document_body(to);
    page_put_article(to, page, NULL);
    put_document_end(to);
}

/* ---- all codes */

/* Begins the list that the page stands in, when it is the first of it. */
static void put_group(struct buffer *to, size_t i, const struct page *page)
{
    const char *heading = NULL;

    if (page->kind == PAGE_CLASS && i == 0)
        heading = "Classes: the first number";
    if (page->kind == PAGE_SUBJECT && page->code.subject == 0)
        heading = "Subjects: the second number";
    if (page->kind == PAGE_STATUS && page->code.detail == 0)
        heading = page_words_of_subject(page->code.subject)->headline;
    if (page->kind == PAGE_BASIC && page->basic == basic_entry_at(0)->code)
        heading = "Basic reply codes";
    if (heading == NULL)
        return;
    buffer_put_text(to, i == 0 ? "" : "</ul>\n");
    put_heading(to, heading);
    buffer_put_text(to, "<ul>\n");
}

void page_list_article(struct buffer *to, const char *base)
{
    struct page page;

    buffer_put_text(to, "<article class=\"page\" aria-labelledby=\"page-title\">\n"
                        "<h1 id=\"page-title\">Codes of mail</h1>\n");
    for (size_t i = 0; page_at(i, &page); i++) {
        bool sibling = page.code.class != 0
            && (page.kind == PAGE_STATUS || page.kind == PAGE_SUBJECT);
        if (sibling)
            continue;
        put_group(to, i, &page);
        put_line(to, &page, base);
    }
    buffer_put_text(to, "</ul>\n</article>\n");
}

void page_list_html(struct buffer *to)
{
    put_document_head(to);
    buffer_put_text(to, "Codes of mail");
    put_document_body(to);
    page_list_article(to, NULL);
    put_document_end(to);
}
